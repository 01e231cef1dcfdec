//! A clinic's settings file: every documented key is understood, every other one is refused by its
//! name, and no file whatsoever breaks anything.

use proptest::prelude::*;
use retorno_domain::channel::Purpose;
use retorno_domain::segment::Thresholds;
use retorno_domain::settings::SettingsError;
use retorno_domain::standing::standing;

use crate::given::{clinic, lapsed, now, placed, preset_with, try_clinic};

const PRESET: &str = include_str!("../../presets/clinic.toml");

fn refusal(own: &str) -> String {
    match try_clinic(own) {
        Ok(_) => panic!("accepted: {own}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_defaults_as_a_clinics_own_file_change_nothing() {
    assert_eq!(clinic(PRESET), clinic(""));
}

#[test]
fn the_documented_keys_that_stand_commented_out_are_understood() {
    let mut shown = 0;
    for line in PRESET.lines() {
        let Some(key) = line.strip_prefix("# ").map(|rest| rest.split("   (").next().unwrap()) else { continue };
        if key.contains(" = \"") {
            let table = if ["monday", "sunday"].iter().any(|day| key.starts_with(day)) { "[hours]\n" } else { "" };
            assert_eq!(try_clinic(&format!("{table}{key}")).err(), None, "{key}");
            shown += 1;
        }
    }
    assert_eq!(shown, 7, "zone, country, language, gateway, sender of texts, two days");
}

#[test]
fn every_key_of_a_segment_a_rule_and_a_step_is_understood() {
    for rule in [
        "{ last_visit_days = { min = 1 } }",
        "{ last_visit_days = { max = 9 } }",
        "{ visits = { min = 1, max = 2 } }",
        "{ service = \"procedimiento\", days_ago = [[1, 2]] }",
        "{ plan_pending_days_over = 3 }",
        "{ mean_amount_percentile = 100 }",
        "{ mean_amount_at_least = 12.5 }",
        "{ last_service = \"procedimiento\" }",
        "{ professional = [\"Dra. Lima\"] }",
        "{ insurer = [\"\"] }",
    ] {
        let own = format!(
            "[[segments]]\nid = \"s\"\nactive = false\nseats_per_week = 5\nflow = \"reactivacion\"\ngoal = \"g\"\nrules = [{rule}]"
        );
        let clinic = clinic(&own);
        assert_eq!(
            (clinic.segments[0].active, clinic.segments[0].seats_per_week, clinic.segments[0].all.len()),
            (false, 5, 1),
            "{rule}"
        );
    }
    let step = "steps = [{ id = \"a\", offset_days = 3, channel = \"call\", purpose = \"care\", delay_hours_max = 5, metric = \"m\" }]";
    let flow =
        clinic(&format!("[[flows]]\nid = \"reactivacion\"\nversion = 4\nclose_after_days = 3\n{step}")).flows.remove(0);
    assert_eq!((flow.version, flow.steps[0].purpose, flow.steps[0].delay_hours_max), (4, Purpose::Care, 5));
}

#[test]
fn an_unknown_key_is_refused_by_its_name_wherever_it_stands() {
    for own in [
        "surprise = 1".to_owned(),
        "[hours]\nsurprise = \"09:00-10:00\"".to_owned(),
        "[closures]\nsurprise = 1".to_owned(),
        "[limits]\nsurprise = 1".to_owned(),
        "[wave]\nsurprise = 1".to_owned(),
        "[prices]\nsurprise = 1".to_owned(),
        "[prices.whatsapp]\nsurprise = 1.0".to_owned(),
        preset_with("id = \"posproc\"", "id = \"posproc\"\nsurprise = 1"),
        preset_with("{ plan_pending_days_over = 30 }", "{ surprise = 30 }"),
        preset_with("{ min = 120 }", "{ min = 120, surprise = 130 }"),
        preset_with("id = \"reactivacion\"", "id = \"reactivacion\"\nsurprise = 1"),
        preset_with("{ id = \"d1\",", "{ id = \"d1\", surprise = 1,"),
        preset_with("silence = \"close\"", "surprise = \"close\""),
    ] {
        let told = refusal(&own);
        assert!(told.contains("surprise"), "{told}");
    }
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_its_key() {
    let flow =
        |steps: &str| format!("[[flows]]\nid = \"reactivacion\"\nversion = 1\nclose_after_days = 5\nsteps = [{steps}]");
    let segment = |rest: &str| format!("[[segments]]\nid = \"s\"\n{rest}");
    for (own, key) in [
        ("name = \" \"".to_owned(), "name"),
        (format!("agent = \"{}\"", "a".repeat(201)), "agent"),
        ("contact = \"a\\nb\"".to_owned(), "contact"),
        ("zone = \"Mars/Olympus\"".to_owned(), "zone"),
        ("country = \"FR\"".to_owned(), "country"),
        ("zone = \"Asia/Tokyo\"".to_owned(), "country"),
        ("language = \"fr\"".to_owned(), "language"),
        ("channels = [\"fax\"]".to_owned(), "channels"),
        ("email_from = \"nobody\"".to_owned(), "email_from"),
        ("whatsapp_phone_number_id = \"+54\"".to_owned(), "whatsapp_phone_number_id"),
        ("whatsapp_number = \"11 5555 0100\"".to_owned(), "whatsapp_number"),
        ("[hours]\nmonday = \"20:00-09:00\"".to_owned(), "hours.monday"),
        ("[hours]\nmonday = \"nine to five\"".to_owned(), "hours.monday"),
        ("[closures]\ndates = [\"2026-02-30\"]".to_owned(), "closures.dates"),
        ("[limits]\nper_day_max = 0".to_owned(), "limits.per_day_max"),
        ("[limits]\nwhatsapp_max = 17".to_owned(), "limits.whatsapp_max"),
        ("[wave]\nbooking_percent = 0".to_owned(), "wave.booking_percent"),
        ("[wave]\ntier_share_percent = 101".to_owned(), "wave.tier_share_percent"),
        ("[prices]\nemail = -1.0".to_owned(), "prices.email"),
        ("[prices]\nsms = nan".to_owned(), "prices.sms"),
        ("[prices.whatsapp]\nAR = 1001.0".to_owned(), "prices.whatsapp.AR"),
        ("[prices.whatsapp]\nBR = -1.0".to_owned(), "prices.whatsapp.BR"),
        ("[prices]\ncurrency = \"\"".to_owned(), "prices.currency"),
        (segment("rules = []"), "segments.s.rules"),
        (segment("rules = [{}]"), "segments.s.rules"),
        (segment("rules = [{ visits = { min = 1 }, insurer = [] }]"), "segments.s.rules"),
        (segment("rules = [{ service = \"procedimiento\" }]"), "segments.s.rules"),
        (segment("rules = [{ service = \"unlisted\", days_ago = [[1, 2]] }]"), "segments.s.rules"),
        (segment("rules = [{ service = \"procedimiento\", days_ago = [[37, 30]] }]"), "segments.s.rules"),
        (segment("rules = [{ last_visit_days = { min = 364, max = 180 } }]"), "segments.s.rules"),
        (segment("rules = [{ visits = { min = 3, max = 2 } }]"), "segments.s.rules"),
        (segment("rules = [{ mean_amount_percentile = 0 }]"), "segments.s.rules"),
        (segment("rules = [{ mean_amount_percentile = 101 }]"), "segments.s.rules"),
        (segment("rules = [{ mean_amount_at_least = -1.0 }]"), "segments.s.rules"),
        (segment("flow = \"gone\"\nrules = [{ visits = { min = 1 } }]"), "segments.s.flow"),
        (segment(&format!("rules = [{{ insurer = [] }}]\n{}", segment("rules = [{ insurer = [] }]"))), "segments.s"),
        (segment("rules = [{ insurer = [] }]").replace("\"s\"", "\"S s\""), "segments.S s.id"),
        (flow(""), "flows.reactivacion"),
        (flow("{ id = \"a\", offset_days = 6, channel = \"call\" }"), "flows.reactivacion"),
        (
            flow(
                "{ id = \"a\", offset_days = 0, channel = \"call\" }, { id = \"a\", offset_days = 1, channel = \"call\" }",
            ),
            "flows.reactivacion",
        ),
        (
            flow(
                "{ id = \"a\", offset_days = 2, channel = \"call\" }, { id = \"b\", offset_days = 1, channel = \"call\" }",
            ),
            "flows.reactivacion",
        ),
        (flow("{ id = \"a\", offset_days = 0, channel = \"sms\" }"), "flows.reactivacion.steps.a.channel"),
        (
            flow("{ id = \"a\", offset_days = 0, channel = \"call\", purpose = \"fun\" }"),
            "flows.reactivacion.steps.a.purpose",
        ),
        (
            format!(
                "{}\n{}",
                flow("{ id = \"a\", offset_days = 0, channel = \"call\" }"),
                flow("{ id = \"b\", offset_days = 0, channel = \"call\" }")
            ),
            "flows.reactivacion",
        ),
        (preset_with("yes = \"book_now\"", "yes = \"dance\""), "flows.reactivacion.branches.yes"),
    ] {
        match try_clinic(&own) {
            Err(SettingsError::Value { key: named, why }) => {
                assert!(named == key && !why.is_empty(), "{named}: {why}\n{own}")
            }
            Err(SettingsError::Toml(why)) => panic!("{key} is well-formed: {why}"),
            Ok(_) => panic!("{key} was accepted:\n{own}"),
        }
    }
    let nowhere = retorno_domain::settings::clinic_from_toml(clinic("").id, "", None);
    assert!(matches!(nowhere, Err(SettingsError::Value { key, .. }) if key == "zone"));
}

#[test]
fn what_is_not_toml_or_of_another_shape_says_where() {
    assert!(refusal("name = ").contains("line 1"));
    for (own, key) in [
        ("name = 7", "name"),
        ("[limits]\nrest_days = -1", "limits.rest_days"),
        ("limits = \"none\"", "limits"),
        ("segments = 7", "segments"),
    ] {
        assert!(refusal(own).contains(&format!("in `{key}`")), "{}", refusal(own));
    }
}

/// A value of any kind, of the sizes at which figures overflow.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![0i64, 1, 255, 65_535, 4_294_967_295, i64::MAX, i64::MIN]).prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "nan",
            "inf",
            "-0.0",
            "1e300",
            "true",
            "\"\"",
            "\"09:00-20:00\"",
            "\"closed\"",
            "[]",
            "[[0, 4294967295]]"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "{}",
            "{ min = 4294967295 }",
            "{ min = 0, max = 4294967295 }",
            "[\"2026-12-24\"]",
            "[\"email\"]",
            "2026-12-24"
        ])
        .prop_map(str::to_owned),
        "[a-zé/]{0,6}".prop_map(|text| format!("\"{text}\"")),
    ]
}

