//! Meta's word on templates, from the wire to the sending: a flow that may not begin, a pause on the way,
//! a category that changes, a submission that dies half-way.

use chrono::{DateTime, TimeDelta, Utc};
use retorno::doubles::{Fault, MetaSays, Provider};
use retorno::host::signed;
use retorno::why::why;
use retorno_cloud::orders::{TemplateAct, templates_order};
use retorno_domain::approval::{Approvals, MetaTrouble, TemplateState};
use retorno_domain::ids::PatientId;
use retorno_domain::message::Delivery;
use serde_json::json;

use super::scene::{PHONE, Scene};

const ACCOUNT: &str = "900";
const WITH_ACCOUNT: &str = "whatsapp_account_id = \"900\"";
/// What the scene's patient is written on the first and the sixth day.
const D1: [&str; 2] = ["retorno_preventivo_6_12m_d1_con_fecha_v1", "retorno_preventivo_6_12m_d1_sin_fecha_v1"];
const D6: [&str; 2] = ["retorno_preventivo_6_12m_d6_con_fecha_v1", "retorno_preventivo_6_12m_d6_sin_fecha_v1"];

impl Scene {
    /// A patient who is due, and an account that holds everything, which was seen.
    async fn with_account(settings: &str) -> Self {
        let scene = Self::before_evaluation(&format!("{WITH_ACCOUNT}\n{settings}"), &[("1", PHONE)], 40).await;
        scene.pass(TimeDelta::seconds(1)).await;
        scene
    }

    /// Meta says the same of several templates, and tells us.
    async fn meta_says(&self, names: &[&str], says: MetaSays) {
        self.pass(TimeDelta::seconds(1)).await;
        for name in names {
            assert!(self.host.doubles.whatsapp().meta_says(ACCOUNT, (name, "es_AR"), says).unwrap(), "{name}");
        }
        assert_eq!(self.host.settle().await.unwrap().failed, 0);
    }

    async fn act(&self, act: TemplateAct) {
        self.pass(TimeDelta::seconds(1)).await;
        let now = self.host.now();
        self.host.reach.orders.queue(&templates_order(&self.clinic, act), now, now).await.unwrap();
        self.host.settle().await.unwrap();
    }

    async fn approvals(&self) -> Approvals {
        self.tenant.approvals(ACCOUNT).await.unwrap()
    }

    async fn state(&self, name: &str) -> TemplateState {
        self.approvals().await.template(name, "es_AR").cloned().unwrap_or_default()
    }

    async fn code(&self, name: &str) -> &'static str {
        self.state(name).await.status.map_or("unknown", |status| status.is.code())
    }

    /// The next morning's evaluation, and the day after it.
    async fn a_day(&self) {
        self.pass(TimeDelta::days(1)).await;
    }

    /// Why a step was left out.
    async fn left_out(&self, step: &str) -> Option<String> {
        let one = self.of("1").await;
        let message = one.messages.iter().find(|message| message.labels.1 == step)?;
        let Delivery::Dropped(why) = &message.delivery else { return None };
        Some(why.clone())
    }
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_fresh_account_is_seen_approved_and_everything_is_sent_as_before,
    a_flow_whose_template_is_rejected_does_not_begin_and_says_so_and_begins_once_it_is_approved,
    a_rejected_template_is_submitted_again_by_name_looked_at_and_approved,
    what_is_missing_is_submitted_and_the_flow_waits_for_it,
    a_template_stopped_on_the_way_is_left_out_with_its_reason_and_the_sequence_goes_on,
    a_pause_holds_a_step_up_until_it_is_over,
    what_meta_makes_marketing_counts_as_marketing,
    an_older_word_of_meta_delivered_late_undoes_nothing,
    a_submission_that_died_before_it_was_noted_counts_as_made,
    an_answer_that_never_came_is_asked_for_again_by_itself,
    what_meta_refuses_is_kept_for_a_person_and_not_tried_for_ever,
    an_app_that_is_not_subscribed_is_found_and_subscribed,
    news_that_were_lost_are_made_up_for_by_the_daily_look,
    a_clinic_whose_account_nobody_knows_sends_as_ever,
];

