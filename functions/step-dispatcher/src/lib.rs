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
mod say_stranger;
mod sweep;
mod templates;
mod tier;
pub mod time_left;
mod traced;
mod try_out;

pub use batch::batch;
pub use dispatch::{Dispatcher, Done, SECRETS};
pub use explain::StepExplained;
