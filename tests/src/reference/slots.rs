//! The clinic's free slots.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::calendar::instant;

/// When the free slots begin.
pub struct Slots(Vec<DateTime<Utc>>);

#[derive(Deserialize)]
struct Row {
    fecha_hora_inicio: NaiveDateTime,
    zona_horaria: String,
}

/// The slots file read whole.
///
/// # Errors
/// When a row or a column cannot be read.
pub fn read_slots(csv: &[u8]) -> Result<Slots, String> {
    let mut reader = csv::Reader::from_reader(csv);
    let mut starts = Vec::new();
    for row in reader.deserialize::<Row>() {
        let row = row.map_err(|e| e.to_string())?;
        let zone: Tz = row.zona_horaria.parse().map_err(|_| "a zone unknown".to_owned())?;
        starts.push(instant(row.fecha_hora_inicio, zone));
    }
    Ok(Slots(starts))
}

impl Slots {
    /// How many begin in the 14 days from an instant.
    #[must_use]
    pub fn within_a_fortnight(&self, from: DateTime<Utc>) -> usize {
        let until = from + TimeDelta::days(14);
        self.0.iter().filter(|at| (from..until).contains(*at)).count()
    }
}
