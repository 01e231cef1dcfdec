//! The days and hours in a text.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::phrase::Found;
use super::sign::Sign;
use super::token::{Kind, Token};
use super::vocabulary::Vocabulary;
use super::wish::{DayPart, Wish};

/// Hours up to this one are meant after noon: no clinic sees patients before.
const NIGHT_HOUR_MAX: u8 = 7;

/// What a text says of a time.
#[derive(Default)]
pub(super) struct When {
    /// What would do.
    pub(super) wish: Wish,
    /// Whether something was said, be it what would not do.
    pub(super) said: bool,
    /// Whether something was said that the wish does not hold, or that can be taken two ways.
    pub(super) vague: bool,
}

/// Reads the times found in a text.
pub(super) fn when(tokens: &[Token], found: &[Found], today: NaiveDate) -> When {
    let denied = denied(tokens, found);
    let mut when = When::default();
    let mut times = Vec::new();
    for (at, time) in found.iter().enumerate().filter(|(_, time)| time.sign.is_time()) {
        when.said = true;
        match denied.get(at) {
            Some(Denied::No) | None => times.push(time),
            Some(Denied::Yes) => {}
            Some(Denied::Perhaps) => when.vague = true,
        }
    }
    days(&mut when, &times);
    dates(&mut when, &times, tokens, today);
    parts(&mut when, &times);
    hours(&mut when, &times, tokens);
    when
}

/// Whether a time is one that does not suit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Denied {
    No,
    Yes,
    /// It follows what does not suit, and nothing says that it does.
    Perhaps,
}

/// "Cannot" takes the times before it in its clause, or else those after it up to a "but".
fn denied(tokens: &[Token], found: &[Found]) -> Vec<Denied> {
    let mut denied = vec![Denied::No; found.len()];
    for (at, cannot) in found.iter().enumerate() {
        let same_clause = |other: &Found| {
            let (first, last) = (cannot.start().min(other.start()), cannot.end().max(other.end()));
            !tokens.iter().take(last).skip(first).any(|token| token.kind.is_boundary())
        };
        let is_cannot = matches!(cannot.sign, Sign::Cannot | Sign::CannotCome);
        let turns =
            |other: &(usize, &Found)| matches!(other.1.sign, Sign::But | Sign::Rather | Sign::Yes | Sign::Cannot);
        let before: Vec<usize> = (found.iter().enumerate().take(at).rev())
            .take_while(|other| !turns(other) && same_clause(other.1))
            .filter(|(_, other)| other.sign.is_time())
            .map(|(index, _)| index)
            .collect();
        if is_cannot || cannot.sign == Sign::No {
            for index in &before {
                set(&mut denied, *index, Denied::Yes);
            }
        }
        if !is_cannot || !before.is_empty() {
            let no_then_time = cannot.sign == Sign::No && before.is_empty();
            let next = found.get(at + 1).filter(|next| no_then_time && next.sign.is_time() && same_clause(next));
            if next.is_some() {
                set(&mut denied, at + 1, Denied::Perhaps);
            }
            continue;
        }
        for (index, other) in found.iter().enumerate().skip(at + 1).take_while(|other| !turns(other)) {
            if other.sign.is_time() {
                let asked = tokens.iter().skip(other.end()).find(|token| token.kind.is_boundary());
                let asked = asked.is_some_and(|token| token.kind == Kind::Question);
                let far = if asked { Denied::No } else { Denied::Perhaps };
                set(&mut denied, index, if same_clause(other) { Denied::Yes } else { far });
            }
        }
    }
    denied
}

