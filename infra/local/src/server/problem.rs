//! What went wrong on this machine, as whoever asked hears it.

use axum::http::StatusCode;
use export_importer::export::NotAnExport;
use retorno_domain::settings::SettingsError;
use staff_api::Problem;
use staff_api::problem::status_of;

use crate::doubles::DoublesError;
use crate::host::HostError;

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        use export_importer::ImportError;
        let status = match &error {
            HostError::User(_) | HostError::Settings(_) | HostError::NumberTaken(_) | HostError::NoGoodRow { .. } => {
                StatusCode::BAD_REQUEST
            }
            HostError::Import(ImportError::NotAnExport(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            HostError::Import(ImportError::Busy | ImportError::LeaseLost | ImportError::HasTimetable) => {
                StatusCode::CONFLICT
            }
            HostError::Cloud(cloud) | HostError::Import(ImportError::Cloud(cloud)) => status_of(cloud),
            HostError::Engine(_) | HostError::Doubles(_) | HostError::Seal(_) | HostError::Io { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "a request failed");
        }
        let problem = Self::new(status, error.to_string());
        match &error {
            HostError::Settings(SettingsError::Value { key, why }) => {
                problem.coded("settings").with("key", key).with("why", why)
            }
            HostError::NumberTaken(setting) => problem.coded("number_taken").with("setting", setting),
            HostError::NoGoodRow { why, .. } => problem.coded("no_good_row").with("why", why),
            HostError::Import(ImportError::NotAnExport(why)) => not_an_export(problem, why),
            HostError::Import(ImportError::Busy | ImportError::LeaseLost) => problem.coded("import_busy"),
            HostError::Import(ImportError::HasTimetable) => problem.coded("has_timetable"),
            HostError::User(_)
            | HostError::Settings(SettingsError::Toml(_))
            | HostError::Import(ImportError::Cloud(_))
            | HostError::Cloud(_)
            | HostError::Engine(_)
            | HostError::Doubles(_)
            | HostError::Seal(_)
            | HostError::Io { .. } => problem,
        }
    }
}

/// What a file is instead of an export.
fn not_an_export(problem: Problem, why: &NotAnExport) -> Problem {
    match why {
        NotAnExport::Empty => problem.coded("file_empty"),
        NotAnExport::HeaderOnly => problem.coded("file_header_only"),
        NotAnExport::Utf16 | NotAnExport::HeaderNotUtf8 { .. } => problem.coded("file_encoding"),
        NotAnExport::Zip | NotAnExport::OldWorkbook => problem.coded("file_workbook"),
        NotAnExport::Gzip => problem.coded("file_gzip"),
        NotAnExport::Pdf | NotAnExport::Markup | NotAnExport::Binary => problem.coded("file_not_text"),
        NotAnExport::Separator { found } => {
            let found = if *found == '\t' { "TAB".to_owned() } else { found.to_string() };
            problem.coded("file_separator").with("found", found)
        }
        NotAnExport::MissingColumns { missing } => {
            problem.coded("file_missing_columns").with("columns", missing.join(", "))
        }
        NotAnExport::DuplicateColumns { duplicated } => {
            problem.coded("file_duplicate_columns").with("columns", duplicated.join(", "))
        }
        NotAnExport::TooManyColumns { max, .. } => problem.coded("file_too_many_columns").with("max", max),
        NotAnExport::HeaderMalformed => problem.coded("file_header_malformed"),
        NotAnExport::ReadFailed(_) => problem.coded("file_read_failed"),
    }
}

impl From<DoublesError> for Problem {
    fn from(error: DoublesError) -> Self {
        HostError::from(error).into()
    }
}
