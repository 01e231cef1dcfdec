//! Free slots by a timetable: what it offers, less what is taken, whatever the clocks do.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use proptest::prelude::*;
use retorno_domain::calendar::local_time;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{AppointmentId, ClinicId, PatientId};
use retorno_domain::settings::clinic_from_toml;
use retorno_domain::slot::FreeSlot;
use retorno_domain::timetable::{Derived, KnownSlot, Visit, derive};

use crate::given::{at, clinic, try_clinic};

const LIMA: &str = r#"
[[timetable]]
professional = "Dra. Lima"
slot_minutes = 60
horizon_days = 1
[timetable.hours]
monday = "09:00-11:00, 15:00-17:00"
tuesday = "09:00-11:00"
"#;
/// A Monday.
const NOW: &str = "2026-03-02 07:00";

fn visit(patient: &str, start: &str, professional: &str) -> Visit {
    Visit { start: at(start), patient: PatientId::parse(patient).unwrap(), professional: professional.into() }
}

fn booked(slot: FreeSlot, patient: &str) -> KnownSlot {
    let ids = (AppointmentId::parse("retorno-1").unwrap(), PatientId::parse(patient).unwrap());
    KnownSlot { slot, booked: Some(ids), held: false }
}

fn times(clinic: &Clinic, derived: &Derived) -> Vec<String> {
    let local = |at| local_time(at, clinic.zone).format("%a %H:%M").to_string();
    derived.free.iter().map(|open| local(open.slot.start)).collect()
}

fn free(own: &str, ahead: &[Visit], known: &[KnownSlot]) -> Vec<String> {
    let clinic = clinic(own);
    times(&clinic, &derive(&clinic, at(NOW), ahead, known))
}

#[test]
fn several_hours_a_day_are_cut_into_slots_up_to_the_horizon() {
    assert_eq!(free(LIMA, &[], &[]), ["Mon 09:00", "Mon 10:00", "Mon 15:00", "Mon 16:00", "Tue 09:00", "Tue 10:00"]);
    let odd = LIMA.replace("slot_minutes = 60", "slot_minutes = 45");
    let of_45 = ["Mon 09:00", "Mon 09:45", "Mon 15:00", "Mon 15:45", "Tue 09:00", "Tue 09:45"];
    assert_eq!(free(&odd, &[], &[]), of_45, "what is left of the hours is too short for a slot");
    let clinic = clinic(LIMA);
    let later = derive(&clinic, at("2026-03-02 09:00"), &[], &[]);
    assert_eq!(times(&clinic, &later)[0], "Mon 10:00", "what has begun is over");
    assert_eq!(later.free[0].book_by, at("2026-03-02 08:00"), "two hours' notice");
    assert_eq!(later.free[0].offered_from.to_string(), "2026-03-01");
}

#[test]
fn holidays_and_closed_dates_have_no_slots() {
    let open = |own: &str, now: &str| {
        let clinic = clinic(own);
        times(&clinic, &derive(&clinic, at(now), &[], &[])).len()
    };
    // 2 April 2026 is a holiday in Argentina, a Thursday; the 1st is none.
    let week = LIMA.replace("monday =", "thursday =").replace("tuesday =", "wednesday =");
    assert_eq!(open(&week, "2026-04-01 07:00"), 2);
    let all = week.replace("slot_minutes", "open_on_holidays = true\nslot_minutes");
    assert_eq!(open(&all, "2026-04-01 07:00"), 6);
    let closed = all.replace("slot_minutes", "closed = [\"2026-04-02/2026-04-09\"]\nslot_minutes");
    assert_eq!(open(&closed, "2026-04-01 07:00"), 2);
    assert_eq!(open(&format!("{all}\n[closures]\ndates = [\"2026-04-01\"]"), "2026-04-01 07:00"), 4);
}

#[test]
fn a_visit_takes_the_slot_within_whose_time_it_begins_and_no_other() {
    let one = free(LIMA, &[visit("1", "2026-03-02 09:50", "dra  LIMA".replace("dra", "Dra.").as_str())], &[]);
    assert_eq!(one, ["Mon 10:00", "Mon 15:00", "Mon 16:00", "Tue 09:00", "Tue 10:00"]);
    let at_the_end = free(LIMA, &[visit("1", "2026-03-02 10:00", "Dra. Lima")], &[]);
    assert_eq!(at_the_end[0], "Mon 09:00");
    assert!(!at_the_end.contains(&"Mon 10:00".to_owned()));
    assert_eq!(free(LIMA, &[visit("1", "2026-03-02 12:00", "Dra. Lima")], &[]).len(), 6, "between the hours: none");
}

