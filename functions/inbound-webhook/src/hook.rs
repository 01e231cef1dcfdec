//! A request to one of the hooks: who may be sending, whether they are, and what they tell. Pure: the
//! caller looks up the secrets, fetches what is asked for, commits, and only then answers 200.
//!
//! | entry | proof |
//! |---|---|
//! | `/hooks/meta/{app}` | HMAC of the app's secret; `GET` is Meta's question whether the address is ours |
//! | `/hooks/waha/{session}` | HMAC of the session's key |
//! | `/hooks/evolution/{instance}` | a token of ours, or a JWT |
//! | `/hooks/sns` | the signature of SNS, for topics on the list |

mod chunks;

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::event::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::event::{Event, GatewayKind, Ignored, Route, Routed};
use crate::verify::sns::{Proven, SubscribeUrl, Unproven};
use crate::verify::{EvolutionProof, HookSecret, Unverified, challenge, evolution, signed_by_meta, waha};
use crate::wire;

pub use chunks::{CHUNK_BYTES_MAX, chunks};

/// Largest body taken, in bytes: Meta sends up to 3 MB, and tries for seven days what is refused.
pub const BODY_BYTES_MAX: usize = 3_500_000;
/// Largest message of SNS, which must be read before it can be verified (SNS: 256 KiB, here escaped).
const SNS_BODY_BYTES_MAX: usize = 1_000_000;
/// Longest name of an app, instance or session.
const NAME_CHARS_MAX: usize = 64;

/// A request, as the gateway or server in front hands it over.
#[derive(Clone)]
pub struct HookRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// From the first slash, without the query, not decoded.
    pub path: String,
    /// The parameters of the query, decoded.
    pub query: Vec<(String, String)>,
    /// All headers, also repeated ones.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// Whether the gateway in front wrote the body in base64.
    pub is_base64: bool,
}

impl From<ApiGatewayV2httpRequest> for HookRequest {
    fn from(request: ApiGatewayV2httpRequest) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let query = request.query_string_parameters.iter();
        Self {
            method: request.request_context.http.method.to_string(),
            path: request.raw_path.unwrap_or_default(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: request.body.unwrap_or_default().into_bytes(),
            is_base64: request.is_base64_encoded,
        }
    }
}

impl std::fmt::Debug for HookRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl HookAnswer {
    /// A bare status. 200 is for when everything is committed.
    #[must_use]
    pub fn of(status: u16) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: String::new() }
    }
}

/// Where a request came in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// The hook of one of our apps at Meta.
    Meta(String),
    /// The hook of a gateway's instance or session.
    Gateway(GatewayKind, String),
    /// The hook of SNS.
    Sns,
}

impl std::fmt::Display for Entry {
    /// What follows `/hooks/` in its path.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Meta(app) => write!(f, "meta/{app}"),
            Self::Gateway(GatewayKind::Waha, session) => write!(f, "waha/{session}"),
            Self::Gateway(GatewayKind::Evolution, instance) => write!(f, "evolution/{instance}"),
            Self::Sns => f.write_str("sns"),
        }
    }
}

impl Entry {
    /// The entry of a path; none if there is none.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let entry = path.strip_prefix("/hooks/")?;
        if entry == "sns" {
            return Some(Self::Sns);
        }
        let (kind, name) = entry.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(plain) {
            return None;
        }
        let name = name.to_owned();
        match kind {
            "meta" => Some(Self::Meta(name)),
            "waha" => Some(Self::Gateway(GatewayKind::Waha, name)),
            "evolution" => Some(Self::Gateway(GatewayKind::Evolution, name)),
            _ => None,
        }
    }
}

/// What one of our apps at Meta proves itself with.
#[derive(Debug, Clone, Default)]
pub struct MetaApp {
    /// The app's secrets; several while one is being replaced.
    pub secrets: Vec<HookSecret>,
    /// The tokens that we entered at Meta.
    pub verify_tokens: Vec<HookSecret>,
    /// The numbers (`phone_number_id`) and accounts (WABA) that it speaks for. Empty: for all that no other
    /// app of ours has on its list.
    pub ids: BTreeSet<String>,
}

/// What to verify with: of all entries, or of the one that [`Entry::of`] names.
#[derive(Debug, Clone, Default)]
pub struct HookSecrets {
    /// By app.
    pub meta: BTreeMap<String, MetaApp>,
    /// By session.
    pub waha: BTreeMap<String, Vec<HookSecret>>,
    /// By instance.
    pub evolution: BTreeMap<String, EvolutionProof>,
    /// The ARNs of the topics whose messages are taken.
    pub topics: Vec<String>,
}

