//! Whether a step may be sent now: what each rule says, and what comes of it.

use chrono::TimeDelta;
use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::approval::Lacking;
use retorno_domain::because::Verdict;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::connection::{LinkState, Unlinked};
use retorno_domain::consent::{Consent, Wish};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::enrollment::{EndReason, Enrollment, held_until, place_in_day};
use retorno_domain::flow::Step;
use retorno_domain::patient::Patient;
use retorno_domain::segment::Placement;
use retorno_domain::step_rules::{CopyProblem, Facts, StepCase, StepRule};

use crate::given::{
    agreed_to, at, booked, clinic, date, days, enrolled, facts, lapsed, now, only, resting, said, sent, somebody, visit,
};

/// What a step is decided on, as it is told.
struct Told {
    clinic: Clinic,
    patient: Patient,
    points: ContactPoints,
    enrollment: Enrollment,
    step: usize,
}

fn told() -> Told {
    let clinic = clinic("");
    Told { enrollment: enrolled(&clinic, now()), patient: lapsed(), points: ContactPoints::default(), step: 0, clinic }
}

impl Told {
    fn of(change: impl FnOnce(&mut Self)) -> Self {
        let mut told = told();
        change(&mut told);
        told
    }

    /// What a rule says at an instant: its reason and its verdict.
    fn says_at(&self, rule: StepRule, now: chrono::DateTime<chrono::Utc>) -> (&'static str, Verdict) {
        let facts = facts(&self.clinic, &self.patient, &self.points, now);
        self.case(rule, &facts, now)
    }

    fn says(&self, rule: StepRule) -> (&'static str, Verdict) {
        self.says_at(rule, now())
    }

    fn with<'a>(&'a self, rule: StepRule, change: impl FnOnce(&mut Facts<'a>)) -> (&'static str, Verdict) {
        let mut facts = facts(&self.clinic, &self.patient, &self.points, now());
        change(&mut facts);
        self.case(rule, &facts, now())
    }

    fn case(&self, rule: StepRule, facts: &Facts<'_>, now: chrono::DateTime<chrono::Utc>) -> (&'static str, Verdict) {
        let step: &Step = &facts.flow.steps[self.step];
        let finding = StepCase { facts, enrollment: &self.enrollment, step, now }.check(rule);
        (finding.reason, finding.verdict)
    }
}

#[test]
fn a_step_in_hours_to_somebody_who_agreed_passes_every_rule() {
    for rule in StepRule::ALL {
        assert_eq!(told().says(rule).1, Verdict::Pass, "{rule:?}");
    }
}

#[test]
fn an_older_epoch_stops() {
    let restored = Told::of(|t| t.clinic.epoch += 1);
    assert_eq!(restored.says(StepRule::Epoch), ("older_epoch", Verdict::Stop));
    let ahead = Told::of(|t| t.enrollment.epoch += 1);
    assert_eq!(ahead.says(StepRule::Epoch), ("older_epoch", Verdict::Stop), "whichever of the two is the older");
}

#[test]
fn an_open_appointment_stops() {
    let say =
        |appointment| Told::of(|t| t.patient = somebody(vec![visit(200), appointment])).says(StepRule::OpenAppointment);
    let soon = |status| Appointment { status, start: now() + TimeDelta::seconds(1), ..visit(0) };
    for status in AppointmentStatus::ALL {
        let stops = say(soon(status)) == ("open_appointment", Verdict::Stop);
        assert_eq!(stops, !status.is_final(), "{status:?}");
    }
    assert_eq!(say(booked(0)).1, Verdict::Pass, "what begins now is no longer to come");
}

#[test]
fn an_appointment_without_outcome_stops_for_fourteen_days() {
    let say =
        |ago: i64| Told::of(|t| t.patient = somebody(vec![visit(200), booked(-ago)])).says(StepRule::AwaitingOutcome);
    assert_eq!(say(0), ("awaiting_outcome", Verdict::Stop));
    assert_eq!(say(14), ("awaiting_outcome", Verdict::Stop));
    assert_eq!(say(15).1, Verdict::Pass);
}

