//! What becomes of a message on a phone or in a mailbox: the provider reports, the person answers,
//! presses a button, opens the link, or complains.

use chrono::{DateTime, Utc};
use inbound_webhook::event::{
    ComplaintKind, Event as Inbound, InboundMessage, Private, Receipt, ReceiptStatus, Route, Routed, Said, Sender, Tags,
};
use retorno_domain::channel::Channel;

use crate::core::State;
use crate::event::Event;
use crate::inbox::Spoken;
use crate::talk::{Meant, says};

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// A message as a phone or a mailbox has it.
#[derive(Debug, Clone)]
pub struct Got {
    /// Which clinic's.
    pub clinic: usize,
    /// By which channel.
    pub channel: Channel,
    /// The message's id.
    pub message: String,
    /// The attempt.
    pub attempt: u32,
    /// The phone's digits, or the address.
    pub to: String,
    /// The id that the provider gave it.
    pub provider_id: String,
    /// The signed id that we gave WhatsApp.
    pub opaque: String,
    /// Buttons: what is given back, and what they read.
    pub buttons: Vec<(String, String)>,
    /// The tokens of the links in it.
    pub links: Vec<String>,
}

pub(crate) fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

impl State {
    /// A message has reached somebody.
    pub fn reached(&mut self, got: &Got) {
        match got.channel {
            Channel::Whatsapp => {
                for status in [ReceiptStatus::Sent, ReceiptStatus::Delivered, ReceiptStatus::Read] {
                    if self.chance.per_mille(500) {
                        self.report(got, status);
                    }
                }
                self.answers(got);
            }
            Channel::Email => {
                if self.chance.per_mille(500) {
                    self.report(got, ReceiptStatus::Delivered);
                }
                let talks = self.trouble.knobs.talk;
                if self.chance.per_mille(talks / 4) {
                    self.report(got, ReceiptStatus::Clicked);
                }
                if self.chance.per_mille(talks / 25) {
                    self.report(got, ReceiptStatus::Complained { kind: ComplaintKind::Abuse });
                }
                self.opens(got);
            }
            Channel::Sms => {
                self.text_is_reported(got);
                self.texts_back(got);
                self.opens(got);
            }
            Channel::Push => self.opens(got),
            Channel::Call => {}
        }
    }

    /// The provider took a message, and says later that it never reached anybody.
    pub fn never_reached(&mut self, got: &Got) {
        match got.channel {
            Channel::Sms => return self.text_is_lost(got),
            // Nobody tells what became of a notification.
            Channel::Push => return,
            Channel::Whatsapp | Channel::Email | Channel::Call => {}
        }
        let status = match (got.channel, self.chance.below(3)) {
            (Channel::Email, 0) => ReceiptStatus::Bounced { permanent: true, code: "NoEmail".to_owned() },
            (Channel::Email, _) => ReceiptStatus::Bounced { permanent: false, code: "MailboxFull".to_owned() },
            (_, 0) => ReceiptStatus::Failed { code: "131026".to_owned() },
            (_, 1) => ReceiptStatus::Failed { code: "131050".to_owned() },
            (_, _) => ReceiptStatus::Failed { code: "131049".to_owned() },
        };
        self.report(got, status);
    }

    pub(crate) fn clinic_word(&self, clinic: usize) -> (String, String) {
        let of = self.judge.clinics.get(clinic);
        of.map(|of| (of.id.clone(), of.number_id())).unwrap_or_default()
    }

