//! Sealing what nobody is to read in the table: AES-256-GCM under a key of its own for each thing, derived
//! from the deployment's key and the thing's id.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::error::CloudError;
use crate::secrets::SecretKey;

/// Seals the pieces of one thing. Its id must be derived from all that it says: then no piece is ever sealed
/// twice with another text, and its number is nonce enough under a key that nothing else has.
pub(super) struct Seal {
    key: LessSafeKey,
    id: String,
}

impl Seal {
    /// Of the thing with this id.
    ///
    /// # Errors
    /// [`CloudError::Setup`]: never, with keys of this length.
    pub(super) fn of(deployment: &SecretKey, id: &str) -> Result<Self, CloudError> {
        let key = UnboundKey::new(&AES_256_GCM, &deployment.mac(&[b"sealed parked body", id.as_bytes()]));
        let key = key.map_err(|_| CloudError::Setup("a key for sealing cannot be made".to_owned()))?;
        Ok(Self { key: LessSafeKey::new(key), id: id.to_owned() })
    }

    /// A piece, sealed.
    ///
    /// # Errors
    /// [`CloudError::Permanent`] for a piece of many gigabytes.
    pub(super) fn seal(&self, number: usize, piece: &[u8]) -> Result<Vec<u8>, CloudError> {
        let mut bytes = piece.to_vec();
        let sealed = self.key.seal_in_place_append_tag(nonce(number), Aad::from(&self.id), &mut bytes);
        sealed.map_err(|_| CloudError::Permanent { operation: "seal", code: "too_long".to_owned() })?;
        Ok(bytes)
    }

    /// A piece, opened; nothing when it is not what was sealed under this id and number.
    pub(super) fn open(&self, number: usize, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let opened = self.key.open_in_place(nonce(number), Aad::from(&self.id), &mut bytes).ok()?;
        Some(opened.to_vec())
    }
}

fn nonce(number: usize) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_piece_opens_under_its_own_id_and_number_only() {
        let key = SecretKey::new([7; 32]).unwrap();
        let seal = Seal::of(&key, "one").unwrap();
        let sealed = seal.seal(0, b"PARAR").unwrap();
        assert!(!sealed.windows(5).any(|bytes| bytes == b"PARAR"));
        assert_eq!(seal.open(0, &sealed).unwrap(), b"PARAR");
        assert_eq!(seal.open(1, &sealed), None);
        assert_eq!(Seal::of(&key, "two").unwrap().open(0, &sealed), None);
        assert_eq!(Seal::of(&SecretKey::new([8; 32]).unwrap(), "one").unwrap().open(0, &sealed), None);
    }
}
