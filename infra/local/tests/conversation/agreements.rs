//! Agreements of people who are not on record yet.

use chrono::{NaiveDate, TimeDelta};
use export_importer::{ImportReport, import};
use retorno::calls::calls_of;
use retorno_cloud::desk::{Refused, StaffDone};
use retorno_cloud::links::Link;
use retorno_cloud::store::{Agreement, AgreementState, StoredAgreement};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::consent::{Source, Wish};
use retorno_domain::contact::{E164, EmailAddress, PersonName};

use crate::scene::{PHONE, Scene};
use crate::strangers::{desk, id};

const NEW: &str = "5491155550606";

/// A row of somebody who said nothing yet.
fn silent(patient: &str, name: &str, phone: &str, consent: &str) -> String {
    format!(
        "C{patient},2025-09-10T10:00:00,America/Argentina/Buenos_Aires,{patient},{name},+{phone},Dra. Ruiz,limpieza,\
         completado,,{consent},ana{patient}@example.com"
    )
}

async fn imported(scene: &Scene, rows: &[String]) -> ImportReport {
    let head = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,profesional,\
                servicio,estado,origen_lead,consentimiento,paciente_email";
    let export = format!("{head}\n{}\n", rows.join("\n"));
    let mut unheard = |_| {};
    let importing = import(&scene.host.reach, &scene.clinic, "test", export.as_bytes(), &mut unheard);
    calls_of("export-importer", importing).await.unwrap()
}

fn agreement(scene: &Scene, name: &str, phone: &str, email: Option<&str>) -> Agreement {
    Agreement {
        name: PersonName::parse(name).unwrap(),
        phone: E164::parse_strict(&format!("+{phone}")).unwrap(),
        email: email.map(|email| EmailAddress::parse(email).unwrap()),
        channels: [Channel::Whatsapp].into_iter().collect(),
        wording: "Acepto que la clínica me escriba.".to_owned(),
        at: scene.host.now(),
    }
}

async fn agrees(scene: &Scene, name: &str, phone: &str, email: Option<&str>) -> NaiveDate {
    let said = agreement(scene, name, phone, email);
    for _ in 0..2 {
        desk(scene).agree(&Link::consent(scene.clinic.clone()), &said).await.unwrap();
    }
    scene.host.now().date_naive()
}

/// Somebody whom no record tells of agrees.
pub(crate) async fn somebody_agrees(scene: &Scene) {
    agrees(scene, "Berta Nadie", NEW, None).await;
}

async fn kept(scene: &Scene) -> StoredAgreement {
    let mut all = scene.tenant.agreements().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn channels(scene: &Scene, patient: &str) -> ChannelSet {
    let one = scene.of(patient).await.patient.patient;
    one.consent.channels(Purpose::Marketing, scene.host.now().date_naive())
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    an_export_that_brings_the_person_records_it_once_with_its_own_date,
    an_import_that_dies_before_it_matched_does_so_the_next_time,
    a_later_opt_out_is_not_lifted_and_a_tie_is_one,
    of_whom_nobody_is_sure_a_person_says,
    an_address_leads_to_the_person_as_a_phone_does_and_another_name_does_not,
    a_strangers_words_of_consent_are_the_patients_once_an_export_brings_them,
    a_guardians_agreement_is_for_the_minor_brought_by_an_export,
];

#[tokio::test]
async fn an_export_that_brings_the_person_records_it_once_with_its_own_date() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let on = agrees(&scene, "Lucía Gómez", NEW, None).await;
    assert_eq!(kept(&scene).await.state, AgreementState::Open);
    scene.pass(TimeDelta::days(5)).await;
    let rows = [silent("6", "\"Gómez, Lucía\"", NEW, "")];
    assert_eq!(imported(&scene, &rows).await.matched, 1);
    let six = scene.of("6").await.patient.patient;
    let statements = six.consent.statements();
    assert_eq!((statements.len(), statements[0].on, statements[0].source), (1, on, Source::Recorded));
    assert_eq!(statements[0].wish, Wish::OptIn([Channel::Whatsapp].into_iter().collect()));
    assert_eq!(kept(&scene).await.state, AgreementState::Recorded(id("6")));
    assert_eq!(imported(&scene, &rows).await.matched, 0);
    assert_eq!(scene.of("6").await.patient.patient.consent.statements().len(), 1);
    let again = desk(&scene).attach_agreement(&scene.tenant, &kept(&scene).await.id, &id("1")).await.unwrap();
    assert_eq!(again, StaffDone::Refused(Refused::Attached), "it is somebody's");
}

#[tokio::test]
async fn an_import_that_dies_before_it_matched_does_so_the_next_time() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    agrees(&scene, "Ana Paz", NEW, None).await;
    let rows = [crate::scene::row("C6", "2025-09-10T10:00:00", "6", NEW, "completado")];
    let mut writes = 0;
    while !scene.import_dying_after(writes, &rows).await {
        writes += 1;
        // The lease of the one that died runs out.
        scene.pass(TimeDelta::minutes(30)).await;
    }
    assert!(writes > 3);
    assert_eq!(kept(&scene).await.state, AgreementState::Recorded(id("6")));
    let six = scene.of("6").await.patient.patient;
    let recorded = six.consent.statements().iter().filter(|said| said.source == Source::Recorded);
    assert_eq!(recorded.count(), 1, "once");
}

