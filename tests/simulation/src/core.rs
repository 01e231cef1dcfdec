//! One thread, one clock, one order of events: what happens in a run follows from its seed alone.
//!
//! A task is a handler's invocation. It runs until it waits for the wire; then the agenda says who
//! is next. Killing a task at a wait is a crash, and letting it wait very long is a freeze.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;

use crate::chance::Chance;
use crate::event::Event;
use crate::inbox::Inbox;
use crate::judge::Judge;
use crate::queue::Queue;
use crate::trouble::Trouble;

/// A handler's invocation.
pub type TaskId = u64;

/// What is next.
#[derive(Debug, Clone)]
pub enum Due {
    /// A task has waited long enough: the task, and the part of it that waited.
    Poll(TaskId, Waker),
    /// Something happens.
    Happens(Event),
}

/// Everything a run shares: time, chance, what goes wrong, the queue, and the judge.
#[derive(Debug)]
pub struct State {
    /// True time, in milliseconds since 1970.
    pub now: i64,
    /// The draws.
    pub chance: Chance,
    /// What goes wrong, and how often it did.
    pub trouble: Trouble,
    /// The dispatch queue and the schedules that feed it.
    pub queue: Queue,
    /// What people and providers told the hooks.
    pub inbox: Inbox,
    /// What was seen, and whether it may be.
    pub judge: Judge,
    /// Who is running: the task and its handler.
    pub running: Option<(TaskId, &'static str)>,
    /// Transactions carried out, by their tokens: when, and what they asked for.
    pub tokens: BTreeMap<String, (i64, Vec<u8>)>,
    /// Whose task is running: it may name this clinic's keys only.
    pub tenant: Option<String>,
    /// The running task is to be killed at this wait.
    pub doomed: bool,
    agenda: BTreeMap<(i64, u64), Due>,
    turn: u64,
}

impl State {
    /// Puts something on the agenda.
    pub fn at(&mut self, when: i64, due: Due) {
        self.turn += 1;
        self.agenda.insert((when.max(self.now), self.turn), due);
    }

    /// Something happens after a while.
    pub fn happens_in(&mut self, ms: i64, event: Event) {
        self.at(self.now + ms, Due::Happens(event));
    }
}

/// A shared run.
#[derive(Debug, Clone)]
pub struct Core(Arc<Mutex<State>>);

impl Core {
    /// A run that begins at an instant.
    #[must_use]
    pub fn new(now: i64, chance: Chance, trouble: Trouble, judge: Judge) -> Self {
        let state = State {
            now,
            chance,
            trouble,
            queue: Queue::default(),
            inbox: Inbox::default(),
            judge,
            running: None,
            tokens: BTreeMap::new(),
            tenant: None,
            doomed: false,
            agenda: BTreeMap::new(),
            turn: 0,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The state. Never held across a wait.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is next; the clock moves there.
    #[must_use]
    pub fn next(&self) -> Option<Due> {
        let mut state = self.state();
        let ((at, _), due) = state.agenda.pop_first()?;
        state.now = at;
        Some(due)
    }

    /// Waits.
    #[must_use]
    pub fn pause(&self, ms: i64) -> Pause {
        let until = self.state().now + ms.max(0);
        Pause { core: self.clone(), until, is_noted: false }
    }

    /// Ends the running task here: its environment is gone.
    pub async fn die(&self) {
        self.state().doomed = true;
        std::future::pending::<()>().await;
    }
}

/// A wait of the running task.
#[derive(Debug)]
pub struct Pause {
    core: Core,
    until: i64,
    is_noted: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let core = self.core.clone();
        let mut state = core.state();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        if !self.is_noted
            && let Some((task, _)) = state.running
        {
            state.at(self.until, Due::Poll(task, context.waker().clone()));
            self.is_noted = true;
        }
        Poll::Pending
    }
}

impl AsyncSleep for Core {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.pause(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)))
    }
}

impl TimeSource for Core {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.state().now).unwrap_or(0))
    }
}
