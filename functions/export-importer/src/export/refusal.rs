//! Why a row did not land, or a whole file was turned away: closed lists, in words for whoever made
//! the export.
//!
//! No message repeats what a cell holds, since any cell may hold a person: only lines, columns,
//! lengths and limits.

use std::fmt;
use std::io::ErrorKind;

use thiserror::Error;

/// One row that did not land, and where to look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Physical line on which the row starts; the header is line 1.
    pub line: u64,
    /// The standard column at fault, where a single one is. Columns which are not ours are never
    /// named: their names come from the file.
    pub column: Option<&'static str>,
    /// What is wrong, and what to do.
    pub reason: RefusalReason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.reason),
            None => write!(f, "line {}: {}", self.line, self.reason),
        }
    }
}

impl std::error::Error for Refusal {}

/// What is wrong with a row. `Display` says what to do, [`RefusalReason::code`] names it for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum RefusalReason {
    /// The source broke off; nothing after this line was read.
    #[error("reading stopped here ({0}); import the file again")]
    ReadFailed(ErrorKind),
    /// The file is larger than we read; nothing after this line was read.
    #[error("the file is longer than {max_bytes} bytes; nothing from here on was read, so split it by year")]
    FileTooLong {
        /// Limit in bytes.
        max_bytes: u64,
    },
    /// The file has more rows than we read; nothing after this line was read.
    #[error("the file has more than {max_rows} rows; nothing from here on was read, so split it by year")]
    TooManyRows {
        /// Limit in rows, header aside.
        max_rows: u64,
    },
    /// The row is longer than any appointment can be.
    #[error("the row is longer than {max_bytes} bytes; look for a missing line break")]
    RecordTooLong {
        /// Limit in bytes.
        max_bytes: usize,
    },
    /// One cell is longer than any of ours can be.
    #[error("cell {cell} is longer than {max_bytes} bytes; shorten it or leave that column out")]
    CellTooLong {
        /// Position of the cell in the row, from 1.
        cell: usize,
        /// Limit in bytes.
        max_bytes: usize,
    },
    /// A quote opens a cell and never closes; the lines after it were read on their own.
    #[error("a quote (\") opens cell {cell} and is not closed; close it, or double it inside the text")]
    QuoteNotClosed {
        /// Position of the cell in the row, from 1.
        cell: usize,
    },
    /// Text follows a closing quote.
    #[error("text follows the closing quote (\") of cell {cell}; write quotes inside the text twice")]
    QuoteMisplaced {
        /// Position of the cell in the row, from 1.
        cell: usize,
    },
    /// The row has a NUL byte, so it was damaged on its way.
    #[error("the row holds a NUL byte, so it is damaged; export it again")]
    NulByte,
    /// The row is not UTF-8.
    #[error("cell {cell} is not UTF-8 text; save the file as CSV UTF-8")]
    NotUtf8 {
        /// Position of the cell in the row, from 1.
        cell: usize,
    },
    /// More or fewer cells than the header has columns.
    #[error("the row has {found} cells and the header {expected}; quote text that has commas")]
    WrongCellCount {
        /// Cells in the row.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A value is missing which the row cannot do without.
    #[error("the cell is empty; fill it in")]
    Empty,
    /// The text is longer than we keep.
    #[error("the text has {chars} characters and at most {max_chars} are kept; shorten it")]
    TextTooLong {
        /// Length found, in characters.
        chars: usize,
        /// Limit in characters.
        max_chars: usize,
    },
    /// An identifier holds a line break or another control character.
    #[error("the identifier holds a line break or control character; remove it")]
    IdHasControl,
    /// A spreadsheet rounded the identifier (5.58998E+12), so it may now be another patient's.
    #[error("a spreadsheet turned the identifier into scientific notation; format the column as text and export again")]
    IdRounded,
    /// Not an ISO 8601 date and time.
    #[error("not a date and time; write it as 2026-03-02T09:30, with -03:00 at the end if the offset is known")]
    NotADateTime,
    /// The right shape, but no such day or time of day.
    #[error("there is no such day or time of day; correct it")]
    ImpossibleDateTime,
    /// A year in which no appointment of ours can be.
    #[error("the year is not between {min} and {max}; correct it", min = super::instant::YEAR_MIN, max = super::instant::YEAR_MAX)]
    YearOutOfRange,
    /// Not a day.
    #[error("not a date; write it as 2014-03-02")]
    NotADate,
    /// A year of birth in which nobody alive was born.
    #[error("the year of birth is not between {min} and {max}; correct it", min = super::instant::BIRTH_YEAR_MIN, max = super::instant::YEAR_MAX)]
    BirthYear,
    /// Born after the appointment.
    #[error("the date of birth is after the appointment; correct one of the two")]
    BirthAfterVisit,
    /// Not the name of a time zone.
    #[error("not a time zone of the IANA database; write it as America/Sao_Paulo")]
    UnknownZone,
    /// Not a state of an appointment.
    #[error("not a known state; use reservado, confirmado, completado, cancelado or no-show")]
    UnknownStatus,
    /// Not a number of money.
    #[error("not an amount; write it as 1234.56 or 1234,56, without thousands separators or currency")]
    NotAnAmount,
    /// Below zero.
    #[error("the amount is negative; leave it empty where nothing was charged")]
    AmountNegative,
    /// More than two decimals; three may be a thousands separator.
    #[error("the amount has more than two decimals; write it as 1234.56, without thousands separators")]
    AmountDecimals,
    /// Beyond what a visit can cost.
    #[error("the amount is above {max}; correct it", max = super::cell::AMOUNT_MAX)]
    AmountTooLarge,
    /// Not a session number.
    #[error("not a whole number from 1 to {max}", max = super::cell::SESSIONS_MAX)]
    NotASession,
    /// A session after the last of its plan.
    #[error("the session comes after the last one of its plan; correct sesion or sesiones_total")]
    SessionAfterTotal,
    /// Not a statement of consent.
    #[error(
        "not a statement of consent; write opt-in 2026-03-02, opt-in 2026-03-02 whatsapp,email or opt-out 2026-03-02, or leave it empty"
    )]
    NotAConsent,
    /// A statement of consent without its day.
    #[error("the day of the consent is missing; write opt-in 2026-03-02 or opt-out 2026-03-02")]
    ConsentWithoutDate,
    /// A statement of consent whose day cannot be read.
    #[error("the day of the consent cannot be read; write it as 2026-03-02")]
    ConsentDate,
    /// Consent to a channel we do not know.
    #[error("the consent names an unknown channel; use whatsapp, email, sms or call, separated by commas")]
    ConsentChannel,
    /// Not a length of a slot.
    #[error("not a length in whole minutes from 1 to {max}", max = super::cell::MINUTES_MAX)]
    NotADuration,
}

