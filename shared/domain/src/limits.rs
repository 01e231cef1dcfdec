//! How often a person and a contact point may be written to.
//!
//! The cap is a pigeonhole: a ledger has as many places as sendings are allowed in a window, and a
//! sending must take a place whose stamp has left the window. More sendings than places inside one
//! window would need one place twice inside it, which the condition on the stored stamp forbids —
//! without a counter and without counting.

use chrono::{DateTime, TimeDelta, Utc};

use crate::guard;

/// The clinic's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most marketing WhatsApp messages in a window, per person and per contact point.
    pub whatsapp_max: u8,
    /// The window, in days.
    pub whatsapp_window_days: u16,
    /// The rest that begins with the last one allowed in a window, in days.
    pub rest_days: u16,
    /// Not enrolled again within so many days of the last message (tested on entry only).
    pub entry_quiet_days: u16,
    /// The most messages to a person on one local day, over all channels.
    pub per_day_max: u8,
    /// An appointment that passed without an outcome suppresses its patient for so many days.
    pub awaiting_outcome_days: u16,
    /// Distinct people that the WhatsApp number may reach in 24 hours (Meta's messaging limit).
    pub whatsapp_daily_tier: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            whatsapp_max: 2,
            whatsapp_window_days: 30,
            rest_days: 60,
            entry_quiet_days: 30,
            per_day_max: 1,
            awaiting_outcome_days: 14,
            whatsapp_daily_tier: 250,
        }
    }
}

/// Clocks of different machines differ; a window is kept longer by this margin.
pub const CLOCK_MARGIN: TimeDelta = TimeDelta::seconds(60);

/// When a person or a contact point was last written to by WhatsApp for marketing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhatsappLedger {
    /// One stamp per place; a place never used has none.
    pub stamps: Vec<Option<DateTime<Utc>>>,
    /// Not written to before this instant.
    pub rest_until: Option<DateTime<Utc>>,
}

/// A place in a ledger that a sending may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreePlace {
    /// Which place, from 0.
    pub place: u8,
    /// The stamp it had, by which the commit recognises that nothing has changed.
    pub previous: Option<DateTime<Utc>>,
    /// The rest that this sending begins, if it is the last one allowed in its window.
    pub rest_until: Option<DateTime<Utc>>,
}

/// Why a ledger has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capped {
    /// Every place was used within the window; the first falls free at this instant.
    Window(DateTime<Utc>),
    /// Resting until this instant.
    Resting(DateTime<Utc>),
}

impl Capped {
    /// When the answer may change.
    #[must_use]
    pub fn until(self) -> DateTime<Utc> {
        match self {
            Self::Window(at) | Self::Resting(at) => at,
        }
    }
}

impl WhatsappLedger {
    /// Finds a place for a sending at `now`.
    ///
    /// # Errors
    /// [`Capped`] when the ledger is resting or full.
    pub fn free_place(&self, now: DateTime<Utc>, limits: &Limits) -> Result<FreePlace, Capped> {
        if let Some(until) = self.rest_until.filter(|until| *until > now && !guard::is_off("limit", "rest")) {
            return Err(Capped::Resting(until));
        }
        let window = TimeDelta::days(i64::from(limits.whatsapp_window_days)) + CLOCK_MARGIN;
        let window = if guard::is_off("limit", "window") { TimeDelta::zero() } else { window };
        // Also the stamps of places that a higher cap once had: lowering it forgets nothing.
        let mut busy: Vec<DateTime<Utc>> =
            self.stamps.iter().flatten().copied().filter(|at| *at > now - window).collect();
        busy.sort_unstable();
        if let Some(surplus) = busy.len().checked_sub(usize::from(limits.whatsapp_max)) {
            return Err(Capped::Window(busy.get(surplus).map_or(now, |stamp| *stamp) + window));
        }
        let stamp = |place: u8| self.stamps.get(usize::from(place)).copied().flatten();
        // Fewer are busy than there are places, so the oldest is not.
        let (previous, place) = (0..limits.whatsapp_max).map(|place| (stamp(place), place)).min().unwrap_or_default();
        let last_allowed = busy.len() + 1 >= usize::from(limits.whatsapp_max);
        let rest = TimeDelta::days(i64::from(limits.rest_days)) + CLOCK_MARGIN;
        Ok(FreePlace { place, previous, rest_until: last_allowed.then_some(now + rest) })
    }

    /// The instant of the latest sending.
    #[must_use]
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.stamps.iter().flatten().max().copied()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn day(n: i64) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).unwrap() + TimeDelta::days(n)
    }

    fn send(ledger: &mut WhatsappLedger, at: DateTime<Utc>, limits: &Limits) -> Result<(), Capped> {
        let free = ledger.free_place(at, limits)?;
        ledger.stamps.resize(usize::from(limits.whatsapp_max), None);
        *ledger.stamps.get_mut(usize::from(free.place)).unwrap() = Some(at);
        ledger.rest_until = free.rest_until.or(ledger.rest_until);
        Ok(())
    }

    #[test]
    fn two_in_thirty_days_and_the_second_begins_sixty_days_of_rest() {
        let (mut ledger, limits) = (WhatsappLedger::default(), Limits::default());
        send(&mut ledger, day(0), &limits).unwrap();
        assert_eq!(ledger.rest_until, None);
        send(&mut ledger, day(5), &limits).unwrap();
        assert_eq!(ledger.rest_until, Some(day(65) + CLOCK_MARGIN));
        assert!(matches!(send(&mut ledger, day(31), &limits), Err(Capped::Resting(_))));
        send(&mut ledger, day(66), &limits).unwrap();
        assert!(ledger.free_place(day(67), &limits).unwrap().rest_until.is_some());
    }

    #[test]
    fn a_second_one_after_the_window_begins_no_rest() {
        let (mut ledger, limits) = (WhatsappLedger::default(), Limits::default());
        send(&mut ledger, day(0), &limits).unwrap();
        send(&mut ledger, day(40), &limits).unwrap();
        assert_eq!(ledger.rest_until, None);
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_maximum(
            steps in prop::collection::vec(0i64..400, 1..200), max in 1u8..5, rest in 0u16..90,
        ) {
            let limits = Limits { whatsapp_max: max, rest_days: rest, ..Limits::default() };
            let (mut ledger, mut now, mut sent) = (WhatsappLedger::default(), day(0), Vec::new());
            for hours in steps {
                now += TimeDelta::hours(hours);
                if send(&mut ledger, now, &limits).is_ok() {
                    sent.push(now);
                }
            }
            for (i, first) in sent.iter().enumerate() {
                let inside = sent.iter().skip(i).filter(|at| **at - *first <= TimeDelta::days(30)).count();
                prop_assert!(inside <= usize::from(max));
            }
        }
    }
}