#[tokio::test]
async fn a_fresh_account_is_seen_approved_and_everything_is_sent_as_before() {
    let scene = Scene::with_account("").await;
    let approvals = scene.approvals().await;
    assert_eq!(approvals.templates.len(), 28);
    assert!(approvals.templates.values().all(|state| state.lacking(scene.host.now()).is_none()));
    assert!(approvals.account.listed_at.is_some());
    assert_eq!(approvals.account.subscribed.map(|subscribed| subscribed.is), Some(true));
    scene.evaluate().await;
    scene.until_sent().await;
    assert_eq!(scene.told(PHONE), [format!("<{}>", D1[0])]);
}

#[tokio::test]
async fn a_flow_whose_template_is_rejected_does_not_begin_and_says_so_and_begins_once_it_is_approved() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D1, MetaSays::Reject).await;
    let evaluation = scene.evaluate().await;
    assert_eq!(evaluation.wave.blocked.get("template_rejected"), Some(&1));
    assert!(evaluation.wave.enrolled.is_empty());
    let explained = why(&scene.host, &scene.clinic, &PatientId::parse("1").unwrap(), None).await.unwrap().unwrap();
    assert!(!explained.eligible);
    let decides = explained.entry.iter().find(|rule| rule.decides).unwrap();
    assert_eq!((decides.rule.as_str(), decides.reason.as_str()), ("templates", "template_rejected"));
    let template = decides.template.clone().unwrap();
    assert_eq!((template.name.as_str(), template.todo.as_str()), (D1[0], "resubmit"));
    assert_eq!(template.reason.as_deref(), Some("ABUSIVE_CONTENT"));
    assert!(template.text.contains("Lucía") && !template.text.contains("{{"), "{}", template.text);
    let survey = segment_evaluator::survey(&scene.host.reach, &scene.clinic).await.unwrap();
    let excluded: u32 = survey.segments.iter().filter_map(|segment| segment.excluded.get("template_rejected")).sum();
    assert_eq!(excluded, 1, "counted among those who are left alone");
    scene.a_day().await;
    assert!(scene.told(PHONE).is_empty());
    // The one without dates is enough; their turn comes the next morning, not in a month.
    scene.meta_says(&D1[1..], MetaSays::Approve).await;
    scene.until_sent().await;
    assert_eq!(scene.told(PHONE), [format!("<{}>", D1[1])], "not the one that is rejected");
}

#[tokio::test]
async fn a_rejected_template_is_submitted_again_by_name_looked_at_and_approved() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D6, MetaSays::Reject).await;
    scene.act(TemplateAct::SubmitMissing).await;
    assert_eq!(scene.code(D6[0]).await, "rejected", "what Meta refused goes by name only");
    scene.act(TemplateAct::Submit(D6[0].to_owned())).await;
    assert_eq!(scene.code(D6[0]).await, "pending");
    // Handed over once more, it is not submitted once more.
    scene.act(TemplateAct::Submit(D6[0].to_owned())).await;
    assert_eq!(scene.state(D6[0]).await.submission_refused(), None);
    scene.pass(TimeDelta::minutes(10)).await;
    assert_eq!((scene.code(D6[0]).await, scene.code(D6[1]).await), ("approved", "rejected"));
}

#[tokio::test]
async fn what_is_missing_is_submitted_and_the_flow_waits_for_it() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D1, MetaSays::Forget).await;
    assert_eq!(scene.code(D1[0]).await, "deleted");
    scene.act(TemplateAct::Refresh).await;
    assert_eq!(scene.code(D1[0]).await, "not_submitted");
    assert_eq!(scene.evaluate().await.wave.blocked.get("template_not_submitted"), Some(&1));
    scene.act(TemplateAct::SubmitMissing).await;
    assert_eq!(scene.code(D1[1]).await, "pending");
    assert_eq!(scene.evaluate().await.wave.blocked.get("template_pending"), Some(&1));
    scene.pass(TimeDelta::minutes(10)).await;
    assert_eq!(scene.code(D1[1]).await, "approved");
    assert_eq!(scene.evaluate().await.wave.enrolled.values().sum::<u32>(), 1);
}

