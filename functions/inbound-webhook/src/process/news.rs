//! What concerns no single message: a person's wish told to the provider, a changed number, staff
//! writing past us, and news of templates, numbers, accounts and connections.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::desk::Happening;
use retorno_cloud::orders::{ALERTED_AFTER, channel_alert};
use retorno_cloud::store::{News, TenantStore};
use retorno_domain::approval::{Fact, TemplateQuality, TemplateStatus, account_of, concerns};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::conversation::{Act, Urgency};
use serde::Serialize;

use super::{Inbound, Processed, processed};
use crate::event::{
    AccountChange, AccountNews, Echo, NumberChanged, NumberNews, Preference, Quality, TemplateChange, TemplateNews,
    Wants,
};

/// A halt without an end of its own is looked at by a person; until then it lasts.
const UNTIL_SOMEBODY_ACTS: TimeDelta = TimeDelta::days(3_650);

impl Inbound {
    pub(super) async fn preference(
        &self,
        tenant: &TenantStore,
        preference: &Preference,
    ) -> Result<Processed, CloudError> {
        // Told again, it undoes nothing that was said since.
        let event = format!("preference#{}", preference.id);
        if tenant.knows_event(&event).await? {
            return Ok(Processed::Repeated);
        }
        let only: ChannelSet = [Channel::Whatsapp].into_iter().collect();
        for hash in self.hashes_of(tenant, &preference.from).await? {
            match preference.wants {
                Wants::Stop => tenant.opt_out(&hash, only, PurposeSet::MARKETING, preference.at).await?,
                // Only what was said to the provider is taken back; what was said to us stands.
                Wants::Resume => tenant.resume_channel(&hash, Channel::Whatsapp, preference.at).await?,
            }
        }
        tenant.take_in(&event, self.now()).await?;
        Ok(Processed::Done)
    }

    pub(super) async fn number_changed(
        &self,
        tenant: &TenantStore,
        changed: &NumberChanged,
    ) -> Result<Processed, CloudError> {
        let event = format!("number#{}", changed.id.as_str());
        let mut done = Processed::Nobodys;
        for hash in self.hashes_of(tenant, &changed.old).await? {
            tenant.mark_unreachable(&hash, Channel::Whatsapp, changed.at).await?;
        }
        for patient in self.patients_of(tenant, &changed.old).await? {
            let acts = [Act::HandOver { reason: "number_changed", urgency: Urgency::Normal }];
            let event = format!("{event}#{patient}");
            let happening = Happening::silent(&event, Channel::Whatsapp, "number_changed");
            done = processed(&self.desk.act(tenant, &patient, &happening, |_, _| acts.to_vec()).await?);
        }
        Ok(done)
    }

    /// Staff writes from the clinic's own phone: the automation is silent until they hand back.
    pub(super) async fn echo(&self, tenant: &TenantStore, echo: &Echo) -> Result<Processed, CloudError> {
        let mut done = Processed::Nobodys;
        for patient in self.patients_of(tenant, &echo.to).await? {
            let Some(visitor) = self.desk.visit(tenant, &patient).await? else { continue };
            let ours = visitor.collection.messages.iter().map(|message| message.provider_id.as_deref());
            let answers = visitor.collection.answers.iter().map(|stored| stored.provider_id.as_deref());
            if ours.chain(answers).any(|id| id == Some(echo.id.as_str())) {
                return Ok(Processed::Nothing);
            }
            // Some gateways show our own messages like this, perhaps before we have stored their ids.
            let just_spoke =
                |at: Option<DateTime<Utc>>| at.is_some_and(|at| (echo.at - at).abs() < TimeDelta::minutes(2));
            let spoke = visitor.collection.messages.iter().any(|message| just_spoke(message.claimed_at))
                || visitor.collection.answers.iter().any(|stored| just_spoke(Some(stored.answer.at)));
            if echo.perhaps_ours && spoke {
                return Ok(Processed::Nothing);
            }
            let event = format!("echo#{}#{patient}", echo.id.as_str());
            let acts = [Act::HandOver { reason: "staff_wrote", urgency: Urgency::Normal }];
            let happening = Happening::silent(&event, Channel::Whatsapp, "echo");
            done = processed(&self.desk.act(tenant, &patient, &happening, |_, _| acts.to_vec()).await?);
        }
        Ok(done)
    }

