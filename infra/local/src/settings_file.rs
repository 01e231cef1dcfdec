//! A clinic's settings on one machine: the file its user wrote, completed by what the export says.

use chrono_tz::Tz;

use crate::host::HostError;

/// The settings text with the zone put in where the file names none.
///
/// # Errors
/// [`HostError::User`] when the text is not TOML.
pub fn with_zone(own: &str, zone: Tz) -> Result<String, HostError> {
    let mut table: toml::Table = own.parse().map_err(|e| HostError::User(format!("the clinic's settings are not TOML: {e}")))?;
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
    let first = reader.flatten().next();
    first.map(|row| row.zone).ok_or_else(|| HostError::User(format!("{}: no row of the export could be read", path.display())))
}

/// Opens a file, naming it when that fails.
///
/// # Errors
/// [`HostError::Io`].
pub fn open(path: &std::path::Path) -> Result<std::fs::File, HostError> {
    std::fs::File::open(path).map_err(|error| HostError::Io { what: format!("cannot open {}", path.display()), error })
}
