//! The decisions of Retorno: pure, without I/O, clock or randomness.

pub mod catalogue;
pub mod language;
pub mod lint;
pub mod offer;
pub mod template;
