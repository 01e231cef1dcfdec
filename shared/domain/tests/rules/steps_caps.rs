//! The caps on marketing WhatsApp, the longest delay and the contact hours at their borders, as
//! they stand and as a clinic sets them.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::because::Verdict;
use retorno_domain::channel::Purpose;
use retorno_domain::clinic::Clinic;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::enrollment::Enrollment;
use retorno_domain::limits::{CLOCK_MARGIN, WhatsappLedger};
use retorno_domain::step_rules::{StepCase, StepRule};

use crate::given::{at, clinic, clinic_with, date, days, enrolled, facts, lapsed, now, resting, sent};

/// What a rule says of a step of a patient whose own ledger is this.
fn says(
    clinic: &Clinic,
    ledger: WhatsappLedger,
    enrollment: &Enrollment,
    step: usize,
    rule: StepRule,
    now: DateTime<Utc>,
) -> Verdict {
    let (mut patient, points) = (lapsed(), ContactPoints::default());
    patient.history.whatsapp = ledger;
    let facts = facts(clinic, &patient, &points, now);
    StepCase { facts: &facts, enrollment, step: &clinic.flows[0].steps[step], now }.check(rule).verdict
}

/// Whether a ledger leaves room for another message now.
fn has_room(clinic: &Clinic, ledger: WhatsappLedger) -> bool {
    says(clinic, ledger, &enrolled(clinic, now()), 0, StepRule::PersonCap, now()) == Verdict::Pass
}

#[test]
fn two_in_thirty_days_and_not_a_third() {
    let clinic = clinic("");
    assert!(has_room(&clinic, sent(&[now() - days(1)])), "one");
    assert!(!has_room(&clinic, sent(&[now() - days(29), now() - days(1)])), "two");
    let border = now() - days(30) - CLOCK_MARGIN;
    assert!(
        !has_room(&clinic, sent(&[now() - days(30), now() - days(1)])),
        "thirty days are not over before clocks agree that they are"
    );
    assert!(!has_room(&clinic, sent(&[border + TimeDelta::seconds(1), now() - days(1)])));
    assert!(has_room(&clinic, sent(&[border, now() - days(1)])));
}

#[test]
fn the_second_one_in_thirty_days_starts_sixty_days_of_rest() {
    let rest =
        |clinic: &Clinic, before: &[DateTime<Utc>]| sent(before).free_place(now(), &clinic.limits).unwrap().rest_until;
    let plain = clinic("");
    assert_eq!(rest(&plain, &[]), None);
    assert_eq!(rest(&plain, &[now() - days(5)]), Some(now() + days(60) + CLOCK_MARGIN));
    assert_eq!(rest(&plain, &[now() - days(31)]), None, "the first of a new window");
    let longer = clinic_with("rest_days = 60", "rest_days = 90");
    assert_eq!(rest(&longer, &[now() - days(5)]), Some(now() + days(90) + CLOCK_MARGIN));
    assert!(!has_room(&plain, resting(now() + TimeDelta::seconds(1))) && has_room(&plain, resting(now())));
}

#[test]
fn the_clinic_sets_how_many_in_how_many_days() {
    let three = clinic_with("whatsapp_max = 2", "whatsapp_max = 3");
    assert!(has_room(&three, sent(&[now() - days(2), now() - days(1)])));
    assert!(!has_room(&three, sent(&[now() - days(3), now() - days(2), now() - days(1)])));
    let none = clinic_with("whatsapp_max = 2", "whatsapp_max = 0");
    assert!(!has_room(&none, WhatsappLedger::default()), "none at all");
    let ten_days = clinic_with("whatsapp_window_days = 30", "whatsapp_window_days = 10");
    assert!(!has_room(&ten_days, sent(&[now() - days(10), now() - days(1)])));
    assert!(has_room(&ten_days, sent(&[now() - days(11), now() - days(1)])));
}

#[test]
fn a_clinic_that_lowers_its_cap_counts_what_the_higher_one_let_pass() {
    // Three places were used under a cap of three; two of them lie within the window.
    let two = clinic("");
    assert!(!has_room(&two, sent(&[now() - days(40), now() - days(9), now() - days(3)])));
    assert!(!has_room(&two, sent(&[now() - days(40), now() - days(35), now() - days(3)]).after(now() - days(1))));
    let one_left = sent(&[now() - days(40), now() - days(35), now() - days(3)]);
    let free = one_left.free_place(now(), &two.limits).unwrap();
    assert_eq!(free.rest_until, Some(now() + days(60) + CLOCK_MARGIN), "the one sent now is the second");
}

trait After {
    fn after(self, at: DateTime<Utc>) -> Self;
}

impl After for WhatsappLedger {
    /// One more was sent, in the first place.
    fn after(mut self, at: DateTime<Utc>) -> Self {
        self.stamps[0] = Some(at);
        self
    }
}

