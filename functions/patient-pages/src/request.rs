//! What is asked: a path with a token, and what a form says. Total on any bytes.

use std::fmt;

use retorno_cloud::links::LinkPurpose;

/// Bytes of a form, at most. The longest honest one is a survey's comment.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Fields of a form that are looked at, at most.
const FIELDS_MAX: usize = 64;
/// Where all pages live.
const FOLDER: &str = "/l/";

/// A request as it came, with the headers that matter to a page (others may be given; they are not
/// read).
#[derive(Clone, Default)]
pub struct PageRequest {
    /// `GET`, `HEAD`, `POST` …
    pub method: String,
    /// The path, with or without what stands before `/l/`.
    pub path: String,
    /// What stands behind the question mark; may be empty.
    pub query: String,
    /// Names in any case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, not encoded in any way.
    pub body: Vec<u8>,
}

impl fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path holds a token, the body what a person wrote.
        f.debug_struct("PageRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// How a page may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
}

/// What the path names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The page of a link.
    Page(&'a str),
    /// The calendar file of an appointment's link.
    Calendar(&'a str),
    /// The stylesheet.
    Style,
    /// The script that asks for notifications.
    Script,
    /// The service worker that shows them.
    Worker,
    /// What crawlers ask first.
    Robots,
    /// Nothing of ours.
    Nowhere,
}

impl PageRequest {
    pub(crate) fn verb(&self) -> Option<Verb> {
        match self.method.as_str() {
            "GET" => Some(Verb::Get),
            "HEAD" => Some(Verb::Head),
            "POST" => Some(Verb::Post),
            _ => None,
        }
    }

    pub(crate) fn place(&self) -> Place<'_> {
        if self.path.ends_with("/robots.txt") {
            return Place::Robots;
        }
        let Some((_, name)) = self.path.split_once(FOLDER) else { return Place::Nowhere };
        // Neither a slash nor a dot can be part of a token.
        match name.split_once('.') {
            _ if name.is_empty() || name.contains('/') => Place::Nowhere,
            None => Place::Page(name),
            Some(("style", "css")) => Place::Style,
            Some(("push", "js")) => Place::Script,
            Some(("sw", "js")) => Place::Worker,
            Some((token, "ics")) => Place::Calendar(token),
            Some(_) => Place::Nowhere,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether a person opened this, as far as the headers tell: not a browser or mail program that
    /// looks ahead.
    pub(crate) fn is_opened_by_somebody(&self) -> bool {
        let ahead = |name| {
            let value = self.header(name).to_ascii_lowercase();
            value.contains("prefetch") || value.contains("prerender") || value.contains("preview")
        };
        self.verb() == Some(Verb::Get) && !["purpose", "sec-purpose", "x-purpose", "x-moz"].into_iter().any(ahead)
    }

    pub(crate) fn query(&self) -> Form {
        Form::read(self.query.as_bytes())
    }

    pub(crate) fn form(&self) -> Form {
        Form::read(&self.body)
    }

    /// Whether a mail program unsubscribes for its user (RFC 8058), in either encoding of a form.
    pub(crate) fn is_one_click(&self) -> bool {
        let field = |name: &[u8]| self.body.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name));
        field(b"List-Unsubscribe") && field(b"One-Click")
    }
}

/// The fields of a form: values without surrounding blanks and control characters. Fields that
/// nobody asks for are ignored.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    fn read(bytes: &[u8]) -> Self {
        let clean = |value: &str| {
            let kept = value.replace("\r\n", "\n").replace('\r', "\n");
            kept.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>().trim().to_owned()
        };
        let fields = form_urlencoded::parse(bytes).take(FIELDS_MAX);
        Self(fields.map(|(name, value)| (name.into_owned(), clean(&value))).collect())
    }

    /// The first value of a field; empty when there is none.
    pub(crate) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The same, in characters at most.
    pub(crate) fn cut(&self, name: &str, chars_max: usize) -> String {
        self.one(name).chars().take(chars_max).collect()
    }
}

/// The longest body a page of that purpose takes.
pub(crate) fn is_too_large(purpose: LinkPurpose, body: &[u8]) -> bool {
    // Whoever wants no more messages is heard whatever else the request says.
    purpose != LinkPurpose::Unsubscribe && body.len() > BODY_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(method: &str, path: &str, headers: &[(&str, &str)]) -> PageRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        PageRequest { method: method.to_owned(), path: path.to_owned(), headers, ..PageRequest::default() }
    }

    #[test]
    fn a_path_names_a_page_a_file_or_nothing() {
        let place = |path: &str| match of("GET", path, &[]).place() {
            Place::Page(token) => format!("page {token}"),
            Place::Calendar(token) => format!("calendar {token}"),
            Place::Style => "style".to_owned(),
            Place::Script => "script".to_owned(),
            Place::Worker => "worker".to_owned(),
            Place::Robots => "robots".to_owned(),
            Place::Nowhere => "nowhere".to_owned(),
        };
        assert_eq!(place("/l/abc-_9"), "page abc-_9");
        assert_eq!(place("/stage/l/abc.ics"), "calendar abc");
        assert_eq!(place("/l/style.css"), "style");
        assert_eq!((place("/l/push.js"), place("/stage/l/sw.js")), ("script".to_owned(), "worker".to_owned()));
        assert_eq!(place("/robots.txt"), "robots");
        for path in ["", "/", "/l/", "/l", "/l/a/b", "/l/a.css", "/l/a.js", "/x/abc", "/l/a.b.ics", "l/abc"] {
            assert_eq!(place(path), "nowhere", "{path}");
        }
    }

    #[test]
    fn looking_ahead_is_not_opening() {
        assert!(of("GET", "/l/x", &[("user-agent", "Mozilla")]).is_opened_by_somebody());
        for header in [("Purpose", "prefetch"), ("SEC-PURPOSE", "prefetch;prerender"), ("X-Purpose", "preview")] {
            assert!(!of("GET", "/l/x", &[header]).is_opened_by_somebody(), "{header:?}");
        }
        assert!(!of("HEAD", "/l/x", &[]).is_opened_by_somebody());
        assert!(!of("POST", "/l/x", &[]).is_opened_by_somebody());
    }

    #[test]
    fn one_click_is_heard_in_both_encodings() {
        let body = |text: &str| PageRequest { body: text.as_bytes().to_vec(), ..PageRequest::default() };
        assert!(body("List-Unsubscribe=One-Click").is_one_click());
        let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        assert!(body(parts).is_one_click());
        assert!(!body("do=stop").is_one_click() && !body("").is_one_click());
    }

    #[test]
    fn nothing_of_a_request_is_shown_in_a_log() {
        let request = PageRequest { body: b"name=Ana".to_vec(), ..of("POST", "/l/secret", &[("cookie", "x")]) };
        assert_eq!(format!("{request:?}"), "PageRequest { method: \"POST\", .. }");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form(bytes in prop::collection::vec(any::<u8>(), 0..2_000), path in "\\PC{0,60}") {
            let form = Form::read(&bytes);
            prop_assert!(form.0.len() <= FIELDS_MAX);
            prop_assert!(form.0.iter().all(|(_, value)| value.chars().all(|c| c == '\n' || !c.is_control())));
            let request = PageRequest { body: bytes, path, ..PageRequest::default() };
            let _ = (request.place() == Place::Style, request.is_one_click());
        }
    }
}
