//! Free slots of a clinic that has no file of them: what its timetable offers, less the visits of its
//! own system, less what was booked through us.
//!
//! An export has no end of a visit. So a visit takes a place of the slot within whose time it begins,
//! and no other; a visit that begins outside every slot takes none. Of a booking of ours the length is
//! known: it takes a place of every slot that it overlaps.

mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};

use crate::clinic::Clinic;
use crate::hours::OpenHours;
use crate::ids::{AppointmentId, PatientId, timetable_mark};
use crate::patient::Patient;
use crate::services::fold;
use crate::slot::FreeSlot;

use windows::Window;

/// When somebody (or, without a name, the clinic) attends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// Who, as the export names them; empty for everybody who has no timetable of their own.
    pub professional: String,
    /// The hours of each weekday, Monday first, in the clinic's zone, earliest first, none overlapping.
    pub hours: [Vec<OpenHours>; 7],
    /// How long a slot is.
    pub slot_minutes: u32,
    /// How many patients at a time.
    pub capacity: u32,
    /// Dates without hours: the first and the last of each range.
    pub closed: Vec<(NaiveDate, NaiveDate)>,
    /// Whether there are hours on national holidays all the same.
    pub open_on_holidays: bool,
    /// Slots are offered from so many days before their date on.
    pub horizon_days: u16,
    /// A slot nearer than this is not offered any more.
    pub notice: TimeDelta,
}

impl Timetable {
    /// Its hours on a weekday.
    #[must_use]
    pub fn hours_on(&self, weekday: chrono::Weekday) -> &[OpenHours] {
        let place = usize::try_from(weekday.num_days_from_monday()).unwrap_or(0);
        self.hours.get(place).map_or(&[], Vec::as_slice)
    }
}

/// A visit still to come that stands in the clinic's own system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visit {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// Whose.
    pub patient: PatientId,
    /// With whom; empty where the export does not say.
    pub professional: Arc<str>,
}

/// The visits of a patient that are still to come and stand in the clinic's own system, whatever of
/// booked and confirmed they are. Those booked through us that it has not entered are not among them:
/// their slot is taken as it is.
#[must_use]
pub fn visits_ahead(patient: &Patient, now: DateTime<Utc>) -> BTreeSet<Visit> {
    let ahead = patient.appointments.iter().filter(|visit| visit.is_open(now) && !visit.id.is_ours());
    let visit = |of: &crate::appointment::Appointment| Visit {
        start: of.start,
        patient: patient.id.clone(),
        professional: Arc::clone(&of.professional),
    };
    ahead.map(visit).collect()
}

/// A slot that is known: offered, held or booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSlot {
    /// The slot.
    pub slot: FreeSlot,
    /// Which visit was booked in it through us, and whose.
    pub booked: Option<(AppointmentId, PatientId)>,
    /// Somebody on the waitlist was asked, and it is held for them.
    pub held: bool,
}

/// A slot that a timetable gives and nobody has taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenSlot {
    /// The slot. Its number follows from who, when and which place: the same again and again.
    pub slot: FreeSlot,
    /// From this instant on it is too near to be offered.
    pub book_by: DateTime<Utc>,
    /// The date from which on it is within the horizon.
    pub offered_from: NaiveDate,
}

/// What the timetables of a clinic give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derived {
    /// Slots that are free, earliest first.
    pub free: Vec<OpenSlot>,
    /// Slots booked through us, by reference, whose place would not be free without the booking: the
    /// clinic's own system has given it to somebody else, or the timetable has no such slot any more.
    pub overtaken: BTreeSet<String>,
    /// Visits to come that took a place.
    pub visits: usize,
    /// Visits to come with somebody who has no timetable, by the name in the export.
    pub without_timetable: BTreeMap<Arc<str>, usize>,
}

/// The free slots of the clinic's timetables from now to their horizons. `ahead` are all visits of the
/// clinic's own system still to come, `known` all slots that are stored. The same arguments give the
/// same slots; a slot booked through us is never among them.
#[must_use]
pub fn derive(clinic: &Clinic, now: DateTime<Utc>, ahead: &[Visit], known: &[KnownSlot]) -> Derived {
    let today = clinic.date(now);
    let mut derived = Derived::default();
    let busy = Busy::of(clinic, now, ahead, known, &mut derived);
    let held: BTreeSet<String> = known.iter().filter(|slot| slot.held).map(|slot| slot.slot.reference()).collect();
    let booked = known.iter().filter(|slot| slot.booked.is_some());
    derived.overtaken = booked.map(|slot| slot.slot.reference()).collect();
    for (timetable, busy) in clinic.timetables.iter().zip(&busy.0) {
        let mark = timetable_mark(&fold(&timetable.professional));
        let days = (0..=u64::from(timetable.horizon_days)).map_while(|days| today.checked_add_days(Days::new(days)));
        for date in days {
            let offered_from = date.checked_sub_days(Days::new(u64::from(timetable.horizon_days))).unwrap_or(date);
            for window in windows::of(timetable, clinic, date).into_iter().filter(|window| window.start > now) {
                let open = |slot: FreeSlot| OpenSlot { book_by: slot.start - timetable.notice, offered_from, slot };
                let places = places(timetable, &mark, window, busy, &held);
                derived.free.extend(places.free.into_iter().map(open));
                for reference in &places.rightful {
                    derived.overtaken.remove(reference);
                }
            }
        }
    }
    derived.free.sort();
    derived
}

