//! The half of Retorno that decides. No I/O, async, clock, randomness or environment: time, ids and
//! facts are arguments, and the same arguments give the same decision.

pub mod appointment;
pub mod because;
pub mod calendar;
pub mod catalogue;
pub mod channel;
pub mod clinic;
pub mod consent;
pub mod contact;
pub mod contact_point;
pub mod decide;
pub mod enrollment;
pub mod entry;
pub mod flow;
pub mod guard;
pub mod holiday;
pub mod hours;
pub mod ids;
pub mod language;
pub mod limits;
pub mod lint;
pub mod message;
pub mod offer;
pub mod patient;
pub mod reply;
pub mod segment;
pub mod services;
pub mod settings;
mod settings_rules;
pub mod standing;
pub mod step_rules;
pub mod summary;
pub mod template;
pub mod wave;
