#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "0123456789abcdef0123456789abcdeg";

fn key(text: &str) -> SecretKey {
    SecretKey::new(text).unwrap()
}
fn links() -> Links {
    Links::new("https://x.example/", 1, key(KEY))
}
fn clinic(id: &str) -> ClinicId {
    ClinicId::parse(id).unwrap()
}
fn message(id: u128) -> MessageId {
    MessageId::parse(&format!("{id:032x}")).unwrap()
}
fn link(purpose: LinkPurpose) -> Link {
    Link { clinic: clinic("aurora"), message: message(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff), purpose }
}
fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

#[test]
fn a_link_says_what_it_was_made_for_and_nothing_else() {
    for purpose in LinkPurpose::ALL {
        let token = links().token(&link(purpose), now());
        assert_eq!(links().url(&link(purpose), now()), format!("https://x.example/l/{token}"));
        assert_eq!(links().read_any(&token, now()), Some(link(purpose)));
        for asked in LinkPurpose::ALL {
            assert_eq!(links().read(&token, asked, now()), (asked == purpose).then(|| link(purpose)));
        }
        assert!(token.len() <= TOKEN_CHARS_MAX);
    }
    let longest = Link { clinic: clinic(&"z".repeat(40)), ..link(LinkPurpose::Survey) };
    assert_eq!(links().token(&longest, now()).len(), TOKEN_CHARS_MAX);
    assert_eq!(links().read_any(&links().token(&longest, now()), now()), Some(longest));
}

#[test]
fn a_link_works_as_long_as_its_purpose_says_and_is_known_afterwards() {
    let days = LinkPurpose::ALL.map(|purpose| purpose.lasts().map(|lasts| lasts.num_days()));
    assert_eq!(days, [Some(30), None, Some(90), Some(30), Some(30), None]);
    for purpose in LinkPurpose::ALL {
        let token = links().token(&link(purpose), now());
        let Some(lasts) = purpose.lasts() else {
            assert!(links().read_any(&token, now() + TimeDelta::days(99_999)).is_some());
            continue;
        };
        let last = now() + lasts - TimeDelta::seconds(1);
        assert_eq!(links().genuine(&token, last), Some(Genuine::Valid(link(purpose))));
        assert_eq!(links().genuine(&token, now() + lasts), Some(Genuine::Expired(link(purpose))));
        assert_eq!(links().read_any(&token, now() + lasts), None);
    }
}

/// Written down as they were signed before there were more purposes and keys than one.
#[test]
fn tokens_of_earlier_versions_stay_valid() {
    let book = "AQEBAbgcwAARIjNEVWZ3iJmqu8zd7v9hdXJvcmEbzOpn4ujCAqZQiCPS0RND";
    let out = "AQECAAAAAAARIjNEVWZ3iJmqu8zd7v9hdXJvcmFTlEclTcYDGgLxfPOSQ-bW";
    assert_eq!(links().read(book, LinkPurpose::Book, now()), Some(link(LinkPurpose::Book)));
    assert_eq!(links().read(out, LinkPurpose::Unsubscribe, now()), Some(link(LinkPurpose::Unsubscribe)));
}

#[test]
fn after_a_rotation_old_links_work_and_new_ones_are_signed_with_the_new_key() {
    let old = links().token(&link(LinkPurpose::Unsubscribe), now());
    let rotated = Links::new("https://x.example", 2, key(OTHER_KEY)).and_older(1, key(KEY));
    let new = rotated.token(&link(LinkPurpose::Unsubscribe), now());
    assert!(rotated.read_any(&old, now()).is_some() && rotated.read_any(&new, now()).is_some());
    assert_eq!(links().read_any(&new, now()), None);
    let retired = Links::new("https://x.example", 2, key(OTHER_KEY));
    assert_eq!(retired.read_any(&old, now()), None, "a key that is taken away verifies nothing");
    let swapped = Links::new("https://x.example", 1, key(OTHER_KEY)).and_older(2, key(KEY));
    assert_eq!(swapped.read_any(&old, now()), None, "each key verifies under its own id only");
}

#[test]
fn keys_are_read_from_a_list_or_not_at_all() {
    let url = "https://x.example";
    let rotated = Links::with_keys(url, &format!(" 7:{OTHER_KEY}\n1:{KEY} ")).unwrap();
    let old = links().token(&link(LinkPurpose::Book), now());
    let new = rotated.token(&link(LinkPurpose::Book), now());
    assert!(rotated.read_any(&old, now()).is_some() && rotated.read_any(&new, now()).is_some());
    assert_eq!(new, Links::new(url, 7, key(OTHER_KEY)).token(&link(LinkPurpose::Book), now()), "the first signs");
    let twice = format!("1:{KEY} 1:{OTHER_KEY}");
    for wrong in ["", "1:short", &format!("256:{KEY}"), KEY, &format!("x:{KEY}"), &twice] {
        let error = Links::with_keys(url, wrong).unwrap_err().to_string();
        assert!(error.contains("LINK_KEYS") && !error.contains(KEY), "{error}");
    }
}

#[test]
fn a_link_of_consent_names_the_clinic_and_no_message() {
    let token = links().token(&Link::consent(clinic("aurora")), now());
    let read = links().read(&token, LinkPurpose::Consent, now()).unwrap();
    assert_eq!((read.message.as_u128(), read.clinic.as_str()), (0, "aurora"));
}

