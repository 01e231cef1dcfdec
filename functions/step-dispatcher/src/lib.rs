//! When a step is due, decide it, claim it, send it, record it. The one mouth: nothing else in
//! Retorno can reach a patient.

mod answered;
mod carry_out;
mod copy;
mod dispatch;
mod explain;
mod facts;
mod freed;
mod say;
mod sweep;
mod templates;
mod tier;

pub use dispatch::{Dispatcher, Done};
pub use explain::StepExplained;
