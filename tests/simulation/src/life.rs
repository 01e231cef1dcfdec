//! What happens to a clinic from outside: mornings, exports, people, staff.

use chrono::{DateTime, Days, TimeZone, Utc};
use retorno_cloud::orders::Order;
use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::ids::ClinicId;
use segment_evaluator::{Scope, evaluate};

use crate::core::Due;
use crate::environment::Environment;
use crate::event::Event;
use crate::world::{After, World};

const HOUR_MS: i64 = 3_600_000;
/// A webhook's caller does not give up soon.
const WEBHOOK_TRIES: u32 = 12;

fn said<E: std::fmt::Display + std::fmt::Debug>(error: E) -> String {
    format!("{error} {error:?}")
}

impl World {
    /// Lets something happen. Nothing new begins after `until`.
    pub fn happen(&mut self, event: Event, until: i64) {
        let is_over = self.core.state().now >= until;
        match event {
            Event::Deliver(order) => self.deliver(order),
            Event::Fire(schedule) => self.core.state().fire(schedule),
            Event::TimeOut(task) => self.time_out(task),
            Event::Sweep { clinic } => self.sweep(clinic),
            Event::Morning { clinic, attempt } if !is_over => self.morning(clinic, attempt),
            Event::Export { clinic, version, attempt } => self.export(clinic, version, attempt),
            Event::Life { clinic } if !is_over => self.life(clinic),
            Event::OptOut { clinic, contact, attempt } => self.opt_out(clinic, contact, attempt),
            Event::TakeIn { id, attempt } => self.take_in(id, attempt),
            Event::Visit { clinic, token, person, attempt } => self.visit(clinic, token, person, attempt),
            Event::Slots { clinic, attempt } => self.slots(clinic, attempt),
            Event::TakeOver { clinic, patient, attempt } => self.take_over(clinic, patient, attempt),
            Event::HandBack { clinic, patient, attempt } => self.hand_back(clinic, patient, attempt),
            Event::Called { clinic, patient, said, begun, attempt } => {
                self.called(clinic, patient, said, begun, attempt)
            }
            Event::Settings { clinic, halted, attempt } => self.settings(clinic, halted, attempt),
            Event::ClaimAhead { clinic, contact, patient } if !is_over => self.rival(clinic, contact, &patient),
            Event::ImportAbout { clinic, patient } if !is_over => self.import_about(clinic, patient),
            Event::Morning { .. } | Event::Life { .. } | Event::ClaimAhead { .. } | Event::ImportAbout { .. } => {}
        }
    }

    pub(crate) fn clinic_id(&self, clinic: usize) -> Option<(String, ClinicId)> {
        let id = self.core.state().judge.clinics.get(clinic)?.id.clone();
        let parsed = ClinicId::parse(&id).ok()?;
        Some((id, parsed))
    }

    fn sweep(&mut self, clinic: usize) {
        let Some((id, _)) = self.clinic_id(clinic) else { return };
        let order = serde_json::to_string(&Order::Sweep { clinic: id }).unwrap_or_default();
        self.core.state().enqueue(&order, 0);
    }

    /// Six in the morning: the evaluation; and the next morning.
    fn morning(&mut self, clinic: usize, attempt: u32) {
        let Some((tenant, id)) = self.clinic_id(clinic) else { return };
        let lost = {
            let mut state = self.core.state();
            let state = &mut *state;
            let rate = state.trouble.knobs.delivery;
            let zone = state.judge.clinics.get(clinic).map_or(chrono_tz::UTC, |clinic| clinic.zone);
            if attempt == 1 {
                let next = next_morning(state.now, zone);
                state.at(next, Due::Happens(Event::Morning { clinic, attempt: 1 }));
                if state.trouble.strikes(&mut state.chance, rate) {
                    state.trouble.note("morning_twice");
                    let ms = state.chance.stretch(1, 20_000);
                    state.happens_in(ms, Event::Morning { clinic, attempt: 3 });
                }
            }
            let lost = attempt == 1 && state.trouble.strikes(&mut state.chance, rate / 4);
            if lost {
                state.trouble.note("morning_lost");
            }
            lost
        };
        if lost {
            return;
        }
        let after = After::Again(Event::Morning { clinic, attempt: attempt + 1 }, 3u32.saturating_sub(attempt));
        let environment = self.fresh();
        self.begin(environment, "evaluate", &tenant, after, move |environment| async move {
            evaluate(&environment.reach, &id, Scope::Due).await.map(|_| ()).map_err(said)
        });
    }