    /// What Meta tells of a template is kept with what is known of it; whoever sends looks there.
    pub(super) async fn template(&self, tenant: &TenantStore, news: &TemplateNews) -> Result<Processed, CloudError> {
        let stored = tenant.settings(self.now()).await?;
        let Some(account) = account_of(&stored.clinic) else { return Ok(Processed::Nothing) };
        let facts = learned(news);
        if facts.is_empty() || !concerns(&stored.clinic, &news.name, &news.language) {
            return Ok(Processed::Nothing);
        }
        let of = (news.name.as_str(), news.language.as_str());
        if !tenant.learn_template(account, of, news.at, &facts).await? {
            return Ok(Processed::Repeated);
        }
        match &news.change {
            // A refused message may have halted it for a day; Meta's word is newer.
            TemplateChange::Approved => tenant.unhalt(&news.name).await?,
            TemplateChange::Rejected { .. }
            | TemplateChange::Paused { .. }
            | TemplateChange::Disabled
            | TemplateChange::Deleted => {
                tracing::error!(clinic = %tenant.clinic(), template = news.name, "a template cannot be used: a person must act");
            }
            TemplateChange::Category { new, .. } => {
                tracing::warn!(clinic = %tenant.clinic(), template = news.name, category = new, "a template's category changes");
            }
            TemplateChange::Pending
            | TemplateChange::Flagged
            | TemplateChange::Other { .. }
            | TemplateChange::Quality { .. } => {}
        }
        Ok(Processed::Done)
    }

    pub(super) async fn number(&self, tenant: &TenantStore, news: &NumberNews) -> Result<Processed, CloudError> {
        let is_new = keep(tenant, "number".to_owned(), news.at, &(&news.change, &news.limit)).await?;
        Ok(if is_new { Processed::Done } else { Processed::Repeated })
    }

    pub(super) async fn account(&self, tenant: &TenantStore, news: &AccountNews) -> Result<Processed, CloudError> {
        if !keep(tenant, "account".to_owned(), news.at, &news.change).await? {
            return Ok(Processed::Repeated);
        }
        let channel = Channel::Whatsapp.code();
        match &news.change {
            AccountChange::Restricted { until, .. } => {
                let until = until.unwrap_or(self.now() + UNTIL_SOMEBODY_ACTS);
                tenant.halt(channel, until, "account_restricted").await?;
                self.tell_of(tenant, Channel::Whatsapp).await?;
            }
            AccountChange::Ban { .. } | AccountChange::Deleted | AccountChange::Disconnected { .. } => {
                tracing::error!(clinic = %tenant.clinic(), "the WhatsApp account is gone: a person must act");
                tenant.halt(channel, self.now() + UNTIL_SOMEBODY_ACTS, "account_gone").await?;
                self.tell_of(tenant, Channel::Whatsapp).await?;
            }
            AccountChange::Reconnected => tenant.unhalt(channel).await?,
            AccountChange::Violated { .. } | AccountChange::Shared { .. } | AccountChange::Other(_) => {}
        }
        Ok(Processed::Done)
    }

    /// Somebody must act: staff is told on their browsers.
    async fn tell_of(&self, tenant: &TenantStore, channel: Channel) -> Result<(), CloudError> {
        let now = self.now();
        self.desk.reach().orders.queue(&channel_alert(tenant.clinic(), channel), now, now + ALERTED_AFTER).await
    }
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

async fn keep(tenant: &TenantStore, of: String, at: DateTime<Utc>, told: &impl Serialize) -> Result<bool, CloudError> {
    let told = serde_json::to_string(told).map_err(|e| CloudError::Setup(e.to_string()))?;
    tenant.keep_news(&News { of, at, told }).await
}
