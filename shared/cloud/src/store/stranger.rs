//! People who are not on record: what they wrote, by number, and what staff did about it. Everything
//! of a clinic stands in one partition, so that one Query brings it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::{Channel, Purpose, PurposeSet};
use retorno_domain::contact::E164;
use retorno_domain::conversation::{Thread, Urgency, unanswered};
use retorno_domain::ids::PatientId;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, STRANGER_ANSWER_SK, STRANGER_HEAD_SK};
use super::stranger_answer::StrangerAnswer;
use super::thread::HeardLine;
use crate::error::{CloudError, sort};

/// How long the words of somebody unknown are kept, what they were answered and what was done.
pub(super) const STRANGERS_KEPT: TimeDelta = TimeDelta::days(90);

/// What somebody whom nobody knows wrote.
#[derive(Clone)]
pub struct Stranger {
    /// When.
    pub at: DateTime<Utc>,
    /// The phone as digits, when it was shown.
    pub phone: Option<String>,
    /// The messenger's own id of the person, when only that was shown.
    pub user: Option<String>,
    /// By which channel.
    pub channel: Channel,
    /// What was written.
    pub text: String,
    /// How it was understood.
    pub intent: String,
    /// Whether that was beyond doubt.
    pub sure: bool,
    /// What it stopped at the contact point.
    pub stopped: PurposeSet,
}

impl std::fmt::Debug for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stranger").field("at", &self.at).field("intent", &self.intent).finish_non_exhaustive()
    }
}

/// Words of a stranger as stored.
#[derive(Debug, Clone)]
pub struct StrangerWord {
    /// The hash of the event that brought them.
    pub event: String,
    /// Whose: one id for a number in all its spellings, which tells nobody the number.
    pub who: String,
    /// When we took them in.
    pub kept_at: DateTime<Utc>,
    /// The words.
    pub said: Stranger,
}

impl StrangerWord {
    /// As a line of a patient's conversation.
    #[must_use]
    pub fn line(&self) -> HeardLine {
        let said = &self.said;
        HeardLine {
            at: said.at,
            channel: said.channel.code().to_owned(),
            text: said.text.clone(),
            intent: said.intent.clone(),
            sure: said.sure,
        }
    }

    /// Whether they ask to be written to: the words of the clinic's code, or as clear ones.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.said.intent == "opt_in" && self.said.sure
    }
}

/// What staff did about a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StrangerHead {
    /// Rises with each attaching and taking back.
    pub version: u64,
    /// Set aside is what was taken in until then.
    pub dismissed_at: Option<DateTime<Utc>>,
    /// It is this patient's, with what was taken in until then.
    pub patient: Option<(PatientId, DateTime<Utc>)>,
}

/// Everything of one number.
#[derive(Debug, Clone)]
pub struct StrangerGroup {
    /// Its id.
    pub who: String,
    /// The number, where it was shown and is one.
    pub phone: Option<E164>,
    /// The words, oldest first; never none.
    pub words: Vec<StrangerWord>,
    /// What staff answered, oldest first.
    pub answers: Vec<StrangerAnswer>,
    /// What staff did.
    pub head: StrangerHead,
}

impl StrangerGroup {
    /// When the last words were written.
    #[must_use]
    pub fn last_at(&self) -> Option<DateTime<Utc>> {
        self.words.iter().map(|word| word.said.at).max()
    }

