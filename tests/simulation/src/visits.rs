//! What comes in from outside during a conversation: words and reports from the hooks' queue, visits
//! to the pages, reception at its desk, and the agenda's file of free slots.

use chrono::DateTime;
use inbound_webhook::event::Routed;
use retorno_domain::ids::PatientId;

use crate::browse::browse;
use crate::chance::Chance;
use crate::event::Event;
use crate::inbox::{Spoken, TRIES_MAX};
use crate::talk::Meant;
use crate::world::{After, World};

const HOUR_MS: i64 = 3_600_000;

fn said<E: std::fmt::Display + std::fmt::Debug>(error: E) -> String {
    format!("{error} {error:?}")
}

impl World {
    /// Hands over what was brought.
    pub(crate) fn take_in(&mut self, id: u64, attempt: u32) {
        let brought = {
            let mut state = self.core.state();
            let state = &mut *state;
            let now = state.now;
            let Some(brought) = state.inbox.get_mut(id) else { return };
            if brought.begun.is_none() {
                brought.begun = Some(now);
                state.judge.note(now, &format!("brought {}", brought.body));
                if let Some(spoken) = &brought.spoken {
                    state.judge.words_come_in(now, brought.clinic, spoken);
                    brought.is_a_patients = state.judge.is_a_patients(brought.clinic, spoken);
                }
            }
            brought.clone()
        };
        let Some((tenant, _)) = self.clinic_id(brought.clinic) else { return };
        let core = self.core.clone();
        let after = After::Again(Event::TakeIn { id, attempt: attempt + 1 }, TRIES_MAX.saturating_sub(attempt));
        let environment = self.fresh();
        self.begin(environment, brought.handler, &tenant, after, move |environment| async move {
            let routed: Routed = serde_json::from_str(&brought.body).map_err(said)?;
            let done = environment.inbound.take_in(&routed).await.map_err(said)?;
            let mut state = core.state();
            let state = &mut *state;
            let now = state.now;
            state.judge.reach(&format!("{} {done:?}", brought.handler));
            let Some(brought) = state.inbox.get_mut(id).filter(|brought| !brought.is_done) else { return Ok(()) };
            brought.is_done = true;
            if let (Some(spoken), Some(begun)) = (&brought.spoken, brought.begun) {
                brought.is_a_patients &= state.judge.is_a_patients(brought.clinic, spoken);
                state.judge.reach(&format!("said by {}", spoken.by));
                state.judge.words_are_in(now, brought.clinic, spoken, begun);
                let (clinic, people) = (brought.clinic, state.judge.people_of(brought.clinic, spoken));
                let looks_in = reception(&mut state.chance, spoken);
                for (patient, ms) in people.into_iter().filter_map(|patient| Some((patient, looks_in?))) {
                    state.happens_in(ms, Event::HandBack { clinic, patient, attempt: 1 });
                }
            }
            Ok(())
        });
    }

    /// What was handed over in vain is handed over again.
    pub(crate) fn redrive_inbox(&mut self) {
        let mut state = self.core.state();
        for id in state.inbox.left() {
            state.happens_in(1_000, Event::TakeIn { id, attempt: 1 });
        }
    }

    /// Somebody opens the link of a message and does what the page lets them.
    pub(crate) fn visit(&mut self, clinic: usize, token: String, person: Option<usize>, attempt: u32) {
        let Some((tenant, _)) = self.clinic_id(clinic) else { return };
        let (begun, mut chance) = {
            let mut state = self.core.state();
            let state = &mut *state;
            state.judge.did(clinic, &Spoken::on_a_page(person, state.now));
            let seed = state.chance.between(0, i64::MAX).unsigned_abs();
            (state.now, Chance::of(seed))
        };
        let event = Event::Visit { clinic, token: token.clone(), person, attempt: attempt + 1 };
        let after = After::Again(event, TRIES_MAX.saturating_sub(attempt));
        let core = self.core.clone();
        let environment = self.fresh();
        self.begin(environment, "page", &tenant, after, move |environment| async move {
            let done = browse(&core, &environment.pages, (clinic, person), token, &mut chance).await?;
            let mut state = core.state();
            let now = state.now;
            state.judge.reach(&format!("page {done}"));
            if let ("preferred" | "notified" | "notified no more", Some(person)) = (done, person) {
                state.judge.has_chosen(now, clinic, person);
            }
            if done == "unsubscribed" {
                let spoken = Spoken { meant: Meant::Out, ..Spoken::on_a_page(person, begun) };
                state.judge.words_are_in(now, clinic, &spoken, begun);
            }
            Ok(())
        });
    }

