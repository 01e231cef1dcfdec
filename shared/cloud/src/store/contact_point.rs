//! Contact points: items of their own under a keyed hash of the phone or e-mail, so that an opt-out
//! survives the erasure of the person and binds everyone who shares the number.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::contact_point::{ContactPoint, ContactPoints};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::subscription::Holder;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use super::patient::ledger_of;
use crate::error::{CloudError, sort};
use crate::secrets::{SecretKey, hex};

pub(super) const KIND: &str = "contact point";
/// Tries at one contact point that others write as well.
const TRIES_MAX: u32 = 8;

/// The keyed hash of a phone (E.164), an e-mail address or a browser's address within a clinic: 32
/// hexadecimal digits.
#[must_use]
pub fn contact_hash(key: &SecretKey, clinic: &str, address: &str) -> String {
    let mac = key.mac(&[b"contact", clinic.as_bytes(), address.as_bytes()]);
    hex(mac.get(..16).unwrap_or(&mac))
}

/// The hashes of a patient's contact points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactKeys {
    /// The phone.
    pub phone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The browsers, the one that is used first.
    pub push: Vec<String>,
}

impl ContactKeys {
    /// The hash that a channel uses.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Whatsapp | Channel::Sms | Channel::Call => self.phone.as_deref(),
            Channel::Email => self.email.as_deref(),
            Channel::Push => self.push.first().map(String::as_str),
        }
    }

    /// All that are there.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.phone.iter().chain(&self.email).chain(&self.push).map(String::as_str)
    }
}

/// The attribute that says since when nobody may be written to here on a channel for a purpose.
pub(super) fn opted_out_attribute(channel: Channel, purpose: Purpose) -> String {
    let of = match purpose {
        Purpose::Marketing => "om",
        Purpose::Care => "oc",
    };
    format!("{of}_{channel}")
}

/// The same for every purpose, as it was written before there were purposes. Read and lifted, and
/// never written.
pub(super) fn opted_out_before(channel: Channel) -> String {
    format!("oo_{channel}")
}

pub(super) fn point_of(item: &Item) -> Result<ContactPoint, CloudError> {
    let reader = Reader { kind: KIND, item };
    let has = |prefix: &str| -> ChannelSet {
        Channel::ALL.into_iter().filter(|channel| item.contains_key(&format!("{prefix}_{channel}"))).collect()
    };
    let suppressed = |of: &str| match item.contains_key("oo_imp") {
        true => ChannelSet::ALL,
        false => has("oo").iter().fold(has(of), ChannelSet::with),
    };
    let busy = match (reader.text_opt("busy_p"), reader.instant_opt("busy_u")?) {
        (Some(id), Some(until)) => Some((PatientId::parse(id).map_err(|_| reader.corrupt("busy_p"))?, until)),
        _ => None,
    };
    Ok(ContactPoint {
        suppressed: suppressed("om"),
        suppressed_care: suppressed("oc"),
        unreachable: has("dead"),
        whatsapp: ledger_of(&reader)?,
        busy,
    })
}

/// The condition that nobody opted out here of this purpose on these channels.
pub(super) fn not_suppressed(channels: ChannelSet, purpose: Purpose) -> String {
    let names = |channel| [opted_out_before(channel), opted_out_attribute(channel, purpose)];
    channels.iter().flat_map(names).fold("attribute_not_exists(oo_imp)".to_owned(), |condition, name| {
        format!("{condition} AND attribute_not_exists({name})")
    })
}

/// The condition that nobody here wants nothing at all on this channel.
pub(super) fn not_closed(channel: Channel) -> String {
    let [before, marketing, care] = [
        opted_out_before(channel),
        opted_out_attribute(channel, Purpose::Marketing),
        opted_out_attribute(channel, Purpose::Care),
    ];
    format!(
        "attribute_not_exists(oo_imp) AND attribute_not_exists({before}) \
         AND (attribute_not_exists({marketing}) OR attribute_not_exists({care}))"
    )
}

/// The condition that nobody said of this phone that it is not the patient's.
pub(super) const NOT_WRONG: &str = "attribute_not_exists(dead_call)";

impl TenantStore {
    /// The hash of an address of this clinic.
    #[must_use]
    pub fn hash(&self, address: &str) -> String {
        contact_hash(&self.store.contact_key, self.clinic.as_str(), address)
    }

    /// The hashes of a patient's contact points on a day of the clinic's: a minor's are the guardian's,
    /// so that children with one guardian share them, and what binds them.
    #[must_use]
    pub fn contact_keys(&self, patient: &Patient, today: NaiveDate) -> ContactKeys {
        let through = patient.through(today);
        ContactKeys {
            phone: through.phone().map(|phone| self.hash(phone.e164.as_str())),
            email: through.email().map(|email| self.hash(email.as_str())),
            push: through
                .holder()
                .into_iter()
                .flat_map(|holder| patient.subscriptions.of_holder(holder))
                .map(|browser| self.hash(browser.endpoint()))
                .collect(),
        }
    }

