//! Where a run did less than it could have. Nothing here breaks a rule by itself: a list without
//! messages breaks none, and would be worth nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, TimeDelta, Utc, Weekday};

use super::calendar::{closing_hour, is_open, monday_of, open_day, opening};
use super::export::Patient;
use super::judge::Case;
use super::limits::{PAUSE_DAYS, TIER, WHATSAPP_MAX, at_rest, within_pause};
use super::message::{Channel, Step};
use super::segment::{PRECEDENCE, first_segment};
use super::sequences::{GRACE_OPEN_DAYS, Sequence};
use super::standing::{sendable, why_not};
use super::waves::{SEATS, seats, slot_seats};

/// What was left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortfall {
    /// Eligible patients and seats remained, and no sequence of any segment began that day.
    EmptyDay,
    /// Eligible patients and seats remained, and no sequence of the segment began that day.
    Starved,
    /// On the week's last open day eligible patients and seats remained unused.
    SeatsLeft,
    /// A step of a sequence could be sent, and was not.
    StepMissing,
}

/// Something left undone on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub shortfall: Shortfall,
    /// The day it should have been done, at the latest.
    pub day: NaiveDate,
    /// What was seen.
    pub figures: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.day, self.shortfall, self.figures)
    }
}

type Sequences<'a> = BTreeMap<&'a str, Vec<Sequence<'a>>>;

/// Everything left undone.
pub(super) fn notes(case: &Case<'_>, sequences: &Sequences<'_>) -> Vec<Note> {
    let seats: BTreeMap<NaiveDate, usize> =
        seats(case, sequences).into_iter().fold(BTreeMap::new(), |mut weeks, ((monday, _), lines)| {
            *weeks.entry(monday).or_default() += lines.len();
            weeks
        });
    let sent = whatsapp_sent(case);
    let mut found = Vec::new();
    for day in whole_open_days(case) {
        empty_wave(case, sequences, &sent, &seats, day, &mut found);
    }
    for sequence in sequences.values().flatten() {
        missing_steps(case, sequence, &sent, &mut found);
    }
    found
}

/// WhatsApp by contact point, in the order they left.
type Sent<'a> = BTreeMap<&'a str, Vec<DateTime<FixedOffset>>>;

fn whatsapp_sent<'a>(case: &'a Case<'_>) -> Sent<'a> {
    let mut sent: Sent<'_> = BTreeMap::new();
    for message in case.messages.iter().filter(|m| m.channel == Channel::Whatsapp) {
        sent.entry(&message.contact).or_default().push(message.at);
    }
    sent
}

/// Open days that the run covers from opening to closing.
fn whole_open_days(case: &Case<'_>) -> Vec<NaiveDate> {
    let (start, end) = case.run.bounds();
    let open = |d: &NaiveDate| is_open(*d, case.run.country);
    let whole = |d: &NaiveDate| {
        let hours = i64::from(closing_hour(*d).unwrap_or_default() - super::calendar::OPENING_HOUR);
        let opening = opening(*d, case.run.zone);
        opening >= start && opening + TimeDelta::hours(hours) <= end
    };
    case.run.calendar().filter(open).filter(whole).collect()
}

fn empty_wave(
    case: &Case<'_>,
    sequences: &Sequences<'_>,
    sent: &Sent<'_>,
    seats: &BTreeMap<NaiveDate, usize>,
    day: NaiveDate,
    found: &mut Vec<Note>,
) {
    let monday = monday_of(day);
    let slots_left = slot_seats(case, monday).is_none_or(|s| seats.get(&monday).is_none_or(|n| *n < s));
    if !slots_left || tier_reached(case, day) {
        return;
    }
    let waiting = waiting(case, sequences, sent, day);
    let began_today = sequences.values().flatten().any(|s| s.day_one() == day);
    let mut starved = Vec::new();
    for segment in PRECEDENCE {
        let begun_on = |d: &dyn Fn(NaiveDate) -> bool| {
            let firsts = sequences.values().flatten().filter(|s| s.first.segment == segment);
            firsts.filter(|s| d(s.day_one())).count()
        };
        let today = begun_on(&|d| d == day);
        let before = begun_on(&|d| monday_of(d) == monday && d < day);
        let waiting = waiting.get(segment).copied().unwrap_or_default();
        let figures = format!("{segment}: {waiting} eligible at opening, {today} begun, {before} earlier this week");
        if waiting > 0 && today == 0 && before < SEATS {
            starved.push(Note { shortfall: Shortfall::Starved, day, figures });
        } else if day.weekday() == Weekday::Sat && waiting > today && before + today < SEATS {
            found.push(Note { shortfall: Shortfall::SeatsLeft, day, figures });
        }
    }
    if !began_today && !starved.is_empty() {
        let figures = format!("{} segments with eligible patients and seats", starved.len());
        found.push(Note { shortfall: Shortfall::EmptyDay, day, figures });
    }
    found.extend(starved);
}

