//! One sealing: the hours that are closed since the last one, what appeared late, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::store::{AuditRecord, LedgerHead, NewDigest, TenantStore};

use crate::anchor::{AnchorError, Anchors};
use crate::digest::{Digest, Restored, SignedDigest, chained, genesis, leaf};
use crate::export::ExportError;
use crate::key::{KeyError, Signer};

/// An hour is closed so long after its end. A record carries the instant at which its writer began the
/// transaction: a function runs for 15 minutes at most, and clocks differ by less than a minute.
pub const MARGIN: TimeDelta = TimeDelta::minutes(20);
/// The first sealing of a clinic looks so far back.
const FIRST_LOOKS_BACK: TimeDelta = TimeDelta::days(40);
/// Each sealing looks again at so much of what it sealed, for records that appeared late …
const LOOKS_AGAIN: TimeDelta = TimeDelta::hours(2);
/// … and the first of a day at so much.
const LOOKS_AGAIN_DAILY: TimeDelta = TimeDelta::hours(48);
/// Records of one digest: its item stays below 400 KB.
const RECORDS_MAX: usize = 2_000;
/// Digests read at a time.
const DIGESTS_READ: u64 = 50;

/// Why nothing more was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The table.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The anchors.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// A stored digest cannot be read or written.
    #[error("a digest cannot be read: {0}")]
    Digest(#[from] serde_json::Error),
}

impl From<ExportError> for SealError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Cloud(error) => Self::Cloud(error),
            ExportError::Digest(error) => Self::Digest(error),
        }
    }
}

/// What a sealing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Digests written.
    pub digests: u64,
    /// Records sealed.
    pub records: usize,
    /// Of them, those that appeared under hours sealed before. Somebody must look why.
    pub late: usize,
    /// Records that were sealed and are not there, or not as they were.
    pub gone: usize,
    /// Digests that are kept outside and that the table does not know: it was restored.
    pub forgotten: u64,
}

/// Sealed hours are not as they were sealed: somebody or something wrote the table beside the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{late} records appeared under sealed hours, {gone} are gone or changed; {forgotten} digests are kept outside that \
     the table does not know: more than none if it was restored"
)]
pub struct Touched {
    late: usize,
    gone: usize,
    forgotten: u64,
}

impl Sealed {
    /// Whether the hours sealed before are as they were.
    ///
    /// # Errors
    /// [`Touched`] says how many records are not.
    pub fn as_it_was(&self) -> Result<(), Touched> {
        let Self { late, gone, forgotten, .. } = *self;
        if (late, gone, forgotten) == (0, 0, 0) { Ok(()) } else { Err(Touched { late, gone, forgotten }) }
    }
}

/// Seals what a clinic's closed hours hold. Harmless to repeat, at any time and by several at once: the
/// head lets one of them on.
///
/// # Errors
/// [`SealError`]; what was sealed stays, and the next run goes on.
pub async fn seal(
    tenant: &TenantStore,
    signer: &Signer,
    anchors: &Anchors,
    now: DateTime<Utc>,
) -> Result<Sealed, SealError> {
    let head = tenant.ledger_head().await?;
    let mut run = Run { tenant, signer, anchors, now, restored: None };
    let mut sealed = Sealed::default();
    let mut last = match &head {
        Some(head) => run.anchor_rest(head).await?,
        None => None,
    };
    let closed = (now - MARGIN).duration_trunc(TimeDelta::hours(1)).unwrap_or(now - MARGIN);
    let from = head.as_ref().map_or(closed - FIRST_LOOKS_BACK, |head| head.until);
    if closed <= from {
        return Ok(sealed);
    }
    sealed.forgotten = run.look_outside(head.as_ref()).await?;
    // A restored table begins its generation at once.
    let new_day = from.date_naive() != closed.date_naive() || run.restored.is_some();
    if let Some(head) = &head {
        let again = if new_day { LOOKS_AGAIN_DAILY } else { LOOKS_AGAIN };
        let (late, gone) = run.look_again(head, again).await?;
        sealed.gone = gone;
        if gone > 0 {
            tracing::error!(clinic = %tenant.clinic(), gone, "sealed records are not there as they were sealed");
        }
        if !late.is_empty() {
            tracing::error!(clinic = %tenant.clinic(), late = late.len(), "records appeared under sealed hours");
        }
        for part in parts(&late).into_iter().filter(|part| !part.is_empty()) {
            let Some(next) = run.add(last.as_ref(), part, (from, from), true).await? else { return Ok(sealed) };
            sealed.digests += 1;
            sealed.records += part.len();
            sealed.late += part.len();
            last = Some(next);
        }
    }
    let records = tenant.audit_records(from, closed).await?;
    // An hour without records is covered by the next digest; each day has one.
    if records.is_empty() && !new_day && head.is_some() {
        return Ok(sealed);
    }
    let parts = parts(&records);
    let mut begins = from;
    for (at, part) in parts.iter().enumerate() {
        let next_part = parts.get(at + 1).and_then(|next| next.first()).and_then(AuditRecord::at_ms);
        let until = next_part.and_then(DateTime::from_timestamp_millis).unwrap_or(closed);
        let Some(next) = run.add(last.as_ref(), part, (begins, until), false).await? else { return Ok(sealed) };
        sealed.digests += 1;
        sealed.records += part.len();
        last = Some(next);
        begins = until;
    }
    Ok(sealed)
}

