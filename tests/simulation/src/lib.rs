//! The production handlers under every fault we can think of, one seed at a time.
//!
//! The handlers are the product's own, unmodified, over the embedded table. The seam is the SDK's
//! connector: there a task waits, dies, freezes, loses requests and answers. The queue, the
//! schedules and the providers have the habits of the real ones. A judge that knows what the run
//! made true — and nothing of the product's rules — looks at every write and at everything that
//! reaches a phone. Clinics write by WhatsApp, e-mail, text message, notification and telephone; some
//! have a timetable in place of a file of free slots, and some patients are minors. One seed is one
//! run, the same each time.

pub mod agenda;
pub mod back;
mod browse;
pub mod browsers;
pub mod called;
pub mod caps;
pub mod chance;
pub mod clinic;
pub mod conversation;
pub mod core;
pub mod environment;
pub mod event;
pub mod expect;
pub mod guards;
pub mod inbox;
pub mod judge;
mod kept;
pub mod life;
pub mod moves;
pub mod patients;
pub mod queue;
pub mod report;
pub mod rest;
pub mod rivals;
pub mod run;
pub mod services;
pub mod summary;
pub mod talk;
pub mod texts;
pub mod trouble;
pub mod visits;
pub mod wire;
pub mod witness;
pub mod world;
pub mod writes;
