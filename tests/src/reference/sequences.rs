//! What a patient's messages are together: one sequence at a time, its steps in order and spaced.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};

use super::calendar::open_day;
use super::export::Patient;
use super::judge::Case;
use super::limits::PAUSE_DAYS;
use super::message::{Channel, Message, Step};
use super::segment::first_segment;
use super::standing::sendable;
use super::verdict::{Rule, Violation};

/// How many open days after its first possible one a step may still leave.
pub(super) const GRACE_OPEN_DAYS: usize = 2;

/// The messages of one patient in one campaign, in the order they left. Never empty.
pub(super) struct Sequence<'a> {
    pub(super) patient: &'a Patient,
    pub(super) first: &'a Message,
    pub(super) later: Vec<&'a Message>,
}

impl Sequence<'_> {
    /// The local day the first message left.
    pub(super) fn day_one(&self) -> NaiveDate {
        self.first.at.with_timezone(&self.patient.zone).date_naive()
    }

    /// The last message.
    pub(super) fn last(&self) -> &Message {
        self.later.last().copied().unwrap_or(self.first)
    }

    pub(super) fn steps(&self) -> BTreeSet<Step> {
        self.later.iter().map(|m| m.step).chain([self.first.step]).collect()
    }
}

/// Every sequence, patient by patient, in the order they began. Messages of unknown patients belong
/// to none.
pub(super) fn sequences<'a>(case: &'a Case<'_>) -> BTreeMap<&'a str, Vec<Sequence<'a>>> {
    let mut all: BTreeMap<&str, Vec<Sequence<'_>>> = BTreeMap::new();
    for message in &case.messages {
        let Some(patient) = case.patient(message) else {
            continue;
        };
        let own = all.entry(&patient.id).or_default();
        let same = |s: &&mut Sequence<'_>| {
            (&s.first.segment, &s.first.campaign_id) == (&message.segment, &message.campaign_id)
                && message.at - s.last().at < TimeDelta::days(PAUSE_DAYS)
        };
        match own.iter_mut().rev().find(same) {
            Some(sequence) => sequence.later.push(message),
            None => own.push(Sequence { patient, first: message, later: Vec::new() }),
        }
    }
    all
}

/// Every sequence against the rules of sequences.
pub(super) fn check(case: &Case<'_>, sequences: &BTreeMap<&str, Vec<Sequence<'_>>>) -> Vec<Violation> {
    let mut found = Vec::new();
    for own in sequences.values() {
        for sequence in own {
            beginning(case, sequence, &mut found);
            course(case, sequence, &mut found);
        }
        for (earlier, later) in own.iter().zip(own.iter().skip(1)) {
            apart(earlier, later, &mut found);
        }
    }
    found
}

fn beginning(case: &Case<'_>, sequence: &Sequence<'_>, found: &mut Vec<Violation>) {
    let Sequence { patient, first, .. } = sequence;
    let now = first.at.to_utc();
    let segment = first_segment(patient, now, case.run.zone, case.threshold(now));
    if segment != Some(first.segment.as_str()) {
        let figures = format!("patient {}: {} named, {segment:?} due", patient.id, first.segment);
        found.push(Violation::new(Rule::Segment, first.line, figures));
    }
    // A WhatsApp left out for the cap is no fault: a phone written to before may be at rest.
    let day = sequence.day_one();
    let blocked = case.blocked(day);
    let earlier = Step::ALL.into_iter().filter(|s| *s < first.step);
    let left_out = earlier.map(|s| s.plan()).find(|(_, _, channel)| {
        sendable(patient, *channel, day, blocked)
            && (*channel != Channel::Whatsapp || !written_to_before(case, patient, first))
    });
    if let Some((step, ..)) = left_out {
        let figures = format!("patient {}: {step} could be sent", patient.id);
        found.push(Violation::new(Rule::FirstStep, first.line, figures));
    }
}

fn written_to_before(case: &Case<'_>, patient: &Patient, message: &Message) -> bool {
    case.messages
        .iter()
        .any(|m| m.channel == Channel::Whatsapp && m.at <= message.at && Some(&m.contact) == patient.phone.as_ref())
}

fn course(case: &Case<'_>, sequence: &Sequence<'_>, found: &mut Vec<Violation>) {
    let mut sent = vec![sequence.first.step];
    let day_one = sequence.day_one();
    for message in &sequence.later {
        let (step, offset, _) = message.step.plan();
        let figures = |what: &str| format!("patient {}: {step} {what}", sequence.patient.id);
        if sent.contains(&message.step) {
            found.push(Violation::new(Rule::OneMessagePerStep, message.line, figures("again")));
            continue;
        }
        if sent.iter().any(|s| *s > message.step) {
            found.push(Violation::new(Rule::StepOrder, message.line, figures("after a later step")));
            continue;
        }
        sent.push(message.step);
        let day = message.at.with_timezone(&sequence.patient.zone).date_naive();
        let due = day_one + Days::new(offset);
        let latest = open_day(due, GRACE_OPEN_DAYS, case.run.country);
        let when = figures(&format!("on {day}, due {due}, at the latest {latest}"));
        if day < due {
            found.push(Violation::new(Rule::NotTooEarly, message.line, when));
        } else if day > latest {
            found.push(Violation::new(Rule::NotTooLate, message.line, when));
        }
    }
}

/// A sequence lasts until its last message, and its cycle until the last step's day.
fn apart(earlier: &Sequence<'_>, later: &Sequence<'_>, found: &mut Vec<Violation>) {
    let (_, length, _) = Step::D8.plan();
    let begun = later.first.at;
    let figures = format!("patient {}: begun {begun}", later.patient.id);
    if begun < earlier.last().at || later.day_one() < earlier.day_one() + Days::new(length) {
        found.push(Violation::new(Rule::OneSequence, later.first.line, figures));
    } else if begun - earlier.last().at < TimeDelta::days(PAUSE_DAYS) {
        found.push(Violation::new(Rule::EntryPause, later.first.line, figures));
    }
}
