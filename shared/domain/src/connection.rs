//! How a clinic's own gateway stands towards WhatsApp, from what it tells and from what it answers.
//! The latest word counts, whatever the order in which words arrive.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::because::{Finding, Verdict};
use crate::channel::Channel;

/// How a gateway stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkState {
    /// It does not answer, or refuses our key.
    Unreachable,
    /// It has no such instance.
    Missing,
    /// It was stopped, or failed, and must be started by somebody.
    Stopped,
    /// The telephone logged out, or WhatsApp refuses it: only a new code helps.
    LoggedOut,
    /// Not linked; it may try again by itself.
    Closed,
    /// On its way.
    Connecting,
    /// A code must be read with the clinic's telephone.
    NeedsQr,
    /// The telephone asks for its passkey, to be confirmed at the gateway.
    NeedsPasskey,
    /// Linked: it can send.
    Connected,
}

impl LinkState {
    /// All states. Of two words of one instant the later in this order counts.
    pub const ALL: [Self; 9] = [
        Self::Unreachable,
        Self::Missing,
        Self::Stopped,
        Self::LoggedOut,
        Self::Closed,
        Self::Connecting,
        Self::NeedsQr,
        Self::NeedsPasskey,
        Self::Connected,
    ];

    /// The state's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Missing => "missing",
            Self::Stopped => "stopped",
            Self::LoggedOut => "logged_out",
            Self::Closed => "closed",
            Self::Connecting => "connecting",
            Self::NeedsQr => "needs_qr",
            Self::NeedsPasskey => "needs_passkey",
            Self::Connected => "connected",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether messages go out.
    #[must_use]
    pub fn can_send(self) -> bool {
        self == Self::Connected
    }

    /// Whether nothing changes before somebody at the clinic does something.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        match self {
            Self::Missing | Self::Stopped | Self::LoggedOut | Self::NeedsQr | Self::NeedsPasskey => true,
            Self::Unreachable | Self::Closed | Self::Connecting | Self::Connected => false,
        }
    }
}

/// The number of the telephone that is linked, as digits.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkedNumber(pub String);

impl fmt::Debug for LinkedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkedNumber([redacted])")
    }
}

/// The connection of a clinic's gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// How it stands.
    pub state: LinkState,
    /// Since when, as far as was heard.
    pub since: DateTime<Utc>,
    /// The instant of the latest word.
    pub at: DateTime<Utc>,
    /// When it was last asked and answered, or not.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it was last known to be linked.
    pub linked_at: Option<DateTime<Utc>>,
    /// Since when it has not been linked; none while it is.
    pub down_since: Option<DateTime<Utc>>,
    /// Why, in a word or number of the gateway's or of ours.
    pub error: Option<String>,
    /// The number that is linked.
    pub number: Option<LinkedNumber>,
}

/// What the rule about halted channels says of a step: nothing stands in the way, or it waits.
pub(crate) fn breaker(
    channel: Channel,
    unlinked: Option<Unlinked>,
    halted: &[(Channel, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Finding {
    if let (Channel::Whatsapp, Some(unlinked)) = (channel, unlinked) {
        let waits = Verdict::Wait(unlinked.until);
        return Finding::not("breaker", "gateway_unlinked", waits).with("gateway", unlinked.state.code());
    }
    match halted.iter().find(|(of, until)| *of == channel && *until > now) {
        Some((_, until)) => Finding::not("breaker", "channel_halted", Verdict::Wait(*until)).with("channel", channel),
        None => Finding::pass("breaker"),
    }
}

/// That a gateway cannot send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlinked {
    /// How it stands.
    pub state: LinkState,
    /// What waits for it is looked at again then.
    pub until: DateTime<Utc>,
}

/// A trouble that may pass by itself is told to staff after so long.
pub const TOLD_AFTER: TimeDelta = TimeDelta::minutes(10);
/// A gateway that is linked is asked again after so long without a word.
pub const RETEST_AFTER: TimeDelta = TimeDelta::hours(1);
/// While a gateway cannot send, what waits for it is looked at again after so long.
pub const LOOKED_AT_AGAIN: TimeDelta = TimeDelta::minutes(15);

impl Connection {
    /// Since when staff must know that the gateway does not send: it did once, and either waits for a
    /// person or has been down for [`TOLD_AFTER`].
    #[must_use]
    pub fn to_be_told(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.linked_at?;
        let down = self.down_since?;
        (self.state.needs_a_person() || now - down >= TOLD_AFTER).then_some(down)
    }

    /// That it cannot send, for what is looked at again a while after `now`.
    #[must_use]
    pub fn unlinked(&self, now: DateTime<Utc>) -> Option<Unlinked> {
        (!self.state.can_send()).then(|| Unlinked { state: self.state, until: now + LOOKED_AT_AGAIN })
    }

    /// Whether it is to be asked how it stands.
    #[must_use]
    pub fn is_to_be_asked(&self, now: DateTime<Utc>) -> bool {
        !self.state.can_send() || now - self.at >= RETEST_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn connection(state: LinkState) -> Connection {
        Connection {
            state,
            since: minute(100),
            at: minute(100),
            checked_at: None,
            linked_at: Some(minute(90)),
            down_since: (!state.can_send()).then_some(minute(100)),
            error: None,
            number: Some(LinkedNumber("5491155550100".to_owned())),
        }
    }

    #[test]
    fn every_state_has_a_word_of_its_own() {
        for state in LinkState::ALL {
            assert_eq!(LinkState::of_code(state.code()), Some(state));
        }
        assert!(LinkState::ALL.is_sorted());
        assert_eq!(LinkState::of_code("open"), None);
    }

    #[test]
    fn staff_is_told_of_what_waits_for_them_at_once_and_of_the_rest_later() {
        for state in LinkState::ALL {
            let told = connection(state);
            let soon = told.to_be_told(minute(101));
            assert_eq!(soon.is_some(), state.needs_a_person(), "{state:?}");
            assert_eq!(told.to_be_told(minute(110)).is_some(), !state.can_send(), "{state:?}");
            let never_linked = Connection { linked_at: None, ..told };
            assert_eq!(never_linked.to_be_told(minute(500)), None, "whoever sets it up knows");
        }
    }

    #[test]
    fn a_linked_gateway_is_asked_hourly_and_another_always() {
        assert!(!connection(LinkState::Connected).is_to_be_asked(minute(159)));
        assert!(connection(LinkState::Connected).is_to_be_asked(minute(160)));
        assert!(connection(LinkState::Connecting).is_to_be_asked(minute(100)));
    }

    #[test]
    fn the_number_is_not_shown_by_accident() {
        assert!(!format!("{:?}", connection(LinkState::Connected)).contains("5550100"));
    }
}
