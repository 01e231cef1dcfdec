//! News of a clinic's account at Meta: what halts WhatsApp, what lets it go on, and whose news they are.
//! And what is brought again after a crash in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use inbound_webhook::event::{
    AccountChange, AccountNews, Echo, Event, InboundMessage, Private, Route, Routed, Said, Sender,
};
use inbound_webhook::process::{Inbound, Processed};
use retorno::calls::calls_of;
use retorno::engine::{Fault, sdk_config};
use retorno::host::signed;
use retorno_cloud::Reach;
use retorno_cloud::desk::Desk;
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::{RouteKind, Store};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::ids::ClinicId;
use serde_json::{Value, json};

use crate::scene::{PHONE, SEED, SETTINGS, Scene, row};

const ACCOUNT: &str = "whatsapp_account_id = \"900\"";

impl Scene {
    fn inbound(&self) -> Inbound {
        Inbound::new(self.host.reach.clone(), SecretKey::new([7_u8; 32]).unwrap())
    }

    /// Takes events in, in a process that dies after so many writes.
    fn inbound_dying_after(&self, writes: usize) -> Inbound {
        let done = AtomicUsize::new(0);
        let intercept = move |operation: &str| {
            let is_write = usize::from(!matches!(operation, "GetItem" | "BatchGetItem" | "Query"));
            let before = done.fetch_add(is_write, Ordering::Relaxed);
            (before + is_write > writes).then_some(Fault::LostRequest)
        };
        let engine = self.host.engine.with_intercept(Arc::new(intercept));
        let config = sdk_config(engine.http_client()).build();
        let key = SecretKey::new(SecretKey::new(SEED).unwrap().mac(&[b"contact"])).unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config), "retorno", key);
        Inbound::new(Reach { store, ..self.host.reach.clone() }, SecretKey::new([7_u8; 32]).unwrap())
    }

    /// Meta tells these in one entry, at one and the same second.
    async fn told_by_meta(&self, account: &str, values: &[Value]) {
        self.pass(TimeDelta::seconds(20)).await;
        let changes: Vec<Value> =
            values.iter().map(|value| json!({ "field": "account_update", "value": value })).collect();
        let entry = json!({ "id": account, "time": self.host.now().timestamp(), "changes": changes });
        let body = json!({ "object": "whatsapp_business_account", "entry": [entry] });
        let request = signed(&self.host.sandbox_app_secret(), body.to_string().into_bytes());
        assert_eq!(self.host.hook(request).await.status, 200);
        assert_eq!(self.host.settle().await.unwrap().failed, 0);
    }

    /// Why WhatsApp is halted, if it is.
    async fn halted(&self) -> Option<String> {
        let now = self.host.now() + TimeDelta::seconds(20);
        let breakers = self.tenant.settings(now).await.unwrap().breakers;
        let until = breakers.channels.iter().find(|(channel, _)| *channel == Channel::Whatsapp)?.1;
        let code = breakers.codes.into_iter().find(|(channel, _)| *channel == Channel::Whatsapp)?.1;
        (until > now).then_some(code)
    }

    fn message(&self, id: &str, said: Said) -> Routed {
        let message = InboundMessage {
            channel: Channel::Whatsapp,
            id: Private::new(id),
            from: Sender { phone: Some(Private::new(PHONE)), user_id: None },
            at: self.host.now(),
            said,
            answers: None,
            received_by: "700".to_owned(),
        };
        Routed { route: Route::WhatsappNumber("700".to_owned()), event: Event::Message(Box::new(message)) }
    }
}

fn ban(state: &str) -> Value {
    json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": state } })
}

fn ban_of(scene: &Scene, account: &str) -> Routed {
    let change = AccountChange::Ban { state: "DISABLE".to_owned() };
    let news = AccountNews { account: account.to_owned(), change, at: scene.host.now() };
    Routed { route: Route::WhatsappAccount(account.to_owned()), event: Event::Account(news) }
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    an_account_allowed_again_sends_again_and_one_only_warned_sends_on,
    only_a_restriction_of_messages_halts_and_only_until_it_ends,
    two_facts_of_one_second_and_one_that_comes_late_are_all_heard,
    a_ban_brought_again_after_a_crash_halts,
    who_has_moved_hears_no_more_of_the_former_account_and_gives_its_number_back,
    a_message_changed_under_its_own_id_is_heard_as_changed,
    a_wrong_number_brought_again_after_a_crash_comes_to_its_end,
    our_own_message_shown_on_the_clinics_phone_pauses_nobody_of_the_family,
];