#[test]
fn an_opt_out_stops_and_a_silence_about_a_channel_does_not() {
    let say = |consent| Told::of(|t| t.patient.consent = consent).says(StepRule::OptOut);
    assert_eq!(say(Consent::from_statements(vec![said("2026-03-01", Wish::OptOut)])), ("opted_out", Verdict::Stop));
    assert_eq!(say(Consent::default()).1, Verdict::Pass, "no word is no opt-out: each step is left out by itself");
    assert_eq!(say(agreed_to(ChannelSet::NONE)).1, Verdict::Pass);
}

#[test]
fn the_first_message_leaves_in_its_week_by_the_clinics_calendar() {
    let say = |instant| told().says_at(StepRule::Week, instant);
    assert_eq!(say(at("2026-03-08 23:59")).1, Verdict::Pass, "Sunday night");
    assert_eq!(say(at("2026-03-09 00:00")), ("week_over", Verdict::Stop), "Monday");
    let begun = Told::of(|t| t.enrollment.first_sent_on = Some(date("2026-03-02")));
    assert_eq!(begun.says_at(StepRule::Week, at("2026-03-20 10:00")).1, Verdict::Pass);
}

#[test]
fn before_the_first_message_the_patient_must_still_be_a_member() {
    let nowhere = Placement { segment: None, next_change: None, leaves: None };
    let elsewhere = Placement { segment: Some(0), ..nowhere };
    for placement in [nowhere, elsewhere] {
        assert_eq!(told().with(StepRule::Member, |f| f.placement = placement), ("left_segment", Verdict::Stop));
        let begun = Told::of(|t| t.enrollment.first_sent_on = Some(date("2026-03-02")));
        assert_eq!(
            begun.with(StepRule::Member, |f| f.placement = placement).1,
            Verdict::Pass,
            "a sequence begun is played"
        );
    }
}

#[test]
fn a_channel_that_the_clinic_does_not_use_is_left_out() {
    let told = Told::of(|t| t.clinic.channels = only(&[Channel::Email]));
    assert_eq!(told.says(StepRule::ChannelUsed), ("channel_off", Verdict::Skip));
    assert_eq!(Told { step: 1, ..told }.says(StepRule::ChannelUsed).1, Verdict::Pass);
}

#[test]
fn a_channel_that_is_not_agreed_to_is_left_out() {
    let email_only = |step| Told::of(|t| (t.patient.consent, t.step) = (agreed_to(only(&[Channel::Email])), step));
    assert_eq!(email_only(0).says(StepRule::Consent), ("channel_not_agreed", Verdict::Skip), "WhatsApp");
    assert_eq!(email_only(1).says(StepRule::Consent).1, Verdict::Pass, "e-mail");
    assert_eq!(
        email_only(3).says(StepRule::Consent),
        ("channel_not_agreed", Verdict::Skip),
        "a call needs consent too"
    );
    let silent = Told::of(|t| t.patient.consent = Consent::default());
    assert_eq!(silent.says(StepRule::Consent), ("consent_unknown", Verdict::Skip), "unknown is no");
}

#[test]
fn a_contact_that_cannot_be_used_is_left_out() {
    let none = Told::of(|t| t.patient.profile.phone = Err(retorno_domain::contact::UnusablePhone::Invalid));
    assert_eq!(none.says(StepRule::Contact), ("no_usable_contact", Verdict::Skip));
    assert_eq!(Told { step: 1, ..none }.says(StepRule::Contact).1, Verdict::Pass, "the e-mail is there");
    let gone = |step| Told::of(|t| (t.points.phone.unreachable, t.step) = (only(&[Channel::Whatsapp]), step));
    assert_eq!(gone(0).says(StepRule::Contact), ("unreachable", Verdict::Skip));
    assert_eq!(gone(3).says(StepRule::Contact).1, Verdict::Pass, "no WhatsApp on that number, but a voice");
}

#[test]
fn an_opt_out_of_somebody_who_shares_the_contact_leaves_marketing_out() {
    let suppressed = |step| Told::of(|t| (t.points.phone.suppressed, t.step) = (ChannelSet::ALL, step));
    assert_eq!(suppressed(0).says(StepRule::SharedOptOut), ("shared_opt_out", Verdict::Skip));
    assert_eq!(suppressed(3).says(StepRule::SharedOptOut), ("shared_opt_out", Verdict::Skip));
    assert_eq!(suppressed(1).says(StepRule::SharedOptOut).1, Verdict::Pass, "the e-mail is another contact");
    let care = Told::of(|t| {
        t.points.phone.suppressed = ChannelSet::ALL;
        t.clinic.flows[0].steps[0].purpose = Purpose::Care;
    });
    assert_eq!(care.says(StepRule::SharedOptOut).1, Verdict::Pass, "it binds marketing only");
}

