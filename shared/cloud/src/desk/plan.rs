//! What a list of acts changes, gathered before anything is written.

use chrono::TimeDelta;
use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::channel::{Channel, Purpose, PurposeSet};
use retorno_domain::consent::{Statement, Wish as Consents};
use retorno_domain::conversation::{Act, Open, Say, Thread, Urgency, WINDOW};
use retorno_domain::flow::Answer;
use retorno_domain::ids::{AppointmentId, MessageId};
use retorno_domain::patient::Patient;
use retorno_domain::reply::Wish;

use super::{Desk, Happening, Visitor, recorded};
use crate::error::CloudError;
use crate::orders::{AlertAbout, Order, say_order};
use crate::store::{
    Booking, BookingStatus, ConsentRecord, HeardLine, Lift, NewAnswer, PatientChange, SlotChange, Turn, TurnDone,
    WaitlistChange,
};

/// An answer is of use for so long.
const ANSWER_LASTS: TimeDelta = TimeDelta::minutes(30);
/// An answer to words that came a day late waits for the next contact hours, over a long weekend too.
const LATE_ANSWER_LASTS: TimeDelta = TimeDelta::days(4);
/// A confirmation of what was done on a page is of use for so long.
const CONFIRMATION_LASTS: TimeDelta = TimeDelta::hours(6);

/// The order to tell staff that a conversation waits for a person.
pub(super) fn alert_order(visitor: &Visitor, open: &Open) -> Order {
    let about = AlertAbout::Conversation {
        patient: visitor.patient().id.to_string(),
        since_ms: open.since.timestamp_millis(),
        urgent: open.urgency == Urgency::Urgent,
    };
    Order::Alert { clinic: visitor.tenant.clinic().to_string(), about, tries: 0 }
}

/// Changes in the making.
pub(super) struct Plan<'a> {
    pub(super) desk: &'a Desk,
    pub(super) visitor: &'a Visitor,
    pub(super) happening: &'a Happening<'a>,
    /// How a booking comes about.
    via: &'a str,
    pub(super) made: Planned,
}

