//! What is counted: faults by kind, and what should happen sometimes.

use std::collections::BTreeMap;

use retorno_domain::channel::Channel;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A worker is gone between two steps.
    Crash,
    /// A worker stands still for seconds.
    FreezeShort,
    /// A worker stands still for minutes to days, and its order is delivered again meanwhile.
    FreezeLong,
    /// A request fails; nothing was done.
    Refused,
    /// A request is carried out and its answer lost.
    AnswerLost,
    /// An order is delivered twice or more.
    Duplicate,
    /// An order is delivered late.
    Late,
    /// An order is never delivered.
    Lost,
    /// An order has failed so often that the queue parks it.
    Parked,
    /// The provider asks for patience.
    Throttled,
    /// The provider halts a channel.
    ChannelHalted,
    /// The provider halts a template.
    TemplateHalted,
    /// The provider refuses for good.
    Rejected,
    /// The provider cannot reach anybody there.
    Unreachable,
    /// The provider says that the recipient opted out.
    OptedOutAtProvider,
    /// The provider takes a message and its answer is lost.
    AcceptedAnswerLost,
    /// The provider does not take it and its answer is lost.
    NotAcceptedAnswerLost,
    /// Somebody opts out at a contact point.
    OptOut,
    /// An import says that somebody opted out.
    ImportedOptOut,
    /// An import brings a booking.
    Booking,
    /// Staff takes a conversation.
    Pause,
    /// The clinic stops all sending.
    Halt,
    /// The table's epoch rises.
    Restore,
    /// An import changes somebody's phone.
    PhoneChanged,
    /// An import crashes between the contact point and the patient.
    ImportCrash,
    /// An evaluation crashes between the wake-up and the enrollment.
    EvaluationCrash,
    /// A worker's clock is off.
    Skew,
    /// The sweep stands still between reading and writing.
    SlowSweep,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 28] = [
        Self::Crash,
        Self::FreezeShort,
        Self::FreezeLong,
        Self::Refused,
        Self::AnswerLost,
        Self::Duplicate,
        Self::Late,
        Self::Lost,
        Self::Parked,
        Self::Throttled,
        Self::ChannelHalted,
        Self::TemplateHalted,
        Self::Rejected,
        Self::Unreachable,
        Self::OptedOutAtProvider,
        Self::AcceptedAnswerLost,
        Self::NotAcceptedAnswerLost,
        Self::OptOut,
        Self::ImportedOptOut,
        Self::Booking,
        Self::Pause,
        Self::Halt,
        Self::Restore,
        Self::PhoneChanged,
        Self::ImportCrash,
        Self::EvaluationCrash,
        Self::Skew,
        Self::SlowSweep,
    ];
}

/// Something that should happen sometimes, or the simulation proves little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sometimes {
    /// A message ended accepted.
    Accepted,
    /// A message ended failed.
    Failed,
    /// A message ended undetermined.
    Undetermined,
    /// A message ended dropped.
    Dropped,
    /// An undetermined message had reached the phone.
    UndeterminedSent,
    /// An unknown message was recorded after all.
    RecordedLate,
    /// A message was accepted on a later attempt.
    LaterAttempt,
    /// A claim was taken back.
    Undone,
    /// A claim ran out before the call.
    ClaimRanOut,
    /// The clock forbade a claim.
    ClockForbade,
    /// A claim met a message claimed before.
    AlreadyClaimed,
    /// A claim met a taken place of the tier.
    TierTaken,
    /// A claim met something changed.
    Changed,
    /// An opt-out between a claim and its accept.
    OptOutInFlight,
    /// A claim on a day whose clocks change.
    ClockChangeDay,
    /// An enrollment ended without an answer.
    NoAnswer,
    /// An enrollment ended by a booking.
    Booked,
    /// An enrollment ended awaiting an outcome.
    AwaitingOutcome,
    /// An enrollment ended by an opt-out.
    OptedOut,
    /// An enrollment ended because its week was over.
    WeekOver,
    /// An enrollment ended with nothing to send.
    NothingSendable,
    /// An enrollment ended as of an older epoch.
    OlderEpoch,
    /// An enrollment ended because its patient left the segment.
    LeftSegment,
}

