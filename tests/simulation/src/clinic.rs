//! A made-up clinic: its settings, its people, what becomes of them, and the exports that tell it.

mod hours;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::agenda::Agenda;
use crate::chance::Chance;

/// Every name, address and free text of a person carries this; it may appear in no log, error or metric.
pub const CANARY: &str = "zorzal";
/// Every phone has these digits among its last eight.
pub const DIGITS: &str = "4777";

/// The channels by their words in an export.
pub const CHANNELS: [&str; 3] = ["whatsapp", "email", "call"];

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
    consentimiento,actualizado";

/// What is true of a person in a version of the clinic's facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The phone, E.164 without spaces.
    pub phone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The channels agreed to; none at all when nobody asked, or after an opt-out.
    pub agreed: BTreeSet<&'static str>,
    /// Whether the last word was an opt-out.
    pub is_out: bool,
    /// The start of an appointment that was not cancelled, in ms.
    pub booked: Option<i64>,
    /// The last day on which the person said something.
    said_on: Option<NaiveDate>,
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
    /// What is true, by version; the last is the present.
    pub facts: Vec<Vec<Person>>,
    rows: Vec<Vec<String>>,
    /// The highest version whose import was begun.
    pub told: usize,
    /// The highest version whose import ended well.
    pub landed: Option<usize>,
    begins: NaiveDate,
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

    /// The id of its WhatsApp number.
    #[must_use]
    pub fn number_id(&self) -> String {
        format!("1000000{}", self.id.bytes().map(u64::from).sum::<u64>())
    }

    /// The settings, as its file.
    #[must_use]
    pub fn settings(&self, halted: bool) -> String {
        let closed: Vec<String> = self.closed_on.iter().map(|day| format!("\"{day}\"")).collect();
        let Limits { whatsapp_max, window_days, rest_days, per_day, tier, seats } = &self.limits;
        let mut toml = format!(
            "name = \"Clínica Modelo\"\nzone = \"{}\"\ncountry = \"{}\"\nhalted = {halted}\n\
             whatsapp_phone_number_id = \"{}\"\n[closures]\ndates = [{}]\nwrite_on_holidays = {}\n\
             [limits]\nwhatsapp_max = {whatsapp_max}\nwhatsapp_window_days = {window_days}\nrest_days = {rest_days}\n\
             entry_quiet_days = 1\nper_day_max = {per_day}\nwhatsapp_daily_tier = {tier}\n",
            self.zone.name(),
            self.country,
            self.number_id(),
            closed.join(", "),
            self.writes_on_holidays,
        );
        for (id, min, max) in [("preventivo-6-12m", 180, 364), ("inactivo-12-18m", 365, 600)] {
            let _ = write!(
                toml,
                "[[segments]]\nid = \"{id}\"\ngoal = \"volver\"\nseats_per_week = {seats}\n\
                 rules = [{{ last_visit_days = {{ min = {min}, max = {max} }} }}]\n"
            );
        }
        let [a, b, c, d] = self.offsets;
        let close = d + 2;
        let _ = write!(
            toml,
            "[[flows]]\nid = \"reactivacion\"\nversion = {}\nclose_after_days = {close}\nsteps = [\n\
             {{ id = \"d1\", offset_days = {a}, channel = \"whatsapp\", delay_hours_max = 96, metric = \"m\" }},\n\
             {{ id = \"d3\", offset_days = {b}, channel = \"email\", delay_hours_max = 96, metric = \"m\" }},\n\
             {{ id = \"d6\", offset_days = {c}, channel = \"whatsapp\", delay_hours_max = 96, metric = \"m\" }},\n\
             {{ id = \"d8\", offset_days = {d}, channel = \"call\", delay_hours_max = {}, metric = \"m\" }},\n]\n\
             [flows.branches]\nyes = \"book_now\"\nclick = \"high_intent\"\nno = \"close\"\nopt_out = \"close\"\n\
             unclear = \"hand_over\"\nunread = \"next_step\"\nsilence = \"close\"\n",
            self.flow_version,
            47 + self.flow_version,
        );
        toml
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
        format!(
            "{id},{},{},{n},Zorzal{} Zorzal,{},{},Dra. Lima,limpieza,{state},100.00,,,zorzal,,\"{said}\",{updated}",
            at.format("%Y-%m-%dT%H:%M:%S"),
            who.zone.unwrap_or(self.zone).name(),
            letters(n),
            who.phone.as_deref().unwrap_or(""),
            who.email.as_deref().unwrap_or(""),
        )
    }

    /// A person and everybody who shares a phone or an address with them.
    #[must_use]
    pub fn sharers(&self, person: usize) -> Vec<usize> {
        let Some(people) = self.facts.last() else { return Vec::new() };
        let Some(who) = people.get(person) else { return Vec::new() };
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let shares = |other: &Person| same(&other.phone, &who.phone) || same(&other.email, &who.email);
        people.iter().enumerate().filter(|(_, other)| shares(other)).map(|(n, _)| n).collect()
    }

    /// Something becomes of somebody, one of `about` if any are named: a new version of the facts.
    pub fn live_on(&mut self, now: DateTime<Utc>, about: &[usize], chance: &mut Chance) -> usize {
        let mut people = self.facts.last().cloned().unwrap_or_default();
        let version = self.facts.len();
        // Of two rows written in the same second nobody can say which is the newer.
        self.written = now.timestamp().max(self.written + 1);
        let local = DateTime::from_timestamp(self.written, 0).unwrap_or(now).with_timezone(&self.zone);
        let mut told = BTreeSet::new();
        let (today, updated) = (local.date_naive(), local.format("%Y-%m-%dT%H:%M:%S").to_string());
        let mut rows: Vec<String> = (0..people.len()).filter_map(|n| self.first_row(n, version)).collect();
        for _ in 0..chance.between(1, 4) {
            let anybody = chance.below(people.len());
            let n = chance.pick(about, anybody);
            let Some(mut person) = people.get(n).filter(|person| person.appears < version).cloned() else { continue };
            if !told.insert(n) {
                continue;
            }
            let row = self.change(n, &mut person, version, today, &updated, now, chance);
            rows.extend(row);
            if let Some(place) = people.get_mut(n) {
                *place = person;
            }
        }
        // The clinic's system learns of what was booked through the product, under a number of its own.
        for (id, n, start) in self.agenda.taken_over(chance) {
            let Some(person) = people.get(n).filter(|person| person.appears < version && told.insert(n)) else {
                continue;
            };
            let at = start.with_timezone(&person.zone.unwrap_or(self.zone)).naive_local();
            rows.push(self.row_at(n, person, &format!("k{id}"), at, "reservado", "", &updated));
        }
        self.rows.resize(version, Vec::new());
        self.rows.push(rows);
        self.facts.push(people);
        version
    }

    #[expect(clippy::too_many_arguments, reason = "everything a change depends on")]
    fn change(
        &self,
        n: usize,
        person: &mut Person,
        version: usize,
        today: NaiveDate,
        updated: &str,
        now: DateTime<Utc>,
        chance: &mut Chance,
    ) -> Option<String> {
        let past = self.begins.checked_sub_days(Days::new(person.visit_days_ago))?;
        let may_speak = person.said_on != Some(today);
        match chance.below(7) {
            0 if may_speak => {
                (person.is_out, person.said_on) = (true, Some(today));
                person.agreed.clear();
                let said = format!("opt-out {today}");
                Some(self.row(n, person, &format!("s{n}x{version}"), past, "cancelado", &said, updated))
            }
            1 if may_speak => {
                (person.is_out, person.said_on) = (false, Some(today));
                let channels: &[&str] = chance.pick(&[&CHANNELS[..], &CHANNELS[..1], &CHANNELS[1..2]], &CHANNELS);
                person.agreed = channels.iter().copied().collect();
                let said = agreement(today, &person.agreed);
                Some(self.row(n, person, &format!("s{n}x{version}"), past, "cancelado", &said, updated))
            }
            2 => {
                person.phone = Some(self.phone(100 + n + 40 * (version % 4)));
                Some(self.row(n, person, &format!("v{n}"), past, "completado", "", updated))
            }
            3 if person.booked.is_none_or(|at| at < now.timestamp_millis()) => {
                let day = today.checked_add_days(Days::new(u64::try_from(chance.between(1, 20)).ok()?))?;
                let start =
                    day.and_hms_opt(10, 30, 0)?.and_local_timezone(person.zone.unwrap_or(self.zone)).earliest()?;
                person.booked = Some(start.timestamp_millis());
                Some(self.row(n, person, &format!("b{n}"), day, "reservado", "", updated))
            }
            // Came by today: belongs to no segment any more.
            4 => Some(self.row(n, person, &format!("c{n}x{version}"), today, "completado", "", updated)),
            // Was booked for yesterday, and nobody says whether they came.
            5 => {
                let day = today.pred_opt()?;
                Some(self.row(n, person, &format!("w{n}x{version}"), day, "reservado", "", updated))
            }
            6 if person.booked.is_some() => {
                let start = DateTime::from_timestamp_millis(person.booked?)?;
                person.booked = None;
                let day = start.with_timezone(&person.zone.unwrap_or(self.zone)).date_naive();
                Some(self.row(n, person, &format!("b{n}"), day, "cancelado", "", updated))
            }
            _ => None,
        }
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
