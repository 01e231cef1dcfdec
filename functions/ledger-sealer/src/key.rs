//! The key that signs: in KMS in the cloud, in a file on one machine. Both sign alike (ECDSA, P-256,
//! SHA-256), so that there is one way to verify.

use std::path::Path;

use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use retorno_cloud::secrets::hex;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use sha2::{Digest as _, Sha256};

use crate::digest::{Digest, SignedDigest};

/// How the public half of a P-256 key begins in DER (SubjectPublicKeyInfo, RFC 5480); the point follows.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// The file of the key on one machine, and that of its public half.
const KEY_FILE: &str = "signing-key.pk8";
/// The public half on one machine.
pub const PUBLIC_KEY_FILE: &str = "public-key.pem";

/// What goes wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a public key of this kind.
    #[error("this is no public key for ECDSA on P-256 in PEM (-----BEGIN PUBLIC KEY-----)")]
    NotAKey,
    /// The key's file cannot be used.
    #[error("the signing key: {0}")]
    File(String),
    /// KMS does not sign.
    #[error("KMS does not sign: {0}")]
    Kms(String),
    /// What is to be signed cannot be written.
    #[error("the digest cannot be written: {0}")]
    Digest(#[from] serde_json::Error),
}

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// From PEM, as `openssl` and KMS's console write it.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let body =
            text.split_once(PEM_BEGIN).and_then(|(_, rest)| rest.split_once(PEM_END)).ok_or(KeyError::NotAKey)?;
        let body: String = body.0.chars().filter(|c| !c.is_whitespace()).collect();
        Self::from_der(&STANDARD.decode(body).map_err(|_| KeyError::NotAKey)?)
    }

    /// From DER, as KMS's `GetPublicKey` answers.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let point = der.strip_prefix(&SPKI_HEAD).filter(|point| point.len() == 65 && point.first() == Some(&4));
        point.map(|point| Self(point.to_vec())).ok_or(KeyError::NotAKey)
    }

    /// As PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode([SPKI_HEAD.as_slice(), &self.0].concat());
        let (first, second) = body.split_at_checked(64).unwrap_or((&body, ""));
        format!("{PEM_BEGIN}\n{first}\n{second}\n{PEM_END}\n")
    }

    /// A short hash of it, by which a digest says who signed it.
    #[must_use]
    pub fn id(&self) -> String {
        let hash = Sha256::digest(&self.0);
        hex(hash.get(..8).unwrap_or(&hash))
    }

    /// Whether a digest's signature is this key's.
    #[must_use]
    pub fn verifies(&self, signed: &SignedDigest) -> bool {
        let (Ok(bytes), Ok(signature)) = (signed.digest.signed_bytes(), STANDARD.decode(&signed.signature)) else {
            return false;
        };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(&bytes, &signature).is_ok()
    }
}

/// Signs digests.
#[derive(Debug)]
pub enum Signer {
    /// A key that never leaves KMS.
    Kms {
        /// The client.
        client: aws_sdk_kms::Client,
        /// Its id or ARN.
        key: String,
        /// Its public half.
        public: PublicKey,
    },
    /// A key in a file of this machine.
    Local {
        /// The key.
        pair: Box<EcdsaKeyPair>,
        /// Its public half.
        public: PublicKey,
    },
}

impl Signer {
    /// A key of KMS (`ECC_NIST_P256`, for signing).
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn kms(client: aws_sdk_kms::Client, key: String) -> Result<Self, KeyError> {
        let answer = client.get_public_key().key_id(&key).send().await.map_err(|e| KeyError::Kms(code_of(&e)))?;
        let der = answer.public_key.ok_or(KeyError::NotAKey)?;
        Ok(Self::Kms { client, key, public: PublicKey::from_der(der.as_ref())? })
    }

    /// The key of a folder, made on first use; its public half is written beside it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn in_folder(folder: &Path) -> Result<Self, KeyError> {
        let file = |e: std::io::Error| KeyError::File(e.to_string());
        std::fs::create_dir_all(folder).map_err(file)?;
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            keep_secret(&path, &Self::new_pkcs8()?).map_err(file)?;
        }
        let signer = Self::from_pkcs8(&std::fs::read(&path).map_err(file)?)?;
        std::fs::write(folder.join(PUBLIC_KEY_FILE), signer.public_key().to_pem()).map_err(file)?;
        Ok(signer)
    }

    /// A new key, as PKCS #8.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn new_pkcs8() -> Result<Vec<u8>, KeyError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        made.map(|document| document.as_ref().to_vec()).map_err(|_| KeyError::File("no random numbers".to_owned()))
    }

    /// A key of this machine, from PKCS #8.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &SystemRandom::new());
        let pair = pair.map_err(|e| KeyError::File(e.to_string()))?;
        let public = PublicKey(pair.public_key().as_ref().to_vec());
        Ok(Self::Local { pair: Box::new(pair), public })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Kms { public, .. } | Self::Local { public, .. } => public,
        }
    }

    /// Signs a digest, which must name this key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn sign(&self, digest: Digest) -> Result<SignedDigest, KeyError> {
        let bytes = digest.signed_bytes()?;
        let signature = match self {
            Self::Kms { client, key, .. } => {
                let call = client.sign().key_id(key).message_type(MessageType::Digest);
                let call = call.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
                let call = call.message(Blob::new(Sha256::digest(&bytes).to_vec()));
                let answer = call.send().await.map_err(|e| KeyError::Kms(code_of(&e)))?;
                answer.signature.ok_or_else(|| KeyError::Kms("no signature".to_owned()))?.into_inner()
            }
            Self::Local { pair, .. } => {
                let signed = pair.sign(&SystemRandom::new(), &bytes);
                signed.map_err(|_| KeyError::File("it does not sign".to_owned()))?.as_ref().to_vec()
            }
        };
        Ok(SignedDigest { digest, signature: STANDARD.encode(signature) })
    }
}

fn code_of(error: &impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or("no answer").to_owned()
}

/// Whole or not at all, and for its owner only.
fn keep_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o600))?;
    }
    std::fs::rename(&part, path)
}
