//! What the parameters of the stack add to its roles: a customer's own key, and text messages.

use serde_yaml_ng::Value;

use crate::permissions::template::{role_statements, template, text, texts};

/// A customer's own key is used by whoever uses what it encrypts, through those services only.
#[test]
fn a_key_of_the_customers_own_opens_no_more_than_what_it_encrypts() {
    let template = template();
    for (role, statements) in role_statements(&template) {
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