    /// An export lands; what it says may be true from now on, and surely is when it went well.
    fn export(&mut self, clinic: usize, version: usize, attempt: u32) {
        let Some((tenant, id)) = self.clinic_id(clinic) else { return };
        let (export, name) = {
            let mut state = self.core.state();
            let state = &mut *state;
            let name = format!("import-{}", state.chance.between(0, i64::MAX));
            let Some(of) = state.judge.clinics.get_mut(clinic) else { return };
            of.told = of.told.max(version);
            (of.export(version), name)
        };
        let core = self.core.clone();
        let after =
            After::Again(Event::Export { clinic, version, attempt: attempt + 1 }, 12u32.saturating_sub(attempt));
        let environment = self.fresh();
        self.begin(environment, "import", &tenant, after, move |environment| async move {
            let source = std::io::Cursor::new(export.into_bytes());
            let report =
                export_importer::import(&environment.reach, &id, &name, source, &mut |_| {}).await.map_err(said)?;
            let mut state = core.state();
            if let Some(refused) = report.rejected.first() {
                let what = format!("a good row was rejected: {}", refused.code);
                state.judge.object(&what);
            }
            if let Some(of) = state.judge.clinics.get_mut(clinic) {
                of.landed = Some(of.landed.map_or(version, |landed| landed.max(version)));
            }
            Ok(())
        });
    }

    /// Something becomes of the clinic's people, and an export tells it.
    fn life(&mut self, clinic: usize) {
        let mut state = self.core.state();
        let state = &mut *state;
        let now = DateTime::from_timestamp_millis(state.now).unwrap_or(DateTime::UNIX_EPOCH);
        let Some(of) = state.judge.clinics.get_mut(clinic) else { return };
        let version = of.live_on(now, &[], &mut state.chance);
        let delay = state.chance.stretch(1_000, HOUR_MS);
        state.happens_in(delay, Event::Export { clinic, version, attempt: 1 });
        let rate = state.trouble.knobs.delivery;
        if state.trouble.strikes(&mut state.chance, rate) {
            state.trouble.note("export_twice");
            let again = delay + state.chance.stretch(1, 600_000);
            state.happens_in(again, Event::Export { clinic, version, attempt: 1 });
        }
        let next = state.chance.between(8 * HOUR_MS, 120 * HOUR_MS);
        state.happens_in(next, Event::Life { clinic });
        // Staff does not wait for the morning.
        for after in [0, HOUR_MS, 3 * HOUR_MS] {
            if state.chance.per_mille(300) {
                state.happens_in(delay + after, Event::Morning { clinic, attempt: 3 });
            }
        }
        if state.chance.per_mille(400) {
            state.happens_in(delay, Event::Slots { clinic, attempt: 1 });
        }
        if state.chance.per_mille(150) {
            state.happens_in(delay, Event::Settings { clinic, halted: true, attempt: 1 });
        }
    }

    /// Somebody acts at the very moment of a claim.
    fn rival(&mut self, clinic: usize, contact: String, patient: &str) {
        let in_work = self.orders_in_work();
        let mut state = self.core.state();
        let state = &mut *state;
        let patient: usize = patient.parse().unwrap_or(0);
        match state.chance.below(20) {
            0 if state.chance.per_mille(500) => state.happens_in(0, Event::OptOut { clinic, contact, attempt: 1 }),
            1 if state.chance.per_mille(400) => {
                state.happens_in(0, Event::Settings { clinic, halted: true, attempt: 1 })
            }
            2 | 3 => state.happens_in(0, Event::TakeOver { clinic, patient, attempt: 1 }),
            4..=6 => {
                let now = DateTime::from_timestamp_millis(state.now).unwrap_or(DateTime::UNIX_EPOCH);
                let of = state.judge.clinics.get_mut(clinic);
                let version = of.map(|of| {
                    let about = of.sharers(patient);
                    of.live_on(now, &about, &mut state.chance)
                });
                let Some(version) = version else { return };
                state.happens_in(0, Event::Export { clinic, version, attempt: 1 });
            }
            7 | 8 => state.happens_in(0, Event::Sweep { clinic }),
            _ => {
                for order in in_work {
                    state.happens_in(0, Event::Deliver(order));
                }
            }
        }
    }