#[tokio::test]
async fn an_account_allowed_again_sends_again_and_one_only_warned_sends_on() {
    let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
    scene.told_by_meta("900", &[ban("SCHEDULE_FOR_DISABLE")]).await;
    assert_eq!(scene.halted().await, None);
    assert!(scene.tenant.account_will_be_disabled("900").await.unwrap());
    scene.told_by_meta("900", &[ban("DISABLE")]).await;
    assert_eq!(scene.halted().await.as_deref(), Some("account_banned"));
    scene.told_by_meta("900", &[ban("REINSTATE")]).await;
    assert_eq!(scene.halted().await, None);
    assert!(!scene.tenant.account_will_be_disabled("900").await.unwrap());
}

#[tokio::test]
async fn only_a_restriction_of_messages_halts_and_only_until_it_ends() {
    let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
    let until = |days| (scene.host.now() + TimeDelta::days(days)).timestamp();
    let one = |what: &str, days| json!({ "restriction_type": what, "expiration": until(days) });
    let adding = one("RESTRICTED_ADD_PHONE_NUMBER_ACTION", 30);
    let restricted = |of: &[&Value]| json!({ "event": "ACCOUNT_RESTRICTION", "restriction_info": of });
    scene.told_by_meta("900", &[restricted(&[&adding])]).await;
    assert_eq!(scene.halted().await, None);
    let beginning = one("RESTRICTED_BIZ_INITIATED_MESSAGING", 3);
    scene.told_by_meta("900", &[restricted(&[&adding, &beginning])]).await;
    assert_eq!(scene.halted().await.as_deref(), Some("account_restricted"));
    scene.pass(TimeDelta::days(4)).await;
    assert_eq!(scene.halted().await, None, "the other restriction's end is not this one's");
}

#[tokio::test]
async fn two_facts_of_one_second_and_one_that_comes_late_are_all_heard() {
    let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
    let violated = json!({ "event": "ACCOUNT_VIOLATION", "violation_info": { "violation_type": "SPAM" } });
    scene.told_by_meta("900", &[violated, ban("DISABLE")]).await;
    assert_eq!(scene.halted().await.as_deref(), Some("account_banned"));

    let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
    let late = ban_of(&scene, "900");
    let added = json!({ "event": "PARTNER_ADDED", "waba_info": { "waba_id": "900" } });
    scene.told_by_meta("777", &[added]).await;
    assert_eq!(calls_of("inbound-webhook", scene.inbound().take_in(&late)).await.unwrap(), Processed::Done);
    assert_eq!(scene.halted().await.as_deref(), Some("account_banned"));
    // Staff lets it go on; the same news once more change nothing, and older ones neither.
    let desk = Desk::new(scene.host.reach.clone());
    assert!(desk.resume_halted(&scene.tenant, Channel::Whatsapp).await.unwrap());
    assert!(!desk.resume_halted(&scene.tenant, Channel::Whatsapp).await.unwrap());
    assert_eq!(calls_of("inbound-webhook", scene.inbound().take_in(&late)).await.unwrap(), Processed::Repeated);
    assert_eq!(scene.halted().await, None);
}

#[tokio::test]
async fn a_ban_brought_again_after_a_crash_halts() {
    for writes in 0..3 {
        let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
        let ban = ban_of(&scene, "900");
        let _ = calls_of("inbound-webhook", scene.inbound_dying_after(writes).take_in(&ban)).await;
        calls_of("inbound-webhook", scene.inbound().take_in(&ban)).await.unwrap();
        assert_eq!(scene.halted().await.as_deref(), Some("account_banned"), "died after {writes} writes");
    }
}

#[tokio::test]
async fn who_has_moved_hears_no_more_of_the_former_account_and_gives_its_number_back() {
    let scene = Scene::of_clinic(ACCOUNT, &[("1", PHONE)], 4).await;
    scene.told_by_meta("900", &[ban("DISABLE")]).await;
    let moved = format!("{SETTINGS}whatsapp_account_id = \"901\"");
    scene.host.add_clinic(&scene.clinic, &moved, "rate(15 minutes)").await.unwrap();
    assert_eq!(scene.halted().await, None, "the halt was the former account's");
    let store = &scene.host.reach.store;
    assert_eq!(store.clinics_of(RouteKind::WhatsappAccount, "900").await.unwrap(), []);
    scene.told_by_meta("900", &[ban("DISABLE")]).await;
    assert_eq!(scene.halted().await, None);

    // Also where a route of old still leads to it.
    let left = store.of(&scene.clinic);
    let settings = format!("{SETTINGS}whatsapp_account_id = \"902\"");
    let of_old = retorno_domain::settings::clinic_from_toml(scene.clinic.clone(), &settings, None).unwrap();
    assert_eq!(left.claim_routes(&of_old).await.unwrap(), None);
    assert_eq!(
        calls_of("inbound-webhook", scene.inbound().take_in(&ban_of(&scene, "902"))).await.unwrap(),
        Processed::Nobodys
    );
    assert_eq!(scene.halted().await, None);

    let gateway = "[whatsapp]\ngateway = \"waha\"\nbase_url = \"https://wa.example\"\ninstance = \"uno\"\n";
    scene.host.add_clinic(&scene.clinic, &format!("{moved}\n{gateway}"), "rate(15 minutes)").await.unwrap();
    let other = ClinicId::parse("otra").unwrap();
    scene.host.add_clinic(&other, SETTINGS, "rate(15 minutes)").await.unwrap();
    assert_eq!(store.clinics_of(RouteKind::WhatsappNumber, "700").await.unwrap(), [other]);
}

