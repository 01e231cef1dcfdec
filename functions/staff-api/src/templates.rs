//! A clinic's templates at Meta as the pages, the API and the commands show them: what each flow needs,
//! how far it is, what to do about it; and what a person may have done.

use chrono::{DateTime, Utc};
use retorno_cloud::orders::{TemplateAct, templates_order};
use retorno_domain::approval::{
    Approvals, FlowVerdict, Lack, Lacking, NeededTemplate, TemplateState, TemplateStatus, account_of, needed, verdicts,
};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use serde::Serialize;

use crate::office::{Office, OpenClinic, Tick};
use crate::problem::Problem;

/// The templates of a clinic.
#[derive(Debug, Clone, Serialize)]
pub struct Templates {
    /// The clinic.
    pub clinic: String,
    /// How it uses WhatsApp: `cloud_api`, `no_account` (its account at Meta is not in the settings, so
    /// nobody knows what is approved), `gateway` (needs no templates), or `no_whatsapp`.
    pub uses: &'static str,
    /// Its account at Meta.
    pub account: Option<String>,
    /// When the account was looked at last.
    pub checked_at: Option<DateTime<Utc>>,
    /// Whether the account's events (answers, receipts, approvals) come to us.
    pub subscribed: Option<bool>,
    /// What stood in the way when Meta was asked last: `unreached`, `busy`, `token`, `permission`,
    /// `account` or `refused`.
    pub trouble: Option<Trouble>,
    /// Whether each segment's flow may begin.
    pub flows: Vec<FlowView>,
    /// The templates.
    pub templates: Vec<TemplateView>,
}

/// Why Meta could not be asked.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: &'static str,
}

/// A segment's flow.
#[derive(Debug, Clone, Serialize)]
pub struct FlowView {
    /// The segment.
    pub segment: String,
    /// What staff calls it.
    pub name: String,
    /// The flow.
    pub flow: String,
    /// `ready`, `unknown`, `partly` or `blocked`.
    pub start: &'static str,
    /// What keeps it from beginning.
    pub blocking: Option<LackView>,
    /// The templates that may not be sent.
    pub lacks: Vec<LackView>,
    /// Steps without a text in the clinic's language.
    pub without_copy: Vec<String>,
}

/// A template that may not be sent.
#[derive(Debug, Clone, Serialize)]
pub struct LackView {
    /// For which step.
    pub step: String,
    /// Its name.
    pub template: String,
    /// The reason's word, as in the rules.
    pub reason: &'static str,
}

/// A template.
#[derive(Debug, Clone, Serialize)]
pub struct TemplateView {
    /// Its name at Meta.
    pub name: String,
    /// Meta's code of its language.
    pub language: String,
    /// As what it is submitted.
    pub category: &'static str,
    /// Whether it offers two dates.
    pub dated: bool,
    /// What Meta looks at, with `{{1}}`, `{{2}}`….
    pub body: String,
    /// What a patient reads, with made-up values.
    pub sample: String,
    /// The made-up values.
    pub examples: Vec<String>,
    /// The buttons.
    pub buttons: Vec<String>,
    /// Segments and steps that use it, as `segment/step`.
    pub used_by: Vec<String>,
    /// `unknown`, `not_submitted`, `pending`, `approved`, `paused`, `rejected`, `disabled` or `deleted`.
    pub state: &'static str,
    /// As of when that was told, or seen, last.
    pub as_of: Option<DateTime<Utc>>,
    /// Until when it is paused, where that is known.
    pub until: Option<DateTime<Utc>>,
    /// Meta's word for why it was refused.
    pub reason: Option<String>,
    /// As what Meta charges it.
    pub meta_category: Option<String>,
    /// As what it will charge it, where that was announced.
    pub coming_category: Option<String>,
    /// How readers take it: `unknown`, `green`, `yellow` or `red`.
    pub quality: Option<&'static str>,
    /// Whether its text at Meta is another than ours.
    pub reworded: bool,
    /// Meta's codes, when it did not take the last submission.
    pub refused: Option<String>,
    /// What is to be done: `check`, `submit`, `wait`, `resubmit`, `overwrite`, `new_version` or `nothing`.
    pub todo: &'static str,
}

impl TemplateView {
    /// Whether anything is left to be done or waited for.
    pub fn needs_a_hand(&self) -> bool {
        self.todo.ne("nothing")
    }

    /// Whether it is one that a person may submit now.
    pub fn may_submit(&self) -> bool {
        ["submit", "resubmit", "overwrite"].contains(&self.todo)
    }

    /// Whether Meta has made marketing of what was submitted as something else.
    pub fn became_marketing(&self) -> bool {
        self.category != "MARKETING" && self.meta_category.as_deref() == Some("MARKETING")
    }
}

/// What a word asks to be done about templates: `refresh`, `subscribe`, or `submit` (all that are missing,
/// or the one named).
#[must_use]
pub fn act_of(word: &str, template: Option<String>) -> Option<TemplateAct> {
    Some(match (word, template) {
        ("refresh", None) => TemplateAct::Refresh,
        ("subscribe", None) => TemplateAct::Subscribe,
        ("submit", None) => TemplateAct::SubmitMissing,
        ("submit", Some(name)) => TemplateAct::Submit(name),
        _ => return None,
    })
}

