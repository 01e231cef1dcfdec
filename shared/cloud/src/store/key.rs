//! Keys. Every partition key begins with `T#<clinic>`; this is the only place that builds one.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use retorno_domain::calendar::IsoWeek;
use retorno_domain::ids::{AppointmentId, ClinicId, EnrollmentId, MessageId, PatientId, SegmentId};

use super::item::Item;

/// Shards of the keys under which things become due: a first import makes everyone due at once, and
/// one partition takes 1,000 writes a second.
pub(crate) const DUE_SHARDS: u8 = 16;
/// Shards of the key under which enrollments wait to be looked at again.
pub(crate) const WAKE_SHARDS: u8 = 4;
/// Shards of a day's audit records.
pub(crate) const AUDIT_SHARDS: u8 = 4;

/// Sort keys of templates begin with this.
pub(crate) const TEMPLATE_SK: &str = "TEMPLATE#";
/// Among the words of strangers, which begin with their instant: what staff did about a number.
pub(crate) const STRANGER_HEAD_SK: &str = "N#";
/// Among the words of strangers: what they were answered.
pub(crate) const STRANGER_ANSWER_SK: &str = "A#";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn item(&self) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// Text of the clinic's own within a key: the separator and the escape sign are escaped.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('#', "%23")
}

/// The patient whose partition a key is of.
pub(crate) fn patient_of_pk(pk: &str) -> Option<PatientId> {
    unescaped(pk.split_once("#P#")?.1)
}

/// The patient whose id, escaped, is the text.
pub(crate) fn unescaped(text: &str) -> Option<PatientId> {
    PatientId::parse(&text.replace("%23", "#").replace("%25", "%")).ok()
}

/// A stable shard of a text.
pub(crate) fn shard(text: &str, shards: u8) -> u8 {
    // FNV-1a: spreads well enough, and must never change.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u8::try_from(hash % u32::from(shards.max(1))).unwrap_or(0)
}

/// Builds the keys of one clinic.
pub(crate) struct Keys<'a>(pub(crate) &'a ClinicId);