/// A small generator of bytes, so that the same million is tried each time (xorshift64*).
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }
    fn bytes(&mut self, many: usize) -> Vec<u8> {
        (0..many).map(|_| self.next().to_be_bytes()[0]).collect()
    }
    fn genuine(&mut self, purpose: LinkPurpose) -> Link {
        let clinics = ["aurora", "ipe", "a", "clinica-del-norte-con-un-nombre-de-40-le"];
        let id = u128::from(self.next()) << 64 | u128::from(self.next());
        Link { clinic: clinic(clinics[self.below(clinics.len())]), message: message(id), purpose }
    }
}

/// Counts attempts, and fails at the first that is accepted.
struct Attempts {
    links: Links,
    many: usize,
}

impl Attempts {
    fn forged(&mut self, bytes: &[u8], how: &str) {
        self.written(&URL_SAFE_NO_PAD.encode(bytes), how);
    }
    fn written(&mut self, token: &str, how: &str) {
        assert_eq!(self.links.genuine(token, now()), None, "{how}");
        self.many += 1;
    }
}

fn bytes_of(link: &Link) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(links().token(link, now())).unwrap()
}

/// Changes to a genuine token: bits, other purposes, clinics, messages, lengths and spellings.
fn change(attempts: &mut Attempts, chance: &mut Bytes, purpose: LinkPurpose) {
    let link = chance.genuine(purpose);
    let bytes = bytes_of(&link);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        attempts.forged(&flipped, "a bit flipped");
    }
    for byte in 0..=u8::MAX {
        for place in [0, 1, 2] {
            let mut other = bytes.clone();
            if std::mem::replace(&mut other[place], byte) != byte {
                attempts.forged(&other, "another version, key or purpose");
            }
        }
    }
    let tag = bytes.len() - TAG_BYTES;
    for other in LinkPurpose::ALL.map(|purpose| chance.genuine(purpose)) {
        let spliced = [&bytes_of(&other)[..bytes_of(&other).len() - TAG_BYTES], &bytes[tag..]].concat();
        attempts.forged(&spliced, "another's tag");
        let moved = [&bytes[..23], b"other-clinic", &bytes[tag..]].concat();
        attempts.forged(&moved, "another clinic");
        let mut named = bytes.clone();
        named[7..23].copy_from_slice(&other.message.as_u128().to_be_bytes());
        attempts.forged(&named, "another message");
    }
    for length in 0..bytes.len() {
        attempts.forged(&bytes[..length], "cut short");
        attempts.forged(&[&bytes[..], &chance.bytes(length + 1)[..]].concat(), "longer");
    }
    let token = links().token(&link, now());
    for spelling in [format!("{token}="), format!(" {token}"), format!("{token}A"), token.replace(['-', '_'], "+")] {
        if spelling != token {
            attempts.written(&spelling, "another spelling");
        }
    }
}

#[test]
fn of_a_million_forged_tokens_none_is_accepted() {
    let mut chance = Bytes(0x5265_746f_726e_6f21);
    let mut attempts = Attempts { links: links().and_older(3, key(OTHER_KEY)), many: 0 };
    for round in 0..600 {
        change(&mut attempts, &mut chance, LinkPurpose::ALL[round % LinkPurpose::ALL.len()]);
    }
    let strangers = [Links::new("", 1, key(OTHER_KEY)), Links::new("", 2, key(KEY)), Links::new("", 3, key(KEY))];
    for round in 0..90_000 {
        let link = chance.genuine(LinkPurpose::ALL[round % LinkPurpose::ALL.len()]);
        attempts.written(&strangers[round % 3].token(&link, now()), "signed by a stranger");
        let length = chance.below(90);
        attempts.forged(&chance.bytes(length), "made up");
        let mut made_up = vec![VERSION, [1, 3][round % 2], [1, 2, 3, 4, 5, 6][round % 6], 0, 0, 0, 0];
        made_up.extend([&chance.bytes(16)[..], b"aurora", &chance.bytes(TAG_BYTES)].concat());
        attempts.forged(&made_up, "made up, well formed");
    }
    // Signed by ourselves, but not as we sign: a version or purpose to come, a clinic that is none.
    for kind in (0..=u8::MAX).filter(|kind| !(1..=6).contains(kind)) {
        let ours = |head: [u8; 3], clinic: &[u8]| {
            let mut bytes = [&head[..], &[0; 20], clinic].concat();
            let tag = key(KEY).mac(&[b"link", &bytes]);
            bytes.extend(&tag[..TAG_BYTES]);
            bytes
        };
        attempts.forged(&ours([VERSION, 1, kind], b"aurora"), "an unknown purpose");
        attempts.forged(&ours([kind.max(2), 1, 1], b"aurora"), "an unknown version");
        attempts.forged(&ours([VERSION, 1, 1], &[kind.max(b'{'), b'a']), "no clinic");
    }
    assert!(attempts.many >= 1_000_000, "{}", attempts.many);
}

#[test]
fn of_a_hundred_thousand_genuine_tokens_none_serves_another_purpose_or_time() {
    let mut chance = Bytes(0x746f_6b65_6e73);
    let links = links();
    for round in 0..100_000 {
        let purpose = LinkPurpose::ALL[round % LinkPurpose::ALL.len()];
        let token = links.token(&chance.genuine(purpose), now());
        let other = LinkPurpose::ALL[(round + 1 + chance.below(5)) % LinkPurpose::ALL.len()];
        assert!(other == purpose || links.read(&token, other, now()).is_none());
        if let Some(lasts) = purpose.lasts() {
            let later = now() + lasts + TimeDelta::seconds(i64::try_from(chance.below(1 << 30)).unwrap());
            assert_eq!(links.read_any(&token, later), None);
        }
    }
}
