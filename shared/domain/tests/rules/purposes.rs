//! Marketing and care: what an opt-out of one leaves of the other.

use retorno_domain::because::Verdict;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::conversation::{Act, Case, Say, Thread, respond};
use retorno_domain::decide::{Command, Decision, Event, decide};
use retorno_domain::enrollment::{EndReason, Enrollment, State};
use retorno_domain::entry::{EntryRule, first_block};
use retorno_domain::flow::Answer;
use retorno_domain::patient::Patient;
use retorno_domain::reply::{Asked, Intent, Reading, understand};

use crate::given::{booked, clinic, date, days, enrolled, entry, facts, lapsed, now, only, somebody, visit};

/// The default clinic, its third step (WhatsApp) for care.
fn mixed() -> Clinic {
    let mut clinic = clinic("");
    assert_eq!(clinic.flows[0].steps[2].channel, Channel::Whatsapp);
    clinic.flows[0].steps[2].purpose = Purpose::Care;
    clinic
}

fn out(mut patient: Patient, purposes: PurposeSet) -> Patient {
    let on = date("2026-03-01");
    patient.consent.record(Statement { on, wish: Wish::OptOut, source: Source::Recorded, purposes });
    patient
}

fn decided(clinic: &Clinic, state: State, event: &Event, patient: &Patient, points: &ContactPoints) -> Decision {
    let enrollment = Enrollment { state, first_sent_on: Some(date("2026-02-27")), ..enrolled(clinic, now()) };
    decide(&enrollment, event, now(), &facts(clinic, patient, points, now()))
}

fn due(step: usize) -> (State, Event) {
    (State::Running { step, due: now() }, Event::StepDue { step, message: None })
}

#[test]
fn after_an_opt_out_of_marketing_its_steps_are_left_out_and_those_of_care_leave() {
    let (clinic, points) = (mixed(), ContactPoints::default());
    let patient = out(lapsed(), PurposeSet::MARKETING);
    let (state, event) = due(1);
    let decision = decided(&clinic, state, &event, &patient, &points);
    assert!(matches!(decision.commands[0], Command::Drop { reason: "opted_out", .. }), "{decision:?}");
    assert!(matches!(decision.next.state, State::Running { step: 2, .. }), "the step of care is still to come");
    let (state, event) = due(2);
    let decision = decided(&clinic, state, &event, &patient, &points);
    let sent = decision.commands.iter().any(|command| matches!(command, Command::Send(_)));
    assert!(sent, "{decision:?}");
    // The last one is marketing again: with nothing else to come the sequence is over.
    let (state, event) = due(3);
    let decision = decided(&clinic, state, &event, &patient, &points);
    assert_eq!(decision.next.state, State::Ended { reason: EndReason::OptedOut, at: now() });
}

#[test]
fn an_opt_out_of_care_leaves_its_step_out_and_one_of_everything_ends_the_sequence() {
    let (clinic, points) = (mixed(), ContactPoints::default());
    let (state, event) = due(2);
    let decision = decided(&clinic, state, &event, &out(lapsed(), PurposeSet::CARE), &points);
    assert!(matches!(decision.commands[0], Command::Drop { reason: "opted_out", .. }), "{decision:?}");
    let (state, event) = due(1);
    let decision = decided(&clinic, state, &event, &out(lapsed(), PurposeSet::ALL), &points);
    assert_eq!(decision.next.state, State::Ended { reason: EndReason::OptedOut, at: now() });
}

#[test]
fn the_answer_that_opts_out_ends_the_sequence_unless_a_step_of_care_is_to_come() {
    let (clinic, mut points) = (mixed(), ContactPoints::default());
    let patient = out(lapsed(), PurposeSet::MARKETING);
    let event = Event::Answered(Answer::OptOut, now());
    for (step, goes_on) in [(1, true), (2, true), (3, false)] {
        let state = State::Running { step, due: now() + days(1) };
        for event in [&event, &Event::PatientChanged] {
            let decision = decided(&clinic, state.clone(), event, &patient, &points);
            assert_eq!(decision.next.state == state, goes_on, "{step} {event:?}");
        }
    }
    // A wrong number ends it, whatever was said of marketing before.
    points.phone.unreachable = only(&[Channel::Whatsapp, Channel::Sms, Channel::Call]);
    let decision = decided(&clinic, State::Running { step: 1, due: now() }, &event, &patient, &points);
    assert!(matches!(decision.next.state, State::Ended { .. }));
}

