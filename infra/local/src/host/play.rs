//! Playing events: schedules that are due, functions to be run, orders on the queue.

use std::time::Duration;

use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::orders::{Order, TemplateAct, templates_order};
use retorno_cloud::timetable::{Followed, When, follow};
use retorno_domain::approval::{WantedTemplate, account_of, needed};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use segment_evaluator::{Evaluation, Scope, evaluate};
use step_dispatcher::Done;

use super::phone::signed;
use super::{EVALUATOR_ARN, GROUP, Host, HostError, INBOUND, QUEUE, QUEUE_ARN, ROLE_ARN, SEALER_ARN, Work};
use crate::calls::calls_of;

/// What was played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// Events taken up.
    pub events: u64,
    /// Messages handed to a provider.
    pub sent: u64,
    /// Orders and functions that failed and will be taken up again.
    pub failed: u64,
}

impl Played {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.sent += other.sent;
        self.failed += other.failed;
    }
}

/// How long an order that was taken is hidden from others.
const VISIBILITY: Duration = Duration::from_secs(60);
/// When an order or a function that failed is tried again.
const AGAIN_AFTER: TimeDelta = TimeDelta::seconds(30);
/// A little after the hour is closed (see [`ledger_sealer::seal::MARGIN`]).
const SEAL_HOURLY: &str = "cron(25 * * * ? *)";
/// A function is tried so often, as Lambda does with asynchronous events.
const ATTEMPTS_MAX: u32 = 3;

impl Host {
    /// Sets up a clinic: its settings, the morning's evaluation at six in its zone, and the sweep.
    /// Harmless to repeat; new settings replace the old ones.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn add_clinic(&self, id: &ClinicId, settings_toml: &str, sweep: &str) -> Result<(), HostError> {
        let clinic = self.claim_clinic(id, settings_toml).await?;
        let tenant = self.reach.store.of(id);
        let former = match tenant.settings_text().await {
            Ok(text) => retorno_domain::settings::clinic_from_toml(id.clone(), &text, None).ok(),
            Err(CloudError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        tenant.put_settings(settings_toml).await?;
        // Only now: should this be the last that happens, what comes for the former ones still finds the
        // clinic.
        if let Some(former) = former {
            tenant.release_routes(&former, &clinic).await?;
        }
        self.see_templates(&clinic).await?;
        let morning = serde_json::json!({ "clinic": id.as_str() }).to_string();
        self.schedule(&format!("morning-{id}"), "cron(0 6 * * ? *)", clinic.zone.name(), EVALUATOR_ARN, morning)
            .await?;
        if self.sealing.is_some() {
            let hour = serde_json::json!({ "clinic": id.as_str() }).to_string();
            self.schedule(&format!("seal-{id}"), SEAL_HOURLY, "UTC", SEALER_ARN, hour).await?;
        }
        let order = serde_json::to_string(&Order::Sweep { clinic: id.to_string() });
        let order = order.map_err(|e| CloudError::Setup(e.to_string()))?;
        self.schedule(&format!("sweep-{id}"), sweep, "UTC", QUEUE_ARN, order).await
    }

    /// Makes what the settings name at the providers the clinic's, before anything else is.
    ///
    /// # Errors
    /// [`HostError::NumberTaken`] where it is another's: what is written to a number must reach nobody else.
    pub async fn claim_clinic(&self, id: &ClinicId, settings_toml: &str) -> Result<Clinic, HostError> {
        let clinic = retorno_domain::settings::clinic_from_toml(id.clone(), settings_toml, None)?;
        match self.reach.store.of(id).claim_routes(&clinic).await? {
            Some(setting) => Err(HostError::NumberTaken(setting)),
            None => Ok(clinic),
        }
    }

    /// An account that the sandbox's Meta has never seen holds what the clinic needs, approved: whoever
    /// tries the system out does not begin by waiting. What comes later is to be submitted.
    async fn see_templates(&self, clinic: &Clinic) -> Result<(), HostError> {
        let Some(account) = account_of(clinic) else { return Ok(()) };
        let approved: Vec<WantedTemplate> = needed(clinic).into_iter().map(|template| template.wanted).collect();
        self.doubles.whatsapp().begin_account(account, &approved)?;
        let now = self.now();
        Ok(self.reach.orders.queue(&templates_order(&clinic.id, TemplateAct::Refresh), now, now).await?)
    }

    async fn schedule(
        &self,
        name: &str,
        expression: &str,
        zone: &str,
        arn: &str,
        input: String,
    ) -> Result<(), HostError> {
        let setup = |e: aws_sdk_scheduler::error::BuildError| CloudError::Setup(e.to_string());
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(setup)?;
        let target = Target::builder().arn(arn).role_arn(ROLE_ARN).input(input).build().map_err(setup)?;
        let call = self.scheduler.create_schedule().name(name).group_name(GROUP).schedule_expression(expression);
        let call = call.schedule_expression_timezone(zone).flexible_time_window(window).target(target);
        match call.action_after_completion(ActionAfterCompletion::None).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            Err(e) => Err(CloudError::Setup(format!("schedule {name}: {e}")).into()),
        }
    }

