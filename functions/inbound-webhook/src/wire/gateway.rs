//! What both gateways share: WhatsApp's own addresses.

use super::json::{ID_CHARS_MAX, phone};
use crate::event::{Private, Sender};

/// The person behind an address: `<digits>[:<device>]@s.whatsapp.net` or `@c.us`, or a hidden one,
/// `…@lid`, whose phone only an alternative address tells. None for groups, channels and statuses.
pub(super) fn person(address: &str, alternatives: &[Option<&str>]) -> Option<Sender> {
    let (user, domain) = address.split_once('@')?;
    let user = user.split(':').next().unwrap_or(user);
    match domain {
        "s.whatsapp.net" | "c.us" => phone(user).map(|phone| Sender { phone: Some(phone), user_id: None }),
        "lid" if !user.is_empty() && user.len() <= ID_CHARS_MAX => {
            let known = |address: &&str| address.ends_with("@s.whatsapp.net") || address.ends_with("@c.us");
            let other = alternatives.iter().flatten().copied().find(known);
            let phone = other.and_then(|other| person(other, &[])).and_then(|other| other.phone);
            Some(Sender { phone, user_id: Some(Private::new(format!("{user}@lid"))) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_person_is_a_phone_or_a_hidden_id() {
        let phone = Some(Private::new("5491155550101"));
        for address in ["5491155550101@s.whatsapp.net", "5491155550101:12@s.whatsapp.net", "5491155550101@c.us"] {
            let found = person(address, &[]).unwrap();
            assert_eq!((found.phone, found.user_id), (phone.clone(), None));
        }
        let hidden = person("777@lid", &[None, Some("888@lid"), Some("5491155550101@c.us")]).unwrap();
        assert_eq!((hidden.phone, hidden.user_id.unwrap().as_str()), (phone, "777@lid"));
        assert_eq!(person("777@lid", &[]).unwrap().phone, None);
    }

    #[test]
    fn groups_channels_and_nonsense_are_nobody() {
        for address in ["1-2@g.us", "status@broadcast", "1@newsletter", "", "@", "@lid", "x@c.us", "5491155550101"] {
            assert_eq!(person(address, &[]), None, "{address}");
        }
    }
}
