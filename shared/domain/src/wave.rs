//! Waves: how many patients a week can take, in which order, and on which days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use crate::channel::Channel;
use crate::clinic::Clinic;
use crate::flow::Flow;
use crate::hours::OpenHours;
use crate::ids::{PatientId, SegmentId};
use crate::segment::{Day, Mean};

/// The order in which patients wait: worth more first; among those worth about the same, the one
/// who leaves the segment soonest; then by exact worth and by id. Sorts as text. `reach` (`w` for
/// WhatsApp, else `e`) is carried along, so that nobody is loaded in vain when the number is full.
#[must_use]
pub fn rank(mean: Option<Mean>, leaves: Option<Day>, reach: char, patient: &PatientId) -> String {
    let cents = mean.map_or(0, |mean| mean.sum_cents / i64::from(mean.count.max(1))).clamp(0, 999_999_999_999);
    // "About the same" is the same half-octave: values within a factor of the square root of two.
    let class =
        u64::try_from(cents).unwrap_or(0).saturating_mul(cents.unsigned_abs()).checked_ilog2().map_or(0, |log| log + 1);
    let leaves = leaves.unwrap_or(Day::MAX);
    format!("{:03}.{leaves:010}.{:012}.{reach}.{patient}", 999 - class, 999_999_999_999 - cents)
}

/// Whether a rank is of somebody reached by WhatsApp.
#[must_use]
pub fn rank_uses_whatsapp(rank: &str) -> bool {
    rank.split('.').nth(3) == Some("w")
}

/// How many patients may be enrolled in a week over all segments, given the free slots in reach.
#[must_use]
pub fn overall_capacity(clinic: &Clinic, free_slots: u32) -> u32 {
    let percent = u32::from(clinic.wave.booking_percent).max(1);
    u32::try_from(u64::from(free_slots) * 100 / u64::from(percent)).unwrap_or(u32::MAX)
}

/// How many WhatsApp messages planning may put on a date: the share of the number's daily tier
/// that the date's hours allow, so that no 24 hours ever hold more than the tier.
#[must_use]
pub fn whatsapp_room(clinic: &Clinic, date: NaiveDate) -> u32 {
    // The longest day of the week, open or not this week: a Saturday's pace is that of the Friday
    // before it, with which it shares 24 hours.
    let longest = (0..7)
        .filter_map(|n| date.checked_add_days(Days::new(n)))
        .filter_map(|date| clinic.calendar.hours.on(date.weekday()))
        .map(OpenHours::minutes)
        .max()
        .unwrap_or(0);
    if longest == 0 {
        return 0;
    }
    let tier = u64::from(clinic.limits.whatsapp_daily_tier) * u64::from(clinic.wave.tier_share_percent) / 100;
    u32::try_from(tier * u64::from(clinic.calendar.open_minutes(date)) / u64::from(longest)).unwrap_or(u32::MAX)
}

/// A seat taken in a week: what is needed to foresee its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Of which segment.
    pub segment: SegmentId,
    /// Its number within week and segment.
    pub number: u32,
    /// The day of the first message.
    pub day: NaiveDate,
    /// Whether its sequence uses WhatsApp.
    pub whatsapp: bool,
}

/// The room that is left for new enrollments on one day.
#[derive(Debug, Clone)]
pub struct WavePlan<'a> {
    clinic: &'a Clinic,
    today: NaiveDate,
    taken: BTreeMap<SegmentId, Vec<u32>>,
    overall_left: u32,
    whatsapp: BTreeMap<NaiveDate, u32>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The segment's seats of the week are taken.
    Segment,
    /// The free slots of the next days cannot take more.
    Overall,
    /// The WhatsApp number's daily tier is planned full, today or on the day of the second message.
    Number,
}

impl<'a> WavePlan<'a> {
    /// Plans a day. `this_week` are the seats taken this week, `earlier` those of the weeks before
    /// whose sequences may still be running; `overall` is the week's capacity over all segments,
    /// if the free slots are known.
    #[must_use]
    pub fn new(
        clinic: &'a Clinic,
        today: NaiveDate,
        this_week: &[Seat],
        earlier: &[Seat],
        overall: Option<u32>,
    ) -> Self {
        let used = u32::try_from(this_week.len()).unwrap_or(u32::MAX);
        let overall_left = overall.map_or(u32::MAX, |capacity| capacity.saturating_sub(used));
        let mut plan = Self { clinic, today, taken: BTreeMap::new(), overall_left, whatsapp: BTreeMap::new() };
        for seat in this_week {
            plan.taken.entry(seat.segment.clone()).or_default().push(seat.number);
        }
        for seat in this_week.iter().chain(earlier).filter(|seat| seat.whatsapp) {
            for date in plan.whatsapp_days(&seat.segment, seat.day) {
                *plan.whatsapp.entry(date).or_default() += 1;
            }
        }
        plan
    }

    /// A free seat for a patient of the segment, if there is room for the whole sequence.
    ///
    /// # Errors
    /// [`Full`] says what is lacking.
    pub fn room(&self, segment: &SegmentId, whatsapp: bool) -> Result<u32, Full> {
        let seats = self.clinic.segments.iter().find(|s| s.id == *segment).map_or(0, |s| s.seats_per_week);
        let taken = self.taken.get(segment).map_or(&[][..], Vec::as_slice);
        let number = (0..seats).find(|number| !taken.contains(number)).ok_or(Full::Segment)?;
        if self.overall_left == 0 {
            return Err(Full::Overall);
        }
        let days = self.whatsapp_days(segment, self.today);
        let full =
            |date: &NaiveDate| self.whatsapp.get(date).copied().unwrap_or(0) >= whatsapp_room(self.clinic, *date);
        if whatsapp && days.iter().any(full) {
            return Err(Full::Number);
        }
        Ok(number)
    }

    /// Takes a seat.
    pub fn take(&mut self, segment: &SegmentId, number: u32, whatsapp: bool) {
        self.taken.entry(segment.clone()).or_default().push(number);
        self.overall_left = self.overall_left.saturating_sub(1);
        if whatsapp {
            for date in self.whatsapp_days(segment, self.today) {
                *self.whatsapp.entry(date).or_default() += 1;
            }
        }
    }

    /// Marks a seat that turned out to be taken by somebody else; it is one of the week's.
    pub fn mark_taken(&mut self, segment: &SegmentId, number: u32) {
        self.taken.entry(segment.clone()).or_default().push(number);
        self.overall_left = self.overall_left.saturating_sub(1);
    }

    /// How many seats of the segment are taken this week.
    #[must_use]
    pub fn taken(&self, segment: &SegmentId) -> usize {
        self.taken.get(segment).map_or(0, Vec::len)
    }

    /// The dates on which a sequence beginning on `first` sends WhatsApp messages; the tier counts
    /// people, so a date counts once.
    fn whatsapp_days(&self, segment: &SegmentId, first: NaiveDate) -> BTreeSet<NaiveDate> {
        let flow = self.clinic.segments.iter().find(|s| s.id == *segment).and_then(|s| self.clinic.flow(&s.flow));
        let steps = flow.map_or(&[][..], |flow: &Flow| flow.steps.as_slice());
        steps
            .iter()
            .filter(|step| step.channel == Channel::Whatsapp)
            .filter_map(|step| first.checked_add_days(Days::new(u64::from(step.offset_days))))
            .filter_map(|date| self.clinic.calendar.next_open_date(date))
            .collect()
    }
}
