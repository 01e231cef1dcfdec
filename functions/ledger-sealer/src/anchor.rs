//! Where digests are kept outside the table, so that whoever can write the table cannot rewrite what it
//! said: an S3 bucket with Object Lock, on one machine a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, DateTime as S3Time};
use aws_sdk_s3::types::ObjectLockMode;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::ClinicId;

use crate::digest::SignedDigest;

/// The bucket's folder.
const FOLDER: &str = "digests/";

/// What goes wrong with anchors.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The bucket takes it not, or does not show what it holds.
    #[error("the bucket of digests does not answer as it should: {0}")]
    Bucket(String),
    /// The folder cannot be used.
    #[error("the folder of digests: {0}")]
    Folder(#[from] std::io::Error),
    /// There is another digest of this number: the chain was forked.
    #[error("another digest {0} is kept already: the chain was forked")]
    Another(u64),
    /// What is there is no digest.
    #[error("{0} is no digest")]
    Unreadable(String),
}

/// Where digests are kept.
#[derive(Debug, Clone)]
pub enum Anchors {
    /// A bucket with Object Lock.
    Bucket {
        /// The client.
        client: aws_sdk_s3::Client,
        /// Its name.
        bucket: String,
        /// Nobody can delete a digest for so long.
        locked_for: TimeDelta,
    },
    /// A folder.
    Folder(PathBuf),
}

impl Anchors {
    /// Keeps a digest. Harmless to repeat; another one of the same number is refused.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub async fn keep(&self, digest: &SignedDigest, json: &str, now: DateTime<Utc>) -> Result<(), AnchorError> {
        let number = digest.digest.number;
        let name = format!("{}/{number:012}.json", digest.digest.clinic);
        match self {
            Self::Bucket { client, bucket, locked_for } => {
                let until = S3Time::from_secs((now + *locked_for).timestamp());
                let key = format!("{FOLDER}{name}");
                let call = client.put_object().bucket(bucket).key(&key);
                let call = call.if_none_match("*").content_type("application/json");
                let call = call.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(until);
                match call.body(ByteStream::from(json.as_bytes().to_vec())).send().await {
                    Ok(_) => Ok(()),
                    // Kept by a run that died before it noted so, unless it is another one.
                    Err(e) if e.code() == Some("PreconditionFailed") => {
                        let is_this = object(client, bucket, &key).await? == json.as_bytes();
                        if is_this { Ok(()) } else { Err(AnchorError::Another(number)) }
                    }
                    Err(e) => Err(refused(&e)),
                }
            }
            Self::Folder(folder) => keep_file(&folder.join(name), json, number),
        }
    }

    /// The last digest of a clinic that is kept here, if it comes after this number.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub async fn last_after(&self, clinic: &ClinicId, number: u64) -> Result<Option<SignedDigest>, AnchorError> {
        match self {
            Self::Bucket { client, bucket, .. } => {
                let prefix = format!("{FOLDER}{clinic}/");
                let after = format!("{prefix}{number:012}.json");
                let call = client.list_objects_v2().bucket(bucket).prefix(&prefix).start_after(after);
                let mut pages = call.into_paginator().send();
                let mut last = None;
                while let Some(page) = pages.next().await {
                    // In the order of their numbers, which are written with zeros in front.
                    let page = page.map_err(|e| refused(&e))?;
                    last = page.contents().last().and_then(|of| of.key()).map(str::to_owned).or(last);
                }
                let Some(key) = last else { return Ok(None) };
                let json = object(client, bucket, &key).await?;
                serde_json::from_slice(&json).map(Some).map_err(|_| AnchorError::Unreadable(key))
            }
            Self::Folder(folder) => {
                let after = format!("{number:012}.json");
                let Some(last) = json_files(&folder.join(clinic.as_str()))?.pop_last() else { return Ok(None) };
                if last.file_name().is_none_or(|name| *name.to_string_lossy() <= *after) {
                    return Ok(None);
                }
                read(&last).map(Some)
            }
        }
    }
}

async fn object(client: &aws_sdk_s3::Client, bucket: &str, key: &str) -> Result<Vec<u8>, AnchorError> {
    let answer = client.get_object().bucket(bucket).key(key).send().await.map_err(|e| refused(&e))?;
    let body = answer.body.collect().await.map_err(|_| AnchorError::Bucket("the answer broke off".to_owned()))?;
    Ok(body.to_vec())
}

fn refused(error: &impl ProvideErrorMetadata) -> AnchorError {
    AnchorError::Bucket(error.code().unwrap_or("no answer").to_owned())
}

fn keep_file(path: &Path, json: &str, number: u64) -> Result<(), AnchorError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::read(path) {
        Ok(kept) if kept == json.as_bytes() => return Ok(()),
        Ok(_) => return Err(AnchorError::Another(number)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let part = path.with_extension("part");
    std::fs::write(&part, json)?;
    Ok(std::fs::rename(part, path)?)
}

/// The digests of a clinic that a folder keeps, by number: that of this machine, or a copy of the bucket's.
///
/// # Errors
/// [`AnchorError`].
pub fn kept_in(folder: &Path, clinic: &ClinicId) -> Result<BTreeMap<u64, SignedDigest>, AnchorError> {
    let of_clinic = folder.join(clinic.as_str());
    let mut kept = BTreeMap::new();
    for path in json_files(if of_clinic.is_dir() { &of_clinic } else { folder })? {
        let digest = read(&path)?;
        kept.insert(digest.digest.number, digest);
    }
    Ok(kept)
}

/// The digests' files of a folder, by name; none where there is no folder.
fn json_files(folder: &Path) -> Result<BTreeSet<PathBuf>, AnchorError> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = BTreeSet::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.insert(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<SignedDigest, AnchorError> {
    serde_json::from_slice(&std::fs::read(path)?).map_err(|_| AnchorError::Unreadable(path.display().to_string()))
}
