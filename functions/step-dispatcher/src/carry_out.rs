//! Carrying a decision out: wake-ups first, then one commit, then (for a message) the call and its
//! record. Chooses nothing.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::channels::Dispatch;
use retorno_cloud::metrics::Metric;
use retorno_cloud::orders::{ALERTED_AFTER, COMMIT_TAKES, channel_alert, step_order};
use retorno_cloud::store::{Advance, Claim, ClaimRefused, Claimed, Dropped, FreeSlot, SETTINGS_STALE_MAX, TenantStore};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::decide::{Command, Decision};
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::flow::Reaction;
use retorno_domain::guard;
use retorno_domain::ids::MessageId;
use retorno_domain::message::{BreakerScope, CLAIM_LASTS, ClearedMessage, Delivery, Intent, Outcome, RecipientNews};
use retorno_domain::template::Rendered;

use crate::copy::{Copy, compose};
use crate::dispatch::{Dispatcher, Done};
use crate::facts::Situation;
use crate::tier::TierRoom;
use crate::traced::is_about;

/// What became of a decision.
pub(crate) enum Carried {
    /// Carried out.
    Done(Done),
    /// What it rested on had changed: read and decide again.
    Changed,
}

/// What a decision commits.
struct Commit<'a> {
    next: &'a Enrollment,
    because: &'a str,
    drops: &'a [Dropped<'a>],
}

/// The call must begin so long before its claim runs out: the longest a provider's answer takes.
const CALL_TAKES_MAX: TimeDelta = TimeDelta::seconds(8);

impl Dispatcher {
    pub(crate) async fn carry_out(
        &self,
        tenant: &TenantStore,
        situation: &Situation,
        decision: Decision,
    ) -> Result<Carried, CloudError> {
        let Decision { mut next, commands, because } = decision;
        tracing::debug!(clinic = %tenant.clinic(), enrollment = %next.id, because = because.line(), "decided");
        let (mut send, mut release, mut free_seat, mut react) = (None, false, false, None);
        let mut left_out = Vec::new();
        for command in commands {
            match command {
                Command::Wake { step, at } => self.wake(situation, &mut next, step, at).await?,
                Command::Drop { message, step, reason } => left_out.push((message, step, reason)),
                Command::Send(intent) => send = Some(intent),
                Command::FreeSeat => free_seat = true,
                Command::Release => release = true,
                Command::React(reaction) => react = Some(reaction),
            }
        }
        let drops: Vec<Dropped<'_>> = left_out
            .iter()
            .map(|(message, step, reason)| Dropped { message: *message, step: step.as_str(), reason })
            .collect();
        if let Some(intent) = send {
            return self
                .send(tenant, situation, &Commit { next: &next, because: &because.line(), drops: &drops }, intent)
                .await;
        }
        let now = situation.now;
        let step = Advance { from: &situation.stored, next: &next, because: &because, drops: &drops, now };
        let done = if release {
            let contacts = tenant.contact_keys_on_record(&situation.patient.patient, true);
            tenant.end_enrollment(&step, &contacts, free_seat).await?
        } else if drops.is_empty() && stands_still(&situation.stored.enrollment, &next) {
            // Were wake-ups counted for this, each order that comes again would ask for one of its own.
            return Ok(Carried::Done(Done::Nothing));
        } else {
            tenant.advance_enrollment(&step).await?
        };
        // What an answer asks for has been done where it was heard; a click asks for a call.
        if let (true, Some(Reaction::HighIntent)) = (done, react) {
            tenant.call_soon(&next, now).await?;
        }
        Ok(if done { Carried::Done(Done::Decided) } else { Carried::Changed })
    }

    /// Asks for a wake-up; each has a turn of its own, so that its schedule has a name of its own.
    async fn wake(
        &self,
        situation: &Situation,
        next: &mut Enrollment,
        step: usize,
        at: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let order = step_order(&situation.clinic.clinic.id, &next.patient, next.id, step);
        let now = self.reach.clock.now();
        self.reach.orders.wake(&order, next.wakes, now, at.max(now + COMMIT_TAKES)).await?;
        next.wakes = next.wakes.saturating_add(1);
        Ok(())
    }

