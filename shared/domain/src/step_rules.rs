//! Whether a step may be sent now: the rules looked at, in order, each with its verdict.

mod copy;

use chrono::{DateTime, Utc};

use crate::appointment::Appointment;
use crate::because::{Finding, Verdict};
use crate::calendar::local_date;
use crate::channel::{Channel, Purpose};
use crate::clinic::Clinic;
use crate::contact_point::ContactPoints;
use crate::enrollment::{EndReason, Enrollment, held_until, place_in_day};
use crate::flow::{Flow, Step};
use crate::guard;
use crate::limits::{Capped, FreePlace};
use crate::patient::Patient;
use crate::segment::Placement;

pub use copy::CopyProblem;

/// Everything a decision about an enrollment looks at, read together and just before.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The clinic.
    pub clinic: &'a Clinic,
    /// The enrollment's flow, in the enrollment's version.
    pub flow: &'a Flow,
    /// The patient.
    pub patient: &'a Patient,
    /// The patient's contact points.
    pub points: &'a ContactPoints,
    /// Where the patient belongs today.
    pub placement: Placement,
    /// The patient's last word.
    pub heard_at: Option<DateTime<Utc>>,
    /// Until when the WhatsApp number has reached its daily tier, if it has.
    pub number_full_until: Option<DateTime<Utc>>,
    /// Channels that are halted, each until when.
    pub breakers: &'a [(Channel, DateTime<Utc>)],
    /// That the clinic's own gateway to WhatsApp cannot send.
    pub unlinked: Option<crate::connection::Unlinked>,
    /// What is wrong with a step's copy, if anything. Pure, like everything here.
    pub copy: &'a dyn Fn(&Step) -> Option<CopyProblem>,
}

/// A rule about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepRule {
    /// The enrollment is of the table's present epoch.
    Epoch,
    /// Nothing is booked.
    OpenAppointment,
    /// No appointment passed lately without an outcome.
    AwaitingOutcome,
    /// The person has not opted out of everything that is still to come.
    OptOut,
    /// The first message leaves in its week.
    Week,
    /// Before the first message, the patient still belongs to the segment.
    Member,
    /// The clinic uses the channel.
    ChannelUsed,
    /// The person agreed to the channel.
    Consent,
    /// There is a usable contact.
    Contact,
    /// Nobody opted out for that contact.
    SharedOptOut,
    /// There is a copy, and every variable in it has a value.
    Copy,
    /// The person has room under the cap.
    PersonCap,
    /// The contact point has room under the cap.
    ContactCap,
    /// Not later than the longest delay.
    Delay,
    /// The clinic has not stopped all sending.
    Running,
    /// The channel works.
    Breaker,
    /// Staff does not have the conversation.
    Paused,
    /// Not too many messages today.
    PerDay,
    /// Within contact hours.
    Hours,
    /// The WhatsApp number has room in its daily tier.
    NumberTier,
}

impl StepRule {
    /// All rules, in order: what ends the sequence, what leaves the step out, what makes it wait.
    pub const ALL: [Self; 20] = [
        Self::Epoch,
        Self::OpenAppointment,
        Self::AwaitingOutcome,
        Self::OptOut,
        Self::Week,
        Self::Member,
        Self::ChannelUsed,
        Self::Consent,
        Self::Contact,
        Self::SharedOptOut,
        Self::Copy,
        Self::PersonCap,
        Self::ContactCap,
        Self::Delay,
        Self::Running,
        Self::Breaker,
        Self::Paused,
        Self::PerDay,
        Self::Hours,
        Self::NumberTier,
    ];

    /// Rules that end a sequence whenever they are broken, not only when a step is due.
    pub const STANDING: [Self; 4] = [Self::Epoch, Self::OpenAppointment, Self::AwaitingOutcome, Self::OptOut];

    /// Why the sequence ends when this rule stops it.
    #[must_use]
    pub fn end_reason(self) -> EndReason {
        match self {
            Self::Epoch => EndReason::OlderEpoch,
            Self::OpenAppointment => EndReason::Booked,
            Self::AwaitingOutcome => EndReason::AwaitingOutcome,
            Self::OptOut => EndReason::OptedOut,
            Self::Week => EndReason::WeekOver,
            Self::Member => EndReason::LeftSegment,
            Self::ChannelUsed
            | Self::Consent
            | Self::Contact
            | Self::SharedOptOut
            | Self::Copy
            | Self::PersonCap
            | Self::ContactCap
            | Self::Delay
            | Self::Running
            | Self::Breaker
            | Self::Paused
            | Self::PerDay
            | Self::Hours
            | Self::NumberTier => EndReason::NothingSendable,
        }
    }
}

