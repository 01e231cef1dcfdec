//! The full picture of a clinic's segments: who belongs, who could be enrolled now, and why the
//! others are left alone. Reads everybody; the daily evaluation does not.

use std::collections::{BTreeMap, HashSet};

use retorno_cloud::store::TenantStore;
use retorno_cloud::{CloudError, Reach};
use retorno_domain::approval::Lacks;
use retorno_domain::channel::ChannelSet;
use retorno_domain::clinic::Clinic;
use retorno_domain::contact_point::{ContactPoint, ContactPoints};
use retorno_domain::entry::{EntryCase, EntryRule, first_block};
use retorno_domain::ids::{ClinicId, PatientId, SegmentId};
use retorno_domain::patient::Patient;
use retorno_domain::segment::Thresholds;
use retorno_domain::standing::placement;

/// One segment, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentCount {
    /// The segment.
    pub id: SegmentId,
    /// Patients who belong to it (each counted in the first segment that fits).
    pub members: u32,
    /// Members who could be enrolled now.
    pub eligible: u32,
    /// The others, by the first rule that blocks.
    pub excluded: BTreeMap<&'static str, u32>,
}

/// All segments of a clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Patients of the clinic.
    pub patients: u64,
    /// Segments in order of precedence.
    pub segments: Vec<SegmentCount>,
}

/// Counts a clinic's segments as of now.
///
/// # Errors
/// [`CloudError`].
pub async fn survey(reach: &Reach, clinic: &ClinicId) -> Result<Survey, CloudError> {
    let now = reach.clock.now();
    let tenant = reach.store.of(clinic);
    let stored = tenant.settings(now).await?;
    let (settings, lacks) = (stored.clinic, stored.lacks);
    let week = settings.week(now);
    let thresholds = match tenant.thresholds(week).await? {
        Some(frozen) => frozen,
        None => tenant.thresholds_before(week).await?.unwrap_or_default(),
    };
    let suppressed = tenant.suppressed_contacts().await?;
    let count = |segment: &retorno_domain::segment::Segment| SegmentCount {
        id: segment.id.clone(),
        members: 0,
        eligible: 0,
        excluded: BTreeMap::new(),
    };
    let mut survey = Survey { patients: 0, segments: settings.segments.iter().map(count).collect() };
    let ids: Vec<PatientId> = tenant.values().await?.into_iter().map(|entry| entry.patient).collect();
    for chunk in ids.chunks(100) {
        for stored in tenant.patients(chunk, false).await? {
            survey.patients += 1;
            add(&mut survey, &tenant, (&settings, &lacks), &thresholds, &suppressed, &stored.patient, now);
        }
    }
    survey.segments.retain(|count| settings.segments.iter().any(|segment| segment.id == count.id && segment.active));
    Ok(survey)
}

fn add(
    survey: &mut Survey,
    tenant: &TenantStore,
    (clinic, lacks): (&Clinic, &Lacks),
    thresholds: &Thresholds,
    suppressed: &HashSet<String>,
    patient: &Patient,
    now: chrono::DateTime<chrono::Utc>,
) {
    let placed = placement(clinic, patient, thresholds, now);
    let Some(count) = placed.segment.and_then(|index| survey.segments.get_mut(index)) else { return };
    count.members += 1;
    let contacts = tenant.contact_keys(patient, clinic.date(now));
    let point = |hash: Option<&String>| {
        let out = hash.is_some_and(|hash| suppressed.contains(hash));
        ContactPoint { suppressed: if out { ChannelSet::ALL } else { ChannelSet::NONE }, ..ContactPoint::default() }
    };
    let (phone, email) = (point(contacts.phone.as_ref()), point(contacts.email.as_ref()));
    let points = ContactPoints { phone, email, push: point(contacts.push.first()) };
    let case = EntryCase { clinic, patient, points: &points, placement: placed, lacks, now };
    match first_block(&case, EntryRule::ALL) {
        None => count.eligible += 1,
        Some(finding) => *count.excluded.entry(finding.reason).or_default() += 1,
    }
}
