//! What people and providers tell the hooks: at least once, sometimes twice, late, or in another
//! order. A hook has verified it and put it on its queue; there it stays until it was taken in.

use std::collections::BTreeMap;

use inbound_webhook::event::Routed;

use crate::core::State;
use crate::event::Event;
use crate::talk::Meant;

/// Deliveries of something before it is parked; at the end what is parked is brought again.
pub const TRIES_MAX: u32 = 15;
/// A provider that got no answer tries again for days.
const AGAIN_WITHIN_MS: i64 = 3 * 86_400_000;

/// What somebody said, as they know it.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// From which phone, E.164; none where it was a mailbox.
    pub phone: Option<String>,
    /// Who, where that is beyond doubt.
    pub person: Option<usize>,
    /// By which channel, by its word; `page` where it was one of ours.
    pub by: &'static str,
    /// What they mean.
    pub meant: Meant,
    /// When they said it, in ms.
    pub at: i64,
    /// In which words; none where nothing was written.
    pub text: Option<String>,
}

impl Spoken {
    /// What somebody does on a page.
    #[must_use]
    pub fn on_a_page(person: Option<usize>, at: i64) -> Self {
        Self { phone: None, person, by: "page", meant: Meant::Come, at, text: None }
    }
}

impl Spoken {
    /// What somebody says when the clinic calls.
    #[must_use]
    pub fn on_the_telephone(person: usize, at: i64) -> Self {
        Self { by: "call", ..Self::on_a_page(Some(person), at) }
    }
}

/// Something that was brought to the clinic's queue.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Which clinic.
    pub clinic: usize,
    /// As it stands on the queue.
    pub body: String,
    /// The handler's name in reports.
    pub handler: &'static str,
    /// What somebody said; nothing where a provider reports.
    pub spoken: Option<Spoken>,
    /// When it was first handed over, in ms.
    pub begun: Option<i64>,
    /// Whether it was taken in.
    pub is_done: bool,
    /// Whether it surely came from a patient's phone all the while: then it stands in a conversation.
    pub is_a_patients: bool,
}

/// Everything that was brought.
#[derive(Debug, Default)]
pub struct Inbox {
    brought: BTreeMap<u64, Brought>,
    next: u64,
}

impl Inbox {
    /// Something that was brought.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Brought> {
        self.brought.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Brought> {
        self.brought.get_mut(&id)
    }

    /// What was handed over in vain so far.
    #[must_use]
    pub fn left(&self) -> Vec<u64> {
        let left = self.brought.iter().filter(|(_, brought)| !brought.is_done && brought.begun.is_some());
        left.map(|(id, _)| *id).collect()
    }

    /// Words from a phone that were handed over, with what was said.
    pub fn words(&self) -> impl Iterator<Item = (&Brought, &Spoken)> {
        let begun = self.brought.values().filter(|brought| brought.begun.is_some());
        begun.filter_map(|brought| Some((brought, brought.spoken.as_ref()?))).filter(|(_, said)| said.phone.is_some())
    }
}

impl State {
    /// Brings something to a clinic's queue after a while.
    pub fn bring(&mut self, clinic: usize, routed: &Routed, spoken: Option<Spoken>, delay_ms: i64) {
        let Ok(body) = serde_json::to_string(routed) else { return self.judge.object("an event has no form") };
        let handler = spoken.as_ref().map_or("take in receipt", |spoken| spoken.meant.handler());
        self.inbox.next += 1;
        let id = self.inbox.next;
        let brought = Brought { clinic, body, handler, spoken, begun: None, is_done: false, is_a_patients: false };
        self.inbox.brought.insert(id, brought);
        let rate = self.trouble.knobs.delivery;
        let mut delay = delay_ms;
        if self.trouble.strikes(&mut self.chance, rate / 2) {
            self.trouble.note("webhook_late");
            delay += self.chance.stretch(1_000, AGAIN_WITHIN_MS);
        }
        self.happens_in(delay, Event::TakeIn { id, attempt: 1 });
        if self.trouble.strikes(&mut self.chance, rate) {
            self.trouble.note("webhook_twice");
            let again = delay + if self.chance.per_mille(500) { 0 } else { self.chance.stretch(1, AGAIN_WITHIN_MS) };
            self.happens_in(again, Event::TakeIn { id, attempt: 1 });
        }
    }
}
