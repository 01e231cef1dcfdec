//! A patient full of canaries: everything is exported, nothing is logged, and after the erasure none of
//! them is anywhere, nor comes back.

use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use retorno_cloud::store::privacy::erase::{ErasureReason, erase};
use retorno_cloud::store::privacy::kinds::{AtErasure, KINDS, OF_NO_CLINIC, kind_of};
use retorno_domain::channel::Channel;
use retorno_domain::contact::E164;
use retorno_domain::ids::PatientId;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::canary::{
    AT_THE_DESK, ATTESTED, CANARIES, GUARDIAN, ID, canary, child, everything, gone, id, imported, key, lived, singing,
};
use crate::far;
use crate::scene::Scene;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All that the product says of itself, at every level.
fn logging(log: &Log) -> tracing::subscriber::DefaultGuard {
    let ours = "retorno_cloud retorno_domain export_importer inbound_webhook step_dispatcher segment_evaluator \
                patient_pages ledger_sealer retorno";
    let ours: Vec<String> = ours.split_whitespace().map(|of| format!("{of}=trace")).collect();
    let filter = EnvFilter::new(format!("info,{},rlibphonenumber=off", ours.join(",")));
    let log = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(move || log.clone());
    tracing::subscriber::set_default(subscriber.finish())
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_whole_life_and_an_erasure_say_nothing_personal_in_the_log,
    everything_held_is_exported,
    no_canary_is_left_and_none_comes_back,
    an_opt_out_outlives_the_person,
    what_a_stranger_was_answered_is_recorded_and_leads_to_no_phone,
    a_former_phone_keeps_nothing_of_the_person,
];

