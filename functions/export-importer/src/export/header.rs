//! Finds our columns in a header: by name, in any order, beside others which are left alone.

use std::io::Read;

use super::not_an_export::NotAnExport;
use super::records::Records;

/// Where each column asked for stands.
pub(super) struct Header {
    names: Vec<String>,
    missing: Vec<&'static str>,
    duplicated: Vec<&'static str>,
    found: Vec<Option<&'static str>>,
}

impl Header {
    pub(super) fn read<R: Read>(records: &mut Records<R>) -> Result<Self, NotAnExport> {
        let names = records.header()?;
        let found = vec![None; names.len()];
        Ok(Self { names, missing: Vec::new(), duplicated: Vec::new(), found })
    }

    /// Position of a column the file must have. One that is missing is reported by [`Header::check`],
    /// with all others.
    pub(super) fn required(&mut self, column: &'static str) -> usize {
        self.optional(column).unwrap_or_else(|| {
            self.missing.push(column);
            usize::MAX
        })
    }

    /// Position of a column the file may have.
    pub(super) fn optional(&mut self, column: &'static str) -> Option<usize> {
        let mut positions = (0..).zip(&self.names).filter(|(_, name)| *name == column).map(|(position, _)| position);
        let position = positions.next()?;
        if positions.next().is_some() {
            self.duplicated.push(column);
        }
        if let Some(slot) = self.found.get_mut(position) {
            *slot = Some(column);
        }
        Some(position)
    }

    /// Closes the search: the names of the columns by position.
    ///
    /// # Errors
    /// All missing columns, or else all that come twice.
    pub(super) fn check(self) -> Result<Vec<Option<&'static str>>, NotAnExport> {
        if !self.missing.is_empty() {
            return Err(NotAnExport::MissingColumns { missing: self.missing });
        }
        if !self.duplicated.is_empty() {
            return Err(NotAnExport::DuplicateColumns { duplicated: self.duplicated });
        }
        Ok(self.found)
    }
}
