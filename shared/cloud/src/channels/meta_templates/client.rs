//! The calls to Meta's management API, with the clinic's token. Nothing here is sent to anybody, but
//! all of it counts against 200 calls an hour.

use std::time::Duration;

use reqwest::Method;
use retorno_domain::approval::MetaTrouble;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::present::Page;
use super::{PresentTemplate, WantedTemplate, create_request, edit_request};
use crate::channels::Posted;
use crate::channels::http::posted;
use crate::error::CloudError;
use crate::secrets::Token;

const TIMEOUT: Duration = Duration::from_secs(15);
/// Templates of a page.
const PAGE_TEMPLATES: &str = "100";
/// An account holds at most 6 000 templates.
const PAGES_MAX: usize = 60;
/// Meta's second code where a template of that name and language is there.
const CONTENT_EXISTS: i64 = 2_388_024;
const FIELDS: &str = "id,name,language,status,category,rejected_reason,components";

/// A WhatsApp business account, as Meta numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountId(String);

impl AccountId {
    /// An account of 1 to 20 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_number(text).then(|| Self(text.to_owned()))
    }
}

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Why Meta could not be asked, or said no. What it says in words is left away: it may repeat texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetaError {
    /// It could not be reached, or its answer did not arrive.
    #[error("Meta was not reached")]
    Unreached,
    /// It refused.
    #[error("Meta refused with {status}, code {code:?}, subcode {subcode:?}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Meta's code.
        code: Option<i64>,
        /// Meta's second code.
        subcode: Option<i64>,
    },
    /// Its answer was not of the documented form.
    #[error("Meta's answer was not understood")]
    Unreadable,
}

impl MetaError {
    /// Whether the same call may go well later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreached => true,
            Self::Refused { status, code, .. } => {
                *status == 429 || *status >= 500 || matches!(code, Some(4 | 80_007 | 80_008))
            }
            Self::Unreadable => false,
        }
    }

    /// Whether a submission was refused because the account holds the template already.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
        match self {
            Self::Refused { subcode, .. } => *subcode == Some(CONTENT_EXISTS),
            Self::Unreached | Self::Unreadable => false,
        }
    }

    /// What is in the way, for whoever has to do something about it.
    #[must_use]
    pub fn trouble(&self) -> MetaTrouble {
        match self {
            Self::Unreached => MetaTrouble::Unreached,
            Self::Refused { status, .. } if *status >= 500 => MetaTrouble::Unreached,
            Self::Refused { .. } if self.is_passing() => MetaTrouble::Busy,
            Self::Refused { status: 401, .. } | Self::Refused { code: Some(190), .. } => MetaTrouble::Token,
            Self::Refused { status: 403, .. } | Self::Refused { code: Some(10 | 200..=299), .. } => {
                MetaTrouble::Permission
            }
            Self::Refused { status: 404, .. } | Self::Refused { code: Some(100), subcode: Some(33), .. } => {
                MetaTrouble::Account
            }
            Self::Refused { .. } | Self::Unreadable => MetaTrouble::Refused,
        }
    }
}

/// A client of one clinic's account.
#[derive(Debug, Clone)]
pub struct MetaTemplates {
    http: reqwest::Client,
    base_url: String,
    token: Token,
    account: AccountId,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Done {
    success: bool,
}

/// The app that a token was made for.
#[derive(Deserialize)]
struct Own {
    id: String,
}

#[derive(Deserialize)]
struct Apps {
    data: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    whatsapp_business_api_data: AppData,
}

#[derive(Deserialize)]
struct AppData {
    id: String,
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    error: Codes,
}

#[derive(Deserialize, Default)]
struct Codes {
    code: Option<i64>,
    error_subcode: Option<i64>,
}

impl MetaTemplates {
    /// For an account, at a base URL such as [`crate::channels::GRAPH_URL`].
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(base_url: &str, token: Token, account: AccountId) -> Result<Self, CloudError> {
        let http = crate::channels::http::client("Meta")?;
        Ok(Self::over(http, base_url.trim_end_matches('/').to_owned(), token, account))
    }

