//! What each part of a write must refuse, said a second time from what it is there for — not from
//! the text of its condition. A part that lets something through is found even when another part of
//! the same transaction refuses.

use crate::writes::{Item, Write, number, text};

/// Why this part must be refused, given the item as it stands; `None` when it may pass.
#[must_use]
pub fn must_refuse(label: &str, write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    match (label, write.kind, write.verb) {
        ("claim", "message", "Put") => stands.and_then(|item| claimed(item, number(&write.item, "att")?)),
        ("claim" | "advance" | "end", "message", "Update") => {
            stands.filter(|item| !matches!(text(item, "st"), Some("ready" | "dropped"))).map(|_| "a claimed message")
        }
        ("claim", "contact", _) => claim_contact(write, stands),
        (_, "enrollment", "Update") => enrollment(write, stands),
        ("claim", "patient", _) => {
            versions(write, ":ver", stands).or_else(|| differs(write, ":e", stands, "seq", "another sequence"))
        }
        ("end", "patient", _) => differs(write, ":e", stands, "seq", "another sequence"),
        ("take_back", "patient", _) => differs_number(write, ":mine", stands, "last_at", "a later message"),
        ("take_back", "message", _) => {
            let mine = stands.is_some_and(|i| {
                text(i, "st") == Some("in_flight") && number(i, "att") == number(&write.values, ":att")
            });
            (!mine).then_some("a message not in flight")
        }
        ("enroll", "patient", _) => versions(write, ":v", stands)
            .or_else(|| stands.filter(|item| item.contains_key("seq")).map(|_| "a patient in a sequence")),
        ("enroll", "contact", _) => busy(write, stands),
        ("take_back", "contact", _) => taken_back(write, stands),
        (_, "seat" | "enrollment" | "audit" | "alias" | "call", "Put") => stands.map(|_| "something that is there"),
        (_, "seat", "Delete") => differs(write, ":e", stands, "enr", "another's seat"),
        ("claim", "tier", _) => {
            let (used, cut) = (stands.and_then(|item| number(item, "used_at")), number(&write.values, ":cut"));
            (used? > cut?).then_some("a place in use")
        }
        ("turn", "event" | "heard" | "answer", "Put") => stands.map(|_| "something that is there"),
        ("turn" | "hold", "slot", _) => slot(write, stands),
        ("turn", "patient", _) => versions(write, ":ver", stands),
        ("turn", "conversation", "Put") if write.values.contains_key(":ver") => versions(write, ":ver", stands),
        ("turn", "conversation", "Put") => stands.map(|_| "a conversation that is there"),
        ("turn", "booking", "Put") if write.values.contains_key(":seq") => {
            differs_number(write, ":seq", stands, "seq", "a booking that changed")
        }
        ("turn", "booking", "Put") => stands.map(|_| "a booking that is there"),
        ("say", "answer", _) => {
            let ready = stands.is_some_and(|item| {
                text(item, "st") == Some("ready") && number(item, "att") == number(&write.values, ":before")
            });
            (!ready).then_some("a claimed answer")
        }
        (_, "slot", "Delete") => stands.filter(|item| item.contains_key("bk")).map(|_| "a booked slot"),
        // A timetable's slot is given back, or marked as somebody else's too, by the booking that was read.
        (_, "slot", "Update") if write.values.contains_key(":b") => {
            differs(write, ":b", stands, "bk", "another's booking")
        }
        (_, "slot", "Update") => stands.filter(|item| item.contains_key("bk")).map(|_| "a booked slot"),
        (_, "patient", "Put") if !write.values.contains_key(":v") => stands.map(|_| "a patient who is there"),
        (_, "patient", "Put" | "Update") if write.values.contains_key(":v") => versions(write, ":v", stands),
        (_, "message" | "answer", "Update") if label.ends_with("receipt") => {
            stands.is_none().then_some("a message that is not there")
        }
        (_, "message" | "answer", "Update") if label.ends_with("settled") => {
            let open = stands.is_some_and(|item| matches!(text(item, "st"), Some("in_flight" | "unknown")));
            (!open).then_some("a message whose fate is known")
        }
        (_, "answer", "Update") if label.ends_with("closed") => {
            (stands.and_then(|item| text(item, "st")) != text(&write.values, ":was")).then_some("another state")
        }
        (_, "message" | "answer", "Update") => message(label, write, stands),
        (_, "lease", "Put") => lease(write, stands),
        _ => None,
    }
}