fn set(denied: &mut [Denied], at: usize, value: Denied) {
    if let Some(denied) = denied.get_mut(at) {
        *denied = value;
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the many signs few speak of this")]
fn days(when: &mut When, times: &[&Found]) {
    for time in times {
        let weekdays = match time.sign {
            Sign::Weekend => vec![chrono::Weekday::Sat, chrono::Weekday::Sun],
            Sign::Workdays => (0..5_u8).filter_map(|day| chrono::Weekday::try_from(day).ok()).collect(),
            sign => sign.weekday().into_iter().collect(),
        };
        when.wish.weekdays.extend(weekdays);
        let weeks = WEEKS.iter().find(|(sign, _)| *sign == time.sign).map(|(_, weeks)| *weeks);
        when.vague |= weeks.is_some() && when.wish.weeks_ahead.is_some_and(|before| Some(before) != weeks);
        when.wish.weeks_ahead = weeks.or(when.wish.weeks_ahead);
        when.vague |= time.sign == Sign::VagueTime;
    }
    when.wish.weekdays.sort_by_key(chrono::Weekday::num_days_from_monday);
    when.wish.weekdays.dedup();
}

const WEEKS: [(Sign, u8); 4] =
    [(Sign::ThisWeek, 0), (Sign::NextWeek, 1), (Sign::InTwoWeeks, 2), (Sign::InFourWeeks, 4)];

#[expect(clippy::wildcard_enum_match_arm, reason = "of the many signs few speak of this")]
fn dates(when: &mut When, times: &[&Found], tokens: &[Token], today: NaiveDate) {
    for time in times {
        let date = match time.sign {
            Sign::Today => Some(today),
            // After a day of the week it is the other `mañana`, the morning.
            Sign::Tomorrow if weekday_before(times, time) => {
                when.wish.part = Some(DayPart::Morning);
                continue;
            }
            Sign::Tomorrow => today.checked_add_days(Days::new(1)),
            Sign::DayAfterTomorrow => today.checked_add_days(Days::new(2)),
            Sign::DayOfMonth => numbers(time, tokens).first().and_then(|day| day_of_month(u32::from(*day), today)),
            Sign::Date => time.numbers.first().and_then(|at| tokens.get(*at)).and_then(|token| in_full(token, today)),
            sign => match sign.month() {
                Some(month) => {
                    let day = numbers(time, tokens).first().copied().unwrap_or_default();
                    day_and_month(u32::from(day), month, today)
                }
                None => continue,
            },
        };
        when.vague |= date.is_none() || when.wish.date.is_some_and(|before| Some(before) != date);
        when.wish.date = date.or(when.wish.date);
    }
    let other_day = |date: NaiveDate| !when.wish.weekdays.is_empty() && !when.wish.weekdays.contains(&date.weekday());
    when.vague |= when.wish.date.is_some_and(other_day);
}

fn weekday_before(times: &[&Found], time: &Found) -> bool {
    times.iter().any(|other| other.sign.weekday().is_some() && other.start() < time.start())
}

/// The next such day of a month, today included.
fn day_of_month(day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let first = today.with_day(1)?;
    (0..12)
        .find_map(|months| first.checked_add_months(Months::new(months))?.with_day(day).filter(|date| *date >= today))
}

/// The next such day of a year, today included.
fn day_and_month(day: u32, month: u32, today: NaiveDate) -> Option<NaiveDate> {
    (0..2).find_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day).filter(|date| *date >= today))
}

fn in_full(token: &Token, today: NaiveDate) -> Option<NaiveDate> {
    match token.kind {
        Kind::Date(day, month, None) => day_and_month(day, month, today),
        Kind::Date(day, month, Some(year)) => NaiveDate::from_ymd_opt(year, month, day).filter(|date| *date >= today),
        Kind::Word | Kind::Number(_) | Kind::Clock(_) | Kind::Symbol | Kind::Question | Kind::Break => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the many signs few speak of this")]
fn parts(when: &mut When, times: &[&Found]) {
    for time in times {
        let part = match time.sign {
            Sign::Morning => DayPart::Morning,
            Sign::Afternoon => DayPart::Afternoon,
            Sign::Evening => DayPart::Evening,
            _ => continue,
        };
        when.vague |= when.wish.part.is_some_and(|before| before != part);
        when.wish.part = Some(part);
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the many signs few speak of this")]
fn hours(when: &mut When, times: &[&Found], tokens: &[Token]) {
    for time in times {
        let numbers = numbers(time, tokens);
        let hour = |at: usize| numbers.get(at).and_then(|hour| hour_of_day(*hour, when.wish.part));
        let (from, until) = match time.sign {
            Sign::At => {
                let hour = if numbers.is_empty() { Some(13) } else { hour(0) };
                (hour, hour.map(|hour| hour + 1))
            }
            Sign::From => (hour(0), None),
            Sign::Until => (None, hour(0)),
            Sign::Between => (hour(0), hour(1)),
            Sign::Noon => (Some(12), Some(15)),
            Sign::AfterWork => (Some(18), None),
            _ => continue,
        };
        let differs = |before: Option<u8>, now: Option<u8>| before.is_some() && now.is_some() && before != now;
        let again = differs(when.wish.from_hour, from) || differs(when.wish.until_hour, until);
        when.vague |= again || from.or(until).is_none() || from.zip(until).is_some_and(|(from, until)| from >= until);
        when.wish.from_hour = from.or(when.wish.from_hour);
        when.wish.until_hour = until.or(when.wish.until_hour);
    }
    // An hour says more than the part of the day it is in.
    if when.wish.from_hour.is_some() && when.wish.until_hour.is_some() {
        when.wish.part = None;
    }
}

/// The numbers of a phrase, up to 255, with what a `pm` beside them adds.
fn numbers(time: &Found, tokens: &[Token]) -> Vec<u8> {
    let value = |at: &usize| {
        let token = tokens.get(*at)?;
        let number = match token.kind {
            Kind::Number(number) => u8::try_from(number).ok()?,
            Kind::Clock(hour) => hour,
            Kind::Word => u8::try_from(Vocabulary::embedded().number(&token.text)?).ok()?,
            Kind::Date(..) | Kind::Symbol | Kind::Question | Kind::Break => return None,
        };
        let after_noon = tokens.get(at + 1).is_some_and(|next| next.text == "pm") && number < 12;
        Some(if after_noon { number + 12 } else { number })
    };
    time.numbers.iter().filter_map(value).collect()
}

fn hour_of_day(hour: u8, part: Option<DayPart>) -> Option<u8> {
    let late = match part {
        Some(DayPart::Morning) => false,
        Some(DayPart::Afternoon | DayPart::Evening) => hour < 12,
        None => (1..=NIGHT_HOUR_MAX).contains(&hour),
    };
    Some(if late { hour + 12 } else { hour }).filter(|hour| *hour < 24)
}