#[test]
fn a_visit_of_nobody_named_may_be_anybodys_and_one_of_a_stranger_is_reported() {
    let two = format!("{LIMA}{}", LIMA.replace("Dra. Lima", "Dr. Paz"));
    assert_eq!(free(&two, &[visit("1", "2026-03-02 09:00", "")], &[]).len(), 10);
    assert_eq!(free(&two, &[visit("1", "2026-03-02 09:00", "Dr. Paz")], &[]).len(), 11);
    let own = clinic(&two);
    let derived = derive(&own, at(NOW), &[visit("1", "2026-03-02 09:00", "Lic. Sosa")], &[]);
    assert_eq!(derived.free.len(), 12);
    assert_eq!(derived.without_timetable.get("Lic. Sosa"), Some(&1));
    // A timetable without a name is of everybody who has none.
    let rest = format!("{LIMA}{}", LIMA.replace("professional = \"Dra. Lima\"", ""));
    for (who, left) in [("Lic. Sosa", 11), ("", 11), ("Dra. Lima", 11)] {
        let derived = derive(&clinic(&rest), at(NOW), &[visit("1", "2026-03-02 09:00", who)], &[]);
        assert_eq!((derived.free.len(), derived.without_timetable.len()), (left, 0), "{who}");
    }
}

#[test]
fn a_booking_keeps_its_slot_and_its_visit_in_the_export_is_the_same_one() {
    let own = clinic(LIMA);
    let slot = derive(&own, at(NOW), &[], &[]).free[0].slot.clone();
    let known = [booked(slot, "1")];
    assert_eq!(free(LIMA, &[], &known).len(), 5);
    let entered = visit("1", "2026-03-02 09:00", "another spelling");
    assert_eq!(free(LIMA, std::slice::from_ref(&entered), &known).len(), 5);
    let wide = LIMA.replace("slot_minutes", "capacity = 3\nslot_minutes");
    assert_eq!(free(&wide, &[], &[]).len(), 18);
    assert_eq!(free(&wide, &[], &known).len(), 17);
    assert_eq!(free(&wide, &[entered, visit("2", "2026-03-02 09:30", "Dra. Lima")], &known).len(), 16);
}

#[test]
fn a_booking_made_under_another_timetable_takes_every_slot_that_it_overlaps() {
    let old =
        FreeSlot { start: at("2026-03-02 09:30"), id: "H-1".into(), professional: "Dra. Lima".into(), minutes: 60 };
    assert_eq!(free(LIMA, &[], &[booked(old, "1")]), ["Mon 15:00", "Mon 16:00", "Tue 09:00", "Tue 10:00"]);
}

#[test]
fn a_booked_slot_that_somebody_else_has_too_is_known_as_such() {
    let own = clinic(LIMA);
    let slot = derive(&own, at(NOW), &[], &[]).free[0].slot.clone();
    let overtaken =
        |clinic: &Clinic, ahead: &[Visit]| derive(clinic, at(NOW), ahead, &[booked(slot.clone(), "1")]).overtaken;
    assert!(overtaken(&own, &[visit("1", "2026-03-02 09:00", "Dra. Lima")]).is_empty(), "its own visit");
    let other = visit("2", "2026-03-02 09:00", "Dra. Lima");
    assert!(overtaken(&own, std::slice::from_ref(&other)).contains(&slot.reference()));
    assert!(overtaken(&clinic(&LIMA.replace("slot_minutes", "capacity = 2\nslot_minutes")), &[other]).is_empty());
    let moved = clinic(&LIMA.replace("09:00-11:00, ", "09:15-11:15, "));
    assert!(overtaken(&moved, &[]).contains(&slot.reference()), "the timetable has no such slot any more");
}

