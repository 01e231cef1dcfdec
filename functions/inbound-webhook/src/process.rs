//! What an event does: found whose it is, understood, carried out once. An event that cannot be
//! placed is kept where a person sees it, and never tried for ever.

mod account;
mod connection;
mod message;
mod news;
mod receipt;

use chrono::{DateTime, Utc};
use retorno_cloud::desk::{Desk, Done};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::{RouteKind, TenantStore};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::contact::E164;
use retorno_domain::ids::{ClinicId, PatientId};
use tracing::field::Empty;
use tracing::{Instrument as _, info_span};

use crate::event::{Event, GatewayKind, Route, Routed, Sender};

/// What became of an event; at several clinics, what comes first here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Processed {
    /// Something followed from it.
    Done,
    /// Taken in before.
    Repeated,
    /// Nobody's: of no clinic of ours, or of nobody the clinic knows.
    Nobodys,
    /// Nothing follows from it.
    Nothing,
}

/// Takes events in.
#[derive(Debug, Clone)]
pub struct Inbound {
    desk: Desk,
    opaque_key: SecretKey,
}

impl Inbound {
    /// Over the table, the queue and the clock; `opaque_key` is the key under which the ids were made
    /// that providers give back.
    #[must_use]
    pub fn new(reach: Reach, opaque_key: SecretKey) -> Self {
        Self { desk: Desk::new(reach), opaque_key }
    }

    /// Takes an event in. Harmless to repeat, at any time and by several at once.
    ///
    /// # Errors
    /// [`CloudError`]: whoever handed the event over keeps it and hands it over again.
    pub async fn take_in(&self, routed: &Routed) -> Result<Processed, CloudError> {
        let clinics = self.clinics_of(&routed.route).await?;
        if clinics.is_empty() {
            tracing::warn!(kind = routed.event.kind(), "an event of no clinic of ours");
        }
        let mut most: Option<Processed> = None;
        for clinic in clinics {
            let done = self.take_in_at(&self.desk.reach().store.of(&clinic), routed).await?;
            most = Some(most.map_or(done, |most| most.min(done)));
        }
        Ok(most.unwrap_or(Processed::Nobodys))
    }

    async fn take_in_at(&self, tenant: &TenantStore, routed: &Routed) -> Result<Processed, CloudError> {
        let (event, clinic) = (routed.event.kind(), tenant.clinic());
        // Its ids, and nothing else; a message's, as soon as it is known, follows it from its order on.
        let span = info_span!("event", event, %clinic, patient = Empty, message = Empty, told = Empty);
        let told = async {
            let done = self.take_in_in_span(tenant, routed).await?;
            tracing::info!(?done, "taken in");
            Ok(done)
        };
        told.instrument(span).await
    }

    async fn take_in_in_span(&self, tenant: &TenantStore, routed: &Routed) -> Result<Processed, CloudError> {
        match &routed.event {
            Event::Message(message) => Box::pin(self.message(tenant, message)).await,
            Event::Receipt(receipt) => Box::pin(self.receipt(tenant, receipt)).await,
            Event::Preference(preference) => self.preference(tenant, preference).await,
            Event::NumberChanged(changed) => self.number_changed(tenant, changed).await,
            Event::Echo(echo) => self.echo(tenant, echo).await,
            Event::Template(news) => self.template(tenant, &routed.route, news).await,
            Event::Number(news) => self.number(tenant, &routed.route, news).await,
            Event::Account(news) => self.account(tenant, &routed.route, news).await,
            Event::Connection(news) => self.connection(tenant, &routed.route, news).await,
            Event::Ignored(_) => Ok(Processed::Nothing),
        }
    }

    /// The clinics that an event is of: one by its route, several where they share an account.
    async fn clinics_of(&self, route: &Route) -> Result<Vec<ClinicId>, CloudError> {
        let (kind, id) = match route {
            Route::WhatsappNumber(id) => (RouteKind::WhatsappNumber, id),
            Route::WhatsappAccount(id) => (RouteKind::WhatsappAccount, id),
            Route::Gateway { kind: GatewayKind::Evolution, instance } => (RouteKind::Evolution, instance),
            Route::Gateway { kind: GatewayKind::Waha, instance } => (RouteKind::Waha, instance),
            Route::SmsNumber(id) => (RouteKind::SmsNumber, id),
            // From tags of ours in a verified event of our own account.
            Route::Clinic(id) => return Ok(ClinicId::parse(id).into_iter().collect()),
            Route::Unknown => return Ok(Vec::new()),
        };
        self.desk.reach().store.clinics_of(kind, id).await
    }

    /// The phone of a sender, noted under the messenger's own id where both are shown.
    async fn phone_of(&self, tenant: &TenantStore, sender: &Sender) -> Result<Option<E164>, CloudError> {
        let phone = sender
            .phone
            .as_ref()
            .and_then(|digits| E164::parse_strict(&format!("+{}", digits.as_str().trim_start_matches('+'))).ok());
        if let (Some(phone), Some(user)) = (&phone, &sender.user_id) {
            tenant.note_user(user.as_str(), phone).await?;
        }
        Ok(phone)
    }

    /// Everybody who is reached at the phone of a sender; a minor, at the guardian's.
    async fn patients_of(&self, tenant: &TenantStore, sender: &Sender) -> Result<Vec<PatientId>, CloudError> {
        let today = tenant.settings(self.now()).await?.clinic.date(self.now());
        if let Some(phone) = self.phone_of(tenant, sender).await? {
            return tenant.patients_with_phone(&phone, today).await;
        }
        let Some(user) = &sender.user_id else { return Ok(Vec::new()) };
        match tenant.phone_of_user(user.as_str()).await? {
            Some(hash) => tenant.patients_with_hash(&hash, today).await,
            None => Ok(Vec::new()),
        }
    }

    /// The hashes of the contact point of a sender, in every spelling of the number.
    async fn hashes_of(&self, tenant: &TenantStore, sender: &Sender) -> Result<Vec<String>, CloudError> {
        if let Some(phone) = self.phone_of(tenant, sender).await? {
            return Ok(phone.aliases().iter().map(|digits| tenant.hash(&format!("+{digits}"))).collect());
        }
        let Some(user) = &sender.user_id else { return Ok(Vec::new()) };
        Ok(tenant.phone_of_user(user.as_str()).await?.into_iter().collect())
    }

    fn now(&self) -> DateTime<Utc> {
        self.desk.reach().clock.now()
    }
}

fn processed(done: &Done) -> Processed {
    match done {
        Done::Acted(_) => Processed::Done,
        Done::Repeated => Processed::Repeated,
        Done::Nobody => Processed::Nobodys,
    }
}
