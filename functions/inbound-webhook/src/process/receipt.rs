//! A receipt: evidence about a message of ours, and what it says of the recipient.

use retorno_cloud::CloudError;
use retorno_cloud::channels::read_opaque_id;
use retorno_cloud::desk::Happening;
use retorno_cloud::store::{Evidence, TenantStore, Told};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::conversation::Act;
use retorno_domain::flow::Answer;
use retorno_domain::ids::{MessageId, PatientId};
use tracing::Span;
use tracing::field::display;

use super::{Inbound, Processed, processed};
use crate::event::{ComplaintKind, Price, Receipt, ReceiptStatus};

/// What a status leads to besides being kept.
enum Follows {
    Nothing,
    /// Nobody is reached there by the channel.
    Unreachable,
    /// No marketing by the channel, said to the provider.
    ChannelOptOut,
    /// The person wants no more messages.
    OptOut,
    /// The person leaves the list.
    Leaves,
    /// The link was opened.
    Click,
}

/// The code with which Meta says that a person stopped marketing messages.
const STOPPED_MARKETING: &str = "131050";
/// Codes with which Meta says that nobody can be reached at a number, now or ever.
const UNREACHABLE: [&str; 3] = ["131026", "131021", "130403"];

impl Inbound {
    pub(super) async fn receipt(&self, tenant: &TenantStore, receipt: &Receipt) -> Result<Processed, CloudError> {
        let Some(message) = self.message_of(tenant, receipt).await? else { return Ok(Processed::Nobodys) };
        let span = Span::current();
        span.record("message", display(message)).record("told", receipt.status.code());
        let Some(patient) = tenant.owner_of(message).await? else {
            return self.receipt_of_nobodys(tenant, receipt, message).await;
        };
        span.record("patient", display(&patient));
        if let Some((told, code)) = told(&receipt.status) {
            let price = receipt.price.as_ref().map(price_text);
            let evidence = Evidence {
                told,
                at: receipt.at,
                provider_id: receipt.provider_id.as_str(),
                code,
                price: price.as_deref(),
            };
            if !tenant.take_receipt(&patient, message, &evidence).await? {
                return Ok(Processed::Nobodys);
            }
        }
        self.follow(tenant, receipt, &patient, message).await
    }

    /// Which message of ours: by the id that we gave it and that comes back, signed; by tags in events
    /// of our own account; by what a gateway called it when it took it. That of another clinic is
    /// nobody's.
    async fn message_of(&self, tenant: &TenantStore, receipt: &Receipt) -> Result<Option<MessageId>, CloudError> {
        if let Some(opaque) = &receipt.opaque {
            let ours = read_opaque_id(&self.opaque_key, opaque).filter(|(clinic, ..)| clinic == tenant.clinic());
            return Ok(ours.map(|(_, message, _)| message));
        }
        // WhatsApp gives tags no room, and gateways take no id of ours.
        if receipt.channel == Channel::Whatsapp {
            return tenant.sent_as(receipt.provider_id.as_str()).await;
        }
        let is_ours = receipt.tags.clinic.as_deref() == Some(tenant.clinic().as_str());
        Ok(receipt.tags.message.as_deref().filter(|_| is_ours).and_then(MessageId::parse))
    }

    /// An answer to somebody who is not on record has no patient, nor has a test message to staff.
    async fn receipt_of_nobodys(
        &self,
        tenant: &TenantStore,
        receipt: &Receipt,
        message: MessageId,
    ) -> Result<Processed, CloudError> {
        let Some((told, code)) = told(&receipt.status) else { return Ok(Processed::Nobodys) };
        if tenant.take_stranger_receipt(message, told, receipt.at, code).await? {
            return Ok(Processed::Done);
        }
        let is_test = tenant.take_test_receipt(message, told, receipt.at, code).await?;
        Ok(if is_test { Processed::Done } else { Processed::Nobodys })
    }

