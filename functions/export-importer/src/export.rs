//! The standard export: a CSV of appointments, read row by row in bounded memory.
//!
//! UTF-8 with or without a byte order mark, separated by commas, lines ended by LF, CR LF or CR,
//! line breaks allowed within quotes. Columns are found by name in any order; others are left alone.
//! A file that is no export is turned away at once ([`NotAnExport`]); a row that cannot be read is
//! refused with its line, column and reason ([`Refusal`]) and the rest lands.
//!
//! ```
//! use export_importer::export::{ExportReader, Limits};
//!
//! let file = "id_cita,fecha_hora_inicio,zona_horaria,paciente_nombre,paciente_contacto,profesional,servicio,estado,origen_lead,consentimiento\n\
//!             7,2026-02-30T09:00,America/Lima,Ana,,,limpieza,completado,,\n";
//! let mut reader = ExportReader::open(file.as_bytes(), Limits::default())?;
//! let refusal = reader.next().and_then(Result::err).map(|refusal| refusal.to_string());
//! assert_eq!(
//!     refusal.as_deref(),
//!     Some("line 2, column fecha_hora_inicio: there is no such day or time of day; correct it"),
//! );
//! # Ok::<(), export_importer::export::NotAnExport>(())
//! ```

mod cell;
mod consent;
mod consents;
mod cut;
mod header;
mod instant;
mod not_an_export;
mod records;
mod refusal;
mod row;
mod row_cells;
mod scan;
mod slots;
#[cfg(test)]
mod tests;
mod window;

use std::io::Read;

pub use self::cell::StatusCell;
pub use self::consent::{ConsentCell, ConsentChannel, ConsentChannels};
pub use self::consents::{ConsentRow, ConsentsReader};
pub use self::instant::StartCell;
pub use self::not_an_export::NotAnExport;
pub use self::records::RowCounts;
pub use self::refusal::{Refusal, RefusalReason};
pub use self::row::{ExportRow, GuardianCells};
pub use self::slots::{SlotRow, SlotsReader};
pub use self::window::Limits;

use self::header::Header;
use self::records::Records;
use self::row::Columns;

/// Columns an export must have; any of their cells but the first three and `estado` may be empty.
pub const REQUIRED_COLUMNS: [&str; 10] = [
    "id_cita",
    "fecha_hora_inicio",
    "zona_horaria",
    "paciente_nombre",
    "paciente_contacto",
    "profesional",
    "servicio",
    "estado",
    "origen_lead",
    "consentimiento",
];

/// Columns an export may have.
pub const OPTIONAL_COLUMNS: [&str; 11] = [
    "paciente_id",
    "paciente_email",
    "importe",
    "sesion",
    "sesiones_total",
    "convenio",
    "actualizado",
    "fecha_nacimiento",
    "tutor_nombre",
    "tutor_contacto",
    "tutor_email",
];

/// Reads an export row by row. Rows come in the order of the file; after a refusal it goes on, until
/// one whose reason [ends reading](RefusalReason::ends_reading).
pub struct ExportReader<R> {
    records: Records<R>,
    columns: Columns,
}

impl<R: Read> ExportReader<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// What the file is instead, before any row is read.
    pub fn open(reader: R, limits: Limits) -> Result<Self, NotAnExport> {
        let mut known = REQUIRED_COLUMNS.to_vec();
        known.extend(OPTIONAL_COLUMNS);
        let mut records = Records::open(reader, limits, &known)?;
        let mut header = Header::read(&mut records)?;
        let columns = Columns::find(&mut header);
        records.expect_columns(header.check()?);
        if !records.has_rows() {
            return Err(NotAnExport::HeaderOnly);
        }
        Ok(Self { records, columns })
    }

    /// Rows read so far; always accepted and rejected together.
    pub fn rows_read(&self) -> u64 {
        self.counts().read
    }

    /// Rows so far by outcome.
    pub fn counts(&self) -> RowCounts {
        self.records.counts()
    }

    /// Bytes taken from the source so far, somewhat ahead of the rows: for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.records.window().bytes_read()
    }
}

impl<R: Read> Iterator for ExportReader<R> {
    type Item = Result<ExportRow, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = &self.columns;
        self.records.next_with(|record| columns.row(&record))
    }
}
