//! Agreements of people who were not on record, and their words: whether an export brings them now.
//! One look at what is open; what it costs beyond that is counted by those whose contact the file has.

use std::collections::{BTreeMap, BTreeSet};

use retorno_cloud::desk::{Desk, Matched};
use retorno_cloud::store::{AgreementState, StoredAgreement, StrangerGroup, TenantStore};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Report;

/// Looked at after one import; the others after the next.
const LOOKED_AT_MAX: usize = 500;

/// What waits for a patient to be brought.
#[derive(Default)]
pub(crate) struct Sought {
    agreements: Vec<StoredAgreement>,
    strangers: Vec<StrangerGroup>,
    /// Patients of the file, by a contact that is looked for: digits of a phone, or an address.
    brought: BTreeMap<String, BTreeSet<PatientId>>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MatchedAll {
    /// Recorded as a patient's.
    pub(crate) recorded: u64,
    /// A person must say whose.
    pub(crate) doubtful: u64,
}

impl Sought {
    /// What is open. An import that names nobody else's contact costs these two reads.
    pub(crate) async fn read(tenant: &TenantStore) -> Result<Self, CloudError> {
        let mut agreements = tenant.agreements().await?;
        agreements.retain(|stored| stored.state == AgreementState::Open);
        let mut strangers = tenant.stranger_groups().await?;
        strangers.retain(|group| group.owner().is_none() && group.words.iter().any(|word| word.agrees()));
        let mut sought = Self { agreements, strangers, brought: BTreeMap::new() };
        let by_agreement = sought.agreements.iter().flat_map(contacts_of);
        let by_words = sought.strangers.iter().flat_map(phones_of);
        let contacts: Vec<String> = by_agreement.chain(by_words).collect();
        sought.brought = contacts.into_iter().map(|contact| (contact, BTreeSet::new())).collect();
        Ok(sought)
    }

    /// Notes whose contacts a file has, of those that are looked for.
    pub(crate) fn note(&mut self, patients: &BTreeMap<PatientId, Vec<Report>>) {
        if self.brought.is_empty() {
            return;
        }
        for (id, reports) in patients {
            for report in reports {
                let guardian = report.guardianship.guardian.as_ref().and_then(|told| told.what.as_deref());
                let phones = [Some(&report.profile.phone), guardian.map(|guardian| &guardian.phone)];
                let emails = [Some(&report.profile.email), guardian.map(|guardian| &guardian.email)];
                let phones = phones.into_iter().flatten().flatten().map(|phone| phone.e164.digits());
                let emails = emails.into_iter().flatten().flatten().map(|email| email.as_str());
                for contact in phones.chain(emails) {
                    if let Some(brought) = self.brought.get_mut(contact) {
                        brought.insert(id.clone());
                    }
                }
            }
        }
    }

    /// Records what is a patient's now, once they are all stored.
    pub(crate) async fn settle(&self, reach: &Reach, tenant: &TenantStore) -> Result<MatchedAll, CloudError> {
        let desk = Desk::new(reach.clone());
        let (mut all, mut looked_at) = (MatchedAll::default(), 0_usize);
        for stored in &self.agreements {
            let brought = self.brought_by(contacts_of(stored));
            if brought.is_empty() || looked_at >= LOOKED_AT_MAX {
                continue;
            }
            looked_at += 1;
            all.count(desk.match_agreement(tenant, stored, &brought).await?);
        }
        for group in &self.strangers {
            let brought = self.brought_by(phones_of(group));
            if brought.is_empty() || looked_at >= LOOKED_AT_MAX {
                continue;
            }
            looked_at += 1;
            all.count(desk.match_stranger(tenant, group, &brought).await?);
        }
        Ok(all)
    }

    fn brought_by(&self, contacts: Vec<String>) -> Vec<PatientId> {
        let found: BTreeSet<&PatientId> =
            contacts.iter().filter_map(|contact| self.brought.get(contact)).flatten().collect();
        found.into_iter().cloned().collect()
    }
}

impl MatchedAll {
    fn count(&mut self, matched: Matched) {
        match matched {
            Matched::Recorded => self.recorded += 1,
            Matched::Several => self.doubtful += 1,
            Matched::Nobody => {}
        }
    }
}

fn contacts_of(stored: &StoredAgreement) -> Vec<String> {
    let mut contacts = stored.agreement.phone.aliases();
    contacts.extend(stored.agreement.email.as_ref().map(|email| email.as_str().to_owned()));
    contacts
}

fn phones_of(group: &StrangerGroup) -> Vec<String> {
    group.phone.as_ref().map(|phone| phone.aliases()).unwrap_or_default()
}
