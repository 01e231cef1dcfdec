//! A made-up clinic: its settings, its people, what becomes of them, and the exports that tell it.

mod hours;
mod life;
mod minor;
mod settings;

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use minor::{Guardian, Minor};

use crate::agenda::Agenda;
use crate::chance::Chance;

/// Every name, address and free text of a person carries this; it may appear in no log, error or metric.
pub const CANARY: &str = "zorzal";
/// Every phone has these digits among its last eight.
pub const DIGITS: &str = "4777";

/// The channels by their words in an export.
pub const CHANNELS: [&str; 4] = ["whatsapp", "email", "call", "sms"];

/// Country, zone, and the beginning of a mobile number that the numbering plan allows.
const PLACES: [(&str, Tz, &str); 5] = [
    ("AR", chrono_tz::America::Argentina::Buenos_Aires, "+549114777"),
    ("BR", chrono_tz::America::Sao_Paulo, "+551194777"),
    ("ES", chrono_tz::Europe::Madrid, "+34624777"),
    ("CL", chrono_tz::America::Santiago, "+5694777"),
    ("MX", chrono_tz::America::Tijuana, "+526644777"),
];

const HEADER: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
    paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,convenio,origen_lead,\
    consentimiento,actualizado,fecha_nacimiento,tutor_nombre,tutor_contacto,tutor_email";

/// What is true of a person in a version of the clinic's facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// What is known of a minor.
    minor: Option<Minor>,
    /// The phone, E.164 without spaces; of a minor, the guardian's.
    pub phone: Option<String>,
    /// The e-mail address; of a minor, the guardian's.
    pub email: Option<String>,
    /// The channels agreed to; none at all when nobody asked, or after an opt-out.
    pub agreed: BTreeSet<&'static str>,
    /// Whether the last word was an opt-out.
    pub is_out: bool,
    /// The start of an appointment that was not cancelled, in ms.
    pub booked: Option<i64>,
    /// The last day on which the person said something.
    pub(crate) said_on: Option<NaiveDate>,
    /// The zone the person lives in.
    pub zone: Option<Tz>,
    visit_days_ago: u64,
    /// The version of the export in which the person first appears.
    appears: usize,
}

/// Limits that a clinic sets itself.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Marketing WhatsApp messages in a window.
    pub whatsapp_max: usize,
    /// The window, in days.
    pub window_days: i64,
    /// Days of rest after the last one allowed.
    pub rest_days: i64,
    /// Messages to a person in a day.
    pub per_day: usize,
    /// Messages of the number in 24 hours.
    pub tier: usize,
    /// Seats a week of each segment.
    pub seats: usize,
}

/// A clinic.
#[derive(Debug, Clone)]
pub struct Clinic {
    /// Its id.
    pub id: String,
    /// Its zone.
    pub zone: Tz,
    country: &'static str,
    phones: &'static str,
    /// Its limits.
    pub limits: Limits,
    closed_on: BTreeSet<NaiveDate>,
    writes_on_holidays: bool,
    /// The version of its flow.
    pub flow_version: u32,
    offsets: [u32; 4],
    /// The channels of its flow's steps, in order.
    steps: [&'static str; 4],
    /// What is true, by version; the last is the present.
    pub facts: Vec<Vec<Person>>,
    rows: Vec<Vec<String>>,
    /// The highest version whose import was begun.
    pub told: usize,
    /// The highest version whose import ended well.
    pub landed: Option<usize>,
    /// The day on which the run begins.
    pub(crate) begins: NaiveDate,
    /// When the newest row was written, in seconds since 1970.
    written: i64,
    /// Its free slots, and what was booked through the product.
    pub agenda: Agenda,
}

impl Clinic {
    /// Draws a clinic that begins at an instant.
    #[must_use]
    pub fn draw(number: usize, begins: DateTime<Utc>, chance: &mut Chance) -> Self {
        let (country, zone, phones) = chance.pick(&PLACES, ("ES", chrono_tz::Europe::Madrid, "+34624777"));
        let begins = begins.with_timezone(&zone).date_naive();
        let limits = Limits {
            whatsapp_max: usize::try_from(chance.between(1, 3)).unwrap_or(1),
            window_days: chance.pick(&[2, 5, 30], 30),
            rest_days: chance.pick(&[1, 4, 60], 60),
            per_day: if chance.per_mille(250) { 2 } else { 1 },
            tier: usize::try_from(chance.pick(&[5, 15, 250, 250], 250)).unwrap_or(250),
            seats: usize::try_from(chance.pick(&[6, 25, 200], 200)).unwrap_or(200),
        };
        let closed_on = (0..chance.between(0, 3)).filter_map(|_| begins.checked_add_days(Days::new(7))).collect();
        let mut clinic = Self {
            id: format!("clinica{number}"),
            zone,
            country,
            phones,
            limits,
            closed_on,
            writes_on_holidays: chance.per_mille(200),
            flow_version: 1,
            offsets: chance.pick(&[[0, 2, 5, 7], [0, 1, 2, 3], [0, 0, 1, 1]], [0, 2, 5, 7]),
            steps: chance.pick(&settings::STEPS, ["whatsapp", "email", "whatsapp", "call"]),
            facts: Vec::new(),
            rows: Vec::new(),
            told: 0,
            landed: None,
            begins,
            written: 0,
            agenda: Agenda::draw(begins, chance),
        };
        let people = usize::try_from(chance.between(8, 36)).unwrap_or(6);
        let first = (0..people).map(|n| clinic.person(n, chance)).collect();
        clinic.facts.push(first);
        clinic.rows = vec![(0..people).filter_map(|n| clinic.first_row(n, 0)).collect()];
        clinic
    }

