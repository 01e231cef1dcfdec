//! The pure rules, without a table: how many patients a second one core can place and evaluate.

use std::hint::black_box;

use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::segment::{Thresholds, day_of, place};
use retorno_domain::standing::{standing, summary};
use retorno_domain::summary::Summary;

use super::figures::{Figure, Target};
use super::stage::Stage;
use super::{Stopwatch, count_of};
use crate::host::HostError;

/// Segments active during the measurement.
const SEGMENTS: usize = 5;
/// Patients read at a time.
const CHUNK: usize = 100;

/// Measures over the patients of a system, going round until `least` placements are done.
pub(super) async fn measure(stage: &Stage, least: u32) -> Result<[Figure; 2], HostError> {
    let now = stage.host.now();
    let mut clinic = stage.clinic.clone();
    for segment in clinic.segments.iter_mut().skip(SEGMENTS) {
        segment.active = false;
    }
    let (patients, thresholds) = patients(stage).await?;
    let summaries: Vec<Summary<'_>> = patients.iter().map(|patient| summary(&clinic, patient, now)).collect();
    let today = day_of(clinic.date(now));
    let (mut placed, mut members) = (0u64, 0u64);
    let stopwatch = Stopwatch::start();
    while placed < u64::from(least) && !summaries.is_empty() {
        for summary in &summaries {
            let placement = place(&clinic.segments, black_box(summary), &thresholds, today);
            members += u64::from(black_box(placement).segment.is_some());
        }
        placed += u64::try_from(summaries.len()).unwrap_or(0);
    }
    let rate = stopwatch.rate(placed);
    let share = 100.0 * super::figures::ratio(count_of(members), count_of(placed));
    let placing = Figure::speed("segments_pure", "pure segment evaluation, one core", rate, "patients/s")
        .target(Target::AtLeast(1_000_000.0))
        .note(format!(
            "{} patients, {SEGMENTS} segments, {share:.0} % belong to one; summaries made before",
            patients.len()
        ));

    let stopwatch = Stopwatch::start();
    for patient in &patients {
        black_box(standing(&clinic, black_box(patient), &thresholds, None, now));
    }
    let rate = stopwatch.rate(u64::try_from(patients.len()).unwrap_or(0));
    let standing = Figure::speed("standing_pure", "standing, one core", rate, "patients/s")
        .note("from appointments: summary, placement, entry rules, rank and the day to look again");
    Ok([placing, standing])
}

async fn patients(stage: &Stage) -> Result<(Vec<Patient>, Thresholds), HostError> {
    let tenant = stage.host.reach.store.of(&stage.id);
    let ids: Vec<PatientId> = tenant.values().await?.into_iter().map(|entry| entry.patient).collect();
    let mut patients = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        patients.extend(tenant.patients(chunk, false).await?.into_iter().map(|stored| stored.patient));
    }
    let thresholds = tenant.thresholds(stage.clinic.week(stage.host.now())).await?.unwrap_or_default();
    Ok((patients, thresholds))
}
