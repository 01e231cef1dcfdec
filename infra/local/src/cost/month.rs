//! A clinic's month, played by the production handlers: each evening an export, each morning the
//! evaluation, a sweep each quarter of an hour; messages with their receipts, and patients who answer.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use retorno_cloud::Clock;
use retorno_cloud::store::FreeSlot;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;
use serde::Serialize;
use serde_json::json;
use staff_api::outbox::sent_between;

use crate::bench::made_up::{Population, ZONE, daily_rows, export};
use crate::bench::stage::{at, monday_and};
use crate::doubles::{Mail, SentMessage};
use crate::engine::RequestUnits;
use crate::host::{Host, HostError, HostKeys, Work, WorkDone, Written, signed};

/// Days played before those that are counted: the first wave is larger than those that follow.
pub(super) const SETTLING: u64 = 10;
/// Days counted.
pub(super) const DAYS: u64 = 30;
/// Of so many WhatsApp messages one is answered by a booking, and of so many by an opt-out.
const BOOKS: usize = 8;
const STOPS: usize = 60;
/// How often the sweep looks, as in the cloud.
const SWEEP: &str = "rate(15 minutes)";
const SEED: &[u8] = b"retorno cost: links made here open nothing";

/// What happened in a clinic's month.
#[derive(Debug, Clone)]
pub struct Month {
    /// Patients on record.
    pub patients: u32,
    /// The month, after its first days.
    pub month: Period,
    /// Everything from the first day on: whole sequences from their beginning to their end, where the
    /// month also ends those that its first days began.
    pub whole: Period,
    /// The first import of all, which is not part of the month.
    pub first_import: RequestUnits,
    /// Bytes of one export.
    pub export_bytes: u64,
    /// Bytes in the table at the end, indexes left out.
    pub table_bytes: u64,
}

/// What happened in a time.
#[derive(Debug, Clone)]
pub struct Period {
    /// WhatsApp messages accepted.
    pub whatsapp: u64,
    /// E-mails accepted.
    pub emails: u64,
    /// Calls handed to staff.
    pub calls: u64,
    /// What patients wrote.
    pub replies: u64,
    /// What the functions were invoked for.
    pub work: BTreeMap<Work, WorkDone>,
    /// Schedules that fired.
    pub fired: u64,
}

impl Period {
    /// What came after an earlier look.
    fn since(&self, before: &Self) -> Self {
        let after =
            |(work, done): (&Work, &WorkDone)| (*work, *done - before.work.get(work).copied().unwrap_or_default());
        Self {
            whatsapp: self.whatsapp - before.whatsapp,
            emails: self.emails - before.emails,
            calls: self.calls - before.calls,
            replies: self.replies - before.replies,
            work: self.work.iter().map(after).collect(),
            fired: self.fired - before.fired,
        }
    }

    /// Messages, e-mails and calls.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.whatsapp + self.emails + self.calls
    }
}

/// The outcome of one accepted message that is told by webhook.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Sent,
    Delivered,
    Read,
}