/// Records in parts that fit a digest; those of one instant stay together as long as they fit. One part, empty,
/// of none.
fn parts(records: &[AuditRecord]) -> Vec<&[AuditRecord]> {
    let mut parts = Vec::new();
    let mut left = records;
    while left.len() > RECORDS_MAX {
        let instant = |at: usize| left.get(at).and_then(AuditRecord::at_ms);
        let cut = (1..=RECORDS_MAX).rev().find(|at| instant(*at) != instant(at - 1)).unwrap_or(RECORDS_MAX);
        let (part, rest) = left.split_at(cut);
        parts.push(part);
        left = rest;
    }
    parts.push(left);
    parts
}

struct Run<'a> {
    tenant: &'a TenantStore,
    signer: &'a Signer,
    anchors: &'a Anchors,
    now: DateTime<Utc>,
    /// For the next digest: that the table was restored, and which generation begins.
    restored: Option<(Box<Restored>, u64)>,
}

impl Run<'_> {
    /// Whether digests are kept outside that the table does not know; says how many. Another sealer that was
    /// faster moved the head first: then this run's next digest is refused.
    async fn look_outside(&mut self, head: Option<&LedgerHead>) -> Result<u64, SealError> {
        let clinic = self.tenant.clinic();
        let resumes = head.map_or(0, |head| head.number);
        let Some(outside) = self.anchors.last_after(clinic, resumes).await? else { return Ok(0) };
        let last = outside.digest.number;
        tracing::error!(%clinic, resumes, last, "the table was restored: digests are kept outside only");
        let restored = Box::new(Restored { resumes, last, hash: outside.hash()? });
        self.restored = Some((restored, outside.digest.generation.saturating_add(1)));
        Ok(last.saturating_sub(resumes))
    }

    /// Keeps outside what a run that died left in the table only; gives the last digest.
    async fn anchor_rest(&self, head: &LedgerHead) -> Result<Option<SignedDigest>, SealError> {
        let mut last = None;
        for json in self.tenant.digests((head.anchored + 1).min(head.number), head.number).await? {
            let digest: SignedDigest = serde_json::from_str(&json)?;
            if digest.digest.number > head.anchored {
                self.anchors.keep(&digest, &json, self.now).await?;
                self.tenant.note_anchored(digest.digest.number).await?;
            }
            last = Some(digest);
        }
        Ok(last)
    }

    /// Seals one part; nothing when another sealer was faster.
    async fn add(
        &mut self,
        last: Option<&SignedDigest>,
        records: &[AuditRecord],
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        late: bool,
    ) -> Result<Option<SignedDigest>, SealError> {
        let clinic = self.tenant.clinic().to_string();
        let leaves = records.iter().map(leaf).collect::<Result<Vec<_>, _>>()?;
        let before = last.map_or_else(|| genesis(&clinic), |last| last.digest.after.clone());
        let known = last.map_or(0, |last| last.digest.number);
        let (restored, generation) = match self.restored.take() {
            Some((restored, generation)) => (Some(restored), generation),
            None => (None, last.map_or(1, |last| last.digest.generation)),
        };
        let digest = Digest {
            // The numbers of those that are kept outside only are theirs.
            number: restored.as_ref().map_or(known, |restored| restored.last) + 1,
            from_ms: from.timestamp_millis(),
            until_ms: until.timestamp_millis(),
            late,
            first: last.map_or(1, |last| last.digest.next()),
            after: chained(&before, &leaves),
            leaves,
            before,
            previous: last.map_or_else(|| Ok(String::new()), SignedDigest::hash)?,
            key: self.signer.public_key().id(),
            clinic,
            generation,
            restored,
        };
        let signed = self.signer.sign(digest).await?;
        let json = serde_json::to_string(&signed)?;
        let number = signed.digest.number;
        if !self.tenant.put_digest(&NewDigest { number, follows: known, until, json: &json }).await? {
            tracing::info!(clinic = %self.tenant.clinic(), number, "another sealer was faster");
            return Ok(None);
        }
        self.anchors.keep(&signed, &json, self.now).await?;
        self.tenant.note_anchored(number).await?;
        Ok(Some(signed))
    }

    /// What appeared late under the hours before the head, and how many sealed records of them are gone.
    async fn look_again(&self, head: &LedgerHead, back: TimeDelta) -> Result<(Vec<AuditRecord>, usize), SealError> {
        let since = head.until - back;
        let sealed = self.sealed_since(head, since).await?;
        let mut there = BTreeSet::new();
        let mut late = Vec::new();
        for record in self.tenant.audit_records(since, head.until).await? {
            let leaf = leaf(&record)?;
            if !sealed.contains_key(&leaf) {
                late.push(record);
            }
            there.insert(leaf);
        }
        // A digest that begins before the window, or holds what came late, may be of records before it.
        let whole = sealed.iter().filter(|(_, is_within)| **is_within);
        Ok((late, whole.filter(|(leaf, _)| !there.contains(*leaf)).count()))
    }

    /// The leaves of the digests that end after an instant, each with whether its record must be after it.
    async fn sealed_since(&self, head: &LedgerHead, since: DateTime<Utc>) -> Result<BTreeMap<String, bool>, SealError> {
        let mut sealed = BTreeMap::new();
        let mut until = head.number;
        while until > 0 {
            let from = until.saturating_sub(DIGESTS_READ - 1).max(1);
            let mut reached = false;
            for json in self.tenant.digests(from, until).await? {
                let Digest { leaves, from_ms, until_ms, late, .. } =
                    serde_json::from_str::<SignedDigest>(&json)?.digest;
                reached |= until_ms < since.timestamp_millis();
                let is_within = !late && from_ms >= since.timestamp_millis();
                sealed.extend(leaves.into_iter().map(|leaf| (leaf, is_within)));
            }
            if reached {
                break;
            }
            until = from - 1;
        }
        Ok(sealed)
    }
}
