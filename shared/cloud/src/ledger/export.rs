//! What was recorded and how it was sealed, as lines of JSON: a head, then each digest with its records,
//! then what is not sealed yet. The file is checked by `retorno audit verify`, which needs nothing else.

use std::collections::BTreeSet;

use crate::store::{AuditRecord, TenantStore};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::digest::{Digest, SignedDigest, leaf};
use crate::CloudError;

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first one.
    Ledger(Head),
    /// A digest; its records follow.
    Digest(SignedDigest),
    /// A record under the digest before it.
    Record(AuditRecord),
    /// A record that is not sealed yet.
    Open(AuditRecord),
}

/// What a file is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Of the file's form: 1.
    pub version: u8,
    /// Whose records.
    pub clinic: String,
    /// The number of the first digest; one more than the last where there is none.
    pub first: u64,
    /// The number of the last digest.
    pub last: u64,
}

/// Why a clinic's records were not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The table.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A stored digest cannot be read or written.
    #[error("a digest cannot be read: {0}")]
    Digest(#[from] serde_json::Error),
}

/// Exports the digests that cover `[from, until)`, whole, with their records. Without `until`, all that is
/// sealed and what is still open.
///
/// # Errors
/// [`ExportError`].
pub async fn export(
    tenant: &TenantStore,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<String>, ExportError> {
    let head = tenant.ledger_head().await?;
    let last = head.as_ref().map_or(0, |head| head.number);
    let (mut digests, mut before) = (Vec::new(), Vec::new());
    // Of all digests: what appeared within the range may be sealed after it.
    let mut appeared: BTreeSet<String> = BTreeSet::new();
    for json in tenant.digests(1, last).await? {
        let digest: SignedDigest = serde_json::from_str(&json)?;
        if digest.digest.late {
            appeared.extend(digest.digest.leaves.iter().cloned());
        }
        let ends_before = |from: DateTime<Utc>| digest.digest.until_ms < from.timestamp_millis();
        let begins_after = |until: DateTime<Utc>| digest.digest.from_ms >= until.timestamp_millis();
        let (leaves, is_late) = (digest.digest.leaves.clone(), digest.digest.late);
        let is_of_one_instant = digest.digest.from_ms == digest.digest.until_ms;
        if !from.is_some_and(ends_before) && !until.is_some_and(begins_after) {
            digests.push((digest, before.clone()));
        }
        match (is_late, is_of_one_instant) {
            (true, _) => {}
            (false, true) => before.extend(leaves),
            (false, false) => before = leaves,
        }
    }
    let first = digests.first().map_or(last + 1, |(digest, _)| digest.digest.number);
    let last = digests.last().map_or(last, |(digest, _)| digest.digest.number);
    let mut lines = vec![Line::Ledger(Head { version: 1, clinic: tenant.clinic().to_string(), first, last })];
    for (digest, before) in digests {
        let records = if digest.digest.late {
            late_records(tenant, &digest).await?
        } else {
            records_of(tenant, &digest.digest, &before, &appeared).await?
        };
        lines.push(Line::Digest(digest));
        lines.extend(records.into_iter().map(Line::Record));
    }
    if until.is_none() {
        let since = head.map_or(now - TimeDelta::days(1), |head| head.until);
        lines.extend(tenant.audit_records(since, now + TimeDelta::days(1)).await?.into_iter().map(Line::Open));
    }
    Ok(lines.iter().map(serde_json::to_string).collect::<Result<_, _>>()?)
}

/// The records of a digest's hours, whether it holds them or not, without those that `appeared` late. More of one
/// instant than fit a digest are spread over several: those at its end are its own only if it holds them, those
/// at its beginning only if those `before` do not.
async fn records_of(
    tenant: &TenantStore,
    digest: &Digest,
    before: &[String],
    appeared: &BTreeSet<String>,
) -> Result<Vec<AuditRecord>, ExportError> {
    let [from, until] = [digest.from_ms, digest.until_ms].map(instant);
    let own: BTreeSet<&String> = digest.leaves.iter().collect();
    let before: BTreeSet<&String> = before.iter().collect();
    let mut found = Vec::new();
    for record in tenant.audit_records(from, until + TimeDelta::milliseconds(1)).await? {
        let leaf = leaf(&record)?;
        let at_its_end = record.at_ms() == Some(digest.until_ms);
        let at_its_beginning = record.at_ms() == Some(digest.from_ms);
        let is_of_another = (at_its_end && !own.contains(&leaf)) || (at_its_beginning && before.contains(&leaf));
        if !is_of_another && !appeared.contains(&leaf) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Records that appeared late are somewhere in the days before.
async fn late_records(tenant: &TenantStore, digest: &SignedDigest) -> Result<Vec<AuditRecord>, ExportError> {
    let until = instant(digest.digest.until_ms);
    let mut found = Vec::new();
    for record in tenant.audit_records(until - TimeDelta::hours(48), until).await? {
        if digest.digest.leaves.contains(&leaf(&record)?) {
            found.push(record);
        }
    }
    Ok(found)
}

fn instant(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}
