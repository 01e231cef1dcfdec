//! The conditions by which the protocol keeps its promises, each of which can be switched off, so
//! that a checker can show what it is for.

/// A condition of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// Claim, message: absent, or ready after the attempt before.
    Unclaimed,
    /// Claim, enrollment: of the version read.
    EnrollmentVersion,
    /// Claim, enrollment: of the table's present epoch.
    Epoch,
    /// Claim, patient: of the version read.
    PatientVersion,
    /// Claim, patient: in this enrollment.
    InSequence,
    /// Claim, contact point: nobody opted out on this channel.
    NotSuppressed,
    /// Claim, contact point: not resting.
    NotResting,
    /// Claim, contact point: the place's stamp as read.
    StampAsRead,
    /// Claim, audit record: absent.
    AuditAbsent,
    /// Claim, tier place: not used for a day.
    TierFree,
    /// Claim, call task: absent.
    CallAbsent,
    /// Claim and advance, steps left out: not claimed.
    DropUnclaimed,
    /// Dispatcher, before the claim: the clock before the end of hours and of the longest delay.
    ClaimBefore,
    /// Dispatcher, before the claim: the settings still fresh.
    SettingsFresh,
    /// Dispatcher, after the claim: the call only if the claim is fresh.
    LateCheck,
    /// Undo, message: in flight, of the attempt claimed.
    UndoInFlight,
    /// Undo, enrollment: as the claim left it.
    UndoEnrollment,
    /// Undo, patient: the last message is the one claimed.
    UndoPatient,
    /// Undo, contact point: the place is stamped by the one claimed.
    UndoStamp,
    /// Undo, message: what is to be tried again stays listed for the sweep.
    ReadyListed,
    /// Undo, enrollment: of a retry, it stays where it is.
    RetryStays,
    /// Record: only over in flight or unknown.
    RecordOpen,
    /// Record: only the attempt claimed.
    RecordAttempt,
    /// Sweep: the message as read.
    AgeAsRead,
    /// Advance and end, enrollment: of the version read.
    AdvanceVersion,
    /// Enroll, patient: of the version read, and in no sequence.
    EnrollPatient,
    /// Enroll, contact points: used by nobody else's sequence.
    EnrollContact,
    /// Import, patient: of the version read.
    ReplaceVersion,
}

impl Guard {
    /// The conditions of the claim and of what follows it, in the order of the protocol.
    pub const ALL: [Self; 28] = [
        Self::Unclaimed,
        Self::EnrollmentVersion,
        Self::Epoch,
        Self::PatientVersion,
        Self::InSequence,
        Self::NotSuppressed,
        Self::NotResting,
        Self::StampAsRead,
        Self::AuditAbsent,
        Self::TierFree,
        Self::CallAbsent,
        Self::DropUnclaimed,
        Self::ClaimBefore,
        Self::SettingsFresh,
        Self::LateCheck,
        Self::UndoInFlight,
        Self::UndoEnrollment,
        Self::UndoPatient,
        Self::UndoStamp,
        Self::ReadyListed,
        Self::RetryStays,
        Self::RecordOpen,
        Self::RecordAttempt,
        Self::AgeAsRead,
        Self::AdvanceVersion,
        Self::EnrollPatient,
        Self::EnrollContact,
        Self::ReplaceVersion,
    ];
}

/// A set of conditions that are switched off; none are, in the protocol as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Off(u32);

impl Off {
    /// The set with one more switched off.
    #[must_use]
    pub fn and(self, guard: Guard) -> Self {
        Self(self.0 | 1 << (guard as u32))
    }

    /// Whether nothing stands in the way as far as this condition goes: it holds, or it is off.
    #[must_use]
    pub fn lets(self, guard: Guard, holds: bool) -> bool {
        holds || self.0 & (1 << (guard as u32)) != 0
    }
}

impl FromIterator<Guard> for Off {
    fn from_iter<I: IntoIterator<Item = Guard>>(guards: I) -> Self {
        guards.into_iter().fold(Self::default(), Self::and)
    }
}
