//! When a step is due, decide it, claim it, send it, record it. The one mouth: nothing else in
//! Retorno can reach a patient.

mod alert;
mod answered;
mod batch;
mod carry_out;
mod connection;
mod copy;
mod dispatch;
mod explain;
mod facts;
mod freed;
mod say;
mod sweep;
mod templates;
mod tier;
mod try_out;

pub use batch::batch;
pub use dispatch::{Dispatcher, Done, SECRETS};
pub use explain::StepExplained;
