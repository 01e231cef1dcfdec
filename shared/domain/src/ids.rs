//! Identifiers. Each is parsed once at the edge and then trusted; none holds personal data that we
//! made, but a patient id comes from the clinic's own system and is treated as text to be escaped.

use std::fmt;

use uuid::Uuid;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// The text is empty.
    #[error("the identifier is empty")]
    Empty,
    /// The text is longer than the limit, in characters.
    #[error("the identifier has more than {0} characters")]
    TooLong(usize),
    /// A character is not allowed there (position counted from 1, in characters).
    #[error("character {0} of the identifier is not allowed")]
    Character(usize),
}

fn checked(text: &str, longest: usize, allowed: fn(char) -> bool) -> Result<String, BadId> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadId::Empty);
    }
    if text.chars().count() > longest {
        return Err(BadId::TooLong(longest));
    }
    match text.chars().position(|c| !allowed(c)) {
        Some(at) => Err(BadId::Character(at + 1)),
        None => Ok(text.to_owned()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $longest:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text; surrounding white space is dropped.
            ///
            /// # Errors
            /// [`BadId`] when it is empty, too long or has a character that is not allowed.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                checked(text, $longest, $allowed).map(Self)
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }
    };
}

fn slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn printable(c: char) -> bool {
    !c.is_control()
}

text_id!(
    /// The tenant: a clinic of this deployment, `[a-z0-9-]`, at most 40 characters.
    ClinicId,
    40,
    slug
);
text_id!(
    /// A patient, as the clinic's system names them (`paciente_id`), at most 128 characters.
    PatientId,
    128,
    printable
);
text_id!(
    /// An appointment, as the clinic's system names it (`id_cita`), at most 128 characters.
    AppointmentId,
    128,
    printable
);
text_id!(
    /// A segment, e.g. `preventivo-6-12m`.
    SegmentId,
    40,
    slug
);
text_id!(
    /// A flow, e.g. `reactivacion`.
    FlowId,
    40,
    slug
);
text_id!(
    /// A step of a flow, e.g. `d1`.
    StepId,
    40,
    slug
);

/// The namespace of every identifier that we derive, so that the same facts give the same id.
const NAMESPACE: Uuid = Uuid::from_u128(0x5265_746f_726e_6f00_9a1b_2c3d_4e5f_6071);

fn derived(parts: &[&str]) -> Uuid {
    // The separator cannot occur in a part: parsed ids hold no control characters.
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}

macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Reads an id that was stored.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }

            /// The id as a number, for stable choices such as a place in the day.
            #[must_use]
            pub fn as_u128(&self) -> u128 {
                self.0.as_u128()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.simple())
            }
        }
    };
}

derived_id!(
    /// One patient's passage through one flow.
    EnrollmentId
);
derived_id!(
    /// One message or call task: one step of one enrollment.
    MessageId
);

impl EnrollmentId {
    /// The id of the enrollment of this patient in this segment that was opened on this date.
    #[must_use]
    pub fn of(clinic: &ClinicId, patient: &PatientId, segment: &SegmentId, opened_on: chrono::NaiveDate) -> Self {
        Self(derived(&["enrollment", clinic.as_str(), patient.as_str(), segment.as_str(), &opened_on.to_string()]))
    }
}

impl MessageId {
    /// No message: of a link that stood in none.
    pub const NONE: Self = Self(Uuid::nil());

    /// The id of the message of one step of an enrollment.
    #[must_use]
    pub fn of(enrollment: EnrollmentId, step: &StepId) -> Self {
        Self(derived(&["message", &enrollment.to_string(), step.as_str()]))
    }

    /// The id of the answer to an event of a patient's, by the event's name.
    #[must_use]
    pub fn answering(clinic: &ClinicId, patient: &PatientId, event: &str) -> Self {
        Self(derived(&["answer", clinic.as_str(), patient.as_str(), event]))
    }

    /// The id of a test message to staff, by the name of the event that asked for it.
    #[must_use]
    pub fn testing(clinic: &ClinicId, event: &str) -> Self {
        Self(derived(&["test", clinic.as_str(), event]))
    }

    /// The id of what staff answers somebody who is not on record, by the name of the event.
    #[must_use]
    pub fn to_stranger(clinic: &ClinicId, event: &str) -> Self {
        Self(derived(&["stranger", clinic.as_str(), event]))
    }
}

/// What the numbers of visits booked through us begin with.
const OURS: &str = "retorno-";

impl AppointmentId {
    /// Our number for a visit that a patient books by an event: the same event, the same number.
    #[must_use]
    pub fn booked(clinic: &ClinicId, patient: &PatientId, event: &str) -> Self {
        Self(format!("{OURS}{}", derived(&["booking", clinic.as_str(), patient.as_str(), event]).simple()))
    }

    /// Whether it is ours, and the clinic's system has not given the visit a number of its own yet.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(OURS)
    }
}

/// What the numbers of the slots of one person's timetable begin with, by their name: the same name,
/// the same mark, and no name in a slot's number.
pub(crate) fn timetable_mark(professional: &str) -> String {
    let mark = derived(&["timetable", professional]).simple().to_string();
    format!("t{}", mark.get(..10).unwrap_or(&mark))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ids_refuse_what_would_break_a_key() {
        assert_eq!(ClinicId::parse(""), Err(BadId::Empty));
        assert_eq!(ClinicId::parse("Aurora"), Err(BadId::Character(1)));
        assert_eq!(ClinicId::parse(&"a".repeat(41)), Err(BadId::TooLong(40)));
        assert_eq!(PatientId::parse("12\u{7}3"), Err(BadId::Character(3)));
        assert_eq!(PatientId::parse(" 123 ").unwrap().as_str(), "123");
    }

    #[test]
    fn the_same_facts_give_the_same_id_and_others_another() {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let id = |clinic: &str, patient: &str| {
            EnrollmentId::of(
                &ClinicId::parse(clinic).unwrap(),
                &PatientId::parse(patient).unwrap(),
                &SegmentId::parse("posproc").unwrap(),
                day,
            )
        };
        assert_eq!(id("a", "1"), id("a", "1"));
        assert_ne!(id("a", "1"), id("b", "1"), "two clinics with the same patient id share nothing");
        let d1 = MessageId::of(id("a", "1"), &StepId::parse("d1").unwrap());
        assert_ne!(d1, MessageId::of(id("a", "1"), &StepId::parse("d3").unwrap()));
        assert_eq!(MessageId::parse(&d1.to_string()), Some(d1));
    }
}
