//! Checks an exported ledger without any network: recomputes everything, and says where the first
//! difference is. Whoever may change the file, and even sign, is found by what was kept elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::digest::{Digest, Restored, SignedDigest, chained, genesis, leaf};
use crate::export::{Head, Line};
use crate::key::PublicKey;

/// What a file is checked against.
#[derive(Debug, Default)]
pub struct Against<'a> {
    /// The keys that may have signed: the present one, and those before it.
    pub keys: &'a [PublicKey],
    /// The digests that are kept outside the table, by number.
    pub anchors: Option<&'a BTreeMap<u64, SignedDigest>>,
    /// The file was asked for from this instant on (milliseconds since 1970); from the first digest of all
    /// on when absent.
    pub from_ms: Option<i64>,
    /// The file was asked for up to this instant (milliseconds since 1970); all that is kept when absent.
    pub until_ms: Option<i64>,
}

/// What a sound file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Whose records.
    pub clinic: String,
    /// The numbers of the first and the last digest.
    pub numbers: (u64, u64),
    /// From when until when it is sealed (milliseconds since 1970).
    pub covers_ms: (i64, i64),
    /// Records, all as they were sealed.
    pub records: u64,
    /// Of them, those that appeared after their hour had been sealed.
    pub late: u64,
    /// Records that are not sealed yet: nothing can be said of them.
    pub open: u64,
    /// Digests.
    pub digests: u64,
    /// Digests compared with what is kept elsewhere.
    pub anchored: u64,
    /// Where the table had been restored to an instant of before.
    pub restores: Vec<Restore>,
    /// The chain's hash after the last record.
    pub hash: String,
}

/// A place where the table had been restored: what was sealed after the instant it was restored to is proved by
/// the digests that are kept outside, and by nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restore {
    /// The generation that begins there.
    pub generation: u64,
    /// The number of its first digest.
    pub digest: u64,
    /// The digests that are kept outside only: from this number …
    pub forgotten_from: u64,
    /// … to this one.
    pub forgotten_to: u64,
    /// Records that those had sealed and that are not sealed here again: they are gone. Not known without the
    /// digests that are kept outside.
    pub lost: Option<u64>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// The line is not what this program writes.
    Unreadable,
    /// The file has no head, or lines are where they cannot be.
    Misplaced,
    /// It is of another clinic.
    AnotherClinic,
    /// The digest names a key that was not given.
    UnknownKey,
    /// The digest is not as it was signed.
    BadSignature,
    /// Digests are missing before this one.
    DigestMissing,
    /// There are two digests of this number, or this one does not follow from the one before.
    Forked,
    /// The digest contradicts the one before or itself.
    Broken,
    /// The record is not as it was sealed.
    Edited,
    /// A sealed record is not there.
    Deleted,
    /// The record was never sealed.
    Inserted,
    /// Records are not in their order.
    Swapped,
    /// The file ends before what is known to follow.
    Truncated,
    /// The digest is not among those kept elsewhere.
    NotAnchored,
}

/// Where the first difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub what: What,
    /// The file's line, counted from 1.
    pub line: usize,
    /// The digest's number, as far as known.
    pub digest: u64,
    /// The record's place in the clinic's chain.
    pub record: Option<u64>,
}

impl What {
    fn says(self) -> &'static str {
        match self {
            Self::Unreadable => "the line cannot be read, or was written anew",
            Self::Misplaced => "the line stands where it cannot",
            Self::AnotherClinic => "it is another clinic's",
            Self::UnknownKey => "it is signed with a key that was not given",
            Self::BadSignature => "the signature does not fit: the digest was edited",
            Self::DigestMissing => "digests are missing before this one",
            Self::Forked => "the chain was forked: another digest stood here",
            Self::Broken => "the digest contradicts the one before or itself",
            Self::Edited => "the record was edited",
            Self::Deleted => "a record was deleted here",
            Self::Inserted => "the record was inserted: it was never sealed",
            Self::Swapped => "records were swapped",
            Self::Truncated => "the ledger was truncated: digests that are known to follow are not there",
            Self::NotAnchored => "the digest is not among those kept outside",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, digest {}", self.line, self.digest)?;
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        write!(f, ": {}", self.what.says())
    }
}

impl std::error::Error for Fault {}

/// Checks a file, line by line.
///
/// # Errors
/// The first [`Fault`].
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>, against: &Against<'_>) -> Result<Report, Fault> {
    let (records, sealed_since, report) = (Vec::new(), BTreeSet::new(), Report::default());
    let mut check = Check { against, head: None, last: None, records, line: 0, sealed_since, report };
    for line in lines {
        check.line += 1;
        check.take(line)?;
    }
    check.end()
}