impl HookSecrets {
    /// Whether an app may speak for what an event is of: its signature says only that it is that app.
    fn speaks_for(&self, app: &str, route: &Route) -> bool {
        let id = match route {
            Route::WhatsappNumber(id) | Route::WhatsappAccount(id) => id,
            Route::Gateway { .. } | Route::SmsNumber(_) | Route::Clinic(_) | Route::Unknown => return true,
        };
        let Some(own) = self.meta.get(app) else { return false };
        own.ids.contains(id) || (own.ids.is_empty() && !self.meta.values().any(|other| other.ids.contains(id)))
    }
}

/// What a request came to.
#[derive(Debug)]
pub enum Received {
    /// Nothing is taken up; this is the answer. `why` is for a counter.
    Refused(HookAnswer, Option<Unverified>),
    /// Nothing is taken up, and this is the answer: a challenge, or the end of a subscription.
    Answer(HookAnswer),
    /// Take these up, commit, and answer 200.
    Verified(Vec<Routed>),
    /// Take these up, and keep the body: something in it could not be read.
    Partly(Vec<Routed>, Unread),
    /// The sender is who it says, but the body cannot be read: keep it where somebody sees it, and
    /// answer 200, or it comes again for seven days.
    Unreadable(Unread),
    /// Fetch the certificate, and go on with [`prove`].
    NeedsCertificate(Box<Unproven>),
    /// A topic of ours asks whether it may deliver: fetch this address, and answer 200.
    Confirm(SubscribeUrl),
}

/// A body whose sender is proven and that could not be read, or not whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where it came in.
    pub entry: Entry,
    /// Its bytes, out of any envelope.
    pub body: Vec<u8>,
    /// Why: words of ours, nothing personal.
    pub why: String,
}

impl std::fmt::Debug for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Unread");
        shown.field("entry", &self.entry).field("why", &self.why).field("body_bytes", &self.body.len()).finish()
    }
}

/// Looks at a request. The body is not read before its sender is proven (of SNS, as far as it can be).
#[must_use]
pub fn receive(request: HookRequest, secrets: &HookSecrets, now: DateTime<Utc>) -> Received {
    let Some(entry) = Entry::of(&request.path) else {
        return Received::Refused(HookAnswer::of(404), None);
    };
    match (request.method.as_str(), &entry) {
        ("POST", _) => {}
        ("GET", Entry::Meta(app)) => return answer_challenge(&request, secrets.meta.get(app)),
        _ => return Received::Refused(HookAnswer::of(405), None),
    }
    let body = match raw_body(request.body, request.is_base64) {
        Ok(body) => body,
        Err(status) => return Received::Refused(HookAnswer::of(status), None),
    };
    if entry == Entry::Sns {
        return receive_sns(&body, secrets, now);
    }
    if let Err(why) = verified(&entry, &request.headers, &body, secrets, now) {
        return Received::Refused(HookAnswer::of(401), Some(why));
    }
    read(entry, body, secrets, now)
}

/// Reads a body once more that was kept since it could not be read. `now` is when it came: what it
/// says is of then.
#[must_use]
pub fn read_again(entry: Entry, body: Vec<u8>, secrets: &HookSecrets, now: DateTime<Utc>) -> Received {
    match &entry {
        Entry::Sns => {
            let events = std::str::from_utf8(&body).ok().and_then(|text| wire::aws::events_of_message(text, now, now));
            received(entry, body, events)
        }
        Entry::Meta(_) | Entry::Gateway(..) => read(entry, body, secrets, now),
    }
}

/// Goes on with a message of SNS, once its certificate (PEM) is there.
#[must_use]
pub fn prove(unproven: Unproven, certificate: &[u8], now: DateTime<Utc>) -> Received {
    match unproven.prove(certificate) {
        Err(why) => Received::Refused(HookAnswer::of(401), Some(why)),
        Ok(Proven::Notification { message, at }) => {
            let events = wire::aws::events_of_message(&message, at, now);
            received(Entry::Sns, message.into_bytes(), events)
        }
        Ok(Proven::Subscription(url)) => Received::Confirm(url),
        Ok(Proven::Unsubscribed) => Received::Answer(HookAnswer::of(200)),
    }
}

