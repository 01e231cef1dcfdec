//! The rows of a CSV stream in bounded memory, whatever comes in, each counted.
//!
//! A record that breaks the rules is refused alone. Reading goes on at the physical line after the
//! one on which it began, so an open quote, or a line of any length, costs that line and no other.

use std::borrow::Cow;
use std::io::Read;

use super::cut::{Cut, Cutter};
use super::not_an_export::{NotAnExport, check_head};
use super::refusal::{Refusal, RefusalReason};
use super::scan::Span;
use super::window::{Fill, Limits, Window};

/// Looked at to tell what kind of file this is, in bytes.
const HEAD_BYTES: usize = 4096;

/// Rows so far. `read` is always `accepted + rejected`; the header and blank lines are no rows, and
/// the place where reading had to stop counts as one read and rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows seen.
    pub read: u64,
    /// Rows that came out whole.
    pub accepted: u64,
    /// Rows refused, each with its [`Refusal`].
    pub rejected: u64,
}

/// One record: as many cells as the header has columns, all UTF-8, no NUL.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) line: u64,
    text: &'a str,
    cells: &'a [Span],
}

impl<'a> Record<'a> {
    /// The cell at `position` from 0, quotes undone; empty beyond the last.
    pub(super) fn cell(&self, position: usize) -> Cow<'a, str> {
        let Some(span) = self.cells.get(position) else {
            return Cow::Borrowed("");
        };
        let raw = self.text.get(span.from..span.to).unwrap_or_default();
        if span.doubled_quotes { Cow::Owned(raw.replace("\"\"", "\"")) } else { Cow::Borrowed(raw) }
    }
}

/// The records of one source, checked against its header.
pub(super) struct Records<R> {
    cutter: Cutter<R>,
    columns_max: usize,
    rows_max: u64,
    /// Per position of the header, which of our columns it is.
    names: Vec<Option<&'static str>>,
    finished: bool,
    counts: RowCounts,
}

impl<R: Read> Records<R> {
    /// Reads the head and tells what is no CSV; `known` are our columns.
    pub(super) fn open(source: R, limits: Limits, known: &[&'static str]) -> Result<Self, NotAnExport> {
        let mut window = Window::new(source, &limits);
        while window.bytes().len() < HEAD_BYTES {
            match window.fill() {
                Fill::More => {}
                Fill::Stop(RefusalReason::ReadFailed(kind)) => {
                    return Err(NotAnExport::ReadFailed(kind));
                }
                Fill::End | Fill::Stop(_) => break,
            }
        }
        if window.bytes().starts_with(b"\xEF\xBB\xBF") {
            window.drop_front(3);
        }
        check_head(window.bytes().get(..HEAD_BYTES).unwrap_or(window.bytes()), known)?;
        Ok(Self {
            cutter: Cutter::new(window, &limits),
            columns_max: limits.columns_max,
            rows_max: limits.rows_max,
            names: Vec::new(),
            finished: false,
            counts: RowCounts::default(),
        })
    }

    /// The first record, which names the columns: trimmed and in lower case.
    pub(super) fn header(&mut self) -> Result<Vec<String>, NotAnExport> {
        loop {
            match self.cutter.cut() {
                Cut::Record if self.cutter.is_blank() => {}
                Cut::Record => break,
                Cut::NoMore => return Err(NotAnExport::Empty),
                Cut::Stopped(RefusalReason::ReadFailed(kind)) => {
                    return Err(NotAnExport::ReadFailed(kind));
                }
                Cut::Stopped(_) | Cut::Refused(_) => return Err(NotAnExport::HeaderMalformed),
            }
        }
        let found = self.cutter.scanner().cells_found();
        if found > self.columns_max {
            return Err(NotAnExport::TooManyColumns { found, max: self.columns_max });
        }
        let text = std::str::from_utf8(self.cutter.raw())
            .map_err(|error| NotAnExport::HeaderNotUtf8 { byte: error.valid_up_to() + 1 })?;
        let record = Record { line: self.cutter.record_line(), text, cells: self.cutter.scanner().cells() };
        Ok((0..found).map(|position| record.cell(position).trim().to_lowercase()).collect())
    }

    /// Says which of our columns each position is; rows must then have as many cells.
    pub(super) fn expect_columns(&mut self, names: Vec<Option<&'static str>>) {
        self.names = names;
    }

    /// Whether anything but blanks follows the header.
    pub(super) fn has_rows(&mut self) -> bool {
        self.cutter.has_more()
    }

    /// The next row as `parse` makes it, or why there is none in its place.
    pub(super) fn next_with<T>(
        &mut self,
        parse: impl FnOnce(Record<'_>) -> Result<T, Refusal>,
    ) -> Option<Result<T, Refusal>> {
        let row = match self.advance()? {
            Ok(()) => self.record().and_then(parse),
            Err(refusal) => Err(refusal),
        };
        self.counts.read += 1;
        match row {
            Ok(_) => self.counts.accepted += 1,
            Err(_) => self.counts.rejected += 1,
        }
        Some(row)
    }

    pub(super) fn counts(&self) -> RowCounts {
        self.counts
    }

    pub(super) fn window(&self) -> &Window<R> {
        self.cutter.window()
    }

    fn advance(&mut self) -> Option<Result<(), Refusal>> {
        while !self.finished {
            let refused = match self.cutter.cut() {
                Cut::Record if self.cutter.is_blank() => continue,
                Cut::Record => self.broken_rule(),
                Cut::NoMore => {
                    self.finished = true;
                    return None;
                }
                Cut::Refused(reason) => {
                    self.cutter.skip_physical_line();
                    Some(reason)
                }
                Cut::Stopped(reason) => {
                    self.finished = true;
                    Some(reason)
                }
            };
            let refused = if self.counts.read >= self.rows_max {
                self.finished = true;
                Some(RefusalReason::TooManyRows { max_rows: self.rows_max })
            } else {
                refused
            };
            return Some(refused.map_or(Ok(()), |reason| Err(self.refusal(reason))));
        }
        None
    }

    /// What is wrong with a record that was cut cleanly. One over several lines that does not fit
    /// the header is an open quote closed by a later row's, so those rows are read again.
    fn broken_rule(&mut self) -> Option<RefusalReason> {
        let (found, expected) = (self.cutter.scanner().cells_found(), self.names.len());
        if found != expected {
            if self.cutter.scanner().line_ends() > 0 {
                self.cutter.give_back_all_but_first_line();
            }
            return Some(RefusalReason::WrongCellCount { found, expected });
        }
        self.cutter.raw().contains(&0).then_some(RefusalReason::NulByte)
    }

    fn record(&self) -> Result<Record<'_>, Refusal> {
        match std::str::from_utf8(self.cutter.raw()) {
            Ok(text) => Ok(Record { line: self.cutter.record_line(), text, cells: self.cutter.scanner().cells() }),
            Err(error) => {
                let byte = error.valid_up_to();
                let before = self.cutter.scanner().cells().iter().filter(|cell| cell.to <= byte).count();
                Err(self.refusal(RefusalReason::NotUtf8 { cell: before + 1 }))
            }
        }
    }

    /// A refusal of the current record, with the name of the cell its reason points at.
    fn refusal(&self, reason: RefusalReason) -> Refusal {
        let column = reason.cell().and_then(|cell| self.names.get(cell.checked_sub(1)?).copied().flatten());
        Refusal { line: self.cutter.record_line(), column, reason }
    }
}