#[tokio::test]
async fn a_whole_life_and_an_erasure_say_nothing_personal_in_the_log() {
    let log = Log::default();
    let guard = logging(&log);
    let scene = lived().await;
    gone(&scene).await;
    tracing::info!(patient = "the log is heard");
    drop(guard);
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap().to_lowercase();
    assert!(said.contains("the log is heard"));
    // Ids are logged, by rule.
    let heard: Vec<&&str> = CANARIES.iter().skip(1).filter(|canary| said.contains(**canary)).collect();
    assert!(heard.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn everything_held_is_exported() {
    let scene = lived().await;
    let all = scene.tenant.everything_about(&id(), scene.host.now()).await.unwrap().unwrap();
    let text = all.to_string().to_lowercase();
    for canary in ["zulmira", "avutarda", "5491155557777", "zulmira77@example.com", "azulón", "una alondra de verdad"]
    {
        assert!(text.contains(canary), "{canary}");
    }
    for (field, count) in [("messages", 1), ("said", 2), ("bookings", 1), ("agreements", 1), ("surveys", 1)] {
        assert_eq!(all[field].as_array().unwrap().len(), count, "{field}");
    }
    assert_eq!(all["words_before_known"][0]["text"], "cincuenta petirrojos");
    assert!(text.contains("gaviota de cristal") && text.contains("flamencosalud"));
    assert_eq!(all["consents"][0]["said"], "agreed");
    let words = all["consent_words"].as_array().unwrap();
    assert_eq!(words.len(), 2, "{words:?}");
    for (said, code) in [(AT_THE_DESK, "desk"), (ATTESTED, "attested")] {
        let words = words.iter().find(|words| words["words"] == said).unwrap();
        assert_eq!(words["as_recorded"], true, "{words}");
        let record = all["audit"].as_array().unwrap().iter().find(|record| record["sk"]["S"] == words["record"]);
        assert_eq!(record.unwrap()["how"]["S"], code);
    }
    assert!(all["audit"].as_array().unwrap().len() >= 2, "{}", all["audit"]);
    let nobody = PatientId::parse("nobody").unwrap();
    assert_eq!(scene.tenant.everything_about(&nobody, scene.host.now()).await.unwrap(), None);
}

#[tokio::test]
async fn no_canary_is_left_and_none_comes_back() {
    let scene = lived().await;
    assert!(singing(&scene).len() > 20, "the canaries sing");
    let told = scene.told(GUARDIAN).len();
    let erased = gone(&scene).await;
    assert_eq!(erased.freed.len(), 1, "the visit that was booked is given up");
    assert_eq!(singing(&scene), Vec::<String>::new());
    let free = scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap();
    assert_eq!(free.len(), 600);
    let tombstones: Vec<Value> =
        everything(&scene).into_iter().filter(|of| key(of).0.ends_with("#TOMBSTONES")).collect();
    assert_eq!(tombstones.len(), 1);
    let counts: Value = serde_json::from_str(tombstones[0]["counts"]["S"].as_str().unwrap()).unwrap();
    assert_eq!(counts.as_object().unwrap().iter().filter(|(of, _)| of.starts_with("booking/")).count(), 1, "{counts}");

    // The same export, and the same person under a new number: nothing is stored, nobody is written to.
    let report = imported(&scene, &[canary(), child("NUEVO-5", "  ZULMIRA  Quebrantahuesos", "CITA-10")]).await;
    assert_eq!((report.suppressed_after_erasure, report.patients, report.added), (2, 0, 0));
    assert_eq!(singing(&scene), Vec::<String>::new());
    scene.pass(TimeDelta::days(30)).await;
    assert_eq!(scene.told(GUARDIAN).len(), told);
    assert_eq!(singing(&scene), Vec::<String>::new());

    // Whoever shares the phone is somebody else.
    let report = imported(&scene, &[child("HERMANO-6", "Teo Quebrantahuesos", "CITA-11")]).await;
    assert_eq!((report.suppressed_after_erasure, report.added), (0, 1));
    assert!(gone(&scene).await.already);

    // Back by the clinic's own wish.
    let back = scene.tenant.readmit(&id()).await.unwrap().unwrap();
    assert!(back.lifted > 1 && back.kept == 0 && back.knows_all, "{back:?}");
    assert_eq!(scene.tenant.readmit(&id()).await.unwrap(), None);
    let report = imported(&scene, &[child("NUEVO-5", "Zulmira Quebrantahuesos", "CITA-12"), canary()]).await;
    assert_eq!((report.suppressed_after_erasure, report.added), (0, 2));
}

#[tokio::test]
async fn what_a_stranger_was_answered_is_recorded_and_leads_to_no_phone() {
    let scene = lived().await;
    let phone = E164::parse_strict(&format!("+{GUARDIAN}")).unwrap();
    let answer = scene.tenant.stranger_groups().await.unwrap()[0].answers[0].id.to_string();
    let aliases = phone.aliases();
    let hashes = aliases.iter().map(|digits| scene.tenant.hash(&format!("+{digits}"))).chain([answer]);
    let hashes: Vec<String> = hashes.collect();
    let records = |scene: &Scene| -> Vec<Value> {
        everything(scene).into_iter().filter(|item| key(item).0.contains("#AUDIT#")).collect()
    };
    let committed = records(&scene).into_iter().filter(|item| item["event"]["S"] == "stranger.committed").count();
    assert_eq!(committed, 1);
    gone(&scene).await;
    for record in records(&scene) {
        let text = record.to_string();
        assert!(!hashes.iter().any(|hash| text.contains(hash.as_str())), "{text}");
        let who = record["who"]["S"].as_str().unwrap();
        assert_eq!(scene.tenant.patient_called(who).await.unwrap(), None);
        let named: Vec<Value> = everything(&scene).into_iter().filter(|of| of.to_string().contains(who)).collect();
        assert!(named.iter().all(|of| key(of).0.contains("#AUDIT#")), "{named:?}");
    }
}

/// The same person's row as told later, with another guardian's phone and this consent.
fn later(hour: u32, guardian: &str, consent: &str) -> String {
    let row = canary().replace(GUARDIAN, guardian).replace("opt-in 2025-09-01", consent);
    row.replace("2026-05-01T08:00:00Z", &format!("2026-05-02T{hour:02}:00:00Z"))
}

#[tokio::test]
async fn a_former_phone_keeps_nothing_of_the_person() {
    let scene = Scene::with(&[("99", "1")], 600).await;
    imported(&scene, &[canary()]).await;
    scene.evaluate().await;
    let points = |attribute: &str| -> Vec<String> {
        let points = everything(&scene).into_iter().filter(|item| key(item).0.contains("#CP#"));
        let named = points.filter(|item| item[attribute].to_string().contains(ID));
        named.map(|item| key(&item).0.to_owned()).collect()
    };
    let of = |digits: &str| format!("T#prueba#CP#{}", scene.tenant.hash(&format!("+{digits}")));
    assert!(points("busy_p").contains(&of(GUARDIAN)), "a sequence runs");
    imported(&scene, &[later(1, "5491155556666", "opt-in 2025-09-01")]).await;
    assert!(!points("busy_p").contains(&of(GUARDIAN)), "whoever has it now is kept from nothing");
    imported(&scene, &[later(2, "5491155556666", "opt-out 2026-05-02")]).await;
    imported(&scene, &[later(3, "5491155554444", "opt-out 2026-05-02")]).await;
    assert!(points("oo_imp").contains(&of("5491155556666")), "{:?}", points("oo_imp"));
    let all = scene.tenant.everything_about(&id(), scene.host.now()).await.unwrap().unwrap();
    let former = all["contact_points"].as_array().unwrap().iter().filter(|point| point["former"] == true);
    assert_eq!(former.collect::<Vec<_>>(), [&json!({ "former": true, "opted_out_by_export": true })]);
    gone(&scene).await;
    assert_eq!(singing(&scene), Vec::<String>::new());
    let contact = scene.tenant.hash("+5491155556666");
    let contact = retorno_cloud::store::ContactKeys { phone: Some(contact), ..Default::default() };
    let point = scene.tenant.contact_points(&contact).await.unwrap().phone;
    assert!(point.suppressed.contains(Channel::Whatsapp), "the opt-out stays");
}

#[tokio::test]
async fn whoever_was_erased_under_two_numbers_comes_back_when_both_are_let_in() {
    let scene = Scene::with(&[("99", "1")], 40).await;
    let rows = [canary(), child("NUEVO-5", "Zulmira Quebrantahuesos", "CITA-10")];
    let other = PatientId::parse("NUEVO-5").unwrap();
    imported(&scene, &rows).await;
    gone(&scene).await;
    erase(&scene.host.reach, &scene.tenant, &other, ErasureReason::Mistake).await.unwrap();
    let back = scene.tenant.readmit(&id()).await.unwrap().unwrap();
    assert!(back.lifted == 1 && back.kept > 0, "{back:?}");
    assert_eq!(imported(&scene, &rows).await.suppressed_after_erasure, 2, "of that name and contact is the other");
    let back = scene.tenant.readmit(&other).await.unwrap().unwrap();
    assert!(back.lifted > 1 && back.kept == 0, "{back:?}");
    let report = imported(&scene, &rows).await;
    assert_eq!((report.suppressed_after_erasure, report.patients), (0, 2));
    // Of an erasure before that was kept only the number is known.
    let old = PatientId::parse("OLD-1").unwrap();
    let mark = json!({ "pk": { "S": "T#prueba#ERASED" }, "sk": { "S": scene.tenant.erased_id(&old) } });
    let request = json!({ "TableName": "retorno", "Item": mark });
    assert_eq!(scene.host.engine.answer("PutItem", request.to_string().as_bytes()).0, 200);
    let old = scene.tenant.readmit(&old).await.unwrap().unwrap();
    assert!(!old.knows_all);
}

#[tokio::test]
async fn an_opt_out_outlives_the_person() {
    let scene = lived().await;
    scene.says(GUARDIAN, "BAJA").await;
    let phone = scene.tenant.hash("+5491155557777");
    gone(&scene).await;
    let contact = retorno_cloud::store::ContactKeys { phone: Some(phone), ..Default::default() };
    let points = scene.tenant.contact_points(&contact).await.unwrap();
    assert!(points.phone.suppressed.contains(Channel::Whatsapp));
    assert_eq!(singing(&scene), Vec::<String>::new());
}

#[tokio::test]
async fn every_kind_of_item_is_known_to_erasure() {
    let scene = lived().await;
    for item in everything(&scene) {
        let (pk, sk) = key(&item);
        if OF_NO_CLINIC.iter().any(|of| pk.starts_with(of)) {
            continue;
        }
        let kind = kind_of(pk, sk);
        assert!(kind.is_some(), "say in store/privacy/kinds.rs what erasing a person does to {pk} / {sk}");
        let text = item.to_string().to_lowercase();
        let stays = kind.unwrap().at_erasure == AtErasure::Stays;
        let named = CANARIES.iter().find(|canary| text.contains(**canary));
        assert!(!stays || named.is_none(), "{named:?} in {pk} / {sk}, which an erasure does not touch");
    }
}

#[test]
fn the_documents_name_every_kind() {
    let page = include_str!("../../../../docs/privacy.md");
    for kind in KINDS {
        assert!(page.contains(kind.name), "docs/privacy.md says nothing of {}", kind.name);
    }
}
