//! Answering somebody who is not on record, in staff's own words, while the window is open: look,
//! claim, call once, record. Nothing is tried again by itself; staff sees what became of it.

use retorno_cloud::CloudError;
use retorno_cloud::channels::ReplyDispatch;
use retorno_cloud::orders::Order;
use retorno_cloud::store::{StoredClinic, StrangerAnswer, StrangerClaim, TenantStore};
use retorno_domain::channel::Channel;
use retorno_domain::ids::{ClinicId, MessageId};
use retorno_domain::message::{Delivery, Outcome};

use crate::dispatch::{Dispatcher, Done};
use crate::say::next_mark;

/// The only claim there is.
const ATTEMPT: u32 = 1;

impl Dispatcher {
    /// Answers, if it may still be done.
    pub(crate) async fn say_to_stranger(&self, id: &ClinicId, answer: MessageId) -> Result<Done, CloudError> {
        let tenant = self.reach.store.of(id);
        let Some(answer) = tenant.stranger_answer(answer).await? else { return Ok(Done::Nothing) };
        if !matches!(answer.delivery, Delivery::Ready { .. }) {
            return Ok(Done::Nothing);
        }
        let now = self.reach.clock.now();
        let stored = tenant.settings(now).await?;
        let channel = Channel::Whatsapp;
        let breaker = stored.breakers.channels.iter().any(|(of, until)| *of == channel && *until > now);
        if now > answer.not_after {
            return give_up(&tenant, &answer, "too_late").await;
        }
        if stored.clinic.halted || breaker || stored.unlinked().is_some() {
            let order = Order::SayStranger { clinic: id.to_string(), answer: answer.id.to_string() };
            self.reach.orders.wake(&order, 0, now, next_mark(now)).await?;
            return Ok(Done::Decided);
        }
        let group = tenant.stranger_group(&answer.who).await?;
        if !group.is_some_and(|group| group.window_is_open(now)) {
            return give_up(&tenant, &answer, "window_closed").await;
        }
        self.call_stranger(&tenant, &stored, &answer).await
    }

    async fn call_stranger(
        &self,
        tenant: &TenantStore,
        stored: &StoredClinic,
        answer: &StrangerAnswer,
    ) -> Result<Done, CloudError> {
        let (clinic, now) = (&stored.clinic, self.reach.clock.now());
        let contacts: Vec<String> =
            answer.to.aliases().iter().map(|digits| tenant.hash(&format!("+{digits}"))).collect();
        if !tenant.claim_stranger_answer(&StrangerClaim { answer, contacts: &contacts, now }).await? {
            // Claimed by somebody else, or opted out: one that was claimed is not given up by this.
            return give_up(tenant, answer, "opted_out").await;
        }
        let outcome = if self.is_late(now) {
            let again_in = chrono::TimeDelta::seconds(1);
            Outcome::NotSent { code: "claim_ran_out".to_owned(), again_in, breaker: None }
        } else {
            let opaque = self.channels.opaque_id(&clinic.id, answer.id, ATTEMPT);
            let reply = ReplyDispatch {
                clinic,
                to: answer.to.as_str(),
                opaque_id: &opaque,
                body: &answer.words.0,
                buttons: &[],
                subject: None,
                html: None,
                attachment: None,
                answers: None,
            };
            self.channels.reply(Channel::Whatsapp, &reply).await
        };
        let contact = contacts.first().map_or("", String::as_str);
        let place = (contact, Channel::Whatsapp, Channel::Whatsapp.code());
        self.learn(tenant, answer.id, place, now, &outcome).await?;
        self.learn_of_gateway(tenant, clinic, answer.id, now, &outcome).await?;
        tenant.record_stranger_answer(answer.id, &outcome).await?;
        Ok(Done::Sent)
    }
}

async fn give_up(tenant: &TenantStore, answer: &StrangerAnswer, why: &str) -> Result<Done, CloudError> {
    tenant.drop_stranger_answer(answer.id, why).await?;
    Ok(Done::Decided)
}
