//! Notifications: by which browser, when a step by them is sent and when it is left out, and what forgets a
//! browser.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::because::Verdict;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Event, decide};
use retorno_domain::entry::{EntryRule, first_block};
use retorno_domain::guardian::Guardian;
use retorno_domain::message::ClearedMessage;
use retorno_domain::patient::{Address, Patient, Report};
use retorno_domain::step_rules::{StepCase, StepRule};
use retorno_domain::subscription::{Holder, Subscription, Subscriptions};
use retorno_domain::template::Rendered;

use crate::given::{
    agreed_to, at, carolina, clinic, date, days, enrolled, entry, facts, lapsed, now, of_age_on, only, preset_with,
    said, try_clinic, visit,
};

const FIRST: &str = r#"id = "d1", offset_days = 0, channel = "whatsapp""#;

/// A clinic whose first step is a notification.
fn notifying() -> Clinic {
    clinic(&preset_with(FIRST, &FIRST.replace("whatsapp", "push")))
}

fn browser(number: i64, holder: Holder) -> Subscription {
    let endpoint = format!("https://fcm.googleapis.com/fcm/send/{number}");
    Subscription::new([&endpoint, "p256dh", "auth", "ours"], now() + TimeDelta::seconds(number), holder)
}

fn with_browsers(patient: Patient, browsers: &[Subscription]) -> Patient {
    Patient { subscriptions: Subscriptions::of(browsers.iter().cloned()), ..patient }
}

/// Somebody whose browser is told, who agreed to everything.
fn told() -> Patient {
    with_browsers(lapsed(), &[browser(1, Holder::Patient)])
}

/// What a rule says of the first step.
fn says(rule: StepRule, patient: &Patient, points: &ContactPoints, now: DateTime<Utc>) -> (&'static str, Verdict) {
    let clinic = notifying();
    let facts = facts(&clinic, patient, points, now);
    let enrollment = enrolled(&clinic, now);
    let finding = StepCase { facts: &facts, enrollment: &enrollment, step: &facts.flow.steps[0], now }.check(rule);
    (finding.reason, finding.verdict)
}

#[test]
fn a_notification_is_sent_to_the_newest_browser_and_left_out_without_one() {
    let points = ContactPoints::default();
    let first = |patient: &Patient| {
        let clinic = notifying();
        let event = Event::StepDue { step: 0, message: None };
        let decision = decide(&enrolled(&clinic, now()), &event, now(), &facts(&clinic, patient, &points, now()));
        decision.commands.into_iter().find_map(|command| match command {
            Command::Send(intent) => Some((intent.channel, intent.step_id.to_string(), intent.places.is_some())),
            Command::Wake { .. } | Command::Drop { .. } | Command::FreeSeat | Command::Release | Command::React(_) => {
                None
            }
        })
    };
    assert_eq!(first(&told()), Some((Channel::Push, "d1".to_owned(), false)), "no place of WhatsApp's is taken");
    assert_eq!(first(&lapsed()), Some((Channel::Email, "d3".to_owned(), false)), "the next step is the first");
    assert_eq!(says(StepRule::Contact, &lapsed(), &points, now()), ("no_usable_contact", Verdict::Skip));
    let two = with_browsers(lapsed(), &[browser(2, Holder::Patient), browser(1, Holder::Patient)]);
    let to = two.address(Channel::Push, date("2026-03-02")).unwrap();
    assert_eq!((to.as_str(), to.shown()), (browser(2, Holder::Patient).endpoint(), "fcm.googleapis.com"));
}

