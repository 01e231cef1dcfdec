//! The judge of the conversation: what people said, who wants no more messages, and whether what they
//! were answered may be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::back::{Back, Choice};
use crate::clinic::Person;
use crate::inbox::Spoken;
use crate::judge::{CALL_WITHIN_MS, Judge};
use crate::talk::Meant;
use crate::writes::{number, text};

const DAY_MS: i64 = 86_400_000;

/// A phone, or a person whatever the channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// A phone of a clinic's, E.164.
    Phone(usize, String),
    /// A person of a clinic's.
    Person(usize, usize),
}

/// Nobody may write there any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// Since when that was taken in.
    since: i64,
    /// Messages that came all the same.
    came: usize,
    /// Whether whoever writes there is answered all the same.
    answers: bool,
}

/// What people said.
#[derive(Debug, Default)]
pub struct Talk {
    /// When somebody did something: then they are answered at any hour.
    did: BTreeMap<Whom, BTreeSet<i64>>,
    /// When somebody wrote on WhatsApp, by the phone they wrote from: then Meta lets them be written to.
    wrote: BTreeMap<Whom, BTreeSet<i64>>,
    pub(crate) stops: BTreeMap<Whom, Stop>,
    pub(crate) lifted: BTreeMap<Whom, i64>,
    pub(crate) back: BTreeMap<(usize, usize), Back>,
    pub(crate) chose: BTreeMap<(usize, usize), Choice>,
    /// Phones of which somebody said that they are not the patient's, and when.
    wrong: BTreeMap<(usize, String), BTreeSet<i64>>,
}

/// What may be answered to whoever said that nobody may write: that it was heard, and where to go
/// when it hurts.
const AFTER_A_STOP: [&str; 5] = ["opted_out", "all_stopped", "reminders_stopped", "wrong_number", "urgent"];
/// What the clinic begins itself in a conversation.
const UNASKED: &str = "freed";

impl Judge {
    /// Everybody who had a phone since the last export that surely landed.
    fn owners(&self, clinic: usize, phone: &str) -> BTreeSet<usize> {
        let Some(of) = self.clinics.get(clinic) else { return BTreeSet::new() };
        let versions = of.landed.unwrap_or(0)..=of.facts.len().saturating_sub(1);
        let people = versions.filter_map(|version| of.facts.get(version)).flat_map(|people| people.iter().enumerate());
        people.filter(|(_, person)| person.phones().any(|known| known == phone)).map(|(n, _)| n).collect()
    }

    /// Whom something may be about.
    #[must_use]
    pub fn people_of(&self, clinic: usize, spoken: &Spoken) -> BTreeSet<usize> {
        match (&spoken.phone, spoken.person) {
            (_, Some(person)) => [person].into(),
            (Some(phone), None) => self.owners(clinic, phone),
            (None, None) => BTreeSet::new(),
        }
    }

    /// Whom somebody speaks for beyond doubt: from a phone that is not the patient's, for nobody else.
    fn speaks_for(&self, clinic: usize, spoken: &Spoken) -> Vec<Whom> {
        let mut whom: Vec<Whom> = spoken.phone.iter().map(|phone| Whom::Phone(clinic, phone.clone())).collect();
        if spoken.phone.as_ref().is_some_and(|phone| self.talk.wrong.contains_key(&(clinic, phone.clone()))) {
            return whom;
        }
        let people = self.people_of(clinic, spoken);
        let surely = |n: usize| spoken.phone.as_ref().is_some_and(|phone| self.surely_has(clinic, n, phone));
        if let (1, Some(person)) = (people.len(), people.first())
            && (spoken.person.is_some() || surely(*person))
        {
            whom.push(Whom::Person(clinic, *person));
        }
        whom
    }

    /// Somebody writes, at the instant that the words have themselves.
    pub fn wrote(&mut self, clinic: usize, spoken: &Spoken) {
        self.did(clinic, spoken);
        if let (Some(phone), "whatsapp") = (&spoken.phone, spoken.by) {
            self.talk.wrote.entry(Whom::Phone(clinic, phone.clone())).or_default().insert(spoken.at);
        }
    }

    /// Somebody does something.
    pub fn did(&mut self, clinic: usize, spoken: &Spoken) {
        let mut whom: Vec<Whom> = spoken.phone.iter().map(|phone| Whom::Phone(clinic, phone.clone())).collect();
        whom.extend(self.people_of(clinic, spoken).into_iter().map(|person| Whom::Person(clinic, person)));
        for whom in whom {
            self.talk.did.entry(whom).or_default().insert(spoken.at);
        }
    }

    /// Whether words come from a phone that surely is a patient's, whatever of the exports under way has
    /// landed, and of which nobody else has said that it is not.
    #[must_use]
    pub fn is_a_patients(&self, clinic: usize, spoken: &Spoken) -> bool {
        let (Some(of), Some(phone)) = (self.clinics.get(clinic), &spoken.phone) else { return false };
        let wrong = self.talk.wrong.get(&(clinic, phone.clone()));
        if wrong.is_some_and(|said| said.iter().any(|at| *at != spoken.at)) {
            return false;
        }
        let Some(landed) = of.landed else { return false };
        let people = of.facts.first().map_or(0, Vec::len);
        (0..people).any(|n| of.is_in(n, landed) && self.surely_has(clinic, n, phone))
    }

