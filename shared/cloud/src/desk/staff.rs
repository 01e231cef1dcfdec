//! What staff does at the desk: answer in words of their own, take a conversation over, hand it back,
//! record what a patient said about being written to. Each of it once per event, in one transaction.

use chrono::TimeDelta;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact_point::ContactPoint;
use retorno_domain::conversation::{Act, Open, Thread, Urgency};
use retorno_domain::flow::Answer;
use retorno_domain::guardian::Through;
use retorno_domain::ids::{MessageId, PatientId};
use retorno_domain::patient::Patient;

use super::{Desk, Done, Happening, TRIES_MAX, Visitor};
use crate::channels::TEXT_CHARS_MAX;
use crate::error::CloudError;
use crate::orders::{Order, say_order};
use crate::store::{ConsentRecord, NewAnswer, PatientChange, TenantStore, Turn, TurnDone};

/// Words of staff's are of use for so long.
pub(super) const WORDS_LAST: TimeDelta = TimeDelta::minutes(30);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffDone {
    /// Done.
    Done,
    /// Done before, by the same event.
    Repeated,
    /// There is no such patient.
    Nobody,
    /// Nothing was done.
    Refused(Refused),
}

/// Why staff's wish was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than 24 hours since the patient's last word on WhatsApp.
    #[error("one may write freely only for 24 hours after the patient's last word on WhatsApp")]
    WindowClosed,
    /// The person, or somebody with the same contact, wants no messages.
    #[error("the patient, or somebody with the same contact, opted out")]
    OptedOut,
    /// No phone to write to.
    #[error("the patient has no phone that can be used")]
    NoPhone,
    /// A minor, and no guardian to write to.
    #[error("the patient is a minor and the record has no guardian with a name and a phone that can be used")]
    NoGuardian,
    /// No words, or more than WhatsApp takes.
    #[error("a message has 1 to 4096 characters")]
    Words,
    /// Agreed to nothing.
    #[error("an agreement names at least one channel")]
    NoChannels,
    /// About nothing that is sent.
    #[error("say what it is about: marketing, care or both")]
    NoPurposes,
    /// Said on a day to come.
    #[error("the day of the agreement is still to come")]
    Future,
    /// An opt-out of that day or a later one stands.
    #[error("an opt-out of the same day or a later one stands")]
    OptOutStands,
    /// The person wrote without showing a number.
    #[error("the person's number is hidden, so it cannot be used; ask them for it")]
    HiddenNumber,
    /// The number or the agreement is another patient's by now.
    #[error("it is another patient's already; take it back there first")]
    Attached,
    /// The number was reported as not being that of a patient who has it on record.
    #[error(
        "somebody said that the number is not that of another patient who has it on record; correct it there first"
    )]
    WrongOfOthers,
    /// Staff has not said that they are sure.
    #[error("confirm that the number is the patient's after all")]
    NotConfirmed,
    /// Nobody said so.
    #[error("nobody said that the number is not the patient's")]
    NotWrong,
    /// There is nothing to take back.
    #[error("no phone was noted for this patient")]
    NothingNoted,
}

impl Refused {
    /// All reasons.
    pub const ALL: [Self; 15] = [
        Self::WindowClosed,
        Self::OptedOut,
        Self::NoPhone,
        Self::NoGuardian,
        Self::Words,
        Self::NoChannels,
        Self::NoPurposes,
        Self::Future,
        Self::OptOutStands,
        Self::HiddenNumber,
        Self::Attached,
        Self::WrongOfOthers,
        Self::NotConfirmed,
        Self::NotWrong,
        Self::NothingNoted,
    ];

    /// The reason's word in the API and in texts.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::OptedOut => "opted_out",
            Self::NoPhone => "no_phone",
            Self::NoGuardian => "no_guardian",
            Self::Words => "words",
            Self::NoChannels => "no_channels",
            Self::NoPurposes => "no_purposes",
            Self::Future => "future",
            Self::OptOutStands => "opt_out_stands",
            Self::HiddenNumber => "hidden_number",
            Self::Attached => "attached",
            Self::WrongOfOthers => "wrong_of_others",
            Self::NotConfirmed => "not_confirmed",
            Self::NotWrong => "not_wrong",
            Self::NothingNoted => "nothing_noted",
        }
    }
}

