//! What goes to a provider beside the text: addresses, header and tag values, parameters.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDate};
use retorno_cloud::channels::{Dispatch, email_headers, email_tags, opaque_id, whatsapp_request};
use retorno_cloud::links::{Link, LinkPurpose, Links};
use retorno_cloud::secrets::SecretKey;
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::contact::{EmailAddress, Phone};
use retorno_domain::holiday::Country;
use retorno_domain::ids::{MessageId, StepId};
use retorno_domain::message::{ClearedMessage, Intent};
use retorno_domain::patient::Address;
use retorno_domain::template::{Template, TemplateChannel, Values, Variable};

use super::message_value::check_parameter;
use crate::clinic::clinic;
use crate::pieces::Pieces;

/// A byte for the channel, one for the copy, the attempt, the message's number, the address, then
/// values in the order of the variables.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let channel = pieces.one_of(&[Channel::Whatsapp, Channel::Email]);
    let template = template(channel, usize::from(pieces.byte()));
    let attempt = u32::from_be_bytes(pieces.bytes());
    let message = MessageId::parse(&format!("{:032x}", u128::from_be_bytes(pieces.bytes()))).expect("a number");
    let Some(message) = cleared(channel, template, message, &mut pieces) else { return };
    let link =
        Link { clinic: clinic().id.clone(), message: message.intent().message, purpose: LinkPurpose::Unsubscribe };
    let unsubscribe_url = links().url(&link, DateTime::UNIX_EPOCH);
    let name = template.whatsapp_name();
    let dispatch = Dispatch {
        clinic: clinic(),
        message: &message,
        attempt,
        template_name: &name,
        language: template.language,
        unsubscribe_url: &unsubscribe_url,
        book_url: &unsubscribe_url,
        topic: "t",
        at: DateTime::UNIX_EPOCH,
    };
    match channel {
        Channel::Email => check_email(&dispatch),
        Channel::Whatsapp | Channel::Sms | Channel::Call | Channel::Push => check_whatsapp(&dispatch),
    }
}

fn template(channel: Channel, at: usize) -> &'static Template {
    let wanted = if channel == Channel::Email { TemplateChannel::Email } else { TemplateChannel::Whatsapp };
    let all: Vec<&Template> = Catalogue::embedded().templates().iter().filter(|t| t.channel == wanted).collect();
    all.get(at % all.len()).copied().expect("a copy of each channel")
}

fn links() -> &'static Links {
    static LINKS: OnceLock<Links> = OnceLock::new();
    LINKS.get_or_init(|| Links::new("https://citas.example", 1, SecretKey::new([7; 32]).expect("long enough")))
}

/// A message with whatever the bytes say in it, if the address is one and nothing is missing.
fn cleared(
    channel: Channel,
    template: &Template,
    message: MessageId,
    pieces: &mut Pieces<'_>,
) -> Option<ClearedMessage> {
    let address = pieces.text();
    let (phone, email) = (Phone::parse(&address, Country::Ar), EmailAddress::parse(&address));
    let to = match channel {
        Channel::Email => Address::Email(email.as_ref().ok()?),
        Channel::Whatsapp | Channel::Sms | Channel::Call | Channel::Push => Address::Phone(phone.as_ref().ok()?),
    };
    let mut values = Values::default();
    for variable in Variable::ALL {
        values.set(variable, if pieces.is_empty() { "algo".into() } else { pieces.text() });
    }
    let rendered = template.render(&values).ok()?;
    let on = NaiveDate::default();
    let consent = Consent::from_statements(vec![Statement::of_all(on, Wish::OptIn(ChannelSet::ALL), Source::Import)]);
    let purpose = Purpose::Marketing;
    let proof = consent.prove(channel, purpose, on).expect("an agreement to everything");
    let intent = Intent {
        message,
        step: 0,
        step_id: StepId::parse("d1").expect("an id"),
        channel,
        purpose,
        template: template.key.clone(),
        claim_before: DateTime::UNIX_EPOCH,
        places: None,
    };
    Some(ClearedMessage::new(intent, proof, to, rendered).expect("the proof is for this"))
}

/// Nothing that would end a header or begin another; tags of the letters SES takes, at most 256.
fn check_email(dispatch: &Dispatch<'_>) {
    let to = dispatch.message.to();
    assert!(
        to.bytes().all(|byte| byte.is_ascii_graphic()) && !to.contains(['<', '>', ',', ';']),
        "more than an address"
    );
    for (name, value) in email_headers(dispatch) {
        assert!(name.len() + value.len() <= 900, "a line too long to travel");
        assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "a line break or worse in {name}");
    }
    for (name, value) in email_tags(dispatch) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        assert!((1..=256).contains(&value.len()) && name.bytes().chain(value.bytes()).all(allowed), "{name}={value}");
    }
    let subject = dispatch.message.rendered().subject.as_deref().expect("a subject");
    assert!(!subject.is_empty() && !subject.contains(char::is_control));
}

fn check_whatsapp(dispatch: &Dispatch<'_>) {
    let opaque_id = opaque_id(&SecretKey::new([9; 32]).expect("long enough"), dispatch);
    assert!(opaque_id.len() <= 107 && opaque_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')));
    let request = whatsapp_request(dispatch, &opaque_id);
    let text = |pointer: &str| request.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default();
    assert!((8..=15).contains(&text("/to").len()) && text("/to").bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(text("/template/name"), dispatch.template_name);
    assert_eq!(text("/biz_opaque_callback_data"), opaque_id);
    let components = request.pointer("/template/components").and_then(|value| value.as_array()).expect("components");
    for component in components {
        for parameter in component.get("parameters").and_then(|value| value.as_array()).expect("parameters") {
            let value = parameter.get("text").or_else(|| parameter.get("payload")).and_then(|value| value.as_str());
            check_parameter(value.expect("a text"));
        }
    }
}
