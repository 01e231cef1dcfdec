//! The clinic's free slots made those that its timetables give: only what differs is written, and run
//! again it finds nothing to do. It holds the import lease, so that no import changes what is taken
//! meanwhile; bookings go on, and are never overwritten.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt as _};
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::timetable::{Derived, KnownSlot, OpenSlot, Visit, derive};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::Reach;
use crate::error::CloudError;
use crate::orders::Order;
use crate::secrets::hex;
use crate::store::{Booking, BookingStatus, ImportLease, StoredSlot, TenantStore, TimetableMark};

/// What following the timetables changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// Slots free now.
    pub free: usize,
    /// Slots that are new or differ.
    pub added: usize,
    /// Slots that are free no longer.
    pub removed: usize,
    /// Slots that had been taken and are free again: the waitlist hears of them.
    pub freed: usize,
    /// Visits to come with somebody who has no timetable, by the name in the export; of many, the most.
    pub without_timetable: BTreeMap<String, usize>,
}

/// When it is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Now,
    /// Unless it was done today by the same timetables.
    OnceADay,
}

/// An order about a freed slot is taken up so much later: the slot is stored by then, or its writer has
/// lost its turn. Asked for first, so that a crash in between loses nobody's offer.
const TOLD_AFTER: TimeDelta = TimeDelta::minutes(5);
/// What was written so long ago every index shows.
const INDEX_SETTLES: TimeDelta = TimeDelta::minutes(10);
/// Slots written at once.
const WRITES_AT_ONCE: usize = 16;
/// Slots written between two looks at the lease.
const CHUNK: usize = 200;
/// Names without a timetable that are reported, those with most visits.
const NAMES_MAX: usize = 50;
/// Tries while patients keep booking what is being taken away.
const TRIES_MAX: u32 = 5;

/// Follows the clinic's timetables; nothing where it has none, or while an import is under way (which
/// does it itself when it is through). `holder` names this run.
///
/// # Errors
/// [`CloudError`]; repeating finishes it.
pub async fn follow(
    reach: &Reach,
    clinic: &ClinicId,
    holder: &str,
    when: When,
) -> Result<Option<Followed>, CloudError> {
    let tenant = reach.store.of(clinic);
    let now = reach.clock.now();
    let settings = tenant.settings(now).await?.clinic;
    let mark = tenant.timetable_mark().await?;
    let done = mark.as_ref().and_then(|mark| mark.followed.as_ref());
    let is_done = done.is_some_and(|(print, day)| *print == print_of(&settings) && *day == settings.date(now));
    if (settings.timetables.is_empty() && mark.is_none()) || (when == When::OnceADay && is_done) {
        return Ok(None);
    }
    let Some(mut lease) = tenant.lease_import(holder, now).await? else {
        tracing::info!(%clinic, "slots are left to the import that is under way");
        return Ok(None);
    };
    let outcome = follow_leased(reach, &tenant, holder, &mut lease).await;
    tenant.release_import(&lease).await?;
    outcome
}

/// The same for whoever holds the import lease under this name.
///
/// # Errors
/// [`CloudError`]; repeating finishes it.
pub async fn follow_leased(
    reach: &Reach,
    tenant: &TenantStore,
    holder: &str,
    lease: &mut ImportLease,
) -> Result<Option<Followed>, CloudError> {
    let now = reach.clock.now();
    let clinic = tenant.settings(now).await?.clinic;
    let mark = tenant.timetable_mark().await?;
    let mut run = Run { reach, tenant, clinic: &clinic, holder, lease };
    match (clinic.timetables.is_empty(), mark) {
        (true, None) => Ok(None),
        (true, Some(_)) => run.retire().await.map(Some),
        (false, mark) => run.follow(keep_visits(tenant, mark, now).await?).await.map(Some),
    }
}

