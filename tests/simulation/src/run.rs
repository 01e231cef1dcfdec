//! One seed, one run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use retorno::engine::Engine;
use retorno_cloud::store::create_table;
use retorno_domain::ids::ClinicId;

use crate::chance::Chance;
use crate::clinic::Clinic;
use crate::core::{Core, Due};
use crate::environment::Clients;
use crate::event::Event;
use crate::guards::{Mutant, switch};
use crate::judge::Judge;
use crate::trouble::{Knobs, Trouble};
use crate::wire::{TABLE, Wire};
use crate::world::{After, World};
use crate::{rest, witness};

/// What became of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Everything that happened, folded: the same seed gives the same.
    pub hash: u64,
    /// What may not be, and was.
    pub violations: Vec<String>,
    /// Trouble by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Crashes by handler, wait, and before or after.
    pub crashes: BTreeMap<String, u64>,
    /// Waits passed, by the same names.
    pub waits: BTreeMap<String, u64>,
    /// States reached.
    pub reached: BTreeMap<String, u64>,
    /// Requests to anything outside.
    pub requests: u64,
    /// Invocations of handlers.
    pub invocations: u64,
    /// Messages received.
    pub accepts: u64,
    /// Patients times simulated days.
    pub patient_days: u64,
    /// Everything that happened, in words, when it was asked for.
    pub told: Vec<String>,
}

const DAY_MS: i64 = 86_400_000;
/// Everything must be at rest so long after the last new thing began: the longest sequence, the
/// longest wait for evidence, and days of sweeps between.
const REST_WITHIN_DAYS: i64 = 45;

/// Days on which something is the matter with clocks or calendars, and ordinary ones.
const BEGINNINGS: [&str; 10] = [
    "2026-03-25T03:00:00Z",
    "2026-10-21T03:00:00Z",
    "2026-04-01T03:00:00Z",
    "2026-09-02T03:00:00Z",
    "2018-10-31T03:00:00Z",
    "2026-12-19T03:00:00Z",
    "2026-05-19T03:00:00Z",
    "2026-02-16T03:00:00Z",
    "2026-06-08T03:00:00Z",
    "2026-10-28T03:00:00Z",
];

/// Plays a seed, with a guard switched off if one is given.
#[must_use]
pub fn run(seed: u64, mutant: Option<Mutant>, tells: bool) -> Outcome {
    let failed = |what: &str| Outcome { seed, violations: vec![what.to_owned()], ..Outcome::default() };
    if !witness::listen() {
        return failed("somebody else listens to the log: personal data in it would not be heard");
    }
    fastrand::seed(seed);
    if !switch(mutant) {
        return failed("this build cannot switch rules off");
    }
    let mut chance = Chance::of(seed);
    let begins = chance.pick(&BEGINNINGS, "2026-02-16T03:00:00Z").parse::<DateTime<Utc>>().unwrap_or_default();
    let clinics: Vec<Clinic> =
        (0..chance.between(1, 2)).map(|n| Clinic::draw(usize::try_from(n).unwrap_or(0), begins, &mut chance)).collect();
    let knobs = Knobs::draw(&mut chance);
    let days = chance.between(5, 16);
    let skew = knobs.skew_ms;
    let judge = Judge::of(clinics, skew, tells);
    let core = Core::new(begins.timestamp_millis(), chance, Trouble::of(knobs), judge);
    let outcome = play(seed, &core, mutant, days);
    let _ = switch(None);
    outcome
}

fn play(seed: u64, core: &Core, mutant: Option<Mutant>, days: i64) -> Outcome {
    let failed = |what: &str| Outcome { seed, violations: vec![what.to_owned()], ..Outcome::default() };
    let Ok(engine) = Engine::in_memory() else { return failed("no engine") };
    let wire = Wire::new(core.clone(), engine.clone(), mutant);
    let Ok(clients) = Clients::over(&wire, mutant) else { return failed("no clients") };
    core.state().trouble.is_on = false;
    let mut world = World::new(core.clone(), engine, clients.clone());
    set_up(&mut world, &clients);
    let begins = core.state().now;
    let (until, clinics) = {
        let mut state = core.state();
        state.trouble.is_on = true;
        (begins + days * DAY_MS, state.judge.clinics.len())
    };
    for clinic in 0..clinics {
        let mut state = core.state();
        let state = &mut *state;
        state.happens_in(1_000, Event::Export { clinic, version: 0, attempt: 1 });
        state.happens_in(500, Event::Slots { clinic, attempt: 1 });
        let life = state.chance.between(DAY_MS / 2, 4 * DAY_MS);
        state.happens_in(life, Event::Life { clinic });
        state.happens_in(5_400_000, Event::Morning { clinic, attempt: 1 });
    }
    let ends = settle(&mut world, until);
    finish(seed, &mut world, begins, ends)
}

