//! Waves: how many a week takes, by seats, by free slots and by the number's daily tier, and in
//! which order people wait.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{PatientId, SegmentId};
use retorno_domain::segment::Mean;
use retorno_domain::wave::{Full, Seat, WavePlan, overall_capacity, rank, rank_uses_whatsapp, whatsapp_room};

use crate::given::{clinic, clinic_with, date, days};

fn segment(id: &str) -> SegmentId {
    SegmentId::parse(id).unwrap()
}

/// Takes seats until there is no room: how many, and what was lacking.
fn fill(plan: &mut WavePlan<'_>, id: &str, whatsapp: bool) -> (u32, Full) {
    for taken in 0.. {
        match plan.room(&segment(id), whatsapp) {
            Ok(number) => plan.take(&segment(id), number, whatsapp),
            Err(full) => return (taken, full),
        }
    }
    panic!("there is always room")
}

fn seats(id: &str, numbers: std::ops::Range<u32>, day: NaiveDate, whatsapp: bool) -> Vec<Seat> {
    numbers.map(|number| Seat { segment: segment(id), number, day, whatsapp }).collect()
}

const MONDAY: &str = "2026-03-02";

#[test]
fn two_hundred_seats_per_segment_and_week() {
    let plain = clinic("");
    let mut plan = WavePlan::new(&plain, date(MONDAY), &[], &[], None);
    assert_eq!(fill(&mut plan, "posproc", false), (200, Full::Segment));
    assert_eq!(fill(&mut plan, "churn-18m", false), (200, Full::Segment), "each segment has its own");
    assert_eq!(plan.taken(&segment("posproc")), 200);
    assert_eq!(plan.room(&segment("unheard-of"), false), Err(Full::Segment));
    let small = clinic_with("id = \"posproc\"", "id = \"posproc\"\nseats_per_week = 7");
    let mut plan = WavePlan::new(&small, date(MONDAY), &[], &[], None);
    assert_eq!(fill(&mut plan, "posproc", false), (7, Full::Segment), "as the clinic sets it");
    assert_eq!(fill(&mut plan, "plan-pendiente", false), (200, Full::Segment));
}

#[test]
fn the_seats_taken_earlier_in_the_week_count_and_one_given_back_is_taken_again() {
    let clinic = clinic("");
    let mut taken = seats("posproc", 0..200, date(MONDAY), false);
    let plan = WavePlan::new(&clinic, date("2026-03-04"), &taken, &[], None);
    assert_eq!(plan.room(&segment("posproc"), false), Err(Full::Segment));
    taken.remove(37);
    let plan = WavePlan::new(&clinic, date("2026-03-04"), &taken, &[], None);
    assert_eq!(plan.room(&segment("posproc"), false), Ok(37));
    let last_week = seats("posproc", 0..200, date("2026-02-24"), false);
    let plan = WavePlan::new(&clinic, date(MONDAY), &[], &last_week, None);
    assert_eq!(plan.room(&segment("posproc"), false), Ok(0), "last week's seats are last week's");
}

#[test]
fn over_all_segments_at_most_the_free_slots_divided_by_the_booking_rate() {
    let plain = clinic("");
    for (slots, capacity) in [(0, 0), (1, 6), (3, 20), (14, 93), (15, 100), (u32::MAX, u32::MAX)] {
        assert_eq!(overall_capacity(&plain, slots), capacity, "{slots} free slots");
    }
    assert_eq!(overall_capacity(&clinic_with("booking_percent = 15", "booking_percent = 30"), 15), 50);
    let mut plan = WavePlan::new(&plain, date(MONDAY), &[], &[], Some(100));
    assert_eq!(fill(&mut plan, "posproc", false), (100, Full::Overall));
    assert_eq!(fill(&mut plan, "churn-18m", false), (0, Full::Overall));
    let taken = seats("posproc", 0..60, date(MONDAY), false);
    let mut plan = WavePlan::new(&plain, date("2026-03-03"), &taken, &[], Some(100));
    assert_eq!(fill(&mut plan, "churn-18m", false), (40, Full::Overall), "what the week has taken counts");
    let mut plan = WavePlan::new(&plain, date("2026-03-03"), &taken, &[], Some(50));
    assert_eq!(fill(&mut plan, "churn-18m", false), (0, Full::Overall), "the agenda has filled meanwhile");
}

#[test]
fn a_seat_found_taken_by_somebody_else_counts_against_the_week_too() {
    let clinic = clinic("");
    let mut plan = WavePlan::new(&clinic, date(MONDAY), &[], &[], Some(10));
    plan.mark_taken(&segment("posproc"), 0);
    assert_eq!(plan.room(&segment("posproc"), false), Ok(1));
    assert_eq!(fill(&mut plan, "posproc", false), (9, Full::Overall));
}

