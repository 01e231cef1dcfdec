//! Minors: written to and heard through the guardian on record, and not at all without one.

use chrono::TimeDelta;
use export_importer::{ImportReport, import};
use retorno::calls::calls_of;
use retorno::why::why;
use retorno_cloud::desk::{Desk, StaffDone};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::ids::PatientId;
use segment_evaluator::Scope;

use crate::far;
use crate::scene::{PHONE, Scene};

pub(crate) const GUARDIAN: &str = "5491155557777";
pub(crate) const CHILD: &str = "5491155550202";
const HEAD: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,paciente_email,\
                    profesional,servicio,estado,origen_lead,consentimiento,actualizado,fecha_nacimiento,tutor_nombre,\
                    tutor_contacto,tutor_email";
pub(crate) const CAROLINA: &str = "Carolina Paz,+5491155557777,";

/// A child who is due, born that day, with these cells of the guardian's, as of that day.
pub(crate) fn child(id: &str, name: &str, born: &str, guardian: &str, as_of: &str) -> String {
    format!(
        "C{id},2025-09-10T10:00:00,America/Argentina/Buenos_Aires,{id},{name} Paz,+{CHILD},{id}@example.com,Dra. Ruiz,\
         limpieza,completado,,opt-in 2025-09-01,{as_of}T08:00:00Z,{born},{guardian}"
    )
}

pub(crate) async fn imported(scene: &Scene, rows: &[String]) -> ImportReport {
    let export = format!("{HEAD}\n{}\n", rows.join("\n"));
    let mut unheard = |_| {};
    let importing = import(&scene.host.reach, &scene.clinic, "test", export.as_bytes(), &mut unheard);
    calls_of("export-importer", importing).await.unwrap()
}

/// A clinic with these rows and free slots, evaluated.
pub(crate) async fn due(rows: &[String]) -> Scene {
    // Somebody without a phone is there before.
    let scene = Scene::with(&[("99", "1")], 600).await;
    let report = imported(&scene, rows).await;
    assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    scene.host.evaluate(&scene.clinic, Scope::Due).await.unwrap();
    scene
}

pub(crate) async fn is_out(scene: &Scene, patient: &str) -> bool {
    scene.of(patient).await.patient.patient.consent.is_opted_out(Purpose::Marketing, scene.host.now().date_naive())
}

/// What is held against the roles of the functions: without the longest, which call nothing more.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_guardian_is_written_to_and_books_for_the_child,
    an_export_without_the_columns_makes_nobody_an_adult,
    on_the_day_of_coming_of_age_the_guardian_is_out_of_it_and_the_person_speaks_for_themselves,
];

