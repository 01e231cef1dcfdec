//! Contact points (`store/contact_point.rs`): written without conditions, so that an opt-out always
//! gets through.

use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::patient::Patient;

use super::{ContactItem, Table};

/// The name of a contact point: stands for the keyed hash of a phone or an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactKey(pub u64);

impl ContactKey {
    /// Of an address.
    #[must_use]
    pub fn of(address: &str) -> Self {
        Self(
            address
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    /// A patient's phone.
    #[must_use]
    pub fn phone(patient: &Patient) -> Option<Self> {
        patient.profile.phone.as_ref().ok().map(|phone| Self::of(phone.e164.as_str()))
    }

    /// A patient's e-mail address.
    #[must_use]
    pub fn email(patient: &Patient) -> Option<Self> {
        patient.profile.email.as_ref().ok().map(|email| Self::of(email.as_str()))
    }

    /// The one that a channel uses (`ContactKeys::of`).
    #[must_use]
    pub fn by(patient: &Patient, channel: Channel) -> Option<Self> {
        match channel {
            Channel::Whatsapp | Channel::Sms | Channel::Call => Self::phone(patient),
            Channel::Email => Self::email(patient),
            // Nobody here has a browser.
            Channel::Push => None,
        }
    }

    /// Both, those that are there.
    #[must_use]
    pub fn all(patient: &Patient) -> Vec<Self> {
        Self::phone(patient).into_iter().chain(Self::email(patient)).collect()
    }
}

impl ContactItem {
    /// `point_of`: what decisions see of the two kinds of opt-out.
    fn settle(&mut self) {
        self.point.suppressed = if self.imported.is_empty() { self.told } else { ChannelSet::ALL };
        self.point.suppressed_care = self.point.suppressed;
        self.version += 1;
    }
}

impl Table {
    /// An opt-out of everything, told to us or to a provider (`TenantStore::opt_out`).
    pub fn opt_out(&mut self, key: ContactKey, channels: ChannelSet) {
        if channels.is_empty() {
            return;
        }
        let item = self.contact_mut(key);
        item.told = channels.iter().fold(item.told, ChannelSet::with);
        item.settle();
    }

    /// That a patient who uses this contact point opted out by an import, or has not any more
    /// (`TenantStore::set_imported_opt_out`).
    pub fn set_imported_opt_out(&mut self, key: ContactKey, patient: usize, out: bool) {
        let item = self.contact_mut(key);
        if out {
            item.imported.insert(patient);
        } else {
            item.imported.remove(&patient);
        }
        item.settle();
    }

    /// That a provider cannot reach anybody here (`TenantStore::mark_unreachable`).
    pub fn mark_unreachable(&mut self, key: ContactKey, channel: Channel) {
        let item = self.contact_mut(key);
        item.point.unreachable = item.point.unreachable.with(channel);
        item.version += 1;
    }
}
