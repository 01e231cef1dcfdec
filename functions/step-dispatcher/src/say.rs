//! Saying an answer: one that an event of the patient's asked for, or staff's own words. The same
//! order of things as for a message of a sequence: look, claim, call once, record.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::channels::{ReplyButton, ReplyDispatch};
use retorno_cloud::desk::{Desk, Visitor};
use retorno_cloud::links::{Link, LinkPurpose};
use retorno_cloud::orders::say_order;
use retorno_cloud::store::{AnswerClaim, SETTINGS_STALE_MAX, StoredAnswer};
use retorno_domain::answers::Answers;
use retorno_domain::calendar::local_date;
use retorno_domain::channel::Channel;
use retorno_domain::conversation::Say;
use retorno_domain::guard;
use retorno_domain::ics::{CalendarEntry, Method, uid};
use retorno_domain::ids::{AppointmentId, ClinicId, MessageId, PatientId};
use retorno_domain::message::{Delivery, Outcome};
use retorno_domain::template::{Values, Variable};

use crate::dispatch::{Dispatcher, Done};

/// While the clinic or a channel is halted an answer is looked at again on these marks of the clock.
const HALTED_MARK_SECONDS: i64 = 20 * 60;

/// The next mark that a schedule can be asked for (the queue takes what is nearer): on a mark, so that
/// all who find the clinic halted ask for one and the same wake-up.
pub(crate) fn next_mark(now: DateTime<Utc>) -> DateTime<Utc> {
    let soonest = now.timestamp() + 16 * 60;
    let mark = (soonest.div_euclid(HALTED_MARK_SECONDS) + 1) * HALTED_MARK_SECONDS;
    DateTime::from_timestamp(mark, 0).unwrap_or(now)
}

/// What is to become of an answer now.
enum Now {
    /// Before an instant, if there is one: the end of contact hours or of the window.
    Say {
        to: String,
        contact: String,
        before: Option<DateTime<Utc>>,
    },
    Wait(DateTime<Utc>),
    Drop(&'static str),
}

/// An answer as it goes out.
struct Spoken {
    text: String,
    titles: Vec<String>,
    subject: String,
    calendar: Option<String>,
}

impl Dispatcher {
    /// Says an answer, if it may still be said.
    pub(crate) async fn say(&self, clinic: &ClinicId, patient: &PatientId, id: MessageId) -> Result<Done, CloudError> {
        let tenant = self.reach.store.of(clinic);
        let Some(visitor) = Desk::new(self.reach.clone()).visit(&tenant, patient).await? else {
            return Ok(Done::Nothing);
        };
        let Some(stored) = visitor.collection.answers.iter().find(|stored| stored.answer.id == id) else {
            return Ok(Done::Nothing);
        };
        if !matches!(stored.delivery, Delivery::Ready { .. }) {
            return Ok(Done::Nothing);
        }
        match self.look(&visitor, stored).await? {
            Now::Say { to, contact, before } => match self.spoken(&visitor, stored).await? {
                Some(spoken) => self.speak(&visitor, stored, (&to, &contact, before), &spoken).await,
                None => self.give_up(&visitor, stored, "unfilled").await,
            },
            Now::Wait(until) => self.again(&visitor, stored, until).await,
            Now::Drop(reason) => self.give_up(&visitor, stored, reason).await,
        }
    }

    async fn again(&self, visitor: &Visitor, stored: &StoredAnswer, at: DateTime<Utc>) -> Result<Done, CloudError> {
        let order = say_order(visitor.tenant.clinic(), &visitor.patient().id, stored.answer.id);
        self.reach.orders.wake(&order, stored.attempts, visitor.now, at).await?;
        Ok(Done::Decided)
    }

    async fn give_up(&self, visitor: &Visitor, stored: &StoredAnswer, why: &'static str) -> Result<Done, CloudError> {
        visitor.tenant.drop_answer(&visitor.patient().id, stored.answer.id, why).await?;
        Ok(Done::Decided)
    }

