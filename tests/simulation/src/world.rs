//! A run: clinics and their people, the cloud's habits, environments that come and go, and the
//! handlers in between.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use retorno::engine::Engine;
use retorno_cloud::orders::Order;

use crate::core::{Core, Due, TaskId};
use crate::environment::{Clients, Environment};
use crate::event::Event;
use crate::inbox::Spoken;
use crate::witness;

/// What an invocation came to: the error, if it failed.
pub type Ended = Result<(), String>;

/// An invocation.
struct Task {
    future: Pin<Box<dyn Future<Output = Ended>>>,
    environment: usize,
    handler: &'static str,
    tenant: String,
    /// What to do about its end.
    after: After,
}

/// Whether a task was called while it ran.
#[derive(Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What follows an invocation.
#[derive(Debug, Clone)]
pub enum After {
    /// Its order is deleted, or comes back by itself.
    Order(u64, bool),
    /// It is done again, later, so many times at most.
    Again(Event, u32),
    /// Nothing.
    Nothing,
}

/// A run's world.
pub struct World {
    /// What is shared.
    pub core: Core,
    /// The table.
    pub engine: Engine,
    clients: Clients,
    environments: Vec<Option<Environment>>,
    tasks: BTreeMap<TaskId, Task>,
    next: TaskId,
    /// When each clinic's next sweep is.
    pub sweeps: BTreeMap<usize, i64>,
    /// Invocations begun.
    pub invocations: u64,
}

/// A function may run so long, in ms.
const FUNCTION_MS_MAX: i64 = 120_000;
/// The sweep comes so long after anything was done, in ms …
const SWEEP_AFTER_MS: i64 = 16 * 60_000;
/// … but seldom oftener than this: most of a run would be sweeps.
const SWEEPS_APART_MS: i64 = 3 * 3_600_000;

impl World {
    /// A world.
    #[must_use]
    pub fn new(core: Core, engine: Engine, clients: Clients) -> Self {
        Self {
            core,
            engine,
            clients,
            environments: Vec::new(),
            tasks: BTreeMap::new(),
            next: 0,
            sweeps: BTreeMap::new(),
            invocations: 0,
        }
    }

    /// Whether any invocation is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Bodies of the orders that dispatchers are at.
    #[must_use]
    pub fn orders_in_work(&self) -> Vec<u64> {
        let order = |task: &Task| if let After::Order(order, _) = task.after { Some(order) } else { None };
        self.tasks.values().filter_map(order).collect()
    }

    fn draw_skew(&self) -> i64 {
        let mut state = self.core.state();
        let state = &mut *state;
        let most = state.trouble.knobs.skew_ms;
        if most > 0 {
            state.trouble.note("clock_skewed");
        }
        state.chance.between(-most / 2, most / 2)
    }

    /// An idle environment of the dispatcher, or a new one.
    fn dispatcher(&mut self) -> usize {
        let idle: Vec<usize> = self
            .environments
            .iter()
            .enumerate()
            .filter_map(|(at, environment)| environment.as_ref().filter(|e| !e.is_busy).map(|_| at))
            .collect();
        let picked = {
            let mut state = self.core.state();
            let at = state.chance.below(idle.len());
            idle.get(at).copied()
        };
        picked.unwrap_or_else(|| self.fresh())
    }

    /// A new environment.
    pub fn fresh(&mut self) -> usize {
        let environment = self.clients.environment(self.draw_skew());
        match self.environments.iter().position(Option::is_none) {
            Some(at) => {
                if let Some(place) = self.environments.get_mut(at) {
                    *place = Some(environment);
                }
                at
            }
            None => {
                self.environments.push(Some(environment));
                self.environments.len() - 1
            }
        }
    }

    /// Begins an invocation in an environment.
    pub fn begin<F>(
        &mut self,
        environment: usize,
        handler: &'static str,
        tenant: &str,
        after: After,
        run: impl FnOnce(Environment) -> F,
    ) where
        F: Future<Output = Ended> + 'static,
    {
        let Some(Some(place)) = self.environments.get_mut(environment) else { return };
        place.is_busy = true;
        let future = Box::pin(run(place.clone()));
        self.next += 1;
        self.invocations += 1;
        let task = Task { future, environment, handler, tenant: tenant.to_owned(), after };
        self.tasks.insert(self.next, task);
        let mut state = self.core.state();
        let now = state.now;
        state.at(now, Due::Poll(self.next, Waker::noop().clone()));
        state.happens_in(FUNCTION_MS_MAX, Event::TimeOut(self.next));
    }

    /// Hands a queued order to a dispatcher.
    pub fn deliver(&mut self, id: u64) {
        let Some(body) = self.core.state().receive(id) else { return };
        let Ok(order) = serde_json::from_str::<Order>(&body) else { return };
        let (tenant, handler) = match &order {
            Order::Step { clinic, .. } => (clinic.clone(), "dispatch step"),
            Order::PatientChanged { clinic, .. } => (clinic.clone(), "dispatch change"),
            Order::Answered { clinic, .. } => (clinic.clone(), "dispatch answered"),
            Order::Released { clinic, .. } => (clinic.clone(), "dispatch released"),
            Order::Say { clinic, .. } => (clinic.clone(), "dispatch say"),
            Order::SayStranger { clinic, .. } => (clinic.clone(), "dispatch say to a stranger"),
            Order::Freed { clinic, .. } => (clinic.clone(), "dispatch freed"),
            Order::Templates { clinic, .. } => (clinic.clone(), "dispatch templates"),
            Order::Gateway { clinic, .. } => (clinic.clone(), "dispatch gateway"),
            Order::Test { clinic, .. } => (clinic.clone(), "dispatch test"),
            Order::Alert { clinic, .. } => (clinic.clone(), "dispatch alert"),
            Order::Sweep { clinic } => (clinic.clone(), "dispatch sweep"),
        };
        let environment = self.dispatcher();
        let after = After::Order(id, handler == "dispatch sweep");
        self.begin(environment, handler, &tenant, after, |environment| async move {
            match environment.dispatcher.take_up(&order).await {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{error} {error:?}")),
            }
        });
    }

