#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
//! The template of the stack, held against the code it deploys.

mod clinic;
mod own_key;
#[path = "../permissions/mod.rs"]
mod permissions;
mod shape;
mod table;

#[test]
fn the_roles_may_do_what_the_file_says_and_any_change_of_either_is_found() {
    permissions::hold(&[], &[]);
}
