//! Routes: which clinic something of a provider's belongs to. The only items that are found without a
//! clinic; they hold nothing but its id.

use aws_sdk_dynamodb::types::AttributeValue;
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
        let clinics = item.get("clinics").and_then(|clinics| clinics.as_ss().ok());
        let clinics = clinics.ok_or_else(|| reader.corrupt("clinics"))?.iter();
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
        let mut routes = Vec::new();
        // Who has a gateway has no number at Meta: what stands there is nobody's.
        if clinic.gateway.is_none() {
            let number = clinic.whatsapp_phone_number_id.clone();
            routes.push(("whatsapp_phone_number_id", RouteKind::WhatsappNumber, number));
        }
        if let Some(account) = &clinic.whatsapp_account_id {
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
        for (setting, kind, id) in routes {
            if !self.claim_route(kind, &id).await? {
                return Ok(Some(setting));
            }
        }
        Ok(None)
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
