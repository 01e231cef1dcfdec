//! What the commands about conversations print for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::local;
use super::print::{json, list, out, text};

/// A conversation, or what was added to it.
pub(super) fn thread(lines: &Value, as_json: bool) {
    if as_json {
        return json(lines);
    }
    let mut said = String::new();
    for line in lines.as_array().map_or(&[][..], Vec::as_slice) {
        let meaning = ["intent", "step", "state", "reason"].map(|name| text(line, name));
        let meaning: Vec<&str> = meaning.into_iter().filter(|word| !word.is_empty() && *word != "accepted").collect();
        let head = [text(line, "by"), text(line, "channel")].into_iter().chain(meaning);
        let head = head.collect::<Vec<_>>().join(" · ");
        let _ = writeln!(said, "{}  {head}", local(text(line, "at")));
        for part in text(line, "text").lines() {
            let _ = writeln!(said, "    {part}");
        }
        let buttons: Vec<String> = list(line, "buttons").iter().map(|b| format!("[{}]", text(b, "title"))).collect();
        if !buttons.is_empty() {
            let _ = writeln!(said, "    {}", buttons.join(" "));
        }
    }
    out(if said.is_empty() { "nothing was said yet\n" } else { &said });
}

/// Conversations that wait for a person.
pub(super) fn inbox(inbox: &Value, as_json: bool) {
    if as_json {
        return json(inbox);
    }
    let mut said = String::new();
    for waiting in list(inbox, "waiting") {
        let answered = if waiting.get("answered").and_then(Value::as_bool) == Some(true) { ", answered" } else { "" };
        let (urgency, reason) = (text(waiting, "urgency"), text(waiting, "reason"));
        let (patient, name) = (text(waiting, "patient_id"), text(waiting, "name"));
        let since = local(text(waiting, "since"));
        let _ = writeln!(said, "{urgency:<7} {reason:<20} since {since}{answered}  {patient} {name}");
        for part in text(waiting, "last_words").lines() {
            let _ = writeln!(said, "    {part}");
        }
    }
    for stranger in list(inbox, "strangers") {
        let phone = stranger.get("phone").and_then(Value::as_str).unwrap_or("a hidden number");
        let marks = [text(stranger, "urgency"), text(stranger, "reason")].join(" ");
        let _ = writeln!(said, "not on record: {phone} at {} {}", local(text(stranger, "last_at")), marks.trim());
        for word in list(stranger, "words") {
            let _ = writeln!(said, "    {}", text(word, "text"));
        }
    }
    out(if said.is_empty() { "nobody waits for a person\n" } else { &said });
}

/// What was booked through us.
pub(super) fn agenda(agenda: &Value, as_json: bool) {
    if as_json {
        return json(agenda);
    }
    let mut said = String::new();
    let _ = writeln!(said, "{} to {}", text(agenda, "from"), text(agenda, "until"));
    for booking in list(agenda, "bookings") {
        let who = [text(booking, "patient_id"), text(booking, "patient"), text(booking, "professional")];
        let who: Vec<&str> = who.into_iter().filter(|word| !word.is_empty()).collect();
        let (status, lead) = (text(booking, "status"), text(booking, "lead_source"));
        let _ = writeln!(said, "{}  {status:<10} {} · {lead}", local(text(booking, "start")), who.join(" · "));
    }
    if let Some(free) = agenda.get("free_slots").and_then(Value::as_object) {
        let slots: u64 = free.values().filter_map(Value::as_u64).sum();
        let _ = writeln!(said, "{slots} slots free on {} days", free.len());
    }
    for waiter in list(agenda, "waitlist") {
        let _ = writeln!(
            said,
            "waits since {}: {} {}",
            local(text(waiter, "since")),
            text(waiter, "patient_id"),
            text(waiter, "patient")
        );
    }
    if list(agenda, "bookings").is_empty() {
        said.push_str("nothing was booked through us in these days\n");
    }
    out(&said);
}