#[tokio::test]
async fn a_template_stopped_on_the_way_is_left_out_with_its_reason_and_the_sequence_goes_on() {
    let scene = Scene::with_account("").await;
    scene.evaluate().await;
    scene.until_sent().await;
    for says in [MetaSays::Pause, MetaSays::Pause, MetaSays::Pause] {
        scene.meta_says(&D6, says).await;
    }
    assert_eq!(scene.code(D6[0]).await, "disabled", "the third pause is for good");
    scene.pass(TimeDelta::days(10)).await;
    assert_eq!(scene.left_out("d6").await.as_deref(), Some("template_disabled"));
    let one = scene.of("1").await;
    let mut sent: Vec<&str> = one
        .messages
        .iter()
        .filter(|message| message.delivery == Delivery::Accepted)
        .map(|message| message.labels.1.as_str())
        .collect();
    sent.sort_unstable();
    assert_eq!(sent, ["d1", "d3", "d8"], "all but the one that is stopped");
}

#[tokio::test]
async fn a_pause_holds_a_step_up_until_it_is_over() {
    let scene = Scene::with_account("").await;
    scene.evaluate().await;
    scene.until_sent().await;
    let first = scene.host.now();
    // The morning of the sixth day.
    scene.pass(TimeDelta::days(5) - TimeDelta::hours(4)).await;
    scene.meta_says(&D6, MetaSays::Pause).await;
    scene.meta_says(&D6, MetaSays::Pause).await;
    let until = scene.host.now() + TimeDelta::hours(6);
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(scene.told(PHONE).len(), 1, "first at {first}");
    scene.pass(TimeDelta::days(2)).await;
    let sent = scene.host.doubles.whatsapp().all_sent().unwrap();
    assert_eq!(sent.len(), 2, "{:?}", scene.left_out("d6").await);
    assert!(sent[1].at >= until - TimeDelta::seconds(10), "{} before {until}", sent[1].at);
}

#[tokio::test]
async fn what_meta_makes_marketing_counts_as_marketing() {
    let care = r#"
[[flows]]
id = "reactivacion"
version = 2
close_after_days = 10
steps = [{ id = "d1", offset_days = 0, channel = "whatsapp", purpose = "care" }]
"#;
    for (says, counted) in [(MetaSays::Approve, false), (MetaSays::Recategorise, true)] {
        let scene = Scene::with_account(care).await;
        assert_eq!(scene.state(D1[0]).await.category.unwrap().is, "UTILITY");
        scene.meta_says(&D1, says).await;
        scene.evaluate().await;
        scene.until_sent().await;
        let one = scene.of("1").await;
        let keys = scene.tenant.contact_keys(&one.patient.patient, scene.host.now().date_naive());
        let points = scene.tenant.contact_points(&keys).await.unwrap();
        let limits = &scene.tenant.settings(scene.host.now()).await.unwrap().clinic.limits;
        let place = points.phone.whatsapp.free_place(scene.host.now(), limits).unwrap();
        let fresh = retorno_domain::limits::WhatsappLedger::default().free_place(scene.host.now(), limits).unwrap();
        assert_eq!(place != fresh, counted, "the cap of marketing messages, after {says:?}");
    }
}

#[tokio::test]
async fn an_older_word_of_meta_delivered_late_undoes_nothing() {
    let scene = Scene::with_account("").await;
    let tell = async |event: &str, at: DateTime<Utc>| {
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": ACCOUNT, "time": at.timestamp(),
            "changes": [{ "field": "message_template_status_update", "value": { "event": event, "reason": "SCAM",
                "message_template_id": 1, "message_template_name": D1[0], "message_template_language": "es_AR" } }] }] });
        let request = signed(&scene.host.sandbox_app_secret(), body.to_string().into_bytes());
        assert_eq!(scene.host.hook(request).await.status, 200);
        assert_eq!(scene.host.settle().await.unwrap().failed, 0);
    };
    scene.pass(TimeDelta::hours(1)).await;
    let now = scene.host.now();
    tell("REJECTED", now).await;
    tell("APPROVED", now - TimeDelta::minutes(1)).await;
    tell("REJECTED", now).await;
    assert_eq!(scene.code(D1[0]).await, "rejected");
    scene.pass(TimeDelta::minutes(1)).await;
    tell("APPROVED", scene.host.now()).await;
    tell("REJECTED", now).await;
    assert_eq!(scene.code(D1[0]).await, "approved");
}

