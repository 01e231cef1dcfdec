//! What the pages, the API and the driver share: the host, its folder and clock, and the one long
//! piece of work that may be under way.

mod machine;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_cloud::CloudError;
use retorno_domain::ids::ClinicId;
use staff_api::routes::instant;
use staff_api::{Office, Problem};
use tokio::sync::{Notify, watch};

use super::folder::{DataFolder, Listed};
use super::import::ImportDone;
use super::kept_clock::KeptClock;
use super::state::{AdvanceBy, Advanced, ClinicState, State, Work};
use super::survey::Surveys;
use crate::host::Host;
use crate::span::Span;

pub(crate) use staff_api::OpenClinic;

pub(crate) use machine::{on_the_phone, titles};

use machine::{ThisMachine, take_up_now};

/// The longest that the clock is moved at once.
const ADVANCE_MAX: TimeDelta = TimeDelta::days(400);
/// "Until the next message" gives up after so long without one.
const NEXT_MAX: TimeDelta = TimeDelta::days(14);

/// The running system. Clones share it.
#[derive(Clone)]
pub(crate) struct System {
    pub(crate) host: Host,
    /// What staff is answered by.
    pub(crate) office: Office,
    pub(crate) folder: Arc<DataFolder>,
    pub(crate) clock: Arc<KeptClock>,
    pub(crate) surveys: Arc<Surveys>,
    desk: Arc<Desk>,
}

struct Desk {
    work: Mutex<Papers>,
    /// Rises with everything that may change what the pages show.
    generation: AtomicU64,
    /// An order lies on the desk.
    ordered: Notify,
    idle: Notify,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Papers {
    under_way: Option<Work>,
    ordered: Option<AdvanceOrder>,
    cancelled: bool,
    last_advance: Option<Advanced>,
    last_import: Option<Result<ImportDone, Problem>>,
}

/// An accepted order to move the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdvanceOrder {
    pub(crate) target: DateTime<Utc>,
    /// Stop as soon as a message was sent.
    pub(crate) until_sent: bool,
}

impl System {
    pub(crate) fn new(host: Host, folder: DataFolder, clock: KeptClock) -> Self {
        let desk = Desk {
            work: Mutex::default(),
            generation: AtomicU64::new(0),
            ordered: Notify::new(),
            idle: Notify::new(),
            stop: watch::Sender::new(false),
        };
        let (folder, clock, desk) = (Arc::new(folder), Arc::new(clock), Arc::new(desk));
        let premises = ThisMachine::new(&host, &folder, &clock, &desk);
        let office =
            Office::new(host.reach.clone(), host.inbound_queue.clone(), host.push_key()).on(Arc::new(premises));
        Self { host, office, folder, clock, surveys: Arc::default(), desk }
    }

