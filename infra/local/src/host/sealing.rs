//! Sealing on one machine: the key and the digests are files of the system's folder.

use std::path::{Path, PathBuf};

use ledger_sealer::anchor::Anchors;
use ledger_sealer::key::{PUBLIC_KEY_FILE, PublicKey, Signer};
use ledger_sealer::seal::{SealError, Sealed, seal};
use retorno_domain::ids::ClinicId;

use super::{Host, HostError};
use crate::calls::calls_of;

/// The folder of key and digests within a system's.
pub const LEDGER_FOLDER: &str = "ledger";
/// The digests, within that folder.
const DIGESTS: &str = "digests";

/// What seals.
#[derive(Debug)]
pub struct Sealing {
    signer: Signer,
    anchors: Anchors,
    folder: PathBuf,
}

impl Sealing {
    /// Key and digests of a folder; the key is made on first use.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn in_folder(folder: &Path) -> Result<Self, HostError> {
        let signer = Signer::in_folder(folder).map_err(SealError::from)?;
        Ok(Self { signer, anchors: Anchors::Folder(folder.join(DIGESTS)), folder: folder.to_owned() })
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    /// The file that holds it.
    #[must_use]
    pub fn public_key_file(&self) -> PathBuf {
        self.folder.join(PUBLIC_KEY_FILE)
    }

    /// The folder of the digests.
    #[must_use]
    pub fn digests(&self) -> PathBuf {
        self.folder.join(DIGESTS)
    }
}

impl Host {
    /// What seals, unless this system forgets everything.
    #[must_use]
    pub fn sealing(&self) -> Option<&Sealing> {
        self.sealing.as_deref()
    }

    /// Seals what a clinic's closed hours hold.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn seal(&self, clinic: &ClinicId) -> Result<Sealed, HostError> {
        let Some(sealing) = self.sealing() else { return Ok(Sealed::default()) };
        let tenant = self.reach.store.of(clinic);
        let sealing = seal(&tenant, &sealing.signer, &sealing.anchors, self.now());
        Ok(calls_of("ledger-sealer", sealing).await?)
    }
}
