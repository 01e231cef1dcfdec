//! Answers and their branches, which are data.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::clinic::Clinic;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Decision, Event, decide};
use retorno_domain::enrollment::{EndReason, Enrollment, SILENCE, State};
use retorno_domain::flow::{Answer, Flow, Reaction};
use retorno_domain::message::Delivery;
use retorno_domain::patient::Patient;
use retorno_domain::step_rules::Facts;

use crate::given::{at, clinic, clinic_with, date, days, enrolled, facts, lapsed, now};

const ANSWERS: [Answer; 7] =
    [Answer::Yes, Answer::Click, Answer::No, Answer::OptOut, Answer::Unclear, Answer::Unread, Answer::Silence];

fn in_state(clinic: &Clinic, state: State) -> Enrollment {
    Enrollment { state, first_sent_on: Some(date("2026-03-02")), ..enrolled(clinic, now()) }
}

fn running(clinic: &Clinic) -> Enrollment {
    in_state(clinic, State::Running { step: 1, due: now() + days(2) })
}

fn decided_at(clinic: &Clinic, enrollment: &Enrollment, event: &Event, now: DateTime<Utc>) -> Decision {
    let (patient, points) = (lapsed(), ContactPoints::default());
    decide(enrollment, event, now, &facts(clinic, &patient, &points, now))
}

fn answered(clinic: &Clinic, enrollment: &Enrollment, answer: Answer) -> Decision {
    decided_at(clinic, enrollment, &Event::Answered(answer, now()), now())
}

#[test]
fn the_branches_of_the_default_flow() {
    let flow = &clinic("").flows[0];
    assert_eq!(
        ANSWERS.map(|answer| flow.reaction(answer)),
        [
            Reaction::BookNow,
            Reaction::HighIntent,
            Reaction::Close,
            Reaction::Close,
            Reaction::HandOver,
            Reaction::NextStep,
            Reaction::Close,
        ]
    );
    let none = Flow { branches: Vec::new(), ..flow.clone() };
    assert!(
        ANSWERS.into_iter().all(|answer| none.reaction(answer) == Reaction::HandOver),
        "without a branch a person reads it"
    );
}

#[test]
fn who_wants_to_come_clicks_or_must_be_read_is_left_to_a_person() {
    let clinic = clinic("");
    for (answer, reaction) in
        [(Answer::Yes, Reaction::BookNow), (Answer::Click, Reaction::HighIntent), (Answer::Unclear, Reaction::HandOver)]
    {
        let decision = answered(&clinic, &running(&clinic), answer);
        let wake = Command::Wake { step: 1, at: now() + SILENCE };
        assert_eq!(decision.commands, [wake, Command::React(reaction)]);
        assert_eq!(decision.next.state, State::Conversing { since: now(), step: 1 });
        assert_eq!(decision.next.due(), Some(now() + SILENCE), "automation is silent until then");
        let again = answered(&clinic, &decision.next, answer);
        assert_eq!(
            (&again.commands[..], &again.next, again.because.reason()),
            (&[][..], &decision.next, "told_before")
        );
    }
    let closing = in_state(&clinic, State::Closing { due: now() + days(3) });
    assert_eq!(answered(&clinic, &closing, Answer::Yes).next.state, State::Conversing { since: now(), step: 4 });
    let talking = in_state(&clinic, State::Conversing { since: now() - days(1), step: 2 });
    assert_eq!(
        answered(&clinic, &talking, Answer::Unclear).next.state,
        State::Conversing { since: now(), step: 2 },
        "it keeps its place"
    );
}

#[test]
fn a_no_an_opt_out_and_a_silence_end_it_each_in_its_own_word() {
    let clinic = clinic("");
    for (answer, reason) in [
        (Answer::No, EndReason::Declined),
        (Answer::OptOut, EndReason::OptedOut),
        (Answer::Silence, EndReason::NoAnswer),
    ] {
        let decision = answered(&clinic, &running(&clinic), answer);
        assert_eq!(decision.commands, [Command::Release]);
        assert_eq!(decision.next.state, State::Ended { reason, at: now() });
    }
}

#[test]
fn an_unread_message_changes_nothing() {
    let clinic = clinic("");
    let decision = answered(&clinic, &running(&clinic), Answer::Unread);
    assert_eq!((&decision.commands[..], decision.next), (&[][..], running(&clinic)));
}

