//! What each thing of the conversation costs at the table, as the store's README says it.

use std::future::Future;

use retorno_cloud::store::{Agreement, Evidence, News, RouteKind, SurveyAnswer, Told};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::contact::PersonName;
use retorno_domain::ids::PatientId;

use crate::far;
use crate::scene::{PHONE, Scene};

/// Read and write units, the indexes' among them.
type Units = (&'static str, f64, f64);

async fn spent<T>(scene: &Scene, name: &'static str, work: impl Future<Output = T>) -> (Units, T) {
    let before = scene.host.engine.units();
    let done = work.await;
    let units = scene.host.engine.units() - before;
    ((name, units.read, units.write), done)
}

/// What the turn and the claim of its answer write, while a text is heard, understood, carried out and
/// answered.
async fn turn(scene: &Scene, text: &str) -> Vec<(&'static str, f64)> {
    scene.host.engine.start_trace();
    scene.says(PHONE, text).await;
    let trace = scene.host.engine.end_trace();
    let kind = |items: &str| {
        let kinds = [("#EVENT#", "commit_turn"), ("answer.committed", "claim_answer")];
        kinds.into_iter().find(|(held, _)| items.contains(held)).map(|(_, kind)| kind)
    };
    let writes = trace.iter().filter(|request| request.operation == "TransactWriteItems");
    writes.filter_map(|request| Some((kind(&request.request.to_string())?, request.units.write))).collect()
}

#[tokio::test]
async fn the_readme_says_what_the_conversation_costs() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    let (tenant, now) = (&scene.tenant, scene.host.now());
    let one = PatientId::parse("1").unwrap();
    let message = scene.of("1").await.messages[0].id;
    let phone = scene.of("1").await.patient.patient.profile.phone.unwrap().e164;
    let mut all = Vec::new();
    let evidence = Evidence { told: Told::Read, at: now, provider_id: "wamid.1", code: None, price: None };
    all.push(spent(&scene, "take_receipt", tenant.take_receipt(&one, message, &evidence)).await.0);
    all.push(
        spent(&scene, "patients_with_phone", tenant.patients_with_phone(&phone, scene.host.now().date_naive())).await.0,
    );
    all.push(spent(&scene, "owner_of", tenant.owner_of(message)).await.0);
    let route = scene.host.reach.store.clinics_of(RouteKind::WhatsappNumber, "700");
    all.push(spent(&scene, "clinics_of", route).await.0);
    let news = News { of: "number".to_owned(), at: now, told: "{}".to_owned() };
    all.push(spent(&scene, "keep_news", tenant.keep_news(&news)).await.0);
    all.push(spent(&scene, "news", tenant.news()).await.0);
    let opinion = SurveyAnswer { score: 9, comment: None, at: now };
    all.push(spent(&scene, "keep_survey", tenant.keep_survey(&one, message, &opinion)).await.0);
    all.push(spent(&scene, "survey", tenant.survey(&one, message)).await.0);
    let agreement = Agreement {
        name: PersonName::parse("Ana Paz").unwrap(),
        phone: phone.clone(),
        email: None,
        channels: ChannelSet::NONE.with(Channel::Whatsapp),
        wording: "Acepto que la clínica me escriba.".to_owned(),
        at: now,
    };
    all.push(spent(&scene, "keep_agreement", tenant.keep_agreement(&agreement)).await.0);
    all.push(spent(&scene, "agreements", tenant.agreements()).await.0);
    let asked = turn(&scene, "quiero otro día, el viernes a la tarde").await;
    let booked = turn(&scene, "1").await;
    all.push(spent(&scene, "heard", tenant.heard(&one)).await.0);
    all.push(spent(&scene, "inbox", tenant.inbox()).await.0);
    all.push(spent(&scene, "waitlist", tenant.waitlist()).await.0);
    all.push(spent(&scene, "bookings", tenant.bookings(far().0, far().1)).await.0);
    all.push(spent(&scene, "collection", tenant.collection(&one)).await.0);
    let expected: Vec<Units> = vec![
        ("take_receipt", 0.0, 1.0),
        ("patients_with_phone", 1.0, 0.0),
        ("owner_of", 0.5, 0.0),
        ("clinics_of", 1.0, 0.0),
        ("keep_news", 0.0, 1.0),
        ("news", 1.0, 0.0),
        ("keep_survey", 0.0, 4.0),
        ("survey", 1.0, 0.0),
        ("keep_agreement", 0.0, 1.0),
        ("agreements", 1.0, 0.0),
        ("heard", 1.0, 0.0),
        ("inbox", 0.5, 0.0),
        ("waitlist", 1.0, 0.0),
        ("bookings", 1.0, 0.0),
        ("collection", 1.0, 0.0),
    ];
    assert_eq!(all, expected);
    assert_eq!(asked, [("commit_turn", 12.0), ("claim_answer", 8.0)]);
    assert_eq!(booked, [("commit_turn", 20.0), ("claim_answer", 8.0)]);
}
