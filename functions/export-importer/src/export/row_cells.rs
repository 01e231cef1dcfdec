//! The cells of one row by column, each refusal with the line and column it came from.

use super::records::Record;
use super::refusal::{Refusal, RefusalReason};

pub(super) struct RowCells<'r, 'a> {
    record: &'r Record<'a>,
}

impl<'r, 'a> RowCells<'r, 'a> {
    pub(super) fn new(record: &'r Record<'a>) -> Self {
        Self { record }
    }

    /// The cell of a column the file has.
    pub(super) fn get<T>(
        &self,
        column: &'static str,
        position: usize,
        parse: impl FnOnce(&str) -> Result<T, RefusalReason>,
    ) -> Result<T, Refusal> {
        parse(&self.record.cell(position)).map_err(|reason| self.refusal(column, reason))
    }

    /// The cell of a column the file may have; as an empty cell where it has not.
    pub(super) fn get_optional<T>(
        &self,
        column: &'static str,
        position: Option<usize>,
        parse: impl FnOnce(&str) -> Result<T, RefusalReason>,
    ) -> Result<T, Refusal> {
        self.get(column, position.unwrap_or(usize::MAX), parse)
    }

    /// A refusal of this row.
    pub(super) fn refusal(&self, column: &'static str, reason: RefusalReason) -> Refusal {
        Refusal { line: self.record.line, column: Some(column), reason }
    }
}
