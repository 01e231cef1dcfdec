//! The text of a step's message: the template in the clinic's language, filled with what is known.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_cloud::links::{Link, LinkPurpose, Links};
use retorno_cloud::store::FreeSlot;
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::flow::{Flow, Step};
use retorno_domain::ids::MessageId;
use retorno_domain::standing::summary;
use retorno_domain::step_rules::CopyProblem;
use retorno_domain::template::{Rendered, Template, TemplateChannel, Values, Variable};

use crate::facts::Situation;

/// A message's text and where it comes from.
pub(crate) struct Copy {
    pub(crate) template: &'static Template,
    pub(crate) rendered: Rendered,
    pub(crate) unsubscribe_url: String,
    pub(crate) book_url: String,
}

/// What a text is filled with, and the links that stand beside it.
struct Filling {
    values: Values,
    unsubscribe_url: String,
    book_url: String,
}

fn template_channel(channel: Channel) -> TemplateChannel {
    match channel {
        Channel::Whatsapp => TemplateChannel::Whatsapp,
        Channel::Email => TemplateChannel::Email,
        Channel::Sms => TemplateChannel::Sms,
        Channel::Call => TemplateChannel::Call,
        Channel::Push => TemplateChannel::Push,
    }
}

/// The copies that may serve, the best first: with two dates where there are any, and without.
fn copies(situation: &Situation, step: &Step) -> impl Iterator<Item = &'static Template> {
    let clinic = &situation.clinic.clinic;
    let key = Flow::template_key(&situation.stored.enrollment.segment, &step.id, situation.guardian().is_some());
    let (channel, language, detail) = (template_channel(step.channel), clinic.language, clinic.clinical_detail);
    let with_dates = situation.slots.len() >= 2;
    let find = move |dated| Catalogue::embedded().find(&key, channel, language, dated);
    let copies = [true, false].into_iter().filter(move |dated| with_dates || !dated).filter_map(find);
    copies.filter(move |copy| detail || !copy.clinical_detail)
}

/// The copy that is sent: the best that nothing is wrong with, or else the best.
fn find(situation: &Situation, step: &Step) -> Option<&'static Template> {
    let may_be_sent = |copy: &&Template| forbidden(situation, step, copy).is_none();
    copies(situation, step).find(may_be_sent).or_else(|| copies(situation, step).next())
}

/// Why a copy may not be sent: the provider has halted it, or Meta has not approved it.
fn forbidden(situation: &Situation, step: &Step, copy: &Template) -> Option<CopyProblem> {
    let (stored, now, template) = (&situation.clinic, situation.now, copy.whatsapp_name());
    let halted = stored.breakers.templates.iter().find(|(of, until)| *of == template && *until > now);
    if let Some((_, until)) = halted {
        return Some(CopyProblem::Halted(*until));
    }
    let why = stored.approvals.lacking(copy, now).filter(|_| step.channel == Channel::Whatsapp)?;
    Some(CopyProblem::NotApproved { template, why })
}

/// What stands in the way of a step's text, if anything.
pub(crate) fn problem(situation: &Situation, step: &Step, links: &Links) -> Option<CopyProblem> {
    let Some(template) = find(situation, step) else { return Some(CopyProblem::Missing) };
    let values = filling(situation, step, links).values;
    forbidden(situation, step, template).or_else(|| template.render(&values).is_err().then_some(CopyProblem::Unfilled))
}

/// The text of a step.
pub(crate) fn compose(situation: &Situation, step: &Step, links: &Links) -> Option<Copy> {
    let template = find(situation, step)?;
    let Filling { values, unsubscribe_url, book_url } = filling(situation, step, links);
    Some(Copy { template, rendered: template.render(&values).ok()?, unsubscribe_url, book_url })
}

fn filling(situation: &Situation, step: &Step, links: &Links) -> Filling {
    let clinic: &Arc<Clinic> = &situation.clinic.clinic;
    let enrollment = &situation.stored.enrollment;
    let message = MessageId::of(enrollment.id, &step.id);
    let link = |purpose| links.url(&Link { clinic: clinic.id.clone(), message, purpose }, situation.now);
    let (unsubscribe_url, book_url) = (link(LinkPurpose::Unsubscribe), link(LinkPurpose::Book));
    let mut values = Values::default();
    values.set(Variable::Paciente, situation.patient.patient.profile.name.given());
    if let Some(guardian) = situation.guardian() {
        values.set(Variable::Tutor, guardian.given());
    }
    values.set(Variable::Agente, clinic.agent.as_str());
    values.set(Variable::Clinica, clinic.name.as_str());
    values.set(Variable::ContactoClinica, clinic.contact.as_str());
    values.set(Variable::EnlaceReserva, book_url.as_str());
    values.set(Variable::EnlaceBaja, unsubscribe_url.as_str());
    let today = clinic.date(situation.now);
    if let Some(offer) = Catalogue::embedded().offer(clinic.language, enrollment.segment.as_str()) {
        let phrase = match situation.guardian() {
            Some(_) => offer.phrase_for_guardian(clinic.language, today),
            None => offer.phrase(clinic.language, today),
        };
        values.set(Variable::Oferta, phrase);
    }
    if let [first, second] = situation.slots.as_slice() {
        values.set(Variable::FechaOpcion1, spoken(clinic, first));
        values.set(Variable::FechaOpcion2, spoken(clinic, second));
    }
    set_past(&mut values, situation, situation.now);
    Filling { values, unsubscribe_url, book_url }
}

fn spoken(clinic: &Clinic, slot: &FreeSlot) -> String {
    clinic.language.spoken_slot(slot.start.with_timezone(&clinic.zone).naive_local())
}

/// What the last visit and a pending plan contribute.
fn set_past(values: &mut Values, situation: &Situation, now: DateTime<Utc>) {
    let patient = &situation.patient.patient;
    let past = summary(&situation.clinic.clinic, patient, now);
    if let Some(professional) = past.last_professional.filter(|name| !name.is_empty()) {
        values.set(Variable::Profesional, professional);
    }
    let last = patient.appointments.iter().filter(|a| a.is_visit(now)).max_by_key(|a| a.start);
    if let Some(visit) = last.filter(|visit| !visit.service.is_empty()) {
        values.set(Variable::Servicio, &*visit.service);
    }
    let pending = past.plans.iter().filter(|plan| plan.session.done < plan.session.total);
    if let Some(plan) = pending.max_by_key(|plan| plan.day) {
        values.set(Variable::SesionesHechas, plan.session.done.to_string());
        values.set(Variable::SesionesTotal, plan.session.total.to_string());
    }
}
