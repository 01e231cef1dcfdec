//! What was committed and what the patients' phones saw, and whether it may be. The judge knows what
//! the run itself made true — who opted out, who booked, what the hours are — and nothing of the
//! rules that the product went by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use crate::clinic::{CANARY, Clinic, DIGITS, Person};
use crate::trouble::fingerprint;
use crate::writes::{Write, number, text};

/// A message that was committed to be sent.
#[derive(Debug, Clone)]
pub struct Commit {
    clinic: usize,
    person: usize,
    channel: String,
    /// When, by the clock of whoever committed it.
    at: i64,
    /// What was wrong with it at that instant.
    fault: Option<String>,
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
    /// States that were reached, for the run's coverage.
    pub reached: BTreeMap<String, u64>,
    commits: BTreeMap<(String, i64), Commit>,
    out: BTreeSet<(usize, String, String)>,
    halted_since: BTreeMap<usize, i64>,
    paused: BTreeSet<(usize, usize)>,
    skew: i64,
}

/// The kill switch acts within so long, in ms.
const HALT_WITHIN_MS: i64 = 15_000;
/// A call begins at most so long after its claim, in ms.
const CALL_WITHIN_MS: i64 = 10_000;

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
            reached: BTreeMap::new(),
            commits: BTreeMap::new(),
            out: BTreeSet::new(),
            halted_since: BTreeMap::new(),
            paused: BTreeSet::new(),
            skew,
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
        let mut phones = people.filter_map(|person| person.phone.as_deref());
        phones.any(|phone| {
            let end = phone.get(phone.len().saturating_sub(8)..).unwrap_or(phone);
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

    /// A claim was committed; `record` is its audit record.
    pub fn committed(&mut self, now: i64, clinic: usize, record: &Map<String, Value>) {
        let said = |name: &str| text(record, name).unwrap_or("").to_owned();
        let person: usize = said("patient").parse().unwrap_or(usize::MAX);
        let (channel, at) = (said("channel"), number(record, "at").unwrap_or(0));
        let fault = self.fault_of(clinic, person, &channel, &said("cp"), at);
        let attempt = number(record, "att").unwrap_or(0);
        let key = (said("message"), attempt);
        let (to, message) = (self.address(clinic, person, &channel), key.0.clone());
        if self.commits.insert(key, Commit { clinic, person, channel: channel.clone(), at, fault }).is_some() {
            self.object("the same attempt was committed twice");
        }
        if channel == "call" {
            // A call's claim is its task.
            self.accepted(now, clinic, &message, attempt, "call", to.as_deref().unwrap_or(""));
        }
    }

    fn address(&self, clinic: usize, person: usize, channel: &str) -> Option<String> {
        let clinic = self.clinics.get(clinic)?;
        let person = clinic.known(clinic.told, person)?;
        if channel == "email" { person.email.clone() } else { person.phone.clone() }
    }

    /// What is wrong with writing to a person now, by what is surely true.
    fn fault_of(&self, clinic: usize, person: usize, channel: &str, contact: &str, at: i64) -> Option<String> {
        if self.out.contains(&(clinic, contact.to_owned(), channel.to_owned())) {
            return Some("committed after an opt-out".to_owned());
        }
        if self.paused.contains(&(clinic, person)) {
            return Some("committed while staff had the conversation".to_owned());
        }
        let bound = HALT_WITHIN_MS + 2 * self.skew + 50;
        if self.halted_since.get(&clinic).is_some_and(|since| at > since + bound) {
            return Some("committed more than 15 s after the clinic was halted".to_owned());
        }
        let of = self.clinics.get(clinic)?;
        let landed = of.landed.unwrap_or(0);
        // An import goes from person to person: between the last version that surely landed and the
        // last that may have, each person may stand at any of them.
        let address = |who: &Person| if channel == "email" { who.email.clone() } else { who.phone.clone() };
        let is_out = |n: usize| {
            (landed..=of.told).all(|version| {
                let mine = (landed..=of.told).filter_map(|v| of.known(v, person)).map(address);
                of.known(version, n).is_some_and(|who| who.is_out && mine.clone().all(|mine| mine == address(who)))
            })
        };
        let people = of.facts.first().map_or(0, Vec::len);
        if (0..people).any(|n| n != person && is_out(n)) {
            return Some("committed to a contact whose sharer opted out".to_owned());
        }
        let mut faults = (landed..=of.told).map(|version| self.fault_in(of, version, person, channel, at));
        faults.find(Option::is_none).unwrap_or_else(|| self.fault_in(of, landed, person, channel, at))
    }

    fn fault_in(&self, clinic: &Clinic, version: usize, person: usize, channel: &str, at: i64) -> Option<String> {
        let Some(who) = clinic.known(version, person) else { return Some("nobody knows this patient".to_owned()) };
        if who.is_out {
            return Some("committed to somebody who opted out".to_owned());
        }
        if !who.agreed.contains(channel) {
            return Some(format!("committed without consent to {channel}"));
        }
        if who.booked.is_some_and(|booked| booked > at + self.skew) {
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
        };
        self.in_hours(&accept);
        self.accepts.push(accept);
        self.within_limits();
    }

    fn at_the_right_address(&mut self, commit: &Commit, to: &str) {
        let Some(clinic) = self.clinics.get(commit.clinic) else { return };
        let versions = clinic.landed.unwrap_or(0)..=clinic.told;
        let bare = |address: &Option<String>| address.as_deref().unwrap_or("").trim_start_matches('+').to_owned();
        let is_theirs = versions.filter_map(|version| clinic.known(version, commit.person)).any(|who| {
            let address = if commit.channel == "email" { &who.email } else { &who.phone };
            bare(address) == to.trim_start_matches('+')
        });
        if !is_theirs {
            self.object("sent to an address that is not the person's");
        }
    }

    fn in_hours(&mut self, accept: &Accept) {
        let Some(clinic) = self.clinics.get(accept.clinic) else { return };
        let person = accept.person.and_then(|n| clinic.known(clinic.told, n));
        let zone = person.and_then(|who| who.zone).unwrap_or(clinic.zone);
        let slack = TimeDelta::milliseconds(CALL_WITHIN_MS + self.skew + 50);
        if !clinic.is_open(accept.at, zone, slack) {
            self.object("accepted outside contact hours");
        }
    }
}

impl Judge {
    /// An item was written: states move forward only.
    pub fn moved(&mut self, now: i64, label: &str, write: &Write, before: Option<&Item>, after: Option<&Item>) {
        let clinic = self.clinic_of(write.pk.split('#').nth(1).unwrap_or("")).unwrap_or(usize::MAX);
        match write.kind {
            "settings" => {
                let halted =
                    after.and_then(|item| text(item, "toml")).is_some_and(|toml| toml.contains("halted = true"));
                if !halted {
                    self.halted_since.remove(&clinic);
                } else {
                    self.halted_since.entry(clinic).or_insert(now);
                }
            }
            "patient" => {
                let person = write.pk.rsplit('#').next().and_then(|id| id.parse().ok()).unwrap_or(usize::MAX);
                let paused = after.and_then(|item| item.get("paused")?.get("BOOL")?.as_bool()).unwrap_or(false);
                if paused {
                    self.paused.insert((clinic, person));
                } else {
                    self.paused.remove(&(clinic, person));
                }
            }
            "message" => self.message_moved(label, before, after),
            "enrollment" => {
                let state = |item: Option<&Item>| item.and_then(|item| text(item, "st")).unwrap_or("absent").to_owned();
                let end =
                    |item: Option<&Item>| item.and_then(|i| Some((text(i, "reason")?.to_owned(), number(i, "at")?)));
                if state(before) == "ended" && (state(after) != "ended" || end(before) != end(after)) {
                    self.object("an ended enrollment changed");
                }
                if state(before) != "ended" && state(after) == "ended" {
                    let reason = after.and_then(|item| text(item, "reason")).unwrap_or("").to_owned();
                    self.reach(&format!("ended {reason}"));
                }
            }
            "contact" => {
                let out = |item: Option<&Item>| -> Vec<String> {
                    let names = item.into_iter().flat_map(Map::keys);
                    names.filter(|name| name.starts_with("om_")).cloned().collect()
                };
                let stands = out(after);
                if out(before).iter().any(|name| !stands.contains(name)) {
                    self.object("an opt-out that we recorded was lifted");
                }
                let contact = write.pk.rsplit('#').next().unwrap_or("").to_owned();
                let channels = stands.iter().filter_map(|name| name.strip_prefix("om_"));
                self.out.extend(channels.map(|channel| (clinic, contact.clone(), channel.to_owned())));
            }
            _ => {}
        }
    }

    fn message_moved(&mut self, label: &str, before: Option<&Item>, after: Option<&Item>) {
        let state = |item: Option<&Item>| item.and_then(|item| text(item, "st")).unwrap_or("absent").to_owned();
        let (from, to) = (state(before), state(after));
        self.reach(&format!("message {from} to {to}"));
        let may = match from.as_str() {
            "absent" => matches!(to.as_str(), "in_flight" | "dropped"),
            "ready" => matches!(to.as_str(), "in_flight" | "dropped"),
            "in_flight" => matches!(to.as_str(), "accepted" | "failed" | "unknown" | "ready"),
            "unknown" => matches!(to.as_str(), "accepted" | "failed" | "undetermined" | "unknown" | "ready"),
            _ => to == from,
        };
        if !may {
            self.object(&format!("{label}: a message went from {from} to {to}"));
        }
    }
}

type Item = Map<String, Value>;
