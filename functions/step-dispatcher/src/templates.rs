//! A clinic's templates at Meta: how far they are, what is submitted, and whether our app receives the
//! account's events. Everything here is harmless to repeat: Meta holds one template of a name and
//! language, what it says is kept by its instant, and a submission that it has already counts as made.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::channels::meta_templates::{AccountId, MetaError, MetaTemplates, seen};
use retorno_cloud::orders::{Order, TemplateAct, templates_order};
use retorno_cloud::store::TenantStore;
use retorno_domain::approval::{
    AccountFact, Approvals, Fact, MetaTrouble, NeededTemplate, Submission, SubmissionRefused, TemplateState,
    TemplateStatus, WantedTemplate, account_of, needed, observed, submission,
};
use retorno_domain::ids::ClinicId;

use crate::dispatch::{Dispatcher, Done};

/// Meta is asked again after so long, at first; each time twice as long.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(5);
/// It is asked so often in vain; the daily refresh asks again.
const ATTEMPTS_MAX: u32 = 5;
/// Meta's word on what was submitted comes as news; should that be lost, its list is read so much later.
const FOLLOWED_AFTER: TimeDelta = TimeDelta::minutes(30);

/// An account, and what is needed of it.
struct Account<'a> {
    tenant: &'a TenantStore,
    id: &'a str,
    meta: MetaTemplates,
    needed: Vec<NeededTemplate>,
    /// When Meta was asked. Its news tell whole seconds: what it says of the same second is later than
    /// our question.
    asked_at: DateTime<Utc>,
}

impl Dispatcher {
    /// Takes up an order about a clinic's templates. What Meta refuses is kept where a person sees it;
    /// when it cannot be reached it is asked again later.
    pub(crate) async fn templates(
        &self,
        clinic: &ClinicId,
        act: &TemplateAct,
        attempt: u32,
    ) -> Result<Done, CloudError> {
        let now = self.reach.clock.now();
        let tenant = self.reach.store.of(clinic);
        let stored = tenant.settings(now).await?;
        let Some(id) = account_of(&stored.clinic) else { return Ok(Done::Nothing) };
        let wire = || CloudError::Setup("no way to the templates at Meta".to_owned());
        let meta = AccountId::parse(id).and_then(|id| self.channels.templates(id)).ok_or_else(wire)?;
        let asked_at = now.with_nanosecond(0).unwrap_or(now);
        let account = Account { tenant: &tenant, id, meta, needed: needed(&stored.clinic), asked_at };
        let done = match act {
            TemplateAct::Refresh => account.refresh().await?,
            TemplateAct::SubmitMissing => self.submit_missing(&account).await?,
            TemplateAct::Submit(name) => self.submit(&account, name).await?,
            TemplateAct::Subscribe => account.subscribe().await?,
        };
        match done {
            Ok(()) => Ok(Done::Decided),
            Err(error) => self.not_done(&account, &error, act, attempt).await,
        }
    }

    /// Meta could not be asked: said where a person sees it, and tried again if that may help.
    async fn not_done(
        &self,
        account: &Account<'_>,
        error: &MetaError,
        act: &TemplateAct,
        attempt: u32,
    ) -> Result<Done, CloudError> {
        let trouble = error.trouble();
        account.tenant.learn_account(account.id, account.asked_at, AccountFact::Trouble(trouble)).await?;
        let clinic = account.tenant.clinic();
        if !error.is_passing() || attempt + 1 >= ATTEMPTS_MAX {
            tracing::error!(%clinic, %error, "the templates at Meta: a person must act");
            return Ok(Done::Decided);
        }
        tracing::warn!(%clinic, %error, "Meta is asked again later");
        let again = Order::Templates { clinic: clinic.to_string(), act: act.clone(), attempt: attempt + 1 };
        let now = self.reach.clock.now();
        let later = now + AGAIN_AFTER * (1 << attempt.min(ATTEMPTS_MAX));
        self.reach.orders.wake(&again, attempt, now, later).await?;
        Ok(Done::Decided)
    }

