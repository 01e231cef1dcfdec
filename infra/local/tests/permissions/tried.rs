//! The comparison is tried: each permission is taken away and each statement is given more than it has, in
//! the template, in the file and in both, and every time it must complain.

use super::compare::{Evidence, complaints};
use super::granted::{Roles, Statement};
use super::template::lines_of;

/// What no function of ours ever needs.
const FOREIGN_ACTION: &str = "dynamodb:Scan";
const FOREIGN_ON: &str = "arn:${AWS::Partition}:s3:::somebody-elses/*";
const FOREIGN_KEY: &str = "T#*#SOMETHING_ELSE";

/// Tries all of them, and says how many that were.
pub(crate) fn every_change_is_complained_about(evidence: &Evidence) -> usize {
    let mut tried = 0;
    for (role, statements) in &evidence.granted {
        for (place, statement) in statements.iter().enumerate() {
            let is_judged = evidence.judges(role, statement);
            for (what, changed) in changes(statement) {
                let with = |of: Option<Statement>| {
                    let mut roles: Roles = evidence.granted.clone();
                    roles.get_mut(role).unwrap().splice(place..=place, of);
                    roles
                };
                tried += try_it(evidence, &with(changed), is_judged, &format!("{role} {}: {what}", statement.sid));
            }
        }
        let mut roles = evidence.granted.clone();
        roles.get_mut(role).unwrap().push(foreign());
        let is_judged = evidence.judges(role, &foreign());
        tried += try_it(evidence, &roles, is_judged, &format!("{role}: a statement more"));
    }
    tried
}

/// In one of the two places it is always noticed, in both where the role is held against what is called.
fn try_it(evidence: &Evidence, changed: &Roles, is_judged: bool, what: &str) -> usize {
    let lines = lines_of(changed);
    let in_template = Evidence { template: lines.clone(), ..evidence.clone() };
    assert!(!complaints(&in_template).is_empty(), "{what}, in the template: nobody complains");
    let in_file = Evidence { granted: changed.clone(), ..evidence.clone() };
    assert!(!complaints(&in_file).is_empty(), "{what}, in the file: nobody complains");
    if !is_judged {
        return 2;
    }
    let in_both = Evidence { template: lines, ..in_file };
    assert!(!complaints(&in_both).is_empty(), "{what}, in both: nobody complains");
    3
}

/// A statement with less, or with more; nothing for one that is gone.
fn changes(statement: &Statement) -> Vec<(String, Option<Statement>)> {
    let mut changes = vec![("gone".to_owned(), None)];
    let mut change = |what: String, of: &dyn Fn(&mut Statement)| {
        let mut changed = statement.clone();
        of(&mut changed);
        changes.push((what, Some(changed)));
    };
    for action in statement.actions.iter().filter(|_| statement.actions.len() > 1) {
        change(format!("without {action}"), &|changed| assert!(changed.actions.remove(action)));
    }
    for on in statement.on.iter().filter(|_| statement.on.len() > 1) {
        change(format!("without {on}"), &|changed| assert!(changed.on.remove(on)));
    }
    for key in &statement.keys {
        change(format!("without {key}"), &|changed| assert!(changed.keys.remove(key)));
    }
    if statement.when.is_some() {
        change("without its condition".to_owned(), &|changed| changed.when = None);
    }
    change(format!("with {FOREIGN_ACTION}"), &|changed| assert!(changed.actions.insert(FOREIGN_ACTION.to_owned())));
    change(format!("on {FOREIGN_ON}"), &|changed| assert!(changed.on.insert(FOREIGN_ON.to_owned())));
    if !statement.keys.is_empty() {
        change(format!("with {FOREIGN_KEY}"), &|changed| assert!(changed.keys.insert(FOREIGN_KEY.to_owned())));
    }
    changes
}

fn foreign() -> Statement {
    Statement {
        sid: "Foreign".to_owned(),
        effect: "Allow".to_owned(),
        actions: ["s3:DeleteObject".to_owned()].into(),
        on: [FOREIGN_ON.to_owned()].into(),
        keys: [].into(),
        when: None,
        why: "something that nobody needs".to_owned(),
        unseen: None,
    }
}
