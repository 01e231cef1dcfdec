//! `retorno connection`: how a clinic's channels stand, and what can be done about them.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use qrcode::QrCode;
use qrcode::render::unicode;
use serde_json::{Value, json};

use super::connection::Connection;
use super::print::{json, list, out, text};
use super::{Which, clinic, local};
use crate::host::HostError;

/// `retorno connection`.
#[derive(Debug, Args)]
pub struct LineArgs {
    #[command(subcommand)]
    act: Option<LineAct>,
    /// The clinic's id; may be left out when there is only one.
    #[arg(long, global = true)]
    clinic: Option<String>,
    /// One JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum LineAct {
    /// Show how each channel stands (as without any word).
    Status,
    /// Ask the clinic's gateway how it stands.
    Check,
    /// Show the QR code that links the clinic's telephone to its gateway.
    Qr {
        /// Where to write the code's picture, for gateways that give nothing else.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Unlink the clinic's telephone from its gateway.
    Unlink,
    /// Let a channel go on that its provider had halted. Do it once the provider allows sending again:
    /// should it still refuse, the next message halts the channel again.
    Resume {
        /// `whatsapp`, `email` or `sms`.
        channel: String,
    },
    /// Send a test message by WhatsApp to a telephone of the staff.
    Test {
        /// The number with its country, e.g. +5491155550100.
        to: String,
    },
}

pub(super) async fn run(connection: &Connection, args: &LineArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &Which { clinic: args.clinic.clone() }).await?;
    let path = |what: &'static str| ["clinics", clinic.as_str(), "connections", what];
    let nothing = json!({});
    let now: Value = match &args.act {
        None | Some(LineAct::Status) => connection.get(&["clinics", &clinic, "connections"], &[]).await?,
        Some(LineAct::Check) => connection.post_json(&path("check"), &nothing).await?,
        Some(LineAct::Unlink) => connection.post_json(&path("unlink"), &nothing).await?,
        Some(LineAct::Resume { channel }) => {
            connection.post_json(&path("resume"), &json!({ "channel": channel })).await?
        }
        Some(LineAct::Test { to }) => connection.post_json(&path("test"), &json!({ "to": to })).await?,
        Some(LineAct::Qr { out }) => {
            let code = connection.post_json(&path("code"), &nothing).await?;
            return show_code(&code, out.as_ref(), args.json);
        }
    };
    if args.json {
        json(&now)
    } else {
        show(&now)
    }
    Ok(())
}

fn show(now: &Value) {
    let mut said = String::new();
    for channel in list(now, "channels") {
        let (name, state) = (text(channel, "channel"), text(channel, "state"));
        let _ = write!(said, "{name:<9} {state:<9} {} {}", text(channel, "via"), text(channel, "sender"));
        let why: Vec<&str> =
            ["code", "until"].map(|key| text(channel, key)).into_iter().filter(|w| !w.is_empty()).collect();
        let _ = writeln!(said, "{}{}", if why.is_empty() { "" } else { " · " }, why.join(" until "));
        match text(channel, "warning") {
            "" => {}
            warning => {
                let _ = writeln!(said, "          {warning}");
            }
        }
        if state == "halted" {
            let _ = writeln!(said, "          once the provider allows it: `retorno connection resume {name}`");
        }
    }
    if let Some(gateway) = now.get("gateway").filter(|gateway| gateway.is_object()) {
        let _ = write!(said, "gateway   {}", text(gateway, "state"));
        for (key, before) in [("since", "since"), ("checked_at", "checked")] {
            if !text(gateway, key).is_empty() {
                let _ = write!(said, " · {before} {}", local(text(gateway, key)));
            }
        }
        let error = text(gateway, "error");
        let _ = writeln!(said, "{}{error}", if error.is_empty() { "" } else { " · " });
        if text(gateway, "state") != "connected" {
            said.push_str("          link the telephone with `retorno connection qr`\n");
        }
    }
    for test in list(now, "tests") {
        let (at, to) = (local(text(test, "at")), text(test, "to"));
        let _ = writeln!(said, "test      {} to …{to} at {at} {}", text(test, "state"), text(test, "code"));
    }
    for browser in list(now, "browsers") {
        let _ = writeln!(said, "alerts    {} since {}", text(browser, "name"), local(text(browser, "since")));
    }
    out(&said);
}

/// The code in the terminal, or its picture in a file.
fn show_code(answer: &Value, file: Option<&PathBuf>, as_json: bool) -> Result<(), HostError> {
    if as_json {
        json(answer);
        return Ok(());
    }
    let user = |why: &str| HostError::User(why.to_owned());
    let Some(code) = answer.get("code").filter(|code| code.is_object()) else {
        let state = text(answer, "state");
        if state == "connected" {
            out("the telephone is linked\n");
            return Ok(());
        }
        return Err(HostError::User(format!("the gateway gives no code: {state} {}", text(answer, "error"))));
    };
    if !text(code, "text").is_empty() {
        let drawn = QrCode::new(text(code, "text")).map_err(|_| user("the code cannot be drawn"))?;
        let drawn = drawn.render::<unicode::Dense1x2>().quiet_zone(true).build();
        out(&format!(
            "{drawn}\nread it with the clinic's WhatsApp (linked devices) before {}\n",
            local(text(code, "until"))
        ));
    } else if let Some(file) = file {
        let bytes = STANDARD.decode(text(code, "image_base64")).map_err(|_| user("the picture cannot be read"))?;
        std::fs::write(file, bytes)
            .map_err(|error| HostError::Io { what: format!("cannot write {}", file.display()), error })?;
        out(&format!("{} written to {}\n", text(code, "content_type"), file.display()));
    } else {
        return Err(user(
            "this gateway gives a picture: write it to a file with --out FILE, or open the page of connections",
        ));
    }
    if !text(code, "pairing_code").is_empty() {
        out(&format!("or type {} on the telephone\n", text(code, "pairing_code")));
    }
    Ok(())
}
