//! A patient's long lists as compact text inside the item: statements of consent and appointments.
//! JSON arrays rather than attribute maps: a history of twenty visits stays within two kilobytes.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use retorno_domain::appointment::{Appointment, AppointmentStatus, PlanSession};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::ids::AppointmentId;
use serde::{Deserialize, Serialize};

/// id, start (s), status, professional, service, amount, done, total, lead source, as of (s).
#[derive(Serialize, Deserialize)]
struct AppointmentWire<'a>(
    #[serde(borrow)] std::borrow::Cow<'a, str>,
    i64,
    char,
    #[serde(borrow)] std::borrow::Cow<'a, str>,
    #[serde(borrow)] std::borrow::Cow<'a, str>,
    Option<i64>,
    u16,
    u16,
    #[serde(borrow)] Option<std::borrow::Cow<'a, str>>,
    i64,
);

/// day, `in` or `out`, channels (letters), source (letter), purposes (letters; those stored without
/// any are about everything).
#[derive(Deserialize)]
struct StatementWire(NaiveDate, bool, String, char, #[serde(default)] Option<String>);

const STATUSES: [(char, AppointmentStatus); 5] = [
    ('b', AppointmentStatus::Booked),
    ('f', AppointmentStatus::Confirmed),
    ('c', AppointmentStatus::Completed),
    ('x', AppointmentStatus::Cancelled),
    ('n', AppointmentStatus::NoShow),
];

const CHANNELS: [(char, Channel); 5] =
    [('w', Channel::Whatsapp), ('e', Channel::Email), ('s', Channel::Sms), ('c', Channel::Call), ('p', Channel::Push)];

const PURPOSES: [(char, Purpose); 2] = [('m', Purpose::Marketing), ('c', Purpose::Care)];

fn channels_text(set: ChannelSet) -> String {
    CHANNELS.into_iter().filter(|(_, channel)| set.contains(*channel)).map(|(letter, _)| letter).collect()
}

fn channels_of(text: &str) -> Option<ChannelSet> {
    let channel = |letter| CHANNELS.into_iter().find(|(l, _)| *l == letter).map(|(_, channel)| channel);
    text.chars().map(channel).collect()
}

pub(super) fn appointments_text(appointments: &[Appointment]) -> String {
    let wire = |a: &Appointment| {
        let letter = STATUSES.into_iter().find(|(_, status)| *status == a.status).map_or('b', |(letter, _)| letter);
        serde_json::json!([
            a.id.as_str(),
            a.start.timestamp(),
            letter,
            &*a.professional,
            &*a.service,
            a.amount_cents,
            a.session.map_or(0, |s| s.done),
            a.session.map_or(0, |s| s.total),
            a.lead_source.as_deref(),
            a.as_of.timestamp()
        ])
    };
    serde_json::Value::Array(appointments.iter().map(wire).collect()).to_string()
}

pub(super) fn appointments_of(text: &str) -> Option<Vec<Appointment>> {
    let wires: Vec<AppointmentWire<'_>> = serde_json::from_str(text).ok()?;
    wires.into_iter().map(appointment_of).collect()
}

fn appointment_of(wire: AppointmentWire<'_>) -> Option<Appointment> {
    let AppointmentWire(id, start, letter, professional, service, amount_cents, done, total, lead, as_of) = wire;
    Some(Appointment {
        id: AppointmentId::parse(&id).ok()?,
        start: DateTime::from_timestamp(start, 0)?,
        status: STATUSES.into_iter().find(|(l, _)| *l == letter).map(|(_, status)| status)?,
        professional: Arc::from(&*professional),
        service: Arc::from(&*service),
        amount_cents,
        session: (total > 0).then_some(PlanSession { done, total }),
        lead_source: lead.map(|lead| Arc::from(&*lead)),
        as_of: DateTime::from_timestamp(as_of, 0)?,
    })
}

pub(super) fn consent_text(consent: &Consent) -> String {
    let wire = |statement: &Statement| {
        let (agrees, channels) = match statement.wish {
            Wish::OptIn(channels) => (true, channels_text(channels)),
            Wish::OptOut => (false, String::new()),
        };
        let source = match statement.source {
            Source::Import => 'i',
            Source::Recorded => 'r',
        };
        let mut fields =
            vec![statement.on.to_string().into(), agrees.into(), channels.into(), source.to_string().into()];
        if statement.purposes != PurposeSet::ALL {
            fields.push(purposes_text(statement.purposes).into());
        }
        serde_json::Value::Array(fields)
    };
    serde_json::Value::Array(consent.statements().iter().map(wire).collect()).to_string()
}

fn purposes_text(set: PurposeSet) -> String {
    PURPOSES.into_iter().filter(|(_, purpose)| set.contains(*purpose)).map(|(letter, _)| letter).collect()
}

fn purposes_of(text: &str) -> Option<PurposeSet> {
    let purpose = |letter| PURPOSES.into_iter().find(|(l, _)| *l == letter).map(|(_, purpose)| purpose);
    text.chars().map(purpose).collect()
}

pub(super) fn consent_of(text: &str) -> Option<Consent> {
    let wires: Vec<StatementWire> = serde_json::from_str(text).ok()?;
    let statement = |StatementWire(on, agrees, channels, source, purposes)| {
        let wish = if agrees { Wish::OptIn(channels_of(&channels)?) } else { Wish::OptOut };
        let source = match source {
            'i' => Source::Import,
            'r' => Source::Recorded,
            _ => return None,
        };
        let purposes = purposes.map_or(Some(PurposeSet::ALL), |letters| purposes_of(&letters))?;
        Some(Statement { on, wish, source, purposes })
    };
    Some(Consent::from_statements(wires.into_iter().map(statement).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn statements_come_back_and_those_stored_without_purposes_are_about_everything() {
        let on = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
        let only: ChannelSet = [Channel::Sms].into_iter().collect();
        let said = |wish, source, purposes| Statement { on, wish, source, purposes };
        let consent = Consent::from_statements(vec![
            said(Wish::OptIn(only), Source::Import, PurposeSet::ALL),
            said(Wish::OptOut, Source::Recorded, PurposeSet::MARKETING),
            said(Wish::OptOut, Source::Recorded, PurposeSet::CARE),
        ]);
        assert_eq!(consent_of(&consent_text(&consent)).unwrap(), consent);
        let before = consent_of(r#"[["2026-01-02",true,"we","i"],["2026-01-03",false,"","r"]]"#).unwrap();
        assert!(before.statements().iter().all(|statement| statement.purposes == PurposeSet::ALL));
        assert_eq!(before.opted_out(on), PurposeSet::ALL);
        let as_before = Consent::from_statements(vec![said(Wish::OptIn(only), Source::Import, PurposeSet::ALL)]);
        assert_eq!(consent_text(&as_before), r#"[["2026-01-02",true,"s","i"]]"#, "and are written as they were");
        assert_eq!(consent_of(r#"[["2026-01-02",false,"","r","x"]]"#), None);
    }
}
