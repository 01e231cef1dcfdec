//! What makes the daily evaluation of a few equal the evaluation of all: until the day a placement
//! or a standing names, time alone changes nothing.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use retorno_domain::appointment::{Appointment, AppointmentStatus, PlanSession};
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::ids::{ClinicId, SegmentId};
use retorno_domain::limits::WhatsappLedger;
use retorno_domain::patient::{Patient, SendingHistory};
use retorno_domain::segment::{AmountAtLeast, Condition, Mean, Segment, Thresholds, day_of, place};
use retorno_domain::settings::clinic_from_toml;
use retorno_domain::standing::{standing, summary};

use crate::given::{clinic, days, now, somebody, visit};

const SERVICES: [&str; 5] = ["implante", "limpieza", "ortodoncia", "peeling", "control"];

fn appointments() -> impl Strategy<Value = Vec<Appointment>> {
    let one = (
        -60i64..700,
        0i64..86_400,
        0usize..5,
        0usize..5,
        prop::option::of(0i64..50_000),
        prop::option::of((1u16..5, 1u16..5)),
    );
    prop::collection::vec(one, 0..7).prop_map(|all| all.into_iter().map(appointment).collect())
}

type Drawn = (i64, i64, usize, usize, Option<i64>, Option<(u16, u16)>);

fn appointment((days_ago, second, status, service, amount_cents, session): Drawn) -> Appointment {
    Appointment {
        start: now() - days(days_ago) + TimeDelta::seconds(second),
        status: AppointmentStatus::ALL[status],
        service: SERVICES[service].into(),
        amount_cents,
        session: session.map(|(done, total)| PlanSession { done, total }),
        ..visit(0)
    }
}

fn span() -> impl Strategy<Value = (u32, Option<u32>)> {
    (0u32..400, prop::option::of(0u32..200)).prop_map(|(min, more)| (min, more.map(|more| min + more)))
}

fn condition() -> impl Strategy<Value = Condition> {
    let windows = prop::collection::vec((0u32..120, 0u32..40).prop_map(|(from, more)| (from, from + more)), 0..4);
    prop_oneof![
        4 => span().prop_map(|(min, max)| Condition::LastVisit { min, max }),
        3 => (0u8..2, windows).prop_map(|(list, windows)| Condition::ServiceDone { list, windows }),
        3 => (0u32..90).prop_map(|more_than_days| Condition::PlanPending { more_than_days }),
        1 => (0u32..4, prop::option::of(0u32..6)).prop_map(|(min, max)| Condition::Visits { min, max }),
        1 => (0i64..50_000).prop_map(|cents| Condition::MeanAmount(AmountAtLeast::Cents(cents))),
        1 => Just(Condition::MeanAmount(AmountAtLeast::Percentile(80))),
        1 => (0u8..2).prop_map(|list| Condition::LastService { list }),
    ]
}

fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let one = (prop::collection::vec(condition(), 1..4), prop::bool::weighted(0.9));
    prop::collection::vec(one, 1..5)
        .prop_map(|all| all.into_iter().zip(0u8..).map(|((all, active), n)| segment(all, active, n)).collect())
}

fn segment(all: Vec<Condition>, active: bool, n: u8) -> Segment {
    let id = SegmentId::parse(&format!("s{n}")).unwrap();
    Segment { id, all, flow: clinic("").flows[0].id.clone(), seats_per_week: 200, active, goal: String::new() }
}

fn two_lists(segments: Vec<Segment>) -> Clinic {
    Clinic { segments, ..clinic("[services]\nagain = [\"ortodoncia\", \"limpieza\"]") }
}

fn thresholds() -> Thresholds {
    Thresholds { percentiles: vec![(80, Mean { sum_cents: 25_000, count: 1 })] }
}

fn patient() -> impl Strategy<Value = Patient> {
    let statement = (-40i64..40, prop::bool::weighted(0.7), 0usize..3, any::<bool>());
    let statements = prop::collection::vec(statement, 0..4);
    let history = (prop::option::weighted(0.3, 0i64..60), prop::option::weighted(0.2, -20i64..60));
    let of_age = prop::option::weighted(0.4, (-20i64..120, any::<bool>()));
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.8), prop::bool::weighted(0.8), of_age);
    (appointments(), statements, history, flags).prop_map(
        |(appointments, statements, (last, rest), (paused, phone, agreed, of_age))| {
            let mut patient = somebody(appointments);
            let mut all: Vec<Statement> = statements.into_iter().map(statement_of).collect();
            all.extend(agreed.then_some(Statement {
                on: NaiveDate::MIN,
                wish: Wish::OptIn(ChannelSet::ALL),
                source: Source::Import,
                purposes: PurposeSet::ALL,
            }));
            patient.consent = Consent::from_statements(all);
            let rest_until = rest.map(|rest| now() + days(rest) + TimeDelta::hours(7));
            let whatsapp = WhatsappLedger { stamps: Vec::new(), rest_until };
            patient.history =
                SendingHistory { whatsapp, last_at: last.map(|ago| now() - days(ago)), last_day_count: 1 };
            patient.paused = paused;
            if !phone {
                patient.profile.phone = Err(retorno_domain::contact::UnusablePhone::Missing);
            }
            match of_age {
                Some((day, guarded)) => {
                    let guardian = guarded.then(crate::given::carolina);
                    crate::given::of_age_on((now() + days(day)).date_naive(), guardian, patient)
                }
                None => patient,
            }
        },
    )
}

