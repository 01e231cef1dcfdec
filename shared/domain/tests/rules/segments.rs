//! Who belongs to which segment, at the borders of each figure.

use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::because::Verdict;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::entry::EntryRule;
use retorno_domain::segment::{Condition, Mean, Thresholds, check, day_of, place};
use retorno_domain::summary::Summary;

use crate::given::{
    at, belongs, belongs_at, booked, clinic, clinic_with, date, days, entry, now, paid, session, somebody, visit,
    visit_for,
};

/// A clinic with one segment of these rules.
fn clinic_of_one(rules: &str) -> retorno_domain::clinic::Clinic {
    clinic(&format!("[[segments]]\nid = \"only\"\nrules = [{rules}]"))
}

/// A clinic's 80th percentile of this mean amount.
fn p80(amount: i64) -> Thresholds {
    Thresholds { percentiles: vec![(80, Mean { sum_cents: amount * 100, count: 1 })] }
}

#[test]
fn the_last_visit_decides_between_preventive_inactive_and_lost() {
    let clinic = clinic("");
    for (days_ago, segment) in [
        (0, None),
        (179, None),
        (180, Some("preventivo-6-12m")),
        (364, Some("preventivo-6-12m")),
        (365, Some("inactivo-12-18m")),
        (539, Some("inactivo-12-18m")),
        (540, Some("churn-18m")),
        (20_000, Some("churn-18m")),
    ] {
        assert_eq!(belongs(&clinic, vec![visit(days_ago)]).as_deref(), segment, "{days_ago} days ago");
        assert_eq!(
            belongs(&clinic, vec![visit(days_ago), visit(21_000)]).as_deref(),
            segment,
            "the latest visit counts"
        );
    }
    assert_eq!(belongs(&clinic, Vec::new()), None, "never seen");
}

#[test]
fn the_clinic_sets_the_borders_of_the_last_visit() {
    for (from, to, borders) in [
        ("min = 180, max = 364", "min = 100, max = 150", [(99, None), (100, Some("preventivo-6-12m"))]),
        ("min = 180, max = 364", "min = 100, max = 150", [(150, Some("preventivo-6-12m")), (151, None)]),
        ("min = 365, max = 539", "min = 400, max = 410", [(399, None), (400, Some("inactivo-12-18m"))]),
        ("min = 365, max = 539", "min = 400, max = 410", [(410, Some("inactivo-12-18m")), (411, None)]),
        ("{ min = 540 }", "{ min = 700 }", [(699, None), (700, Some("churn-18m"))]),
    ] {
        let clinic = clinic_with(from, to);
        for (days_ago, segment) in borders {
            assert_eq!(belongs(&clinic, vec![visit(days_ago)]).as_deref(), segment, "{to}: {days_ago} days ago");
        }
    }
}

#[test]
fn after_a_procedure_there_are_three_windows() {
    let clinic = clinic("");
    let member =
        |days_ago| belongs(&clinic, vec![visit_for("Implante dental", days_ago)]).as_deref() == Some("posproc");
    let inside: Vec<i64> = (0..=200).filter(|days_ago| member(*days_ago)).collect();
    assert_eq!(inside, [30..=37, 60..=67, 90..=97].into_iter().flatten().collect::<Vec<i64>>());
}

#[test]
fn the_clinic_sets_the_windows_and_the_procedures() {
    let clinic = clinic(&crate::given::preset_with("[[30, 37], [60, 67], [90, 97]]", "[[5, 6]]"));
    let member = |days_ago| belongs(&clinic, vec![visit_for("peeling", days_ago)]).is_some();
    assert_eq!((0..=100).filter(|days_ago| member(*days_ago)).collect::<Vec<i64>>(), [5, 6]);
    let clinic = crate::given::clinic("[services]\nprocedimiento = [\"ortodoncia\"]");
    assert_eq!(belongs(&clinic, vec![visit_for("Ortodoncia", 30)]).as_deref(), Some("posproc"));
    assert_eq!(belongs(&clinic, vec![visit_for("implante", 30)]), None, "a list replaces the default list");
}

