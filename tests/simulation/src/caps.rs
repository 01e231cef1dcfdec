//! How often a person, an address and a number were used, counted from what was received.

use chrono::DateTime;

use crate::clinic::Limits;
use crate::judge::{Accept, Judge};

const DAY_MS: i64 = 86_400_000;

impl Judge {
    /// How often a person, an address and a number were used; looked at for the newest accept. Answers
    /// are not counted.
    pub(crate) fn within_limits(&mut self) {
        let Some(last) = self.accepts.last().cloned() else { return };
        let Some(clinic) = self.clinics.get(last.clinic) else { return };
        let limits = clinic.limits.clone();
        let zone = last.person.and_then(|n| clinic.known(clinic.told, n)?.zone).unwrap_or(clinic.zone);
        let day = |at: i64| DateTime::from_timestamp_millis(at).map(|at| at.with_timezone(&zone).date_naive());
        let here: Vec<&Accept> = self.accepts.iter().filter(|a| a.clinic == last.clinic && a.say.is_none()).collect();
        let today = here.iter().filter(|a| a.person == last.person && day(a.at) == day(last.at)).count();
        let by_number = |a: &&&Accept| a.channel == "whatsapp" && a.at > last.at - DAY_MS;
        let mut broken = Vec::new();
        if today > limits.per_day {
            broken.push("more messages to a person on one day than allowed");
        }
        if last.channel == "whatsapp" {
            if here.iter().filter(by_number).count() > limits.tier {
                broken.push("more messages by the number in 24 hours than its tier");
            }
            let whatsapp = here.iter().filter(|a| a.channel == "whatsapp");
            let of_person: Vec<i64> = whatsapp.clone().filter(|a| a.person == last.person).map(|a| a.at).collect();
            let of_phone: Vec<i64> = whatsapp.filter(|a| a.to == last.to).map(|a| a.at).collect();
            for (times, whom) in [(of_person, "a person"), (of_phone, "a phone")] {
                if over_cap(&times, &limits) {
                    broken.push(if whom == "a person" {
                        "cap of a person exceeded"
                    } else {
                        "cap of a phone exceeded"
                    });
                }
                if too_early(&times, &limits) {
                    broken.push(if whom == "a person" {
                        "a person's rest was broken"
                    } else {
                        "a phone's rest was broken"
                    });
                }
            }
        }
        for what in broken {
            self.object(what);
        }
    }
}

/// More than the cap within one window ending with the last.
fn over_cap(times: &[i64], limits: &Limits) -> bool {
    let Some(last) = times.last() else { return false };
    times.iter().filter(|at| **at > last - limits.window_days * DAY_MS).count() > limits.whatsapp_max
}

/// The last came within the rest that an earlier full window began.
fn too_early(times: &[i64], limits: &Limits) -> bool {
    let Some((last, before)) = times.split_last() else { return false };
    let full = before.windows(limits.whatsapp_max.max(1)).filter_map(|window| {
        let (first, end) = (window.first()?, window.last()?);
        (end - first < limits.window_days * DAY_MS).then_some(*end)
    });
    full.max().is_some_and(|end| *last < end + limits.rest_days * DAY_MS)
}
