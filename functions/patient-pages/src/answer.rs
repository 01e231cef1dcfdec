//! What is answered: a page that may not be kept, framed, indexed or scripted from elsewhere.

use std::fmt;

use maud::Markup;

/// Nothing from elsewhere, nothing that runs; forms go back to where they came from.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";
/// The same for a page with the button that asks for notifications: the two scripts beside it, which fetch
/// nothing.
const SCRIPT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; worker-src 'self'; \
                             form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const SCRIPT: &str = include_str!("../scripts/push.js");
const WORKER: &str = include_str!("../scripts/sw.js");
const STYLE: &str = include_str!("../texts/style.css");

/// On every answer. `no-referrer`: the address of a page holds a token.
const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex, nofollow"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000"),
];

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub struct PageAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Names in small letters, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in UTF-8.
    pub body: String,
}

impl fmt::Debug for PageAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold what a person wrote, and a redirection a token.
        f.debug_struct("PageAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl PageAnswer {
    fn new(status: u16, media_type: &str, kept: &str, body: String) -> Self {
        let mut headers: Vec<_> = HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.push(("cache-control", kept.to_owned()));
        headers.push(("content-type", media_type.to_owned()));
        Self { status, headers, body }
    }

    pub(crate) fn page(status: u16, page: Markup) -> Self {
        Self::new(status, "text/html; charset=utf-8", "no-store", page.into_string())
    }

    pub(crate) fn style() -> Self {
        Self::new(200, "text/css; charset=utf-8", "public, max-age=3600", STYLE.to_owned())
    }

    /// What asks a browser for notifications.
    pub(crate) fn script() -> Self {
        Self::new(200, "text/javascript; charset=utf-8", "no-cache", SCRIPT.to_owned())
    }

    /// What shows them.
    pub(crate) fn worker() -> Self {
        Self::new(200, "text/javascript; charset=utf-8", "no-cache", WORKER.to_owned())
    }

    /// Lets the page run our script.
    pub(crate) fn with_script(mut self, needed: bool) -> Self {
        if let Some((_, policy)) =
            self.headers.iter_mut().find(|(name, _)| needed && *name == "content-security-policy")
        {
            SCRIPT_POLICY.clone_into(policy);
        }
        self
    }

    pub(crate) fn text(body: &str) -> Self {
        Self::new(200, "text/plain; charset=utf-8", "no-store", body.to_owned())
    }

    pub(crate) fn calendar(media_type: &str, file_name: &str, file: String) -> Self {
        let mut answer = Self::new(200, media_type, "no-store", file);
        answer.headers.push(("content-disposition", format!("attachment; filename=\"{file_name}\"")));
        answer
    }

    /// To another page beside this one, after something was done: loading it again does nothing.
    pub(crate) fn see(beside: &str) -> Self {
        let mut answer = Self::new(303, "text/plain; charset=utf-8", "no-store", String::new());
        answer.headers.push(("location", beside.to_owned()));
        answer
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without_body(mut self) -> Self {
        self.body = String::new();
        self
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }
}
