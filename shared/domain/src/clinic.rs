//! A clinic's settings: everything about the rules that a clinic may decide for itself.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::calendar::{IsoWeek, local_date};
use crate::channel::{Channel, ChannelSet};
use crate::contact::E164;
use crate::flow::Flow;
use crate::holiday::Country;
use crate::hours::ContactCalendar;
use crate::ids::{ClinicId, FlowId};
use crate::language::Language;
use crate::limits::Limits;
use crate::segment::Segment;
use crate::sender::{Gateway, SmsSender};
use crate::services::ServiceLists;
use crate::timetable::Timetable;

/// What a message costs, in millionths of the currency, so that sums are exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// ISO 4217 code.
    pub currency: String,
    /// A marketing template delivered.
    pub whatsapp_micros: u64,
    /// An e-mail.
    pub email_micros: u64,
    /// One segment of a text message.
    pub sms_micros: u64,
    /// A call task: the minutes of the person who calls.
    pub call_micros: u64,
}

impl Prices {
    /// What one message on the channel costs, in millionths.
    #[must_use]
    pub fn of(&self, channel: Channel) -> u64 {
        match channel {
            Channel::Whatsapp => self.whatsapp_micros,
            Channel::Email => self.email_micros,
            Channel::Sms => self.sms_micros,
            Channel::Call => self.call_micros,
            // The browsers' services take nothing for it.
            Channel::Push => 0,
        }
    }

    /// What a text message costs, in millionths: each of its segments is billed.
    #[must_use]
    pub fn text_message(&self, text: &str) -> u64 {
        let segments = u64::try_from(crate::lint::segments(text)).unwrap_or(u64::MAX);
        self.sms_micros.saturating_mul(segments)
    }
}

/// How big a week's wave may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveSettings {
    /// Free slots are counted over so many days ahead.
    pub slots_horizon_days: u16,
    /// Expected bookings per hundred patients enrolled, until measured.
    pub booking_percent: u16,
    /// The share of the WhatsApp number's daily limit that planning may fill, in percent; the rest
    /// absorbs what was delayed.
    pub tier_share_percent: u8,
}

impl Default for WaveSettings {
    fn default() -> Self {
        Self { slots_horizon_days: 14, booking_percent: 15, tier_share_percent: 90 }
    }
}

/// How long personal data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages, answers, what was said and surveys, in days.
    pub messages_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { messages_days: 730 }
    }
}

impl Retention {
    /// Until when something that was said at an instant is kept.
    #[must_use]
    pub fn keeps_until(self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + TimeDelta::days(i64::from(self.messages_days))
    }
}

/// A clinic.
#[derive(Debug, Clone, PartialEq)]
pub struct Clinic {
    /// The tenant.
    pub id: ClinicId,
    /// The name patients know.
    pub name: String,
    /// The person in whose name messages are written.
    pub agent: String,
    /// The telephone or address that patients may use to reach the clinic.
    pub contact: String,
    /// The clinic's zone; days are counted in it.
    pub zone: Tz,
    /// The language of its messages.
    pub language: Language,
    /// The country: phone numbers are read and holidays observed as there.
    pub country: Country,
    /// When patients may be contacted.
    pub calendar: ContactCalendar,
    /// When visits can be booked, if the free slots follow from timetables and not from a file.
    pub timetables: Vec<Timetable>,
    /// How often.
    pub limits: Limits,
    /// By which channels at all.
    pub channels: ChannelSet,
    /// Segments in order of precedence.
    pub segments: Vec<Segment>,
    /// Flows by id; each segment names one.
    pub flows: Vec<Flow>,
    /// The lists of services that rules refer to.
    pub services: ServiceLists,
    /// How waves are sized.
    pub wave: WaveSettings,
    /// How long personal data is kept.
    pub retention: Retention,
    /// What messages cost.
    pub prices: Prices,
    /// Whether messages may name services (clinical detail).
    pub clinical_detail: bool,
    /// The WhatsApp number's id at Meta.
    pub whatsapp_phone_number_id: String,
    /// The WhatsApp number itself, as patients dial it; without it no link to it can be made.
    pub whatsapp_number: Option<E164>,
    /// Meta's id of the WhatsApp business account that the number is of: news of templates and of the
    /// account come under it. Several clinics may share one.
    pub whatsapp_account_id: Option<String>,
    /// The clinic's own gateway to WhatsApp; none where the Cloud API is used.
    pub gateway: Option<Gateway>,
    /// Who sends its text messages; without one its flows have none.
    pub sms: Option<SmsSender>,
    /// The address e-mails come from.
    pub email_from: String,
    /// Sending is stopped for the whole clinic.
    pub halted: bool,
    /// Rises when the table is restored from a backup; commits of an older epoch are refused.
    pub epoch: u64,
}

impl Clinic {
    /// The local date of an instant in the clinic's zone.
    #[must_use]
    pub fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        local_date(at, self.zone)
    }

    /// The ISO week of an instant in the clinic's zone.
    #[must_use]
    pub fn week(&self, at: DateTime<Utc>) -> IsoWeek {
        IsoWeek::of(self.date(at))
    }

    /// The flow of that id.
    #[must_use]
    pub fn flow(&self, id: &FlowId) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == *id)
    }

    /// Whether patients may be notified in their browsers: a flow has such a step, and the clinic uses
    /// the channel. Otherwise no browser is asked for.
    #[must_use]
    pub fn notifies_browsers(&self) -> bool {
        let mut steps = self.flows.iter().flat_map(|flow| &flow.steps);
        self.channels.contains(Channel::Push) && steps.any(|step| step.channel == Channel::Push)
    }

    /// The instant before which an appointment without an outcome no longer suppresses its patient:
    /// the beginning of the day so many days ago.
    #[must_use]
    pub fn awaiting_outcome_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let days = TimeDelta::days(i64::from(self.limits.awaiting_outcome_days));
        let first = self.date(now).checked_sub_signed(days).unwrap_or(NaiveDate::MIN);
        crate::calendar::start_of_day(first, self.zone)
    }
}
