//! The store and the model's table side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Argentina::Buenos_Aires;
use retorno::engine::{Engine, sdk_config};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::{
    Claim, ClaimRefused, Claimed, Collection, Dropped, NewEnrollment, NotEnrolled, OverdueMessage, Store, TenantStore,
    create_table,
};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::ids::{ClinicId, EnrollmentId, FlowId, MessageId, SegmentId, StepId};
use retorno_domain::limits::{FreePlace, Limits};
use retorno_domain::message::{ClearedMessage, Intent, Outcome, RecipientNews};
use retorno_domain::segment::Thresholds;
use retorno_domain::settings::clinic_from_toml;
use retorno_domain::standing::standing;
use retorno_domain::template::Rendered;
use retorno_domain::wave::Seat;
use retorno_protocol::people::{Making, patient};
use retorno_protocol::table::{self, ContactKey, EnrollmentItem, PatientItem, Table};

use crate::write::{Kind, Write};

/// How often each kind of write was accepted and refused.
pub(crate) type Tally = BTreeMap<&'static str, (u32, u32)>;

/// A claim that stood, and what is needed to take it back or record it.
struct Made {
    claim: table::Claim,
    collection: Collection,
    contact: String,
}

/// Store and table, and what was read of them a while ago.
pub(crate) struct Both {
    pub(crate) tenant: TenantStore,
    pub(crate) clinic: Clinic,
    pub(crate) table: Table,
    pub(crate) read: [Collection; 2],
    made: Vec<Made>,
    overdue: Vec<OverdueMessage>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) tally: Tally,
    _engine: Engine,
}

pub(crate) const NUMBER: &str = "100000000000001";

fn rendered() -> Rendered {
    Rendered { subject: None, text: "Hola".to_owned(), html: None, parameters: Vec::new(), buttons: Vec::new() }
}

pub(crate) fn step_id(step: usize) -> StepId {
    StepId::parse(&format!("s{step}")).unwrap()
}

impl Both {
    /// A table with two patients who share a phone.
    pub(crate) async fn begin() -> Self {
        let engine = Engine::in_memory().unwrap();
        let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
        create_table(&client, "retorno").await.unwrap();
        let id = ClinicId::parse("both").unwrap();
        let settings = format!("zone = \"America/Argentina/Buenos_Aires\"\nwhatsapp_phone_number_id = \"{NUMBER}\"\n");
        let clinic = clinic_from_toml(id.clone(), &settings, None).unwrap();
        let key = SecretKey::new(vec![7; 32]).unwrap();
        let tenant = Store::new(client, "retorno", key).of(&id);
        let now = Utc.with_ymd_and_hms(2026, 3, 2, 15, 0, 0).unwrap();
        let mut table = Table::default();
        let mut read = Vec::new();
        for number in 0..2 {
            let agreed = Some((NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(), ChannelSet::ALL));
            let visit = now - TimeDelta::days(200);
            let (phone, email, zone) = (Some(0), Some(number), Buenos_Aires);
            let person = patient(&Making { number, phone, email, zone, visit, agreed }).unwrap();
            let stands = standing(&clinic, &person, &Thresholds::default(), None, now);
            tenant.put_new_patients(&[(person.clone(), stands)], clinic.date(now)).await.unwrap();
            read.push(tenant.collection(&person.id).await.unwrap().unwrap());
            table.add_patient(person);
        }
        let read = <[Collection; 2]>::try_from(read).unwrap();
        let (made, overdue, tally) = (Vec::new(), Vec::new(), Tally::new());
        Self { tenant, clinic, table, read, made, overdue, now, tally, _engine: engine }
    }

    /// Makes a write on both sides, and sees to it that both accept or both refuse it.
    pub(crate) async fn write(&mut self, write: Write) {
        self.now += TimeDelta::seconds(write.seconds);
        match write.kind {
            Kind::Read => {
                let id = &self.read[write.who].patient.patient.id;
                self.read[write.who] = self.tenant.collection(id).await.unwrap().unwrap();
                self.overdue = self.tenant.overdue_messages(self.now).await.unwrap();
            }
            Kind::Enroll => self.enroll(write).await,
            Kind::Claim => self.claim(write).await,
            Kind::Undo => self.undo(write).await,
            Kind::Record => self.record(write).await,
            Kind::Age => self.age(write).await,
            Kind::Advance | Kind::End => self.advance(write).await,
            Kind::OptOut | Kind::Imported | Kind::Unreachable => self.contact(write).await,
            Kind::Replace | Kind::Pause => self.patient(write).await,
        }
    }

    pub(crate) fn tell(&mut self, kind: &'static str, accepted: bool) {
        let tally = self.tally.entry(kind).or_default();
        if accepted {
            tally.0 += 1;
        } else {
            tally.1 += 1;
        }
    }