    fn report(&mut self, got: &Got, status: ReceiptStatus) {
        let delay = self.chance.stretch(100, 20 * HOUR_MS);
        let (id, number) = self.clinic_word(got.clinic);
        let is_whatsapp = got.channel == Channel::Whatsapp;
        let tags = Tags { clinic: Some(id.clone()), message: Some(got.message.clone()), attempt: Some(got.attempt) };
        let stops = matches!(status, ReceiptStatus::Complained { .. });
        let receipt = Receipt {
            channel: got.channel,
            provider_id: Private::new(got.provider_id.as_str()),
            opaque: is_whatsapp.then(|| got.opaque.clone()),
            tags: if is_whatsapp { Tags::default() } else { tags },
            status,
            at: instant(self.now + delay),
            recipient: Some(Private::new(got.to.as_str())),
            recipient_user_id: None,
            price: None,
            errors: Vec::new(),
            report_id: None,
            is_final: false,
        };
        let route = if is_whatsapp { Route::WhatsappNumber(number) } else { Route::Clinic(id) };
        let spoken = stops.then(|| Spoken {
            phone: None,
            person: self.judge.person_of(&got.message, got.attempt),
            by: "email",
            meant: Meant::Out,
            at: self.now + delay,
            text: None,
        });
        self.bring(got.clinic, &Routed { route, event: Inbound::Receipt(Box::new(receipt)) }, spoken, delay);
    }

    /// Words, or a button; now and then two things in a row.
    fn answers(&mut self, got: &Got) {
        let talks = self.trouble.knobs.talk;
        let mut delay = 0;
        while self.chance.per_mille(talks) {
            delay += self.chance.stretch(2_000, 30 * HOUR_MS);
            let at = self.now + delay;
            let (meant, said) = match got.buttons.last() {
                // The last button of a template is the way out; those of an answer are its dates.
                Some((id, title)) if self.chance.per_mille(100) && title == "PARAR" => {
                    (Meant::Out, Said::Button { payload: id.clone(), title: Private::new(title.as_str()) })
                }
                Some((id, title)) if title != "PARAR" && self.chance.per_mille(400) => {
                    (Meant::Option, Said::Choice { id: id.clone(), title: Private::new(title.as_str()) })
                }
                Some(_) | None => {
                    let (meant, text) = says(&mut self.chance);
                    (meant, Said::Text(Private::new(text)))
                }
            };
            let text = match &said {
                Said::Text(text) => Some(text.as_str().to_owned()),
                Said::Button { title, .. } | Said::Choice { title, .. } => Some(title.as_str().to_owned()),
                Said::Reaction { .. }
                | Said::Media { .. }
                | Said::Contacts
                | Said::Location
                | Said::Order
                | Said::Unsupported { .. }
                | Said::Edited { .. }
                | Said::Revoked { .. } => None,
            };
            let quotes = self.chance.per_mille(300);
            let id = format!("wamid.in.{}.{at}.{}", got.message, self.chance.below(1_000_000));
            let message = InboundMessage {
                channel: Channel::Whatsapp,
                id: Private::new(id),
                from: Sender { phone: Some(Private::new(got.to.as_str())), user_id: None },
                at: instant(at),
                said,
                answers: quotes.then(|| Private::new(got.provider_id.as_str())),
                received_by: self.clinic_word(got.clinic).1,
            };
            let route = Route::WhatsappNumber(self.clinic_word(got.clinic).1);
            let phone = format!("+{}", got.to.trim_start_matches('+'));
            let spoken = Spoken { phone: Some(phone), person: None, by: "whatsapp", meant, at, text };
            self.judge.wrote(got.clinic, &spoken);
            self.bring(got.clinic, &Routed { route, event: Inbound::Message(Box::new(message)) }, Some(spoken), delay);
        }
    }

    /// Somebody opens the links of an e-mail, a text message or a notification.
    pub(crate) fn opens(&mut self, got: &Got) {
        let talks = self.trouble.knobs.talk;
        let person = self.judge.person_of(&got.message, got.attempt);
        for token in &got.links {
            if self.chance.per_mille(talks * 2 / 3) {
                let delay = self.chance.stretch(2_000, 30 * HOUR_MS);
                let event = Event::Visit { clinic: got.clinic, token: token.clone(), person, attempt: 1 };
                self.happens_in(delay, event);
            }
        }
    }
}
