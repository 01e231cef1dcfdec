//! `retorno templates`: what Meta has approved, and what to do about the rest.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connection::Connection;
use super::print::{json as print_json, list, out, text};
use super::{Which, clinic, local};
use crate::host::HostError;

/// `retorno templates`.
#[derive(Debug, Args)]
pub struct TemplatesArgs {
    #[command(subcommand)]
    act: Option<TemplatesAct>,
    /// The clinic's id; may be left out when there is only one.
    #[arg(long, global = true)]
    clinic: Option<String>,
    /// One JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
}

/// What is to be done; without it, they are listed.
#[derive(Debug, Subcommand)]
pub enum TemplatesAct {
    /// List what each flow needs, and how far it is.
    List,
    /// Submit the templates that Meta does not have yet, or one by name: also one that it refused.
    Submit {
        /// The template's name.
        name: Option<String>,
    },
    /// Ask Meta how far they are, and whether the account's events reach us.
    Refresh,
    /// Let the account's events reach us.
    Subscribe,
    /// In the sandbox: let Meta say something of a template.
    Meta {
        /// approve, reject, pause, disable, recategorise or forget; or unsubscribe, without a name.
        event: String,
        /// The template's name.
        name: Option<String>,
    },
}

pub(super) async fn run(connection: &Connection, args: &TemplatesArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &Which { clinic: args.clinic.clone() }).await?;
    let path = ["clinics", &clinic, "templates"];
    let does = |what: &str, name: Option<&String>| json!({ "do": what, "template": name });
    let templates = match args.act.as_ref().unwrap_or(&TemplatesAct::List) {
        TemplatesAct::List => connection.get(&path, &[]).await?,
        TemplatesAct::Submit { name } => connection.post_json(&path, &does("submit", name.as_ref())).await?,
        TemplatesAct::Refresh => connection.post_json(&path, &does("refresh", None)).await?,
        TemplatesAct::Subscribe => connection.post_json(&path, &does("subscribe", None)).await?,
        TemplatesAct::Meta { event, name } => {
            let path = ["clinics", &clinic, "templates", "meta"];
            connection.post_json(&path, &json!({ "event": event, "template": name })).await?
        }
    };
    if args.json {
        print_json(&templates)
    } else {
        out(&table(&templates))
    }
    Ok(())
}

fn table(templates: &Value) -> String {
    let mut said = String::new();
    let uses = match text(templates, "uses") {
        "no_account" => "approval is unknown: add whatsapp_account_id to the clinic's settings",
        "gateway" => "the clinic uses a gateway of its own, which needs no approved templates",
        "no_whatsapp" => "the clinic does not write by WhatsApp",
        _ => "",
    };
    if !uses.is_empty() {
        let _ = writeln!(said, "{uses}");
    }
    match templates.get("checked_at").and_then(Value::as_str) {
        Some(at) => {
            let _ = writeln!(said, "account {} as of {}", text(templates, "account"), local(at));
        }
        None if uses.is_empty() => said.push_str("Meta was never asked: run `retorno templates refresh`\n"),
        None => {}
    }
    if let Some(trouble) = templates.get("trouble").filter(|trouble| !trouble.is_null()) {
        let _ = writeln!(said, "Meta could not be asked at {}: {}", local(text(trouble, "at")), text(trouble, "what"));
    }
    if templates.get("subscribed").and_then(Value::as_bool) == Some(false) {
        said.push_str("the account's events do not reach us: run `retorno templates subscribe`\n");
    }
    for flow in list(templates, "flows") {
        let _ = writeln!(said, "{:<20} {}", text(flow, "segment"), starts(text(flow, "start")));
    }
    for template in list(templates, "templates") {
        let meta = text(template, "meta_category");
        let category = if meta.is_empty() { text(template, "category") } else { meta };
        let (name, language, state) = (text(template, "name"), text(template, "language"), text(template, "state"));
        let _ = writeln!(said, "{name:<48} {language} {:<9} {state}{}", category.to_lowercase(), more(template));
    }
    said
}

fn starts(start: &str) -> &str {
    match start {
        "ready" => "may begin",
        "unknown" => "begins; whether its templates are approved is not known",
        "partly" => "begins; some of its templates may not be sent",
        "blocked" => "does not begin: a step has no approved template",
        other => other,
    }
}

/// Why, until when, and what to do.
fn more(template: &Value) -> String {
    let mut more = String::new();
    for (name, word) in
        [("reason", "because"), ("until", "until"), ("coming_category", "soon"), ("refused", "not taken:")]
    {
        if let Some(value) = template.get(name).and_then(Value::as_str) {
            let _ = write!(more, ", {word} {value}");
        }
    }
    let todo = match text(template, "todo") {
        "check" => "refresh",
        "submit" => "submit it",
        "resubmit" => "appeal in WhatsApp Manager, or submit it by name",
        "overwrite" => "its text at Meta is another: submit it by name",
        "new_version" => "it needs a new version of its text",
        _ => "",
    };
    if !todo.is_empty() {
        let _ = write!(more, " → {todo}");
    }
    more
}
