//! What a patient does on a page. Each is an event of its own name, so that a form sent twice acts
//! once; nothing here says anything but what was asked for.

use chrono::{DateTime, Utc};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::conversation::{Act, Preferences, Question, Say};
use retorno_domain::flow::Answer;
use retorno_domain::ids::{AppointmentId, MessageId};
use retorno_domain::reply::Wish;
use retorno_domain::slot::FreeSlot;

use super::{Desk, Done, Happening, Manner, Visitor};
use crate::error::CloudError;
use crate::links::{Link, LinkPurpose};
use crate::store::WaiterState;

/// Where something was done: by the link of a message, on a page that showed a certain state.
#[derive(Debug, Clone, Copy)]
pub struct Opened {
    /// The message of the link.
    pub message: MessageId,
    /// What the page showed when its form was made ([`Visitor::seen`]): the same form sent again
    /// says the same, a form of a later page another.
    pub seen: u64,
}

/// What came of picking a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picked {
    /// It is booked.
    Booked,
    /// Somebody else has it.
    Taken,
    /// There is a visit already, and the page did not say that it moves; or the one to be moved is
    /// not there any more.
    Otherwise,
}

/// On a page nobody is written to because a slot was taken: the page itself shows the next.
const ON_A_PAGE: Manner = Manner { via: Some("page"), when_taken: |_| Vec::new(), for_minors: true };

impl Visitor {
    /// What a page rests on, as a number that forms give back.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.collection.patient.version
    }

    /// A slot that has become free and is held for this patient, and until when.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn held_slot(&self) -> Result<Option<(FreeSlot, DateTime<Utc>)>, CloudError> {
        // Whoever was offered one slot alone may be on the waitlist; nobody else is looked for there.
        let said = self.collection.answers.iter().any(|said| said.answer.say == Some(Say::Freed));
        let asked = |question: &Question| matches!(question, Question::Slots { slots, .. } if slots.len() == 1);
        if !said && !self.thread.asked.as_ref().is_some_and(|(question, _)| asked(question)) {
            return Ok(None);
        }
        for waiter in self.tenant.waitlist().await? {
            if let WaiterState::Offered { slot, until } = &waiter.state
                && waiter.patient == self.patient().id
                && *until > self.now
            {
                return Ok(self.tenant.slot(slot).await?.map(|slot| (slot, *until)));
            }
        }
        Ok(None)
    }
}