/// Changes, ready to be written.
pub(super) struct Planned {
    pub(super) orders: Vec<Order>,
    heard: Option<HeardLine>,
    patient: Patient,
    pub(super) thread: Thread,
    taken: Vec<Booking>,
    given_back: Vec<Booking>,
    bookings: Vec<Booking>,
    answer: Option<NewAnswer>,
    pub(super) waitlist: Option<Option<Wish>>,
    consent: Vec<Statement>,
    /// A slot to be booked is not there any more: nothing is written.
    gone: bool,
    /// Nothing is said after all.
    silent: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        desk: &'a Desk,
        visitor: &'a Visitor,
        happening: &'a Happening<'a>,
        heard: Option<HeardLine>,
        via: Option<&'a str>,
    ) -> Self {
        let mut thread = visitor.thread.clone();
        // A message of the patient's own opens WhatsApp's window; a text message does not.
        if let (Channel::Whatsapp, Some(line)) = (happening.channel, &heard) {
            if thread.heard_at <= Some(line.at) {
                thread.heard_from.clone_from(&visitor.contacts.phone);
            }
            thread.heard_at = thread.heard_at.max(Some(line.at));
        }
        let made = Planned {
            orders: Vec::new(),
            heard,
            patient: visitor.patient().clone(),
            thread,
            taken: Vec::new(),
            given_back: Vec::new(),
            bookings: Vec::new(),
            answer: None,
            waitlist: None,
            consent: Vec::new(),
            gone: false,
            silent: false,
        };
        let via = via.unwrap_or(happening.channel.code());
        Self { desk, visitor, happening, via, made }
    }

    pub(super) async fn carry(mut self, acts: &[Act]) -> Result<Planned, CloudError> {
        for act in acts {
            match act {
                Act::OptOut(purposes) => self.withdraw(*purposes),
                Act::OptIn => self.agree(),
                Act::WrongNumber => {
                    self.made.thread.settle(self.visitor.now);
                    // Whoever followed the links there was not the patient.
                    self.made.patient.subscriptions.clear();
                }
                Act::Deceased => {
                    self.withdraw(PurposeSet::ALL);
                    self.made.patient.paused = true;
                }
                Act::Book { reference, moving } => self.book(reference, moving.as_ref()).await?,
                Act::Offer { wish, moving, say } => self.offer(wish, moving.clone(), *say).await?,
                Act::OfferHeld { reference, until } => self.offer_held(reference, *until),
                Act::Wait(wish) => self.made.waitlist = Some(Some(wish.clone())),
                Act::Prefer(preferences) => self.state(self.visitor.preferred(*preferences)),
                Act::Subscribe(browser) => {
                    self.made.patient.subscriptions.keep((**browser).clone());
                    self.patient_changed();
                }
                Act::Unsubscribe => self.unsubscribe(),
                Act::Cancel(visit) => self.cancel(visit).await?,
                Act::Confirm(visit) => self.confirm(visit).await?,
                Act::HandOver { reason, urgency } => self.hand_over(reason, *urgency),
                Act::Tell(answer) => self.tell(*answer),
                Act::Say(say) => self.say(*say),
            }
        }
        if self.made.silent {
            self.made.answer = None;
        }
        if let Some(answer) = &self.made.answer {
            let (clinic, patient) = (self.visitor.tenant.clinic(), &self.visitor.patient().id);
            self.made.orders.push(say_order(clinic, patient, answer.id));
        }
        Ok(self.made)
    }

    fn withdraw(&mut self, purposes: PurposeSet) {
        self.state(vec![recorded(self.visitor, Consents::OptOut, purposes)]);
    }

    /// What the person says. Without marketing nothing is offered, and the waitlist is left.
    fn state(&mut self, said: Vec<Statement>) {
        for statement in &said {
            self.made.patient.consent.record(statement.clone());
            if statement.wish == Consents::OptOut && statement.purposes.contains(Purpose::Marketing) {
                self.made.thread.settle(self.visitor.now);
                self.made.waitlist = Some(None);
            }
        }
        self.made.patient.forget_browsers_taken_back(&said, self.visitor.today());
        self.made.consent.extend(said);
        self.patient_changed();
    }

    /// What else was agreed to stays; nothing else being agreed to is no opt-out.
    fn unsubscribe(&mut self) {
        self.state(self.visitor.without_push());
        self.made.patient.subscriptions.clear();
    }

    /// The person's own word.
    fn agree(&mut self) {
        self.state(self.visitor.agreed_again(self.happening.channel));
        // Of one day's words the opt-out counts; a person must see to it.
        if self.made.patient.consent.is_opted_out(Purpose::Marketing, self.visitor.today()) {
            self.made.silent = true;
            self.hand_over("opt_in_after_opt_out", Urgency::Normal);
        }
    }

    fn patient_changed(&mut self) {
        let order = Order::PatientChanged {
            clinic: self.visitor.tenant.clinic().to_string(),
            patient: self.visitor.patient().id.to_string(),
        };
        if !self.made.orders.contains(&order) {
            self.made.orders.push(order);
        }
    }

    async fn book(&mut self, reference: &str, moving: Option<&AppointmentId>) -> Result<(), CloudError> {
        let (visitor, now) = (self.visitor, self.visitor.now);
        let Some(slot) = visitor.tenant.slot(reference).await?.filter(|slot| slot.start > now) else {
            self.made.gone = true;
            return Ok(());
        };
        let moved = moving.and_then(|id| visitor.open_visit(id)).cloned();
        let lead = moved.as_ref().and_then(|visit| visit.lead_source.as_deref().map(str::to_owned));
        let booking = Booking {
            id: AppointmentId::booked(visitor.tenant.clinic(), &visitor.patient().id, self.happening.event),
            patient: visitor.patient().id.clone(),
            start: slot.start,
            minutes: slot.minutes,
            professional: slot.professional.clone(),
            slot: slot.reference(),
            lead_source: lead.or_else(|| visitor.lead_source()),
            via: self.via.to_owned(),
            made_at: now,
            sequence: 0,
            status: BookingStatus::Booked,
            clinic_number: None,
        };
        if let Some(visit) = moved {
            self.end_visit(&visit).await?;
        }
        // Moved to where it is: there is nothing to book.
        if self.made.given_back.iter().any(|given_back| given_back.slot == reference) {
            self.made.gone = true;
            return Ok(());
        }
        self.made.patient.put_visit(visit_of(&booking));
        self.made.thread.settle(self.visitor.now);
        self.made.waitlist = Some(None);
        let answer = self.answer();
        answer.visit = Some((booking.start, booking.id.clone()));
        self.made.taken.push(booking);
        self.patient_changed();
        Ok(())
    }

    async fn cancel(&mut self, id: &AppointmentId) -> Result<(), CloudError> {
        let Some(visit) = self.visitor.open_visit(id).cloned() else { return Ok(()) };
        self.end_visit(&visit).await?;
        self.answer().visit = Some((visit.start, visit.id));
        self.patient_changed();
        Ok(())
    }

    /// A visit is not to be: its slot is free again, and the agenda is told.
    async fn end_visit(&mut self, visit: &Appointment) -> Result<(), CloudError> {
        let mut ended = visit.clone();
        (ended.status, ended.as_of) = (AppointmentStatus::Cancelled, self.visitor.now);
        let booking = self.booking_of(visit, BookingStatus::Cancelled).await?;
        if !booking.slot.is_empty() {
            self.made
                .orders
                .push(Order::Freed { clinic: self.visitor.tenant.clinic().to_string(), slot: booking.slot.clone() });
            self.made.given_back.push(booking.clone());
        }
        self.made.bookings.push(booking);
        self.made.patient.put_visit(ended);
        Ok(())
    }

    async fn confirm(&mut self, id: &AppointmentId) -> Result<(), CloudError> {
        let Some(visit) = self.visitor.open_visit(id).cloned() else { return Ok(()) };
        let booking = self.booking_of(&visit, BookingStatus::Confirmed).await?;
        self.answer().visit = Some((visit.start, visit.id.clone()));
        self.made.bookings.push(booking);
        let mut confirmed = visit;
        (confirmed.status, confirmed.as_of) = (AppointmentStatus::Confirmed, self.visitor.now);
        self.made.patient.put_visit(confirmed);
        self.made.thread.settle(self.visitor.now);
        Ok(())
    }

    /// The record of a visit in the agenda of what we changed, as it stands afterwards. One that the
    /// clinic's own system booked has none yet, and takes no slot.
    async fn booking_of(&self, visit: &Appointment, status: BookingStatus) -> Result<Booking, CloudError> {
        let known = self.visitor.tenant.booking_of_visit(visit.start, &visit.id).await?;
        Ok(match known {
            Some(known) => Booking { sequence: known.sequence + 1, status, ..known },
            None => Booking {
                id: visit.id.clone(),
                patient: self.visitor.patient().id.clone(),
                start: visit.start,
                minutes: 0,
                professional: visit.professional.to_string(),
                slot: String::new(),
                lead_source: visit.lead_source.as_deref().map(str::to_owned),
                via: self.via.to_owned(),
                made_at: self.visitor.now,
                sequence: 0,
                status,
                clinic_number: Some(visit.id.clone()),
            },
        })
    }

    /// A person takes it up; the automation is silent until they hand back.
    fn hand_over(&mut self, reason: &str, urgency: Urgency) {
        self.made.patient.paused = true;
        let before = self.made.thread.open.take();
        let was = before.as_ref().map(|open| open.urgency);
        let open = match before {
            Some(open) => Open { urgency: open.urgency.max(urgency), ..open },
            None => Open { since: self.visitor.now, reason: reason.to_owned(), urgency },
        };
        // Told when it begins to wait, and once more when it becomes urgent. Who writes on the clinic's
        // own telephone knows.
        let became_urgent = was.is_some_and(|was| was < Urgency::Urgent) && open.urgency == Urgency::Urgent;
        if (was.is_none() && reason != "staff_wrote") || became_urgent {
            self.made.orders.push(alert_order(self.visitor, &open));
        }
        self.made.thread.open = Some(open);
    }

    fn tell(&mut self, answer: Answer) {
        let (clinic, patient) = (self.visitor.tenant.clinic().to_string(), self.visitor.patient().id.to_string());
        let at_ms = self.visitor.now.timestamp_millis();
        self.made.orders.push(Order::Answered { clinic, patient, answer: answer.code().to_owned(), at_ms });
    }

    /// What is said first stands: an offer introduces itself.
    pub(super) fn say(&mut self, say: Say) {
        let answer = self.answer();
        answer.say = answer.say.or(Some(say));
    }

    /// The answer in the making. Without a channel on which it may be said it is not stored.
    pub(super) fn answer(&mut self) -> &mut NewAnswer {
        let (visitor, happening) = (self.visitor, self.happening);
        // Whoever wrote is answered where they wrote.
        let channel = match happening.heard {
            Some(_) => Some(happening.channel),
            None => visitor.channel((!happening.asked_for).then_some(Purpose::Marketing)),
        };
        // Words that were parked, or that a provider was long in bringing: nobody waits up for the answer.
        let is_late = happening.heard.as_ref().is_some_and(|line| visitor.now - line.at > WINDOW - ANSWER_LASTS);
        let lasts = match (is_late, &happening.heard) {
            (true, _) => LATE_ANSWER_LASTS,
            (false, Some(_)) => ANSWER_LASTS,
            (false, None) => CONFIRMATION_LASTS,
        };
        self.made.answer.get_or_insert_with(|| NewAnswer {
            id: MessageId::answering(visitor.tenant.clinic(), &visitor.patient().id, happening.event),
            say: None,
            words: None,
            channel: channel.unwrap_or(Channel::Call),
            slots: Vec::new(),
            visit: None,
            answers: happening.said.map(str::to_owned),
            asked_for: happening.asked_for,
            in_hours: is_late,
            at: visitor.now,
            not_after: visitor.now + lasts,
        })
    }
}

