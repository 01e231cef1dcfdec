//! What each link is for: what is shown when it is opened, and what its forms do.

pub(crate) mod appointment;
pub(crate) mod book;
pub(crate) mod consent;
pub(crate) mod preferences;
pub(crate) mod push;
mod slots;
pub(crate) mod survey;
pub(crate) mod unsubscribe;
