#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use export_importer::export::{
    ConsentCell, ConsentChannels, ExportReader, ExportRow, Limits, SlotRow, SlotsReader, StatusCell,
};

use super::{DemoClinic, demo_clinics};

/// Days over a year, one of them a leap day.
fn days() -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    first.iter_days().step_by(45).take(9).chain(NaiveDate::from_ymd_opt(2024, 2, 29)).collect()
}

fn rows(clinic: &DemoClinic) -> Vec<ExportRow> {
    let reader = ExportReader::open(clinic.export_csv.as_bytes(), Limits::default()).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

fn slots(clinic: &DemoClinic) -> Vec<SlotRow> {
    let reader = SlotsReader::open(clinic.slots_csv.as_bytes(), Limits::default()).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

fn by_patient(rows: &[ExportRow]) -> BTreeMap<&str, Vec<&ExportRow>> {
    let mut patients: BTreeMap<&str, Vec<&ExportRow>> = BTreeMap::new();
    for row in rows {
        patients.entry(row.patient_id.as_deref().unwrap()).or_default().push(row);
    }
    patients
}

#[test]
fn every_row_is_a_good_one_and_the_same_each_time() {
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let clinics = demo_clinics(today);
    assert_eq!(clinics, demo_clinics(today));
    assert_eq!(clinics.iter().map(|clinic| clinic.id).collect::<Vec<_>>(), ["aurora", "ipe"]);
    for clinic in &clinics {
        let rows = rows(clinic);
        let patients = by_patient(&rows);
        assert_eq!(patients.len(), 1000, "{}", clinic.id);
        assert!(patients.values().all(|rows| (3..=10).contains(&rows.len())));
        let ids: BTreeSet<_> = rows.iter().map(|row| &row.appointment_id).collect();
        assert_eq!(ids.len(), rows.len());
        assert!(rows.iter().all(|row| row.zone.name() == clinic.zone && !row.service.is_empty()));
    }
}

#[test]
fn addresses_lead_nowhere_and_phones_are_of_one_block() {
    for clinic in demo_clinics(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()) {
        for row in rows(&clinic) {
            let domain = row.email.rsplit('@').next().unwrap();
            assert!(matches!(domain, "" | "example.com" | "example.org"), "{domain}");
            let digits = row.phone.chars().filter(char::is_ascii_digit).count();
            assert!(digits < 9 || row.phone.contains("5555") || row.phone.contains("8555"));
        }
    }
}

#[test]
fn nothing_is_known_that_has_not_happened_yet() {
    for today in days() {
        for clinic in demo_clinics(today) {
            let midnight = today.and_time(NaiveTime::MIN);
            for row in rows(&clinic) {
                let open = matches!(row.status, StatusCell::Booked | StatusCell::Confirmed);
                assert!(row.updated.unwrap().local < midnight);
                assert!(open || row.start.local < midnight);
                assert_ne!(row.start.local.weekday(), Weekday::Sun);
            }
            let booked: BTreeSet<_> =
                rows(&clinic).into_iter().map(|row| (row.start.local, row.professional)).collect();
            let slots = slots(&clinic);
            assert!(slots.iter().all(|slot| slot.start.local.date() > today));
            assert!(slots.iter().all(|slot| !booked.contains(&(slot.start.local, slot.professional.clone()))));
            assert!(slots.len() >= 20, "{} has {}", clinic.id, slots.len());
        }
    }
}

/// Days since the last completed appointment, of those without one to come or just passed.
fn last_visit_days(rows: &[&ExportRow], today: NaiveDate) -> Option<i64> {
    let open = |row: &&&ExportRow| matches!(row.status, StatusCell::Booked | StatusCell::Confirmed);
    if rows.iter().any(|row| open(&row)) {
        return None;
    }
    let completed = rows.iter().filter(|row| row.status == StatusCell::Completed);
    completed.map(|row| (today - row.start.local.date()).num_days()).min()
}

#[test]
fn every_segment_has_members_on_every_day() {
    for today in days() {
        for clinic in demo_clinics(today) {
            let rows = rows(&clinic);
            let mut found: BTreeMap<&str, usize> = BTreeMap::new();
            for rows in by_patient(&rows).values() {
                let Some(last) = last_visit_days(rows, today) else {
                    continue;
                };
                let completed: Vec<_> = rows.iter().filter(|row| row.status == StatusCell::Completed).collect();
                let latest = completed.iter().max_by_key(|row| row.start.local).unwrap();
                let procedure = ["xtrac", "xtraç", "endodon", "toxina", "implante", "injerto", "enxerto"];
                let in_window = [30..=37, 60..=67, 90..=97].iter().any(|window| window.contains(&last));
                let amounts: Vec<i64> = completed.iter().filter_map(|row| row.amount_cents).collect();
                let dear = if clinic.id == "aurora" { 30_000_000 } else { 200_000 };
                let mean = amounts.iter().sum::<i64>() / i64::try_from(amounts.len()).unwrap().max(1);
                let segment = match last {
                    _ if in_window && procedure.iter().any(|word| latest.service.contains(word)) => "after procedure",
                    31.. if latest.session.is_some() && latest.session < latest.sessions_total => "plan pending",
                    120.. if completed.len() >= 3 && mean > dear => "high value",
                    180..=364 => "6 to 12 months",
                    365..=539 => "12 to 18 months",
                    540.. => "over 18 months",
                    _ => "none",
                };
                *found.entry(segment).or_default() += 1;
            }
            for (segment, least) in [
                ("after procedure", 40),
                ("plan pending", 60),
                ("high value", 50),
                ("6 to 12 months", 80),
                ("12 to 18 months", 70),
                ("over 18 months", 70),
                ("none", 50),
            ] {
                let count = found.get(segment).copied().unwrap_or(0);
                assert!(count >= least, "{} {today} {segment}: {count}", clinic.id);
            }
        }
    }
}

#[test]
fn what_must_be_left_alone_is_there() {
    for clinic in demo_clinics(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()) {
        let rows = rows(&clinic);
        let patients = by_patient(&rows);
        let count =
            |wanted: &dyn Fn(&ExportRow) -> bool| patients.values().filter(|rows| wanted(rows.last().unwrap())).count();
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let open = |row: &ExportRow| matches!(row.status, StatusCell::Booked | StatusCell::Confirmed);
        for (what, found, least) in [
            ("appointments to come", count(&|row| open(row) && row.start.local.date() > today), 60),
            ("without outcome", count(&|row| open(row) && row.start.local.date() < today), 5),
            ("opt-outs", count(&|row| matches!(row.consent, Some(ConsentCell::OptOut { .. }))), 40),
            ("unknown consents", count(&|row| row.consent.is_none()), 40),
            (
                "consents for some channels",
                count(&|row| {
                    matches!(row.consent, Some(ConsentCell::OptIn { channels: ConsentChannels::Only(_), .. }))
                }),
                100,
            ),
            ("no phones", count(&|row| row.phone.is_empty()), 15),
            ("no addresses", count(&|row| row.email.is_empty()), 150),
            ("insured", count(&|row| row.insurer.is_some()), 300),
            ("missed", rows.iter().filter(|row| row.status == StatusCell::NoShow).count(), 200),
            ("cancelled", rows.iter().filter(|row| row.status == StatusCell::Cancelled).count(), 200),
            ("families with an opt-out", families_with_opt_out(&patients), 1),
        ] {
            assert!(found >= least, "{} {what}: {found}", clinic.id);
        }
    }
}

/// Phones with more than one patient, one of whom wants no messages and another does.
fn families_with_opt_out(patients: &BTreeMap<&str, Vec<&ExportRow>>) -> usize {
    let mut by_phone: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for row in patients.values().filter_map(|rows| rows.last()).filter(|row| row.phone.len() > 9) {
        let (out, agreed) = by_phone.entry(&row.phone).or_default();
        *out |= matches!(row.consent, Some(ConsentCell::OptOut { .. }));
        *agreed |= matches!(row.consent, Some(ConsentCell::OptIn { .. }));
    }
    by_phone.values().filter(|(out, agreed)| *out && *agreed).count()
}
