//! The guards, and how each is switched off: a part of a condition on the wire, or a rule of the
//! product in a build that lets rules be switched.

use serde_json::Value;

use crate::writes::{kind_of, text};

/// A part of a condition that a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Its name in the report.
    pub name: &'static str,
    /// Of which request, by its label.
    label: &'static str,
    /// Of which part.
    kind: &'static str,
    /// The texts that say it; `*` is the whole condition.
    says: &'static [&'static str],
}

/// A guard that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A condition on the wire.
    Condition(Condition),
    /// A rule of the product: kind and name.
    Rule(&'static str, &'static str),
    /// The client of this sender tries again by itself.
    SenderRetries(&'static str),
}

const STAMPS: &[&str] = &[
    "wa0 = :prev",
    "wa1 = :prev",
    "wa2 = :prev",
    "attribute_not_exists(wa0)",
    "attribute_not_exists(wa1)",
    "attribute_not_exists(wa2)",
];
const MINE: &[&str] = &["wa0 = :mine", "wa1 = :mine", "wa2 = :mine"];
const OPT_OUTS: &[&str] = &[
    "attribute_not_exists(om_whatsapp)",
    "attribute_not_exists(om_email)",
    "attribute_not_exists(om_sms)",
    "attribute_not_exists(om_call)",
    "attribute_not_exists(om_push)",
];

