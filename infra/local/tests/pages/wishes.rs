//! No more messages, other channels, an opinion, an agreement.

use chrono::TimeDelta;
use retorno_cloud::links::{Link, LinkPurpose};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};

use crate::clinic::{Stage, form};

async fn agreed_for(stage: &Stage, place: usize, purpose: Purpose) -> ChannelSet {
    let today = stage.now().date_naive();
    stage.stored(place).await.patient.patient.consent.channels(purpose, today)
}

async fn agreed(stage: &Stage, place: usize) -> ChannelSet {
    agreed_for(stage, place, Purpose::Marketing).await
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    opening_the_link_unsubscribes_nobody_and_one_click_does,
    any_post_to_the_link_is_heard_however_it_is_written,
    channels_are_chosen_and_all_of_them_left,
    a_survey_takes_a_number_and_keeps_the_last_word,
    a_person_agrees_on_the_clinics_page_and_an_opt_out_stands,
];

#[tokio::test]
async fn opening_the_link_unsubscribes_nobody_and_one_click_does() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Unsubscribe);
    let page = stage.get(&path).await;
    assert!(page.body.contains("¿No querés más invitaciones?"));
    assert_eq!(agreed(&stage, 0).await, ChannelSet::ALL);
    for _ in 0..2 {
        let done = stage.post(&path, "List-Unsubscribe=One-Click").await;
        assert_eq!((done.status, done.header("location"), done.header("set-cookie")), (200, None, None));
    }
    assert_eq!(agreed(&stage, 0).await, ChannelSet::NONE);
    let contacts = stage.tenant.contact_keys(&stage.stored(0).await.patient.patient, stage.now().date_naive());
    let points = stage.tenant.contact_points(&contacts).await.unwrap();
    assert_eq!((points.phone.suppressed, points.email.suppressed), (ChannelSet::ALL, ChannelSet::ALL));
    assert_eq!(
        agreed_for(&stage, 0, Purpose::Care).await,
        ChannelSet::ALL,
        "reminders go on, however often it is clicked"
    );
    assert!(points.phone.suppressed_care.is_empty() && points.email.suppressed_care.is_empty());
    assert!(stage.get(&path).await.body.contains("Listo, no te invitamos más"));
    let written = stage.stored(0).await.messages.len();
    stage.host.advance_to(stage.now() + TimeDelta::days(12), |_, _| true).await.unwrap();
    assert_eq!(stage.stored(0).await.messages.len(), written, "nothing more was sent");
}

#[tokio::test]
async fn any_post_to_the_link_is_heard_however_it_is_written() {
    for body in ["do=stop", "", "\u{0}garbage", &"x".repeat(20_000)] {
        let stage = Stage::with(1, 4).await;
        let done = stage.post(&stage.path(0, LinkPurpose::Unsubscribe), body).await;
        assert!(done.status == 200 && done.body.contains("no te invitamos más"));
        assert_eq!(agreed(&stage, 0).await, ChannelSet::NONE);
    }
}

#[tokio::test]
async fn channels_are_chosen_and_all_of_them_left() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Preferences);
    let page = stage.get(&path).await;
    assert_eq!(page.body.matches(" checked").count(), 8);
    let by_purpose = "&marketing=email&marketing=call&marketing=smoke&care=whatsapp";
    let chosen = format!("{}{by_purpose}", form(&page, "prefer", None));
    let saved = stage.post_and_follow(&path, &chosen).await;
    assert!(saved.body.contains("Guardado.") && saved.body.matches(" checked").count() == 3);
    let both: ChannelSet = [Channel::Email, Channel::Call].into_iter().collect();
    assert_eq!(agreed(&stage, 0).await, both);
    let care: ChannelSet = [Channel::Whatsapp].into_iter().collect();
    assert_eq!(agreed_for(&stage, 0, Purpose::Care).await, care);
    assert_eq!(stage.post_and_follow(&path, &chosen).await.body, saved.body);

    let more = format!("{}&marketing=email&marketing=whatsapp&care=whatsapp", form(&saved, "prefer", None));
    let later = stage.post_and_follow(&path, &more).await;
    assert!(later.body.contains("desde mañana") && later.body.matches(" checked").count() == 2);

    let stopped = stage.post_and_follow(&path, &form(&later, "stop", None)).await;
    assert!(stopped.body.contains("no te escribimos más") && !stopped.body.contains(" checked"));
    assert_eq!(agreed(&stage, 0).await, ChannelSet::NONE);
    assert_eq!(agreed_for(&stage, 0, Purpose::Care).await, ChannelSet::NONE);

    stage.host.advance_to(stage.now() + TimeDelta::days(1), |_, _| true).await.unwrap();
    let path = stage.path(0, LinkPurpose::Preferences);
    let back = format!("{}&marketing=whatsapp", form(&stage.get(&path).await, "prefer", None));
    assert!(stage.post_and_follow(&path, &back).await.body.contains("Guardado."));
    assert_eq!(agreed(&stage, 0).await, [Channel::Whatsapp].into_iter().collect());
    let contacts = stage.tenant.contact_keys(&stage.stored(0).await.patient.patient, stage.now().date_naive());
    let phone = stage.tenant.contact_points(&contacts).await.unwrap().phone;
    assert_eq!(
        (phone.suppressed, phone.suppressed_care),
        (ChannelSet::NONE, ChannelSet::ALL),
        "one does not reopen the other"
    );
}