#[test]
fn of_several_places_the_one_that_is_held_stays() {
    let wide = clinic(&LIMA.replace("slot_minutes", "capacity = 2\nslot_minutes"));
    let both = derive(&wide, at(NOW), &[], &[]).free;
    let held = KnownSlot { slot: both[1].slot.clone(), booked: None, held: true };
    let left = derive(&wide, at(NOW), &[visit("1", "2026-03-02 09:00", "Dra. Lima")], std::slice::from_ref(&held)).free;
    assert_eq!(left[0].slot, held.slot);
    let left = derive(&wide, at(NOW), &[visit("1", "2026-03-02 09:00", "Dra. Lima")], &[]).free;
    assert_eq!(left[0].slot, both[0].slot);
}

#[test]
fn numbers_name_nobody_and_do_not_depend_on_the_order_of_timetables() {
    let (lima, paz) = (LIMA.to_owned(), LIMA.replace("Dra. Lima", "Dr. Paz"));
    let one = derive(&clinic(&format!("{lima}{paz}")), at(NOW), &[], &[]).free;
    let other = derive(&clinic(&format!("{paz}{lima}")), at(NOW), &[], &[]).free;
    assert_eq!(one, other);
    let references: BTreeSet<String> = one.iter().map(|open| open.slot.reference()).collect();
    assert_eq!(references.len(), 12);
    assert!(references.iter().all(|reference| !reference.to_lowercase().contains("lima")));
}

fn in_zone(zone: &str, hours: &str, weekday: &str, minutes: u32) -> Clinic {
    let own = format!(
        "zone = \"{zone}\"\n[[timetable]]\nslot_minutes = {minutes}\nhorizon_days = 2\nopen_on_holidays = true\n\
         [timetable.hours]\n{weekday} = \"{hours}\""
    );
    clinic_from_toml(ClinicId::parse("aurora").unwrap(), &own, None).unwrap()
}

