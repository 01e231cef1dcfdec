//! The HTML part of an email: paragraphs and links that a screen reader reads well, nothing more.

use super::text::{Part, Text};
use super::values::Values;
use super::variable::Variable;
use crate::catalogue::Catalogue;
use crate::language::Language;

/// The whole document. Everything from template and values is escaped; blank lines part
/// paragraphs; only the two link variables become anchors, and only when they are web addresses.
pub(super) fn document(language: Language, title: &str, body: &Text, values: &Values) -> String {
    let paragraphs: String = paragraphs(language, body, values)
        .iter()
        .map(|paragraph| format!("<p style=\"margin:0 0 1em\">{paragraph}</p>\n"))
        .collect();
    format!(
        "<!doctype html>\n\
         <html lang=\"{lang}\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n\
         </head>\n\
         <body style=\"margin:0;padding:24px;background:#ffffff;color:#1f2933;\
         font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif\">\n\
         <main style=\"max-width:36em;margin:0 auto\">\n\
         {paragraphs}\
         </main>\n\
         </body>\n\
         </html>\n",
        lang = language.tag(),
        title = escape(title),
    )
}

fn paragraphs(language: Language, body: &Text, values: &Values) -> Vec<String> {
    let mut done = Vec::new();
    let mut current = String::new();
    for part in body.parts() {
        match part {
            Part::Literal(words) => {
                for (index, piece) in words.split("\n\n").enumerate() {
                    if index > 0 {
                        done.push(std::mem::take(&mut current));
                    }
                    current.push_str(&escape(piece).replace('\n', "<br>\n"));
                }
            }
            Part::Variable(variable) => {
                let value = values.get(*variable).unwrap_or_default();
                current.push_str(&value_html(language, *variable, value));
            }
        }
    }
    done.push(current);
    done.retain(|paragraph| !paragraph.replace("<br>", "").trim().is_empty());
    done
}

fn value_html(language: Language, variable: Variable, value: &str) -> String {
    let is_web_address = value.starts_with("https://") || value.starts_with("http://");
    if !(variable.is_link() && is_web_address) {
        return escape(value);
    }
    // A link that says where it leads is better to hear than a signed address read out.
    let label = Catalogue::embedded().link_label(language, variable).unwrap_or(value);
    format!("<a href=\"{}\" style=\"color:#0b5cad\">{}</a>", escape(value), escape(label))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
