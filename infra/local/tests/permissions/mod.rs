//! What the functions call is what their roles allow, and what their roles allow is called, or needed by the
//! way in which the stack is put together.

pub(crate) mod compare;
pub(crate) mod granted;
pub(crate) mod needed;
pub(crate) mod template;
pub(crate) mod tried;

use compare::{Evidence, complaints};
use granted::{One, granted};
use needed::{functions, needed};
use retorno::calls::{Call, note_calls, noted_calls};
use template::{lines_of_template, template};
use tried::every_change_is_complained_about;

/// Plays the journeys of functions, holds what they show, and tries that any other permission would be
/// found. What the other roles allow is held as far as no journey is needed for it.
pub(crate) fn hold(played: &[&str], journeys: &[fn()]) {
    note_calls();
    for journey in journeys {
        journey();
    }
    let template = template();
    let noted = noted_calls().into_iter().filter(|call| played.contains(&call.function));
    let evidence = Evidence {
        template: lines_of_template(&template),
        granted: granted(),
        needed: needed(&template),
        noted: noted.map(one_of).collect(),
        functions: functions(&template),
        played: played.iter().map(|function| (*function).to_owned()).collect(),
    };
    let found = complaints(&evidence);
    assert!(found.is_empty(), "{found:#?}");
    let statements: usize = evidence.granted.values().map(Vec::len).sum();
    assert!(every_change_is_complained_about(&evidence) > 4 * statements);
}

/// The bucket of digests.
const DIGESTS: &str = "arn:${AWS::Partition}:s3:::retorno-${Stage}-digests-${AWS::AccountId}-${AWS::Region}";

/// A call as a permission: with the template's name of what it is made on.
fn one_of(call: Call) -> One {
    let on = match (call.action.as_str(), call.on.as_str()) {
        (_, "table") => "${Table.Arn}".to_owned(),
        (_, "dispatch") => "${DispatchQueue.Arn}".to_owned(),
        (_, "inbound") => "${InboundQueue.Arn}".to_owned(),
        ("dynamodb:Query", index) => format!("${{Table.Arn}}/index/{index}"),
        ("iam:PassRole", _) => "${WakeRole.Arn}".to_owned(),
        ("scheduler:CreateSchedule", _) => arn("scheduler", "schedule/retorno-${Stage}/*"),
        ("ses:SendEmail", "configuration-set") => arn("ses", "configuration-set/retorno-${Stage}"),
        ("ses:SendEmail", "identity") => arn("ses", "identity/*"),
        ("s3:GetObject" | "s3:PutObject" | "s3:PutObjectRetention", folder) => format!("{DIGESTS}/{folder}/*"),
        ("s3:ListBucket", _) => DIGESTS.to_owned(),
        (action, _) if action.starts_with("kms:") => "${DigestKey.Arn}".to_owned(),
        (_, other) => other.to_owned(),
    };
    One { role: call.function.to_owned(), action: call.action, on, key: call.keys }
}

fn arn(service: &str, what: &str) -> String {
    format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{what}")
}
