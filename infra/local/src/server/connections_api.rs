//! The API about connections.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use retorno_domain::channel::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

use super::connections::{CodeView, ConnectionAct, Connections, connections};
use super::problem::Problem;
use super::system::{OpenClinic, System};

type Answer<T> = Result<Json<T>, Problem>;

pub(super) fn router() -> Router<System> {
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

async fn status(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(connections(&system, &of).await?))
}

async fn check(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = with_gateway(&system, &clinic).await?;
    system.connect(&of, &ConnectionAct::Check).await?;
    Ok(Json(connections(&system, &of).await?))
}

/// The code; null when there is none, because the telephone is linked or the gateway gives none.
async fn code(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Value> {
    let of = with_gateway(&system, &clinic).await?;
    system.connect(&of, &ConnectionAct::Code).await?;
    let now = connections(&system, &of).await?;
    let gateway = now.gateway.ok_or_else(|| Problem::missing("the gateway"))?;
    let code = gateway.code.map(|code| CodeView::of(code, of.clinic.zone));
    Ok(Json(json!({ "state": gateway.state, "error": gateway.error, "code": code })))
}

async fn unlink(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Connections> {
    let of = with_gateway(&system, &clinic).await?;
    done(system.connect(&of, &ConnectionAct::Unlink).await?)?;
    Ok(Json(connections(&system, &of).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    channel: String,
}

/// Lets a channel go on that its provider had halted.
async fn resume(
    State(system): State<System>,
    Path(clinic): Path<String>,
    which: Result<Json<Which>, JsonRejection>,
) -> Answer<Connections> {
    let of = system.clinic(&clinic).await?;
    let expected = "send {\"channel\": \"whatsapp\"}: whatsapp, email or sms";
    let Json(which) = which.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    let channel = which.channel.parse::<Channel>().map_err(|()| Problem::bad(expected))?;
    done(system.connect(&of, &ConnectionAct::Resume(channel)).await?)?;
    Ok(Json(connections(&system, &of).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    to: String,
    /// Sent twice under one name, it is one test.
    event: Option<String>,
}

async fn test(
    State(system): State<System>,
    Path(clinic): Path<String>,
    to: Result<Json<To>, JsonRejection>,
) -> Answer<Connections> {
    let of = system.clinic(&clinic).await?;
    let expected = "send {\"to\": \"+5491155550100\"}";
    let Json(to) = to.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    let event = match to.event {
        Some(event) => event,
        None => super::page::event_name()?,
    };
    done(system.connect(&of, &ConnectionAct::Test { event, to: to.to }).await?)?;
    Ok(Json(connections(&system, &of).await?))
}

#[derive(Deserialize)]
struct Subscribed {
    subscription: Value,
    #[serde(default)]
    name: String,
}

async fn add(
    State(system): State<System>,
    Path(clinic): Path<String>,
    given: Result<Json<Subscribed>, JsonRejection>,
) -> Answer<Value> {
    let of = system.clinic(&clinic).await?;
    let expected = "send {\"subscription\": …, \"name\": …}";
    let Json(given) = given.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    let id = system.let_tell(&of, &given.subscription.to_string(), &given.name).await?;
    let id = id.map_err(Problem::bad)?;
    Ok(Json(json!({ "browser": id })))
}

async fn forget(State(system): State<System>, Path((clinic, browser)): Path<(String, String)>) -> Answer<Value> {
    let of = system.clinic(&clinic).await?;
    of.tenant.forget_browser(&browser).await?;
    Ok(Json(json!({})))
}

async fn try_out(State(system): State<System>, Path((clinic, browser)): Path<(String, String)>) -> Answer<Value> {
    let of = system.clinic(&clinic).await?;
    system.connect(&of, &ConnectionAct::TryBrowser(browser)).await?;
    Ok(Json(json!({})))
}

async fn with_gateway(system: &System, clinic: &str) -> Result<OpenClinic, Problem> {
    let of = system.clinic(clinic).await?;
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