    async fn enroll(&mut self, Write { who, which, .. }: Write) {
        let read = self.read[who].patient.clone();
        let segment = SegmentId::parse("churn-18m").unwrap();
        let opened = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap() + TimeDelta::days(i64::try_from(which / 2).unwrap());
        let enrollment = Enrollment {
            id: EnrollmentId::of(&self.clinic.id, &read.patient.id, &segment, opened),
            patient: read.patient.id.clone(),
            segment: segment.clone(),
            flow: FlowId::parse("reactivacion").unwrap(),
            flow_version: 1,
            week: self.clinic.week(self.now),
            seat: u32::try_from(which % 3).unwrap(),
            state: State::Running { step: 0, due: self.now },
            first_sent_on: None,
            told_at: None,
            wakes: 1,
            epoch: 1,
        };
        let busy_until = self.now + TimeDelta::days(17);
        let seat = Seat { segment, number: enrollment.seat, day: opened, whatsapp: true };
        let ours = table::NewEnrollment {
            patient: who,
            enrollment: enrollment.clone(),
            patient_version: read.version,
            contacts: ContactKey::all(&read.patient),
            busy_until,
            now: self.now,
        };
        let theirs = NewEnrollment {
            enrollment,
            seat,
            patient_version: read.version,
            contacts: self.tenant.contact_keys(&read.patient, self.clinic.date(self.now)),
            busy_until,
            because: String::new(),
            now: self.now,
        };
        let said = match self.tenant.enroll(&theirs).await {
            Ok(()) => Ok(()),
            Err(NotEnrolled::SeatTaken) => Err(table::NotEnrolled::SeatTaken),
            Err(NotEnrolled::Changed) => Err(table::NotEnrolled::Changed),
            Err(NotEnrolled::Cloud(error)) => panic!("{error}"),
        };
        assert_eq!(self.table.enroll(&ours), said);
        self.tell("enroll", said.is_ok());
    }

    /// The claim that the numbers stand for, resting on what was read last.
    fn drawn_claim(&self, Write { who, which, how, .. }: Write) -> Option<table::Claim> {
        let read = &self.read[who];
        let stored = read.enrollments.get(which % read.enrollments.len().max(1))?;
        let step = how % 3;
        let channel = [Channel::Whatsapp, Channel::Whatsapp, Channel::Email, Channel::Call][how % 4];
        let places = self.places(who, how);
        let next = Enrollment {
            state: State::Running { step: step + 1, due: self.now + TimeDelta::days(1) },
            first_sent_on: Some(self.clinic.date(self.now)),
            wakes: stored.enrollment.wakes + 1,
            ..stored.enrollment.clone()
        };
        let message = |step| MessageId::of(stored.enrollment.id, &step_id(step));
        let intent = Intent {
            message: message(step),
            step,
            step_id: step_id(step),
            channel,
            purpose: Purpose::Marketing,
            template: "churn-18m/s".to_owned(),
            claim_before: self.now + TimeDelta::hours(1),
            places: (channel == Channel::Whatsapp).then_some(places),
        };
        let ready = read.messages.iter().find(|m| m.id == intent.message).map(|m| m.attempts);
        let drop = table::Dropped { message: message(step + 1), reason: "capped" };
        Some(table::Claim {
            patient: who,
            attempt: if how < 48 { ready.unwrap_or(0) + 1 } else { 1 + u32::try_from(which % 3).unwrap() },
            from: Arc::new(EnrollmentItem { enrollment: stored.enrollment.clone(), version: stored.version }),
            next,
            seen: Arc::new(PatientItem { patient: read.patient.patient.clone(), version: read.patient.version }),
            contact: ContactKey::by(&read.patient.patient, channel)?,
            tier: (channel == Channel::Whatsapp).then_some(u32::try_from(which % 3).unwrap()),
            drops: how.is_multiple_of(5).then_some(drop).into_iter().collect(),
            epoch: if how % 16 == 15 { 2 } else { 1 },
            now: self.now,
            intent,
        })
    }

    /// Places by the ledgers as they are, or one that may be taken already.
    fn places(&self, who: usize, how: usize) -> (FreePlace, FreePlace) {
        let person = &self.read[who].patient.patient;
        let limits = Limits::default();
        let place = u8::try_from(how % 2).unwrap();
        let any = FreePlace {
            place,
            previous: None,
            rest_until: how.is_multiple_of(7).then_some(self.now + TimeDelta::days(9)),
        };
        let point = self.table.contact(ContactKey::phone(person).unwrap());
        let free = point.point.whatsapp.free_place(self.now, &limits).unwrap_or(any);
        (free, person.history.whatsapp.free_place(self.now, &limits).unwrap_or(any))
    }

