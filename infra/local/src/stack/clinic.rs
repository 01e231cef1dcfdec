//! A clinic is set up: its settings, what is its own at providers, its morning, its sealing and its sweep.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use retorno_cloud::orders::{Order, TemplateAct, templates_order};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::approval::account_of;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

use super::Addresses;
use crate::host::HostError;

/// When a clinic's morning begins, on its own clock.
const MORNING: &str = "cron(0 6 * * ? *)";
/// How often what was lost is looked for.
const SWEEP: &str = "rate(15 minutes)";
/// When a clinic's audit records are sealed: late enough that the hour before is closed.
const SEALING: &str = "cron(25 * * * ? *)";
/// A morning that could not be started for so long is left to the next one.
const MORNING_SECONDS_MAX: i32 = 6 * 3_600;
/// What could not be started for so long, of what comes again within the hour, is left to the next one.
const SWEEP_SECONDS_MAX: i32 = 900;

/// A clinic to be added.
#[derive(Debug, Clone, Copy)]
pub struct Adding<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its settings (TOML).
    pub settings: &'a str,
    /// Whether settings that are there may be replaced.
    pub replace: bool,
    /// Whether its templates are to be submitted to Meta.
    pub submit_templates: bool,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// A clinic that was added.
#[derive(Debug, Clone)]
pub struct Added {
    /// As its settings say.
    pub clinic: Clinic,
    /// Whether it was there before.
    pub was_there: bool,
    /// Whether Meta is being asked about its templates.
    pub asked_meta: bool,
}

/// Adds a clinic to a stack. Harmless to repeat: a run that died is finished by the next one.
///
/// # Errors
/// [`HostError::User`] says what to do: settings that cannot be read, a clinic that is there, a number
/// that is another's. No settings were written then; what of its numbers is free is claimed already.
pub async fn add(
    reach: &Reach,
    scheduler: &Client,
    stack: &Addresses,
    adding: &Adding<'_>,
) -> Result<Added, HostError> {
    let user = |text: String| HostError::User(text);
    let id = ClinicId::parse(adding.id)
        .map_err(|error| user(format!("the clinic's id: {error}; it holds a-z, 0-9 and -")))?;
    let clinic = clinic_from_toml(id.clone(), adding.settings, None)?;
    let tenant = reach.store.of(&id);
    let former = match tenant.settings_text().await {
        Ok(text) => Some(text),
        Err(CloudError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let was_there = former.is_some();
    if was_there && !adding.replace {
        return Err(user(format!("clinic {id} is there already: --replace puts these settings in place of its own")));
    }
    if let Some(setting) = tenant.claim_routes(&clinic).await? {
        return Err(user(format!("another clinic of this stack has the same {setting}: give this one its own")));
    }
    tenant.put_settings(adding.settings).await?;
    // Only now: should this be the last that happens, what comes for the former ones still finds the clinic.
    if let Some(former) = former.and_then(|text| clinic_from_toml(id.clone(), &text, None).ok()) {
        tenant.release_routes(&former, &clinic).await?;
    }
    schedules(scheduler, stack, &id, clinic.zone).await?;
    let asked_meta = account_of(&clinic).is_some();
    if asked_meta {
        let submitting = [TemplateAct::Subscribe, TemplateAct::SubmitMissing];
        let acts = if adding.submit_templates { submitting.to_vec() } else { vec![TemplateAct::Refresh] };
        for act in acts {
            reach.orders.queue(&templates_order(&id, act), adding.now, adding.now).await?;
        }
    }
    Ok(Added { clinic, was_there, asked_meta })
}

/// The clinic's morning, its sealing and its sweep.
async fn schedules(scheduler: &Client, stack: &Addresses, id: &ClinicId, zone: Tz) -> Result<(), CloudError> {
    let clinic = serde_json::json!({ "clinic": id.as_str() }).to_string();
    let morning = target(&stack.evaluator_arn, &stack.morning_role_arn, clinic.clone(), MORNING_SECONDS_MAX)?;
    schedule(scheduler, stack, &format!("morning-{id}"), (MORNING, zone.name()), morning).await?;
    let sealing = target(&stack.sealer_arn, &stack.morning_role_arn, clinic, SWEEP_SECONDS_MAX)?;
    schedule(scheduler, stack, &format!("seal-{id}"), (SEALING, "UTC"), sealing).await?;
    let order = serde_json::to_string(&Order::Sweep { clinic: id.to_string() });
    let order = order.map_err(|error| CloudError::Setup(error.to_string()))?;
    let order = target(&stack.orders.queue_arn, &stack.orders.role_arn, order, SWEEP_SECONDS_MAX)?;
    schedule(scheduler, stack, &format!("sweep-{id}"), (SWEEP, "UTC"), order).await
}

fn target(arn: &str, role: &str, input: String, seconds_max: i32) -> Result<Target, CloudError> {
    let again = RetryPolicy::builder().maximum_event_age_in_seconds(seconds_max).build();
    let target = Target::builder().arn(arn).role_arn(role).input(input).retry_policy(again).build();
    target.map_err(|error| CloudError::Setup(error.to_string()))
}

/// Creates a schedule, or makes the one of that name what it is to be: the clinic's zone may be another.
async fn schedule(
    scheduler: &Client,
    stack: &Addresses,
    name: &str,
    (expression, zone): (&str, &str),
    target: Target,
) -> Result<(), CloudError> {
    let setup = |why: String| CloudError::Setup(format!("schedule {name}: {why}"));
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    let window = window.map_err(|error| setup(error.to_string()))?;
    let group = &stack.orders.group;
    let call = scheduler.create_schedule().name(name).group_name(group).schedule_expression(expression);
    let call = call.schedule_expression_timezone(zone).flexible_time_window(window.clone()).target(target.clone());
    match call.action_after_completion(ActionAfterCompletion::None).send().await {
        Ok(_) => return Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conflict_exception()) => {}
        Err(error) => return Err(setup(error.to_string())),
    }
    let call = scheduler.update_schedule().name(name).group_name(group).schedule_expression(expression);
    let call = call.schedule_expression_timezone(zone).flexible_time_window(window).target(target);
    let updated = call.action_after_completion(ActionAfterCompletion::None).send().await;
    updated.map(|_| ()).map_err(|error| setup(error.to_string()))
}
