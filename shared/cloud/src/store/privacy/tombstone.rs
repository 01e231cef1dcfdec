//! What stays of somebody who was erased: how many of what, so that figures can be recounted. It names
//! nobody, and nothing leads from the person to it.

use std::collections::BTreeMap;

use retorno_domain::enrollment::State;

use super::held::{Held, text};
use crate::store::Collection;

/// Counts by what was counted: parts joined by `/`.
pub(super) type Counts = BTreeMap<String, u64>;

/// The counts of a person: sequences by segment, week and end; messages by segment, week, step, channel and
/// fate; what was answered by how it was understood; bookings and visits by where they came from.
pub(super) fn counts(collection: &Collection, held: &Held) -> Counts {
    let mut counts = Counts::new();
    let mut add = |parts: &[&str], count: u64| {
        *counts.entry(parts.join("/")).or_default() += count;
    };
    for stored in &collection.enrollments {
        let of = &stored.enrollment;
        let end = match &of.state {
            State::Ended { reason, .. } => reason.code(),
            State::Running { .. } | State::Closing { .. } | State::Conversing { .. } => "erased",
        };
        add(&["sequence", of.segment.as_str(), &of.week.to_string(), end], 1);
    }
    for message in &collection.messages {
        let enrollment = collection.enrollments.iter().find(|stored| stored.enrollment.id == message.enrollment);
        let week = enrollment.map_or_else(String::new, |stored| stored.enrollment.week.to_string());
        let (channel, step, segment) = &message.labels;
        let of = [segment.as_str(), week.as_str(), step, channel];
        let mut say = |what: &str| add(&[&["message"], of.as_slice(), &[what]].concat(), 1);
        say(message.delivery.code());
        let receipts = &message.receipts;
        let told = [("delivered", receipts.delivered), ("read", receipts.read), ("clicked", receipts.clicked)];
        told.into_iter().filter(|(_, at)| at.is_some()).for_each(|(what, _)| say(what));
    }
    for answer in &collection.answers {
        add(&["answer", answer.answer.channel.code(), answer.delivery.code()], 1);
    }
    for item in &held.own {
        match text(item, "sk") {
            Some(sk) if sk.starts_with("I#") => add(&["said", text(item, "intent").unwrap_or("")], 1),
            Some(sk) if sk.starts_with("SURVEY#") => {
                add(&["survey", item.get("score").and_then(|n| n.as_n().ok()).map_or("", String::as_str)], 1);
            }
            Some(_) | None => {}
        }
    }
    for item in &held.bookings {
        add(&["booking", text(item, "lead").unwrap_or("none"), text(item, "st").unwrap_or("")], 1);
    }
    for visit in &collection.patient.patient.appointments {
        let lead = visit.lead_source.as_deref().filter(|lead| lead.starts_with(retorno_domain::appointment::OUR_LEAD));
        if let Some(lead) = lead {
            add(&["visit", lead, visit.status.code()], 1);
            add(&["paid_cents", lead], visit.amount_cents.and_then(|cents| u64::try_from(cents).ok()).unwrap_or(0));
        }
    }
    counts
}
