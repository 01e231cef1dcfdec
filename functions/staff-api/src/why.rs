//! Why a patient is, or is not, written to: every rule with what it says, the first that stands in
//! the way, and the next moment at which the answer may change.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_cloud::store::{Collection, StoredClinic, StoredEnrollment, TenantStore};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::approval::{Lacks, needed};
use retorno_domain::because::{Because, Finding};
use retorno_domain::calendar::resolve_local;
use retorno_domain::clinic::Clinic;
use retorno_domain::enrollment::State;
use retorno_domain::entry::{EntryCase, explain};
use retorno_domain::ids::{ClinicId, MessageId, PatientId};
use retorno_domain::message::Delivery;
use retorno_domain::segment::Placement;
use retorno_domain::standing::placement;

use crate::office::Later;

mod says;

pub use says::{
    MessageSays, MinorSays, NextChange, PastSequence, RuleSays, SequenceSays, StepSays, TemplateSays, Why, minor,
};

/// The next step of a running sequence, as whoever sends it sees it.
#[derive(Debug, Clone)]
pub struct NextStep {
    /// The step.
    pub id: String,
    /// By which channel.
    pub channel: String,
    /// The instant the rules were asked about.
    pub asked_at: DateTime<Utc>,
    /// What they say.
    pub because: Because,
}

/// Whoever knows the rules of a step: the dispatcher, where it runs in the same process.
pub trait Steps: Send + Sync {
    /// The next step of the sequence that a patient is in.
    fn next<'a>(
        &'a self,
        clinic: &'a ClinicId,
        patient: &'a PatientId,
        at: DateTime<Utc>,
    ) -> Later<'a, Result<Option<NextStep>, CloudError>>;
}

/// Explains a patient at an instant, now when none is given; nothing when there is no such patient.
///
/// # Errors
/// [`CloudError`].
pub async fn why(
    reach: &Reach,
    steps: Option<&dyn Steps>,
    (clinic, patient): (&ClinicId, &PatientId),
    at: Option<DateTime<Utc>>,
) -> Result<Option<Why>, CloudError> {
    let now = reach.clock.now();
    let at = at.unwrap_or(now);
    let tenant = reach.store.of(clinic);
    let stored_clinic = tenant.settings(now).await?;
    let settings = stored_clinic.clinic.clone();
    let lacks = Lacks::of(&settings, &stored_clinic.approvals, at);
    let Some(collection) = tenant.collection(patient).await? else { return Ok(None) };
    let stored = &collection.patient.patient;
    let points = tenant.contact_points(&tenant.contact_keys(stored, settings.date(at))).await?;
    let placed = placed(&tenant, &settings, &collection, at).await?;
    let case =
        EntryCase { clinic: &settings, patient: stored, points: &points, placement: placed, lacks: &lacks, now: at };
    let because = explain(&case);
    let zone = settings.zone;
    let segment = placed.segment.and_then(|index| settings.segments.get(index)).map(|segment| segment.id.to_string());
    let running =
        collection.enrollments.iter().find(|stored| Some(stored.enrollment.id) == collection.patient.patient.sequence);
    let sequence = match running {
        Some(running) => Some(sequence(steps, &stored_clinic, patient, running, at).await?),
        None => None,
    };
    let next = next_change(&because, sequence.as_ref(), &settings, at);
    let ended = |stored: &StoredEnrollment| past_sequence(stored, zone);
    Ok(Some(Why {
        clinic: clinic.to_string(),
        patient: patient.to_string(),
        at: rfc3339(at, zone),
        note: (at != now).then(|| NOTE.to_owned()),
        segment,
        minor: minor(stored, settings.date(at)),
        eligible: because.findings.iter().all(Finding::passes),
        entry: rules(&because, zone, &stored_clinic),
        sequence,
        past_sequences: collection.enrollments.iter().filter_map(ended).collect(),
        messages: messages(&collection, &settings),
        next,
    }))
}

