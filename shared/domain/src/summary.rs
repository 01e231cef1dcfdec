//! What the rules of segments need to know of a patient's past, as of an instant.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::appointment::{Appointment, PlanSession};
use crate::calendar::local_date;
use crate::segment::{Day, Mean};
use crate::services::ServiceLists;

/// The latest completed session of a service with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanStanding {
    /// Which session of how many.
    pub session: PlanSession,
    /// The day it was.
    pub day: Day,
}

/// A patient's visits as of an instant. Days are local dates in the clinic's zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary<'a> {
    /// How many visits.
    pub visits: u32,
    /// The day of the last one.
    pub last_visit: Option<Day>,
    /// Sum of the amounts of the visits that have one, in hundredths.
    pub amount_sum_cents: i64,
    /// How many visits have an amount.
    pub amount_count: u32,
    /// Visits whose service is on one of the clinic's lists: (number of the list, day).
    pub listed: Vec<(u8, Day)>,
    /// Which lists the last visit's service is on, as bits.
    pub last_lists: u64,
    /// Where each plan stands.
    pub plans: Vec<PlanStanding>,
    /// Who attended the last visit.
    pub last_professional: Option<&'a str>,
    /// The patient's insurer.
    pub insurer: Option<&'a str>,
}

impl<'a> Summary<'a> {
    /// Sums up appointments as of `now`.
    #[must_use]
    pub fn of(
        appointments: &'a [Appointment],
        insurer: Option<&'a str>,
        lists: &ServiceLists,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Self {
        let mut summary = Self { insurer, ..Self::default() };
        let mut plans: BTreeMap<&str, (DateTime<Utc>, PlanStanding)> = BTreeMap::new();
        let mut last: Option<&Appointment> = None;
        for visit in appointments.iter().filter(|appointment| appointment.is_visit(now)) {
            let day = day_number(local_date(visit.start, zone));
            summary.visits += 1;
            if let Some(cents) = visit.amount_cents {
                summary.amount_sum_cents = summary.amount_sum_cents.saturating_add(cents);
                summary.amount_count += 1;
            }
            summary.listed.extend(lists.matching(&visit.service).map(|list| (list, day)));
            if let Some(session) = visit.session {
                let standing = (visit.start, PlanStanding { session, day });
                let latest = plans.entry(&visit.service).or_insert(standing);
                if visit.start >= latest.0 {
                    *latest = standing;
                }
            }
            if last.is_none_or(|earlier| (visit.start, &visit.id) > (earlier.start, &earlier.id)) {
                last = Some(visit);
            }
        }
        if let Some(visit) = last {
            summary.last_visit = Some(day_number(local_date(visit.start, zone)));
            summary.last_professional = Some(&visit.professional);
            summary.last_lists =
                lists.matching(&visit.service).fold(0, |bits, list| bits | crate::segment::list_bit(list));
        }
        summary.plans = plans.into_values().map(|(_, standing)| standing).collect();
        summary
    }

    /// The mean amount over the visits that have one.
    #[must_use]
    pub fn mean(&self) -> Option<Mean> {
        (self.amount_count > 0).then_some(Mean { sum_cents: self.amount_sum_cents, count: self.amount_count })
    }
}

/// A date as a number of days.
#[must_use]
pub fn day_number(date: NaiveDate) -> Day {
    date.num_days_from_ce()
}
