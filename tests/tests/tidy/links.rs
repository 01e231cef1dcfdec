//! Every relative link of a Markdown file leads to something in this repository, and to a heading
//! where it names one.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::finds;
use crate::tree::File;

/// Links that lead nowhere.
pub(crate) fn broken_links(files: &[File]) -> Vec<String> {
    let paths = paths(files);
    let documents = files.iter().filter(|file| file.has_extension("md"));
    let pages: BTreeMap<&str, Page> =
        documents.map(|file| (file.path.as_str(), read(file.text.as_deref().unwrap_or_default()))).collect();
    let mut findings = Vec::new();
    for (document, page) in &pages {
        for (line, link) in page.links.iter().filter(|(_, link)| is_relative(link)) {
            if let Some(problem) = problem(document, link, &paths, &pages) {
                findings.push(format!("{document}:{line}: the link `{link}` {problem}"));
            }
        }
    }
    findings
}

/// What a Markdown file holds.
#[derive(Default)]
struct Page {
    /// Targets, each with its line, from 1.
    links: Vec<(usize, String)>,
    /// Names of its headings, as a link would give them.
    anchors: BTreeSet<String>,
}

/// Every file and every folder that has one.
fn paths(files: &[File]) -> BTreeSet<&str> {
    let mut paths = BTreeSet::from([""]);
    for file in files {
        paths.insert(&file.path);
        paths.extend(file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)));
    }
    paths
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the many kinds of event few carry a link or a heading")]
fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = || 1 + text.bytes().take(range.start).filter(|byte| *byte == b'\n').count();
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push((line(), dest_url.into_string()));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                page.links.extend(html_links(&html).into_iter().map(|link| (line(), link)));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(words) = heading.take() {
                    let anchor = anchor(&words, &page.anchors);
                    page.anchors.insert(anchor);
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    page
}

/// The targets in a piece of HTML.
fn html_links(html: &str) -> Vec<String> {
    let after = |attribute: &str| {
        let pieces: Vec<&str> = html.split(attribute).skip(1).collect();
        pieces.into_iter().filter_map(|piece| piece.split('"').next()).map(str::to_owned).collect::<Vec<_>>()
    };
    [after(" href=\""), after(" src=\"")].concat()
}

/// A heading's name: lower case, spaces as hyphens, without punctuation, numbered when repeated.
fn anchor(heading: &str, taken: &BTreeSet<String>) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    let name: String = kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect();
    let mut numbered = (1..).map(|number| format!("{name}-{number}"));
    if taken.contains(&name) { numbered.find(|next| !taken.contains(next)).unwrap_or(name) } else { name }
}

/// Whether a link leads within this repository.
fn is_relative(link: &str) -> bool {
    !link.contains("://") && !["mailto:", "tel:"].iter().any(|scheme| link.starts_with(scheme))
}

fn problem(document: &str, link: &str, paths: &BTreeSet<&str>, pages: &BTreeMap<&str, Page>) -> Option<String> {
    let (target, anchor) = link.split_once('#').map_or((link, None), |(target, anchor)| (target, Some(anchor)));
    if target.starts_with('/') {
        return Some("starts at a root that differs from reader to reader; make it relative to its file".to_owned());
    }
    let resolved = if target.is_empty() { Some(document.to_owned()) } else { resolve(document, target) };
    let Some(resolved) = resolved else {
        return Some("leads out of the repository; say what is there instead".to_owned());
    };
    if !paths.contains(resolved.as_str()) {
        return Some(format!("leads to {resolved}, which is not there; mend the link or add the file"));
    }
    let page = pages.get(resolved.as_str())?;
    let anchor = anchor?;
    (!page.anchors.contains(anchor))
        .then(|| format!("names no heading of {resolved}; its headings: {:?}", page.anchors))
}

/// The path a target names, from the root; nothing when it leads out of it.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn a_broken_link_is_found() {
    let readme = "# Top\n\n[good](docs/a.md) [there](docs/) [self](#top) [web](https://example.org/x) ![img](docs/no.png)\n\
                  [heading](docs/a.md#a-b-c) [no heading](docs/a.md#d) `[code](no.md)`\n\n```\n[fence](no.md)\n```\n\n\
                  [by name][n] <img src=\"docs/p.png\"> <a href=\"no.html\">x</a>\n\n[n]: ../outside.md\n";
    let files = [
        File::of("README.md", readme),
        File::of(
            "docs/a.md",
            "# A: `b` c\n\n[up](../README.md#top) [root](/README.md) [again](#twice-1)\n\n# Twice\n# Twice\n",
        ),
        File::of("docs/p.png", ""),
    ];
    let expected = [
        "README.md:3: the link `docs/no.png` leads to docs/no.png",
        "README.md:4: the link `docs/a.md#d` names no heading",
        "README.md:10: the link `../outside.md` leads out",
        "README.md:10: the link `no.html` leads to no.html",
        "docs/a.md:3: the link `/README.md` starts at a root",
    ];
    finds(&broken_links(&files), &expected);
}