struct Check<'a> {
    against: &'a Against<'a>,
    head: Option<Head>,
    last: Option<SignedDigest>,
    /// The hashes of the records under the last digest, and the line of the digest's first.
    records: Vec<String>,
    line: usize,
    /// What was sealed since the table was first restored.
    sealed_since: BTreeSet<String>,
    report: Report,
}

impl Check<'_> {
    fn fault<T>(&self, what: What) -> Result<T, Fault> {
        let digest = self.last.as_ref().map_or(0, |last| last.digest.number);
        Err(Fault { what, line: self.line, digest, record: None })
    }

    fn take(&mut self, text: &str) -> Result<(), Fault> {
        let Ok(line) = serde_json::from_str::<Line>(text) else { return self.fault(What::Unreadable) };
        // Written in one way only: what reads the same and is written otherwise was touched.
        if serde_json::to_string(&line).ok().as_deref() != Some(text) {
            return self.fault(What::Unreadable);
        }
        match line {
            Line::Ledger(head) if self.head.is_none() && self.line == 1 && head.version == 1 => {
                self.report.clinic.clone_from(&head.clinic);
                self.head = Some(head);
                Ok(())
            }
            Line::Ledger(_) => self.fault(What::Misplaced),
            Line::Digest(digest) if self.report.open == 0 => self.digest(digest),
            Line::Record(record) if self.report.open == 0 && self.last.is_some() => {
                let Ok(leaf) = leaf(&record) else { return self.fault(What::Unreadable) };
                self.records.push(leaf);
                Ok(())
            }
            Line::Digest(_) | Line::Record(_) => self.fault(What::Misplaced),
            Line::Open(record) => {
                if self.report.open == 0 {
                    self.records_of_last()?;
                }
                self.report.open += 1;
                let sealed_until = self.last.as_ref().map_or(i64::MIN, |last| last.digest.until_ms);
                if record.at_ms().is_none_or(|at| at < sealed_until) { self.fault(What::Inserted) } else { Ok(()) }
            }
        }
    }

    fn digest(&mut self, next: SignedDigest) -> Result<(), Fault> {
        self.records_of_last()?;
        let Some(head) = &self.head else { return self.fault(What::Misplaced) };
        let number = next.digest.number;
        let fault = |what| Err(Fault { what, line: self.line, digest: number, record: None });
        if next.digest.clinic != head.clinic {
            return fault(What::AnotherClinic);
        }
        let Some(key) = self.against.keys.iter().find(|key| key.id() == next.digest.key) else {
            return fault(What::UnknownKey);
        };
        if !key.verifies(&next) {
            return fault(What::BadSignature);
        }
        let is_beginning = number == 1 || next.digest.restored.as_ref().is_some_and(|of| of.resumes == 0);
        let followed = match &self.last {
            Some(last) => follows(last, &next.digest),
            None if number != head.first => Err(What::DigestMissing),
            // The head is not signed: what it leaves out at the front, only the digests tell.
            None if !is_beginning && self.against.from_ms.is_none_or(|from| from < next.digest.from_ms) => {
                Err(What::DigestMissing)
            }
            None if is_beginning && !begins(&next.digest) => Err(What::Broken),
            None => Ok(()),
        };
        if let Err(what) = followed {
            return fault(what);
        }
        if chained(&next.digest.before, &next.digest.leaves) != next.digest.after {
            return fault(What::Broken);
        }
        match self.against.anchors.map(|anchors| anchors.get(&number)) {
            Some(Some(kept)) if *kept != next => return fault(What::Forked),
            Some(None) => return fault(What::NotAnchored),
            Some(Some(_)) => self.report.anchored += 1,
            None => {}
        }
        if let Some(Err(what)) = next.digest.restored.as_ref().map(|restored| self.restored(restored, &next.digest)) {
            return Err(Fault { what, line: self.line, digest: number, record: None });
        }
        if !self.report.restores.is_empty() {
            self.sealed_since.extend(next.digest.leaves.iter().cloned());
        }
        if self.last.is_none() {
            self.report.covers_ms.0 = next.digest.from_ms;
        }
        self.report.digests += 1;
        self.last = Some(next);
        Ok(())
    }

    /// That the former generation ended with the digest that is named.
    fn restored(&mut self, restored: &Restored, next: &Digest) -> Result<(), What> {
        if let Some(anchors) = self.against.anchors {
            let kept = anchors.get(&restored.last).ok_or(What::NotAnchored)?;
            let is_next = kept.digest.generation.checked_add(1) == Some(next.generation);
            if !is_next || kept.hash().ok().as_ref() != Some(&restored.hash) {
                return Err(What::Forked);
            }
        }
        self.report.restores.push(Restore {
            generation: next.generation,
            digest: next.number,
            forgotten_from: restored.resumes.saturating_add(1),
            forgotten_to: restored.last,
            lost: None,
        });
        Ok(())
    }

    /// How many records the digests that are kept outside only had sealed, and nothing here seals again.
    fn count_lost(&mut self) {
        let Some(anchors) = self.against.anchors else { return };
        for restore in &mut self.report.restores {
            let numbers = restore.forgotten_from..=restore.forgotten_to;
            let kept: Option<Vec<&SignedDigest>> = numbers.map(|number| anchors.get(&number)).collect();
            let Some(kept) = kept else { continue };
            let forgotten: BTreeSet<&String> = kept.iter().flat_map(|kept| &kept.digest.leaves).collect();
            let lost = forgotten.into_iter().filter(|leaf| !self.sealed_since.contains(*leaf)).count();
            restore.lost = u64::try_from(lost).ok();
        }
    }

    /// That the records under the last digest are those it holds.
    fn records_of_last(&mut self) -> Result<(), Fault> {
        let records = std::mem::take(&mut self.records);
        let Some(SignedDigest { digest, .. }) = &self.last else { return Ok(()) };
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.report.records += count;
        self.report.late += if digest.late { count } else { 0 };
        let Some((at, what)) = first_difference(&digest.leaves, &records) else { return Ok(()) };
        let place = u64::try_from(at).unwrap_or(u64::MAX);
        let line = (self.line + at).saturating_sub(records.len());
        Err(Fault { what, line, digest: digest.number, record: Some(digest.first.saturating_add(place)) })
    }

    fn end(mut self) -> Result<Report, Fault> {
        // Faults at the end stand after the last line.
        self.line += 1;
        if self.report.open == 0 {
            self.records_of_last()?;
        }
        let Some(head) = &self.head else { return self.fault(What::Misplaced) };
        let number = self.last.as_ref().map_or(head.first.saturating_sub(1), |last| last.digest.number);
        let is_cut = self.last.is_none() && head.first > 1 && self.against.from_ms.is_none();
        if number != head.last || is_cut {
            return self.fault(What::Truncated);
        }
        let within = |kept: &SignedDigest| self.against.until_ms.is_none_or(|until| kept.digest.from_ms < until);
        let follows = |(of, kept): (&u64, &SignedDigest)| *of > number && within(kept);
        if self.against.anchors.is_some_and(|anchors| anchors.iter().any(follows)) {
            return self.fault(What::Truncated);
        }
        self.report.numbers = (head.first, head.last);
        self.count_lost();
        if let Some(last) = &self.last {
            self.report.covers_ms.1 = last.digest.until_ms;
            self.report.hash.clone_from(&last.digest.after);
        }
        Ok(self.report)
    }
}

