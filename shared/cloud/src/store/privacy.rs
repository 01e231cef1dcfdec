//! What is held about one person: all of it in one file ([`export`]), or removed ([`erase`]).
//!
//! [`kinds`] lists every kind of item of the table and what becomes of it; `held` finds a person's.
//! Whoever adds a kind of item adds it there: a test holds that nothing in the table is of no kind.

pub mod erase;
pub mod export;
mod held;
mod job;
pub mod kinds;
pub mod marks;
mod reason;
mod tombstone;
