//! The record of what was committed: put once, never changed, kept by day.

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::consent::Wish;
use retorno_domain::conversation::Say;
use retorno_domain::ids::{EnrollmentId, MessageId, PatientId};
use sha2::{Digest, Sha256};

use super::TenantStore;
use super::answer::AnswerClaim;
use super::commit::Claim;
use super::item::{Item, Reader, ms, n, s};
use super::key::{AUDIT_SHARDS, Keys};
use super::stranger_answer::StrangerClaim;
use super::turn::ConsentRecord;
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

/// The record of an answer's claim.
pub(super) fn answer_audit_item(keys: &Keys<'_>, claim: &AnswerClaim<'_>, attempt: u32) -> Item {
    let answer = &claim.stored.answer;
    let sk = format!("{:015}#{}#{attempt}", claim.now.timestamp_millis(), answer.id);
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("answer.committed")),
        ("message", s(answer.id.to_string())),
        ("att", n(attempt)),
        ("patient", s(claim.patient.as_str())),
        ("cp", s(claim.contact)),
        ("channel", s(answer.channel.code())),
        ("say", s(answer.say.map_or("staff", Say::code))),
        ("text_sha256", s(hex(&Sha256::digest(claim.text.as_bytes())))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The record of the claim of an answer to somebody who is not on record.
pub(super) fn stranger_audit_item(keys: &Keys<'_>, claim: &StrangerClaim<'_>, attempt: u32) -> Item {
    let answer = claim.answer;
    let sk = format!("{:015}#{}#{attempt}", claim.now.timestamp_millis(), answer.id);
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("stranger.committed")),
        ("message", s(answer.id.to_string())),
        ("att", n(attempt)),
        ("cp", s(claim.contacts.first().map_or("", String::as_str))),
        ("channel", s(Channel::Whatsapp.code())),
        ("text_sha256", s(hex(&Sha256::digest(answer.words.0.as_bytes())))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The record of a consent given or withdrawn: who, what, when, where and by which words.
pub(super) fn consent_audit_item(
    keys: &Keys<'_>,
    patient: &PatientId,
    event: &str,
    (number, record): (usize, &ConsentRecord<'_>),
    now: DateTime<Utc>,
) -> Item {
    let more = if number == 0 { String::new() } else { format!("#{number}") };
    let sk = format!("{:015}#consent#{event}{more}", now.timestamp_millis());
    let mut item = keys.audit(now.date_naive(), sk).item();
    let channels: Vec<&str> = match record.statement.wish {
        Wish::OptIn(channels) => channels.iter().map(Channel::code).collect(),
        Wish::OptOut => Vec::new(),
    };
    let fields = [
        ("event", s(if channels.is_empty() { "consent.withdrawn" } else { "consent.given" })),
        ("patient", s(patient.as_str())),
        ("on", s(record.statement.on.to_string())),
        ("channels", s(channels.join(","))),
        ("purposes", s(record.statement.purposes.iter().map(Purpose::code).collect::<Vec<_>>().join(","))),
        ("how", s(record.how)),
        ("at", ms(now)),
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
                if reader.text("event")? != "send.committed" {
                    continue;
                }
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