impl RefusalReason {
    /// Stable name for programs and counters.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ReadFailed(_) => "read_failed",
            Self::FileTooLong { .. } => "file_too_long",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::RecordTooLong { .. } => "record_too_long",
            Self::CellTooLong { .. } => "cell_too_long",
            Self::QuoteNotClosed { .. } => "quote_not_closed",
            Self::QuoteMisplaced { .. } => "quote_misplaced",
            Self::NulByte => "nul_byte",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::WrongCellCount { .. } => "wrong_cell_count",
            Self::Empty => "empty",
            Self::TextTooLong { .. } => "text_too_long",
            Self::IdHasControl => "id_has_control",
            Self::IdRounded => "id_rounded",
            Self::NotADateTime => "not_a_date_time",
            Self::ImpossibleDateTime => "impossible_date_time",
            Self::YearOutOfRange => "year_out_of_range",
            Self::NotADate => "not_a_date",
            Self::BirthYear => "birth_year",
            Self::BirthAfterVisit => "birth_after_visit",
            Self::UnknownZone => "unknown_zone",
            Self::UnknownStatus => "unknown_status",
            Self::NotAnAmount => "not_an_amount",
            Self::AmountNegative => "amount_negative",
            Self::AmountDecimals => "amount_decimals",
            Self::AmountTooLarge => "amount_too_large",
            Self::NotASession => "not_a_session",
            Self::SessionAfterTotal => "session_after_total",
            Self::NotAConsent => "not_a_consent",
            Self::ConsentWithoutDate => "consent_without_date",
            Self::ConsentDate => "consent_date",
            Self::ConsentChannel => "consent_channel",
            Self::NotADuration => "not_a_duration",
        }
    }

    /// Whether the rest of the file was left unread: what landed is then only a part of it.
    #[must_use]
    pub fn ends_reading(self) -> bool {
        matches!(self, Self::ReadFailed(_) | Self::FileTooLong { .. } | Self::TooManyRows { .. })
    }

    /// Position in the row, from 1, of the cell at fault, where the cutting of the row found it.
    pub(super) fn cell(self) -> Option<usize> {
        if let Self::CellTooLong { cell, .. }
        | Self::QuoteNotClosed { cell }
        | Self::QuoteMisplaced { cell }
        | Self::NotUtf8 { cell } = self
        {
            Some(cell)
        } else {
            None
        }
    }
}
