//! An e-mail address as people write it, on its way into a message's header.

use retorno_domain::contact::{EmailAddress, UnusableEmail};

/// The bytes are the cell.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match EmailAddress::parse(&text) {
        Ok(address) => {
            let plain = address.as_str();
            assert!(plain.len() <= 254 && plain.bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(!plain.contains(['"', '<', '>', '(', ')', '[', ']', ',', ';', ':', '\\']), "more than an address");
            assert_eq!(plain.matches('@').count(), 1);
            assert_eq!(plain, text.trim().to_ascii_lowercase(), "an address nobody wrote");
            assert_eq!(EmailAddress::parse(plain).as_ref(), Ok(&address), "read again");
            assert_eq!(format!("{address:?}"), "EmailAddress(redacted)");
        }
        Err(why) => {
            assert_eq!(UnusableEmail::of_code(why.code()), Some(why));
            assert!(!why.to_string().contains('@'));
        }
    }
}