#[test]
fn procedures_are_known_by_the_beginning_of_a_word_whatever_case_and_accents() {
    let clinic = clinic("");
    for service in [
        "implante",
        "Peeling químico",
        "CIRUGÍA oral",
        "cirugia",
        "Extracción simple",
        "EXTRACCION",
        "endodoncia molar",
        "Injerto óseo",
        "Depilación LÁSER",
        "laser",
        "toxina botulínica",
        "Cirurgia",
        "Extração",
        "Enxerto",
    ] {
        assert_eq!(belongs(&clinic, vec![visit_for(service, 30)]).as_deref(), Some("posproc"), "{service}");
    }
    for service in ["limpieza", "control", "consulta", "preimplante", ""] {
        assert_eq!(belongs(&clinic, vec![visit_for(service, 30)]), None, "{service}");
    }
}

#[test]
fn an_older_procedure_counts_even_when_the_last_visit_was_for_something_else() {
    let clinic = clinic("");
    let visits = vec![visit_for("implante", 62), visit_for("control", 3)];
    assert_eq!(belongs(&clinic, visits).as_deref(), Some("posproc"));
}

#[test]
fn a_plan_is_pending_after_more_than_thirty_days() {
    let clinic = clinic("");
    for (days_ago, segment) in [(30, None), (31, Some("plan-pendiente")), (600, Some("plan-pendiente"))] {
        assert_eq!(
            belongs(&clinic, vec![session("ortodoncia", 2, 6, days_ago)]).as_deref(),
            segment,
            "{days_ago} days ago"
        );
    }
    let clinic = clinic_with("plan_pending_days_over = 30", "plan_pending_days_over = 45");
    for (days_ago, segment) in [(45, None), (46, Some("plan-pendiente"))] {
        assert_eq!(
            belongs(&clinic, vec![session("ortodoncia", 2, 6, days_ago)]).as_deref(),
            segment,
            "{days_ago} days ago"
        );
    }
}

#[test]
fn the_latest_completed_session_of_each_service_says_whether_its_plan_is_pending() {
    let clinic = clinic("");
    let pending = |visits: Vec<Appointment>| belongs(&clinic, visits).as_deref() == Some("plan-pendiente");
    assert!(!pending(vec![session("a", 6, 6, 40)]), "a finished cycle leaves nothing pending");
    assert!(!pending(vec![session("a", 5, 6, 80), session("a", 6, 6, 40)]), "finished later");
    assert!(pending(vec![session("a", 6, 6, 120), session("a", 1, 6, 40)]), "a second cycle, begun and left");
    assert!(
        !pending(vec![session("a", 1, 6, 120), session("a", 6, 6, 100), session("a", 1, 6, 10)]),
        "just begun again"
    );
    assert!(!pending(vec![session("a", 2, 6, 80), session("a", 3, 6, 10)]), "still coming");
    assert!(pending(vec![session("a", 6, 6, 10), session("b", 1, 3, 40)]), "one service finished, another pending");
    assert!(pending(vec![session("a", 3, 6, 10), session("b", 1, 3, 40)]), "each service by itself");
    assert!(pending(vec![session("a", 2, 6, 40), visit_for("a", 5)]), "a visit outside the plan continues none");
    for status in [AppointmentStatus::Cancelled, AppointmentStatus::NoShow] {
        let missed = Appointment { status, ..session("a", 6, 6, 35) };
        assert!(pending(vec![session("a", 5, 6, 40), missed.clone()]), "only a completed session counts");
        assert!(!pending(vec![Appointment { status, ..session("a", 2, 6, 40) }]));
    }
    let ahead = Appointment { status: AppointmentStatus::Completed, ..session("a", 6, 6, -1) };
    assert!(pending(vec![session("a", 5, 6, 40), ahead]), "what is to come has not been");
}

#[test]
fn a_high_value_patient_has_three_visits_a_high_mean_and_120_days_of_absence() {
    let clinic = clinic("");
    let segment = |visits: Vec<Appointment>| belongs_at(&clinic, &somebody(visits), &p80(100), now());
    let high = |visits| segment(visits).as_deref() == Some("alto-valor");
    assert!(high(vec![paid(100, 300), paid(100, 200), paid(100, 120)]), "all three at their borders");
    assert!(!high(vec![paid(100, 300), paid(100, 200), paid(100, 119)]), "119 days");
    assert!(!high(vec![paid(100, 200), paid(100, 120)]), "two visits");
    let short = Appointment { amount_cents: Some(9_999), ..visit(120) };
    assert!(!high(vec![paid(100, 300), paid(100, 200), short]), "one hundredth short");
    assert!(high(vec![paid(100, 300), visit(200), visit(120)]), "the mean is over the visits with an amount");
    assert!(!high(vec![visit(300), visit(200), visit(120)]), "no amount, no mean");
    assert!(high(vec![paid(0, 300), paid(200, 200), paid(100, 120)]), "an amount of nothing is an amount");
    assert_eq!(
        belongs(&clinic, vec![paid(900, 300), paid(900, 200), paid(900, 120)]),
        None,
        "no threshold, nobody above it"
    );
}

