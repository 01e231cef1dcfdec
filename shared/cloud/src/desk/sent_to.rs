//! What comes back from a message of ours counts where the message went: since then the export may have
//! brought another contact, and a minor may have come of age.

use retorno_domain::channel::{ChannelSet, Purpose, PurposeSet};
use retorno_domain::conversation::Act;
use retorno_domain::flow::Answer;
use retorno_domain::ids::MessageId;

use super::{BY_MESSAGE, Desk, Done, Happening, Visitor};
use crate::error::CloudError;

impl Visitor {
    /// The contact point that a message or an answer went to, by its hash.
    #[must_use]
    pub fn sent_to(&self, message: MessageId) -> Option<&str> {
        let sent = self.collection.messages.iter().filter(|sent| sent.id == message);
        let said = self.collection.answers.iter().filter(|said| said.answer.id == message);
        sent.filter_map(|sent| sent.contact.as_deref()).chain(said.filter_map(|said| said.contact.as_deref())).next()
    }

    /// What somebody wants no more of who leaves the list by a message: marketing, and what the message
    /// itself was for.
    #[must_use]
    pub fn left_by(&self, message: MessageId) -> PurposeSet {
        let sent = self.collection.messages.iter().find(|sent| sent.id == message);
        sent.and_then(|sent| sent.purpose).into_iter().fold(PurposeSet::MARKETING, PurposeSet::with)
    }

    /// Whether a message was sent to the guardian of somebody who has come of age since.
    pub(super) fn was_for_guardian(&self, message: MessageId) -> bool {
        let Some(of_age) = self.patient().of_age_on().filter(|day| *day <= self.today()) else { return false };
        let sent = self.collection.messages.iter().filter(|sent| sent.id == message).filter_map(|sent| sent.claimed_at);
        let said = self.collection.answers.iter().map(|said| &said.answer).filter(|said| said.id == message);
        sent.chain(said.map(|said| said.at)).any(|at| self.clinic.clinic.date(at) < of_age)
    }
}

impl Desk {
    /// Whoever a message of ours reached wants no more: the contact that it went to is closed, whoever is
    /// reached there today. The guardian of somebody who has come of age since does not speak for them
    /// any more.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn left(
        &self,
        visitor: &Visitor,
        message: MessageId,
        happening: &Happening<'_>,
        purposes: PurposeSet,
    ) -> Result<Done, CloudError> {
        let (tenant, patient) = (&visitor.tenant, &visitor.patient().id);
        let mut acts = vec![Act::OptOut(purposes)];
        if purposes.contains(Purpose::Marketing) {
            acts.push(Act::Tell(Answer::OptOut));
        }
        let elsewhere = visitor.sent_to(message).filter(|hash| visitor.contacts.iter().all(|own| own != *hash));
        if let Some(hash) = elsewhere {
            // Told again, it undoes nothing that was said since.
            if tenant.knows_event(happening.event).await? {
                self.repeated(visitor, happening.event).await?;
                return Ok(Done::Repeated);
            }
            tenant.opt_out(hash, ChannelSet::ALL, purposes, visitor.now).await?;
            self.opt_out_minors(visitor, &[hash], happening, purposes).await?;
            if visitor.was_for_guardian(message) {
                tenant.take_in(happening.event, visitor.now).await?;
                return Ok(Done::Acted(acts));
            }
        }
        self.act_so(tenant, patient, happening, &BY_MESSAGE, |_, _| acts.clone()).await
    }
}