    /// The hashes of every contact on a patient's record: their own, and the guardian's where asked for.
    #[must_use]
    pub fn contact_keys_on_record(&self, patient: &Patient, with_guardian: bool) -> BTreeSet<String> {
        let profile = &patient.profile;
        let guardian = patient.guardian().filter(|_| with_guardian);
        let phones = [profile.phone.as_ref().ok(), guardian.and_then(|guardian| guardian.phone.as_ref().ok())];
        let emails = [profile.email.as_ref().ok(), guardian.and_then(|guardian| guardian.email.as_ref().ok())];
        let phones = phones.into_iter().flatten().map(|phone| self.hash(phone.e164.as_str()));
        let emails = emails.into_iter().flatten().map(|email| self.hash(email.as_str()));
        let browsers = patient.subscriptions.iter().filter(|known| with_guardian || known.holder() == Holder::Patient);
        phones.chain(emails).chain(browsers.map(|browser| self.hash(browser.endpoint()))).collect()
    }

    /// A patient's contact points, strongly consistent: one BatchGetItem, one read unit each. Of several
    /// browsers the one that is used.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn contact_points(&self, hashes: &ContactKeys) -> Result<ContactPoints, CloudError> {
        let keys = Keys(&self.clinic);
        let used = hashes.phone.iter().chain(&hashes.email).chain(hashes.push.first());
        let wanted: Vec<Item> = used.map(|hash| keys.contact_point(hash).item()).collect();
        let mut points = ContactPoints::default();
        for item in self.batch_get("BatchGetItem contact points", wanted, true).await? {
            let reader = Reader { kind: KIND, item: &item };
            let pk = reader.text("pk")?;
            let is = |hash: Option<&String>| hash.is_some_and(|hash| pk == keys.contact_point(hash).pk);
            let point = if is(hashes.phone.as_ref()) {
                &mut points.phone
            } else if is(hashes.email.as_ref()) {
                &mut points.email
            } else {
                &mut points.push
            };
            *point = point_of(&item)?;
        }
        Ok(points)
    }

    /// Records that a patient who uses this contact point has opted out (by an import), or has not
    /// any more. Harmless to repeat. The contact point is suppressed while anybody is on its list.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn set_imported_opt_out(&self, hash: &str, patient: &PatientId, out: bool) -> Result<(), CloudError> {
        let keys = Keys(&self.clinic);
        let who = AttributeValue::Ss(vec![patient.as_str().to_owned()]);
        let call = self.client().update_item().table_name(self.table());
        let call = call.set_key(Some(keys.contact_point(hash).item())).expression_attribute_values(":who", who);
        let call = if out {
            call.update_expression("ADD oo_imp :who, ver :one SET g1pk = :g, g1sk = :h")
                .expression_attribute_values(":g", s(keys.suppressed_pk()))
                .expression_attribute_values(":h", s(hash))
        } else {
            call.update_expression("DELETE oo_imp :who ADD ver :one")
        };
        let answer = call
            .expression_attribute_values(":one", n(1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| sort("UpdateItem contact point", &e))?;
        let left = answer.attributes.unwrap_or_default();
        if !out && point_of(&left)?.suppressed.is_empty() {
            self.unlist(hash).await?;
        }
        Ok(())
    }

    /// Takes a contact point at which marketing is open from the list of suppressed ones.
    pub(super) async fn unlist(&self, hash: &str) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .update_expression("REMOVE g1pk, g1sk")
            .condition_expression(not_suppressed(ChannelSet::ALL, Purpose::Marketing));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem contact point", &e)),
        }
    }

    /// Records an opt-out told to us or to a provider: unconditional, harmless to repeat, never
    /// lifted by an import. From this write on nothing is sent to the contact point for these purposes.
    /// Of several the latest instant is kept, in whatever order they come.
    ///
    /// # Errors
    /// [`CloudError`]; the contact point may be closed by then, and repeating finishes it.
    pub async fn opt_out(
        &self,
        hash: &str,
        channels: ChannelSet,
        purposes: PurposeSet,
        at: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let names = |channel| purposes.iter().map(move |purpose| opted_out_attribute(channel, purpose));
        let names: Vec<String> = channels.iter().flat_map(names).collect();
        if names.is_empty() {
            return Ok(());
        }
        for _ in 0..TRIES_MAX {
            let stands = self.close(hash, &names, purposes, at).await?;
            let reader = Reader { kind: KIND, item: &stands };
            let mut older = Vec::new();
            for name in &names {
                if reader.instant(name)?.timestamp_millis() < at.timestamp_millis() {
                    older.push(name.as_str());
                }
            }
            if older.is_empty() || self.told_again(hash, &older, at).await? {
                return Ok(());
            }
        }
        Err(CloudError::Retryable { operation: "UpdateItem opt-out", code: "kept_changing".to_owned() })
    }

    /// Closes a contact point, unconditionally; gives it back as it stands then.
    async fn close(
        &self,
        hash: &str,
        names: &[String],
        purposes: PurposeSet,
        at: DateTime<Utc>,
    ) -> Result<Item, CloudError> {
        let sets: Vec<String> = names.iter().map(|name| format!("{name} = if_not_exists({name}, :now)")).collect();
        let (keys, mut set) = (Keys(&self.clinic), sets.join(", "));
        let call = self.client().update_item().table_name(self.table());
        let mut call = call.set_key(Some(keys.contact_point(hash).item()));
        if purposes.contains(Purpose::Marketing) {
            set.push_str(", g1pk = :g, g1sk = :h");
            call = call.expression_attribute_values(":g", s(keys.suppressed_pk()));
            call = call.expression_attribute_values(":h", s(hash));
        }
        let call = call
            .update_expression(format!("SET {set} ADD ver :one"))
            .expression_attribute_values(":now", ms(at))
            .expression_attribute_values(":one", n(1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        let answer = call.send().await.map_err(|e| sort("UpdateItem opt-out", &e))?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// Notes that what stands was told again later; not when somebody lifted it meanwhile.
    async fn told_again(&self, hash: &str, names: &[&str], at: DateTime<Utc>) -> Result<bool, CloudError> {
        let joined = |between: &str, each: &str| {
            names.iter().map(|name| format!("{name} {each} :now")).collect::<Vec<_>>().join(between)
        };
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .update_expression(format!("SET {} ADD ver :one", joined(", ", "=")))
            .condition_expression(joined(" AND ", "<="))
            .expression_attribute_values(":now", ms(at))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem opt-out", &e)),
        }
    }

    /// Lifts an opt-out of marketing on one channel that was told to its provider before `at`. Nothing
    /// else is lifted: a later opt-out, or one from all channels, stands.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn resume_channel(&self, hash: &str, channel: Channel, at: DateTime<Utc>) -> Result<(), CloudError> {
        // Told to us, an opt-out is from all channels: then e-mail is closed as well.
        let all = [opted_out_attribute(Channel::Email, Purpose::Marketing), opted_out_before(Channel::Email)];
        let [all, all_before] = all;
        for name in [opted_out_attribute(channel, Purpose::Marketing), opted_out_before(channel)] {
            let call = self.client().update_item().table_name(self.table());
            let call = call
                .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
                .update_expression(format!("REMOVE {name} ADD ver :one"))
                .condition_expression(format!(
                    "{name} < :at AND attribute_not_exists({all}) AND attribute_not_exists({all_before})"
                ))
                .expression_attribute_values(":at", ms(at))
                .expression_attribute_values(":one", n(1));
            match call.send().await {
                Ok(_) => self.unlist(hash).await?,
                Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(e) => return Err(sort("UpdateItem resume", &e)),
            }
        }
        Ok(())
    }

    /// Takes back that a phone is not the patient's. What providers said of it stands. Harmless to
    /// repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn unmark_wrong(&self, hash: &str) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).contact_point(hash);
        let Some(item) = self.get("GetItem contact point", key.item()).await? else { return Ok(()) };
        let said = |channel: &Channel| item.get(&format!("dead_{channel}"));
        let Some(wrong) = said(&Channel::Call) else { return Ok(()) };
        // Said of all three at one instant; a provider speaks of one of them, at another.
        let phones = Channel::ALL.into_iter().filter(|channel| channel.is_phone());
        let names = phones.filter(|channel| said(channel) == Some(wrong)).map(|channel| format!("dead_{channel}"));
        let names: Vec<String> = names.collect();
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(key.item()))
            .update_expression(format!("REMOVE {} ADD ver :one", names.join(", ")))
            .condition_expression("dead_call = :wrong")
            .expression_attribute_values(":wrong", wrong.clone())
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem right number", &e)),
        }
    }

    /// Records that a provider cannot reach anybody here by a channel.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn mark_unreachable(&self, hash: &str, channel: Channel, now: DateTime<Utc>) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .update_expression(format!("SET dead_{channel} = if_not_exists(dead_{channel}, :now) ADD ver :one"))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":one", n(1));
        call.send().await.map(|_| ()).map_err(|e| sort("UpdateItem unreachable", &e))
    }
}