    /// One order for each that is missing: an order makes few calls.
    async fn submit_missing(&self, account: &Account<'_>) -> Result<Result<(), MetaError>, CloudError> {
        if let Err(error) = account.refresh().await? {
            return Ok(Err(error));
        }
        let known = account.known().await?;
        for template in &account.needed {
            if submission(of(&known, &template.wanted), false) != Submission::Nothing {
                let act = TemplateAct::Submit(template.wanted.name.clone());
                let order = templates_order(account.tenant.clinic(), act);
                self.reach.orders.queue(&order, account.asked_at, account.asked_at).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Submits a template, and sees later what became of it.
    async fn submit(&self, account: &Account<'_>, name: &str) -> Result<Result<(), MetaError>, CloudError> {
        let Some(template) = account.needed.iter().find(|template| template.wanted.name == name) else {
            // The settings no longer need it.
            return Ok(Ok(()));
        };
        let wanted = &template.wanted;
        let known = account.known().await?;
        let mut facts = Vec::new();
        let answer = match submission(of(&known, wanted), true) {
            Submission::Nothing => return Ok(Ok(())),
            Submission::Edit { id } => account.meta.edit(&id, wanted).await,
            Submission::Create => account.meta.create(wanted).await.map(|id| facts.push(Fact::Id(id))),
        };
        match answer {
            // An earlier try got through, and died before it could say so: the list says how far it is.
            Err(error) if error.is_there_already() => return account.refresh().await,
            Err(error) if is_of_the_template(&error) => {
                if let MetaError::Refused { code, subcode, .. } = error {
                    let clinic = account.tenant.clinic();
                    tracing::error!(%clinic, template = name, ?code, ?subcode, "Meta did not take a template: a person must act");
                    account.learn(wanted, &[Fact::Refused(SubmissionRefused { code, subcode })]).await?;
                }
                // Perhaps because an earlier try got through.
                return account.refresh().await;
            }
            Err(error) => return Ok(Err(error)),
            Ok(()) => {}
        }
        let now = self.reach.clock.now();
        let follow = templates_order(account.tenant.clinic(), TemplateAct::Refresh);
        self.reach.orders.wake(&follow, 0, now, next_mark(now)).await?;
        facts.extend([Fact::Status(TemplateStatus::Pending), Fact::Reworded(false)]);
        account.learn(wanted, &facts).await?;
        Ok(Ok(()))
    }
}

impl Account<'_> {
    /// Reads Meta's list, and whether our app is subscribed.
    async fn refresh(&self) -> Result<Result<(), MetaError>, CloudError> {
        let present = match self.meta.list().await {
            Ok(present) => present,
            Err(error) => return Ok(Err(error)),
        };
        let known = self.known().await?;
        for template in &self.needed {
            let seen = seen(&template.wanted, &present);
            self.learn(&template.wanted, &observed(of(&known, &template.wanted), seen, self.asked_at)).await?;
        }
        let seen = self.see_subscription().await?;
        if seen.is_ok() {
            self.tenant.learn_account(self.id, self.asked_at, AccountFact::Listed).await?;
        }
        Ok(seen)
    }

    async fn subscribe(&self) -> Result<Result<(), MetaError>, CloudError> {
        if let Err(error) = self.meta.subscribe().await {
            return Ok(Err(error));
        }
        self.see_subscription().await
    }

    async fn see_subscription(&self) -> Result<Result<(), MetaError>, CloudError> {
        let is_subscribed = match self.meta.is_subscribed().await {
            Ok(is_subscribed) => is_subscribed,
            Err(error) => return Ok(Err(error)),
        };
        if !is_subscribed {
            let clinic = self.tenant.clinic();
            tracing::error!(%clinic, "our app does not receive the account's events: a person must act");
        }
        self.tenant.learn_account(self.id, self.asked_at, AccountFact::Subscribed(is_subscribed)).await?;
        Ok(Ok(()))
    }

    async fn learn(&self, wanted: &WantedTemplate, facts: &[Fact]) -> Result<(), CloudError> {
        let of = (wanted.name.as_str(), wanted.language.whatsapp_code());
        self.tenant.learn_template(self.id, of, self.asked_at, facts).await.map(|_| ())
    }

    async fn known(&self) -> Result<Approvals, CloudError> {
        self.tenant.approvals(self.id).await
    }
}

fn of<'a>(known: &'a Approvals, wanted: &WantedTemplate) -> Option<&'a TemplateState> {
    known.template(&wanted.name, wanted.language.whatsapp_code())
}

/// Whether Meta refused the template itself, and not the question.
fn is_of_the_template(error: &MetaError) -> bool {
    matches!(error, MetaError::Refused { .. }) && error.trouble() == MetaTrouble::Refused
}

/// On a mark of the clock, so that all that are submitted together are followed by one question.
fn next_mark(now: DateTime<Utc>) -> DateTime<Utc> {
    let step = FOLLOWED_AFTER.num_seconds();
    let mark = (now.timestamp() + 2 * step - 1).div_euclid(step) * step;
    DateTime::from_timestamp(mark, 0).unwrap_or(now + FOLLOWED_AFTER)
}
