//! Every figure of the rules: what it is without a word of the clinic, and that the clinic may say
//! otherwise. What each figure does is pinned where its rule is.

use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::holiday::Country;
use retorno_domain::language::Language;
use retorno_domain::limits::Limits;
use retorno_domain::segment::{AmountAtLeast, Condition};

use crate::given::{clinic, clinic_with, only};

/// A figure: its key, its default, another value, and how a clinic is asked for it.
type Figure = (&'static str, u64, u64, fn(&Clinic) -> u64);

const FIGURES: &[Figure] = &[
    ("whatsapp_max", 2, 3, |c| c.limits.whatsapp_max.into()),
    ("whatsapp_window_days", 30, 45, |c| c.limits.whatsapp_window_days.into()),
    ("rest_days", 60, 0, |c| c.limits.rest_days.into()),
    ("entry_quiet_days", 30, 7, |c| c.limits.entry_quiet_days.into()),
    ("per_day_max", 1, 2, |c| c.limits.per_day_max.into()),
    ("awaiting_outcome_days", 14, 21, |c| c.limits.awaiting_outcome_days.into()),
    ("whatsapp_daily_tier", 250, 2_000, |c| c.limits.whatsapp_daily_tier.into()),
    ("slots_horizon_days", 14, 28, |c| c.wave.slots_horizon_days.into()),
    ("booking_percent", 15, 22, |c| c.wave.booking_percent.into()),
    ("tier_share_percent", 90, 75, |c| c.wave.tier_share_percent.into()),
    ("close_after_days", 10, 12, |c| c.flows[0].close_after_days.into()),
    ("epoch", 1, 2, |c| c.epoch),
];

#[test]
fn every_figure_has_its_default_and_the_clinic_may_set_another() {
    for (key, default, other, of) in FIGURES {
        assert_eq!(of(&clinic("")), *default, "{key}");
        let changed = clinic_with(&format!("{key} = {default}"), &format!("{key} = {other}"));
        assert_eq!(of(&changed), *other, "{key}");
    }
    assert_eq!(clinic("").limits, Limits::default(), "the code and the file agree");
    assert_eq!(clinic("").wave, retorno_domain::clinic::WaveSettings::default());
}

#[test]
fn a_clinics_own_file_needs_only_what_differs() {
    let own = clinic("[limits]\nrest_days = 61");
    assert_eq!(own.limits, Limits { rest_days: 61, ..Limits::default() });
    assert_eq!(Clinic { limits: Limits::default(), ..own }, clinic(""));
}

#[test]
fn the_segments_are_six_in_their_order_with_two_hundred_seats_each() {
    let clinic = clinic("");
    let ids: Vec<&str> = clinic.segments.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["posproc", "plan-pendiente", "alto-valor", "preventivo-6-12m", "inactivo-12-18m", "churn-18m"]);
    assert!(
        clinic
            .segments
            .iter()
            .all(|s| s.active && s.seats_per_week == 200 && s.flow.as_str() == "reactivacion" && !s.goal.is_empty())
    );
    let rules = |n: usize| &clinic.segments[n].all[..];
    assert_eq!(rules(0), [Condition::ServiceDone { list: 0, windows: vec![(30, 37), (60, 67), (90, 97)] }]);
    assert_eq!(rules(1), [Condition::PlanPending { more_than_days: 30 }]);
    assert_eq!(
        rules(2),
        [
            Condition::Visits { min: 3, max: None },
            Condition::MeanAmount(AmountAtLeast::Percentile(80)),
            Condition::LastVisit { min: 120, max: None },
        ]
    );
    assert_eq!(rules(3), [Condition::LastVisit { min: 180, max: Some(364) }]);
    assert_eq!(rules(4), [Condition::LastVisit { min: 365, max: Some(539) }]);
    assert_eq!(rules(5), [Condition::LastVisit { min: 540, max: None }]);
}