/// What is to be written.
pub(super) struct Made {
    pub(super) patient: Patient,
    thread: Thread,
    answer: Option<NewAnswer>,
    pub(super) consent: Vec<Statement>,
    /// What the patient agrees to: their contact points are reopened for it. What an import says of others
    /// who share them stands.
    pub(super) agreed: PurposeSet,
    pub(super) orders: Vec<Order>,
}

impl Made {
    pub(super) fn of(visitor: &Visitor) -> Self {
        Self {
            patient: visitor.patient().clone(),
            thread: visitor.collection.thread.thread.clone(),
            answer: None,
            consent: Vec::new(),
            agreed: PurposeSet::NONE,
            orders: Vec::new(),
        }
    }

    /// A person has it, and the automation is silent.
    fn held(mut self, visitor: &Visitor, reason: &str) -> Self {
        self.patient.paused = true;
        let open = || Open { since: visitor.now, reason: reason.to_owned(), urgency: Urgency::Normal };
        self.thread.open.get_or_insert_with(open);
        self
    }
}

impl Desk {
    /// Answers in staff's own words, on WhatsApp while the window is open. The conversation stays with
    /// staff.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn write(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
        words: &str,
    ) -> Result<StaffDone, CloudError> {
        let words = words.trim();
        self.by_staff(tenant, patient, event, "", |visitor, phone| {
            if words.is_empty() || words.chars().count() > TEXT_CHARS_MAX {
                return Err(Refused::Words);
            }
            let today = visitor.today();
            if visitor.patient().address(Channel::Whatsapp, today).is_none() {
                return Err(match visitor.patient().through(today) {
                    Through::Own(_) => Refused::NoPhone,
                    Through::Guardian(_) | Through::Nobody(_) => Refused::NoGuardian,
                });
            }
            // Whoever has just written is answered, unless they want nothing at all.
            let is_out = visitor.patient().consent.opted_out(today) == PurposeSet::ALL;
            if is_out || phone.is_closed(Channel::Whatsapp) {
                return Err(Refused::OptedOut);
            }
            if visitor.window_closes_at(visitor.now).is_none() {
                return Err(Refused::WindowClosed);
            }
            let answer = in_words(visitor, event, words);
            let mut made = Made::of(visitor).held(visitor, "staff_wrote");
            made.orders.push(say_order(tenant.clinic(), patient, answer.id));
            made.answer = Some(answer);
            Ok(made)
        })
        .await
    }

    /// A person takes the conversation: the automation is silent until it is handed back.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn take_over(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
    ) -> Result<StaffDone, CloudError> {
        self.by_staff(tenant, patient, event, "", |visitor, _| Ok(Made::of(visitor).held(visitor, "taken_over"))).await
    }

    /// Hands the conversation back to the automation: the sequence goes on where it stood.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn release(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
    ) -> Result<StaffDone, CloudError> {
        self.by_staff(tenant, patient, event, "", |visitor, _| {
            let mut made = Made::of(visitor);
            made.patient.paused = false;
            made.thread.open = None;
            let (clinic, patient) = (tenant.clinic().to_string(), patient.to_string());
            made.orders.push(Order::Released { clinic, patient });
            Ok(made)
        })
        .await
    }

    /// Records what a patient said about being written to, for which purposes, and how it was said. An
    /// agreement replaces those before it, channel by channel; an opt-out closes the contact points.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn consent(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
        said: &Statement,
        how: &str,
    ) -> Result<StaffDone, CloudError> {
        if said.purposes.is_empty() {
            return Ok(StaffDone::Refused(Refused::NoPurposes));
        }
        match said.wish {
            Wish::OptOut => self.withdrawn(tenant, patient, event, (said.purposes, how)).await,
            Wish::OptIn(_) => self.by_staff(tenant, patient, event, how, |visitor, _| agreed(visitor, said)).await,
        }
    }

    async fn withdrawn(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
        (purposes, how): (PurposeSet, &str),
    ) -> Result<StaffDone, CloudError> {
        let happening = Happening::silent(event, Channel::Call, how);
        let mut acts = vec![Act::OptOut(purposes)];
        if purposes.contains(Purpose::Marketing) {
            acts.push(Act::Tell(Answer::OptOut));
        }
        Ok(match self.act(tenant, patient, &happening, |_, _| acts.clone()).await? {
            Done::Acted(_) => StaffDone::Done,
            Done::Repeated => StaffDone::Repeated,
            Done::Nobody => StaffDone::Nobody,
        })
    }

    /// Reads, makes up what is to be written, and writes it once.
    pub(super) async fn by_staff(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        event: &str,
        how: &str,
        make: impl Fn(&Visitor, &ContactPoint) -> Result<Made, Refused>,
    ) -> Result<StaffDone, CloudError> {
        for _ in 0..TRIES_MAX {
            let Some(visitor) = self.visit(tenant, patient).await? else { return Ok(StaffDone::Nobody) };
            // Asked first: what was done is not refused when it is sent a second time.
            if tenant.knows_event(event).await? {
                self.repeated(&visitor, event).await?;
                return Ok(StaffDone::Repeated);
            }
            let points = tenant.contact_points(&visitor.contacts).await?;
            let made = match make(&visitor, points.of(Channel::Whatsapp)) {
                Ok(made) => made,
                Err(refused) => return Ok(StaffDone::Refused(refused)),
            };
            let lift = tenant.lift_of(visitor.patient(), &visitor.contacts, made.agreed).await?;
            let turn = Turn { lift: lift.as_ref(), ..turn_of(&visitor, &made, event, how) };
            match tenant.commit_turn(&turn).await? {
                TurnDone::Done => {
                    if let Some(lift) = &lift {
                        tenant.lift(lift, patient, visitor.now).await?;
                    }
                    self.hand_over(&made.orders, visitor.now).await?;
                    return Ok(StaffDone::Done);
                }
                TurnDone::Repeated => {
                    self.repeated(&visitor, event).await?;
                    return Ok(StaffDone::Repeated);
                }
                TurnDone::SlotTaken | TurnDone::Changed => {}
            }
        }
        Err(CloudError::Retryable { operation: "desk", code: "kept_changing".to_owned() })
    }
}

