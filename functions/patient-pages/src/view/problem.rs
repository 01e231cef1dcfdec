//! What stands in the way, and what to do about it.

use maud::{Markup, html};

use super::Shown;

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The link worked until some time ago.
    Expired,
    /// The link is ours, but what it names is gone.
    Unused,
    /// The link is not ours.
    Invalid,
    /// There is no such page.
    Missing,
    /// The page cannot be asked for like that.
    Method,
    /// More than a page takes.
    Large,
    /// We failed.
    Busy,
}

impl Trouble {
    /// The HTTP status.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Expired | Self::Unused => 410,
            Self::Invalid | Self::Missing => 404,
            Self::Method => 405,
            Self::Large => 413,
            Self::Busy => 503,
        }
    }

    /// The page.
    pub(crate) fn page(self, shown: &Shown<'_>) -> Markup {
        let texts = &shown.texts.problem;
        let (title, lead) = match self {
            Self::Expired => (&texts.expired_title, &texts.expired),
            Self::Unused => (&texts.unused_title, &texts.unused),
            Self::Invalid => (&texts.invalid_title, &texts.invalid),
            Self::Missing => (&texts.missing_title, &texts.missing),
            Self::Method => (&texts.method_title, &texts.method),
            Self::Large => (&texts.large_title, &texts.large),
            Self::Busy => (&texts.busy_title, &texts.busy),
        };
        shown.page(title, &html! { h1 { (title) } p { (lead) } })
    }
}
