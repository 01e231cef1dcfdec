//! People who are not on record: what they wrote and agreed to, whose it may be, and what staff does
//! about it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use retorno_cloud::desk::StaffDone;
use retorno_cloud::store::{AgreementState, ContactKeys, StoredAgreement, StoredPatient, StrangerGroup};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::contact::E164;
use retorno_domain::conversation::WINDOW;
use retorno_domain::ids::PatientId;
use retorno_domain::message::Delivery;
use serde::Serialize;

use crate::inbox::local;
use crate::office::{Office, OpenClinic, Tick};
use crate::problem::Problem;

/// Numbers and agreements listed.
const LISTED_MOST: usize = 100;
/// Patients that a search lists.
const FOUND_MOST: usize = 20;

/// Everything of people who are not on record.
#[derive(Clone, Serialize)]
pub struct Strangers {
    /// Numbers that somebody should look at, the last to write first; before them the urgent ones.
    pub strangers: Vec<StrangerView>,
    /// Numbers that were set aside or attached.
    pub dealt_with: Vec<StrangerView>,
    /// Agreements of nobody on record, the newest first.
    pub agreements: Vec<AgreementView>,
    /// Those that were set aside, or are a patient's by now.
    pub settled_agreements: Vec<AgreementView>,
}

/// A patient, as one to choose.
#[derive(Clone, Serialize)]
pub struct Candidate {
    /// The patient.
    pub patient_id: String,
    /// The name.
    pub name: String,
}

/// One number.
#[derive(Clone, Serialize)]
pub struct StrangerView {
    /// Its id, which tells nobody the number.
    pub id: String,
    /// The number, when it was shown.
    pub phone: Option<String>,
    /// `open`, `dismissed` or `attached`.
    pub state: &'static str,
    /// Whose it is.
    pub patient_id: Option<String>,
    /// `urgent`, `high` or `normal`; nothing when it asks for no answer, or has one.
    pub urgency: Option<&'static str>,
    /// Why a person should read it.
    pub reason: Option<&'static str>,
    /// When the last words came.
    pub last_at: String,
    /// Whether it may be answered on WhatsApp now.
    pub window_open: bool,
    /// Until when that is so.
    pub window_until: Option<String>,
    /// Whether nobody may be written to there at all.
    pub opted_out: bool,
    /// Whether it agreed to be written to.
    pub agreed: bool,
    /// Patients on record who have the number.
    pub may_be: Vec<Candidate>,
    /// What was written, oldest first.
    pub words: Vec<WordView>,
    /// What staff answered, oldest first.
    pub answers: Vec<AnswerView>,
    /// The last instant.
    #[serde(skip)]
    pub last_instant: DateTime<Utc>,
}

/// Something that was written.
#[derive(Clone, Serialize)]
pub struct WordView {
    /// When (RFC 3339, the clinic's zone).
    pub at: String,
    /// By which channel.
    pub channel: &'static str,
    /// The words.
    pub text: String,
    /// How they were understood.
    pub intent: String,
    /// Whether that was beyond doubt.
    pub sure: bool,
    /// The instant.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
}

/// Something that staff answered.
#[derive(Clone, Serialize)]
pub struct AnswerView {
    /// When (RFC 3339, the clinic's zone).
    pub at: String,
    /// The words.
    pub text: String,
    /// Where it stands.
    pub state: &'static str,
    /// Why it was not said.
    pub reason: Option<String>,
    /// The instant.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
}

/// An agreement.
#[derive(Clone, Serialize)]
pub struct AgreementView {
    /// Its id, which tells nobody anything.
    pub id: String,
    /// The name.
    pub name: String,
    /// The phone.
    pub phone: String,
    /// The address.
    pub email: Option<String>,
    /// The channels agreed to.
    pub channels: Vec<&'static str>,
    /// What was agreed to, in the words shown.
    pub wording: String,
    /// When (RFC 3339, the clinic's zone).
    pub at: String,
    /// `open`, `dismissed` or `recorded`.
    pub state: &'static str,
    /// Whose it is.
    pub patient_id: Option<String>,
    /// Patients with the same phone or address.
    pub may_be: Vec<Candidate>,
    /// The instant.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
}

