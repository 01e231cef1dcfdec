//! Runs the checker over a model and says what it found; and over models with a condition switched
//! off, to say what the condition is for.

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::{Bounds, Scope, SendModel};
use crate::guard::{Guard, Off};
use crate::worker::Protocol;

/// A property and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The property.
    pub name: &'static str,
    /// Whether it is about every state (otherwise about some).
    pub always: bool,
    /// Whether it holds: of every state, or of some.
    pub holds: bool,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// States gone through, each counted once.
    pub states: usize,
    /// The properties.
    pub properties: Vec<Held>,
    /// The shortest way found to each violation: the property and the actions.
    pub violations: Vec<(&'static str, Vec<String>)>,
}

impl Report {
    /// Whether every state kept every promise.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.violations.is_empty()
    }

    /// What should have been reachable and was not.
    #[must_use]
    pub fn unreached(&self) -> Vec<&'static str> {
        self.properties.iter().filter(|held| !held.always && !held.holds).map(|held| held.name).collect()
    }
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Through every state.
    Everything,
    /// Until this property is violated, or through every state.
    Violated(&'static str),
}

/// Goes through the states of a model.
#[must_use]
pub fn check(model: SendModel, threads: usize, until: Until) -> Report {
    let expected: Vec<(&'static str, bool)> =
        model.properties().into_iter().map(|p| (p.name, p.expectation == Expectation::Always)).collect();
    let until = match until {
        Until::Everything => HasDiscoveries::All,
        Until::Violated(property) => HasDiscoveries::AnyOf([property].into_iter().collect()),
    };
    let checker = model.checker().threads(threads).finish_when(until).spawn_bfs().join();
    let found = checker.discoveries();
    let mut violations = Vec::new();
    let mut properties = Vec::new();
    for (name, always) in expected {
        let path = found.get(name);
        properties.push(Held { name, always, holds: always != path.is_some() });
        if let (true, Some(path)) = (always, path) {
            let actions = path.clone().into_actions();
            violations.push((name, actions.iter().map(|action| format!("{action:?}")).collect()));
        }
    }
    Report { states: checker.unique_state_count(), properties, violations }
}

/// What a condition is for: without it, and without those that cover for it, this is violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The condition.
    pub guard: Guard,
    /// Those that also cover what it guards against; none, if it alone does.
    pub covered_by: &'static [Guard],
    /// In which scope.
    pub scope: Scope,
    /// The property that is violated.
    pub violates: &'static str,
    /// The number of instants it takes.
    pub instants: usize,
}

const fn probe(
    guard: Guard,
    covered_by: &'static [Guard],
    scope: Scope,
    violates: &'static str,
    instants: usize,
) -> Probe {
    Probe { guard, covered_by, scope, violates, instants }
}

const ONCE: &str = "at most one accept per message";
const CAP: &str = "the cap is kept";
const HOURS: &str = "accepted within contact hours";
const UNSENT: &str = "what is called unsent is unsent";
const OVER: &str = "what is over stays as it is";

/// Every claim raises the versions of enrollment and patient and stamps a place of each ledger and of
/// the tier, so these and the message's own state cover for one another.
pub const AT_MOST_ONCE: [Guard; 7] = [
    Guard::Unclaimed,
    Guard::EnrollmentVersion,
    Guard::PatientVersion,
    Guard::StampAsRead,
    Guard::NotResting,
    Guard::TierFree,
    Guard::AuditAbsent,
];

/// What each condition is for, as far as these scopes can tell.
pub const PROBES: [Probe; 17] = [
    probe(Guard::Unclaimed, &AT_MOST_ONCE, Scope::OnePatient, ONCE, 2),
    probe(Guard::EnrollmentVersion, &AT_MOST_ONCE, Scope::OnePatient, ONCE, 2),
    probe(Guard::AuditAbsent, &AT_MOST_ONCE, Scope::OnePatient, ONCE, 2),
    probe(Guard::PatientVersion, &[], Scope::OnePatient, "no claim after the booking", 2),
    probe(Guard::NotSuppressed, &[], Scope::OnePatient, "no claim after the opt-out", 2),
    probe(Guard::StampAsRead, &[Guard::NotResting, Guard::TierFree], Scope::SharedPhone, CAP, 2),
    probe(Guard::NotResting, &[Guard::StampAsRead, Guard::TierFree], Scope::SharedPhone, CAP, 2),
    probe(Guard::TierFree, &[], Scope::FullNumber, CAP, 2),
    probe(Guard::ClaimBefore, &[Guard::SettingsFresh], Scope::OnePatient, HOURS, 4),
    probe(Guard::SettingsFresh, &[Guard::ClaimBefore], Scope::OnePatient, HOURS, 4),
    probe(Guard::LateCheck, &[], Scope::OnePatient, "accepted within ten seconds", 3),
    probe(Guard::UndoInFlight, &[], Scope::OnePatient, OVER, 5),
    probe(Guard::UndoEnrollment, &[], Scope::OnePatient, OVER, 3),
    probe(Guard::RecordOpen, &[], Scope::OnePatient, OVER, 5),
    probe(Guard::AgeAsRead, &[], Scope::OnePatient, OVER, 3),
    probe(Guard::DropUnclaimed, &[Guard::AdvanceVersion, Guard::EnrollmentVersion], Scope::OnePatient, UNSENT, 4),
    probe(Guard::AdvanceVersion, &[Guard::DropUnclaimed, Guard::EnrollmentVersion], Scope::OnePatient, UNSENT, 4),
];

impl Probe {
    /// Looks for the violation, within bounds that suffice.
    ///
    /// # Errors
    /// When the scope cannot be set up.
    pub fn find(&self, threads: usize) -> Result<Option<Vec<String>>, Box<dyn std::error::Error>> {
        let off: Off = self.covered_by.iter().copied().chain([self.guard]).collect();
        let bounds = Bounds { deliveries: 2, crashes: 0, faults: 1, tries: 2, instants: self.instants };
        let model = SendModel::new(self.scope, Protocol::CommitThenCall, off, bounds)?;
        let report = check(model, threads, Until::Violated(self.violates));
        Ok(report.violations.into_iter().find(|(name, _)| *name == self.violates).map(|(_, actions)| actions))
    }
}
