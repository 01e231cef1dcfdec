//! From a request to an answer: which page, for whom, and what to say when there is none.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::desk::{Desk, Opened, Visitor};
use retorno_cloud::links::{Genuine, Link, LinkPurpose, Links};
use retorno_cloud::vault::{SecretGroup, Secrets};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::clinic::Clinic;
use tracing::{Instrument as _, info_span};

use crate::answer::PageAnswer;
use crate::purpose;
use crate::request::{Form, PageRequest, Place, Verb, is_too_large};
use crate::texts::preferred;
use crate::view::{Shown, Trouble};

/// The pages of a deployment.
#[derive(Debug, Clone)]
pub struct Pages {
    desk: Desk,
    links: Links,
    push_key: Option<Arc<str>>,
}

/// A request by a link that works.
pub(crate) struct Asked<'a> {
    pub(crate) desk: &'a Desk,
    links: &'a Links,
    /// The public key that browsers subscribe to notifications with, where there are any.
    pub(crate) push_key: Option<&'a str>,
    pub(crate) request: &'a PageRequest,
    token: &'a str,
    pub(crate) link: Link,
    pub(crate) clinic: Arc<Clinic>,
    pub(crate) now: DateTime<Utc>,
}

/// The secrets that [`Pages::from_env`] needs.
pub const SECRETS: &[SecretGroup] = &[SecretGroup::Contact, SecretGroup::Links];

impl Pages {
    /// Pages over the table, with the keys of the links.
    #[must_use]
    pub fn new(reach: Reach, links: Links) -> Self {
        Self { desk: Desk::new(reach), links, push_key: None }
    }

    /// With notifications: the public key that browsers subscribe with. Who sends them has the other.
    #[must_use]
    pub fn with_push(self, public_key: &str) -> Self {
        Self { push_key: Some(public_key.into()), ..self }
    }

    /// From the environment of the function and its secrets: what [`Reach::from_env`] and
    /// [`Links::from_env`] read, and `VAPID_PUBLIC_KEY` where patients may ask for notifications.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing.
    pub fn from_env(config: &SdkConfig, secrets: &Secrets) -> Result<Self, CloudError> {
        let pages = Self::new(Reach::from_env(config, secrets)?, Links::from_env(secrets)?);
        Ok(match std::env::var("VAPID_PUBLIC_KEY").ok().filter(|key| !key.is_empty()) {
            Some(key) => pages.with_push(&key),
            None => pages,
        })
    }

    /// Answers a request, whatever it is. Only a POST changes anything; a link to book that is opened
    /// is noted as well.
    pub async fn handle(&self, request: PageRequest) -> PageAnswer {
        let answer = self.answer(&request).await;
        if request.verb() == Some(Verb::Head) { answer.without_body() } else { answer }
    }

    async fn answer(&self, request: &PageRequest) -> PageAnswer {
        let posted = match request.verb() {
            Some(verb) => verb == Verb::Post,
            None => return refused(request, Trouble::Method, "GET, HEAD, POST"),
        };
        match request.place() {
            Place::Nowhere => refused(request, Trouble::Missing, ""),
            Place::Style | Place::Script | Place::Worker | Place::Robots | Place::Calendar(_) if posted => {
                refused(request, Trouble::Method, "GET, HEAD")
            }
            Place::Style => PageAnswer::style(),
            Place::Script => PageAnswer::script(),
            Place::Worker => PageAnswer::worker(),
            Place::Robots => PageAnswer::text("User-agent: *\nDisallow: /\n"),
            Place::Calendar(token) | Place::Page(token) => self.opened(request, token).await,
        }
    }