/// What staff does.
#[derive(Clone)]
pub enum StrangerAct {
    /// The number is this patient's.
    Attach(String, PatientId),
    /// Answers: the number, the name of the event, the words.
    Answer(String, String, String),
    /// Sets a number aside, or takes that back.
    Dismiss(String, bool),
    /// The agreement is this patient's.
    AttachAgreement(String, PatientId),
    /// Sets an agreement aside, or takes that back.
    DismissAgreement(String, bool),
    /// A number reported wrong is the patient's after all; whether that was confirmed.
    RightNumber(PatientId, bool),
    /// A phone that staff noted is not to stand any more.
    ForgetNumber(PatientId),
}

impl Office {
    /// Does what staff wants, and plays what follows.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub async fn stranger_act(&self, of: &OpenClinic, act: &StrangerAct) -> Result<StaffDone, Problem> {
        self.begin(Tick::Now)?;
        let (desk, tenant) = (self.desk(), &of.tenant);
        let done = match act {
            StrangerAct::Attach(who, patient) => desk.attach(tenant, who, patient).await?,
            StrangerAct::Answer(who, event, words) => desk.answer_stranger(tenant, who, event, words).await?,
            StrangerAct::Dismiss(who, dismissed) => desk.dismiss_stranger(tenant, who, *dismissed).await?,
            StrangerAct::AttachAgreement(id, patient) => desk.attach_agreement(tenant, id, patient).await?,
            StrangerAct::DismissAgreement(id, dismissed) => desk.dismiss_agreement(tenant, id, *dismissed).await?,
            StrangerAct::RightNumber(patient, confirmed) => desk.right_number(tenant, patient, *confirmed).await?,
            StrangerAct::ForgetNumber(patient) => desk.forget_number(tenant, patient).await?,
        };
        self.done().await?;
        Ok(done)
    }
}

/// The name of an answer that comes without one: the same words to the same last message are said
/// once, unless they could not be said.
pub fn answer_event(group: &StrangerGroup, words: &str) -> String {
    let last = group.words.last().map_or("", |word| word.event.as_str());
    let failed = group.answers.iter().filter(|answer| !answer.is_said()).count();
    format!("answer#{last}#{failed}#{}", words.trim())
}

/// Patients by number or name.
///
/// # Errors
/// [`Problem`].
pub async fn find(of: &OpenClinic, words: &str) -> Result<Vec<Candidate>, Problem> {
    let found = of.tenant.find_patients(words, FOUND_MOST).await?;
    Ok(found.iter().map(candidate).collect())
}

fn candidate(stored: &StoredPatient) -> Candidate {
    let patient = &stored.patient;
    Candidate { patient_id: patient.id.to_string(), name: patient.profile.name.as_str().to_owned() }
}

/// Everything of people who are not on record.
///
/// # Errors
/// [`Problem`].
pub async fn strangers(office: &Office, of: &OpenClinic) -> Result<Strangers, Problem> {
    let now = office.now();
    let today = of.clinic.date(now);
    let mut known = Known { of, today, by_phone: BTreeMap::new() };
    let mut all = Strangers {
        strangers: Vec::new(),
        dealt_with: Vec::new(),
        agreements: Vec::new(),
        settled_agreements: Vec::new(),
    };
    for group in of.tenant.stranger_groups().await?.into_iter().take(LISTED_MOST) {
        let view = known.view(&group, now).await?;
        if view.state == "open" { all.strangers.push(view) } else { all.dealt_with.push(view) }
    }
    all.strangers.sort_by_key(|view| (view.urgency != Some("urgent"), std::cmp::Reverse(view.last_instant)));
    let mut agreements = of.tenant.agreements().await?;
    agreements.reverse();
    for stored in agreements.into_iter().take(LISTED_MOST) {
        let view = known.agreement(&stored).await?;
        if view.state == "open" { all.agreements.push(view) } else { all.settled_agreements.push(view) }
    }
    Ok(all)
}

/// Looks up who is on record, each number once.
struct Known<'a> {
    of: &'a OpenClinic,
    today: chrono::NaiveDate,
    by_phone: BTreeMap<String, Vec<PatientId>>,
}

