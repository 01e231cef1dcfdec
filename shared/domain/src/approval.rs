//! Meta's word on a clinic's WhatsApp templates: which its flows need, how far each is, and whether a
//! flow may begin. Meta approves every wording in every language by itself before it may be sent, and
//! may take that back at any time.
//!
//! Where nothing is known nothing is forbidden: a clinic whose account was never looked at sends as if
//! everything were approved, and Meta's own refusal stops what is not.

mod needed;
mod state;
mod submission;
mod verdict;

pub use needed::{NeededTemplate, TemplateCategory, TemplateUse, WantedTemplate, account_of, concerns, needed};
pub use state::{
    AccountFact, AccountState, Dated, Fact, Lacking, MetaTrouble, SubmissionRefused, TemplateQuality, TemplateState,
    TemplateStatus,
};
pub use submission::{SeenTemplate, Submission, observed, submission};
pub use verdict::{Approvals, FlowVerdict, Lack, Lacks, Start, marketing_steps, verdicts};