impl Sometimes {
    /// Everything that should happen.
    pub const ALL: [Self; 23] = [
        Self::Accepted,
        Self::Failed,
        Self::Undetermined,
        Self::Dropped,
        Self::UndeterminedSent,
        Self::RecordedLate,
        Self::LaterAttempt,
        Self::Undone,
        Self::ClaimRanOut,
        Self::ClockForbade,
        Self::AlreadyClaimed,
        Self::TierTaken,
        Self::Changed,
        Self::OptOutInFlight,
        Self::ClockChangeDay,
        Self::NoAnswer,
        Self::Booked,
        Self::AwaitingOutcome,
        Self::OptedOut,
        Self::WeekOver,
        Self::NothingSendable,
        Self::OlderEpoch,
        Self::LeftSegment,
    ];
}

/// Counts of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    faults: [u64; Fault::ALL.len()],
    sometimes: [u64; Sometimes::ALL.len()],
    accepts: [u64; Channel::ALL.len()],
    /// Days simulated, once per patient.
    pub patient_days: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            events: 0,
            faults: [0; Fault::ALL.len()],
            sometimes: [0; Sometimes::ALL.len()],
            accepts: [0; Channel::ALL.len()],
            patient_days: 0,
        }
    }
}

fn bump(counts: &mut [u64], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}

impl Counts {
    /// Counts a fault.
    pub fn fault(&mut self, fault: Fault) {
        bump(&mut self.faults, fault as usize);
    }

    /// Counts something that should happen sometimes.
    pub fn sometimes(&mut self, what: Sometimes) {
        bump(&mut self.sometimes, what as usize);
    }

    /// Counts an accept.
    pub fn accept(&mut self, channel: Channel) {
        bump(&mut self.accepts, channel as usize);
    }

    /// All faults.
    #[must_use]
    pub fn faults_total(&self) -> u64 {
        self.faults.iter().sum()
    }
}

/// Counts of many runs.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Runs.
    pub seeds: u64,
    /// Their counts.
    pub counts: Counts,
    /// Runs in which something was violated, with what.
    pub violations: Vec<(u64, String)>,
}

impl Totals {
    /// Adds a run.
    pub fn add(&mut self, seed: u64, outcome: &super::Outcome) {
        self.seeds += 1;
        let (sum, one) = (&mut self.counts, &outcome.counts);
        sum.events += one.events;
        sum.patient_days += one.patient_days;
        let add = |sum: &mut [u64], one: &[u64]| sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        add(&mut sum.faults, &one.faults);
        add(&mut sum.sometimes, &one.sometimes);
        add(&mut sum.accepts, &one.accepts);
        self.violations.extend(outcome.violations.iter().map(|violation| (seed, violation.clone())));
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: &Self) {
        self.seeds += other.seeds;
        let outcome = super::Outcome { counts: other.counts.clone(), ..super::Outcome::default() };
        self.add(0, &outcome);
        self.seeds -= 1;
        self.violations.extend(other.violations.iter().cloned());
    }

    /// What should have happened and did not: kinds of fault, too.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL.into_iter().zip(self.counts.faults).filter(|(_, n)| *n == 0);
        let others = Sometimes::ALL.into_iter().zip(self.counts.sometimes).filter(|(_, n)| *n == 0);
        faults.map(|(f, _)| format!("{f:?}")).chain(others.map(|(s, _)| format!("{s:?}"))).collect()
    }

    /// Years simulated, once per patient.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 days")]
    pub fn patient_years(&self) -> f64 {
        self.counts.patient_days as f64 / 365.25
    }

    /// The figures, as one JSON object.
    #[must_use]
    pub fn json(&self, from: u64, seconds: f64) -> serde_json::Value {
        let faults: BTreeMap<String, u64> =
            Fault::ALL.into_iter().zip(self.counts.faults).map(|(f, n)| (format!("{f:?}"), n)).collect();
        let sometimes: BTreeMap<String, u64> =
            Sometimes::ALL.into_iter().zip(self.counts.sometimes).map(|(s, n)| (format!("{s:?}"), n)).collect();
        let accepts: BTreeMap<&str, u64> =
            Channel::ALL.into_iter().zip(self.counts.accepts).map(|(c, n)| (c.code(), n)).collect();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 events")]
        let rate = self.counts.events as f64 / seconds.max(0.001);
        serde_json::json!({
            "seeds": self.seeds,
            "from": from,
            "events": self.counts.events,
            "faults": faults,
            "faults_total": self.counts.faults_total(),
            "accepts": accepts,
            "patient_years": self.patient_years().round(),
            "violations": self.violations.len(),
            "events_per_s": rate.round(),
            "seconds": seconds.round(),
            "sometimes": sometimes,
            "sometimes_missing": self.missing(),
        })
    }
}