    /// Whether a person is reached at a phone, whatever of the exports under way has landed.
    fn surely_has(&self, clinic: usize, n: usize, phone: &str) -> bool {
        let Some(of) = self.clinics.get(clinic) else { return false };
        let has = |people: &Vec<Person>| {
            people.get(n).is_some_and(|person| person.is_reached_alike() && person.phone.as_deref() == Some(phone))
        };
        (of.landed.unwrap_or(0)..of.facts.len()).filter_map(|version| of.facts.get(version)).all(has)
    }

    /// Words are handed over for the first time: from now on they may count.
    pub fn words_come_in(&mut self, now: i64, clinic: usize, spoken: &Spoken) {
        if let (Meant::Wrong, Some(phone)) = (spoken.meant, &spoken.phone) {
            self.talk.wrong.entry((clinic, phone.clone())).or_default().insert(spoken.at);
        }
        if spoken.meant != Meant::In {
            return;
        }
        let people = self.people_of(clinic, spoken);
        let mut whom: Vec<Whom> = spoken.phone.iter().map(|phone| Whom::Phone(clinic, phone.clone())).collect();
        whom.extend(people.iter().map(|person| Whom::Person(clinic, *person)));
        for whom in whom {
            self.talk.stops.remove(&whom);
            self.talk.lifted.insert(whom, now);
        }
        for person in people {
            let mut agreed = self.agreed_to(clinic, person);
            agreed.insert(spoken.by);
            self.comes_back(now, clinic, person, agreed);
        }
    }

    /// Words have been taken in that were first handed over at `begun`: from now on they surely count.
    pub fn words_are_in(&mut self, now: i64, clinic: usize, spoken: &Spoken, begun: i64) {
        if spoken.meant == Meant::In {
            for person in self.people_of(clinic, spoken) {
                self.is_back(now, clinic, person);
            }
        }
        if !spoken.meant.stops() {
            return;
        }
        for whom in self.speaks_for(clinic, spoken) {
            let is_of_a_person = matches!(whom, Whom::Person(..));
            let counts = match spoken.meant {
                // The number is somebody else's; of the person it says nothing.
                Meant::Wrong => !is_of_a_person,
                // Others have the phone still.
                Meant::Deceased => is_of_a_person,
                Meant::Out
                | Meant::In
                | Meant::Option
                | Meant::Come
                | Meant::OtherDay
                | Meant::No
                | Meant::Cancel
                | Meant::Unwell
                | Meant::Else => true,
            };
            // Whoever wants messages again in the same breath may be heard first or last.
            if counts && self.talk.lifted.get(&whom).is_none_or(|lifted| *lifted < begun) {
                self.reach("stop heard");
                if let Whom::Person(clinic, person) = whom {
                    self.left_again(clinic, person, begun);
                }
                self.talk.stops.entry(whom).or_insert(Stop {
                    since: now,
                    came: 0,
                    answers: spoken.meant != Meant::Wrong,
                });
            }
        }
    }

    /// Something has come to an address: not after a stop, but for what was under way.
    pub(crate) fn keeps_still(&mut self, now: i64, whom: &[Whom], committed_at: i64, say: Option<&str>) {
        if say.is_some_and(|say| AFTER_A_STOP.contains(&say)) {
            return;
        }
        let mut broken = BTreeSet::new();
        for whom in whom {
            let Some(stop) = self.talk.stops.get_mut(whom) else { continue };
            if stop.answers && say.is_some_and(|say| say != UNASKED) {
                continue;
            }
            stop.came += usize::from(say.is_none());
            if committed_at > stop.since {
                broken.insert("committed after a stop was taken in");
            }
            if now > stop.since + CALL_WITHIN_MS {
                broken.insert("came more than 10 s after a stop was taken in");
            }
            if stop.came > 1 {
                broken.insert("more than one message came after a stop was taken in");
            }
        }
        for what in broken {
            self.object(what);
        }
    }

    /// What an answer's claim does that it may not.
    pub(crate) fn fault_of_answer(&self, clinic: usize, record: &Map<String, Value>) -> Option<String> {
        let said = |name: &str| text(record, name).unwrap_or("").to_owned();
        let (say, at) = (said("say"), number(record, "at").unwrap_or(0));
        // Whoever wants no invitations is still answered; whoever wants nothing at all is not.
        let of = if say == UNASKED { "om" } else { "oc" };
        let mark = format!("{of}_{}", said("channel"));
        if self.is_out(clinic, &said("cp"), &mark) && !AFTER_A_STOP.contains(&say.as_str()) {
            return Some("an answer committed after an opt-out".to_owned());
        }
        self.halted_too_long(clinic, at)
            .then(|| "an answer committed more than 15 s after the clinic was halted".to_owned())
    }

    /// Whether one of these instants lies within a day before.
    fn within_a_day(&self, now: i64, of: &BTreeMap<Whom, BTreeSet<i64>>, whom: &[Whom]) -> bool {
        let slack = CALL_WITHIN_MS + self.skew;
        whom.iter()
            .filter_map(|whom| of.get(whom))
            .any(|times| times.range(..=now + slack).next_back().is_some_and(|last| now - last <= DAY_MS + slack))
    }

    /// An answer has come: in contact hours, unless it answers something.
    pub(crate) fn answers_somebody(&mut self, now: i64, is_open: bool, whom: &[Whom], say: &str, by: &str) {
        let asked = self.within_a_day(now, &self.talk.did, whom);
        if !is_open && (!asked || say == UNASKED) {
            self.object("an answer that nobody waited for came outside contact hours");
        }
        if by == "whatsapp" && !self.within_a_day(now, &self.talk.wrote, whom) {
            self.object("free text more than a day after the last word from that phone");
        }
        self.reach(&format!("answered {say}"));
    }
}
