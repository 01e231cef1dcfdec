//! The record of what was committed: put once, never changed, kept by day.

use sha2::{Digest, Sha256};

use super::commit::Claim;
use super::item::{Item, ms, n, s};
use super::key::Keys;
use crate::secrets::hex;

/// The record of a claim: which message, on whose consent, with which text (as a hash), when.
pub(super) fn audit_item(keys: &Keys<'_>, claim: &Claim<'_>) -> Item {
    let intent = claim.message.intent();
    let zone = claim.patient.patient.profile.zone;
    let local = claim.now.with_timezone(&zone);
    let sk = format!("{:015}#{}#{}", claim.now.timestamp_millis(), intent.message, claim.attempt);
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("send.committed")),
        ("message", s(intent.message.to_string())),
        ("att", n(claim.attempt)),
        ("patient", s(claim.patient.patient.id.as_str())),
        ("cp", s(claim.contact)),
        ("channel", s(intent.channel.code())),
        ("purpose", s(intent.purpose.code())),
        ("consent_on", s(claim.message.consent_given_on().to_string())),
        ("tmpl", s(claim.template.0)),
        ("tmpl_v", n(claim.template.1)),
        ("text_sha256", s(hex(&Sha256::digest(claim.message.rendered().text.as_bytes())))),
        ("local", s(local.to_rfc3339_opts(chrono::SecondsFormat::Secs, false))),
        ("tz", s(format!("{} {}", zone.name(), chrono_tz::IANA_TZDB_VERSION))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}
