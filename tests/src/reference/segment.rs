//! The six segments, each as its own sentence, and the order in which they claim a patient.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::export::{Appointment, Export, Patient, Status};

/// The segments in the order in which they claim a patient.
pub const PRECEDENCE: [&str; 6] =
    ["posproc", "plan-pendiente", "alto-valor", "preventivo-6-12m", "inactivo-12-18m", "churn-18m"];

/// Words that make a service a procedure, unaccented and in lower case.
const PROCEDURES: [&str; 12] = [
    "implante",
    "peeling",
    "cirugia",
    "cirurgia",
    "extraccion",
    "extracao",
    "endodoncia",
    "endodontia",
    "injerto",
    "enxerto",
    "laser",
    "toxina",
];

/// A mean amount, kept as sum and count so that comparing two is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    cents: i64,
    visits: i64,
}

impl Mean {
    fn cross(self, other: Self) -> (i128, i128) {
        let times = |a: i64, b: i64| i128::from(a) * i128::from(b);
        (times(self.cents, other.visits), times(other.cents, self.visits))
    }

    fn at_least(self, other: Self) -> bool {
        let (mine, theirs) = self.cross(other);
        mine >= theirs
    }
}

/// Completed appointments not after `now`.
fn visits(patient: &Patient, now: DateTime<Utc>) -> Vec<&Appointment> {
    let happened = |a: &&Appointment| a.status == Status::Completed && a.start <= now;
    patient.appointments.iter().filter(happened).collect()
}

/// The mean over visits with an amount, of a patient with at least three visits.
fn mean_of_a_regular(patient: &Patient, now: DateTime<Utc>) -> Option<Mean> {
    let visits = visits(patient, now);
    let amounts: Vec<i64> = visits.iter().filter_map(|v| v.amount_cents).collect();
    if visits.len() < 3 || amounts.is_empty() {
        return None;
    }
    Some(Mean { cents: amounts.iter().sum(), visits: i64::try_from(amounts.len()).ok()? })
}

/// The clinic's 80th percentile of mean amounts by nearest rank, over patients with at least three
/// visits (and an amount). Nothing when there are none.
#[must_use]
pub fn threshold(export: &Export, now: DateTime<Utc>) -> Option<Mean> {
    let mut means: Vec<Mean> = export.patients.values().filter_map(|p| mean_of_a_regular(p, now)).collect();
    means.sort_by(|a, b| {
        let (a, b) = a.cross(*b);
        a.cmp(&b)
    });
    let rank = (means.len() * 80).div_ceil(100);
    means.get(rank.checked_sub(1)?).copied()
}

/// The first segment, in the order of precedence, that a patient belongs to at an instant. Days are
/// calendar dates in the clinic's zone.
#[must_use]
pub fn first_segment(patient: &Patient, now: DateTime<Utc>, zone: Tz, threshold: Option<Mean>) -> Option<&'static str> {
    PRECEDENCE.into_iter().find(|s| belongs(s, patient, now, zone, threshold))
}

fn belongs(segment: &str, patient: &Patient, now: DateTime<Utc>, zone: Tz, threshold: Option<Mean>) -> bool {
    let today = now.with_timezone(&zone).date_naive();
    let visits = visits(patient, now);
    let ago = |v: &Appointment| days_between(v.start.with_timezone(&zone).date_naive(), today);
    let Some(last) = visits.iter().map(|v| ago(v)).min() else {
        return false;
    };
    match segment {
        "posproc" => visits.iter().any(|v| is_procedure(&v.service) && matches!(ago(v), 30..=37 | 60..=67 | 90..=97)),
        "plan-pendiente" => pending_plans(&visits).iter().any(|v| ago(v) > 30),
        "alto-valor" => {
            let mean = mean_of_a_regular(patient, now);
            last >= 120 && mean.zip(threshold).is_some_and(|(m, t)| m.at_least(t))
        }
        "preventivo-6-12m" => (180..=364).contains(&last),
        "inactivo-12-18m" => (365..=539).contains(&last),
        "churn-18m" => last >= 540,
        _ => false,
    }
}

/// Per service with a plan, the latest completed session, where it is not the plan's last.
fn pending_plans<'a>(visits: &[&'a Appointment]) -> Vec<&'a Appointment> {
    let mut latest: BTreeMap<&str, &Appointment> = BTreeMap::new();
    for visit in visits.iter().filter(|v| v.session.is_some()) {
        let known = latest.entry(&visit.service).or_insert(visit);
        if (visit.start, visit.session) > (known.start, known.session) {
            *known = visit;
        }
    }
    latest.into_values().filter(|v| v.session.is_some_and(|(k, n)| k < n)).collect()
}

