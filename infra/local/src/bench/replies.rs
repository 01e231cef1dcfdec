//! Replies: many at once for few slots, and webhooks as Meta sends them, duplicates included. What
//! counts first is what comes out: each slot booked once, each word heard once; then how fast.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt as _};
use inbound_webhook::event::{Event, InboundMessage, Private, Route, Routed, Said, Sender};
use inbound_webhook::hook::HookRequest;
use retorno_cloud::CloudError;
use retorno_cloud::store::{BookingStatus, FreeSlot};
use retorno_domain::channel::Channel;
use retorno_domain::conversation::Say;
use retorno_domain::ids::PatientId;

use super::figures::{Figure, Target};
use super::made_up::{Population, ZONE, export};
use super::stage::{Stage, at, monday_and, settings};
use super::{Stopwatch, count_of};
use crate::doubles::serve;
use crate::host::{Host, HostError, Written, signed, webhook};

/// Events in work at the same time.
const AT_ONCE: usize = 64;
/// Rounds of answers at most.
const ROUNDS_MAX: u32 = 40;
/// A webhook of every so many comes twice.
const TWICE_EACH: usize = 5;

/// Everybody is offered slots and takes the first, all at the same time.
pub(super) async fn race(patients: u32, slots: u32) -> Result<[Figure; 2], HostError> {
    let stage = Stage::set(&settings(ZONE, "")?, None, at(monday_and(0), 10, 0)).await?;
    stage.import(export(patients, Population::Reachable, monday_and(0)).as_bytes()).await?;
    let tenant = stage.host.reach.store.of(&stage.id);
    tenant.put_slots(&free(slots, at(monday_and(2), 9, 0)), true, stage.host.now()).await?;
    let phones = phones(&stage).await?;
    everybody_says(&stage, &phones, 0, |_| "quiero un turno").await?;
    let stopwatch = Stopwatch::start();
    let (mut asked, mut replies, mut round) = (phones.clone(), 0, 0);
    // Whoever is offered other slots answers again, until everybody has one or none is left.
    while !asked.is_empty() && round < ROUNDS_MAX {
        round += 1;
        everybody_says(&stage, &asked, round, |number| if number % 2 == 0 { "1" } else { "2" }).await?;
        replies += u64::try_from(asked.len()).unwrap_or(0);
        asked = still_asked(&stage, asked).await?;
    }
    let rate = stopwatch.rate(replies);
    let (booked, answered) = recount(&stage, &phones, slots).await?;
    let ids = [("replies_race", "replies that all want a slot"), ("replies_booked", "slots booked by them")];
    Ok([
        Figure::speed(ids[0].0, ids[0].1, rate, "replies/s").note(format!(
            "{} people, {AT_ONCE} at a time, {replies} replies in {round} rounds; answered: {answered}",
            phones.len()
        )),
        Figure::new(ids[1].0, ids[1].1, Some(count_of(booked)), "slots")
            .target(Target::AtLeast(f64::from(slots)))
            .note(format!("of {slots}; no two alike, recounted from the agenda; nobody left without an answer")),
    ])
}

/// So many slots, two an hour from an instant on, eight at the same time.
fn free(count: u32, from: DateTime<Utc>) -> Vec<FreeSlot> {
    let slot = |number: u32| FreeSlot {
        start: from + TimeDelta::minutes(i64::from(number / 8) * 30),
        id: format!("s{number}"),
        professional: format!("Dra. {}", number % 8),
        minutes: 30,
    };
    (0..count).map(slot).collect()
}

/// The phones of all patients, as digits, with their patients.
async fn phones(stage: &Stage) -> Result<Vec<(PatientId, String)>, HostError> {
    let tenant = stage.host.reach.store.of(&stage.id);
    let mut ids: Vec<PatientId> = tenant.values().await?.into_iter().map(|entry| entry.patient).collect();
    ids.sort_unstable();
    let stored = tenant.patients(&ids, false).await?;
    let phone = |stored: retorno_cloud::store::StoredPatient| {
        let digits = stored.patient.profile.phone.as_ref().ok()?.e164.digits().to_owned();
        Some((stored.patient.id, digits))
    };
    let mut seen = BTreeSet::new();
    Ok(stored.into_iter().filter_map(phone).filter(|(_, digits)| seen.insert(digits.clone())).collect())
}

/// Those who were offered slots and have not answered yet.
async fn still_asked(stage: &Stage, phones: Vec<(PatientId, String)>) -> Result<Vec<(PatientId, String)>, CloudError> {
    let tenant = stage.host.reach.store.of(&stage.id);
    let mut asked = Vec::new();
    for (patient, digits) in phones {
        if tenant.thread(&patient).await?.thread.asked.is_some() {
            asked.push((patient, digits));
        }
    }
    Ok(asked)
}

async fn everybody_says(
    stage: &Stage,
    phones: &[(PatientId, String)],
    round: u32,
    text: impl Fn(usize) -> &'static str,
) -> Result<(), CloudError> {
    let inbound = stage.host.inbound();
    let now = stage.host.now();
    let texts = phones.iter().enumerate().map(|(number, phone)| (phone, text(number)));
    let said = texts.map(|((patient, digits), text)| async move {
        let message = InboundMessage {
            channel: Channel::Whatsapp,
            id: Private::new(format!("wamid.{patient}.{round}")),
            from: Sender { phone: Some(Private::new(digits.clone())), user_id: None },
            at: now,
            said: Said::Text(Private::new(text)),
            answers: None,
            received_by: stage.clinic.whatsapp_phone_number_id.clone(),
        };
        let route = Route::WhatsappNumber(stage.clinic.whatsapp_phone_number_id.clone());
        inbound.take_in(&Routed { route, event: Event::Message(Box::new(message)) }).await
    });
    let mut said = stream::iter(said).buffer_unordered(AT_ONCE);
    while let Some(done) = said.next().await {
        done?;
    }
    Ok(())
}

