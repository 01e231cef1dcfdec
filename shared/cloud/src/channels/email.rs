//! E-mail through SES v2: simple content with the one-click unsubscribe headers of RFC 8058, tags
//! that come back with each event, and a configuration set.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Attachment as SesAttachment, AttachmentContentDisposition, AttachmentContentTransferEncoding, Body, Content,
    Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::Blob;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::TimeDelta;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};

use super::{Attachment, Dispatch, ReplyDispatch, reply_context};
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
        self.call(&dispatch.clinic.email_from, dispatch.message.to(), content, tags).await
    }

    pub(super) async fn reply(&self, reply: &ReplyDispatch<'_>) -> Outcome {
        match (reply_content(reply), reply_tags(reply)) {
            (Ok(content), Ok(tags)) => self.call(&reply.clinic.email_from, reply.to, content, tags).await,
            (Err(_), _) | (_, Err(_)) => Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None },
        }
    }

    async fn call(&self, from: &str, to: &str, content: EmailContent, tags: Vec<MessageTag>) -> Outcome {
        let call = self
            .client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(to).build())
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

/// A reply: the text with its buttons as numbered lines, and its file. No unsubscribe headers: it
/// answers what the person asked for.
fn reply_content(reply: &ReplyDispatch<'_>) -> Result<EmailContent, CloudError> {
    let mut body = Body::builder().text(text(&reply.plain_text())?);
    if let Some(html) = reply.html {
        body = body.html(text(html)?);
    }
    let subject = reply.subject.unwrap_or(&reply.clinic.name);
    let mut message = Message::builder().subject(text(subject)?).body(body.build());
    if let Some(file) = &reply.attachment {
        message = message.attachments(attachment(file)?);
    }
    Ok(EmailContent::builder().simple(message.build()).build())
}

fn attachment(file: &Attachment<'_>) -> Result<SesAttachment, CloudError> {
    let attachment = SesAttachment::builder()
        .raw_content(Blob::new(file.bytes))
        .file_name(file.file_name)
        .content_type(file.content_type)
        .content_disposition(AttachmentContentDisposition::Attachment)
        .content_transfer_encoding(AttachmentContentTransferEncoding::Base64);
    attachment.build().map_err(|_| CloudError::Setup("an attachment of an e-mail".to_owned()))
}

/// The tags of a reply: those of [`email_tags`], read back from its opaque id.
fn reply_tags(reply: &ReplyDispatch<'_>) -> Result<Vec<MessageTag>, CloudError> {
    reply_context(reply).iter().map(|(name, value)| tag(name, value)).collect()
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
