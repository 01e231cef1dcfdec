//! Ways that are seldom taken: a clinic with a timetable, and one with an account at Meta.

use chrono::TimeDelta;
use retorno_cloud::links::LinkPurpose;
use retorno_domain::appointment::AppointmentStatus;

use crate::clinic::{SETTINGS, Stage, form};

/// Thursdays from half past eight to ten.
const OWN: &str = r#"
whatsapp_account_id = "900"

[[timetable]]
professional = "Dra. Lima"
horizon_days = 17
[timetable.hours]
thursday = "08:30-10:00"
"#;

/// What is held against the role of the function.
pub(crate) const JOURNEYS: &[fn()] = &[visits_of_the_clinics_own_are_called_off_one_after_the_other];

#[tokio::test]
async fn visits_of_the_clinics_own_are_called_off_one_after_the_other() {
    let zone = "America/Argentina/Buenos_Aires";
    let stage = Stage::in_zone(1, 0, zone, &format!("{SETTINGS}{OWN}")).await;
    stage.import_visits(&["2026-03-05T08:30:00", "2026-03-12T08:30:00"]).await;
    // As another process would, it reads the settings itself.
    stage.host.advance_to(stage.now() + TimeDelta::minutes(1), |_, _| true).await.unwrap();
    let path = stage.path(0, LinkPurpose::Appointment);
    for left in [1, 0] {
        let asks = stage.get(&format!("{path}?page=cancel")).await;
        stage.post_and_follow(&path, &form(&asks, "cancel", None)).await;
        let visits = stage.stored(0).await.patient.patient.appointments;
        let is_open = |status: AppointmentStatus| status == AppointmentStatus::Booked;
        let ahead = visits.iter().filter(|visit| is_open(visit.status) && visit.start > stage.now());
        assert_eq!(ahead.count(), left);
        assert_eq!(stage.tenant.visits_ahead().await.unwrap().len(), left);
    }
}
