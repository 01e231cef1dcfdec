//! One import: read, compare with what is stored, write what differs. Every step may be the last
//! one: run again, the import finishes what it began and repeats nothing that is done.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::{DateTime, Utc};
use retorno_cloud::orders::Order;
use retorno_cloud::store::{ImportLease, StoredPatient, TenantStore};
use retorno_cloud::timetable::{follow_leased, keeps_visits};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::appointment::Appointment;
use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::patient::{Patient, Report};
use retorno_domain::segment::{Mean, PERCENTILE_VISITS_MIN, Thresholds, percentiles_used};
use retorno_domain::standing::{Standing, standing, summary};
use retorno_domain::timetable::visits_ahead;

use crate::erased::leave_out_erased;
use crate::export::{ExportReader, Limits, NotAnExport};
use crate::matching::Sought;
use crate::report::{ImportReport, Rejected};
use crate::rows::{Grouped, group, patient_of};

/// Why a file was not imported at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no export.
    #[error(transparent)]
    NotAnExport(#[from] NotAnExport),
    /// Another import of the clinic is under way.
    #[error("another import of this clinic is under way; try again when it has finished")]
    Busy,
    /// The import took so long that its right to write ran out; run it again, it goes on where it stopped.
    #[error("the import lost its turn; run it again, it goes on where it stopped")]
    LeaseLost,
    /// A file of free slots for a clinic whose slots follow from its timetables.
    #[error(
        "this clinic's free slots follow from its timetables: take [[timetable]] out of its settings to load a file of them"
    )]
    HasTimetable,
    /// The table or the queue could not be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading rows; the figures are bytes.
    Reading,
    /// Comparing and writing; the figures are patients.
    Writing,
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// How much is done.
    pub done: u64,
    /// Of how much, where that is known.
    pub total: Option<u64>,
}

/// How many patients are compared and written at a time.
const CHUNK: usize = 100;
/// Tries to write one patient whom somebody else keeps changing.
const TRIES_MAX: u32 = 5;
/// The most rejected rows kept in the stored report (an item holds 400 KB).
const REJECTED_STORED_MAX: usize = 1_000;

/// Imports an export for a clinic. `import_id` names this run: two runs at once have two names, so
/// that one of them is told to wait.
///
/// # Errors
/// [`ImportError`]; rows written before it stay, and importing the file again finishes the work.
pub async fn import<R: Read>(
    reach: &Reach,
    clinic: &ClinicId,
    import_id: &str,
    source: R,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, ImportError> {
    let tenant = reach.store.of(clinic);
    let stored = tenant.settings(reach.clock.now()).await?;
    let settings = stored.clinic;
    let mut reader = match ExportReader::open(source, Limits::default()) {
        Ok(reader) => reader,
        Err(error) => {
            // A file turned away is shown as well.
            let report = serde_json::json!({ "turned_away": error.to_string() }).to_string();
            tenant.put_import_report(reach.clock.now(), &report).await?;
            return Err(error.into());
        }
    };
    let grouped = group(&mut reader, &settings, |_, bytes| {
        progress(Progress { stage: Stage::Reading, done: bytes, total: None });
    });
    let lease = tenant.lease_import(import_id, reach.clock.now()).await?.ok_or(ImportError::Busy)?;
    let mut run = Run {
        reach,
        tenant,
        clinic: settings,
        lease,
        import_id,
        settings_version: stored.version,
        thresholds: None,
        keeps_visits: false,
        report: ImportReport::default(),
    };
    let outcome = run.all(grouped, progress).await;
    run.tenant.release_import(&run.lease).await?;
    outcome?;
    let mut stored = run.report.clone();
    stored.rejected.truncate(REJECTED_STORED_MAX);
    let json = serde_json::to_string(&stored).map_err(|e| CloudError::Setup(e.to_string()))?;
    run.tenant.put_import_report(reach.clock.now(), &json).await?;
    Ok(run.report)
}

struct Run<'a> {
    reach: &'a Reach,
    tenant: TenantStore,
    clinic: std::sync::Arc<Clinic>,
    lease: ImportLease,
    import_id: &'a str,
    settings_version: u64,
    thresholds: Option<Thresholds>,
    /// Whether visits still to come are kept for the clinic's timetables.
    keeps_visits: bool,
    report: ImportReport,
}

