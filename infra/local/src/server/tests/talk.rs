//! Whole conversations over HTTP: on the phone, at the desk, by links and hooks.

use retorno_domain::channel::PurposeSet;
use retorno_domain::consent::Wish;

use super::*;
use crate::host::{Written, signed, webhook};

/// A patient who has just been offered two slots on WhatsApp.
pub(super) async fn offered(running: &Running) -> PatientId {
    let of = running.system.clinic("aurora").await.unwrap();
    let mut found = None;
    for _ in 0..60 {
        running.advance(json!({ "by": "next" })).await.ok();
        running.system.idle().await;
        let sent = running.get("/api/clinics/aurora/outbox?limit=1").await.json();
        let Some(id) = sent[0]["patient_id"].as_str() else { continue };
        let id = PatientId::parse(id).unwrap();
        let collection = of.tenant.collection(&id).await.unwrap().unwrap();
        if sent[0]["channel"] == "whatsapp" && collection.messages.iter().any(|message| message.slots.len() == 2) {
            found = Some(id);
            break;
        }
    }
    found.unwrap()
}

async fn thread(running: &Running, patient: &PatientId) -> Vec<Value> {
    let lines = running.get(&format!("/api/clinics/aurora/patients/{patient}/thread")).await.json();
    lines.as_array().unwrap().clone()
}

pub(super) async fn says(running: &Running, patient: &PatientId, text: &str) -> Vec<Value> {
    let body = json!({ "text": text }).to_string();
    let post = running.client.post(format!("{}/api/clinics/aurora/patients/{patient}/write", running.url));
    let answer = Answer::of(post.header("content-type", "application/json").body(body).send().await.unwrap()).await;
    answer.json().as_array().unwrap().clone()
}

