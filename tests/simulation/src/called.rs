//! What comes of the calls on the list: staff calls, and enters what was said.

use chrono::DateTime;
use retorno_cloud::desk::StaffDone;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::ids::PatientId;

use crate::core::State;
use crate::event::{CallSaid, Event};
use crate::inbox::Spoken;
use crate::patients::HOUR_MS;
use crate::talk::Meant;
use crate::world::World;
use crate::writes::{Item, text};

/// How it was said, as staff notes it: it names the person, so that it is heard where it may not be.
const HOW: &str = "dicho por teléfono a zorzal";
const AGREED: [&str; 2] = ["call", "whatsapp"];

fn failed<E: std::fmt::Display + std::fmt::Debug>(error: E) -> String {
    format!("{error} {error:?}")
}

impl State {
    /// A call is on the list; some are made.
    pub(crate) fn is_to_be_called(&mut self, clinic: usize, record: &Item) {
        let Some(patient) = text(record, "patient").and_then(|id| id.parse().ok()) else { return };
        if self.chance.per_mille(250) {
            return;
        }
        let said = match self.chance.below(10) {
            0..=3 => CallSaid::Nothing,
            4 | 5 => CallSaid::Out,
            6 | 7 => CallSaid::Agreed,
            8 => CallSaid::Date,
            _ => CallSaid::Later,
        };
        let delay = self.chance.stretch(HOUR_MS / 20, 30 * HOUR_MS);
        let begun = self.now + delay;
        self.happens_in(delay, Event::Called { clinic, patient, said, begun, attempt: 1 });
    }
}

impl World {
    /// Staff has called, and enters what came of it.
    pub(crate) fn called(&mut self, clinic: usize, patient: usize, said: CallSaid, begun: i64, attempt: u32) {
        match said {
            CallSaid::Nothing => self.core.state().judge.reach("called: nobody answered"),
            CallSaid::Date => {
                let mut state = self.core.state();
                let state = &mut *state;
                let now = DateTime::from_timestamp_millis(state.now).unwrap_or(DateTime::UNIX_EPOCH);
                let of = state.judge.clinics.get_mut(clinic);
                let Some(version) = of.map(|of| of.takes_a_date(now, patient, &mut state.chance)) else { return };
                state.judge.reach("called: took a date");
                let delay = state.chance.stretch(1_000, HOUR_MS);
                state.happens_in(delay, Event::Export { clinic, version, attempt: 1 });
            }
            CallSaid::Later => {
                self.core.state().judge.reach("called: wants to speak");
                self.take_over(clinic, patient, attempt);
            }
            CallSaid::Out => self.enter(clinic, patient, (said, begun), attempt, Wish::OptOut),
            CallSaid::Agreed => {
                let channels: ChannelSet = [Channel::Call, Channel::Whatsapp].into_iter().collect();
                let mut state = self.core.state();
                let now = state.now;
                state.judge.chooses(now, clinic, patient, &AGREED.into());
                state.judge.may_be_written_again(now, clinic, patient);
                drop(state);
                self.enter(clinic, patient, (said, begun), attempt, Wish::OptIn(channels));
            }
        }
    }

    /// What somebody said about being written to is entered, until that went well.
    fn enter(&mut self, clinic: usize, patient: usize, (said, begun): (CallSaid, i64), attempt: u32, wish: Wish) {
        let event = Event::Called { clinic, patient, said, begun, attempt: attempt + 1 };
        let core = self.core.clone();
        let on = core.state().judge.clinics.get(clinic).map(|of| of.date(begun)).unwrap_or_default();
        self.act(clinic, "enter a call", event, attempt, move |environment, id| async move {
            let who = PatientId::parse(&patient.to_string()).map_err(failed)?;
            let tenant = environment.reach.store.of(&id);
            let statement = Statement::of_all(on, wish, Source::Recorded);
            let name = format!("called#{patient}#{begun}");
            let done = environment.desk.consent(&tenant, &who, &name, &statement, HOW).await.map_err(failed)?;
            let mut state = core.state();
            let now = state.now;
            match (done, wish) {
                (StaffDone::Done | StaffDone::Repeated, Wish::OptOut) => {
                    state.judge.reach("called: wants nothing any more");
                    let spoken = Spoken { meant: Meant::Out, ..Spoken::on_the_telephone(patient, begun) };
                    state.judge.words_are_in(now, clinic, &spoken, begun);
                }
                (StaffDone::Done | StaffDone::Repeated, Wish::OptIn(_)) => {
                    state.judge.reach("called: agreed");
                    state.judge.has_chosen(now, clinic, patient);
                }
                (StaffDone::Refused(why), _) => state.judge.reach(&format!("called: {}", why.code())),
                (StaffDone::Nobody, _) => {}
            }
            Ok(())
        });
    }
}
