//! Where digests are kept outside the table, so that whoever can write the table cannot rewrite what it
//! said: an S3 bucket with Object Lock, on one machine a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::{ByteStream, DateTime as S3Time};
use aws_sdk_s3::types::ObjectLockMode;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::ClinicId;

use crate::digest::SignedDigest;

/// What goes wrong with anchors.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The bucket does not take it.
    #[error("the bucket of digests does not take one: {0}")]
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
                let call = client.put_object().bucket(bucket).key(format!("digests/{name}"));
                let call = call.if_none_match("*").content_type("application/json");
                let call = call.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(until);
                match call.body(ByteStream::from(json.as_bytes().to_vec())).send().await {
                    Ok(_) => Ok(()),
                    Err(e) => match aws_sdk_s3::error::ProvideErrorMetadata::code(&e) {
                        // Kept by a run that died before it noted so; the number is one digest's.
                        Some("PreconditionFailed") => Ok(()),
                        code => Err(AnchorError::Bucket(code.unwrap_or("no answer").to_owned())),
                    },
                }
            }
            Self::Folder(folder) => keep_file(&folder.join(name), json, number),
        }
    }
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
    let files = match std::fs::read_dir(if of_clinic.is_dir() { &of_clinic } else { folder }) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(kept),
        Err(error) => return Err(error.into()),
    };
    for file in files {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let digest: SignedDigest = serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|_| AnchorError::Unreadable(path.display().to_string()))?;
        kept.insert(digest.digest.number, digest);
    }
    Ok(kept)
}