    fn person(&self, n: usize, chance: &mut Chance) -> Person {
        // Families share phones and addresses: about every fourth person has the one before's.
        let contact = if chance.per_mille(250) { n.saturating_sub(1) } else { n };
        let channels: &[&str] = chance.pick(&[&CHANNELS[..], &CHANNELS[..], &CHANNELS[..1], &CHANNELS[1..]], &CHANNELS);
        Person {
            phone: (!chance.per_mille(80)).then(|| self.phone(contact)),
            email: (!chance.per_mille(250)).then(|| format!("zorzal{contact}@correo.example")),
            agreed: if chance.per_mille(100) { BTreeSet::new() } else { channels.iter().copied().collect() },
            zone: Some(if chance.per_mille(120) { chrono_tz::Atlantic::Azores } else { self.zone }),
            appears: if chance.per_mille(700) { 0 } else { 1 + chance.below(4) },
            visit_days_ago: u64::try_from(chance.between(185, 500)).unwrap_or(200),
            minor: self.perhaps_a_minor(n, chance),
            ..Person::default()
        }
    }

    fn phone(&self, n: usize) -> String {
        // National numbers have as many digits as the plan wants after the common beginning.
        match self.country {
            "AR" | "BR" | "CL" => format!("{}{:04}", self.phones, 1_000 + n),
            "ES" => format!("{}{:03}", self.phones, 100 + n),
            _ => format!("{}{:03}", self.phones, 100 + n),
        }
    }

    /// The export of a version: everything said so far.
    #[must_use]
    pub fn export(&self, version: usize) -> String {
        let mut lines = vec![HEADER.to_owned()];
        for rows in self.rows.iter().take(version + 1) {
            lines.extend(rows.iter().cloned());
        }
        lines.join("\n") + "\n"
    }

    /// What is true of a person in a version.
    #[must_use]
    pub fn known(&self, version: usize, person: usize) -> Option<&Person> {
        self.facts.get(version)?.get(person)
    }

    /// Whether an export of that version names the person.
    #[must_use]
    pub fn is_in(&self, person: usize, version: usize) -> bool {
        self.known(version, person).is_some_and(|who| who.appears <= version)
    }

    /// Whether the person said something dated before that day, or nothing at all.
    #[must_use]
    pub fn said_before(who: &Person, day: NaiveDate) -> bool {
        who.said_on.is_none_or(|said| said < day)
    }

    /// The clinic's date.
    #[must_use]
    pub fn date(&self, at: i64) -> NaiveDate {
        DateTime::from_timestamp_millis(at).unwrap_or_default().with_timezone(&self.zone).date_naive()
    }

    /// The row by which a person appears, if it is in this version.
    fn first_row(&self, n: usize, version: usize) -> Option<String> {
        let person = self.facts.last()?.get(n).filter(|person| person.appears == version)?;
        let day = self.begins.checked_sub_days(Days::new(person.visit_days_ago))?;
        let said = if person.agreed.is_empty() { String::new() } else { agreement(day, &person.agreed) };
        Some(self.row(n, person, &format!("v{n}"), day, "completado", &said, &format!("{day}T20:00:00")))
    }

    #[expect(clippy::too_many_arguments, reason = "a row has many cells")]
    fn row(&self, n: usize, who: &Person, id: &str, day: NaiveDate, state: &str, said: &str, updated: &str) -> String {
        let at = day.and_time(NaiveTime::from_hms_opt(10, 30, 0).unwrap_or_default());
        self.row_at(n, who, id, at, state, said, updated)
    }

    #[expect(clippy::too_many_arguments, reason = "a row has many cells")]
    fn row_at(
        &self,
        n: usize,
        who: &Person,
        id: &str,
        at: NaiveDateTime,
        state: &str,
        said: &str,
        updated: &str,
    ) -> String {
        let cell = |of: &Option<String>| of.clone().unwrap_or_default();
        let (phone, email, more) = match &who.minor {
            None => (cell(&who.phone), cell(&who.email), ",,,".to_owned()),
            Some(minor) => {
                let guardian = match minor.guardian {
                    Guardian::Known => format!("Zorzalina Zorzal,{},{}", cell(&who.phone), cell(&who.email)),
                    Guardian::Nameless => format!(",{},{}", cell(&who.phone), cell(&who.email)),
                    Guardian::Missing => ",,".to_owned(),
                };
                (cell(&minor.own_phone), cell(&minor.own_email), format!("{},{guardian}", minor.born))
            }
        };
        format!(
            "{id},{},{},{n},Zorzal{} Zorzal,{phone},{email},Dra. Lima,limpieza,{state},100.00,,,zorzal,,\"{said}\",{updated},{more}",
            at.format("%Y-%m-%dT%H:%M:%S"),
            who.zone.unwrap_or(self.zone).name(),
            letters(n),
        )
    }

    /// A person and everybody who shares a phone or an address with them.
    #[must_use]
    pub fn sharers(&self, person: usize) -> Vec<usize> {
        let Some(people) = self.facts.last() else { return Vec::new() };
        let Some(who) = people.get(person) else { return Vec::new() };
        let shares = |other: &Person| {
            other.phones().any(|a| who.phones().any(|b| a == b)) || other.emails().any(|a| who.emails().any(|b| a == b))
        };
        people.iter().enumerate().filter(|(_, other)| shares(other)).map(|(n, _)| n).collect()
    }
}

fn agreement(day: NaiveDate, channels: &BTreeSet<&'static str>) -> String {
    let channels: Vec<&str> = channels.iter().copied().collect();
    format!("opt-in {day} {}", channels.join(","))
}

/// A number in letters, so that it may stand in a name.
fn letters(n: usize) -> String {
    n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}
