//! The send protocol as a model, in three uses of the same two parts. The parts: [`table`], the items
//! with exactly the store's conditions, and [`worker`], an invocation of the dispatcher step by step;
//! both decide by the domain's own functions. The uses: [`model`] goes through every state of a small
//! scope; [`run`] plays clinics for weeks to a year with faults at random; and a test holds the table
//! against the real store, which makes the model the code's model.

pub mod guard;
pub mod model;
pub mod people;
pub mod run;
pub mod table;
pub mod worker;
