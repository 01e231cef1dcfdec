//! The ways to reach a patient, and why one does.

use std::fmt;
use std::str::FromStr;

/// A way to reach a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// WhatsApp, by the clinic's own number.
    Whatsapp,
    /// E-mail.
    Email,
    /// Text message.
    Sms,
    /// A call made by a person of the clinic, as a task.
    Call,
    /// A notification in a browser that the person let it be shown in (web push).
    Push,
}

impl Channel {
    /// Every channel, in the order of their bits.
    pub const ALL: [Self; 5] = [Self::Whatsapp, Self::Email, Self::Sms, Self::Call, Self::Push];

    /// The channel's word in data and in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Push => "push",
        }
    }

    /// Whether the channel reaches a phone (otherwise an e-mail address or a browser).
    #[must_use]
    pub fn is_phone(self) -> bool {
        match self {
            Self::Whatsapp | Self::Sms | Self::Call => true,
            Self::Email | Self::Push => false,
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Whatsapp => 1,
            Self::Email => 2,
            Self::Sms => 4,
            Self::Call => 8,
            Self::Push => 16,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Channel {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|channel| channel.code() == text).ok_or(())
    }
}

/// A set of channels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ChannelSet(u8);

impl ChannelSet {
    /// No channel.
    pub const NONE: Self = Self(0);
    /// All channels.
    pub const ALL: Self = Self(31);
    /// All that reach an address which a clinic may know. Notifications are asked for by a browser alone.
    pub const ADDRESSED: Self = Self(15);

    /// Whether the channel is in the set.
    #[must_use]
    pub fn contains(self, channel: Channel) -> bool {
        self.0 & channel.bit() != 0
    }

    /// The set with the channel added.
    #[must_use]
    pub fn with(self, channel: Channel) -> Self {
        Self(self.0 | channel.bit())
    }

    /// The set without the channel.
    #[must_use]
    pub fn without(self, channel: Channel) -> Self {
        Self(self.0 & !channel.bit())
    }

    /// The channels in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether no channel is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The channels of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| self.contains(*channel))
    }
}

impl FromIterator<Channel> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        channels.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for ChannelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Why a patient is written to. Consent and limits depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To bring the patient back: reactivation, referral, broadcast.
    Marketing,
    /// Clinical follow-up and reminders of what is booked; exempt from the marketing limits.
    Care,
}

impl Purpose {
    /// Every purpose, in the order of their bits.
    pub const ALL: [Self; 2] = [Self::Marketing, Self::Care];

    /// The purpose's word in data and in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Care => "care",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Marketing => 1,
            Self::Care => 2,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Purpose {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == text).ok_or(())
    }
}

/// A set of purposes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PurposeSet(u8);

impl PurposeSet {
    /// No purpose.
    pub const NONE: Self = Self(0);
    /// Marketing alone.
    pub const MARKETING: Self = Self(1);
    /// Care alone.
    pub const CARE: Self = Self(2);
    /// Marketing and care: everything that is sent.
    pub const ALL: Self = Self(3);

    /// Whether the purpose is in the set.
    #[must_use]
    pub fn contains(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// The set with the purpose added.
    #[must_use]
    pub fn with(self, purpose: Purpose) -> Self {
        Self(self.0 | purpose.bit())
    }

    /// The purposes that are not in the set.
    #[must_use]
    pub fn others(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    /// Whether no purpose is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The purposes of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.contains(*purpose))
    }
}

impl FromIterator<Purpose> for PurposeSet {
    fn from_iter<I: IntoIterator<Item = Purpose>>(purposes: I) -> Self {
        purposes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for PurposeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: ChannelSet = [Channel::Email, Channel::Call].into_iter().collect();
        assert!(set.contains(Channel::Email) && set.contains(Channel::Call));
        assert!(!set.contains(Channel::Whatsapp) && !set.contains(Channel::Sms));
        assert_eq!(Channel::ALL.into_iter().collect::<ChannelSet>(), ChannelSet::ALL);
        for channel in Channel::ALL {
            assert_eq!(channel.code().parse(), Ok(channel));
        }
        assert_eq!(Purpose::ALL.into_iter().collect::<PurposeSet>(), PurposeSet::ALL);
        assert_eq!(PurposeSet::MARKETING.others(), PurposeSet::CARE);
        for purpose in Purpose::ALL {
            assert_eq!(purpose.code().parse(), Ok(purpose));
        }
    }
}