#[tokio::test]
async fn a_message_changed_under_its_own_id_is_heard_as_changed() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    let inbound = scene.inbound();
    let (of, text) = (Private::new("A1"), Private::new("Quiero un turno"));
    calls_of("inbound-webhook", inbound.take_in(&scene.message("A1", Said::Text(text)))).await.unwrap();
    let edited = |words: &str| scene.message("A1", Said::Edited { of: of.clone(), text: Some(Private::new(words)) });
    // Some gateways give all changes of a message one instant.
    let (once, twice) = (edited("Quiero un turno mañana"), edited("PARAR"));
    for change in [once, twice.clone()] {
        assert_eq!(calls_of("inbound-webhook", inbound.take_in(&change)).await.unwrap(), Processed::Done);
    }
    assert_eq!(calls_of("inbound-webhook", inbound.take_in(&twice)).await.unwrap(), Processed::Repeated);
    let keys = scene.tenant.contact_keys(&scene.of("1").await.patient.patient, scene.host.now().date_naive());
    let points = scene.tenant.contact_points(&keys).await.unwrap();
    assert_eq!(points.phone.suppressed, ChannelSet::ALL, "the last word was to stop");
}

#[tokio::test]
async fn a_wrong_number_brought_again_after_a_crash_comes_to_its_end() {
    for writes in 0..8 {
        let scene = Scene::with(&[("1", PHONE)], 40).await;
        scene.until_sent().await;
        let said = scene.message("A1", Said::Text(Private::new("número equivocado")));
        let _ = calls_of("inbound-webhook", scene.inbound_dying_after(writes).take_in(&said)).await;
        calls_of("inbound-webhook", scene.inbound().take_in(&said)).await.unwrap();
        let reasons: Vec<String> =
            scene.tenant.inbox().await.unwrap().into_iter().map(|waiting| waiting.open.reason).collect();
        assert_eq!(reasons, ["wrong_number"], "died after {writes} writes");
        assert!(scene.tenant.strangers().await.unwrap().is_empty());
        // From then on nobody speaks for the patient there.
        let more = scene.message("A2", Said::Text(Private::new("quiero un turno")));
        assert_eq!(calls_of("inbound-webhook", scene.inbound().take_in(&more)).await.unwrap(), Processed::Nobodys);
    }
}

#[tokio::test]
async fn our_own_message_shown_on_the_clinics_phone_pauses_nobody_of_the_family() {
    let scene = Scene::with(&[("5", PHONE)], 40).await;
    scene.until_sent().await;
    // Looked at before the one who was written to.
    scene.import(&[row("C0", "2025-09-10T10:00:00", "0", PHONE, "completado")]).await;
    let ours = scene.of("5").await.messages.remove(0);
    let shown = ours.claimed_at.unwrap() + TimeDelta::seconds(20);
    let echo = |id: &str, perhaps_ours| {
        let to = Sender { phone: Some(Private::new(PHONE)), user_id: None };
        let said = Said::Text(Private::new("Hola"));
        let echo = Echo { to, id: Private::new(id), at: shown, said, perhaps_ours };
        Routed { route: Route::WhatsappNumber("700".to_owned()), event: Event::Echo(Box::new(echo)) }
    };
    let inbound = scene.inbound();
    let by_id = echo(ours.provider_id.as_deref().unwrap(), false);
    for seen in [by_id, echo("not stored yet", true)] {
        assert_eq!(calls_of("inbound-webhook", inbound.take_in(&seen)).await.unwrap(), Processed::Nothing);
        assert!(scene.tenant.inbox().await.unwrap().is_empty());
    }
    assert_eq!(
        calls_of("inbound-webhook", inbound.take_in(&echo("staff's own", false))).await.unwrap(),
        Processed::Done
    );
    assert_eq!(scene.tenant.inbox().await.unwrap().len(), 2);
}