/// Sees to it that the visits still to come are kept wherever an import changes them: for a clinic with
/// timetables, from its first import with them on. Says whether they are. The import lease must be held.
///
/// # Errors
/// [`CloudError`]; repeating finishes it.
pub async fn keeps_visits(tenant: &TenantStore, clinic: &Clinic, now: DateTime<Utc>) -> Result<bool, CloudError> {
    let mark = tenant.timetable_mark().await?;
    if clinic.timetables.is_empty() {
        // Of one that had timetables they are kept until its slots are taken away: were the timetables
        // put back before, nothing would be missing.
        return Ok(mark.is_some_and(|mark| mark.keeps_visits || mark.passed_at.is_some()));
    }
    keep_visits(tenant, mark, now).await.map(|_| true)
}

/// Brings them up to the records, until a pass finds nothing that one long before it did not.
async fn keep_visits(
    tenant: &TenantStore,
    mark: Option<TimetableMark>,
    now: DateTime<Utc>,
) -> Result<TimetableMark, CloudError> {
    let mark = mark.unwrap_or_default();
    if mark.keeps_visits {
        return Ok(mark);
    }
    let missed = tenant.keep_visits_ahead(now).await?;
    let passed_at = mark.passed_at.filter(|_| !missed);
    let keeps_visits = passed_at.is_some_and(|at| now - at >= INDEX_SETTLES);
    let next = TimetableMark { keeps_visits, passed_at: passed_at.or(Some(now)), ..mark.clone() };
    if next != mark {
        tenant.note_timetable(&next, now).await?;
    }
    Ok(next)
}

/// What the timetables of these settings would give now; nothing is written.
///
/// # Errors
/// [`CloudError`].
pub async fn look(tenant: &TenantStore, clinic: &Clinic, now: DateTime<Utc>) -> Result<Derived, CloudError> {
    let kept = tenant.timetable_mark().await?.is_some_and(|mark| mark.keeps_visits);
    let ahead = if kept { tenant.visits_ahead().await? } else { tenant.visits_ahead_of_everybody(now).await? };
    let known: Vec<KnownSlot> = tenant.slots_ahead(now).await?.into_iter().map(|slot| slot.known).collect();
    Ok(derive(clinic, now, &ahead, &known))
}

/// Tells timetables apart, and what else their slots depend on.
fn print_of(clinic: &Clinic) -> String {
    let all = format!("{:?} {:?} {} {}", clinic.timetables, clinic.calendar.closed, clinic.country.code(), clinic.zone);
    hex(&Sha256::digest(all)).chars().take(24).collect()
}

struct Run<'a> {
    reach: &'a Reach,
    tenant: &'a TenantStore,
    clinic: &'a Clinic,
    holder: &'a str,
    lease: &'a mut ImportLease,
}