    /// The rules: an answer to the patient's own word is said at any hour, unless that word is more than
    /// a day old; what we begin ourselves keeps hours and consent like every message.
    async fn look(&self, visitor: &Visitor, stored: &StoredAnswer) -> Result<Now, CloudError> {
        let (answer, now, clinic) = (&stored.answer, visitor.now, &visitor.clinic.clinic);
        let patient = visitor.patient();
        if now > answer.not_after {
            return Ok(Now::Drop("too_late"));
        }
        let breaker = visitor.clinic.breakers.channels.iter().any(|(of, until)| *of == answer.channel && *until > now);
        let unlinked = answer.channel == Channel::Whatsapp && visitor.clinic.unlinked().is_some();
        if clinic.halted || breaker || unlinked {
            return Ok(Now::Wait(next_mark(now)));
        }
        let mut before = None;
        if answer.channel == Channel::Whatsapp && !guard::is_off("say", "window") {
            match visitor.window_closes_at(now) {
                Some(closes) => before = Some(closes),
                None => return Ok(Now::Drop("window_closed")),
            }
        }
        let today = clinic.date(now);
        let (Some(address), Some(contact)) =
            (patient.address(answer.channel, today), visitor.contacts.of(answer.channel))
        else {
            return Ok(Now::Drop("no_contact"));
        };
        if let Some(purpose) = answer.purpose()
            && patient.consent.prove(answer.channel, purpose, today).is_err()
        {
            return Ok(Now::Drop("no_consent"));
        }
        if answer.purpose().is_some() || answer.in_hours {
            let zone = patient.profile.zone;
            let open = clinic.calendar.window_on(local_date(now, zone), zone).filter(|window| window.contains(now));
            match open {
                _ if guard::is_off("say", "hours") => {}
                Some(window) => before = Some(before.map_or(window.closes, |closes| window.closes.min(closes))),
                None => {
                    return Ok(match clinic.calendar.next_opening(now, zone) {
                        Some(opening) if opening <= answer.not_after => Now::Wait(opening),
                        Some(_) | None => Now::Drop("too_late"),
                    });
                }
            }
        }
        Ok(Now::Say { to: address.as_str().to_owned(), contact: contact.to_owned(), before })
    }

    /// The words; nothing when one of them is not known any more.
    async fn spoken(&self, visitor: &Visitor, stored: &StoredAnswer) -> Result<Option<Spoken>, CloudError> {
        let answer = &stored.answer;
        let clinic = &visitor.clinic.clinic;
        if let Some(words) = &answer.words {
            let titles = Vec::new();
            return Ok(Some(Spoken { text: words.clone(), titles, subject: clinic.name.clone(), calendar: None }));
        }
        let (Some(say), Some(answers)) = (answer.say, Answers::of(clinic.language)) else { return Ok(None) };
        let mut values = Values::default();
        values.set(Variable::Paciente, visitor.patient().profile.name.given());
        if let Some(guardian) = visitor.guardian() {
            values.set(Variable::Tutor, guardian.given());
        }
        values.set(Variable::Agente, clinic.agent.as_str());
        values.set(Variable::Clinica, clinic.name.as_str());
        values.set(Variable::ContactoClinica, clinic.contact.as_str());
        let link = Link { clinic: clinic.id.clone(), message: answer.id, purpose: LinkPurpose::Book };
        values.set(Variable::EnlaceReserva, self.links.url(&link, visitor.now));
        let spoken = |at: DateTime<Utc>| clinic.language.spoken_slot(at.with_timezone(&clinic.zone).naive_local());
        let mut calendar = None;
        if let Some((start, id)) = &answer.visit {
            let visit = visitor.patient().visit(id).filter(|visit| visit.start == *start);
            let professional = visit.map_or("", |visit| &*visit.professional);
            values.set(Variable::Fecha, spoken(*start));
            values.set(Variable::Profesional, professional);
            if matches!(say, Say::Booked | Say::Moved | Say::Confirmed) {
                calendar = calendar_file(visitor, *start, id).await?;
            }
        }
        if say == Say::Freed {
            values.set(Variable::Fecha, spoken(answer.not_after));
        }
        for (variable, reference) in [Variable::FechaOpcion1, Variable::FechaOpcion2].into_iter().zip(&answer.slots) {
            let Some(slot) = visitor.tenant.slot(reference).await? else { return Ok(None) };
            values.set(variable, spoken(slot.start));
        }
        let text = answers.text(say, answer.slots.len(), &values);
        let titles = answers.buttons(answer.slots.len());
        Ok(text.map(|text| Spoken { text, titles, subject: answers.subject(&values).to_owned(), calendar }))
    }

