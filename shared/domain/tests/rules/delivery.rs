//! Where a message stands: which states it can pass to, and that none leads back to a sending once
//! the provider may have it.

use chrono::TimeDelta;
use proptest::prelude::*;
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Event, decide};
use retorno_domain::message::{
    ATTEMPTS_MAX, BreakerScope, ClearedMessage, Delivery, EVIDENCE_LASTS, Outcome, RecipientNews, UNKNOWN_AFTER,
    WrongProof,
};
use retorno_domain::template::Rendered;

use crate::given::{clinic, date, enrolled, facts, lapsed, now};

fn outcomes() -> [Outcome; 5] {
    let code = || "131000".to_owned();
    [
        Outcome::Accepted { provider_id: "wamid.1".to_owned() },
        Outcome::NotSent { code: code(), again_in: TimeDelta::minutes(1), breaker: None },
        Outcome::NotSent { code: code(), again_in: TimeDelta::minutes(1), breaker: Some(BreakerScope::Channel) },
        Outcome::Refused { code: code(), news: RecipientNews::Unreachable },
        Outcome::Ambiguous { code: code() },
    ]
}

#[test]
fn only_what_is_proven_not_sent_may_be_tried_again_and_three_times_at_most() {
    assert_eq!(ATTEMPTS_MAX, 3);
    let after = |attempt| outcomes().map(|outcome| outcome.delivery(attempt, now()).code());
    assert_eq!(after(1), ["accepted", "ready", "ready", "failed", "unknown"]);
    assert_eq!(after(2), ["accepted", "ready", "ready", "failed", "unknown"]);
    assert_eq!(after(3), ["accepted", "failed", "failed", "failed", "unknown"]);
    assert_eq!(outcomes()[1].delivery(2, now()), Delivery::Ready { attempts: 2 }, "the attempts are counted on");
}

#[test]
fn time_makes_a_claim_unknown_after_five_minutes_and_undetermined_after_seven_days_and_an_hour() {
    assert_eq!((UNKNOWN_AFTER, EVIDENCE_LASTS), (TimeDelta::minutes(5), TimeDelta::days(7) + TimeDelta::hours(1)));
    let (second, claimed_at) = (TimeDelta::seconds(1), now());
    let claimed = Delivery::InFlight { attempt: 1, claimed_at };
    assert_eq!(claimed.aged(now() + UNKNOWN_AFTER - second), None);
    assert_eq!(claimed.aged(now() + UNKNOWN_AFTER), Some(Delivery::Unknown { claimed_at }));
    let unknown = Delivery::Unknown { claimed_at };
    assert_eq!(unknown.aged(now() + EVIDENCE_LASTS - second), None);
    assert_eq!(unknown.aged(now() + EVIDENCE_LASTS), Some(Delivery::Undetermined));
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let ago = (0i64..1_000_000).prop_map(|seconds| now() - TimeDelta::seconds(seconds));
    prop_oneof![
        (0u32..4).prop_map(|attempts| Delivery::Ready { attempts }),
        (1u32..4, ago.clone()).prop_map(|(attempt, claimed_at)| Delivery::InFlight { attempt, claimed_at }),
        Just(Delivery::Accepted),
        Just(Delivery::Failed("131026".to_owned())),
        ago.prop_map(|claimed_at| Delivery::Unknown { claimed_at }),
        Just(Delivery::Undetermined),
        Just(Delivery::Dropped("capped".to_owned())),
    ]
}

proptest! {
    #[test]
    fn time_alone_never_makes_a_message_sendable(delivery in delivery(), hours in 0i64..400) {
        let claimable = |delivery: &Delivery| matches!(delivery, Delivery::Ready { .. });
        let mut at = delivery.clone();
        for hour in 0..hours {
            let Some(aged) = at.aged(now() + TimeDelta::hours(hour)) else { continue };
            prop_assert!(matches!(aged, Delivery::Unknown { .. } | Delivery::Undetermined), "{:?}", aged);
            at = aged;
        }
        prop_assert_eq!(claimable(&at), claimable(&delivery));
    }

    /// The wake for a step whose message may be with the provider sends nothing, of any step.
    #[test]
    fn a_wake_for_a_message_that_may_have_left_sends_nothing(delivery in delivery(), step in 0usize..4) {
        let (clinic, patient, points) = (clinic(""), lapsed(), ContactPoints::default());
        let event = Event::StepDue { step, message: Some(delivery.clone()) };
        let enrollment = enrolled(&clinic, now());
        let decision = decide(&enrollment, &event, now(), &facts(&clinic, &patient, &points, now()));
        let sends = decision.commands.iter().any(|command| matches!(command, Command::Send(_)));
        let proven_unsent = matches!(delivery, Delivery::Ready { .. } | Delivery::Dropped(_));
        prop_assert!(!sends || proven_unsent, "{:?}", delivery);
    }
}

#[test]
fn a_message_is_cleared_by_the_proof_for_its_own_channel_and_purpose_only() {
    let (clinic, patient, points) = (clinic(""), lapsed(), ContactPoints::default());
    let due = Event::StepDue { step: 0, message: None };
    let decision = decide(&enrolled(&clinic, now()), &due, now(), &facts(&clinic, &patient, &points, now()));
    let Some(Command::Send(intent)) = decision.commands.last() else { panic!("{decision:?}") };
    let clear = |channel, purpose| {
        let proof = patient.consent.prove(channel, purpose, date("2026-03-02")).unwrap();
        let to = patient.address(Channel::Whatsapp, date("2026-03-02")).unwrap();
        let rendered = Rendered {
            subject: None,
            text: "Hola".to_owned(),
            html: None,
            parameters: Vec::new(),
            buttons: Vec::new(),
        };
        ClearedMessage::new(intent.clone(), proof, to, rendered)
    };
    let cleared = clear(Channel::Whatsapp, Purpose::Marketing).unwrap();
    assert_eq!((cleared.to(), cleared.consent_given_on()), ("+5491155551234", date("2020-01-01")));
    assert!(!format!("{cleared:?}").contains("5551234"), "nobody's number in a log");
    assert_eq!(clear(Channel::Email, Purpose::Marketing).unwrap_err(), WrongProof);
    assert_eq!(clear(Channel::Whatsapp, Purpose::Care).unwrap_err(), WrongProof);
}
