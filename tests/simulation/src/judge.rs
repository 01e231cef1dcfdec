//! What was committed and what the patients' phones saw, and whether it may be. The judge knows what
//! the run itself made true — who opted out, who booked, what the hours are — and nothing of the
//! rules that the product went by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use crate::browsers::Browsers;
use crate::clinic::{CANARY, Clinic, DIGITS, Person};
use crate::conversation::{Talk, Whom};
use crate::inbox::Spoken;
use crate::trouble::fingerprint;
use crate::writes::{number, text};

/// A message that was committed to be sent.
#[derive(Debug, Clone)]
pub struct Commit {
    clinic: usize,
    person: usize,
    channel: String,
    /// When, by the clock of whoever committed it.
    at: i64,
    /// When, truly.
    done_at: i64,
    /// What was wrong with it at that instant.
    fault: Option<String>,
    /// What it says, where it is an answer.
    say: Option<String>,
}

/// What a phone, a mailbox or a call list received.
#[derive(Debug, Clone)]
pub struct Accept {
    /// True time.
    pub at: i64,
    /// Which clinic.
    pub clinic: usize,
    /// The message.
    pub message: String,
    /// By which channel.
    pub channel: String,
    /// To which address.
    pub to: String,
    /// Whom the commit was about.
    pub person: Option<usize>,
    /// What it says, where it is an answer.
    pub say: Option<String>,
}

/// The judge of a run.
#[derive(Debug)]
pub struct Judge {
    /// The clinics, with what is true of their people.
    pub clinics: Vec<Clinic>,
    /// What was received, in order.
    pub accepts: Vec<Accept>,
    /// What may not be.
    pub violations: BTreeSet<String>,
    /// Everything that happened, folded.
    pub hash: u64,
    /// Everything that happened, in words, when it is asked for.
    pub told: Option<Vec<String>>,
    /// Messages that a provider took and that reached nobody.
    pub in_vain: BTreeSet<String>,
    /// States that were reached, for the run's coverage.
    pub reached: BTreeMap<String, u64>,
    commits: BTreeMap<(String, i64), Commit>,
    pub(crate) out: BTreeSet<(usize, String, String)>,
    pub(crate) halted_since: BTreeMap<usize, i64>,
    /// Conversations that staff has.
    pub paused: BTreeSet<(usize, usize)>,
    pub(crate) skew: i64,
    pub(crate) talk: Talk,
    /// Browsers that show notifications.
    pub(crate) browsers: Browsers,
    /// Who speaks in the invocation that runs: of which clinic, and what.
    pub(crate) speaking: Option<(usize, Spoken)>,
}

/// The kill switch acts within so long, in ms.
const HALT_WITHIN_MS: i64 = 15_000;
/// A call begins at most so long after its claim, in ms.
pub(crate) const CALL_WITHIN_MS: i64 = 10_000;

impl Judge {
    /// A judge of these clinics; clocks may be off by `skew` ms.
    #[must_use]
    pub fn of(clinics: Vec<Clinic>, skew: i64, tells: bool) -> Self {
        Self {
            clinics,
            accepts: Vec::new(),
            violations: BTreeSet::new(),
            hash: 0,
            told: tells.then(Vec::new),
            in_vain: BTreeSet::new(),
            reached: BTreeMap::new(),
            commits: BTreeMap::new(),
            out: BTreeSet::new(),
            halted_since: BTreeMap::new(),
            paused: BTreeSet::new(),
            skew,
            talk: Talk::default(),
            browsers: Browsers::default(),
            speaking: None,
        }
    }

    /// Notes something that happened.
    pub fn note(&mut self, now: i64, what: &str) {
        self.hash = self.hash.rotate_left(7) ^ fingerprint(what.as_bytes()) ^ now.unsigned_abs();
        if let Some(told) = &mut self.told {
            let at = DateTime::from_timestamp_millis(now).map(|at| at.format("%Y-%m-%d %H:%M:%S%.3f").to_string());
            told.push(format!("{} {what}", at.unwrap_or_default()));
        }
    }