fn not_approved(why: Lacking) -> CopyProblem {
    CopyProblem::NotApproved { template: "retorno_x_v1".to_owned(), why }
}

#[test]
fn a_step_without_a_complete_copy_is_left_out_and_a_halted_template_waits() {
    let until = now() + TimeDelta::hours(3);
    for (problem, expected) in [
        (CopyProblem::Missing, ("no_template", Verdict::Skip)),
        (CopyProblem::Unfilled, ("unfilled_variable", Verdict::Skip)),
        (CopyProblem::Halted(until), ("template_halted", Verdict::Wait(until))),
        (not_approved(Lacking::NotSubmitted), ("template_not_submitted", Verdict::Skip)),
        (not_approved(Lacking::Rejected), ("template_rejected", Verdict::Skip)),
        (not_approved(Lacking::Disabled), ("template_disabled", Verdict::Skip)),
        (not_approved(Lacking::Deleted), ("template_deleted", Verdict::Skip)),
        (not_approved(Lacking::Paused(Some(until))), ("template_paused", Verdict::Wait(until))),
        (not_approved(Lacking::Paused(Some(now() + days(9)))), ("template_paused", Verdict::Skip)),
        (not_approved(Lacking::Paused(None)), ("template_paused", Verdict::Wait(held_until(now())))),
        (not_approved(Lacking::Pending), ("template_pending", Verdict::Wait(held_until(now())))),
    ] {
        let copy = move |_: &Step| Some(problem.clone());
        let told = told();
        let facts = Facts { copy: &copy, ..facts(&told.clinic, &told.patient, &told.points, now()) };
        assert_eq!(told.case(StepRule::Copy, &facts, now()), expected);
    }
}

#[test]
fn a_halted_clinic_and_a_paused_patient_make_a_step_wait_and_look_again_every_hour() {
    let again = held_until(now());
    let after = |seconds| (held_until(now() + TimeDelta::seconds(seconds)) - now()).num_minutes();
    assert_eq!([0, 1_800, 1_801, 3_600].map(after), [60, 60, 120, 120], "on the hour, half an hour away or more");
    assert_eq!(Told::of(|t| t.clinic.halted = true).says(StepRule::Running), ("clinic_halted", Verdict::Wait(again)));
    assert_eq!(Told::of(|t| t.patient.paused = true).says(StepRule::Paused), ("paused", Verdict::Wait(again)));
}

#[test]
fn a_halted_channel_makes_its_steps_wait_and_no_others() {
    let until = now() + TimeDelta::hours(2);
    let breakers = [(Channel::Whatsapp, until)];
    assert_eq!(told().with(StepRule::Breaker, |f| f.breakers = &breakers), ("channel_halted", Verdict::Wait(until)));
    let email = Told::of(|t| t.step = 1);
    assert_eq!(email.with(StepRule::Breaker, |f| f.breakers = &breakers).1, Verdict::Pass);
    let over = [(Channel::Whatsapp, now())];
    assert_eq!(told().with(StepRule::Breaker, |f| f.breakers = &over).1, Verdict::Pass, "until then, and no longer");
}

#[test]
fn a_gateway_that_is_not_linked_makes_whatsapp_wait_and_says_so() {
    let until = now() + TimeDelta::minutes(15);
    let unlinked = Some(Unlinked { state: LinkState::LoggedOut, until });
    assert_eq!(told().with(StepRule::Breaker, |f| f.unlinked = unlinked), ("gateway_unlinked", Verdict::Wait(until)));
    assert_eq!(Told::of(|t| t.step = 1).with(StepRule::Breaker, |f| f.unlinked = unlinked).1, Verdict::Pass);
}

#[test]
fn a_number_at_its_daily_tier_makes_whatsapp_wait() {
    let until = now() + TimeDelta::hours(5);
    let full = |told: &Told| told.with(StepRule::NumberTier, |f| f.number_full_until = Some(until));
    assert_eq!(full(&told()), ("number_full", Verdict::Wait(until)));
    for step in [1, 3] {
        assert_eq!(full(&Told::of(|t| t.step = step)).1, Verdict::Pass, "an e-mail and a call use no number");
    }
}