/// The visit as the patient's record has it.
fn visit_of(booking: &Booking) -> Appointment {
    Appointment {
        id: booking.id.clone(),
        start: booking.start,
        status: AppointmentStatus::Booked,
        professional: booking.professional.as_str().into(),
        service: "".into(),
        amount_cents: None,
        session: None,
        lead_source: booking.lead_source.as_deref().map(Into::into),
        as_of: booking.made_at,
    }
}

impl Planned {
    pub(super) async fn commit(
        &self,
        visitor: &Visitor,
        happening: &Happening<'_>,
        lift: Option<&Lift>,
    ) -> Result<TurnDone, CloudError> {
        if self.gone {
            return Ok(TurnDone::SlotTaken);
        }
        let stored = &visitor.collection;
        let changed = *visitor.patient() != self.patient;
        let taken = self.taken.iter().map(SlotChange::Take);
        let waitlist = self.waitlist.as_ref().map(|wish| match wish {
            Some(wish) => WaitlistChange::Join(wish),
            None => WaitlistChange::Leave,
        });
        let turn = Turn {
            patient: &visitor.patient().id,
            alias: stored.patient.alias.as_ref(),
            event: happening.event,
            change: changed.then_some(PatientChange {
                from: &stored.patient,
                next: &self.patient,
                today: visitor.today(),
            }),
            thread: (stored.thread.thread != self.thread).then_some((&stored.thread, &self.thread)),
            heard: self.heard.as_ref(),
            attached: None,
            slots: taken.chain(self.given_back.iter().map(SlotChange::Free)).collect(),
            bookings: self.bookings.iter().chain(&self.taken).collect(),
            answer: self.answer.as_ref().filter(|answer| answer.channel != Channel::Call && answer.say.is_some()),
            waitlist,
            consent: self.consent.iter().map(|s| ConsentRecord { statement: s, how: happening.consent_how }).collect(),
            orders: &self.orders,
            lift,
            now: visitor.now,
        };
        visitor.tenant.commit_turn(&turn).await
    }
}
