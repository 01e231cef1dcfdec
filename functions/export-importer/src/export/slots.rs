//! The file of free slots: `id_hueco, fecha_hora_inicio, zona_horaria, profesional, duracion_min`.

use std::io::Read;

use chrono_tz::Tz;

use super::cell;
use super::header::Header;
use super::instant::{self, StartCell};
use super::not_an_export::NotAnExport;
use super::records::{Record, Records, RowCounts};
use super::refusal::Refusal;
use super::row_cells::RowCells;
use super::window::Limits;

const COLUMNS: [&str; 5] = ["id_hueco", "fecha_hora_inicio", "zona_horaria", "profesional", "duracion_min"];

/// One free slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// Physical line on which the row starts; the header is line 1.
    pub line: u64,
    /// `id_hueco`, at most 128 characters.
    pub slot_id: String,
    /// `fecha_hora_inicio`.
    pub start: StartCell,
    /// `zona_horaria`.
    pub zone: Tz,
    /// `profesional`, perhaps empty.
    pub professional: String,
    /// `duracion_min`, from 1 to 1440.
    pub minutes: u16,
}

/// Reads the file of free slots row by row, as [`super::ExportReader`] reads appointments. A file
/// with a header and no rows is a full agenda, so it is accepted.
pub struct SlotsReader<R> {
    records: Records<R>,
    columns: Columns,
}

struct Columns {
    slot_id: usize,
    start: usize,
    zone: usize,
    professional: usize,
    minutes: usize,
}

impl<R: Read> SlotsReader<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// What the file is instead, before any row is read.
    pub fn open(reader: R, limits: Limits) -> Result<Self, NotAnExport> {
        let mut records = Records::open(reader, limits, &COLUMNS)?;
        let mut header = Header::read(&mut records)?;
        let columns = Columns {
            slot_id: header.required("id_hueco"),
            start: header.required("fecha_hora_inicio"),
            zone: header.required("zona_horaria"),
            professional: header.required("profesional"),
            minutes: header.required("duracion_min"),
        };
        records.expect_columns(header.check()?);
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
}

impl<R: Read> Iterator for SlotsReader<R> {
    type Item = Result<SlotRow, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = &self.columns;
        self.records.next_with(|record| slot(&record, columns))
    }
}

fn slot(record: &Record<'_>, columns: &Columns) -> Result<SlotRow, Refusal> {
    let row = RowCells::new(record);
    Ok(SlotRow {
        line: record.line,
        slot_id: row.get("id_hueco", columns.slot_id, cell::id)?,
        start: row.get("fecha_hora_inicio", columns.start, instant::start)?,
        zone: row.get("zona_horaria", columns.zone, cell::zone)?,
        professional: row.get("profesional", columns.professional, cell::text)?,
        minutes: row.get("duracion_min", columns.minutes, cell::minutes)?,
    })
}
