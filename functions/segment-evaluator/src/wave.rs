//! The day's part of the week's wave: those waiting longest in rank are enrolled while there is
//! room — seats of the segment, free slots of the clinic, the WhatsApp number's daily tier.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use retorno_cloud::orders::{COMMIT_TAKES, step_order};
use retorno_cloud::store::{BacklogEntry, ContactKeys, NewEnrollment, NotEnrolled, StoredPatient, TenantStore};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::approval::Lacks;
use retorno_domain::because::{Because, Finding};
use retorno_domain::calendar::local_date;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::enrollment::{Enrollment, State, place_in_day};
use retorno_domain::entry::{EntryCase, EntryRule, explain, first_block};
use retorno_domain::flow::Flow;
use retorno_domain::hours::OpenWindow;
use retorno_domain::ids::{EnrollmentId, SegmentId};
use retorno_domain::segment::{Placement, Thresholds};
use retorno_domain::standing::{Standing, placement};
use retorno_domain::wave::{Full, Seat, WavePlan, overall_capacity, rank_uses_whatsapp};

/// What became of the day's part of the wave.
#[derive(Debug, Clone, Default)]
pub struct Wave {
    /// Patients enrolled, by segment.
    pub enrolled: BTreeMap<SegmentId, u32>,
    /// Patients who turned out to be blocked, by reason.
    pub blocked: BTreeMap<&'static str, u32>,
    /// The week's capacity over all segments, where free slots are known.
    pub overall: Option<u32>,
}

/// Somebody blocked without a date is looked at again after so many days: what blocks them (the
/// opt-out of somebody who shares the phone) changes without touching their own record.
const BLOCKED_AGAIN_DAYS: u64 = 30;
/// Read beyond the room there is, for those who turn out to be blocked.
const SPARE: usize = 50;

struct Day<'a> {
    reach: &'a Reach,
    tenant: &'a TenantStore,
    clinic: &'a Clinic,
    lacks: &'a Lacks,
    thresholds: &'a Thresholds,
    now: DateTime<Utc>,
    today: NaiveDate,
    plan: WavePlan<'a>,
    wave: Wave,
}

/// Enrolls the day's part of the wave. On a day on which nobody may be written to, nobody is enrolled.
pub(crate) async fn enroll_day(
    reach: &Reach,
    tenant: &TenantStore,
    (clinic, lacks): (&Clinic, &Lacks),
    thresholds: &Thresholds,
) -> Result<Wave, CloudError> {
    let now = reach.clock.now();
    let today = clinic.date(now);
    let window = clinic.calendar.window_on(today, clinic.zone);
    if clinic.halted || window.is_none_or(|window| now >= window.closes) {
        return Ok(Wave::default());
    }
    let week = clinic.week(now);
    let seats = tenant.seats(week).await?;
    let mut earlier = Vec::new();
    // A sequence is over within two weeks of its seat's.
    for days in [7, 14] {
        if let Some(day) = today.checked_sub_days(Days::new(days)) {
            earlier.extend(tenant.seats(retorno_domain::calendar::IsoWeek::of(day)).await?);
        }
    }
    let overall = overall_of_week(tenant, clinic, u32::try_from(seats.len()).unwrap_or(u32::MAX), now).await?;
    let plan = WavePlan::new(clinic, today, &seats, &earlier, overall);
    let wave = Wave { overall, ..Wave::default() };
    let mut day = Day { reach, tenant, clinic, lacks, thresholds, now, today, plan, wave };
    day.enroll_ranked().await?;
    Ok(day.wave)
}

/// The week's capacity by the free slots in reach; as the agenda fills it falls, though not below
/// what is `used` already, and never rises.
async fn overall_of_week(
    tenant: &TenantStore,
    clinic: &Clinic,
    used: u32,
    now: DateTime<Utc>,
) -> Result<Option<u32>, CloudError> {
    if !tenant.slots_are_known().await? {
        return Ok(None);
    }
    let until = now + TimeDelta::days(i64::from(clinic.wave.slots_horizon_days));
    let free = tenant.free_slots(now, until, None, now).await?.len();
    let capacity = overall_capacity(clinic, u32::try_from(free).unwrap_or(u32::MAX)).max(used);
    tenant.lower_capacity(clinic.week(now), capacity).await.map(Some)
}