/// How many slots are booked, and how many of the patients were answered: with a booking, with other
/// slots, with a place on the waitlist, or by a person.
async fn recount(stage: &Stage, phones: &[(PatientId, String)], slots: u32) -> Result<(u64, u64), HostError> {
    let tenant = stage.host.reach.store.of(&stage.id);
    let now = stage.host.now();
    let bookings = tenant.bookings(now, now + TimeDelta::days(400)).await?;
    let open: Vec<_> = bookings.iter().filter(|booking| booking.status == BookingStatus::Booked).collect();
    let taken: BTreeSet<&str> = open.iter().map(|booking| booking.slot.as_str()).collect();
    if taken.len() != open.len() || open.len() > usize::try_from(slots).unwrap_or(0) {
        return Err(HostError::User(format!("{} bookings of {} slots", open.len(), taken.len())));
    }
    let mut answered = 0;
    for (patient, _) in phones {
        let Some(collection) = tenant.collection(patient).await? else { continue };
        let last =
            collection.answers.iter().max_by_key(|stored| (stored.answer.at, stored.answer.say != Some(Say::Offer)));
        let said = last.and_then(|stored| stored.answer.say);
        // Who says 2 when one slot is left is handed to a person, and told so.
        let is_answer = matches!(said, Some(Say::Booked | Say::Taken | Say::Offer | Say::Waitlisted | Say::HandedOver));
        answered += u64::from(is_answer && collection.answers.len() >= 2);
    }
    if answered != u64::try_from(phones.len()).unwrap_or(0) {
        return Err(HostError::User(format!("{answered} of {} were answered", phones.len())));
    }
    Ok((u64::try_from(open.len()).unwrap_or(0), answered))
}

/// Webhooks over HTTP on loopback, signed; every fifth comes twice. Then the queue is worked off.
pub(super) async fn webhooks(patients: u32, messages: usize) -> Result<[Figure; 4], HostError> {
    let stage = Stage::set(&settings(ZONE, "")?, None, at(monday_and(0), 10, 0)).await?;
    stage.import(export(patients, Population::Reachable, monday_and(0)).as_bytes()).await?;
    let phones = phones(&stage).await?;
    let io = |error| HostError::Io { what: "listening on loopback".to_owned(), error };
    let router = Router::new().route("/hooks/{*rest}", post(hook)).with_state(stage.host.clone());
    let (address, server) = serve(router).await.map_err(io)?;
    let http = reqwest::Client::builder().no_proxy().build().map_err(|e| HostError::User(e.to_string()))?;
    let url = Arc::new(format!("http://{address}/hooks/meta/{}", crate::host::SANDBOX_APP));

    let stopwatch = Stopwatch::start();
    let requests = (0..messages).flat_map(|number| {
        let times = if number % TWICE_EACH == 0 { 2 } else { 1 };
        std::iter::repeat_n(number, times)
    });
    let sent = requests.map(|number| {
        let digits = phones.get(number % phones.len().max(1)).map_or("", |(_, digits)| digits);
        let text = Written::Text(format!("hola {number}"));
        let id = format!("wamid.load.{number}");
        let body = webhook(&stage.clinic, digits, &text, (&id, None), stage.host.now()).to_string();
        post_one(&http, Arc::clone(&url), signed(&stage.host.sandbox_app_secret(), body.into_bytes()))
    });
    let mut took: Vec<f64> = Vec::new();
    let mut answers = stream::iter(sent).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        took.push(answer?);
    }
    let accepted = stopwatch.rate(u64::try_from(took.len()).unwrap_or(0));
    server.abort();
    let stopwatch = Stopwatch::start();
    stage.host.settle().await?;
    let worked_off = stopwatch.rate(u64::try_from(took.len()).unwrap_or(0));
    let tenant = stage.host.reach.store.of(&stage.id);
    let mut heard = 0;
    for (patient, _) in &phones {
        heard += tenant.heard(patient).await?.len();
    }
    if heard != messages {
        return Err(HostError::User(format!("{messages} were written and {heard} heard")));
    }
    took.sort_by(f64::total_cmp);
    let at_share = |share: usize| took.get(took.len().saturating_sub(1) * share / 100).copied();
    let note = format!("{} requests, {messages} distinct, {AT_ONCE} at once, client on the same cores", took.len());
    Ok([
        Figure::speed("webhooks", "webhooks accepted over HTTP", accepted, "requests/s").note(note),
        Figure::new("webhooks_p50", "webhook answered, median", at_share(50), "ms"),
        Figure::new("webhooks_p99", "webhook answered, 99 of 100", at_share(99), "ms"),
        Figure::speed("webhooks_taken_in", "webhooks taken in from the queue", worked_off, "events/s")
            .note(format!("{heard} words heard: none lost, none twice")),
    ])
}

async fn post_one(http: &reqwest::Client, url: Arc<String>, request: HookRequest) -> Result<f64, HostError> {
    let stopwatch = Stopwatch::start();
    let mut call = http.post(url.as_str()).body(request.body);
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    let answer = call.send().await.map_err(|e| HostError::User(e.without_url().to_string()))?;
    if !answer.status().is_success() {
        return Err(HostError::User(format!("a webhook was answered with {}", answer.status())));
    }
    Ok(stopwatch.elapsed().as_secs_f64() * 1_000.0)
}

async fn hook(State(host): State<Host>, uri: axum::http::Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or("").to_owned();
    let request = HookRequest {
        method: "POST".to_owned(),
        path: uri.path().to_owned(),
        query: Vec::new(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_vec(),
        is_base64: false,
    };
    StatusCode::from_u16(host.hook(request).await.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
