//! Bodies of requests whose sender is proven and that could not be read: kept with their bytes until
//! somebody has read them again after an upgrade, or discarded them. No clinic's: only what they say
//! would tell whose they are. They are sealed: a list without their content is what an operator sees.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};

use super::Store;
use super::item::{Item, Reader, ms, n, s};
use super::key::Key;
use super::sealed::Seal;
use crate::error::{CloudError, sort};
use crate::secrets::hex;

/// How long a body is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Bodies kept of one entry in one hour; more are only counted.
pub const PARKED_PER_HOUR_MAX: u32 = 20;
/// Bytes kept of one entry in one hour; a body that begins below may end above.
const BYTES_PER_HOUR_MAX: usize = 8 << 20;
/// Bytes in one item: an item has at most 400 KB.
const PIECE_BYTES: usize = 300_000;

/// A body that is kept. What it says is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedBody {
    /// Its id.
    pub id: String,
    /// Where it came in: what follows `/hooks/`.
    pub entry: String,
    /// Why it could not be read.
    pub why: String,
    /// When it came first.
    pub first_at: DateTime<Utc>,
    /// When it came last.
    pub last_at: DateTime<Utc>,
    /// How often it came.
    pub times: u32,
    /// Its bytes.
    pub bytes: u64,
    /// What came of reading it again, the last time.
    pub again: Option<ReadAgainOnce>,
}

/// An attempt to read a body again, after which it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAgainOnce {
    /// When.
    pub at: DateTime<Utc>,
    /// Which one it was: 1 is the first.
    pub number: u32,
    /// Whether something of it could be read; that is taken up.
    pub in_part: bool,
}

/// Bodies of one entry that were too many in an hour, and are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedOver {
    /// Where they came in.
    pub entry: String,
    /// The hour's beginning.
    pub hour: DateTime<Utc>,
    /// How many.
    pub count: u64,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parking {
    /// It is kept.
    Parked,
    /// It was kept before.
    Known,
    /// There are too many: it is counted and lost.
    Counted,
}

fn head(id: &str) -> Key {
    Key { pk: "PARKED".to_owned(), sk: id.to_owned() }
}

fn piece(id: &str, number: usize) -> Key {
    Key { pk: format!("PARKED#{id}"), sk: format!("{number:03}") }
}

fn hour(entry: &str, now: DateTime<Utc>) -> Key {
    let hour = now.timestamp().div_euclid(3_600) * 3_600;
    Key { pk: "PARKED_HOURS".to_owned(), sk: format!("{hour}#{entry}") }
}

