//! The days of a sequence: which message leaves when, over Sundays, holidays and closures, and what
//! becomes of what cannot leave in time. Each test plays a sequence to its end.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Event, decide};
use retorno_domain::enrollment::{EndReason, Enrollment, State, place_in_day};
use retorno_domain::flow::Step;
use retorno_domain::hours::OpenWindow;
use retorno_domain::limits::{FreePlace, WhatsappLedger};
use retorno_domain::patient::Patient;
use retorno_domain::step_rules::{CopyProblem, Facts};

use crate::given::{
    ZONE, agreed_to, at, clinic, clinic_with, date, days, enrolled, facts, lapsed, no_problem, now, only, preset_with,
    sent,
};

/// A sequence as it was played.
struct Played {
    /// What left: the step and the local date.
    sent: Vec<(String, NaiveDate)>,
    /// What was left out: the step and the reason.
    left_out: Vec<(String, &'static str)>,
    end: (EndReason, DateTime<Utc>),
    seat_given_back: bool,
}

impl Played {
    fn steps(&self) -> Vec<(&str, u32)> {
        use chrono::Datelike;
        self.sent.iter().map(|(step, date)| (step.as_str(), date.ordinal() - 60)).collect()
    }
}

/// Plays a sequence that begins at an instant, with a patient who never answers; every wake comes
/// on time and every message is accepted.
fn play_with(
    clinic: &Clinic,
    mut patient: Patient,
    begins: DateTime<Utc>,
    copy: &dyn Fn(&Step) -> Option<CopyProblem>,
    change: impl Fn(&mut Facts<'_>, DateTime<Utc>),
) -> Played {
    let mut points = ContactPoints::default();
    let mut enrollment = enrolled(clinic, begins);
    let mut played =
        Played { sent: Vec::new(), left_out: Vec::new(), end: (EndReason::NoAnswer, begins), seat_given_back: false };
    for _ in 0..2_000 {
        let (step, now) = match enrollment.state {
            State::Running { step, due } => (step, due),
            State::Closing { due } => (clinic.flows[0].steps.len(), due),
            State::Conversing { .. } => panic!("nobody answers"),
            State::Ended { reason, at } => return Played { end: (reason, at), ..played },
        };
        let mut facts = Facts { copy, ..facts(clinic, &patient, &points, now) };
        change(&mut facts, now);
        let decision = decide(&enrollment, &Event::StepDue { step, message: None }, now, &facts);
        for command in &decision.commands {
            match command {
                Command::Send(intent) => {
                    played.sent.push((intent.step_id.to_string(), clinic.date(now)));
                    let same_day = patient.history.last_at.is_some_and(|last| clinic.date(last) == clinic.date(now));
                    patient.history.last_day_count = if same_day { patient.history.last_day_count + 1 } else { 1 };
                    patient.history.last_at = Some(now);
                    if let Some((contact, person)) = intent.places {
                        take(&mut points.phone.whatsapp, contact, now);
                        take(&mut patient.history.whatsapp, person, now);
                    }
                }
                Command::Drop { step, reason, .. } => played.left_out.push((step.to_string(), reason)),
                Command::FreeSeat => played.seat_given_back = true,
                Command::Wake { .. } | Command::Release | Command::React(_) => {}
            }
        }
        enrollment = decision.next;
    }
    panic!("it never ends")
}

fn take(ledger: &mut WhatsappLedger, place: FreePlace, now: DateTime<Utc>) {
    ledger.stamps.resize(ledger.stamps.len().max(usize::from(place.place) + 1), None);
    ledger.stamps[usize::from(place.place)] = Some(now);
    ledger.rest_until = place.rest_until.or(ledger.rest_until);
}

fn play(clinic: &Clinic, patient: Patient, begins: DateTime<Utc>) -> Played {
    play_with(clinic, patient, begins, &no_problem, |_, _| {})
}

#[test]
fn the_steps_are_on_days_0_2_5_and_7_and_the_cycle_closes_after_day_10() {
    // Monday the 2nd; the day 5 later is a Saturday.
    let played = play(&clinic(""), lapsed(), now());
    assert_eq!(played.steps(), [("d1", 1), ("d3", 3), ("d6", 6), ("d8", 8)].map(|(step, day)| (step, day)));
    assert_eq!(played.end, (EndReason::NoAnswer, at("2026-03-13 00:00")), "when the tenth day is over");
    assert!(played.left_out.is_empty() && !played.seat_given_back);
}

#[test]
fn the_clinic_sets_the_offsets_the_order_of_channels_and_the_close() {
    let flow = "[[flows]]\nid = \"reactivacion\"\nversion = 2\nclose_after_days = 20\nsteps = [\
        { id = \"a\", offset_days = 0, channel = \"email\" }, { id = \"b\", offset_days = 1, channel = \"call\" },\
        { id = \"c\", offset_days = 4, channel = \"whatsapp\" }, { id = \"d\", offset_days = 14, channel = \"whatsapp\" }]";
    let played = play(&clinic(flow), lapsed(), now());
    assert_eq!(played.steps(), [("a", 1), ("b", 2), ("c", 5), ("d", 15)]);
    assert_eq!(played.end, (EndReason::NoAnswer, at("2026-03-23 00:00")));
}

#[test]
fn the_first_step_that_can_be_sent_is_day_one_and_the_others_count_from_it() {
    let mut patient = lapsed();
    patient.consent = agreed_to(only(&[Channel::Email, Channel::Call]));
    let played = play(&clinic(""), patient, now());
    assert_eq!(played.steps(), [("d3", 1), ("d8", 8)], "the e-mail at once, the call seven days later");
    assert_eq!(played.left_out, [("d1".to_owned(), "channel_not_agreed"), ("d6".to_owned(), "channel_not_agreed")]);
    let mut patient = lapsed();
    patient.consent = agreed_to(only(&[Channel::Call]));
    assert_eq!(play(&clinic(""), patient, now()).steps(), [("d8", 1)], "even the last one");
}

#[test]
fn when_nothing_can_be_sent_the_seat_is_given_back_and_all_is_said() {
    let mut patient = lapsed();
    patient.profile.phone = Err(retorno_domain::contact::UnusablePhone::Missing);
    patient.profile.email = Err(retorno_domain::contact::UnusableEmail::Missing);
    let played = play(&clinic(""), patient, now());
    assert_eq!((played.end, played.seat_given_back), ((EndReason::NothingSendable, now()), true));
    assert_eq!(played.left_out.len(), 4);
}

#[test]
fn a_step_that_falls_on_a_sunday_or_a_holiday_goes_to_the_next_open_day() {
    // Friday the 6th: day 2 is a Sunday.
    let friday = play(&clinic(""), lapsed(), at("2026-03-06 10:00"));
    assert_eq!(
        friday.steps(),
        [("d1", 5), ("d3", 8), ("d6", 10), ("d8", 12)],
        "the later ones count from the first all the same"
    );
    // Wednesday the 18th: day 5 is Monday the 23rd, a bridge day before the holiday of the 24th,
    // so that both d6 and d8 would leave on the 25th.
    let march = play(&clinic(""), lapsed(), at("2026-03-18 10:00"));
    assert_eq!(march.steps(), [("d1", 17), ("d3", 19), ("d6", 24), ("d8", 25)], "but never two on one day");
}

#[test]
fn two_messages_on_one_day_where_the_clinic_allows_them() {
    let played = play(&clinic_with("per_day_max = 1", "per_day_max = 2"), lapsed(), at("2026-03-18 10:00"));
    assert_eq!(played.steps(), [("d1", 17), ("d3", 19), ("d6", 24), ("d8", 24)]);
}

#[test]
fn what_a_long_closure_delays_beyond_the_longest_delay_is_left_out() {
    // Closed from the 3rd to the 9th: d3 was due on the 4th and may leave until the end of the 8th.
    let closed = |until: u32| {
        let dates: Vec<String> = (3..=until).map(|day| format!("\"2026-03-{day:02}\"")).collect();
        clinic(&format!("[closures]\ndates = [{}]", dates.join(", ")))
    };
    // The wake for d3 comes on the first open day, when it is too late.
    let played = play(&closed(9), lapsed(), now());
    assert_eq!(played.steps(), [("d1", 1), ("d6", 9), ("d8", 10)]);
    assert_eq!(played.left_out, [("d3".to_owned(), "too_late")]);
    let played = play(&closed(25), lapsed(), now());
    assert_eq!((played.steps(), played.left_out.len()), (vec![("d1", 1)], 3));
    let patient_clinic =
        clinic(&preset_with("channel = \"email\", delay_hours_max = 96", "channel = \"email\", delay_hours_max = 200"));
    let calendar = closed(9).calendar;
    let played = play(&Clinic { calendar, ..patient_clinic }, lapsed(), now());
    assert_eq!(played.steps(), [("d1", 1), ("d3", 9), ("d6", 10), ("d8", 11)], "a clinic may be more patient");
}

#[test]
fn a_closure_without_an_end_in_sight_ends_the_sequence_all_the_same() {
    let dates: Vec<String> = (1..120).map(|n| format!("\"{}\"", date("2026-03-02") + days(n))).collect();
    let played = play(&clinic(&format!("[closures]\ndates = [{}]", dates.join(", "))), lapsed(), now());
    assert_eq!((played.steps(), played.end.0), (vec![("d1", 1)], EndReason::NoAnswer));
}

#[test]
fn before_the_first_message_waiting_beyond_the_week_gives_the_seat_back() {
    let full_until = |until: DateTime<Utc>| {
        play_with(&clinic(""), lapsed(), now(), &no_problem, move |facts, now| {
            facts.number_full_until = Some(until).filter(|until| *until > now)
        })
    };
    let wednesday = full_until(at("2026-03-04 11:00"));
    assert_eq!((wednesday.steps()[0], wednesday.seat_given_back), (("d1", 3), false), "within the week it waits");
    let monday = full_until(at("2026-03-09 11:00"));
    assert_eq!((monday.steps(), monday.end, monday.seat_given_back), (vec![], (EndReason::WeekOver, now()), true));
    // After the closing on Saturday the next opening is in another week.
    let late = play(&clinic(""), lapsed(), at("2026-03-07 14:00"));
    assert_eq!((late.steps(), late.end.0, late.seat_given_back), (vec![], EndReason::WeekOver, true));
}

#[test]
fn after_the_first_message_waiting_beyond_the_longest_delay_leaves_the_step_out() {
    let until = at("2026-04-01 12:00");
    let copy = move |step: &Step| (step.channel == Channel::Email).then_some(CopyProblem::Halted(until));
    let played = play_with(&clinic(""), lapsed(), now(), &copy, |_, _| {});
    assert_eq!(played.steps(), [("d1", 1), ("d6", 6), ("d8", 8)]);
    assert_eq!(played.left_out, [("d3".to_owned(), "too_late")]);
}

#[test]
fn a_step_waits_until_its_latest_instant_and_not_a_second_longer() {
    let (clinic, patient, points) = (clinic(""), lapsed(), ContactPoints::default());
    let due = at("2026-03-04 10:00");
    let begun = Enrollment {
        state: State::Running { step: 1, due },
        first_sent_on: Some(date("2026-03-02")),
        ..enrolled(&clinic, now())
    };
    let next = |until| {
        let breakers = [(Channel::Email, until)];
        let facts = Facts { breakers: &breakers, ..facts(&clinic, &patient, &points, due) };
        decide(&begun, &Event::StepDue { step: 1, message: None }, due, &facts).next.state
    };
    let latest = at("2026-03-09 00:00");
    assert_eq!(next(latest), State::Running { step: 1, due: latest });
    assert!(matches!(next(latest + TimeDelta::seconds(1)), State::Running { step: 2, .. }), "left out");
}

#[test]
fn a_halted_clinic_waits_by_the_hour_and_gives_the_seat_back_when_its_week_is_over() {
    let clinic = Clinic { halted: true, ..clinic("") };
    let played = play(&clinic, lapsed(), now());
    assert_eq!((played.end.0, played.seat_given_back), (EndReason::WeekOver, true));
    assert!(played.end.1 >= at("2026-03-08 23:00") && played.end.1 <= at("2026-03-09 00:00"));
}

#[test]
fn the_caps_end_no_sequence_they_leave_the_step_out() {
    let mut patient = lapsed();
    patient.history.whatsapp = sent(&[now() - days(20)]);
    let played = play(&clinic(""), patient, now());
    assert_eq!(played.steps(), [("d1", 1), ("d3", 3), ("d8", 8)]);
    assert_eq!(played.left_out, [("d6".to_owned(), "resting")], "d1 was the second in thirty days");
}

#[test]
fn a_step_whose_copy_has_a_hole_is_left_out_and_the_next_is_day_one() {
    let copy = |step: &Step| (step.id.as_str() == "d1").then_some(CopyProblem::Unfilled);
    let (clinic, patient, points) = (clinic(""), lapsed(), ContactPoints::default());
    let facts = Facts { copy: &copy, ..facts(&clinic, &patient, &points, now()) };
    let decision = decide(&enrolled(&clinic, now()), &Event::StepDue { step: 0, message: None }, now(), &facts);
    assert!(matches!(&decision.commands[..], [
        Command::Drop { reason: "unfilled_variable", .. }, Command::Wake { step: 2, .. }, Command::Send(intent),
    ] if intent.step == 1));
}

#[test]
fn an_enrollments_place_in_the_day_is_its_own_stable_and_leaves_the_end_free() {
    let window = clinic("").calendar.window_on(date("2026-03-02"), ZONE).unwrap();
    let clinic = clinic("");
    let places: Vec<DateTime<Utc>> =
        (0..500).map(|n| place_in_day(enrolled(&clinic, now() + days(n)).id, window)).collect();
    assert!(places.iter().all(|place| window.opens <= *place && *place < window.closes - TimeDelta::minutes(30)));
    let morning = places.iter().filter(|place| **place < at("2026-03-02 14:15")).count();
    assert!((200..300).contains(&morning), "half of them before the middle of 10.5 hours: {morning}");
    let again = place_in_day(enrolled(&clinic, now()).id, window);
    assert_eq!(again, places[0]);
    let short = OpenWindow { opens: window.opens, closes: window.opens + TimeDelta::seconds(1) };
    assert_eq!(place_in_day(enrolled(&clinic, now()).id, short), window.opens, "in the shortest of windows too");
}

#[test]
fn steps_wait_for_the_patients_morning_when_patient_and_clinic_live_in_different_zones() {
    let mut patient = lapsed();
    patient.profile.zone = chrono_tz::Europe::Madrid;
    // 15:30 in Buenos Aires on a Monday is 19:30 in Madrid; d3 leaves within Madrid's hours.
    let played = play(&clinic(""), patient, at("2026-03-02 15:30"));
    assert_eq!(played.sent.len(), 4);
    let mut enrollment = Enrollment { first_sent_on: Some(date("2026-03-02")), ..enrolled(&clinic(""), now()) };
    enrollment.seat = 1;
    let clinic = clinic("");
    let due =
        enrollment.step_due(&clinic.flows[0].steps[1], date("2026-03-02"), &clinic.calendar, chrono_tz::Europe::Madrid);
    assert!(clinic.calendar.is_open(due, chrono_tz::Europe::Madrid));
    assert_eq!(due.with_timezone(&chrono_tz::Europe::Madrid).date_naive(), date("2026-03-04"));
}
