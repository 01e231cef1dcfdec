//! Appointments as the clinic's system reports them, and which of two reports of one is to be believed.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ids::AppointmentId;

/// What the origin (`origen_lead`) of a booking brought by a campaign begins with; the segment follows.
pub const OUR_LEAD: &str = "reactivación-";

/// What became of an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppointmentStatus {
    /// Booked (`reservado`).
    Booked,
    /// Booked, and the patient confirmed (`confirmado`).
    Confirmed,
    /// Attended (`completado`).
    Completed,
    /// Cancelled (`cancelado`).
    Cancelled,
    /// The patient did not come (`no-show`).
    NoShow,
}

impl AppointmentStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Booked, Self::Confirmed, Self::Completed, Self::Cancelled, Self::NoShow];

    /// The status as the standard export writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Booked => "reservado",
            Self::Confirmed => "confirmado",
            Self::Completed => "completado",
            Self::Cancelled => "cancelado",
            Self::NoShow => "no-show",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether nothing more is expected of the appointment.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::NoShow => true,
            Self::Booked | Self::Confirmed => false,
        }
    }
}

/// A place in a plan of sessions: `done` of `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanSession {
    /// Which session this is, counted from 1.
    pub done: u16,
    /// How many the plan has.
    pub total: u16,
}

/// One appointment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appointment {
    /// The clinic's own number for it.
    pub id: AppointmentId,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// What became of it.
    pub status: AppointmentStatus,
    /// Who attends.
    pub professional: Arc<str>,
    /// The service, as the clinic names it.
    pub service: Arc<str>,
    /// What was paid, in hundredths of the clinic's currency.
    pub amount_cents: Option<i64>,
    /// Its place in a plan of sessions.
    pub session: Option<PlanSession>,
    /// Where the booking came from (`origen_lead`).
    pub lead_source: Option<Arc<str>>,
    /// As of when the clinic's system says so (`actualizado`).
    pub as_of: DateTime<Utc>,
}

impl Appointment {
    /// Whether this report of an appointment replaces another of the same one: the newer does; at a
    /// tie a final state replaces an open one; and two equally good reports that differ are ordered
    /// by their content, so that the order in which files arrive cannot matter.
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        (self.as_of, self.status.is_final(), self) > (other.as_of, other.status.is_final(), other)
    }

    /// Whether this report of the clinic's system is of the visit that was booked through us and had
    /// no number of its own: the same patient's, at the same instant. The same slot may have been
    /// given up and taken again: a report under a number known before (`is_known`), or of a visit that
    /// is over, is not of a booking made after it.
    #[must_use]
    pub fn is_number_for(&self, ours: &Self, is_known: bool) -> bool {
        let stands = |visit: &Self| matches!(visit.status, AppointmentStatus::Booked | AppointmentStatus::Confirmed);
        let is_newer = self.as_of > ours.as_of;
        let fits = match (stands(ours), stands(self)) {
            (true, true) => !is_known || is_newer,
            (true, false) => !is_known && is_newer,
            (false, _) => true,
        };
        ours.id.is_ours() && !self.id.is_ours() && self.start == ours.start && fits
    }

    /// The clinic's report of a visit booked through us: where the booking came from stays, and so
    /// does what the patient told us after the report was made.
    #[must_use]
    pub fn with_what_we_know(mut self, ours: &Self) -> Self {
        if ours.as_of > self.as_of && ours.status != AppointmentStatus::Booked && !self.status.is_final() {
            self.status = ours.status;
            self.as_of = ours.as_of;
        }
        self.keep_our_lead(ours);
        self
    }

    /// Where a booking of ours came from is not forgotten because the clinic's system leaves the
    /// column empty; says whether that changed anything.
    pub fn keep_our_lead(&mut self, other: &Self) -> bool {
        let ours = other.lead_source.as_ref().filter(|lead| lead.starts_with(OUR_LEAD));
        let gains = self.lead_source.is_none() && ours.is_some();
        if gains {
            self.lead_source = ours.cloned();
        }
        gains
    }

    /// Whether it was attended and is over by `now`.
    #[must_use]
    pub fn is_visit(&self, now: DateTime<Utc>) -> bool {
        self.status == AppointmentStatus::Completed && self.start <= now
    }

    /// Whether it is still to come.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        !self.status.is_final() && self.start > now
    }

    /// Whether it has passed and nobody has said what became of it.
    #[must_use]
    pub fn awaits_outcome(&self, now: DateTime<Utc>) -> bool {
        !self.status.is_final() && self.start <= now
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use chrono::TimeZone;

    fn appointment(status: AppointmentStatus, as_of_hour: u32) -> Appointment {
        Appointment {
            id: AppointmentId::parse("1").unwrap(),
            start: Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap(),
            status,
            professional: "Dra. Lima".into(),
            service: "limpieza".into(),
            amount_cents: None,
            session: None,
            lead_source: None,
            as_of: Utc.with_ymd_and_hms(2026, 3, 1, as_of_hour, 0, 0).unwrap(),
        }
    }

    #[test]
    fn the_newer_report_wins_and_a_final_one_wins_a_tie() {
        use AppointmentStatus::{Booked, Cancelled, Completed};
        assert!(appointment(Booked, 9).supersedes(&appointment(Completed, 8)));
        assert!(appointment(Completed, 8).supersedes(&appointment(Booked, 8)));
        assert!(!appointment(Booked, 8).supersedes(&appointment(Completed, 8)));
        assert!(!appointment(Completed, 8).supersedes(&appointment(Completed, 8)), "the same is no news");
        let (a, b) = (appointment(Completed, 8), appointment(Cancelled, 8));
        assert_ne!(a.supersedes(&b), b.supersedes(&a), "one of the two wins whatever the order");
    }

    #[test]
    fn now_decides_between_open_visited_and_awaiting() {
        let start = appointment(AppointmentStatus::Booked, 8).start;
        let before = start - chrono::TimeDelta::seconds(1);
        let booked = appointment(AppointmentStatus::Booked, 8);
        assert!(booked.is_open(before) && !booked.is_open(start));
        assert!(booked.awaits_outcome(start) && !booked.awaits_outcome(before));
        let attended = appointment(AppointmentStatus::Completed, 8);
        assert!(attended.is_visit(start) && !attended.is_visit(before));
    }
}
