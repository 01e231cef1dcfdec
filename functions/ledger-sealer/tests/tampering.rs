//! Ten thousand ways to change what was recorded, at every layer; each is found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;

use ledger_sealer::digest::{Digest, Restored, SignedDigest, chained, genesis, leaf};
use ledger_sealer::export::{Head, Line};
use ledger_sealer::key::{PublicKey, Signer};
use ledger_sealer::verify::{Against, Fault, Report, What, verify};
use retorno_cloud::store::{AuditRecord, AuditValue};

const HOUR_MS: i64 = 3_600_000;
const BEGIN_MS: i64 = 1_780_000_000_000 / HOUR_MS * HOUR_MS;
const DIGESTS: u64 = 12;

/// A sealed ledger: its file and what is kept elsewhere.
#[derive(Clone)]
struct Ledger {
    lines: Vec<Line>,
    anchors: BTreeMap<u64, SignedDigest>,
}

fn record(number: i64, at_ms: i64) -> AuditRecord {
    let text = |text: String| AuditValue::S(text);
    let fields = [
        ("pk", text("T#prueba#AUDIT#2026-05-28#0".to_owned())),
        ("sk", text(format!("{at_ms:015}#message{number}#1"))),
        ("event", text("send.committed".to_owned())),
        ("who", text(format!("{:032x}", number * 7))),
        ("channel", text("whatsapp".to_owned())),
        ("att", AuditValue::N("1".to_owned())),
        ("at", AuditValue::N(at_ms.to_string())),
    ];
    AuditRecord(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn next_digest(signer: &Signer, last: Option<&SignedDigest>, records: &[AuditRecord]) -> SignedDigest {
    let before = last.map_or_else(|| genesis("prueba"), |last| last.digest.after.clone());
    let leaves: Vec<String> = records.iter().map(|record| leaf(record).unwrap()).collect();
    let number = last.map_or(1, |last| last.digest.number + 1);
    let from_ms = last.map_or(BEGIN_MS, |last| last.digest.until_ms);
    let digest = Digest {
        clinic: "prueba".to_owned(),
        number,
        from_ms,
        until_ms: from_ms + HOUR_MS,
        late: false,
        first: last.map_or(1, |last| last.digest.next()),
        after: chained(&before, &leaves),
        leaves,
        before,
        previous: last.map_or_else(String::new, |last| last.hash().unwrap()),
        key: signer.public_key().id(),
        generation: last.map_or(1, |last| last.digest.generation),
        restored: None,
    };
    signer.sign(digest).await.unwrap()
}

async fn ledger(signer: &Signer) -> Ledger {
    let head = Head { version: 1, clinic: "prueba".to_owned(), first: 1, last: DIGESTS };
    let (mut lines, mut anchors) = (vec![Line::Ledger(head)], BTreeMap::new());
    let mut last: Option<SignedDigest> = None;
    for hour in 0..i64::try_from(DIGESTS).unwrap() {
        let records: Vec<AuditRecord> =
            (0..(hour * 5) % 9).map(|n| record(hour * 10 + n, BEGIN_MS + hour * HOUR_MS + n * 1_000)).collect();
        let digest = next_digest(signer, last.as_ref(), &records).await;
        anchors.insert(digest.digest.number, digest.clone());
        lines.push(Line::Digest(digest.clone()));
        lines.extend(records.into_iter().map(Line::Record));
        last = Some(digest);
    }
    Ledger { lines, anchors }
}

fn check(text: &[String], anchors: &BTreeMap<u64, SignedDigest>, key: &PublicKey) -> Result<Report, Fault> {
    let against = Against { keys: std::slice::from_ref(key), anchors: Some(anchors), from_ms: None, until_ms: None };
    verify(text.iter().map(String::as_str), &against)
}

fn written(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
}

/// What is tampered with, and how.
struct Tamper<'a> {
    rng: fastrand::Rng,
    signer: &'a Signer,
    other: &'a Signer,
}

impl Tamper<'_> {
    fn any(&mut self, lines: &[Line], of: fn(&Line) -> bool) -> usize {
        let places: Vec<usize> = lines.iter().enumerate().filter(|(_, line)| of(line)).map(|(at, _)| at).collect();
        places[self.rng.usize(..places.len())]
    }

    fn any_record(&mut self, lines: &[Line]) -> usize {
        self.any(lines, |line| matches!(line, Line::Record(_)))
    }

    fn any_digest(&mut self, lines: &[Line]) -> usize {
        self.any(lines, |line| matches!(line, Line::Digest(_)))
    }

    /// One change, and its name.
    async fn change(&mut self, ledger: &mut Ledger) -> (&'static str, Vec<String>) {
        let lines = &mut ledger.lines;
        let name = match self.rng.usize(..17) {
            0 => self.edit_record(lines),
            1 => {
                lines.remove(self.any_record(lines));
                "delete a record"
            }
            2 => self.insert_record(lines),
            3 => self.swap_records(lines),
            4 => self.edit_digest(lines),
            5 => {
                lines.remove(self.any_digest(lines));
                "delete a digest, keep its records"
            }
            6 => self.delete_hour(lines),
            7 => self.swap_digests(lines),
            8 => self.truncate(lines),
            9 => self.truncate_neatly(lines),
            10 => return ("edit a byte", self.edit_byte(lines)),
            11 => self.repeat_line(lines),
            12 => self.sign_anew(lines, self.other).await,
            13 => self.sign_anew(lines, self.signer).await,
            14 => self.fork_the_end(lines).await,
            15 => self.behead_neatly(lines),
            _ => self.edit_anchor(ledger),
        };
        (name, written(&ledger.lines))
    }

    fn edit_record(&mut self, lines: &mut [Line]) -> &'static str {
        let at = self.any_record(lines);
        let Line::Record(record) = &mut lines[at] else { return "" };
        let names: Vec<String> = record.0.keys().cloned().collect();
        let name = names[self.rng.usize(..names.len())].clone();
        match self.rng.usize(..3) {
            0 => {
                record.0.remove(&name);
            }
            1 => {
                record.0.insert(format!("{name}x"), AuditValue::Bool(true));
            }
            _ => {
                record.0.insert(name, AuditValue::S(format!("{}", self.rng.u64(..))));
            }
        }
        "edit a record"
    }

    fn insert_record(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let at = self.any_digest(lines) + 1;
        let made_up = record(self.rng.i64(1_000..1_000_000), BEGIN_MS + self.rng.i64(..HOUR_MS));
        lines.insert(at, if self.rng.bool() { Line::Record(made_up) } else { Line::Open(made_up) });
        "insert a record"
    }

    fn swap_records(&mut self, lines: &mut [Line]) -> &'static str {
        let first = self.any_record(lines);
        let second = (0..1_000).map(|_| self.any_record(lines)).find(|second| *second != first).unwrap();
        lines.swap(first, second);
        "swap records"
    }

    fn edit_digest(&mut self, lines: &mut [Line]) -> &'static str {
        let at = self.any_digest(lines);
        let Line::Digest(signed) = &mut lines[at] else { return "" };
        let digest = &mut signed.digest;
        match self.rng.usize(..11) {
            9 => digest.generation += 1,
            10 => digest.restored = Some(Box::new(Restored { resumes: 0, last: 9, hash: genesis("other") })),
            0 => digest.number += 1,
            1 => digest.from_ms -= 1,
            2 => digest.until_ms += 1,
            3 => digest.late = !digest.late,
            4 => digest.first += 1,
            5 => digest.leaves.push("00".to_owned()),
            6 => digest.after = chained(&digest.after, [&digest.before]),
            7 => digest.previous = genesis("other"),
            _ => signed.signature.insert(8, 'A'),
        }
        "edit a digest"
    }

    fn delete_hour(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let at = self.any_digest(lines);
        let until = lines.iter().skip(at + 1).position(|line| !matches!(line, Line::Record(_)));
        lines.drain(at..until.map_or(lines.len(), |until| at + 1 + until));
        "delete a digest and its records"
    }

    fn swap_digests(&mut self, lines: &mut [Line]) -> &'static str {
        let first = self.any_digest(lines);
        let second = (0..1_000).map(|_| self.any_digest(lines)).find(|second| *second != first).unwrap();
        lines.swap(first, second);
        "swap digests"
    }

    fn truncate(&mut self, lines: &mut Vec<Line>) -> &'static str {
        // The last digest holds records: nothing that is cut off is nothing.
        lines.truncate(self.rng.usize(..lines.len()));
        "truncate"
    }

    /// Cut before a digest, and the head made to say so: only what is kept elsewhere tells.
    fn truncate_neatly(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let at = self.any_digest(lines);
        let Line::Digest(first_gone) = &lines[at] else { return "" };
        let last = first_gone.digest.number - 1;
        lines.truncate(at);
        if let Line::Ledger(head) = &mut lines[0] {
            head.last = last;
        }
        "truncate and edit the head"
    }

    /// Cut at the front, before another digest, and the head made to say so.
    fn behead_neatly(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let numbers = lines.iter().enumerate().filter_map(|(at, line)| match line {
            Line::Digest(signed) if signed.digest.number > 1 => Some((at, signed.digest.number)),
            Line::Ledger(_) | Line::Digest(_) | Line::Record(_) | Line::Open(_) => None,
        });
        let numbers: Vec<(usize, u64)> = numbers.collect();
        let (at, first) = numbers[self.rng.usize(..numbers.len())];
        lines.drain(1..at);
        if let Line::Ledger(head) = &mut lines[0] {
            head.first = first;
        }
        "cut the front and edit the head"
    }

    fn edit_byte(&mut self, lines: &[Line]) -> Vec<String> {
        let mut text = written(lines);
        let at = self.rng.usize(..text.len());
        let place = self.rng.usize(..text[at].len());
        let put = char::from(self.rng.u8(b' '..b'~'));
        let was = text[at].as_bytes()[place];
        let put = if u32::from(was) == u32::from(put) { '~' } else { put };
        text[at].replace_range(place..=place, &put.to_string());
        text
    }

    fn repeat_line(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let at = self.rng.usize(..lines.len());
        let line = lines[at].clone();
        lines.insert(self.rng.usize(..=lines.len()), line);
        "repeat a line"
    }

    /// A digest whose records were changed, signed once more: with a key of one's own, or with ours.
    async fn sign_anew(&mut self, lines: &mut [Line], signer: &Signer) -> &'static str {
        let at = self.any_record(lines);
        let digest_at = (0..at).rev().find(|at| matches!(lines[*at], Line::Digest(_))).unwrap();
        let changed = record(self.rng.i64(1_000..1_000_000), BEGIN_MS);
        let Line::Digest(signed) = &lines[digest_at] else { return "" };
        let mut digest = signed.digest.clone();
        digest.leaves[at - digest_at - 1] = leaf(&changed).unwrap();
        digest.after = chained(&digest.before, &digest.leaves);
        digest.key = signer.public_key().id();
        lines[at] = Line::Record(changed);
        lines[digest_at] = Line::Digest(signer.sign(digest).await.unwrap());
        "sign a digest anew"
    }

    /// Everything from a digest on written and signed once more, with our own key.
    async fn fork_the_end(&mut self, lines: &mut Vec<Line>) -> &'static str {
        let at = self.any_digest(lines);
        let before = lines[..at].iter().rev().find_map(|line| match line {
            Line::Digest(digest) => Some(digest.clone()),
            Line::Ledger(_) | Line::Record(_) | Line::Open(_) => None,
        });
        lines.truncate(at);
        let mut last = before;
        for number in last.as_ref().map_or(1, |last| last.digest.number + 1)..=DIGESTS {
            let made_up = record(self.rng.i64(1_000..1_000_000), BEGIN_MS + i64::try_from(number).unwrap());
            let digest = next_digest(self.signer, last.as_ref(), std::slice::from_ref(&made_up)).await;
            lines.push(Line::Digest(digest.clone()));
            lines.push(Line::Record(made_up));
            last = Some(digest);
        }
        "fork"
    }

    fn edit_anchor(&mut self, ledger: &mut Ledger) -> &'static str {
        let number = self.rng.u64(1..=DIGESTS);
        if self.rng.bool() {
            ledger.anchors.remove(&number);
        } else {
            ledger.anchors.get_mut(&number).unwrap().digest.first += 1;
        }
        "edit what is kept elsewhere"
    }
}

