//! The templates of accounts, as Meta's management API has them: submitted, looked at for a while,
//! approved; and what a person who tries things out lets Meta say of them. What Meta tells of them waits
//! here until it goes out as a webhook.

mod requests;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::approval::WantedTemplate;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde_json::{Value, json};

use super::Whatsapp;
use crate::doubles::{DoublesError, instant, stored};

pub(super) use requests::routes;

/// How long Meta looks at a template.
const LOOKED_AT: TimeDelta = TimeDelta::minutes(5);
/// How long it stops one for the first and the second time; the third is for good.
const PAUSES: [(&str, TimeDelta); 2] = [("FIRST_PAUSE", TimeDelta::hours(3)), ("SECOND_PAUSE", TimeDelta::hours(6))];

/// What Meta may be made to say of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaSays {
    /// It may be sent.
    Approve,
    /// It is refused.
    Reject,
    /// It is stopped for some hours, the third time for good.
    Pause,
    /// It is stopped for good.
    Disable,
    /// It is charged and limited as marketing.
    Recategorise,
    /// It is as if nobody had ever submitted it.
    Forget,
}

impl MetaSays {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Approve, Self::Reject, Self::Pause, Self::Disable, Self::Recategorise, Self::Forget];

    /// Its word in forms and commands.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Pause => "pause",
            Self::Disable => "disable",
            Self::Recategorise => "recategorise",
            Self::Forget => "forget",
        }
    }
}

/// A template as it is kept.
struct Held {
    number: i64,
    account: String,
    name: String,
    language: String,
    status: String,
    category: String,
    reason: String,
    body: String,
    buttons: String,
    pauses: i64,
}

const COLUMNS: &str = "number, account, name, language, status, category, reason, body, buttons, pauses";

impl Held {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            account: row.get(1)?,
            name: row.get(2)?,
            language: row.get(3)?,
            status: row.get(4)?,
            category: row.get(5)?,
            reason: row.get(6)?,
            body: row.get(7)?,
            buttons: row.get(8)?,
            pauses: row.get(9)?,
        })
    }

    /// As the list shows it.
    fn listed(&self) -> Value {
        let buttons: Vec<String> = serde_json::from_str(&self.buttons).unwrap_or_default();
        let buttons: Vec<Value> = buttons.iter().map(|text| json!({ "type": "QUICK_REPLY", "text": text })).collect();
        json!({
            "id": self.number.to_string(), "name": self.name, "language": self.language, "status": self.status,
            "category": self.category, "rejected_reason": self.reason,
            "components": [{ "type": "BODY", "text": self.body }, { "type": "BUTTONS", "buttons": buttons }],
        })
    }

    /// A webhook about it.
    fn webhook(&self, field: &str, more: &Value, at: DateTime<Utc>) -> Value {
        let mut value = json!({
            "message_template_id": self.number, "message_template_name": self.name,
            "message_template_language": self.language,
        });
        if let (Some(value), Some(more)) = (value.as_object_mut(), more.as_object()) {
            value.extend(more.clone());
        }
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": self.account, "time": at.timestamp(), "changes": [{ "field": field, "value": value }] }],
        })
    }
}

/// What becomes of a template, and what Meta tells of it.
struct Change {
    status: &'static str,
    reason: &'static str,
    category: Option<&'static str>,
    pauses: i64,
    decide_at: Option<DateTime<Utc>>,
    field: &'static str,
    told: Value,
}

impl Change {
    fn to(status: &'static str, held: &Held) -> Self {
        Self {
            status,
            reason: "NONE",
            category: None,
            pauses: held.pauses,
            decide_at: None,
            field: "message_template_status_update",
            told: json!({ "event": status, "reason": "NONE" }),
        }
    }

    fn of(says: MetaSays, held: &Held, now: DateTime<Utc>) -> Option<Self> {
        Some(match says {
            MetaSays::Approve => Self::to("APPROVED", held),
            MetaSays::Reject => {
                let reason = "ABUSIVE_CONTENT";
                let told = json!({ "event": "REJECTED", "reason": reason });
                Self { reason, told, ..Self::to("REJECTED", held) }
            }
            MetaSays::Pause => match usize::try_from(held.pauses).ok().and_then(|nth| PAUSES.get(nth)) {
                Some((title, lasts)) => Self {
                    pauses: held.pauses + 1,
                    decide_at: Some(now + *lasts),
                    told: json!({ "event": "PAUSED", "reason": "NONE", "other_info": { "title": title } }),
                    ..Self::to("PAUSED", held)
                },
                None => Self::to("DISABLED", held),
            },
            MetaSays::Disable => Self::to("DISABLED", held),
            MetaSays::Recategorise => Self {
                category: Some("MARKETING"),
                field: "template_category_update",
                told: json!({ "previous_category": held.category, "new_category": "MARKETING" }),
                ..Self::to("", held)
            },
            MetaSays::Forget => return None,
        })
    }
}

