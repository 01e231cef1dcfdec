//! How the conversation with a patient stands, and what was said in it.

use chrono::{DateTime, Utc};
use retorno_domain::conversation::{OfferedSlot, Open, Question, Thread, Urgency};
use retorno_domain::ids::{AppointmentId, PatientId};

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, patient_of_pk};
use super::stranger::StrangerWord;
use crate::error::{CloudError, sort};

/// A conversation as stored, with the version that a later write must still find.
#[derive(Debug, Clone, Default)]
pub struct StoredThread {
    /// The conversation.
    pub thread: Thread,
    /// Rises with each write; 0 when nothing is stored.
    pub version: u64,
}

/// A conversation that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// With whom.
    pub patient: PatientId,
    /// Why, since when and how soon.
    pub open: Open,
}

/// One thing that a patient said, as staff reads it.
#[derive(Clone)]
pub struct HeardLine {
    /// When.
    pub at: DateTime<Utc>,
    /// By which channel.
    pub channel: String,
    /// What was written, or what stands for it (`[image]`).
    pub text: String,
    /// How it was understood.
    pub intent: String,
    /// Whether that was beyond doubt.
    pub sure: bool,
}

impl std::fmt::Debug for HeardLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeardLine").field("at", &self.at).field("intent", &self.intent).finish_non_exhaustive()
    }
}

pub(super) fn thread_of(item: &Item) -> Result<StoredThread, CloudError> {
    let reader = Reader { kind: "conversation", item };
    let visit = |name| match reader.text_opt(name) {
        Some(text) => AppointmentId::parse(text).map(Some).map_err(|_| reader.corrupt(name)),
        None => Ok(None),
    };
    let asked = match reader.text_opt("asked") {
        Some("slots") => {
            let slots = reader.text("slots")?.lines();
            let slots = slots.map(|line| OfferedSlot { reference: line.to_owned() }).collect();
            Some((Question::Slots { slots, moving: visit("visit")? }, reader.instant("asked_at")?))
        }
        Some("confirm") => {
            let visit = visit("visit")?.ok_or_else(|| reader.corrupt("visit"))?;
            Some((Question::Confirm(visit), reader.instant("asked_at")?))
        }
        Some(_) => return Err(reader.corrupt("asked")),
        None => None,
    };
    let open = match reader.text_opt("why") {
        Some(reason) => Some(Open {
            since: reader.instant("since")?,
            reason: reason.to_owned(),
            urgency: reader.parse("urgency", Urgency::of_code)?,
        }),
        None => None,
    };
    let thread = Thread {
        heard_at: reader.instant_opt("heard")?,
        heard_from: reader.text_opt("heard_from").map(str::to_owned),
        asked,
        settled_at: reader.instant_opt("settled")?,
        open,
    };
    Ok(StoredThread { thread, version: reader.number("ver")? })
}

/// The item of a conversation. One that waits for a person is listed, the most urgent first, then
/// the longest waiting.
pub(super) fn thread_item(keys: &Keys<'_>, patient: &PatientId, thread: &Thread, version: u64) -> Item {
    let mut item = keys.conversation(patient).item();
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("ver", n(version));
    if let Some(at) = thread.heard_at {
        put("heard", ms(at));
    }
    if let Some(from) = &thread.heard_from {
        put("heard_from", s(from.clone()));
    }
    if let Some(at) = thread.settled_at {
        put("settled", ms(at));
    }
    if let Some((question, at)) = &thread.asked {
        put("asked_at", ms(*at));
        match question {
            Question::Slots { slots, moving } => {
                put("asked", s("slots"));
                let references: Vec<&str> = slots.iter().map(|slot| slot.reference.as_str()).collect();
                put("slots", s(references.join("\n")));
                if let Some(visit) = moving {
                    put("visit", s(visit.as_str()));
                }
            }
            Question::Confirm(visit) => {
                put("asked", s("confirm"));
                put("visit", s(visit.as_str()));
            }
        }
    }
    if let Some(open) = &thread.open {
        put("why", s(open.reason.clone()));
        put("since", ms(open.since));
        put("urgency", s(open.urgency.code()));
        put("g1pk", s(keys.inbox_pk()));
        put("g1sk", s(format!("{}#{:015}", place(open.urgency), open.since.timestamp_millis())));
    }
    item
}

fn place(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Urgent => 0,
        Urgency::High => 1,
        Urgency::Normal => 2,
    }
}

/// The item of something heard; its key is of the event, so that it is kept once.
pub(super) fn heard_item(keys: &Keys<'_>, patient: &PatientId, event: &str, line: &HeardLine) -> Item {
    let mut item = keys.heard(patient, line.at, event).item();
    let fields = [
        ("at", ms(line.at)),
        ("channel", s(line.channel.clone())),
        ("text", s(line.text.clone())),
        ("intent", s(line.intent.clone())),
        ("sure", aws_sdk_dynamodb::types::AttributeValue::Bool(line.sure)),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

pub(super) fn heard_of(item: &Item) -> Result<HeardLine, CloudError> {
    let reader = Reader { kind: "heard", item };
    Ok(HeardLine {
        at: reader.instant("at")?,
        channel: reader.text("channel")?.to_owned(),
        text: reader.text("text")?.to_owned(),
        intent: reader.text("intent")?.to_owned(),
        sure: reader.flag("sure"),
    })
}

impl TenantStore {
    /// Conversations that wait for a person, the most urgent first. Eventually consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn inbox(&self) -> Result<Vec<Waiting>, CloudError> {
        let listed = self.query_index("g1", Keys(&self.clinic).inbox_pk(), None, None).await?;
        let keys = listed.iter().filter_map(|item| {
            let key = |name: &str| item.get(name).cloned().map(|value| (name.to_owned(), value));
            Some(Item::from([key("pk")?, key("sk")?]))
        });
        let keys: Vec<Item> = keys.collect();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(100) {
            for item in self.batch_get("BatchGetItem inbox", chunk.to_vec(), true).await? {
                let reader = Reader { kind: "conversation", item: &item };
                let patient = reader.parse("pk", patient_of_pk)?;
                if let Some(open) = thread_of(&item)?.thread.open {
                    found.push(Waiting { patient, open });
                }
            }
        }
        found.sort_by(|a, b| {
            (place(a.open.urgency), a.open.since, &a.patient).cmp(&(place(b.open.urgency), b.open.since, &b.patient))
        });
        Ok(found)
    }

    /// Keeps words as a patient's, under the event that brought them. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_heard(&self, patient: &PatientId, word: &StrangerWord) -> Result<(), CloudError> {
        let item = heard_item(&Keys(&self.clinic), patient, &word.event, &word.line());
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem heard", &e))
    }

    /// What a patient said, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn heard(&self, patient: &PatientId) -> Result<Vec<HeardLine>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).patient_pk(patient), Some("I#")).await?;
        items.iter().map(heard_of).collect()
    }

    /// The conversation with a patient, strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn thread(&self, patient: &PatientId) -> Result<StoredThread, CloudError> {
        let call = self.client().get_item().table_name(self.table()).consistent_read(true);
        let call = call.set_key(Some(Keys(&self.clinic).conversation(patient).item()));
        let answer = call.send().await.map_err(|e| sort("GetItem conversation", &e))?;
        answer.item.as_ref().map_or_else(|| Ok(StoredThread::default()), thread_of)
    }
}
