//! A guard of the product that the simulation switches off is really asked: else it is never off, and
//! whoever sees no difference believes that nothing needs it.

use crate::finds;
use crate::tree::File;

/// Where the guards are listed.
const LIST: &str = "tests/simulation/src/guards.rs";
/// The kind whose guards are asked in one place, by the name of the rule that was looked at.
const BY_RULE: (&str, &str) = ("step", "shared/domain/src/step_rules.rs");

/// Whether there is a list at all.
pub(crate) fn is_listed(files: &[File]) -> bool {
    files.iter().any(|file| file.path == LIST && file.text.as_deref().is_some_and(|text| !listed(text).is_empty()))
}

/// Guards of the list that no source of the product asks.
pub(crate) fn unasked_guards(files: &[File]) -> Vec<String> {
    let text = |path: &str| files.iter().find(|file| file.path == path).and_then(|file| file.text.as_deref());
    let guards = text(LIST).map(listed).unwrap_or_default();
    let product: Vec<&str> =
        files.iter().filter(|file| is_product(&file.path)).filter_map(|f| f.text.as_deref()).collect();
    let is_asked = |(kind, name): &(String, String)| match kind == BY_RULE.0 {
        true => text(BY_RULE.1).is_some_and(|rules| rules.contains(&format!("\"{name}\""))),
        false => product.iter().any(|text| text.contains(&format!("is_off(\"{kind}\", \"{name}\")"))),
    };
    let finding =
        |(kind, name)| format!("{LIST}: nothing asks `is_off(\"{kind}\", \"{name}\")`; ask it where the guard stands");
    guards.into_iter().filter(|guard| !is_asked(guard)).map(finding).collect()
}

fn is_product(path: &str) -> bool {
    path.ends_with(".rs") && (path.starts_with("shared/") || path.starts_with("functions/")) && path.contains("/src/")
}

/// Kind and name of each `Mutant::Rule("kind", "name")`.
fn listed(text: &str) -> Vec<(String, String)> {
    let quoted = |rule: &str| {
        let mut parts = rule.split('"');
        Some((parts.nth(1)?.to_owned(), parts.nth(1)?.to_owned()))
    };
    text.split("Mutant::Rule(\"").skip(1).filter_map(|rule| quoted(&format!("\"{rule}"))).collect()
}

#[test]
fn a_guard_that_nothing_asks_is_found() {
    let list = r#"&[Mutant::Rule("say", "hours"), Mutant::Rule("say", "window"), Mutant::Rule("step", "delay")]"#;
    let files = [
        File::of(LIST, list),
        File::of("functions/f/src/say.rs", r#"if late && !guard::is_off("say", "hours") {}"#),
        File::of("functions/f/tests/say.rs", r#"guard::is_off("say", "window")"#),
        File::of(BY_RULE.1, r#"Self::Delay => "delay","#),
    ];
    finds(&unasked_guards(&files), &[r#"is_off("say", "window")"#]);
}
