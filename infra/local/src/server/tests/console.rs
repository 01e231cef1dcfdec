//! The console as staff uses it: clinics brought by a form, what went wrong in their language, what the
//! pages, the API and the commands have in common.

use super::talk::{offered, says};
use super::*;

/// Sends a form with files, and says where it leads.
async fn sent(running: &Running, path: &str, parts: &[(&str, &str)]) -> Answer {
    let part = |(name, text): &(&str, &str)| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
    };
    let body = parts.iter().map(part).collect::<String>() + "--x--\r\n";
    let post = running.client.post(format!("{}{path}", running.url));
    let post = post.header("content-type", "multipart/form-data; boundary=x");
    Answer::of(post.body(body).send().await.unwrap()).await
}

async fn asked(running: &Running, path: &str, body: Value) -> Answer {
    let post = running.client.post(format!("{}{path}", running.url)).header("content-type", "application/json");
    Answer::of(post.body(body.to_string()).send().await.unwrap()).await
}

#[tokio::test]
async fn a_form_brings_a_clinic_of_its_own_and_another_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    set_clock(folder.path(), monday());
    let running = Running::over(folder.path()).await;
    assert_eq!(sent(&running, "/new", &[("id", "mine")]).await.status, StatusCode::BAD_REQUEST, "no file");
    let refused = sent(&running, "/new", &[("id", "mine"), ("export", "no export")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("le falta: ") && !refused.text.contains("lang=\"en\""), "{}", refused.text);
    let whole = aurora().export_csv;
    let answer = sent(&running, "/new", &[("id", "mine"), ("export", &whole), ("slots", "")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    running.system.idle().await;
    assert_eq!(running.get("/api/clinics/mine/segments").await.json()["patients"], 1000);
    assert!(running.get("/c/mine").await.text.contains("role=\"status\""), "the page tells what was imported");
    let again = sent(&running, "/new", &[("id", "mine"), ("export", &whole)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "it is there already");
    assert!(again.text.contains("Ya hay una clínica mine"), "{}", again.text);

    // One whose settings name no number gets one of its own; a second try finds the same.
    let few: String = whole.lines().take(4).map(|line| format!("{line}\n")).collect();
    let other = [("id", "otra"), ("export", few.as_str())];
    assert_eq!(sent(&running, "/new", &other).await.status, StatusCode::SEE_OTHER);
    running.system.idle().await;
    let numbers = async |id: &str| running.system.clinic(id).await.unwrap().clinic.whatsapp_phone_number_id.clone();
    assert_ne!(numbers("mine").await, numbers("otra").await);
    assert!(running.get("/c/otra").await.text.contains("href=\"/c/mine\""), "both are listed");
    // Whoever names another's number is told so, and nothing is listed.
    let taken = format!("zone = \"America/Bogota\"\nwhatsapp_phone_number_id = \"{}\"\n", numbers("mine").await);
    let said = running.post("/api/clinics/tercera/settings?create=true", taken).await.error(StatusCode::BAD_REQUEST);
    assert!(said.contains("whatsapp_phone_number_id"), "{said}");
    assert_eq!(running.system.folder.clinics().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_timetable_is_said_by_the_names_of_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let said = async |fields: &str| {
        let page = running.form("/c/aurora/timetable", &format!("0.professional=Dra.+Lima&{fields}&do=look")).await;
        assert!(!page.text.contains("must be"), "{}", page.text);
        page.text
    };
    let hours = said("0.monday=cuando+puedo&0.slot_minutes=30").await;
    assert!(hours.contains("Dra. Lima · lunes: ") && hours.contains("9-13, 15-19"), "{hours}");
    let minutes = said("0.monday=9-13&0.slot_minutes=2").await;
    assert!(minutes.contains("Minutos por turno: ") && minutes.contains("entre 5 y 720"), "{minutes}");
    let whatever = running.get("/c/aurora/timetable?saved=1&saved=2").await;
    assert!(whatever.status.is_success() && running.get("/c/aurora/connections?not=1&not=2").await.status.is_success());
    let missing = running.get("/c/aurora?patient=nadie").await;
    assert!(missing.status == StatusCode::NOT_FOUND && missing.text.contains("No hay un paciente con ese número."));
}

#[tokio::test]
async fn what_could_not_be_read_is_read_again_or_discarded_and_the_page_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let (store, now) = (&running.system.host.reach.store, running.system.host.now());
    store.park("meta/sandbox", "not an object of JSON", b"[]", now).await.unwrap();
    let id = store.parked().await.unwrap().remove(0).id;
    let page = running.get("/parked").await.text;
    assert!(page.contains("no tiene la forma esperada") && page.contains("Sí, descartar"), "{page}");
    assert!(running.get("/c/aurora").await.text.contains("mensaje de un proveedor no se pudo leer"));
    let leads = async |what: &str| {
        let post = running.client.post(format!("{}/parked/{id}/{what}", running.url)).send().await.unwrap();
        post.headers()["location"].to_str().unwrap().to_owned()
    };
    let read = leads("replay").await;
    assert!(running.get(&read).await.text.contains("Todavía no se puede leer"), "{read}");
    let discarded = leads("discard").await;
    assert!(running.get(&discarded).await.text.contains("Descartado."), "{discarded}");
    assert_eq!(leads("discard").await, "/parked?did=gone");
}

#[tokio::test]
async fn staff_answers_takes_over_and_hands_back_over_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let patient = offered(&running).await;
    let path = |what: &str| format!("/api/clinics/aurora/patients/{patient}/{what}");
    let early = asked(&running, &path("reply"), json!({ "text": "Hola" })).await;
    assert!(early.error(StatusCode::UNPROCESSABLE_ENTITY).contains("24 hours"));
    says(&running, &patient, "¿tienen estacionamiento?").await;
    let reply = json!({ "text": "Sí, en la esquina.", "event": "e1" });
    let lines = asked(&running, &path("reply"), reply.clone()).await.json();
    let last = lines.as_array().unwrap().last().unwrap();
    assert_eq!((&last["by"], &last["text"]), (&json!("staff"), &json!("Sí, en la esquina.")));
    assert_eq!(asked(&running, &path("reply"), reply).await.json(), json!([]), "said once");
    let unseen = asked(&running, &path("release"), json!({ "heard": 0 })).await;
    assert!(unseen.error(StatusCode::CONFLICT).contains("read it first"));
    let of = running.system.clinic("aurora").await.unwrap();
    let is_paused = async || of.tenant.collection(&patient).await.unwrap().unwrap().patient.patient.paused;
    asked(&running, &path("release"), json!({ "heard": 1 })).await.ok();
    assert!(!is_paused().await);
    asked(&running, &path("hold"), json!({})).await.ok();
    assert!(is_paused().await);
}

#[tokio::test]
async fn agreements_are_recorded_in_bulk_on_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let page = "/c/aurora/agreements";
    assert!(running.get(page).await.text.contains("Quién da fe"));
    let file = "paciente_id,canales,fecha,como\nnobody,email,2026-02-20,ficha\n";
    let nobody = sent(&running, page, &[("file", file), ("attested_by", " ")]).await;
    assert!(nobody.text.contains("Escribí quién da fe"), "{}", nobody.text);
    let done = sent(&running, page, &[("file", file), ("attested_by", "Laura")]).await.text;
    assert!(done.contains("rechazadas: 1") && done.contains("no hay un paciente con ese número"), "{done}");
    let wrong = sent(&running, page, &[("file", "no such file"), ("attested_by", "Laura")]).await.text;
    assert!(wrong.contains("le falta: paciente_id"), "{wrong}");
}