fn turn_of<'a>(visitor: &'a Visitor, made: &'a Made, event: &'a str, how: &'a str) -> Turn<'a> {
    let stored = &visitor.collection;
    let changed = stored.patient.patient != made.patient;
    Turn {
        patient: &stored.patient.patient.id,
        alias: stored.patient.alias.as_ref(),
        event,
        change: changed.then_some(PatientChange { from: &stored.patient, next: &made.patient, today: visitor.today() }),
        thread: (stored.thread.thread != made.thread).then_some((&stored.thread, &made.thread)),
        heard: None,
        attached: None,
        slots: Vec::new(),
        bookings: Vec::new(),
        answer: made.answer.as_ref(),
        waitlist: None,
        consent: made.consent.iter().map(|statement| ConsentRecord { statement, how }).collect(),
        orders: &made.orders,
        lift: None,
        now: visitor.now,
    }
}

fn in_words(visitor: &Visitor, event: &str, words: &str) -> NewAnswer {
    NewAnswer {
        id: MessageId::answering(visitor.tenant.clinic(), &visitor.patient().id, event),
        say: None,
        words: Some(words.to_owned()),
        channel: Channel::Whatsapp,
        slots: Vec::new(),
        visit: None,
        answers: None,
        // The patient's own word opened the window, and a person answers it.
        asked_for: true,
        in_hours: false,
        at: visitor.now,
        not_after: visitor.now + WORDS_LAST,
    }
}

fn agreed(visitor: &Visitor, said: &Statement) -> Result<Made, Refused> {
    let today = visitor.today();
    if said.wish == Wish::OptIn(ChannelSet::NONE) {
        return Err(Refused::NoChannels);
    }
    if said.on > today {
        return Err(Refused::Future);
    }
    let statement = Statement { source: Source::Recorded, ..said.clone() };
    let mut made = Made::of(visitor);
    made.patient.consent.record(statement.clone());
    made.patient.forget_browsers_taken_back(std::slice::from_ref(&statement), today);
    if said.purposes.iter().any(|purpose| made.patient.consent.is_opted_out(purpose, today)) {
        return Err(Refused::OptOutStands);
    }
    made.agreed = visitor.agreed_to(std::slice::from_ref(&statement));
    made.consent.push(statement);
    let (clinic, patient) = (visitor.tenant.clinic().to_string(), visitor.patient().id.to_string());
    made.orders.push(Order::PatientChanged { clinic, patient });
    Ok(made)
}
