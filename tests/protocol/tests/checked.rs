//! The small scopes, gone through exhaustively within bounds that a test has time for; `protocol check`
//! goes farther. The rivals are here to show that the checker finds what is wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use retorno_protocol::guard::{Guard, Off};
use retorno_protocol::model::{AT_MOST_ONCE, Bounds, PROBES, Report, Scope, SendModel, Until, check};
use retorno_protocol::worker::Protocol;

/// Two deliveries with a fault between them.
const TWO: Bounds = Bounds { deliveries: 2, crashes: 0, faults: 1, tries: 2, instants: 4 };
/// Two deliveries, nothing else.
const CALM: Bounds = Bounds { faults: 0, instants: 3, ..TWO };
/// One delivery, with everything that can befall it, to the end of time.
const ALONE: Bounds = Bounds { deliveries: 1, crashes: 1, faults: 1, tries: 2, instants: 5 };

fn checked(scope: Scope, protocol: Protocol, bounds: Bounds) -> Report {
    check(SendModel::new(scope, protocol, Off::default(), bounds).unwrap(), 1, Until::Everything)
}

#[test]
fn the_protocol_keeps_every_promise_in_every_state() {
    let scopes = [
        (Scope::OnePatient, TWO),
        (Scope::OnePatient, ALONE),
        (Scope::SharedPhone, ALONE),
        (Scope::SharedPhone, CALM),
        (Scope::FullNumber, ALONE),
    ];
    let (mut states, mut unreached) = (0, None::<BTreeSet<&str>>);
    for (scope, bounds) in scopes {
        let report = checked(scope, Protocol::CommitThenCall, bounds);
        assert_eq!(report.violations, [], "{scope:?}");
        states += report.states;
        let here: BTreeSet<_> = report.unreached().into_iter().collect();
        unreached = Some(unreached.map_or_else(|| here.clone(), |before| &before & &here));
    }
    assert!(states >= 100_000, "{states} states only");
    assert_eq!(unreached.unwrap(), BTreeSet::new(), "never reached in any scope");
}

#[test]
fn the_checker_finds_what_is_wrong_with_the_rivals() {
    for protocol in [Protocol::ReadSendWrite, Protocol::Lease] {
        let report = checked(Scope::OnePatient, protocol, CALM);
        let violated: BTreeSet<_> = report.violations.iter().map(|(name, _)| *name).collect();
        for promise in ["at most one accept per message", "no claim after the opt-out", "no claim after the booking"] {
            assert!(violated.contains(promise), "{protocol:?} keeps \"{promise}\", by {} states", report.states);
        }
    }
}

#[test]
fn without_its_conditions_the_protocol_breaks_its_promises() {
    for probe in PROBES {
        assert!(probe.find(1).unwrap().is_some(), "{probe:?}: nothing is violated");
    }
}

#[test]
fn each_of_three_conditions_alone_keeps_a_message_from_being_sent_twice() {
    for alone in [Guard::Unclaimed, Guard::EnrollmentVersion, Guard::PatientVersion] {
        let off: Off = AT_MOST_ONCE.into_iter().filter(|guard| *guard != alone).collect();
        let model = SendModel::new(Scope::OnePatient, Protocol::CommitThenCall, off, CALM).unwrap();
        let report = check(model, 1, Until::Violated("at most one accept per message"));
        let twice = report.violations.iter().find(|(name, _)| *name == "at most one accept per message");
        assert_eq!(twice, None, "{alone:?}");
    }
}
