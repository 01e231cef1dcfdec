//! Where a patient stands: in which backlog they wait, and on which day to look again. Whoever
//! changes a patient, and the daily evaluation, compute it with this one function; a full
//! evaluation therefore gives the same answer as the incremental one.

use chrono::{DateTime, NaiveDate, Utc};

use crate::approval::Lacks;
use crate::channel::{Channel, Purpose};
use crate::clinic::Clinic;
use crate::contact_point::ContactPoints;
use crate::entry::{EntryCase, EntryRule, first_block};
use crate::ids::SegmentId;
use crate::patient::Patient;
use crate::segment::{Mean, Placement, Thresholds, date_of, day_of, place};
use crate::summary::Summary;
use crate::wave::rank;

/// Where a patient stands by the rules that their own record answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The day to look again; nothing when only an event can change anything.
    pub due: Option<NaiveDate>,
    /// The segment in whose backlog the patient waits, and the rank there.
    pub waits: Option<(SegmentId, String)>,
    /// Set aside until that day: something outside the patient's own record (somebody who shares the
    /// phone) stood in the way when their turn came.
    pub aside: Option<NaiveDate>,
    /// Number of visits so far.
    pub visits: u32,
    /// The mean amount of the visits that have one.
    pub mean: Option<Mean>,
}

/// The patient's placement today.
#[must_use]
pub fn placement(clinic: &Clinic, patient: &Patient, thresholds: &Thresholds, now: DateTime<Utc>) -> Placement {
    place(&clinic.segments, &summary(clinic, patient, now), thresholds, day_of(clinic.date(now)))
}

/// The patient's past as the rules see it.
#[must_use]
pub fn summary<'a>(clinic: &Clinic, patient: &'a Patient, now: DateTime<Utc>) -> Summary<'a> {
    Summary::of(&patient.appointments, patient.profile.insurer.as_deref(), &clinic.services, clinic.zone, now)
}

/// Computes where a patient stands. `aside` is the day until which the patient was set aside, if so.
#[must_use]
pub fn standing(
    clinic: &Clinic,
    patient: &Patient,
    thresholds: &Thresholds,
    aside: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Standing {
    let today = clinic.date(now);
    let aside = aside.filter(|until| *until > today);
    let summary = summary(clinic, patient, now);
    let placement = place(&clinic.segments, &summary, thresholds, day_of(today));
    let points = ContactPoints::default();
    let lacks = Lacks::default();
    let case = EntryCase { clinic, patient, points: &points, placement, lacks: &lacks, now };
    // A halted clinic keeps its backlog; nothing leaves it meanwhile.
    let own = EntryRule::ALL.into_iter().filter(|rule| !rule.looks_beyond_the_patient() && *rule != EntryRule::Running);
    let block = first_block(&case, own);
    let segment =
        placement.segment.and_then(|index| clinic.segments.get(index)).filter(|_| block.is_none() && aside.is_none());
    let reach = if reaches_by_whatsapp(clinic, patient, today) { 'w' } else { 'e' };
    let waits = segment.map(|s| (s.id.clone(), rank(summary.mean(), placement.leaves, reach, &patient.id)));
    let unblocked = block.and_then(|finding| finding.verdict.until()).map(|until| clinic.date(until));
    let changes = [placement.next_change.and_then(date_of), unblocked, next_event(clinic, patient, now), aside];
    Standing { due: changes.into_iter().flatten().min(), waits, aside, visits: summary.visits, mean: summary.mean() }
}

/// The next day on which something already on record takes effect: an appointment passes, a
/// consent begins, the person comes of age.
fn next_event(clinic: &Clinic, patient: &Patient, now: DateTime<Utc>) -> Option<NaiveDate> {
    let ahead = patient.appointments.iter().map(|a| a.start).filter(|start| *start > now).min();
    let appointment = ahead.map(|start| clinic.date(start));
    let today = clinic.date(now);
    let consent = patient.consent.next_change(today);
    let of_age = patient.of_age_on().filter(|day| *day > today);
    [appointment, consent, of_age].into_iter().flatten().min()
}

fn reaches_by_whatsapp(clinic: &Clinic, patient: &Patient, today: NaiveDate) -> bool {
    clinic.channels.contains(Channel::Whatsapp)
        && patient.address(Channel::Whatsapp, today).is_some()
        && patient.consent.prove(Channel::Whatsapp, Purpose::Marketing, today).is_ok()
}

/// Patients whose membership a new week's thresholds may change: those whose mean passes a
/// percentile under one of the two and not under the other.
#[must_use]
pub fn crosses(mean: Option<Mean>, before: Option<&Thresholds>, after: &Thresholds) -> bool {
    let (Some(mean), Some(before)) = (mean, before) else { return mean.is_some() };
    let reaches =
        |thresholds: &Thresholds, percentile: u8| thresholds.percentile(percentile).is_some_and(|t| mean >= t);
    let all = before.percentiles.iter().chain(&after.percentiles);
    all.map(|(percentile, _)| *percentile).any(|p| reaches(before, p) != reaches(after, p))
}
