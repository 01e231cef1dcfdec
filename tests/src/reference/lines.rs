//! The rules a single message can be held against.

use std::collections::HashSet;

use chrono::Offset;

use super::calendar::within_hours;
use super::consent::{self, Standing};
use super::export::Patient;
use super::judge::Case;
use super::message::{Channel, Message};
use super::standing::{agreed, awaits_outcome, contact, has_open_appointment};
use super::verdict::{Rule, Violation};

/// Every message against every rule of its own.
pub(super) fn check(case: &Case<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    for message in &case.messages {
        let mut say = |rule, figures: String| found.push(Violation::new(rule, message.line, figures));
        if !ids.insert(&message.message_id) {
            say(Rule::UniqueMessageId, message.message_id.clone());
        }
        wording(message, &mut say);
        match case.patient(message) {
            None => say(Rule::KnownPatient, message.patient_id.clone()),
            Some(patient) => {
                time(case, patient, message, &mut say);
                person(case, patient, message, &mut say);
            }
        }
    }
    found
}

fn wording(message: &Message, say: &mut impl FnMut(Rule, String)) {
    let subject = message.subject.as_deref().unwrap_or_default();
    if message.text.trim().is_empty() {
        say(Rule::Text, "empty".to_owned());
    } else if !message.text.contains("PARAR") {
        say(Rule::OptOutWord, format!("{} characters without PARAR", message.text.len()));
    }
    if [message.text.as_str(), subject].iter().any(|t| t.contains("{{") || t.contains("}}")) {
        say(Rule::NoUnfilledVariable, format!("step {}", message.step.plan().0));
    }
    if message.channel == Channel::Email && subject.trim().is_empty() {
        say(Rule::Subject, "an email without subject".to_owned());
    }
    let (step, _, channel) = message.step.plan();
    if channel != message.channel {
        say(Rule::StepChannel, format!("{step} by {}", message.channel.name()));
    }
}

fn time(case: &Case<'_>, patient: &Patient, message: &Message, say: &mut impl FnMut(Rule, String)) {
    let (start, end) = case.run.bounds();
    if message.at < start || message.at > end {
        say(Rule::WithinRun, format!("{} not within {start} and {end}", message.at));
    }
    let there = message.at.with_timezone(&patient.zone);
    if there.offset().fix() != *message.at.offset() {
        say(Rule::Offset, format!("{} in place of {}", message.at.offset(), there.offset().fix()));
    }
    let local = there.naive_local();
    if !within_hours(local) {
        say(Rule::ContactHours, local.format("%a %F %T").to_string());
    } else if case.run.country.is_holiday(local.date()) {
        say(Rule::Holiday, local.format("%a %F").to_string());
    }
}

fn person(case: &Case<'_>, patient: &Patient, message: &Message, say: &mut impl FnMut(Rule, String)) {
    let now = message.at.to_utc();
    let day = message.at.with_timezone(&patient.zone).date_naive();
    match consent::on(&patient.statements, day) {
        Standing::OptedOut => say(Rule::OptOut, format!("patient {}", patient.id)),
        Standing::Agreed(_) | Standing::Unknown if agreed(patient, message.channel, day) => {}
        standing @ (Standing::Agreed(_) | Standing::Unknown) => {
            say(Rule::Consent, format!("patient {}: {standing:?} on {day}", patient.id));
        }
    }
    match contact(patient, message.channel) {
        None => say(Rule::UsableContact, format!("patient {} has none", patient.id)),
        Some(own) if own != message.contact => say(Rule::OwnContact, format!("patient {}", patient.id)),
        Some(own) => {
            let out = consent::on(&patient.statements, day) == Standing::OptedOut;
            if !out && case.blocked(day).contains(own) {
                say(Rule::SharedOptOut, format!("patient {}", patient.id));
            }
        }
    }
    if has_open_appointment(patient, now) {
        say(Rule::OpenAppointment, format!("patient {}", patient.id));
    } else if awaits_outcome(patient, now, case.run.zone) {
        say(Rule::AwaitingOutcome, format!("patient {}", patient.id));
    }
}
