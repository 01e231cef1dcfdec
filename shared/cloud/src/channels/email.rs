//! E-mail through SES v2: simple content with the one-click unsubscribe headers of RFC 8058, tags
//! that come back with each event, and a configuration set.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::TimeDelta;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};

use super::Dispatch;
use crate::error::CloudError;

/// What the e-mail channel is set up with.
#[derive(Debug, Clone)]
pub struct EmailSettings {
    /// The SES configuration set, through which events are published.
    pub configuration_set: String,
}

/// A client of SES.
#[derive(Debug, Clone)]
pub struct EmailChannel {
    client: Client,
    settings: EmailSettings,
}

fn text(data: &str) -> Result<Content, CloudError> {
    let content = Content::builder().data(data).charset("UTF-8").build();
    content.map_err(|_| CloudError::Setup("the content of an e-mail".to_owned()))
}

fn header(name: &str, value: &str) -> Result<MessageHeader, CloudError> {
    let header = MessageHeader::builder().name(name).value(value).build();
    header.map_err(|_| CloudError::Setup("a header of an e-mail".to_owned()))
}

fn tag(name: &str, value: &str) -> Result<MessageTag, CloudError> {
    let tag = MessageTag::builder().name(name).value(value).build();
    tag.map_err(|_| CloudError::Setup("a tag of an e-mail".to_owned()))
}

impl EmailChannel {
    /// Over a client whose own retries are off (see [`crate::aws::ses`]).
    #[must_use]
    pub fn new(client: Client, settings: EmailSettings) -> Self {
        Self { client, settings }
    }

    pub(super) async fn send(&self, dispatch: &Dispatch<'_>) -> Outcome {
        // What cannot be built was not sent, and will not be the next time either.
        let Ok(content) = content(dispatch) else {
            return Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None };
        };
        let Ok(tags) = tags(dispatch) else {
            return Outcome::Refused { code: "tags".to_owned(), news: RecipientNews::None };
        };
        let call = self
            .client
            .send_email()
            .from_email_address(&dispatch.clinic.email_from)
            .destination(Destination::builder().to_addresses(dispatch.message.to()).build())
            .content(content)
            .set_email_tags(Some(tags))
            .configuration_set_name(&self.settings.configuration_set);
        match call.send().await {
            Ok(answer) => match answer.message_id {
                Some(provider_id) => Outcome::Accepted { provider_id },
                None => Outcome::Ambiguous { code: "no_message_id".to_owned() },
            },
            Err(error) => outcome_of(&error),
        }
    }
}

/// The headers by which a mail program offers to unsubscribe with one click (RFC 8058).
#[must_use]
pub fn email_headers(dispatch: &Dispatch<'_>) -> [(&'static str, String); 2] {
    [
        ("List-Unsubscribe", format!("<{}>", dispatch.unsubscribe_url)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
    ]
}

/// The tags by which events are matched to the message: `m`, `t`, `a`.
#[must_use]
pub fn email_tags(dispatch: &Dispatch<'_>) -> [(&'static str, String); 3] {
    [
        ("m", dispatch.message.intent().message.to_string()),
        ("t", dispatch.clinic.id.to_string()),
        ("a", dispatch.attempt.to_string()),
    ]
}

fn content(dispatch: &Dispatch<'_>) -> Result<EmailContent, CloudError> {
    let rendered = dispatch.message.rendered();
    let mut body = Body::builder().text(text(&rendered.text)?);
    if let Some(html) = &rendered.html {
        body = body.html(text(html)?);
    }
    let headers: Vec<MessageHeader> =
        email_headers(dispatch).iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?;
    let message = Message::builder()
        .subject(text(rendered.subject.as_deref().unwrap_or(""))?)
        .body(body.build())
        .set_headers(Some(headers));
    Ok(EmailContent::builder().simple(message.build()).build())
}

fn tags(dispatch: &Dispatch<'_>) -> Result<Vec<MessageTag>, CloudError> {
    email_tags(dispatch).iter().map(|(name, value)| tag(name, value)).collect()
}

/// Sorts a failed call (SES v2 SendEmail, errors of the service model).
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK may add kinds of failure; none proves anything")]
fn outcome_of<R>(error: &SdkError<SendEmailError, R>) -> Outcome {
    match error {
        SdkError::ConstructionFailure(_) => Outcome::Refused { code: "request".to_owned(), news: RecipientNews::None },
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or("unknown").to_owned();
            let channel = Some(BreakerScope::Channel);
            match code.as_str() {
                "TooManyRequestsException" => Outcome::NotSent { code, again_in: TimeDelta::minutes(2), breaker: None },
                "LimitExceededException" => Outcome::NotSent { code, again_in: TimeDelta::hours(1), breaker: channel },
                "MailFromDomainNotVerifiedException" | "AccountSuspendedException" | "SendingPausedException" => {
                    Outcome::NotSent { code, again_in: TimeDelta::hours(1), breaker: channel }
                }
                "MessageRejected" | "BadRequestException" | "NotFoundException" => {
                    Outcome::Refused { code, news: RecipientNews::None }
                }
                _ => Outcome::Ambiguous { code },
            }
        }
        SdkError::TimeoutError(_) => Outcome::Ambiguous { code: "timeout".to_owned() },
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            Outcome::Refused { code: "request".to_owned(), news: RecipientNews::None }
        }
        // Broken before or after the request was written: nobody can tell.
        _ => Outcome::Ambiguous { code: "connection".to_owned() },
    }
}
