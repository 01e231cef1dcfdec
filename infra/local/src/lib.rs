//! The parts of Retorno that stand in for the cloud on one machine: the embedded table engine, the
//! doubles of the services it talks to, and the host that runs the production handlers over them.
//! Nothing here is reachable from a deployed function.

pub mod bench;
pub mod calls;
pub mod client;
pub mod cost;
pub mod demo;
pub mod doubles;
pub mod engine;
pub mod host;
pub mod server;
pub mod settings_file;
pub mod span;
pub mod stack;
pub mod trial;
pub mod why;
pub mod words;

pub use staff_api::outbox;