impl Keys<'_> {
    fn key(&self, rest: &str, sk: impl Into<String>) -> Key {
        Key { pk: format!("T#{}{rest}", self.0), sk: sk.into() }
    }

    /// The clinic's own items. Their partition key ends where others go on, so that a role can be given
    /// them and nothing else: in a policy `T#*#` is these, and `T#*#P#*` patients.
    pub(crate) fn clinic(&self, sk: &str) -> Key {
        self.key("#", sk)
    }

    pub(crate) fn patient_pk(&self, patient: &PatientId) -> String {
        format!("T#{}#P#{}", self.0, escaped(patient.as_str()))
    }

    pub(crate) fn patient(&self, patient: &PatientId) -> Key {
        Key { pk: self.patient_pk(patient), sk: "PATIENT".to_owned() }
    }

    pub(crate) fn enrollment(&self, patient: &PatientId, id: EnrollmentId) -> Key {
        Key { pk: self.patient_pk(patient), sk: format!("E#{id}") }
    }

    pub(crate) fn message(&self, patient: &PatientId, id: MessageId) -> Key {
        Key { pk: self.patient_pk(patient), sk: format!("M#{id}") }
    }

    pub(crate) fn conversation(&self, patient: &PatientId) -> Key {
        Key { pk: self.patient_pk(patient), sk: "CONVERSATION".to_owned() }
    }

    /// Something that the patient said; by instant, then by the event that brought it.
    pub(crate) fn heard(&self, patient: &PatientId, at: DateTime<Utc>, event: &str) -> Key {
        let sk = format!("I#{:015}#{event}", at.timestamp_millis());
        Key { pk: self.patient_pk(patient), sk }
    }

    /// By which words the consents of an event were given.
    pub(crate) fn how(&self, patient: &PatientId, at: DateTime<Utc>, event: &str) -> Key {
        let sk = format!("{}{:015}#{event}", super::how::HOW_SK, at.timestamp_millis());
        Key { pk: self.patient_pk(patient), sk }
    }

    pub(crate) fn answer(&self, patient: &PatientId, id: MessageId) -> Key {
        Key { pk: self.patient_pk(patient), sk: format!("A#{id}") }
    }

    /// Under which name the patient stands in the audit records.
    pub(crate) fn alias(&self, patient: &PatientId) -> Key {
        Key { pk: self.patient_pk(patient), sk: super::alias::ALIAS_SK.to_owned() }
    }

    /// Under this the patient of that name is found.
    pub(crate) fn alias_pk(&self, name: &str) -> String {
        format!("T#{}#WHO#{name}", self.0)
    }

    /// How a patient found the visit that a message asked about.
    pub(crate) fn survey(&self, patient: &PatientId, id: MessageId) -> Key {
        Key { pk: self.patient_pk(patient), sk: format!("SURVEY#{id}") }
    }

    pub(crate) fn agreements_pk(&self) -> String {
        format!("T#{}#AGREED", self.0)
    }

    /// That an event was taken in; by a hash of the name its sender gave it.
    pub(crate) fn event(&self, hash: &str) -> Key {
        self.key(&format!("#EVENT#{hash}"), "EVENT")
    }

    /// A visit booked through us.
    pub(crate) fn booking(&self, start: DateTime<Utc>, id: &AppointmentId) -> Key {
        Key { pk: self.agenda_pk(), sk: format!("{:015}#{id}", start.timestamp_millis()) }
    }

    pub(crate) fn agenda_pk(&self) -> String {
        format!("T#{}#AGENDA", self.0)
    }

    pub(crate) fn waitlist_pk(&self) -> String {
        format!("T#{}#WAITLIST", self.0)
    }

    pub(crate) fn waiting(&self, patient: &PatientId) -> Key {
        Key { pk: self.waitlist_pk(), sk: escaped(patient.as_str()) }
    }

    pub(crate) fn inbox_pk(&self) -> String {
        format!("T#{}#INBOX", self.0)
    }

    pub(crate) fn open_answers_pk(&self) -> String {
        format!("T#{}#SAYING", self.0)
    }

    /// Under this the patients of a phone are found, by its hash.
    pub(crate) fn phone_pk(&self, hash: &str) -> String {
        format!("T#{}#PHONE#{hash}", self.0)
    }

    /// Under this the patient of a message is found.
    pub(crate) fn message_pk(&self, id: MessageId) -> String {
        format!("T#{}#MESSAGE#{id}", self.0)
    }

    pub(crate) fn user(&self, hash: &str) -> Key {
        self.key(&format!("#USER#{hash}"), "USER")
    }

    pub(crate) fn news(&self, of: &str) -> Key {
        self.key("#NEWS", of)
    }

    /// What is known of an account at Meta and its templates.
    pub(crate) fn templates_pk(&self, account: &str) -> String {
        format!("T#{}#TEMPLATES#{account}", self.0)
    }

    pub(crate) fn account(&self, account: &str) -> Key {
        Key { pk: self.templates_pk(account), sk: "ACCOUNT".to_owned() }
    }

    pub(crate) fn template(&self, account: &str, name: &str, language: &str) -> Key {
        Key { pk: self.templates_pk(account), sk: format!("{TEMPLATE_SK}{}#{}", escaped(name), escaped(language)) }
    }

    pub(crate) fn strangers_pk(&self) -> String {
        format!("T#{}#STRANGERS", self.0)
    }

    pub(crate) fn stranger(&self, at: DateTime<Utc>, event: &str) -> Key {
        Key { pk: self.strangers_pk(), sk: format!("{:015}#{event}", at.timestamp_millis()) }
    }

    /// What staff did about a number that is nobody's.
    pub(crate) fn stranger_head(&self, who: &str) -> Key {
        Key { pk: self.strangers_pk(), sk: format!("{STRANGER_HEAD_SK}{who}") }
    }

    /// What staff answered somebody who is not on record.
    pub(crate) fn stranger_answer(&self, id: MessageId) -> Key {
        Key { pk: self.strangers_pk(), sk: format!("{STRANGER_ANSWER_SK}{id}") }
    }

    /// The code that links the telephone of the clinic's gateway.
    pub(crate) fn link_code(&self) -> Key {
        self.key("#LINK", "CODE")
    }

    /// What went out under an id of a gateway's, by its hash.
    pub(crate) fn sent(&self, hash: &str) -> Key {
        self.key(&format!("#SENT#{hash}"), "SENT")
    }

    /// A test message to staff.
    pub(crate) fn test(&self, place: &str) -> Key {
        self.key("#TESTS", place)
    }

    /// A browser of staff's.
    pub(crate) fn browser(&self, id: &str) -> Key {
        self.key("#BROWSERS", id)
    }

    /// That an alert went out.
    pub(crate) fn alert(&self, hash: &str) -> Key {
        self.key(&format!("#ALERT#{hash}"), "ALERT")
    }

    pub(crate) fn slot(&self, reference: &str) -> Key {
        Key { pk: self.slots_pk(), sk: reference.to_owned() }
    }

    /// Visits still to come that stand in the clinic's own system.
    pub(crate) fn ahead_pk(&self) -> String {
        format!("T#{}#AHEAD", self.0)
    }

    pub(crate) fn ahead(&self, patient: &PatientId) -> Key {
        Key { pk: self.ahead_pk(), sk: escaped(patient.as_str()) }
    }

    pub(crate) fn contact_point(&self, hash: &str) -> Key {
        self.key(&format!("#CP#{hash}"), "CP")
    }

    pub(crate) fn wave_pk(&self, week: IsoWeek) -> String {
        format!("T#{}#WAVE#{week}", self.0)
    }

    pub(crate) fn week(&self, week: IsoWeek) -> Key {
        Key { pk: self.wave_pk(week), sk: "WEEK".to_owned() }
    }

    pub(crate) fn seat(&self, week: IsoWeek, segment: &SegmentId, number: u32) -> Key {
        Key { pk: self.wave_pk(week), sk: format!("SEAT#{segment}#{number:05}") }
    }

    pub(crate) fn tier_pk(&self, number_id: &str) -> String {
        format!("T#{}#TIER#{number_id}", self.0)
    }

    pub(crate) fn tier(&self, number_id: &str, place: u32) -> Key {
        Key { pk: self.tier_pk(number_id), sk: format!("{place:05}") }
    }

    pub(crate) fn slots_pk(&self) -> String {
        format!("T#{}#SLOTS", self.0)
    }

    pub(crate) fn call(&self, message: MessageId) -> Key {
        self.key("#CALLS", message.to_string())
    }

    pub(crate) fn audit(&self, day: chrono::NaiveDate, sk: String) -> Key {
        Key { pk: self.audit_pk(day, shard(&sk, AUDIT_SHARDS)), sk }
    }

    pub(crate) fn audit_pk(&self, day: chrono::NaiveDate, shard: u8) -> String {
        format!("T#{}#AUDIT#{day}#{shard}", self.0)
    }

    /// By what people who were erased are known again.
    pub(crate) fn erased_pk(&self) -> String {
        format!("T#{}#ERASED", self.0)
    }

    /// Erasures under way.
    pub(crate) fn erasing_pk(&self) -> String {
        format!("T#{}#ERASING", self.0)
    }

    pub(crate) fn tombstones_pk(&self) -> String {
        format!("T#{}#TOMBSTONES", self.0)
    }

    pub(crate) fn calls_pk(&self) -> String {
        format!("T#{}#CALLS", self.0)
    }

    /// How far the chain over the audit records is.
    pub(crate) fn ledger_head(&self) -> Key {
        self.key("#LEDGER", "HEAD")
    }

    /// A digest of the chain.
    pub(crate) fn digest(&self, number: u64) -> Key {
        self.key("#LEDGER", format!("D#{number:012}"))
    }

    pub(crate) fn due_pk(&self, shard: u8) -> String {
        format!("T#{}#DUE#{shard:02}", self.0)
    }

    /// Those reached by WhatsApp wait apart from the others: on a day on which the number is full the
    /// others are found all the same.
    pub(crate) fn backlog_pk(&self, segment: &SegmentId, by_whatsapp: bool) -> String {
        format!("T#{}#BACKLOG#{segment}#{}", self.0, if by_whatsapp { 'w' } else { 'e' })
    }

    pub(crate) fn wake_pk(&self, shard: u8) -> String {
        format!("T#{}#WAKE#{shard:02}", self.0)
    }

    pub(crate) fn open_messages_pk(&self) -> String {
        format!("T#{}#OPEN", self.0)
    }

    pub(crate) fn suppressed_pk(&self) -> String {
        format!("T#{}#SUPPRESSED", self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_patients_id_cannot_leave_its_place_in_the_key() {
        let clinic = ClinicId::parse("aurora").unwrap();
        let key = |id: &str| Keys(&clinic).patient(&PatientId::parse(id).unwrap()).pk;
        assert_eq!(key("7#8%"), "T#aurora#P#7%238%25");
        assert_ne!(key("7#8"), key("7%238"));
    }

    #[test]
    fn shards_are_spread_and_stable() {
        let mut seen = [0u32; DUE_SHARDS as usize];
        for n in 0..16_000 {
            let at = usize::from(shard(&n.to_string(), DUE_SHARDS));
            *seen.get_mut(at).unwrap() += 1;
        }
        assert!(seen.iter().all(|n| (600..1_400).contains(n)), "{seen:?}");
        assert_eq!(shard("07601", 16), shard("07601", 16));
    }
}
