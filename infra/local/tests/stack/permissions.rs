//! The roles of the template are those of `permissions.toml`, word for word; and no role may do more
//! than some line of that file says why.

use std::collections::{BTreeMap, BTreeSet};

use retorno_cloud::vault::SecretGroup;
use serde_yaml_ng::Value;

use crate::granted::{Statement, granted};
use crate::template::{properties, template, text, texts};

/// Roles of the template by their name in `permissions.toml`.
fn roles(template: &Value) -> BTreeMap<String, &Value> {
    let mut roles = BTreeMap::new();
    for (name, resource) in template["Resources"].as_mapping().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        assert!(!["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"].contains(&kind), "{name:?}");
        if kind == "AWS::IAM::Role" {
            let name = name.as_str().unwrap();
            let policies = properties(template, name)["Policies"].as_sequence().unwrap();
            assert_eq!(policies.len(), 1, "{name}");
            assert!(properties(template, name)["ManagedPolicyArns"].is_null(), "{name}");
            roles.insert(text(&policies[0]["PolicyName"]), &policies[0]["PolicyDocument"]["Statement"]);
        }
    }
    roles
}

/// A statement as one line, so that two lists of them can be compared and shown.
fn line(sid: &str, effect: &str, actions: &BTreeSet<String>, on: &BTreeSet<String>, conditions: &[String]) -> String {
    format!("{sid}: {effect} {actions:?} on {on:?} if {conditions:?}")
}

fn of_template(statement: &Value) -> Option<String> {
    // What a customer's own key adds is compared by itself below.
    if matches!(statement, Value::Tagged(_)) {
        return None;
    }
    let mut conditions = Vec::new();
    for (operator, names) in statement["Condition"].as_mapping().into_iter().flatten() {
        for (name, value) in names.as_mapping().unwrap() {
            conditions.push(format!("{} {} {:?}", text(operator), text(name), texts(value)));
        }
    }
    let (sid, effect) = (text(&statement["Sid"]), text(&statement["Effect"]));
    Some(line(&sid, &effect, &texts(&statement["Action"]), &texts(&statement["Resource"]), &conditions))
}

fn of_file(statement: &Statement) -> String {
    let mut conditions = Vec::new();
    if !statement.keys.is_empty() {
        let any_or_all = if statement.effect == "Deny" { "ForAnyValue" } else { "ForAllValues" };
        conditions.push(format!("{any_or_all}:StringLike dynamodb:LeadingKeys {:?}", statement.keys));
    }
    if let Some((operator, name, value)) = &statement.when {
        conditions.push(format!("{operator} {name} {:?}", BTreeSet::from([value])));
    }
    line(&statement.sid, &statement.effect, &statement.actions, &statement.on, &conditions)
}

#[test]
fn the_templates_roles_may_do_what_the_file_says_and_nothing_else() {
    let template = template();
    let (roles, granted) = (roles(&template), granted());
    assert_eq!(roles.keys().collect::<Vec<_>>(), granted.keys().collect::<Vec<_>>());
    for (role, statements) in &granted {
        let there: BTreeSet<String> = roles[role].as_sequence().unwrap().iter().filter_map(of_template).collect();
        let wanted: BTreeSet<String> = statements.iter().map(of_file).collect();
        let differ: Vec<_> = there.symmetric_difference(&wanted).collect();
        assert!(differ.is_empty(), "{role}: template and permissions.toml differ in {differ:#?}");
    }
}

#[test]
fn no_permission_is_a_wildcard_and_each_says_why() {
    for (role, statements) in granted() {
        for statement in statements {
            let sid = &statement.sid;
            assert!(statement.why.len() > 10, "{role} {sid}: why?");
            let excuses = statement.unseen.iter().chain(statement.unseen_keys.values());
            assert!(excuses.into_iter().all(|why| why.len() > 10), "{role} {sid}: why is it unseen?");
            assert!(statement.unseen_keys.keys().all(|key| statement.keys.contains(key)), "{role} {sid}: unseen keys");
            assert!(statement.actions.iter().all(|action| !action.contains('*')), "{role} {sid}");
            assert!(statement.on.iter().all(|on| on.starts_with("arn:") || on.starts_with("${")), "{role} {sid}");
            let is_table = statement.on.iter().any(|on| on.starts_with("${Table.Arn}"));
            assert!(!is_table || !statement.keys.is_empty(), "{role} {sid}: of the whole table");
            assert!(!statement.keys.iter().any(|key| ["*", "T#*"].contains(&key.as_str())), "{role} {sid}");
        }
    }
}