#[tokio::test]
async fn a_guardian_is_written_to_and_books_for_the_child() {
    let scene = due(&[child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01")]).await;
    scene.until_sent().await;
    assert_eq!(scene.told(GUARDIAN), ["<retorno_tutor_d1_con_fecha_v1>"]);
    let sent = scene.of("1").await;
    let (_, text) = sent.messages[0].text.clone().unwrap();
    assert!(text.starts_with("Hola Carolina,") && text.contains("por Tomás:"), "{text}");
    scene.says(GUARDIAN, "1").await;
    let told = scene.told(GUARDIAN);
    assert!(told[1].starts_with("¡Listo, Carolina! El turno de Tomás quedó reservado"), "{told:?}");
    let bookings = scene.tenant.bookings(far().0, far().1).await.unwrap();
    assert_eq!(bookings.iter().map(|booking| booking.patient.as_str()).collect::<Vec<_>>(), ["1"]);
    scene.pass(TimeDelta::days(30)).await;
    assert_eq!(scene.told(CHILD), Vec::<String>::new(), "never the child");
    // Whoever writes from the child's own phone is nobody's patient.
    scene.says(CHILD, "cancelá el turno").await;
    assert_eq!(scene.tenant.strangers().await.unwrap().len(), 1);
    let explained = why(&scene.host, &scene.clinic, &PatientId::parse("1").unwrap(), None).await.unwrap().unwrap();
    let minor = explained.minor.unwrap();
    assert_eq!((minor.guardian.as_deref(), minor.phone.as_deref()), (Some("Carolina Paz"), Some("•••7777")));
    assert_eq!((minor.until.as_str(), minor.fill), ("2033-04-03", None));
}

#[tokio::test]
async fn siblings_share_the_guardians_caps_and_her_opt_out_is_for_both() {
    let rows = [
        child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01"),
        child("2", "Julia", "2017-04-03", CAROLINA, "2026-05-01"),
    ];
    let scene = due(&rows).await;
    scene.until_sent().await;
    scene.pass(TimeDelta::days(2)).await;
    let in_sequence = [scene.of("1").await, scene.of("2").await].map(|one| one.enrollments.len());
    assert_eq!(in_sequence.iter().sum::<usize>(), 1, "one phone does not receive two sequences");
    scene.says(GUARDIAN, "PARAR").await;
    assert!(is_out(&scene, "1").await && is_out(&scene, "2").await);
    let told = scene.told(GUARDIAN).len();
    scene.pass(TimeDelta::days(60)).await;
    assert_eq!((scene.told(GUARDIAN).len(), scene.told(CHILD).len()), (told, 0));
    // An export that names another contact for the other child does not reopen anything.
    let moved = child("2", "Julia", "2017-04-03", "Carolina Paz,+5491155558888,", "2026-07-20");
    assert_eq!(imported(&scene, &[moved]).await.changed, 1);
    scene.pass(TimeDelta::days(30)).await;
    assert_eq!(scene.told("5491155558888").len(), 0);
}

#[tokio::test]
async fn a_minor_without_a_guardian_gets_nothing_until_an_export_names_one() {
    let alone = child("1", "Tomás", "2015-04-03", ",,", "2026-05-01");
    let scene = due(&[alone.clone(), child("2", "Ana", "1980-01-01", ",,", "2026-05-01").replace(CHILD, PHONE)]).await;
    scene.pass(TimeDelta::days(40)).await;
    assert!(!scene.told(PHONE).is_empty(), "others are written to");
    let one = scene.of("1").await;
    assert!(one.enrollments.is_empty() && one.messages.is_empty() && scene.told(CHILD).is_empty());
    let id = PatientId::parse("1").unwrap();
    let explained = why(&scene.host, &scene.clinic, &id, None).await.unwrap().unwrap();
    let decides = explained.entry.iter().find(|rule| rule.decides).unwrap();
    assert_eq!(
        (decides.reason.as_str(), decides.figures.as_str()),
        ("minor_no_guardian", "fill=tutor_nombre,tutor_contacto")
    );
    let named = child("1", "Tomás", "2015-04-03", CAROLINA, "2026-07-01");
    assert_eq!(imported(&scene, std::slice::from_ref(&named)).await.changed, 1);
    assert_eq!(imported(&scene, std::slice::from_ref(&named)).await.changed, 0, "the same file again");
    assert_eq!(imported(&scene, &[alone]).await.changed, 0, "an older file after a newer one");
    scene.pass(TimeDelta::days(4)).await;
    assert_eq!((scene.told(GUARDIAN).len(), scene.told(CHILD).len()), (1, 0));
    // Removed by a newer one, nobody is written to any more, though the sequence runs.
    let removed = child("1", "Tomás", "2015-04-03", ",,", "2026-07-15");
    assert_eq!(imported(&scene, &[removed]).await.changed, 1);
    scene.pass(TimeDelta::days(20)).await;
    assert_eq!((scene.told(GUARDIAN).len(), scene.told(CHILD).len()), (1, 0));
    let dropped = scene.of("1").await.messages.iter().filter(|message| message.claimed_at.is_none()).count();
    assert!(dropped > 0, "what was left out is on record");
}

#[tokio::test]
async fn an_export_without_the_columns_makes_nobody_an_adult() {
    let scene = due(&[child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01")]).await;
    let row = crate::scene::row("C7", "2025-09-12T10:00:00", "1", CHILD, "completado");
    scene.import(&[row]).await;
    let one = scene.of("1").await.patient.patient;
    assert_eq!(one.guardian().unwrap().given(), "Carolina");
    assert!(one.is_minor(scene.host.now().date_naive()));
    scene.pass(TimeDelta::days(5)).await;
    assert_eq!((scene.told(GUARDIAN).len(), scene.told(CHILD).len()), (1, 0));
}

#[tokio::test]
async fn on_the_day_of_coming_of_age_the_guardian_is_out_of_it_and_the_person_speaks_for_themselves() {
    // Of age on the Friday of the sequence's first week.
    let scene = due(&[child("1", "Tomás", "2008-06-05", CAROLINA, "2026-05-01")]).await;
    scene.until_sent().await;
    scene.pass(TimeDelta::days(30)).await;
    assert_eq!(scene.told(GUARDIAN).len(), 1, "nothing more to the guardian");
    assert_eq!(scene.told(CHILD).len(), 0, "and nothing yet to a person who agreed to nothing");
    scene.says(GUARDIAN, "PARAR").await;
    assert!(!is_out(&scene, "1").await, "the guardian's phone is a stranger's now");
    let (desk, id) = (Desk::new(scene.host.reach.clone()), PatientId::parse("1").unwrap());
    let agreed = Statement {
        on: scene.host.now().date_naive(),
        wish: Wish::OptIn(ChannelSet::NONE.with(Channel::Whatsapp)),
        source: Source::Recorded,
        purposes: PurposeSet::ALL,
    };
    let done = desk.consent(&scene.tenant, &id, "staff#1", &agreed, "in_person").await.unwrap();
    assert_eq!(done, StaffDone::Done);
    scene.pass(TimeDelta::days(4)).await;
    assert_eq!((scene.told(GUARDIAN).len(), scene.told(CHILD).len()), (1, 1), "written to in person");
    assert!(scene.told(CHILD)[0].contains("preventivo"), "{:?}", scene.told(CHILD));
    scene.says(CHILD, "1").await;
    assert!(scene.told(CHILD)[1].starts_with("¡Listo, Tomás! Tu turno"), "{:?}", scene.told(CHILD));
}