    /// When the last words were taken in: what staff does about the number is about these.
    #[must_use]
    pub fn kept_until(&self) -> DateTime<Utc> {
        self.words.iter().map(|word| word.kept_at).max().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Whether staff has set aside, or attached, everything that was written.
    #[must_use]
    pub fn is_dealt_with(&self) -> bool {
        self.words.iter().all(|word| !self.is_new(word))
    }

    /// Whose it is, unless more came since that was not that patient's.
    #[must_use]
    pub fn owner(&self) -> Option<&PatientId> {
        let (patient, at) = self.head.patient.as_ref()?;
        self.words.iter().all(|word| word.kept_at <= *at).then_some(patient)
    }

    /// Whether words came after staff set aside, or attached, what there was.
    #[must_use]
    pub fn is_new(&self, word: &StrangerWord) -> bool {
        let attached = self.head.patient.as_ref().map(|(_, at)| *at);
        self.head.dismissed_at.max(attached).is_none_or(|dealt| word.kept_at > dealt)
    }

    /// Whether a free text may be written on WhatsApp now.
    #[must_use]
    pub fn window_is_open(&self, now: DateTime<Utc>) -> bool {
        let heard_at = self.heard_at();
        Thread { heard_at, ..Thread::default() }.window_is_open(now)
    }

    /// The last word on WhatsApp.
    #[must_use]
    pub fn heard_at(&self) -> Option<DateTime<Utc>> {
        let by_whatsapp = self.words.iter().filter(|word| word.said.channel == Channel::Whatsapp);
        by_whatsapp.map(|word| word.said.at).max()
    }

    /// Why a person must read it, and how soon, by the most urgent of what was not answered.
    #[must_use]
    pub fn waits(&self) -> Option<(&'static str, Urgency)> {
        let answered = self.answers.iter().filter(|answer| answer.is_said()).map(|answer| answer.at).max();
        let open = self.words.iter().filter(|word| self.is_new(word));
        let open = open.filter(|word| answered.is_none_or(|answered| word.said.at > answered));
        open.filter_map(|word| unanswered(&word.said.intent, word.said.sure)).max_by_key(|(_, urgency)| *urgency)
    }
}

impl TenantStore {
    /// The id of whoever writes from a phone, the same in all its spellings. Tells nobody the number.
    #[must_use]
    pub fn stranger_of(&self, phone: &E164) -> String {
        let mut spellings = phone.aliases();
        spellings.sort_unstable();
        self.hash(&format!("stranger#{}", spellings.first().map_or("", String::as_str)))
    }

    /// Keeps the words of somebody unknown, by the event that brought them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_stranger(&self, event: &str, said: &Stranger, now: DateTime<Utc>) -> Result<(), CloudError> {
        let event = self.hash(event);
        let mut item = Keys(&self.clinic).stranger(said.at, &event).item();
        let who = match (phone_of(said.phone.as_deref()), &said.user) {
            (Some(phone), _) => self.stranger_of(&phone),
            (None, Some(user)) => self.hash(&format!("stranger#user#{user}")),
            (None, None) => event,
        };
        let stopped: Vec<&str> = said.stopped.iter().map(Purpose::code).collect();
        let fields = [
            ("at", ms(said.at)),
            ("kept", ms(now)),
            ("who", s(who)),
            ("channel", s(said.channel.code())),
            ("text", s(said.text.clone())),
            ("intent", s(said.intent.clone())),
            ("sure", aws_sdk_dynamodb::types::AttributeValue::Bool(said.sure)),
            ("stopped", s(stopped.join(","))),
            ("ttl", n((said.at + STRANGERS_KEPT).timestamp())),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        if let Some(phone) = &said.phone {
            item.insert("phone".to_owned(), s(phone.clone()));
        }
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem stranger", &e))
    }

    /// The words of people unknown, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn strangers(&self) -> Result<Vec<StrangerWord>, CloudError> {
        let mut words: Vec<StrangerWord> =
            self.stranger_groups().await?.into_iter().flat_map(|group| group.words).collect();
        words.sort_by_key(|word| word.said.at);
        Ok(words)
    }

