//! A clinic's settings on one machine: the file its user wrote, completed by what the export says.

use chrono_tz::Tz;

use crate::host::HostError;

/// The settings text with the zone put in where the file names none.
///
/// # Errors
/// [`HostError::User`] when the text is not TOML.
pub fn with_zone(own: &str, zone: Tz) -> Result<String, HostError> {
    let mut table: toml::Table =
        own.parse().map_err(|e| HostError::User(format!("the clinic's settings are not TOML: {e}")))?;
    table.entry("zone").or_insert_with(|| toml::Value::String(zone.name().to_owned()));
    toml::to_string(&table).map_err(|e| HostError::User(format!("the clinic's settings: {e}")))
}

/// The zone of the first good row of an export.
///
/// # Errors
/// [`HostError`] when the file is no export, or has no good row.
pub fn zone_of_export(path: &std::path::Path) -> Result<Tz, HostError> {
    use export_importer::export::{ExportReader, Limits};
    let file = open(path)?;
    let reader = ExportReader::open(file, Limits::default()).map_err(export_importer::ImportError::from)?;
    let mut refused = None;
    for row in reader {
        match row {
            Ok(row) => return Ok(row.zone),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    let why = refused.map_or_else(|| "it has no rows".to_owned(), |refusal| refusal.to_string());
    Err(HostError::NoGoodRow { path: path.display().to_string(), why })
}

/// Opens a file, naming it when that fails.
///
/// # Errors
/// [`HostError::Io`].
pub fn open(path: &std::path::Path) -> Result<std::fs::File, HostError> {
    std::fs::File::open(path).map_err(|error| HostError::Io { what: format!("cannot open {}", path.display()), error })
}
