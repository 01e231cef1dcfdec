//! The count of request units, as DynamoDB bills them on demand.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Sub};

/// Request units: one read unit is 4 KB read strongly (8 KB eventually), one write unit 1 KB
/// written; both count twice in a transaction. Writes to an index count as writes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RequestUnits {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl AddAssign for RequestUnits {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}

impl Sub for RequestUnits {
    type Output = Self;

    /// What was consumed between two readings: `later - earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self { read: self.read - earlier.read, write: self.write - earlier.write }
    }
}

/// What one operation has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OperationUnits {
    /// Requests that reached the table, refused conditions included.
    pub calls: u64,
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    total: RequestUnits,
    by_operation: BTreeMap<&'static str, OperationUnits>,
}

impl Ledger {
    pub(super) fn record(&mut self, operation: &'static str, units: RequestUnits) {
        self.total += units;
        let spent = self.by_operation.entry(operation).or_default();
        spent.calls += 1;
        spent.read += units.read;
        spent.write += units.write;
    }

    pub(super) fn total(&self) -> RequestUnits {
        self.total
    }

    pub(super) fn by_operation(&self) -> &BTreeMap<&'static str, OperationUnits> {
        &self.by_operation
    }
}