#[test]
fn nobody_may_change_or_delete_an_audit_record_and_who_neither_claims_nor_hears_consent_writes_none() {
    let audit = "T#*#AUDIT#*";
    for (role, statements) in granted() {
        let is_of_table = |statement: &&Statement| statement.on.contains("${Table.Arn}");
        let denied = |action: &str| {
            let mut denials = statements.iter().filter(is_of_table).filter(|statement| statement.effect == "Deny");
            denials.any(|statement| statement.actions.contains(action) && statement.keys.contains(audit))
        };
        if statements.iter().any(|statement| is_of_table(&statement)) {
            for action in ["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"] {
                assert!(denied(action), "{role}: {action}");
            }
        }
        let writes = statements.iter().any(|statement| {
            statement.effect == "Allow"
                && statement.actions.contains("dynamodb:PutItem")
                && statement.keys.contains(audit)
        });
        let may = ["step-dispatcher", "inbound-webhook", "patient-pages"].contains(&role.as_str());
        assert_eq!(writes, may, "{role}");
    }
}

#[test]
fn each_function_reads_the_secrets_that_its_code_asks_for_and_one_alone_reaches_patients() {
    let asked: [(&str, &[SecretGroup]); 5] = [
        ("export-importer", export_importer::SECRETS),
        ("segment-evaluator", segment_evaluator::SECRETS),
        ("step-dispatcher", step_dispatcher::SECRETS),
        ("inbound-webhook", inbound_webhook::function::SECRETS),
        ("patient-pages", patient_pages::SECRETS),
    ];
    let granted = granted();
    for (role, groups) in asked {
        let below = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/retorno/${Stage}";
        let wanted: BTreeSet<String> = groups.iter().map(|group| format!("{below}/{}", group.folder())).collect();
        let given: BTreeSet<String> = granted[role]
            .iter()
            .filter(|statement| statement.actions.iter().any(|action| action.starts_with("ssm:")))
            .flat_map(|statement| statement.on.clone())
            .collect();
        assert_eq!(given, wanted, "{role}");
    }
    for (role, statements) in &granted {
        let reaches = |action: &String| action.starts_with("ses:") || action.starts_with("sms-voice:");
        let sends = statements.iter().any(|statement| {
            statement.actions.iter().any(reaches) || statement.on.iter().any(|on| on.ends_with("/sending"))
        });
        assert_eq!(sends, role == "step-dispatcher", "{role}");
    }
}

/// A customer's own key is used by whoever uses what it encrypts, through those services only.
#[test]
fn a_key_of_the_customers_own_opens_no_more_than_what_it_encrypts() {
    let template = template();
    for (role, statements) in roles(&template) {
        for statement in statements.as_sequence().unwrap() {
            let Value::Tagged(tagged) = statement else { continue };
            assert_eq!(tagged.tag.to_string(), "!If", "{role}");
            let [condition, statement, otherwise] = tagged.value.as_sequence().unwrap().as_slice() else {
                panic!("{role}: an !If of three parts");
            };
            let (sid, on) = (text(&statement["Sid"]), texts(&statement["Resource"]));
            if sid == "OwnKey" {
                assert_eq!(text(condition), "HasKey", "{role}");
                assert_eq!(on, ["${KeyArn}".to_owned()].into(), "{role}");
                let via = texts(&statement["Condition"]["StringLike"]["kms:ViaService"]);
                assert!(
                    !via.is_empty() && via.iter().all(|via| via.ends_with(".${AWS::Region}.amazonaws.com")),
                    "{role}"
                );
                let actions = texts(&statement["Action"]);
                assert!(actions.iter().all(|action| ["kms:Decrypt", "kms:GenerateDataKey"].contains(&action.as_str())));
            } else {
                assert_eq!(
                    (role.as_str(), sid.as_str(), text(condition).as_str()),
                    ("step-dispatcher", "TextMessages", "HasTextMessages")
                );
                assert_eq!(texts(&statement["Action"]), ["sms-voice:SendTextMessage".to_owned()].into());
            }
            assert_eq!(text(otherwise), "${AWS::NoValue}", "{role}");
        }
    }
}
