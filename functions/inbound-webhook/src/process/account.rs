//! News of a clinic's templates, number and account at Meta. Whatever follows is done before the news are
//! noted: brought again after a crash in between, they come to their end. Only what is told of the account
//! that the clinic has now is of any concern.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::orders::{ALERTED_AFTER, channel_alert};
use retorno_cloud::store::{ACCOUNT_BAN, BAN_ANNOUNCED, News, TenantStore};
use retorno_domain::approval::{Fact, TemplateQuality, TemplateStatus, account_of, concerns};
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use serde::Serialize;

use super::{Inbound, Processed};
use crate::event::{
    AccountChange, AccountNews, NumberChange, NumberNews, Quality, Route, TemplateChange, TemplateNews, is_of_messages,
};

/// A halt without an end of its own is looked at by a person; until then it lasts.
const UNTIL_SOMEBODY_ACTS: TimeDelta = TimeDelta::days(3_650);
/// Meta's word for an account that may send again.
const REINSTATED: &str = "REINSTATE";

/// Why the channel is halted. The one for all of them is what was written before they were told apart.
const RESTRICTED: &str = "account_restricted";
const BANNED: &str = "account_banned";
const DELETED: &str = "account_deleted";
const DISCONNECTED: &str = "account_disconnected";
const GONE: &str = "account_gone";
/// With this code Meta refuses the messages of a banned account.
const LOCKED: &str = "131031";

impl Inbound {
    /// What Meta tells of a template is kept with what is known of it; whoever sends looks there.
    pub(super) async fn template(
        &self,
        tenant: &TenantStore,
        route: &Route,
        news: &TemplateNews,
    ) -> Result<Processed, CloudError> {
        let stored = tenant.settings(self.now()).await?;
        let Some(account) = account_of(&stored.clinic).filter(|account| is_of(route, account)) else {
            return Ok(Processed::Nobodys);
        };
        let facts = learned(news);
        if facts.is_empty() || !concerns(&stored.clinic, &news.name, &news.language) {
            return Ok(Processed::Nothing);
        }
        if news.change == TemplateChange::Approved {
            let known = tenant.approvals(account).await?;
            let status = known.template(&news.name, &news.language).and_then(|known| known.status.as_ref());
            // A refused message may have halted it for a day; Meta's word is newer.
            if status.is_none_or(|status| status.at < news.at) {
                tenant.unhalt(&news.name).await?;
            }
        }
        let of = (news.name.as_str(), news.language.as_str());
        if !tenant.learn_template(account, of, news.at, &facts).await? {
            return Ok(Processed::Repeated);
        }
        match &news.change {
            TemplateChange::Rejected { .. }
            | TemplateChange::Paused { .. }
            | TemplateChange::Disabled
            | TemplateChange::Deleted => {
                tracing::error!(clinic = %tenant.clinic(), template = news.name, "a template cannot be used: a person must act");
            }
            TemplateChange::Category { new, .. } => {
                tracing::warn!(clinic = %tenant.clinic(), template = news.name, category = new, "a template's category changes");
            }
            TemplateChange::Approved
            | TemplateChange::Pending
            | TemplateChange::Flagged
            | TemplateChange::Other { .. }
            | TemplateChange::Quality { .. } => {}
        }
        Ok(Processed::Done)
    }

    pub(super) async fn number(
        &self,
        tenant: &TenantStore,
        route: &Route,
        news: &NumberNews,
    ) -> Result<Processed, CloudError> {
        let clinic = tenant.settings(self.now()).await?.clinic;
        if !concerns_account(route, &clinic) {
            return Ok(Processed::Nobodys);
        }
        let register = match news.change {
            NumberChange::Flagged | NumberChange::Unflagged => "number_quality",
            NumberChange::Onboarding
            | NumberChange::Upgrade
            | NumberChange::Downgrade
            | NumberChange::ThroughputUpgrade
            | NumberChange::Capability
            | NumberChange::Other(_) => "number",
        };
        let told = written(register.to_owned(), news.at, &(&news.change, &news.limit))?;
        if is_known(tenant, &told).await? {
            return Ok(Processed::Repeated);
        }
        tenant.keep_news(&told).await?;
        Ok(Processed::Done)
    }

    pub(super) async fn account(
        &self,
        tenant: &TenantStore,
        route: &Route,
        news: &AccountNews,
    ) -> Result<Processed, CloudError> {
        let clinic = tenant.settings(self.now()).await?.clinic;
        if !concerns_account(route, &clinic) {
            return Ok(Processed::Nobodys);
        }
        let told = written(format!("{}#{}", register_of(&news.change), news.account), news.at, &news.change)?;
        if is_known(tenant, &told).await? {
            return Ok(Processed::Repeated);
        }
        self.act_on(tenant, &news.change).await?;
        tenant.keep_news(&told).await?;
        Ok(Processed::Done)
    }

