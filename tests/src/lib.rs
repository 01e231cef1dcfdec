//! What Retorno must hold, seen from outside.
//!
//! Nothing here is built from the product's crates: the product is run as a program, and what it
//! says is compared with [`mod@reference`], a second, simple and slow reading of the same rules from
//! the export alone.

pub mod generated;
pub mod reference;
