//! Whether a flow may begin, and which of its templates lack what.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::needed::{account_of, copies};
use super::state::{AccountState, Lacking, TemplateState};
use crate::channel::{Channel, Purpose};
use crate::clinic::Clinic;
use crate::flow::{Flow, Step};
use crate::ids::{FlowId, SegmentId, StepId};
use crate::segment::Segment;
use crate::template::Template;

/// What is known of an account and its templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    /// The account.
    pub account: AccountState,
    /// Its templates, by name and Meta's code of the language.
    pub templates: BTreeMap<(String, String), TemplateState>,
}

impl Approvals {
    /// What is known of a template, by name and Meta's code of the language.
    #[must_use]
    pub fn template(&self, name: &str, language: &str) -> Option<&TemplateState> {
        self.templates.get(&(name.to_owned(), language.to_owned()))
    }

    /// What is known of a copy.
    #[must_use]
    pub fn of(&self, copy: &Template) -> Option<&TemplateState> {
        if self.templates.is_empty() {
            return None;
        }
        self.template(&copy.whatsapp_name(), copy.language.whatsapp_code())
    }

    /// What a copy lacks to be sent; nothing where nothing is known.
    #[must_use]
    pub fn lacking(&self, copy: &Template, now: DateTime<Utc>) -> Option<Lacking> {
        self.of(copy)?.lacking(now)
    }
}

/// Whether a flow may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// Everything is approved.
    Ready,
    /// Of some template nothing is known; it begins as if that were approved.
    Unknown,
    /// It begins, and one of the two copies of a step, with dates or without, cannot be sent; or it begins
    /// for whoever is written to in person, and not where a minor's guardian is.
    Partly,
    /// A step has no copy that may be sent: whoever is reached by WhatsApp is not enrolled.
    Blocked,
}

impl Start {
    /// Its word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unknown => "unknown",
            Self::Partly => "partly",
            Self::Blocked => "blocked",
        }
    }
}

/// A template that may not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The step it is for.
    pub step: StepId,
    /// Its name.
    pub template: String,
    /// What it lacks.
    pub why: Lacking,
}

/// What is to be said of a segment's flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVerdict {
    /// The segment.
    pub segment: SegmentId,
    /// Its flow.
    pub flow: FlowId,
    /// Whether it may begin.
    pub start: Start,
    /// What keeps it from beginning.
    pub blocking: Option<Lack>,
    /// What keeps it from beginning where a minor's guardian is written to.
    pub blocking_for_guardians: Option<Lack>,
    /// The templates that may not be sent.
    pub lacks: Vec<Lack>,
    /// Steps for which there is no text in the clinic's language.
    pub without_copy: Vec<StepId>,
}

/// Judges the flow of each active segment that writes by WhatsApp.
#[must_use]
pub fn verdicts(clinic: &Clinic, approvals: &Approvals, now: DateTime<Utc>) -> Vec<FlowVerdict> {
    let uses_whatsapp = clinic.channels.contains(Channel::Whatsapp);
    let segments = clinic.segments.iter().filter(|segment| segment.active && uses_whatsapp);
    segments.filter_map(|segment| verdict(clinic, approvals, segment, clinic.flow(&segment.flow)?, now)).collect()
}

fn verdict(
    clinic: &Clinic,
    approvals: &Approvals,
    segment: &Segment,
    flow: &Flow,
    now: DateTime<Utc>,
) -> Option<FlowVerdict> {
    let by_whatsapp = |step: &&Step| step.channel == Channel::Whatsapp;
    let mut verdict = FlowVerdict {
        segment: segment.id.clone(),
        flow: flow.id.clone(),
        start: Start::Ready,
        blocking: None,
        blocking_for_guardians: None,
        lacks: Vec::new(),
        without_copy: Vec::new(),
    };
    flow.steps.iter().find(by_whatsapp)?;
    for step in flow.steps.iter().filter(by_whatsapp) {
        for for_guardian in [false, true] {
            let copies: Vec<&Template> = copies(clinic, &segment.id, &step.id, for_guardian).collect();
            if copies.is_empty() && !for_guardian {
                verdict.without_copy.push(step.id.clone());
            }
            verdict.judge(approvals, step, (&copies, for_guardian), now);
        }
    }
    Some(verdict)
}

