//! Segments and flows as they stand in a clinic's settings file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::channel::{Channel, Purpose};
use crate::flow::{Answer, Flow, Reaction, Step};
use crate::ids::{FlowId, SegmentId, StepId};
use crate::segment::{AmountAtLeast, Condition, Segment};
use crate::services::ServiceLists;
use crate::settings::{SettingsError, wrong};

fn default_seats() -> u32 {
    200
}
fn default_flow() -> String {
    "reactivacion".to_owned()
}
fn yes() -> bool {
    true
}
fn default_delay() -> u16 {
    96
}
fn default_purpose() -> String {
    Purpose::Marketing.code().to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentSettings {
    id: String,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default = "default_seats")]
    seats_per_week: u32,
    #[serde(default = "default_flow")]
    flow: String,
    #[serde(default)]
    goal: String,
    rules: Vec<RuleSettings>,
}

/// One rule; exactly one of the keys is given (`service` and `days_ago` belong together).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSettings {
    last_visit_days: Option<Range>,
    service: Option<String>,
    days_ago: Option<Vec<[u32; 2]>>,
    plan_pending_days_over: Option<u32>,
    visits: Option<Range>,
    mean_amount_percentile: Option<u8>,
    mean_amount_at_least: Option<f64>,
    last_service: Option<String>,
    professional: Option<Vec<String>>,
    insurer: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(default)]
    min: u32,
    max: Option<u32>,
}

impl SegmentSettings {
    pub(crate) fn read(self, lists: &ServiceLists, flows: &[Flow]) -> Result<Segment, SettingsError> {
        let key = format!("segments.{}", self.id);
        let flow = FlowId::parse(&self.flow).map_err(|e| wrong(format!("{key}.flow"), e))?;
        if !flows.iter().any(|known| known.id == flow) {
            return Err(wrong(format!("{key}.flow"), "names a flow that is not there"));
        }
        if self.rules.is_empty() {
            return Err(wrong(format!("{key}.rules"), "must hold at least one rule, or everybody would belong"));
        }
        let rules = self.rules.into_iter().map(|rule| rule.read(&format!("{key}.rules"), lists));
        Ok(Segment {
            id: SegmentId::parse(&self.id).map_err(|e| wrong(format!("{key}.id"), e))?,
            all: rules.collect::<Result<_, _>>()?,
            flow,
            seats_per_week: self.seats_per_week,
            active: self.active,
            goal: self.goal,
        })
    }
}

impl RuleSettings {
    fn runs_backwards(&self) -> bool {
        let mut ranges = [self.last_visit_days, self.visits].into_iter().flatten();
        let mut windows = self.days_ago.iter().flatten();
        ranges.any(|range| range.max.is_some_and(|max| max < range.min)) || windows.any(|[from, until]| until < from)
    }

