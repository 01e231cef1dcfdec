//! `retorno browser`: a patient's browsers on this machine, and what they show.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::print::{json as print_json, list, out, text};
use super::{Connection, Which, clinic, local};
use crate::host::HostError;

/// `retorno browser`.
#[derive(Debug, Args)]
pub struct BrowserArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    /// What the patient does; without it what their browsers show is shown.
    #[arg(value_enum)]
    act: Option<Act>,
    #[command(flatten)]
    which: Which,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What a patient does with a browser.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Act {
    /// Asks for notifications in a new browser, by the link of the last message.
    Subscribe,
    /// Ends them.
    Unsubscribe,
    /// Withdraws the permission in the browser's own settings: the next notification finds it gone.
    Withdraw,
}

pub(super) async fn run(connection: &Connection, args: &BrowserArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let path = ["clinics", &clinic, "patients", &args.patient, "browser"];
    let act = args.act.map(|act| match act {
        Act::Subscribe => "subscribe",
        Act::Unsubscribe => "unsubscribe",
        Act::Withdraw => "withdraw",
    });
    let view: Value = match act {
        Some(act) => connection.post_json(&path, &json!({ "act": act })).await?,
        None => connection.get(&path, &[]).await?,
    };
    if args.json {
        print_json(&view);
        return Ok(());
    }
    show(&view);
    Ok(())
}

fn show(view: &Value) {
    let mut said = String::new();
    if view.get("used").and_then(Value::as_bool) == Some(false) {
        said.push_str("no flow of the clinic has a step by push\n");
    }
    for browser in list(view, "browsers") {
        let (service, holder) = (text(browser, "service"), text(browser, "holder"));
        let _ = writeln!(said, "browser of the {holder} at {service} since {}", local(text(browser, "since")));
    }
    for shown in list(view, "notifications") {
        let (title, body) = (text(shown, "title"), text(shown, "body"));
        let _ = writeln!(said, "{}  {title}\n    {body}\n    {}", local(text(shown, "at")), text(shown, "open"));
    }
    out(if said.is_empty() { "no browser is told\n" } else { &said });
}