const NOTE: &str =
    "Answered with what is stored now: appointments and consent as dated, messages and opt-outs as they stand today.";

async fn placed(
    tenant: &TenantStore,
    clinic: &Clinic,
    collection: &Collection,
    at: DateTime<Utc>,
) -> Result<Placement, CloudError> {
    let week = clinic.week(at);
    let thresholds = match tenant.thresholds(week).await? {
        Some(frozen) => frozen,
        None => tenant.thresholds_before(week).await?.unwrap_or_default(),
    };
    Ok(placement(clinic, &collection.patient.patient, &thresholds, at))
}

fn rules(because: &Because, zone: Tz, clinic: &StoredClinic) -> Vec<RuleSays> {
    let decides = because.findings.iter().position(|finding| !finding.passes());
    let says = |(index, finding): (usize, &Finding)| RuleSays {
        rule: finding.rule.to_owned(),
        verdict: finding.verdict.code().to_owned(),
        reason: finding.reason.to_owned(),
        figures: finding.figures.clone(),
        until: finding.verdict.until().map(|until| rfc3339(until, zone)),
        decides: Some(index) == decides,
        template: template(finding, clinic),
    };
    because.findings.iter().enumerate().map(says).collect()
}

/// The template that a finding names.
fn template(finding: &Finding, stored: &StoredClinic) -> Option<TemplateSays> {
    let name = finding.figures.split(' ').find_map(|figure| figure.strip_prefix("template="))?;
    let needed = needed(&stored.clinic).into_iter().find(|template| template.wanted.name == name)?;
    let state = stored.approvals.template(name, needed.wanted.language.whatsapp_code())?;
    Some(TemplateSays {
        name: name.to_owned(),
        text: needed.wanted.sample(),
        reason: state.rejected_for().map(str::to_owned),
        todo: crate::templates::todo(state).to_owned(),
    })
}

async fn sequence(
    steps: Option<&dyn Steps>,
    stored: &StoredClinic,
    patient: &PatientId,
    running: &StoredEnrollment,
    at: DateTime<Utc>,
) -> Result<SequenceSays, CloudError> {
    let enrollment = &running.enrollment;
    let zone = stored.clinic.zone;
    let explained = match steps {
        Some(steps) => steps.next(&stored.clinic.id, patient, at).await?,
        None => None,
    };
    let step = explained.map(|explained| StepSays {
        id: explained.id,
        channel: explained.channel,
        asked_at: rfc3339(explained.asked_at, zone),
        rules: rules(&explained.because, zone, stored),
    });
    let state = match &enrollment.state {
        State::Running { .. } => "running",
        State::Closing { .. } => "closing",
        State::Conversing { .. } => "conversing",
        State::Ended { .. } => "ended",
    };
    Ok(SequenceSays {
        enrollment: enrollment.id.to_string(),
        segment: enrollment.segment.to_string(),
        week: enrollment.week.to_string(),
        state: state.to_owned(),
        first_sent_on: enrollment.first_sent_on.map(|date| date.to_string()),
        because: running.because.clone(),
        step,
        due: enrollment.due().map(|due| rfc3339(due, zone)),
    })
}

fn past_sequence(stored: &StoredEnrollment, zone: Tz) -> Option<PastSequence> {
    let State::Ended { reason, at } = &stored.enrollment.state else { return None };
    Some(PastSequence {
        enrollment: stored.enrollment.id.to_string(),
        segment: stored.enrollment.segment.to_string(),
        week: stored.enrollment.week.to_string(),
        ended: reason.code().to_owned(),
        at: rfc3339(*at, zone),
        because: stored.because.clone(),
    })
}