fn new_signer() -> Signer {
    Signer::from_pkcs8(&Signer::new_pkcs8().unwrap()).unwrap()
}

#[tokio::test]
async fn ten_thousand_tamperings_are_all_found() {
    let (signer, other) = (new_signer(), new_signer());
    let sound = ledger(&signer).await;
    let key = signer.public_key();
    let report = check(&written(&sound.lines), &sound.anchors, key).unwrap();
    assert_eq!((report.numbers, report.anchored), ((1, DIGESTS), DIGESTS));
    let mut tamper = Tamper { rng: fastrand::Rng::with_seed(7), signer: &signer, other: &other };
    let mut found: BTreeMap<&str, BTreeMap<What, u32>> = BTreeMap::new();
    let mut made = 0;
    while made < 10_000 {
        let mut ledger = sound.clone();
        let (name, text) = tamper.change(&mut ledger).await;
        if text == written(&sound.lines) && ledger.anchors == sound.anchors {
            continue;
        }
        made += 1;
        let fault = check(&text, &ledger.anchors, key);
        assert!(fault.is_err(), "not found: {name}\n{}", text.join("\n"));
        *found.entry(name).or_default().entry(fault.unwrap_err().what).or_default() += 1;
    }
    println!("{made} tamperings, all found:");
    for (name, by) in &found {
        println!("  {name}: {by:?}");
    }
    assert_eq!(found.len(), 16, "every kind was tried");
}

