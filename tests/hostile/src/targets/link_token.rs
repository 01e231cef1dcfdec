//! The token of a signed link: no bit of it may be changed, and none can be made.

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta};
use retorno_cloud::links::{BOOK_LASTS, Link, LinkPurpose, Links};
use retorno_cloud::secrets::SecretKey;
use retorno_domain::ids::{ClinicId, MessageId};

use crate::pieces::Pieces;

const BASE: &str = "https://citas.example";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Who signs, who signs under another name, and who signs with another key.
fn signers() -> &'static [Links; 3] {
    static LINKS: OnceLock<[Links; 3]> = OnceLock::new();
    LINKS.get_or_init(|| {
        let key = |text: &str| SecretKey::new(text).expect("long enough");
        let (ours, theirs) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdeg");
        [Links::new(BASE, 1, key(ours)), Links::new(BASE, 2, key(ours)), Links::new(BASE, 1, key(theirs))]
    })
}

/// A byte for what is signed and by whom, the message, the minutes gone by, and the changes: places
/// and letters in turn. Where these bytes are few, they are the token itself.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let choice = pieces.byte();
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let purpose = if choice & 1 == 0 { LinkPurpose::Book } else { LinkPurpose::Unsubscribe };
    let clinic = ["aurora", "a", "clinica-del-norte-con-un-nombre-de-40-le"].map(ClinicId::parse);
    let clinic = clinic.into_iter().flatten().nth(usize::from(choice >> 1) % 3).expect("ids");
    let message = MessageId::parse(&format!("{:032x}", u128::from_be_bytes(pieces.bytes()))).expect("a number");
    let link = Link { clinic, message, purpose };
    let [ours, renamed, theirs] = signers();
    let url = ours.url(&link, now);
    let token = url.strip_prefix("https://citas.example/l/").expect("our address");
    assert!(token.len() < 130 && token.bytes().all(|byte| ALPHABET.contains(&byte)), "no part of a header");

    let later = now + TimeDelta::minutes(i64::from(u16::from_be_bytes(pieces.bytes())) * 2);
    let other = if choice & 1 == 1 { LinkPurpose::Book } else { LinkPurpose::Unsubscribe };
    let alive = purpose == LinkPurpose::Unsubscribe || later < now + BOOK_LASTS;
    assert_eq!(ours.read(token, purpose, later), alive.then(|| link.clone()));
    assert_eq!(ours.read(token, other, now), None, "for another purpose");
    assert_eq!(renamed.read(token, purpose, now), None, "signed under another name");
    assert_eq!(theirs.read(token, purpose, now), None, "signed with another key");

    let forged = changed(token, &mut pieces);
    let forged = String::from_utf8_lossy(&forged);
    for purpose in [purpose, other] {
        // Bytes may have become another token of ours, but then to the letter.
        if let Some(read) = ours.read(&forged, purpose, now) {
            assert_eq!(url_of(&forged), ours.url(&read, now), "a forged link");
        }
    }
}

fn url_of(token: &str) -> String {
    format!("{BASE}/l/{token}")
}

fn changed(token: &str, pieces: &mut Pieces<'_>) -> Vec<u8> {
    let mut forged = token.as_bytes().to_vec();
    match pieces.byte() {
        // A letter for another, as often as there are bytes.
        0..=127 => {
            while !pieces.is_empty() {
                let (place, letter) = (usize::from(pieces.byte()), pieces.one_of(ALPHABET));
                let length = forged.len();
                if let Some(byte) = forged.get_mut(place % length.max(1)) {
                    *byte = letter;
                }
            }
        }
        128..=159 => forged.truncate(usize::from(pieces.byte())),
        160..=223 => forged.extend(pieces.rest()),
        224..=255 => forged = pieces.rest().to_vec(),
    }
    forged
}