    async fn send(
        &self,
        tenant: &TenantStore,
        situation: &Situation,
        commit: &Commit<'_>,
        intent: Intent,
    ) -> Result<Carried, CloudError> {
        let Some(step) = situation.flow.steps.get(intent.step) else { return Ok(Carried::Changed) };
        let Some(copy) = compose(situation, step, &self.links) else { return Ok(Carried::Changed) };
        let Some(message) = clear(situation, intent, copy.rendered.clone()) else { return Ok(Carried::Changed) };
        let intent = message.intent();
        is_about(intent.message);
        let Some(contact) = situation.contacts.of(intent.channel) else { return Ok(Carried::Changed) };
        // Hours, delay and consent were checked a moment ago; the clock is looked at once more, as
        // the last thing before the commit. Whoever stood still since then reads again: the kill
        // switch is in the settings, and acts within the time that these may be old.
        let now = self.reach.clock.now();
        if now >= intent.claim_before && !guard::is_off("send", "claim_before") {
            return Ok(Carried::Changed);
        }
        if now - situation.clinic.read_at > SETTINGS_STALE_MAX && !guard::is_off("send", "settings_fresh") {
            return Ok(Carried::Changed);
        }
        let name = copy.template.whatsapp_name();
        let tier = match (intent.channel, situation.tier) {
            (Channel::Whatsapp, TierRoom::Free(place)) => {
                Some((situation.clinic.clinic.whatsapp_phone_number_id.as_str(), place))
            }
            _ => None,
        };
        let attempt = match situation.message_of(intent.step) {
            Some(Delivery::Ready { attempts }) => attempts + 1,
            _ => 1,
        };
        let offered = situation.slots.iter().filter(|_| copy.template.dated);
        let slots: Vec<String> = offered.map(FreeSlot::reference).collect();
        let claim = Claim {
            message: &message,
            from: &situation.stored,
            next: commit.next,
            because: commit.because,
            drops: commit.drops,
            epoch: situation.clinic.clinic.epoch,
            patient: &situation.patient,
            contact,
            attempt,
            tier,
            template: (&name, copy.template.version),
            slots: &slots,
            now,
        };
        match tenant.claim(&claim).await {
            Ok(claimed) => {
                if let Some((_, place)) = tier {
                    self.note_tier(tenant, place, now);
                }
                self.call(tenant, situation, &claim, claimed, &copy).await?;
                Ok(Carried::Done(Done::Sent))
            }
            Err(ClaimRefused::AlreadyClaimed) => Ok(Carried::Done(Done::Nothing)),
            Err(ClaimRefused::TierTaken) => {
                self.refresh_tier(tenant, &situation.clinic.clinic).await?;
                Ok(Carried::Changed)
            }
            Err(ClaimRefused::Changed) => Ok(Carried::Changed),
            Err(ClaimRefused::Cloud(error)) => Err(error),
        }
    }

    /// Calls the provider, once, and records what came of it. From the claim on nobody else will.
    async fn call(
        &self,
        tenant: &TenantStore,
        situation: &Situation,
        claim: &Claim<'_>,
        claimed: Claimed,
        copy: &Copy,
    ) -> Result<(), CloudError> {
        let topic = tenant.push_topic(&situation.patient.patient.id);
        let dispatch = Dispatch {
            clinic: &situation.clinic.clinic,
            message: claim.message,
            attempt: claimed.attempt,
            template_name: claim.template.0,
            language: copy.template.language,
            unsubscribe_url: &copy.unsubscribe_url,
            book_url: &copy.book_url,
            topic: &topic,
            at: claimed.at,
        };
        // A call to be made by a person has no provider: its claim has already put it on the list.
        let is_task = claim.message.intent().channel == Channel::Call;
        let outcome = if !is_task && self.is_late(claimed.at) && !guard::is_off("send", "call_in_time") {
            // Frozen between the commit and here: nothing was written to any socket.
            Outcome::NotSent { code: "claim_ran_out".to_owned(), again_in: TimeDelta::minutes(1), breaker: None }
        } else {
            self.channels.send(&dispatch).await
        };
        let outcome = self.forget_if_gone(tenant, situation, claim, outcome).await?;
        let intent = claim.message.intent();
        let place = (claim.contact, intent.channel, claim.template.0);
        self.learn(tenant, intent.message, place, claimed.at, &outcome).await?;
        if intent.channel == Channel::Whatsapp {
            self.learn_of_gateway(tenant, &situation.clinic.clinic, intent.message, claimed.at, &outcome).await?;
        }
        if self.take_back(tenant, situation, claim, claimed, &outcome).await? {
            return Ok(());
        }
        tenant.record_outcome(&situation.patient.patient.id, intent.message, claimed, &outcome).await
    }

    /// A browser that is gone is forgotten. That proves that nothing was sent: another one of the same
    /// person's is tried.
    async fn forget_if_gone(
        &self,
        tenant: &TenantStore,
        situation: &Situation,
        claim: &Claim<'_>,
        outcome: Outcome,
    ) -> Result<Outcome, CloudError> {
        let (Outcome::Refused { code, news: RecipientNews::Unreachable }, Some(browser)) =
            (&outcome, claim.message.browser())
        else {
            return Ok(outcome);
        };
        let patient = &situation.patient.patient.id;
        let is_another_left = tenant.forget_gone_browser(patient, browser, claim.now).await?;
        let (code, again_in) = (code.clone(), TimeDelta::minutes(1));
        Ok(if is_another_left { Outcome::NotSent { code, again_in, breaker: None } } else { outcome })
    }