/// The name that a rendering gave to what its forms do.
async fn event(running: &Running, patient: &PatientId) -> String {
    let page = running.get(&format!("/c/aurora?patient={patient}")).await;
    let (_, rest) = page.text.split_once("name=\"event\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn staff(running: &Running, patient: &PatientId, what: &str, form: &str) -> String {
    let post = running.client.post(format!("{}/c/aurora/patients/{patient}/{what}", running.url));
    let post = post.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    let response = post.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_two_on_the_phone_is_a_visit_in_the_agenda_and_a_stop_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let patient = offered(&running).await;
    let before = thread(&running, &patient).await;
    let buttons = before.last().unwrap()["buttons"].as_array().unwrap();
    assert!(!buttons.is_empty(), "{before:?}");
    let page = running.get(&format!("/c/aurora?patient={patient}")).await;
    for button in buttons {
        assert!(page.text.contains(&format!("value=\"{}\"", button["payload"].as_str().unwrap())), "it can be pressed");
    }
    let to = staff(&running, &patient, "write", "text=2").await;
    assert_eq!(to, format!("/c/aurora?patient={patient}#phone"));
    let said = thread(&running, &patient).await;
    assert_eq!(said.len(), before.len() + 2, "{said:?}");
    let (question, answer) = (&said[before.len()], &said[before.len() + 1]);
    assert_eq!((question["by"].as_str(), question["intent"].as_str()), (Some("patient"), Some("option_2")));
    assert_eq!((answer["by"].as_str(), answer["state"].as_str()), (Some("answer"), Some("accepted")));
    let agenda = running.get("/api/clinics/aurora/agenda").await.json();
    let booking = &agenda["bookings"][0];
    assert_eq!(
        (booking["patient_id"].as_str(), booking["status"].as_str()),
        (Some(patient.as_str()), Some("reservado"))
    );
    assert!(booking["lead_source"].as_str().unwrap().starts_with("reactivación-"), "{booking}");
    let name = booking["patient"].as_str().unwrap();
    let shown = running.get("/c/aurora/agenda").await;
    assert!(shown.status.is_success() && shown.text.contains(name));
    let file = running.get("/c/aurora/agenda.csv").await;
    let rows: Vec<&str> = file.text.lines().collect();
    assert!(rows.len() == 2 && rows[0].starts_with("id_cita,fecha_hora_inicio") && rows[1].contains(name), "{rows:?}");
    let calendar = running.get("/c/aurora/agenda.ics").await;
    assert_eq!(calendar.text.matches("BEGIN:VEVENT").count(), 1);

    let stopped = says(&running, &patient, "PARAR").await;
    assert_eq!(stopped[0]["intent"], "opt_out");
    let path = format!("/api/clinics/aurora/patients/{patient}/consent");
    let agreed = running.get(&path).await.json();
    assert_eq!(agreed["marketing"]["reason"], "opted_out");
    assert!(agreed["care"]["reason"].is_null() && agreed["marketing"]["closed"].as_array().unwrap().len() == 4);
    let asks = says(&running, &patient, "¿a qué hora era?").await;
    assert!(!asks.is_empty(), "who asks is answered");
    let stopped = says(&running, &patient, "no me escriban nunca más").await;
    assert_eq!(stopped[0]["intent"], "stop_all");
    let of = running.system.clinic("aurora").await.unwrap();
    let collection = of.tenant.collection(&patient).await.unwrap().unwrap();
    assert_eq!(collection.patient.patient.consent.statements().last().unwrap().wish, Wish::OptOut);
    let event = event(&running, &patient).await;
    let to = staff(&running, &patient, "reply", &format!("event={event}&words=Hola")).await;
    assert!(to.ends_with("&not=opted_out"), "{to}");
    assert!(running.get(&to).await.text.contains("role=\"alert\""), "the page says why");
}

#[tokio::test]
async fn a_question_waits_for_a_person_who_answers_once_and_hands_back() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let patient = offered(&running).await;
    assert_eq!(running.get("/api/clinics/aurora/inbox").await.json()["waiting"], json!([]));
    says(&running, &patient, "¿Qué documentos tengo que llevar?").await;
    let inbox = running.get("/api/clinics/aurora/inbox").await.json();
    let waiting = &inbox["waiting"][0];
    assert_eq!(
        (waiting["patient_id"].as_str(), waiting["reason"].as_str()),
        (Some(patient.as_str()), Some("question"))
    );
    assert_eq!(
        (&waiting["answered"], &waiting["last_words"]),
        (&json!(false), &json!("¿Qué documentos tengo que llevar?"))
    );
    assert!(running.get("/c/aurora/inbox").await.text.contains("llevar?"));
    assert!(running.get("/c/aurora").await.text.contains("href=\"/c/aurora/inbox\""));

    let name = event(&running, &patient).await;
    let form = format!("event={name}&words=Solo+el+documento");
    for _ in 0..2 {
        assert!(!staff(&running, &patient, "reply", &form).await.contains("not="));
    }
    let said = thread(&running, &patient).await;
    let by_staff: Vec<&Value> = said.iter().filter(|line| line["by"] == "staff").collect();
    assert_eq!(by_staff.len(), 1, "sent twice, said once");
    assert_eq!((&by_staff[0]["text"], &by_staff[0]["state"]), (&json!("Solo el documento"), &json!("accepted")));
    assert_eq!(running.get("/api/clinics/aurora/inbox").await.json()["waiting"][0]["answered"], true);

    let name = event(&running, &patient).await;
    says(&running, &patient, "¿Y los estudios?").await;
    let to = staff(&running, &patient, "release", &format!("event={name}&heard=1")).await;
    assert!(to.ends_with("&not=more_was_said"), "nothing unread is handed back: {to}");
    for _ in 0..2 {
        staff(&running, &patient, "release", &format!("event={name}&heard=2")).await;
    }
    assert_eq!(running.get("/api/clinics/aurora/inbox").await.json()["waiting"], json!([]));
    let state = async || {
        let of = running.system.clinic("aurora").await.unwrap();
        let collection = of.tenant.collection(&patient).await.unwrap().unwrap();
        (collection.patient.patient.paused, collection.enrollments[0].enrollment.state.clone())
    };
    let (paused, sequence) = state().await;
    assert!(!paused && !matches!(sequence, retorno_domain::enrollment::State::Conversing { .. }), "{sequence:?}");
    let name = event(&running, &patient).await;
    staff(&running, &patient, "hold", &format!("event={name}")).await;
    assert!(state().await.0, "a person took it");
}

