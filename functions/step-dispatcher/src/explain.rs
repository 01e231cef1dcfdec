//! Why a running sequence sends its next step, or does not: every rule, with the facts and the code
//! that decide it.

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_domain::because::Because;
use retorno_domain::enrollment::State;
use retorno_domain::flow::Step;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::standing::placement;
use retorno_domain::step_rules::{StepCase, StepRule};

use crate::dispatch::Dispatcher;
use crate::facts::Situation;

/// The next step of a sequence, and what each rule says of it.
#[derive(Debug, Clone)]
pub struct StepExplained {
    /// The step.
    pub step: Step,
    /// When it is looked at next.
    pub due: DateTime<Utc>,
    /// The instant the rules were asked about: `due`, or later.
    pub asked_at: DateTime<Utc>,
    /// What they say.
    pub because: Because,
}

impl Dispatcher {
    /// What every rule says of the next step of the sequence that a patient is in: at the instant the
    /// step is due, or at `at` when that is later. What is not dated (contact points, what is halted,
    /// the free slots) is as stored now.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn explain(
        &self,
        clinic: &ClinicId,
        patient: &PatientId,
        at: DateTime<Utc>,
    ) -> Result<Option<StepExplained>, CloudError> {
        let tenant = self.reach.store.of(clinic);
        let Some(mut situation) = Situation::read(self, &tenant, patient, None).await? else { return Ok(None) };
        let State::Running { step, due } = situation.stored.enrollment.state else { return Ok(None) };
        let Some(step) = situation.flow.steps.get(step).cloned() else { return Ok(None) };
        let asked_at = at.max(due);
        let thresholds = self.thresholds(&tenant, situation.clinic.clinic.week(asked_at)).await?;
        situation.now = asked_at;
        situation.placement = placement(&situation.clinic.clinic, &situation.patient.patient, &thresholds, asked_at);
        let copy = |step: &_| situation.copy_problem(step, &self.links);
        let mut facts = situation.facts(&copy);
        facts.number_full_until = facts.number_full_until.filter(|until| *until > asked_at);
        let case = StepCase { facts: &facts, enrollment: &situation.stored.enrollment, step: &step, now: asked_at };
        let findings = StepRule::ALL.into_iter().map(|rule| case.check(rule)).collect();
        Ok(Some(StepExplained { due, asked_at, because: Because { findings }, step: step.clone() }))
    }
}
