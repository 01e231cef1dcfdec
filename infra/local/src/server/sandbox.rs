//! What only the sandbox has: its telephones, its Meta, its gateways and browsers say what they are told to.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta};
use retorno_domain::contact::Phone;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::routes::{Answer, json_of};
use staff_api::strangers::{Strangers, strangers};
use staff_api::templates::{Templates, account, known};

use super::system::{OpenClinic, System};
use crate::doubles::MetaSays;
use crate::host::{AtGateway, Written};

/// `/api`, what only the sandbox has.
pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/clinics/{clinic}/strangers/write", post(write))
        .route("/clinics/{clinic}/templates/meta", post(meta))
}

/// What the sandbox's Meta is told to say.
#[derive(Debug, Clone)]
pub(crate) enum Meta {
    /// This of a template.
    Says(String, MetaSays),
    /// It no longer sends us the account's events.
    Unsubscribe,
}

impl Meta {
    /// By words: an event of a template, or `unsubscribe` of the account.
    pub(crate) fn of(event: &str, template: Option<String>) -> Option<Self> {
        match (event, template) {
            ("unsubscribe", None) => Some(Self::Unsubscribe),
            (_, Some(template)) => {
                let says = MetaSays::ALL.into_iter().find(|says| says.code() == event)?;
                Some(Self::Says(template, says))
            }
            (_, None) => None,
        }
    }
}

impl System {
    /// Lets the sandbox's Meta say something, plays what follows, and says how the templates stand.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub(crate) async fn meta_says(&self, of: &OpenClinic, what: &Meta) -> Result<Templates, Problem> {
        self.check_free()?;
        let account = account(of)?;
        // Meta tells whole seconds: on the next one, so that this comes after all that was told before.
        let second = DateTime::from_timestamp(self.host.now().timestamp() + 1, 0);
        self.clock.move_to(second.unwrap_or(self.host.now()))?;
        match what {
            Meta::Says(name, says) => {
                let language = known(of, name)?.wanted.language.whatsapp_code();
                let of_meta = (name.as_str(), language);
                if !self.host.doubles.whatsapp().meta_says(account, of_meta, *says)? {
                    let problem = Problem::bad(format!("the account does not hold {name}: submit it first"));
                    return Err(problem.coded("template_not_held").with("name", name));
                }
            }
            Meta::Unsubscribe => self.host.doubles.whatsapp().unsubscribe(account)?,
        }
        self.take_up_now().await?;
        self.office.templates(of).await
    }

    /// Does something at the sandbox's telephone that is linked to a gateway.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub(crate) async fn at_gateway(&self, of: &OpenClinic, what: AtGateway) -> Result<(), Problem> {
        self.check_free()?;
        // Gateways tell whole instants: what is told now comes after all that was heard before.
        self.clock.move_to(self.host.now() + TimeDelta::milliseconds(1))?;
        self.host.at_gateway(&of.clinic, what).await?;
        self.take_up_now().await
    }

    /// Lets a sandbox browser be told; says why not.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn let_sandbox_browser_tell(&self, of: &OpenClinic) -> Result<Option<&'static str>, Problem> {
        self.check_free()?;
        let given = self.host.doubles.push().subscribe()?;
        let refused = self.office.let_tell(of, &given, "sandbox").await?.err();
        self.take_up_now().await?;
        Ok(refused)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPhone {
    phone: String,
    text: String,
}

/// Writes on the sandbox phone as somebody who may not be on record.
async fn write(
    State(system): State<System>,
    Path(clinic): Path<String>,
    said: Result<Json<OnPhone>, JsonRejection>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let said = json_of(said, "send {\"phone\": \"+5491155550100\", \"text\": …}")?;
    let phone = Phone::parse(&said.phone, of.clinic.country)
        .map_err(|_| Problem::bad("write the number with its country, as in +5491155550100"))?;
    system.check_free()?;
    // On the next whole second, as providers tell it: after all that was said before.
    let now = system.host.now();
    system.clock.move_to(DateTime::from_timestamp(now.timestamp() + 1, 0).unwrap_or(now))?;
    system.host.write_on_phone(&of.clinic, phone.e164.digits(), &Written::Text(said.text), None).await?;
    system.take_up_now().await?;
    Ok(Json(strangers(&system.office, &of).await?))
}

/// What the sandbox's Meta is to say: an event of a template, or `unsubscribe` of the account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Played {
    event: String,
    template: Option<String>,
}

async fn meta(
    State(system): State<System>,
    Path(clinic): Path<String>,
    played: Result<Json<Played>, JsonRejection>,
) -> Answer<Templates> {
    let of = system.clinic(&clinic).await?;
    let words: Vec<&str> = MetaSays::ALL.into_iter().map(MetaSays::code).collect();
    let expected =
        || format!("send {{\"event\": {}, \"template\": …}} or {{\"event\": \"unsubscribe\"}}", words.join(" | "));
    let played = json_of(played, expected())?;
    let what = Meta::of(&played.event, played.template).ok_or_else(|| Problem::bad(expected()))?;
    Ok(Json(system.meta_says(&of, &what).await?))
}
