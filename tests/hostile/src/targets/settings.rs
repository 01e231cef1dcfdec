//! A clinic's settings file: a clinic that can be run, or an error that says where.

use chrono::{DateTime, TimeDelta};
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::contact::EmailAddress;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::{SettingsError, clinic_from_toml};
use retorno_domain::wave::{WavePlan, overall_capacity, whatsapp_room};

/// The bytes are the file.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let id = ClinicId::parse("aurora").expect("an id");
    match clinic_from_toml(id, text, Some(chrono_tz::America::Argentina::Buenos_Aires)) {
        Ok(clinic) => check(&clinic),
        Err(SettingsError::Value { key, why }) => {
            assert!(!key.is_empty() && !why.is_empty() && !why.contains(|c: char| c.is_control()), "{key}: {why}");
        }
        Err(SettingsError::Toml(why)) => {
            assert!(
                ["line ", "in `", "field `"].iter().any(|place| why.contains(place)),
                "an error that names nothing: {why}"
            );
        }
    }
}

fn check(clinic: &Clinic) {
    for text in [&clinic.name, &clinic.agent, &clinic.contact, &clinic.prices.currency] {
        assert!(!text.trim().is_empty() && text.chars().count() <= 200 && !text.contains(char::is_control));
    }
    assert!(EmailAddress::parse(&clinic.email_from).is_ok(), "a sender that is no address");
    assert!(clinic.whatsapp_phone_number_id.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(clinic.limits.whatsapp_max <= 16 && clinic.limits.per_day_max >= 1);
    for segment in &clinic.segments {
        assert!(!segment.all.is_empty(), "everybody belongs");
        assert!(clinic.flow(&segment.flow).is_some(), "a segment without its flow");
    }
    for flow in &clinic.flows {
        assert_eq!(flow.validate(), Ok(()));
        assert!(clinic.sms.is_some() || flow.steps.iter().all(|step| step.channel != Channel::Sms));
    }
    check_planning(clinic);
}

/// Nothing overflows whatever the figures.
fn check_planning(clinic: &Clinic) {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_515);
    let today = clinic.date(now);
    assert!(whatsapp_room(clinic, today) <= clinic.limits.whatsapp_daily_tier);
    assert!(overall_capacity(clinic, 0) == 0 && overall_capacity(clinic, u32::MAX) > 0);
    assert!(clinic.awaiting_outcome_since(now) <= now);
    if let Some(next) = clinic.calendar.next_opening(now, clinic.zone) {
        assert!(clinic.calendar.is_open(next, clinic.zone));
    }
    let plan = WavePlan::new(clinic, today, &[], &[], Some(0));
    assert!(clinic.segments.iter().all(|segment| plan.room(&segment.id, true).is_err()), "room in a full week");
}
