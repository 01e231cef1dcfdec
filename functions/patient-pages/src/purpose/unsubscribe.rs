//! No more marketing, by any channel; reminders go on, and the page of preferences stops those too.
//! Opening the link does nothing; any POST to it is heard, as mail programs send
//! one without showing a page (RFC 8058).

use retorno_cloud::CloudError;
use retorno_cloud::desk::Visitor;
use retorno_cloud::links::LinkPurpose;
use retorno_domain::channel::Purpose;

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::view::{unsubscribe, unsubscribed};

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let (shown, preferences) = (asked.shown(), asked.beside(LinkPurpose::Preferences));
    if asked.is_posted() {
        let one_click = asked.request.is_one_click();
        let how = if one_click { "one click in the mail program" } else { "page of unsubscribing" };
        asked.desk.opt_out(visitor, asked.link.message, how).await?;
        if one_click {
            return Ok(PageAnswer::text(""));
        }
        return Ok(PageAnswer::page(200, unsubscribed(&shown, &preferences)));
    }
    let today = asked.clinic.date(asked.now);
    let is_out = visitor.patient().consent.is_opted_out(Purpose::Marketing, today);
    let page = if is_out { unsubscribed(&shown, &preferences) } else { unsubscribe(&shown, &preferences) };
    Ok(PageAnswer::page(200, page))
}