#[tokio::test]
async fn a_later_opt_out_is_not_lifted_and_a_tie_is_one() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let on = agrees(&scene, "Lucía Gómez", NEW, None).await;
    let rows = [silent("6", "Lucía Gómez", NEW, &format!("opt-out {on}"))];
    assert_eq!(imported(&scene, &rows).await.matched, 0);
    assert_eq!(channels(&scene, "6").await, ChannelSet::NONE);
    let stored = kept(&scene).await;
    assert_eq!(stored.state, AgreementState::Open, "a person sees it");
    let done = desk(&scene).attach_agreement(&scene.tenant, &stored.id, &id("6")).await.unwrap();
    assert_eq!(done, StaffDone::Refused(Refused::OptOutStands));
    assert_eq!(channels(&scene, "6").await, ChannelSet::NONE);
}

#[tokio::test]
async fn of_whom_nobody_is_sure_a_person_says() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    agrees(&scene, "Lucía Gómez", NEW, Some("lucia@example.com")).await;
    let rows = [silent("6", "Lucía Gómez", NEW, ""), silent("7", "Lucía Gómez", NEW, "")];
    let report = imported(&scene, &rows).await;
    assert_eq!((report.matched, report.to_match), (0, 1));
    assert_eq!(kept(&scene).await.may_be, [id("6"), id("7")]);
    let stored = kept(&scene).await;
    for (dismissed, state) in [(true, AgreementState::Dismissed), (false, AgreementState::Open)] {
        let done = desk(&scene).dismiss_agreement(&scene.tenant, &stored.id, dismissed).await.unwrap();
        assert_eq!((done, kept(&scene).await.state), (StaffDone::Done, state));
    }
    let attach = async |patient| desk(&scene).attach_agreement(&scene.tenant, &stored.id, &id(patient)).await.unwrap();
    assert_eq!(attach("7").await, StaffDone::Done);
    assert_eq!(attach("7").await, StaffDone::Repeated);
    assert_eq!(attach("6").await, StaffDone::Refused(Refused::Attached));
    assert!(channels(&scene, "7").await.contains(Channel::Whatsapp));
    assert_eq!(channels(&scene, "6").await, ChannelSet::NONE);
    let other = scene.host.reach.store.of(&retorno_domain::ids::ClinicId::parse("otra").unwrap());
    assert_eq!(desk(&scene).attach_agreement(&other, &stored.id, &id("6")).await.unwrap(), StaffDone::Nobody);
    let shown = format!("{stored:?}");
    assert!(!shown.contains("Luc") && !shown.contains("0606"), "{shown}");
}

#[tokio::test]
async fn an_address_leads_to_the_person_as_a_phone_does_and_another_name_does_not() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    agrees(&scene, "Lucía Gómez", "5491155550707", Some("ana6@example.com")).await;
    assert_eq!(imported(&scene, &[silent("6", "Otra Persona", NEW, "")]).await.to_match, 1);
    assert_eq!(channels(&scene, "6").await, ChannelSet::NONE);
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    agrees(&scene, "Lucía Gómez", "5491155550707", Some("ana6@example.com")).await;
    assert_eq!(imported(&scene, &[silent("6", "Lucía Gómez", NEW, "")]).await.matched, 1);
    assert!(channels(&scene, "6").await.contains(Channel::Whatsapp));
}

#[tokio::test]
async fn a_strangers_words_of_consent_are_the_patients_once_an_export_brings_them() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    scene.says(NEW, "ALTA").await;
    let on = scene.host.now().date_naive();
    scene.pass(TimeDelta::days(2)).await;
    let rows = [silent("6", "Lucía Gómez", NEW, "")];
    assert_eq!(imported(&scene, &rows).await.matched, 1);
    let six = scene.of("6").await.patient.patient;
    let statements: Vec<_> = six.consent.statements().iter().map(|said| (said.on, said.source)).collect();
    assert_eq!(statements, [(on, Source::Recorded)]);
    assert!(six.noted.is_none() && channels(&scene, "6").await.contains(Channel::Whatsapp));
    assert_eq!(scene.tenant.heard(&id("6")).await.unwrap().len(), 1);
    assert_eq!(imported(&scene, &rows).await.matched, 0);
}

#[tokio::test]
async fn a_guardians_agreement_is_for_the_minor_brought_by_an_export() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    agrees(&scene, "Carolina Paz", NEW, None).await;
    let head = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,profesional,\
                servicio,estado,origen_lead,consentimiento,email,fecha_nacimiento,tutor_nombre,tutor_contacto";
    let row = format!(
        "C6,2025-09-10T10:00:00,America/Argentina/Buenos_Aires,6,Tomás Paz,,Dra. Ruiz,limpieza,completado,,,,\
         2015-04-03,Carolina Paz,+{NEW}"
    );
    let export = format!("{head}\n{row}\n");
    let mut unheard = |_| {};
    let importing = import(&scene.host.reach, &scene.clinic, "test", export.as_bytes(), &mut unheard);
    let report = calls_of("export-importer", importing).await.unwrap();
    assert_eq!((report.matched, report.rejected.len()), (1, 0), "{:?}", report.rejected);
    assert!(channels(&scene, "6").await.contains(Channel::Whatsapp));
}