    /// What follows from news of an account; harmless to repeat.
    async fn act_on(&self, tenant: &TenantStore, change: &AccountChange) -> Result<(), CloudError> {
        let whatsapp = Channel::Whatsapp.code();
        match change {
            AccountChange::Restricted { what, until } => {
                let until = until.unwrap_or(self.now() + UNTIL_SOMEBODY_ACTS);
                if what.iter().any(|what| is_of_messages(what)) && until > self.now() {
                    self.halt(tenant, until, RESTRICTED).await?;
                }
            }
            AccountChange::Ban { state } => match state.as_str() {
                REINSTATED => tenant.unhalt_of(whatsapp, &[BANNED, GONE, LOCKED]).await?,
                BAN_ANNOUNCED => {
                    tracing::error!(clinic = %tenant.clinic(), "the WhatsApp account will be disabled: a person must act");
                }
                // Also in a word that we do not know: staff may let the channel go on.
                _ => self.halt(tenant, self.now() + UNTIL_SOMEBODY_ACTS, BANNED).await?,
            },
            AccountChange::Deleted => self.halt(tenant, self.now() + UNTIL_SOMEBODY_ACTS, DELETED).await?,
            AccountChange::Disconnected { .. } => {
                self.halt(tenant, self.now() + UNTIL_SOMEBODY_ACTS, DISCONNECTED).await?;
            }
            AccountChange::Reconnected => tenant.unhalt_of(whatsapp, &[DISCONNECTED, GONE]).await?,
            AccountChange::Violated { .. } | AccountChange::Shared { .. } | AccountChange::Other(_) => {}
        }
        Ok(())
    }

    /// Halts WhatsApp, and tells staff on their browsers: somebody must act.
    async fn halt(&self, tenant: &TenantStore, until: DateTime<Utc>, why: &str) -> Result<(), CloudError> {
        tracing::error!(clinic = %tenant.clinic(), why, "the WhatsApp account cannot send: a person must act");
        tenant.halt(Channel::Whatsapp.code(), until, why).await?;
        let now = self.now();
        let order = channel_alert(tenant.clinic(), Channel::Whatsapp);
        self.desk.reach().orders.queue(&order, now, now + ALERTED_AFTER).await
    }
}

fn is_of(route: &Route, account: &str) -> bool {
    matches!(route, Route::WhatsappAccount(id) if id == account)
}

/// Whether what came by this route is of the account that the clinic has now.
fn concerns_account(route: &Route, clinic: &Clinic) -> bool {
    account_of(clinic).is_some_and(|account| is_of(route, account))
}

/// Each kind of fact has a register of its own: one may come late and still be the latest of its kind.
fn register_of(change: &AccountChange) -> &'static str {
    match change {
        AccountChange::Restricted { .. } => "account_restriction",
        AccountChange::Violated { .. } => "account_violation",
        AccountChange::Ban { .. } => ACCOUNT_BAN,
        AccountChange::Deleted => "account_deleted",
        AccountChange::Disconnected { .. } | AccountChange::Reconnected => "account_connection",
        AccountChange::Shared { .. } => "account_shared",
        AccountChange::Other(_) => "account_other",
    }
}

/// Whether news were noted before, and so acted on; or newer ones were.
async fn is_known(tenant: &TenantStore, news: &News) -> Result<bool, CloudError> {
    let known = tenant.news_of(&news.of).await?;
    Ok(known.is_some_and(|known| known.at > news.at || known == *news))
}

fn written(of: String, at: DateTime<Utc>, told: &impl Serialize) -> Result<News, CloudError> {
    let told = serde_json::to_string(told).map_err(|e| CloudError::Setup(e.to_string()))?;
    Ok(News { of, at, told })
}

/// What news of a template teach.
fn learned(news: &TemplateNews) -> Vec<Fact> {
    let mut facts = match &news.change {
        TemplateChange::Approved => vec![Fact::Status(TemplateStatus::Approved)],
        TemplateChange::Rejected { reason } => vec![Fact::Status(TemplateStatus::Rejected { reason: reason.clone() })],
        TemplateChange::Pending => vec![Fact::Status(TemplateStatus::Pending)],
        TemplateChange::Paused { reason } => {
            vec![Fact::Status(TemplateStatus::paused(reason.as_deref(), news.at))]
        }
        TemplateChange::Disabled => vec![Fact::Status(TemplateStatus::Disabled)],
        TemplateChange::Deleted => vec![Fact::Status(TemplateStatus::Deleted)],
        TemplateChange::Flagged => vec![Fact::Quality(TemplateQuality::Red)],
        TemplateChange::Category { old, new, announced: true } => {
            let present = old.iter().map(|old| Fact::Category(old.clone()));
            present.chain([Fact::ComingCategory(new.clone())]).collect()
        }
        TemplateChange::Category { new, announced: false, .. } => vec![Fact::Category(new.clone())],
        TemplateChange::Quality { new, .. } => vec![Fact::Quality(match new {
            Quality::Green => TemplateQuality::Green,
            Quality::Yellow => TemplateQuality::Yellow,
            Quality::Red => TemplateQuality::Red,
            Quality::Unknown => TemplateQuality::Unknown,
        })],
        TemplateChange::Other { .. } => Vec::new(),
    };
    // Only beside something that says more.
    if !facts.is_empty() && !news.id.is_empty() {
        facts.push(Fact::Id(news.id.clone()));
    }
    facts
}
