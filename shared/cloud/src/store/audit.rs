//! The record of what was committed: put once, never changed, kept by day.

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::ids::{EnrollmentId, MessageId, PatientId};
use sha2::{Digest, Sha256};

use super::TenantStore;
use super::commit::Claim;
use super::item::{Item, Reader, ms, n, s};
use super::key::{AUDIT_SHARDS, Keys};
use crate::error::CloudError;
use crate::secrets::hex;

/// That a message was committed to be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commitment {
    /// When.
    pub at: DateTime<Utc>,
    /// Which message.
    pub message: MessageId,
    /// To whom.
    pub patient: PatientId,
    /// In which enrollment.
    pub enrollment: EnrollmentId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

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
        ("enr", s(claim.next.id.to_string())),
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

impl TenantStore {
    /// What was committed on a day (of UTC), in the order of time.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn commitments(&self, day: NaiveDate) -> Result<Vec<Commitment>, CloudError> {
        let mut found = Vec::new();
        for shard in 0..AUDIT_SHARDS {
            for item in self.query_partition(Keys(&self.clinic).audit_pk(day, shard), None).await? {
                let reader = Reader { kind: "audit record", item: &item };
                found.push(Commitment {
                    at: reader.instant("at")?,
                    message: reader.parse("message", MessageId::parse)?,
                    patient: reader.parse("patient", |text| PatientId::parse(text).ok())?,
                    enrollment: reader.parse("enr", EnrollmentId::parse)?,
                    attempt: reader.number("att")?,
                });
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
