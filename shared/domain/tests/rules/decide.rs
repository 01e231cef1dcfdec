//! The one decision: what a wake-up leads to, which wake-ups lead to nothing, and what holds of
//! every decision whatever the event and the facts.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Consent, Wish};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Decision, Event, decide};
use retorno_domain::enrollment::{EndReason, Enrollment, SILENCE, State};
use retorno_domain::flow::Answer;
use retorno_domain::ids::MessageId;
use retorno_domain::message::Delivery;
use retorno_domain::patient::Patient;

use crate::given::{
    agreed_to, at, booked, clinic, date, days, enrolled, facts, lapsed, now, said, sent, somebody, visit,
};

fn due(step: usize) -> Event {
    Event::StepDue { step, message: None }
}

fn about(step: usize, message: Delivery) -> Event {
    Event::StepDue { step, message: Some(message) }
}

/// Decides about a patient of the default clinic, without anything on record about the contacts.
fn decided(enrollment: &Enrollment, event: &Event, now: DateTime<Utc>, patient: &Patient) -> Decision {
    let (clinic, points) = (clinic(""), ContactPoints::default());
    decide(enrollment, event, now, &facts(&clinic, patient, &points, now))
}

fn running(step: usize, due: DateTime<Utc>) -> Enrollment {
    Enrollment {
        state: State::Running { step, due },
        first_sent_on: (step > 0).then(|| date("2026-03-02")),
        ..enrolled(&clinic(""), now())
    }
}

fn in_state(state: State) -> Enrollment {
    Enrollment { state, first_sent_on: Some(date("2026-02-27")), ..enrolled(&clinic(""), now()) }
}

fn why(decision: &Decision) -> &'static str {
    decision.because.reason()
}

#[test]
fn a_step_that_is_due_is_sent_after_the_wake_for_the_next_one() {
    let decision = decided(&running(0, now()), &due(0), now(), &lapsed());
    let [Command::Wake { step: 1, at: next }, Command::Send(intent)] = &decision.commands[..] else {
        panic!("{decision:?}")
    };
    assert_eq!(decision.next.state, State::Running { step: 1, due: *next });
    assert_eq!(clinic("").date(*next), date("2026-03-04"), "two days later");
    assert_eq!(decision.next.first_sent_on, Some(date("2026-03-02")));
    assert_eq!(
        (intent.step, intent.step_id.as_str(), intent.channel, intent.purpose),
        (0, "d1", Channel::Whatsapp, Purpose::Marketing)
    );
    assert_eq!(
        (intent.template.as_str(), intent.message),
        ("preventivo-6-12m/d1", MessageId::of(decision.next.id, &intent.step_id))
    );
    assert_eq!(intent.claim_before, at("2026-03-02 20:00"), "before the hours are over");
    assert!(intent.places.is_some());
    assert_eq!(why(&decision), "number_tier", "every rule was looked at and passed");
}

#[test]
fn a_wake_before_its_time_does_nothing() {
    for (enrollment, step) in [(running(0, now()), 0), (in_state(State::Closing { due: now() }), 4)] {
        let early = now() - TimeDelta::seconds(1);
        let decision = decided(&enrollment, &due(step), early, &lapsed());
        assert_eq!((&decision.commands[..], &decision.next, why(&decision)), (&[][..], &enrollment, "too_early"));
    }
}

#[test]
fn a_wake_for_another_step_does_nothing() {
    let answered = State::Conversing { since: now() - days(1), step: 1 };
    for (enrollment, step) in [
        (running(1, now()), 0),
        (running(1, now()), 2),
        (running(1, now()), 4),
        (in_state(State::Closing { due: now() }), 3),
        (in_state(answered), 4),
    ] {
        let decision = decided(&enrollment, &due(step), now() + days(1), &lapsed());
        assert_eq!((&decision.commands[..], &decision.next), (&[][..], &enrollment));
        assert_eq!(why(&decision), "stale_wake");
    }
}

#[test]
fn a_message_in_any_state_but_ready_is_not_sent_again() {
    for message in [
        Delivery::InFlight { attempt: 1, claimed_at: now() },
        Delivery::Accepted,
        Delivery::Failed("131026".to_owned()),
        Delivery::Unknown { claimed_at: now() },
        Delivery::Undetermined,
        Delivery::Dropped("capped".to_owned()),
    ] {
        for enrollment in [running(1, now() + days(1)), in_state(State::Closing { due: now() + days(1) })] {
            let decision = decided(&enrollment, &about(0, message.clone()), now(), &lapsed());
            assert_eq!((&decision.commands[..], &decision.next), (&[][..], &enrollment), "{message:?}");
        }
    }
}