    async fn claim(&mut self, write: Write) {
        let Some(ours) = self.drawn_claim(write) else { return };
        let collection = self.read[write.who].clone();
        let contacts = self.tenant.contact_keys(&collection.patient.patient, self.clinic.date(self.now));
        let contact = contacts.of(ours.intent.channel).unwrap().to_owned();
        let made = Made { claim: ours, collection, contact };
        let cleared = made.cleared(&self.clinic);
        let drops = made.drops();
        let said = match self.tenant.claim(&made.theirs(&cleared, &drops)).await {
            Ok(_) => Ok(()),
            Err(ClaimRefused::AlreadyClaimed) => Err(table::Refused::AlreadyClaimed),
            Err(ClaimRefused::TierTaken) => Err(table::Refused::TierTaken),
            Err(ClaimRefused::Changed) => Err(table::Refused::Changed),
            Err(ClaimRefused::Cloud(error)) => panic!("{error}"),
        };
        assert_eq!(self.table.claim(&made.claim), said, "{:?}", made.claim.intent);
        self.tell("claim", said.is_ok());
        if said.is_ok() {
            self.made.push(made);
        }
    }

    fn outcome(how: usize) -> Outcome {
        let code = "code".to_owned();
        match how % 4 {
            0 => Outcome::Accepted { provider_id: "1".to_owned() },
            1 => Outcome::NotSent { code, again_in: TimeDelta::minutes(1), breaker: None },
            2 => Outcome::Refused { code, news: RecipientNews::None },
            _ => Outcome::Ambiguous { code },
        }
    }

    async fn undo(&mut self, Write { which, how, .. }: Write) {
        // Mostly the last claim: an older one can hardly be taken back.
        let at = self.made.len().checked_sub(1 + if how < 48 { 0 } else { which });
        let Some(made) = at.and_then(|at| self.made.get(at)) else { return };
        let outcome = Self::outcome(1 + how % 2);
        let claim = &made.claim;
        let delivery = outcome.delivery(claim.attempt, claim.now);
        let mut restored = claim.from.enrollment.clone();
        restored.state = State::Running { step: claim.intent.step, due: claim.now + TimeDelta::minutes(1) };
        let (cleared, drops) = (made.cleared(&self.clinic), made.drops());
        let claimed = Claimed { at: claim.now, attempt: claim.attempt };
        let theirs = made.theirs(&cleared, &drops);
        let said = self.tenant.undo_claim(&theirs, claimed, &outcome, &delivery, &restored).await.unwrap();
        assert_eq!(self.table.undo_claim(claim, &outcome, &delivery, &restored), said);
        self.tell("undo", said);
    }

    async fn record(&mut self, Write { which, how, .. }: Write) {
        let Some(made) = self.made.iter().rev().nth(which % 3) else { return };
        let (claim, outcome) = (&made.claim, Self::outcome(how));
        let claimed = Claimed { at: claim.now, attempt: claim.attempt };
        let id = &made.collection.patient.patient.id;
        self.tenant.record_outcome(id, claim.intent.message, claimed, &outcome).await.unwrap();
        self.table.record_outcome(claim.patient, claim.intent.message, (claim.attempt, claim.now), &outcome);
    }

    async fn age(&mut self, Write { which, .. }: Write) {
        let Some(open) = self.overdue.get(which % self.overdue.len().max(1)).cloned() else { return };
        let Some(next) = open.delivery.aged(self.now) else { return };
        self.tenant.age_message(&open, &next).await.unwrap();
        let patient = self.read.iter().position(|read| read.patient.patient.id == open.patient).unwrap();
        let OverdueMessage { message, delivery, enrollment, step, .. } = open;
        self.table.age_message(&table::Overdue { patient, message, delivery, enrollment, step }, &next);
    }
}

impl Made {
    fn cleared(&self, clinic: &Clinic) -> ClearedMessage {
        let (person, intent) = (&self.collection.patient.patient, &self.claim.intent);
        let today = clinic.date(self.claim.now);
        let proof = person.consent.prove(intent.channel, intent.purpose, today).unwrap();
        let to = person.address(intent.channel, today).unwrap();
        ClearedMessage::new(intent.clone(), proof, to, rendered()).unwrap()
    }

    fn drops(&self) -> Vec<Dropped<'static>> {
        let drops = self.claim.drops.iter();
        drops.map(|d| Dropped { message: d.message, step: "s", reason: d.reason }).collect()
    }

    fn theirs<'a>(&'a self, message: &'a ClearedMessage, drops: &'a [Dropped<'a>]) -> Claim<'a> {
        let stored = self.collection.enrollments.iter().find(|e| e.enrollment.id == self.claim.next.id).unwrap();
        Claim {
            message,
            from: stored,
            next: &self.claim.next,
            because: "",
            patient: &self.collection.patient,
            contact: &self.contact,
            attempt: self.claim.attempt,
            tier: self.claim.tier.map(|place| (NUMBER, place)),
            drops,
            slots: &[],
            epoch: self.claim.epoch,
            template: ("t", 1),
            now: self.claim.now,
        }
    }
}
