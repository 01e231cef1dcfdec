//! What may become of an item: states move forward only, an opt-out stays, a slot is one person's.

use serde_json::Map;

use crate::judge::Judge;
use crate::writes::{Item, Write, number, text};

impl Judge {
    /// An item was written in a request of that label.
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
            "answer" => self.answer_moved(label, before, after),
            "slot" => self.slot_moved(clinic, before, after),
            "booking" => self.booking_moved(clinic, after),
            "contact" => self.contact_moved(clinic, write, before, after),
            _ => {}
        }
    }

    /// An opt-out that we recorded stays until the person takes it back, whose contact it is.
    fn contact_moved(&mut self, clinic: usize, write: &Write, before: Option<&Item>, after: Option<&Item>) {
        let out = |item: Option<&Item>| -> Vec<String> {
            let names = item.into_iter().flat_map(Map::keys);
            names.filter(|name| name.starts_with("om_") || name.starts_with("oc_")).cloned().collect()
        };
        let contact = write.pk.rsplit('#').next().unwrap_or("").to_owned();
        let stands = out(after);
        let lifted: Vec<String> = out(before).into_iter().filter(|name| !stands.contains(name)).collect();
        if !lifted.is_empty() && !self.may_lift(clinic, &contact) {
            self.object("an opt-out that we recorded was lifted");
        }
        for name in lifted {
            self.reach("opt-out taken back");
            self.out.remove(&(clinic, contact.clone(), name));
        }
        self.out.extend(stands.into_iter().map(|name| (clinic, contact.clone(), name)));
    }

    fn answer_moved(&mut self, label: &str, before: Option<&Item>, after: Option<&Item>) {
        let state = |item: Option<&Item>| item.and_then(|item| text(item, "st")).unwrap_or("absent").to_owned();
        let (from, to) = (state(before), state(after));
        self.reach(&format!("answer {from} to {to}"));
        let may = match from.as_str() {
            "absent" => to == "ready",
            "ready" => matches!(to.as_str(), "in_flight" | "dropped"),
            "in_flight" => matches!(to.as_str(), "accepted" | "failed" | "unknown" | "ready" | "in_flight"),
            "unknown" => matches!(to.as_str(), "accepted" | "failed" | "ready" | "unknown"),
            _ => to == from,
        };
        if !may {
            self.object(&format!("{label}: an answer went from {from} to {to}"));
        }
    }

    /// A slot that is booked is nobody else's until it is given back.
    fn slot_moved(&mut self, clinic: usize, before: Option<&Item>, after: Option<&Item>) {
        let booked = |item: Option<&Item>| item.and_then(|item| text(item, "bk")).map(str::to_owned);
        match (booked(before), booked(after)) {
            (None, Some(_)) => after.into_iter().for_each(|slot| self.takes_a_slot(clinic, slot)),
            (Some(_), None) if after.is_none() => self.object("a booked slot was taken away"),
            (Some(_), None) => self.reach("slot given back"),
            (Some(was), Some(is)) if was != is => self.object("a booked slot changed hands"),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn booking_moved(&mut self, clinic: usize, after: Option<&Item>) {
        let Some(item) = after else { return self.object("a booking was deleted") };
        let person = text(item, "patient").and_then(|id| id.parse().ok()).unwrap_or(usize::MAX);
        let stands = matches!(text(item, "st"), Some("booked" | "confirmed"));
        let start = number(item, "start").unwrap_or(0);
        if let (Some(of), Some(id)) = (self.clinics.get_mut(clinic), text(item, "id")) {
            of.agenda.stands(id, stands.then_some((person, start)));
            if !stands {
                of.agenda.call_off(person, start);
            }
        }
    }

    fn message_moved(&mut self, label: &str, before: Option<&Item>, after: Option<&Item>) {
        let state = |item: Option<&Item>| item.and_then(|item| text(item, "st")).unwrap_or("absent").to_owned();
        let (from, to) = (state(before), state(after));
        self.reach(&format!("message {from} to {to}"));
        let may = match from.as_str() {
            "absent" => matches!(to.as_str(), "in_flight" | "dropped"),
            "ready" => matches!(to.as_str(), "in_flight" | "dropped"),
            "in_flight" => matches!(to.as_str(), "accepted" | "failed" | "unknown" | "ready" | "in_flight"),
            "unknown" => matches!(to.as_str(), "accepted" | "failed" | "undetermined" | "unknown" | "ready"),
            _ => to == from,
        };
        if !may {
            self.object(&format!("{label}: a message went from {from} to {to}"));
        }
    }
}
