//! Meta's word on templates: which are needed, what is known of each in whatever order it was told, and
//! whether a flow may begin.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use retorno_domain::approval::{
    AccountFact, AccountState, Approvals, Fact, Lacking, Lacks, MetaTrouble, SeenTemplate, Start, Submission,
    SubmissionRefused, TemplateCategory, TemplateQuality, TemplateState, TemplateStatus, account_of, concerns,
    marketing_steps, needed, observed, submission, verdicts,
};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::clinic::Clinic;

use crate::given::{clinic, clinic_with, now};

const WITH_ACCOUNT: &str = "whatsapp_account_id = \"900\"";

/// What is known when every needed template stands the same way.
fn all(clinic: &Clinic, status: &TemplateStatus) -> Approvals {
    let mut approvals = Approvals::default();
    for template in needed(clinic) {
        let of = (template.wanted.name, template.wanted.language.whatsapp_code().to_owned());
        approvals.templates.entry(of).or_default().learn(now(), Fact::Status(status.clone()));
    }
    approvals
}

pub(crate) fn all_rejected(clinic: &Clinic) -> Approvals {
    all(clinic, &TemplateStatus::Rejected { reason: "ABUSIVE_CONTENT".to_owned() })
}

/// The same, but for one template.
fn but(mut approvals: Approvals, name: &str, status: TemplateStatus) -> Approvals {
    let (_, state) = approvals.templates.iter_mut().find(|((of, _), _)| of == name).unwrap();
    state.learn(now() + TimeDelta::seconds(1), Fact::Status(status));
    approvals
}

fn start(clinic: &Clinic, approvals: &Approvals, segment: &str) -> Start {
    let verdict = verdicts(clinic, approvals, now()).into_iter().find(|v| v.segment.as_str() == segment).unwrap();
    assert_eq!(verdict.start == Start::Blocked, verdict.blocking.is_some());
    verdict.start
}

#[test]
fn each_step_by_whatsapp_needs_its_text_with_two_dates_and_without() {
    let clinic = clinic("");
    let needed = needed(&clinic);
    assert_eq!(needed.len(), (6 + 1) * 2 * 2, "six segments and the guardians, two steps by WhatsApp");
    for template in &needed {
        let for_guardians = template.wanted.name.starts_with("retorno_tutor_");
        assert_eq!(template.uses.len(), if for_guardians { 6 } else { 1 });
        assert_eq!(template.wanted.category, TemplateCategory::Marketing);
        assert_eq!(template.wanted.language, clinic.language);
        assert_eq!(template.wanted.name.contains("con_fecha"), template.dated);
        assert!(!template.wanted.sample().contains("{{"), "{}", template.wanted.name);
    }
    let active = clinic_with("id = \"churn-18m\"", "id = \"churn-18m\"\nactive = false");
    assert_eq!(retorno_domain::approval::needed(&active).len(), 24);
    let care = clinic_with("id = \"d6\", ", "id = \"d6\", purpose = \"care\", ");
    let utility = |t: &&retorno_domain::approval::NeededTemplate| t.wanted.category == TemplateCategory::Utility;
    assert_eq!(retorno_domain::approval::needed(&care).iter().filter(utility).count(), 14);
}

#[test]
fn approvals_matter_to_a_clinic_of_the_cloud_api_with_an_account() {
    assert_eq!(account_of(&clinic("")), None);
    assert_eq!(account_of(&clinic(WITH_ACCOUNT)), Some("900"));
    let gateway = "\nwhatsapp = { gateway = \"waha\", base_url = \"https://w.example\", instance = \"i\" }";
    assert_eq!(account_of(&clinic(&format!("{WITH_ACCOUNT}{gateway}"))), None);
    assert_eq!(account_of(&clinic(&format!("channels = [\"email\"]\n{WITH_ACCOUNT}"))), None);
    let rejected = all_rejected(&clinic(""));
    assert_eq!(Lacks::of(&clinic(""), &rejected, now()), Lacks::default());
    assert_ne!(Lacks::of(&clinic(WITH_ACCOUNT), &rejected, now()), Lacks::default());
}

#[test]
fn of_an_account_only_our_templates_in_the_clinics_language_concern_it() {
    let clinic = clinic("language = \"es-CO\"");
    assert!(concerns(&clinic, "retorno_x_v1", "es_MX") && concerns(&clinic, "retorno_x_v1", "es_CO"));
    assert!(!concerns(&clinic, "retorno_x_v1", "es_AR") && !concerns(&clinic, "promo", "es_MX"));
}