    /// Staff takes a patient's conversation.
    pub(crate) fn take_over(&mut self, clinic: usize, patient: usize, attempt: u32) {
        if attempt == 1 {
            let mut state = self.core.state();
            let ms = state.chance.stretch(HOUR_MS, 40 * HOUR_MS);
            state.happens_in(ms, Event::HandBack { clinic, patient, attempt: 1 });
        }
        let event = Event::TakeOver { clinic, patient, attempt: attempt + 1 };
        let name = format!("taken#{patient}#{}", self.core.state().now);
        self.act(clinic, "pause", event, attempt, move |environment, id| async move {
            let who = PatientId::parse(&patient.to_string()).map_err(said)?;
            let tenant = environment.reach.store.of(&id);
            environment.desk.take_over(&tenant, &who, &name).await.map(|_| ()).map_err(said)
        });
    }

    /// Staff answers, sometimes, and hands the conversation back.
    pub(crate) fn hand_back(&mut self, clinic: usize, patient: usize, attempt: u32) {
        let event = Event::HandBack { clinic, patient, attempt: attempt + 1 };
        let (name, writes) = {
            let mut state = self.core.state();
            (format!("back#{patient}#{}", state.now), attempt == 1 && state.chance.per_mille(300))
        };
        self.act(clinic, "hand back", event, attempt, move |environment, id| async move {
            let who = PatientId::parse(&patient.to_string()).map_err(said)?;
            let tenant = environment.reach.store.of(&id);
            let thread = tenant.thread(&who).await.map_err(said)?.thread;
            if writes && thread.open.is_some() {
                let words = format!("{}, le contestamos desde recepción.", crate::clinic::CANARY);
                environment.desk.write(&tenant, &who, &format!("{name}#words"), &words).await.map_err(said)?;
            }
            environment.desk.release(&tenant, &who, &name).await.map(|_| ()).map_err(said)
        });
    }

    /// The file of free slots lands.
    pub(crate) fn slots(&mut self, clinic: usize, attempt: u32) {
        let file = {
            let mut state = self.core.state();
            let state = &mut *state;
            let now = DateTime::from_timestamp_millis(state.now).unwrap_or(DateTime::UNIX_EPOCH);
            let Some(of) = state.judge.clinics.get_mut(clinic).filter(|of| of.agenda.is_reported) else { return };
            let today = now.with_timezone(&of.zone).date_naive();
            of.agenda.moves_on(today, &mut state.chance);
            of.agenda.file(of.zone)
        };
        let event = Event::Slots { clinic, attempt: attempt + 1 };
        self.act(clinic, "import slots", event, attempt, move |environment, id| async move {
            let source = std::io::Cursor::new(file.into_bytes());
            let report = export_importer::import_slots(&environment.reach, &id, source).await.map_err(said)?;
            if report.rejected.is_empty() { Ok(()) } else { Err("a good slot was rejected".to_owned()) }
        });
    }
}

/// When reception looks at what was said, if it concerns them at all.
fn reception(chance: &mut Chance, spoken: &Spoken) -> Option<i64> {
    let concerns = matches!(spoken.meant, Meant::Else | Meant::Unwell | Meant::In | Meant::Deceased);
    (concerns || chance.per_mille(300)).then(|| chance.stretch(HOUR_MS / 4, 40 * HOUR_MS))
}
