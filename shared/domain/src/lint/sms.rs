//! How many segments a text message takes (3GPP TS 23.038 for the alphabet, 23.040 for the joins).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The alphabet a text message travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsEncoding {
    /// Seven bits: 160 units alone, 153 in each of several segments. It has é and ñ but not á, í,
    /// ó or ú, so most Spanish and Portuguese does not fit.
    Gsm7,
    /// Sixteen bits: 70 units alone, 67 in each of several segments.
    Ucs2,
}

/// The length of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsLength {
    /// The alphabet it needs.
    pub encoding: SmsEncoding,
    /// Septets, or 16-bit units.
    pub units: usize,
    /// Messages billed; 0 for an empty text.
    pub segments: usize,
}

/// The basic alphabet without its escape character, and what takes an escape before it.
const GSM7_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                          ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM7_ESCAPED: &str = "\u{000C}^{}\\[~]|€";

/// Messages billed for a text as it is sent ([`sms_text`]).
#[must_use]
pub fn segments(text: &str) -> usize {
    sms_length(&sms_text(text)).segments
}

/// The text as it is sent: one accent alone would more than double its price, so letters that the
/// seven-bit alphabet lacks lose theirs (`más` becomes `mas`; é and ñ stay). Where that is not
/// enough, as with an emoji, the text is left as it is.
#[must_use]
pub fn sms_text(text: &str) -> String {
    let plain: Option<String> = text.nfc().map(plain).collect();
    plain.unwrap_or_else(|| text.to_owned())
}

/// What stands for a character in the seven-bit alphabet.
fn plain(c: char) -> Option<Cow<'static, str>> {
    let own = |c: char| Cow::Owned(c.to_string());
    if septets(c).is_some() {
        return Some(own(c));
    }
    let near = match c {
        '\u{A0}' | '\u{202F}' | '\t' => " ",
        '«' | '»' | '“' | '”' | '„' => "\"",
        '‘' | '’' | '´' | '`' => "'",
        '–' | '—' | '‑' => "-",
        '…' => "...",
        'ª' => "a",
        'º' | '°' => "o",
        '•' | '·' => "-",
        _ => return std::iter::once(c).nfd().next().filter(|base| septets(*base).is_some()).map(own),
    };
    Some(Cow::Borrowed(near))
}

/// Counts a text as a network would send it.
#[must_use]
pub fn sms_length(text: &str) -> SmsLength {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(units) => packed(SmsEncoding::Gsm7, &units, 160, 153),
        None => {
            let units: Vec<usize> = text.chars().map(char::len_utf16).collect();
            packed(SmsEncoding::Ucs2, &units, 70, 67)
        }
    }
}

fn septets(c: char) -> Option<usize> {
    if GSM7_BASIC.contains(c) {
        Some(1)
    } else if GSM7_ESCAPED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// A character of two units is never torn between segments.
fn packed(encoding: SmsEncoding, units: &[usize], alone: usize, joined: usize) -> SmsLength {
    let total: usize = units.iter().sum();
    let segments = if total <= alone {
        usize::from(total > 0)
    } else {
        let (full, _) =
            units.iter().fold(
                (0, 0),
                |(full, used), unit| {
                    if used + unit > joined { (full + 1, *unit) } else { (full, used + unit) }
                },
            );
        full + 1
    };
    SmsLength { encoding, units: total, segments }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> (SmsEncoding, usize, usize) {
        let length = sms_length(text);
        (length.encoding, length.units, length.segments)
    }

    #[test]
    fn the_alphabet_follows_from_the_letters() {
        assert_eq!(counted("mañana a las 9, señor José!"), (SmsEncoding::Gsm7, 27, 1));
        assert_eq!(counted("Respondé SÍ"), (SmsEncoding::Ucs2, 11, 1));
        assert_eq!(counted(""), (SmsEncoding::Gsm7, 0, 0));
    }

    #[test]
    fn accents_are_left_out_where_that_makes_it_cheaper() {
        assert_eq!(
            sms_text("Respondé SÍ: «mañana», más — º… ¿Não? ção"),
            "Respondé SI: \"mañana\", mas - o... ¿Nao? cao"
        );
        assert_eq!(sms_text("cafe\u{301} mas\u{301}"), "café mas");
        assert_eq!(sms_text("más 😀"), "más 😀");
        assert_eq!((segments(&"í".repeat(160)), segments("")), (1, 0));
        assert_eq!(segments(&format!("{}😀", "í".repeat(69))), 2);
    }

    #[test]
    fn segments_hold_what_the_standard_says() {
        assert_eq!(counted(&"a".repeat(160)).2, 1);
        assert_eq!(counted(&"a".repeat(161)).2, 2);
        assert_eq!(counted(&"a".repeat(306)).2, 2);
        assert_eq!(counted(&"a".repeat(307)).2, 3);
        assert_eq!(counted(&"í".repeat(70)).2, 1);
        assert_eq!(counted(&"í".repeat(71)).2, 2);
        assert_eq!(counted(&"í".repeat(135)).2, 3);
    }

    #[test]
    fn a_character_of_two_units_is_not_torn() {
        // 152 septets, then a pair: it does not fit the 153rd and begins the next segment.
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(151));
        assert_eq!(counted(&text), (SmsEncoding::Gsm7, 305, 2));
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(counted(&text), (SmsEncoding::Gsm7, 306, 3));
    }
}