#[test]
fn the_clinic_sets_what_high_value_is() {
    let visits = |n: i64, last: i64| (0..n).map(|k| paid(100, last + 10 * k)).collect::<Vec<_>>();
    let high = |clinic: &retorno_domain::clinic::Clinic, visits, thresholds: &Thresholds| {
        belongs_at(clinic, &somebody(visits), thresholds, now()).as_deref() == Some("alto-valor")
    };
    let four = clinic_with("visits = { min = 3 }", "visits = { min = 4 }");
    assert!(high(&four, visits(4, 120), &p80(100)) && !high(&four, visits(3, 120), &p80(100)));
    let ninety = clinic_with("last_visit_days = { min = 120 }", "last_visit_days = { min = 90 }");
    assert!(high(&ninety, visits(3, 90), &p80(100)) && !high(&ninety, visits(3, 89), &p80(100)));
    let median = clinic_with("mean_amount_percentile = 80", "mean_amount_percentile = 50");
    let p50 = Thresholds { percentiles: vec![(50, Mean { sum_cents: 10_000, count: 1 })] };
    assert!(high(&median, visits(3, 120), &p50) && !high(&median, visits(3, 120), &p80(1)), "the 80th is not the 50th");
    let fixed = clinic_with("mean_amount_percentile = 80", "mean_amount_at_least = 100.0");
    assert!(high(&fixed, visits(3, 120), &Thresholds::default()));
    let dearer = clinic_with("mean_amount_percentile = 80", "mean_amount_at_least = 100.01");
    assert!(!high(&dearer, visits(3, 120), &Thresholds::default()));
}

#[test]
fn precedence_is_the_order_in_which_the_clinic_lists_its_segments_and_because_names_the_segment() {
    // Somebody who belongs to four segments at once.
    let all = somebody(vec![
        Appointment { amount_cents: Some(50_000), ..visit_for("implante", 190) },
        Appointment { amount_cents: Some(50_000), ..session("ortodoncia", 1, 2, 185) },
        paid(500, 180),
    ]);
    let preset = crate::given::preset_with("[90, 97]", "[190, 190]");
    let order = ["posproc", "plan-pendiente", "alto-valor", "preventivo-6-12m"];
    for (left_out, expected) in order.iter().enumerate() {
        let switch = |preset: String, id: &&str| {
            preset.replace(&format!("id = \"{id}\""), &format!("id = \"{id}\"\nactive = false"))
        };
        let clinic = clinic(&order[..left_out].iter().fold(preset.clone(), switch));
        assert_eq!(belongs_at(&clinic, &all, &p80(400), now()).as_deref(), Some(*expected));
        let points = ContactPoints::default();
        let placement = retorno_domain::standing::placement(&clinic, &all, &p80(400), now());
        let finding = EntryRule::Segment
            .check(&retorno_domain::entry::EntryCase { placement, ..entry(&clinic, &all, &points, now()) });
        assert_eq!((finding.verdict, finding.figures), (Verdict::Pass, format!("segment={expected}")));
    }
    let rule = "rules = [{ last_visit_days = { min = 1 } }]";
    let other_way = clinic(&format!("[[segments]]\nid = \"b\"\n{rule}\n[[segments]]\nid = \"a\"\n{rule}"));
    assert_eq!(belongs(&other_way, vec![visit(10)]).as_deref(), Some("b"));
}

