//! News of a provider's: of numbers and accounts; the latest of each. And words
//! of people whom nobody knows, for somebody to look at.

use chrono::{DateTime, TimeDelta, Utc};

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// How long the words of somebody unknown are kept.
const STRANGERS_KEPT: TimeDelta = TimeDelta::days(90);

/// News of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What it is of, each kind of fact apart: `number`, `account_ban#ACCOUNT`.
    pub of: String,
    /// When the provider told.
    pub at: DateTime<Utc>,
    /// What it told, as JSON of ours.
    pub told: String,
}

/// Words of somebody whom nobody knows.
#[derive(Clone)]
pub struct Stranger {
    /// When.
    pub at: DateTime<Utc>,
    /// The phone as digits, when it was shown.
    pub phone: Option<String>,
    /// What was written.
    pub text: String,
    /// How it was understood.
    pub intent: String,
}

impl std::fmt::Debug for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stranger").field("at", &self.at).field("intent", &self.intent).finish_non_exhaustive()
    }
}

impl TenantStore {
    /// Keeps news; older ones than those known change nothing. Says whether it was news.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_news(&self, news: &News) -> Result<bool, CloudError> {
        let mut item = Keys(&self.clinic).news(&news.of).item();
        item.insert("at".to_owned(), ms(news.at));
        item.insert("told".to_owned(), s(news.told.clone()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call.condition_expression("attribute_not_exists(pk) OR #at <= :at");
        let call = call.expression_attribute_names("#at", "at").expression_attribute_values(":at", ms(news.at));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem news", &e)),
        }
    }

    /// The latest news of one thing. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn news_of(&self, of: &str) -> Result<Option<News>, CloudError> {
        let item = self.get("GetItem news", Keys(&self.clinic).news(of).item()).await?;
        item.as_ref().map(news_of).transpose()
    }

    /// The latest news of everything.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn news(&self) -> Result<Vec<News>, CloudError> {
        let key = Keys(&self.clinic).news("");
        self.query_partition(key.pk, None).await?.iter().map(news_of).collect()
    }

    /// Keeps the words of somebody unknown, by the event that brought them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_stranger(&self, event: &str, stranger: &Stranger) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).stranger(stranger.at, &self.hash(event)).item();
        item.insert("at".to_owned(), ms(stranger.at));
        item.insert("text".to_owned(), s(stranger.text.clone()));
        item.insert("intent".to_owned(), s(stranger.intent.clone()));
        if let Some(phone) = &stranger.phone {
            item.insert("phone".to_owned(), s(phone.clone()));
        }
        item.insert("ttl".to_owned(), n((stranger.at + STRANGERS_KEPT).timestamp()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem stranger", &e))
    }

    /// The words of people unknown, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn strangers(&self) -> Result<Vec<Stranger>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).strangers_pk(), None).await?;
        let of = |item: &Item| {
            let reader = Reader { kind: "stranger", item };
            Ok(Stranger {
                at: reader.instant("at")?,
                phone: reader.text_opt("phone").map(str::to_owned),
                text: reader.text("text")?.to_owned(),
                intent: reader.text("intent")?.to_owned(),
            })
        };
        items.iter().map(of).collect()
    }

    /// Ends a halt that a provider's news had brought. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn unhalt(&self, what: &str) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).clinic(&format!("CLOSED#{what}"));
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key.item()));
        call.send().await.map_err(|e| sort("DeleteItem breaker", &e))?;
        self.forget_settings();
        Ok(())
    }

    /// Ends a halt that was brought for one of these reasons; one for another reason stays. Harmless to
    /// repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn unhalt_of(&self, what: &str, codes: &[&str]) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).clinic(&format!("CLOSED#{what}"));
        let names: Vec<String> = (0..codes.len()).map(|number| format!(":code{number}")).collect();
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key.item()));
        let call = call.condition_expression(format!("#code IN ({})", names.join(", ")));
        let call = call.expression_attribute_names("#code", "code");
        let call =
            codes.iter().zip(names).fold(call, |call, (code, name)| call.expression_attribute_values(name, s(*code)));
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

fn news_of(item: &Item) -> Result<News, CloudError> {
    let reader = Reader { kind: "news", item };
    let of = reader.text("sk")?.to_owned();
    Ok(News { of, at: reader.instant("at")?, told: reader.text("told")?.to_owned() })
}