    /// Runs the morning's evaluation now.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn evaluate(&self, clinic: &ClinicId, scope: Scope) -> Result<Evaluation, HostError> {
        let _turn = self.playing.lock().await;
        Ok(calls_of("segment-evaluator", evaluate(&self.reach, clinic, scope)).await?)
    }

    /// Makes the free slots those of the clinic's timetables now: who changes them wants to see what
    /// follows. Nothing while an import is under way, which does it itself.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn follow_timetables(&self, clinic: &ClinicId) -> Result<Option<Followed>, HostError> {
        let holder = format!("settings-{}", self.now().timestamp_millis());
        Ok(follow(&self.reach, clinic, &holder, When::Now).await?)
    }

    /// Takes up everything that is due now.
    ///
    /// # Errors
    /// [`HostError`] of the machine itself; a handler's failure is counted and tried again.
    pub async fn settle(&self) -> Result<Played, HostError> {
        let _turn = self.playing.lock().await;
        self.settle_unlocked().await
    }

    async fn settle_unlocked(&self) -> Result<Played, HostError> {
        let mut played = Played::default();
        loop {
            let round = self.round().await?;
            if round.events == 0 {
                return Ok(played);
            }
            played.add(round);
        }
    }

    /// Moves the clock to an instant, taking up everything on the way at its own time. `on_event`
    /// hears the instant reached and what was played so far, and stops the play by answering `false`.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn advance_to(
        &self,
        target: DateTime<Utc>,
        mut on_event: impl FnMut(DateTime<Utc>, Played) -> bool,
    ) -> Result<Played, HostError> {
        let _turn = self.playing.lock().await;
        let mut played = self.settle_unlocked().await?;
        while let Some(next) = self.next_event()?.filter(|next| *next <= target) {
            self.reach.clock.move_to(next);
            played.add(self.settle_unlocked().await?);
            if !on_event(next, played) {
                return Ok(played);
            }
        }
        self.reach.clock.move_to(target);
        Ok(played)
    }

    /// The instant of the next event, if anything is to come.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn next_event(&self) -> Result<Option<DateTime<Utc>>, HostError> {
        let scheduler = self.doubles.scheduler();
        let sqs = self.doubles.sqs();
        let instants = [
            scheduler.next_due()?,
            scheduler.next_invocation_at()?,
            self.doubles.whatsapp().next_template_news_at()?,
            sqs.next_visible_at(INBOUND)?,
            sqs.next_visible_at(QUEUE)?,
        ];
        Ok(instants.into_iter().flatten().min())
    }

    /// Fires what is due, runs one function or takes up one batch of orders.
    async fn round(&self) -> Result<Played, HostError> {
        let fired = self.doubles.scheduler().fire_due(self.now())?.len();
        self.work.fired(fired);
        let told = self.tell_delivered().await?;
        let mut played = Played { events: u64::try_from(fired).unwrap_or(0) + told, ..Played::default() };
        if let Some(invocation) = self.doubles.scheduler().take_invocation()? {
            played.events += 1;
            match self.invoke(&invocation.target_arn, &invocation.payload).await {
                Err(error) if invocation.attempt < ATTEMPTS_MAX => {
                    tracing::warn!(%error, "a function failed and is tried again");
                    played.failed += 1;
                    self.doubles.scheduler().release_invocation(invocation.id, self.now() + AGAIN_AFTER)?;
                }
                Err(error) => {
                    tracing::error!(%error, "a function failed for good");
                    played.failed += 1;
                    self.doubles.scheduler().finish_invocation(invocation.id)?;
                }
                Ok(()) => {
                    self.doubles.scheduler().finish_invocation(invocation.id)?;
                }
            }
            return Ok(played);
        }
        for (number, webhook) in self.doubles.whatsapp().template_news()? {
            played.events += 1;
            let answer = self.hook(signed(&self.sandbox_app_secret(), webhook.into_bytes())).await;
            if answer.status != 200 {
                tracing::error!(status = answer.status, "the hook did not take news of a template");
                played.failed += 1;
            }
            self.doubles.whatsapp().told(number)?;
        }
        for message in self.doubles.sqs().receive(INBOUND, 10, VISIBILITY)? {
            played.events += 1;
            let taking = self.reader().take_in(&message.body, self.now());
            if let Err(error) = self.counted(Work::Events, calls_of("inbound-webhook", taking)).await {
                tracing::warn!(%error, "events are handed back");
                played.failed += 1;
                self.doubles.sqs().release(&message.receipt, self.now() + AGAIN_AFTER)?;
            } else {
                self.doubles.sqs().delete(&message.receipt)?;
            }
        }
        for message in self.doubles.sqs().receive(QUEUE, 10, VISIBILITY)? {
            played.events += 1;
            match self.take_up(&message.body).await {
                Ok(done) => {
                    played.sent += u64::from(done == Done::Sent);
                    self.doubles.sqs().delete(&message.receipt)?;
                }
                Err(error) => {
                    tracing::warn!(%error, "an order is handed back");
                    played.failed += 1;
                    self.doubles.sqs().release(&message.receipt, self.now() + AGAIN_AFTER)?;
                }
            }
        }
        Ok(played)
    }

    async fn invoke(&self, target: &str, payload: &str) -> Result<(), HostError> {
        let event: serde_json::Value = serde_json::from_str(payload).map_err(|e| CloudError::Setup(e.to_string()))?;
        let clinic = event.get("clinic").and_then(serde_json::Value::as_str).unwrap_or("");
        let clinic = ClinicId::parse(clinic).map_err(|e| CloudError::Setup(e.to_string()))?;
        if target == SEALER_ARN {
            return self.seal(&clinic).await.map(|_| ());
        }
        let evaluating = evaluate(&self.reach, &clinic, Scope::Due);
        self.counted(Work::Evaluation, calls_of("segment-evaluator", evaluating)).await?;
        Ok(())
    }

    async fn take_up(&self, body: &str) -> Result<Done, HostError> {
        let order: Order = serde_json::from_str(body).map_err(|e| CloudError::Setup(e.to_string()))?;
        let work = if matches!(order, Order::Sweep { .. }) { Work::Sweep } else { Work::Order };
        let taking = self.dispatcher.take_up(&order);
        Ok(self.counted(work, calls_of("step-dispatcher", taking)).await?)
    }
}
