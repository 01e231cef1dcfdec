//! Finds where the cells and the end of one CSV record are, byte by byte and resumable.
//!
//! Not the csv crate, because it forgives what must not be forgiven here: it takes text after a
//! closing quote as part of the cell, so a quote left open in one row silently swallows every row up
//! to the next quote. RFC 4180 forbids that text, and refusing it is what tells us to start again on
//! the next line.

/// Where one cell's content lies, relative to the start of its record, quotes aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Holds doubled quotes, still to be halved.
    pub(super) doubled_quotes: bool,
}

/// What the bytes given so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// The record goes on.
    More,
    /// The record ends before `end`; the next one starts at `next`.
    End { end: usize, next: usize },
    /// Text follows a closing quote.
    QuoteMisplaced,
    /// A cell is longer than allowed.
    CellTooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// Just after a quote inside a quoted cell: the end of the cell, or the first of a doubled quote.
    QuoteSeen,
}

/// The state between two chunks of one record. All positions are relative to the record's start, so
/// the bytes may move in memory meanwhile.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    at: usize,
    cell_from: usize,
    doubled_quotes: bool,
    cells: Vec<Span>,
    cells_found: usize,
    cells_kept_max: usize,
    cell_bytes_max: usize,
    line_ends: u64,
}

impl Scanner {
    pub(super) fn new(cells_kept_max: usize, cell_bytes_max: usize) -> Self {
        Self {
            state: State::CellStart,
            at: 0,
            cell_from: 0,
            doubled_quotes: false,
            cells: Vec::new(),
            cells_found: 0,
            cells_kept_max,
            cell_bytes_max,
            line_ends: 0,
        }
    }

    /// Forgets the record and starts another.
    pub(super) fn restart(&mut self) {
        self.state = State::CellStart;
        self.at = 0;
        self.cell_from = 0;
        self.doubled_quotes = false;
        self.cells.clear();
        self.cells_found = 0;
        self.line_ends = 0;
    }

    /// Goes on from where the last call stopped; `record` is all of the record known so far.
    pub(super) fn scan(&mut self, record: &[u8]) -> Scan {
        while let Some(&byte) = record.get(self.at) {
            if self.is_cell_too_long() {
                return Scan::CellTooLong;
            }
            match (self.state, byte) {
                (State::CellStart | State::Plain, b',') => {
                    if !self.close_cell(self.at) {
                        return Scan::CellTooLong;
                    }
                    self.open_cell();
                }
                (State::CellStart | State::Plain, b'\n' | b'\r') => {
                    return self.end_record(self.at);
                }
                (State::CellStart, b'"') => {
                    self.state = State::Quoted;
                    self.cell_from = self.at + 1;
                }
                (State::CellStart | State::Plain, _) => {
                    self.state = State::Plain;
                    self.at = plain_end(record, self.at);
                    continue;
                }
                (State::Quoted, b'"') => self.state = State::QuoteSeen,
                (State::Quoted, _) => self.count_line_end(record, byte),
                (State::QuoteSeen, b'"') => {
                    self.doubled_quotes = true;
                    self.state = State::Quoted;
                }
                (State::QuoteSeen, b',') => {
                    if !self.close_cell(self.at - 1) {
                        return Scan::CellTooLong;
                    }
                    self.open_cell();
                }
                (State::QuoteSeen, b'\n' | b'\r') => return self.end_record(self.at - 1),
                (State::QuoteSeen, _) => return Scan::QuoteMisplaced,
            }
            self.at += 1;
        }
        if self.is_cell_too_long() { Scan::CellTooLong } else { Scan::More }
    }

    /// Ends the record where the file ends; `None` where a quote is still open.
    pub(super) fn finish(&mut self) -> Option<Scan> {
        match self.state {
            State::CellStart | State::Plain => Some(self.end_record(self.at)),
            State::QuoteSeen => Some(self.end_record(self.at - 1)),
            State::Quoted => None,
        }
    }

    /// The cells found, up to the number kept.
    pub(super) fn cells(&self) -> &[Span] {
        &self.cells
    }

    /// All cells found, those not kept included.
    pub(super) fn cells_found(&self) -> usize {
        self.cells_found
    }

    /// Position, from 1, of the cell being read.
    pub(super) fn current_cell(&self) -> usize {
        self.cells_found + 1
    }

    /// Line ends inside quoted cells so far.
    pub(super) fn line_ends(&self) -> u64 {
        self.line_ends
    }

    /// Whether a quoted cell is open that has gone over a line end.
    pub(super) fn quote_open_over_lines(&self) -> bool {
        self.state == State::Quoted && self.line_ends > 0
    }

    /// One more than the limit may be the closing quote.
    fn is_cell_too_long(&self) -> bool {
        self.at.saturating_sub(self.cell_from) > self.cell_bytes_max + 1
    }

    fn open_cell(&mut self) {
        self.state = State::CellStart;
        self.cell_from = self.at + 1;
        self.doubled_quotes = false;
    }

    /// False where the cell is too long.
    fn close_cell(&mut self, to: usize) -> bool {
        if to.saturating_sub(self.cell_from) > self.cell_bytes_max {
            return false;
        }
        self.cells_found += 1;
        if self.cells.len() < self.cells_kept_max {
            self.cells.push(Span { from: self.cell_from, to, doubled_quotes: self.doubled_quotes });
        }
        true
    }

    fn end_record(&mut self, cell_to: usize) -> Scan {
        if self.close_cell(cell_to) { Scan::End { end: self.at, next: self.at + 1 } } else { Scan::CellTooLong }
    }

    /// Counts LF, CR LF and CR as one line end each.
    fn count_line_end(&mut self, record: &[u8], byte: u8) {
        let after_cr = self.at.checked_sub(1).and_then(|before| record.get(before)) == Some(&b'\r');
        if byte == b'\r' || (byte == b'\n' && !after_cr) {
            self.line_ends += 1;
        }
    }
}

/// Where the plain text that goes on at `at` ends for now.
fn plain_end(record: &[u8], at: usize) -> usize {
    let rest = record.get(at..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r'));
    at + length.unwrap_or(rest.len())
}
