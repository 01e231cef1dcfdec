//! The file of agreements gathered elsewhere: `paciente_id, canales, fecha, como`.

use std::io::Read;

use chrono::NaiveDate;
use retorno_domain::channel::{Channel, ChannelSet};

use super::cell;
use super::consent::{ConsentCell, ConsentChannel, ConsentChannels};
use super::header::Header;
use super::not_an_export::NotAnExport;
use super::records::{Record, Records, RowCounts};
use super::refusal::{Refusal, RefusalReason};
use super::row_cells::RowCells;
use super::window::Limits;

const COLUMNS: [&str; 4] = ["paciente_id", "canales", "fecha", "como"];

/// One agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Physical line on which the row starts; the header is line 1.
    pub line: u64,
    /// `paciente_id`, at most 128 characters.
    pub patient_id: String,
    /// `canales`: at least one.
    pub channels: ChannelSet,
    /// `fecha`: the local day on which it was said.
    pub on: NaiveDate,
    /// `como`: how it was given, never empty.
    pub how: String,
}

/// Reads the file row by row, as [`super::ExportReader`] reads appointments.
pub struct ConsentsReader<R> {
    records: Records<R>,
    columns: Columns,
}

struct Columns {
    patient_id: usize,
    channels: usize,
    on: usize,
    how: usize,
}

impl<R: Read> ConsentsReader<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// What the file is instead, before any row is read.
    pub fn open(reader: R, limits: Limits) -> Result<Self, NotAnExport> {
        let mut records = Records::open(reader, limits, &COLUMNS)?;
        let mut header = Header::read(&mut records)?;
        let columns = Columns {
            patient_id: header.required("paciente_id"),
            channels: header.required("canales"),
            on: header.required("fecha"),
            how: header.required("como"),
        };
        records.expect_columns(header.check()?);
        Ok(Self { records, columns })
    }

    /// Rows so far by outcome.
    pub fn counts(&self) -> RowCounts {
        self.records.counts()
    }
}

impl<R: Read> Iterator for ConsentsReader<R> {
    type Item = Result<ConsentRow, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = &self.columns;
        self.records.next_with(|record| agreement(&record, columns))
    }
}

fn agreement(record: &Record<'_>, columns: &Columns) -> Result<ConsentRow, Refusal> {
    let row = RowCells::new(record);
    let on = row.get("fecha", columns.on, day)?;
    Ok(ConsentRow {
        line: record.line,
        patient_id: row.get("paciente_id", columns.patient_id, cell::id)?,
        channels: row.get("canales", columns.channels, |cell| channels(cell, on))?,
        on,
        how: row.get("como", columns.how, |cell| cell::optional_text(cell)?.ok_or(RefusalReason::Empty))?,
    })
}

fn day(cell: &str) -> Result<NaiveDate, RefusalReason> {
    match format!("opt-out {}", cell.trim()).parse()? {
        ConsentCell::OptOut { date } | ConsentCell::OptIn { date, .. } => Ok(date),
    }
}

/// The channels, read as in the export; here they must be named.
fn channels(cell: &str, on: NaiveDate) -> Result<ChannelSet, RefusalReason> {
    match format!("opt-in {on} {cell}").parse()? {
        ConsentCell::OptIn { channels: ConsentChannels::Only(only), .. } => Ok(only.into_iter().map(of).collect()),
        ConsentCell::OptIn { channels: ConsentChannels::All, .. } | ConsentCell::OptOut { .. } => {
            Err(RefusalReason::Empty)
        }
    }
}

fn of(channel: ConsentChannel) -> Channel {
    match channel {
        ConsentChannel::Whatsapp => Channel::Whatsapp,
        ConsentChannel::Email => Channel::Email,
        ConsentChannel::Sms => Channel::Sms,
        ConsentChannel::Call => Channel::Call,
        ConsentChannel::Push => Channel::Push,
    }
}