#[test]
fn it_keeps_consent_hours_the_days_limit_and_what_binds_its_browser() {
    let points = ContactPoints::default();
    for rule in StepRule::ALL {
        assert_eq!(says(rule, &told(), &points, now()).1, Verdict::Pass, "{rule:?}");
    }
    let others = Patient { consent: agreed_to(ChannelSet::ADDRESSED), ..told() };
    assert_eq!(says(StepRule::Consent, &others, &points, now()), ("channel_not_agreed", Verdict::Skip));
    let mut written = told();
    (written.history.last_at, written.history.last_day_count) = (Some(now() - TimeDelta::hours(1)), 1);
    assert!(matches!(says(StepRule::PerDay, &written, &points, now()), ("enough_today", Verdict::Wait(_))));
    let night = at("2026-03-02 23:00");
    assert!(matches!(says(StepRule::Hours, &told(), &points, night), ("outside_hours", Verdict::Wait(_))));
    let mut gone = ContactPoints::default();
    gone.push.unreachable = only(&[Channel::Push]);
    assert_eq!(says(StepRule::Contact, &told(), &gone, now()), ("unreachable", Verdict::Skip));
    let mut shared = ContactPoints::default();
    shared.push.suppressed = only(&[Channel::Push]);
    assert_eq!(says(StepRule::SharedOptOut, &told(), &shared, now()), ("shared_opt_out", Verdict::Skip));
    let mut phone = ContactPoints::default();
    (phone.phone.suppressed, phone.phone.unreachable) = (ChannelSet::ALL, ChannelSet::ALL);
    assert_eq!(says(StepRule::SharedOptOut, &told(), &phone, now()).1, Verdict::Pass, "the phone's is the phone's");
}

#[test]
fn who_has_only_a_browser_may_be_enrolled_and_who_has_none_may_not() {
    let clinic = notifying();
    let only_push = |patient: Patient| Patient { consent: agreed_to(only(&[Channel::Push])), ..patient };
    let points = ContactPoints::default();
    let block = |patient: &Patient, points: &ContactPoints| {
        first_block(&entry(&clinic, patient, points, now()), EntryRule::ALL).map(|finding| finding.reason)
    };
    assert_eq!(block(&only_push(told()), &points), None);
    assert_eq!(block(&only_push(lapsed()), &points), Some("no_usable_contact"));
    let mut busy = ContactPoints::default();
    busy.push.busy = Some((retorno_domain::ids::PatientId::parse("p2").unwrap(), now() + days(3)));
    assert_eq!(block(&only_push(told()), &busy), Some("contact_busy"), "somebody at the same browser is in a sequence");
}

#[test]
fn a_minor_is_told_by_the_guardians_browser_alone_and_that_ends_with_the_day_of_age() {
    let (own, guardians) = (browser(1, Holder::Patient), browser(2, Holder::Guardian));
    let both = with_browsers(lapsed(), &[own.clone(), guardians.clone()]);
    let minor = of_age_on(date("2030-01-01"), Some(carolina()), both);
    let to = |patient: &Patient, day: &str| patient.address(Channel::Push, date(day)).map(|to| to.as_str().to_owned());
    assert_eq!(to(&minor, "2026-03-02").as_deref(), Some(guardians.endpoint()));
    assert_eq!(to(&minor, "2030-01-01").as_deref(), Some(own.endpoint()), "of age");
    let alone = of_age_on(date("2030-01-01"), Some(carolina()), with_browsers(lapsed(), &[own]));
    assert_eq!(to(&alone, "2026-03-02"), None, "never the minor's own");
    assert_eq!(
        says(StepRule::Contact, &alone, &ContactPoints::default(), now()),
        ("guardian_no_contact", Verdict::Skip)
    );
    let nobody = of_age_on(date("2030-01-01"), None, minor);
    assert_eq!(to(&nobody, "2026-03-02"), None);
}

#[test]
fn another_guardian_does_not_inherit_the_browsers_of_the_one_before() {
    let browsers = [browser(1, Holder::Patient), browser(2, Holder::Guardian)];
    let minor = of_age_on(date("2030-01-01"), Some(carolina()), with_browsers(lapsed(), &browsers));
    let told = |guardian: Guardian, later: i64| {
        let mut again = minor.guardianship.clone();
        again.date(minor.profile.as_of.0 + days(later));
        again.guardian.as_mut().unwrap().what = Some(Box::new(guardian));
        let mut patient = minor.clone();
        let appointment = visit(100);
        patient.absorb(Report { profile: patient.profile.clone(), guardianship: again, appointment, consent: None });
        patient.subscriptions.iter().map(Subscription::holder).collect::<Vec<_>>()
    };
    assert_eq!(told(carolina(), 1), [Holder::Guardian, Holder::Patient], "the same, told again");
    let other = Guardian { phone: lapsed().profile.phone, ..carolina() };
    assert_eq!(told(other.clone(), 1), [Holder::Patient]);
    assert_eq!(told(other, -1), [Holder::Guardian, Holder::Patient], "what was so before changes nothing");
}