fn claimed(item: &Item, attempt: i64) -> Option<&'static str> {
    let again = text(item, "st") == Some("ready") && number(item, "att") == Some(attempt - 1);
    (!again).then_some("a claimed message")
}

fn enrollment(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    versions(write, ":ver", stands).or_else(|| {
        let present = number(&write.values, ":epoch")?;
        (number(stands?, "epoch") != Some(present)).then_some("an older epoch")
    })
}

fn claim_contact(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let item = stands?;
    if item.contains_key("oo_imp") {
        return Some("an imported opt-out");
    }
    if item.contains_key("dead_call") {
        return Some("a phone that is not the patient's");
    }
    let asked = ["whatsapp", "email", "sms", "call", "push"];
    let out = asked.into_iter().find(|c| write.condition.contains(&format!("om_{c})")));
    if out.is_some_and(|channel| item.contains_key(&format!("om_{channel}"))) {
        return Some("an opt-out");
    }
    let place = stamp_of(&write.update)?;
    let now = number(&write.values, ":now")?;
    if number(item, "rest").is_some_and(|rest| rest > now) {
        return Some("a resting contact point");
    }
    (number(item, &place) != number(&write.values, ":prev")).then_some("a place that was taken")
}

/// The place of the ledger that an update stamps.
fn stamp_of(update: &str) -> Option<String> {
    let at = update.find(", wa").or_else(|| update.find(" wa"))?;
    let rest = update.get(at..)?.trim_start_matches([',', ' ']);
    Some(rest.split([' ', ',']).next()?.to_owned())
}

fn taken_back(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let mine = number(&write.values, ":mine")?;
    let place = stamp_of(&write.condition).or_else(|| write.condition.split(' ').next().map(str::to_owned))?;
    (stands.and_then(|item| number(item, &place)) != Some(mine)).then_some("a place stamped by another")
}

fn busy(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let item = stands?;
    let (until, now) = (number(item, "busy_u")?, number(&write.values, ":now")?);
    (until >= now && text(item, "busy_p") != text(&write.values, ":p")).then_some("a contact point in use")
}

/// A slot is taken when it is there, free, and held for nobody else; and given back by its booking only.
fn slot(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let Some(item) = stands else { return Some("a slot that is not there") };
    let Some(now) = number(&write.values, ":now") else {
        return differs(write, ":b", stands, "bk", "another's booking");
    };
    if item.contains_key("bk") {
        return Some("a booked slot");
    }
    let held = number(item, "held_u").is_some_and(|until| until > now);
    (held && text(item, "held_p") != text(&write.values, ":p")).then_some("a slot held for another")
}

fn message(label: &str, write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let st = stands.and_then(|item| text(item, "st"));
    if label.ends_with("age") {
        return (st != text(&write.values, ":was")).then_some("another state");
    }
    let same = stands.and_then(|item| number(item, "att")) == number(&write.values, ":att");
    (!(matches!(st, Some("in_flight" | "unknown")) && same)).then_some("another attempt")
}

fn lease(write: &Write, stands: Option<&Item>) -> Option<&'static str> {
    let item = stands?;
    let runs = number(item, "until_ms")? >= number(&write.values, ":now")?;
    (runs && text(item, "holder") != text(&write.item, "holder")).then_some("another's lease")
}

fn versions(write: &Write, name: &str, stands: Option<&Item>) -> Option<&'static str> {
    differs_number(write, name, stands, "ver", "another version")
}

fn differs_number(
    write: &Write,
    value: &str,
    stands: Option<&Item>,
    name: &str,
    why: &'static str,
) -> Option<&'static str> {
    (stands.and_then(|item| number(item, name)) != Some(number(&write.values, value)?)).then_some(why)
}

fn differs(write: &Write, value: &str, stands: Option<&Item>, name: &str, why: &'static str) -> Option<&'static str> {
    (stands.and_then(|item| text(item, name)) != Some(text(&write.values, value)?)).then_some(why)
}
