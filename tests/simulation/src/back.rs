//! Who agreed to messages again, by a word or on the page of preferences: what that takes back, for how
//! long, and which channels it adds or leaves.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::clinic::{Clinic, Person};
use crate::conversation::Whom;
use crate::environment::contact_hash;
use crate::judge::Judge;
use crate::talk::Meant;

/// A word by which somebody came back.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// When it was handed over: from then on it may count.
    begun: i64,
    /// When it was taken in.
    done: Option<i64>,
    /// The channels that it may have agreed to, at most.
    pub agreed: BTreeSet<&'static str>,
}

/// Channels that somebody picked on the page.
#[derive(Debug, Clone)]
pub struct Choice {
    begun: i64,
    picked: BTreeSet<&'static str>,
    is_saved: bool,
}

impl Judge {
    /// The channels that somebody may have agreed to so far.
    pub(crate) fn agreed_to(&self, clinic: usize, person: usize) -> BTreeSet<&'static str> {
        let Some(of) = self.clinics.get(clinic) else { return BTreeSet::new() };
        let versions = of.landed.unwrap_or(0)..=of.told;
        versions.filter_map(|version| of.known(version, person)).flat_map(|who| who.agreed.clone()).collect()
    }

    /// A word that takes an opt-out back is handed over.
    pub(crate) fn comes_back(&mut self, now: i64, clinic: usize, person: usize, agreed: BTreeSet<&'static str>) {
        let back = self.talk.back.entry((clinic, person)).or_default();
        back.agreed.extend(agreed);
        (back.begun, back.done) = (now, None);
    }

    /// It was taken in.
    pub(crate) fn is_back(&mut self, now: i64, clinic: usize, person: usize) {
        if let Some(back) = self.talk.back.get_mut(&(clinic, person)) {
            back.done = Some(now);
        }
    }

    /// A stop was taken in that was handed over at `begun`: what came before it counts no more.
    pub(crate) fn left_again(&mut self, clinic: usize, person: usize, begun: i64) {
        if self.talk.back.get(&(clinic, person)).is_some_and(|back| back.begun < begun) {
            self.talk.back.remove(&(clinic, person));
        }
    }

    /// Somebody sends the page of preferences with these channels ticked.
    pub(crate) fn chooses(&mut self, now: i64, clinic: usize, person: usize, picked: &BTreeSet<&'static str>) {
        self.comes_back(now, clinic, person, picked.clone());
        let choice = Choice { begun: now, picked: picked.clone(), is_saved: false };
        self.talk.chose.insert((clinic, person), choice);
    }

    /// Somebody agrees to marketing anew, other than by a word of theirs: what they and their phone were
    /// spared may come again.
    pub(crate) fn may_be_written_again(&mut self, now: i64, clinic: usize, person: usize) {
        let Some(of) = self.clinics.get(clinic) else { return };
        let records = of.facts.iter().filter_map(|people| people.get(person));
        let phones = records.flat_map(|who| who.phones().cloned()).map(|phone| Whom::Phone(clinic, phone));
        let whom: Vec<Whom> = phones.chain([Whom::Person(clinic, person)]).collect();
        for whom in whom {
            self.talk.stops.remove(&whom);
            self.talk.lifted.insert(whom, now);
        }
    }

    /// The page says that it is saved so.
    pub(crate) fn has_chosen(&mut self, now: i64, clinic: usize, person: usize) {
        self.is_back(now, clinic, person);
        let Some(choice) = self.talk.chose.get_mut(&(clinic, person)) else { return };
        choice.is_saved = true;
        // What stands now is what was picked, unless another word came in meanwhile.
        if let Some(back) = self.talk.back.get_mut(&(clinic, person)).filter(|back| back.begun == choice.begun) {
            back.agreed = choice.picked.clone();
        }
    }

    /// Whether somebody's own word is surely newer than what a version of the clinic's facts says of
    /// them, or may be. Of one day's words the opt-out counts, and the narrower agreement.
    pub(crate) fn back_since(&self, clinic: usize, person: usize, who: &Person, at: i64) -> Option<&Back> {
        let of = self.clinics.get(clinic)?;
        let back = self.talk.back.get(&(clinic, person))?;
        let day = of.date(back.done.unwrap_or(at) + self.skew);
        let outgrown = who.has_outgrown(day, of.date(at - self.skew));
        (Clinic::said_before(who, day) && !outgrown).then_some(back)
    }

    /// Whether somebody asked for notifications, and no later word of the clinic's says otherwise: of one
    /// day's agreements the one to notifications counts, which the browser itself has made.
    pub(crate) fn is_notified(&self, clinic: usize, person: usize, who: &Person, at: i64) -> bool {
        let (Some(of), Some(back)) = (self.clinics.get(clinic), self.talk.back.get(&(clinic, person))) else {
            return false;
        };
        let day = of.date(back.done.unwrap_or(at) + self.skew);
        let outgrown = who.has_outgrown(day, of.date(at - self.skew));
        back.agreed.contains("push") && !outgrown && Clinic::said_before(who, day.succ_opt().unwrap_or(day))
    }

    /// Whether somebody may have taken back what the clinic's exports say of them.
    pub(crate) fn has_taken_back(&self, clinic: usize, person: usize, at: i64) -> bool {
        let Some(of) = self.clinics.get(clinic) else { return false };
        let mut versions = (of.landed.unwrap_or(0)..=of.told).filter_map(|version| of.known(version, person));
        versions.any(|who| self.back_since(clinic, person, who, at).is_some())
    }

    /// Whether somebody left this channel on the page, and has said nothing since.
    pub(crate) fn left_channel(&self, clinic: usize, person: usize, channel: &str, at: i64) -> bool {
        let (Some(of), Some(choice)) = (self.clinics.get(clinic), self.talk.chose.get(&(clinic, person))) else {
            return false;
        };
        if !choice.is_saved || choice.picked.contains(channel) {
            return false;
        }
        let back = self.talk.back.get(&(clinic, person));
        if back.is_some_and(|back| back.begun > choice.begun || back.done.is_none() || back.agreed.contains(channel)) {
            return false;
        }
        let day: NaiveDate = of.date(choice.begun - self.skew);
        let tomorrow = day.succ_opt().unwrap_or(day);
        let mut versions = (of.landed.unwrap_or(0)..=of.told).filter_map(|version| of.known(version, person));
        at > choice.begun + self.skew && versions.all(|who| Clinic::said_before(who, tomorrow))
    }

    /// Whether whoever speaks may take back an opt-out of this contact: with a word that asks for it, and
    /// of their own addresses.
    pub(crate) fn may_lift(&self, clinic: usize, contact: &str) -> bool {
        let Some((of, spoken)) = self.speaking.as_ref().filter(|(of, _)| *of == clinic) else { return false };
        let (Some(known), people) = (self.clinics.get(*of), self.people_of(*of, spoken)) else { return false };
        people.into_iter().any(|person| {
            let asks = spoken.meant == Meant::In || self.talk.chose.contains_key(&(clinic, person));
            let records = known.facts.iter().filter_map(|people| people.get(person));
            let browsers = self.browsers.of(clinic, person);
            let mut addresses = records.flat_map(|who| who.phones().chain(who.emails())).chain(browsers);
            asks && addresses.any(|address| contact_hash(&known.id, address).as_deref() == Some(contact))
        })
    }
}
