//! How the clinic's own gateway stands, and the code that links its telephone. The state lies with the
//! settings, so that whoever reads these reads it; the code lies apart, is good for a minute, and is
//! shown to staff only.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::connection::{Connection, LinkState, LinkedNumber};
use retorno_domain::sender::Gateway;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use crate::channels::{LinkCode, LinkPicture};
use crate::error::{CloudError, sort};

/// A code is shown for so long; the gateway makes new ones.
pub const LINK_CODE_LASTS: TimeDelta = TimeDelta::seconds(60);

/// A word about a gateway's connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionWord<'a> {
    /// How it stands.
    pub state: LinkState,
    /// When that was.
    pub at: DateTime<Utc>,
    /// Whether it was asked; otherwise it told by itself.
    pub asked: bool,
    /// Why, in a word or number.
    pub error: Option<&'a str>,
    /// The number that is linked.
    pub number: Option<&'a LinkedNumber>,
}

/// A code that links a telephone, as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLinkCode {
    /// The code.
    pub code: LinkCode,
    /// It is of no use after this.
    pub until: DateTime<Utc>,
}

/// Which gateway a word is of: what the clinic had before tells nothing of what it has now.
fn of(gateway: &Gateway) -> String {
    format!("{}/{}", gateway.kind.code(), gateway.instance)
}

/// Words in the order in which they count.
fn order(state: LinkState, at: DateTime<Utc>) -> String {
    let rank = LinkState::ALL.into_iter().position(|other| other == state).unwrap_or(0);
    format!("{:015}.{rank}", at.timestamp_millis())
}

/// The connection that an item holds, if it is of this gateway.
pub(super) fn connection_of(item: &Item, gateway: &Gateway) -> Result<Option<Connection>, CloudError> {
    let reader = Reader { kind: "connection", item };
    if reader.text("of")? != of(gateway) {
        return Ok(None);
    }
    Ok(Some(Connection {
        state: reader.parse("st", LinkState::of_code)?,
        since: reader.instant("since")?,
        at: reader.instant("at")?,
        checked_at: reader.instant_opt("checked")?,
        linked_at: reader.instant_opt("linked")?,
        down_since: reader.instant_opt("down")?,
        error: reader.text_opt("err").map(str::to_owned),
        number: reader.text_opt("num").map(|number| LinkedNumber(number.to_owned())),
    }))
}

