//! What people wrote into a clinic's page of consent, with the words they agreed to, for staff: the
//! person may not be the clinic's patient yet.

use chrono::{DateTime, Utc};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::contact::{E164, EmailAddress, PersonName};

use super::TenantStore;
use super::item::{Reader, ms, s};
use super::key::{Key, Keys};
use crate::error::{CloudError, sort};

/// An agreement. Its Debug shows nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Who says so.
    pub name: PersonName,
    /// The phone given.
    pub phone: E164,
    /// The address given, where e-mail was chosen.
    pub email: Option<EmailAddress>,
    /// The channels chosen.
    pub channels: ChannelSet,
    /// The words agreed to.
    pub wording: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Agreement {
    /// The same for the same agreement sent twice: who, and to what. Personal: only its hash is kept.
    pub(crate) fn event(&self) -> String {
        let email = self.email.as_ref().map_or("", EmailAddress::as_str);
        let channels: Vec<&str> = self.channels.iter().map(Channel::code).collect();
        [self.phone.as_str(), self.name.as_str(), email, &channels.join(","), &self.wording].join("\u{1f}")
    }
}

impl TenantStore {
    /// Keeps an agreement; the same one sent again keeps its first instant.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_agreement(&self, agreement: &Agreement) -> Result<(), CloudError> {
        let key = Key { pk: Keys(&self.clinic).agreements_pk(), sk: self.hash(&agreement.event()) };
        let mut item = key.item();
        let channels: Vec<String> = agreement.channels.iter().map(|channel| channel.code().to_owned()).collect();
        let fields = [
            ("name", s(agreement.name.as_str())),
            ("phone", s(agreement.phone.as_str())),
            ("channels", s(channels.join(","))),
            ("wording", s(agreement.wording.clone())),
            ("at", ms(agreement.at)),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        if let Some(email) = &agreement.email {
            item.insert("email".to_owned(), s(email.as_str()));
        }
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("PutItem agreement", &e)),
        }
    }

    /// All agreements, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn agreements(&self) -> Result<Vec<Agreement>, CloudError> {
        let mut found = Vec::new();
        for item in self.query_partition(Keys(&self.clinic).agreements_pk(), None).await? {
            let reader = Reader { kind: "agreement", item: &item };
            let email = match reader.text_opt("email") {
                Some(text) => Some(EmailAddress::parse(text).map_err(|_| reader.corrupt("email"))?),
                None => None,
            };
            let channels = reader.text("channels")?.split(',').map(str::parse::<Channel>);
            found.push(Agreement {
                name: reader.parse("name", |text| PersonName::parse(text).ok())?,
                phone: reader.parse("phone", |text| E164::parse_strict(text).ok())?,
                email,
                channels: channels.collect::<Result<_, _>>().map_err(|()| reader.corrupt("channels"))?,
                wording: reader.text("wording")?.to_owned(),
                at: reader.instant("at")?,
            });
        }
        found.sort_by_key(|agreement| agreement.at);
        Ok(found)
    }
}
