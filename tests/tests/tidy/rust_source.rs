//! Rust source as the words it is made of: comments gone, strings emptied, tests apart from the
//! product.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tree::File;

/// One word: an identifier, a punctuation character, a bracket or (emptied) a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word itself; `""` for a literal.
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
}

/// A source file in words.
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: String,
    /// All of it.
    pub(crate) words: Vec<Word>,
    /// What is left without the items under `#[cfg(test)]`; nothing when the file is itself such an
    /// item, or is a test or a bench.
    pub(crate) product: Vec<Word>,
}

/// Reads the Rust files among these.
pub(crate) fn read_sources(files: &[File]) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut test_modules = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let text = file.text.as_deref().unwrap_or_else(|| panic!("{}: not UTF-8", file.path));
        let stream = TokenStream::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", file.path));
        let (mut words, mut product) = (Vec::new(), Vec::new());
        flatten(stream.clone(), &mut words);
        flatten(without_tests(stream, &file.path, &mut test_modules), &mut product);
        sources.push(Source { path: file.path.clone(), words, product });
    }
    for source in &mut sources {
        if is_test(&source.path, &test_modules) {
            source.product.clear();
        }
    }
    sources
}

/// The words of a snippet, for comparison.
pub(crate) fn words(snippet: &str) -> Vec<String> {
    let mut words = Vec::new();
    flatten(TokenStream::from_str(snippet).unwrap_or_else(|e| panic!("{snippet}: {e}")), &mut words);
    words.into_iter().map(|word| word.text).collect()
}

/// The lines on which a sequence of words begins.
pub(crate) fn lines_with(words: &[Word], sequence: &[String]) -> Vec<usize> {
    let same = |window: &&[Word]| window.iter().zip(sequence).all(|(word, wanted)| word.text == *wanted);
    words.windows(sequence.len()).filter(same).filter_map(|window| window.first()).map(|word| word.line).collect()
}

fn flatten(stream: TokenStream, words: &mut Vec<Word>) {
    for token in stream {
        let line = token.span().start().line;
        match token {
            TokenTree::Ident(ident) => words.push(Word { text: ident.to_string(), line }),
            TokenTree::Punct(punct) => words.push(Word { text: punct.as_char().to_string(), line }),
            TokenTree::Literal(_) => words.push(Word { text: String::new(), line }),
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                words.push(Word { text: open.to_owned(), line });
                flatten(group.stream(), words);
                words.push(Word { text: close.to_owned(), line: group.span_close().start().line });
            }
        }
    }
}

const fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Leaves the items under `#[cfg(test)]` out, and notes where their modules live that are in files
/// of their own.
fn without_tests(stream: TokenStream, path: &str, test_modules: &mut Vec<String>) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_marked = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#')
            && tokens.peek().is_some_and(is_cfg_test);
        if !is_marked {
            kept.extend([within(token, path, test_modules)]);
            continue;
        }
        let mut item = Vec::new();
        for token in tokens.by_ref() {
            let is_last = match &token {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Ident(_) | TokenTree::Literal(_) => false,
            };
            item.push(token);
            if is_last {
                break;
            }
        }
        test_modules.extend(module_elsewhere(&item).map(|name| format!("{}/{name}", folder_of_modules(path))));
    }
    kept
}

/// The same, inside a bracketed group.
fn within(token: TokenTree, path: &str, test_modules: &mut Vec<String>) -> TokenTree {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let inner = without_tests(group.stream(), path, test_modules);
            let mut rest = proc_macro2::Group::new(Delimiter::Brace, inner);
            rest.set_span(group.span());
            TokenTree::Group(rest)
        }
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => token,
    }
}

/// `[cfg(test)]`, which follows a `#`.
fn is_cfg_test(token: &TokenTree) -> bool {
    let mut found = Vec::new();
    flatten(TokenStream::from(token.clone()), &mut found);
    found.iter().map(|word| word.text.as_str()).eq(["[", "cfg", "(", "test", ")", "]"])
}

/// The name in `… mod name;`.
fn module_elsewhere(item: &[TokenTree]) -> Option<String> {
    let [.., TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Punct(end)] = item else {
        return None;
    };
    (keyword == "mod" && end.as_char() == ';').then(|| name.to_string())
}

/// Where the modules that a file declares live.
fn folder_of_modules(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem)
}

fn is_test(path: &str, test_modules: &[String]) -> bool {
    let declared =
        |module: &String| path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
    path.split('/').any(|part| part == "tests" || part == "benches") || test_modules.iter().any(declared)
}

#[test]
fn comments_and_strings_are_no_code_and_tests_no_product() {
    let files = [
        File::of(
            "a/src/lib.rs",
            "//! todo!()\nmod b;\n/* todo!() */ const S: &str = r#\"todo!()\"#;\n\
             #[cfg(test)]\nmod tests { use tests_only::x; }\n#[cfg(test)]\nmod oracle;\nfn f<'a>() { todo!() }\n",
        ),
        File::of("a/src/oracle.rs", "fn oracle() {}"),
        File::of("a/src/oracle/deep.rs", "fn deep() {}"),
        File::of("a/tests/outside.rs", "fn outside() {}"),
        File::of("a/notes.md", "not Rust: '"),
    ];
    let sources = read_sources(&files);
    let paths: Vec<(&str, bool)> = sources.iter().map(|s| (s.path.as_str(), s.product.is_empty())).collect();
    let expected = [
        ("a/src/lib.rs", false),
        ("a/src/oracle.rs", true),
        ("a/src/oracle/deep.rs", true),
        ("a/tests/outside.rs", true),
    ];
    assert_eq!(paths, expected);
    let lib = sources.first().expect("the first source");
    assert_eq!(lines_with(&lib.words, &words("todo!")), [8]);
    assert_eq!(lines_with(&lib.words, &words("tests_only::")), [5]);
    assert_eq!(lines_with(&lib.product, &words("todo!")), [8]);
    assert_eq!(lines_with(&lib.product, &words("tests_only")), Vec::<usize>::new());
}
