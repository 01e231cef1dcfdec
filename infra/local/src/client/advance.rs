//! `retorno advance`: the clock is moved, and what is played on the way followed.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{ASKED_EVERY, AdvanceArgs, Connection, print};
use crate::host::HostError;
use crate::server::{State, Work};

/// Follows a move of the clock to its end; Ctrl-C stops it where it is.
pub(super) async fn advance(connection: &Connection, args: &AdvanceArgs) -> Result<(), HostError> {
    let is_span = args.by == "next" || args.by.parse::<crate::span::Span>().is_ok();
    let body = if is_span { json!({ "by": args.by }) } else { json!({ "to": args.by, "clinic": args.which.clinic }) };
    let begun = connection.post_json(&["advance"], &body).await?;
    let number = begun.get("number").and_then(Value::as_u64).unwrap_or(0);
    let style =
        ProgressStyle::with_template("{wide_bar} {percent}% {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    loop {
        let state: State = connection.get(&["state"], &[]).await?;
        match (&state.work, &state.last_advance) {
            (Some(Work::Advance(under_way)), _) if under_way.number == number => {
                let minutes = |span: chrono::TimeDelta| u64::try_from(span.num_minutes()).unwrap_or(0);
                bar.set_length(minutes(under_way.to - under_way.from));
                bar.set_position(minutes(under_way.at - under_way.from));
                bar.set_message(format!("{} · {} sent", under_way.at.date_naive(), under_way.sent));
            }
            (_, Some(last)) if last.number >= number => {
                bar.finish_and_clear();
                let zone = state.clinics.first().and_then(|clinic| clinic.zone.parse().ok()).unwrap_or(chrono_tz::UTC);
                print::advanced(last, zone);
                return match &last.error {
                    Some(error) => Err(HostError::User(error.clone())),
                    None => Ok(()),
                };
            }
            (Some(_) | None, _) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(ASKED_EVERY) => {}
            _ = tokio::signal::ctrl_c() => {
                connection.post_json(&["cancel"], &json!({})).await?;
            }
        }
    }
}
