//! What the phones saw, and whether they should have. The judge knows what was written to the table
//! and when, because the simulator wrote it; it never looks into the table.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::ids::MessageId;

use super::clinic::Rules;
use super::knobs::SKEW_MAX_MS;
use crate::table::ContactKey;

/// What a person has said, as the simulator had it written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    /// Agrees to these channels from a day on.
    Yes(NaiveDate, ChannelSet),
    /// Wants no more, by the clinic's own records, as of a day.
    No(NaiveDate),
    /// Wants no more, said to us.
    NoToUs,
}

/// What the judge knows of a person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) zone: Tz,
    pub(super) said: Vec<Said>,
    /// When appointments that are open begin.
    pub(super) open: BTreeMap<usize, DateTime<Utc>>,
    accepts: Vec<(DateTime<Utc>, Channel)>,
}

/// What the judge knows of a contact point.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    pub(super) told: ChannelSet,
    pub(super) imported: BTreeSet<usize>,
    accepts: Vec<DateTime<Utc>>,
}

/// A claim that stood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    pub(super) stamp: DateTime<Utc>,
}

/// A message on its way, as the simulator sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    pub(super) patient: usize,
    pub(super) contact: ContactKey,
    pub(super) channel: Channel,
    pub(super) message: MessageId,
    pub(super) attempt: u32,
}

/// The judge.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rules: Rules,
    pub(super) people: Vec<Person>,
    pub(super) points: BTreeMap<ContactKey, Point>,
    pub(super) accepts: BTreeMap<MessageId, u32>,
    claims: BTreeMap<(MessageId, u32), Claimed>,
    pub(super) halted_since: Option<DateTime<Utc>>,
    pub(super) violations: Vec<String>,
}

/// An accept comes at most so long after its claim.
const ACCEPT_AFTER_CLAIM: TimeDelta = TimeDelta::seconds(10);
/// The kill switch acts within this time, and what was claimed before has left by then.
const HALT_ACTS_WITHIN: TimeDelta = TimeDelta::seconds(15 + 10);

fn tolerance() -> TimeDelta {
    TimeDelta::milliseconds(SKEW_MAX_MS)
}

impl Person {
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, said: Vec::new(), open: BTreeMap::new(), accepts: Vec::new() }
    }

    /// Own reading of the consents: the latest word counts, an opt-out at once and at a tie, what was
    /// said to us for good.
    fn agrees(&self, channel: Channel, today: NaiveDate) -> bool {
        let mut last: Option<(NaiveDate, Option<ChannelSet>)> = None;
        for said in &self.said {
            let (on, now) = match said {
                Said::NoToUs => return false,
                Said::Yes(on, channels) if *on <= today => (*on, Some(*channels)),
                Said::Yes(..) => continue,
                Said::No(on) => (*on, None),
            };
            last = Some(match last {
                Some((day, before)) if day > on => (day, before),
                Some((day, before)) if day == on => (day, before.zip(now).map(|(a, b)| a.and(b))),
                Some(_) | None => (on, now),
            });
        }
        last.and_then(|(_, channels)| channels).is_some_and(|channels| channels.contains(channel))
    }
}

impl Judge {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            people: Vec::new(),
            points: BTreeMap::new(),
            accepts: BTreeMap::new(),
            claims: BTreeMap::new(),
            halted_since: None,
            violations: Vec::new(),
        }
    }

    fn violated(&mut self, what: &str, passing: &Passing, at: DateTime<Utc>) {
        let Passing { patient, message, attempt, channel, .. } = passing;
        self.violations
            .push(format!("{what}: {channel} message {message}, attempt {attempt}, patient {patient}, {at}"));
    }

    /// A claim stood at an instant, under the stamp of its worker's clock.
    pub(super) fn claimed(&mut self, passing: &Passing, at: DateTime<Utc>, stamp: DateTime<Utc>) {
        self.claims.insert((passing.message, passing.attempt), Claimed { stamp });
        let Some(person) = self.people.get(passing.patient) else { return };
        let today = stamp.with_timezone(&self.rules.zone).date_naive();
        let agrees = person.agrees(passing.channel, today);
        let booked = person.open.values().any(|start| *start > at + tolerance());
        let point = self.points.get(&passing.contact);
        let out = point.is_some_and(|point| point.told.contains(passing.channel) || !point.imported.is_empty());
        for (wrong, what) in [
            (!agrees, "claimed without consent"),
            (booked, "claimed with a booking"),
            (out, "claimed after an opt-out"),
        ] {
            if wrong {
                self.violated(what, passing, at);
            }
        }
    }

    /// The provider took a message.
    pub(super) fn accepted(&mut self, passing: &Passing, at: DateTime<Utc>) {
        let accepts = self.accepts.entry(passing.message).or_default();
        *accepts += 1;
        if *accepts > 1 {
            self.violated("accepted twice", passing, at);
        }
        match self.claims.get(&(passing.message, passing.attempt)).copied() {
            None => self.violated("accepted without a claim", passing, at),
            // By the clock of the worker: from its stamp on; no clock of a worker runs slow or fast.
            Some(claim) if at > claim.stamp + ACCEPT_AFTER_CLAIM + tolerance() => {
                self.violated("accepted late", passing, at);
            }
            Some(_) => {}
        }
        self.hours(passing, at);
        self.often(passing, at);
        if self.halted_since.is_some_and(|since| at > since + HALT_ACTS_WITHIN + tolerance()) {
            self.violated("accepted while halted", passing, at);
        }
    }

    fn hours(&mut self, passing: &Passing, at: DateTime<Utc>) {
        let Some(zone) = self.people.get(passing.patient).map(|person| person.zone) else { return };
        let near = [at, at - ACCEPT_AFTER_CLAIM - tolerance(), at + tolerance()];
        if !near.into_iter().any(|at| self.rules.is_open(at, zone)) {
            self.violated("accepted outside hours", passing, at);
        }
    }

    fn often(&mut self, passing: &Passing, at: DateTime<Utc>) {
        let Some(person) = self.people.get_mut(passing.patient) else { return };
        let day = |at: DateTime<Utc>| at.with_timezone(&person.zone).date_naive();
        let today = person.accepts.iter().rev().any(|(before, _)| day(*before) == day(at));
        person.accepts.push((at, passing.channel));
        let since = at - TimeDelta::days(30);
        let recent = person.accepts.iter().rev().take_while(|(before, _)| *before > since);
        let by_person = recent.filter(|(_, channel)| *channel == Channel::Whatsapp).count();
        let mut by_phone = 0;
        if passing.channel == Channel::Whatsapp {
            let point = self.points.entry(passing.contact).or_default();
            point.accepts.push(at);
            by_phone = point.accepts.iter().rev().take_while(|before| **before > since).count();
        }
        let capped = passing.channel == Channel::Whatsapp;
        if today {
            self.violated("a second message on one day", passing, at);
        }
        if capped && by_person > self.rules.cap {
            self.violated("above the person's cap", passing, at);
        }
        if by_phone > self.rules.cap {
            self.violated("above the phone's cap", passing, at);
        }
    }
}