    /// Something that may not be.
    pub fn object(&mut self, what: &str) {
        if let Some(told) = &mut self.told {
            told.push(format!("VIOLATION {what}"));
        }
        self.violations.insert(what.to_owned());
    }

    /// A state was reached.
    pub fn reach(&mut self, what: &str) {
        *self.reached.entry(what.to_owned()).or_default() += 1;
    }

    /// Nothing personal may stand here.
    pub fn nothing_personal(&mut self, place: &str, said: &str) {
        let spoken = said.to_lowercase().contains(CANARY) || (said.contains(DIGITS) && self.names_a_phone(said));
        if spoken {
            self.object(&format!("personal data in {place}"));
        }
    }

    /// Whether a phone stands in a text, with or without what precedes its last eight digits.
    fn names_a_phone(&self, said: &str) -> bool {
        let numbers: Vec<&str> =
            said.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.contains(DIGITS)).collect();
        let people = self.clinics.iter().flat_map(|clinic| clinic.facts.iter().flatten());
        let mut phones = people.flat_map(Person::phones);
        phones.any(|phone| {
            let end = phone.get(phone.len().saturating_sub(8)..).unwrap_or(phone.as_str());
            numbers.iter().any(|number| number.ends_with(end))
        })
    }

    /// The clinic of that id.
    #[must_use]
    pub fn clinic_of(&self, id: &str) -> Option<usize> {
        self.clinics.iter().position(|clinic| clinic.id == id)
    }

    /// Whose message a provider's request speaks of: the clinic and the person.
    #[must_use]
    pub fn whose(&self, request: &str) -> Option<(usize, usize)> {
        let ours = self.commits.iter().rev().find(|((message, _), _)| request.contains(message.as_str()));
        ours.map(|(_, commit)| (commit.clinic, commit.person))
    }

    /// Whom a commit was about.
    #[must_use]
    pub fn person_of(&self, message: &str, attempt: u32) -> Option<usize> {
        self.commits.get(&(message.to_owned(), i64::from(attempt))).map(|commit| commit.person)
    }

    /// The last attempt at a message.
    #[must_use]
    pub fn last_attempt(&self, message: &str) -> Option<u32> {
        let of = (message.to_owned(), i64::MIN)..=(message.to_owned(), i64::MAX);
        self.commits.range(of).next_back().and_then(|((_, attempt), _)| u32::try_from(*attempt).ok())
    }

    /// Whether a commit was about an answer.
    #[must_use]
    pub fn is_answer(&self, message: &str, attempt: u32) -> bool {
        self.commits.get(&(message.to_owned(), i64::from(attempt))).is_some_and(|commit| commit.say.is_some())
    }

    /// A claim was committed; `record` is its audit record.
    pub fn committed(&mut self, now: i64, clinic: usize, record: &Map<String, Value>) {
        let said = |name: &str| text(record, name).unwrap_or("").to_owned();
        let person: usize = said("patient").parse().unwrap_or(usize::MAX);
        let (channel, at) = (said("channel"), number(record, "at").unwrap_or(0));
        let say = (said("event") == "answer.committed").then(|| said("say"));
        let fault = match &say {
            Some(_) => self.fault_of_answer(clinic, record),
            None => self.fault_of(clinic, person, &channel, &said("cp"), at),
        };
        let attempt = number(record, "att").unwrap_or(0);
        let key = (said("message"), attempt);
        let (to, message) = (self.address(clinic, person, &channel, at), key.0.clone());
        let commit = Commit { clinic, person, channel: channel.clone(), at, done_at: now, fault, say };
        if self.commits.insert(key, commit).is_some() {
            self.object("the same attempt was committed twice");
        }
        if channel == "call" {
            // A call's claim is its task.
            self.accepted(now, clinic, &message, attempt, "call", to.as_deref().unwrap_or(""));
        }
    }

    fn address(&self, clinic: usize, person: usize, channel: &str, at: i64) -> Option<String> {
        let clinic = self.clinics.get(clinic)?;
        let (phone, email) = clinic.known(clinic.told, person)?.reached(clinic.date(at));
        if channel == "email" { email.clone() } else { phone.clone() }
    }

    /// What is wrong with writing to a person now, by what is surely true.
    fn fault_of(&self, clinic: usize, person: usize, channel: &str, contact: &str, at: i64) -> Option<String> {
        if self.is_out(clinic, contact, &format!("om_{channel}")) {
            return Some("committed after an opt-out".to_owned());
        }
        if self.paused.contains(&(clinic, person)) {
            return Some("committed while staff had the conversation".to_owned());
        }
        if self.halted_too_long(clinic, at) {
            return Some("committed more than 15 s after the clinic was halted".to_owned());
        }
        let of = self.clinics.get(clinic)?;
        let landed = of.landed.unwrap_or(0);
        // An import goes from person to person: between the last version that surely landed and the
        // last that may have, each person may stand at any of them.
        let today = of.date(at);
        let address = |who: &Person| {
            let (phone, email) = who.reached(today);
            if channel == "email" { email.clone() } else { phone.clone() }
        };
        let is_out = |n: usize| {
            (landed..=of.told).all(|version| {
                let mine = (landed..=of.told).filter_map(|v| of.known(v, person)).map(address);
                of.known(version, n).is_some_and(|who| {
                    who.is_out && who.is_reached_alike() && mine.clone().all(|mine| mine == address(who))
                })
            })
        };
        let people = of.facts.first().map_or(0, Vec::len);
        if (0..people).any(|n| n != person && is_out(n) && !self.has_taken_back(clinic, n, at)) {
            return Some("committed to a contact whose sharer opted out".to_owned());
        }
        if of.agenda.is_booked(person, at + self.skew) {
            return Some("committed to somebody who booked".to_owned());
        }
        if self.left_channel(clinic, person, channel, at) {
            return Some("committed to a channel that the person had left".to_owned());
        }
        let mut faults = (landed..=of.told).map(|version| self.fault_in(clinic, version, person, channel, at));
        faults.find(Option::is_none).unwrap_or_else(|| self.fault_in(clinic, landed, person, channel, at))
    }

    pub(crate) fn halted_too_long(&self, clinic: usize, at: i64) -> bool {
        let bound = HALT_WITHIN_MS + 2 * self.skew + 50;
        self.halted_since.get(&clinic).is_some_and(|since| at > since + bound)
    }

    /// Whether a contact point carries the mark of an opt-out: `om_` of marketing, `oc_` of care.
    pub(crate) fn is_out(&self, clinic: usize, contact: &str, mark: &str) -> bool {
        self.out.contains(&(clinic, contact.to_owned(), mark.to_owned()))
    }

    /// What is wrong by a version of what the clinic knows. A word of the person's own since takes back
    /// an opt-out and adds channels; a visit stays a visit.
    fn fault_in(&self, clinic: usize, version: usize, person: usize, channel: &str, at: i64) -> Option<String> {
        let of = self.clinics.get(clinic)?;
        let Some(who) = of.known(version, person) else { return Some("nobody knows this patient".to_owned()) };
        let back = self.back_since(clinic, person, who, at);
        if who.is_out && back.is_none() {
            return Some("committed to somebody who opted out".to_owned());
        }
        let today = of.date(at - self.skew);
        if who.has_outgrown(who.said_on.unwrap_or(of.begins), today) && back.is_none() {
            return Some("committed by an agreement that ended when the person came of age".to_owned());
        }
        let own = match channel {
            "push" => self.is_notified(clinic, person, who, at),
            _ => back.is_some_and(|back| back.agreed.contains(channel)),
        };
        if !who.agreed.contains(channel) && !own {
            return Some(format!("committed without consent to {channel}"));
        }
        let is_off = |start: &i64| of.agenda.is_called_off(person, *start);
        if who.booked.filter(|start| !is_off(start)).is_some_and(|booked| booked > at + self.skew) {
            return Some("committed to somebody with an appointment".to_owned());
        }
        None
    }

    /// A provider took a message: the patient has it.
    pub fn accepted(&mut self, now: i64, clinic: usize, message: &str, attempt: i64, channel: &str, to: &str) {
        self.note(now, &format!("accepted {channel} {message} {attempt}"));
        self.reach(&format!("accepted by {channel}"));
        let commit = self.commits.get(&(message.to_owned(), attempt)).cloned();
        let person = commit.as_ref().map(|commit| commit.person);
        let decided_at = commit.as_ref().filter(|_| channel == "call").map_or(now, |commit| commit.at);
        let say = commit.as_ref().and_then(|commit| commit.say.clone());
        let committed_at = commit.as_ref().map_or(now, |commit| commit.done_at);
        match commit {
            None => self.object("accepted without a commit"),
            Some(commit) => {
                if let Some(fault) = &commit.fault {
                    self.object(fault);
                }
                // A call's task is put on the desk's list by the claim itself, whenever that arrives.
                if channel != "call" && now - commit.at > CALL_WITHIN_MS + self.skew {
                    self.object("accepted more than 10 s after its commit");
                }
                if commit.clinic != clinic || commit.channel != channel {
                    self.object("accepted for another clinic or channel than committed");
                }
                self.at_the_right_address(&commit, to);
            }
        }
        if self.accepts.iter().any(|earlier| earlier.message == message) {
            self.object("the same message was accepted twice");
        }
        let accept = Accept {
            at: decided_at,
            clinic,
            message: message.to_owned(),
            channel: channel.to_owned(),
            to: to.to_owned(),
            person,
            say: say.clone(),
        };
        let mut whom: Vec<Whom> = person.map(|person| Whom::Person(clinic, person)).into_iter().collect();
        if !matches!(channel, "email" | "push") {
            whom.push(Whom::Phone(clinic, format!("+{}", to.trim_start_matches('+'))));
        }
        let is_open = self.in_hours(&accept);
        self.keeps_still(if channel == "call" { committed_at } else { now }, &whom, committed_at, say.as_deref());
        self.accepts.push(accept);
        match say {
            Some(say) => self.answers_somebody(now, is_open, &whom, &say, channel),
            None => {
                if !is_open {
                    self.object("accepted outside contact hours");
                }
                self.within_limits();
            }
        }
    }

    fn at_the_right_address(&mut self, commit: &Commit, to: &str) {
        let Some(clinic) = self.clinics.get(commit.clinic) else { return };
        let versions = clinic.landed.unwrap_or(0)..=clinic.told;
        let bare = |address: &Option<String>| address.as_deref().unwrap_or("").trim_start_matches('+').to_owned();
        // The clinic's date, by a clock that may be off.
        let days = [commit.at - self.skew, commit.at + self.skew].map(|at| clinic.date(at));
        let is_theirs = versions.clone().filter_map(|version| clinic.known(version, commit.person)).any(|who| {
            days.iter().any(|day| {
                let (phone, email) = who.reached(*day);
                bare(if commit.channel == "email" { email } else { phone }) == to.trim_start_matches('+')
            })
        });
        let known = versions.filter_map(|version| clinic.known(version, commit.person)).next();
        let minor = known.filter(|who| days.iter().all(|day| who.is_minor(*day))).map(|_| "accepted for a minor");
        let grown =
            known.filter(|who| who.has_outgrown(clinic.date(0), days[0])).map(|_| "accepted by who came of age");
        let is_theirs = match commit.channel.as_str() {
            "push" => self.browsers.is_of(to, commit.clinic, commit.person),
            _ => is_theirs,
        };
        for what in minor.into_iter().chain(grown) {
            self.reach(what);
        }
        if !is_theirs {
            self.object("sent to an address that is not the person's");
        }
    }

    fn in_hours(&self, accept: &Accept) -> bool {
        let Some(clinic) = self.clinics.get(accept.clinic) else { return false };
        let person = accept.person.and_then(|n| clinic.known(clinic.told, n));
        let zone = person.and_then(|who| who.zone).unwrap_or(clinic.zone);
        let slack = TimeDelta::milliseconds(CALL_WITHIN_MS + self.skew + 50);
        clinic.is_open(accept.at, zone, slack)
    }
}
