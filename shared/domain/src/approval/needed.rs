//! The templates that a clinic's flows need, as they are submitted to Meta.

use crate::catalogue::Catalogue;
use crate::channel::{Channel, Purpose};
use crate::clinic::Clinic;
use crate::flow::Flow;
use crate::ids::{FlowId, SegmentId, StepId};
use crate::language::Language;
use crate::template::{TEMPLATE_PREFIX, Template, TemplateChannel};

/// What Meta charges and limits a template as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateCategory {
    /// About an appointment that exists.
    Utility,
    /// Inviting back, offers.
    Marketing,
}

impl TemplateCategory {
    /// Meta's word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Marketing => "MARKETING",
            Self::Utility => "UTILITY",
        }
    }

    /// The category of messages of a purpose.
    #[must_use]
    pub fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Marketing => Self::Marketing,
            Purpose::Care => Self::Utility,
        }
    }
}

/// A template that the account should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTemplate {
    /// Its name at Meta.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// As what it is submitted.
    pub category: TemplateCategory,
    /// The body with `{{1}}`, `{{2}}`….
    pub body: String,
    /// A made-up value for each.
    pub examples: Vec<String>,
    /// Labels of the quick-reply buttons.
    pub buttons: Vec<String>,
}

impl WantedTemplate {
    /// Of a copy; none when it is for another channel or a variable has no example.
    #[must_use]
    pub fn of(template: &Template, category: TemplateCategory) -> Option<Self> {
        if template.channel != TemplateChannel::Whatsapp {
            return None;
        }
        let example = |variable| Catalogue::embedded().example(template.language, variable).map(str::to_owned);
        Some(Self {
            name: template.whatsapp_name(),
            language: template.language,
            category,
            body: template.whatsapp_body(),
            examples: template.body.variables().map(example).collect::<Option<_>>()?,
            buttons: template.buttons.clone(),
        })
    }

    /// The body as a patient would read it, with the examples in it.
    #[must_use]
    pub fn sample(&self) -> String {
        let places = self.examples.iter().enumerate();
        places.fold(self.body.clone(), |text, (at, example)| text.replace(&format!("{{{{{}}}}}", at + 1), example))
    }
}

/// Where a template is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateUse {
    /// The segment.
    pub segment: SegmentId,
    /// Its flow.
    pub flow: FlowId,
    /// The flow's step.
    pub step: StepId,
}

/// A template, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededTemplate {
    /// The template.
    pub wanted: WantedTemplate,
    /// Whether it offers two dates; the one without them serves where there are none.
    pub dated: bool,
    /// Where it is used.
    pub uses: Vec<TemplateUse>,
}

/// The account at Meta whose approvals a clinic depends on: none where it does not use WhatsApp, or by a
/// gateway of its own, or where the account is not in its settings.
#[must_use]
pub fn account_of(clinic: &Clinic) -> Option<&str> {
    let by_meta = clinic.gateway.is_none() && clinic.channels.contains(Channel::Whatsapp);
    clinic.whatsapp_account_id.as_deref().filter(|_| by_meta)
}

/// Whether a template of the account may be one of a clinic's: of ours, and in its language. Several clinics
/// may share an account, and others may keep templates there.
#[must_use]
pub fn concerns(clinic: &Clinic, name: &str, language: &str) -> bool {
    let languages = [clinic.language, clinic.language.catalogue()];
    name.starts_with(TEMPLATE_PREFIX) && languages.iter().any(|known| known.whatsapp_code() == language)
}

/// The templates of a clinic's active segments, in their order; each once. Those for guardians are the
/// same for all segments.
#[must_use]
pub fn needed(clinic: &Clinic) -> Vec<NeededTemplate> {
    let mut found: Vec<NeededTemplate> = Vec::new();
    for segment in clinic.segments.iter().filter(|segment| segment.active) {
        let Some(flow) = clinic.flow(&segment.flow) else { continue };
        for step in flow.steps.iter().filter(|step| step.channel == Channel::Whatsapp) {
            let category = TemplateCategory::of(step.purpose);
            let of = |for_guardian| copies(clinic, &segment.id, &step.id, for_guardian);
            for template in of(false).chain(of(true)) {
                let Some(wanted) = WantedTemplate::of(template, category) else { continue };
                let place = TemplateUse { segment: segment.id.clone(), flow: flow.id.clone(), step: step.id.clone() };
                let same = |one: &&mut NeededTemplate| one.wanted.name == wanted.name;
                match found.iter_mut().find(same) {
                    Some(known) => {
                        // Used for both it is marketing, as Meta would have it.
                        known.wanted.category = known.wanted.category.max(category);
                        known.uses.push(place);
                    }
                    None => found.push(NeededTemplate { wanted, dated: template.dated, uses: vec![place] }),
                }
            }
        }
    }
    found
}

/// The copies of a step on WhatsApp, to the patient or to a minor's guardian: with two dates, and without.
pub(super) fn copies(
    clinic: &Clinic,
    segment: &SegmentId,
    step: &StepId,
    for_guardian: bool,
) -> impl Iterator<Item = &'static Template> {
    let key = Flow::template_key(segment, step, for_guardian);
    let (language, detail) = (clinic.language, clinic.clinical_detail);
    let copy = move |dated: bool| {
        let found = Catalogue::embedded().find(&key, TemplateChannel::Whatsapp, language, dated)?;
        (found.dated == dated && (detail || !found.clinical_detail)).then_some(found)
    };
    [true, false].into_iter().filter_map(copy)
}