    /// Lets a task run on.
    pub fn poll(&mut self, id: TaskId) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        {
            let mut state = self.core.state();
            state.running = Some((id, task.handler));
            state.tenant = Some(task.tenant.clone());
            let now = state.now;
            state.judge.speaking = match &task.after {
                After::Again(Event::TakeIn { id, .. }, _) => {
                    state.inbox.get(*id).and_then(|brought| Some((brought.clinic, brought.spoken.clone()?)))
                }
                After::Again(Event::Visit { clinic, person, .. }, _) => {
                    Some((*clinic, Spoken::on_a_page(*person, now)))
                }
                After::Again(Event::Called { clinic, patient, begun, .. }, _) => {
                    Some((*clinic, Spoken::on_the_telephone(*patient, *begun)))
                }
                After::Again(..) | After::Order(..) | After::Nothing => None,
            };
            if let Some(Some(environment)) = self.environments.get(task.environment) {
                environment.set_clock(now);
            }
        }
        let called = Arc::new(Called::default());
        let waker = Waker::from(Arc::clone(&called));
        let mut context = Context::from_waker(&waker);
        // A task may call itself (streams do), and then goes on at once.
        let mut poll = || loop {
            let polled = task.future.as_mut().poll(&mut context);
            if polled.is_ready() || !called.0.swap(false, Ordering::SeqCst) {
                return polled;
            }
        };
        let polled = std::panic::catch_unwind(AssertUnwindSafe(&mut poll));
        let doomed = {
            let mut state = self.core.state();
            state.running = None;
            state.tenant = None;
            state.judge.speaking = None;
            for line in witness::heard() {
                state.judge.nothing_personal("a log line", &line);
                if line.starts_with("panic") {
                    state.judge.object(&line);
                }
            }
            std::mem::take(&mut state.doomed)
        };
        match polled {
            Ok(Poll::Pending) if doomed => self.gone(&task),
            Ok(Poll::Pending) => {
                self.tasks.insert(id, task);
            }
            Ok(Poll::Ready(ended)) => self.ended(&task, ended),
            Err(_) => self.gone(&task),
        }
    }

    /// A function that runs too long is killed, most of the time; sometimes it lives on unseen.
    pub fn time_out(&mut self, id: TaskId) {
        let strikes = {
            let mut state = self.core.state();
            let state = &mut *state;
            self.tasks.contains_key(&id) && state.chance.per_mille(700)
        };
        if strikes && let Some(task) = self.tasks.remove(&id) {
            self.core.state().trouble.note("function_timed_out");
            self.gone(&task);
        }
    }

    /// The environment of a task is gone, and the task with it.
    fn gone(&mut self, task: &Task) {
        if let Some(place) = self.environments.get_mut(task.environment) {
            *place = None;
        }
        self.follow(task, false);
    }

    fn ended(&mut self, task: &Task, ended: Ended) {
        if let Some(Some(environment)) = self.environments.get_mut(task.environment) {
            environment.is_busy = false;
        }
        {
            let mut state = self.core.state();
            let now = state.now;
            let said = ended.as_ref().err().map_or("", String::as_str);
            state.judge.nothing_personal("an error", said);
            state.judge.note(now, &format!("{} ended {}", task.handler, said.split(' ').next().unwrap_or("")));
            if state.judge.told.is_some() && !said.is_empty() {
                state.judge.note(now, said);
            }
        }
        self.follow(task, ended.is_ok());
    }

    fn follow(&mut self, task: &Task, went_well: bool) {
        let clinic = self.core.state().judge.clinic_of(&task.tenant);
        let is_sweep = matches!(task.after, After::Order(_, true));
        if let Some(clinic) = clinic.filter(|_| !is_sweep) {
            self.plan_sweep(clinic);
        }
        let mut state = self.core.state();
        let state = &mut *state;
        match &task.after {
            After::Order(order, _) if went_well => state.delete(*order),
            After::Again(event, attempts) if !went_well && *attempts > 0 => {
                let ms = state.chance.stretch(1_000, 120_000);
                state.happens_in(ms, event.clone());
            }
            After::Order(..) | After::Again(..) | After::Nothing => {}
        }
    }

    /// Plans the clinic's sweep, unless one is planned.
    pub fn plan_sweep(&mut self, clinic: usize) {
        let mut state = self.core.state();
        let now = state.now;
        let last = self.sweeps.get(&clinic).copied().unwrap_or(i64::MIN / 2);
        if last <= now {
            let soon = state.chance.per_mille(150);
            let at = if soon { now + SWEEP_AFTER_MS } else { (last + SWEEPS_APART_MS).max(now + SWEEP_AFTER_MS) };
            state.at(at, Due::Happens(Event::Sweep { clinic }));
            self.sweeps.insert(clinic, at);
        }
    }
}