#[tokio::test]
async fn a_later_part_is_sound_only_where_it_was_asked_for() {
    let signer = new_signer();
    let sound = ledger(&signer).await;
    let key = signer.public_key();
    let mut lines = sound.lines.clone();
    let third = lines.iter().enumerate().find_map(|(at, line)| match line {
        Line::Digest(signed) if signed.digest.number == 3 => Some((at, signed.digest.from_ms)),
        Line::Ledger(_) | Line::Digest(_) | Line::Record(_) | Line::Open(_) => None,
    });
    let (at, begins) = third.unwrap();
    lines.drain(1..at);
    if let Line::Ledger(head) = &mut lines[0] {
        head.first = 3;
    }
    let text = written(&lines);
    let asked = |from_ms| {
        let keys = std::slice::from_ref(key);
        let against = Against { keys, anchors: Some(&sound.anchors), from_ms, until_ms: None };
        verify(text.iter().map(String::as_str), &against).map_err(|fault| fault.what)
    };
    assert_eq!(asked(Some(begins)).unwrap().numbers, (3, DIGESTS));
    assert_eq!(asked(Some(begins - 1)), Err(What::DigestMissing));
    assert_eq!(asked(None), Err(What::DigestMissing));
}

#[tokio::test]
async fn a_fault_says_where_it_is() {
    let signer = new_signer();
    let sound = ledger(&signer).await;
    let key = signer.public_key();
    let records: Vec<usize> = (0..sound.lines.len()).filter(|at| matches!(sound.lines[*at], Line::Record(_))).collect();
    let at = records[6];
    let place = |what| Fault { what, line: at + 1, digest: 4, record: Some(7) };
    let fault = |change: &dyn Fn(&mut Vec<Line>)| {
        let mut lines = sound.lines.clone();
        change(&mut lines);
        check(&written(&lines), &sound.anchors, key).unwrap_err()
    };
    let edited = fault(&|lines| {
        let Line::Record(record) = &mut lines[at] else { return };
        record.0.insert("channel".to_owned(), AuditValue::S("email".to_owned()));
    });
    // The hours before have none, five and one: the seventh record is the fourth's first.
    assert_eq!(edited, place(What::Edited), "{edited}");
    assert_eq!(fault(&|lines| drop(lines.remove(at))), place(What::Deleted));
    assert_eq!(fault(&|lines| lines.swap(at, records[7])).what, What::Swapped);
    assert_eq!(fault(&|lines| lines.insert(at, Line::Record(record(99, BEGIN_MS)))), place(What::Inserted));
}

#[test]
fn a_public_key_is_read_as_it_was_written() {
    let signer = new_signer();
    let pem = signer.public_key().to_pem();
    assert_eq!(&PublicKey::from_pem(&pem).unwrap(), signer.public_key());
    assert!(PublicKey::from_pem("nothing").is_err());
    assert!(PublicKey::from_der(&[0; 91]).is_err());
}