/// The table, and the clinics' settings; nothing goes wrong yet.
fn set_up(world: &mut World, clients: &Clients) {
    let all: Vec<(String, String)> =
        world.core.state().judge.clinics.iter().map(|clinic| (clinic.id.clone(), clinic.settings(false))).collect();
    let dynamo = clients.dynamo.clone();
    let environment = world.fresh();
    world.begin(environment, "set up", "", After::Nothing, move |environment| async move {
        create_table(&dynamo, TABLE).await.map_err(|e| e.to_string())?;
        for (id, toml) in all {
            let id = ClinicId::parse(&id).map_err(|e| e.to_string())?;
            let tenant = environment.reach.store.of(&id);
            tenant.put_settings(&toml).await.map_err(|e| e.to_string())?;
            let now = environment.reach.clock.now();
            let clinic = tenant.settings(now).await.map_err(|e| e.to_string())?.clinic;
            if tenant.claim_routes(&clinic).await.map_err(|e| e.to_string())?.is_some() {
                return Err("two clinics have one number".to_owned());
            }
        }
        Ok(())
    });
    while world.is_busy() {
        step(world, i64::MAX);
    }
}

fn step(world: &mut World, until: i64) -> bool {
    match world.core.next() {
        None => false,
        Some(Due::Poll(task, part)) => {
            part.wake();
            world.poll(task);
            true
        }
        Some(Due::Happens(event)) => {
            world.happen(event, until);
            true
        }
    }
}

/// Plays until nothing new begins, then without trouble until everything is at rest; says when.
fn settle(world: &mut World, until: i64) -> i64 {
    while world.core.state().now < until && step(world, until) {}
    // Trouble goes on a while with what is under way; then it ends.
    while world.core.state().now < until + DAY_MS && step(world, until) {}
    let clinics = {
        let mut state = world.core.state();
        let state = &mut *state;
        state.trouble.is_on = false;
        state.redrive();
        state.judge.clinics.len()
    };
    for clinic in 0..clinics {
        let mut state = world.core.state();
        state.happens_in(HOUR_MS * 42, Event::Settings { clinic, halted: false, attempt: 1 });
    }
    // Where nothing happened for days it is later than that already; what is handed over again has its time all
    // the same.
    let mut checked = world.core.state().now.max(until + DAY_MS);
    loop {
        let next = checked + DAY_MS / 2;
        world.redrive_inbox();
        let kept: Vec<(usize, usize)> = world.core.state().judge.paused.iter().copied().collect();
        for (clinic, patient) in kept {
            world.core.state().happens_in(HOUR_MS, Event::HandBack { clinic, patient, attempt: 1 });
        }
        for clinic in 0..clinics {
            world.plan_sweep(clinic);
        }
        world.core.state().happens_in(next - checked, Event::Sweep { clinic: usize::MAX });
        while world.core.state().now < next && step(world, until) {}
        checked = next;
        let now = world.core.state().now;
        if now > until + 4 * DAY_MS && (rest::open(&world.engine).is_empty() || now > until + REST_WITHIN_DAYS * DAY_MS)
        {
            return now;
        }
    }
}

const HOUR_MS: i64 = 3_600_000;

fn finish(seed: u64, world: &mut World, begins: i64, ends: i64) -> Outcome {
    let mut state = world.core.state();
    let state = &mut *state;
    rest::check(state.now, &world.engine, &mut state.judge, &state.inbox);
    let judge = &mut state.judge;
    let people: usize = judge.clinics.iter().map(|clinic| clinic.facts.first().map_or(0, Vec::len)).sum();
    let days = u64::try_from((ends - begins) / DAY_MS).unwrap_or(0);
    Outcome {
        seed,
        hash: judge.hash,
        violations: judge.violations.iter().cloned().collect(),
        faults: state.trouble.counts.clone(),
        crashes: state.trouble.crashes.clone(),
        waits: state.trouble.waits.clone(),
        reached: judge.reached.clone(),
        requests: state.trouble.requests,
        invocations: world.invocations,
        accepts: u64::try_from(judge.accepts.len()).unwrap_or(0),
        patient_days: days * u64::try_from(people).unwrap_or(0),
        told: judge.told.take().unwrap_or_default(),
    }
}