#[test]
fn a_ready_message_is_tried_again_under_all_the_rules_and_moves_nothing() {
    let ready = || about(0, Delivery::Ready { attempts: 1 });
    for enrollment in [running(1, now() + days(1)), in_state(State::Closing { due: now() + days(1) })] {
        let decision = decided(&enrollment, &ready(), now(), &lapsed());
        assert!(matches!(&decision.commands[..], [Command::Send(intent)] if intent.step == 0), "{decision:?}");
        assert_eq!(decision.next, enrollment);
        let night = decided(&enrollment, &ready(), at("2026-03-02 21:00"), &lapsed());
        assert_eq!(night.commands, [Command::Wake { step: 0, at: at("2026-03-03 09:00") }], "it waits like any other");
        assert_eq!(night.next, enrollment);
        let mut capped = lapsed();
        capped.history.whatsapp = sent(&[now() - days(2), now() - days(1)]);
        let dropped = decided(&enrollment, &ready(), now(), &capped);
        assert!(matches!(dropped.commands[..], [Command::Drop { reason: "capped", .. }]));
        let booked = decided(&enrollment, &ready(), now(), &somebody(vec![visit(200), booked(4)]));
        assert!(matches!(booked.commands[..], [Command::Drop { reason: "booked", .. }, Command::Release]));
        assert_eq!(booked.next.state, State::Ended { reason: EndReason::Booked, at: now() });
    }
    let gone = decided(&running(1, now()), &about(9, Delivery::Ready { attempts: 1 }), now(), &lapsed());
    assert_eq!((&gone.commands[..], why(&gone)), (&[][..], "no_such_step"));
}

#[test]
fn a_ready_message_is_dropped_once_a_person_has_the_conversation_or_the_sequence_is_over() {
    let ready = about(0, Delivery::Ready { attempts: 1 });
    for state in [State::Conversing { since: now(), step: 1 }, State::Ended { reason: EndReason::Booked, at: now() }] {
        let enrollment = in_state(state);
        let decision = decided(&enrollment, &ready, now(), &lapsed());
        assert!(matches!(decision.commands[..], [Command::Drop { reason: "sequence_over", .. }]), "{decision:?}");
        assert_eq!(decision.next, enrollment);
    }
}

#[test]
fn a_claim_that_was_taken_back_is_decided_as_if_it_had_never_been() {
    let ready = about(0, Delivery::Ready { attempts: 1 });
    for instant in [now() - TimeDelta::seconds(1), now(), at("2026-03-02 21:00"), at("2026-03-09 10:00")] {
        let again = decided(&running(0, now()), &ready, instant, &lapsed());
        assert_eq!(again, decided(&running(0, now()), &due(0), instant, &lapsed()));
    }
}

#[test]
fn a_flow_that_lost_its_steps_ends_its_sequences() {
    let (mut clinic, patient, points) = (clinic(""), lapsed(), ContactPoints::default());
    clinic.flows[0].steps.clear();
    for event in [due(0), Event::PatientChanged, Event::Released, Event::Answered(Answer::Unread, now())] {
        let decision = decide(&running(1, now()), &event, now(), &facts(&clinic, &patient, &points, now()));
        assert_eq!(
            (decision.commands, decision.next.state),
            (vec![Command::Release], State::Ended { reason: EndReason::FlowGone, at: now() })
        );
    }
}

#[test]
fn a_change_of_the_patient_ends_the_sequence_when_something_is_booked_or_the_person_opted_out() {
    let mut out = lapsed();
    out.consent = Consent::from_statements(vec![said("2026-03-01", Wish::OptOut)]);
    for (patient, reason) in [
        (somebody(vec![visit(200), booked(3)]), EndReason::Booked),
        (somebody(vec![visit(200), booked(-3)]), EndReason::AwaitingOutcome),
        (out, EndReason::OptedOut),
    ] {
        for state in [
            State::Running { step: 1, due: now() },
            State::Closing { due: now() },
            State::Conversing { since: now(), step: 1 },
        ] {
            let decision = decided(&in_state(state), &Event::PatientChanged, now(), &patient);
            assert_eq!(decision.commands, [Command::Release]);
            assert_eq!(decision.next.state, State::Ended { reason, at: now() });
            assert_eq!(decision.next.first_sent_on, Some(date("2026-02-27")), "what was, was");
        }
        let before = decided(&running(0, now()), &Event::PatientChanged, now(), &patient);
        assert_eq!(
            before.commands,
            [Command::FreeSeat, Command::Release],
            "before the first message the seat is given back"
        );
    }
}

