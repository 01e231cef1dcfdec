//! The day's evaluation: what looking at those whose day has come costs, beside looking at everybody.
//! The clinic is halted, so that nobody is enrolled and only evaluation is compared.

use segment_evaluator::{Evaluation, Scope};

use super::Stopwatch;
use super::figures::{Figure, Target, ratio};
use super::made_up::{Population, ZONE, export};
use super::stage::{Stage, at, monday_and, settings};
use crate::engine::RequestUnits;
use crate::host::HostError;

/// The incremental evaluation may take this share of the full one's request units.
const SHARE_MAX: f64 = 0.05;

/// One evaluation and what it used.
struct Measured {
    evaluation: Evaluation,
    units: RequestUnits,
    seconds: f64,
}

impl Measured {
    fn units(&self) -> f64 {
        self.units.read + self.units.write
    }

    fn note(&self) -> String {
        format!(
            "looked at {}, moved {}; {:.0} read, {:.0} write units; {:.1} s",
            self.evaluation.looked_at, self.evaluation.moved, self.units.read, self.units.write, self.seconds
        )
    }
}

/// Measures on so many patients: an ordinary day, and the first day of a week.
pub(super) async fn measure(patients: u32) -> Result<Vec<Figure>, HostError> {
    let stage = Stage::set(&settings(ZONE, "halted = true")?, None, at(monday_and(0), 7, 0)).await?;
    stage.import(export(patients, Population::Mixed, monday_and(0)).as_bytes()).await?;
    // What the import could not know, and the day after it.
    for day in 0..2 {
        evaluate(&stage, day, Scope::Due).await?;
    }
    let day = evaluate(&stage, 2, Scope::Due).await?;
    // The next day everybody is looked at instead: it has as much to write as the day before.
    let full = evaluate(&stage, 3, Scope::All).await?;
    for day in 4..7 {
        evaluate(&stage, day, Scope::Due).await?;
    }
    let monday = evaluate(&stage, 7, Scope::Due).await?;
    for day in 8..14 {
        evaluate(&stage, day, Scope::Due).await?;
    }
    let monday_full = evaluate(&stage, 14, Scope::All).await?;
    Ok(vec![
        Figure::new("evaluate_day", "a day's evaluation", Some(day.units()), "units").note(day.note()),
        Figure::new("evaluate_all", "a full evaluation, the day after", Some(full.units()), "units").note(full.note()),
        Figure::new("evaluate_share", "a day's share of the full one", Some(ratio(day.units(), full.units())), "")
            .target(Target::AtMost(SHARE_MAX))
            .note(format!("{patients} patients; the clinic is halted, so that nobody is enrolled")),
        Figure::new("evaluate_monday", "the week's first evaluation", Some(monday.units()), "units")
            .note(monday.note()),
        Figure::new(
            "evaluate_monday_share",
            "its share of a full one, the week after",
            Some(ratio(monday.units(), monday_full.units())),
            "",
        )
        .note("it reads every patient's figures from the index, to freeze the week's thresholds"),
    ])
}

/// Evaluates on the morning of a day, counted from the first Monday.
async fn evaluate(stage: &Stage, day: u64, scope: Scope) -> Result<Measured, HostError> {
    stage.host.reach.clock.move_to(at(monday_and(day), 7, 0));
    let before = stage.host.engine.units();
    let stopwatch = Stopwatch::start();
    let evaluation = stage.host.evaluate(&stage.id, scope).await?;
    let units = stage.host.engine.units() - before;
    Ok(Measured { evaluation, units, seconds: stopwatch.elapsed().as_secs_f64() })
}
