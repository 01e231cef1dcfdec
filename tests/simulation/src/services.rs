//! The queue, the schedules and the providers, as their clients see them on the wire.

use std::future::Future;
use std::pin::Pin;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use retorno_cloud::channels::{Graph, Posted};
use retorno_domain::channel::Channel;
use serde_json::{Value, json};

use crate::event::Event;
use crate::patients::Got;
use crate::wire::{Wire, response};

pub(crate) type Answer = Result<HttpResponse, ConnectorError>;

pub(crate) fn said<'a>(body: &'a Value, at: &str) -> &'a str {
    body.pointer(at).and_then(Value::as_str).unwrap_or("")
}

pub(crate) fn refusal(status: u16, kind: &str) -> Answer {
    response(status, json!({"__type": kind, "message": ""}).to_string().into_bytes())
}

pub(crate) fn lost() -> Answer {
    Err(ConnectorError::io("connection closed".into()))
}

/// What becomes of a request to the queue or the schedules.
enum Luck {
    Good,
    Refused,
    Lost,
    AnswerLost,
}

impl Wire {
    fn luck(&self, kind: &'static str) -> Luck {
        let mut state = self.core.state();
        let state = &mut *state;
        state.trouble.requests += 1;
        let rate = state.trouble.knobs.request;
        if !state.trouble.strikes(&mut state.chance, rate) {
            return Luck::Good;
        }
        state.trouble.note(kind);
        match state.chance.below(3) {
            0 => Luck::Refused,
            1 => Luck::Lost,
            _ => Luck::AnswerLost,
        }
    }
}

/// SQS: `SendMessage`.
///
/// # Errors
/// A lost request or answer.
pub async fn queue(wire: &Wire, body: &[u8]) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    wire.wait("send message", "before").await;
    let luck = wire.luck("queue_unavailable");
    if let Luck::Good | Luck::AnswerLost = luck {
        let order = said(&request, "/MessageBody").to_owned();
        let delay = request.get("DelaySeconds").and_then(Value::as_i64).unwrap_or(0);
        let mut state = wire.core.state();
        state.judge.nothing_personal("an order", &order);
        state.enqueue(&order, delay * 1_000);
    }
    wire.wait("send message", "after").await;
    match luck {
        Luck::Good => response(200, json!({"MessageId": "1", "MD5OfMessageBody": ""}).to_string().into_bytes()),
        Luck::Refused => refusal(500, "InternalFailure"),
        Luck::Lost | Luck::AnswerLost => lost(),
    }
}

/// Scheduler: `CreateSchedule`. SES: `SendEmail`.
///
/// # Errors
/// A lost request or answer.
pub async fn rest(wire: &Wire, uri: &str, body: &[u8]) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    wire.core.state().judge.nothing_personal("a URL", uri);
    match uri.split_once("/schedules/") {
        Some((_, name)) => schedule(wire, name, &request).await,
        None => email(wire, &request).await,
    }
}