    async fn follow(
        &self,
        tenant: &TenantStore,
        receipt: &Receipt,
        patient: &PatientId,
        message: MessageId,
    ) -> Result<Processed, CloudError> {
        let follows = follows(&receipt.status);
        if matches!(follows, Follows::Nothing) {
            return Ok(Processed::Done);
        }
        let Some(visitor) = self.desk.visit(tenant, patient).await? else { return Ok(Processed::Nobodys) };
        // Where it went, wherever the patient is reached by now.
        let hash = visitor.sent_to(message).or_else(|| visitor.contacts.of(receipt.channel));
        match (follows, hash) {
            (Follows::Unreachable, Some(hash)) => tenant.mark_unreachable(hash, receipt.channel, receipt.at).await?,
            (Follows::ChannelOptOut, Some(hash)) => {
                // Told again, it undoes nothing that was said since.
                let event = format!("stopped#{message}");
                if tenant.knows_event(&event).await? {
                    return Ok(Processed::Repeated);
                }
                let only: ChannelSet = [receipt.channel].into_iter().collect();
                tenant.opt_out(hash, only, PurposeSet::MARKETING, receipt.at).await?;
                tenant.take_in(&event, self.now()).await?;
            }
            (follows @ (Follows::OptOut | Follows::Leaves), _) => {
                let leaves = matches!(follows, Follows::Leaves);
                let purposes = if leaves { visitor.left_by(message) } else { PurposeSet::ALL };
                let event = format!("out#{message}");
                let happening = Happening::silent(&event, receipt.channel, receipt.status.code());
                return Ok(processed(&self.desk.left(&visitor, message, &happening, purposes).await?));
            }
            (Follows::Click, _) => {
                let event = format!("click#{message}");
                let happening = Happening::silent(&event, receipt.channel, receipt.status.code());
                let click = |_: &_, _: Option<&mut _>| vec![Act::Tell(Answer::Click)];
                return Ok(processed(&self.desk.act(tenant, patient, &happening, click).await?));
            }
            (Follows::Unreachable | Follows::ChannelOptOut, None) | (Follows::Nothing, _) => {}
        }
        Ok(Processed::Done)
    }
}

/// What a status tells, and the provider's code of a failure. An opened e-mail tells nothing: mail
/// programs open what nobody read.
fn told(status: &ReceiptStatus) -> Option<(Told, Option<&str>)> {
    match status {
        ReceiptStatus::Accepted | ReceiptStatus::Sent => Some((Told::Sent, None)),
        ReceiptStatus::Delivered => Some((Told::Delivered, None)),
        ReceiptStatus::Read => Some((Told::Read, None)),
        ReceiptStatus::Failed { code } | ReceiptStatus::Bounced { code, .. } | ReceiptStatus::Rejected { code } => {
            Some((Told::Failed, Some(code)))
        }
        ReceiptStatus::Clicked => Some((Told::Clicked, None)),
        ReceiptStatus::Complained { .. }
        | ReceiptStatus::Unsubscribed
        | ReceiptStatus::Opened
        | ReceiptStatus::Delayed { .. } => None,
    }
}

fn follows(status: &ReceiptStatus) -> Follows {
    match status {
        ReceiptStatus::Failed { code } if code == STOPPED_MARKETING => Follows::ChannelOptOut,
        ReceiptStatus::Failed { code } if UNREACHABLE.contains(&code.as_str()) => Follows::Unreachable,
        ReceiptStatus::Bounced { permanent: true, .. } => Follows::Unreachable,
        // Whoever reports a message as abuse wants nothing at all.
        ReceiptStatus::Complained { kind: ComplaintKind::Abuse | ComplaintKind::Other(_) } => Follows::OptOut,
        ReceiptStatus::Unsubscribed => Follows::Leaves,
        ReceiptStatus::Complained { kind: ComplaintKind::Suppressed } => Follows::Unreachable,
        ReceiptStatus::Clicked => Follows::Click,
        ReceiptStatus::Complained { kind: ComplaintKind::NotSpam }
        | ReceiptStatus::Failed { .. }
        | ReceiptStatus::Bounced { permanent: false, .. }
        | ReceiptStatus::Accepted
        | ReceiptStatus::Sent
        | ReceiptStatus::Delivered
        | ReceiptStatus::Read
        | ReceiptStatus::Opened
        | ReceiptStatus::Rejected { .. }
        | ReceiptStatus::Delayed { .. } => Follows::Nothing,
    }
}

fn price_text(price: &Price) -> String {
    match price {
        Price::Whatsapp { category, billable, .. } => {
            format!("{category}{}", if *billable { "" } else { ", free" })
        }
        Price::Sms { parts, usd_micros } => {
            format!("{parts} parts, {} µUSD", usd_micros.map_or_else(|| "?".to_owned(), |micros| micros.to_string()))
        }
    }
}
