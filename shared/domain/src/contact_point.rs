//! A phone number, an e-mail address or a browser, as something that several people may share. Opt-out and
//! caps bind the contact point; consent binds the person.

use chrono::{DateTime, Utc};

use crate::channel::{Channel, ChannelSet, Purpose};
use crate::ids::PatientId;
use crate::limits::WhatsappLedger;

/// What is known of one contact point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactPoint {
    /// Channels on which nobody may be written to here for marketing.
    pub suppressed: ChannelSet,
    /// Channels on which nobody may be written to here for care either.
    pub suppressed_care: ChannelSet,
    /// Channels on which nobody can be reached here: the provider says so, or a person said that the
    /// phone is not the patient's.
    pub unreachable: ChannelSet,
    /// Marketing WhatsApp messages sent here, to whomever.
    pub whatsapp: WhatsappLedger,
    /// Whose sequence uses it now, and until when at most.
    pub busy: Option<(PatientId, DateTime<Utc>)>,
}

/// A patient's contact points. One that the patient does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactPoints {
    /// The phone.
    pub phone: ContactPoint,
    /// The e-mail address.
    pub email: ContactPoint,
    /// The browser that notifications go to.
    pub push: ContactPoint,
}

impl ContactPoints {
    /// The contact point that a channel uses.
    #[must_use]
    pub fn of(&self, channel: Channel) -> &ContactPoint {
        match channel {
            Channel::Whatsapp | Channel::Sms | Channel::Call => &self.phone,
            Channel::Email => &self.email,
            Channel::Push => &self.push,
        }
    }
}

impl ContactPoint {
    /// Whether a person said that this phone is not the patient's. Only a person says so of calls.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.unreachable.contains(Channel::Call)
    }

    /// Whether nobody may be written to here on this channel for this purpose.
    #[must_use]
    pub fn is_suppressed(&self, channel: Channel, purpose: Purpose) -> bool {
        let suppressed = match purpose {
            Purpose::Marketing => self.suppressed,
            Purpose::Care => self.suppressed_care,
        };
        suppressed.contains(channel)
    }

    /// Whether nobody here wants anything on this channel: then not even an answer is said.
    #[must_use]
    pub fn is_closed(&self, channel: Channel) -> bool {
        Purpose::ALL.into_iter().all(|purpose| self.is_suppressed(channel, purpose))
    }

    /// Until when another patient's sequence uses this contact point.
    #[must_use]
    pub fn busy_with_another(&self, patient: &PatientId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.busy.as_ref().filter(|(who, until)| who != patient && *until > now).map(|(_, until)| *until)
    }
}
