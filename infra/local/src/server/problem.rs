//! What went wrong with a request, as its asker hears it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use export_importer::export::NotAnExport;
use retorno_cloud::CloudError;
use retorno_domain::settings::SettingsError;

use crate::doubles::DoublesError;
use crate::host::HostError;

/// A refused or failed request: `{"error": …}` with a status. The message is English, for the API and the
/// commands; what the pages say goes by the code.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Its word in the pages' texts; none where only the status says what is the matter.
    pub(crate) code: Option<String>,
    /// What the words are filled in with.
    pub(crate) args: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, args: Vec::new() }
    }

    /// The same, with its word in the pages' texts.
    pub(crate) fn coded(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The same, with something that its words are filled in with.
    pub(crate) fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// A form or an address that is not as the pages make it.
    pub(crate) fn form(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, message).coded("form")
    }

    pub(crate) fn bad(message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message.to_string())
    }

    pub(crate) fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} is not there"))
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }
}

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

fn status_of(error: &CloudError) -> StatusCode {
    match error {
        CloudError::Missing(_) => StatusCode::NOT_FOUND,
        CloudError::Retryable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        CloudError::Permanent { .. } | CloudError::Corrupt { .. } | CloudError::Setup(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Self {
        HostError::from(error).into()
    }
}

impl From<DoublesError> for Problem {
    fn from(error: DoublesError) -> Self {
        HostError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.message }))).into_response()
    }
}
