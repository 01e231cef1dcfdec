#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
//! The template of the stack, held against the code it deploys.

mod clinic;
mod granted;
mod permissions;
mod shape;
mod table;
mod template;
