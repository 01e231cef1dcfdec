//! The first start: the two made-up clinics. It may be interrupted anywhere; the next start begins
//! again with the same files, and finds done what was done.

use chrono::NaiveDate;
use chrono_tz::Tz;
use export_importer::{Stage, import_slots};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use retorno_domain::ids::ClinicId;
use segment_evaluator::Scope;
use serde::{Deserialize, Serialize};

use super::import::{IMPORT_ID, SWEEP};
use super::system::System;
use crate::demo::{DemoClinic, demo_clinics};
use crate::host::HostError;
use crate::settings_file::with_zone;

const SETTINGS: [(&str, &str); 2] =
    [("aurora", include_str!("../../demo/aurora.toml")), ("ipe", include_str!("../../demo/ipe.toml"))];
/// Where both clinics' day ends.
const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;
const FILE: &str = "demo.json";

/// How far loading has come.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Loading {
    /// The date from which the clinics are made up.
    today: NaiveDate,
    done: bool,
}

/// Puts the made-up clinics in, unless that was done before.
///
/// # Errors
/// [`HostError`].
pub(super) async fn demo(system: &System) -> Result<(), HostError> {
    let begun: Option<Loading> = system.folder.read_json(FILE)?;
    let today = begun.map_or_else(|| system.host.now().with_timezone(&ZONE).date_naive(), |loading| loading.today);
    if begun.is_some_and(|loading| loading.done) {
        return Ok(());
    }
    // Stored before the first clinic: a second try makes up the same people.
    system.folder.write_json(FILE, &Loading { today, done: false })?;
    for demo in demo_clinics(today) {
        clinic(system, &demo).await?;
    }
    system.folder.write_json(FILE, &Loading { today, done: true })
}

async fn clinic(system: &System, demo: &DemoClinic) -> Result<(), HostError> {
    let user = |error: &dyn std::fmt::Display| HostError::User(format!("the made-up clinic {}: {error}", demo.id));
    let id = ClinicId::parse(demo.id).map_err(|error| user(&error))?;
    let zone: Tz = demo.zone.parse().map_err(|error| user(&error))?;
    let own = SETTINGS.iter().find(|(of, _)| *of == demo.id).map_or("", |(_, toml)| *toml);
    system.folder.list_clinic(&id, system.host.now())?;
    system.host.add_clinic(&id, &with_zone(own, zone)?, SWEEP).await?;
    import_slots(&system.host.reach, &id, demo.slots_csv.as_bytes()).await?;
    let bar = progress_bar(demo);
    let mut on_progress = |progress: export_importer::Progress| match progress.stage {
        Stage::Reading => bar.tick(),
        Stage::Writing => {
            bar.set_length(progress.total.unwrap_or(progress.done));
            bar.set_position(progress.done);
        }
    };
    export_importer::import(&system.host.reach, &id, IMPORT_ID, demo.export_csv.as_bytes(), &mut on_progress).await?;
    bar.finish_and_clear();
    system.host.evaluate(&id, Scope::Due).await?;
    Ok(())
}

fn progress_bar(demo: &DemoClinic) -> ProgressBar {
    let template = "{msg:24} {wide_bar} {pos}/{len}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_message(demo.name);
    bar
}
