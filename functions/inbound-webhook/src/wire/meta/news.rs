//! News of templates, numbers and accounts.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Change;
use crate::event::{
    AccountChange, AccountNews, Event, MessagingLimit, NumberChange, NumberNews, Quality, Route, Routed,
    TemplateChange, TemplateNews, is_of_messages,
};
use crate::wire::json::{at, digits, instant, list, word};
use crate::wire::unread;

/// News of a template.
pub(super) fn template(change: &Change<'_>) -> Event {
    let value = change.value;
    let named = |part: &str| word(value, &[&format!("message_template_{part}")]);
    let (Some(name), Some(language)) = (named("name"), named("language")) else {
        return unread("a template without name or language", change.field);
    };
    let what = match change.field {
        "message_template_quality_update" => Some(TemplateChange::Quality {
            old: quality(value, "previous_quality_score"),
            new: quality(value, "new_quality_score"),
        }),
        "template_category_update" => category(value),
        _ => word(value, &["event"]).map(|event| status(value, &event)),
    };
    match what {
        Some(what) => {
            let id = named("id").unwrap_or_default();
            Event::Template(TemplateNews { name, language, id, change: what, at: change.told })
        }
        None => unread("news of a template without the news", change.field),
    }
}

fn status(value: &Value, event: &str) -> TemplateChange {
    match event {
        "APPROVED" | "REINSTATED" => TemplateChange::Approved,
        "REJECTED" => TemplateChange::Rejected { reason: word(value, &["reason"]).unwrap_or_default() },
        "PENDING" | "IN_APPEAL" => TemplateChange::Pending,
        "PAUSED" => TemplateChange::Paused { reason: word(value, &["other_info", "title"]) },
        "DISABLED" => TemplateChange::Disabled,
        "FLAGGED" => TemplateChange::Flagged,
        "DELETED" | "PENDING_DELETION" => TemplateChange::Deleted,
        _ => TemplateChange::Other { event: event.to_owned() },
    }
}

/// While a change is announced, `correct_category` is the one to come and `new_category` the present
/// one; when it is done, `new_category` is the present one (Meta, template_category_update reference).
fn category(value: &Value) -> Option<TemplateChange> {
    let new = word(value, &["new_category"]);
    match word(value, &["correct_category"]) {
        Some(coming) => Some(TemplateChange::Category { old: new, new: coming, announced: true }),
        None => {
            Some(TemplateChange::Category { old: word(value, &["previous_category"]), new: new?, announced: false })
        }
    }
}

fn quality(value: &Value, key: &str) -> Quality {
    match at(value, &[key]).as_str() {
        Some("GREEN") => Quality::Green,
        Some("YELLOW") => Quality::Yellow,
        Some("RED") => Quality::Red,
        Some(_) | None => Quality::Unknown,
    }
}

/// News of a number's quality, or of the limit of the business.
pub(super) fn number(change: &Change<'_>) -> Event {
    let value = change.value;
    let what = match (change.field, word(value, &["event"])) {
        ("business_capability_update", _) => NumberChange::Capability,
        (_, Some(event)) => match event.as_str() {
            "FLAGGED" => NumberChange::Flagged,
            "UNFLAGGED" => NumberChange::Unflagged,
            "ONBOARDING" => NumberChange::Onboarding,
            "UPGRADE" => NumberChange::Upgrade,
            "DOWNGRADE" => NumberChange::Downgrade,
            "THROUGHPUT_UPGRADE" => NumberChange::ThroughputUpgrade,
            _ => NumberChange::Other(event),
        },
        (field, None) => return unread("news of a number without the news", field),
    };
    let limits = ["max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit"];
    let limit = limits.iter().find_map(|key| limit(at(value, &[key])));
    Event::Number(NumberNews { number: digits(value, &["display_phone_number"]), change: what, limit, at: change.told })
}

/// How many people a day: a number (−1: any), or a word (`TIER_250`, `TIER_2K`, `TIER_UNLIMITED`).
fn limit(value: &Value) -> Option<MessagingLimit> {
    if let Some(number) = value.as_i64() {
        return if number == -1 {
            Some(MessagingLimit::Unlimited)
        } else {
            u32::try_from(number).ok().map(MessagingLimit::PerDay)
        };
    }
    let word = value.as_str()?;
    let word = word.strip_prefix("TIER_").unwrap_or(word);
    if word == "UNLIMITED" || word == "-1" {
        return Some(MessagingLimit::Unlimited);
    }
    let (digits, factor) = word.strip_suffix('K').map_or((word, 1), |digits| (digits, 1000));
    digits.parse::<u32>().ok()?.checked_mul(factor).map(MessagingLimit::PerDay)
}

/// News of an account.
pub(super) fn account(change: &Change<'_>) -> Routed {
    let event = word(change.value, &["event"]).unwrap_or_default();
    // What partners are told comes under the portfolio, and names the account inside.
    let account = word(change.value, &["waba_info", "waba_id"]).unwrap_or_else(|| change.entry.to_owned());
    if account.is_empty() || event.is_empty() {
        return change.of_account(unread("news of an account without account or event", &event));
    }
    let route = Route::WhatsappAccount(account.clone());
    let what = account_change(change.value, event);
    Routed { route, event: Event::Account(AccountNews { account, change: what, at: change.told }) }
}

fn account_change(value: &Value, event: String) -> AccountChange {
    match event.as_str() {
        "ACCOUNT_RESTRICTION" => restriction(value),
        "ACCOUNT_VIOLATION" => {
            AccountChange::Violated { what: word(value, &["violation_info", "violation_type"]).unwrap_or_default() }
        }
        "DISABLED_UPDATE" => {
            AccountChange::Ban { state: word(value, &["ban_info", "waba_ban_state"]).unwrap_or_default() }
        }
        "ACCOUNT_DELETED" => AccountChange::Deleted,
        "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED" => {
            AccountChange::Disconnected { reason: word(value, &["disconnection_info", "reason"]) }
        }
        "ACCOUNT_RECONNECTED" => AccountChange::Reconnected,
        _ if event.starts_with("PARTNER_") => AccountChange::Shared { event },
        _ => AccountChange::Other(event),
    }
}

/// Restrictions kept of a list.
const RESTRICTIONS_MAX: usize = 10;

/// Until when: of those that concern messages where there are any, and without an end as soon as one has
/// none.
fn restriction(value: &Value) -> AccountChange {
    let all = list(value, &["restriction_info"]).iter().take(RESTRICTIONS_MAX);
    let all: Vec<(String, Option<DateTime<Utc>>)> =
        all.filter_map(|one| Some((word(one, &["restriction_type"])?, instant(one, &["expiration"])))).collect();
    let concerns_messages = all.iter().any(|(what, _)| is_of_messages(what));
    let ends = all.iter().filter(|(what, _)| !concerns_messages || is_of_messages(what)).map(|(_, end)| *end);
    let until = ends.collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max());
    AccountChange::Restricted { what: all.into_iter().map(|(what, _)| what).collect(), until }
}
