//! Finding what is held about one person, wherever it lies.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use retorno_domain::contact::{E164, EmailAddress, PersonName};
use retorno_domain::ids::PatientId;
use serde::{Deserialize, Serialize};

use crate::error::{CloudError, sort};
use crate::store::item::{Item, Reader};
use crate::store::key::Keys;
use crate::store::{Collection, TenantStore};

/// Items of one BatchGetItem.
const READS_MAX: usize = 100;

/// Whose things are looked for: what is known of the person, as hashes, so that the search goes on when
/// the person's own record is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subject {
    pub(super) patient: String,
    /// Hashes of the contact points on record, in each spelling.
    pub(super) contacts: BTreeSet<String>,
    /// Hashes of contact points that were on record before, where anything says so.
    #[serde(default)]
    pub(super) former: BTreeSet<String>,
    /// Marks of the name at these contacts.
    pub(super) persons: BTreeSet<String>,
    /// Nobody else on record is reached at these phones.
    pub(super) alone: bool,
    /// The name in the audit records.
    pub(super) who: Option<String>,
}

/// What is held about a person, as it stands in the table.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// All items under the patient.
    pub(super) own: Vec<Item>,
    /// Items that name the patient, or are the person's by the contact, and are deleted whole.
    pub(super) named: Vec<(&'static str, Item)>,
    /// Agreements of others, by id, which staff was told that this patient may have given.
    pub(super) candidacies: Vec<String>,
    /// Bookings.
    pub(super) bookings: Vec<Item>,
    /// Slots booked by or held for them.
    pub(super) slots: Vec<Item>,
    /// Contact points.
    pub(super) points: Vec<Item>,
}

impl Subject {
    /// Takes in what is known by now.
    pub(super) fn learn(&mut self, now: Self) {
        self.contacts.extend(now.contacts);
        self.former.extend(now.former);
        self.persons.extend(now.persons);
        self.who = now.who.or_else(|| self.who.take());
    }
}

impl TenantStore {
    /// What is known of a person for the search.
    pub(super) async fn subject(&self, collection: &Collection, today: NaiveDate) -> Result<Subject, CloudError> {
        let patient = &collection.patient.patient;
        let contacts = self.contacts_of(patient);
        Ok(Subject {
            patient: patient.id.to_string(),
            persons: self.erased_person(&patient.profile.name, &contacts),
            alone: self.are_alone(&contacts, &patient.id, today).await?,
            former: self.former_contacts(&patient.id).await?,
            contacts,
            who: collection.patient.alias.as_ref().map(super::super::Alias::name),
        })
    }