#[test]
fn a_change_that_breaks_no_standing_rule_changes_nothing() {
    let mut moved = lapsed();
    moved.paused = true;
    moved.consent = agreed_to(ChannelSet::NONE);
    let enrollment = running(1, now());
    let decision = decided(&enrollment, &Event::PatientChanged, now(), &moved);
    assert_eq!((&decision.commands[..], &decision.next), (&[][..], &enrollment));
}

#[test]
fn over_is_over() {
    for reason in EndReason::ALL {
        let enrollment = in_state(State::Ended { reason, at: now() - days(1) });
        for event in [
            due(0),
            due(4),
            about(0, Delivery::Accepted),
            Event::PatientChanged,
            Event::Answered(Answer::Yes, now()),
            Event::Released,
        ] {
            let decision = decided(&enrollment, &event, now(), &somebody(vec![visit(200), booked(3)]));
            assert_eq!((&decision.commands[..], &decision.next), (&[][..], &enrollment), "{event:?}");
            assert_eq!(why(&decision), "already_ended");
        }
    }
}

/// Facts as they may come together.
fn world() -> impl Strategy<Value = (Clinic, Patient, ContactPoints, DateTime<Utc>)> {
    let sets = (0u8..16, 0u8..16, 0u8..16, 12u8..16);
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.15), any::<bool>());
    let ledger = || prop::collection::vec(prop::option::of(0i64..60), 0..3);
    (sets, flags, ledger(), ledger(), 0i64..(20 * 24 * 60), prop::option::of(0i64..40)).prop_map(
        |((agreed, unreachable, suppressed, used), (halted, paused, has_booked, care), own, shared, minutes, last)| {
            let set = |bits: u8| {
                Channel::ALL
                    .into_iter()
                    .enumerate()
                    .filter(|(n, _)| bits & (1 << n) != 0)
                    .map(|(_, c)| c)
                    .collect::<ChannelSet>()
            };
            let now = now() + TimeDelta::minutes(minutes);
            let stamps = |ago: Vec<Option<i64>>| ago.into_iter().map(|ago| ago.map(|ago| now - days(ago))).collect();
            let mut clinic = Clinic { halted, channels: set(used ^ agreed), ..clinic("") };
            clinic.flows[0].steps[0].purpose = if care { Purpose::Care } else { Purpose::Marketing };
            let mut patient = if has_booked { somebody(vec![visit(200), booked(9)]) } else { lapsed() };
            (patient.consent, patient.paused) = (agreed_to(set(agreed)), paused);
            patient.history.whatsapp.stamps = stamps(own);
            (patient.history.last_at, patient.history.last_day_count) =
                (last.map(|hours| now - TimeDelta::hours(hours)), 1);
            // Every third a minor, half of whom have a guardian.
            if minutes % 3 == 0 {
                let guardian = (minutes % 2 == 0).then(crate::given::carolina);
                patient = crate::given::of_age_on(date("2026-03-09"), guardian, patient);
            }
            let mut points = ContactPoints::default();
            (points.phone.unreachable, points.phone.suppressed) = (set(unreachable & 3), set(suppressed & 5));
            points.phone.whatsapp.stamps = stamps(shared);
            (clinic, patient, points, now)
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let message = prop_oneof![
        4 => Just(None),
        2 => Just(Some(Delivery::Ready { attempts: 1 })),
        1 => Just(Some(Delivery::Dropped("capped".to_owned()))),
        1 => Just(Some(Delivery::Accepted)),
        1 => Just(Some(Delivery::Unknown { claimed_at: now() })),
    ];
    let answers =
        [Answer::Yes, Answer::Click, Answer::No, Answer::OptOut, Answer::Unclear, Answer::Unread, Answer::Silence];
    prop_oneof![
        6 => (0usize..6, message).prop_map(|(step, message)| Event::StepDue { step, message }),
        1 => Just(Event::PatientChanged),
        1 => prop::sample::select(answers.to_vec()).prop_map(|answer| Event::Answered(answer, now())),
        1 => Just(Event::Released),
    ]
}

fn enrollment() -> impl Strategy<Value = Enrollment> {
    let state = prop_oneof![
        6 => (0usize..5, -3i64..3).prop_map(|(step, day)| State::Running { step, due: now() + days(day) }),
        1 => (-3i64..3).prop_map(|day| State::Closing { due: now() + days(day) }),
        1 => (0usize..5).prop_map(|step| State::Conversing { since: now(), step }),
        1 => Just(State::Ended { reason: EndReason::Declined, at: now() }),
    ];
    (state, any::<bool>())
        .prop_map(|(state, begun)| Enrollment { first_sent_on: begun.then(|| date("2026-03-02")), ..in_state(state) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_happens_a_decision_keeps_its_promises(enrollment in enrollment(), event in event(), (clinic, patient, points, now) in world()) {
        let facts = facts(&clinic, &patient, &points, now);
        let decision = decide(&enrollment, &event, now, &facts);
        prop_assert_eq!(&decision, &decide(&enrollment, &event, now, &facts), "the same again");

        let (next, commands) = (&decision.next, &decision.commands);
        let sends: Vec<_> = commands.iter().filter_map(|c| if let Command::Send(intent) = c { Some(intent) } else { None }).collect();
        let place = |wanted: fn(&Command) -> bool| commands.iter().position(wanted);
        let (wake, send) = (place(|c| matches!(c, Command::Wake { .. })), place(|c| matches!(c, Command::Send(_))));
        prop_assert!(sends.len() <= 1 && send.is_none_or(|send| send == commands.len() - 1 && wake.is_none_or(|wake| wake < send)));
        for intent in sends {
            prop_assert_eq!(intent.places.is_some(), intent.channel == Channel::Whatsapp && intent.purpose == Purpose::Marketing);
            prop_assert!(!clinic.halted && !patient.paused && clinic.calendar.is_open(now, patient.profile.zone));
            prop_assert!(now < intent.claim_before && clinic.channels.contains(intent.channel));
            prop_assert!(patient.consent.prove(intent.channel, intent.purpose, clinic.date(now)).is_ok());
            let to = patient.address(intent.channel, clinic.date(now)).map(|to| to.as_str().to_owned());
            let guardians = ["+5491155557777", "carolina@example.com"].contains(&to.as_deref().unwrap_or_default());
            prop_assert!(to.is_some() && guardians == patient.is_minor(clinic.date(now)), "a minor through the guardian only");
            prop_assert_eq!(intent.template.starts_with("tutor/"), guardians);
            prop_assert!(intent.purpose == Purpose::Care || !points.of(intent.channel).suppressed.contains(intent.channel));
            prop_assert!(!patient.appointments.iter().any(|a| a.is_open(now) || a.awaits_outcome(now)));
            let again = matches!(event, Event::StepDue { message: Some(_), .. });
            prop_assert!(again || next.first_sent_on.is_some(), "the first message makes its day the first");
            let silent = matches!(enrollment.state, State::Conversing { .. } | State::Ended { .. });
            prop_assert!(!silent, "automation is silent");
        }

        let ends = next.has_ended() && !enrollment.has_ended();
        prop_assert_eq!(commands.contains(&Command::Release), ends);
        prop_assert_eq!(commands.contains(&Command::FreeSeat), ends && enrollment.first_sent_on.is_none());
        prop_assert!(!enrollment.has_ended() || *next == enrollment, "over is over");
        prop_assert!(enrollment.first_sent_on.is_none() || next.first_sent_on == enrollment.first_sent_on);
        if next.state != enrollment.state {
            let woken = |wanted: usize, due| {
                due >= now && commands.iter().any(|c| matches!(c, Command::Wake { step, at } if *step == wanted && *at == due))
            };
            let steps = clinic.flows[0].steps.len();
            prop_assert!(match next.state {
                State::Running { step, due } => woken(step, due),
                State::Closing { due } => (steps..=steps + 1).any(|step| woken(step, due)),
                State::Conversing { since, step } => woken(step, since + SILENCE),
                State::Ended { .. } => true,
            }, "nobody waits without a wake");
        }
        let drops = commands.iter().filter(|c| matches!(c, Command::Drop { reason, .. } if reason.is_empty())).count();
        prop_assert_eq!(drops, 0, "what is left out says why");
    }
}
