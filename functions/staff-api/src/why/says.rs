//! The shape of the answer.

use chrono::NaiveDate;
use retorno_domain::guardian::Through;
use retorno_domain::patient::Patient;
use serde::{Deserialize, Serialize};

use crate::masked;

/// The answer. It holds ids, the names of rules, dates and figures; no contacts or texts, and of names
/// only a minor's guardian's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The clinic.
    pub clinic: String,
    /// The patient.
    pub patient: String,
    /// The instant asked about, with the clinic's offset (RFC 3339).
    pub at: String,
    /// What holds for an instant other than now.
    pub note: Option<String>,
    /// The segment the patient belongs to at that instant.
    pub segment: Option<String>,
    /// Through whom a minor is contacted then; nothing for everybody else.
    pub minor: Option<MinorSays>,
    /// Whether the patient could be enrolled then.
    pub eligible: bool,
    /// Each rule of entry, in the order in which they decide.
    pub entry: Vec<RuleSays>,
    /// The sequence that is running.
    pub sequence: Option<SequenceSays>,
    /// Sequences that are over.
    pub past_sequences: Vec<PastSequence>,
    /// Messages sent and steps left out.
    pub messages: Vec<MessageSays>,
    /// The next moment at which the answer may change.
    pub next: NextChange,
}

/// Through whom a minor is contacted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinorSays {
    /// The day on which the person comes of age, by the date of birth on record.
    pub until: String,
    /// The guardian's name; nothing when nobody can be written to.
    pub guardian: Option<String>,
    /// The guardian's phone, all but its last digits hidden.
    pub phone: Option<String>,
    /// The guardian's e-mail address, all but its beginning and its domain hidden.
    pub email: Option<String>,
    /// The columns of the export to fill in, so that somebody can be written to.
    pub fill: Option<String>,
}

impl std::fmt::Debug for MinorSays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MinorSays").field("fill", &self.fill).finish_non_exhaustive()
    }
}

/// Through whom a patient is contacted on a day, if that is a minor.
#[must_use]
pub fn minor(patient: &Patient, today: NaiveDate) -> Option<MinorSays> {
    let until = patient.of_age_on().filter(|day| *day > today)?.to_string();
    let through = patient.through(today);
    let guardian = through.guardian();
    let reached = through.phone().is_some() || through.email().is_some();
    Some(MinorSays {
        until,
        guardian: guardian.and_then(|guardian| guardian.name.as_ref()).map(|name| name.as_str().to_owned()),
        phone: through.phone().map(|phone| masked::phone(&phone.e164)),
        email: through.email().map(masked::email),
        fill: match through {
            Through::Nobody(lacks) => Some(lacks.columns().to_owned()),
            Through::Guardian(_) if !reached => Some("tutor_contacto".to_owned()),
            Through::Guardian(_) | Through::Own(_) => None,
        },
    })
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSays {
    /// The rule, e.g. `open_appointment`.
    pub rule: String,
    /// `pass`, `block`, `wait`, `skip` or `stop`.
    pub verdict: String,
    /// The reason in one word; the rule's own word for a pass.
    pub reason: String,
    /// The figures it saw, as `name=value`.
    pub figures: String,
    /// Until when, where time alone can change it.
    pub until: Option<String>,
    /// Whether it is the first that stands in the way.
    pub decides: bool,
    /// The template at Meta that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateSays>,
}

/// A template that Meta does not let be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSays {
    /// Its name at Meta.
    pub name: String,
    /// Its text, with made-up values.
    pub text: String,
    /// Meta's word for why it was refused, where it gave one.
    pub reason: Option<String>,
    /// What is to be done: `check`, `submit`, `wait`, `resubmit`, `overwrite`, `new_version` or `nothing`.
    pub todo: String,
}

/// A running sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceSays {
    /// The enrollment.
    pub enrollment: String,
    /// As a member of which segment.
    pub segment: String,
    /// The week whose seat it holds.
    pub week: String,
    /// `running`, `closing` or `conversing`.
    pub state: String,
    /// The local date of the first message.
    pub first_sent_on: Option<String>,
    /// The last decision about it, as stored.
    pub because: String,
    /// The step that comes next, or nothing when all are done.
    pub step: Option<StepSays>,
    /// When it is looked at next.
    pub due: Option<String>,
}

/// The next step of a running sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSays {
    /// Its id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// The instant the rules were asked about: when the step is due, or the instant asked about when
    /// that is later.
    pub asked_at: String,
    /// What they say.
    pub rules: Vec<RuleSays>,
}

/// A sequence that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSequence {
    /// The enrollment.
    pub enrollment: String,
    /// As a member of which segment.
    pub segment: String,
    /// The week whose seat it held.
    pub week: String,
    /// Why it ended.
    pub ended: String,
    /// When.
    pub at: String,
    /// The last decision about it, as stored.
    pub because: String,
}

/// A message or a step left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSays {
    /// Its id.
    pub message: String,
    /// Its step.
    pub step: String,
    /// Its channel; empty for a step left out.
    pub channel: String,
    /// Where it stands, e.g. `accepted`, `dropped`.
    pub state: String,
    /// The provider's code, or why the step was left out.
    pub reason: Option<String>,
    /// When it was claimed.
    pub at: Option<String>,
}

/// The next moment at which the answer may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextChange {
    /// The moment (RFC 3339); nothing when only an event can change it: an import, a person's word,
    /// staff, Meta's approval.
    pub at: Option<String>,
    /// The same in words.
    pub words: String,
}