    /// An import about this very patient, or a sweep.
    fn import_about(&mut self, clinic: usize, patient: usize) {
        let mut state = self.core.state();
        let state = &mut *state;
        if state.chance.per_mille(300) {
            return state.happens_in(400_000, Event::Sweep { clinic });
        }
        let now = DateTime::from_timestamp_millis(state.now).unwrap_or(DateTime::UNIX_EPOCH);
        let version = state.judge.clinics.get_mut(clinic).map(|of| of.live_on(now, &[patient], &mut state.chance));
        let Some(version) = version else { return };
        state.happens_in(0, Event::Export { clinic, version, attempt: 1 });
    }

    fn opt_out(&mut self, clinic: usize, contact: String, attempt: u32) {
        let event = Event::OptOut { clinic, contact: contact.clone(), attempt: attempt + 1 };
        self.act(clinic, "opt-out", event, attempt, move |environment, id| async move {
            let now = environment.reach.clock.now();
            let tenant = environment.reach.store.of(&id);
            tenant.opt_out(&contact, ChannelSet::ALL, PurposeSet::ALL, now).await.map_err(said)
        });
    }

    /// Settings are stored: halted, or going on with a new version of the flow now and then.
    fn settings(&mut self, clinic: usize, halted: bool, attempt: u32) {
        let event = Event::Settings { clinic, halted, attempt: attempt + 1 };
        let toml = {
            let mut state = self.core.state();
            let state = &mut *state;
            if halted && attempt == 1 {
                let ms = state.chance.stretch(HOUR_MS, 30 * HOUR_MS);
                state.happens_in(ms, Event::Settings { clinic, halted: false, attempt: 1 });
            }
            let new_flow = attempt == 1 && !halted && state.chance.per_mille(300);
            let Some(of) = state.judge.clinics.get_mut(clinic) else { return };
            of.flow_version += u32::from(new_flow && of.landed.is_some());
            of.settings(halted)
        };
        self.act(clinic, "settings", event, attempt, move |environment, id| async move {
            environment.reach.store.of(&id).put_settings(&toml).await.map_err(said)
        });
    }

    /// A short invocation of somebody who tries again until it went well.
    pub(crate) fn act<F>(
        &mut self,
        clinic: usize,
        handler: &'static str,
        event: Event,
        attempt: u32,
        run: impl FnOnce(Environment, ClinicId) -> F + 'static,
    ) where
        F: Future<Output = Result<(), String>> + 'static,
    {
        let Some((tenant, id)) = self.clinic_id(clinic) else { return };
        let after = After::Again(event, WEBHOOK_TRIES.saturating_sub(attempt));
        let environment = self.fresh();
        self.begin(environment, handler, &tenant, after, move |environment| run(environment, id));
    }
}

/// The next six o'clock in a zone.
#[must_use]
pub fn next_morning(now: i64, zone: chrono_tz::Tz) -> i64 {
    let at = DateTime::from_timestamp_millis(now).unwrap_or(DateTime::UNIX_EPOCH);
    let today = at.with_timezone(&zone).date_naive();
    let six = |day: chrono::NaiveDate| {
        let local = day.and_hms_opt(6, 0, 0)?;
        zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc).timestamp_millis())
    };
    let days = (0..3).filter_map(|days| six(today.checked_add_days(Days::new(days))?));
    days.into_iter().find(|at| *at > now).unwrap_or(now + 24 * HOUR_MS)
}
