#![expect(clippy::unwrap_used, reason = "tests")]

use icalendar::{Calendar, Component};
use proptest::prelude::*;

use super::*;

fn entry() -> CalendarEntry {
    CalendarEntry {
        uid: uid("b-17", &ClinicId::parse("aurora").unwrap()),
        sequence: 2,
        stamp: "2026-03-02T11:00:00Z".parse().unwrap(),
        start: "2026-03-05T19:30:00Z".parse().unwrap(),
        minutes: 45,
        summary: "Turno en Clínica Aurora".to_owned(),
        location: "Av. Siempre Viva 742; piso 3, of. \\B".to_owned(),
        description: "Para cancelar o cambiar:\nhttps://citas.example/l/abc".to_owned(),
        invitation: None,
    }
}

fn invitation() -> Invitation {
    Invitation {
        organizer_name: "Clínica \"Aurora\", Palermo".to_owned(),
        organizer: EmailAddress::parse("hola@clinica.example").unwrap(),
        attendee: EmailAddress::parse("paciente@correo.example").unwrap(),
    }
}

/// The lines of a file as they were before folding.
fn unfolded(file: &str) -> Vec<String> {
    file.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, c == '\\') {
            (_, false) => out.push(c),
            (_, true) => match characters.next().unwrap() {
                'n' => out.push('\n'),
                escaped => out.push(escaped),
            },
        }
    }
    out
}

fn value(file: &str, name: &str) -> Option<String> {
    let start = format!("{name}:");
    unfolded(file).iter().find_map(|line| line.strip_prefix(&start).map(unescaped))
}

#[test]
fn a_download_is_this_file() {
    let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Retorno//Retorno//ES\r\nCALSCALE:GREGORIAN\r\n\
        METHOD:PUBLISH\r\nBEGIN:VEVENT\r\nUID:b-17@aurora.retorno\r\nSEQUENCE:2\r\nDTSTAMP:20260302T110000Z\r\n\
        DTSTART:20260305T193000Z\r\nDTEND:20260305T201500Z\r\nSUMMARY:Turno en Clínica Aurora\r\n\
        LOCATION:Av. Siempre Viva 742\\; piso 3\\, of. \\\\B\r\n\
        DESCRIPTION:Para cancelar o cambiar:\\nhttps://citas.example/l/abc\r\n\
        STATUS:CONFIRMED\r\nCLASS:PRIVATE\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(entry().file(Method::Publish), expected);
}

#[test]
fn what_comes_by_mail_names_who_invites_and_who_is_invited() {
    let invited = CalendarEntry { invitation: Some(invitation()), ..entry() };
    let file = invited.file(Method::Request);
    let lines = unfolded(&file);
    assert!(lines.contains(&"METHOD:REQUEST".to_owned()));
    assert!(lines.contains(&"ORGANIZER;CN=\"Clínica 'Aurora', Palermo\":mailto:hola@clinica.example".to_owned()));
    assert!(lines.iter().any(|line| line.ends_with("RSVP=FALSE:mailto:paciente@correo.example")));
    let cancelled = CalendarEntry { sequence: 3, ..invited }.file(Method::Cancel);
    for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3", "UID:b-17@aurora.retorno"] {
        assert!(unfolded(&cancelled).contains(&line.to_owned()), "{line}");
    }
}

/// Read by a library that shares nothing with the writer.
#[test]
fn another_reader_finds_what_was_written() {
    let entry = CalendarEntry { invitation: Some(invitation()), ..entry() };
    for method in [Method::Publish, Method::Request, Method::Cancel] {
        let calendar: Calendar = entry.file(method).parse().unwrap();
        assert_eq!(calendar.property_value("METHOD"), Some(method.code()));
        let event = calendar.events().next().unwrap();
        assert_eq!(event.get_uid(), Some("b-17@aurora.retorno"));
        assert_eq!(event.get_sequence(), Some(2));
        assert_eq!(event.get_summary(), Some(entry.summary.as_str()));
        assert_eq!(event.property_value("DTSTART"), Some("20260305T193000Z"));
    }
}

#[test]
fn a_feed_holds_every_appointment_and_those_that_are_not_to_be() {
    let other = CalendarEntry { uid: "b-18@aurora.retorno".to_owned(), ..entry() };
    let calendar: Calendar = feed("Aurora", [(&entry(), false), (&other, true)]).parse().unwrap();
    assert_eq!(calendar.get_name(), Some("Aurora"));
    let found: Vec<_> =
        calendar.events().map(|event| (event.get_uid().unwrap(), event.property_value("STATUS").unwrap())).collect();
    assert_eq!(found, [("b-17@aurora.retorno", "CONFIRMED"), ("b-18@aurora.retorno", "CANCELLED")]);
    assert!(feed("", []).parse::<Calendar>().unwrap().events().next().is_none());
}

#[test]
fn nothing_of_a_patient_is_shown_in_a_log() {
    let shown = format!("{:?}", CalendarEntry { invitation: Some(invitation()), ..entry() });
    assert!(!shown.contains("citas") && !shown.contains("correo"), "{shown}");
}

proptest! {
    #[test]
    fn any_text_comes_back_and_breaks_nothing(summary in ".{0,300}", description in "(?s).{0,300}") {
        let file = CalendarEntry { summary: summary.clone(), description: description.clone(), ..entry() }
            .file(Method::Publish);
        for line in file.split_terminator("\r\n") {
            prop_assert!(line.len() <= LINE_OCTETS_MAX);
            prop_assert!(!line.contains(['\r', '\n']));
        }
        let kept = |text: &str| {
            let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
            text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>()
        };
        prop_assert_eq!(value(&file, "SUMMARY").unwrap(), kept(&summary));
        prop_assert_eq!(value(&file, "DESCRIPTION").unwrap_or_default(), kept(&description));
        prop_assert_eq!(unfolded(&file).iter().filter(|line| *line == "END:VEVENT").count(), 1);
    }
}
