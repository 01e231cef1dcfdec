//! Patients' browsers and their push service: who asked for notifications, and what the service answers.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use retorno_cloud::channels::push::{PushPosted, PushRequest, PushWire};
use retorno_domain::channel::Channel;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web_push_native::p256::SecretKey;
use web_push_native::{Auth, decrypt};

use crate::clinic::CANARY;
use crate::environment::link_of;
use crate::judge::Judge;
use crate::patients::Got;
use crate::services::{Deed, links, said};
use crate::wire::Wire;

/// A client waits no longer for an answer than this, in ms.
const SILENCE_MS: i64 = 8_000;

/// The browsers of a run, by their addresses.
#[derive(Debug, Default)]
pub(crate) struct Browsers {
    /// Whose each is.
    given: BTreeMap<String, (usize, usize)>,
    /// Those that are gone: their service never takes anything for them again.
    gone: BTreeSet<String>,
}

impl Browsers {
    /// Whether a browser is this person's.
    pub(crate) fn is_of(&self, address: &str, clinic: usize, person: usize) -> bool {
        self.given.get(address) == Some(&(clinic, person))
    }

    /// The browsers of a person.
    pub(crate) fn of(&self, clinic: usize, person: usize) -> impl Iterator<Item = &String> {
        self.given.iter().filter(move |(_, whose)| **whose == (clinic, person)).map(|(address, _)| address)
    }
}

/// All browsers of all runs have one key: it protects nothing.
fn key() -> Option<SecretKey> {
    SecretKey::from_slice(&Sha256::digest("a browser of a run")).ok()
}

const AUTH: [u8; 16] = *b"a secret of ours";

impl Judge {
    /// Somebody lets a new browser show notifications: what it gives, ready for a form. Nobody asks who
    /// may have opted out by the clinic's word: what they may agree to is another matter.
    pub(crate) fn asks_to_be_notified(&mut self, now: i64, clinic: usize, person: usize) -> Option<String> {
        let of = self.clinics.get(clinic)?;
        let versions = of.landed.unwrap_or(0)..=of.told;
        if versions.filter_map(|version| of.known(version, person)).any(|who| who.is_out) {
            return None;
        }
        let number = self.browsers.given.len();
        let endpoint = format!("https://fcm.googleapis.com/fcm/send/{CANARY}-{number}");
        let public = URL_SAFE_NO_PAD.encode(key()?.public_key().to_sec1_bytes());
        let keys = json!({ "p256dh": public, "auth": URL_SAFE_NO_PAD.encode(AUTH) });
        self.browsers.given.insert(endpoint.clone(), (clinic, person));
        let mut picked = self.may_have_agreed(clinic, person);
        picked.insert("push");
        self.chooses(now, clinic, person, &picked);
        Some(json!({ "endpoint": endpoint, "keys": keys }).to_string())
    }

    /// Somebody wants no notifications any more.
    pub(crate) fn is_notified_no_more(&mut self, now: i64, clinic: usize, person: usize) {
        let mut picked = self.may_have_agreed(clinic, person);
        picked.remove("push");
        self.chooses(now, clinic, person, &picked);
    }

    /// The channels that somebody may have agreed to, by the clinic's word or by their own.
    fn may_have_agreed(&self, clinic: usize, person: usize) -> BTreeSet<&'static str> {
        let own = self.talk.back.get(&(clinic, person)).map(|back| back.agreed.clone()).unwrap_or_default();
        self.agreed_to(clinic, person).into_iter().chain(own).collect()
    }
}

impl PushWire for Wire {
    fn post(&self, request: PushRequest) -> Pin<Box<dyn Future<Output = PushPosted> + Send + '_>> {
        Box::pin(async move {
            self.wait("call push", "before").await;
            let deed = self.deed();
            let answered = |status| PushPosted::Answered { status, retry_after: None };
            if self.is_gone(&request.url, &deed) {
                self.wait("call push", "after").await;
                return answered(410);
            }
            let got = self.read_notification(&request);
            let about = got.as_ref().map(|got| got.message.clone()).unwrap_or_default();
            self.took(&deed, got);
            self.somebody_acts_meanwhile(&deed, about.as_bytes()).await;
            self.wait("call push", "after").await;
            match deed {
                Deed::Takes | Deed::TakesInVain => answered(201),
                Deed::TakesAndIsSilent => {
                    self.core.pause(SILENCE_MS).await;
                    PushPosted::TimedOut
                }
                Deed::TakesAndMumbles => PushPosted::Broken,
                Deed::Throttles => PushPosted::Answered { status: 429, retry_after: Some("90".to_owned()) },
                Deed::RefusesForGood(_) => answered(413),
                Deed::Troubled(which) if which % 4 == 0 => answered(403),
                Deed::Troubled(which) if which % 4 == 1 => answered(503),
                Deed::Troubled(_) => answered(400),
                Deed::Perhaps => answered(500),
                Deed::CannotBeReached => PushPosted::NeverConnected,
            }
        })
    }
}

impl Wire {
    /// Whether a browser is gone: since long, or as of now.
    fn is_gone(&self, address: &str, deed: &Deed) -> bool {
        let mut state = self.core.state();
        let state = &mut *state;
        // People take the permission back, or change phones, without a word.
        let leaves = state.trouble.is_on && state.chance.per_mille(200);
        if leaves || matches!(deed, Deed::RefusesForGood(which) if which % 2 == 0) {
            state.judge.browsers.gone.insert(address.to_owned());
        }
        let is_gone = state.judge.browsers.gone.contains(address);
        if is_gone {
            state.judge.reach("a browser is gone");
        }
        is_gone
    }

    /// What a browser shows. Its service is told no id of ours: the links in it name the message.
    fn read_notification(&self, request: &PushRequest) -> Option<Got> {
        let payload = decrypt(request.body.clone(), &key()?, &Auth::from(AUTH)).ok()?;
        let payload: Value = serde_json::from_slice(&payload).ok()?;
        let mut state = self.core.state();
        let gap =
            ["/title", "/body"].map(|at| said(&payload, at)).iter().any(|text| text.is_empty() || text.contains("{{"));
        let mut links = links(said(&payload, "/open/url"));
        links.extend(self::links(said(&payload, "/stop/url")));
        if gap || links.len() != 2 {
            state.judge.object("a notification with a gap in it, or without its links");
        }
        if request.topic.as_ref().is_none_or(|topic| topic.contains(CANARY)) {
            state.judge.object("a notification whose topic names somebody");
        }
        let link = link_of(links.first()?, DateTime::from_timestamp_millis(state.now)?)?;
        let message = link.message.to_string();
        let attempt = state.judge.last_attempt(&message)?;
        Some(Got {
            clinic: state.judge.clinic_of(link.clinic.as_str())?,
            channel: Channel::Push,
            to: request.url.clone(),
            provider_id: message.clone(),
            opaque: String::new(),
            buttons: Vec::new(),
            links,
            message,
            attempt,
        })
    }
}
