//! What the template must hold besides its roles.

use std::collections::BTreeSet;

use crate::permissions::needed::{function_name, functions};
use crate::permissions::template::{named, of_kind, properties, template, text, texts};

#[test]
fn a_message_is_hidden_for_six_times_its_readers_timeout_and_failures_are_told_one_by_one() {
    let template = template();
    let readers = of_kind(&template, "AWS::Lambda::EventSourceMapping");
    assert_eq!(readers.len(), 2);
    for (name, reader) in readers {
        let (queue, function) = (named(&reader["EventSourceArn"]), named(&reader["FunctionName"]));
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
    let deployed = of_kind(&template, "AWS::Serverless::Function");
    let mut roles = BTreeSet::new();
    for (name, function) in &deployed {
        assert!(roles.insert(text(&function["Role"])), "{name} shares a role");
        let log = named(&function["LoggingConfig"]["LogGroup"]);
        assert!(!properties(&template, &log)["RetentionInDays"].is_null(), "{name}: logs are kept for so long");
        let expected = function_name(function);
        assert_eq!(text(&function["CodeUri"]), format!("../target/lambda/{expected}/bootstrap.zip"));
        for (variable, _) in function["Environment"]["Variables"].as_mapping().into_iter().flatten() {
            let variable = variable.as_str().unwrap();
            let secret = ["KEY", "TOKEN", "SECRET"].iter().any(|word| variable.contains(word));
            let is_open = variable.contains("PUBLIC_KEY") || variable.ends_with("_ID");
            assert!(!secret || is_open, "{name}: {variable:?}");
        }
    }
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    assert_eq!(functions(&template), folders.collect(), "every function is deployed");
}

#[test]
fn a_role_is_lambdas_or_that_of_the_accounts_own_schedules() {
    let template = template();
    for (name, role) in of_kind(&template, "AWS::IAM::Role") {
        let trust = role["AssumeRolePolicyDocument"]["Statement"].as_sequence().unwrap();
        let [trust] = trust.as_slice() else { panic!("{name}: assumed by one") };
        let of_schedules = ["MorningRole", "WakeRole"].contains(&name);
        let service = if of_schedules { "scheduler.amazonaws.com" } else { "lambda.amazonaws.com" };
        assert_eq!(texts(&trust["Principal"]["Service"]), [service.to_owned()].into(), "{name}");
        let account = texts(&trust["Condition"]["StringEquals"]["aws:SourceAccount"]);
        assert_eq!(account.contains("${AWS::AccountId}"), of_schedules, "{name}");
    }
}

#[test]
fn digests_are_signed_by_a_key_of_their_own_and_locked_for_as_long_as_is_asked() {
    let template = template();
    let bucket = properties(&template, "Digests");
    let retention = &bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    assert_eq!((&bucket["ObjectLockEnabled"], text(&retention["Mode"]).as_str()), (&true.into(), "COMPLIANCE"));
    assert_eq!(text(&retention["Days"]), "${DigestLockDays}");
    let statements = &properties(&template, "DigestsPolicy")["PolicyDocument"]["Statement"];
    let once = statements.as_sequence().unwrap().iter().find(|of| text(&of["Sid"]) == "PutOnce").unwrap();
    let said = ["Effect", "Principal", "Action", "Resource"].map(|name| text(&once[name]));
    assert_eq!(said, ["Deny", "*", "s3:PutObject", "${Digests.Arn}/*"], "nobody puts a second version of one");
    assert_eq!(text(&once["Condition"]["Null"]["s3:if-none-match"]), "true");
    let key = properties(&template, "DigestKey");
    assert_eq!((text(&key["KeySpec"]).as_str(), text(&key["KeyUsage"]).as_str()), ("ECC_NIST_P256", "SIGN_VERIFY"));
    let variables = &properties(&template, "LedgerSealer")["Environment"]["Variables"];
    let given = ["DIGEST_BUCKET", "DIGEST_KEY_ID", "DIGEST_LOCK_DAYS"].map(|name| text(&variables[name]));
    assert_eq!(given, ["${Digests}", "${DigestKey}", "${DigestLockDays}"]);
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
fn there_are_ten_alarms_four_unless_asked_for_and_silence_is_no_alarm() {
    let template = template();
    let alarms = of_kind(&template, "AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 10, "each costs US$0.10 a month");
    assert_eq!(text(&template["Parameters"]["Alarms"]["Default"]), "essential");
    let is_essential = |name: &str| template["Resources"][name]["Condition"].is_null();
    let essential: Vec<_> = alarms.iter().map(|(name, _)| *name).filter(|name| is_essential(name)).collect();
    assert_eq!(essential, ["DispatchDeadAlarm", "InboundDeadAlarm", "DispatchAgeAlarm", "ApiErrorAlarm"]);
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