impl TenantStore {
    /// Takes in a word about the connection. The latest counts, in whatever order they arrive and however
    /// often. Gives the connection back if this is the latest word, also when it was known.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_connection(
        &self,
        gateway: &Gateway,
        word: &ConnectionWord<'_>,
    ) -> Result<Option<Connection>, CloudError> {
        // Of the same state; of another one; the first of this gateway.
        let same = "#of = :of AND st = :st AND ord < :ord";
        let changed = "#of = :of AND st <> :st AND ord < :ord";
        let first = "attribute_not_exists(pk) OR #of <> :of";
        for (condition, starts) in [(same, false), (changed, true), (first, true)] {
            if let Some(item) = self.write_word(gateway, word, condition, starts, condition == first).await? {
                self.forget_settings();
                return connection_of(&item, gateway);
            }
        }
        let known = self.get("GetItem connection", Keys(&self.clinic).clinic("CONNECTION").item()).await?;
        let is_latest =
            |item: &Item| item.get("ord").and_then(|ord| ord.as_s().ok()) == Some(&order(word.state, word.at));
        known.filter(is_latest).map_or(Ok(None), |item| connection_of(&item, gateway))
    }

    async fn write_word(
        &self,
        gateway: &Gateway,
        word: &ConnectionWord<'_>,
        condition: &str,
        starts: bool,
        is_first: bool,
    ) -> Result<Option<Item>, CloudError> {
        let mut set = vec!["#of = :of", "st = :st", "ord = :ord", "#at = :at"];
        let mut remove = Vec::new();
        set.extend(starts.then_some("since = :at"));
        set.extend(word.asked.then_some("checked = :at"));
        if word.state.can_send() {
            set.push("linked = :at");
            remove.push("down");
        } else if starts {
            set.push(if is_first { "down = :at" } else { "down = if_not_exists(down, :at)" });
        }
        match word.error {
            Some(_) => set.push("err = :err"),
            None => remove.push("err"),
        }
        set.extend(word.number.map(|_| "num = :num"));
        if is_first {
            remove.extend((!word.state.can_send()).then_some("linked"));
            remove.extend((!word.asked).then_some("checked"));
            remove.extend(word.number.is_none().then_some("num"));
        }
        let mut update = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            update.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let call = self.client().update_item().table_name(self.table());
        let mut call = call
            .set_key(Some(Keys(&self.clinic).clinic("CONNECTION").item()))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_names("#of", "of")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":of", s(of(gateway)))
            .expression_attribute_values(":st", s(word.state.code()))
            .expression_attribute_values(":ord", s(order(word.state, word.at)))
            .expression_attribute_values(":at", ms(word.at))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        if let Some(error) = word.error {
            call = call.expression_attribute_values(":err", s(error));
        }
        if let Some(number) = word.number {
            call = call.expression_attribute_values(":num", s(number.0.clone()));
        }
        match call.send().await {
            Ok(done) => Ok(done.attributes),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(None),
            Err(e) => Err(sort("UpdateItem connection", &e)),
        }
    }

    /// How the clinic's gateway stands, as far as was heard. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn connection(&self, gateway: &Gateway) -> Result<Option<Connection>, CloudError> {
        let item = self.get("GetItem connection", Keys(&self.clinic).clinic("CONNECTION").item()).await?;
        item.map_or(Ok(None), |item| connection_of(&item, gateway))
    }

    /// Keeps the code that links the telephone; the latest replaces the others.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_link_code(&self, code: &LinkCode, at: DateTime<Utc>) -> Result<(), CloudError> {
        let until = at + LINK_CODE_LASTS;
        let mut item = Keys(&self.clinic).link_code().item();
        match &code.picture {
            LinkPicture::Text(text) => item.insert("text".to_owned(), s(text.clone())),
            LinkPicture::Image { content_type, base64 } => {
                item.insert("mime".to_owned(), s(content_type.clone()));
                item.insert("image".to_owned(), s(base64.clone()))
            }
        };
        if let Some(pairing) = &code.pairing_code {
            item.insert("pairing".to_owned(), s(pairing.clone()));
        }
        item.insert("until_ms".to_owned(), ms(until));
        item.insert("ttl".to_owned(), n(until.timestamp()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call.condition_expression("attribute_not_exists(pk) OR until_ms < :u");
        match call.expression_attribute_values(":u", ms(until)).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("PutItem link code", &e)),
        }
    }

    /// The code that links the telephone, while it is of use.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn link_code(&self, now: DateTime<Utc>) -> Result<Option<StoredLinkCode>, CloudError> {
        let Some(item) = self.get("GetItem link code", Keys(&self.clinic).link_code().item()).await? else {
            return Ok(None);
        };
        let reader = Reader { kind: "link code", item: &item };
        let until = reader.instant("until_ms")?;
        if until <= now {
            return Ok(None);
        }
        let picture = match reader.text_opt("text") {
            Some(text) => LinkPicture::Text(text.to_owned()),
            None => LinkPicture::Image {
                content_type: reader.text("mime")?.to_owned(),
                base64: reader.text("image")?.to_owned(),
            },
        };
        let pairing_code = reader.text_opt("pairing").map(str::to_owned);
        Ok(Some(StoredLinkCode { code: LinkCode { picture, pairing_code }, until }))
    }

    /// Forgets the code: it was read, or is of no use any more.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn forget_link_code(&self) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).link_code();
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key.item()));
        call.send().await.map(|_| ()).map_err(|e| sort("DeleteItem link code", &e))
    }

    /// Ends the halt that a message met because the gateway was not linked, or did not answer.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn unhalt_gateway(&self) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).clinic("CLOSED#whatsapp");
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key.item()));
        let ours = "begins_with(code, :gateway) OR begins_with(code, :http) OR code IN (:none, :unreadable)";
        let call = call
            .condition_expression(ours)
            .expression_attribute_values(":none", s("no_provider"))
            .expression_attribute_values(":unreadable", s("unreadable"))
            .expression_attribute_values(":gateway", s("gateway_"))
            .expression_attribute_values(":http", s("http_"));
        match call.send().await {
            Ok(_) => {
                self.forget_settings();
                Ok(())
            }
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("DeleteItem breaker", &e)),
        }
    }
}
