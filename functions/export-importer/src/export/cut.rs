//! Finds record after record in a window, and starts again on the next line where one is broken.

use std::io::Read;

use super::refusal::RefusalReason;
use super::scan::{Scan, Scanner};
use super::window::{Fill, Limits, Window};

/// Blanks after the header looked through before a file is taken to go on, in bytes.
const BLANKS_MAX: usize = 4096;

/// What came next.
pub(super) enum Cut {
    Record,
    NoMore,
    Refused(RefusalReason),
    Stopped(RefusalReason),
}

/// The records of a window, one at a time. The window starts at the current record.
pub(super) struct Cutter<R> {
    window: Window<R>,
    scanner: Scanner,
    record_bytes_max: usize,
    cell_bytes_max: usize,
    /// Bytes of the current record, without and with its line end.
    record_bytes: usize,
    consumed: usize,
    /// Physical line on which the current record began, and on which the next one will.
    record_line: u64,
    next_line: u64,
    /// The last line ended in CR, so an LF that follows belongs to it.
    after_cr: bool,
}

impl<R: Read> Cutter<R> {
    pub(super) fn new(window: Window<R>, limits: &Limits) -> Self {
        Self {
            window,
            scanner: Scanner::new(limits.columns_max, limits.cell_bytes_max),
            record_bytes_max: limits.record_bytes_max,
            cell_bytes_max: limits.cell_bytes_max,
            record_bytes: 0,
            consumed: 0,
            record_line: 1,
            next_line: 1,
            after_cr: false,
        }
    }

    /// Lets go of the current record and finds the end of the next one.
    pub(super) fn cut(&mut self) -> Cut {
        self.window.drop_front(std::mem::take(&mut self.consumed));
        if std::mem::take(&mut self.after_cr)
            && (!self.window.bytes().is_empty() || self.window.fill() == Fill::More)
            && self.window.bytes().starts_with(b"\n")
        {
            self.window.drop_front(1);
        }
        self.record_line = self.next_line;
        self.scanner.restart();
        loop {
            // Never further than the limit, so that the answer does not depend on how the source
            // happens to be chunked.
            let held = self.window.bytes();
            let scan = self.scanner.scan(held.get(..=self.record_bytes_max).unwrap_or(held));
            if scan != Scan::More {
                return self.cut_at(scan);
            }
            if self.window.bytes().len() > self.record_bytes_max {
                return Cut::Refused(
                    self.quote_open_or(RefusalReason::RecordTooLong { max_bytes: self.record_bytes_max }),
                );
            }
            match self.window.fill() {
                Fill::More => {}
                Fill::End if self.window.bytes().is_empty() => return Cut::NoMore,
                Fill::End => {
                    let cell = self.scanner.current_cell();
                    return match self.scanner.finish() {
                        Some(scan) => self.cut_at(scan),
                        None => Cut::Refused(RefusalReason::QuoteNotClosed { cell }),
                    };
                }
                Fill::Stop(reason) => return Cut::Stopped(reason),
            }
        }
    }

    /// The current record's bytes, without its line end.
    pub(super) fn raw(&self) -> &[u8] {
        self.window.bytes().get(..self.record_bytes).unwrap_or_default()
    }

    /// Where the current record's cells are.
    pub(super) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Physical line on which the current record began, from 1.
    pub(super) fn record_line(&self) -> u64 {
        self.record_line
    }

    pub(super) fn window(&self) -> &Window<R> {
        &self.window
    }

    /// A row with nothing in any cell, as spreadsheets add at the end, is no row.
    pub(super) fn is_blank(&self) -> bool {
        self.raw().iter().all(is_blank_byte)
    }

    /// Whether anything but blanks follows the current record.
    pub(super) fn has_more(&mut self) -> bool {
        self.window.drop_front(std::mem::take(&mut self.consumed));
        while self.window.bytes().len() <= BLANKS_MAX && self.window.bytes().iter().all(is_blank_byte) {
            match self.window.fill() {
                Fill::More => {}
                Fill::End => return false,
                Fill::Stop(_) => return true,
            }
        }
        true
    }

    /// Takes back the current record but for its first physical line, so that the others are read
    /// again on their own.
    pub(super) fn give_back_all_but_first_line(&mut self) {
        self.next_line = self.record_line;
        self.consumed = 0;
        self.skip_physical_line();
    }

    /// Drops everything up to the next line end, reading as far as needed and keeping nothing.
    pub(super) fn skip_physical_line(&mut self) {
        loop {
            let held = self.window.bytes();
            let line_end = held.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.after_cr = line_end.and_then(|at| held.get(at)) == Some(&b'\r');
            self.window.drop_front(line_end.map_or(usize::MAX, |at| at + 1));
            if line_end.is_some() {
                self.next_line += 1;
                return;
            }
            if self.window.fill() != Fill::More {
                return;
            }
        }
    }

    fn cut_at(&mut self, scan: Scan) -> Cut {
        let cell = self.scanner.current_cell();
        match scan {
            Scan::End { end, next } => {
                self.after_cr = self.window.bytes().get(end) == Some(&b'\r');
                self.next_line += self.scanner.line_ends() + 1;
                self.record_bytes = end;
                self.consumed = next;
                Cut::Record
            }
            Scan::QuoteMisplaced => Cut::Refused(RefusalReason::QuoteMisplaced { cell }),
            Scan::CellTooLong | Scan::More => {
                let max_bytes = self.cell_bytes_max;
                Cut::Refused(self.quote_open_or(RefusalReason::CellTooLong { cell, max_bytes }))
            }
        }
    }

    /// A quoted cell that is too long and has gone over a line end is a quote left open.
    fn quote_open_or(&self, reason: RefusalReason) -> RefusalReason {
        if self.scanner.quote_open_over_lines() {
            RefusalReason::QuoteNotClosed { cell: self.scanner.current_cell() }
        } else {
            reason
        }
    }
}

fn is_blank_byte(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',' | b'\r' | b'\n')
}
