//! The reception desk: carries out what an answer, a page or a member of staff leads to. It reads,
//! lets the domain decide, writes everything in one transaction together with the event, and then
//! hands the orders that follow to the queue. An event delivered again finds itself taken in, and
//! only its orders are handed over again.

mod agreements;
mod attach;
mod browsers;
mod guardian;
mod line;
mod number;
mod offers;
mod page;
mod plan;
mod sent_to;
mod staff;
mod strangers;
mod visitor;

use chrono::{DateTime, Utc};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish as Consents};
use retorno_domain::conversation::{Act, Preferences, respond, when_taken};
use retorno_domain::ids::PatientId;
use retorno_domain::reply::{Asked, Reading};

pub use agreements::Matched;
pub use browsers::Subscribed;
pub use line::{BrowserRefused, TestDone, TestRefused};
pub use page::{Opened, Picked};
use plan::Plan;
pub use staff::{Refused, StaffDone};
pub use visitor::Visitor;

use crate::Reach;
use crate::error::CloudError;
use crate::orders::Order;
use crate::store::{HeardLine, Lift, TenantStore, TurnDone};

/// Tries at one event when what it rests on keeps changing.
const TRIES_MAX: u32 = 6;

/// Something that happened, to be taken in once.
#[derive(Debug, Clone)]
pub struct Happening<'a> {
    /// Its name: the same event has the same.
    pub event: &'a str,
    /// By which channel it came, and by which it is answered.
    pub channel: Channel,
    /// What was said, as staff reads it.
    pub heard: Option<HeardLine>,
    /// The provider's id of what was said.
    pub said: Option<&'a str>,
    /// Whether the patient did something just now. Otherwise what is said keeps hours and consent.
    pub asked_for: bool,
    /// How a consent given or withdrawn by it came about, for the ledger: where, and the words shown.
    pub consent_how: &'a str,
}

impl<'a> Happening<'a> {
    /// Something that nobody said to us, and that nobody waits to be answered.
    #[must_use]
    pub fn silent(event: &'a str, channel: Channel, consent_how: &'a str) -> Self {
        Self { event, channel, heard: None, said: None, asked_for: false, consent_how }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Carried out; these acts.
    Acted(Vec<Act>),
    /// Taken in before.
    Repeated,
    /// There is no such patient.
    Nobody,
}

/// How something came to the desk, where that makes a difference.
struct Manner {
    /// How a booking came about; else by the channel.
    via: Option<&'static str>,
    /// What becomes of the acts when the slot picked is taken meanwhile.
    when_taken: fn(Vec<Act>) -> Vec<Act>,
    /// Whether an opt-out is for the minors too who are reached at the same contact.
    for_minors: bool,
}

/// By a message: the answer offers the next slots.
const BY_MESSAGE: Manner = Manner { via: None, when_taken: after_taken, for_minors: true };

/// Carries out.
#[derive(Debug, Clone)]
pub struct Desk {
    reach: Reach,
}

impl Desk {
    /// Over the table, the queue and the clock.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self { reach }
    }

