#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::io::Read;

use super::{ExportReader, ExportRow, Limits, NotAnExport, Refusal};

mod cells;
mod consents;
mod files;
mod rows;
mod shared_data;
mod slots;
mod streams;

const HEADER: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_nombre,paciente_contacto,profesional,\
                      servicio,estado,origen_lead,consentimiento";

/// A good row of the ten required columns.
fn good_row(id: &str) -> String {
    format!("{id},2026-03-02T09:00,America/Lima,Ana,,Dra. Lima,limpieza,completado,,opt-in 2026-01-01")
}

fn file(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

type Rows = Vec<Result<ExportRow, Refusal>>;

fn read_all(source: impl Read, limits: Limits) -> Result<Rows, NotAnExport> {
    let mut reader = ExportReader::open(source, limits)?;
    let rows: Rows = reader.by_ref().collect();
    let counts = reader.counts();
    assert_eq!(counts.read, rows.len() as u64);
    assert_eq!(counts.accepted, rows.iter().filter(|row| row.is_ok()).count() as u64);
    assert_eq!(counts.read, counts.accepted + counts.rejected);
    assert_eq!(reader.rows_read(), counts.read);
    Ok(rows)
}

fn read(text: &str) -> Rows {
    read_all(text.as_bytes(), Limits::default()).unwrap()
}

/// What each row came to: `line id` or `line column code`.
fn outcomes(rows: &Rows) -> Vec<String> {
    rows.iter()
        .map(|row| match row {
            Ok(row) => format!("{} {}", row.line, row.appointment_id),
            Err(refusal) => {
                format!("{} {} {}", refusal.line, refusal.column.unwrap_or("-"), refusal.reason.code())
            }
        })
        .collect()
}

/// Gives the bytes out a few at a time.
struct Dribble<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.min(buffer.len());
        let mut some = self.bytes.take(count as u64);
        let read = some.read(buffer)?;
        self.bytes = self.bytes.get(read..).unwrap_or_default();
        Ok(read)
    }
}
