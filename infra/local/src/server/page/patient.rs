//! One patient: who, how to be reached, and what happened so far.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use retorno_cloud::store::Collection;
use retorno_domain::calendar::start_of_day;
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::PurposeSet;
use retorno_domain::consent::Wish;
use retorno_domain::enrollment::State;
use retorno_domain::guardian::Through;
use staff_api::thread::{Line, Speaker};

use super::frame::{Shown, address};
use super::texts::{day, moment};
use crate::server::system::OpenClinic;
use crate::why::{MinorSays, minor};

/// The form that finds a patient.
pub(super) fn find(shown: &Shown<'_>, of: &OpenClinic) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="find" {
            header { h2 id="find" { (texts.word("patient_find")) } }
            form.find method="get" action=(address(of, None, None)) {
                label { (texts.word("patient_label")) input type="search" name="patient" required maxlength="128" autocomplete="off"; }
                button.plain { (texts.word("find")) }
            }
        }
    }
}

/// Who it is.
pub(super) fn head(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Markup {
    let texts = shown.texts;
    let patient = &collection.patient.patient;
    let profile = &patient.profile;
    html! {
        section.panel.full aria-labelledby="patient" {
            header {
                h1 id="patient" { (profile.name.as_str()) " " span.soft { (texts.word("patient")) " " (patient.id) } }
                a href=(address(of, None, None)) { (texts.word("all_patients")) }
            }
            dl.facts {
                @let today = of.clinic.date(shown.system.host.now());
                @if let Some(minor) = minor(patient, today) { (guardian(shown, &minor, patient.through(today))) }
                div { dt { (texts.word("contact_phone")) } dd { @match &profile.phone {
                    Ok(phone) => (phone.e164.as_str()),
                    Err(why) => span.soft { (texts.word("unusable")) " (" (why.code()) ")" },
                } } }
                div { dt { (texts.word("contact_email")) } dd { @match &profile.email {
                    Ok(email) => (email.as_str()),
                    Err(why) => span.soft { (texts.word("unusable")) " (" (why.code()) ")" },
                } } }
            }
        }
    }
}

/// Through whom a minor is contacted, or what to fill in so that somebody is.
/// Reception calls them: here their contact stands in full.
fn guardian(shown: &Shown<'_>, minor: &MinorSays, through: Through<'_>) -> Markup {
    let texts = shown.texts;
    html! {
        div { dt { (texts.word("minor")) } dd { (texts.word("minor_until")) " " (minor.until.parse().map_or(minor.until.clone(), day)) } }
        div { dt { (texts.word("guardian")) } dd {
            @if let Some(name) = &minor.guardian { (name) }
            @if let Some(phone) = through.phone() { " · " (phone.e164.as_str()) }
            @if let Some(email) = through.email() { " · " (email.as_str()) }
            @match &minor.fill {
                None => { br; span.soft { (texts.word("guardian_only")) } },
                Some(columns) => { @if minor.guardian.is_some() { br; } strong { (texts.word("guardian_fill")) ": " (columns) } },
            }
        } }
    }
}

/// What happened, the newest first.
pub(super) fn timeline(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection, lines: &[Line]) -> Markup {
    let mut entries: Vec<(DateTime<Utc>, Markup)> = appointments(shown, of, collection);
    entries.extend(consent(shown, of, collection));
    entries.extend(sequences(shown, of, collection));
    entries.extend(messages(shown, of, collection));
    entries.extend(lines.iter().filter_map(|line| talk(shown, of, line)));
    // Of one instant, too, what came later comes first.
    entries.sort_by_key(|(at, _)| *at);
    entries.reverse();
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="timeline" {
            header { h2 id="timeline" { (texts.word("timeline")) } }
            @if entries.is_empty() { p.empty { (texts.word("timeline_empty")) } }
            ol.timeline tabindex="0" aria-labelledby="timeline" { @for (_, entry) in &entries { li { (entry) } } }
        }
    }
}

type Entries = Vec<(DateTime<Utc>, Markup)>;

