//! The lists parse.

use super::vocabulary::Vocabulary;

#[test]
fn the_word_lists_have_no_fault() {
    let vocabulary = Vocabulary::embedded();
    assert!(vocabulary.faults.is_empty(), "{:#?}", vocabulary.faults);
    assert!(vocabulary.phrases.len() > 1000, "{}", vocabulary.phrases.len());
}
