//! When staff asks, answer: the JSON API of a clinic's people and of whoever looks after its system. What
//! it shows and does is the same in the cloud, behind a JWT authorizer, and on one machine.

pub mod agenda;
mod audit;
pub mod caller;
pub mod connections;
mod connections_api;
pub mod consent;
pub mod gate;
pub mod inbox;
mod masked;
pub mod office;
pub mod outbox;
pub mod parked;
pub mod privacy;
pub mod problem;
pub mod routes;
mod staff;
pub mod strangers;
mod strangers_api;
pub mod talk;
pub mod templates;
mod templates_api;
pub mod thread;
pub mod why;

pub use office::{Office, OpenClinic, Premises, SECRETS};
pub use problem::Problem;
pub use routes::router;
