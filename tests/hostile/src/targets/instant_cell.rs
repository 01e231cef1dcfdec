//! An instant as a cell has it, and the moment it is in a zone.

use chrono::Datelike as _;
use chrono_tz::Tz;
use export_importer::export::{RefusalReason, StartCell};
use retorno_domain::calendar::{local_time, resolve_local, resolve_local_last};

use crate::pieces::Pieces;

/// Zones with gaps at midnight, a skipped day, halves and quarters of an hour, and none of that.
const ZONES: [Tz; 8] = [
    chrono_tz::America::Sao_Paulo,
    chrono_tz::America::Santiago,
    chrono_tz::America::Bogota,
    chrono_tz::Europe::Madrid,
    chrono_tz::America::Tijuana,
    chrono_tz::Pacific::Apia,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::America::St_Johns,
];

/// The first byte chooses the zone, the rest is the cell.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let zone = pieces.one_of(&ZONES);
    let Ok(text) = std::str::from_utf8(pieces.rest()) else { return };
    match text.parse::<StartCell>() {
        Ok(cell) => check(cell, zone),
        Err(why) => {
            let known = matches!(
                why,
                RefusalReason::Empty
                    | RefusalReason::NotADateTime
                    | RefusalReason::ImpossibleDateTime
                    | RefusalReason::YearOutOfRange
            );
            assert!(known && (why == RefusalReason::Empty) == text.trim().is_empty(), "{why:?}");
        }
    }
}

fn check(cell: StartCell, zone: Tz) {
    assert!((1990..=2100).contains(&cell.local.year()));
    assert!(cell.offset.is_none_or(|offset| offset.local_minus_utc().abs() <= 14 * 3600));
    let offset = cell.offset.map(|offset| offset.to_string()).unwrap_or_default();
    let printed = format!("{}{offset}", cell.local.format("%Y-%m-%dT%H:%M:%S"));
    assert_eq!(printed.parse(), Ok(cell), "printed and read again");
    let (first, last) = (resolve_local(cell.local, zone), resolve_local_last(cell.local, zone));
    assert!(first <= last && last - first <= chrono::TimeDelta::hours(3));
    // The same wall clock, or in a gap the end of it.
    let wall = local_time(first, zone);
    assert!(wall == cell.local || (wall > cell.local && first == last));
    assert!(wall == cell.local || local_time(first - chrono::TimeDelta::seconds(1), zone) < cell.local);
}
