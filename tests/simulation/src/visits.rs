//! What comes in from outside during a conversation: words and reports from the hooks' queue, visits
//! to the pages, reception at its desk, and the agenda's file of free slots.

use std::collections::BTreeSet;

use chrono::DateTime;
use inbound_webhook::event::Routed;
use patient_pages::{PageRequest, Pages};
use retorno_domain::ids::PatientId;

use crate::chance::Chance;
use crate::clinic::CHANNELS;
use crate::core::Core;
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

    /// Somebody opens the link of an e-mail and does what the page lets them.
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
            if let ("preferred", Some(person)) = (done, person) {
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

/// A visit to a page: what was done there.
async fn browse(
    core: &Core,
    pages: &Pages,
    (clinic, person): (usize, Option<usize>),
    token: String,
    chance: &mut Chance,
) -> Result<&'static str, String> {
    let got = request(pages, &token, None).await?;
    let (token, page) = match got {
        Got::Page(page) => (token, page),
        Got::Elsewhere(beside) => match request(pages, &beside, None).await? {
            Got::Page(page) => (beside, page),
            Got::Elsewhere(_) => return Ok("went in circles"),
        },
    };
    let slots = values(&page, "slot");
    let seen = values(&page, "seen").into_iter().next().unwrap_or_default();
    let visit = values(&page, "visit").into_iter().next();
    if let Some(slot) = slots.get(chance.below(slots.len())) {
        let form = format!("do=book&seen={seen}&slot={}", slot.replace('#', "%23").replace('+', "%2B"));
        request(pages, &token, Some(&form)).await?;
        return Ok("picked");
    }
    if let Some(visit) = visit {
        let what = if chance.per_mille(400) { "cancel" } else { "confirm" };
        request(pages, &token, Some(&format!("do={what}&seen={seen}&visit={visit}"))).await?;
        return Ok(what);
    }
    if let (true, Some(person)) = (page.contains("value=\"prefer\""), person) {
        return choose(core, pages, (clinic, person), &token, &seen, &page, chance).await;
    }
    if page.contains("value=\"stop\"") {
        request(pages, &token, Some("List-Unsubscribe=One-Click")).await?;
        return Ok("unsubscribed");
    }
    if page.contains("value=\"wait\"") {
        request(pages, &token, Some(&format!("do=wait&seen={seen}"))).await?;
        return Ok("waits");
    }
    Ok("looked")
}

/// The page of preferences: leaves altogether, or picks channels.
async fn choose(
    core: &Core,
    pages: &Pages,
    (clinic, person): (usize, usize),
    token: &str,
    seen: &str,
    page: &str,
    chance: &mut Chance,
) -> Result<&'static str, String> {
    let shown: BTreeSet<&str> = CHANNELS.into_iter().filter(|c| page.contains(&format!("value=\"{c}\""))).collect();
    let picked: BTreeSet<&'static str> =
        CHANNELS.into_iter().filter(|c| shown.contains(c) && chance.per_mille(600)).collect();
    if picked.is_empty() || chance.per_mille(150) {
        request(pages, token, Some(&format!("do=stop&seen={seen}"))).await?;
        return Ok("unsubscribed");
    }
    let ticks = |of: &str| picked.iter().fold(String::new(), |form, channel| format!("{form}&{of}={channel}"));
    let form = format!("do=prefer&by=purpose&seen={seen}{}{}", ticks("marketing"), ticks("care"));
    {
        let mut state = core.state();
        let now = state.now;
        state.judge.chooses(now, clinic, person, &picked);
    }
    Ok(match request(pages, token, Some(&form)).await? {
        Got::Elsewhere(to) if to.contains("page=saved") => "preferred",
        Got::Elsewhere(_) | Got::Page(_) => "preferred in vain",
    })
}

enum Got {
    Page(String),
    Elsewhere(String),
}

async fn request(pages: &Pages, token: &str, form: Option<&str>) -> Result<Got, String> {
    let (path, query) = token.split_once('?').unwrap_or((token, ""));
    let request = PageRequest {
        method: if form.is_some() { "POST" } else { "GET" }.to_owned(),
        path: format!("/l/{path}"),
        query: query.to_owned(),
        headers: Vec::new(),
        body: form.unwrap_or("").as_bytes().to_vec(),
    };
    let answer = pages.handle(request).await;
    match answer.status {
        200 | 409 | 410 => Ok(Got::Page(answer.body)),
        303 => {
            let to = answer.headers.iter().find(|(name, _)| *name == "location");
            Ok(Got::Elsewhere(to.map(|(_, value)| value.clone()).unwrap_or_default()))
        }
        503 => Err("busy".to_owned()),
        status => Err(format!("a page answered {status}")),
    }
}

/// The values of a form's fields of that name.
fn values(page: &str, name: &str) -> Vec<String> {
    let named = format!("name=\"{name}\" value=\"");
    page.split(&named).skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
}
