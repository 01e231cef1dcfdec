//! Notifications in the browser that opened the link: asked for and ended on the same page.

use retorno_cloud::CloudError;
use retorno_cloud::channels::push::PushSubscription;
use retorno_cloud::desk::{Subscribed, Visitor};
use retorno_cloud::links::LinkPurpose;

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::request::Form;
use crate::view::{PushNote, PushView};

/// What the page offers; nothing where no browser would ever be told.
pub(crate) fn view(asked: &Asked<'_>, visitor: &Visitor) -> Option<PushView> {
    let many = visitor.browsers().count();
    let is_on = visitor.is_notified();
    let may_ask = asked.clinic.notifies_browsers()
        && !visitor.open_purposes().is_empty()
        && visitor.patient().through(visitor.today()).holder().is_some();
    let key = asked.push_key.filter(|_| may_ask).map(str::to_owned);
    if key.is_none() && !is_on {
        return None;
    }
    let note = match asked.request.query().one("page") {
        "push-on" if is_on => Some(PushNote::On),
        "push-off" if !is_on => Some(PushNote::Off),
        "push-failed" => Some(PushNote::Failed),
        _ => None,
    };
    Some(PushView { key, browsers: if is_on { many } else { 0 }, note, seen: visitor.seen().to_string() })
}

/// Does what a form of it asks for; nothing if it is another form.
pub(crate) async fn post(asked: &Asked<'_>, visitor: &Visitor, form: &Form) -> Result<Option<PageAnswer>, CloudError> {
    let where_said = match asked.link.purpose {
        LinkPurpose::Preferences => "page of preferences",
        LinkPurpose::Appointment => "page of the appointment",
        LinkPurpose::Book | LinkPurpose::Survey | LinkPurpose::Unsubscribe | LinkPurpose::Consent => return Ok(None),
    };
    let opened = asked.opened(form, visitor);
    let said = match form.one("do") {
        "push-on" => {
            let given = PushSubscription::from_json(form.one("subscription"));
            let (Ok(given), Some(key)) = (given, asked.push_key.filter(|_| asked.clinic.notifies_browsers())) else {
                return Ok(Some(asked.again_saying("push-failed")));
            };
            let shown = asked.shown();
            let how = format!("{where_said}: {}", shown.say(&shown.texts.push.wording));
            match asked.desk.subscribe(visitor, opened, (&given, key), &how).await? {
                Subscribed::Done => "push-on",
                Subscribed::OptedOut | Subscribed::Nobody => "push-failed",
            }
        }
        "push-off" => {
            asked.desk.unsubscribe(visitor, opened, where_said).await?;
            "push-off"
        }
        _ => return Ok(None),
    };
    Ok(Some(asked.again_saying(said)))
}
