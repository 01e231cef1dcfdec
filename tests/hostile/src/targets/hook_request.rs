//! A request to a hook by somebody who has no secret.

use inbound_webhook::hook::{Entry, HookRequest, HookSecrets, MetaApp, Received, receive};
use inbound_webhook::verify::{EvolutionProof, HookSecret};

use super::meta_webhook::now;
use crate::pieces::Pieces;

const TOKEN: &str = "la-ficha-de-la-instancia";
const METHODS: [&str; 3] = ["POST", "GET", "PUT"];
const PATHS: [&str; 6] =
    ["/hooks/meta/app", "/hooks/waha/uno", "/hooks/evolution/uno", "/hooks/evolution/dos", "/hooks/sns", ""];
const HEADERS: [&str; 5] =
    ["X-Hub-Signature-256", "X-Webhook-Hmac", "X-Webhook-Hmac-Algorithm", "X-Retorno-Hook-Token", "Authorization"];

/// Method, path, headers and query parameters, and the body.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let method = pieces.one_of(&METHODS).to_owned();
    let known = pieces.one_of(&PATHS);
    let path = if known.is_empty() { pieces.text().into_owned() } else { known.to_owned() };
    let is_base64 = pieces.byte() & 1 == 1;
    let count = pieces.byte() % 4;
    let headers = (0..count).map(|_| (pieces.one_of(&HEADERS).to_owned(), pieces.text().into_owned())).collect();
    let query: Vec<(String, String)> = ["hub.mode", "hub.verify_token", "hub.challenge"]
        .into_iter()
        .map(|name| (name.to_owned(), pieces.text().into_owned()))
        .collect();
    let request = HookRequest { method, path, query, headers, body: pieces.rest().to_vec(), is_base64 };
    let holds = |name: &str, value: &str| request.headers.iter().any(|header| header.0 == name && header.1 == value);
    let has_token = holds("X-Retorno-Hook-Token", TOKEN);
    let asks_with_token = request.query.iter().any(|(name, value)| name == "hub.verify_token" && value == TOKEN);
    let entry = Entry::of(&request.path);
    match receive(request, &secrets(), now()) {
        Received::Refused(answer, _) => assert!((400..500).contains(&answer.status) && answer.body.is_empty()),
        Received::Answer(answer) => {
            assert!(asks_with_token && answer.content_type.starts_with("text/plain"), "an answer for nobody");
            assert!(answer.body.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "not a word");
        }
        Received::Verified(_) | Received::Partly(..) | Received::Unreadable(_) => {
            assert!(has_token, "taken up without a secret")
        }
        Received::NeedsCertificate(_) => assert_eq!(entry, Some(Entry::Sns)),
        Received::Confirm(_) => unreachable!("nothing was proven"),
    }
}

fn secrets() -> HookSecrets {
    let secret = |text: &str| HookSecret::new(text).into_iter().collect::<Vec<_>>();
    let app =
        MetaApp { secrets: secret("una-clave-que-nadie-conoce"), verify_tokens: secret(TOKEN), ..MetaApp::default() };
    HookSecrets {
        meta: [("app".to_owned(), app)].into(),
        waha: [("uno".to_owned(), secret("otra-clave-que-nadie-conoce"))].into(),
        evolution: [
            ("uno".to_owned(), EvolutionProof::Token(secret(TOKEN))),
            ("dos".to_owned(), EvolutionProof::Jwt(secret("una-clave-que-nadie-conoce"))),
        ]
        .into(),
        topics: vec!["arn:aws:sns:sa-east-1:123456789012:correo".to_owned()],
    }
}