impl Run<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.reach.clock.now()
    }

    async fn follow(&mut self, mark: TimetableMark) -> Result<Followed, CloudError> {
        let print = print_of(self.clinic);
        let offered_before = mark.followed.as_ref().filter(|(before, _)| *before == print).map(|(_, day)| *day);
        let mut done = Followed::default();
        for _ in 0..TRIES_MAX {
            let now = self.now();
            let ahead = self.tenant.visits_ahead().await?;
            let stored = self.tenant.slots_ahead(now).await?;
            if self.give_back(&stored, &ahead, &mut done).await? {
                continue;
            }
            let known: Vec<KnownSlot> = stored.iter().map(|slot| slot.known.clone()).collect();
            let derived = derive(self.clinic, now, &ahead, &known);
            if !self.note_overtaken(&derived.overtaken, &stored).await?
                || !self.make(&derived.free, &stored, offered_before, &mut done).await?
            {
                continue;
            }
            done.free = derived.free.iter().filter(|open| open.book_by > now).count();
            let mut named: Vec<(String, usize)> =
                derived.without_timetable.into_iter().map(|(name, count)| (name.to_string(), count)).collect();
            named.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            done.without_timetable = named.into_iter().take(NAMES_MAX).collect();
            let followed = Some((print, self.clinic.date(now)));
            if mark.followed != followed {
                self.tenant.note_timetable(&TimetableMark { followed, ..mark }, now).await?;
            }
            return Ok(done);
        }
        Err(CloudError::Retryable { operation: "timetable", code: "kept_changing".to_owned() })
    }

    /// A booked slot that somebody else has too is not to be offered when the booking is cancelled. Says
    /// `false` when one was cancelled meanwhile: then all is read again.
    async fn note_overtaken(
        &mut self,
        overtaken: &BTreeSet<String>,
        stored: &[StoredSlot],
    ) -> Result<bool, CloudError> {
        for slot in stored.iter().filter(|slot| slot.known.booked.is_some()) {
            let is_overtaken = overtaken.contains(&slot.known.slot.reference());
            if is_overtaken != slot.overtaken {
                self.keep_lease().await?;
                if !self.tenant.note_overtaken(&slot.known, is_overtaken).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Makes the stored slots those that are free. In this order: what is not free is taken away, then
    /// what differs is changed, then what is new is added. Says `false` when a patient booked something
    /// of it meanwhile: then nothing that might overlap it has been added, and all is read again.
    async fn make(
        &mut self,
        free: &[OpenSlot],
        stored: &[StoredSlot],
        offered_before: Option<NaiveDate>,
        done: &mut Followed,
    ) -> Result<bool, CloudError> {
        let now = self.now();
        let wanted: BTreeMap<String, &OpenSlot> = free.iter().map(|open| (open.slot.reference(), open)).collect();
        let there: BTreeMap<String, &StoredSlot> =
            stored.iter().map(|slot| (slot.known.slot.reference(), slot)).collect();
        let unbooked = || stored.iter().filter(|slot| slot.known.booked.is_none());
        let gone: Vec<String> =
            unbooked().map(|slot| slot.known.slot.reference()).filter(|name| !wanted.contains_key(name)).collect();
        let removed = self.delete(&gone).await?;
        done.removed += removed;
        if removed < gone.len() {
            return Ok(false);
        }
        let (mut changed, mut new) = (Vec::new(), Vec::new());
        for (reference, open) in &wanted {
            match there.get(reference) {
                Some(slot) if is_as_wanted(slot, open) => {}
                Some(_) => changed.push((*open, false)),
                // Too near already: nobody could book it.
                None if open.book_by <= now => {}
                None => new.push((*open, offered_before.is_some_and(|day| open.offered_from <= day))),
            }
        }
        for slots in [changed, new] {
            let (put, freed) = self.put(&slots).await?;
            done.added += put;
            done.freed += freed;
            if put < slots.len() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes slots away unless they are booked; says how many were.
    async fn delete(&mut self, references: &[String]) -> Result<usize, CloudError> {
        let mut count = 0;
        for chunk in references.chunks(CHUNK) {
            self.keep_lease().await?;
            let deletes: Vec<_> = chunk.iter().map(|reference| self.tenant.delete_slot(reference)).collect();
            let mut deleted = stream::iter(deletes).buffer_unordered(WRITES_AT_ONCE);
            while let Some(gone) = deleted.next().await {
                count += usize::from(gone?);
            }
        }
        Ok(count)
    }

    /// Stores slots unless they are booked; says how many were stored, and how many of them had been taken
    /// before. Of those that were taken before and are
    /// free again, the waitlist is to hear.
    async fn put(&mut self, slots: &[(&OpenSlot, bool)]) -> Result<(usize, usize), CloudError> {
        let (mut count, mut freed) = (0, 0);
        for chunk in slots.chunks(CHUNK) {
            self.keep_lease().await?;
            for (open, _) in chunk.iter().filter(|(_, freed)| *freed) {
                self.tell_waitlist(&open.slot.reference()).await?;
            }
            let tenant = self.tenant;
            let puts = chunk.iter().copied().map(|(open, was_taken)| async move {
                Ok::<_, CloudError>((tenant.put_timetable_slot(open).await?, was_taken))
            });
            let puts: Vec<_> = puts.collect();
            let mut stored = stream::iter(puts).buffer_unordered(WRITES_AT_ONCE);
            while let Some(done) = stored.next().await {
                let (is_stored, was_taken) = done?;
                count += usize::from(is_stored);
                freed += usize::from(is_stored && was_taken);
            }
        }
        Ok((count, freed))
    }

    async fn tell_waitlist(&self, reference: &str) -> Result<(), CloudError> {
        let order = Order::Freed { clinic: self.clinic.id.to_string(), slot: reference.to_owned() };
        self.reach.orders.queue(&order, self.now(), self.now() + TOLD_AFTER).await
    }

    /// Gives back the slots of visits booked through us that the clinic's system entered, and cancelled
    /// or moved since; says whether there were any.
    async fn give_back(
        &mut self,
        stored: &[StoredSlot],
        ahead: &[Visit],
        done: &mut Followed,
    ) -> Result<bool, CloudError> {
        let entered: BTreeSet<(DateTime<Utc>, &PatientId)> =
            ahead.iter().map(|visit| (visit.start, &visit.patient)).collect();
        let mut any = false;
        for slot in stored {
            let Some((id, patient)) = &slot.known.booked else { continue };
            if entered.contains(&(slot.known.slot.start, patient)) {
                continue;
            }
            let Some(booking) = self.tenant.booking(slot.known.slot.start, id).await? else { continue };
            if self.is_over(&booking).await? {
                self.keep_lease().await?;
                self.tell_waitlist(&booking.slot).await?;
                if self.tenant.cancel_booking(&booking).await? {
                    done.freed += 1;
                }
                any = true;
            }
        }
        Ok(any)
    }

    /// Whether a visit booked through us stands in the clinic's own system and is not to be, at least
    /// not then. The patient's own record says so: the number alone is noted before the record is.
    async fn is_over(&self, booking: &Booking) -> Result<bool, CloudError> {
        let Some(number) = booking.clinic_number.as_ref().filter(|_| booking.status != BookingStatus::Cancelled) else {
            return Ok(false);
        };
        let stored = self.tenant.patients(std::slice::from_ref(&booking.patient), true).await?.pop();
        let Some(patient) = stored.map(|stored| stored.patient) else { return Ok(false) };
        if patient.visit(&booking.id).is_some() {
            return Ok(false);
        }
        Ok(patient.visit(number).is_some_and(|visit| match visit.status {
            AppointmentStatus::Cancelled | AppointmentStatus::NoShow => true,
            AppointmentStatus::Booked | AppointmentStatus::Confirmed => visit.start != booking.start,
            AppointmentStatus::Completed => false,
        }))
    }

    /// The clinic has no timetable any more: what they gave and nobody booked is taken away.
    async fn retire(&mut self) -> Result<Followed, CloudError> {
        let stored = self.tenant.slots_ahead(self.now()).await?;
        let theirs = stored.iter().filter(|slot| slot.by_timetable && slot.known.booked.is_none());
        let references: Vec<String> = theirs.map(|slot| slot.known.slot.reference()).collect();
        let removed = self.delete(&references).await?;
        self.tenant.forget_timetable().await?;
        Ok(Followed { removed, ..Followed::default() })
    }

    async fn keep_lease(&mut self) -> Result<(), CloudError> {
        let now = self.now();
        let lost = || CloudError::Retryable { operation: "timetable", code: "lease_lost".to_owned() };
        if self.lease.wants_renewal(now) {
            *self.lease = self.tenant.lease_import(self.holder, now).await?.ok_or_else(lost)?;
        }
        if self.lease.holds(now) { Ok(()) } else { Err(lost()) }
    }
}

fn is_as_wanted(stored: &StoredSlot, open: &OpenSlot) -> bool {
    let same = stored.known.slot == open.slot && stored.book_by == Some(open.book_by);
    same && stored.by_timetable && !stored.overtaken
}