fn messages(collection: &Collection, clinic: &Clinic) -> Vec<MessageSays> {
    let mut stored: Vec<_> = collection.messages.iter().collect();
    stored.sort_by_key(|message| (message.claimed_at.is_none(), message.claimed_at, message.id));
    let says = |message: &&retorno_cloud::store::StoredMessage| {
        let (channel, step, _) = &message.labels;
        // A step left out stores no channel; the flow knows it.
        let mut steps = clinic.flows.iter().flat_map(|flow| &flow.steps);
        let known = steps.find(|step| MessageId::of(message.enrollment, &step.id) == message.id);
        let channel = if channel.is_empty() { known.map_or("", |step| step.channel.code()) } else { channel };
        let reason = match &message.delivery {
            Delivery::Failed(code) | Delivery::Dropped(code) => Some(code.clone()),
            Delivery::Ready { .. }
            | Delivery::InFlight { .. }
            | Delivery::Accepted
            | Delivery::Unknown { .. }
            | Delivery::Undetermined => None,
        };
        MessageSays {
            message: message.id.to_string(),
            step: step.clone(),
            channel: channel.to_owned(),
            state: message.delivery.code().to_owned(),
            reason,
            at: message.claimed_at.map(|at| rfc3339(at, clinic.zone)),
        }
    };
    stored.iter().map(says).collect()
}

/// A running sequence is looked at when its step is due; a patient who is blocked, when the rule says;
/// one who waits, with the next morning's evaluation.
fn next_change(because: &Because, sequence: Option<&SequenceSays>, clinic: &Clinic, at: DateTime<Utc>) -> NextChange {
    if let Some(sequence) = sequence {
        let due = sequence.due.as_deref().and_then(|due| DateTime::parse_from_rfc3339(due).ok());
        return moment(due.map(|due| due.to_utc()), "the sequence is looked at again", clinic.zone, at);
    }
    match because.findings.iter().find(|finding| !finding.passes()) {
        Some(finding) => moment(finding.verdict.until(), "the rule that decides may say otherwise", clinic.zone, at),
        None => {
            moment(Some(next_morning(clinic, at)), "the morning's evaluation may enroll the patient", clinic.zone, at)
        }
    }
}

fn moment(until: Option<DateTime<Utc>>, what: &str, zone: Tz, at: DateTime<Utc>) -> NextChange {
    match until {
        Some(until) if until <= at => NextChange { at: Some(rfc3339(until, zone)), words: format!("at once: {what}") },
        Some(until) => {
            NextChange { at: Some(rfc3339(until, zone)), words: format!("in {}: {what}", in_words(until - at)) }
        }
        None => NextChange {
            at: None,
            words: "not by time alone: an import, the person's word, staff or Meta must change it".to_owned(),
        },
    }
}

/// When the clinic is evaluated next: at six in its zone.
fn next_morning(clinic: &Clinic, at: DateTime<Utc>) -> DateTime<Utc> {
    let six = |date: chrono::NaiveDate| {
        resolve_local(date.and_time(chrono::NaiveTime::MIN) + TimeDelta::hours(6), clinic.zone)
    };
    let today = clinic.date(at);
    let this_morning = six(today);
    if this_morning > at { this_morning } else { today.succ_opt().map_or(this_morning, six) }
}

fn rfc3339(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// A span in words of English, to two units: "2 days and 3 hours".
#[must_use]
pub fn in_words(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    let parts = [(minutes / 1440, "day"), (minutes % 1440 / 60, "hour"), (minutes % 60, "minute")];
    let said = |(number, unit): &(i64, &str)| format!("{number} {unit}{}", if *number == 1 { "" } else { "s" });
    let parts: Vec<String> = parts.iter().filter(|(number, _)| *number > 0).take(2).map(said).collect();
    if parts.is_empty() { "less than a minute".to_owned() } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_two_units() {
        assert_eq!(in_words(TimeDelta::minutes(2 * 1440 + 3 * 60 + 7)), "2 days and 3 hours");
        assert_eq!(in_words(TimeDelta::minutes(61)), "1 hour and 1 minute");
        assert_eq!(in_words(TimeDelta::seconds(3)), "less than a minute");
    }
}