#[tokio::test]
async fn a_submission_that_died_before_it_was_noted_counts_as_made() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D1, MetaSays::Forget).await;
    // Meta takes it, and the answer never arrives: as if the sender had died between the two.
    scene.host.doubles.fail_next(Provider::Templates, Fault::AcceptThenDrop);
    scene.act(TemplateAct::Submit(D1[0].to_owned())).await;
    assert_eq!(scene.code(D1[0]).await, "deleted", "nobody has noted it");
    let trouble = scene.approvals().await.account.standing_trouble().map(|trouble| trouble.is);
    assert_eq!(trouble, Some(MetaTrouble::Unreached));
    // The order comes again: Meta says that it has it, and its list says how far it is.
    scene.act(TemplateAct::Submit(D1[0].to_owned())).await;
    let state = scene.state(D1[0]).await;
    assert_eq!(state.status.as_ref().map(|status| status.is.code()), Some("pending"));
    assert_eq!(state.submission_refused(), None);
    assert_eq!(scene.approvals().await.account.standing_trouble(), None);
    scene.pass(TimeDelta::hours(1)).await;
    assert_eq!(scene.code(D1[0]).await, "approved");
}

#[tokio::test]
async fn an_answer_that_never_came_is_asked_for_again_by_itself() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D1, MetaSays::Forget).await;
    scene.host.doubles.fail_next(Provider::Templates, Fault::Unavailable);
    scene.act(TemplateAct::Submit(D1[1].to_owned())).await;
    assert_eq!(scene.code(D1[1]).await, "deleted");
    scene.pass(TimeDelta::minutes(6)).await;
    assert_eq!(scene.code(D1[1]).await, "pending");
}

#[tokio::test]
async fn what_meta_refuses_is_kept_for_a_person_and_not_tried_for_ever() {
    let scene = Scene::with_account("").await;
    scene.meta_says(&D1, MetaSays::Forget).await;
    scene.host.doubles.fail_next(Provider::Templates, Fault::Reject("100".to_owned()));
    scene.act(TemplateAct::Submit(D1[1].to_owned())).await;
    assert_eq!(scene.state(D1[1]).await.submission_refused().unwrap().code, Some(100));
    scene.host.doubles.fail_next(Provider::Templates, Fault::Reject("190".to_owned()));
    scene.act(TemplateAct::Refresh).await;
    let trouble = scene.approvals().await.account.standing_trouble().map(|trouble| trouble.is);
    assert_eq!(trouble, Some(MetaTrouble::Token));
    // The next morning looks again.
    scene.a_day().await;
    assert_eq!(scene.approvals().await.account.standing_trouble(), None);
}

#[tokio::test]
async fn an_app_that_is_not_subscribed_is_found_and_subscribed() {
    let scene = Scene::with_account("").await;
    scene.host.doubles.whatsapp().unsubscribe(ACCOUNT).unwrap();
    let subscribed = async || scene.approvals().await.account.subscribed.unwrap().is;
    scene.act(TemplateAct::Refresh).await;
    assert!(!subscribed().await);
    scene.act(TemplateAct::Subscribe).await;
    assert!(subscribed().await);
}

#[tokio::test]
async fn news_that_were_lost_are_made_up_for_by_the_daily_look() {
    let scene = Scene::with_account("").await;
    let whatsapp = scene.host.doubles.whatsapp();
    whatsapp.meta_says(ACCOUNT, (D6[0], "es_AR"), MetaSays::Disable).unwrap();
    for (number, _) in whatsapp.template_news().unwrap() {
        whatsapp.told(number).unwrap();
    }
    assert_eq!(scene.code(D6[0]).await, "approved");
    scene.a_day().await;
    scene.a_day().await;
    assert_eq!(scene.code(D6[0]).await, "disabled");
}

#[tokio::test]
async fn a_clinic_whose_account_nobody_knows_sends_as_ever() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let stored = scene.tenant.settings(scene.host.now()).await.unwrap();
    assert_eq!(*stored.approvals, Approvals::default());
    scene.until_sent().await;
    assert_eq!(scene.told(PHONE), [format!("<{}>", D1[0])]);
}
