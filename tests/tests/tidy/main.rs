//! The rules of the house, held by a machine.
//!
//! Each rule is a function from text and paths to findings, so that beside the tree as it is, it is
//! also tried on a small tree that breaks it. A finding says where, what, and what to do.

#![expect(clippy::expect_used, clippy::panic, reason = "a tree that cannot be read is a failure like any other")]

mod forbidden;
mod functions;
mod guards;
mod imports;
mod links;
mod names;
mod one_mouth;
mod purity;
mod rust_source;
mod size;
mod tree;

use tree::{files, rust_sources};

#[test]
fn imports_go_one_way() {
    holds(&imports::wrong_imports(&imports::workspace()));
}

#[test]
fn the_domain_reaches_for_nothing() {
    let sources = rust_sources();
    let findings = purity::impurities(&sources);
    assert!(sources.iter().any(purity::is_domain), "no source of the domain was looked at: has it moved?");
    holds(&findings);
}

#[test]
fn only_the_dispatcher_reaches_patients() {
    holds(&one_mouth::other_mouths(&rust_sources()));
}

#[test]
fn nothing_is_left_unfinished_or_waved_through() {
    let mut findings = forbidden::forbidden_code(&rust_sources());
    findings.extend(forbidden::forbidden_notes(&files()));
    holds(&findings);
}

#[test]
fn no_source_file_is_long() {
    holds(&size::long_files(&files()));
}

#[test]
fn names_say_what_is_inside() {
    holds(&names::empty_names(&files()));
}

#[test]
fn only_agreed_entries_are_at_the_top() {
    holds(&names::strangers_at_the_top(&files()));
}

#[test]
fn a_function_folder_is_complete_and_its_main_small() {
    holds(&functions::incomplete_functions(&files()));
}

#[test]
fn every_guard_that_can_be_switched_off_is_asked() {
    let files = files();
    assert!(guards::is_listed(&files), "no list of guards was found: has it moved?");
    holds(&guards::unasked_guards(&files));
}

#[test]
fn relative_links_resolve() {
    holds(&links::broken_links(&files()));
}

/// Fails with every finding, each on its line.
fn holds(findings: &[String]) {
    assert!(findings.is_empty(), "{} to put right:\n  {}", findings.len(), findings.join("\n  "));
}

/// For the tests of the rules: there is one finding for each of these texts, in this order, and it
/// contains the text.
fn finds(findings: &[String], expected: &[&str]) {
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for (finding, expected) in findings.iter().zip(expected) {
        assert!(finding.contains(expected), "{expected:?} is not in {finding:?}");
    }
}
