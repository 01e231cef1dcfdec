//! The morning's evaluation: who is due to be looked at, where they stand now, and the day's part
//! of the week's wave.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_cloud::orders::{TemplateAct, templates_order};
use retorno_cloud::store::privacy::erase::{ErasureError, resume};
use retorno_cloud::store::{TenantStore, ValueEntry};
use retorno_cloud::timetable::{Followed, When, follow};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::approval::{Approvals, account_of};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::segment::{Mean, PERCENTILE_VISITS_MIN, Thresholds, percentiles_used};
use retorno_domain::standing::{crosses, standing};

use crate::wave::{Wave, enroll_day};

/// Whom an evaluation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those whose day has come.
    Due,
    /// Everybody; it must find nothing that the daily one has not found.
    All,
}

/// What an evaluation did.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Patients looked at.
    pub looked_at: usize,
    /// Patients who stand elsewhere than before.
    pub moved: usize,
    /// What the clinic's timetables made of the free slots; nothing where that was done today, or it has none.
    pub timetable: Option<Followed>,
    /// The day's part of the wave.
    pub wave: Wave,
}

/// Templates seen within this time need not be looked at again: less than a day, so that each morning
/// does it.
const TEMPLATES_SEEN_AGAIN: TimeDelta = TimeDelta::hours(20);
/// Patients read at a time.
const CHUNK: usize = 100;

/// Evaluates a clinic as of now, and enrolls the day's part of the wave. Run twice, the second run
/// finds nothing to do.
///
/// # Errors
/// [`CloudError`]; what was done stays, and the next run goes on.
pub async fn evaluate(reach: &Reach, clinic: &ClinicId, scope: Scope) -> Result<Evaluation, CloudError> {
    let now = reach.clock.now();
    let tenant = reach.store.of(clinic);
    let stored = tenant.settings(now).await?;
    // One that fails keeps nobody from being enrolled, and is told at the end.
    let erasures = finish_erasures(reach, &tenant).await;
    let (settings, approvals) = (stored.clinic, stored.approvals);
    see_templates(reach, &settings, &approvals, now).await?;
    let today = settings.date(now);
    let (thresholds, crossed) = week_thresholds(&tenant, &settings, now).await?;
    let mut evaluation = Evaluation::default();
    // New settings may move anybody.
    let resettled = tenant.evaluated_settings().await? != Some(stored.version);
    let ids = match if resettled { Scope::All } else { scope } {
        Scope::Due => due(&tenant, today, crossed).await?,
        Scope::All => tenant.values().await?.into_iter().map(|entry| entry.patient).collect(),
    };
    for chunk in ids.chunks(CHUNK) {
        for stored in tenant.patients(chunk, false).await? {
            evaluation.looked_at += 1;
            let stands = standing(&settings, &stored.patient, &thresholds, stored.standing.aside, now);
            if stands != stored.standing && tenant.set_standing(&stored, &stands, today).await? {
                evaluation.moved += 1;
            }
        }
    }
    if resettled {
        tenant.note_evaluated(stored.version).await?;
    }
    // The horizon has moved, and settings may have changed; the wave is sized by what is free.
    let holder = format!("morning-{}", now.timestamp_millis());
    evaluation.timetable = follow(reach, clinic, &holder, When::OnceADay).await?;
    evaluation.wave = enroll_day(reach, &tenant, (&settings, &stored.lacks), &thresholds).await?;
    erasures?;
    Ok(evaluation)
}

/// An erasure whose process died is finished. While an import is under way, another morning does it.
async fn finish_erasures(reach: &Reach, tenant: &TenantStore) -> Result<(), CloudError> {
    match resume(reach, tenant).await {
        Ok(_) | Err(ErasureError::Nobody | ErasureError::Busy) => Ok(()),
        Err(ErasureError::Cloud(error)) => Err(error),
    }
}

/// Once a day the clinic's templates are looked at: news of them may have been lost.
async fn see_templates(
    reach: &Reach,
    clinic: &Clinic,
    approvals: &Approvals,
    now: DateTime<Utc>,
) -> Result<(), CloudError> {
    let lately = approvals.account.listed_at.is_some_and(|listed| now - listed < TEMPLATES_SEEN_AGAIN);
    if account_of(clinic).is_none() || lately {
        return Ok(());
    }
    reach.orders.queue(&templates_order(&clinic.id, TemplateAct::Refresh), now, now).await
}

async fn due(tenant: &TenantStore, today: NaiveDate, crossed: Vec<PatientId>) -> Result<Vec<PatientId>, CloudError> {
    let mut ids: BTreeSet<PatientId> = tenant.due_patients(today).await?.into_iter().collect();
    ids.extend(crossed);
    Ok(ids.into_iter().collect())
}

/// The week's thresholds, frozen now if this is the week's first evaluation; and then also the
/// patients whose membership the new thresholds may change.
async fn week_thresholds(
    tenant: &TenantStore,
    clinic: &Clinic,
    now: DateTime<Utc>,
) -> Result<(Thresholds, Vec<PatientId>), CloudError> {
    let week = clinic.week(now);
    if let Some(frozen) = tenant.thresholds(week).await? {
        return Ok((frozen, Vec::new()));
    }
    let values = tenant.values().await?;
    let counts = |entry: &&ValueEntry| entry.visits >= PERCENTILE_VISITS_MIN;
    let means: Vec<Mean> = values.iter().filter(counts).filter_map(|entry| entry.mean).collect();
    let computed = Thresholds::over(means, &percentiles_used(&clinic.segments));
    let before = tenant.thresholds_before(week).await?;
    // Those whom the new week moves are written before the week is frozen: if this run dies in
    // between, the next one finds the week open and does it again.
    let crossed: Vec<PatientId> = values
        .into_iter()
        .filter(|entry| crosses(entry.mean, before.as_ref(), &computed))
        .map(|entry| entry.patient)
        .collect();
    for chunk in crossed.chunks(CHUNK) {
        for stored in tenant.patients(chunk, false).await? {
            let stands = standing(clinic, &stored.patient, &computed, stored.standing.aside, now);
            if stands != stored.standing {
                tenant.set_standing(&stored, &stands, clinic.date(now)).await?;
            }
        }
    }
    Ok((tenant.freeze_thresholds(week, &computed).await?, crossed))
}
