//! Where free slots come from: looked at and changed by the API and by the page.

use super::*;

const TIMETABLE: &str = "[[timetable]]\nprofessional = \"Dra. Nueva\"\nhorizon_days = 7\n\
                         [timetable.hours]\nmonday = \"09:00-10:00\"\ntuesday = \"09:00-10:00\"\n";

#[tokio::test]
async fn a_timetable_is_looked_at_and_saved_by_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let slots = async || running.get("/api/clinics/aurora/slots").await.json();
    let by_file = slots().await;
    assert_eq!(by_file["source"], "file");
    let looked = running.post("/api/clinics/aurora/slots/preview", TIMETABLE).await.json();
    // Two on Tuesday, two on the next Monday; those of this Monday begin in less than two hours.
    assert_eq!(
        (&looked["source"], &looked["free"], &looked["preview"]["added"]),
        (&json!("timetable"), &json!(4), &json!(4))
    );
    assert_eq!(
        looked["days"][0]["slots"][0],
        json!({ "time": "09:00", "professional": "Dra. Nueva", "minutes": 30, "places": 1 })
    );
    assert_eq!(slots().await, by_file, "nothing was saved");
    let wrong = TIMETABLE.replace("horizon_days = 7", "horizon_days = 0");
    for path in ["slots/preview", "timetable"] {
        let said =
            running.post(&format!("/api/clinics/aurora/{path}"), wrong.clone()).await.error(StatusCode::BAD_REQUEST);
        assert!(said.contains("timetable.1.horizon_days"), "{said}");
    }
    let saved = running.post("/api/clinics/aurora/timetable", TIMETABLE).await.json();
    assert_eq!((&saved["source"], &saved["free"]), (&json!("timetable"), &json!(4)));
    let refused = running.post("/api/clinics/aurora/slots", aurora().slots_csv).await.error(StatusCode::CONFLICT);
    assert!(refused.contains("take [[timetable]] out"), "{refused}");
    running.post("/api/clinics/aurora/timetable", "timetable = []").await.ok();
    assert_eq!(slots().await["source"], Value::Null);
    running.post("/api/clinics/aurora/slots", aurora().slots_csv).await.ok();
    assert_eq!(slots().await["source"], "file");
}

#[tokio::test]
async fn a_timetable_is_looked_at_and_saved_by_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let page = "/c/aurora/timetable";
    let form = |what: &str, hours: &str| {
        format!(
            "0.professional=Dra.+Nueva&0.tuesday={hours}&0.slot_minutes=30&0.capacity=1&0.horizon_days=7&0.notice_hours=2&do={what}"
        )
    };
    assert!(running.get(page).await.text.contains("archivo cargado"));
    let looked = running.form(page, &form("look", "9+a+10")).await;
    looked.ok();
    assert!(looked.text.contains("Vista previa") && looked.text.contains("value=\"9 a 10\""), "{}", looked.text);
    let refused = running.form(page, &form("save", "temprano")).await;
    assert!(refused.text.contains("Dra. Nueva · martes: ") && refused.text.contains("value=\"temprano\""));
    assert_eq!(running.form(page, &form("save", "9+a+10")).await.status, StatusCode::SEE_OTHER);
    let shown = running.get(&format!("{page}?saved=1")).await;
    assert!(shown.text.contains("Guardado") && shown.text.contains("value=\"09:00-10:00\""), "{}", shown.text);
    assert_eq!(running.form(page, "0.slot_minutes=30&do=save").await.status, StatusCode::SEE_OTHER, "all taken out");
    assert!(running.get(page).await.text.contains("no se conocen huecos"));
}