/// A step of an enrollment, about to be decided.
#[derive(Clone, Copy)]
pub struct StepCase<'a> {
    /// What was read.
    pub facts: &'a Facts<'a>,
    /// The enrollment.
    pub enrollment: &'a Enrollment,
    /// The step.
    pub step: &'a Step,
    /// The instant of the decision.
    pub now: DateTime<Utc>,
}

impl StepCase<'_> {
    /// What a rule says.
    #[must_use]
    pub fn check(&self, rule: StepRule) -> Finding {
        let finding = self.look_at(rule);
        if guard::is_off("step", finding.rule) { Finding::pass(finding.rule) } else { finding }
    }

    fn look_at(&self, rule: StepRule) -> Finding {
        match rule {
            StepRule::Epoch => self.epoch(),
            StepRule::OpenAppointment => self.open_appointment(),
            StepRule::AwaitingOutcome => self.awaiting_outcome(),
            StepRule::OptOut => self.opt_out(),
            StepRule::Week => self.week(),
            StepRule::Member => self.member(),
            StepRule::ChannelUsed => self.channel_used(),
            StepRule::Consent => self.consent(),
            StepRule::Contact => self.contact(),
            StepRule::SharedOptOut => self.shared_opt_out(),
            StepRule::Copy => self.copy(),
            StepRule::PersonCap => self.cap("person_cap", self.person_place()),
            StepRule::ContactCap => self.cap("contact_cap", self.contact_place()),
            StepRule::Delay => self.delay(),
            StepRule::Running => self.running(),
            StepRule::Breaker => self.breaker(),
            StepRule::Paused => self.paused(),
            StepRule::PerDay => self.per_day(),
            StepRule::Hours => self.hours(),
            StepRule::NumberTier => self.number_tier(),
        }
    }

    /// The last instant at which the step may leave.
    #[must_use]
    pub fn latest(&self) -> DateTime<Utc> {
        self.enrollment.latest(self.step, self.facts.clinic.zone, self.facts.patient.profile.zone)
    }

    /// Places in the two ledgers, when the step counts towards the cap.
    #[must_use]
    pub fn places(&self) -> Option<(FreePlace, FreePlace)> {
        Some((self.contact_place()?.ok()?, self.person_place()?.ok()?))
    }

    fn counts(&self) -> bool {
        self.step.channel == Channel::Whatsapp && self.step.purpose == Purpose::Marketing
    }

    fn person_place(&self) -> Option<Result<FreePlace, Capped>> {
        let ledger = &self.facts.patient.history.whatsapp;
        self.counts().then(|| ledger.free_place(self.now, &self.facts.clinic.limits))
    }

    fn contact_place(&self) -> Option<Result<FreePlace, Capped>> {
        let ledger = &self.facts.points.of(self.step.channel).whatsapp;
        self.counts().then(|| ledger.free_place(self.now, &self.facts.clinic.limits))
    }

    fn cap(&self, rule: &'static str, place: Option<Result<FreePlace, Capped>>) -> Finding {
        match place {
            Some(Err(Capped::Resting(until))) => {
                Finding::not(rule, "resting", Verdict::Skip).with("until", until.to_rfc3339())
            }
            Some(Err(Capped::Window(until))) => {
                Finding::not(rule, "capped", Verdict::Skip).with("until", until.to_rfc3339())
            }
            Some(Ok(_)) | None => Finding::pass(rule),
        }
    }

    fn has_begun(&self) -> bool {
        self.enrollment.first_sent_on.is_some()
    }

    fn epoch(&self) -> Finding {
        let (enrolled, present) = (self.enrollment.epoch, self.facts.clinic.epoch);
        if enrolled == present {
            return Finding::pass("epoch");
        }
        Finding::not("epoch", "older_epoch", Verdict::Stop).with("enrolled", enrolled).with("present", present)
    }

    fn week(&self) -> Finding {
        if self.has_begun() || self.facts.clinic.week(self.now) == self.enrollment.week {
            return Finding::pass("week");
        }
        Finding::not("week", "week_over", Verdict::Stop).with("week", self.enrollment.week)
    }

    fn member(&self) -> Finding {
        if self.has_begun() || self.is_member() {
            return Finding::pass("member");
        }
        Finding::not("member", "left_segment", Verdict::Stop).with("segment", &self.enrollment.segment)
    }

    fn is_member(&self) -> bool {
        let segment = self.facts.placement.segment.and_then(|index| self.facts.clinic.segments.get(index));
        segment.is_some_and(|segment| segment.id == self.enrollment.segment)
    }

    fn open_appointment(&self) -> Finding {
        match self.facts.patient.appointments.iter().find(|a| a.is_open(self.now)) {
            Some(a) => Finding::not("open_appointment", "open_appointment", Verdict::Stop).with("appointment", &a.id),
            None => Finding::pass("open_appointment"),
        }
    }

    fn awaiting_outcome(&self) -> Finding {
        let since = self.facts.clinic.awaiting_outcome_since(self.now);
        let recent = |a: &&Appointment| a.awaits_outcome(self.now) && a.start >= since;
        match self.facts.patient.appointments.iter().find(recent) {
            Some(a) => Finding::not("awaiting_outcome", "awaiting_outcome", Verdict::Stop).with("appointment", &a.id),
            None => Finding::pass("awaiting_outcome"),
        }
    }

    fn opt_out(&self) -> Finding {
        let to_come = self.facts.flow.steps.iter().skip_while(|step| step.id != self.step.id).chain([self.step]);
        let purposes = to_come.map(|step| step.purpose).collect();
        match self.facts.patient.consent.opted_out_of_all(purposes, self.facts.clinic.date(self.now)) {
            Some(on) => Finding::not("opt_out", "opted_out", Verdict::Stop).with("on", on),
            None => Finding::pass("opt_out"),
        }
    }

    fn channel_used(&self) -> Finding {
        if self.facts.clinic.channels.contains(self.step.channel) {
            return Finding::pass("channel_used");
        }
        Finding::not("channel_used", "channel_off", Verdict::Skip).with("channel", self.step.channel)
    }

    fn consent(&self) -> Finding {
        let today = self.facts.clinic.date(self.now);
        match self.facts.patient.consent.prove(self.step.channel, self.step.purpose, today) {
            Ok(proof) => Finding::pass("consent").with("channel", self.step.channel).with("given_on", proof.given_on()),
            Err(why) => Finding::not("consent", why.code(), Verdict::Skip).with("channel", self.step.channel),
        }
    }

    fn contact(&self) -> Finding {
        let (channel, patient, today) = (self.step.channel, self.facts.patient, self.facts.clinic.date(self.now));
        let reason = match patient.address(channel, today) {
            None => patient.through(today).no_contact(),
            Some(_) if self.facts.points.of(channel).unreachable.contains(channel) => "unreachable",
            Some(_) => return Finding::pass("contact"),
        };
        Finding::not("contact", reason, Verdict::Skip).with("channel", channel)
    }

    fn shared_opt_out(&self) -> Finding {
        let channel = self.step.channel;
        if self.facts.points.of(channel).is_suppressed(channel, self.step.purpose) {
            return Finding::not("shared_opt_out", "shared_opt_out", Verdict::Skip).with("channel", channel);
        }
        Finding::pass("shared_opt_out")
    }

    fn delay(&self) -> Finding {
        if self.now <= self.latest() {
            return Finding::pass("delay");
        }
        Finding::not("delay", "too_late", Verdict::Skip).with("latest", self.latest().to_rfc3339())
    }

    fn running(&self) -> Finding {
        if self.facts.clinic.halted {
            return Finding::not("running", "clinic_halted", Verdict::Wait(held_until(self.now)));
        }
        Finding::pass("running")
    }

    fn breaker(&self) -> Finding {
        crate::connection::breaker(self.step.channel, self.facts.unlinked, self.facts.breakers, self.now)
    }

    fn paused(&self) -> Finding {
        if self.facts.patient.paused {
            return Finding::not("paused", "paused", Verdict::Wait(held_until(self.now)));
        }
        Finding::pass("paused")
    }

    fn number_tier(&self) -> Finding {
        match self.facts.number_full_until.filter(|_| self.step.channel == Channel::Whatsapp) {
            Some(until) => Finding::not("number_tier", "number_full", Verdict::Wait(until)),
            None => Finding::pass("number_tier"),
        }
    }

    fn per_day(&self) -> Finding {
        let (history, zone) = (&self.facts.patient.history, self.facts.patient.profile.zone);
        let today = local_date(self.now, zone);
        let sent = match history.last_at {
            Some(last) if local_date(last, zone) == today => history.last_day_count,
            Some(_) | None => 0,
        };
        if sent < self.facts.clinic.limits.per_day_max {
            return Finding::pass("per_day").with("sent_today", sent);
        }
        // At the enrollment's own place in the next open day: at its opening all held back would meet.
        let calendar = &self.facts.clinic.calendar;
        let next = today
            .succ_opt()
            .and_then(|date| calendar.next_open_date(date))
            .and_then(|date| calendar.window_on(date, zone));
        let verdict = next.map_or(Verdict::Skip, |window| Verdict::Wait(place_in_day(self.enrollment.id, window)));
        Finding::not("per_day", "enough_today", verdict).with("sent_today", sent)
    }

    fn hours(&self) -> Finding {
        let (calendar, zone) = (&self.facts.clinic.calendar, self.facts.patient.profile.zone);
        match calendar.next_opening(self.now, zone) {
            Some(opening) if opening <= self.now => Finding::pass("hours"),
            Some(opening) => Finding::not("hours", "outside_hours", Verdict::Wait(opening)),
            None => Finding::not("hours", "never_open", Verdict::Skip),
        }
    }
}