/// One of the lines of the defaults with another value, or a line nobody knows.
fn file() -> impl Strategy<Value = String> {
    let keys: Vec<&'static str> = PRESET
        .lines()
        .filter_map(|l| l.split_once(" = "))
        .map(|(key, _)| key.trim_start_matches("# "))
        .filter(|key| key.len() < 30)
        .collect();
    let tables = vec![
        "",
        "[limits]",
        "[wave]",
        "[hours]",
        "[prices]",
        "[prices.whatsapp]",
        "[services]",
        "[closures]",
        "[[segments]]",
        "[[flows]]",
        "[flows.branches]",
    ];
    let line = (prop::sample::select(keys), value()).prop_map(|(key, value)| format!("{key} = {value}"));
    let block = (
        prop::sample::select(tables),
        prop::collection::vec(prop_oneof![4 => line, 1 => "[a-z ={}\\[\\]\"]{0,12}"], 0..4),
    );
    prop::collection::vec(block, 0..4).prop_map(|blocks| {
        blocks.into_iter().map(|(table, lines)| format!("{table}\n{}\n", lines.join("\n"))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_file_breaks_anything(own in file()) {
        if let Ok(clinic) = try_clinic(&own) {
            placed(&clinic, &lapsed(), now());
        }
    }

    #[test]
    fn one_line_of_the_defaults_with_any_value_is_read_or_refused(line in 0usize..120, value in value()) {
        let lines: Vec<&str> = PRESET.lines().collect();
        let Some((key, _)) = lines.get(line).and_then(|line| line.split_once(" = ")) else { return Ok(()) };
        let changed = format!("{key} = {value}");
        let own = lines.iter().enumerate().map(|(n, old)| if n == line { changed.as_str() } else { old }).collect::<Vec<_>>().join("\n");
        if let Ok(clinic) = try_clinic(&own) {
            let patient = lapsed();
            placed(&clinic, &patient, now());
            let standing = standing(&clinic, &patient, &Thresholds::default(), None, now());
            prop_assert_eq!(standing.visits, 1);
        }
    }

    #[test]
    fn an_unknown_key_is_named(key in "x[a-z_]{1,12}", value in value(), table in prop::sample::select(vec!["", "[limits]\n", "[wave]\n", "[closures]\n", "[prices]\n"])) {
        let told = refusal(&format!("{table}{key} = {value}"));
        prop_assert!(told.contains(&key), "{}", told);
    }
}
