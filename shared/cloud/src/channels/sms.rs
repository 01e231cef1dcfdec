//! Text messages through AWS End User Messaging (`SendTextMessage`). It takes no token against
//! sending twice, so the SDK's own retries are off; its context comes back with each event.

use aws_sdk_pinpointsmsvoicev2::Client;
use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageError;
use aws_sdk_pinpointsmsvoicev2::types::MessageType;
use aws_smithy_runtime_api::client::result::SdkError;
use chrono::TimeDelta;
use retorno_domain::channel::Purpose;
use retorno_domain::clinic::Clinic;
use retorno_domain::lint::sms_text;
use retorno_domain::message::{Outcome, RecipientNews};

use super::sms_errors::outcome_of_service;
use super::{Dispatch, ReplyDispatch, email_tags, reply_context};

/// Characters of a message (service model).
pub const SMS_CHARS_MAX: usize = 1600;

/// What the channel is set up with.
#[derive(Debug, Clone)]
pub struct SmsSettings {
    /// The configuration set, through which events are published.
    pub configuration_set: String,
    /// How long the networks may keep trying, in seconds (5 to 259 200): a text that was written for
    /// the contact hours should not arrive in the night.
    pub time_to_live_seconds: i32,
}

/// The time to live where none is set: four hours.
pub const SMS_TIME_TO_LIVE_SECONDS: i32 = 4 * 60 * 60;

/// A client of AWS End User Messaging SMS.
#[derive(Debug, Clone)]
pub struct SmsChannel {
    client: Client,
    settings: SmsSettings,
}

/// One call.
struct Text<'a> {
    clinic: &'a Clinic,
    to: &'a str,
    body: String,
    purpose: Purpose,
    context: Vec<(&'static str, String)>,
}

impl SmsChannel {
    /// Over a client whose own retries are off (see [`crate::aws::sms`]).
    #[must_use]
    pub fn new(client: Client, settings: SmsSettings) -> Self {
        Self { client, settings }
    }

    pub(super) async fn send(&self, dispatch: &Dispatch<'_>) -> Outcome {
        let text = Text {
            clinic: dispatch.clinic,
            to: dispatch.message.to(),
            body: sms_body(dispatch),
            purpose: dispatch.message.intent().purpose,
            context: email_tags(dispatch).to_vec(),
        };
        self.call(text).await
    }

    pub(super) async fn reply(&self, reply: &ReplyDispatch<'_>) -> Outcome {
        let text = Text {
            clinic: reply.clinic,
            to: reply.to,
            body: sms_text(&reply.plain_text()),
            purpose: Purpose::Care,
            context: reply_context(reply),
        };
        self.call(text).await
    }

    async fn call(&self, text: Text<'_>) -> Outcome {
        let Some(sender) = &text.clinic.sms else { return super::no_provider() };
        if text.body.trim().is_empty() || text.body.chars().count() > SMS_CHARS_MAX {
            return Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None };
        }
        let context = text.context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let call = self
            .client
            .send_text_message()
            .destination_phone_number(text.to)
            .origination_identity(&sender.origination)
            .message_body(text.body)
            .message_type(message_type(text.purpose))
            .configuration_set_name(&self.settings.configuration_set)
            .set_max_price(sender.price_max_micros.map(dollars))
            .time_to_live(self.settings.time_to_live_seconds)
            .set_context(Some(context));
        match call.send().await {
            Ok(answer) => match answer.message_id {
                Some(provider_id) => Outcome::Accepted { provider_id },
                None => Outcome::Ambiguous { code: "no_message_id".to_owned() },
            },
            Err(error) => outcome_of(&error),
        }
    }
}

/// The text of a step as it is sent, with the letters that cost least. A marketing message always
/// has the link that ends all messages: in several countries nobody can answer a text message.
#[must_use]
pub fn sms_body(dispatch: &Dispatch<'_>) -> String {
    let text = sms_text(&dispatch.message.rendered().text);
    let is_marketing = dispatch.message.intent().purpose == Purpose::Marketing;
    if !is_marketing || text.contains(dispatch.unsubscribe_url) {
        return text;
    }
    format!("{} {}", text.trim_end(), dispatch.unsubscribe_url)
}

fn message_type(purpose: Purpose) -> MessageType {
    match purpose {
        Purpose::Marketing => MessageType::Promotional,
        Purpose::Care => MessageType::Transactional,
    }
}

/// A price as the service reads it: at most five decimals.
fn dollars(micros: u64) -> String {
    format!("{}.{:05}", micros / 1_000_000, micros % 1_000_000 / 10)
}

/// Sorts a failed call. What broke before an answer came may have been sent.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK may add kinds of failure; none proves anything")]
fn outcome_of<R>(error: &SdkError<SendTextMessageError, R>) -> Outcome {
    let our_mistake = || Outcome::Refused { code: "request".to_owned(), news: RecipientNews::None };
    match error {
        SdkError::ConstructionFailure(_) => our_mistake(),
        SdkError::ServiceError(context) => outcome_of_service(context.err()),
        SdkError::TimeoutError(_) => Outcome::Ambiguous { code: "timeout".to_owned() },
        SdkError::DispatchFailure(failure) if failure.is_user() => our_mistake(),
        _ => Outcome::Ambiguous { code: "connection".to_owned() },
    }
}

/// How long a trouble of the account or the sender is waited for before it is tried again.
pub(super) const ACCOUNT_AGAIN_IN: TimeDelta = TimeDelta::hours(1);

#[cfg(test)]
mod tests;