impl Day<'_> {
    /// Goes through the backlogs of all segments as one ranked list.
    async fn enroll_ranked(&mut self) -> Result<(), CloudError> {
        let mut waiting: Vec<BacklogEntry> = Vec::new();
        for segment in self.clinic.segments.iter().filter(|segment| segment.active) {
            let left =
                usize::try_from(segment.seats_per_week).unwrap_or(0).saturating_sub(self.plan.taken(&segment.id));
            if left > 0 {
                for by_whatsapp in [true, false] {
                    waiting.extend(self.tenant.backlog(&segment.id, by_whatsapp, left + SPARE).await?);
                }
            }
        }
        waiting.sort_unstable();
        for entry in waiting {
            // They keep their place: with Meta's approval their turn has come.
            // Whether they are minors, their record says: it is read where that makes a difference.
            let lack = |for_guardian| self.lacks.of_segment(&entry.segment, for_guardian);
            if let (Some(lack), Some(_), true) = (lack(false), lack(true), rank_uses_whatsapp(&entry.rank)) {
                *self.wave.blocked.entry(lack.why.reason()).or_default() += 1;
                continue;
            }
            match self.plan.room(&entry.segment, rank_uses_whatsapp(&entry.rank)) {
                Ok(_) => self.consider(&entry).await?,
                Err(Full::Overall) => break,
                Err(Full::Segment | Full::Number) => {}
            }
        }
        Ok(())
    }

    async fn consider(&mut self, entry: &BacklogEntry) -> Result<(), CloudError> {
        let Some(stored) = self.tenant.patients(std::slice::from_ref(&entry.patient), true).await?.pop() else {
            return Ok(());
        };
        let contacts = self.tenant.contact_keys(&stored.patient, self.today);
        let points = self.tenant.contact_points(&contacts).await?;
        let placed = placement(self.clinic, &stored.patient, self.thresholds, self.now);
        let case = EntryCase {
            clinic: self.clinic,
            patient: &stored.patient,
            points: &points,
            placement: placed,
            lacks: self.lacks,
            now: self.now,
        };
        if let Some(finding) = first_block(&case, EntryRule::ALL) {
            // As above: whoever waits for Meta's approval is not set aside.
            if EntryRule::Templates.check(&case) == finding {
                *self.wave.blocked.entry(finding.reason).or_default() += 1;
                return Ok(());
            }
            return self.set_aside(&stored, &finding).await;
        }
        let whatsapp = case.open_channels().contains(Channel::Whatsapp);
        let mut because = explain(&case);
        let Some((segment, flow)) = self.segment_of(placed) else { return Ok(()) };
        because.findings.push(Finding::pass("ranked").with("segment", &segment).with("rank", &entry.rank));
        // A seat may turn out to be taken by a run that is not over; then the next one.
        while let Ok(number) = self.plan.room(&segment, whatsapp) {
            let seat = Seat { segment: segment.clone(), number, day: self.today, whatsapp };
            let Some(new) = self.enrollment(&stored, &contacts, seat, &flow, &because) else { return Ok(()) };
            match self.enroll(&new).await {
                Ok(()) => {
                    let (clinic, patient) = (&self.clinic.id, &stored.patient.id);
                    tracing::info!(%clinic, %patient, enrollment = %new.enrollment.id, %segment, "enrolled");
                    self.plan.take(&segment, number, whatsapp);
                    *self.wave.enrolled.entry(segment).or_default() += 1;
                    return Ok(());
                }
                Err(NotEnrolled::SeatTaken) => self.plan.mark_taken(&segment, number),
                Err(NotEnrolled::Changed) => return Ok(()),
                Err(NotEnrolled::Cloud(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn segment_of(&self, placed: Placement) -> Option<(SegmentId, Flow)> {
        let segment = self.clinic.segments.get(placed.segment?)?;
        Some((segment.id.clone(), self.clinic.flow(&segment.flow)?.clone()))
    }

    /// Takes somebody who is blocked out of the backlog until that may change.
    async fn set_aside(&mut self, stored: &StoredPatient, finding: &Finding) -> Result<(), CloudError> {
        *self.wave.blocked.entry(finding.reason).or_default() += 1;
        let again = self.today.checked_add_days(Days::new(BLOCKED_AGAIN_DAYS));
        let until = finding.verdict.until().map(|until| self.clinic.date(until)).or(again);
        let due = [until, stored.standing.due].into_iter().flatten().min();
        let standing = Standing { due, waits: None, aside: until, ..stored.standing.clone() };
        self.tenant.set_standing(stored, &standing, self.today).await?;
        Ok(())
    }

    /// The enrollment of a patient whose first message is to leave today, spread over the hours
    /// that are left.
    fn enrollment(
        &self,
        stored: &StoredPatient,
        contacts: &ContactKeys,
        seat: Seat,
        flow: &Flow,
        because: &Because,
    ) -> Option<NewEnrollment> {
        let patient = &stored.patient;
        let zone = patient.profile.zone;
        let window = self.clinic.calendar.window_on(local_date(self.now, zone), zone)?;
        let left = OpenWindow { opens: window.opens.max(self.now), closes: window.closes };
        if left.opens >= left.closes {
            return None;
        }
        let id = EnrollmentId::of(&self.clinic.id, &patient.id, &seat.segment, self.today);
        let enrollment = Enrollment {
            id,
            patient: patient.id.clone(),
            segment: seat.segment.clone(),
            flow: flow.id.clone(),
            flow_version: flow.version,
            week: self.clinic.week(self.now),
            seat: seat.number,
            state: State::Running { step: 0, due: place_in_day(id, left) },
            first_sent_on: None,
            told_at: None,
            wakes: 1,
            epoch: self.clinic.epoch,
        };
        // Beyond the closing of the cycle by its longest delay; a sequence frees its contact points
        // itself when it ends.
        let busy_until = self.now + TimeDelta::days(i64::from(flow.close_after_days) + 7);
        let line = because.findings.iter().filter(|finding| !finding.figures.is_empty());
        let because =
            line.map(|finding| format!("{} {}", finding.rule, finding.figures)).collect::<Vec<_>>().join("; ");
        Some(NewEnrollment {
            enrollment,
            seat,
            patient_version: stored.version,
            contacts: contacts.clone(),
            busy_until,
            because,
            now: self.now,
        })
    }

    /// The wake-up first, the enrollment second.
    async fn enroll(&self, new: &NewEnrollment) -> Result<(), NotEnrolled> {
        let enrollment = &new.enrollment;
        let order = step_order(&self.clinic.id, &enrollment.patient, enrollment.id, 0);
        let due = enrollment.due().unwrap_or(self.now);
        let now = self.reach.clock.now();
        self.reach.orders.wake(&order, 0, now, due.max(now + COMMIT_TAKES)).await?;
        self.tenant.enroll(new).await
    }
}
