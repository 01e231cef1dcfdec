//! What a patient has been through at the clinic: one of ten stories, told backwards from today.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Weekday};

use super::words::{Draw, Kind, Service, Words};

/// What became of an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Booked,
    Confirmed,
    Completed,
    Cancelled,
    NoShow,
}

impl Status {
    /// As `estado` has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Booked => "reservado",
            Self::Confirmed => "confirmado",
            Self::Completed => "completado",
            Self::Cancelled => "cancelado",
            Self::NoShow => "no-show",
        }
    }
}

/// One appointment.
pub(super) struct Visit<'w> {
    pub(super) start: NaiveDateTime,
    pub(super) service: &'w Service,
    pub(super) status: Status,
    /// Session of the plan, from 1, where it took place.
    pub(super) session: Option<u16>,
}

/// Why the patient is in the demo, most of them a segment's member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// A procedure in the last 20 to 97 days, most of them in a window of follow-up.
    AfterProcedure,
    /// A plan left half way.
    PlanPending,
    /// Dear treatments, and away for four months.
    HighValue,
    Away6To12Months,
    Away12To18Months,
    AwayOver18Months,
    /// Seen lately; nothing to do.
    Recent,
    /// Has an appointment to come.
    Booked,
    /// The last appointment has passed and nobody wrote down what became of it.
    WithoutOutcome,
    /// Never came.
    NeverCame,
}

/// Three to ten appointments, the oldest first.
pub(super) fn history<'w>(words: &'w Words, today: NaiveDate, draw: &mut Draw) -> Vec<Visit<'w>> {
    let story = story(draw);
    let last_days_ago = last_days_ago(story, draw);
    // One more may come after the last visit.
    let count = draw.between(3, 9);
    let usual = services(words, |service| service.kind == Kind::Visit && service.sessions == 0);
    let mut visits = Vec::new();
    match story {
        Story::PlanPending => {
            let plans = services(words, |service| service.sessions > 0);
            let plan = draw.pick(&plans).copied();
            let left_over = draw.between(1, 3);
            plan_sessions(&mut visits, plan, left_over, last_days_ago, today, draw);
        }
        Story::Away12To18Months if draw.percent(25) => {
            let plans = services(words, |service| service.sessions > 0 && service.sessions <= 6);
            let plan = draw.pick(&plans).copied();
            plan_sessions(&mut visits, plan, 0, last_days_ago, today, draw);
        }
        Story::AfterProcedure => {
            let procedures = services(words, |service| service.kind != Kind::Visit && service.sessions == 0);
            push(&mut visits, draw.pick(&procedures).copied(), Status::Completed, last_days_ago, today, draw);
        }
        Story::HighValue => {
            let costly = services(words, |service| service.kind == Kind::Costly);
            push(&mut visits, draw.pick(&costly).copied(), Status::Completed, last_days_ago, today, draw);
        }
        Story::Away6To12Months
        | Story::Away12To18Months
        | Story::AwayOver18Months
        | Story::Recent
        | Story::Booked
        | Story::WithoutOutcome
        | Story::NeverCame => {
            let status = if story == Story::NeverCame { Status::NoShow } else { Status::Completed };
            push(&mut visits, draw.pick(&usual).copied(), status, last_days_ago, today, draw);
        }
    }
    earlier(&mut visits, story, count, words, &usual, draw);
    later(&mut visits, story, &usual, today, draw);
    visits.sort_by_key(|visit| visit.start);
    visits
}

fn story(draw: &mut Draw) -> Story {
    match draw.between(0, 99) {
        0..=11 => Story::AfterProcedure,
        12..=23 => Story::PlanPending,
        24..=33 => Story::HighValue,
        34..=48 => Story::Away6To12Months,
        49..=60 => Story::Away12To18Months,
        61..=73 => Story::AwayOver18Months,
        74..=83 => Story::Recent,
        84..=94 => Story::Booked,
        95..=96 => Story::WithoutOutcome,
        _ => Story::NeverCame,
    }
}

/// Days since the last visit. A Sunday moves it one day further back, so the last day of a segment is
/// left out.
fn last_days_ago(story: Story, draw: &mut Draw) -> u64 {
    match story {
        Story::AfterProcedure => match draw.between(0, 3) {
            0 => draw.between(30, 36),
            1 => draw.between(60, 66),
            2 => draw.between(90, 96),
            _ => draw.between(20, 96),
        },
        Story::PlanPending => draw.between(31, 150),
        Story::HighValue => draw.between(120, 400),
        Story::Away6To12Months => draw.between(180, 363),
        Story::Away12To18Months => draw.between(365, 538),
        Story::AwayOver18Months => draw.between(540, 1200),
        Story::Recent | Story::WithoutOutcome => draw.between(14, 175),
        Story::Booked => draw.between(14, 300),
        Story::NeverCame => draw.between(20, 400),
    }
}

