//! Who may ask. The server listens on loopback only, but every page a browser shows can make it send
//! requests there: a name that was rebound to 127.0.0.1, or a form of a foreign page. Both are
//! refused, and no answer may be kept, framed or run as script.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use staff_api::Problem;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";
/// For the page that lets a browser be told: the scripts of this server, nobody else's.
pub(crate) const SCRIPT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; \
                                        script-src 'self'; connect-src 'self'; worker-src 'self'; \
                                        frame-ancestors 'none'; base-uri 'none'";
/// For a page that stands in a frame of ours.
pub(crate) const FRAME_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
                                       frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
/// For a mail shown in a frame: its own styles, nothing fetched, nothing run; its links open beside it.
pub(crate) const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Refuses what does not come from here, and adds the headers.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let refusal = refusal(request.method(), request.uri().path(), request.headers());
    let mut response = match refusal {
        Some(why) => Problem::new(StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        // A mail brings its own policy.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refusal(method: &Method, path: &str, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(host) = text(header::HOST).filter(|host| is_local(host)) else {
        return Some("only requests to localhost or 127.0.0.1 are answered");
    };
    if method.is_safe() || is_open(path) {
        return None;
    }
    let foreign_origin = text(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    let foreign_site =
        text(HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin" && site != "none");
    (foreign_origin || foreign_site).then_some("requests of other pages are refused")
}

/// What proves itself by a signature, not by where it comes from: the hooks, which no browser calls, and
/// patients' pages, which show no referrer and so send `Origin: null` with their forms.
fn is_open(path: &str) -> bool {
    path.starts_with("/hooks/") || path.starts_with("/l/")
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_local_names_are_answered() {
        for host in ["localhost", "localhost:8787", "127.0.0.1:1", "LOCALHOST:80"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:",
            "localhost:8787:1",
            "0.0.0.0",
        ] {
            assert!(!is_local(host), "{host}");
        }
        assert!(refusal(&Method::GET, "/", &headers(&[])).is_some(), "no host is no local host");
    }

    #[test]
    fn forms_of_other_pages_are_refused() {
        let post = |pairs: &[(&'static str, &'static str)]| {
            let mut all = headers(pairs);
            all.insert(header::HOST, "127.0.0.1:8787".parse().unwrap());
            refusal(&Method::POST, "/c/aurora/advance", &all)
        };
        assert_eq!(post(&[]), None, "a command sends no origin");
        assert_eq!(post(&[("origin", "http://127.0.0.1:8787"), ("sec-fetch-site", "same-origin")]), None);
        for origin in
            ["null", "http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8787", "http://localhost:8787"]
        {
            let origin = HeaderValue::from_static(origin);
            let mut all = headers(&[("host", "127.0.0.1:8787")]);
            all.insert(header::ORIGIN, origin.clone());
            assert!(refusal(&Method::POST, "/c/aurora/advance", &all).is_some(), "{origin:?}");
            assert!(refusal(&Method::GET, "/", &all).is_none());
            for open in ["/hooks/meta/sandbox", "/l/token"] {
                assert!(refusal(&Method::POST, open, &all).is_none(), "{open}");
            }
        }
        assert!(post(&[("sec-fetch-site", "cross-site")]).is_some());
        assert!(post(&[("sec-fetch-site", "same-site")]).is_some());
    }
}
