//! Whatever was said and taken in stands once: in a patient's conversation, or among strangers' words.

use std::collections::BTreeSet;

use crate::inbox::{Brought, Inbox, Spoken};
use crate::judge::Judge;
use crate::rest::kind;
use crate::wire::tenant_of;
use crate::writes::{Item, number, text};

/// Words as the table has them.
struct Kept {
    clinic: Option<usize>,
    /// Whose conversation they stand in; strangers' words in nobody's.
    person: Option<usize>,
    phone: String,
    at: i64,
    text: String,
}

fn kept(judge: &Judge, item: &Item) -> Option<Kept> {
    let said = |name: &str| text(item, name).unwrap_or("").to_owned();
    let pk = said("pk");
    let person = match kind(item) {
        "heard" => Some(pk.rsplit('#').next().and_then(|id| id.parse().ok()).unwrap_or(usize::MAX)),
        "stranger" => None,
        _ => return None,
    };
    Some(Kept {
        clinic: judge.clinic_of(tenant_of(&pk)),
        person,
        phone: format!("+{}", said("phone").trim_start_matches('+')),
        at: number(item, "at").unwrap_or(0),
        text: said("text"),
    })
}

/// Holds what was said against what is kept, one to one.
pub(crate) fn check(judge: &mut Judge, inbox: &Inbox, everything: &[Item]) {
    let kept: Vec<Kept> = everything.iter().filter_map(|item| kept(judge, item)).collect();
    let mut words: Vec<(&Brought, &Spoken)> = inbox.words().collect();
    words.sort_by_key(|(brought, spoken)| (!brought.is_a_patients, spoken.at));
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut found: BTreeSet<usize> = BTreeSet::new();
    // What was said in the future of a clock that is slow counts as said just now: first those that
    // stand at their own instant.
    for slack in [0, judge.skew + 1_000] {
        for (n, (brought, spoken)) in words.iter().enumerate() {
            if found.contains(&n) {
                continue;
            }
            let is_it = |kept: &Kept| stands_for(judge, kept, brought, spoken, slack);
            let free = kept.iter().enumerate().filter(|(at, kept)| !used.contains(at) && is_it(kept));
            if let Some((at, _)) = free.max_by_key(|(_, kept)| (kept.person.is_some(), kept.at)) {
                used.insert(at);
                found.insert(n);
            }
        }
    }
    let mut wrong = BTreeSet::new();
    for (n, (brought, _)) in words.iter().enumerate() {
        match (found.contains(&n), brought.is_done, brought.is_a_patients) {
            (true, ..) => judge.reach("words kept"),
            (false, true, true) => {
                wrong.insert("at rest: what a patient said does not stand in a conversation");
            }
            (false, true, false) => {
                wrong.insert("at rest: something that was said is lost");
            }
            (false, false, _) => {}
        }
    }
    if used.len() < kept.len() {
        wrong.insert("at rest: something that was said stands there twice, or nobody said it");
    }
    if !inbox.left().is_empty() {
        wrong.insert("at rest: something that was brought was never taken in");
    }
    for what in wrong {
        judge.object(what);
    }
}

/// Whether this may be what somebody said: the same words, of the same phone, at that instant.
fn stands_for(judge: &Judge, kept: &Kept, brought: &Brought, spoken: &Spoken, slack: i64) -> bool {
    let (Some(clinic), Some(phone)) = (judge.clinics.get(brought.clinic), &spoken.phone) else { return false };
    let is_theirs = match kept.person {
        Some(person) => clinic
            .facts
            .iter()
            .filter_map(|people| people.get(person))
            .any(|who| who.phones().any(|known| known == phone)),
        None => !brought.is_a_patients && kept.phone == *phone,
    };
    is_theirs
        && kept.clinic == Some(brought.clinic)
        && spoken.text.as_deref() == Some(kept.text.as_str())
        && (spoken.at - slack..=spoken.at).contains(&kept.at)
}
