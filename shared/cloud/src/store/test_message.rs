//! Test messages to staff: each takes one of a few places of its day, so that their number needs no
//! counting, and is claimed before it is sent like every message.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_domain::ids::MessageId;
use retorno_domain::message::Outcome;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use super::receipt::Told;
use crate::error::{CloudError, sort};

/// Test messages of a clinic a day.
pub const TESTS_A_DAY: u8 = 10;
/// Between two of them.
const TEST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// How long they are kept.
const TESTS_KEPT: TimeDelta = TimeDelta::days(90);

/// The number of a member of staff (E.164).
#[derive(Clone, PartialEq, Eq)]
pub struct StaffNumber(pub String);

impl StaffNumber {
    /// Its last digits, enough to know it again.
    #[must_use]
    pub fn tail(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or("")
    }
}

impl fmt::Debug for StaffNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffNumber([redacted])")
    }
}

/// Where a test message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestState {
    /// Asked for.
    Asked,
    /// Handed to the provider; no answer yet.
    InFlight,
    /// The provider took it.
    Accepted,
    /// Not sent, or refused; `code` says why.
    Failed,
    /// Nobody knows.
    Unknown,
}

impl TestState {
    const ALL: [Self; 5] = [Self::Asked, Self::InFlight, Self::Accepted, Self::Failed, Self::Unknown];

    /// The state's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::InFlight => "in_flight",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestMessage {
    /// Its place among those of its day.
    pub place: String,
    /// Its id, which comes back with its receipts.
    pub id: MessageId,
    /// To whom.
    pub to: StaffNumber,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// Where it stands.
    pub state: TestState,
    /// Why it was not sent.
    pub code: Option<String>,
    /// When the network took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When the provider said that it could not be delivered.
    pub failed_at: Option<DateTime<Utc>>,
}

/// What became of a wish for a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestAsked {
    /// It has this place.
    Placed(TestMessage),
    /// Not so soon after the last one.
    TooSoon,
    /// No place is left on this day.
    NoneLeft,
}

fn test_of(item: &Item) -> Result<TestMessage, CloudError> {
    let reader = Reader { kind: "test", item };
    let state = |code: &str| TestState::ALL.into_iter().find(|state| state.code() == code);
    Ok(TestMessage {
        place: reader.text("sk")?.to_owned(),
        id: reader.parse("id", MessageId::parse)?,
        to: StaffNumber(reader.text("to")?.to_owned()),
        asked_at: reader.instant("asked")?,
        state: reader.parse("st", state)?,
        code: reader.text_opt("code").map(str::to_owned),
        sent_at: reader.instant_opt("sent_at")?,
        delivered_at: reader.instant_opt("delivered_at")?,
        read_at: reader.instant_opt("read_at")?,
        failed_at: reader.instant_opt("failed_at")?,
    })
}

impl TenantStore {
    /// Takes a place for a test message; asked for again under the same id, it has its place already.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn place_test(
        &self,
        id: MessageId,
        to: &StaffNumber,
        day: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<TestAsked, CloudError> {
        for _ in 0..=TESTS_A_DAY {
            let today = self.tests_from(&format!("{day}#")).await?;
            if let Some(known) = today.iter().find(|test| test.id == id) {
                return Ok(TestAsked::Placed(known.clone()));
            }
            if today.iter().any(|test| test.asked_at <= now && now - test.asked_at < TEST_PAUSE) {
                return Ok(TestAsked::TooSoon);
            }
            let number = today.len() + 1;
            if number > usize::from(TESTS_A_DAY) {
                return Ok(TestAsked::NoneLeft);
            }
            let mut item = Keys(&self.clinic).test(&format!("{day}#{number:02}")).item();
            item.insert("id".to_owned(), s(id.to_string()));
            item.insert("to".to_owned(), s(to.0.clone()));
            item.insert("asked".to_owned(), ms(now));
            item.insert("st".to_owned(), s(TestState::Asked.code()));
            item.insert("ttl".to_owned(), n((now + TESTS_KEPT).timestamp()));
            let test = test_of(&item)?;
            let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
            match call.condition_expression("attribute_not_exists(pk)").send().await {
                Ok(_) => return Ok(TestAsked::Placed(test)),
                // Somebody was faster: look again.
                Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(e) => return Err(sort("PutItem test", &e)),
            }
        }
        Ok(TestAsked::NoneLeft)
    }

    /// The test messages, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn tests(&self) -> Result<Vec<TestMessage>, CloudError> {
        self.tests_from("").await
    }

    async fn tests_from(&self, prefix: &str) -> Result<Vec<TestMessage>, CloudError> {
        let key = Keys(&self.clinic).test("");
        let items = self.query_partition(key.pk, (!prefix.is_empty()).then_some(prefix)).await?;
        items.iter().map(test_of).collect()
    }

    /// One test message.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn test(&self, place: &str) -> Result<Option<TestMessage>, CloudError> {
        let item = self.get("GetItem test", Keys(&self.clinic).test(place).item()).await?;
        item.map(|item| test_of(&item)).transpose()
    }

    /// Claims a test message before it is sent; from then on nobody sends it again.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn claim_test(&self, place: &str) -> Result<bool, CloudError> {
        self.move_test(place, TestState::Asked, TestState::InFlight, None).await
    }

    /// Gives a test message up before it was claimed.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn give_up_test(&self, place: &str, why: &str) -> Result<(), CloudError> {
        self.move_test(place, TestState::Asked, TestState::Failed, Some(why)).await.map(|_| ())
    }

    /// Records what the provider answered. What is not known to be sent is not sent again: staff sees it
    /// and asks for another.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn record_test(&self, place: &str, outcome: &Outcome) -> Result<(), CloudError> {
        let (state, code) = match outcome {
            Outcome::Accepted { .. } => (TestState::Accepted, None),
            Outcome::NotSent { code, .. } | Outcome::Refused { code, .. } => (TestState::Failed, Some(code.as_str())),
            Outcome::Ambiguous { code } => (TestState::Unknown, Some(code.as_str())),
        };
        self.move_test(place, TestState::InFlight, state, code).await.map(|_| ())
    }

    /// Takes in a receipt of a test message, if the id is of one. Harmless to repeat, in any order.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn take_test_receipt(
        &self,
        id: MessageId,
        told: Told,
        at: DateTime<Utc>,
        code: Option<&str>,
    ) -> Result<bool, CloudError> {
        let Some(test) = self.tests().await?.into_iter().find(|test| test.id == id) else { return Ok(false) };
        let name = told.attribute();
        let call = self.client().update_item().table_name(self.table());
        let mut set = format!("SET {name} = :at");
        let mut call = call
            .set_key(Some(Keys(&self.clinic).test(&test.place).item()))
            .condition_expression(format!("attribute_exists(pk) AND (attribute_not_exists({name}) OR {name} > :at)"))
            .expression_attribute_values(":at", ms(at));
        if let Some(code) = code {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(code));
        }
        match call.update_expression(set).send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(true),
            Err(e) => Err(sort("UpdateItem test receipt", &e)),
        }
    }

    async fn move_test(
        &self,
        place: &str,
        from: TestState,
        to: TestState,
        code: Option<&str>,
    ) -> Result<bool, CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let mut call = call
            .set_key(Some(Keys(&self.clinic).test(place).item()))
            .condition_expression("st = :from")
            .expression_attribute_values(":from", s(from.code()))
            .expression_attribute_values(":to", s(to.code()));
        let mut set = "SET st = :to".to_owned();
        if let Some(code) = code {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(code));
        }
        match call.update_expression(set).send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem test", &e)),
        }
    }
}