impl Whatsapp {
    /// Lets an account hold these templates, all approved, and send its events to the sandbox's app:
    /// what a clinic finds that has been through all that. Nothing for an account that is known already.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn begin_account(&self, account: &str, approved: &[WantedTemplate]) -> Result<(), DoublesError> {
        self.doubles.write(|tx| {
            let sql = "INSERT OR IGNORE INTO whatsapp_accounts (account, subscribed) VALUES (?1, 1)";
            if tx.execute(sql, [account])? == 0 {
                return Ok(());
            }
            for wanted in approved {
                let sql = "INSERT OR IGNORE INTO whatsapp_templates \
                           (account, name, language, status, category, body, buttons) \
                           VALUES (?1, ?2, ?3, 'APPROVED', ?4, ?5, ?6)";
                let buttons = json!(wanted.buttons).to_string();
                let language = wanted.language.whatsapp_code();
                tx.execute(sql, params![account, wanted.name, language, wanted.category.code(), wanted.body, buttons])?;
            }
            Ok(())
        })
    }

    /// Lets Meta say something of a template; whether the account holds it.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn meta_says(
        &self,
        account: &str,
        (name, language): (&str, &str),
        says: MetaSays,
    ) -> Result<bool, DoublesError> {
        let now = self.doubles.now();
        self.doubles.write(|tx| {
            let sql =
                format!("SELECT {COLUMNS} FROM whatsapp_templates WHERE account = ?1 AND name = ?2 AND language = ?3");
            let Some(held) = tx.query_row(&sql, [account, name, language], Held::read).optional()? else {
                return Ok(false);
            };
            match Change::of(says, &held, now) {
                Some(change) => change_to(tx, &held, &change, now)?,
                None => {
                    tx.execute("DELETE FROM whatsapp_templates WHERE number = ?1", [held.number])?;
                    let webhook = held.webhook("message_template_status_update", &json!({ "event": "DELETED" }), now);
                    tell(tx, &held, &webhook, now)?;
                }
            }
            Ok(true)
        })
    }

    /// Takes the sandbox's app off an account's events.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn unsubscribe(&self, account: &str) -> Result<(), DoublesError> {
        self.set_subscribed(account, false)
    }

    /// When Meta has something to tell next.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn next_template_news_at(&self) -> Result<Option<DateTime<Utc>>, DoublesError> {
        let sql = "SELECT min(at) FROM (SELECT min(at) AS at FROM whatsapp_template_news \
                   UNION ALL SELECT min(decide_at) FROM whatsapp_templates)";
        let at: Option<i64> = self.doubles.read(|db| Ok(db.query_row(sql, [], |row| row.get(0))?))?;
        at.map(instant).transpose()
    }

    /// What Meta has to tell by now: webhooks, each with its number, in their order.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn template_news(&self) -> Result<Vec<(i64, String)>, DoublesError> {
        let now = self.doubles.now();
        self.doubles.write(|tx| {
            let sql = format!(
                "SELECT {COLUMNS}, decide_at FROM whatsapp_templates WHERE decide_at <= ?1 ORDER BY decide_at, number"
            );
            let due: Vec<(Held, i64)> = tx
                .prepare(&sql)?
                .query_map([stored(now)], |row| Ok((Held::read(row)?, row.get(10)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (held, at) in &due {
                change_to(tx, held, &Change::to("APPROVED", held), instant(*at)?)?;
            }
            let mut news =
                tx.prepare("SELECT number, webhook FROM whatsapp_template_news WHERE at <= ?1 ORDER BY number")?;
            let news = news.query_map([stored(now)], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(news.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes that a webhook was told.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn told(&self, number: i64) -> Result<(), DoublesError> {
        self.doubles.write(|tx| {
            tx.execute("DELETE FROM whatsapp_template_news WHERE number = ?1", [number])?;
            Ok(())
        })
    }

    fn set_subscribed(&self, account: &str, subscribed: bool) -> Result<(), DoublesError> {
        self.doubles.write(|tx| {
            let sql = "INSERT INTO whatsapp_accounts (account, subscribed) VALUES (?1, ?2) \
                       ON CONFLICT (account) DO UPDATE SET subscribed = ?2";
            tx.execute(sql, params![account, subscribed])?;
            Ok(())
        })
    }

    fn is_subscribed(&self, account: &str) -> Result<bool, DoublesError> {
        let sql = "SELECT subscribed FROM whatsapp_accounts WHERE account = ?1";
        let found: Option<bool> =
            self.doubles.read(|db| Ok(db.query_row(sql, [account], |row| row.get(0)).optional()?))?;
        Ok(found.unwrap_or(false))
    }

    fn held(&self, account: &str) -> Result<Vec<Held>, DoublesError> {
        let sql = format!("SELECT {COLUMNS} FROM whatsapp_templates WHERE account = ?1 ORDER BY number");
        self.doubles.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let held = statement.query_map([account], Held::read)?;
            Ok(held.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn change_to(tx: &Transaction<'_>, held: &Held, change: &Change, at: DateTime<Utc>) -> Result<(), DoublesError> {
    match change.category {
        // Another category leaves everything else as it is.
        Some(category) => {
            let sql = "UPDATE whatsapp_templates SET category = ?1 WHERE number = ?2";
            tx.execute(sql, params![category, held.number])?;
        }
        None => {
            let sql = "UPDATE whatsapp_templates SET status = ?1, reason = ?2, pauses = ?3, decide_at = ?4 \
                       WHERE number = ?5";
            let decide_at = change.decide_at.map(stored);
            tx.execute(sql, params![change.status, change.reason, change.pauses, decide_at, held.number])?;
        }
    }
    tell(tx, held, &held.webhook(change.field, &change.told, at), at)
}

/// An account's events go to whoever is subscribed to them, and otherwise to nobody.
fn tell(tx: &Transaction<'_>, held: &Held, webhook: &Value, at: DateTime<Utc>) -> Result<(), DoublesError> {
    let sql = "INSERT INTO whatsapp_template_news (at, webhook) \
               SELECT ?1, ?2 FROM whatsapp_accounts WHERE account = ?3 AND subscribed";
    tx.execute(sql, params![stored(at), webhook.to_string(), held.account])?;
    Ok(())
}
