//! Pick a slot.

use retorno_cloud::CloudError;
use retorno_cloud::desk::{Picked, Visitor};
use retorno_cloud::links::LinkPurpose;

use super::slots;
use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::view::Notice;

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    if asked.is_posted() {
        return post(asked, visitor).await;
    }
    if asked.request.is_opened_by_somebody() {
        asked.desk.clicked(visitor, asked.link.message).await?;
    }
    // Who has a visit booked sees it: it can be moved there, and nobody has two.
    if visitor.case().next_visit().is_some() {
        return Ok(PageAnswer::see(&asked.beside(LinkPurpose::Appointment)));
    }
    let looks_further = !asked.request.query().one("from").is_empty();
    match visitor.held_slot().await? {
        Some((slot, until)) if !looks_further => Ok(slots::show_held(asked, visitor, &slot, until)),
        Some(_) | None => slots::show(asked, visitor, Notice::Free, None).await,
    }
}

async fn post(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let form = asked.request.form();
    match form.one("do") {
        "book" => match slots::book(asked, visitor, &form, None).await? {
            Some(Picked::Booked | Picked::Otherwise) => Ok(PageAnswer::see(&asked.beside(LinkPurpose::Appointment))),
            Some(Picked::Taken) => slots::show(asked, visitor, Notice::Taken, None).await,
            None => Ok(asked.again()),
        },
        "wait" => slots::wait(asked, visitor, &form).await,
        _ => Ok(asked.again()),
    }
}
