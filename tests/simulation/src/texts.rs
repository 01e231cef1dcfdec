//! Text messages: the provider as its client sees it, what its topic tells of them, and what people
//! write back. What the topic tells is understood by the hook's own reader.

use inbound_webhook::event::Event as Inbound;
use inbound_webhook::wire::aws;
use retorno_cloud::channels::SMS_CHARS_MAX;
use retorno_domain::channel::Channel;
use serde_json::{Value, json};

use crate::clinic::Clinic;
use crate::core::State;
use crate::inbox::Spoken;
use crate::patients::{Got, HOUR_MS, instant};
use crate::services::{Answer, Deed, links, lost, refusal, said};
use crate::talk::says;
use crate::wire::{Wire, response};

/// A client waits no longer for an answer than this, in ms.
const SILENCE_MS: i64 = 20_000;
/// What the topic tells of a text message that nobody gets (event types of the service's guide).
const LOST: [&str; 5] = ["CARRIER_UNREACHABLE", "BLOCKED", "INVALID", "TTL_EXPIRED", "SPAM"];

/// End User Messaging: `SendTextMessage`.
///
/// # Errors
/// A lost request or answer.
pub async fn provider(wire: &Wire, body: &[u8]) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    wire.wait("call sms", "before").await;
    let deed = wire.deed();
    let got = wire.read_text(&request);
    let provider_id = got.as_ref().map(|got| got.provider_id.clone()).unwrap_or_default();
    wire.took(&deed, got);
    wire.somebody_acts_meanwhile(&deed, body).await;
    wire.wait("call sms", "after").await;
    let because = |kind: &str, reason: &str| {
        let body = json!({"__type": kind, "message": "", "Message": "", "Reason": reason}).to_string();
        response(400, body.into_bytes())
    };
    match deed {
        Deed::Takes | Deed::TakesInVain => response(200, json!({"MessageId": provider_id}).to_string().into_bytes()),
        Deed::TakesAndIsSilent => {
            wire.core.pause(SILENCE_MS).await;
            lost()
        }
        Deed::TakesAndMumbles => response(200, b"{}".to_vec()),
        Deed::Throttles => refusal(400, "ThrottlingException"),
        Deed::RefusesForGood(which) => match which % 3 {
            0 => because("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            1 => because("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            _ => because("ValidationException", "DESTINATION_COUNTRY_BLOCKED"),
        },
        Deed::Troubled(which) => match which % 3 {
            0 => because("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            1 => because("ValidationException", "SENDER_ID_NOT_REGISTERED"),
            _ => because("ValidationException", "FIELD_VALIDATION_FAILED"),
        },
        Deed::Perhaps => refusal(500, "InternalServerException"),
        Deed::CannotBeReached => lost(),
    }
}

impl Wire {
    /// What arrives on the phone.
    fn read_text(&self, request: &Value) -> Option<Got> {
        let (message, attempt) = (said(request, "/Context/m").to_owned(), said(request, "/Context/a"));
        let (attempt, text) = (attempt.parse::<u32>().ok()?, said(request, "/MessageBody"));
        let mut state = self.core.state();
        let clinic = state.judge.clinic_of(said(request, "/Context/t"))?;
        let sender = state.judge.clinics.get(clinic).map(Clinic::text_number);
        if sender.as_deref() != Some(said(request, "/OriginationIdentity")) {
            state.judge.object("sent by another clinic's number");
        }
        if text.is_empty() || text.contains("{{") || text.contains("}}") || text.chars().count() > SMS_CHARS_MAX {
            state.judge.object("a text message that is empty, too long, or with a gap in it");
        }
        let links = links(text);
        if links.is_empty() && !state.judge.is_answer(&message, attempt) {
            state.judge.object("a text message of the sequence by which nobody can leave");
        }
        Some(Got {
            clinic,
            channel: Channel::Sms,
            to: said(request, "/DestinationPhoneNumber").to_owned(),
            provider_id: format!("sms-{message}-{attempt}"),
            opaque: String::new(),
            buttons: Vec::new(),
            links,
            message,
            attempt,
        })
    }
}

impl State {
    /// What the networks tell of a text message that arrives: some of it, in any order.
    pub(crate) fn text_is_reported(&mut self, got: &Got) {
        for kind in ["QUEUED", "SENT", "SUCCESSFUL", "DELIVERED"] {
            if self.chance.per_mille(500) {
                self.report_text(got, kind);
            }
        }
    }

    /// The provider took a text message, and tells later that nobody got it.
    pub(crate) fn text_is_lost(&mut self, got: &Got) {
        let kind = self.chance.pick(&LOST, "BLOCKED");
        self.report_text(got, kind);
    }

    fn report_text(&mut self, got: &Got, kind: &str) {
        let delay = self.chance.stretch(100, 20 * HOUR_MS);
        let at = self.now + delay;
        let body = json!({
            "eventType": format!("TEXT_{kind}"), "eventVersion": "1.0", "eventTimestamp": at,
            "isFinal": !matches!(kind, "QUEUED" | "SENT"), "originationPhoneNumber": self.clinic_text(got.clinic),
            "destinationPhoneNumber": got.to, "messageId": got.provider_id, "messageType": "PROMOTIONAL",
            "messageStatus": kind, "totalMessageParts": 1, "totalMessagePrice": 0.05,
            "context": { "t": self.clinic_word(got.clinic).0, "m": got.message, "a": got.attempt.to_string() },
        });
        self.topic_tells(got.clinic, &body, None, delay);
    }

    /// Words by text message; now and then two things in a row.
    pub(crate) fn texts_back(&mut self, got: &Got) {
        let talks = self.trouble.knobs.talk;
        let mut delay = 0;
        while self.chance.per_mille(talks) {
            delay += self.chance.stretch(2_000, 30 * HOUR_MS);
            let at = self.now + delay;
            let (meant, text) = says(&mut self.chance);
            let quotes = self.chance.per_mille(500);
            let body = json!({
                "originationNumber": got.to, "destinationNumber": self.clinic_text(got.clinic),
                "messageKeyword": "KEYWORD", "messageBody": text,
                "inboundMessageId": format!("in-{}-{at}-{}", got.message, self.chance.below(1_000_000)),
                "previousPublishedMessageId": quotes.then_some(&got.provider_id),
            });
            let phone = format!("+{}", got.to.trim_start_matches('+'));
            let spoken = Spoken { phone: Some(phone), person: None, by: "sms", meant, at, text: Some(text) };
            self.judge.wrote(got.clinic, &spoken);
            self.topic_tells(got.clinic, &body, Some(spoken), delay);
        }
    }

    fn clinic_text(&self, clinic: usize) -> String {
        self.judge.clinics.get(clinic).map(Clinic::text_number).unwrap_or_default()
    }

    /// The topic hands something to the hook, which reads it.
    fn topic_tells(&mut self, clinic: usize, body: &Value, spoken: Option<Spoken>, delay: i64) {
        let told = instant(self.now + delay);
        let events = aws::events_of_message(&body.to_string(), told, told).unwrap_or_default();
        if events.len() != 1 {
            self.judge.object("what the topic told is not one event");
        }
        for routed in events {
            match &routed.event {
                Inbound::Receipt(receipt) => self.judge.reach(&format!("text {}", receipt.status.code())),
                Inbound::Message(_) => {}
                Inbound::Preference(_)
                | Inbound::NumberChanged(_)
                | Inbound::Echo(_)
                | Inbound::Template(_)
                | Inbound::Number(_)
                | Inbound::Account(_)
                | Inbound::Connection(_)
                | Inbound::Ignored(_) => self.judge.object("what the topic told was not understood"),
            }
            self.bring(clinic, &routed, spoken.clone(), delay);
        }
    }
}
