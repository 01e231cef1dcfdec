//! A person agrees to be written to: known to the clinic or not, by a link that names nobody.

use retorno_cloud::CloudError;
use retorno_cloud::store::Agreement;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::contact::{EmailAddress, PersonName, Phone, UnusableEmail, UnusablePhone};

use super::preferences::ticked;
use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::request::Form;
use crate::view::{ConsentForm, Fault, agreed, consent};

/// The longest field that is read.
const FIELD_CHARS_MAX: usize = 200;

pub(crate) async fn answer(asked: &Asked<'_>) -> Result<PageAnswer, CloudError> {
    let shown = asked.shown();
    let wording = shown.say(&shown.texts.consent.wording);
    let page = |status, form: &ConsentForm, faults: &[Fault]| {
        PageAnswer::page(status, consent(&shown, offered(asked), &wording, form, faults))
    };
    if !asked.is_posted() {
        let done = asked.request.query().one("page") == "done";
        return Ok(if done { PageAnswer::page(200, agreed(&shown)) } else { page(200, &ConsentForm::default(), &[]) });
    }
    let form = written(asked, &asked.request.form());
    match read(asked, &form, &wording) {
        Ok(agreement) => {
            asked.desk.agree(&asked.link, &agreement).await?;
            Ok(asked.again_saying("done"))
        }
        Err(faults) => Ok(page(422, &form, &faults)),
    }
}

/// What can be agreed to without a browser at hand that is the person's.
fn offered(asked: &Asked<'_>) -> ChannelSet {
    asked.clinic.channels.without(Channel::Push)
}

fn written(asked: &Asked<'_>, form: &Form) -> ConsentForm {
    ConsentForm {
        name: form.cut("name", FIELD_CHARS_MAX),
        phone: form.cut("phone", FIELD_CHARS_MAX),
        email: form.cut("email", FIELD_CHARS_MAX),
        channels: ticked(form, "channel").and(offered(asked)),
    }
}

/// What was written, or everything that has to be corrected, in the order of the form.
fn read(asked: &Asked<'_>, form: &ConsentForm, wording: &str) -> Result<Agreement, Vec<Fault>> {
    let by_email = form.channels.contains(Channel::Email);
    let name = PersonName::parse(&form.name).ok().filter(|name| !name.given().is_empty()).ok_or(Fault::NameMissing);
    let phone = Phone::parse(&form.phone, asked.clinic.country).map_err(|why| match why {
        UnusablePhone::Missing => Fault::PhoneMissing,
        UnusablePhone::NotANumber | UnusablePhone::TooShort | UnusablePhone::TooLong | UnusablePhone::Invalid => {
            Fault::PhoneWrong
        }
    });
    let channels = if form.channels.is_empty() { Err(Fault::ChannelsMissing) } else { Ok(form.channels) };
    let email = match EmailAddress::parse(&form.email) {
        Ok(address) => Ok(by_email.then_some(address)),
        Err(_) if !by_email => Ok(None),
        Err(UnusableEmail::Missing) => Err(Fault::EmailMissing),
        Err(UnusableEmail::Malformed) => Err(Fault::EmailWrong),
    };
    match (name, phone, channels, email) {
        (Ok(name), Ok(phone), Ok(channels), Ok(email)) => {
            Ok(Agreement { name, phone: phone.e164, email, channels, wording: wording.to_owned(), at: asked.now })
        }
        (name, phone, channels, email) => {
            Err([name.err(), phone.err(), channels.err(), email.err()].into_iter().flatten().collect())
        }
    }
}
