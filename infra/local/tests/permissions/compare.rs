//! The comparison: what the template grants, what `permissions.toml` grants, what is called and what is
//! needed besides. Pure, so that every change of it can be tried.

use std::collections::{BTreeMap, BTreeSet};

use super::granted::{One, Roles, Statement};
use super::template::Lines;

const TABLE: &str = "${Table.Arn}";
const AUDIT: &str = "T#*#AUDIT#*";
const KEPT_FROM: [&str; 3] = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"];
/// Who claims messages, hears consent, or finishes an erasure: they alone write audit records.
const WRITES_AUDIT: [&str; 6] =
    ["export-importer", "segment-evaluator", "step-dispatcher", "inbound-webhook", "patient-pages", "staff-api"];
/// Conditions without which an action would reach further than it is meant to.
const BOUND_BY: [(&str, &str, &str, &str); 3] = [
    ("iam:PassRole", "StringEquals", "iam:PassedToService", "scheduler.amazonaws.com"),
    ("ses:SendEmail", "StringLike", "ses:FromAddress", "${MailFrom}"),
    ("s3:ListBucket", "StringLike", "s3:prefix", "digests/*"),
];

/// What is compared.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    /// The template's statements.
    pub(crate) template: Lines,
    /// The file's.
    pub(crate) granted: Roles,
    /// What roles need without any journey showing it.
    pub(crate) needed: BTreeSet<One>,
    /// What the functions called on the journeys.
    pub(crate) noted: BTreeSet<One>,
    /// All functions of the stack; any other role is a schedule's.
    pub(crate) functions: BTreeSet<String>,
    /// The functions whose journeys were played.
    pub(crate) played: BTreeSet<String>,
}

impl Evidence {
    /// Whether what this statement allows is held against what is called or needed: the journeys of other
    /// functions are another test's.
    pub(crate) fn judges(&self, role: &str, statement: &Statement) -> bool {
        let is_judged = self.played.contains(role) || !self.functions.contains(role);
        is_judged || statement.unseen.is_some() || statement.is_denial()
    }
}

/// Everything that does not fit together; empty when all is well.
pub(crate) fn complaints(evidence: &Evidence) -> Vec<String> {
    let mut complaints = between_template_and_file(&evidence.template, &super::template::lines_of(&evidence.granted));
    complaints.extend(against_calls(evidence));
    for (role, statements) in &evidence.granted {
        complaints.extend(statements.iter().flat_map(|statement| against_rules(role, statement)));
        complaints.extend(of_audit(role, statements));
        let names: BTreeSet<&String> = statements.iter().map(|statement| &statement.sid).collect();
        if names.len() != statements.len() {
            complaints.push(format!("{role}: two statements of one name"));
        }
    }
    complaints
}

fn between_template_and_file(template: &Lines, file: &Lines) -> Vec<String> {
    let none = BTreeSet::new();
    let roles: BTreeSet<&String> = template.keys().chain(file.keys()).collect();
    let differ = roles.into_iter().flat_map(|role| {
        let (there, wanted) = (template.get(role).unwrap_or(&none), file.get(role).unwrap_or(&none));
        let only_there = there.difference(wanted).map(move |line| format!("{role}: only in the template: {line}"));
        only_there.chain(wanted.difference(there).map(move |line| format!("{role}: not in the template: {line}")))
    });
    differ.collect()
}

fn against_calls(evidence: &Evidence) -> Vec<String> {
    let mut allowed = BTreeMap::new();
    let mut complaints = Vec::new();
    for (role, statements) in &evidence.granted {
        for statement in statements.iter().filter(|statement| !statement.is_denial()) {
            let is_unseen = statement.unseen.is_some();
            allowed.extend(statement.ones(role).map(|one| (one, (is_unseen, evidence.judges(role, statement)))));
        }
    }
    let wanted = evidence.noted.iter().chain(&evidence.needed);
    complaints
        .extend(wanted.filter(|one| !allowed.contains_key(*one)).map(|one| format!("needed, not allowed: {one:?}")));
    for (one, (is_unseen, is_judged)) in &allowed {
        let (is_noted, is_needed) = (evidence.noted.contains(one), evidence.needed.contains(one));
        if *is_unseen && is_noted {
            complaints.push(format!("said to be unseen, and seen: {one:?}"));
        }
        if *is_judged && !is_needed && (*is_unseen || !is_noted) {
            complaints.push(format!("allowed, and needed by nobody: {one:?}"));
        }
    }
    complaints
}

/// What a statement must hold whatever is called.
fn against_rules(role: &str, statement: &Statement) -> Vec<String> {
    let Statement { sid, actions, on, keys, when, why, unseen, .. } = statement;
    let reasons = std::iter::once(why).chain(unseen);
    let is_of_table = on.iter().any(|on| on.starts_with(TABLE));
    let reaches_patients = |action: &String| action.starts_with("ses:") || action.starts_with("sms-voice:");
    let reaches_patients = actions.iter().any(reaches_patients) || on.iter().any(|on| on.ends_with("/sending"));
    let is_bound =
        BOUND_BY.iter().filter(|(action, ..)| actions.contains(*action)).all(|(_, operator, name, value)| {
            when.as_ref().is_some_and(|when| when.0 == *operator && when.1 == *name && when.2 == *value)
        });
    let held = [
        (reasons.into_iter().all(|why| why.len() > 10), "it does not say why"),
        (!actions.iter().any(|action| action.contains('*')), "an action that is a wildcard"),
        (on.iter().all(|on| on.starts_with("arn:") || on.starts_with("${")), "on anything"),
        (!is_of_table || !keys.is_empty(), "of the whole table"),
        (keys.iter().all(|key| !["*", "T#*"].contains(&key.as_str())), "of all keys"),
        (!reaches_patients || role == "step-dispatcher", "one function alone reaches patients"),
        (is_bound, "without the condition that bounds it"),
    ];
    held.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| format!("{role} {sid}: {what}")).collect()
}

/// Nobody changes or deletes an audit record, and who neither claims, hears consent nor erases writes none.
fn of_audit(role: &str, statements: &[Statement]) -> Vec<String> {
    let mut complaints = Vec::new();
    let denials = statements.iter().filter(|statement| statement.is_denial());
    let kept = |statement: &Statement| {
        let is =
            |there: &BTreeSet<String>, wanted: &[&str]| there.iter().map(String::as_str).eq(wanted.iter().copied());
        is(&statement.actions, &KEPT_FROM) && is(&statement.on, &[TABLE]) && is(&statement.keys, &[AUDIT])
    };
    let is_of_table = statements.iter().any(|statement| statement.on.contains(TABLE));
    if denials.clone().count() != usize::from(is_of_table) || !denials.clone().all(kept) {
        complaints.push(format!("{role}: audit records must be kept from it, and nothing else"));
    }
    let writes = statements.iter().any(|statement| {
        let puts = !statement.is_denial() && statement.actions.contains("dynamodb:PutItem");
        puts && statement.keys.contains(AUDIT)
    });
    if writes && !WRITES_AUDIT.contains(&role) {
        complaints.push(format!("{role}: it writes audit records"));
    }
    complaints
}
