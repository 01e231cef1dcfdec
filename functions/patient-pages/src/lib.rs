//! When a patient opens a signed link, show what it is for and do what they choose.

mod answer;
mod pages;
mod purpose;
mod request;
mod texts;
mod view;

pub use answer::PageAnswer;
pub use pages::{Pages, SECRETS, unavailable};
pub use request::{BODY_BYTES_MAX, PageRequest};
