//! The record of what was committed: put once, never changed, kept by day. It names nobody: the patient
//! stands under an alias, and everything else of theirs under marks that are keyed with it.

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::consent::Wish;
use retorno_domain::conversation::Say;
use retorno_domain::ids::{EnrollmentId, MessageId};

use super::TenantStore;
use super::alias::Alias;
use super::answer::AnswerClaim;
use super::commit::Claim;
use super::how::{is_said_by_its_source, source};
use super::item::{Item, Reader, ms, n, s};
use super::key::{AUDIT_SHARDS, Keys};
use super::stranger_answer::StrangerClaim;
use super::turn::ConsentRecord;
use crate::error::CloudError;

/// That a message was committed to be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commitment {
    /// When.
    pub at: DateTime<Utc>,
    /// To whom, by the name that stands with the patient.
    pub who: String,
    /// Which message, by its mark.
    pub message: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// By which channel.
    pub channel: Channel,
}

impl Alias {
    /// The mark of a message or an answer.
    #[must_use]
    pub fn message(&self, id: MessageId) -> String {
        self.mark("message", &id.to_string())
    }

    fn enrollment(&self, id: EnrollmentId) -> String {
        self.mark("enrollment", &id.to_string())
    }

    fn contact(&self, hash: &str) -> String {
        self.mark("contact", hash)
    }

    /// Keyed as well: a text names the person, and could be guessed from its plain hash.
    fn text(&self, text: &str) -> String {
        self.mark("text", text)
    }
}

/// The record of a claim: which message, on whose consent, with which text (as a hash), when.
pub(super) fn audit_item(keys: &Keys<'_>, alias: &Alias, claim: &Claim<'_>) -> Item {
    let intent = claim.message.intent();
    let zone = claim.patient.patient.profile.zone;
    let local = claim.now.with_timezone(&zone);
    let message = alias.message(intent.message);
    let sk = format!("{:015}#{message}#{}", claim.now.timestamp_millis(), claim.attempt);
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("send.committed")),
        ("message", s(message)),
        ("enr", s(alias.enrollment(claim.next.id))),
        ("att", n(claim.attempt)),
        ("who", s(alias.name())),
        ("cp", s(alias.contact(claim.contact))),
        ("channel", s(intent.channel.code())),
        ("purpose", s(intent.purpose.code())),
        ("consent_on", s(claim.message.consent_given_on().to_string())),
        ("tmpl", s(claim.template.0)),
        ("tmpl_v", n(claim.template.1)),
        ("text", s(alias.text(&claim.message.rendered().text))),
        ("local", s(local.to_rfc3339_opts(chrono::SecondsFormat::Secs, false))),
        ("tz", s(format!("{} {}", zone.name(), chrono_tz::IANA_TZDB_VERSION))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The record of an answer's claim.
pub(super) fn answer_audit_item(keys: &Keys<'_>, alias: &Alias, claim: &AnswerClaim<'_>, attempt: u32) -> Item {
    let answer = &claim.stored.answer;
    let message = alias.message(answer.id);
    let sk = format!("{:015}#{message}#{attempt}", claim.now.timestamp_millis());
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("answer.committed")),
        ("message", s(message)),
        ("att", n(attempt)),
        ("who", s(alias.name())),
        ("cp", s(alias.contact(claim.contact))),
        ("channel", s(answer.channel.code())),
        ("say", s(answer.say.map_or("staff", Say::code))),
        ("text", s(alias.text(claim.text))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The record of the claim of an answer to somebody who is not on record: the alias is the answer's own, so
/// that it goes with it.
pub(super) fn stranger_audit_item(keys: &Keys<'_>, alias: &Alias, claim: &StrangerClaim<'_>, attempt: u32) -> Item {
    let answer = claim.answer;
    let message = alias.message(answer.id);
    let sk = format!("{:015}#{message}#{attempt}", claim.now.timestamp_millis());
    let mut item = keys.audit(claim.now.date_naive(), sk).item();
    let fields = [
        ("event", s("stranger.committed")),
        ("message", s(message)),
        ("att", n(attempt)),
        ("who", s(alias.name())),
        ("cp", s(alias.contact(claim.contacts.first().map_or("", String::as_str)))),
        ("channel", s(Channel::Whatsapp.code())),
        ("text", s(alias.text(&answer.words.0))),
        ("at", ms(claim.now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The record of a consent given or withdrawn: who, what, when, where, and the mark of the words it was
/// given by, where there are any.
pub(super) fn consent_audit_item(
    keys: &Keys<'_>,
    alias: &Alias,
    event: &str,
    (number, record): (usize, &ConsentRecord<'_>),
    now: DateTime<Utc>,
) -> Item {
    let more = if number == 0 { String::new() } else { format!("#{number}") };
    let event = alias.mark("event", event);
    let sk = format!("{:015}#consent#{event}{more}", now.timestamp_millis());
    let mut item = keys.audit(now.date_naive(), sk).item();
    let channels: Vec<&str> = match record.statement.wish {
        Wish::OptIn(channels) => channels.iter().map(Channel::code).collect(),
        Wish::OptOut => Vec::new(),
    };
    let fields = [
        ("event", s(if channels.is_empty() { "consent.withdrawn" } else { "consent.given" })),
        ("who", s(alias.name())),
        ("on", s(record.statement.on.to_string())),
        ("channels", s(channels.join(","))),
        ("purposes", s(record.statement.purposes.iter().map(Purpose::code).collect::<Vec<_>>().join(","))),
        ("how", s(source(record.how))),
        ("at", ms(now)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    if !is_said_by_its_source(record.how) {
        item.insert("words".to_owned(), s(alias.how(record.how)));
    }
    item
}

/// The record that somebody was erased: under the name that nothing leads to any more, and why.
pub(super) fn erasure_audit_item(
    keys: &Keys<'_>,
    erasure: &str,
    who: Option<&str>,
    reason: &str,
    now: DateTime<Utc>,
) -> Item {
    let mut item = keys.audit(now.date_naive(), format!("{:015}#erased#{erasure}", now.timestamp_millis())).item();
    let fields = [("event", s("patient.erased")), ("reason", s(reason)), ("at", ms(now))];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item.extend(who.map(|who| ("who".to_owned(), s(who))));
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
                    who: reader.text("who")?.to_owned(),
                    message: reader.text("message")?.to_owned(),
                    attempt: reader.number("att")?,
                    channel: reader.parse("channel", |text| text.parse().ok())?,
                });
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