    async fn opened(&self, request: &PageRequest, token: &str) -> PageAnswer {
        let now = self.desk.reach().clock.now();
        let (link, works) = match self.links.genuine(token, now) {
            Some(Genuine::Valid(link)) => (link, true),
            Some(Genuine::Expired(link)) => (link, false),
            None => return refused(request, Trouble::Invalid, ""),
        };
        let clinic = match self.desk.reach().store.of(&link.clinic).settings(now).await {
            Ok(stored) => stored.clinic,
            Err(CloudError::Missing(_)) => return refused(request, Trouble::Unused, ""),
            Err(error) => return failed(&error, &stranger(request)),
        };
        let asked = Asked {
            desk: &self.desk,
            links: &self.links,
            push_key: self.push_key.as_deref(),
            request,
            token,
            link,
            clinic: Arc::clone(&clinic),
            now,
        };
        if !works {
            return asked.trouble(Trouble::Expired);
        }
        if is_too_large(asked.link.purpose, &request.body) {
            return asked.trouble(Trouble::Large);
        }
        let (clinic, message) = (&asked.link.clinic, asked.link.message);
        let span = info_span!("page", purpose = ?asked.link.purpose, %clinic, %message);
        let told = async {
            let answer = match asked.answer().await {
                Ok(answer) => answer,
                Err(error) => failed(&error, &asked.shown()),
            };
            tracing::info!(status = answer.status, "answered");
            answer
        };
        told.instrument(span).await
    }
}

impl Asked<'_> {
    async fn answer(&self) -> Result<PageAnswer, CloudError> {
        let is_file = matches!(self.request.place(), Place::Calendar(_));
        if is_file && self.link.purpose != LinkPurpose::Appointment {
            return Ok(self.trouble(Trouble::Missing));
        }
        if self.link.purpose == LinkPurpose::Consent {
            return purpose::consent::answer(self).await;
        }
        let Some(visitor) = self.desk.visitor(&self.link).await? else { return Ok(self.trouble(Trouble::Unused)) };
        match self.link.purpose {
            LinkPurpose::Book => purpose::book::answer(self, &visitor).await,
            LinkPurpose::Appointment if is_file => purpose::appointment::calendar(self, &visitor).await,
            LinkPurpose::Appointment => purpose::appointment::answer(self, &visitor).await,
            LinkPurpose::Preferences => purpose::preferences::answer(self, &visitor).await,
            LinkPurpose::Survey => purpose::survey::answer(self, &visitor).await,
            LinkPurpose::Unsubscribe => purpose::unsubscribe::answer(self, &visitor).await,
            LinkPurpose::Consent => Ok(self.trouble(Trouble::Missing)),
        }
    }

    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown::of(&self.clinic, self.token)
    }

    pub(crate) fn trouble(&self, trouble: Trouble) -> PageAnswer {
        PageAnswer::page(trouble.status(), trouble.page(&self.shown()))
    }

    pub(crate) fn is_posted(&self) -> bool {
        self.request.verb() == Some(Verb::Post)
    }

    /// The token of the same message's link for another purpose: the page beside this one.
    pub(crate) fn beside(&self, purpose: LinkPurpose) -> String {
        self.links.token(&self.link.to(purpose), self.now)
    }

    /// The whole address of the same message's link for another purpose.
    pub(crate) fn address(&self, purpose: LinkPurpose) -> String {
        self.links.url(&self.link.to(purpose), self.now)
    }

    /// Back to this page, as it stands now.
    pub(crate) fn again(&self) -> PageAnswer {
        PageAnswer::see(self.token)
    }

    /// Back to this page, to say what came of a form.
    pub(crate) fn again_saying(&self, what: &str) -> PageAnswer {
        PageAnswer::see(&format!("{}?page={what}", self.token))
    }

    /// What a form says the page rested on; what it does not say, the page rests on now.
    pub(crate) fn opened(&self, form: &Form, visitor: &Visitor) -> Opened {
        let seen = form.one("seen").parse().unwrap_or_else(|_| visitor.seen());
        Opened { message: self.link.message, seen }
    }
}

/// The answer where the pages cannot be had, because their secrets cannot be read.
#[must_use]
pub fn unavailable(request: &PageRequest, error: &CloudError) -> PageAnswer {
    failed(error, &stranger(request))
}

fn stranger(request: &PageRequest) -> Shown<'static> {
    Shown::stranger(preferred(request.header("accept-language")))
}

fn refused(request: &PageRequest, trouble: Trouble, allow: &str) -> PageAnswer {
    let answer = PageAnswer::page(trouble.status(), trouble.page(&stranger(request)));
    if allow.is_empty() { answer } else { answer.with("allow", allow) }
}

fn failed(error: &CloudError, shown: &Shown<'_>) -> PageAnswer {
    if error.is_retryable() {
        tracing::warn!(%error, "a page could not be answered");
    } else {
        tracing::error!(%error, "a page could not be answered");
    }
    PageAnswer::page(Trouble::Busy.status(), Trouble::Busy.page(shown)).with("retry-after", "60")
}
