//! A signature held against the certificate of SNS.
//!
//! The certificate is believed because it was fetched over TLS from the host of SNS; that its name
//! is that of SNS is held once more. Its dates are not looked at: the message's own instant is, and
//! SNS replaces certificates by giving other addresses.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::Unverified;

/// The name that SNS has in its certificates; in some regions it is the host's.
const NAME: &str = "sns.amazonaws.com";
/// Largest certificate looked at.
const PEM_BYTES_MAX: usize = 64 * 1024;

/// Whether the certificate is of SNS and its key (RSA, at least 2048 bits) signed the text (PKCS #1
/// v1.5 with SHA-256).
pub(super) fn verify(pem: &[u8], host: &str, text: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(Unverified::Malformed);
    }
    let der = CertificateDer::from_pem_slice(pem).map_err(|_| Unverified::Malformed)?;
    let certificate = EndEntityCert::try_from(&der).map_err(|_| Unverified::Malformed)?;
    let is_for = |name: &str| {
        ServerName::try_from(name).is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
    };
    if !is_for(NAME) && !is_for(host) {
        return Err(Unverified::NotListed);
    }
    let fits = certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, text, signature);
    fits.map_err(|_| Unverified::Mismatch)
}
