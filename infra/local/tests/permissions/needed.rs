//! What roles need without any journey showing it, since Lambda or a schedule does it, or a start: read from
//! how the template connects its parts, and from the secrets that the code asks for.

use std::collections::BTreeSet;

use retorno_cloud::vault::SecretGroup;
use serde_yaml_ng::Value;

use super::granted::One;
use super::template::{named, of_kind, properties, text};

const BELOW: &str = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/retorno/${Stage}";

/// The secrets that each function's code asks for.
const SECRETS: [(&str, &[SecretGroup]); 6] = [
    ("export-importer", export_importer::SECRETS),
    ("segment-evaluator", segment_evaluator::SECRETS),
    ("step-dispatcher", step_dispatcher::SECRETS),
    ("inbound-webhook", inbound_webhook::function::SECRETS),
    ("patient-pages", patient_pages::SECRETS),
    ("staff-api", staff_api::SECRETS),
];

/// A function's name without that of the stack: so its role is called, and its folder.
pub(crate) fn function_name(function: &Value) -> String {
    text(&function["FunctionName"]).replace("retorno-${Stage}-", "")
}

/// The names of all functions of the template.
pub(crate) fn functions(template: &Value) -> BTreeSet<String> {
    of_kind(template, "AWS::Serverless::Function").into_iter().map(|(_, function)| function_name(function)).collect()
}

/// All of it.
pub(crate) fn needed(template: &Value) -> BTreeSet<One> {
    let mut needed = BTreeSet::new();
    for (_, function) in of_kind(template, "AWS::Serverless::Function") {
        let role = function_name(function);
        let log = format!("${{{}.Arn}}", named(&function["LoggingConfig"]["LogGroup"]));
        needed.extend(["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| One::new(&role, action, &log, "")));
        let told = &function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        if !told.is_null() {
            needed.insert(One::new(&role, "sns:Publish", &text(told), ""));
        }
    }
    let role_of = |reference: &Value| function_name(properties(template, &named(reference)));
    for (_, reader) in of_kind(template, "AWS::Lambda::EventSourceMapping") {
        let (role, queue) = (role_of(&reader["FunctionName"]), text(&reader["EventSourceArn"]));
        let reading = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
        needed.extend(reading.map(|action| One::new(&role, action, &queue, "")));
    }
    for (_, bucket) in of_kind(template, "AWS::S3::Bucket") {
        let landing = bucket["NotificationConfiguration"]["LambdaConfigurations"].as_sequence();
        for landing in landing.into_iter().flatten() {
            let below = text(&landing["Filter"]["S3Key"]["Rules"][0]["Value"]);
            let files = format!("arn:${{AWS::Partition}}:s3:::{}/{below}*", text(&bucket["BucketName"]));
            needed.insert(One::new(&role_of(&landing["Function"]), "s3:GetObject", &files, ""));
        }
    }
    for (role, groups) in SECRETS {
        let secret = |group: &SecretGroup| format!("{BELOW}/{}", group.folder());
        needed.extend(groups.iter().map(|group| One::new(role, "ssm:GetParametersByPath", &secret(group), "")));
    }
    needed.extend(of_schedules(template));
    needed
}

/// Wake-ups and sweeps put orders on the queue; what `retorno clinic add` schedules beside them starts the
/// functions whose ARNs the stack tells it.
fn of_schedules(template: &Value) -> BTreeSet<One> {
    let role = |reference: &Value| text(&properties(template, &named(reference))["Policies"][0]["PolicyName"]);
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    let (wake, queue) = (role(&variables["SCHEDULE_ROLE_ARN"]), text(&variables["DISPATCH_QUEUE_ARN"]));
    let mut needed = BTreeSet::from([One::new(&wake, "sqs:SendMessage", &queue, "")]);
    let told = &template["Outputs"];
    let morning = role(&told["MorningRoleArn"]["Value"]);
    for started in ["SegmentEvaluatorArn", "LedgerSealerArn"] {
        needed.insert(One::new(&morning, "lambda:InvokeFunction", &text(&told[started]["Value"]), ""));
    }
    needed
}
