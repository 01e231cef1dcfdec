//! Sending: messages a second with providers that answer at once. Everything a message goes through
//! is in it: the schedule that fires, the queue, the decision, the commit, the call, its record.

use std::path::Path;

use segment_evaluator::Scope;

use super::Stopwatch;
use super::figures::{Figure, Target};
use super::made_up::{Population, ZONE, export};
use super::stage::{Stage, at, monday_and, settings};
use crate::host::HostError;

/// Sends in memory.
pub(super) async fn in_memory(patients: u32) -> Result<[Figure; 3], HostError> {
    let ids = ["send_memory", "enroll_memory", "send_memory_email"];
    measure(ids, "in memory", patients, None, Target::AtLeast(600.0)).await
}

/// Sends on a file.
pub(super) async fn on_file(patients: u32, folder: &Path) -> Result<[Figure; 3], HostError> {
    let ids = ["send_file", "enroll_file", "send_file_email"];
    measure(ids, "on a file", patients, Some(&folder.join("send")), Target::AtLeast(250.0)).await
}

async fn measure(
    ids: [&'static str; 3],
    place: &str,
    patients: u32,
    folder: Option<&Path>,
    target: Target,
) -> Result<[Figure; 3], HostError> {
    let stage = Stage::set(&settings(ZONE, "")?, folder, at(monday_and(0), 8, 0)).await?;
    stage.import(export(patients, Population::Reachable, monday_and(0)).as_bytes()).await?;

    let stopwatch = Stopwatch::start();
    let wave = stage.host.evaluate(&stage.id, Scope::Due).await?.wave;
    let enrolled: u32 = wave.enrolled.values().sum();
    let enrolling = stopwatch.rate(u64::from(enrolled));

    // All first messages of the day are due by now, and the clinic is still open.
    stage.host.reach.clock.move_to(at(monday_and(0), 19, 50));
    let stopwatch = Stopwatch::start();
    stage.host.settle().await?;
    let rate_of = stopwatch.stopped();
    let sent = u64::try_from(stage.host.doubles.whatsapp().all_sent()?.len()).unwrap_or(0);
    let whatsapp = rate_of(sent);

    // The mornings' evaluations are played before; the e-mails are due two days later.
    stage.host.advance_to(at(monday_and(2), 7, 0), |_, _| true).await?;
    stage.host.reach.clock.move_to(at(monday_and(2), 19, 50));
    let stopwatch = Stopwatch::start();
    stage.host.settle().await?;
    let rate_of = stopwatch.stopped();
    let mails = u64::try_from(stage.host.doubles.ses().all_mails()?.len()).unwrap_or(0);
    let email = rate_of(mails);

    let [send_id, enroll_id, email_id] = ids;
    Ok([
        Figure::speed(send_id, format!("WhatsApp sends, {place}"), whatsapp, "sends/s")
            .target(target)
            .note(format!("{sent} accepted by the provider, which answers at once over loopback HTTP")),
        Figure::speed(enroll_id, format!("enrollments, {place}"), enrolling, "patients/s")
            .note(format!("{enrolled} of {patients} patients, ranked backlog to committed enrollment and schedule")),
        Figure::speed(email_id, format!("e-mail sends, {place}"), email, "sends/s")
            .target(target)
            .note(format!("{mails} accepted by the provider, which answers at once")),
    ])
}
