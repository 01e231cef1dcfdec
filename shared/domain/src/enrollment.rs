//! An enrollment: one patient's passage through one flow.
//!
//! ```text
//!              first message cannot leave this week,
//!              patient left the segment ─────────────► Ended (seat given back)
//!                    │
//!  enrolled ──► Running(step, due) ──last step sent──► Closing(at) ──silence──► Ended(NoAnswer)
//!                    │      ▲                              │
//!                 answer    │ released                   answer
//!                    ▼      │                              │
//!               Conversing ─┴──────────────────────────────┘
//!                    │
//!                    └── booked, declined, opted out ──► Ended
//! ```
//! An appointment, an opt-out or a stop of any kind leads from every state to `Ended`; nothing
//! leads out of it.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::calendar::{IsoWeek, start_of_day};
use crate::flow::{Flow, Step};
use crate::hours::{ContactCalendar, OpenWindow};
use crate::ids::{EnrollmentId, FlowId, PatientId, SegmentId};

/// Why an enrollment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// The cycle closed without an answer.
    NoAnswer,
    /// Something is booked.
    Booked,
    /// An appointment passed and its outcome is awaited.
    AwaitingOutcome,
    /// The person opted out.
    OptedOut,
    /// The person does not want to come now.
    Declined,
    /// Before the first message, the patient ceased to belong to the segment.
    LeftSegment,
    /// The first message could not leave in its week.
    WeekOver,
    /// No step of the flow could be sent.
    NothingSendable,
    /// The table was restored from a backup since.
    OlderEpoch,
    /// The flow or segment is gone from the settings.
    FlowGone,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::NoAnswer,
        Self::Booked,
        Self::AwaitingOutcome,
        Self::OptedOut,
        Self::Declined,
        Self::LeftSegment,
        Self::WeekOver,
        Self::NothingSendable,
        Self::OlderEpoch,
        Self::FlowGone,
    ];

    /// The reason's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Booked => "booked",
            Self::AwaitingOutcome => "awaiting_outcome",
            Self::OptedOut => "opted_out",
            Self::Declined => "declined",
            Self::LeftSegment => "left_segment",
            Self::WeekOver => "week_over",
            Self::NothingSendable => "nothing_sendable",
            Self::OlderEpoch => "older_epoch",
            Self::FlowGone => "flow_gone",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// A conversation of which nothing is heard for so long is given back to the sequence.
pub const SILENCE: TimeDelta = TimeDelta::days(7);

/// Where an enrollment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The step of that number is to be decided at `due`.
    Running {
        /// Number of the step in the flow, from 0.
        step: usize,
        /// When it is to be looked at next.
        due: DateTime<Utc>,
    },
    /// All steps are done; the cycle closes at `due`.
    Closing {
        /// When it closes.
        due: DateTime<Utc>,
    },
    /// The patient answered; automation is silent until a person releases it, or until nothing more is
    /// heard for [`SILENCE`].
    Conversing {
        /// The patient's last word, as far as the sequence knows, or the day on which a person had it.
        since: DateTime<Utc>,
        /// The step that comes next once released.
        step: usize,
    },
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
        /// When.
        at: DateTime<Utc>,
    },
}

/// One patient's passage through one flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// Its id.
    pub id: EnrollmentId,
    /// Who.
    pub patient: PatientId,
    /// As a member of which segment.
    pub segment: SegmentId,
    /// Through which flow.
    pub flow: FlowId,
    /// In which version of it.
    pub flow_version: u32,
    /// The week whose seat it holds, in the clinic's zone.
    pub week: IsoWeek,
    /// The seat's number within the week and segment.
    pub seat: u32,
    /// Where it stands.
    pub state: State,
    /// The local date (in the patient's zone) on which the first message left.
    pub first_sent_on: Option<NaiveDate>,
    /// The latest answer that it was told of: told again, it is no news.
    pub told_at: Option<DateTime<Utc>>,
    /// How many wake-ups were asked for so far; makes their names differ.
    pub wakes: u32,
    /// The table's restore epoch when it was enrolled.
    pub epoch: u64,
}

impl Enrollment {
    /// The campaign under which its messages and bookings are counted: segment and week.
    #[must_use]
    pub fn campaign(&self) -> String {
        format!("{}-{}", self.segment, self.week)
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// When it is to be looked at next.
    #[must_use]
    pub fn due(&self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Running { due, .. } | State::Closing { due } => Some(due),
            State::Conversing { since, .. } => Some(since + SILENCE),
            State::Ended { .. } => None,
        }
    }

    /// When a step is due once the first message has left: on the first open day at or after its
    /// offset, at the enrollment's own place in the day.
    #[must_use]
    pub fn step_due(&self, step: &Step, first: NaiveDate, calendar: &ContactCalendar, zone: Tz) -> DateTime<Utc> {
        let nominal = first.checked_add_days(Days::new(u64::from(step.offset_days))).unwrap_or(first);
        let open = calendar.next_open_date(nominal).and_then(|date| calendar.window_on(date, zone));
        open.map_or_else(|| start_of_day(nominal, zone), |window| place_in_day(self.id, window))
    }

    /// The last instant at which a step may leave: its day and its longest delay; before the first
    /// message has left, the end of the week whose seat the enrollment holds.
    #[must_use]
    pub fn latest(&self, step: &Step, clinic_zone: Tz, zone: Tz) -> DateTime<Utc> {
        match self.first_sent_on {
            None => self.week.ends(clinic_zone),
            Some(first) => {
                let day_after = first.checked_add_days(Days::new(u64::from(step.offset_days) + 1)).unwrap_or(first);
                start_of_day(day_after, zone) + step.delay_max()
            }
        }
    }

    /// When the cycle closes, given the day of the first message.
    #[must_use]
    pub fn closes(&self, flow: &Flow, zone: Tz) -> Option<DateTime<Utc>> {
        let day = self.first_sent_on?.checked_add_days(Days::new(u64::from(flow.close_after_days) + 1))?;
        Some(start_of_day(day, zone))
    }
}

/// An enrollment's own place within the hours of a day: stable, spread evenly over all
/// enrollments, and leaving the end of the day free for what was delayed.
#[must_use]
pub fn place_in_day(id: EnrollmentId, window: OpenWindow) -> DateTime<Utc> {
    let length = (window.closes - window.opens).num_seconds();
    let usable = length - (length / 10).min(TimeDelta::minutes(30).num_seconds());
    // The upper 32 bits of a hash are as good as any.
    let share = i64::try_from(id.as_u128() >> 96).unwrap_or(0);
    let seconds = i64::try_from((i128::from(usable) * i128::from(share)) >> 32).unwrap_or(0);
    window.opens + TimeDelta::seconds(seconds)
}

/// A step held back by a person (a halted clinic, a paused patient) is looked at again on the first
/// full hour that is at least half an hour away. On the hour, so that several who decide it at once
/// ask for one and the same wake-up: asking for one each, they would be as many at the next hour.
#[must_use]
pub fn held_until(now: DateTime<Utc>) -> DateTime<Utc> {
    let soonest = now.timestamp() + 30 * 60;
    DateTime::from_timestamp((soonest + 3_599).div_euclid(3_600) * 3_600, 0).unwrap_or(now + TimeDelta::hours(1))
}
