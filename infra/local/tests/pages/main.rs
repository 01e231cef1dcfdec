#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
//! Whole requests to the patient pages, over the embedded table and the production handlers: what is
//! shown, what is changed, and what never is.

mod booking;
mod clinic;
#[path = "../permissions/mod.rs"]
mod permissions;
mod push;
mod refused;
mod seldom;
mod wishes;

#[test]
fn the_function_calls_what_its_role_allows_and_no_more() {
    permissions::hold(
        &["patient-pages"],
        &[booking::JOURNEYS, push::JOURNEYS, refused::JOURNEYS, seldom::JOURNEYS, wishes::JOURNEYS].concat(),
    );
}
