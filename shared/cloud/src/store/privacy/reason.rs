//! Why a person is erased.

/// Why somebody is erased. No free text: it would be kept when the person is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureReason {
    /// The person asked for it.
    Requested,
    /// The guardian asked for it.
    RequestedByGuardian,
    /// The person has died.
    Deceased,
    /// The record should never have been there.
    Mistake,
    /// The clinic need not keep it any longer.
    NoLongerNeeded,
}

impl ErasureReason {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Requested, Self::RequestedByGuardian, Self::Deceased, Self::Mistake, Self::NoLongerNeeded];

    /// The reason's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::RequestedByGuardian => "requested_by_guardian",
            Self::Deceased => "deceased",
            Self::Mistake => "mistake",
            Self::NoLongerNeeded => "no_longer_needed",
        }
    }

    /// The reason of a word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}
