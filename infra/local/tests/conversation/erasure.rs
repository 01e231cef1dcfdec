//! A patient full of canaries: everything is exported, nothing is logged, and after the erasure none of
//! them is anywhere, nor comes back.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use export_importer::{ImportReport, import};
use retorno::calls::calls_of;
use retorno::engine::{Fault, sdk_config};
use retorno_cloud::Reach;
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::privacy::erase::{Erased, ErasureError, ErasureReason, erase, resume};
use retorno_cloud::store::privacy::kinds::{AtErasure, KINDS, OF_NO_CLINIC, kind_of};
use retorno_cloud::store::{Agreement, Comment, Store, Stranger, SurveyAnswer};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::contact::{E164, EmailAddress, PersonName};
use retorno_domain::ids::PatientId;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::far;
use crate::scene::{PHONE, Scene};

const GUARDIAN: &str = "5491155557777";
const HEAD: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,paciente_email,\
                    profesional,servicio,estado,origen_lead,consentimiento,actualizado,fecha_nacimiento,tutor_nombre,\
                    tutor_contacto,tutor_email,convenio";
const ID: &str = "CANARIO-77";
const WORDS: &str = "tengo un canario azulón en la jaula";

/// Everything personal, in every spelling somebody might store it in.
const CANARIES: [&str; 26] = [
    "canario-77",
    "zulmira",
    "quebrantahuesos",
    "avutarda",
    "carolina",
    "5491155550999",
    "+5491155550999",
    "541155550999",
    "91155550999",
    "1155550999",
    "11 5555-0999",
    "5491155557777",
    "541155557777",
    "1155557777",
    "11 5555-7777",
    "zulmira77@example.com",
    "avutarda@example.com",
    "2015-04-03",
    "2033-04-03",
    "azulón",
    "jaula",
    "una alondra de verdad",
    "gaviota de cristal",
    "cincuenta petirrojos",
    "wa-user-calandria",
    "flamencosalud",
];

fn child(id: &str, name: &str, appointment: &str) -> String {
    format!(
        "{appointment},2025-09-10T10:00:00,America/Argentina/Buenos_Aires,{id},{name},+5491155550999,\
         zulmira77@example.com,Dra. Ruiz,limpieza,completado,,opt-in 2025-09-01,2026-05-01T08:00:00Z,2015-04-03,\
         Carolina Avutarda,+{GUARDIAN},avutarda@example.com,FlamencoSalud"
    )
}

fn canary() -> String {
    child(ID, "Zulmira Quebrantahuesos", "CITA-9")
}

fn id() -> PatientId {
    PatientId::parse(ID).unwrap()
}

async fn imported(scene: &Scene, rows: &[String]) -> ImportReport {
    let export = format!("{HEAD}\n{}\n", rows.join("\n"));
    let mut unheard = |_| {};
    let importing = import(&scene.host.reach, &scene.clinic, "test", export.as_bytes(), &mut unheard);
    calls_of("export-importer", importing).await.unwrap()
}

/// A whole conversation: written to, answers, books, says how it was; and what lies beside the record.
async fn lived() -> Scene {
    let scene = Scene::with(&[("99", "1")], 600).await;
    let report = imported(&scene, &[canary()]).await;
    assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    scene.evaluate().await;
    scene.until_sent().await;
    scene.says(GUARDIAN, WORDS).await;
    let open = scene.tenant.inbox().await.unwrap();
    assert_eq!(open.len(), 1, "not understood, so it waits for a person");
    let desk = retorno_cloud::desk::Desk::new(scene.host.reach.clone());
    desk.write(&scene.tenant, &id(), "staff#1", "gaviota de cristal").await.unwrap();
    desk.release(&scene.tenant, &id(), "staff#2").await.unwrap();
    scene.host.settle().await.unwrap();
    scene.says(GUARDIAN, "1").await;
    assert_eq!(scene.tenant.bookings(far().0, far().1).await.unwrap().len(), 1);
    let (now, tenant) = (scene.host.now(), &scene.tenant);
    let message = scene.of(ID).await.messages[0].id;
    let comment = Some(Comment("una alondra de verdad".to_owned()));
    tenant.keep_survey(&id(), message, &SurveyAnswer { score: 9, comment, at: now }).await.unwrap();
    let phone = E164::parse_strict("+5491155557777").unwrap();
    let agreement = Agreement {
        name: PersonName::parse("Zulmira Quebrantahuesos").unwrap(),
        phone: phone.clone(),
        email: Some(EmailAddress::parse("avutarda@example.com").unwrap()),
        channels: ChannelSet::NONE.with(Channel::Whatsapp),
        wording: "Acepto.".to_owned(),
        at: now,
    };
    tenant.keep_agreement(&agreement).await.unwrap();
    let text = "cincuenta petirrojos".to_owned();
    let stranger = Stranger {
        at: now,
        phone: Some(GUARDIAN.to_owned()),
        user: None,
        channel: Channel::Whatsapp,
        text,
        intent: "other".to_owned(),
        sure: false,
        stopped: PurposeSet::NONE,
    };
    tenant.keep_stranger("e1", &stranger, now).await.unwrap();
    tenant.note_user("wa-user-calandria", &phone).await.unwrap();
    scene
}

