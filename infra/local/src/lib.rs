//! The parts of Retorno that stand in for the cloud on one machine: the embedded table engine and
//! the doubles of the services it talks to. Nothing here is reachable from a deployed function.

pub mod doubles;
pub mod engine;