fn statement_of((day, yes, channels, ours): (i64, bool, usize, bool)) -> Statement {
    let only = [ChannelSet::ALL, [Channel::Email].into_iter().collect(), [Channel::Sms].into_iter().collect()];
    let wish = if yes { Wish::OptIn(only[channels]) } else { Wish::OptOut };
    Statement {
        on: (now() + days(day)).date_naive(),
        wish,
        source: if ours { Source::Recorded } else { Source::Import },
        purposes: PurposeSet::ALL,
    }
}

/// Until when somebody was set aside when their turn came, if they were.
fn aside() -> impl Strategy<Value = Option<NaiveDate>> {
    prop::option::weighted(0.3, (-10i64..60).prop_map(|day| clinic("").date(now() + days(day))))
}

/// In a zone where clocks change and a day may begin at one o'clock.
fn clinic_in(zone: usize, segments: Vec<Segment>) -> Clinic {
    const ZONES: [Tz; 4] = [
        chrono_tz::America::Sao_Paulo,
        chrono_tz::America::Santiago,
        chrono_tz::Europe::Madrid,
        chrono_tz::America::Mexico_City,
    ];
    let own = "[services]\nagain = [\"ortodoncia\", \"limpieza\"]";
    let clinic = clinic_from_toml(ClinicId::parse("aurora").unwrap(), own, Some(ZONES[zone])).unwrap();
    if segments.is_empty() { clinic } else { Clinic { segments, ..clinic } }
}

/// What an evaluation says of somebody: the segment with the rank, and the figures.
fn says(
    clinic: &Clinic,
    patient: &Patient,
    aside: Option<NaiveDate>,
    at: DateTime<Utc>,
) -> impl PartialEq + std::fmt::Debug {
    let standing = standing(clinic, patient, &thresholds(), aside, at);
    (standing.waits, standing.visits, standing.mean)
}

#[test]
fn who_was_set_aside_waits_in_no_backlog_until_that_day_and_in_it_from_that_day_on() {
    let (clinic, patient) = (clinic(""), crate::given::lapsed());
    let until = clinic.date(now() + days(20));
    let on = |day| standing(&clinic, &patient, &thresholds(), Some(until), now() + days(day));
    assert_eq!((on(0).waits, on(0).due, on(0).aside), (None, Some(until), Some(until)));
    assert_eq!(on(19).waits, None);
    let back = on(20);
    assert_eq!(
        (back.waits.map(|(segment, _)| segment.to_string()).as_deref(), back.aside),
        (Some("preventivo-6-12m"), None)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn until_the_day_a_placement_names_the_patient_stays_where_they_are(segments in segments(), appointments in appointments()) {
        let clinic = two_lists(segments);
        let patient = somebody(appointments);
        // The past is summed up once: no appointment passes meanwhile.
        let summary = summary(&clinic, &patient, now());
        let today = day_of(clinic.date(now()));
        let first = place(&clinic.segments, &summary, &thresholds(), today);
        let end = today + 800;
        prop_assert!(first.next_change.is_none_or(|day| day > today));
        for day in today..first.next_change.unwrap_or(end).min(end) {
            prop_assert_eq!(place(&clinic.segments, &summary, &thresholds(), day), first, "on day {} of {}", day - today, today);
        }
        if let (Some(index), Some(leaves)) = (first.segment, first.leaves) {
            prop_assert!(leaves >= today, "surely until today");
            for day in today..=leaves.min(end) {
                let alone = &clinic.segments[index..=index];
                prop_assert_eq!(place(alone, &summary, &thresholds(), day).segment, Some(0), "by its own rules until {}", leaves - today);
            }
        }
    }

    #[test]
    fn until_the_day_a_standing_names_nothing_changes(segments in segments(), preset in any::<bool>(), patient in patient(), aside in aside(), zone in 0usize..4) {
        let clinic = clinic_in(zone, if preset { Vec::new() } else { segments });
        let first = standing(&clinic, &patient, &thresholds(), aside, now());
        let before = says(&clinic, &patient, aside, now());
        for hour in 1..(24 * 130) {
            let at = now() + TimeDelta::hours(hour);
            if first.due.is_some_and(|due| clinic.date(at) >= due) {
                break;
            }
            prop_assert!(says(&clinic, &patient, first.aside, at) == before, "{} hours later", hour);
        }
    }

    #[test]
    fn looking_only_at_those_whose_day_has_come_gives_what_looking_at_all_gives(patient in patient(), aside in aside(), zone in 0usize..4, second in 0i64..86_400) {
        let clinic = clinic_in(zone, Vec::new());
        let mut at = now() + TimeDelta::seconds(second);
        let mut kept = standing(&clinic, &patient, &thresholds(), aside, at);
        for _ in 0..200 {
            at += days(1);
            let full = standing(&clinic, &patient, &thresholds(), kept.aside, at);
            if kept.due.is_some_and(|due| due <= clinic.date(at)) {
                kept = full.clone();
            }
            prop_assert_eq!(&kept.waits, &full.waits);
            prop_assert_eq!((kept.visits, kept.mean), (full.visits, full.mean));
        }
    }
}