fn answer_challenge(request: &HookRequest, app: Option<&MetaApp>) -> Received {
    let tokens = app.map_or(&[] as &[HookSecret], |app| &app.verify_tokens);
    match challenge(&request.query, tokens) {
        Ok(challenge) => Received::Answer(HookAnswer { body: challenge.to_owned(), ..HookAnswer::of(200) }),
        Err(why) => Received::Refused(HookAnswer::of(403), Some(why)),
    }
}

/// The bytes that were signed, or the status to refuse with.
fn raw_body(body: Vec<u8>, is_base64: bool) -> Result<Vec<u8>, u16> {
    let bytes_max = if is_base64 { BODY_BYTES_MAX.div_ceil(3) * 4 } else { BODY_BYTES_MAX };
    if body.len() > bytes_max {
        return Err(413);
    }
    let body = if is_base64 { STANDARD.decode(body).map_err(|_| 400_u16)? } else { body };
    if body.len() > BODY_BYTES_MAX { Err(413) } else { Ok(body) }
}

fn verified(
    entry: &Entry,
    headers: &[(String, String)],
    body: &[u8],
    secrets: &HookSecrets,
    now: DateTime<Utc>,
) -> Result<(), Unverified> {
    match entry {
        Entry::Meta(app) => {
            let app = secrets.meta.get(app).ok_or(Unverified::NoSecret)?;
            signed_by_meta(headers, body, &app.secrets)
        }
        Entry::Gateway(GatewayKind::Waha, session) => {
            waha(headers, body, secrets.waha.get(session).ok_or(Unverified::NoSecret)?)
        }
        Entry::Gateway(GatewayKind::Evolution, instance) => {
            evolution(headers, secrets.evolution.get(instance).ok_or(Unverified::NoSecret)?, now)
        }
        Entry::Sns => Err(Unverified::Malformed),
    }
}

/// The events of a body whose sender is proven.
fn read(entry: Entry, bytes: Vec<u8>, secrets: &HookSecrets, now: DateTime<Utc>) -> Received {
    let body = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
    let mut events = body.map(|body| events(&entry, &body, now));
    if let (Entry::Meta(app), Some(events)) = (&entry, &mut events) {
        for routed in events.iter_mut().filter(|routed| !secrets.speaks_for(app, &routed.route)) {
            // Nobody's, like what comes for a number that no clinic has.
            let what = routed.event.kind().to_owned();
            let ignored = Ignored { why: "of another app's number or account".to_owned(), what, unread: false };
            *routed = Routed { route: Route::Unknown, event: Event::Ignored(ignored) };
        }
    }
    received(entry, bytes, events)
}

/// What a body came to, of which these events were read. The first part that was not is the reason.
fn received(entry: Entry, body: Vec<u8>, events: Option<Vec<Routed>>) -> Received {
    let Some(events) = events else {
        return Received::Unreadable(Unread { entry, body, why: "not an object of JSON".to_owned() });
    };
    let why = events.iter().find_map(|routed| routed.event.unread());
    match why {
        Some(why) => Received::Partly(events, Unread { entry, body, why }),
        None => Received::Verified(events),
    }
}

fn events(entry: &Entry, body: &Value, now: DateTime<Utc>) -> Vec<Routed> {
    match entry {
        Entry::Meta(_) => wire::meta::events(body, now).unwrap_or_else(|| {
            let ignored = Ignored { why: "not of a WhatsApp account".to_owned(), what: String::new(), unread: false };
            vec![Routed { route: Route::Unknown, event: Event::Ignored(ignored) }]
        }),
        Entry::Gateway(GatewayKind::Waha, session) => wire::waha::events(body, session, now),
        Entry::Gateway(GatewayKind::Evolution, instance) => wire::evolution::events(body, instance, now),
        Entry::Sns => wire::aws::events(body, now),
    }
}

fn receive_sns(body: &[u8], secrets: &HookSecrets, now: DateTime<Utc>) -> Received {
    if body.len() > SNS_BODY_BYTES_MAX {
        return Received::Refused(HookAnswer::of(413), None);
    }
    match Unproven::read(body, &secrets.topics, now) {
        Ok(unproven) => Received::NeedsCertificate(Box::new(unproven)),
        Err(why) => Received::Refused(HookAnswer::of(401), Some(why)),
    }
}

#[cfg(test)]
mod tests;
