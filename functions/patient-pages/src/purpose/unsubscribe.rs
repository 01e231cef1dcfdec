//! No more marketing, by any channel, and no more of what the message of the link was for; other reminders
//! go on, and the page of preferences stops those too.
//! Opening the link does nothing; any POST to it is heard, as mail programs send
//! one without showing a page (RFC 8058).

use retorno_cloud::CloudError;
use retorno_cloud::desk::Visitor;
use retorno_cloud::links::LinkPurpose;
use retorno_domain::channel::PurposeSet;

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::view::{unsubscribe, unsubscribed};

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let (shown, preferences) = (asked.shown(), asked.beside(LinkPurpose::Preferences));
    let left = visitor.left_by(asked.link.message);
    let of_all = left == PurposeSet::ALL;
    if asked.is_posted() {
        let one_click = asked.request.is_one_click();
        let how = if one_click { "one click in the mail program" } else { "page of unsubscribing" };
        asked.desk.opt_out(visitor, asked.link.message, how).await?;
        if one_click {
            return Ok(PageAnswer::text(""));
        }
        return Ok(PageAnswer::page(200, unsubscribed(&shown, &preferences, of_all)));
    }
    let today = asked.clinic.date(asked.now);
    let out = visitor.patient().consent.opted_out(today);
    let page = match left.iter().all(|purpose| out.contains(purpose)) {
        true => unsubscribed(&shown, &preferences, of_all),
        false => unsubscribe(&shown, &preferences, of_all),
    };
    Ok(PageAnswer::page(200, page))
}