/// Plays a month of a clinic of that many patients, whose number may reach that many people a day.
///
/// # Errors
/// [`HostError`] of the machine; a handler that fails is the machine's failure here.
pub(super) async fn play(patients: u32, tier: u32) -> Result<Month, HostError> {
    let mut played = Played::begin(patients, tier).await?;
    for day in 0..SETTLING {
        played.day(day).await?;
    }
    let before = played.so_far(SETTLING).await?;
    for day in SETTLING..SETTLING + DAYS {
        played.day(day).await?;
    }
    let whole = played.so_far(SETTLING + DAYS).await?;
    Ok(Month {
        patients,
        month: whole.since(&before),
        whole,
        first_import: played.first_import,
        export_bytes: count(played.csv.len()),
        table_bytes: played.table_bytes().await?,
    })
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

struct Played {
    host: Host,
    id: ClinicId,
    clinic: Clinic,
    patients: u32,
    csv: String,
    first_import: RequestUnits,
    whatsapp_seen: usize,
    emails_seen: usize,
    replies: u64,
}

impl Played {
    async fn begin(patients: u32, tier: u32) -> Result<Self, HostError> {
        let began = at(monday_and(0), 5, 0);
        let host = Host::in_memory(Clock::movable(began), &HostKeys::from_seed(SEED)?, "https://citas.example").await?;
        let id = ClinicId::parse("cost").map_err(|e| HostError::User(e.to_string()))?;
        let settings = format!("zone = \"{ZONE}\"\n[limits]\nwhatsapp_daily_tier = {tier}\n");
        let clinic = clinic_from_toml(id.clone(), &settings, None)?;
        host.add_clinic(&id, &settings, SWEEP).await?;
        let csv = export(patients, Population::Mixed, monday_and(0));
        let mut played = Self {
            host,
            id,
            clinic,
            patients,
            csv,
            first_import: RequestUnits::default(),
            whatsapp_seen: 0,
            emails_seen: 0,
            replies: 0,
        };
        let before = played.host.engine.units();
        played.import().await?;
        played.first_import = played.host.engine.units() - before;
        Ok(played)
    }

    async fn import(&self) -> Result<(), HostError> {
        let mut unheard = |_| {};
        let csv = self.csv.as_bytes();
        let importing = export_importer::import(&self.host.reach, &self.id, "cost", csv, &mut unheard);
        self.host.counted(Work::Import, importing).await?;
        Ok(())
    }

    /// A day from five in the morning to five in the morning.
    async fn day(&mut self, day: u64) -> Result<(), HostError> {
        let date = monday_and(day);
        self.agenda(date).await?;
        for hour in 6..21 {
            self.host.advance_to(at(date, hour, 0), |_, _| true).await?;
            self.receipts_and_replies().await?;
        }
        self.csv.push_str(&daily_rows(self.patients, day, date));
        self.import().await?;
        self.host.advance_to(at(date + Days::new(1), 5, 0), |_, _| true).await?;
        Ok(())
    }

    /// The free slots of the next two weeks, about one for sixty patients and day.
    async fn agenda(&self, date: NaiveDate) -> Result<(), HostError> {
        let a_day = (self.patients / 60).max(4);
        let slots = (1..15_u64).flat_map(|ahead| {
            let start = at(date + Days::new(ahead), 9, 0);
            (0..a_day).map(move |number| FreeSlot {
                start: start + TimeDelta::minutes(i64::from(number % 16) * 30),
                id: format!("{start}-{number}"),
                professional: format!("Dra. {}", number / 16),
                minutes: 30,
            })
        });
        let slots: Vec<FreeSlot> = slots.collect();
        let writing = self.host.reach.store.of(&self.id);
        self.host.counted(Work::Import, writing.put_slots(&slots, true, self.host.now())).await?;
        Ok(())
    }

    /// What providers tell of the messages since the last time, and what patients answer to them.
    async fn receipts_and_replies(&mut self) -> Result<(), HostError> {
        let sent = self.host.doubles.whatsapp().all_sent()?;
        for (number, message) in sent.iter().enumerate().skip(self.whatsapp_seen) {
            for told in [Told::Sent, Told::Delivered, Told::Read] {
                self.told(message, told).await?;
            }
            // What a message begins has a template; what answers one has not, and ends there.
            let is_ours = message.template.is_some();
            let words = if number % STOPS == 0 { "PARAR" } else { "1" };
            if is_ours && (number % BOOKS == 0 || number % STOPS == 0) {
                let written = Written::Text(words.to_owned());
                self.host.write_on_phone(&self.clinic, &message.to, &written, Some(&message.wamid)).await?;
                self.replies += 1;
            }
        }
        self.whatsapp_seen = sent.len();
        let mails = self.host.doubles.ses().all_mails()?;
        for mail in mails.iter().skip(self.emails_seen) {
            self.delivered(mail).await?;
        }
        self.emails_seen = mails.len();
        self.host.settle().await?;
        Ok(())
    }

    /// One status of one message, as a webhook of its own: Meta may put several into one.
    async fn told(&self, message: &SentMessage, told: Told) -> Result<(), HostError> {
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "sandbox", "changes": [{ "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "0", "phone_number_id": self.clinic.whatsapp_phone_number_id },
                "statuses": [{
                    "id": message.wamid, "status": told, "timestamp": self.host.now().timestamp().to_string(),
                    "recipient_id": message.to, "biz_opaque_callback_data": message.opaque,
                }],
            } }] }],
        });
        let answer = self.host.hook(signed(&self.host.sandbox_app_secret(), body.to_string().into_bytes())).await;
        if answer.status == 200 {
            return Ok(());
        }
        Err(HostError::User(format!("the hook answered a receipt with {}", answer.status)))
    }

    /// A mail's delivery, as SES publishes it through SNS to the queue.
    async fn delivered(&self, mail: &Mail) -> Result<(), HostError> {
        let now: DateTime<Utc> = self.host.now();
        let tags: BTreeMap<&str, [&str; 1]> =
            mail.tags.iter().map(|(name, value)| (name.as_str(), [value.as_str()])).collect();
        let body = json!({
            "eventType": "Delivery",
            "mail": { "timestamp": mail.at, "messageId": mail.message_id, "destination": mail.to, "tags": tags },
            "delivery": { "timestamp": now, "recipients": mail.to },
        })
        .to_string();
        let taking = self.host.reader().take_in(&body, now);
        Ok(self.host.counted(Work::Events, taking).await?)
    }

    /// What happened in the first so many days.
    async fn so_far(&self, days: u64) -> Result<Period, HostError> {
        let (work, fired) = self.host.work().so_far();
        let tenant = self.host.reach.store.of(&self.id);
        let sent = sent_between(&tenant, monday_and(0), monday_and(days - 1)).await?;
        Ok(Period {
            whatsapp: count(self.whatsapp_seen),
            emails: count(self.emails_seen),
            calls: count(sent.iter().filter(|sent| sent.channel == Channel::Call.code()).count()),
            replies: self.replies,
            work,
            fired,
        })
    }

    /// What all items weigh, by DynamoDB's rules for a strong scan: 4 KB a unit.
    async fn table_bytes(&self) -> Result<u64, HostError> {
        let mut items = 0;
        let tenant = self.host.reach.store.of(&self.id);
        let ids: BTreeSet<_> = tenant.values().await?.into_iter().map(|entry| entry.patient).collect();
        for patient in &ids {
            let before = self.host.engine.units();
            tenant.collection(patient).await?;
            let units = self.host.engine.units() - before;
            items += bytes(units.read);
        }
        Ok(items)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few units, never below zero")]
fn bytes(units: f64) -> u64 {
    (units * 4_096.0).ceil() as u64
}