impl FlowVerdict {
    /// Judges the copies of a step: to the patient, or to a minor's guardian.
    fn judge(
        &mut self,
        approvals: &Approvals,
        step: &Step,
        (copies, for_guardian): (&[&Template], bool),
        now: DateTime<Utc>,
    ) {
        let lack = |copy: &&Template| {
            let why = approvals.lacking(copy, now)?;
            Some(Lack { step: step.id.clone(), template: copy.whatsapp_name(), why })
        };
        let lacks: Vec<Lack> = copies.iter().filter_map(lack).collect();
        let is_unknown = |copy: &&Template| approvals.of(copy).is_none_or(|state| state.status.is_none());
        let start = match lacks.as_slice() {
            [] if copies.iter().any(is_unknown) => Start::Unknown,
            [] => Start::Ready,
            [first, ..] if lacks.len() == copies.len() && for_guardian => {
                self.blocking_for_guardians.get_or_insert_with(|| first.clone());
                Start::Partly
            }
            [first, ..] if lacks.len() == copies.len() => {
                self.blocking.get_or_insert_with(|| first.clone());
                Start::Blocked
            }
            [..] => Start::Partly,
        };
        self.start = self.start.max(start);
        self.lacks.extend(lacks);
    }
}

/// What Meta's word changes about the flows: which may not begin, in person or through a guardian, each
/// with the template that stands in the way first; and which steps are marketing by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    blocking: BTreeMap<(SegmentId, bool), Lack>,
    marketing: BTreeSet<(SegmentId, StepId)>,
}

impl Lacks {
    /// As far as is known, for a clinic that depends on Meta's approvals.
    #[must_use]
    pub fn of(clinic: &Clinic, approvals: &Approvals, now: DateTime<Utc>) -> Self {
        if approvals.templates.is_empty() || account_of(clinic).is_none() {
            return Self::default();
        }
        let mut lacks = Self::default();
        for verdict in verdicts(clinic, approvals, now) {
            for (for_guardian, lack) in [(false, verdict.blocking), (true, verdict.blocking_for_guardians)] {
                lacks.blocking.extend(lack.map(|lack| ((verdict.segment.clone(), for_guardian), lack)));
            }
        }
        for segment in clinic.segments.iter().filter(|segment| segment.active) {
            let steps = clinic.flow(&segment.flow).into_iter().flat_map(|flow| &flow.steps);
            let marketing = steps.filter(|step| is_marketing(clinic, approvals, &segment.id, step));
            lacks.marketing.extend(marketing.map(|step| (segment.id.clone(), step.id.clone())));
        }
        lacks
    }

    /// What keeps a segment's flow from beginning: for whoever is written to in person, or where a
    /// minor's guardian is.
    #[must_use]
    pub fn of_segment(&self, segment: &SegmentId, for_guardian: bool) -> Option<&Lack> {
        self.blocking.get(&(segment.clone(), for_guardian))
    }

    /// What a step of a segment's flow is for: marketing where Meta has it so.
    #[must_use]
    pub fn purpose(&self, segment: &SegmentId, step: &Step) -> Purpose {
        let is_marketing = self.marketing.contains(&(segment.clone(), step.id.clone()));
        if is_marketing { Purpose::Marketing } else { step.purpose }
    }
}

/// A flow as it must be treated: what Meta counts as marketing is marketing, whatever the clinic meant by
/// it, with the consent and the limits that follow.
#[must_use]
pub fn marketing_steps(clinic: &Clinic, approvals: &Approvals, segment: &SegmentId, flow: Flow) -> Flow {
    let step = |step: Step| {
        let is_marketing = is_marketing(clinic, approvals, segment, &step);
        Step { purpose: if is_marketing { Purpose::Marketing } else { step.purpose }, ..step }
    };
    Flow { steps: flow.steps.into_iter().map(step).collect(), ..flow }
}

/// Whether Meta counts a copy of a step as marketing.
fn is_marketing(clinic: &Clinic, approvals: &Approvals, segment: &SegmentId, step: &Step) -> bool {
    let both = [false, true].into_iter();
    step.channel == Channel::Whatsapp
        && both
            .flat_map(|for_guardian| copies(clinic, segment, &step.id, for_guardian))
            .any(|copy| approvals.of(copy).is_some_and(TemplateState::is_marketing))
}