    fn read(self, key: &str, lists: &ServiceLists) -> Result<Condition, SettingsError> {
        let list = |name: &str| {
            lists.place(name).ok_or_else(|| wrong(key, format!("the list of services {name} is not under [services]")))
        };
        let mut found = Vec::new();
        if self.runs_backwards() {
            return Err(wrong(key, "a range must not end before it begins, or nobody would ever belong"));
        }
        if let Some(Range { min, max }) = self.last_visit_days {
            found.push(Condition::LastVisit { min, max });
        }
        match (&self.service, &self.days_ago) {
            (Some(name), Some(windows)) => {
                let windows = windows.iter().map(|[from, until]| (*from, *until)).collect();
                found.push(Condition::ServiceDone { list: list(name)?, windows });
            }
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => return Err(wrong(key, "service and days_ago belong together")),
        }
        if let Some(more_than_days) = self.plan_pending_days_over {
            found.push(Condition::PlanPending { more_than_days });
        }
        if let Some(Range { min, max }) = self.visits {
            found.push(Condition::Visits { min, max });
        }
        if let Some(percentile) = self.mean_amount_percentile {
            if !(1..=100).contains(&percentile) {
                return Err(wrong(key, "mean_amount_percentile must be between 1 and 100"));
            }
            found.push(Condition::MeanAmount(AmountAtLeast::Percentile(percentile)));
        }
        if let Some(amount) = self.mean_amount_at_least {
            if !(0.0..=1e12).contains(&amount) {
                return Err(wrong(key, "mean_amount_at_least must be between 0 and 10^12"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
            found.push(Condition::MeanAmount(AmountAtLeast::Cents((amount * 100.0).round() as i64)));
        }
        if let Some(name) = self.last_service {
            found.push(Condition::LastService { list: list(&name)? });
        }
        found.extend(self.professional.map(Condition::Professional));
        found.extend(self.insurer.map(Condition::Insurer));
        match (found.pop(), found.is_empty()) {
            (Some(condition), true) => Ok(condition),
            (Some(_), false) => Err(wrong(key, "each rule has one condition: write two rules")),
            (None, _) => Err(wrong(key, "a rule is empty")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowSettings {
    id: String,
    version: u32,
    close_after_days: u16,
    steps: Vec<StepSettings>,
    #[serde(default)]
    branches: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepSettings {
    id: String,
    offset_days: u16,
    channel: String,
    #[serde(default = "default_purpose")]
    purpose: String,
    #[serde(default = "default_delay")]
    delay_hours_max: u16,
    #[serde(default)]
    metric: String,
}

impl FlowSettings {
    /// `has_sms`: the clinic has a sender of text messages.
    pub(crate) fn read(self, has_sms: bool) -> Result<Flow, SettingsError> {
        let key = format!("flows.{}", self.id);
        let steps = self.steps.into_iter().map(|step| step.read(&key, has_sms)).collect::<Result<_, _>>()?;
        let branches = self.branches.iter().map(|(on, then)| branch(&key, on, then)).collect::<Result<_, _>>()?;
        let flow = Flow {
            id: FlowId::parse(&self.id).map_err(|e| wrong(format!("{key}.id"), e))?,
            version: self.version,
            steps,
            close_after_days: self.close_after_days,
            branches,
        };
        flow.validate().map_err(|e| wrong(key, e))?;
        Ok(flow)
    }
}

impl StepSettings {
    fn read(self, key: &str, has_sms: bool) -> Result<Step, SettingsError> {
        let key = format!("{key}.steps.{}", self.id);
        let channel = self.channel.parse::<Channel>();
        if channel == Ok(Channel::Sms) && !has_sms {
            return Err(wrong(format!("{key}.channel"), "is sms, which needs [sms] origination"));
        }
        let purpose = [Purpose::Marketing, Purpose::Care].into_iter().find(|p| p.code() == self.purpose);
        Ok(Step {
            id: StepId::parse(&self.id).map_err(|e| wrong(format!("{key}.id"), e))?,
            offset_days: self.offset_days,
            channel: channel.map_err(|()| wrong(format!("{key}.channel"), "is whatsapp, email, sms, call or push"))?,
            purpose: purpose.ok_or_else(|| wrong(format!("{key}.purpose"), "is marketing or care"))?,
            delay_hours_max: self.delay_hours_max,
            metric: self.metric,
        })
    }
}

fn branch(key: &str, on: &str, then: &str) -> Result<(Answer, Reaction), SettingsError> {
    const ANSWERS: [(&str, Answer); 7] = [
        ("yes", Answer::Yes),
        ("click", Answer::Click),
        ("no", Answer::No),
        ("opt_out", Answer::OptOut),
        ("unclear", Answer::Unclear),
        ("unread", Answer::Unread),
        ("silence", Answer::Silence),
    ];
    const REACTIONS: [(&str, Reaction); 5] = [
        ("book_now", Reaction::BookNow),
        ("high_intent", Reaction::HighIntent),
        ("next_step", Reaction::NextStep),
        ("hand_over", Reaction::HandOver),
        ("close", Reaction::Close),
    ];
    let answer = ANSWERS.into_iter().find(|(name, _)| *name == on).map(|(_, answer)| answer);
    let reaction = REACTIONS.into_iter().find(|(name, _)| *name == then).map(|(_, reaction)| reaction);
    match (answer, reaction) {
        (Some(answer), Some(reaction)) => Ok((answer, reaction)),
        _ => Err(wrong(format!("{key}.branches.{on}"), "is not an answer and a reaction of the documentation")),
    }
}