#[test]
fn the_clinic_sets_its_branches_but_an_opt_out_always_ends_it() {
    let other = clinic_with("no = \"close\"", "no = \"hand_over\"");
    assert_eq!(
        answered(&other, &running(&other), Answer::No).commands.last(),
        Some(&Command::React(Reaction::HandOver))
    );
    let close = clinic_with("yes = \"book_now\"", "yes = \"close\"");
    assert_eq!(
        answered(&close, &running(&close), Answer::Yes).next.state,
        State::Ended { reason: EndReason::Declined, at: now() }
    );
    for reaction in ["book_now", "high_intent", "next_step", "hand_over", "close"] {
        let stubborn = clinic_with("opt_out = \"close\"", &format!("opt_out = \"{reaction}\""));
        let decision = answered(&stubborn, &running(&stubborn), Answer::OptOut);
        assert_eq!(decision.next.state, State::Ended { reason: EndReason::OptedOut, at: now() }, "{reaction}");
    }
}

#[test]
fn a_released_conversation_goes_on_with_the_step_it_had_come_to() {
    let clinic = clinic("");
    let talking = |step| in_state(&clinic, State::Conversing { since: now(), step });
    let early = decided_at(&clinic, &talking(1), &Event::Released, at("2026-03-02 12:00"));
    let State::Running { step: 1, due } = early.next.state else { panic!("{early:?}") };
    assert_eq!(clinic.date(due), date("2026-03-04"), "on the day it has anyway");
    assert_eq!(early.commands, [Command::Wake { step: 1, at: due }]);
    let late = at("2026-03-05 12:00");
    let after = decided_at(&clinic, &talking(1), &Event::Released, late);
    assert_eq!(after.next.state, State::Running { step: 1, due: late }, "at once, when that day is past");
    let done = decided_at(&clinic, &talking(4), &Event::Released, late);
    assert_eq!(done.next.state, State::Closing { due: at("2026-03-13 00:00") });
}

#[test]
fn a_conversation_that_fell_silent_goes_on_by_itself_unless_a_person_has_it() {
    let clinic = clinic("");
    let talking = in_state(&clinic, State::Conversing { since: now(), step: 1 });
    let (due, later) = (Event::StepDue { step: 1, message: None }, now() + SILENCE);
    let looked_at = |heard: Option<DateTime<Utc>>, paused: bool, at: DateTime<Utc>| {
        let patient = Patient { paused, ..lapsed() };
        let points = ContactPoints::default();
        let facts = Facts { heard_at: heard, ..facts(&clinic, &patient, &points, at) };
        decide(&talking, &due, at, &facts)
    };
    let early = looked_at(Some(now()), false, later - TimeDelta::seconds(1));
    assert_eq!((&early.commands[..], early.because.reason()), (&[][..], "too_early"));
    assert!(matches!(looked_at(Some(now()), false, later).next.state, State::Running { step: 1, .. }));
    let heard = now() + days(2);
    let went_on = looked_at(Some(heard), false, later);
    assert_eq!(went_on.next.state, State::Conversing { since: heard, step: 1 }, "seven days from the last word");
    assert_eq!(went_on.commands, [Command::Wake { step: 1, at: heard + SILENCE }]);
    let had = looked_at(Some(now()), true, later);
    assert_eq!(had.next.state, State::Conversing { since: later, step: 1 }, "a person has it: looked at again");
    assert_eq!(had.commands, [Command::Wake { step: 1, at: later + SILENCE }]);
}

#[test]
fn a_step_given_up_while_the_patient_converses_is_not_come_back_to() {
    let clinic = clinic("");
    let talking = in_state(&clinic, State::Conversing { since: now(), step: 1 });
    let ready = Event::StepDue { step: 1, message: Some(Delivery::Ready { attempts: 1 }) };
    let decision = decided_at(&clinic, &talking, &ready, now());
    assert!(matches!(decision.commands[0], Command::Drop { reason: "sequence_over", .. }), "{decision:?}");
    assert_eq!(decision.next.state, State::Conversing { since: now(), step: 2 });
}

#[test]
fn a_release_without_a_conversation_does_nothing() {
    let clinic = clinic("");
    for enrollment in [running(&clinic), in_state(&clinic, State::Closing { due: now() + days(3) })] {
        let decision = decided_at(&clinic, &enrollment, &Event::Released, now());
        assert_eq!(
            (&decision.commands[..], &decision.next, decision.because.reason()),
            (&[][..], &enrollment, "not_conversing")
        );
    }
}