async fn schedule(wire: &Wire, name: &str, request: &Value) -> Answer {
    wire.wait("create schedule", "before").await;
    let luck = wire.luck("schedule_unavailable");
    let mut is_new = true;
    if let Luck::Good | Luck::AnswerLost = luck {
        let expression = said(request, "/ScheduleExpression");
        let at = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
        let at = at.and_then(|at| at.parse::<chrono::NaiveDateTime>().ok()).map(|at| at.and_utc().timestamp_millis());
        let order = said(request, "/Target/Input").to_owned();
        let mut state = wire.core.state();
        state.judge.nothing_personal("a schedule", &order);
        match at {
            Some(at) => is_new = state.schedule(name, &order, at),
            None => state.judge.object("a schedule without an instant"),
        }
    }
    wire.wait("create schedule", "after").await;
    match luck {
        Luck::Good if is_new => response(200, br#"{"ScheduleArn":"arn:aws:scheduler:::schedule"}"#.to_vec()),
        Luck::Good => refusal(409, "ConflictException"),
        Luck::Refused => refusal(429, "ThrottlingException"),
        Luck::Lost | Luck::AnswerLost => lost(),
    }
}

/// What a provider does with a message.
pub(crate) enum Deed {
    Takes,
    TakesAndIsSilent,
    TakesAndMumbles,
    TakesInVain,
    Throttles,
    RefusesForGood(usize),
    Troubled(usize),
    Perhaps,
    CannotBeReached,
}

impl Wire {
    pub(crate) fn deed(&self) -> Deed {
        let mut state = self.core.state();
        let state = &mut *state;
        state.trouble.requests += 1;
        let rate = state.trouble.knobs.provider;
        if !state.trouble.strikes(&mut state.chance, rate) {
            return Deed::Takes;
        }
        let which = state.chance.below(8);
        let (kind, deed) = match state.chance.below(9) {
            0 | 1 => ("provider_throttled", Deed::Throttles),
            2 => ("provider_refused", Deed::RefusesForGood(which)),
            3 => ("provider_refused", Deed::Troubled(which)),
            4 => ("provider_answer_lost", Deed::TakesAndIsSilent),
            5 => ("provider_garbled", Deed::TakesAndMumbles),
            6 => ("provider_unreachable", Deed::CannotBeReached),
            7 => ("provider_takes_in_vain", Deed::TakesInVain),
            _ => ("provider_ambiguous", Deed::Perhaps),
        };
        state.trouble.note(kind);
        deed
    }

    /// While a provider is being asked in vain, the rest of the world goes on.
    pub(crate) async fn somebody_acts_meanwhile(&self, deed: &Deed, body: &[u8]) {
        let in_vain = match deed {
            Deed::Throttles | Deed::RefusesForGood(_) | Deed::Troubled(_) | Deed::CannotBeReached => true,
            Deed::Takes | Deed::TakesInVain | Deed::TakesAndIsSilent | Deed::TakesAndMumbles | Deed::Perhaps => false,
        };
        let ms = {
            let mut state = self.core.state();
            let state = &mut *state;
            let rate = state.trouble.knobs.rival;
            let whose = state.judge.whose(&String::from_utf8_lossy(body));
            match whose.filter(|_| in_vain && state.trouble.strikes(&mut state.chance, rate)) {
                Some((clinic, person)) => {
                    state.trouble.note("rival_at_call");
                    let event = Event::ImportAbout { clinic, patient: person };
                    state.happens_in(0, event);
                    state.chance.stretch(1_000, 900_000)
                }
                None => 0,
            }
        };
        self.core.pause(ms).await;
    }

    /// Whether the provider took what it left unclear.
    fn took_it(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Takes | Deed::TakesAndIsSilent | Deed::TakesAndMumbles => true,
            Deed::Perhaps => self.core.state().chance.per_mille(500),
            Deed::Throttles
            | Deed::RefusesForGood(_)
            | Deed::Troubled(_)
            | Deed::CannotBeReached
            | Deed::TakesInVain => false,
        }
    }

    /// What a provider was handed has reached somebody, or never will.
    pub(crate) fn took(&self, deed: &Deed, got: Option<Got>) {
        let took = self.took_it(deed);
        let mut state = self.core.state();
        let state = &mut *state;
        match (got, deed) {
            (Some(got), Deed::TakesInVain) => {
                state.judge.in_vain.insert(got.message.clone());
                state.never_reached(&got);
            }
            (Some(got), _) if took => {
                let now = state.now;
                let Got { clinic, message, attempt, channel, to, .. } = &got;
                state.judge.accepted(now, *clinic, message, i64::from(*attempt), channel.code(), to);
                state.reached(&got);
            }
            (Some(_), _) => {}
            (None, _) => state.judge.object("a provider was handed a message that names no clinic or attempt"),
        }
    }
}

/// The tokens of the links in a text.
pub(crate) fn links(text: &str) -> Vec<String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let after = text.split("/l/").skip(1);
    let mut found: Vec<String> =
        after.filter_map(|rest| Some(rest.split(|c| !is_token(c)).next()?.to_owned())).collect();
    found.sort_unstable();
    found.dedup();
    found
}

async fn email(wire: &Wire, request: &Value) -> Answer {
    wire.wait("call email", "before").await;
    let deed = wire.deed();
    let got = wire.read_email(request);
    let provider_id = got.as_ref().map(|got| got.provider_id.clone()).unwrap_or_default();
    wire.took(&deed, got);
    wire.somebody_acts_meanwhile(&deed, request.to_string().as_bytes()).await;
    wire.wait("call email", "after").await;
    match deed {
        Deed::Takes | Deed::TakesInVain => response(200, json!({"MessageId": provider_id}).to_string().into_bytes()),
        Deed::TakesAndIsSilent => {
            wire.core.pause(20_000).await;
            lost()
        }
        Deed::TakesAndMumbles => response(200, b"{}".to_vec()),
        Deed::Throttles => refusal(429, "TooManyRequestsException"),
        Deed::RefusesForGood(_) => refusal(400, "MessageRejected"),
        Deed::Troubled(which) if which % 4 == 0 => refusal(400, "AccountSuspendedException"),
        Deed::Troubled(_) => refusal(400, "BadRequestException"),
        Deed::Perhaps => refusal(500, "InternalFailure"),
        Deed::CannotBeReached => lost(),
    }
}

