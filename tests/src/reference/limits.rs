//! What a contact point, a person and the clinic's number can bear.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, FixedOffset, TimeDelta};

use super::judge::Case;
use super::message::{Channel, Message};
use super::verdict::{Rule, Violation};

/// Days over which WhatsApp are counted, and between the last contact and a new sequence.
pub(super) const PAUSE_DAYS: i64 = 30;
/// WhatsApp allowed in that time.
pub(super) const WHATSAPP_MAX: usize = 2;
/// Days of rest from the second WhatsApp on.
pub(super) const REST_DAYS: i64 = 60;
/// Distinct WhatsApp recipients of a new number in any 24 hours (Meta's first messaging tier).
pub(super) const TIER: usize = 250;

/// Every WhatsApp against the caps, the rest and the tier.
pub(super) fn check(case: &Case<'_>) -> Vec<Violation> {
    let sent: Vec<&Message> = case.messages.iter().filter(|m| m.channel == Channel::Whatsapp).collect();
    let mut found = Vec::new();
    caps(&sent, &mut found);
    tier(&sent, &mut found);
    found
}

/// The cap of the person is named where both are broken: the person is the narrower.
fn caps(sent: &[&Message], found: &mut Vec<Violation>) {
    let mut by_person: BTreeMap<&str, Vec<DateTime<FixedOffset>>> = BTreeMap::new();
    let mut by_contact: BTreeMap<&str, Vec<DateTime<FixedOffset>>> = BTreeMap::new();
    for message in sent {
        let person = by_person.entry(&message.patient_id).or_default();
        let contact = by_contact.entry(&message.contact).or_default();
        let figures = format!("patient {}", message.patient_id);
        if within_pause(person, message.at) >= WHATSAPP_MAX {
            found.push(Violation::new(Rule::PersonCap, message.line, figures));
        } else if within_pause(contact, message.at) >= WHATSAPP_MAX {
            found.push(Violation::new(Rule::ContactCap, message.line, figures));
        } else if at_rest(person, message.at) || at_rest(contact, message.at) {
            found.push(Violation::new(Rule::Rest, message.line, figures));
        }
        person.push(message.at);
        contact.push(message.at);
    }
}

/// How many left in the 30 days before an instant.
pub(super) fn within_pause(sent: &[DateTime<FixedOffset>], now: DateTime<FixedOffset>) -> usize {
    sent.iter().filter(|at| now - **at < TimeDelta::days(PAUSE_DAYS)).count()
}

/// Whether a second within 30 days of a first left less than 60 days ago.
pub(super) fn at_rest(sent: &[DateTime<FixedOffset>], now: DateTime<FixedOffset>) -> bool {
    sent.iter().zip(sent.iter().skip(1)).any(|(first, second)| {
        *second - *first < TimeDelta::days(PAUSE_DAYS) && now - *second < TimeDelta::days(REST_DAYS)
    })
}

fn tier(sent: &[&Message], found: &mut Vec<Violation>) {
    for (index, message) in sent.iter().enumerate() {
        let before = sent.iter().take(index + 1).rev();
        let window = before.take_while(|m| message.at - m.at < TimeDelta::hours(24));
        let recipients: HashSet<&str> = window.map(|m| m.contact.as_str()).collect();
        if recipients.len() > TIER {
            let figures = format!("{} recipients in 24 hours, {TIER} allowed", recipients.len());
            found.push(Violation::new(Rule::NumberTier, message.line, figures));
        }
    }
}