    async fn speak(
        &self,
        visitor: &Visitor,
        stored: &StoredAnswer,
        (to, contact, before): (&str, &str, Option<DateTime<Utc>>),
        spoken: &Spoken,
    ) -> Result<Done, CloudError> {
        let answer = &stored.answer;
        let (patient, alias) = (&visitor.patient().id, visitor.collection.patient.alias.as_ref());
        let now = self.reach.clock.now();
        // Whoever stood still since then looks again: the kill switch is in the settings, and hours end.
        let stale = now - visitor.clinic.read_at > SETTINGS_STALE_MAX && !guard::is_off("say", "settings_fresh");
        if stale || now > answer.not_after || before.is_some_and(|before| now >= before) {
            return self.again(visitor, stored, now).await;
        }
        let despite_opt_out = answer.say.is_some_and(Say::survives_opt_out);
        let claim = AnswerClaim { patient, alias, stored, contact, despite_opt_out, text: &spoken.text, now };
        if !visitor.tenant.claim_answer(&claim).await? {
            // Claimed by somebody else, or opted out: what is left of it is settled by looking again.
            return self.after_refusal(visitor, stored).await;
        }
        let attempt = stored.attempts + 1;
        let outcome = if self.is_late(now) && !guard::is_off("say", "call_in_time") {
            let again_in = TimeDelta::seconds(1);
            Outcome::NotSent { code: "claim_ran_out".to_owned(), again_in, breaker: None }
        } else {
            self.call_out(visitor, stored, attempt, to, spoken).await
        };
        let place = (contact, answer.channel, answer.channel.code());
        self.learn(&visitor.tenant, answer.id, place, now, &outcome).await?;
        if answer.channel == Channel::Whatsapp {
            self.learn_of_gateway(&visitor.tenant, &visitor.clinic.clinic, answer.id, now, &outcome).await?;
        }
        let delivery = visitor.tenant.record_answer(patient, answer.id, attempt, now, &outcome).await?;
        if let (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) = (&delivery, &outcome) {
            let order = say_order(visitor.tenant.clinic(), patient, answer.id);
            self.reach.orders.wake(&order, attempt, now, now + *again_in).await?;
        }
        Ok(Done::Sent)
    }

    async fn call_out(
        &self,
        visitor: &Visitor,
        stored: &StoredAnswer,
        attempt: u32,
        to: &str,
        spoken: &Spoken,
    ) -> Outcome {
        let clinic = &visitor.clinic.clinic;
        let opaque = self.channels.opaque_id(&clinic.id, stored.answer.id, attempt);
        let ids: Vec<String> = (0..spoken.titles.len()).map(|index| format!("{opaque}.{index}")).collect();
        let buttons: Vec<ReplyButton<'_>> =
            ids.iter().zip(&spoken.titles).map(|(id, title)| ReplyButton { id, title }).collect();
        // The options stand in the text already, where there are no buttons.
        let buttons = if stored.answer.channel == Channel::Whatsapp { buttons } else { Vec::new() };
        let attachment = spoken.calendar.as_ref().map(|file| retorno_cloud::channels::Attachment {
            file_name: "retorno.ics",
            content_type: Method::Publish.media_type(),
            bytes: file.as_bytes(),
        });
        let reply = ReplyDispatch {
            clinic,
            to,
            opaque_id: &opaque,
            body: &spoken.text,
            buttons: &buttons,
            subject: Some(&spoken.subject),
            html: None,
            attachment: attachment.filter(|_| stored.answer.channel == Channel::Email),
            answers: stored.answer.answers.as_deref().filter(|_| stored.answer.channel == Channel::Whatsapp),
        };
        self.channels.reply(stored.answer.channel, &reply).await
    }

    async fn after_refusal(&self, visitor: &Visitor, stored: &StoredAnswer) -> Result<Done, CloudError> {
        let points = visitor.tenant.contact_points(&visitor.contacts).await?;
        let point = points.of(stored.answer.channel);
        if stored.answer.is_barred_at(point) {
            return self.give_up(visitor, stored, "opted_out").await;
        }
        if point.is_wrong() {
            return self.give_up(visitor, stored, "wrong_number").await;
        }
        Ok(Done::Nothing)
    }
}

/// The visit as a file for calendars, when it was booked through us.
async fn calendar_file(
    visitor: &Visitor,
    start: DateTime<Utc>,
    id: &AppointmentId,
) -> Result<Option<String>, CloudError> {
    let Some(booking) = visitor.tenant.booking_of_visit(start, id).await? else { return Ok(None) };
    let clinic = &visitor.clinic.clinic;
    let entry = CalendarEntry {
        uid: uid(booking.id.as_str(), &clinic.id),
        sequence: booking.sequence,
        stamp: visitor.now,
        start: booking.start,
        minutes: booking.minutes,
        summary: clinic.name.clone(),
        location: String::new(),
        description: clinic.contact.clone(),
        invitation: None,
    };
    Ok(Some(entry.file(Method::Publish)))
}