#[test]
fn a_flow_begins_unless_a_step_has_no_copy_that_may_be_sent() {
    let clinic = clinic(WITH_ACCOUNT);
    let approved = all(&clinic, &TemplateStatus::Approved);
    let (dated, plain) = ("retorno_churn_18m_d6_con_fecha_v1", "retorno_churn_18m_d6_sin_fecha_v1");
    assert_eq!(start(&clinic, &Approvals::default(), "churn-18m"), Start::Unknown);
    assert_eq!(start(&clinic, &approved, "churn-18m"), Start::Ready);
    let partly = but(approved, dated, TemplateStatus::Pending);
    assert_eq!(start(&clinic, &partly, "churn-18m"), Start::Partly);
    assert_eq!(Lacks::of(&clinic, &partly, now()), Lacks::default());
    let blocked = but(partly, plain, TemplateStatus::Disabled);
    assert_eq!(start(&clinic, &blocked, "churn-18m"), Start::Blocked);
    assert_eq!(start(&clinic, &blocked, "posproc"), Start::Ready, "each segment by itself");
    let lacks = Lacks::of(&clinic, &blocked, now());
    let lack = clinic.segments.iter().filter_map(|segment| lacks.of_segment(&segment.id, false)).collect::<Vec<_>>();
    assert_eq!(lack.len(), 1);
    assert_eq!((lack[0].step.as_str(), lack[0].template.as_str(), lack[0].why), ("d6", dated, Lacking::Pending));
}

#[test]
fn the_copies_for_guardians_are_judged_by_themselves() {
    let clinic = clinic(WITH_ACCOUNT);
    let approved = all(&clinic, &TemplateStatus::Approved);
    let [dated, plain] = ["retorno_tutor_d6_con_fecha_v1", "retorno_tutor_d6_sin_fecha_v1"];
    let guardians = but(but(approved, dated, TemplateStatus::Disabled), plain, TemplateStatus::Pending);
    assert_eq!(start(&clinic, &guardians, "posproc"), Start::Partly, "it begins for everybody else");
    let lacks = Lacks::of(&clinic, &guardians, now());
    for segment in &clinic.segments {
        assert_eq!(lacks.of_segment(&segment.id, false), None);
        let lack = lacks.of_segment(&segment.id, true).unwrap();
        assert_eq!((lack.step.as_str(), lack.template.as_str(), lack.why), ("d6", dated, Lacking::Disabled));
    }
    // And the other way round: a minor's sequence does not wait for what only adults are sent.
    let mut patients = all(&clinic, &TemplateStatus::Approved);
    for ((name, _), state) in &mut patients.templates {
        if !name.starts_with("retorno_tutor_") {
            state.learn(now() + TimeDelta::seconds(1), Fact::Status(TemplateStatus::Disabled));
        }
    }
    let lacks = Lacks::of(&clinic, &patients, now());
    let segment = &clinic.segments[0].id;
    assert!(lacks.of_segment(segment, false).is_some() && lacks.of_segment(segment, true).is_none());
}

#[test]
fn of_two_categories_at_one_instant_marketing_counts() {
    for order in [["UTILITY", "MARKETING"], ["MARKETING", "UTILITY"]] {
        let mut state = TemplateState::default();
        order.iter().for_each(|category| state.learn(now(), Fact::Category((*category).to_owned())));
        assert!(state.is_marketing(), "{order:?}");
        state.learn(now() + TimeDelta::seconds(1), Fact::Category("UTILITY".to_owned()));
        assert!(!state.is_marketing(), "a later word counts");
    }
}

#[test]
fn a_pause_ends_by_itself_and_everything_else_by_somebodys_word() {
    let state = |status| {
        let mut state = TemplateState::default();
        state.learn(now(), Fact::Status(status));
        state
    };
    assert_eq!(TemplateState::default().lacking(now()), None, "what nobody has told forbids nothing");
    let first = TemplateStatus::paused(Some("FIRST_PAUSE"), now());
    let until = now() + TimeDelta::hours(3);
    assert_eq!(first, TemplateStatus::Paused { until: Some(until) });
    assert_eq!(state(first.clone()).lacking(until - TimeDelta::seconds(1)), Some(Lacking::Paused(Some(until))));
    assert_eq!(state(first).lacking(until), None);
    let later = now() + TimeDelta::days(400);
    for (status, lacking) in [
        (TemplateStatus::Absent, Lacking::NotSubmitted),
        (TemplateStatus::Pending, Lacking::Pending),
        (TemplateStatus::Rejected { reason: String::new() }, Lacking::Rejected),
        (TemplateStatus::paused(None, now()), Lacking::Paused(None)),
        (TemplateStatus::Disabled, Lacking::Disabled),
        (TemplateStatus::Deleted, Lacking::Deleted),
    ] {
        assert_eq!(state(status).lacking(later), Some(lacking));
    }
}

