//! The targets under bytes that nobody chose: what `fuzz/run` does for hours, for a moment.

use proptest::prelude::*;
use retorno_hostile::targets::{TARGETS, Target};

/// Bytes as they come, and text of the letters that parsers care about.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::sample::select(&b"0123456789-:+.,;@/ \"'{}[]=#\n\rTZabcdeoinptx\xFF\xC3\xAD"[..]);
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(letters, 0..120)]
}

/// Targets that make sense of any bytes, because they build their input from them.
fn builders() -> Vec<Target> {
    let names = ["export_header", "import_rows", "link_token", "template"];
    TARGETS.iter().filter(|target| names.contains(&target.name)).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_bytes_break_a_target(bytes in bytes()) {
        TARGETS.iter().for_each(|target| (target.run)(&bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bytes_break_what_is_built_from_them(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        builders().iter().for_each(|target| (target.run)(&bytes));
    }
}

#[test]
fn the_builders_are_there() {
    assert_eq!(builders().len(), 4);
}