#[test]
fn planning_fills_ninety_percent_of_the_numbers_tier_by_the_hours_of_the_day() {
    let room = |clinic: &Clinic, day: &str| whatsapp_room(clinic, date(day));
    let plain = clinic("");
    assert_eq!(room(&plain, MONDAY), 225, "90 % of 250");
    assert_eq!(room(&plain, "2026-03-07"), 102, "Saturday: 5 hours of 11");
    assert_eq!((room(&plain, "2026-03-08"), room(&plain, "2026-03-24")), (0, 0), "Sunday and holiday");
    assert_eq!(room(&clinic_with("whatsapp_daily_tier = 250", "whatsapp_daily_tier = 1000"), MONDAY), 900);
    assert_eq!(room(&clinic_with("tier_share_percent = 90", "tier_share_percent = 50"), MONDAY), 125);
    assert_eq!(room(&clinic_with("tier_share_percent = 90", "tier_share_percent = 100"), MONDAY), 250);
    assert_eq!(room(&clinic("[hours]\nsaturday = \"09:00-20:00\""), "2026-03-07"), 225);
    let closed = "[hours]\nmonday = \"closed\"\ntuesday = \"closed\"\nwednesday = \"closed\"\nthursday = \"closed\"\nfriday = \"closed\"\nsaturday = \"closed\"";
    assert_eq!(room(&clinic(closed), MONDAY), 0);
}

#[test]
fn a_saturday_before_a_closed_week_has_no_more_room_than_another() {
    // From Friday noon to Saturday noon the number reaches people at the pace of both days.
    let summer: Vec<String> = (9..=14).map(|day| format!("\"2026-03-{day:02}\"")).collect();
    let clinic = clinic(&format!("[closures]\ndates = [{}]", summer.join(", ")));
    assert_eq!(whatsapp_room(&clinic, date("2026-03-07")), 102);
}

#[test]
fn a_wave_stops_when_the_number_is_full_today_or_on_the_day_of_the_second_message() {
    let clinic = clinic("");
    let mut plan = WavePlan::new(&clinic, date("2026-03-03"), &[], &[], None);
    // Day 5 after a Tuesday is a Sunday: the second message leaves on Monday the 9th.
    assert_eq!(fill(&mut plan, "posproc", true), (200, Full::Segment));
    assert_eq!(fill(&mut plan, "churn-18m", true), (25, Full::Number), "225 on this day");
    assert_eq!(plan.room(&segment("churn-18m"), false), Ok(25), "who is reached otherwise takes nothing of it");
    // Day 5 after a Monday is a Saturday with room for 102.
    let mut plan = WavePlan::new(&clinic, date(MONDAY), &[], &[], None);
    assert_eq!(fill(&mut plan, "posproc", true), (102, Full::Number));
    // Those whose first message was on Wednesday the 25th have their second on Monday.
    let earlier = seats("posproc", 0..130, date("2026-02-25"), true);
    let plan = |earlier: &[Seat]| {
        fill(&mut WavePlan::new(&clinic, date("2026-02-25") + days(5), &[], earlier, None), "churn-18m", true)
    };
    assert_eq!((plan(&earlier), plan(&earlier[..30])), ((95, Full::Number), (102, Full::Number)));
    let by_email = seats("posproc", 0..130, date("2026-02-25"), false);
    assert_eq!(plan(&by_email), (102, Full::Number));
}

#[test]
fn a_person_written_to_twice_on_a_date_is_one_person() {
    // Offsets 1 and 2 of a Saturday both fall on Monday.
    let flow = "[[flows]]\nid = \"reactivacion\"\nversion = 2\nclose_after_days = 9\nsteps = [\
        { id = \"a\", offset_days = 0, channel = \"email\" }, { id = \"b\", offset_days = 1, channel = \"whatsapp\" },\
        { id = \"c\", offset_days = 2, channel = \"whatsapp\" }]\n[limits]\nwhatsapp_daily_tier = 10\nper_day_max = 2";
    let clinic = clinic(flow);
    let mut plan = WavePlan::new(&clinic, date("2026-03-07"), &[], &[], None);
    assert_eq!(fill(&mut plan, "posproc", true), (9, Full::Number));
}

fn patient(id: &str) -> PatientId {
    PatientId::parse(id).unwrap()
}

fn worth(cents: i64) -> Option<Mean> {
    Some(Mean { sum_cents: cents, count: 1 })
}

