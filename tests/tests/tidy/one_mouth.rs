//! One mouth: only `step-dispatcher` can reach a patient, through the channels of `shared/cloud`.
//! The laptop stands in for the providers and may name their clients too.

use crate::finds;
use crate::rust_source::{Source, lines_with, read_sources, words};
use crate::tree::File;

/// The crates through which a provider could be made to write to a patient.
const CLIENTS: [&str; 4] = ["aws_sdk_pinpointsmsvoicev2", "aws_sdk_sesv2", "reqwest", "web_push_native"];

/// Where they may be named: a file, or everything below a folder.
const MOUTHS: [&str; 8] = [
    "shared/cloud/src/aws.rs",
    "shared/cloud/src/channels.rs",
    "shared/cloud/src/channels/",
    // Reads public documents; holds no credentials.
    "shared/cloud/src/fetch.rs",
    "functions/step-dispatcher/",
    "infra/local/",
    // Answers the providers' wires itself.
    "tests/simulation/src/environment.rs",
    // Opens what was pushed, as a browser does.
    "tests/simulation/src/browsers.rs",
];

/// Where a client that reaches patients is named and should not be.
pub(crate) fn other_mouths(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !is_mouth(&source.path)) {
        for client in CLIENTS {
            for line in lines_with(&source.words, &words(client)) {
                findings.push(format!(
                    "{}:{line}: `{client}` can reach a patient; only step-dispatcher does. Put the message on its queue",
                    source.path
                ));
            }
        }
    }
    findings
}

fn is_mouth(path: &str) -> bool {
    MOUTHS.iter().any(|mouth| path == *mouth || (mouth.ends_with('/') && path.starts_with(mouth)))
}

#[test]
fn another_mouth_is_found() {
    let files = [
        File::of("shared/cloud/src/channels/email.rs", "use aws_sdk_sesv2::Client;"),
        File::of("functions/step-dispatcher/src/main.rs", "fn main() { reqwest::Client::new(); }"),
        File::of("functions/export-importer/src/lib.rs", "// no reqwest here\nuse aws_sdk_sesv2::Client;"),
        File::of("shared/cloud/src/aws.rs.rs", "use reqwest as web;"),
        File::of("functions/segment-evaluator/src/lib.rs", "type Sms = aws_sdk_pinpointsmsvoicev2::Client;"),
        File::of("shared/cloud/src/store/push.rs", "use web_push_native::encrypt;"),
    ];
    finds(
        &other_mouths(&read_sources(&files)),
        &[
            "export-importer/src/lib.rs:2: `aws_sdk_sesv2`",
            "aws.rs.rs:1: `reqwest`",
            "segment-evaluator/src/lib.rs:1: `aws_sdk_pinpointsmsvoicev2`",
            "store/push.rs:1: `web_push_native`",
        ],
    );
}