#[test]
fn hours_are_read_on_the_patients_clock() {
    let in_madrid = Told::of(|t| t.patient.profile.zone = chrono_tz::Europe::Madrid);
    // 10:00 in Buenos Aires is 14:00 in Madrid; 16:00 is 20:00.
    assert_eq!(in_madrid.says(StepRule::Hours).1, Verdict::Pass);
    let (reason, verdict) = in_madrid.says_at(StepRule::Hours, at("2026-03-02 16:00"));
    assert_eq!((reason, verdict), ("outside_hours", Verdict::Wait(at("2026-03-03 05:00"))), "9:00 in Madrid");
}

#[test]
fn a_clinic_that_never_opens_leaves_the_step_out() {
    let closed = clinic(
        "[hours]\nmonday = \"closed\"\ntuesday = \"closed\"\nwednesday = \"closed\"\nthursday = \"closed\"\nfriday = \"closed\"\nsaturday = \"closed\"",
    );
    assert_eq!(Told::of(|t| t.clinic = closed).says(StepRule::Hours), ("never_open", Verdict::Skip));
}

#[test]
fn a_second_message_of_the_day_waits_for_its_own_place_in_the_next_open_day() {
    let wrote = |told: &mut Told, count| {
        told.patient.history.last_at = Some(at("2026-03-02 09:10"));
        told.patient.history.last_day_count = count;
    };
    let told = Told::of(|t| wrote(t, 1));
    let window = told.clinic.calendar.window_on(date("2026-03-03"), crate::given::ZONE).unwrap();
    let place = place_in_day(told.enrollment.id, window);
    assert_eq!(told.says(StepRule::PerDay), ("enough_today", Verdict::Wait(place)));
    assert_eq!(told.says_at(StepRule::PerDay, at("2026-03-03 09:00")).1, Verdict::Pass, "a new day");
    let two = |count| Told::of(|t| (t.clinic, ()) = (clinic("[limits]\nper_day_max = 2"), wrote(t, count)));
    assert_eq!((two(1).says(StepRule::PerDay).1, two(2).says(StepRule::PerDay).0), (Verdict::Pass, "enough_today"));
    // On a Saturday the next open day is Monday.
    let saturday =
        Told::of(|t| (t.patient.history.last_at, t.patient.history.last_day_count) = (Some(at("2026-03-07 10:00")), 1));
    let Verdict::Wait(next) = saturday.says_at(StepRule::PerDay, at("2026-03-07 11:00")).1 else { panic!("it waits") };
    assert_eq!(saturday.clinic.date(next), date("2026-03-09"));
}

#[test]
fn each_rule_that_ends_a_sequence_says_so_in_its_own_word() {
    let ends = |rule: StepRule| rule.end_reason();
    assert_eq!(
        StepRule::STANDING.map(ends),
        [EndReason::OlderEpoch, EndReason::Booked, EndReason::AwaitingOutcome, EndReason::OptedOut]
    );
    assert_eq!([StepRule::Week, StepRule::Member].map(ends), [EndReason::WeekOver, EndReason::LeftSegment]);
    for reason in EndReason::ALL {
        assert_eq!(EndReason::of_code(reason.code()), Some(reason));
    }
    assert_eq!(EndReason::of_code("bored"), None);
}

#[test]
fn a_cap_reached_leaves_the_step_out_for_the_person_as_for_the_contact() {
    let full = sent(&[now() - days(3), now() - days(1)]);
    let person = Told::of(|t| t.patient.history.whatsapp = full.clone());
    assert_eq!(person.says(StepRule::PersonCap), ("capped", Verdict::Skip));
    assert_eq!(person.says(StepRule::ContactCap).1, Verdict::Pass);
    let contact = Told::of(|t| t.points.phone.whatsapp = full);
    assert_eq!(contact.says(StepRule::ContactCap), ("capped", Verdict::Skip));
    assert_eq!(contact.says(StepRule::PersonCap).1, Verdict::Pass);
    let tired = Told::of(|t| t.points.phone.whatsapp = resting(now() + days(1)));
    assert_eq!(tired.says(StepRule::ContactCap), ("resting", Verdict::Skip));
}
