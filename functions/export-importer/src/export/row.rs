//! One row of the export, cell by cell.

use std::fmt;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::cell::{self, StatusCell};
use super::consent::{ConsentCell, consent};
use super::header::Header;
use super::instant::{self, StartCell};
use super::records::Record;
use super::refusal::{Refusal, RefusalReason};
use super::row_cells::RowCells;

/// One appointment as the export has it. `Debug` leaves out what identifies the patient.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// Physical line on which the row starts; the header is line 1.
    pub line: u64,
    /// `id_cita`, at most 128 characters.
    pub appointment_id: String,
    /// `fecha_hora_inicio`.
    pub start: StartCell,
    /// `zona_horaria`.
    pub zone: Tz,
    /// `paciente_id`, at most 128 characters.
    pub patient_id: Option<String>,
    /// `paciente_nombre`; empty only where there is a `paciente_id`.
    pub patient_name: String,
    /// `paciente_contacto` as written: perhaps empty, perhaps no phone at all.
    pub phone: String,
    /// `paciente_email` as written: perhaps empty, perhaps no address at all.
    pub email: String,
    /// `profesional`, perhaps empty.
    pub professional: String,
    /// `servicio`, perhaps empty.
    pub service: String,
    /// `estado`.
    pub status: StatusCell,
    /// `importe` in hundredths of the currency, from 0.
    pub amount_cents: Option<i64>,
    /// `sesion` of a plan, from 1. Kept without a total: the visit is a fact all the same, and no
    /// plan can be seen as pending without knowing its length.
    pub session: Option<u16>,
    /// `sesiones_total` of the plan, from 1; never below `session`.
    pub sessions_total: Option<u16>,
    /// `convenio`: health insurer.
    pub insurer: Option<String>,
    /// `origen_lead`: where the patient came from.
    pub lead_source: Option<String>,
    /// `consentimiento`; `None` is unknown.
    pub consent: Option<ConsentCell>,
    /// `actualizado`: when the appointment system last changed the row.
    pub updated: Option<StartCell>,
    /// `fecha_nacimiento`, on or before the day of the appointment; `None` is unknown.
    pub birth: Option<NaiveDate>,
    /// Who answers for a minor; `None` where the file has no column for it.
    pub guardian: Option<GuardianCells>,
}

/// The guardian's cells as written.
#[derive(Clone, PartialEq, Eq)]
pub struct GuardianCells {
    /// `tutor_nombre`, perhaps empty.
    pub name: String,
    /// `tutor_contacto`: perhaps empty, perhaps no phone at all.
    pub phone: String,
    /// `tutor_email`: perhaps empty, perhaps no address at all.
    pub email: String,
}

impl GuardianCells {
    /// Whether they name nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.name, &self.phone, &self.email].into_iter().all(String::is_empty)
    }
}

impl fmt::Debug for GuardianCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardianCells").finish_non_exhaustive()
    }
}

impl fmt::Debug for ExportRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportRow")
            .field("line", &self.line)
            .field("appointment_id", &self.appointment_id)
            .field("start", &self.start)
            .field("zone", &self.zone)
            .field("service", &self.service)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Positions of the columns in this file.
pub(super) struct Columns {
    appointment_id: usize,
    start: usize,
    zone: usize,
    patient_name: usize,
    phone: usize,
    professional: usize,
    service: usize,
    status: usize,
    lead_source: usize,
    consent: usize,
    patient_id: Option<usize>,
    email: Option<usize>,
    amount: Option<usize>,
    session: Option<usize>,
    sessions_total: Option<usize>,
    insurer: Option<usize>,
    updated: Option<usize>,
    birth: Option<usize>,
    guardian_name: Option<usize>,
    guardian_phone: Option<usize>,
    guardian_email: Option<usize>,
}

impl Columns {
    pub(super) fn find(header: &mut Header) -> Self {
        Self {
            appointment_id: header.required("id_cita"),
            start: header.required("fecha_hora_inicio"),
            zone: header.required("zona_horaria"),
            patient_name: header.required("paciente_nombre"),
            phone: header.required("paciente_contacto"),
            professional: header.required("profesional"),
            service: header.required("servicio"),
            status: header.required("estado"),
            lead_source: header.required("origen_lead"),
            consent: header.required("consentimiento"),
            patient_id: header.optional("paciente_id"),
            email: header.optional("paciente_email"),
            amount: header.optional("importe"),
            session: header.optional("sesion"),
            sessions_total: header.optional("sesiones_total"),
            insurer: header.optional("convenio"),
            updated: header.optional("actualizado"),
            birth: header.optional("fecha_nacimiento"),
            guardian_name: header.optional("tutor_nombre"),
            guardian_phone: header.optional("tutor_contacto"),
            guardian_email: header.optional("tutor_email"),
        }
    }

    /// The guardian's cells; nothing where the file has none of their columns.
    fn guardian(&self, row: &RowCells<'_, '_>) -> Result<Option<GuardianCells>, Refusal> {
        let columns = [self.guardian_name, self.guardian_phone, self.guardian_email];
        if columns.iter().all(Option::is_none) {
            return Ok(None);
        }
        Ok(Some(GuardianCells {
            name: row.get_optional("tutor_nombre", self.guardian_name, cell::text)?,
            phone: row.get_optional("tutor_contacto", self.guardian_phone, cell::text)?,
            email: row.get_optional("tutor_email", self.guardian_email, cell::text)?,
        }))
    }

    pub(super) fn row(&self, record: &Record<'_>) -> Result<ExportRow, Refusal> {
        let row = RowCells::new(record);
        let patient_id = row.get_optional("paciente_id", self.patient_id, cell::optional_id)?;
        let patient_name = row.get("paciente_nombre", self.patient_name, cell::text)?;
        if patient_name.is_empty() && patient_id.is_none() {
            return Err(row.refusal("paciente_nombre", RefusalReason::Empty));
        }
        let session = row.get_optional("sesion", self.session, cell::session)?;
        let sessions_total = row.get_optional("sesiones_total", self.sessions_total, cell::session)?;
        if session.zip(sessions_total).is_some_and(|(session, total)| session > total) {
            return Err(row.refusal("sesion", RefusalReason::SessionAfterTotal));
        }
        let start = row.get("fecha_hora_inicio", self.start, instant::start)?;
        let birth = row.get_optional("fecha_nacimiento", self.birth, instant::birth)?;
        if birth.is_some_and(|born| born > start.local.date()) {
            return Err(row.refusal("fecha_nacimiento", RefusalReason::BirthAfterVisit));
        }
        Ok(ExportRow {
            line: record.line,
            appointment_id: row.get("id_cita", self.appointment_id, cell::id)?,
            start,
            zone: row.get("zona_horaria", self.zone, cell::zone)?,
            patient_id,
            patient_name,
            phone: row.get("paciente_contacto", self.phone, cell::text)?,
            email: row.get_optional("paciente_email", self.email, cell::text)?,
            professional: row.get("profesional", self.professional, cell::text)?,
            service: row.get("servicio", self.service, cell::text)?,
            status: row.get("estado", self.status, cell::status)?,
            amount_cents: row.get_optional("importe", self.amount, cell::amount_cents)?,
            session,
            sessions_total,
            insurer: row.get_optional("convenio", self.insurer, cell::optional_text)?,
            lead_source: row.get("origen_lead", self.lead_source, cell::optional_text)?,
            consent: row.get("consentimiento", self.consent, consent)?,
            updated: row.get_optional("actualizado", self.updated, instant::optional_start)?,
            birth,
            guardian: self.guardian(&row)?,
        })
    }
}
