//! People who are not on record, over HTTP.

use retorno_cloud::store::TenantStore;

use super::*;

const PHONE: &str = "+5491155550303";
const NAME: &str = "Lucrecia";

async fn post(running: &Running, path: &str, body: Value) -> Answer {
    let post = running.client.post(format!("{}/api/clinics/aurora{path}", running.url));
    Answer::of(post.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()).await
}

async fn listed(running: &Running) -> Value {
    running.get("/api/clinics/aurora/strangers").await.json()
}

/// Somebody who never said whether they want to be written to.
async fn undecided(tenant: &TenantStore) -> Option<PatientId> {
    for entry in tenant.values().await.unwrap() {
        let one = tenant.collection(&entry.patient).await.unwrap().unwrap().patient.patient;
        if one.consent.statements().is_empty() {
            return Some(entry.patient);
        }
    }
    None
}

#[tokio::test]
async fn a_stranger_is_seen_answered_set_aside_found_and_attached() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    post(&running, "/strangers/write", json!({ "phone": "12", "text": "x" })).await.error(StatusCode::BAD_REQUEST);
    let words = "me duele muchísimo y me sangra la encía";
    let all = post(&running, "/strangers/write", json!({ "phone": PHONE, "text": words })).await.json();
    let one = &all["strangers"][0];
    assert_eq!((&one["phone"], &one["urgency"], &one["window_open"]), (&json!(PHONE), &json!("urgent"), &json!(true)));
    let who = one["id"].as_str().unwrap();
    assert!(running.get("/c/aurora").await.text.contains("síntoma urgente"), "the clinic's page says so");
    assert!(running.get("/c/aurora/inbox").await.text.contains("encía"));
    let page = running.get("/c/aurora/strangers").await;
    assert!(page.text.contains("encía") && page.text.contains(&format!("/strangers/{who}/answer")));

    let said = json!({ "text": "Venga ya, lo esperamos" });
    for _ in 0..2 {
        let all = post(&running, &format!("/strangers/{who}/answer"), said.clone()).await.json();
        let answers = all["strangers"][0]["answers"].as_array().unwrap().clone();
        assert_eq!((answers.len(), &answers[0]["state"]), (1, &json!("accepted")), "the same words once");
        assert!(all["strangers"][0]["urgency"].is_null());
    }
    for (what, list) in [("dismiss", "dealt_with"), ("restore", "strangers")] {
        let all = post(&running, &format!("/strangers/{who}/{what}"), json!({})).await.json();
        assert_eq!(all[list].as_array().unwrap().len(), 1, "{what}");
    }
    let of = running.system.clinic("aurora").await.unwrap();
    // An opt-out would close the number for good, whoever it is attached to.
    let some = undecided(&of.tenant).await.unwrap();
    let name = of.tenant.collection(&some).await.unwrap().unwrap().patient.patient.profile.name;
    let found = post(&running, "/find", json!({ "text": name.as_str().to_uppercase() })).await.json();
    let ids: Vec<_> = found.as_array().unwrap().iter().map(|of| of["patient_id"].as_str().unwrap()).collect();
    assert!(ids.contains(&some.as_str()), "{found}");
    let by_page = running.form(&format!("/c/aurora/strangers/{who}/find"), &format!("find={some}")).await;
    assert!(by_page.status.is_success() && by_page.text.contains(&format!("name=\"patient\" value=\"{some}\"")));

    let nobody = post(&running, &format!("/strangers/{who}/attach"), json!({ "patient": "nobody" })).await;
    nobody.error(StatusCode::NOT_FOUND);
    let attached = running.form(&format!("/c/aurora/strangers/{who}/attach"), &format!("patient={some}")).await;
    assert_eq!(attached.status, StatusCode::SEE_OTHER);
    assert_eq!(listed(&running).await["dealt_with"][0]["patient_id"], some.as_str());
    let patient = running.get(&format!("/c/aurora?patient={some}")).await;
    assert!(patient.text.contains(PHONE) && patient.text.contains("forget-number") && patient.text.contains("encía"));
    let taken = post(&running, &format!("/patients/{some}/forget-number"), json!({})).await.json();
    assert_eq!(taken["strangers"][0]["state"], "open");
    let again = post(&running, &format!("/patients/{some}/forget-number"), json!({})).await;
    assert!(again.error(StatusCode::UNPROCESSABLE_ENTITY).contains("no phone was noted"));
    let sure = post(&running, &format!("/patients/{some}/right-number"), json!({ "confirm": true })).await;
    assert!(sure.error(StatusCode::UNPROCESSABLE_ENTITY).contains("nobody said"));
    running.advance(json!({ "by": "2d" })).await.ok();
    running.system.idle().await;
    let late = post(&running, &format!("/strangers/{who}/answer"), json!({ "text": "¿Sigue ahí?" })).await;
    let late = late.error(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.contains("24 hours"), "{late}");
    assert!(running.get("/c/aurora/strangers").await.text.contains("Llamar por teléfono"));
}

#[tokio::test]
async fn an_agreement_is_listed_set_aside_and_attached_and_no_address_tells_whose() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let link = retorno_cloud::links::Link::consent(ClinicId::parse("aurora").unwrap());
    let path = format!("/l/{}", running.system.host.links().token(&link, running.system.host.now()));
    let phone = PHONE.replace('+', "%2B");
    running.form(&path, &format!("name={NAME}+Zubizarreta&phone={phone}&channel=whatsapp")).await;
    post(&running, "/strangers/write", json!({ "phone": PHONE, "text": "hola" })).await.ok();
    let all = listed(&running).await;
    let agreement = &all["agreements"][0];
    assert_eq!((&agreement["phone"], &agreement["state"]), (&json!(PHONE), &json!("open")), "{all}");
    let id = agreement["id"].as_str().unwrap();
    let page = running.get("/c/aurora/strangers").await.text;
    assert!(page.contains(NAME));
    for part in page.split(['"', '<', '>']).filter(|part| part.contains("/c/") || part.contains("/l/")) {
        assert!(!part.contains("55550303") && !part.contains(NAME), "{part}");
    }
    for (what, list) in [("dismiss", "settled_agreements"), ("restore", "agreements")] {
        let to = running.form(&format!("/c/aurora/agreements/{id}/{what}"), "").await;
        assert_eq!(to.status, StatusCode::SEE_OTHER);
        assert_eq!(listed(&running).await[list].as_array().unwrap().len(), 1, "{what}");
    }
    let of = running.system.clinic("aurora").await.unwrap();
    let some = undecided(&of.tenant).await.unwrap();
    for _ in 0..2 {
        let all = post(&running, &format!("/agreements/{id}/attach"), json!({ "patient": some.as_str() })).await.json();
        assert_eq!(all["settled_agreements"][0]["patient_id"], some.as_str());
    }
    let consent = running.get(&format!("/api/clinics/aurora/patients/{some}/consent")).await.json();
    assert_eq!(consent["statements"].as_array().unwrap().len(), 1);
    assert_eq!(consent["marketing"]["channels"], json!(["whatsapp"]));
}
