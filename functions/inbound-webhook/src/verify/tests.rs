#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::*;

const BODY: &[u8] = b"{\"entry\":[]}";

fn secrets(texts: &[&str]) -> Vec<HookSecret> {
    texts.iter().map(|text| HookSecret::new(*text).unwrap()).collect()
}

fn mac<M: Mac + KeyInit>(key: &str, bytes: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn meta(key: &str) -> String {
    format!("sha256={}", hex(&mac::<Hmac<Sha256>>(key, BODY)))
}

#[test]
fn meta_may_sign_with_the_old_secret_or_the_new_one() {
    let both = secrets(&["viejo", "nuevo"]);
    for key in ["viejo", "nuevo"] {
        let signed = headers(&[("x-hub-signature-256", &meta(key))]);
        assert_eq!(signed_by_meta(&signed, BODY, &both), Ok(()));
    }
    let signed = headers(&[("X-Hub-Signature-256", &meta("ajeno"))]);
    assert_eq!(signed_by_meta(&signed, BODY, &both), Err(Unverified::Mismatch));
    assert_eq!(signed_by_meta(&signed, BODY, &[]), Err(Unverified::NoSecret));
    assert!(HookSecret::new("").is_none());
}

#[test]
fn a_signature_of_meta_has_one_spelling_and_stands_once() {
    let right = meta("clave");
    let digits = right.strip_prefix("sha256=").unwrap();
    let wrong = [
        String::new(),
        "sha256=".to_owned(),
        digits.to_owned(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!("sha256={}", digits.to_uppercase()),
        format!("sha256= {digits}"),
        format!("{right} "),
        format!("{right}00"),
        format!("{right},{right}"),
        right.trim_end_matches(|_: char| true).to_owned(),
        right.get(..right.len() - 1).unwrap().to_owned(),
        format!("sha256={}é", digits.get(..62).unwrap()),
        format!("sha256={}", "g".repeat(64)),
    ];
    for value in &wrong {
        let signed = headers(&[("X-Hub-Signature-256", value)]);
        assert_eq!(signed_by_meta(&signed, BODY, &secrets(&["clave"])), Err(Unverified::Malformed), "{value}");
    }
    let twice = headers(&[("X-Hub-Signature-256", &right), ("x-hub-signature-256", &right)]);
    assert_eq!(signed_by_meta(&twice, BODY, &secrets(&["clave"])), Err(Unverified::Several));
    let other = headers(&[("X-Hub-Signature", &right)]);
    assert_eq!(signed_by_meta(&other, BODY, &secrets(&["clave"])), Err(Unverified::Missing));
}

#[test]
fn a_challenge_is_repeated_for_our_token_only_and_only_if_it_is_a_word() {
    let ask = |mode: &str, token: &str, word: &str| {
        headers(&[("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", word)])
    };
    let tokens = secrets(&["primero", "segundo"]);
    assert_eq!(challenge(&ask("subscribe", "segundo", "1158201444"), &tokens), Ok("1158201444"));
    assert_eq!(challenge(&ask("subscribe", "primero", &"a".repeat(128)), &tokens).map(str::len), Ok(128));
    for token in ["", "primer", "primero ", "Primero", "tercero"] {
        assert_eq!(challenge(&ask("subscribe", token, "1"), &tokens), Err(Unverified::Mismatch), "{token}");
    }
    for word in ["", "<script>", "a b", "é", "1\n2", "1%0a", "\u{ff11}", &"a".repeat(129)] {
        assert_eq!(challenge(&ask("subscribe", "primero", word), &tokens), Err(Unverified::Malformed), "{word}");
    }
    assert_eq!(challenge(&ask("unsubscribe", "primero", "1"), &tokens), Err(Unverified::Malformed));
    assert_eq!(challenge(&ask("subscribe", "primero", "1"), &[]), Err(Unverified::NoSecret));
    let mut twice = ask("subscribe", "primero", "1");
    twice.push(("hub.verify_token".to_owned(), "ajeno".to_owned()));
    assert_eq!(challenge(&twice, &tokens), Err(Unverified::Several));
    assert_eq!(challenge(&headers(&[("hub.verify_token", "primero")]), &tokens), Err(Unverified::Missing));
}

#[test]
fn waha_signs_with_sha512() {
    let keys = secrets(&["llave"]);
    let right = hex(&mac::<Hmac<Sha512>>("llave", BODY));
    let with = |pairs: &[(&str, &str)]| super::waha(&headers(pairs), BODY, &keys);
    assert_eq!(with(&[("X-Webhook-Hmac", &right)]), Ok(()));
    assert_eq!(with(&[("x-webhook-hmac", &right), ("X-Webhook-Hmac-Algorithm", "sha512")]), Ok(()));
    assert_eq!(with(&[("X-Webhook-Hmac", &right), ("X-Webhook-Hmac-Algorithm", "sha256")]), Err(Unverified::Malformed));
    let short = hex(&mac::<Hmac<Sha256>>("llave", BODY));
    assert_eq!(with(&[("X-Webhook-Hmac", &short)]), Err(Unverified::Malformed));
    assert_eq!(with(&[("X-Webhook-Hmac", &hex(&mac::<Hmac<Sha512>>("otra", BODY)))]), Err(Unverified::Mismatch));
    assert_eq!(with(&[("X-Webhook-Hmac", &right), ("X-WEBHOOK-HMAC", &right)]), Err(Unverified::Several));
    assert_eq!(with(&[]), Err(Unverified::Missing));
}

#[test]
fn evolution_shows_our_token() {
    let proof = EvolutionProof::Token(secrets(&["ficha-1", "ficha-2"]));
    let with = |pairs: &[(&str, &str)]| evolution(&headers(pairs), &proof, now());
    assert_eq!(with(&[("x-retorno-hook-token", "ficha-2")]), Ok(()));
    assert_eq!(with(&[("X-Retorno-Hook-Token", "ficha-3")]), Err(Unverified::Mismatch));
    assert_eq!(with(&[("X-Retorno-Hook-Token", "")]), Err(Unverified::Mismatch));
    assert_eq!(
        with(&[("X-Retorno-Hook-Token", "ficha-1"), ("X-Retorno-Hook-Token", "ficha-2")]),
        Err(Unverified::Several)
    );
    assert_eq!(with(&[("apikey", "ficha-1")]), Err(Unverified::Missing));
    assert_eq!(evolution(&[], &EvolutionProof::Token(Vec::new()), now()), Err(Unverified::NoSecret));
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn jwt(header: &str, claims: &str, key: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac::<Hmac<Sha256>>(key, signed.as_bytes())))
}

fn claims(made: i64, ends: i64) -> String {
    let at = |seconds| (now() + TimeDelta::seconds(seconds)).timestamp();
    format!(r#"{{"iat":{},"exp":{},"app":"evolution","action":"webhook"}}"#, at(made), at(ends))
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn shown(token: &str) -> Result<(), Unverified> {
    let proof = EvolutionProof::Jwt(secrets(&["llave"]));
    evolution(&headers(&[("authorization", &format!("Bearer {token}"))]), &proof, now())
}

#[test]
fn a_token_of_evolution_lives_ten_minutes() {
    for (made, ends) in [(0, 600), (-300, 300), (-659, -59), (60, 660)] {
        assert_eq!(shown(&jwt(HS256, &claims(made, ends), "llave")), Ok(()), "{made} {ends}");
    }
    for (made, ends) in [(0, 601), (-660, -60), (61, 600), (0, 0), (0, -1), (-86_400, 86_400)] {
        assert_eq!(shown(&jwt(HS256, &claims(made, ends), "llave")), Err(Unverified::OutOfTime), "{made} {ends}");
    }
}

#[test]
fn a_token_of_evolution_is_signed_by_hs256_and_nothing_else() {
    let good = claims(0, 600);
    assert_eq!(shown(&jwt(HS256, &good, "otra")), Err(Unverified::Mismatch));
    let headers = [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        "",
        "[]",
    ];
    for header in headers {
        assert_eq!(shown(&jwt(header, &good, "llave")), Err(Unverified::Malformed), "{header}");
    }
    let bare = r#"{"app":"evolution"}"#;
    let endless = r#"{"iat":1790000000}"#;
    let worded = r#"{"iat":"1790000000","exp":"1790000600"}"#;
    let beyond = r#"{"iat":9223372036854775807,"exp":9223372036854775807}"#;
    for claims in [bare, endless, worded, beyond, "", "null"] {
        assert_eq!(shown(&jwt(HS256, claims, "llave")), Err(Unverified::Malformed), "{claims}");
    }
    // The last and the first instant that there is.
    for at in [DateTime::<Utc>::MAX_UTC.timestamp(), DateTime::<Utc>::MIN_UTC.timestamp()] {
        let claims = format!(r#"{{"iat":1790000000,"exp":{at}}}"#);
        assert_eq!(shown(&jwt(HS256, &claims, "llave")), Err(Unverified::OutOfTime), "{claims}");
    }
}

#[test]
fn a_token_of_evolution_has_three_parts() {
    let right = jwt(HS256, &claims(0, 600), "llave");
    let (signed, tag) = right.rsplit_once('.').unwrap();
    let wrong = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{signed}."),
        format!("{signed}.{tag}="),
        format!("{signed}.{tag}AA"),
        tag.to_owned(),
        format!("{right}.{tag}"),
        format!(" {right}"),
        "a".repeat(1_000_000),
    ];
    for token in &wrong {
        let why = shown(token).unwrap_err();
        assert!(matches!(why, Unverified::Malformed | Unverified::Mismatch), "{why}");
    }
    let bare = evolution(&headers(&[("Authorization", &right)]), &EvolutionProof::Jwt(secrets(&["llave"])), now());
    assert_eq!(bare, Err(Unverified::Malformed));
}

#[test]
fn a_secret_is_not_shown() {
    let proof = EvolutionProof::Jwt(secrets(&["llave-secreta"]));
    assert_eq!(format!("{proof:?}"), "Jwt([HookSecret([redacted])])");
}
