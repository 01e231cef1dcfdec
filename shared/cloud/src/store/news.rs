//! News of a provider's: of numbers and accounts; the latest of each.

use chrono::{DateTime, Utc};

use super::TenantStore;
use super::item::{Item, Reader, ms, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// The register of what Meta says of a ban of an account: told as `{"ban": {"state": …}}`.
pub const ACCOUNT_BAN: &str = "account_ban";
/// Meta's word for an account that will be disabled unless somebody acts.
pub const BAN_ANNOUNCED: &str = "SCHEDULE_FOR_DISABLE";

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

    /// Whether Meta announced that it will disable an account, and has not said anything newer about that.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn account_will_be_disabled(&self, account: &str) -> Result<bool, CloudError> {
        let known = self.news_of(&format!("{ACCOUNT_BAN}#{account}")).await?;
        let told = known.and_then(|known| serde_json::from_str::<serde_json::Value>(&known.told).ok());
        Ok(told.is_some_and(|told| told.pointer("/ban/state").is_some_and(|state| state == BAN_ANNOUNCED)))
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
