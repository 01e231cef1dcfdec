//! How the pages look: from plain views to HTML, choosing nothing.

mod appointment;
mod consent;
mod frame;
mod pick;
mod preferences;
mod problem;
mod push;
mod survey;
mod unsubscribe;
mod waitlist;

pub(crate) use appointment::{Standing, VisitView, ask_cancel, visit};
pub(crate) use consent::{ConsentForm, Fault, agreed, consent};
pub(crate) use frame::Shown;
pub(crate) use pick::{Day, Notice, Offer, SlotView, pick};
pub(crate) use preferences::{Saved, Ticks, preferences};
pub(crate) use problem::Trouble;
pub(crate) use push::{PushNote, PushView, push};
pub(crate) use survey::{survey, thanks};
pub(crate) use unsubscribe::{unsubscribe, unsubscribed};
pub(crate) use waitlist::{WAITLIST_PARTS, full, joined};

#[cfg(test)]
mod tests;
