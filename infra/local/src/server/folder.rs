//! The folder that holds a running system: the two databases, the seed of its keys, its clock, the
//! list of its clinics, and the lock that keeps a second process out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use retorno_domain::ids::ClinicId;
use serde::{Deserialize, Serialize};

use crate::host::HostError;

const SEED_BYTES: usize = 48;

/// An open folder. The lock is held as long as this lives, and the system frees it however the
/// process ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// A clinic of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its id.
    pub(crate) id: String,
    /// When it was added, on the system's clock.
    pub(crate) since: DateTime<Utc>,
}

/// Nothing runs over a folder.
#[derive(Debug, thiserror::Error)]
#[error("Retorno is not running over {0}: start it with `retorno`")]
pub struct NotRunning(String);

impl DataFolder {
    /// Opens or creates a folder, which only its owner may read: it holds patients' data.
    ///
    /// # Errors
    /// [`HostError::User`] when another process uses it; [`HostError::Io`].
    pub fn open(path: &Path) -> Result<Self, HostError> {
        create_private(path).map_err(|error| io("cannot create the folder", path, error))?;
        let lock = lock_file(path).map_err(|error| io("cannot open the lock of", path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let what = format!(
                    "{} is in use by another process; stop that one, or give another folder with --data",
                    path.display()
                );
                return Err(HostError::User(what));
            }
            Err(TryLockError::Error(error)) => return Err(io("cannot lock", path, error)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.remove_address();
        // Uploads that a killed process left half way.
        let _ = std::fs::remove_dir_all(folder.uploads());
        Ok(folder)
    }

    /// Where the system that runs over a folder listens.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn address(path: &Path) -> Result<String, NotRunning> {
        let not_running = || NotRunning(path.display().to_string());
        let address = std::fs::read_to_string(path.join("address")).map_err(|_| not_running())?;
        // The file outlives a killed process; the lock does not.
        match lock_file(path).map(|lock| lock.try_lock().is_err()) {
            Ok(true) => Ok(address.trim().to_owned()),
            Ok(false) | Err(_) => Err(not_running()),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where files that are being uploaded stand.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.path.join("uploads")
    }

    pub(crate) fn write_address(&self, url: &str) -> Result<(), HostError> {
        write_whole(&self.path.join("address"), url.as_bytes())
    }

    pub(crate) fn remove_address(&self) {
        let _ = std::fs::remove_file(self.path.join("address"));
    }

    /// The seed of this system's keys: random, made on the first start, kept since.
    pub(crate) fn seed(&self) -> Result<Vec<u8>, HostError> {
        let path = self.path.join("seed");
        match std::fs::read(&path) {
            Ok(seed) => return Ok(seed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(io("cannot read", &path, error)),
        }
        let mut seed = vec![0; SEED_BYTES];
        getrandom::fill(&mut seed).map_err(|error| HostError::User(format!("no randomness for the keys: {error}")))?;
        write_whole(&path, &seed)?;
        Ok(seed)
    }

    pub(crate) fn clinics(&self) -> Result<Vec<Listed>, HostError> {
        Ok(self.read_json("clinics.json")?.unwrap_or_default())
    }

    pub(crate) fn list_clinic(&self, id: &ClinicId, since: DateTime<Utc>) -> Result<(), HostError> {
        let mut clinics = self.clinics()?;
        if !clinics.iter().any(|listed| listed.id == id.as_str()) {
            clinics.push(Listed { id: id.to_string(), since });
            self.write_json("clinics.json", &clinics)?;
        }
        Ok(())
    }

    pub(crate) fn read_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, HostError> {
        read_json(&self.path.join(name))
    }

    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), HostError> {
        write_json(&self.path.join(name), value)
    }
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, HostError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| HostError::User(format!("{} is not as it was written: {error}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("cannot read", path, error)),
    }
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), HostError> {
    let bytes = serde_json::to_vec(value).map_err(|error| HostError::User(error.to_string()))?;
    write_whole(path, &bytes)
}

/// Writes a file that is there whole or not at all, readable by its owner only.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&fresh)?.write_all(bytes)?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(|error| io("cannot write", path, error))
}

fn lock_file(folder: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock"))
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub(super) fn io(what: &str, path: &Path, error: std::io::Error) -> HostError {
    HostError::Io { what: format!("{what} {}", path.display()), error }
}