impl Run<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.reach.clock.now()
    }

    async fn all(&mut self, mut grouped: Grouped, progress: &mut dyn FnMut(Progress)) -> Result<(), ImportError> {
        self.report.read = grouped.read;
        self.report.accepted = grouped.accepted;
        self.report.rejected = grouped.refusals.iter().map(Rejected::from).collect();
        self.report.suppressed_after_erasure = leave_out_erased(&self.tenant, &mut grouped).await?;
        self.report.patients = u64::try_from(grouped.patients.len()).unwrap_or(u64::MAX);
        self.keeps_visits = keeps_visits(&self.tenant, &self.clinic, self.now()).await?;
        self.thresholds = self.week_thresholds(&grouped).await?;
        let mut sought = Sought::read(&self.tenant).await?;
        sought.note(&grouped.patients);
        let total = self.report.patients;
        let mut left = grouped.patients.into_iter();
        let mut done = 0;
        loop {
            let chunk: Vec<(PatientId, Vec<Report>)> = left.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            done += u64::try_from(chunk.len()).unwrap_or(0);
            self.keep_lease().await?;
            self.chunk(chunk).await?;
            progress(Progress { stage: Stage::Writing, done, total: Some(total) });
        }
        let matched = sought.settle(self.reach, &self.tenant).await?;
        (self.report.matched, self.report.to_match) = (matched.recorded, matched.doubtful);
        self.keep_lease().await?;
        self.report.timetable = follow_leased(self.reach, &self.tenant, self.import_id, &mut self.lease).await?;
        Ok(())
    }

    async fn keep_lease(&mut self) -> Result<(), ImportError> {
        if self.lease.wants_renewal(self.now()) {
            self.lease = self.tenant.lease_import(self.import_id, self.now()).await?.ok_or(ImportError::LeaseLost)?;
        }
        if self.lease.holds(self.now()) { Ok(()) } else { Err(ImportError::LeaseLost) }
    }

    /// The thresholds frozen for this week. A first import freezes them from its own rows; when the
    /// clinic has patients already and the week none yet, the next evaluation does.
    async fn week_thresholds(&self, grouped: &Grouped) -> Result<Option<Thresholds>, CloudError> {
        let week = self.clinic.week(self.now());
        if let Some(frozen) = self.tenant.thresholds(week).await? {
            return Ok(Some(frozen));
        }
        if self.tenant.has_patients().await? {
            return Ok(None);
        }
        let means = grouped.patients.iter().filter_map(|(id, reports)| {
            let patient = patient_of(id, reports.clone())?;
            let summary = summary(&self.clinic, &patient, self.now());
            summary.mean().filter(|_| summary.visits >= PERCENTILE_VISITS_MIN)
        });
        let means: Vec<Mean> = means.collect();
        let thresholds = Thresholds::over(means, &percentiles_used(&self.clinic.segments));
        let frozen = self.tenant.freeze_thresholds(week, &thresholds).await?;
        // Everybody of a first import is evaluated as they are written, by the present settings.
        self.tenant.note_evaluated(self.settings_version).await?;
        Ok(Some(frozen))
    }

    async fn chunk(&mut self, chunk: Vec<(PatientId, Vec<Report>)>) -> Result<(), ImportError> {
        let ids: Vec<PatientId> = chunk.iter().map(|(id, _)| id.clone()).collect();
        let mut known: std::collections::HashMap<PatientId, StoredPatient> = self
            .tenant
            .patients(&ids, true)
            .await?
            .into_iter()
            .map(|stored| (stored.patient.id.clone(), stored))
            .collect();
        let mut fresh = Vec::new();
        for (id, reports) in chunk {
            match known.remove(&id) {
                Some(stored) => self.existing(stored, reports).await?,
                None => {
                    if let Some(patient) = self.new_patient(&id, reports).await? {
                        let standing = self.standing(&patient);
                        fresh.push((patient, standing));
                    }
                }
            }
        }
        // A new patient that is there already was written by another import: this one was taken for
        // dead meanwhile, and what it knows is old.
        self.report.added += u64::try_from(fresh.len()).unwrap_or(0);
        let comes = |(patient, _): &(Patient, Standing)| !visits_ahead(patient, self.now()).is_empty();
        let (coming, others): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|of| self.keeps_visits && comes(of));
        let (now, today) = (self.now(), self.clinic.date(self.now()));
        let new = self.tenant.put_new_patients(&others, today).await?
            && self.tenant.put_new_patients_with_visits(&coming, (now, today)).await?;
        if new { Ok(()) } else { Err(ImportError::LeaseLost) }
    }

    async fn new_patient(&mut self, id: &PatientId, reports: Vec<Report>) -> Result<Option<Patient>, CloudError> {
        let Some(mut patient) = patient_of(id, reports) else { return Ok(None) };
        self.report.dropped_appointments += u64::try_from(patient.trim()).unwrap_or(0);
        self.opt_outs(None, &patient).await?;
        Ok(Some(patient))
    }

    async fn existing(&mut self, stored: StoredPatient, reports: Vec<Report>) -> Result<(), CloudError> {
        let mut stored = stored;
        for _ in 0..TRIES_MAX {
            let mut patient = stored.patient.clone();
            for report in &reports {
                patient.absorb(report.clone());
            }
            let dropped = patient.trim();
            if patient == stored.patient {
                return Ok(());
            }
            self.opt_outs(Some(&stored.patient), &patient).await?;
            self.numbers(&stored.patient, &patient).await?;
            if self.replace(&stored, &patient).await? {
                self.report.changed += 1;
                self.report.dropped_appointments += u64::try_from(dropped).unwrap_or(0);
                return self.tell(&patient).await;
            }
            let again = self.tenant.patients(std::slice::from_ref(&patient.id), true).await?.pop();
            stored = again.ok_or_else(|| CloudError::Missing("a patient that was there".to_owned()))?;
        }
        Err(CloudError::Retryable { operation: "import patient", code: "conflict".to_owned() })
    }

    async fn replace(&self, stored: &StoredPatient, patient: &Patient) -> Result<bool, CloudError> {
        let (now, stands) = (self.now(), self.standing(patient));
        let today = self.clinic.date(now);
        if self.keeps_visits && visits_ahead(&stored.patient, now) != visits_ahead(patient, now) {
            return self.tenant.replace_patient_with_visits(patient, stored.version, &stands, (now, today)).await;
        }
        self.tenant.replace_patient(patient, stored.version, &stands, today).await
    }

    /// A running sequence must hear of the change. Should this order be lost, the sequence finds out
    /// by itself before its next message: each step looks at everything again.
    async fn tell(&self, patient: &Patient) -> Result<(), CloudError> {
        if patient.sequence.is_none() {
            return Ok(());
        }
        let order = Order::PatientChanged { clinic: self.clinic.id.to_string(), patient: patient.id.to_string() };
        self.reach.orders.queue(&order, self.now(), self.now()).await
    }

    /// Tells the agenda under which number the clinic's system has entered a visit booked through us.
    /// Before the patient is written, for the same reason as below.
    async fn numbers(&self, before: &Patient, after: &Patient) -> Result<(), CloudError> {
        let booked = before.appointments.iter().filter(|visit| visit.id.is_ours() && after.visit(&visit.id).is_none());
        // Of several at one instant (given up and taken again) it is the last one's.
        let mut latest: BTreeMap<DateTime<Utc>, &Appointment> = BTreeMap::new();
        for ours in booked {
            let of_instant = latest.entry(ours.start).or_insert(ours);
            if of_instant.as_of < ours.as_of {
                *of_instant = ours;
            }
        }
        for (start, ours) in latest {
            let entered = after.appointments.iter().filter(|visit| visit.start == start && !visit.id.is_ours());
            if let Some(entered) = entered.max_by_key(|visit| visit.as_of) {
                self.tenant.note_clinic_number(start, &ours.id, &entered.id).await?;
            }
        }
        Ok(())
    }

    /// Writes what a change of consent or contact means for the contact points, a minor's own and the
    /// guardian's, before the patient is written: whatever dies in between, the next run sees the same
    /// change and does it again.
    async fn opt_outs(&self, before: Option<&Patient>, after: &Patient) -> Result<(), CloudError> {
        let today = self.clinic.date(self.now());
        let out = after.consent.opted_out(today);
        let was_out = before.map_or(PurposeSet::NONE, |before| before.consent.opted_out(today));
        let of = |patient: &Patient| self.tenant.contact_keys_on_record(patient, patient.is_minor(today));
        let had = before.filter(|_| was_out == out).map(of).unwrap_or_default();
        for hash in of(after).difference(&had) {
            match out {
                PurposeSet::ALL => self.tenant.set_imported_opt_out(hash, &after.id, true).await?,
                // An export speaks of everything: this the person said to us, and it goes with them.
                of_some => self.tenant.opt_out(hash, ChannelSet::ALL, of_some, self.now()).await?,
            }
        }
        if let Some(before) = before {
            // Nothing goes there any more: it is free for whoever else has it, and names nobody.
            let of = |patient: &Patient| self.tenant.contact_keys_on_record(patient, true);
            for hash in of(before).difference(&of(after)) {
                self.tenant.vacate(hash, &after.id).await?;
            }
        }
        if let Some(before) = before.filter(|_| was_out == PurposeSet::ALL && out != PurposeSet::ALL) {
            // Whatever it was set at: the person may have come of age since.
            let of = |patient: &Patient| self.tenant.contact_keys_on_record(patient, true);
            for hash in of(before).union(&of(after)) {
                self.tenant.set_imported_opt_out(hash, &after.id, false).await?;
            }
        }
        Ok(())
    }

    fn standing(&self, patient: &Patient) -> Standing {
        match &self.thresholds {
            Some(thresholds) => standing(&self.clinic, patient, thresholds, None, self.now()),
            // Without the week's thresholds nothing can be said: the next evaluation looks.
            None => {
                let summary = summary(&self.clinic, patient, self.now());
                Standing {
                    due: Some(self.clinic.date(self.now())),
                    waits: None,
                    aside: None,
                    visits: summary.visits,
                    mean: summary.mean(),
                }
            }
        }
    }
}
