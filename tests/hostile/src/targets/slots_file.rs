//! A whole file, as it lands: perhaps one of free slots.

use export_importer::export::{Limits, NotAnExport, Refusal, RowCounts, SlotRow, SlotsReader};

use super::export_file::check_turned_away;
use crate::pieces::Pieces;
use crate::reading::{Dribble, LIMITS, check_id, check_rows, check_text};

const HEADER: &[u8] = b"id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min\n";

/// The first byte chooses the limits and whether the header is given, the second how the file
/// arrives; the rest is the file.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let (choice, step) = (pieces.byte(), usize::from(pieces.byte()));
    let limits = LIMITS.get(usize::from(choice) % LIMITS.len()).copied().unwrap_or_default();
    let mut file = if choice >= 128 { HEADER.to_vec() } else { Vec::new() };
    file.extend(pieces.rest());
    let whole = read(&file, file.len(), limits);
    match &whole {
        Ok((rows, counts)) => {
            let told = rows.iter().map(|row| match row {
                Ok(row) => (row.line, None),
                Err(refusal) => (refusal.line, Some(refusal)),
            });
            check_rows(&file, told, *counts);
            for row in rows.iter().flatten() {
                check_id(&row.slot_id);
                check_text(&row.professional);
                assert!((1..=1440).contains(&row.minutes));
            }
        }
        Err(why) => check_turned_away(why),
    }
    if step % 2 == 1 {
        assert!(whole == read(&file, step, limits), "what is read depends on how the file arrives");
    }
}

type Rows = (Vec<Result<SlotRow, Refusal>>, RowCounts);

fn read(file: &[u8], step: usize, limits: Limits) -> Result<Rows, NotAnExport> {
    let mut reader = SlotsReader::open(Dribble { bytes: file, step }, limits)?;
    let rows: Vec<_> = reader.by_ref().collect();
    assert!(reader.next().is_none(), "it goes on after its end");
    Ok((rows, reader.counts()))
}