#[test]
fn the_other_conditions_say_what_they_mean() {
    let member = |rule: &str, visits: Vec<Appointment>| belongs(&clinic_of_one(rule), visits).is_some();
    assert!(member("{ visits = { min = 1, max = 2 } }", vec![visit(1), visit(2)]));
    assert!(!member("{ visits = { min = 1, max = 2 } }", vec![visit(1), visit(2), visit(3)]));
    assert!(member("{ last_service = \"procedimiento\" }", vec![visit(9), visit_for("láser", 2)]));
    assert!(!member("{ last_service = \"procedimiento\" }", vec![visit_for("láser", 9), visit(2)]));
    assert!(member("{ professional = [\"Dra. Lima\"] }", vec![visit(2)]));
    assert!(!member("{ professional = [\"Dr. Rey\"] }", vec![visit(2)]));
    assert!(member("{ insurer = [\"\"] }", vec![visit(2)]), "an empty text stands for none");
    assert!(!member("{ insurer = [\"OSDE\"] }", vec![visit(2)]));
    let mut insured = somebody(vec![visit(2)]);
    insured.profile.insurer = Some("OSDE".into());
    assert!(belongs_at(&clinic_of_one("{ insurer = [\"OSDE\"] }"), &insured, &Thresholds::default(), now()).is_some());
}

#[test]
fn days_are_dates_in_the_clinics_zone() {
    let clinic = clinic("");
    // Late in the evening of 3 September it is already the 4th in UTC.
    let evening = Appointment { start: at("2025-09-03 23:30"), ..visit(0) };
    let patient = somebody(vec![evening]);
    let on = |instant| belongs_at(&clinic, &patient, &Thresholds::default(), instant);
    assert_eq!(date("2025-09-03") + days(180), date("2026-03-02"));
    assert_eq!(on(at("2026-03-01 23:59")), None);
    assert_eq!(on(at("2026-03-02 00:00")).as_deref(), Some("preventivo-6-12m"), "from midnight on");
}

#[test]
fn a_visit_is_completed_and_not_after_now() {
    let clinic = clinic_of_one("{ visits = { min = 1 } }");
    assert!(belongs(&clinic, vec![visit(0)]).is_some(), "at this very instant");
    let soon = Appointment { start: now() + chrono::TimeDelta::seconds(1), ..visit(0) };
    assert!(belongs(&clinic, vec![soon]).is_none());
    for status in AppointmentStatus::ALL {
        let seen = belongs(&clinic, vec![Appointment { status, ..visit(10) }]).is_some();
        assert_eq!(seen, status == AppointmentStatus::Completed, "{status:?}");
    }
    assert!(belongs(&clinic, vec![booked(5)]).is_none());
}

#[test]
fn figures_beyond_all_calendars_make_a_rule_that_never_ends_or_never_holds() {
    let patient = somebody(vec![visit(10), session("a", 1, 2, 10), visit_for("peeling", 10)]);
    for rule in [
        "{ last_visit_days = { min = 0, max = 4294967295 } }",
        "{ last_visit_days = { min = 4294967295 } }",
        "{ plan_pending_days_over = 4294967295 }",
        "{ service = \"procedimiento\", days_ago = [[0, 4294967295], [4294967295, 4294967295]] }",
    ] {
        let clinic = clinic_of_one(rule);
        let placement = crate::given::placed(&clinic, &patient, now());
        assert_eq!(placement.segment.is_some(), rule.contains("= 0,") || rule.contains("[0,"), "{rule}");
    }
}

#[test]
fn a_service_list_beyond_the_64th_is_on_nobodys_last_visit() {
    let summary = Summary { last_lists: u64::MAX, ..Summary::default() };
    let holds = |list| check(&Condition::LastService { list }, &summary, &Thresholds::default(), 0).0;
    assert!(holds(63) && !holds(64) && !holds(255));
}

#[test]
fn a_placement_says_the_last_day_in_the_segment_and_the_day_to_look_again() {
    let clinic = clinic("");
    let today = day_of(clinic.date(now()));
    let placed = |visits: Vec<Appointment>| crate::given::placed(&clinic, &somebody(visits), now());
    let preventive = placed(vec![visit(200)]);
    assert_eq!((preventive.leaves, preventive.next_change), (Some(today + 164), Some(today + 165)));
    let lost = placed(vec![visit(600)]);
    assert_eq!((lost.leaves, lost.next_change), (None, None), "for good");
    let nobody = place(&clinic.segments, &Summary::default(), &Thresholds::default(), today);
    assert_eq!((nobody.segment, nobody.next_change), (None, None), "time alone brings nobody in who was never seen");
}