    /// Everything of people unknown, by number, the last to write first. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn stranger_groups(&self) -> Result<Vec<StrangerGroup>, CloudError> {
        let (mut words, mut answers, mut heads) = (Vec::new(), Vec::new(), BTreeMap::new());
        for item in self.query_partition(Keys(&self.clinic).strangers_pk(), None).await? {
            let sk = Reader { kind: "stranger", item: &item }.text("sk")?;
            if let Some(who) = sk.strip_prefix(STRANGER_HEAD_SK) {
                heads.insert(who.to_owned(), head_of(&item)?);
            } else if sk.starts_with(STRANGER_ANSWER_SK) {
                answers.push(StrangerAnswer::of(&item)?);
            } else {
                words.push(self.word_of(&item)?);
            }
        }
        let mut groups: BTreeMap<String, StrangerGroup> = BTreeMap::new();
        for word in words {
            let group = groups.entry(word.who.clone()).or_insert_with(|| StrangerGroup {
                who: word.who.clone(),
                phone: None,
                words: Vec::new(),
                answers: Vec::new(),
                head: heads.get(&word.who).cloned().unwrap_or_default(),
            });
            group.phone = group.phone.take().or_else(|| phone_of(word.said.phone.as_deref()));
            group.words.push(word);
        }
        answers.sort_by_key(|answer| answer.at);
        for answer in answers {
            if let Some(group) = groups.get_mut(&answer.who) {
                group.answers.push(answer);
            }
        }
        let mut groups: Vec<StrangerGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.last_at()));
        Ok(groups)
    }

    /// Everything of one number; nothing when none of its words is kept any more.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn stranger_group(&self, who: &str) -> Result<Option<StrangerGroup>, CloudError> {
        Ok(self.stranger_groups().await?.into_iter().find(|group| group.who == who))
    }

    /// Sets aside what a number wrote and was taken in until an instant, or takes that back. Harmless to
    /// repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn dismiss_stranger(
        &self,
        who: &str,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).stranger_head(who).item()))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", n((now + STRANGERS_KEPT).timestamp()));
        let call = match until {
            Some(until) => {
                call.update_expression("SET dis = :until, #ttl = :ttl").expression_attribute_values(":until", ms(until))
            }
            None => call.update_expression("SET #ttl = :ttl REMOVE dis"),
        };
        call.send().await.map(|_| ()).map_err(|e| sort("UpdateItem stranger", &e))
    }

    fn word_of(&self, item: &Item) -> Result<StrangerWord, CloudError> {
        let reader = Reader { kind: "stranger", item };
        let event = reader.text("sk")?.split_once('#').map_or("", |(_, event)| event).to_owned();
        let phone = reader.text_opt("phone").map(str::to_owned);
        // Words of before there were groups have their number only.
        let who = match (reader.text_opt("who"), phone_of(phone.as_deref())) {
            (Some(who), _) => who.to_owned(),
            (None, Some(phone)) => self.stranger_of(&phone),
            (None, None) => event.clone(),
        };
        let at = reader.instant("at")?;
        let intent = reader.text("intent")?.to_owned();
        let stopped = match reader.text_opt("stopped") {
            Some(codes) => codes.split(',').filter_map(|code| code.parse::<Purpose>().ok()).collect(),
            None if ["opt_out", "stop_all", "stop_reminders"].contains(&intent.as_str()) => PurposeSet::ALL,
            None => PurposeSet::NONE,
        };
        let channel = reader.text_opt("channel").unwrap_or(Channel::Whatsapp.code());
        let channel = channel.parse().map_err(|()| reader.corrupt("channel"))?;
        let text = reader.text("text")?.to_owned();
        let kept_at = reader.instant_opt("kept")?.unwrap_or(at);
        let said = Stranger { at, phone, user: None, channel, text, intent, sure: reader.flag("sure"), stopped };
        Ok(StrangerWord { event, who, kept_at, said })
    }
}

fn phone_of(digits: Option<&str>) -> Option<E164> {
    E164::parse_strict(&format!("+{}", digits?.trim_start_matches('+'))).ok()
}

fn head_of(item: &Item) -> Result<StrangerHead, CloudError> {
    let reader = Reader { kind: "stranger", item };
    let patient = match (reader.text_opt("patient"), reader.instant_opt("att_at")?) {
        (Some(id), Some(at)) => Some((PatientId::parse(id).map_err(|_| reader.corrupt("patient"))?, at)),
        _ => None,
    };
    let version = reader.number_opt("ver")?.unwrap_or(0);
    Ok(StrangerHead { version, dismissed_at: reader.instant_opt("dis")?, patient })
}
