//! The calendar against another reading of the IANA database, where one is at hand.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{local_date, local_time, resolve_local, resolve_local_last, start_of_day};

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// One row of the independent table: from `at` on, the zone is at `offset`.
struct Change {
    zone: Tz,
    at: DateTime<Utc>,
    offset: TimeDelta,
    kind: String,
    before: String,
    after: String,
}

/// Offset changes of 43 zones from 2015 to 2030, read from the IANA database by another
/// implementation; empty, and said so, where the table is not at hand.
fn independent_changes() -> Vec<Change> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/tz/offset_changes_2015_2030.csv");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: no table of offset changes");
        return Vec::new();
    };
    let changes: Vec<Change> = text.lines().skip(1).map(change).collect();
    assert!(changes.len() > 500);
    changes
}

fn change(row: &str) -> Change {
    let cells: Vec<&str> = row.split(',').collect();
    let [zone, at, offset, kind, before, after] = cells[..] else { panic!("{row}") };
    Change {
        zone: zone.parse().unwrap(),
        at: utc(at),
        offset: TimeDelta::seconds(offset.parse().unwrap()),
        kind: kind.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

#[test]
fn gaps_and_folds_agree_with_the_independent_table() {
    let changes = independent_changes();
    let second = TimeDelta::seconds(1);
    for Change { zone, at, kind, before, after, .. } in &changes {
        let (zone, moved) = (*zone, *at);
        match kind.as_str() {
            "initial" => continue,
            "gap" => {
                let (before, after) = (local(before), local(after));
                let middle = before + (after - before) / 2;
                for inside in [before, middle, after - second, after] {
                    assert_eq!(resolve_local(inside, zone), moved, "{zone} {moved}");
                    assert_eq!(resolve_local_last(inside, zone), moved, "{zone} {moved}");
                }
                assert_eq!(resolve_local(before - second, zone), moved - second, "{zone} {moved}");
                assert_eq!(resolve_local(after + second, zone), moved + second, "{zone} {moved}");
            }
            "fold" => {
                let (before, after) = (local(before), local(after));
                let length = before - after;
                assert_eq!(resolve_local(after, zone), moved - length, "{zone} {moved}");
                assert_eq!(resolve_local_last(after, zone), moved, "{zone} {moved}");
                assert_eq!(resolve_local(before - second, zone), moved - second, "{zone} {moved}");
                assert_eq!(resolve_local(before, zone), moved + length, "{zone} {moved}");
            }
            other => panic!("{other}"),
        }
        let date = local_date(moved, zone);
        for date in [date.pred_opt().unwrap(), date, date.succ_opt().unwrap()] {
            let start = start_of_day(date, zone);
            assert_eq!(local_date(start, zone), date, "{zone} {moved}");
            assert!(local_date(start - second, zone) < date, "{zone} {moved}");
        }
    }
}

/// Nothing moves between the rows either. The one known difference is Havana's winter of 2026,
/// which the table, newer than the database compiled into chrono-tz 0.10.4 (2025b), no longer has.
#[test]
fn clocks_do_not_move_between_the_rows_of_the_table() {
    let changes = independent_changes();
    let havana = utc("2026-11-01T05:00:00Z")..utc("2027-03-14T05:00:00Z");
    for (row, from) in changes.iter().enumerate() {
        let until = changes
            .get(row + 1)
            .filter(|next| next.zone == from.zone)
            .map_or(utc("2031-01-01T00:00:00Z"), |next| next.at);
        let mut at = from.at;
        while at < until {
            let offset = local_time(at, from.zone) - at.naive_utc();
            let known = from.zone == Tz::America__Havana && havana.contains(&at);
            assert!(offset == from.offset || known, "{} at {at}", from.zone);
            at += TimeDelta::hours(12);
        }
    }
}
