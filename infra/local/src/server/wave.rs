//! This week's wave: who was enrolled, how many could be, who waits, and what limits it.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, TimeDelta, Utc};
use retorno_domain::calendar::IsoWeek;
use retorno_domain::wave::{Full, Seat, WavePlan};
use serde::{Deserialize, Serialize};
use staff_api::Problem;

use super::system::{OpenClinic, System};

/// A clinic's wave of a week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waves {
    /// The ISO week, e.g. `2026-W10`.
    pub week: String,
    /// Sequences begun this week over all segments.
    pub enrolled: u32,
    /// How many the free slots allow; nothing when the clinic's slots are not known.
    pub overall: Option<u32>,
    /// Free slots in reach; nothing when they are not known.
    pub free_slots: Option<usize>,
    /// By segment, in order of precedence.
    pub segments: Vec<WavePart>,
    /// Running sequences by the step that comes next.
    pub running: Vec<RunningAt>,
}

/// One segment's part of the wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavePart {
    /// The segment.
    pub segment: String,
    /// Sequences begun this week.
    pub enrolled: u32,
    /// How many may begin in a week.
    pub capacity: u32,
    /// How many wait in the backlog.
    pub waiting: usize,
    /// What keeps those from being enrolled now: `segment` (its seats are taken), `free_slots`,
    /// `number` (the WhatsApp number is planned full today), `templates` (Meta has not approved a text), `morning` (the next evaluation enrolls
    /// them). Nothing when nobody waits.
    pub limit: Option<String>,
}

/// Running sequences at one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningAt {
    /// The step that comes next, e.g. `d3`; `closing` when all are done.
    pub step: String,
    /// Its channel.
    pub channel: Option<String>,
    /// How many.
    pub sequences: usize,
}

impl System {
    /// The wave of the present week.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn waves(&self, of: &OpenClinic) -> Result<Waves, Problem> {
        let now = self.host.now();
        let (clinic, tenant) = (&of.clinic, &of.tenant);
        let (week, today) = (clinic.week(now), clinic.date(now));
        let lacks = tenant.settings(now).await?.lacks;
        let seats = tenant.seats(week).await?;
        let mut earlier: Vec<Seat> = Vec::new();
        for days in [7, 14] {
            if let Some(day) = today.checked_sub_days(Days::new(days)) {
                earlier.extend(tenant.seats(IsoWeek::of(day)).await?);
            }
        }
        let overall = tenant.capacity(week).await?;
        let plan = WavePlan::new(clinic, today, &seats, &earlier, overall);
        let mut parts = Vec::new();
        for segment in clinic.segments.iter().filter(|segment| segment.active) {
            let by_whatsapp = tenant.backlog(&segment.id, true, usize::MAX).await?.len();
            let waiting = by_whatsapp + tenant.backlog(&segment.id, false, usize::MAX).await?.len();
            let limit = match plan.room(&segment.id, true) {
                _ if waiting == 0 => None,
                // Only those whom WhatsApp does not reach are enrolled.
                _ if by_whatsapp > 0 && lacks.of_segment(&segment.id, false).is_some() => Some("templates"),
                Ok(_) => Some("morning"),
                Err(Full::Segment) => Some("segment"),
                Err(Full::Overall) => Some("free_slots"),
                Err(Full::Number) => Some("number"),
            };
            parts.push(WavePart {
                segment: segment.id.to_string(),
                enrolled: count(plan.taken(&segment.id)),
                capacity: segment.seats_per_week,
                waiting,
                limit: limit.map(str::to_owned),
            });
        }
        let free_slots = match tenant.slots_are_known().await? {
            true => {
                let until = now + TimeDelta::days(i64::from(clinic.wave.slots_horizon_days));
                Some(tenant.free_slots(now, until, None, now).await?.len())
            }
            false => None,
        };
        let running = running(of).await?;
        Ok(Waves {
            week: week.to_string(),
            enrolled: count(seats.len()),
            overall,
            free_slots,
            segments: parts,
            running,
        })
    }
}

async fn running(of: &OpenClinic) -> Result<Vec<RunningAt>, Problem> {
    let mut by_step: BTreeMap<usize, usize> = BTreeMap::new();
    // Every sequence that is looked at again some day.
    for overdue in of.tenant.overdue_enrollments(DateTime::<Utc>::MAX_UTC).await? {
        *by_step.entry(overdue.step).or_default() += 1;
    }
    // The index holds the step's number; with several flows it stands for itself.
    let steps = match of.clinic.flows.as_slice() {
        [only] => only.steps.as_slice(),
        _ => &[],
    };
    let at = |(step, sequences): (usize, usize)| match steps.get(step) {
        Some(known) => RunningAt { step: known.id.to_string(), channel: Some(known.channel.to_string()), sequences },
        None if step == usize::MAX => RunningAt { step: "closing".to_owned(), channel: None, sequences },
        None => RunningAt { step: (step + 1).to_string(), channel: None, sequences },
    };
    Ok(by_step.into_iter().map(at).collect())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
