//! What a patient agreed to, as the API says and takes it.

use chrono::NaiveDate;
use retorno_cloud::desk::StaffDone;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::ids::PatientId;
use serde::{Deserialize, Serialize};

use crate::office::{Office, OpenClinic};
use crate::problem::Problem;
use crate::talk::StaffAct;

/// The longest note of how something was said.
const HOW_CHARS_MAX: usize = 200;

/// What a patient agreed to.
#[derive(Debug, Serialize)]
pub struct ConsentView {
    /// For marketing.
    marketing: PurposeView,
    /// For care: follow-up, and reminders of booked visits.
    care: PurposeView,
    /// Everything that was said, the oldest first.
    statements: Vec<StatementView>,
}

/// What may be sent for one purpose.
#[derive(Debug, Serialize)]
struct PurposeView {
    /// The channels agreed to.
    channels: Vec<&'static str>,
    /// Since when.
    since: Option<NaiveDate>,
    /// Why there is none.
    reason: Option<&'static str>,
    /// Channels that somebody who shares the phone or the address closed, or the person.
    closed: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct StatementView {
    on: NaiveDate,
    wish: &'static str,
    channels: Vec<&'static str>,
    purposes: Vec<&'static str>,
    source: &'static str,
}

/// What staff records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSaid {
    /// `in` or `out`.
    wish: String,
    /// The channels agreed to.
    #[serde(default)]
    channels: Vec<String>,
    /// What it is about; everything when left out.
    #[serde(default)]
    purposes: Vec<String>,
    /// The day it was said; today when left out.
    on: Option<NaiveDate>,
    /// How it was said.
    how: String,
}

fn codes(channels: ChannelSet) -> Vec<&'static str> {
    channels.iter().map(Channel::code).collect()
}

/// What a patient agreed to.
///
/// # Errors
/// [`Problem`] when there is no such patient.
pub async fn consent(office: &Office, of: &OpenClinic, id: &PatientId) -> Result<ConsentView, Problem> {
    let collection = office.patient(of, id).await?;
    let patient = &collection.patient.patient;
    let today = of.clinic.date(office.now());
    let points = of.tenant.contact_points(&of.tenant.contact_keys(patient, today)).await?;
    let view = |purpose| {
        let agreed = patient.consent.agreed(purpose, today);
        let closed = Channel::ALL.into_iter().filter(|channel| points.of(*channel).is_suppressed(*channel, purpose));
        PurposeView {
            channels: codes(patient.consent.channels(purpose, today)),
            since: agreed.ok().map(|(on, _)| on),
            reason: agreed.err().map(retorno_domain::consent::NoConsent::code),
            closed: codes(closed.collect()),
        }
    };
    let statement = |said: &Statement| {
        let (wish, channels) = match said.wish {
            Wish::OptIn(channels) => ("in", codes(channels)),
            Wish::OptOut => ("out", Vec::new()),
        };
        let source = match said.source {
            Source::Import => "import",
            Source::Recorded => "recorded",
        };
        let purposes = said.purposes.iter().map(Purpose::code).collect();
        StatementView { on: said.on, wish, channels, purposes, source }
    };
    let statements = patient.consent.statements().iter().map(statement).collect();
    Ok(ConsentView { marketing: view(Purpose::Marketing), care: view(Purpose::Care), statements })
}

/// Records what a patient said, and shows what is agreed to now.
///
/// # Errors
/// [`Problem`]: what is wrong with it.
pub async fn record(
    office: &Office,
    of: &OpenClinic,
    id: &PatientId,
    said: &ConsentSaid,
) -> Result<ConsentView, Problem> {
    let statement = said.read(of.clinic.date(office.now()))?;
    let how = said.how.trim();
    if how.is_empty() || how.chars().count() > HOW_CHARS_MAX || how.contains(char::is_control) {
        return Err(Problem::bad(format!("say how it was said, in 1 to {HOW_CHARS_MAX} characters: \"how\"")));
    }
    // Sent again before it was answered it is the same; said again later it is another.
    let before = office.patient(of, id).await?.patient.patient.consent.statements().len();
    let event = format!("staff#{id}#consent#{before}#{statement:?}");
    match office.staff(of, id, &event, &StaffAct::Consent(statement, format!("desk: {how}"))).await? {
        StaffDone::Done | StaffDone::Repeated => consent(office, of, id).await,
        StaffDone::Nobody => Err(Problem::missing(format!("patient {id} of clinic {}", of.id))),
        StaffDone::Refused(why) => Err(Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, why.to_string())),
    }
}

impl ConsentSaid {
    fn read(&self, today: NaiveDate) -> Result<Statement, Problem> {
        let channels = self.channels.iter().map(|code| code.parse::<Channel>()).collect::<Result<ChannelSet, ()>>();
        let channels = channels.map_err(|()| Problem::bad("the channels are whatsapp, email, sms, call and push"))?;
        let purposes = self.purposes.iter().map(|code| code.parse::<Purpose>()).collect::<Result<PurposeSet, ()>>();
        let purposes = purposes.map_err(|()| Problem::bad("the purposes are marketing and care"))?;
        let wish = match self.wish.as_str() {
            "in" => Wish::OptIn(channels),
            "out" => Wish::OptOut,
            _ => return Err(Problem::bad("the wish is in or out")),
        };
        let purposes = if purposes.is_empty() { PurposeSet::ALL } else { purposes };
        Ok(Statement { on: self.on.unwrap_or(today), wish, source: Source::Recorded, purposes })
    }
}