    pub(crate) fn over(http: reqwest::Client, base_url: String, token: Token, account: AccountId) -> Self {
        Self { http, base_url, token, account }
    }

    /// All templates of the account.
    ///
    /// # Errors
    /// [`MetaError`]; a list that does not end is [`MetaError::Unreadable`].
    pub async fn list(&self) -> Result<Vec<PresentTemplate>, MetaError> {
        let path = format!("{}/message_templates", self.account.0);
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("fields", FIELDS.to_owned()), ("limit", PAGE_TEMPLATES.to_owned())];
            query.extend(after.map(|cursor| ("after", cursor)));
            let page: Page = self.call(Method::GET, &path, &query, None).await?;
            let (templates, next) = page.read();
            found.extend(templates);
            match next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(found),
            }
        }
        Err(MetaError::Unreadable)
    }

    /// Submits a template; Meta's id of it. A second time Meta refuses: the name is taken.
    ///
    /// # Errors
    /// [`MetaError`].
    pub async fn create(&self, wanted: &WantedTemplate) -> Result<String, MetaError> {
        let path = format!("{}/message_templates", self.account.0);
        let created: Created = self.call(Method::POST, &path, &[], Some(create_request(wanted))).await?;
        Ok(created.id)
    }

    /// Submits another wording of a template.
    ///
    /// # Errors
    /// [`MetaError`]; also when Meta edited it too often lately (once a day, ten times in 30 days).
    pub async fn edit(&self, id: &str, wanted: &WantedTemplate) -> Result<(), MetaError> {
        if !is_number(id) {
            return Err(MetaError::Unreadable);
        }
        self.done(id, Some(edit_request(wanted))).await
    }

    /// Whether the token's app receives the account's events; without that no answer and no receipt
    /// arrives. Where Meta does not say whose the token is, any app counts.
    ///
    /// # Errors
    /// [`MetaError`].
    pub async fn is_subscribed(&self) -> Result<bool, MetaError> {
        let own = match self.call::<Own>(Method::GET, "app", &[], None).await {
            Ok(own) => Some(own.id),
            Err(error) if error.is_passing() => return Err(error),
            Err(_) => None,
        };
        let path = format!("{}/subscribed_apps", self.account.0);
        let apps: Apps = self.call(Method::GET, &path, &[], None).await?;
        let is_ours = |found: &App| own.as_ref().is_none_or(|own| found.whatsapp_business_api_data.id == *own);
        Ok(apps.data.iter().any(is_ours))
    }

    /// Subscribes the token's app to the account's events. Harmless to repeat.
    ///
    /// # Errors
    /// [`MetaError`].
    pub async fn subscribe(&self) -> Result<(), MetaError> {
        self.done(&format!("{}/subscribed_apps", self.account.0), None).await
    }

    async fn done(&self, path: &str, body: Option<Value>) -> Result<(), MetaError> {
        let done: Done = self.call(Method::POST, path, &[], body).await?;
        if done.success { Ok(()) } else { Err(MetaError::Unreadable) }
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<Value>,
    ) -> Result<A, MetaError> {
        let request = self.http.request(method, format!("{}/{path}", self.base_url)).query(query);
        let request = request.timeout(TIMEOUT).bearer_auth(self.token.expose());
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let Posted::Answered(status, answer) = posted(request).await else { return Err(MetaError::Unreached) };
        if !(200..300).contains(&status) {
            let Codes { code, error_subcode } = serde_json::from_slice::<Refusal>(&answer).unwrap_or_default().error;
            return Err(MetaError::Refused { status, code, subcode: error_subcode });
        }
        serde_json::from_slice(&answer).map_err(|_| MetaError::Unreadable)
    }
}
