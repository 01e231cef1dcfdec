//! The times in a text, and whether a free slot fits them. The text's day is Tuesday 2026-03-10.

use chrono::{NaiveDate, Weekday};
use retorno_domain::reply::{DayPart, Intent, Wish, understand};

use crate::{asked, today};

/// A wish on one line: days, date, part, hours, week.
fn shown(wish: &Wish) -> String {
    let mut words: Vec<String> = wish.weekdays.iter().map(ToString::to_string).collect();
    words.extend(wish.date.map(|date| date.to_string()));
    words.extend(wish.part.map(|part| format!("{part:?}")));
    words.extend(wish.from_hour.map(|hour| format!("from{hour}")));
    words.extend(wish.until_hour.map(|hour| format!("until{hour}")));
    words.extend(wish.weeks_ahead.map(|weeks| format!("week{weeks}")));
    words.join(" ")
}

#[test]
fn times_are_read() {
    let cases = [
        ("el jueves a la tarde", "Thu Afternoon"),
        ("no puedo el martes", ""),
        ("no puedo el martes pero el jueves si", "Thu"),
        ("el martes no puedo, el jueves si", "Thu"),
        ("não posso terça, pode ser quarta?", "Wed"),
        ("semana que vem", "week1"),
        ("la semana que viene a la mañana", "Morning week1"),
        ("después de las 18", "from18"),
        ("despues de las 6", "from18"),
        ("depois das 18h", "from18"),
        ("el 14/3", "2026-03-14"),
        ("el 14 de marzo", "2026-03-14"),
        ("el 9/3", "2027-03-09"),
        ("el 14/03/2026", "2026-03-14"),
        ("dia 20", "2026-03-20"),
        ("mañana", "2026-03-11"),
        ("mañana por la mañana", "2026-03-11 Morning"),
        ("mañana a la tarde", "2026-03-11 Afternoon"),
        ("amanhã de manhã", "2026-03-11 Morning"),
        ("pasado mañana", "2026-03-12"),
        ("depois de amanhã", "2026-03-12"),
        ("hoje à noite", "2026-03-10 Evening"),
        ("quinta de manhã", "Thu Morning"),
        ("el jueves de mañana", "Thu Morning"),
        ("segunda-feira", "Mon"),
        ("2a feira à tarde", "Mon Afternoon"),
        ("na segunda", "Mon"),
        ("lunes o miercoles", "Mon Wed"),
        ("entre las 9 y las 12", "from9 until12"),
        ("antes de las 12", "until12"),
        ("el viernes a las 10", "Fri from10 until11"),
        ("el viernes a las 5 de la tarde", "Fri from17 until18"),
        ("10:30 el lunes", "Mon from10 until11"),
        ("a las 8 pm", "from20 until21"),
        ("fin de semana", "Sat Sun"),
        ("só à noite", "Evening"),
        ("thursday afternoon", "Thu Afternoon"),
        ("otro día", ""),
    ];
    for (text, expected) in cases {
        let reading = understand(text, &asked("2"), today());
        let Intent::OtherTime(wish) = reading.intent else { panic!("{text:?}: {reading:?}") };
        assert_eq!(shown(&wish), expected, "{text:?}");
    }
}

#[test]
fn two_times_in_one_are_left_to_a_person() {
    for text in [
        "2 pero a la tarde?",
        "el 31/2",
        "mañana o el viernes 20",
        "después del 20",
        "a fin de mes",
        "la 1 pero el jueves",
    ] {
        assert!(!understand(text, &asked("2"), today()).sure, "{text}");
    }
}

#[test]
fn a_slot_fits_a_wish() {
    let at = |day: u32, hour: u32| NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(hour, 30, 0).unwrap();
    let any = Wish::default();
    let thursday = Wish { weekdays: vec![Weekday::Thu], ..any.clone() };
    let date = Wish { date: Some(today()), ..any.clone() };
    let part = |part| Wish { part: Some(part), ..any.clone() };
    let hours = Wish { from_hour: Some(9), until_hour: Some(12), ..any.clone() };
    let cases = [
        (any.clone(), at(10, 3), true),
        (thursday.clone(), at(12, 10), true),
        (thursday, at(13, 10), false),
        (date.clone(), at(10, 10), true),
        (date, at(11, 10), false),
        (part(DayPart::Morning), at(10, 11), true),
        (part(DayPart::Morning), at(10, 12), false),
        (part(DayPart::Afternoon), at(10, 12), true),
        (part(DayPart::Afternoon), at(10, 19), true),
        (part(DayPart::Afternoon), at(10, 11), false),
        (part(DayPart::Evening), at(10, 18), true),
        (part(DayPart::Evening), at(10, 17), false),
        (hours.clone(), at(10, 8), false),
        (hours.clone(), at(10, 9), true),
        (hours.clone(), at(10, 11), true),
        (hours, at(10, 12), false),
    ];
    for (wish, start, expected) in cases {
        assert_eq!(wish.fits(start), expected, "{wish:?} {start}");
    }
    let next_week = Wish { weeks_ahead: Some(1), ..any };
    for (day, expected) in [(15, false), (16, true), (22, true), (23, false)] {
        assert_eq!(next_week.fits_from(today(), at(day, 10)), expected, "{day}");
    }
}
