//! Why a whole file was turned away, told from its first bytes and its header.

use std::io::ErrorKind;

use thiserror::Error;

/// What the file is instead of an export, and what to do. Names only our own columns: a file without
/// a header has a patient in its first line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAnExport {
    /// No bytes, or only blanks.
    #[error("the file is empty; export it again")]
    Empty,
    /// A header and not one row.
    #[error("the file has a header and no rows; check the dates chosen for the export")]
    HeaderOnly,
    /// UTF-16 or UTF-32, as "Unicode text" is saved by some spreadsheets.
    #[error("the file is UTF-16 or UTF-32 text; save it as CSV UTF-8")]
    Utf16,
    /// The header is in another encoding, often Windows-1252.
    #[error("byte {byte} of the header is not UTF-8, perhaps Windows-1252; save the file as CSV UTF-8")]
    HeaderNotUtf8 {
        /// Position in the header, from 1.
        byte: usize,
    },
    /// A zip archive or what is built on it: .xlsx, .ods, .docx.
    #[error("the file is a workbook (.xlsx, .ods) or a zip archive; open it and save the sheet as CSV UTF-8")]
    Zip,
    /// The older workbook format of Excel.
    #[error("the file is an Excel workbook (.xls); open it and save the sheet as CSV UTF-8")]
    OldWorkbook,
    /// Compressed.
    #[error("the file is compressed (gzip); decompress it first")]
    Gzip,
    /// A document.
    #[error("the file is a PDF; export the appointments as CSV UTF-8 instead")]
    Pdf,
    /// A page or an XML document, often a login page saved under the name of the export.
    #[error("the file is a web page or XML; log in to the appointment system again and export as CSV UTF-8")]
    Markup,
    /// Some other thing that is not text.
    #[error("the file is not text; export the appointments as CSV UTF-8")]
    Binary,
    /// Cells are separated by something other than a comma.
    #[error("the cells are separated by {}, not commas; save as CSV with commas", separator_name(*.found))]
    Separator {
        /// The separator found: `;`, tab or `|`.
        found: char,
    },
    /// Required columns are missing.
    #[error("the first line must be the header, and it lacks: {}", .missing.join(", "))]
    MissingColumns {
        /// All of them.
        missing: Vec<&'static str>,
    },
    /// One of our columns comes twice, so that either could be meant.
    #[error("the header has more than one: {}; keep one of each", .duplicated.join(", "))]
    DuplicateColumns {
        /// All of them.
        duplicated: Vec<&'static str>,
    },
    /// More columns than any export has.
    #[error("the header has {found} columns and at most {max} are read; leave out those not needed")]
    TooManyColumns {
        /// Columns found.
        found: usize,
        /// Limit.
        max: usize,
    },
    /// The header does not end, or its quotes do not close.
    #[error("the header is too long or its quotes (\") do not close; export the file again")]
    HeaderMalformed,
    /// The source broke off before the first row.
    #[error("the file cannot be read ({0}); try again")]
    ReadFailed(ErrorKind),
}

fn separator_name(separator: char) -> &'static str {
    match separator {
        ';' => "semicolons",
        '\t' => "tabs",
        _ => "vertical bars",
    }
}

/// Tells from a file's first bytes that it is no comma-separated UTF-8 text. A byte order mark of
/// UTF-8 must have been taken off.
///
/// # Errors
/// The variant that fits best.
pub(super) fn check_head(head: &[u8], known: &[&'static str]) -> Result<(), NotAnExport> {
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(NotAnExport::Empty);
    }
    if let Some(found) = known_format(head) {
        return Err(found);
    }
    let first_line = head.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or(head);
    if first_line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(NotAnExport::Binary);
    }
    let header = match std::str::from_utf8(first_line) {
        Ok(header) => header,
        // Cut off by the end of the head, not broken.
        Err(error) if error.error_len().is_none() && first_line.len() == head.len() => {
            return Ok(());
        }
        Err(error) => {
            return Err(NotAnExport::HeaderNotUtf8 { byte: error.valid_up_to() + 1 });
        }
    };
    let with_commas = known_names(header, ',', known);
    match [';', '\t', '|'].into_iter().find(|other| known_names(header, *other, known) > with_commas.max(1)) {
        Some(found) => Err(NotAnExport::Separator { found }),
        None => Ok(()),
    }
}

/// Formats known by their first bytes.
fn known_format(head: &[u8]) -> Option<NotAnExport> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let nuls = head.iter().filter(|byte| **byte == 0).count();
    if starts(b"\xFF\xFE") || starts(b"\xFE\xFF") || starts(b"\0\0\xFE\xFF") {
        return Some(NotAnExport::Utf16);
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        return Some(NotAnExport::Zip);
    }
    if starts(b"\xD0\xCF\x11\xE0") {
        return Some(NotAnExport::OldWorkbook);
    }
    if starts(b"\x1F\x8B") {
        return Some(NotAnExport::Gzip);
    }
    if starts(b"%PDF") {
        return Some(NotAnExport::Pdf);
    }
    if head.trim_ascii_start().starts_with(b"<") {
        return Some(NotAnExport::Markup);
    }
    // Half the bytes of Spanish or Portuguese in UTF-16 are NUL; a quarter leaves room for a short head.
    (nuls * 4 > head.len()).then_some(NotAnExport::Utf16)
}

/// How many of our columns the header shows when split at `separator`.
fn known_names(header: &str, separator: char, known: &[&'static str]) -> usize {
    let is_known = |name: &str| known.iter().any(|column| column.eq_ignore_ascii_case(name));
    header.split(separator).filter(|cell| is_known(cell.trim().trim_matches('"').trim())).count()
}
