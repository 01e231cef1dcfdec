//! `infra/template.yaml`, read as far as the tests need it.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

pub(crate) fn template() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The properties of a resource.
pub(crate) fn properties<'a>(template: &'a Value, resource: &str) -> &'a Value {
    &template["Resources"][resource]["Properties"]
}

/// A value as one text: `!Ref X` is `${X}`, `!GetAtt X.Arn` is `${X.Arn}`, and `!Sub` what it holds.
pub(crate) fn text(value: &Value) -> String {
    let Value::Tagged(tagged) = value else {
        let plain = || serde_yaml_ng::to_string(value).unwrap().trim().to_owned();
        return value.as_str().map_or_else(plain, str::to_owned);
    };
    let held = text(&tagged.value);
    match tagged.tag.to_string().as_str() {
        "!Ref" | "!GetAtt" => format!("${{{held}}}"),
        "!Sub" => held,
        other => panic!("{other} {held}"),
    }
}

/// A text or a list of texts.
pub(crate) fn texts(value: &Value) -> BTreeSet<String> {
    if value.is_null() {
        return BTreeSet::new();
    }
    let list = value.as_sequence().map_or(std::slice::from_ref(value), Vec::as_slice);
    list.iter().map(text).collect()
}
