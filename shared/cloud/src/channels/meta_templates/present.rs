//! Templates as Meta lists them (`GET /{account}/message_templates`).

use retorno_domain::approval::TemplateStatus;
use serde::Deserialize;

/// Where Meta's word says that a template stands. A word that this version does not know is taken for
/// one that stops it.
fn status(word: &str, reason: &str) -> TemplateStatus {
    match word {
        "APPROVED" => TemplateStatus::Approved,
        "PENDING" | "IN_APPEAL" => TemplateStatus::Pending,
        "REJECTED" => TemplateStatus::Rejected { reason: reason.to_owned() },
        "PAUSED" => TemplateStatus::Paused { until: None },
        "DELETED" | "PENDING_DELETION" => TemplateStatus::Deleted,
        _ => TemplateStatus::Disabled,
    }
}

/// A template of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentTemplate {
    /// Meta's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Meta's code of its language, as in `es_AR`.
    pub language: String,
    /// Where it stands.
    pub status: TemplateStatus,
    /// `MARKETING`, `UTILITY`, ….
    pub category: String,
    /// The body's text.
    pub body: String,
    /// Labels of its quick-reply buttons.
    pub buttons: Vec<String>,
}

/// A page of the list.
#[derive(Deserialize)]
pub(super) struct Page {
    data: Vec<Entry>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    name: String,
    language: String,
    status: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    rejected_reason: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
struct Button {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

impl Page {
    /// The page's templates, and the cursor of the next page if there is one. The address that Meta
    /// gives for it is not used: it has the token in it.
    pub(super) fn read(self) -> (Vec<PresentTemplate>, Option<String>) {
        let next = self.paging.filter(|paging| paging.next.is_some());
        let after = next.and_then(|paging| paging.cursors).and_then(|cursors| cursors.after);
        (self.data.into_iter().map(Entry::read).collect(), after.filter(|after| !after.is_empty()))
    }
}

impl Entry {
    fn read(self) -> PresentTemplate {
        let (mut body, mut buttons) = (String::new(), Vec::new());
        for component in self.components {
            match component.kind.as_str() {
                "BODY" => body = component.text,
                "BUTTONS" => {
                    let replies = component.buttons.into_iter().filter(|button| button.kind == "QUICK_REPLY");
                    buttons.extend(replies.map(|button| button.text));
                }
                _ => {}
            }
        }
        PresentTemplate {
            id: self.id,
            name: self.name,
            language: self.language,
            status: status(&self.status, &self.rejected_reason.unwrap_or_default()),
            category: self.category,
            body,
            buttons,
        }
    }
}