/// Whether four fifths of the number's tier were used on a day: what is left may be kept for steps
/// that fall due within the next 24 hours.
fn tier_reached(case: &Case<'_>, day: NaiveDate) -> bool {
    let today = case.messages.iter().filter(|m| m.at.date_naive() == day && m.channel == Channel::Whatsapp);
    today.map(|m| m.contact.as_str()).collect::<BTreeSet<_>>().len() >= TIER * 4 / 5
}

/// How many of each segment could begin a sequence when a day opens.
fn waiting(
    case: &Case<'_>,
    sequences: &Sequences<'_>,
    sent: &Sent<'_>,
    day: NaiveDate,
) -> BTreeMap<&'static str, usize> {
    let now = opening(day, case.run.zone);
    let threshold = case.threshold(now);
    let mut waiting = BTreeMap::new();
    for patient in case.export.patients.values() {
        let own = sequences.get(patient.id.as_str()).map_or(&[][..], |s| s.as_slice());
        let contacted = |s: &Sequence<'_>| s.first.at < now && now - s.last().at.to_utc() < TimeDelta::days(PAUSE_DAYS);
        if own.iter().any(contacted)
            || why_not(patient, now, case.run.zone, case.blocked(day)).is_some()
            || !some_step_is_free(case, patient, sent, now)
        {
            continue;
        }
        if let Some(segment) = first_segment(patient, now, case.run.zone, threshold) {
            *waiting.entry(segment).or_default() += 1;
        }
    }
    waiting
}

/// Whether some channel is open to the patient, WhatsApp only while no other message that day could
/// bring the phone to its cap.
fn some_step_is_free(case: &Case<'_>, patient: &Patient, sent: &Sent<'_>, now: DateTime<Utc>) -> bool {
    let day = now.with_timezone(&patient.zone).date_naive();
    Channel::ALL.into_iter().filter(|c| sendable(patient, *c, day, case.blocked(day))).any(|channel| match channel {
        Channel::Whatsapp => {
            let tonight = (now + TimeDelta::hours(24)).fixed_offset();
            let phone = patient.phone.as_deref().unwrap_or_default();
            sent.get(phone).is_none_or(|own| {
                let own: Vec<_> = own.iter().copied().filter(|at| *at < tonight).collect();
                within_pause(&own, tonight) < WHATSAPP_MAX && !at_rest(&own, tonight)
            })
        }
        Channel::Email | Channel::Call => true,
    })
}

/// Steps after the first one that could have been sent on any day of their grace, and were not.
fn missing_steps(case: &Case<'_>, sequence: &Sequence<'_>, sent: &Sent<'_>, found: &mut Vec<Note>) {
    let (_, end) = case.run.bounds();
    let steps = sequence.steps();
    let patient = sequence.patient;
    for step in Step::ALL.into_iter().filter(|s| *s > sequence.first.step && !steps.contains(s)) {
        let (name, offset, channel) = step.plan();
        let due = open_day(sequence.day_one() + Days::new(offset), 0, case.run.country);
        let latest = open_day(due, GRACE_OPEN_DAYS, case.run.country);
        let at = opening(due, patient.zone);
        let over = opening(latest, patient.zone) + TimeDelta::hours(11);
        let phone = patient.phone.as_deref().unwrap_or_default();
        let spent = channel == Channel::Whatsapp && sent.get(phone).is_some_and(|own| own.len() >= WHATSAPP_MAX);
        let open = sendable(patient, channel, due, case.blocked(due))
            && why_not(patient, at, case.run.zone, case.blocked(due)).is_none();
        if over <= end && open && !spent {
            let figures = format!("patient {}: {name}, first message {}", patient.id, sequence.day_one());
            found.push(Note { shortfall: Shortfall::StepMissing, day: latest, figures });
        }
    }
}
