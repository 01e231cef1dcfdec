//! A text parsed once into words and variables.

use std::fmt;

use super::values::Values;
use super::variable::Variable;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words as written; never holds a brace.
    Literal(String),
    /// A place for a value.
    Variable(Variable),
}

/// Words and variables in order. It can only be had by parsing, so it never holds a brace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Part>,
}

impl Text {
    /// Reads `{{variable}}` (blanks inside the braces are allowed) among words.
    ///
    /// # Errors
    /// All unknown variables with their positions; or the first brace that opens or closes
    /// nothing: a patient never sees one.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let source = source.replace("\r\n", "\n").replace('\r', "\n");
        let mut parts = Vec::new();
        let mut unknown = Vec::new();
        let mut rest = source.as_str();
        let here = |rest: &str| Position::at(&source, source.len() - rest.len());
        while let Some((words, after)) = rest.split_once("{{") {
            push_words(&mut parts, words, here(rest))?;
            let opening = here(rest).after(words);
            let Some((name, tail)) = after.split_once("}}") else {
                return Err(TemplateError::Unclosed { position: opening });
            };
            match Variable::from_name(name.trim()) {
                Some(variable) => parts.push(Part::Variable(variable)),
                None => unknown.push(UnknownVariable { name: name.trim().to_owned(), position: opening }),
            }
            rest = tail;
        }
        push_words(&mut parts, rest, here(rest))?;
        if unknown.is_empty() { Ok(Self { parts }) } else { Err(TemplateError::Unknown(unknown)) }
    }

    /// The pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The variables in order of appearance, repeated as they repeat.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(variable) => Some(*variable),
        })
    }

    /// The text as it is written in a catalogue.
    #[must_use]
    pub fn source(&self) -> String {
        self.write(|variable| format!("{{{{{variable}}}}}"))
    }

    /// The text with its values, if every variable in it has one.
    #[must_use]
    pub fn render(&self, values: &Values) -> Option<String> {
        self.variables().all(|variable| values.get(variable).is_some()).then(|| self.fill(values))
    }

    /// The text with its values; a variable without one leaves nothing, so callers check first.
    pub(super) fn fill(&self, values: &Values) -> String {
        self.write(|variable| values.get(variable).unwrap_or_default().to_owned())
    }

    fn write(&self, value: impl Fn(Variable) -> String) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(words) => words.clone(),
                Part::Variable(variable) => value(*variable),
            })
            .collect()
    }
}

fn push_words(parts: &mut Vec<Part>, words: &str, start: Position) -> Result<(), TemplateError> {
    if let Some((before, _)) = words.split_once(['{', '}']) {
        return Err(TemplateError::StrayBrace { position: start.after(before) });
    }
    if !words.is_empty() {
        parts.push(Part::Literal(words.to_owned()));
    }
    Ok(())
}

/// A place in a text, both counted from 1 in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in that line.
    pub column: usize,
}

impl Position {
    fn at(source: &str, offset: usize) -> Self {
        Self { line: 1, column: 1 }.after(source.get(..offset).unwrap_or_default())
    }

    fn after(self, words: &str) -> Self {
        words.chars().fold(self, |position, c| match c {
            '\n' => Self { line: position.line + 1, column: 1 },
            _ => Self { column: position.column + 1, ..position },
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A name between braces that is no variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// The name as written, without surrounding blanks.
    pub name: String,
    /// Where its braces open.
    pub position: Position,
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Names between braces that are no variables.
    #[error("unknown variable {}", list(.0))]
    Unknown(Vec<UnknownVariable>),
    /// Two braces open and never close.
    #[error("{{{{ at {position} is never closed")]
    Unclosed {
        /// Where they open.
        position: Position,
    },
    /// A brace that is no part of a variable.
    #[error("stray brace at {position}")]
    StrayBrace {
        /// Where it stands.
        position: Position,
    },
}

fn list(unknown: &[UnknownVariable]) -> String {
    let named: Vec<String> =
        unknown.iter().map(|variable| format!("{:?} at {}", variable.name, variable.position)).collect();
    named.join(", ")
}
