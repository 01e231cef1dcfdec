//! The API about connections.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use retorno_domain::channel::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connections::{CodeView, ConnectionAct, Connections, connections};
use crate::office::{Office, OpenClinic};
use crate::problem::Problem;
use crate::routes::{Answer, json_of};
use crate::talk::event_name;

pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Office: FromRef<S>,
{
    Router::new()
        .route("/clinics/{clinic}/connections", get(status))
        .route("/clinics/{clinic}/connections/check", post(check))
        .route("/clinics/{clinic}/connections/code", post(code))
        .route("/clinics/{clinic}/connections/unlink", post(unlink))
        .route("/clinics/{clinic}/connections/resume", post(resume))
        .route("/clinics/{clinic}/connections/test", post(test))
        .route("/clinics/{clinic}/browsers", post(add))
        .route("/clinics/{clinic}/browsers/{browser}", delete(forget))
        .route("/clinics/{clinic}/browsers/{browser}/try", post(try_out))
}

async fn status(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(connections(&office, &of).await?))
}

async fn check(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = with_gateway(&office, &clinic).await?;
    office.connect(&of, &ConnectionAct::Check).await?;
    Ok(Json(connections(&office, &of).await?))
}

/// The code; null when there is none, because the telephone is linked or the gateway gives none.
async fn code(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Value> {
    let of = with_gateway(&office, &clinic).await?;
    office.connect(&of, &ConnectionAct::Code).await?;
    let now = connections(&office, &of).await?;
    let gateway = now.gateway.ok_or_else(|| Problem::missing("the gateway"))?;
    let code = gateway.code.map(|code| CodeView::of(code, of.clinic.zone));
    Ok(Json(json!({ "state": gateway.state, "error": gateway.error, "code": code })))
}

async fn unlink(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = with_gateway(&office, &clinic).await?;
    done(office.connect(&of, &ConnectionAct::Unlink).await?)?;
    Ok(Json(connections(&office, &of).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    channel: String,
}

/// Lets a channel go on that its provider had halted.
async fn resume(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    which: Result<Json<Which>, JsonRejection>,
) -> Answer<Connections> {
    let of = office.clinic(&clinic).await?;
    let expected = "send {\"channel\": \"whatsapp\"}: whatsapp, email or sms";
    let channel = json_of(which, expected)?.channel.parse::<Channel>().map_err(|()| Problem::bad(expected))?;
    done(office.connect(&of, &ConnectionAct::Resume(channel)).await?)?;
    Ok(Json(connections(&office, &of).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    to: String,
    /// Sent twice under one name, it is one test.
    event: Option<String>,
}

async fn test(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    to: Result<Json<To>, JsonRejection>,
) -> Answer<Connections> {
    let of = office.clinic(&clinic).await?;
    let to = json_of(to, "send {\"to\": \"+5491155550100\"}")?;
    let event = match to.event {
        Some(event) => event,
        None => event_name()?,
    };
    done(office.connect(&of, &ConnectionAct::Test { event, to: to.to }).await?)?;
    Ok(Json(connections(&office, &of).await?))
}

#[derive(Deserialize)]
struct Subscribed {
    subscription: Value,
    #[serde(default)]
    name: String,
}

async fn add(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    given: Result<Json<Subscribed>, JsonRejection>,
) -> Answer<Value> {
    let of = office.clinic(&clinic).await?;
    let given = json_of(given, "send {\"subscription\": …, \"name\": …}")?;
    let id = office.let_tell(&of, &given.subscription.to_string(), &given.name).await?;
    let id = id.map_err(Problem::bad)?;
    Ok(Json(json!({ "browser": id })))
}

async fn forget(State(office): State<Office>, Path((clinic, browser)): Path<(String, String)>) -> Answer<Value> {
    let of = office.clinic(&clinic).await?;
    of.tenant.forget_browser(&browser).await?;
    Ok(Json(json!({})))
}

async fn try_out(State(office): State<Office>, Path((clinic, browser)): Path<(String, String)>) -> Answer<Value> {
    let of = office.clinic(&clinic).await?;
    office.connect(&of, &ConnectionAct::TryBrowser(browser)).await?;
    Ok(Json(json!({})))
}

async fn with_gateway(office: &Office, clinic: &str) -> Result<OpenClinic, Problem> {
    let of = office.clinic(clinic).await?;
    if of.clinic.gateway.is_none() {
        return Err(Problem::bad(
            "the clinic has no gateway of its own: its settings name none under [whatsapp], so it uses the Cloud API",
        ));
    }
    Ok(of)
}

/// A refusal as the API says it.
fn done(refused: Option<&'static str>) -> Result<(), Problem> {
    use retorno_cloud::desk::TestRefused;
    let Some(code) = refused else { return Ok(()) };
    if code == "not_halted" {
        return Err(Problem::bad("the channel is not halted"));
    }
    let why = TestRefused::ALL.into_iter().find(|why| why.code() == code).map(|why| why.to_string());
    Err(Problem::bad(why.unwrap_or_else(|| "no telephone is linked".to_owned())))
}
