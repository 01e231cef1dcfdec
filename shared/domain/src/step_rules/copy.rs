//! What may be wrong with a step's copy, and what the rule about it says.

use chrono::{DateTime, Utc};

use super::StepCase;
use crate::approval::Lacking;
use crate::because::{Finding, Verdict};

/// What is wrong with a step's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyProblem {
    /// There is no template for the step in the clinic's language.
    Missing,
    /// A variable has no value.
    Unfilled,
    /// The provider has halted the template until then.
    Halted(DateTime<Utc>),
    /// Meta has not approved it, or no longer lets it be sent.
    NotApproved {
        /// The template's name at Meta.
        template: String,
        /// What it lacks.
        why: Lacking,
    },
}

impl StepCase<'_> {
    pub(super) fn copy(&self) -> Finding {
        match (self.facts.copy)(self.step) {
            None => Finding::pass("copy"),
            Some(CopyProblem::Missing) => Finding::not("copy", "no_template", Verdict::Skip),
            Some(CopyProblem::Unfilled) => Finding::not("copy", "unfilled_variable", Verdict::Skip),
            Some(CopyProblem::Halted(until)) => Finding::not("copy", "template_halted", Verdict::Wait(until)),
            Some(CopyProblem::NotApproved { template, why }) => {
                // Left out under its own reason, not as a step that came too late.
                let again = why.look_again(self.now).filter(|until| *until <= self.latest());
                Finding::not("copy", why.reason(), again.map_or(Verdict::Skip, Verdict::Wait))
                    .with("template", template)
            }
        }
    }
}