    /// The clinics, in the order in which they were added.
    pub(crate) async fn clinics(&self) -> Result<Vec<OpenClinic>, Problem> {
        let mut clinics = Vec::new();
        for listed in self.folder.clinics()? {
            match self.opened(&listed).await {
                Ok(clinic) => clinics.push(clinic),
                // Listed and not set up: its process died in between.
                Err(CloudError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(clinics)
    }

    /// One clinic.
    pub(crate) async fn clinic(&self, id: &str) -> Result<OpenClinic, Problem> {
        self.office.clinic(id).await
    }

    async fn opened(&self, listed: &Listed) -> Result<OpenClinic, CloudError> {
        let id = ClinicId::parse(&listed.id).map_err(|_| CloudError::Missing(format!("clinic {}", listed.id)))?;
        self.office.open(id, listed.since).await
    }

    pub(crate) async fn state(&self) -> Result<State, Problem> {
        let of = |clinic: &OpenClinic| ClinicState {
            id: clinic.id.to_string(),
            name: clinic.clinic.name.clone(),
            zone: clinic.clinic.zone.name().to_owned(),
            language: clinic.clinic.language.to_string(),
        };
        let clinics = self.clinics().await?.iter().map(of).collect();
        let next_event = self.host.next_event()?;
        let papers = self.papers();
        let (work, last_advance) = (papers.under_way.clone(), papers.last_advance.clone());
        Ok(State { now: self.host.now(), next_event, clinics, work, last_advance })
    }

    /// Takes an order to move the clock; the driver carries it out.
    pub(crate) fn order(&self, by: &AdvanceBy, zone: Tz) -> Result<Advanced, Problem> {
        let now = self.host.now();
        let order = target(by, now, zone)?;
        if order.target < now {
            return Err(Problem::bad("the clock does not go back").coded("clock_back"));
        }
        if order.target - now > ADVANCE_MAX {
            let problem = Problem::bad(format!("at most {} days at once", ADVANCE_MAX.num_days()));
            return Err(problem.coded("clock_far").with("days", ADVANCE_MAX.num_days()));
        }
        let mut papers = self.papers();
        papers.check_free(self.is_stopping())?;
        let number = papers.last_advance.as_ref().map_or(0, |last| last.number) + 1;
        let begun = Advanced {
            number,
            from: now,
            to: order.target,
            at: now,
            sent: 0,
            events: 0,
            failed: 0,
            cancelled: false,
            error: None,
        };
        papers.under_way = Some(Work::Advance(begun.clone()));
        papers.ordered = Some(order);
        papers.cancelled = false;
        drop(papers);
        self.desk.ordered.notify_one();
        Ok(begun)
    }

    /// That nothing is under way that a request could disturb.
    ///
    /// # Errors
    /// [`Problem`] says what is under way.
    pub(crate) fn check_free(&self) -> Result<(), Problem> {
        self.desk.check_free()
    }

    /// Takes up at once what has just been asked for, so that its asker sees what came of it.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn take_up_now(&self) -> Result<(), Problem> {
        take_up_now(&self.host, &self.clock, &self.desk).await
    }

    /// Lets the driver look for what is due without waiting for its next tick.
    pub(crate) fn wake(&self) {
        self.desk.ordered.notify_one();
    }

    /// The order that lies on the desk, with its beginning.
    pub(super) fn take_order(&self) -> Option<(AdvanceOrder, Advanced)> {
        let mut papers = self.papers();
        let order = papers.ordered.take()?;
        match &papers.under_way {
            Some(Work::Advance(begun)) => Some((order, begun.clone())),
            Some(Work::Import { .. }) | None => None,
        }
    }

    /// Notes how far a move of the clock is; says whether it is to go on.
    pub(super) fn note_advance(&self, advanced: &Advanced) -> bool {
        let mut papers = self.papers();
        papers.under_way = Some(Work::Advance(advanced.clone()));
        !papers.cancelled && !self.is_stopping()
    }

    pub(super) fn end_advance(&self, advanced: Advanced) {
        self.papers().last_advance = Some(advanced);
        self.touch();
        self.end_work();
    }

    pub(super) fn begin_import(&self, clinic: &ClinicId) -> Result<(), Problem> {
        let mut papers = self.papers();
        papers.check_free(self.is_stopping())?;
        papers.under_way = Some(Work::Import { clinic: clinic.to_string(), done: 0, total: None });
        papers.last_import = None;
        Ok(())
    }

    pub(super) fn note_import(&self, clinic: &ClinicId, done: u64, total: Option<u64>) {
        self.papers().under_way = Some(Work::Import { clinic: clinic.to_string(), done, total });
    }

    pub(super) fn end_import(&self, result: Result<ImportDone, Problem>) {
        self.papers().last_import = Some(result);
        self.end_work();
    }

    fn end_work(&self) {
        self.papers().under_way = None;
        self.desk.idle.notify_waiters();
    }

    /// What is under way.
    pub(crate) fn under_way(&self) -> Option<Work> {
        self.papers().under_way.clone()
    }

    /// The result of the last import.
    pub(crate) fn last_import(&self) -> Option<Result<ImportDone, Problem>> {
        self.papers().last_import.clone()
    }

    /// The last move of the clock.
    pub(crate) fn last_advance(&self) -> Option<Advanced> {
        self.papers().last_advance.clone()
    }

    /// Stops a move of the clock after the event at hand. An import is not stopped.
    pub(crate) fn cancel(&self) {
        self.papers().cancelled = true;
    }

    /// Notes that something changed.
    pub(crate) fn touch(&self) {
        self.desk.touch();
    }

    /// Differs whenever something changed.
    pub(crate) fn generation(&self) -> u64 {
        self.desk.generation.load(Ordering::Relaxed)
    }

    /// Waits until nothing is under way.
    pub(super) async fn idle(&self) {
        loop {
            let notified = self.desk.idle.notified();
            if self.under_way().is_none() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until an order is given.
    pub(super) async fn ordered(&self) {
        self.desk.ordered.notified().await;
    }

    pub(super) fn stop(&self) {
        self.desk.stop.send_replace(true);
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.desk.stop.borrow()
    }

    /// Waits until the system is told to stop.
    pub(super) async fn stopping(&self) {
        // The sender lives as long as this.
        let _ = self.desk.stop.subscribe().wait_for(|stop| *stop).await;
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.desk.papers()
    }
}

impl Desk {
    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn check_free(&self) -> Result<(), Problem> {
        self.papers().check_free(*self.stop.borrow())
    }
}

impl Papers {
    fn check_free(&self, stopping: bool) -> Result<(), Problem> {
        match &self.under_way {
            _ if stopping => Err(Problem::busy("the system is stopping").coded("stopping")),
            Some(Work::Advance(_)) => {
                let what = "the clock is being moved; wait until it has arrived, or cancel it";
                Err(Problem::busy(what).coded("busy_advance"))
            }
            Some(Work::Import { .. }) => {
                Err(Problem::busy("an import is under way; wait until it is over").coded("busy_import"))
            }
            None => Ok(()),
        }
    }
}

fn target(by: &AdvanceBy, now: DateTime<Utc>, zone: Tz) -> Result<AdvanceOrder, Problem> {
    let (target, until_sent) = match by {
        AdvanceBy::By { by } if by == "next" => (now.checked_add_signed(NEXT_MAX), true),
        AdvanceBy::By { by } => {
            let span: Span = by.parse().map_err(Problem::bad)?;
            (now.checked_add_signed(span.0), false)
        }
        AdvanceBy::To { to, .. } => (Some(instant(to, zone).map_err(Problem::bad)?), false),
    };
    let target = target.ok_or_else(|| Problem::bad("that is too far away"))?;
    Ok(AdvanceOrder { target, until_sent })
}