/// The places of a window.
struct Places {
    /// Those that nobody has taken. Those held for somebody stay rather than others.
    free: Vec<FreeSlot>,
    /// Those booked through us that would be free without it, by reference.
    rightful: Vec<String>,
}

fn places(timetable: &Timetable, mark: &str, window: Window, busy: &BusyOne<'_>, held: &BTreeSet<String>) -> Places {
    let slot = |place: u32| FreeSlot {
        start: window.start,
        id: format!("{mark}-{}", place + 1),
        professional: timetable.professional.clone(),
        minutes: timetable.slot_minutes,
    };
    let overlapping: Vec<&FreeSlot> = busy.booked.iter().copied().filter(|booked| window.meets(booked)).collect();
    let is_booked = |slot: &FreeSlot| overlapping.iter().any(|booked| booked.reference() == slot.reference());
    let (booked, mut free): (Vec<FreeSlot>, Vec<FreeSlot>) = (0..timetable.capacity).map(slot).partition(is_booked);
    let taken = overlapping.len() + busy.visits_in(window);
    let capacity = usize::try_from(timetable.capacity).unwrap_or(usize::MAX);
    free.sort_by_key(|slot| !held.contains(&slot.reference()));
    free.truncate(capacity.saturating_sub(taken));
    let rightful = if taken <= capacity { booked.iter().map(FreeSlot::reference).collect() } else { Vec::new() };
    Places { free, rightful }
}

/// What is taken, by timetable, in their order.
struct Busy<'a>(Vec<BusyOne<'a>>);

#[derive(Default)]
struct BusyOne<'a> {
    /// When visits of the clinic's own system begin, earliest first.
    visits: Vec<DateTime<Utc>>,
    /// Slots booked through us.
    booked: Vec<&'a FreeSlot>,
}

impl<'a> Busy<'a> {
    fn of(clinic: &Clinic, now: DateTime<Utc>, ahead: &[Visit], known: &'a [KnownSlot], derived: &mut Derived) -> Self {
        let whose = Whose::of(clinic);
        let mut busy: Vec<BusyOne<'a>> = clinic.timetables.iter().map(|_| BusyOne::default()).collect();
        let mut through_us = BTreeSet::new();
        for slot in known {
            let Some((_, patient)) = &slot.booked else { continue };
            through_us.insert((slot.slot.start, patient));
            for place in whose.timetables(&slot.slot.professional) {
                busy.get_mut(place).into_iter().for_each(|busy| busy.booked.push(&slot.slot));
            }
        }
        for visit in ahead.iter().filter(|visit| visit.start > now) {
            // One booked through us that the clinic's system has entered meanwhile is one visit.
            if through_us.contains(&(visit.start, &visit.patient)) {
                derived.visits += 1;
                continue;
            }
            let places = whose.timetables(&visit.professional);
            if places.is_empty() {
                *derived.without_timetable.entry(Arc::clone(&visit.professional)).or_default() += 1;
            } else {
                derived.visits += 1;
            }
            for place in places {
                busy.get_mut(place).into_iter().for_each(|busy| busy.visits.push(visit.start));
            }
        }
        busy.iter_mut().for_each(|busy| busy.visits.sort_unstable());
        Self(busy)
    }
}

impl BusyOne<'_> {
    fn visits_in(&self, window: Window) -> usize {
        let before = |at: DateTime<Utc>| self.visits.partition_point(|start| *start < at);
        before(window.end) - before(window.start)
    }
}

/// Whose timetable a name in the export means.
struct Whose {
    named: BTreeMap<String, Vec<usize>>,
    unnamed: Vec<usize>,
    all: usize,
}

impl Whose {
    fn of(clinic: &Clinic) -> Self {
        let mut named: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, timetable) in clinic.timetables.iter().enumerate() {
            named.entry(fold(&timetable.professional)).or_default().push(place);
        }
        Self { unnamed: named.remove("").unwrap_or_default(), named, all: clinic.timetables.len() }
    }

    /// Those of that name; else those of everybody else. With nobody whom an unnamed visit could be
    /// of, it may be anybody's, and takes a place of each: too few are offered rather than too many.
    fn timetables(&self, professional: &str) -> Vec<usize> {
        let name = fold(professional);
        match self.named.get(&name) {
            Some(places) => places.clone(),
            None if name.is_empty() && self.unnamed.is_empty() => (0..self.all).collect(),
            None => self.unnamed.clone(),
        }
    }
}

/// Slots of a timetable within its horizon are at most so many.
pub(crate) fn most_slots(timetable: &Timetable) -> u64 {
    let week: u64 = timetable.hours.iter().flatten().map(|hours| slots_in(*hours, timetable.slot_minutes)).sum();
    let weeks = u64::from(timetable.horizon_days) / 7 + 1;
    week.saturating_mul(weeks).saturating_mul(u64::from(timetable.capacity))
}

fn slots_in(hours: OpenHours, minutes: u32) -> u64 {
    u64::from(hours.minutes() / minutes.max(1))
}

/// Whether a date is closed for a timetable.
fn is_closed(timetable: &Timetable, clinic: &Clinic, date: NaiveDate) -> bool {
    let holiday = !timetable.open_on_holidays && crate::holiday::national_holiday(clinic.country, date).is_some();
    let closed = timetable.closed.iter().any(|(first, last)| (*first..=*last).contains(&date));
    holiday || closed || clinic.calendar.closed.contains(&date) || timetable.hours_on(date.weekday()).is_empty()
}