impl Graph for Wire {
    fn post<'a>(&'a self, path: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>> {
        Box::pin(async move {
            self.wait("call whatsapp", "before").await;
            let deed = self.deed();
            let got = self.read_whatsapp(&path, &body);
            let provider_id = got.as_ref().map(|got| got.provider_id.clone()).unwrap_or_default();
            self.took(&deed, got);
            self.somebody_acts_meanwhile(&deed, &body).await;
            self.wait("call whatsapp", "after").await;
            let error = |status, code: i64| {
                Posted::Answered(status, json!({"error": {"code": code, "message": ""}}).to_string().into_bytes())
            };
            match deed {
                Deed::Takes | Deed::TakesInVain => {
                    Posted::Answered(200, json!({"messages": [{"id": provider_id}]}).to_string().into_bytes())
                }
                Deed::TakesAndIsSilent => {
                    self.core.pause(8_000).await;
                    Posted::TimedOut
                }
                Deed::TakesAndMumbles => Posted::Answered(200, b"<html>".to_vec()),
                Deed::Throttles => error(429, 130_429),
                Deed::RefusesForGood(which) => error(400, if which % 2 == 0 { 131_026 } else { 131_050 }),
                Deed::Troubled(which) if which % 4 == 0 => error(400, 131_048),
                Deed::Troubled(which) if which % 4 == 1 => error(400, 132_015),
                Deed::Troubled(_) => error(400, 131_049),
                Deed::Perhaps => error(500, 131_000),
                Deed::CannotBeReached => Posted::NeverConnected,
            }
        })
    }
}

impl Wire {
    /// What arrives in the mailbox.
    fn read_email(&self, request: &Value) -> Option<Got> {
        let tags = request.get("EmailTags").and_then(Value::as_array).cloned().unwrap_or_default();
        let tag = |name: &str| {
            let found = tags.iter().find(|tag| said(tag, "/Name") == name);
            found.map(|tag| said(tag, "/Value").to_owned()).unwrap_or_default()
        };
        let simple = said(request, "/Content/Simple/Body/Text/Data").to_owned();
        let mut state = self.core.state();
        if simple.is_empty() || simple.contains("{{") || simple.contains("}}") {
            state.judge.object("an e-mail with a gap in it");
        }
        let (message, attempt) = (tag("m"), tag("a").parse::<u32>().ok()?);
        Some(Got {
            clinic: state.judge.clinic_of(&tag("t"))?,
            channel: Channel::Email,
            to: said(request, "/Destination/ToAddresses/0").to_owned(),
            provider_id: format!("0100-{message}-{attempt}"),
            opaque: String::new(),
            buttons: Vec::new(),
            links: links(&simple),
            message,
            attempt,
        })
    }

    /// What arrives on the phone.
    fn read_whatsapp(&self, path: &str, body: &[u8]) -> Option<Got> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let opaque = said(&request, "/biz_opaque_callback_data").to_owned();
        let mut parts = opaque.split('.').skip(1);
        let (clinic, message, attempt) = (parts.next(), parts.next(), parts.next());
        let mut state = self.core.state();
        state.judge.nothing_personal("a WhatsApp URL", path);
        let clinic = clinic.and_then(|id| state.judge.clinic_of(id))?;
        let number = state.judge.clinics.get(clinic).map(crate::clinic::Clinic::number_id);
        if number.is_none_or(|number| !path.starts_with(&number)) {
            state.judge.object("sent by another clinic's number");
        }
        let (message, attempt) = (message?.to_owned(), attempt?.parse::<u32>().ok()?);
        let is_template = said(&request, "/type") == "template";
        let text = [said(&request, "/text/body"), said(&request, "/interactive/body/text")].concat();
        if is_template == state.judge.is_answer(&message, attempt) || text.contains("{{") {
            state.judge.object("a message of the sequence in free words, an answer by template, or one with a gap");
        }
        Some(Got {
            clinic,
            channel: Channel::Whatsapp,
            to: said(&request, "/to").to_owned(),
            provider_id: format!("wamid.{message}.{attempt}"),
            buttons: buttons(&request),
            links: Vec::new(),
            opaque,
            message,
            attempt,
        })
    }
}

/// The buttons of a request, with what they give back. What a template's last one reads is not in it.
fn buttons(request: &Value) -> Vec<(String, String)> {
    let list = |at: &str| request.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    let of_answer = list("/interactive/action/buttons").into_iter();
    let of_answer = of_answer.map(|b| (said(&b, "/reply/id").to_owned(), said(&b, "/reply/title").to_owned()));
    let of_template = list("/template/components").into_iter().filter(|part| said(part, "/type") == "button");
    let last = of_template.map(|part| (said(&part, "/parameters/0/payload").to_owned(), "PARAR".to_owned()));
    of_answer.chain(last.rev().take(1)).collect()
}