    /// What this reaches.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// A patient answered: understands it by `read` and does what follows.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn answered(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        happening: &Happening<'_>,
        read: impl Fn(&Asked, &Visitor) -> Reading,
    ) -> Result<Done, CloudError> {
        self.act(tenant, patient, happening, |visitor, heard| {
            let case = visitor.case();
            let reading = read(&case.asked(), visitor);
            if let Some(line) = heard {
                line.intent = reading.intent.code().to_owned();
                line.sure = reading.sure;
            }
            respond(&case, &reading)
        })
        .await
    }

    /// Does what `decide` says, once per event.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn act(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        happening: &Happening<'_>,
        decide: impl Fn(&Visitor, Option<&mut HeardLine>) -> Vec<Act>,
    ) -> Result<Done, CloudError> {
        self.act_so(tenant, patient, happening, &BY_MESSAGE, decide).await
    }

    async fn act_so(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        happening: &Happening<'_>,
        manner: &Manner,
        decide: impl Fn(&Visitor, Option<&mut HeardLine>) -> Vec<Act>,
    ) -> Result<Done, CloudError> {
        let mut taken = false;
        for _ in 0..TRIES_MAX {
            let Some(visitor) = self.visit(tenant, patient).await? else { return Ok(Done::Nobody) };
            let mut heard = happening.heard.clone();
            let mut acts = decide(&visitor, heard.as_mut());
            if taken {
                acts = (manner.when_taken)(acts);
            }
            // Nothing to do and nothing heard is no event: it may yet come to something.
            if acts.is_empty() && heard.is_none() {
                return Ok(Done::Acted(acts));
            }
            // Whatever else happens or fails: an opt-out stands from here on. Not so one that was heard
            // before and is only delivered again: the person may have changed their mind since.
            let stopped = stopped_by(&acts);
            let shuts =
                !stopped.is_empty() || acts.iter().any(|act| matches!(act, Act::WrongNumber | Act::Subscribe(_)));
            if shuts && tenant.knows_event(happening.event).await? {
                self.repeated(&visitor, happening.event).await?;
                return Ok(Done::Repeated);
            }
            self.shut(&visitor, &acts).await?;
            if manner.for_minors {
                let contacts: Vec<&str> = visitor.contacts.iter().collect();
                self.opt_out_minors(&visitor, &contacts, happening, stopped).await?;
            }
            let lift = self.reopened(&visitor, happening, &acts).await?;
            let planned = Plan::new(self, &visitor, happening, heard, manner.via).carry(&acts).await?;
            match planned.commit(&visitor, happening, lift.as_ref()).await? {
                TurnDone::Done => {
                    if let Some(lift) = &lift {
                        tenant.lift(lift, patient, visitor.now).await?;
                    }
                    self.hand_over(&planned.orders, visitor.now).await?;
                    return Ok(Done::Acted(acts));
                }
                TurnDone::Repeated => {
                    self.repeated(&visitor, happening.event).await?;
                    return Ok(Done::Repeated);
                }
                TurnDone::SlotTaken => taken = true,
                TurnDone::Changed => {}
            }
        }
        Err(CloudError::Retryable { operation: "desk", code: "kept_changing".to_owned() })
    }

    /// An event that was taken in before: what followed from it is done once more. What was said since
    /// stands.
    async fn repeated(&self, visitor: &Visitor, event: &str) -> Result<(), CloudError> {
        let Some(taken_in) = visitor.tenant.taken_in(event, &visitor.patient().id).await? else { return Ok(()) };
        if let Some(lift) = taken_in.lift {
            let out = visitor.patient().consent.opted_out(visitor.today());
            let purposes = lift.purposes.iter().filter(|purpose| !out.contains(*purpose)).collect();
            visitor.tenant.lift(&Lift { purposes, ..lift }, &visitor.patient().id, visitor.now).await?;
        }
        self.hand_over(&taken_in.orders, visitor.now).await
    }

    /// Reads everything about a patient.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn visit(&self, tenant: &TenantStore, patient: &PatientId) -> Result<Option<Visitor>, CloudError> {
        Visitor::read(&self.reach, tenant, patient).await
    }

    /// Closes contact points, unconditionally.
    async fn shut(&self, visitor: &Visitor, acts: &[Act]) -> Result<(), CloudError> {
        self.close(visitor, stopped_by(acts)).await?;
        for act in acts {
            if let Act::Subscribe(browser) = act {
                self.open_browser(visitor, browser).await?;
            }
        }
        if let (true, Some(hash)) = (acts.contains(&Act::WrongNumber), &visitor.contacts.phone) {
            for channel in [Channel::Whatsapp, Channel::Sms, Channel::Call] {
                visitor.tenant.mark_unreachable(hash, channel, visitor.now).await?;
            }
        }
        Ok(())
    }

    async fn close(&self, visitor: &Visitor, purposes: PurposeSet) -> Result<(), CloudError> {
        for hash in visitor.contacts.iter() {
            visitor.tenant.opt_out(hash, ChannelSet::ALL, purposes, visitor.now).await?;
        }
        Ok(())
    }

    /// What the acts reopen once they are written: whatever the person agrees to.
    async fn reopened(
        &self,
        visitor: &Visitor,
        happening: &Happening<'_>,
        acts: &[Act],
    ) -> Result<Option<Lift>, CloudError> {
        let agreed = acts.iter().flat_map(|act| {
            let said = match act {
                Act::OptIn => visitor.agreed_again(happening.channel),
                Act::Prefer(preferences) => visitor.preferred(*preferences),
                Act::OptOut(_)
                | Act::WrongNumber
                | Act::Deceased
                | Act::Subscribe(_)
                | Act::Unsubscribe
                | Act::Book { .. }
                | Act::Offer { .. }
                | Act::OfferHeld { .. }
                | Act::Wait(_)
                | Act::Cancel(_)
                | Act::Confirm(_)
                | Act::HandOver { .. }
                | Act::Tell(_)
                | Act::Say(_) => Vec::new(),
            };
            visitor.agreed_to(&said).iter().collect::<Vec<_>>()
        });
        let agreed: PurposeSet = agreed.collect();
        visitor.tenant.lift_of(visitor.patient(), &visitor.contacts, agreed).await
    }

    async fn hand_over(&self, orders: &[Order], now: DateTime<Utc>) -> Result<(), CloudError> {
        for order in orders {
            self.reach.orders.queue(order, now, now).await?;
        }
        Ok(())
    }
}

/// The purposes that these acts stop for everybody at the contact.
fn stopped_by(acts: &[Act]) -> PurposeSet {
    acts.iter().flat_map(|act| act.stops().iter()).collect()
}

/// The acts when the slot picked is taken meanwhile.
fn after_taken(acts: Vec<Act>) -> Vec<Act> {
    acts.into_iter()
        .filter(|act| !matches!(act, Act::Say(_)))
        .map(|act| if let Act::Book { moving, .. } = act { when_taken(moving) } else { act })
        .collect()
}

/// A statement of consent that was recorded by us.
pub(crate) fn recorded(visitor: &Visitor, wish: Consents, purposes: PurposeSet) -> Statement {
    Statement { on: visitor.today(), wish, source: Source::Recorded, purposes }
}

/// Statements of what is said of each purpose; one where the same is said of both.
pub(crate) fn statements(visitor: &Visitor, said: Preferences) -> Vec<Statement> {
    let wish = |channels: ChannelSet| match channels.is_empty() {
        true => Consents::OptOut,
        false => Consents::OptIn(channels),
    };
    match (said.marketing, said.care) {
        (Some(marketing), Some(care)) if marketing == care => vec![recorded(visitor, wish(care), PurposeSet::ALL)],
        (marketing, care) => [(marketing, PurposeSet::MARKETING), (care, PurposeSet::CARE)]
            .into_iter()
            .filter_map(|(channels, of)| Some(recorded(visitor, wish(channels?), of)))
            .collect(),
    }
}
