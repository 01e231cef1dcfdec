//! A service as the export names it, against a clinic's lists of words.

use retorno_domain::services::{ServiceLists, fold};

use crate::pieces::Pieces;

/// A listed word, and the service.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let (word, service) = (pieces.text(), pieces.rest_as_text());
    let lists =
        ServiceLists::new([("one".to_owned(), vec![word.clone().into_owned()]), ("none".to_owned(), Vec::new())]);
    let found: Vec<u8> = lists.matching(&service).collect();
    let (word, service) = (fold(&word), fold(&service));
    assert!(!service.contains("  ") && service.trim() == service);
    match found.as_slice() {
        [] => assert!(word.is_empty() || service != word, "the very word was not found"),
        [0] => assert!(!word.is_empty() && service.contains(&word), "found what is not there"),
        more => assert!(more.is_empty(), "a list without words matched"),
    }
}