#[test]
fn a_time_that_is_left_out_has_no_slot_and_one_that_happens_twice_has_one() {
    // Madrid, 29 March 2026: 02:00 becomes 03:00. 25 October: 03:00 becomes 02:00.
    let madrid = in_zone("Europe/Madrid", "01:00-05:00", "sunday", 30);
    let on = |now: &str| times(&madrid, &derive(&madrid, now.parse().unwrap(), &[], &[]));
    let spring = ["01:00", "01:30", "03:00", "03:30", "04:00", "04:30"].map(|time| format!("Sun {time}"));
    assert_eq!(on("2026-03-28T12:00:00Z"), spring);
    let autumn = on("2026-10-24T12:00:00Z");
    assert_eq!(autumn.len(), 8);
    assert_eq!(autumn.iter().collect::<BTreeSet<_>>().len(), 8, "each time once: {autumn:?}");
    // A slot that the change of clocks would lay over the one before it is left out.
    let odd = in_zone("Europe/Madrid", "01:30-06:00", "sunday", 45);
    let derived = derive(&odd, "2026-03-28T12:00:00Z".parse().unwrap(), &[], &[]);
    assert_eq!(times(&odd, &derived), ["Sun 01:30", "Sun 03:45", "Sun 04:30", "Sun 05:15"]);
    // Santiago, 6 September 2026: midnight does not exist.
    let santiago = in_zone("America/Santiago", "00:00-03:00", "sunday", 60);
    let derived = derive(&santiago, "2026-09-05T12:00:00Z".parse().unwrap(), &[], &[]);
    assert_eq!(times(&santiago, &derived), ["Sun 01:00", "Sun 02:00"]);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
    let refused = |from: &str, to: &str| {
        assert!(LIMA.contains(from), "{from}");
        try_clinic(&LIMA.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let cases = [
        ("09:00-11:00, 15:00", "09:00-11:00, 10:00", "timetable.1.hours.monday: has hours that overlap"),
        ("tuesday", "martes", "timetable.1.hours.martes: is not a weekday"),
        ("\"09:00-11:00\"", "\"9 a 11\"", "timetable.1.hours.tuesday: must be like"),
        ("\"09:00-11:00\"", "\"11:00-09:00\"", "timetable.1.hours.tuesday: must open before it closes"),
        ("slot_minutes = 60", "slot_minutes = 3", "timetable.1.slot_minutes: must be between 5 and 720"),
        ("slot_minutes = 60", "slot_minutes = 150", "timetable.1.slot_minutes: is longer than any of its hours"),
        ("horizon_days = 1", "horizon_days = 400", "timetable.1.horizon_days: must be between 1 and 180"),
        ("horizon_days = 1", "capacity = 0", "timetable.1.capacity: must be between 1 and 50"),
        ("horizon_days = 1", "notice_hours = 1000", "timetable.1.notice_hours: must be between 0 and 720"),
        ("horizon_days = 1", "closed = [\"mañana\"]", "timetable.1.closed: must be dates"),
        ("horizon_days = 1", "closed = [\"2026-05-02/2026-05-01\"]", "timetable.1.closed: has a range that ends"),
        ("horizon_days = 1", "days = 3", "unknown field `days`"),
    ];
    for (from, to, expected) in cases {
        let said = refused(from, to);
        assert!(said.contains(expected), "{to}: {said}");
    }
    let twice = try_clinic(&format!("{LIMA}{}", LIMA.replace("Dra.", "DRA."))).unwrap_err().to_string();
    assert!(twice.contains("timetable.2.hours.monday: overlaps with timetable 1"), "{twice}");
    let closed = LIMA.replace("\"09:00-11:00, 15:00-17:00\"", "\"closed\"").replace("\"09:00-11:00\"", "\"closed\"");
    assert!(try_clinic(&closed).unwrap_err().to_string().contains("timetable.1.hours: has no hours on any day"));
    let many =
        LIMA.replace("slot_minutes = 60\nhorizon_days = 1", "slot_minutes = 5\nhorizon_days = 180\ncapacity = 50");
    assert!(try_clinic(&many).unwrap_err().to_string().contains("more than 20000"));
}

/// A clinic in some zone with somebody's timetable.
fn any_clinic() -> impl Strategy<Value = Clinic> {
    let zones = ["America/Argentina/Buenos_Aires", "America/Santiago", "Europe/Madrid", "America/Sao_Paulo"];
    let zone = proptest::sample::select(zones.to_vec());
    (zone, 0_u32..8, 1_u32..14, 1_u32..4, proptest::sample::select(vec![10_u32, 15, 25, 40, 60, 90]), 1_u32..10)
        .prop_map(|(zone, from, hours, capacity, minutes, horizon)| {
            let until = (from + 2 + hours).min(23);
            let day = |name: &str| {
                format!("{name} = \"{from:02}:00-{:02}:00, {:02}:30-{until:02}:30\"\n", from + 2, from + 2)
            };
            let week = ["monday", "wednesday", "saturday", "sunday"].map(day).concat();
            let entry = |who: &str| {
                format!(
                    "[[timetable]]\nprofessional = \"{who}\"\ncapacity = {capacity}\nslot_minutes = {minutes}\n\
                     horizon_days = {horizon}\n[timetable.hours]\n{week}"
                )
            };
            let own = format!("zone = \"{zone}\"\n{}{}", entry("A"), entry("B"));
            clinic_from_toml(ClinicId::parse("aurora").unwrap(), &own, None).unwrap()
        })
}

/// Near the changes of clocks, often.
fn any_now() -> impl Strategy<Value = DateTime<Utc>> {
    let days = proptest::sample::select(vec![
        "2026-03-28",
        "2026-10-24",
        "2026-09-05",
        "2026-04-04",
        "2018-11-03",
        "2026-06-01",
    ]);
    (days, 0_i64..3 * 24 * 60).prop_map(|(day, minutes)| {
        let day: NaiveDate = day.parse().unwrap();
        day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minutes)
    })
}

fn any_visits() -> impl Strategy<Value = Vec<(i64, u8, u8)>> {
    proptest::collection::vec((0_i64..10 * 24 * 12, 0_u8..6, 0_u8..4), 0..60)
}

fn visits(now: DateTime<Utc>, drawn: &[(i64, u8, u8)]) -> Vec<Visit> {
    let visit = |(fives, patient, who): &(i64, u8, u8)| Visit {
        start: now + TimeDelta::minutes(fives * 5),
        patient: PatientId::parse(&patient.to_string()).unwrap(),
        professional: ["A", "B", "", "C"][usize::from(*who)].into(),
    };
    drawn.iter().map(visit).collect()
}

fn slots(derived: &Derived) -> BTreeSet<FreeSlot> {
    derived.free.iter().map(|open| open.slot.clone()).collect()
}

fn end(slot: &FreeSlot) -> DateTime<Utc> {
    slot.start + Duration::minutes(i64::from(slot.minutes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn slots_lie_within_the_hours_on_the_wall_and_never_overlap_beyond_the_capacity(
        clinic in any_clinic(), now in any_now(),
    ) {
        let free = derive(&clinic, now, &[], &[]).free;
        for open in &free {
            let (from, until) = (local_time(open.slot.start, clinic.zone), local_time(end(&open.slot) - TimeDelta::minutes(1), clinic.zone));
            let timetable = &clinic.timetables[0];
            let inside = timetable.hours_on(chrono::Datelike::weekday(&from.date())).iter().any(|hours| {
                hours.from() <= from.time() && until.date() == from.date() && until.time() < hours.until()
            });
            prop_assert!(inside, "{from} to {until}");
            prop_assert!(open.slot.start > now && from.second() == 0);
            let with_it = free.iter().filter(|other| {
                other.slot.professional == open.slot.professional
                    && other.slot.start <= open.slot.start && open.slot.start < end(&other.slot)
            });
            prop_assert_eq!(with_it.count(), usize::try_from(timetable.capacity).unwrap());
        }
    }

    #[test]
    fn a_further_visit_only_takes_and_at_most_one_place_of_each_timetable(
        clinic in any_clinic(), now in any_now(), drawn in any_visits(),
    ) {
        let all = visits(now, &drawn);
        let mut before = slots(&derive(&clinic, now, &[], &[]));
        for count in 1..=all.len() {
            let after = slots(&derive(&clinic, now, &all[..count], &[]));
            prop_assert!(after.is_subset(&before));
            let took = before.difference(&after).count();
            let at_most = match &*all[count - 1].professional { "" => 2, "C" => 0, _ => 1 };
            prop_assert!(took <= at_most, "{took}");
            before = after;
        }
    }

    #[test]
    fn whatever_is_booked_one_by_one_the_rest_stays_as_it_was_until_nothing_is_left(
        clinic in any_clinic(), now in any_now(), drawn in any_visits(), picks in proptest::collection::vec(any::<u16>(), 1..40),
    ) {
        let ahead = visits(now, &drawn);
        let mut known: Vec<KnownSlot> = Vec::new();
        let mut left = slots(&derive(&clinic, now, &ahead, &known));
        for (number, pick) in picks.into_iter().enumerate() {
            let Some(slot) = left.iter().nth(usize::from(pick) % left.len().max(1)).cloned() else { break };
            left.remove(&slot);
            let patient = PatientId::parse(&format!("booked-{number}")).unwrap();
            known.push(KnownSlot { slot, booked: Some((AppointmentId::parse("retorno-1").unwrap(), patient)), held: false });
            prop_assert_eq!(&slots(&derive(&clinic, now, &ahead, &known)), &left);
        }
        // What the clinic's system enters of them is the same visit.
        let entered = known.iter().map(|slot| Visit {
            start: slot.slot.start,
            patient: slot.booked.as_ref().unwrap().1.clone(),
            professional: slot.slot.professional.as_str().into(),
        });
        let both: Vec<Visit> = ahead.iter().cloned().chain(entered).collect();
        prop_assert_eq!(&slots(&derive(&clinic, now, &both, &known)), &left);
    }

    #[test]
    fn a_later_look_shows_the_same_slots_but_for_those_that_began_and_the_days_that_came_in(
        clinic in any_clinic(), now in any_now(), minutes in 0_i64..4 * 24 * 60, drawn in any_visits(),
    ) {
        let later = now + TimeDelta::minutes(minutes);
        // Visits that pass in between would only tell that they have passed.
        let ahead: Vec<Visit> = visits(now, &drawn).into_iter().filter(|visit| visit.start > later).collect();
        let one = derive(&clinic, now, &ahead, &[]).free;
        let two = derive(&clinic, later, &ahead, &[]).free;
        let still: Vec<_> = one.iter().filter(|open| open.slot.start > later).collect();
        let known: Vec<_> = two.iter().filter(|open| open.offered_from <= clinic.date(now)).collect();
        prop_assert_eq!(still, known);
    }
}