#[tokio::test]
async fn a_survey_takes_a_number_and_keeps_the_last_word() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Survey);
    assert!(stage.get(&path).await.body.contains("Del 0 al 10"));
    for wrong in
        ["score=11&comment=Todo+bien", "score=&comment=Todo+bien", "comment=Todo+bien", "score=-1&comment=Todo+bien"]
    {
        let again = stage.post(&path, wrong).await;
        assert!(again.status == 422 && again.body.contains("Todo bien") && again.body.contains("Falta elegir"));
    }
    let (patient, message) = (stage.patient(0), stage.link(0, LinkPurpose::Survey).message);
    assert_eq!(stage.tenant.survey(&patient, message).await.unwrap(), None);
    for form in ["score=9&comment=Todo+bien", "score=10&comment=Todo+%F0%9F%91%8D&unknown=1"] {
        assert!(stage.post_and_follow(&path, form).await.body.contains("¡Gracias!"));
    }
    let kept = stage.tenant.survey(&patient, message).await.unwrap().unwrap();
    assert_eq!((kept.score, kept.comment.unwrap().0.as_str()), (10, "Todo 👍"));
}

#[tokio::test]
async fn a_person_agrees_on_the_clinics_page_and_an_opt_out_stands() {
    let stage = Stage::with(1, 4).await;
    let narrow =
        format!("{}&marketing=email", form(&stage.get(&stage.path(0, LinkPurpose::Preferences)).await, "prefer", None));
    stage.post(&stage.path(0, LinkPurpose::Preferences), &narrow).await;
    stage.host.advance_to(stage.now() + TimeDelta::days(1), |_, _| true).await.unwrap();
    let token = stage.links.token(&Link::consent(stage.tenant.clinic().clone()), stage.now());
    let path = format!("/l/{token}");
    assert!(stage.get(&path).await.body.contains("Acepto que Clínica Aurora me contacte"));
    let wrong = stage.post(&path, "name=&phone=12&channel=email").await;
    assert_eq!(wrong.status, 422);
    for said in ["Escribí tu nombre y apellido", "El teléfono no parece completo", "escribí tu dirección"] {
        assert!(wrong.body.contains(said), "{said}");
    }
    let phone = stage.stored(0).await.patient.patient.profile.phone.unwrap().e164;
    let phone = phone.as_str().replace('+', "%2B");
    let agree = format!("name=lucrecia+ZUBIZARRETA&phone={phone}&channel=whatsapp");
    for _ in 0..2 {
        assert!(stage.post_and_follow(&path, &agree).await.body.contains("Listo, ¡gracias!"));
    }
    assert_eq!(agreed(&stage, 0).await, [Channel::Email, Channel::Whatsapp].into_iter().collect());
    let kept = stage.tenant.agreements().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept.first().unwrap().wording.starts_with("Acepto que Clínica Aurora"));

    let stranger = format!("name=Otra+Persona&phone={phone}&channel=call");
    stage.post_and_follow(&path, &stranger).await;
    assert!(!agreed(&stage, 0).await.contains(Channel::Call), "the phone is shared, the name is another");
    stage.post(&stage.path(0, LinkPurpose::Unsubscribe), "do=stop").await;
    stage.host.advance_to(stage.now() + TimeDelta::days(2), |_, _| true).await.unwrap();
    stage.post_and_follow(&path, &format!("{agree}&channel=call")).await;
    assert_eq!(agreed(&stage, 0).await, ChannelSet::NONE, "nobody proves on such a page who they are");
    assert_eq!(stage.tenant.agreements().await.unwrap().len(), 3, "staff sees all of them");
}
