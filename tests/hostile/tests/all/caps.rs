//! Caps under sendings at any time, by settings that change meanwhile, to people who share a phone.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use retorno_domain::limits::{Capped, FreePlace, Limits, WhatsappLedger};

/// When, to whom, on which phone.
type Sending = (DateTime<Utc>, usize, usize);

fn limits() -> impl Strategy<Value = Limits> {
    (0_u8..5, 1_u16..60, 0_u16..90).prop_map(|(whatsapp_max, whatsapp_window_days, rest_days)| Limits {
        whatsapp_max,
        whatsapp_window_days,
        rest_days,
        ..Limits::default()
    })
}

/// What the claim writes.
fn take(ledger: &mut WhatsappLedger, free: FreePlace, at: DateTime<Utc>) {
    let place = usize::from(free.place);
    if ledger.stamps.len() <= place {
        ledger.stamps.resize(place + 1, None);
    }
    assert_eq!(ledger.stamps[place], free.previous, "the commit compares the stamp");
    ledger.stamps[place] = Some(at);
    ledger.rest_until = free.rest_until.or(ledger.rest_until);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Three people on two phones: neither a person nor a phone gets more than the cap in force,
    /// whatever was in force before; and a rest that began is kept. The window stays: what a shorter
    /// one let go of is forgotten.
    #[test]
    fn no_window_holds_more_than_the_cap_in_force(
        sendings in prop::collection::vec((0_i64..240, 0_usize..3, prop::option::weighted(0.05, limits())), 1..120),
        first in limits(),
    ) {
        let mut limits = first;
        let mut now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let (mut people, mut phones) = (vec![WhatsappLedger::default(); 3], vec![WhatsappLedger::default(); 2]);
        let mut sent: Vec<Sending> = Vec::new();
        for (hours, person, changed) in sendings {
            now += TimeDelta::hours(hours);
            let changed = changed.unwrap_or_else(|| limits.clone());
            limits = Limits { whatsapp_window_days: limits.whatsapp_window_days, ..changed };
            let phone = person / 2;
            let places = (people[person].free_place(now, &limits), phones[phone].free_place(now, &limits));
            let (Ok(to_person), Ok(to_phone)) = places else { continue };
            let rests = [people[person].rest_until, phones[phone].rest_until];
            prop_assert!(rests.iter().flatten().all(|until| *until <= now), "a rest was broken");
            take(&mut people[person], to_person, now);
            take(&mut phones[phone], to_phone, now);
            sent.push((now, person, phone));
            let window = TimeDelta::days(i64::from(limits.whatsapp_window_days));
            let within = |of: &dyn Fn(&Sending) -> bool| {
                sent.iter().filter(|(at, ..)| now - *at <= window).filter(|sending| of(sending)).count()
            };
            let most = usize::from(limits.whatsapp_max);
            prop_assert!(within(&|sending| sending.1 == person) <= most, "a person");
            prop_assert!(within(&|sending| sending.2 == phone) <= most, "a phone");
        }
    }

    #[test]
    fn a_full_ledger_says_when_the_answer_may_change(
        ago in prop::collection::vec(0_i64..80, 0..6), resting in prop::option::of(-5_i64..90), limits in limits(),
    ) {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let ledger = WhatsappLedger {
            stamps: ago.iter().map(|days| Some(now - TimeDelta::days(*days))).collect(),
            rest_until: resting.map(|days| now + TimeDelta::days(days)),
        };
        let Err(capped) = ledger.free_place(now, &limits) else { return Ok(()) };
        let until = capped.until();
        prop_assert!(until >= now);
        if limits.whatsapp_max == 0 {
            return Ok(());
        }
        prop_assert!(until > now);
        prop_assert_eq!(ledger.free_place(until - TimeDelta::seconds(1), &limits), Err(capped), "not sooner");
        match ledger.free_place(until, &limits) {
            Ok(_) => {}
            Err(next) => prop_assert!(matches!(capped, Capped::Resting(_)) && next.until() > until, "then for another reason"),
        }
    }
}