impl Desk {
    /// Whoever follows a link: the owner of its message. What was sent to a guardian opens nothing any
    /// more once the patient has come of age, but still ends all messages.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn visitor(&self, link: &Link) -> Result<Option<Visitor>, CloudError> {
        let tenant = self.reach.store.of(&link.clinic);
        match tenant.owner_of(link.message).await? {
            Some(patient) => {
                let visitor = self.visit(&tenant, &patient).await?;
                let opens = |visitor: &Visitor| {
                    link.purpose == LinkPurpose::Unsubscribe || !visitor.was_for_guardian(link.message)
                };
                Ok(visitor.filter(opens))
            }
            None => Ok(None),
        }
    }

    /// The link was opened: a sign of interest. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn clicked(&self, visitor: &Visitor, message: MessageId) -> Result<(), CloudError> {
        let known = visitor.collection.messages.iter().find(|known| known.id == message);
        if known.is_none_or(|known| known.receipts.clicked.is_some()) {
            return Ok(());
        }
        // Told first: a crash in between tells it again, and the event is known by then. Its name is
        // that of a click which the mail service reports.
        let event = format!("click#{message}");
        self.on_page(visitor, &event, "", |_| vec![Act::Tell(Answer::Click)]).await?;
        visitor.tenant.note_click(&visitor.patient().id, message, visitor.now).await
    }

    /// Books a slot, or moves a visit to it.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn pick(
        &self,
        visitor: &Visitor,
        opened: Opened,
        reference: &str,
        moving: Option<&AppointmentId>,
    ) -> Result<Picked, CloudError> {
        let event = format!("page#{}#book#{reference}#{}", opened.message, opened.seen);
        let decide = |visitor: &Visitor| {
            let case = visitor.case();
            let say = match (moving, case.next_visit()) {
                (None, None) => Say::Booked,
                (Some(id), Some(_)) if visitor.open_visit(id).is_some() => Say::Moved,
                (None, Some(_)) | (Some(_), _) => return Vec::new(),
            };
            let book = Act::Book { reference: reference.to_owned(), moving: moving.cloned() };
            vec![Act::Tell(Answer::Yes), book, Act::Say(say)]
        };
        match self.on_page(visitor, &event, "", decide).await? {
            Done::Acted(acts) if acts.iter().any(|act| matches!(act, Act::Book { .. })) => return Ok(Picked::Booked),
            Done::Acted(_) | Done::Repeated | Done::Nobody => {}
        }
        // Not booked now: because somebody else was first, or because the patient was, elsewhere.
        let now = self.visit(&visitor.tenant, &visitor.patient().id).await?;
        Ok(if now.is_some_and(|now| !decide(&now).is_empty()) { Picked::Taken } else { Picked::Otherwise })
    }

    /// Calls a visit off; nothing when it is not to come any more.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn cancel(&self, visitor: &Visitor, opened: Opened, visit: &AppointmentId) -> Result<(), CloudError> {
        let event = format!("page#{}#cancel#{visit}#{}", opened.message, opened.seen);
        let acts = [Act::Cancel(visit.clone()), Act::Say(Say::Cancelled)];
        self.on_page(visitor, &event, "", |visitor| only_if(visitor.open_visit(visit).is_some(), &acts)).await?;
        Ok(())
    }

    /// The patient comes; nothing when the visit is not to come any more.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn confirm(&self, visitor: &Visitor, opened: Opened, visit: &AppointmentId) -> Result<(), CloudError> {
        let event = format!("page#{}#confirm#{visit}#{}", opened.message, opened.seen);
        // The page says it; a message would only repeat it.
        let acts = [Act::Confirm(visit.clone())];
        self.on_page(visitor, &event, "", |visitor| only_if(visitor.open_visit(visit).is_some(), &acts)).await?;
        Ok(())
    }

    /// Puts the patient on the waitlist, or changes their wish.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn wait(&self, visitor: &Visitor, opened: Opened, wish: &Wish) -> Result<(), CloudError> {
        let part = wish.part.map_or_else(String::new, |part| format!("{part:?}"));
        let event = format!("page#{}#wait#{part}#{}", opened.message, opened.seen);
        let acts = [Act::Tell(Answer::Yes), Act::Wait(wish.clone())];
        self.on_page(visitor, &event, "", |_| acts.to_vec()).await?;
        Ok(())
    }

    /// No more marketing, by any channel, and no more of what the message was for; other care goes on.
    ///
    /// # Errors
    /// [`CloudError`]; sending it again finishes it.
    pub async fn opt_out(&self, visitor: &Visitor, message: MessageId, how: &str) -> Result<(), CloudError> {
        // The same click twice is one; one after a later word counts again.
        let said = visitor.patient().consent.statements().len();
        let event = format!("page#{message}#out#{said}");
        let happening = Happening { asked_for: true, ..Happening::silent(&event, Channel::Email, how) };
        self.left(visitor, message, &happening, visitor.left_by(message)).await?;
        Ok(())
    }

    /// From now on by these channels, and by those only; by none: no more messages of that purpose.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn prefer(
        &self,
        visitor: &Visitor,
        opened: Opened,
        wanted: Preferences,
        how: &str,
    ) -> Result<(), CloudError> {
        let event = format!("page#{}#prefer#{:?}#{:?}#{}", opened.message, wanted.marketing, wanted.care, opened.seen);
        let mut acts = vec![Act::Prefer(wanted)];
        if wanted.marketing.is_some_and(ChannelSet::is_empty) {
            acts.push(Act::Tell(Answer::OptOut));
        }
        self.on_page(visitor, &event, how, |_| acts.clone()).await?;
        Ok(())
    }

    pub(super) async fn on_page(
        &self,
        visitor: &Visitor,
        event: &str,
        consent_how: &str,
        decide: impl Fn(&Visitor) -> Vec<Act>,
    ) -> Result<Done, CloudError> {
        let happening = Happening { asked_for: true, ..Happening::silent(event, Channel::Email, consent_how) };
        let decide = |visitor: &Visitor, _: Option<&mut crate::store::HeardLine>| decide(visitor);
        self.act_so(&visitor.tenant, &visitor.patient().id, &happening, &ON_A_PAGE, decide).await
    }
}

fn only_if(holds: bool, acts: &[Act]) -> Vec<Act> {
    if holds { acts.to_vec() } else { Vec::new() }
}