fn appointments(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Entries {
    let texts = shown.texts;
    let entry = |appointment: &retorno_domain::appointment::Appointment| {
        let session =
            appointment.session.map(|session| format!(" ({}/{})", session.done, session.total)).unwrap_or_default();
        let markup = html! {
            time { (moment(appointment.start, of.clinic.zone)) }
            strong { (texts.word("appointment")) }
            @if !appointment.service.is_empty() { " · " (appointment.service) (session) }
            " · " (texts.appointment(appointment.status.code()))
            @if !appointment.professional.is_empty() { " · " span.soft { (appointment.professional) } }
        };
        (appointment.start, markup)
    };
    collection.patient.patient.appointments.iter().map(entry).collect()
}

fn consent(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Entries {
    let texts = shown.texts;
    let entry = |statement: &retorno_domain::consent::Statement| {
        let markup = html! {
            time { (day(statement.on)) }
            strong { (texts.word("consent")) } " · "
            @match statement.wish {
                Wish::OptIn(channels) => {
                    (texts.word("consent_in")) " " (texts.channels(channels))
                },
                Wish::OptOut => (texts.word("consent_out")),
            }
            @if statement.purposes != PurposeSet::ALL {
                " · " @for purpose in statement.purposes.iter() { (texts.purpose(purpose.code())) }
            }
        };
        (start_of_day(statement.on, of.clinic.zone), markup)
    };
    collection.patient.patient.consent.statements().iter().map(entry).collect()
}

fn sequences(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Entries {
    let texts = shown.texts;
    let entry = |stored: &retorno_cloud::store::StoredEnrollment| {
        let enrollment = &stored.enrollment;
        let State::Ended { reason, at } = &enrollment.state else { return None };
        let segment = enrollment.segment.as_str();
        let name = Catalogue::embedded().segment_name(of.clinic.language, segment).unwrap_or(segment);
        let markup = html! {
            time { (moment(*at, of.clinic.zone)) }
            strong { (texts.word("sequence")) } " · " (name) " · " (texts.state("ended")) ": " (texts.ended(reason.code()))
        };
        Some((*at, markup))
    };
    collection.enrollments.iter().filter_map(entry).collect()
}

fn messages(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Entries {
    let texts = shown.texts;
    let entry = |message: &retorno_cloud::store::StoredMessage| {
        let at = message.claimed_at?;
        let (channel, step, _) = &message.labels;
        let markup = html! {
            time { (moment(at, of.clinic.zone)) }
            strong { (texts.channel(channel)) } " · " (step) " · " (texts.state(message.delivery.code()))
            @if let Some((subject, text)) = &message.text {
                details { summary { (subject.as_deref().unwrap_or(texts.word("message"))) } div.said { (text) } }
            }
        };
        Some((at, markup))
    };
    collection.messages.iter().filter_map(entry).collect()
}

/// What the patient said and what was answered; what sequences sent stands among the messages.
fn talk(shown: &Shown<'_>, of: &OpenClinic, line: &Line) -> Option<(DateTime<Utc>, Markup)> {
    let texts = shown.texts;
    let who = match line.by {
        Speaker::Sequence => return None,
        Speaker::Patient => "by_patient",
        Speaker::Answer => "by_answer",
        Speaker::Staff => "by_staff",
    };
    let markup = html! {
        time { (moment(line.instant, of.clinic.zone)) }
        strong { (texts.word(who)) } " · " (texts.channel(&line.channel))
        @if let Some(intent) = &line.intent {
            " · " (texts.word("understood")) ": " (texts.intent(intent))
            @if line.sure == Some(false) { " (" (texts.word("unsure")) ")" }
        }
        @match line.state.as_deref() {
            None | Some("accepted") => {},
            Some(state) => { " · " (texts.state(state)) @if let Some(why) = &line.reason { " (" (texts.reason(why)) ")" } },
        }
        @if !line.text.is_empty() { div.said { (line.text) } }
    };
    Some((line.instant, markup))
}