#[tokio::test]
async fn what_was_agreed_to_is_recorded_by_a_tap_and_in_bulk() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let of = running.system.clinic("aurora").await.unwrap();
    let wish = async |id: &PatientId| {
        let collection = of.tenant.collection(id).await.unwrap().unwrap();
        collection.patient.patient.consent.statements().last().map(|statement| statement.wish)
    };
    let only = |code: &str| Some(Wish::OptIn([code.parse().unwrap()].into_iter().collect()));
    let mut nobody_asked = Vec::new();
    for entry in of.tenant.values().await.unwrap() {
        if wish(&entry.patient).await.is_none() {
            nobody_asked.push(entry.patient);
        }
    }
    let (one, two) = (&nobody_asked[0], &nobody_asked[1]);
    let name = event(&running, one).await;
    let form = format!("event={name}&wish=in&how=in_person");
    let page = running.get(&format!("/c/aurora?patient={one}")).await.text;
    assert!(page.contains("name=\"care\"") && !page.contains("checked"), "nothing is ticked beforehand");
    assert!(staff(&running, one, "consent", &format!("{form}&email=on")).await.ends_with("&not=no_purposes"));
    assert!(staff(&running, one, "consent", &format!("{form}&care=on")).await.ends_with("&not=no_channels"));
    assert_eq!(wish(one).await, None, "nothing was recorded");
    staff(&running, one, "consent", &format!("{form}&email=on&care=on&on=2026-02-27")).await;
    assert_eq!(wish(one).await, only("email"));
    let said = of.tenant.collection(one).await.unwrap().unwrap().patient.patient.consent.statements()[0].clone();
    assert_eq!((said.purposes, said.on.to_string().as_str()), (PurposeSet::CARE, "2026-02-27"));
    let name = event(&running, one).await;
    staff(&running, one, "consent", &format!("event={name}&wish=out&how=by_phone")).await;
    assert_eq!(wish(one).await, Some(Wish::OptOut));
    let said = of.tenant.collection(one).await.unwrap().unwrap().patient.patient.consent.statements()[1].clone();
    assert_eq!(said.purposes, PurposeSet::ALL, "of which nothing is said");

    let file = format!(
        "paciente_id,canales,fecha,como\n{two},whatsapp,2026-02-20,ficha\n{one},whatsapp,2026-02-20,ficha\n\
         nobody,email,2026-02-20,ficha\n{two},fax,2026-02-20,ficha\n{two},email,2026-12-20,ficha\n"
    );
    let path = "/api/clinics/aurora/consents";
    running.post(path, file.clone()).await.error(StatusCode::BAD_REQUEST);
    let path = format!("{path}?attested_by=Laura");
    let done = running.post(&path, file.clone()).await.json();
    let codes: Vec<_> = done["rejected"].as_array().unwrap().iter().map(|row| (&row["line"], &row["code"])).collect();
    let expected = [(3, "opt_out_stands"), (4, "no_such_patient"), (5, "consent_channel"), (6, "future")];
    assert_eq!(json!(codes), json!(expected));
    assert_eq!((&done["recorded"], &done["refused"]), (&json!(1), &json!(4)));
    assert_eq!(wish(two).await, only("whatsapp"));
    let again = running.post(&path, file).await.json();
    assert_eq!((&again["recorded"], &again["repeated"]), (&json!(0), &json!(1)));
    running.post(&path, "no such file").await.error(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn hooks_and_links_prove_themselves_and_need_no_origin() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let patient = offered(&running).await;
    let of = running.system.clinic("aurora").await.unwrap();
    let collection = of.tenant.collection(&patient).await.unwrap().unwrap();
    let digits = collection.patient.patient.profile.phone.as_ref().unwrap().e164.digits();
    let now = running.system.host.now();
    let body = webhook(&of.clinic, digits, &Written::Text("gracias".to_owned()), ("wamid.hook", None), now).to_string();
    let send = async |secret: &str| {
        let request = signed(secret, body.clone().into_bytes());
        let mut post = running.client.post(format!("{}{}", running.url, request.path)).header("origin", "null");
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        Answer::of(post.body(request.body).send().await.unwrap()).await.status
    };
    let before = thread(&running, &patient).await.len();
    assert_eq!(send("forged").await, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&running.system.host.sandbox_app_secret()).await, StatusCode::OK);
    running.system.take_up_now().await.unwrap();
    assert_eq!(thread(&running, &patient).await.len(), before + 1, "heard once");
    let too_large = running.post("/hooks/meta/sandbox", vec![b' '; 4_000_000]).await;
    assert_eq!(too_large.status, StatusCode::PAYLOAD_TOO_LARGE);

    let link = retorno_cloud::links::Link {
        clinic: of.id.clone(),
        message: collection.messages[0].id,
        purpose: retorno_cloud::links::LinkPurpose::Unsubscribe,
    };
    let path = format!("/l/{}", running.system.host.links().token(&link, now));
    running.get(&path).await.ok();
    let post = running.client.post(format!("{}{path}", running.url)).header("origin", "null");
    let post = post.header("content-type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
    Answer::of(post.send().await.unwrap()).await.ok();
    let collection = of.tenant.collection(&patient).await.unwrap().unwrap();
    assert_eq!(collection.patient.patient.consent.statements().last().unwrap().wish, Wish::OptOut);
    assert_eq!(running.get("/l/forged").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_code_leads_to_whatsapp_once_the_number_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    assert!(running.get("/c/aurora").await.text.contains("whatsapp_number = "));
    assert_eq!(running.get("/c/aurora/qr.svg").await.status, StatusCode::NOT_FOUND);
    let settings = format!("name = \"Aurora\"\nzone = \"{}\"\nwhatsapp_number = \"+5491155550100\"\n", aurora().zone);
    running.post("/api/clinics/aurora/settings", settings).await.ok();
    assert!(running.get("/c/aurora").await.text.contains("https://wa.me/5491155550100?text="));
    assert!(running.get("/c/aurora/qr").await.text.contains("src=\"/c/aurora/qr.svg\""));
    assert!(running.get("/c/aurora/qr.svg").await.text.contains("<svg"));
}

/// The default sequence with notifications in the place of the later steps.
const NOTIFYING: &str = r#"
[[flows]]
id = "reactivacion"
version = 2
close_after_days = 10
steps = [
  { id = "d1", offset_days = 0, channel = "whatsapp" },
  { id = "d3", offset_days = 2, channel = "push" },
  { id = "d6", offset_days = 5, channel = "push" },
]
"#;

#[tokio::test]
async fn a_patients_browser_asks_shows_and_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora_and(folder.path(), NOTIFYING).await;
    let patient = offered(&running).await;
    let (api, page) =
        (format!("/api/clinics/aurora/patients/{patient}/browser"), format!("/c/aurora?patient={patient}"));
    let act = async |act: &str| {
        let post = running.client.post(format!("{}{api}", running.url));
        let post = post.header("content-type", "application/json").body(json!({ "act": act }).to_string());
        Answer::of(post.send().await.unwrap()).await
    };
    assert_eq!(running.get(&api).await.json(), json!({ "used": true, "browsers": [], "notifications": [] }));
    assert!(running.get(&page).await.text.contains("Pedir avisos en un navegador de prueba"));
    assert_eq!(act("fly").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let browsers = act("subscribe").await.json()["browsers"].clone();
    assert_eq!(
        (&browsers[0]["service"], &browsers[0]["holder"], browsers.as_array().unwrap().len()),
        (&json!("updates.push.services.mozilla.com"), &json!("patient"), 1)
    );
    running.advance(json!({ "by": "3d" })).await.ok();
    running.system.idle().await;
    let shown = running.get(&api).await.json()["notifications"][0].clone();
    let path = shown["open"].as_str().unwrap().strip_prefix(running.url.as_str()).unwrap().to_owned();
    for text in [running.get(&page).await.text, running.get("/c/aurora").await.text] {
        assert!(text.contains(&format!("href=\"{path}\"")) && text.contains(shown["body"].as_str().unwrap()));
    }
    let channels = running.get("/api/clinics/aurora/connections").await.json()["channels"].clone();
    assert_eq!((&channels[3]["channel"], &channels[3]["state"]), (&json!("push"), &json!("ready")));

    assert_eq!(staff(&running, &patient, "browser", "act=withdraw").await, format!("{page}#browsers"));
    running.advance(json!({ "by": "3d" })).await.ok();
    running.system.idle().await;
    assert_eq!(running.get(&api).await.json()["browsers"], json!([]), "its service said so, and it was forgotten");
    assert!(running.get(&page).await.text.contains("Navegadores que reciben avisos"));
}