/// Whether a digest is a clinic's first.
fn begins(digest: &Digest) -> bool {
    let is_first = match &digest.restored {
        Some(restored) => digest.number == restored.last.saturating_add(1) && restored.last > 0,
        None => digest.number == 1 && digest.generation == 1,
    };
    is_first && digest.previous.is_empty() && digest.first == 1 && digest.before == genesis(&digest.clinic)
}

fn follows(last: &SignedDigest, next: &Digest) -> Result<(), What> {
    let before = &last.digest;
    // After a restore the table goes on from what it knew, under numbers that nobody has.
    let (resumes, number, goes_on) = match &next.restored {
        None => (next.number.saturating_sub(1), next.number, next.generation == before.generation),
        Some(of) => {
            (of.resumes, of.last.saturating_add(1), of.last > of.resumes && next.generation > before.generation)
        }
    };
    if resumes > before.number {
        return Err(What::DigestMissing);
    }
    if resumes != before.number || last.hash().ok().as_deref() != Some(&next.previous) {
        return Err(What::Forked);
    }
    let adds_up = next.before == before.after && next.first == before.next() && next.from_ms == before.until_ms;
    let adds_up = adds_up && goes_on && next.number == number;
    if adds_up { Ok(()) } else { Err(What::Broken) }
}

/// Where records differ from what was sealed, and how.
fn first_difference(sealed: &[String], records: &[String]) -> Option<(usize, What)> {
    let at = (0..sealed.len().max(records.len())).find(|at| sealed.get(*at) != records.get(*at))?;
    let is_in = |leaf: Option<&String>, list: &[String]| {
        leaf.is_some_and(|leaf| list.get(at..).is_some_and(|rest| rest.contains(leaf)))
    };
    let (wanted, found) = (sealed.get(at), records.get(at));
    let what = match (wanted, found) {
        (_, None) => What::Deleted,
        (None, Some(_)) => What::Inserted,
        (Some(_), Some(_)) => match (is_in(wanted, records), is_in(found, sealed)) {
            (true, true) => What::Swapped,
            (true, false) => What::Inserted,
            (false, true) => What::Deleted,
            (false, false) => What::Edited,
        },
    };
    Some((at, what))
}
