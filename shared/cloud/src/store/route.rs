//! Routes: which clinic something of a provider's belongs to. The only items that are found without a
//! clinic; they hold nothing but its id.

use aws_sdk_dynamodb::types::AttributeValue;
use retorno_domain::ids::ClinicId;

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
    /// The clinic that something of a provider's belongs to. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn clinic_of(&self, kind: RouteKind, id: &str) -> Result<Option<ClinicId>, CloudError> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(key(kind, id))).consistent_read(true);
        let Some(item) = call.send().await.map_err(|e| sort("GetItem route", &e))?.item else { return Ok(None) };
        let reader = Reader { kind: "route", item: &item };
        reader.parse("clinic", |text| ClinicId::parse(text).ok()).map(Some)
    }
}

impl TenantStore {
    /// Makes something of a provider's the clinic's; says whether it is. It is not when it is
    /// another's: nothing is taken from anybody.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn claim_route(&self, kind: RouteKind, id: &str) -> Result<bool, CloudError> {
        let mut item = key(kind, id);
        item.insert("clinic".to_owned(), s(self.clinic.as_str()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR clinic = :c")
            .expression_attribute_values(":c", s(self.clinic.as_str()));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem route", &e)),
        }
    }
}
