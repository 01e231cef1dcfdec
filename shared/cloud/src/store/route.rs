//! Routes: which clinic something of a provider's belongs to. The only items that are found without a
//! clinic; they hold nothing but its id.

use aws_sdk_dynamodb::types::AttributeValue;
use retorno_domain::approval::account_of;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::sender::GatewayKind;

use super::item::{Item, Reader, s};
use super::{Store, TenantStore};
use crate::error::{CloudError, sort};

/// What of a provider's a route is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// Meta's id of a WhatsApp number.
    WhatsappNumber,
    /// Meta's id of a WhatsApp business account; several clinics may share one.
    WhatsappAccount,
    /// An instance of Evolution API.
    Evolution,
    /// A session of WAHA.
    Waha,
    /// A number that receives text messages.
    SmsNumber,
}

impl RouteKind {
    fn code(self) -> &'static str {
        match self {
            Self::WhatsappNumber => "wa-number",
            Self::WhatsappAccount => "wa-account",
            Self::Evolution => "evolution",
            Self::Waha => "waha",
            Self::SmsNumber => "sms",
        }
    }
}

/// Halts that news of an account at Meta bring, by their reasons.
const ACCOUNT_HALTS: [&str; 5] =
    ["account_restricted", "account_banned", "account_deleted", "account_disconnected", "account_gone"];

fn key(kind: RouteKind, id: &str) -> Item {
    let pk = AttributeValue::S(format!("ROUTE#{}#{id}", kind.code()));
    Item::from([("pk".to_owned(), pk), ("sk".to_owned(), s("ROUTE"))])
}

impl Store {
    /// The clinics that something of a provider's belongs to: one, or those that share an account.
    /// Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn clinics_of(&self, kind: RouteKind, id: &str) -> Result<Vec<ClinicId>, CloudError> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(key(kind, id))).consistent_read(true);
        let Some(item) = call.send().await.map_err(|e| sort("GetItem route", &e))?.item else { return Ok(Vec::new()) };
        let reader = Reader { kind: "route", item: &item };
        // The last one has gone.
        let Some(clinics) = item.get("clinics") else { return Ok(Vec::new()) };
        let clinics = clinics.as_ss().map_err(|_| reader.corrupt("clinics"))?.iter();
        let mut found: Vec<ClinicId> = clinics
            .map(|text| ClinicId::parse(text).map_err(|_| reader.corrupt("clinics")))
            .collect::<Result<_, _>>()?;
        found.sort_unstable();
        Ok(found)
    }
}

impl TenantStore {
    /// Makes what the clinic's settings name at its providers the clinic's. Says what is another's:
    /// nothing is taken from anybody.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn claim_routes(&self, clinic: &Clinic) -> Result<Option<&'static str>, CloudError> {
        for (setting, kind, id) in routes_of(clinic) {
            if !self.claim_route(kind, &id).await? {
                return Ok(Some(setting));
            }
        }
        Ok(None)
    }

    /// Gives back what the clinic's former settings named and its present ones do not, once these are
    /// stored, and ends the halts that its former account at Meta had brought. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn release_routes(&self, former: &Clinic, present: &Clinic) -> Result<(), CloudError> {
        let kept = routes_of(present);
        for (_, kind, id) in routes_of(former) {
            if !kept.iter().any(|(_, other, still)| *other == kind && *still == id) {
                self.release_route(kind, &id).await?;
            }
        }
        if account_of(former) != account_of(present) {
            self.unhalt_of(Channel::Whatsapp.code(), &ACCOUNT_HALTS).await?;
        }
        Ok(())
    }

    async fn release_route(&self, kind: RouteKind, id: &str) -> Result<(), CloudError> {
        let mine = AttributeValue::Ss(vec![self.clinic.to_string()]);
        if kind == RouteKind::WhatsappAccount {
            let call = self.client().update_item().table_name(self.table()).set_key(Some(key(kind, id)));
            let call = call.update_expression("DELETE clinics :c").condition_expression("attribute_exists(pk)");
            match call.expression_attribute_values(":c", mine).send().await {
                Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
                sent => sent.map(|_| ()).map_err(|e| sort("UpdateItem route", &e)),
            }
        } else {
            let call = self.client().delete_item().table_name(self.table()).set_key(Some(key(kind, id)));
            let call = call.condition_expression("clinics = :c").expression_attribute_values(":c", mine);
            match call.send().await {
                Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
                sent => sent.map(|_| ()).map_err(|e| sort("DeleteItem route", &e)),
            }
        }
    }

    async fn claim_route(&self, kind: RouteKind, id: &str) -> Result<bool, CloudError> {
        let mine = AttributeValue::Ss(vec![self.clinic.to_string()]);
        let call = self.client().update_item().table_name(self.table()).set_key(Some(key(kind, id)));
        let call = call.update_expression("ADD clinics :c").expression_attribute_values(":c", mine);
        let call = if kind == RouteKind::WhatsappAccount {
            call
        } else {
            call.condition_expression("attribute_not_exists(pk) OR clinics = :c")
        };
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem route", &e)),
        }
    }
}

/// What of a provider's a clinic's settings name, each with its setting.
fn routes_of(clinic: &Clinic) -> Vec<(&'static str, RouteKind, String)> {
    let mut routes = Vec::new();
    // Who has a gateway has no number at Meta: what stands there is nobody's.
    if clinic.gateway.is_none() {
        let number = clinic.whatsapp_phone_number_id.clone();
        routes.push(("whatsapp_phone_number_id", RouteKind::WhatsappNumber, number));
    }
    if let Some(account) = clinic.whatsapp_account_id.as_ref().filter(|_| clinic.gateway.is_none()) {
        routes.push(("whatsapp_account_id", RouteKind::WhatsappAccount, account.clone()));
    }
    if let Some(gateway) = &clinic.gateway {
        let kind = match gateway.kind {
            GatewayKind::Evolution => RouteKind::Evolution,
            GatewayKind::Waha => RouteKind::Waha,
        };
        routes.push(("whatsapp.instance", kind, gateway.instance.clone()));
    }
    // What is no number (a sender id, a pool) receives nothing.
    let digits = clinic.sms.as_ref().and_then(|sms| sms.origination.strip_prefix('+'));
    if let Some(digits) = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
        routes.push(("sms.origination", RouteKind::SmsNumber, digits.to_owned()));
    }
    routes
}
