//! Somebody full of canaries: a whole life, and where any of it sings.

use export_importer::{ImportReport, import};
use retorno::calls::calls_of;
use retorno_cloud::desk::StaffDone;
use retorno_cloud::store::privacy::erase::{Erased, ErasureReason, erase};
use retorno_cloud::store::{Agreement, Comment, Stranger, SurveyAnswer};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::{E164, EmailAddress, PersonName};
use retorno_domain::ids::PatientId;
use serde_json::{Value, json};

use crate::far;
use crate::scene::Scene;

pub(crate) const GUARDIAN: &str = "5491155557777";
const HEAD: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,paciente_email,\
                    profesional,servicio,estado,origen_lead,consentimiento,actualizado,fecha_nacimiento,tutor_nombre,\
                    tutor_contacto,tutor_email,convenio";
pub(crate) const ID: &str = "CANARIO-77";
pub(crate) const AT_THE_DESK: &str = "desk: lo contó el picaflor";
pub(crate) const ATTESTED: &str = "attested by Benteveo: planilla 7";
pub(crate) const WORDS: &str = "tengo un canario azulón en la jaula";

/// Everything personal, in every spelling somebody might store it in.
pub(crate) const CANARIES: [&str; 29] = [
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
    "picaflor",
    "benteveo",
    "lechuza de plata",
];

pub(crate) fn child(id: &str, name: &str, appointment: &str) -> String {
    format!(
        "{appointment},2025-09-10T10:00:00,America/Argentina/Buenos_Aires,{id},{name},+5491155550999,\
         zulmira77@example.com,Dra. Ruiz,limpieza,completado,,opt-in 2025-09-01,2026-05-01T08:00:00Z,2015-04-03,\
         Carolina Avutarda,+{GUARDIAN},avutarda@example.com,FlamencoSalud"
    )
}

pub(crate) fn canary() -> String {
    child(ID, "Zulmira Quebrantahuesos", "CITA-9")
}

pub(crate) fn id() -> PatientId {
    PatientId::parse(ID).unwrap()
}

pub(crate) async fn imported(scene: &Scene, rows: &[String]) -> ImportReport {
    let export = format!("{HEAD}\n{}\n", rows.join("\n"));
    let mut unheard = |_| {};
    let importing = import(&scene.host.reach, &scene.clinic, "test", export.as_bytes(), &mut unheard);
    calls_of("export-importer", importing).await.unwrap()
}

/// A whole conversation: written to, answers, books, says how it was; and what lies beside the record.
pub(crate) async fn lived() -> Scene {
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
    for (how, channel) in [(AT_THE_DESK, Channel::Whatsapp), (ATTESTED, Channel::Email)] {
        let said = Wish::OptIn(ChannelSet::NONE.with(channel).with(Channel::Whatsapp));
        let said = Statement::of_all(scene.host.now().date_naive(), said, Source::Recorded);
        let done = desk.consent(&scene.tenant, &id(), how, &said, how).await.unwrap();
        assert_eq!(done, StaffDone::Done);
    }
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
    let who = tenant.stranger_of(&phone);
    let answered = desk.answer_stranger(tenant, &who, "staff#3", "lechuza de plata").await.unwrap();
    assert_eq!(answered, StaffDone::Done);
    scene.host.settle().await.unwrap();
    scene
}

/// Every item of the table, as its protocol writes it.
pub(crate) fn everything(scene: &Scene) -> Vec<Value> {
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

pub(crate) fn key(item: &Value) -> (&str, &str) {
    (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap())
}

/// Canaries in the table, each with the key where it sings.
pub(crate) fn singing(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for item in everything(scene) {
        let text = item.to_string().to_lowercase();
        let canaries = CANARIES.iter().filter(|canary| text.contains(**canary));
        found.extend(canaries.map(|canary| format!("{canary} in {:?}", key(&item))));
    }
    found
}

pub(crate) async fn gone(scene: &Scene) -> Erased {
    let who = id();
    let erasing = erase(&scene.host.reach, &scene.tenant, &who, ErasureReason::RequestedByGuardian);
    calls_of("staff-api", erasing).await.unwrap()
}