    /// Whether too little is left of a claim to call the provider.
    pub(crate) fn is_late(&self, claimed_at: DateTime<Utc>) -> bool {
        self.reach.clock.now() > claimed_at + CLAIM_LASTS - CALL_TAKES_MAX
    }

    /// When nothing was sent, the enrollment stands before the step again: to try once more, or, if
    /// this would have been the first message and it is refused for good, to begin with the next
    /// step. A wake-up first.
    async fn take_back(
        &self,
        tenant: &TenantStore,
        situation: &Situation,
        claim: &Claim<'_>,
        claimed: Claimed,
        outcome: &Outcome,
    ) -> Result<bool, CloudError> {
        let delivery = outcome.delivery(claimed.attempt, claimed.at);
        let first = claim.from.enrollment.first_sent_on.is_none();
        let intent = claim.message.intent();
        let (step, due) = match (&delivery, outcome) {
            (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) => (intent.step, claimed.at + *again_in),
            (Delivery::Failed(_), _) if first => (intent.step + 1, claimed.at),
            _ => return Ok(false),
        };
        let mut restored = claim.from.enrollment.clone();
        restored.wakes = claim.next.wakes;
        // A retry leaves the enrollment where it is: it may have gone on meanwhile, and what lies behind
        // it must not come again.
        if matches!(restored.state, State::Running { step: from, .. } if from <= intent.step) {
            restored.state = State::Running { step, due };
        }
        self.wake(situation, &mut restored, step, due).await?;
        tenant.undo_claim(claim, claimed, outcome, &delivery, &restored).await
    }

    /// What an outcome leads to beyond the message, given the contact point, the channel and the
    /// template. Before the outcome is recorded: should this be the last thing that happens, the sweep
    /// finds the message still open.
    pub(crate) async fn learn(
        &self,
        tenant: &TenantStore,
        message: MessageId,
        (contact, channel, template): (&str, Channel, &str),
        at: DateTime<Utc>,
        outcome: &Outcome,
    ) -> Result<(), CloudError> {
        match outcome {
            Outcome::Accepted { .. } | Outcome::NotSent { breaker: None, .. } => {}
            Outcome::Ambiguous { code } => {
                tracing::warn!(clinic = %tenant.clinic(), %message, code, "fate of a message unknown");
                Metric::UnknownSends.tell(1);
            }
            Outcome::NotSent { code, again_in, breaker: Some(scope) } => {
                let what = match scope {
                    BreakerScope::Channel => channel.code(),
                    BreakerScope::Template => template,
                };
                tenant.halt(what, at + *again_in, code).await?;
                // Of a gateway that is not linked staff hears in other words.
                if *scope == BreakerScope::Channel && !code.starts_with("gateway_") {
                    let now = self.reach.clock.now();
                    self.reach.orders.queue(&channel_alert(tenant.clinic(), channel), now, now + ALERTED_AFTER).await?;
                }
                tracing::error!(clinic = %tenant.clinic(), what, code, "halted: a person must act");
                Metric::Halts.tell(1);
            }
            Outcome::Refused { code, news } => {
                tracing::info!(clinic = %tenant.clinic(), %message, code, "refused by the provider");
                match news {
                    RecipientNews::None => {}
                    RecipientNews::Unreachable => tenant.mark_unreachable(contact, channel, at).await?,
                    RecipientNews::OptedOut => {
                        let only: ChannelSet = [channel].into_iter().collect();
                        // WhatsApp tells of marketing; a network that refuses a number refuses it everything.
                        let told = if channel == Channel::Whatsapp { PurposeSet::MARKETING } else { PurposeSet::ALL };
                        tenant.opt_out(contact, only, told, at).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether nothing differs but the number of wake-ups asked for.
fn stands_still(from: &Enrollment, next: &Enrollment) -> bool {
    *next == Enrollment { wakes: next.wakes, ..from.clone() }
}

/// Clears a message: consent is proved here, at the moment of sending.
fn clear(situation: &Situation, intent: Intent, rendered: Rendered) -> Option<ClearedMessage> {
    let patient = &situation.patient.patient;
    let today = situation.clinic.clinic.date(situation.now);
    let proof = patient.consent.prove(intent.channel, intent.purpose, today).ok()?;
    let to = patient.address(intent.channel, today)?;
    ClearedMessage::new(intent, proof, to, rendered).ok()
}
