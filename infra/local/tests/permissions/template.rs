//! `infra/template.yaml`, read as far as the tests need it.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

use super::granted::{Roles, Statement, line};

pub(crate) fn template() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The properties of a resource.
pub(crate) fn properties<'a>(template: &'a Value, resource: &str) -> &'a Value {
    &template["Resources"][resource]["Properties"]
}

/// Resources of a kind by name, with their properties.
pub(crate) fn of_kind<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_mapping().unwrap();
    let of_kind = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.as_str().unwrap(), &resource["Properties"])).collect()
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

/// The resource that a reference names.
pub(crate) fn named(value: &Value) -> String {
    text(value).replace("${", "").replace(".Arn", "").replace('}', "")
}

/// The statements of the template's roles, by the roles' names in `permissions.toml`.
pub(crate) fn role_statements(template: &Value) -> BTreeMap<String, &Value> {
    for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"] {
        assert!(of_kind(template, kind).is_empty(), "{kind}: a role has one policy, its own");
    }
    let mut roles = BTreeMap::new();
    for (name, role) in of_kind(template, "AWS::IAM::Role") {
        let policies = role["Policies"].as_sequence().unwrap();
        assert_eq!(policies.len(), 1, "{name}");
        assert!(role["ManagedPolicyArns"].is_null(), "{name}");
        roles.insert(text(&policies[0]["PolicyName"]), &policies[0]["PolicyDocument"]["Statement"]);
    }
    roles
}

/// Statements by role, each as a line.
pub(crate) type Lines = BTreeMap<String, BTreeSet<String>>;

/// Those of the template; what a customer's own key and text messages add is compared by itself.
pub(crate) fn lines_of_template(template: &Value) -> Lines {
    let of_role = |statements: &Value| {
        let statements = statements.as_sequence().unwrap().iter();
        statements.filter(|statement| !matches!(statement, Value::Tagged(_))).map(line_of).collect()
    };
    role_statements(template).into_iter().map(|(role, statements)| (role, of_role(statements))).collect()
}

/// Those of a file.
pub(crate) fn lines_of(roles: &Roles) -> Lines {
    roles.iter().map(|(role, statements)| (role.clone(), statements.iter().map(Statement::line).collect())).collect()
}

fn line_of(statement: &Value) -> String {
    let mut conditions = Vec::new();
    for (operator, names) in statement["Condition"].as_mapping().into_iter().flatten() {
        for (name, value) in names.as_mapping().unwrap() {
            conditions.push(format!("{} {} {:?}", text(operator), text(name), texts(value)));
        }
    }
    let (sid, effect) = (text(&statement["Sid"]), text(&statement["Effect"]));
    line(&sid, &effect, &texts(&statement["Action"]), &texts(&statement["Resource"]), &conditions)
}