/// Whole calendar days from one day to another.
fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days()
}

fn is_procedure(service: &str) -> bool {
    let plain: String = service.to_lowercase().chars().map(unaccented).collect();
    let words: BTreeSet<&str> = plain.split(|c: char| !c.is_alphanumeric()).collect();
    PROCEDURES.iter().any(|p| words.contains(p))
}

fn unaccented(c: char) -> char {
    match c {
        'á' | 'ã' | 'â' | 'à' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'õ' | 'ô' => 'o',
        'ú' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "fixed dates")]
    use super::super::tests::scene::{Row, export};
    use super::*;
    use chrono::Days;

    const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;

    fn days_ago(n: u64) -> String {
        let today: NaiveDate = "2026-03-01".parse().unwrap();
        (today - Days::new(n)).to_string()
    }

    fn segment_of(rows: &[Row]) -> Option<&'static str> {
        let export = export(rows);
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        first_segment(export.patients.get("ana")?, now, ZONE, threshold(&export, now))
    }

    #[test]
    fn days_since_the_last_visit() {
        for (ago, segment) in [
            (179, None),
            (180, Some("preventivo-6-12m")),
            (364, Some("preventivo-6-12m")),
            (365, Some("inactivo-12-18m")),
            (539, Some("inactivo-12-18m")),
            (540, Some("churn-18m")),
        ] {
            assert_eq!(segment_of(&[Row::visit("ana", &days_ago(ago))]), segment, "{ago}");
            let never = Row { status: "no-show", ..Row::visit("ana", &days_ago(ago)) };
            assert_eq!(segment_of(&[never]), None, "no visit, no segment");
        }
    }

    #[test]
    fn windows_after_a_procedure() {
        for (ago, within) in [
            (29, false),
            (30, true),
            (37, true),
            (38, false),
            (60, true),
            (67, true),
            (68, false),
            (97, true),
            (98, false),
        ] {
            let visit = Row { service: "Extracción simple", ..Row::visit("ana", &days_ago(ago)) };
            assert_eq!(segment_of(&[visit, Row::visit("ana", &days_ago(5))]), within.then_some("posproc"), "{ago}");
        }
    }

    #[test]
    fn a_plan_is_pending_until_its_last_session() {
        let session = |k, ago| Row { service: "peeling", session: k, ..Row::visit("ana", &days_ago(ago)) };
        let pending = Some("plan-pendiente");
        assert_eq!(segment_of(&[session("2,4", 40)]), pending);
        assert_eq!(segment_of(&[session("2,4", 30), Row::visit("ana", &days_ago(3))]), Some("posproc"));
        assert_eq!(segment_of(&[session("2,4", 29)]), None, "not yet 30 days");
        assert_eq!(segment_of(&[session("3,4", 50), session("4,4", 40)]), None, "finished");
        assert_eq!(segment_of(&[session("4,4", 50), session("1,4", 40)]), pending, "begun again");
        let other = Row { service: "ortodoncia", ..session("4,4", 39) };
        assert_eq!(segment_of(&[session("1,4", 40), other]), pending, "another plan's end ends nothing");
    }

    /// Ana and four others with three visits each; the 80th percentile of five is the fourth.
    #[test]
    fn high_value_is_the_fourth_of_five_by_mean() {
        let regular = |who: &str, amount: &str, last: u64| {
            [last, last + 10, last + 20].map(|ago| Row { amount: amount.to_owned(), ..Row::visit(who, &days_ago(ago)) })
        };
        let with = |amount: &str, last| {
            let others = [("b", "10.00"), ("c", "20.00"), ("d", "40.00"), ("e", "50.00")];
            let mut rows: Vec<Row> = others.iter().flat_map(|(who, amount)| regular(who, amount, 10)).collect();
            rows.extend(regular("ana", amount, last));
            segment_of(&rows)
        };
        assert_eq!(with("45.00", 120), Some("alto-valor"));
        assert_eq!(with("40.00", 120), Some("alto-valor"), "at the threshold");
        assert_eq!(with("39.99", 120), None);
        assert_eq!(with("45.00", 119), None, "seen lately");
        let twice = &regular("ana", "90.00", 200).into_iter().take(2).collect::<Vec<_>>();
        assert_eq!(segment_of(twice), Some("preventivo-6-12m"), "two visits are not three");
    }
}