#[test]
fn people_wait_by_value_then_by_who_leaves_first() {
    let rank = |cents, leaves, id| rank(worth(cents), leaves, 'w', &patient(id));
    assert!(
        rank(100_000, Some(9), "p") < rank(50_000, Some(1), "p"),
        "worth twice as much goes first, whatever the deadline"
    );
    assert!(rank(100_000, Some(1), "p") < rank(100_001, Some(9), "p"), "among about equals, who leaves soonest");
    assert!(rank(100_001, Some(9), "p") < rank(100_000, Some(9), "p"), "then the exact worth");
    assert!(rank(100_000, Some(9), "a") < rank(100_000, Some(9), "b"), "then the id");
    assert!(rank(100_000, Some(739_999), "p") < rank(100_000, None, "p"), "who never leaves can wait");
    let without = retorno_domain::wave::rank(None, Some(1), 'w', &patient("p"));
    assert!(rank(1, Some(9), "p") < without, "no amount is worth nothing");
}

#[test]
fn a_rank_says_who_is_reached_by_whatsapp_whatever_the_patients_number_looks_like() {
    for id in ["p1", "1.2.3", "..e.", "w"] {
        assert!(rank_uses_whatsapp(&rank(worth(7), None, 'w', &patient(id))));
        assert!(!rank_uses_whatsapp(&rank(worth(7), None, 'e', &patient(id))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn ranks_sort_as_text_by_value_class_then_deadline(
        a in (0i64..2_000_000_000_000, 700_000i32..800_000), b in (0i64..2_000_000_000_000, 700_000i32..800_000),
    ) {
        let rank = |(cents, leaves)| rank(worth(cents), Some(leaves), 'w', &patient("p"));
        // More than twice as much is never about the same, as long as amounts are told apart.
        let told_apart = 4_000_000_000i64;
        if a.0.min(told_apart) > 2 * b.0.min(told_apart) {
            prop_assert!(rank(a) < rank(b));
        }
        if a.0 == b.0 {
            prop_assert_eq!(rank(a).cmp(&rank(b)), a.1.cmp(&b.1));
        }
        let (x, y) = (rank((a.0, b.1)), rank(a));
        prop_assert_eq!(x.cmp(&y), b.1.cmp(&a.1), "the same worth: by deadline alone");
        prop_assert_eq!(rank(a).len(), rank(b).len(), "text sorts as numbers do only at one length");
    }

    #[test]
    fn a_plan_never_exceeds_seats_slots_or_the_room_of_a_date(
        offset in 0i64..28, overall in prop::option::of(0u32..60), tier in 0u32..40, seats_per_week in 0u32..30,
        wanted in prop::collection::vec((0usize..3, any::<bool>(), prop::bool::weighted(0.1)), 0..120),
        earlier in prop::collection::vec(1i64..14, 0..40),
    ) {
        let small = clinic_with("whatsapp_daily_tier = 250", &format!("whatsapp_daily_tier = {tier}"));
        let segments = small.segments.iter().map(|s| retorno_domain::segment::Segment { seats_per_week, ..s.clone() }).collect();
        let clinic = Clinic { segments, ..small };
        let today = date(MONDAY) + days(offset);
        let whatsapp_days = |first: NaiveDate| [0, 5].map(|n| clinic.calendar.next_open_date(first + days(n)).unwrap());
        let mut load: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        let running: Vec<Seat> = earlier.iter().flat_map(|ago| seats("churn-18m", 0..1, today - days(*ago), true)).collect();
        running.iter().flat_map(|seat| whatsapp_days(seat.day)).for_each(|day| *load.entry(day).or_default() += 1);

        let mut plan = WavePlan::new(&clinic, today, &[], &running, overall);
        let (mut taken, mut total) = (BTreeMap::<SegmentId, Vec<u32>>::new(), 0u32);
        for (index, whatsapp, elsewhere) in wanted {
            let id = clinic.segments[index].id.clone();
            let Ok(number) = plan.room(&id, whatsapp) else { continue };
            prop_assert!(number < seats_per_week && !taken.get(&id).is_some_and(|all| all.contains(&number)), "a seat that is free");
            taken.entry(id.clone()).or_default().push(number);
            total += 1;
            if elsewhere {
                plan.mark_taken(&id, number);
                continue;
            }
            plan.take(&id, number, whatsapp);
            for day in whatsapp_days(today).into_iter().filter(|_| whatsapp) {
                let load = load.entry(day).or_default();
                *load += 1;
                prop_assert!(*load <= whatsapp_room(&clinic, day), "{} on {}", load, day);
            }
        }
        prop_assert!(overall.is_none_or(|overall| total <= overall));
    }
}
