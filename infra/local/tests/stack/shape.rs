//! What the template must hold besides its roles.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use crate::template::{properties, template, text, texts};

fn of_kind<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_mapping().unwrap();
    let of_kind = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.as_str().unwrap(), &resource["Properties"])).collect()
}

#[test]
fn a_message_is_hidden_for_six_times_its_readers_timeout_and_failures_are_told_one_by_one() {
    let template = template();
    let readers = of_kind(&template, "AWS::Lambda::EventSourceMapping");
    assert_eq!(readers.len(), 2);
    for (name, reader) in readers {
        let queue = text(&reader["EventSourceArn"]).replace("${", "").replace(".Arn}", "");
        let function = text(&reader["FunctionName"]).replace("${", "").replace('}', "");
        let hidden = properties(&template, &queue)["VisibilityTimeout"].as_u64().unwrap();
        let timeout = properties(&template, &function)["Timeout"].as_u64().unwrap();
        assert!(hidden >= 6 * timeout, "{name}: {hidden} s for {timeout} s");
        assert_eq!(texts(&reader["FunctionResponseTypes"]), ["ReportBatchItemFailures".to_owned()].into(), "{name}");
        assert!(!reader["ScalingConfig"]["MaximumConcurrency"].is_null(), "{name}: bounded");
        assert!(!properties(&template, &queue)["RedrivePolicy"].is_null(), "{name}: dead letters");
    }
}

#[test]
fn each_function_has_a_role_a_log_and_a_name_of_its_own_and_no_secret_in_its_environment() {
    let template = template();
    let functions = of_kind(&template, "AWS::Serverless::Function");
    let mut roles = BTreeSet::new();
    for (name, function) in &functions {
        assert!(roles.insert(text(&function["Role"])), "{name} shares a role");
        let log = text(&function["LoggingConfig"]["LogGroup"]).replace("${", "").replace('}', "");
        assert!(!properties(&template, &log)["RetentionInDays"].is_null(), "{name}: logs are kept for so long");
        let expected = text(&function["FunctionName"]).replace("retorno-${Stage}-", "");
        assert_eq!(text(&function["CodeUri"]), format!("../target/lambda/{expected}/bootstrap.zip"));
        let folder = format!("{}/../../functions/{expected}", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&folder).is_dir(), "{folder}");
        for (variable, _) in function["Environment"]["Variables"].as_mapping().into_iter().flatten() {
            let variable = variable.as_str().unwrap();
            let secret = ["KEY", "TOKEN", "SECRET"].iter().any(|word| variable.contains(word));
            assert!(!secret || variable.contains("PUBLIC_KEY"), "{name}: {variable:?}");
        }
    }
    // The sealer runs on one machine so far: its key, its bucket and its role are not in the stack yet.
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions")).unwrap();
    let folders = folders.filter(|folder| folder.as_ref().unwrap().file_name() != "ledger-sealer");
    assert_eq!(functions.len(), folders.count(), "every function is deployed");
}

#[test]
fn the_access_log_names_routes_and_never_paths() {
    let template = template();
    let format = text(&properties(&template, "ApiStage")["AccessLogSettings"]["Format"]);
    let allowed = ["requestId", "routeKey", "status", "responseLatency", "integrationStatus"];
    for variable in format.split("$context.").skip(1) {
        let variable: String = variable.chars().take_while(char::is_ascii_alphabetic).collect();
        assert!(allowed.contains(&variable.as_str()), "{variable}");
    }
    serde_json::from_str::<serde_json::Value>(&format).unwrap();
}

#[test]
fn there_are_nine_alarms_and_silence_is_no_alarm() {
    let template = template();
    let alarms = of_kind(&template, "AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 9, "each costs US$0.10 a month");
    let own: BTreeSet<String> = alarms
        .iter()
        .filter(|(_, alarm)| alarm["Namespace"] == "Retorno")
        .map(|(_, alarm)| text(&alarm["MetricName"]))
        .collect();
    assert_eq!(own, ["Halts", "OverdueStepAge", "SignatureFailures", "UnknownSends"].map(str::to_owned).into());
    for (name, alarm) in alarms {
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert_eq!(texts(&alarm["AlarmActions"]), ["${AlarmTopic}".to_owned()].into(), "{name}");
    }
}
