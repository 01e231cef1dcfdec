//! What is known of a clinic's templates at Meta: an item for each, and one for the account. Written by
//! whoever learns something, in any order; what stands is computed from all that was told.

use chrono::{DateTime, Utc};
use retorno_domain::approval::{AccountFact, AccountState, Approvals, Fact, TemplateState};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TenantStore;
use super::item::{Item, Reader, n, s};
use super::key::{Key, Keys, TEMPLATE_SK};
use crate::error::{CloudError, sort};

/// Tries at one item that others write as well.
const TRIES_MAX: u32 = 8;

impl TenantStore {
    /// What is known of an account and its templates.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn approvals(&self, account: &str) -> Result<Approvals, CloudError> {
        let mut approvals = Approvals::default();
        for item in self.query_partition(Keys(&self.clinic).templates_pk(account), None).await? {
            let reader = Reader { kind: "template", item: &item };
            match reader.text("sk")?.strip_prefix(TEMPLATE_SK) {
                Some(_) => {
                    let of = (reader.text("name")?.to_owned(), reader.text("lang")?.to_owned());
                    approvals.templates.insert(of, self.state(&reader));
                }
                None => approvals.account = self.state(&reader),
            }
        }
        Ok(approvals)
    }

    /// A state as stored. One that cannot be read is as if nobody had told anything: everything else of the
    /// clinic goes on, and what is told anew is kept.
    fn state<T: Default + DeserializeOwned>(&self, reader: &Reader<'_>) -> T {
        let read = reader.parse("state", |text| serde_json::from_str(text).ok());
        read.unwrap_or_else(|error| {
            tracing::error!(clinic = %self.clinic, %error, "what Meta said is not known any more");
            T::default()
        })
    }

    /// Takes in what was learned of a template; says whether anything of it was new.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn learn_template(
        &self,
        account: &str,
        (name, language): (&str, &str),
        at: DateTime<Utc>,
        facts: &[Fact],
    ) -> Result<bool, CloudError> {
        let key = Keys(&self.clinic).template(account, name, language);
        let labels = [("name", name), ("lang", language)];
        let learn = |state: &mut TemplateState| facts.iter().for_each(|fact| state.learn(at, fact.clone()));
        self.learn(&key, &labels, learn).await
    }

    /// Takes in what was learned of an account; says whether it was new.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn learn_account(&self, account: &str, at: DateTime<Utc>, fact: AccountFact) -> Result<bool, CloudError> {
        let key = Keys(&self.clinic).account(account);
        self.learn(&key, &[], |state: &mut AccountState| state.learn(at, fact)).await
    }

    /// Reads a state, lets it learn, and writes it if nobody else has meanwhile.
    async fn learn<T>(&self, key: &Key, labels: &[(&str, &str)], learn: impl Fn(&mut T)) -> Result<bool, CloudError>
    where
        T: Default + Clone + PartialEq + Serialize + DeserializeOwned,
    {
        for _ in 0..TRIES_MAX {
            let found = self.get("GetItem template", key.item()).await?;
            let (known, version): (T, u64) = match &found {
                Some(item) => {
                    let reader = Reader { kind: "template", item };
                    (self.state(&reader), reader.number("ver")?)
                }
                None => (T::default(), 0),
            };
            let mut learned = known.clone();
            learn(&mut learned);
            if learned == known {
                return Ok(false);
            }
            if self.put_state(key, labels, &learned, version).await? {
                self.forget_settings();
                return Ok(true);
            }
        }
        Err(CloudError::Retryable { operation: "PutItem template", code: "kept_changing".to_owned() })
    }

    async fn put_state<T: Serialize>(
        &self,
        key: &Key,
        labels: &[(&str, &str)],
        state: &T,
        version: u64,
    ) -> Result<bool, CloudError> {
        let told = serde_json::to_string(state).map_err(|e| CloudError::Setup(e.to_string()))?;
        let mut item: Item = key.item();
        item.insert("state".to_owned(), s(told));
        item.insert("ver".to_owned(), n(version + 1));
        item.extend(labels.iter().map(|(label, value)| ((*label).to_owned(), s(*value))));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = match version {
            0 => call.condition_expression("attribute_not_exists(pk)"),
            read => call.condition_expression("ver = :read").expression_attribute_values(":read", n(read)),
        };
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem template", &e)),
        }
    }
}