#[test]
fn what_meta_makes_marketing_is_treated_as_marketing() {
    let mut clinic = clinic(WITH_ACCOUNT);
    clinic.flows[0].steps[2].purpose = Purpose::Care;
    let mut approvals = all(&clinic, &TemplateStatus::Approved);
    let purposes = |approvals: &Approvals, segment: usize| {
        let flow = marketing_steps(&clinic, approvals, &clinic.segments[segment].id, clinic.flows[0].clone());
        flow.steps.iter().map(|step| step.purpose).collect::<Vec<_>>()
    };
    use Purpose::{Care, Marketing};
    assert_eq!(purposes(&approvals, 0), [Marketing, Marketing, Care, Marketing]);
    let (_, state) =
        approvals.templates.iter_mut().find(|((name, _), _)| name == "retorno_posproc_d6_sin_fecha_v1").unwrap();
    state.learn(now(), Fact::Category("MARKETING".to_owned()));
    assert_eq!(purposes(&approvals, 0), [Marketing; 4]);
    assert_eq!(purposes(&approvals, 1), [Marketing, Marketing, Care, Marketing]);
    assert_eq!(clinic.flows[0].steps[0].channel, Channel::Whatsapp);
}

#[test]
fn an_announced_category_is_shown_until_it_is_the_present_one() {
    let mut state = TemplateState::default();
    assert_eq!(state.coming_category(), None);
    state.learn(now(), Fact::Category("UTILITY".to_owned()));
    state.learn(now(), Fact::ComingCategory("MARKETING".to_owned()));
    assert_eq!((state.coming_category(), state.is_marketing()), (Some("MARKETING"), false));
    state.learn(now() + TimeDelta::days(1), Fact::Category("MARKETING".to_owned()));
    assert_eq!((state.coming_category(), state.is_marketing()), (None, true));
}

#[test]
fn a_list_says_less_than_what_was_told_just_before() {
    let known = |status| {
        let mut state = TemplateState::default();
        state.learn(now(), Fact::Status(status));
        state
    };
    let absent = vec![Fact::Status(TemplateStatus::Absent)];
    let pending = known(TemplateStatus::Pending);
    assert_eq!(observed(None, None, now()), absent);
    assert_eq!(observed(Some(&pending), None, now() + TimeDelta::minutes(59)), []);
    assert_eq!(observed(Some(&pending), None, now() + TimeDelta::minutes(60)), absent);
    let seen = |status| SeenTemplate { id: "7".to_owned(), status, category: "MARKETING".to_owned(), reworded: false };
    let paused = known(TemplateStatus::paused(Some("FIRST_PAUSE"), now()));
    let says = |at| {
        let facts = observed(Some(&paused), Some(seen(TemplateStatus::Paused { until: None })), at);
        facts.into_iter().any(|fact| matches!(fact, Fact::Status(_)))
    };
    assert!(!says(now() + TimeDelta::hours(2)), "its end is known");
    assert!(says(now() + TimeDelta::hours(3)), "it lasts longer than was told");
    assert!(
        observed(Some(&paused), Some(seen(TemplateStatus::Approved)), now())
            .contains(&Fact::Status(TemplateStatus::Approved))
    );
}

#[test]
fn all_that_is_missing_is_submitted_and_what_was_refused_only_by_name() {
    let state = |status: TemplateStatus, reworded: bool, id: bool| {
        let mut state = TemplateState::default();
        state.learn(now(), Fact::Status(status));
        state.learn(now(), Fact::Reworded(reworded));
        if id {
            state.learn(now(), Fact::Id("77".to_owned()));
        }
        state
    };
    let edit = || Submission::Edit { id: "77".to_owned() };
    let rejected = || TemplateStatus::Rejected { reason: "SCAM".to_owned() };
    let paused = || TemplateStatus::Paused { until: None };
    assert_eq!(submission(None, false), Submission::Create);
    for (known, together, by_name) in [
        (state(TemplateStatus::Absent, false, true), Submission::Create, Submission::Create),
        (state(TemplateStatus::Pending, true, true), Submission::Nothing, Submission::Nothing),
        (state(TemplateStatus::Approved, false, true), Submission::Nothing, Submission::Nothing),
        (state(TemplateStatus::Approved, true, true), Submission::Nothing, edit()),
        (state(paused(), false, true), Submission::Nothing, Submission::Nothing),
        (state(paused(), true, true), Submission::Nothing, edit()),
        (state(rejected(), false, true), Submission::Nothing, edit()),
        (state(rejected(), true, true), edit(), edit()),
        (state(rejected(), false, false), Submission::Nothing, Submission::Create),
        (state(TemplateStatus::Disabled, true, true), Submission::Nothing, Submission::Nothing),
        (state(TemplateStatus::Deleted, false, true), Submission::Nothing, Submission::Create),
    ] {
        assert_eq!((submission(Some(&known), false), submission(Some(&known), true)), (together, by_name), "{known:?}");
    }
}