impl Office {
    /// The templates of a clinic as they stand.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn templates(&self, of: &OpenClinic) -> Result<Templates, Problem> {
        let now = self.now();
        let stored = of.tenant.settings(now).await?;
        let (clinic, approvals) = (&stored.clinic, &stored.approvals);
        let account = &approvals.account;
        Ok(Templates {
            clinic: of.id.to_string(),
            uses: uses(clinic),
            account: account_of(clinic).map(str::to_owned),
            checked_at: account.listed_at,
            subscribed: account.subscribed.as_ref().map(|subscribed| subscribed.is),
            trouble: account.standing_trouble().map(|t| Trouble { at: t.at, what: t.is.code() }),
            flows: flows(clinic, approvals, now),
            templates: needed(clinic).iter().map(|template| view(template, approvals, now)).collect(),
        })
    }

    /// Does what a person wants about a clinic's templates, plays what follows, and says how they stand.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub async fn about_templates(&self, of: &OpenClinic, act: &TemplateAct) -> Result<Templates, Problem> {
        account(of)?;
        if let TemplateAct::Submit(name) = act {
            known(of, name)?;
        }
        // Meta tells whole seconds: on the next one, so that this comes after all that was told before.
        self.begin(Tick::Second)?;
        let now = self.now();
        self.reach.orders.queue(&templates_order(&of.id, act.clone()), now, now).await?;
        self.done().await?;
        self.templates(of).await
    }
}

/// The clinic's account at Meta.
///
/// # Errors
/// [`Problem`] when its settings name none.
pub fn account(of: &OpenClinic) -> Result<&str, Problem> {
    let missing = "the clinic's settings name no account at Meta: add whatsapp_account_id = \"…\" \
                   (WhatsApp Manager, Account overview)";
    account_of(&of.clinic).ok_or_else(|| Problem::bad(missing))
}

/// A template that the clinic's flows need, by its name.
///
/// # Errors
/// [`Problem`] when they need none of this name.
pub fn known(of: &OpenClinic, name: &str) -> Result<NeededTemplate, Problem> {
    let found = needed(&of.clinic).into_iter().find(|template| template.wanted.name == name);
    found.ok_or_else(|| Problem::missing(format!("template {name:?}")).coded("template").with("name", name))
}

fn uses(clinic: &Clinic) -> &'static str {
    if !clinic.channels.contains(Channel::Whatsapp) {
        "no_whatsapp"
    } else if clinic.gateway.is_some() {
        "gateway"
    } else if clinic.whatsapp_account_id.is_none() {
        "no_account"
    } else {
        "cloud_api"
    }
}

/// Whether the flows may begin; nothing to say where no template is needed.
fn flows(clinic: &Clinic, approvals: &Approvals, now: DateTime<Utc>) -> Vec<FlowView> {
    if clinic.gateway.is_some() {
        return Vec::new();
    }
    let lack = |lack: &Lack| LackView {
        step: lack.step.to_string(),
        template: lack.template.clone(),
        reason: lack.why.reason(),
    };
    let view = |verdict: FlowVerdict| FlowView {
        name: Catalogue::embedded()
            .segment_name(clinic.language, verdict.segment.as_str())
            .unwrap_or(verdict.segment.as_str())
            .to_owned(),
        segment: verdict.segment.to_string(),
        flow: verdict.flow.to_string(),
        start: verdict.start.code(),
        blocking: verdict.blocking.as_ref().map(lack),
        lacks: verdict.lacks.iter().map(lack).collect(),
        without_copy: verdict.without_copy.iter().map(ToString::to_string).collect(),
    };
    verdicts(clinic, approvals, now).into_iter().map(view).collect()
}

fn view(template: &NeededTemplate, approvals: &Approvals, now: DateTime<Utc>) -> TemplateView {
    let wanted = &template.wanted;
    let language = wanted.language.whatsapp_code();
    let unknown = TemplateState::default();
    let state = approvals.template(&wanted.name, language).unwrap_or(&unknown);
    let status = state.status.as_ref();
    let until = match state.lacking(now) {
        Some(Lacking::Paused(until)) => until,
        Some(Lacking::NotSubmitted | Lacking::Pending | Lacking::Rejected | Lacking::Disabled | Lacking::Deleted)
        | None => None,
    };
    let refused = state.submission_refused().map(|refused| {
        let codes = [refused.code, refused.subcode].into_iter().flatten().map(|code| code.to_string());
        codes.collect::<Vec<_>>().join("/")
    });
    TemplateView {
        name: wanted.name.clone(),
        language: language.to_owned(),
        category: wanted.category.code(),
        dated: template.dated,
        body: wanted.body.clone(),
        sample: wanted.sample(),
        examples: wanted.examples.clone(),
        buttons: wanted.buttons.clone(),
        used_by: template.uses.iter().map(|of| format!("{}/{}", of.segment, of.step)).collect(),
        state: status.map_or("unknown", |status| status.is.code()),
        as_of: status.map(|status| status.at),
        until,
        reason: state.rejected_for().map(str::to_owned),
        meta_category: state.category.as_ref().map(|category| category.is.clone()),
        coming_category: state.coming_category().map(str::to_owned),
        quality: state.quality.as_ref().map(|quality| quality.is.code()),
        reworded: is_reworded(state),
        refused,
        todo: todo(state),
    }
}

fn is_reworded(state: &TemplateState) -> bool {
    state.reworded.as_ref().is_some_and(|reworded| reworded.is)
}

/// What is to be done about a template.
pub fn todo(state: &TemplateState) -> &'static str {
    match state.status.as_ref().map(|status| &status.is) {
        None => "check",
        Some(TemplateStatus::Absent | TemplateStatus::Deleted) => "submit",
        Some(TemplateStatus::Pending) => "wait",
        Some(TemplateStatus::Approved) if is_reworded(state) => "overwrite",
        Some(TemplateStatus::Approved) => "nothing",
        Some(TemplateStatus::Paused { .. }) => "wait",
        Some(TemplateStatus::Rejected { .. }) => "resubmit",
        Some(TemplateStatus::Disabled) => "new_version",
    }
}
