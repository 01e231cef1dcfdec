//! What `retorno slots` prints for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::print::{list, out, text};

fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Free slots by day, and where they come from.
pub(super) fn ahead(slots: &Value, days: u16) {
    let mut said = String::new();
    let source = match slots.get("source").and_then(Value::as_str) {
        Some("timetable") => "by the timetables in the settings",
        Some(_) => "by the file that was loaded last",
        None => "none: load a file of them, or put [[timetable]] into the settings",
    };
    let _ = writeln!(said, "free slots of {}: {source}", text(slots, "clinic"));
    for day in list(slots, "days").iter().take(usize::from(days)) {
        let _ = writeln!(said, "{}  {}", text(day, "date"), times(list(day, "slots")));
    }
    let _ = writeln!(said, "{} free", number(slots, "free"));
    if let Some(preview) = slots.get("preview") {
        let (added, removed, visits) =
            (number(preview, "added"), number(preview, "removed"), number(preview, "visits"));
        let _ = writeln!(said, "not saved: {added} would be new, {removed} would go; {visits} visits take their place");
        without_timetable(&mut said, preview);
    }
    out(&said);
}

/// Whom the export names and no timetable does.
pub(super) fn without_timetable(said: &mut String, of: &Value) {
    for (who, count) in of.get("without_timetable").and_then(Value::as_object).into_iter().flatten() {
        let _ = writeln!(said, "no timetable is of {who:?}: {count} visits to come with them take no place");
    }
}

/// "09:00 Dra. Lima, 09:30 ×2 Dra. Lima".
fn times(slots: &[Value]) -> String {
    let time = |slot: &Value| {
        let places = number(slot, "places");
        let several = if places > 1 { format!(" ×{places}") } else { String::new() };
        format!("{}{several} {}", text(slot, "time"), text(slot, "professional")).trim_end().to_owned()
    };
    slots.iter().map(time).collect::<Vec<_>>().join(", ")
}