const fn on(name: &'static str, label: &'static str, kind: &'static str, says: &'static [&'static str]) -> Mutant {
    Mutant::Condition(Condition { name, label, kind, says })
}

/// Every guard.
pub const GUARDS: &[Mutant] = &[
    on("claim: message not claimed before", "claim", "message", &["*"]),
    on("claim: enrollment as read", "claim", "enrollment", &["ver = :ver"]),
    on("claim: patient as read", "claim", "patient", &["ver = :ver"]),
    on("claim: nobody sharing the contact opted out by import", "claim", "contact", &["attribute_not_exists(oo_imp)"]),
    on("claim: nobody opted out for the contact", "claim", "contact", OPT_OUTS),
    on("claim: contact's place as read", "claim", "contact", STAMPS),
    on("claim: place in the number's tier free", "claim", "tier", &["*"]),
    on("advance: enrollment as read", "advance", "enrollment", &["ver = :ver"]),
    on("end: enrollment as read", "end", "enrollment", &["ver = :ver"]),
    on("end: patient in this enrollment", "end", "patient", &["seq = :e"]),
    on("take back: message still in flight", "take_back", "message", &["*"]),
    on("take back: enrollment as claimed", "take_back", "enrollment", &["ver = :ver"]),
    on("outcome: of this attempt, and still open", "update message outcome", "message", &["*"]),
    on("age: message still stands as read", "update message age", "message", &["*"]),
    on("enroll: seat free", "enroll", "seat", &["*"]),
    on("enroll: enrollment new", "enroll", "enrollment", &["*"]),
    on("enroll: patient as read", "enroll", "patient", &["ver = :v"]),
    on("enroll: contact free", "enroll", "contact", &["*"]),
    on("import: patient as read", "PutItem patient", "patient", &["ver = :v"]),
    on("import: a new patient is new", "PutItem patient", "patient", &["attribute_not_exists(pk)"]),
    on("standing: patient as read", "update patient standing", "patient", &["ver = :v"]),
    on("import: one at a time", "PutItem lease", "lease", &["*"]),
    on("turn: the event is new", "turn", "event", &["*"]),
    on("turn: the slot is free", "turn", "slot", &["*"]),
    on("turn: patient as read", "turn", "patient", &["ver = :ver"]),
    on("turn: conversation as read", "turn", "conversation", &["*"]),
    on("hold: the slot is free", "hold", "slot", &["*"]),
    on("say: answer not claimed before", "say", "answer", &["*"]),
    on("say: nobody opted out for the contact", "say", "contact", &["*"]),
    on("settle: fate not known", "update message settled", "message", &["*"]),
    Mutant::Rule("say", "window"),
    Mutant::Rule("say", "hours"),
    Mutant::Rule("say", "call_in_time"),
    Mutant::Rule("say", "settings_fresh"),
    Mutant::Rule("step", "opt_out"),
    Mutant::Rule("step", "shared_opt_out"),
    Mutant::Rule("step", "consent"),
    Mutant::Rule("step", "open_appointment"),
    Mutant::Rule("step", "person_cap"),
    Mutant::Rule("step", "contact_cap"),
    Mutant::Rule("step", "per_day"),
    Mutant::Rule("step", "hours"),
    Mutant::Rule("step", "running"),
    Mutant::Rule("step", "paused"),
    Mutant::Rule("step", "delay"),
    Mutant::Rule("step", "number_tier"),
    Mutant::Rule("limit", "window"),
    Mutant::Rule("limit", "rest"),
    Mutant::Rule("hours", "patients_zone"),
    Mutant::Rule("hours", "holidays"),
    Mutant::Rule("hours", "closures"),
    Mutant::Rule("send", "claim_before"),
    Mutant::Rule("send", "call_in_time"),
    Mutant::Rule("send", "settings_fresh"),
    Mutant::Rule("send", "unknown_is_not_sent_again"),
    Mutant::SenderRetries("e-mail"),
    Mutant::SenderRetries("text messages"),
];

/// Conditions that another one implies as long as that one stands, and which: a second line, whose
/// absence alone nothing can show.
pub const SECOND_LINES: &[(Mutant, &str)] = &[
    (on("claim: patient in this enrollment", "claim", "patient", &["seq = :e"]), "claim: patient as read"),
    (
        on("claim: contact not resting", "claim", "contact", &["(attribute_not_exists(rest) OR rest <= :now)"]),
        "claim: contact's place as read",
    ),
    (
        on("take back: patient's last message is this one", "take_back", "patient", &["*"]),
        "take back: enrollment as claimed",
    ),
    (on("take back: contact's place is this one's", "take_back", "contact", MINE), "take back: enrollment as claimed"),
    (
        on("enroll: patient in no sequence", "enroll", "patient", &["attribute_not_exists(seq)"]),
        "enroll: patient as read",
    ),
];

impl Mutant {
    /// Its name in the report.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Condition(condition) => condition.name.to_owned(),
            Self::Rule(kind, name) => format!("{kind}: {}", name.replace('_', " ")),
            Self::SenderRetries(of) => format!("send: the client does not retry by itself ({of})"),
        }
    }

    /// The request without the condition that is switched off; it still uses every value.
    #[must_use]
    pub fn rewritten(self, label: &str, body: Vec<u8>) -> Vec<u8> {
        let Self::Condition(condition) = self else { return body };
        if label != condition.label {
            return body;
        }
        let Ok(mut request) = serde_json::from_slice::<Value>(&body) else { return body };
        match request.get_mut("TransactItems").and_then(Value::as_array_mut) {
            Some(parts) => {
                let writes = parts.iter_mut().filter_map(Value::as_object_mut).flat_map(|part| part.values_mut());
                writes.for_each(|write| condition.leave_out(write));
            }
            None => condition.leave_out(&mut request),
        }
        serde_json::to_vec(&request).unwrap_or(body)
    }
}

impl Condition {
    fn leave_out(&self, write: &mut Value) {
        let key = write.get("Key").or_else(|| write.get("Item")).and_then(Value::as_object);
        let kind = key.map(|key| kind_of(text(key, "pk").unwrap_or(""), text(key, "sk").unwrap_or("")));
        if kind != Some(self.kind) {
            return;
        }
        let Some(Value::String(said)) = write.get_mut("ConditionExpression") else { return };
        let always = |part: &str| format!("({part} OR attribute_exists(pk) OR attribute_not_exists(pk))");
        if self.says == ["*"] {
            *said = always(said);
            return;
        }
        for part in self.says {
            *said = said.replace(part, &always(part));
        }
    }
}

/// Switches a rule of the product off in this thread, where the build allows it; says whether it did.
#[must_use]
pub fn switch(mutant: Option<Mutant>) -> bool {
    #[cfg(feature = "switchable-guards")]
    {
        retorno_domain::guard::switch_off(match mutant {
            Some(Mutant::Rule(kind, name)) => Some((kind, name)),
            Some(Mutant::Condition(_) | Mutant::SenderRetries(_)) | None => None,
        });
        true
    }
    #[cfg(not(feature = "switchable-guards"))]
    {
        !matches!(mutant, Some(Mutant::Rule(..)))
    }
}