    /// Whether nobody else on record is reached at these contacts.
    pub(super) async fn are_alone(
        &self,
        contacts: &BTreeSet<String>,
        patient: &PatientId,
        today: NaiveDate,
    ) -> Result<bool, CloudError> {
        for hash in contacts {
            if self.patients_with_hash(hash, today).await?.iter().any(|other| other != patient) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Contact points that the patient had before: where something went, or was heard from, and where their
    /// opt-out by an export stands.
    async fn former_contacts(&self, patient: &PatientId) -> Result<BTreeSet<String>, CloudError> {
        let keys = Keys(&self.clinic);
        let own = self.query_partition(keys.patient_pk(patient), None).await?;
        let went = own.iter().flat_map(|item| [text(item, "cp"), text(item, "heard_from")]);
        let mut former: BTreeSet<String> = went.flatten().map(str::to_owned).collect();
        let suppressed: Vec<String> = self.suppressed_contacts().await?.into_iter().collect();
        for hashes in suppressed.chunks(READS_MAX) {
            let wanted = hashes.iter().map(|hash| keys.contact_point(hash).item()).collect();
            for item in self.batch_get("BatchGetItem contact points", wanted, true).await? {
                let opted_out = item.get("oo_imp").and_then(|who| who.as_ss().ok());
                if opted_out.is_some_and(|who| who.iter().any(|who| who == patient.as_str())) {
                    former.extend(hash_of_point(&item).map(str::to_owned));
                }
            }
        }
        Ok(former)
    }

    /// Everything of a person's that is to be found. Strongly consistent.
    pub(super) async fn held(&self, subject: &Subject, patient: &PatientId) -> Result<Held, CloudError> {
        let keys = Keys(&self.clinic);
        let own = self.query_partition(keys.patient_pk(patient), None).await?;
        let mut named = Vec::new();
        for (kind, key) in [("visits ahead", keys.ahead(patient)), ("waiter", keys.waiting(patient))] {
            named.extend(self.get("GetItem privacy", key.item()).await?.map(|item| (kind, item)));
        }
        let calls = self.query_partition(keys.calls_pk(), None).await?;
        named.extend(calls.into_iter().filter(|item| names(item, "patient", subject)).map(|item| ("call task", item)));
        let agreements = self.query_partition(keys.agreements_pk(), None).await?;
        let (agreed, of_others): (Vec<Item>, Vec<Item>) =
            agreements.into_iter().partition(|item| self.has_agreed(item, subject));
        named.extend(agreed.into_iter().map(|item| ("agreement", item)));
        let candidate = |item: &Item| item.get("may_be").and_then(|ids| ids.as_ss().ok()).cloned().unwrap_or_default();
        let candidacies = of_others.iter().filter(|item| candidate(item).contains(&subject.patient));
        let candidacies = candidacies.filter_map(|item| text(item, "sk").map(str::to_owned)).collect();
        let strangers = self.query_partition(keys.strangers_pk(), None).await?;
        // What was said from a number, what was answered there, and what staff did with it.
        let numbers: BTreeSet<String> = strangers
            .iter()
            .filter(|item| self.is_of(item, subject))
            .filter_map(|item| {
                let head = text(item, "sk").and_then(|sk| sk.strip_prefix("N#"));
                text(item, "who").or(head).map(str::to_owned)
            })
            .collect();
        let is_number = |item: &Item| {
            let head = text(item, "sk").and_then(|sk| sk.strip_prefix("N#"));
            text(item, "who").or(head).is_some_and(|who| numbers.contains(who))
        };
        let said = strangers.into_iter().filter(|item| self.is_of(item, subject) || is_number(item));
        named.extend(said.map(|item| ("stranger", item)));
        let sent: Vec<String> = own.iter().filter_map(|item| text(item, "prov_id")).map(|id| self.hash(id)).collect();
        for hash in sent {
            named.extend(self.get("GetItem privacy", keys.sent(&hash).item()).await?.map(|item| ("sent id", item)));
        }
        let mut points = Vec::new();
        for hash in subject.contacts.union(&subject.former) {
            points.extend(self.get("GetItem privacy", keys.contact_point(hash).item()).await?);
        }
        let is_on_record = |item: &Item| hash_of_point(item).is_some_and(|hash| subject.contacts.contains(hash));
        let ours =
            |item: &Item| item.get("users").filter(|_| subject.alone && is_on_record(item))?.as_ss().ok().cloned();
        let users: Vec<String> = points.iter().filter_map(ours).flatten().collect();
        for user in &users {
            named.extend(
                self.get("GetItem privacy", keys.user(user).item()).await?.map(|item| ("messenger's id", item)),
            );
        }
        let mut bookings = self.query_partition(keys.agenda_pk(), None).await?;
        bookings.retain(|item| names(item, "patient", subject));
        let mut slots = self.query_partition(keys.slots_pk(), None).await?;
        slots.retain(|item| names(item, "bk_p", subject) || names(item, "held_p", subject));
        Ok(Held { own, named, candidacies, bookings, slots, points })
    }

    /// Whether an agreement is the person's: by the patient it was attached to; by the contact and the
    /// name; by the contact alone where nobody else has it.
    fn has_agreed(&self, item: &Item, subject: &Subject) -> bool {
        let reader = Reader { kind: "agreement", item };
        let phone = reader.text_opt("phone").and_then(|text| E164::parse_strict(text).ok());
        let email = reader.text_opt("email").and_then(|text| EmailAddress::parse(text).ok());
        let phones = phone.iter().flat_map(|phone| self.spellings(phone));
        let contacts: Vec<String> = phones.chain(email.map(|email| self.hash(email.as_str()))).collect();
        let same_contact = contacts.iter().any(|contact| subject.contacts.contains(contact));
        let name = reader.text_opt("name").and_then(|name| PersonName::parse(name).ok());
        let marks = name.map(|name| self.erased_person(&name, &contacts)).unwrap_or_default();
        names(item, "patient", subject) || (same_contact && subject.alone) || !marks.is_disjoint(&subject.persons)
    }

    /// Whether the words of somebody unknown are the person's.
    fn is_of(&self, item: &Item, subject: &Subject) -> bool {
        let phone = text(item, "phone").or_else(|| text(item, "to"));
        let phone = phone.and_then(|digits| E164::parse_strict(&format!("+{}", digits.trim_start_matches('+'))).ok());
        let hashes = phone.map(|phone| self.spellings(&phone)).unwrap_or_default();
        let same_contact = hashes.iter().any(|hash| subject.contacts.contains(hash));
        names(item, "patient", subject) || (same_contact && subject.alone)
    }

    pub(super) async fn delete(&self, key: Item) -> Result<(), CloudError> {
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key));
        call.send().await.map(|_| ()).map_err(|e| sort("DeleteItem privacy", &e))
    }

    /// Deletes an item as it was read.
    pub(super) async fn delete_item(&self, item: &Item) -> Result<(), CloudError> {
        self.delete(item.iter().filter(|(name, _)| matches!(name.as_str(), "pk" | "sk")).map(clone_of).collect()).await
    }
}

fn clone_of(
    (name, value): (&String, &aws_sdk_dynamodb::types::AttributeValue),
) -> (String, aws_sdk_dynamodb::types::AttributeValue) {
    (name.clone(), value.clone())
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The hash under which a contact point stands.
pub(super) fn hash_of_point(item: &Item) -> Option<&str> {
    text(item, "pk")?.rsplit_once("#CP#").map(|(_, hash)| hash)
}

/// Whether an attribute holds the patient's number.
fn names(item: &Item, attribute: &str, subject: &Subject) -> bool {
    text(item, attribute).is_some_and(|id| id == subject.patient)
}