#[test]
fn a_refused_submission_stands_until_the_template_is_heard_of() {
    let refused = SubmissionRefused { code: Some(100), subcode: Some(2_388_023) };
    let mut state = TemplateState::default();
    state.learn(now(), Fact::Refused(refused.clone()));
    state.learn(now(), Fact::Status(TemplateStatus::Absent));
    assert_eq!(state.submission_refused(), Some(&refused));
    state.learn(now(), Fact::Status(TemplateStatus::Pending));
    assert_eq!(state.submission_refused(), None);
}

#[test]
fn trouble_with_an_account_is_over_when_it_is_seen_whole() {
    let mut account = AccountState::default();
    account.learn(now(), AccountFact::Trouble(MetaTrouble::Token));
    assert_eq!(account.standing_trouble().map(|trouble| trouble.is), Some(MetaTrouble::Token));
    account.learn(now() - TimeDelta::days(1), AccountFact::Listed);
    assert!(account.standing_trouble().is_some(), "seen before it began");
    account.learn(now(), AccountFact::Listed);
    assert_eq!(account.standing_trouble(), None);
}

fn status() -> impl Strategy<Value = TemplateStatus> {
    prop_oneof![
        Just(TemplateStatus::Absent),
        Just(TemplateStatus::Pending),
        Just(TemplateStatus::Approved),
        (0..3_i64).prop_map(|hours| TemplateStatus::Paused { until: Some(now() + TimeDelta::hours(hours)) }),
        Just(TemplateStatus::Paused { until: None }),
        "[A-C]".prop_map(|reason| TemplateStatus::Rejected { reason }),
        Just(TemplateStatus::Disabled),
        Just(TemplateStatus::Deleted),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => status().prop_map(Fact::Status),
        1 => "UTILITY|MARKETING".prop_map(Fact::Category),
        1 => "UTILITY|MARKETING".prop_map(Fact::ComingCategory),
        1 => prop_oneof![Just(TemplateQuality::Green), Just(TemplateQuality::Red)].prop_map(Fact::Quality),
        1 => "[0-9]".prop_map(Fact::Id),
        1 => any::<bool>().prop_map(Fact::Reworded),
        1 => (0..3_i64).prop_map(|code| Fact::Refused(SubmissionRefused { code: Some(code), subcode: None })),
    ]
}

/// Facts of few instants, so that many are of the same one.
fn told() -> impl Strategy<Value = Vec<(DateTime<Utc>, Fact)>> {
    prop::collection::vec(((0..4_i64).prop_map(|s| now() + TimeDelta::seconds(s)), fact()), 0..12)
}

fn learned<'a>(facts: impl IntoIterator<Item = &'a (DateTime<Utc>, Fact)>) -> TemplateState {
    let mut state = TemplateState::default();
    for (at, fact) in facts {
        state.learn(*at, fact.clone());
    }
    state
}

proptest! {
    #[test]
    fn the_order_in_which_facts_are_told_does_not_matter_nor_how_often(
        (facts, shuffled) in told().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        again in 0..12_usize,
    ) {
        let state = learned(&facts);
        prop_assert_eq!(&learned(&shuffled), &state);
        prop_assert_eq!(&learned(facts.iter().chain(shuffled.iter().take(again))), &state, "told again");
    }

    #[test]
    fn an_older_word_never_undoes_a_newer_one(facts in told(), late in status()) {
        let state = learned(&facts);
        let newest = facts.iter().filter(|(_, fact)| matches!(fact, Fact::Status(_))).map(|(at, _)| *at).max();
        if let Some(newest) = newest {
            let mut after = state.clone();
            after.learn(newest - TimeDelta::milliseconds(1), Fact::Status(late));
            prop_assert_eq!(after, state);
        }
    }

    #[test]
    fn a_state_is_the_same_after_it_was_stored(facts in told()) {
        let state = learned(&facts);
        let stored = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<TemplateState>(&stored).unwrap(), state);
    }
}
