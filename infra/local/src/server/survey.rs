//! The segments of a clinic as the pages show them. Counting reads every patient, so a count is kept
//! until something changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::ids::ClinicId;
use segment_evaluator::SegmentCount;
use serde::{Deserialize, Serialize};
use staff_api::Problem;

use super::system::{OpenClinic, System};

/// The segments of a clinic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segments {
    /// The clinic.
    pub clinic: String,
    /// As of when.
    pub at: DateTime<Utc>,
    /// Patients in all.
    pub patients: u64,
    /// In order of precedence.
    pub segments: Vec<SegmentView>,
}

/// One segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentView {
    /// Its id.
    pub id: String,
    /// What staff calls it.
    pub name: String,
    /// What it holds, in one line.
    pub description: String,
    /// What it is for.
    pub goal: String,
    /// Patients who belong to it.
    pub members: u32,
    /// Of them, those who could be enrolled now.
    pub eligible: u32,
    /// The others, by the first rule that blocks.
    pub excluded: BTreeMap<String, u32>,
}

/// Counts made lately.
#[derive(Debug, Default)]
pub(crate) struct Surveys(Mutex<HashMap<ClinicId, Kept>>);

#[derive(Debug)]
struct Kept {
    generation: u64,
    day: NaiveDate,
    segments: Segments,
}

impl System {
    /// The segments as they stand. While the clock is being moved the last count stands.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn segments(&self, of: &OpenClinic) -> Result<Segments, Problem> {
        let (generation, day) = (self.generation(), of.clinic.date(self.host.now()));
        {
            let kept = self.surveys.0.lock().unwrap_or_else(PoisonError::into_inner);
            let still = |kept: &&Kept| (kept.generation == generation && kept.day == day) || self.under_way().is_some();
            if let Some(kept) = kept.get(&of.id).filter(still) {
                return Ok(kept.segments.clone());
            }
        }
        self.count_segments(of).await
    }

    /// Counts the segments and keeps the count.
    ///
    /// # Errors
    /// [`Problem`].
    pub(super) async fn count_segments(&self, of: &OpenClinic) -> Result<Segments, Problem> {
        let (generation, at) = (self.generation(), self.host.now());
        let day = of.clinic.date(at);
        let survey = segment_evaluator::survey(&self.host.reach, &of.id).await?;
        let segments = Segments {
            clinic: of.id.to_string(),
            at,
            patients: survey.patients,
            segments: survey.segments.into_iter().map(|count| view(of, count)).collect(),
        };
        let kept = Kept { generation, day, segments: segments.clone() };
        self.surveys.0.lock().unwrap_or_else(PoisonError::into_inner).insert(of.id.clone(), kept);
        Ok(segments)
    }
}

fn view(of: &OpenClinic, count: SegmentCount) -> SegmentView {
    let (catalogue, language) = (Catalogue::embedded(), of.clinic.language);
    let id = count.id.as_str();
    let goal = of.clinic.segments.iter().find(|segment| segment.id == count.id).map_or("", |segment| &segment.goal);
    SegmentView {
        id: id.to_owned(),
        name: catalogue.segment_name(language, id).unwrap_or(id).to_owned(),
        description: catalogue.segment_description(language, id).unwrap_or("").to_owned(),
        goal: goal.to_owned(),
        members: count.members,
        eligible: count.eligible,
        excluded: count.excluded.into_iter().map(|(reason, number)| (reason.to_owned(), number)).collect(),
    }
}