#[test]
fn care_email_and_calls_are_not_counted() {
    let full = || sent(&[now() - days(2), now() - days(1)]);
    let mut clinic = clinic("");
    let enrollment = enrolled(&clinic, now());
    for step in [1, 3] {
        assert_eq!(says(&clinic, full(), &enrollment, step, StepRule::PersonCap, now()), Verdict::Pass);
    }
    assert_eq!(says(&clinic, full(), &enrollment, 0, StepRule::PersonCap, now()), Verdict::Skip);
    clinic.flows[0].steps[0].purpose = Purpose::Care;
    assert_eq!(says(&clinic, full(), &enrollment, 0, StepRule::PersonCap, now()), Verdict::Pass, "follow-up is exempt");
}

#[test]
fn a_step_leaves_at_most_96_hours_after_its_day_and_the_clinic_sets_how_many() {
    let say = |clinic: &Clinic, instant| {
        let begun = Enrollment { first_sent_on: Some(date("2026-03-02")), ..enrolled(clinic, now()) };
        says(clinic, WhatsappLedger::default(), &begun, 1, StepRule::Delay, instant)
    };
    // The second step is due on 4 March; its day ends with the midnight to the 5th.
    let plain = clinic("");
    assert_eq!(say(&plain, at("2026-03-09 00:00")), Verdict::Pass);
    assert_eq!(say(&plain, at("2026-03-09 00:01")), Verdict::Skip);
    let prompt = clinic_with("channel = \"email\", delay_hours_max = 96", "channel = \"email\", delay_hours_max = 0");
    assert_eq!(say(&prompt, at("2026-03-05 00:00")), Verdict::Pass, "its own day is its own");
    assert_eq!(say(&prompt, at("2026-03-05 00:01")), Verdict::Skip);
}

#[test]
fn contact_hours_are_monday_to_friday_9_to_20_and_saturday_9_to_14() {
    let clinic = clinic("");
    let say =
        |instant| says(&clinic, WhatsappLedger::default(), &enrolled(&clinic, now()), 0, StepRule::Hours, instant);
    let second = TimeDelta::seconds(1);
    for day in 2..=6 {
        let on = |time: &str| at(&format!("2026-03-{day:02} {time}"));
        assert_eq!(say(on("09:00") - second), Verdict::Wait(on("09:00")), "before the opening");
        assert_eq!(say(on("09:00")), Verdict::Pass);
        assert_eq!(say(on("20:00") - second), Verdict::Pass);
        assert_eq!(say(on("20:00")), Verdict::Wait(at(&format!("2026-03-{:02} 09:00", day + 1))));
    }
    assert_eq!(say(at("2026-03-07 09:00")), Verdict::Pass, "Saturday");
    assert_eq!(say(at("2026-03-07 14:00") - second), Verdict::Pass);
    assert_eq!(say(at("2026-03-07 14:00")), Verdict::Wait(at("2026-03-09 09:00")), "Saturday afternoon");
    assert_eq!(say(at("2026-03-08 12:00")), Verdict::Wait(at("2026-03-09 09:00")), "Sunday");
    assert_eq!(
        say(at("2026-03-23 12:00")),
        Verdict::Wait(at("2026-03-25 09:00")),
        "a bridge day and a national holiday"
    );
}

#[test]
fn the_clinic_sets_its_hours_holidays_and_closures() {
    let say = |own: &str, instant| {
        let clinic = clinic(own);
        says(&clinic, WhatsappLedger::default(), &enrolled(&clinic, now()), 0, StepRule::Hours, instant)
    };
    let later = "[hours]\nmonday = \"10:30-12:15\"\nsunday = \"10:00-11:00\"\nsaturday = \"closed\"";
    assert_eq!(say(later, at("2026-03-02 10:29")), Verdict::Wait(at("2026-03-02 10:30")));
    assert_eq!(say(later, at("2026-03-02 12:14")), Verdict::Pass);
    assert_eq!(say(later, at("2026-03-02 12:15")), Verdict::Wait(at("2026-03-03 09:00")), "the other days stay");
    assert_eq!(say(later, at("2026-03-07 10:00")), Verdict::Wait(at("2026-03-08 10:00")));
    assert_eq!(say("[closures]\nwrite_on_holidays = true", at("2026-03-24 12:00")), Verdict::Pass);
    let august = "[closures]\ndates = [\"2026-03-02\", \"2026-03-03\"]";
    assert_eq!(say(august, at("2026-03-02 12:00")), Verdict::Wait(at("2026-03-04 09:00")));
    let colombian = "zone = \"America/Bogota\"";
    // 7:00 in Bogotá is 9:00 in Buenos Aires; the patient's clock is the one of Buenos Aires.
    assert_eq!(say(colombian, at("2026-03-02 07:00")), Verdict::Pass, "as the law of the clinic's country has it");
    assert_eq!(say(colombian, at("2026-03-02 19:00")), Verdict::Wait(at("2026-03-03 07:00")));
}