#[test]
fn a_flow_of_care_is_entered_by_who_opted_out_of_marketing_and_not_by_who_wants_no_reminders() {
    let mut clinic = clinic("");
    for step in &mut clinic.flows[0].steps {
        step.purpose = Purpose::Care;
    }
    let mut points = ContactPoints::default();
    (points.phone.suppressed, points.email.suppressed) = (ChannelSet::ALL, ChannelSet::ALL);
    let blocked = |patient: &Patient, points: &ContactPoints| {
        first_block(&entry(&clinic, patient, points, now()), EntryRule::ALL).map(|finding| finding.reason)
    };
    assert_eq!(blocked(&out(lapsed(), PurposeSet::MARKETING), &points), None);
    assert_eq!(blocked(&out(lapsed(), PurposeSet::CARE), &points), Some("opted_out"));
    (points.phone.suppressed_care, points.email.suppressed_care) = (ChannelSet::ALL, ChannelSet::ALL);
    assert_eq!(blocked(&lapsed(), &points), Some("shared_opt_out"), "somebody who shares the contact wants none");
}

/// What is done when a patient writes this.
fn acts(patient: &Patient, reading: &Reading) -> Vec<Act> {
    let thread = Thread::default();
    respond(&Case { patient, thread: &thread, now: now(), today: date("2026-03-02") }, reading)
}

fn written(patient: &Patient, text: &str) -> (PurposeSet, Say) {
    let reading = understand(text, &Asked::default(), date("2026-03-02"));
    let acts = acts(patient, &reading);
    let purposes = acts.iter().find_map(|act| if let Act::OptOut(purposes) = act { Some(*purposes) } else { None });
    let say = acts.iter().find_map(|act| if let Act::Say(say) = act { Some(*say) } else { None });
    (purposes.unwrap_or_else(|| panic!("{text}: {acts:?}")), say.unwrap())
}

#[test]
fn parar_stops_marketing_and_a_second_one_stops_what_still_comes() {
    for text in ["PARAR", "BAJA", "stop", "no quiero más publicidad", "SAIR", "sáquenme de la lista"] {
        assert_eq!(written(&lapsed(), text), (PurposeSet::MARKETING, Say::OptedOut), "{text}");
    }
    let once = out(lapsed(), PurposeSet::MARKETING);
    assert_eq!(written(&once, "PARAR"), (PurposeSet::ALL, Say::AllStopped));
    let no_reminders = out(lapsed(), PurposeSet::CARE);
    assert_eq!(written(&no_reminders, "PARAR"), (PurposeSet::MARKETING, Say::AllStopped), "nothing goes on");
}

#[test]
fn who_says_more_than_parar_is_written_to_no_more() {
    for text in [
        "no me escriban nunca más",
        "no me escriban más nada",
        "no me contacten más",
        "PARAR todo",
        "não me mandem mais nada",
        "déjenme en paz",
    ] {
        assert_eq!(written(&lapsed(), text), (PurposeSet::ALL, Say::AllStopped), "{text}");
    }
    let doubtful = Reading { intent: Intent::OptOut, sure: false };
    let acts = acts(&lapsed(), &doubtful);
    assert_eq!(acts[0], Act::OptOut(PurposeSet::ALL), "in doubt more is stopped");
    assert!(matches!(acts.last(), Some(Act::HandOver { reason: "opt_out_doubtful", .. })));
}

#[test]
fn reminders_stop_when_that_is_asked_for_also_while_staff_has_the_conversation() {
    for text in ["no me manden más recordatorios", "não quero mais lembretes", "NO MÁS RECORDATORIOS"] {
        let mut visitor = somebody(vec![visit(200), booked(3)]);
        assert_eq!(written(&visitor, text), (PurposeSet::CARE, Say::RemindersStopped), "{text}");
        visitor.paused = true;
        assert_eq!(written(&visitor, text).0, PurposeSet::CARE);
        let stopped = out(visitor, PurposeSet::MARKETING);
        assert_eq!(written(&stopped, text), (PurposeSet::CARE, Say::AllStopped));
        assert_eq!(written(&lapsed(), text).0, PurposeSet::ALL, "without a visit, what was sent is meant");
    }
    let doubtful = Reading { intent: Intent::StopReminders, sure: false };
    assert_eq!(acts(&somebody(vec![booked(3)]), &doubtful)[0], Act::OptOut(PurposeSet::ALL));
}

#[test]
fn the_rule_of_the_contact_point_looks_at_the_purpose_of_the_step() {
    let (clinic, patient) = (mixed(), lapsed());
    let mut points = ContactPoints::default();
    points.phone.suppressed_care = ChannelSet::ALL;
    let facts = facts(&clinic, &patient, &points, now());
    let enrollment = enrolled(&clinic, now());
    let says = |step: usize| {
        let step = &facts.flow.steps[step];
        let case = retorno_domain::step_rules::StepCase { facts: &facts, enrollment: &enrollment, step, now: now() };
        case.check(retorno_domain::step_rules::StepRule::SharedOptOut).verdict
    };
    assert_eq!((says(0), says(2)), (Verdict::Pass, Verdict::Skip));
}