#[test]
fn the_sequence_is_whatsapp_email_whatsapp_call_on_days_0_2_5_and_7() {
    let clinic = clinic("");
    let steps: Vec<(&str, u16, Channel)> =
        clinic.flows[0].steps.iter().map(|s| (s.id.as_str(), s.offset_days, s.channel)).collect();
    assert_eq!(
        steps,
        [
            ("d1", 0, Channel::Whatsapp),
            ("d3", 2, Channel::Email),
            ("d6", 5, Channel::Whatsapp),
            ("d8", 7, Channel::Call)
        ]
    );
    assert!(
        clinic.flows[0]
            .steps
            .iter()
            .all(|s| s.purpose == Purpose::Marketing && s.delay_hours_max == 96 && !s.metric.is_empty())
    );
}

#[test]
fn country_and_language_follow_from_the_zone_unless_the_clinic_says_otherwise() {
    for (zone, country, language) in [
        ("America/Argentina/Cordoba", Country::Ar, Language::EsAr),
        ("America/Montevideo", Country::Uy, Language::EsAr),
        ("America/Sao_Paulo", Country::Br, Language::PtBr),
        ("Europe/Madrid", Country::Es, Language::EsEs),
        ("America/Mexico_City", Country::Mx, Language::EsMx),
        ("America/Santiago", Country::Cl, Language::EsCl),
        ("America/Bogota", Country::Co, Language::EsCo),
        ("America/Lima", Country::Pe, Language::EsCo),
    ] {
        let clinic = clinic(&format!("zone = \"{zone}\""));
        assert_eq!((clinic.zone.name(), clinic.country, clinic.language), (zone, country, language));
        assert_eq!(clinic.calendar.country, Some(country), "and its holidays");
    }
    let moved = clinic("country = \"BR\"\nlanguage = \"es-MX\"");
    assert_eq!((moved.country, moved.language), (Country::Br, Language::EsMx));
}

#[test]
fn prices_are_those_of_the_country_exact_to_the_millionth() {
    let prices = clinic("").prices;
    assert_eq!(
        (prices.currency.as_str(), prices.of(Channel::Whatsapp), prices.of(Channel::Email)),
        ("USD", 61_800, 100)
    );
    assert_eq!((prices.of(Channel::Sms), prices.of(Channel::Call)), (50_000, 0));
    let texts = ["", "Mañana a las 9", &"á".repeat(160), &"á".repeat(161)].map(|text| prices.text_message(text));
    assert_eq!(texts, [0, 50_000, 50_000, 100_000]);
    assert_eq!(clinic("zone = \"America/Bogota\"").prices.of(Channel::Whatsapp), 12_500);
    let own =
        clinic("[prices]\ncurrency = \"ARS\"\nemail = 1.25\nsms = 2\ncall = 900\n[prices.whatsapp]\nAR = 70.5").prices;
    assert_eq!(
        (own.currency.as_str(), Channel::ALL.map(|c| own.of(c))),
        ("ARS", [70_500_000, 1_250_000, 2_000_000, 900_000_000, 0])
    );
}

#[test]
fn the_other_settings_are_read_as_they_are_written() {
    let plain = clinic("");
    assert_eq!((plain.channels, plain.halted, plain.clinical_detail), (ChannelSet::ALL, false, false));
    assert!(plain.calendar.closed.is_empty() && !plain.calendar.open_on_holidays);
    let own = clinic(
        "name = \" Clínica Sol \"\nagent = \"Lia\"\ncontact = \"11 5555\"\nchannels = [\"email\"]\nclinical_detail = true\nhalted = true\n\
         email_from = \"a@sol.example\"\nwhatsapp_phone_number_id = \"42\"\n\
         whatsapp_number = \"+5491155550100\"\n[closures]\ndates = [\"2026-12-24\"]\nwrite_on_holidays = true",
    );
    assert_eq!((own.name.as_str(), own.agent.as_str(), own.contact.as_str()), ("Clínica Sol", "Lia", "11 5555"));
    assert_eq!((own.channels, own.clinical_detail, own.halted), (only(&[Channel::Email]), true, true));
    assert_eq!((own.email_from.as_str(), own.whatsapp_phone_number_id.as_str()), ("a@sol.example", "42"));
    assert_eq!(own.whatsapp_number.as_ref().map(|number| number.digits()), Some("5491155550100"));
    assert_eq!(plain.whatsapp_number, None);
    assert!(own.calendar.closed.contains(&crate::given::date("2026-12-24")) && own.calendar.open_on_holidays);
}