impl Known<'_> {
    async fn with_phone(&mut self, phone: &E164) -> Result<Vec<PatientId>, Problem> {
        if let Some(found) = self.by_phone.get(phone.as_str()) {
            return Ok(found.clone());
        }
        let found = self.of.tenant.patients_with_phone(phone, self.today).await?;
        self.by_phone.insert(phone.as_str().to_owned(), found.clone());
        Ok(found)
    }

    async fn candidates(&self, mut ids: Vec<PatientId>) -> Result<Vec<Candidate>, Problem> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<Candidate> = self.of.tenant.patients(&ids, false).await?.iter().map(candidate).collect();
        found.sort_by(|a, b| a.patient_id.cmp(&b.patient_id));
        Ok(found)
    }

    async fn view(&mut self, group: &StrangerGroup, now: DateTime<Utc>) -> Result<StrangerView, Problem> {
        let zone = self.of.clinic.zone;
        let state = match (group.owner(), group.is_dealt_with()) {
            (Some(_), _) => "attached",
            (None, true) => "dismissed",
            (None, false) => "open",
        };
        let (mut may_be, mut opted_out) = (Vec::new(), false);
        if let Some(phone) = group.phone.as_ref().filter(|_| state == "open") {
            may_be = self.with_phone(phone).await?;
            for digits in phone.aliases() {
                let keys =
                    ContactKeys { phone: Some(self.of.tenant.hash(&format!("+{digits}"))), ..ContactKeys::default() };
                let points = self.of.tenant.contact_points(&keys).await?;
                opted_out |= points.phone.is_suppressed(Channel::Whatsapp, Purpose::Care);
            }
        }
        let waits = group.waits();
        let last = group.last_at().unwrap_or(now);
        let window_open = group.window_is_open(now);
        let word = |word: &retorno_cloud::store::StrangerWord| WordView {
            at: local(word.said.at, zone),
            channel: word.said.channel.code(),
            text: word.said.text.clone(),
            intent: word.said.intent.clone(),
            sure: word.said.sure,
            instant: word.said.at,
        };
        let answer = |answer: &retorno_cloud::store::StrangerAnswer| AnswerView {
            at: local(answer.at, zone),
            text: answer.words.0.clone(),
            state: answer.delivery.code(),
            reason: match &answer.delivery {
                Delivery::Dropped(why) | Delivery::Failed(why) => Some(why.clone()).filter(|why| !why.is_empty()),
                Delivery::Ready { .. }
                | Delivery::InFlight { .. }
                | Delivery::Accepted
                | Delivery::Unknown { .. }
                | Delivery::Undetermined => None,
            },
            instant: answer.at,
        };
        Ok(StrangerView {
            id: group.who.clone(),
            phone: group.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            state,
            patient_id: group.owner().map(ToString::to_string),
            urgency: waits.map(|(_, urgency)| urgency.code()),
            reason: waits.map(|(reason, _)| reason),
            last_at: local(last, zone),
            window_open,
            window_until: group.heard_at().filter(|_| window_open).map(|heard| local(heard + WINDOW, zone)),
            opted_out,
            agreed: group.words.iter().any(retorno_cloud::store::StrangerWord::agrees),
            may_be: self.candidates(may_be).await?,
            words: group.words.iter().map(word).collect(),
            answers: group.answers.iter().map(answer).collect(),
            last_instant: last,
        })
    }

    async fn agreement(&mut self, stored: &StoredAgreement) -> Result<AgreementView, Problem> {
        let agreement = &stored.agreement;
        let (state, patient_id) = match &stored.state {
            AgreementState::Open => ("open", None),
            AgreementState::Dismissed => ("dismissed", None),
            AgreementState::Recorded(patient) => ("recorded", Some(patient.to_string())),
        };
        let mut may_be = stored.may_be.clone();
        if state == "open" {
            may_be.extend(self.with_phone(&agreement.phone).await?);
        }
        Ok(AgreementView {
            id: stored.id.clone(),
            name: agreement.name.as_str().to_owned(),
            phone: agreement.phone.as_str().to_owned(),
            email: agreement.email.as_ref().map(|email| email.as_str().to_owned()),
            channels: agreement.channels.iter().map(Channel::code).collect(),
            wording: agreement.wording.clone(),
            at: local(agreement.at, self.of.clinic.zone),
            state,
            patient_id,
            may_be: self.candidates(may_be).await?,
            instant: agreement.at,
        })
    }
}
