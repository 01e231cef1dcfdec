//! The decisions of Retorno, without I/O, clock or randomness: time, ids and facts are arguments.

pub mod calendar;
pub mod contact;
pub mod holiday;
pub mod hours;
