//! The instants in which everything else likes to happen: before a claim, before an enrollment, before
//! a claim is taken back, before a new patient is written. Somebody else acts, and the request waits.

use crate::core::State;
use crate::event::Event;
use crate::wire::{Wire, tenant_of};
use crate::writes::{Write, commitment_of, text};

impl Wire {
    /// Lets somebody act just before a request, where that is the kind of request it is.
    pub(crate) async fn rivals(&self, label: &str, writes: &[Write]) {
        match label {
            "claim" => self.before_a_claim(writes).await,
            "enroll" | "update patient standing" => self.before_an_enrollment(writes).await,
            "take_back" => self.before_taking_back(writes).await,
            "PutItem patient" => self.before_a_new_patient(writes).await,
            _ => {}
        }
    }

    /// Another worker with the same order, an opt-out, an import, staff: see `World::happen`.
    async fn before_a_claim(&self, writes: &[Write]) {
        let Some(record) = commitment_of(writes) else { return };
        let said = |name: &str| text(&record.item, name).unwrap_or("").to_owned();
        self.strikes("rival_at_claim", 1, &record, |state, clinic| {
            state.happens_in(0, Event::ClaimAhead { clinic, contact: said("cp"), patient: said("patient") });
            state.chance.stretch(5, 30_000)
        })
        .await;
    }

    /// Another evaluation, or an import about the same people.
    async fn before_an_enrollment(&self, writes: &[Write]) {
        let Some(patient) = writes.iter().find(|write| write.kind == "patient") else { return };
        self.strikes("rival_at_enrollment", 3, patient, |state, clinic| {
            let event = if state.chance.per_mille(600) {
                Event::Morning { clinic, attempt: 3 }
            } else {
                Event::ImportAbout { clinic, patient: person_of(patient) }
            };
            state.happens_in(0, event);
            state.chance.stretch(5, 60_000)
        })
        .await;
    }

    /// Frozen until the sweep has given the message up, or until an import has changed the patient.
    async fn before_taking_back(&self, writes: &[Write]) {
        let Some(patient) = writes.iter().find(|write| write.kind == "patient") else { return };
        self.strikes("rival_at_take_back", 1, patient, |state, clinic| {
            if state.chance.per_mille(600) {
                state.happens_in(330_000, Event::Sweep { clinic });
                return state.chance.between(340_000, 900_000);
            }
            state.happens_in(0, Event::ImportAbout { clinic, patient: person_of(patient) });
            state.chance.stretch(1_000, 60_000)
        })
        .await;
    }

    /// Frozen beyond the importer's lease, while another import brings the same patient.
    async fn before_a_new_patient(&self, writes: &[Write]) {
        let Some(patient) = writes.first().filter(|write| !write.values.contains_key(":v")) else { return };
        self.strikes("rival_at_import", 20, patient, |state, clinic| {
            let version = state.judge.clinics.get(clinic).map_or(0, |of| of.told);
            state.happens_in(305_000, Event::Export { clinic, version, attempt: 1 });
            state.chance.between(320_000, 900_000)
        })
        .await;
    }

    /// One time in so many of the run's rate, `act` happens, and the request waits as long as it says.
    async fn strikes(
        &self,
        kind: &'static str,
        one_in: u32,
        about: &Write,
        act: impl FnOnce(&mut State, usize) -> i64,
    ) {
        let ms = {
            let mut state = self.core.state();
            let state = &mut *state;
            let rate = state.trouble.knobs.rival / one_in;
            let clinic = state.judge.clinic_of(tenant_of(&about.pk));
            let Some(clinic) = clinic.filter(|_| state.trouble.strikes(&mut state.chance, rate)) else { return };
            state.trouble.note(kind);
            act(state, clinic)
        };
        self.core.pause(ms).await;
    }
}

/// The patient whose item a write is about.
fn person_of(write: &Write) -> usize {
    write.pk.rsplit('#').next().and_then(|id| id.parse().ok()).unwrap_or(0)
}