#[test]
fn taking_notifications_back_forgets_the_browsers_even_on_the_day_they_were_asked_for() {
    let today = date("2026-03-02");
    let recorded = |wish, purposes| Statement { on: today, wish, source: Source::Recorded, purposes };
    let all = retorno_domain::channel::PurposeSet::ALL;
    let care = retorno_domain::channel::PurposeSet::CARE;
    let after = |before: &str, statement: Statement| {
        let asked = Statement { on: date(before), ..recorded(Wish::OptIn(ChannelSet::ALL), all) };
        let mut patient = told();
        patient.consent.record(asked);
        patient.consent.record(statement.clone());
        patient.forget_browsers_taken_back(&[statement], today);
        patient
    };
    let without = Wish::OptIn(only(&[Channel::Email]));
    for before in ["2026-03-01", "2026-03-02"] {
        assert!(after(before, recorded(without, all)).subscriptions.is_empty(), "{before}");
        assert!(after(before, recorded(Wish::OptOut, all)).subscriptions.is_empty(), "{before}");
        let kept = after(before, recorded(Wish::OptIn(only(&[Channel::Push])), all));
        assert!(!kept.subscriptions.is_empty(), "{before}");
    }
    let for_care = after("2026-03-01", recorded(without, care));
    assert!(!for_care.subscriptions.is_empty(), "marketing still goes there");
    assert!(after("2026-03-02", recorded(without, care)).subscriptions.is_empty(), "in doubt nothing goes there");
}

#[test]
fn of_one_days_agreements_one_for_notifications_is_enough() {
    let patient = {
        let mut patient = told();
        let on = |channels: &[Channel]| said("2026-03-02", Wish::OptIn(only(channels)));
        patient.consent = agreed_to(ChannelSet::ADDRESSED);
        patient.consent.record(on(&[Channel::Email, Channel::Call]));
        patient.consent.record(on(&[Channel::Email, Channel::Push]));
        patient
    };
    let agreed = patient.consent.channels(Purpose::Marketing, date("2026-03-02"));
    assert_eq!(agreed, only(&[Channel::Email, Channel::Push]));
    assert!(patient.consent.prove(Channel::Push, Purpose::Care, date("2026-03-01")).is_err(), "not before that day");
}

#[test]
fn a_cleared_notification_shows_neither_address_nor_keys() {
    let (clinic, patient, points) = (notifying(), told(), ContactPoints::default());
    let event = Event::StepDue { step: 0, message: None };
    let decision = decide(&enrolled(&clinic, now()), &event, now(), &facts(&clinic, &patient, &points, now()));
    let intent = decision.commands.into_iter().find_map(|command| match command {
        Command::Send(intent) => Some(intent),
        Command::Wake { .. } | Command::Drop { .. } | Command::FreeSeat | Command::Release | Command::React(_) => None,
    });
    let today = clinic.date(now());
    let proof = patient.consent.prove(Channel::Push, Purpose::Marketing, today).unwrap();
    let rendered = Rendered {
        subject: None,
        text: "Elegí tu horario.".to_owned(),
        html: None,
        parameters: Vec::new(),
        buttons: Vec::new(),
    };
    let to = patient.address(Channel::Push, today).unwrap();
    assert!(matches!(to, Address::Browser(_)));
    let cleared = ClearedMessage::new(intent.unwrap(), proof, to, rendered).unwrap();
    assert_eq!(cleared.browser(), patient.subscriptions.newest_of(Holder::Patient));
    let shown = format!("{cleared:?} {patient:?} {to:?}");
    assert!(!["fcm", "p256dh", "auth", "ours"].iter().any(|part| shown.contains(part)), "{shown}");
}

#[test]
fn a_flow_may_have_such_a_step_and_browsers_are_asked_only_then() {
    assert!(notifying().notifies_browsers() && !clinic("").notifies_browsers());
    let unused = preset_with(FIRST, &FIRST.replace("whatsapp", "push")).replacen("\"push\"]", "\"call\"]", 1);
    assert!(!clinic(&unused).notifies_browsers(), "a channel that the clinic does not use");
    assert_eq!(clinic("").prices.of(Channel::Push), 0);
    let wrong = try_clinic(&preset_with(FIRST, &FIRST.replace("whatsapp", "fax"))).unwrap_err().to_string();
    assert!(wrong.contains("call or push"), "{wrong}");
}