impl Store {
    /// Keeps a body. The same one again is the same; pieces first, so that what is listed is whole.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn park(&self, entry: &str, why: &str, body: &[u8], now: DateTime<Utc>) -> Result<Parking, CloudError> {
        let mac = self.contact_key.mac(&[b"parked", entry.as_bytes(), body]);
        let id = hex(mac.get(..16).unwrap_or(&mac));
        if self.came_again(&id, now).await? {
            return Ok(Parking::Known);
        }
        if !self.has_room(entry, body.len(), now).await? {
            return Ok(Parking::Counted);
        }
        let ttl = n((now + KEPT).timestamp());
        let seal = Seal::of(&self.contact_key, &id)?;
        for (number, bytes) in body.chunks(PIECE_BYTES).enumerate() {
            let mut item = piece(&id, number).item();
            item.insert("sealed".to_owned(), AttributeValue::B(Blob::new(seal.seal(number, bytes)?)));
            item.insert("ttl".to_owned(), ttl.clone());
            let call = self.client.put_item().table_name(&self.table).set_item(Some(item));
            call.send().await.map_err(|e| sort("PutItem parked piece", &e))?;
        }
        let mut item = head(&id).item();
        let fields = [
            ("entry", s(entry)),
            ("why", s(why)),
            ("first_at", ms(now)),
            ("last_at", ms(now)),
            ("times", n(1)),
            ("bytes", n(body.len())),
            ("ttl", ttl),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item));
        call.send().await.map_err(|e| sort("PutItem parked", &e))?;
        Ok(Parking::Parked)
    }

    async fn came_again(&self, id: &str, now: DateTime<Utc>) -> Result<bool, CloudError> {
        let call = self.client.update_item().table_name(&self.table).set_key(Some(head(id).item()));
        let call = call
            .update_expression("SET last_at = :now ADD times :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem parked", &e)),
        }
    }

    /// Takes room in the entry's hour, or counts what finds none.
    async fn has_room(&self, entry: &str, bytes: usize, now: DateTime<Utc>) -> Result<bool, CloudError> {
        let key = hour(entry, now).item();
        let call = self.client.update_item().table_name(&self.table).set_key(Some(key.clone()));
        let call = call
            .update_expression("SET #ttl = :ttl ADD parked :one, held :bytes")
            .condition_expression("attribute_not_exists(pk) OR (parked < :most AND held < :bytes_most)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", n((now + KEPT).timestamp()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":bytes", n(bytes))
            .expression_attribute_values(":most", n(PARKED_PER_HOUR_MAX))
            .expression_attribute_values(":bytes_most", n(BYTES_PER_HOUR_MAX));
        match call.send().await {
            Ok(_) => return Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            Err(e) => return Err(sort("UpdateItem parked hour", &e)),
        }
        let call = self.client.update_item().table_name(&self.table).set_key(Some(key));
        let call = call.update_expression("ADD lost :one").expression_attribute_values(":one", n(1));
        call.send().await.map_err(|e| sort("UpdateItem parked hour", &e))?;
        Ok(false)
    }

    /// What is kept, the oldest first; without what it says.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn parked(&self) -> Result<Vec<ParkedBody>, CloudError> {
        let items = self.query_unowned("PARKED").await?;
        let mut found = items.iter().map(parked_of).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|parked| parked.first_at);
        Ok(found)
    }

    /// What was too much and is lost, the oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn parked_over(&self) -> Result<Vec<ParkedOver>, CloudError> {
        let mut found = Vec::new();
        for item in self.query_unowned("PARKED_HOURS").await? {
            let reader = Reader { kind: "parked hour", item: &item };
            let Some(count) = reader.number_opt("lost")? else { continue };
            let (hour, entry) = reader.text("sk")?.split_once('#').ok_or_else(|| reader.corrupt("sk"))?;
            let hour = hour.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            found.push(ParkedOver { entry: entry.to_owned(), hour: hour.ok_or_else(|| reader.corrupt("sk"))?, count });
        }
        Ok(found)
    }

    /// A body that is kept, with its bytes.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn parked_body(&self, id: &str) -> Result<Option<(ParkedBody, Vec<u8>)>, CloudError> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(head(id).item())).consistent_read(true);
        let Some(item) = call.send().await.map_err(|e| sort("GetItem parked", &e))?.item else { return Ok(None) };
        let parked = parked_of(&item)?;
        let seal = Seal::of(&self.contact_key, id)?;
        let mut body = Vec::new();
        for (number, item) in self.query_unowned(&piece(id, 0).pk).await?.iter().enumerate() {
            let bytes = |name: &str| item.get(name).and_then(|value| value.as_b().ok());
            let corrupt = || Reader { kind: "parked piece", item }.corrupt("sealed");
            match bytes("sealed") {
                Some(sealed) => body.extend(seal.open(number, sealed.as_ref()).ok_or_else(corrupt)?),
                // As it was kept before bodies were sealed.
                None => body.extend_from_slice(bytes("body").ok_or_else(corrupt)?.as_ref()),
            }
        }
        Ok(Some((parked, body)))
    }

    /// Notes that a body was read again and stays: something in it, or all of it, still cannot be read.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it counts once more.
    pub async fn read_parked_again(
        &self,
        id: &str,
        in_part: bool,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let call = self.client.update_item().table_name(&self.table).set_key(Some(head(id).item()));
        let call = call
            .update_expression("SET again_at = :now, again_in_part = :in_part, why = :why ADD again :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":in_part", AttributeValue::Bool(in_part))
            .expression_attribute_values(":why", s(why))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(()),
            // Discarded meanwhile.
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem parked", &e)),
        }
    }

    /// Forgets a body; says whether it was there. The head first: what is listed is whole.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn discard_parked(&self, id: &str) -> Result<bool, CloudError> {
        let mut keys = vec![head(id).item()];
        for item in self.query_unowned(&piece(id, 0).pk).await? {
            let sk = Reader { kind: "parked piece", item: &item }.text("sk")?.to_owned();
            keys.push(Key { pk: piece(id, 0).pk, sk }.item());
        }
        let mut was_there = false;
        for (number, key) in keys.into_iter().enumerate() {
            let call = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            let call = call.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld);
            let answer = call.send().await.map_err(|e| sort("DeleteItem parked", &e))?;
            was_there |= number == 0 && answer.attributes.is_some();
        }
        Ok(was_there)
    }

    async fn query_unowned(&self, pk: &str) -> Result<Vec<Item>, CloudError> {
        let call = self.client.query().table_name(&self.table).consistent_read(true);
        let call = call.key_condition_expression("pk = :pk").expression_attribute_values(":pk", s(pk));
        let mut pages = call.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|e| sort("Query parked", &e))?.items.unwrap_or_default());
        }
        Ok(items)
    }
}

fn parked_of(item: &Item) -> Result<ParkedBody, CloudError> {
    let reader = Reader { kind: "parked", item };
    Ok(ParkedBody {
        id: reader.text("sk")?.to_owned(),
        entry: reader.text("entry")?.to_owned(),
        why: reader.text("why")?.to_owned(),
        first_at: reader.instant("first_at")?,
        last_at: reader.instant("last_at")?,
        times: reader.number("times")?,
        bytes: reader.number("bytes")?,
        again: match reader.number_opt("again")? {
            None => None,
            Some(number) => {
                let in_part = item.get("again_in_part") == Some(&AttributeValue::Bool(true));
                Some(ReadAgainOnce { at: reader.instant("again_at")?, number, in_part })
            }
        },
    })
}
