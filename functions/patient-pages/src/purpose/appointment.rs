//! See an appointment, confirm it, call it off, move it, take it into a calendar.

use chrono::TimeDelta;
use retorno_cloud::CloudError;
use retorno_cloud::desk::{Picked, Visitor};
use retorno_cloud::links::LinkPurpose;
use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::calendar::local_time;
use retorno_domain::ics::{CalendarEntry, Method, uid};
use retorno_domain::ids::AppointmentId;

use super::slots;
use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::texts::fill;
use crate::view::{Notice, Standing, Trouble, VisitView, ask_cancel, visit};

/// An appointment is confirmed when it is so near.
const NEAR: TimeDelta = TimeDelta::days(4);
/// One that is over is shown for so long.
const SHOWN_AFTER: TimeDelta = TimeDelta::days(30);

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    if asked.is_posted() {
        return post(asked, visitor).await;
    }
    let shown = asked.shown();
    let book = asked.beside(LinkPurpose::Book);
    let Some(of) = looked_at(visitor) else { return Ok(PageAnswer::page(200, visit(&shown, None, &book))) };
    let query = asked.request.query();
    match query.one("page") {
        "move" if of.is_open(asked.now) => slots::show(asked, visitor, moves(asked, of), Some(&of.id)).await,
        "cancel" if of.is_open(asked.now) => {
            Ok(PageAnswer::page(200, ask_cancel(&shown, &view(asked, visitor, of).await?)))
        }
        _ => {
            let view = view(asked, visitor, of).await?;
            let is_scripted = view.push.as_ref().is_some_and(|push| push.key.is_some());
            Ok(PageAnswer::page(200, visit(&shown, Some(&view), &book)).with_script(is_scripted))
        }
    }
}

async fn post(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let form = asked.request.form();
    if let Some(answer) = super::push::post(asked, visitor, &form).await? {
        return Ok(answer);
    }
    // The form names the visit: sent again, it never means the next one.
    let named = AppointmentId::parse(form.one("visit")).ok();
    let opened = asked.opened(&form, visitor);
    match (form.one("do"), &named) {
        ("confirm", Some(visit)) => asked.desk.confirm(visitor, opened, visit).await?,
        ("cancel", Some(visit)) => asked.desk.cancel(visitor, opened, visit).await?,
        ("book", Some(visit)) => {
            let picked = slots::book(asked, visitor, &form, Some(visit)).await?;
            if picked == Some(Picked::Taken) {
                return slots::show(asked, visitor, Notice::Taken, Some(visit)).await;
            }
        }
        ("wait", _) => return slots::wait(asked, visitor, &form).await,
        _ => {}
    }
    Ok(asked.again())
}

/// The appointment as a file for calendars.
pub(crate) async fn calendar(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let Some(of) = looked_at(visitor).filter(|of| of.is_open(asked.now)) else {
        return Ok(asked.trouble(Trouble::Unused));
    };
    let booking = visitor.tenant.booking_of_visit(of.start, &of.id).await?;
    let texts = &asked.shown().texts.visit;
    let shown = asked.shown();
    let link = fill(&texts.calendar_text, &[("url", &asked.address(LinkPurpose::Appointment))]);
    let contact = fill(&shown.texts.frame.contact, &[("contact", &asked.clinic.contact)]);
    let entry = CalendarEntry {
        // By the number under which it was booked, whatever number the clinic's system gave it since.
        uid: uid(booking.as_ref().map_or(&of.id, |booking| &booking.id).as_str(), &asked.clinic.id),
        sequence: booking.as_ref().map_or(0, |booking| booking.sequence),
        stamp: asked.now,
        start: of.start,
        minutes: booking.map_or(0, |booking| booking.minutes),
        summary: shown.say(&texts.calendar_title),
        location: asked.clinic.name.clone(),
        description: format!("{link}\n{contact}"),
        invitation: None,
    };
    Ok(PageAnswer::calendar(Method::Publish.media_type(), "cita.ics", entry.file(Method::Publish)))
}

/// The next visit; when there is none, the one about which something was heard last.
fn looked_at(visitor: &Visitor) -> Option<&Appointment> {
    let visits = || visitor.patient().appointments.iter();
    let next = visits().filter(|visit| visit.is_open(visitor.now)).min_by_key(|visit| visit.start);
    let last = || visits().filter(|visit| visit.start > visitor.now - SHOWN_AFTER).max_by_key(|visit| visit.as_of);
    next.or_else(last)
}

fn standing(asked: &Asked<'_>, of: &Appointment) -> Standing {
    match of.status {
        AppointmentStatus::Cancelled => Standing::Cancelled,
        AppointmentStatus::Booked if of.start > asked.now => Standing::Booked,
        AppointmentStatus::Confirmed if of.start > asked.now => Standing::Confirmed,
        AppointmentStatus::Booked
        | AppointmentStatus::Confirmed
        | AppointmentStatus::Completed
        | AppointmentStatus::NoShow => Standing::Past,
    }
}

fn moves(asked: &Asked<'_>, of: &Appointment) -> Notice {
    Notice::Move { when: asked.clinic.language.spoken_slot(local_time(of.start, asked.clinic.zone)) }
}

async fn view(asked: &Asked<'_>, visitor: &Visitor, of: &Appointment) -> Result<VisitView, CloudError> {
    let booking = visitor.tenant.booking_of_visit(of.start, &of.id).await?;
    let local = local_time(of.start, asked.clinic.zone);
    let language = asked.clinic.language;
    let named = asked.clinic.clinical_detail && !of.service.is_empty();
    Ok(VisitView {
        id: of.id.to_string(),
        standing: standing(asked, of),
        day: language.spoken_date(local.date()),
        time: language.spoken_time(local.time()),
        minutes: booking.map_or(0, |booking| booking.minutes),
        professional: of.professional.to_string(),
        service: named.then(|| of.service.to_string()),
        is_near: of.start - asked.now <= NEAR,
        place: slots::place(asked, visitor, of.start),
        seen: visitor.seen().to_string(),
        book: asked.beside(LinkPurpose::Book),
        push: super::push::view(asked, visitor),
    })
}