/// Every item of the table, as its protocol writes it.
fn everything(scene: &Scene) -> Vec<Value> {
    let mut items = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut request = json!({ "TableName": "retorno" });
        if !start.is_null() {
            request["ExclusiveStartKey"] = start;
        }
        let (status, answer) = scene.host.engine.answer("Scan", request.to_string().as_bytes());
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        items.extend(answer["Items"].as_array().unwrap().iter().cloned());
        start = answer["LastEvaluatedKey"].clone();
        if start.is_null() {
            return items;
        }
    }
}

fn key(item: &Value) -> (&str, &str) {
    (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap())
}

/// Canaries in the table, each with the key where it sings.
fn singing(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for item in everything(scene) {
        let text = item.to_string().to_lowercase();
        let canaries = CANARIES.iter().filter(|canary| text.contains(**canary));
        found.extend(canaries.map(|canary| format!("{canary} in {:?}", key(&item))));
    }
    found
}

async fn gone(scene: &Scene) -> Erased {
    erase(&scene.host.reach, &scene.tenant, &id(), ErasureReason::RequestedByGuardian).await.unwrap()
}

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
    the_morning_finishes_what_nobody_takes_up_again,
    the_morning_ends_a_sequence_that_an_erasure_did_not_come_to,
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
    assert!(scene.tenant.readmit(&id(), &std::collections::BTreeSet::new()).await.unwrap());
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

/// Erases in a process that dies after so many writes; says whether it came to its end.
async fn dying_after(scene: &Scene, patient: &PatientId, writes: usize) -> bool {
    let done = AtomicUsize::new(0);
    let intercept = move |operation: &str| {
        let writes_now = !matches!(operation, "GetItem" | "BatchGetItem" | "Query");
        let before = done.fetch_add(usize::from(writes_now), Ordering::Relaxed);
        (before + usize::from(writes_now) > writes).then_some(Fault::LostRequest)
    };
    let engine = scene.host.engine.with_intercept(Arc::new(intercept));
    let key = SecretKey::new(b"a seed of at least thirty-two bytes".to_vec()).unwrap();
    let key = SecretKey::new(key.mac(&[b"contact"])).unwrap();
    let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
    let store = Store::new(client, "retorno", key).repeatable();
    let reach = Reach { store: store.clone(), ..scene.host.reach.clone() };
    let erased = erase(&reach, &store.of(&scene.clinic), patient, ErasureReason::Requested).await;
    assert!(!matches!(erased, Err(ErasureError::Busy | ErasureError::Nobody)), "{erased:?}");
    erased.is_ok()
}

#[tokio::test]
async fn wherever_an_erasure_dies_the_next_run_finishes_it() {
    let scene = lived().await;
    let told = scene.told(GUARDIAN).len();
    let mut deaths = 0;
    while !dying_after(&scene, &id(), deaths).await {
        deaths += 1;
        // What holds the clinic's records is given up when its time is over.
        scene.pass(TimeDelta::minutes(20)).await;
    }
    assert!(deaths > 10, "{deaths}");
    assert_eq!(singing(&scene), Vec::<String>::new());
    let of = |space: &str| everything(&scene).iter().filter(|item| key(item).0.ends_with(space)).count();
    assert_eq!((of("#TOMBSTONES"), of("#ERASING")), (1, 0));
    assert_eq!(scene.told(GUARDIAN).len(), told, "nothing was sent since it began");
}

#[tokio::test]
async fn the_morning_finishes_what_nobody_takes_up_again() {
    let scene = lived().await;
    assert!(!dying_after(&scene, &id(), 6).await);
    scene.pass(TimeDelta::minutes(20)).await;
    // Whatever else may lie beside a record.
    let put = |partition: &str, sort: &str, mut item: Value| {
        item["pk"] = json!({ "S": format!("T#prueba#{partition}") });
        item["sk"] = json!({ "S": sort });
        let request = json!({ "TableName": "retorno", "Item": item });
        assert_eq!(scene.host.engine.answer("PutItem", request.to_string().as_bytes()).0, 200);
    };
    let sent = scene.of(ID).await.messages.iter().find_map(|message| message.provider_id.clone()).unwrap();
    put(&format!("SENT#{}", scene.tenant.hash(&sent)), "SENT", json!({}));
    put("AHEAD", ID, json!({}));
    put("WAITLIST", ID, json!({}));
    put("CALLS", "call", json!({ "patient": { "S": ID } }));
    put("AGREED", "somebody", json!({ "may_be": { "SS": [ID, "99"] } }));
    scene.evaluate().await;
    assert_eq!(singing(&scene), Vec::<String>::new());
    assert_eq!(resume(&scene.host.reach, &scene.tenant).await.unwrap(), 0, "nothing is left to finish");
}

#[tokio::test]
async fn the_morning_ends_a_sequence_that_an_erasure_did_not_come_to() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let one = PatientId::parse("1").unwrap();
    assert!(!dying_after(&scene, &one, 3).await);
    scene.pass(TimeDelta::minutes(20)).await;
    scene.evaluate().await;
    assert!(scene.tenant.collection(&one).await.unwrap().is_none());
    assert_eq!(scene.told(PHONE), Vec::<String>::new());
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
