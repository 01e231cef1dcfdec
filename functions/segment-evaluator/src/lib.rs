//! Every morning in the clinic's zone, find who became due and enroll this week's wave.

mod evaluate;
mod survey;
mod wave;

pub use evaluate::{Evaluation, Scope, evaluate};
pub use survey::{SegmentCount, Survey, survey};
pub use wave::Wave;

/// The secrets that the function needs.
pub const SECRETS: &[retorno_cloud::vault::SecretGroup] = &[retorno_cloud::vault::SecretGroup::Contact];
