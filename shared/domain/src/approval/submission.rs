//! What Meta's list says of a template, and what a submission of it comes to.

use chrono::{DateTime, TimeDelta, Utc};

use super::state::{Fact, TemplateState, TemplateStatus};

/// What was submitted may be missing from Meta's list for a while.
const LISTED_AFTER: TimeDelta = TimeDelta::hours(1);

/// A template as Meta's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTemplate {
    /// Meta's id.
    pub id: String,
    /// Where it stands.
    pub status: TemplateStatus,
    /// As what it is charged.
    pub category: String,
    /// Whether its text is another than ours.
    pub reworded: bool,
}

/// What a list read at an instant says of a template, given what is known of it; nothing was seen where
/// the list does not hold it.
#[must_use]
pub fn observed(known: Option<&TemplateState>, seen: Option<SeenTemplate>, at: DateTime<Utc>) -> Vec<Fact> {
    let status = known.and_then(|known| known.status.as_ref());
    let Some(seen) = seen else {
        let just_submitted = status.is_some_and(|status| {
            status.is == TemplateStatus::Pending && at.signed_duration_since(status.at) < LISTED_AFTER
        });
        return if just_submitted { Vec::new() } else { vec![Fact::Status(TemplateStatus::Absent)] };
    };
    let mut facts = vec![Fact::Id(seen.id), Fact::Reworded(seen.reworded)];
    if !seen.category.is_empty() {
        facts.push(Fact::Category(seen.category));
    }
    // The list does not say how long a pause lasts; what told of it may have.
    let end_is_known = matches!(
        status.map(|status| &status.is),
        Some(TemplateStatus::Paused { until: Some(until) }) if *until > at
    );
    if !(end_is_known && matches!(seen.status, TemplateStatus::Paused { .. })) {
        facts.push(Fact::Status(seen.status));
    }
    facts
}

/// What a submission comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// It is created.
    Create,
    /// The one at Meta is given our text once more.
    Edit {
        /// Meta's id of it.
        id: String,
    },
    /// There is nothing to submit.
    Nothing,
}

/// Decides about a submission. Of all together (`by_name` is false) only what is missing goes; who names a
/// template also has a refused one looked at again, and one with another text overwritten, though that
/// takes an approval away until Meta has looked.
#[must_use]
pub fn submission(known: Option<&TemplateState>, by_name: bool) -> Submission {
    let Some(state) = known else { return Submission::Create };
    let edit = || match &state.id {
        Some(id) => Submission::Edit { id: id.is.clone() },
        None => Submission::Create,
    };
    let is_reworded = state.reworded.as_ref().is_some_and(|reworded| reworded.is);
    match state.status.as_ref().map(|status| &status.is) {
        None | Some(TemplateStatus::Absent) => Submission::Create,
        Some(TemplateStatus::Deleted) if by_name => Submission::Create,
        Some(TemplateStatus::Rejected { .. }) if by_name || is_reworded => edit(),
        Some(TemplateStatus::Approved | TemplateStatus::Paused { .. }) if by_name && is_reworded => edit(),
        Some(
            TemplateStatus::Pending
            | TemplateStatus::Approved
            | TemplateStatus::Paused { .. }
            | TemplateStatus::Rejected { .. }
            | TemplateStatus::Disabled
            | TemplateStatus::Deleted,
        ) => Submission::Nothing,
    }
}
