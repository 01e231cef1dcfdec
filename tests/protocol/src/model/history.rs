//! What happened so far, kept beside the table, and what must hold of it. Nothing here is read by the
//! protocol: it is what an observer of phones and clocks would write down.

use std::collections::{BTreeMap, BTreeSet};

use retorno_domain::ids::MessageId;
use retorno_domain::message::Delivery;
use stateright::Property;

use super::{SendModel, State};

/// Something that happened at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Somebody opted out at the phone.
    OptedOut,
    /// The first patient has booked.
    Booked,
    /// A claim stood after the opt-out.
    ClaimAfterOptOut,
    /// A claim stood after the booking, of the one who booked.
    ClaimAfterBooking,
    /// The provider took a message whose attempt had not been committed.
    AcceptWithoutClaim,
    /// The provider took a message more than ten seconds after its claim.
    AcceptLate,
    /// The provider took a message outside contact hours.
    AcceptOutsideHours,
    /// A message that was over changed.
    EndChanged,
    /// A refused claim wrote something.
    RefusalWrote,
    /// A message was called not sent although the provider had taken it.
    SentCalledUnsent,
    /// An unknown message was recorded as accepted later.
    RecordedLate,
    /// A message was accepted on its second attempt.
    SecondAttempt,
}

/// What happened so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct History {
    /// Claims that stood.
    pub claims: BTreeSet<(MessageId, u32)>,
    /// How often the provider took each message.
    pub accepts: BTreeMap<MessageId, u8>,
    seen: u16,
}

impl History {
    /// Whether it happened.
    #[must_use]
    pub fn saw(&self, what: Seen) -> bool {
        self.seen & (1 << (what as u16)) != 0
    }

    /// Notes that it happened.
    pub(super) fn note(&mut self, what: Seen) {
        self.seen |= 1 << (what as u16);
    }

    /// Notes it if so.
    pub(super) fn note_if(&mut self, what: Seen, so: bool) {
        if so {
            self.note(what);
        }
    }
}

/// Whether nothing leads out of a state.
pub(super) fn is_over(delivery: &Delivery) -> bool {
    match delivery {
        Delivery::Accepted | Delivery::Failed(_) | Delivery::Undetermined | Delivery::Dropped(_) => true,
        Delivery::Ready { .. } | Delivery::InFlight { .. } | Delivery::Unknown { .. } => false,
    }
}

fn any_message(state: &State, is: fn(&Delivery) -> bool) -> bool {
    state.table.patients.iter().flat_map(|patient| patient.messages.values()).any(|item| is(&item.delivery))
}

/// What must always hold, and what must be reachable.
pub(super) fn properties() -> Vec<Property<SendModel>> {
    let mut properties = always();
    properties.extend(sometimes());
    properties
}

fn always() -> Vec<Property<SendModel>> {
    vec![
        Property::always("at most one accept per message", |_, state: &State| {
            state.history.accepts.values().all(|accepts| *accepts <= 1)
        }),
        Property::always("the cap is kept", |model: &SendModel, state: &State| {
            state.history.accepts.values().sum::<u8>() <= model.scope.accepts_max()
        }),
        Property::always("no claim after the opt-out", |_, state: &State| !state.history.saw(Seen::ClaimAfterOptOut)),
        Property::always("no claim after the booking", |_, state: &State| !state.history.saw(Seen::ClaimAfterBooking)),
        Property::always("every accept has its claim", |_, state: &State| !state.history.saw(Seen::AcceptWithoutClaim)),
        Property::always("accepted within ten seconds", |_, state: &State| !state.history.saw(Seen::AcceptLate)),
        Property::always("accepted within contact hours", |_, state: &State| {
            !state.history.saw(Seen::AcceptOutsideHours)
        }),
        Property::always("what is over stays as it is", |_, state: &State| !state.history.saw(Seen::EndChanged)),
        Property::always("a refused claim writes nothing", |_, state: &State| !state.history.saw(Seen::RefusalWrote)),
        Property::always("what is called unsent is unsent", |_, state: &State| {
            !state.history.saw(Seen::SentCalledUnsent)
        }),
    ]
}

fn sometimes() -> Vec<Property<SendModel>> {
    vec![
        Property::sometimes("accepted", |_, state: &State| any_message(state, |d| *d == Delivery::Accepted)),
        Property::sometimes("failed", |_, state: &State| any_message(state, |d| matches!(d, Delivery::Failed(_)))),
        Property::sometimes("dropped", |_, state: &State| any_message(state, |d| matches!(d, Delivery::Dropped(_)))),
        Property::sometimes("undetermined", |_, state: &State| any_message(state, |d| *d == Delivery::Undetermined)),
        Property::sometimes("unknown, recorded late", |_, state: &State| state.history.saw(Seen::RecordedLate)),
        Property::sometimes("taken back, accepted on the second attempt", |_, state: &State| {
            state.history.saw(Seen::SecondAttempt)
        }),
    ]
}
