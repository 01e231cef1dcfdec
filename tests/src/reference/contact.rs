//! Contacts as written at the front desk, brought to one form: E.164 for phones, lower case for
//! email. Only mobile numbers of the countries the trial exports come from; all else is unusable.

use super::calendar::Country;

/// The E.164 form of a phone as written, or nothing when it cannot be reached by WhatsApp.
///
/// Argentina: `+54 9 11 dddd dddd` and the national `011 15 dddd-dddd`. Brazil: `+55 aa 9dddd-dddd`,
/// `(aa) 9dddd-dddd`, `0 aa 9dddd-dddd`, and the same with the eight digits of before 2016, which
/// gain a 9 when they begin as a mobile did (6 to 9).
#[must_use]
pub fn phone(written: &str, country: Country) -> Option<String> {
    let written = written.trim();
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | '-' | '.' | ' ');
    if !written.chars().all(allowed) {
        return None;
    }
    let international = written.starts_with('+');
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match country {
        Country::Argentina => argentine(&digits, international),
        Country::Brazil => brazilian(&digits, international),
    }
}

fn argentine(digits: &str, international: bool) -> Option<String> {
    let prefix = if international { "54911" } else { "01115" };
    let subscriber = digits.strip_prefix(prefix)?;
    // No line of the area 11 begins with 9 (national numbering plan).
    (subscriber.len() == 8 && !subscriber.starts_with('9')).then(|| format!("+54911{subscriber}"))
}

fn brazilian(digits: &str, international: bool) -> Option<String> {
    let national = if international { digits.strip_prefix("55")? } else { digits.strip_prefix('0').unwrap_or(digits) };
    let (area, subscriber) = national.split_at_checked(2)?;
    if area.contains('0') {
        return None;
    }
    match (subscriber.len(), subscriber.chars().next()?) {
        (9, '9') => Some(format!("+55{area}{subscriber}")),
        (8, '6'..='9') => Some(format!("+55{area}9{subscriber}")),
        (_, _) => None,
    }
}

/// An address in lower case, or nothing when it is no address.
#[must_use]
pub fn email(written: &str) -> Option<String> {
    let address = written.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let sound = !local.is_empty()
        && !address.chars().any(char::is_whitespace)
        && !domain.contains('@')
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.');
    sound.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argentine_mobiles_as_the_desk_writes_them() {
        let ar = |s| phone(s, Country::Argentina);
        let good = Some("+5491163232292".to_owned());
        assert_eq!(ar("+54 9 11 6323 2292"), good);
        assert_eq!(ar("+5491163232292"), good);
        assert_eq!(ar("011 15 6323-2292"), good);
        for unusable in
            ["", "0", "no tiene", "15-", "11 4", "+54 11 6323 2292", "+54 9 11 6323 229", "+54 9 11 9323 2292"]
        {
            assert_eq!(ar(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn brazilian_mobiles_gain_the_ninth_digit() {
        let br = |s| phone(s, Country::Brazil);
        let good = Some("+5527980901481".to_owned());
        assert_eq!(br("+55 27 98090-1481"), good);
        assert_eq!(br("(27) 98090-1481"), good);
        assert_eq!(br("027980901481"), good);
        assert_eq!(br("+55 27 8090-1481"), good);
        assert_eq!(br("(27) 8090-1481"), good);
        for unusable in ["", "nao tem", "55279", "27 9999", "+55 27 99999-99999", "+55 27 3090-1481"] {
            assert_eq!(br(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn an_address_needs_both_its_halves() {
        assert_eq!(email(" Ana@Example.com "), Some("ana@example.com".to_owned()));
        for unusable in ["", "ana", "@example.com", "ana@", "ana@example", "a na@example.com", "a@b@c.d"] {
            assert_eq!(email(unusable), None, "{unusable}");
        }
    }
}