/// The sessions of a plan but for the last `left_over`, one to three weeks apart.
fn plan_sessions<'w>(
    visits: &mut Vec<Visit<'w>>,
    plan: Option<&'w Service>,
    left_over: u64,
    last_days_ago: u64,
    today: NaiveDate,
    draw: &mut Draw,
) {
    let sessions = plan.map_or(0, |plan| u64::from(plan.sessions).saturating_sub(left_over).min(10));
    let mut days_ago = last_days_ago;
    for session in (1..=sessions).rev() {
        push(visits, plan, Status::Completed, days_ago, today, draw);
        if let Some(visit) = visits.last_mut() {
            visit.session = u16::try_from(session).ok();
        }
        days_ago += draw.between(8, 21);
    }
}

/// Appointments before those there are, up to `count`.
fn earlier<'w>(
    visits: &mut Vec<Visit<'w>>,
    story: Story,
    count: u64,
    words: &'w Words,
    usual: &[&'w Service],
    draw: &mut Draw,
) {
    let costly = services(words, |service| service.kind == Kind::Costly);
    while u64::try_from(visits.len()).unwrap_or(u64::MAX) < count {
        let Some(oldest) = visits.iter().map(|visit| visit.start.date()).min() else {
            return;
        };
        let (list, status) = match (story, draw.between(0, 99)) {
            (Story::HighValue, _) => (&costly[..], Status::Completed),
            (Story::NeverCame, 0..=49) => (usual, Status::Cancelled),
            (Story::NeverCame, _) => (usual, Status::NoShow),
            (_, 0..=79) => (usual, Status::Completed),
            (_, 80..=90) => (usual, Status::Cancelled),
            (_, _) => (usual, Status::NoShow),
        };
        let gap = draw.between(40, 150);
        push(visits, draw.pick(list).copied(), status, gap, oldest, draw);
    }
}

/// What comes after the last visit: the appointment to come, the one without an outcome, or for a few
/// of the others one that was missed or cancelled, which is no visit.
fn later<'w>(visits: &mut Vec<Visit<'w>>, story: Story, usual: &[&'w Service], today: NaiveDate, draw: &mut Draw) {
    let service = draw.pick(usual).copied();
    match story {
        Story::Booked => {
            let status = if draw.percent(40) { Status::Confirmed } else { Status::Booked };
            let ahead = today.checked_add_days(Days::new(draw.between(2, 30))).unwrap_or(today);
            push(visits, service, status, 0, ahead, draw);
        }
        Story::WithoutOutcome => push(visits, service, Status::Booked, draw.between(1, 9), today, draw),
        Story::Away6To12Months | Story::Away12To18Months | Story::AwayOver18Months if draw.percent(15) => {
            let status = if draw.percent(50) { Status::NoShow } else { Status::Cancelled };
            push(visits, service, status, draw.between(40, 170), today, draw);
        }
        Story::AfterProcedure
        | Story::PlanPending
        | Story::HighValue
        | Story::Away6To12Months
        | Story::Away12To18Months
        | Story::AwayOver18Months
        | Story::Recent
        | Story::NeverCame => {}
    }
}

fn push<'w>(
    visits: &mut Vec<Visit<'w>>,
    service: Option<&'w Service>,
    status: Status,
    days_before: u64,
    day: NaiveDate,
    draw: &mut Draw,
) {
    let Some(service) = service else { return };
    let mut day = before(day, days_before);
    if day.weekday() == Weekday::Sun {
        day = before(day, 1);
    }
    let starts: Vec<NaiveDateTime> = starts(day).collect();
    let Some(start) = draw.pick(&starts).copied() else {
        return;
    };
    visits.push(Visit { start, service, status, session: None });
}

/// The starts of a day's appointments: none on Sundays.
pub(super) fn starts(day: NaiveDate) -> impl Iterator<Item = NaiveDateTime> {
    let (opens, closes) = match day.weekday() {
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => (9, 19),
        Weekday::Sat => (9, 13),
        Weekday::Sun => (0, 0),
    };
    let hours = opens..closes;
    hours.flat_map(move |hour| [day.and_hms_opt(hour, 0, 0), day.and_hms_opt(hour, 30, 0)]).flatten()
}

/// So many days before; the day itself where the calendar ends.
pub(super) fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

fn services(words: &Words, wanted: impl Fn(&Service) -> bool) -> Vec<&Service> {
    words.services.iter().filter(|service| wanted(service)).collect()
}
