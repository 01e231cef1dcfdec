//! Who may be enrolled: the rules tested on entry, each of which can say why not and until when.
//! Deciding stops at the first that blocks; explaining looks at all of them with the same code.

use chrono::{DateTime, TimeDelta, Utc};

use crate::approval::Lacks;
use crate::because::{Because, Finding, Verdict};
use crate::calendar::start_of_day;
use crate::channel::{Channel, ChannelSet, Purpose};
use crate::clinic::Clinic;
use crate::contact_point::ContactPoints;
use crate::flow::{Flow, Step};
use crate::patient::Patient;
use crate::segment::{Placement, date_of};

/// Everything the entry rules look at.
#[derive(Debug, Clone, Copy)]
pub struct EntryCase<'a> {
    /// The clinic.
    pub clinic: &'a Clinic,
    /// The patient.
    pub patient: &'a Patient,
    /// The patient's contact points.
    pub points: &'a ContactPoints,
    /// Where the patient belongs today.
    pub placement: Placement,
    /// What Meta's word changes: flows that may not begin for want of an approved template, and steps that
    /// are marketing by it.
    pub lacks: &'a Lacks,
    /// The instant of the question.
    pub now: DateTime<Utc>,
}

/// A rule tested on entry, in the order in which they are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRule {
    /// The clinic has not stopped all sending.
    Running,
    /// The patient belongs to a segment.
    Segment,
    /// The person agreed to a channel of the segment's flow.
    Consent,
    /// There is a usable contact for such a channel.
    Contact,
    /// Nobody opted out for that contact.
    SharedOptOut,
    /// Nothing is booked.
    OpenAppointment,
    /// No appointment passed lately without an outcome.
    AwaitingOutcome,
    /// Staff does not have the conversation.
    Paused,
    /// No sequence is running.
    Sequence,
    /// Not contacted lately.
    Quiet,
    /// Not resting after the last allowed message.
    Rest,
    /// Nobody sharing the contact is in a sequence.
    ContactBusy,
    /// A sendable channel has room under the contact point's cap.
    ContactCap,
    /// Meta has approved what the flow says on WhatsApp.
    Templates,
}

impl EntryRule {
    /// All rules, in order.
    pub const ALL: [Self; 14] = [
        Self::Running,
        Self::Segment,
        Self::Consent,
        Self::Contact,
        Self::SharedOptOut,
        Self::OpenAppointment,
        Self::AwaitingOutcome,
        Self::Paused,
        Self::Sequence,
        Self::Quiet,
        Self::Rest,
        Self::ContactBusy,
        Self::ContactCap,
        Self::Templates,
    ];

    /// Whether the patient's own record does not answer the rule: it needs the contact points, or Meta's
    /// word.
    #[must_use]
    pub fn looks_beyond_the_patient(self) -> bool {
        match self {
            Self::SharedOptOut | Self::ContactBusy | Self::ContactCap | Self::Templates => true,
            Self::Running
            | Self::Segment
            | Self::Consent
            | Self::Contact
            | Self::OpenAppointment
            | Self::AwaitingOutcome
            | Self::Paused
            | Self::Sequence
            | Self::Quiet
            | Self::Rest => false,
        }
    }

    /// What the rule says of a case.
    #[must_use]
    pub fn check(self, case: &EntryCase<'_>) -> Finding {
        match self {
            Self::Running if case.clinic.halted => Finding::not("running", "clinic_halted", Verdict::Block(None)),
            Self::Running => Finding::pass("running"),
            Self::Segment => segment(case),
            Self::Consent => consent(case),
            Self::Contact if case.filtered(|channel, purpose| case.is_reachable(channel, purpose)).is_empty() => {
                no_contact(case)
            }
            Self::Contact => Finding::pass("contact"),
            Self::SharedOptOut if case.sendable().is_empty() => {
                Finding::not("shared_opt_out", "shared_opt_out", Verdict::Block(None))
            }
            Self::SharedOptOut => Finding::pass("shared_opt_out"),
            Self::OpenAppointment => open_appointment(case),
            Self::AwaitingOutcome => awaiting_outcome(case),
            Self::Paused if case.patient.paused => Finding::not("paused", "paused", Verdict::Block(None)),
            Self::Paused => Finding::pass("paused"),
            Self::Sequence => match case.patient.sequence {
                Some(id) => Finding::not("sequence", "in_sequence", Verdict::Block(None)).with("enrollment", id),
                None => Finding::pass("sequence"),
            },
            Self::Quiet => quiet(case),
            Self::Rest => until("rest", "resting", case.patient.history.whatsapp.rest_until, case.now),
            Self::ContactBusy => until("contact_busy", "contact_busy", case.busy_until(), case.now),
            Self::ContactCap => contact_cap(case),
            Self::Templates => templates(case),
        }
    }
}

/// Decides a case by the rules given: passes, or blocks with the first rule that does.
#[must_use]
pub fn first_block(case: &EntryCase<'_>, rules: impl IntoIterator<Item = EntryRule>) -> Option<Finding> {
    rules.into_iter().map(|rule| rule.check(case)).find(|finding| !finding.passes())
}

/// Every rule's finding, for the explanation.
#[must_use]
pub fn explain(case: &EntryCase<'_>) -> Because {
    Because { findings: EntryRule::ALL.into_iter().map(|rule| rule.check(case)).collect() }
}

impl EntryCase<'_> {
    /// The flow of the patient's segment.
    #[must_use]
    pub fn flow(&self) -> Option<&Flow> {
        let segment = self.clinic.segments.get(self.placement.segment?)?;
        self.clinic.flow(&segment.flow)
    }

    fn purpose(&self, step: &Step) -> Purpose {
        let segment = self.placement.segment.and_then(|index| self.clinic.segments.get(index));
        segment.map_or(step.purpose, |segment| self.lacks.purpose(&segment.id, step))
    }

    /// The channels of those steps of the flow, among the clinic's, that pass: by channel and purpose.
    fn filtered(&self, keep: impl Fn(Channel, Purpose) -> bool) -> ChannelSet {
        let steps = self.flow().into_iter().flat_map(|flow| &flow.steps);
        let kept = steps.filter(|step| keep(step.channel, self.purpose(step))).map(|step| step.channel);
        kept.collect::<ChannelSet>().and(self.clinic.channels)
    }

    fn is_agreed(&self, channel: Channel, purpose: Purpose) -> bool {
        self.patient.consent.prove(channel, purpose, self.clinic.date(self.now)).is_ok()
    }

    fn is_reachable(&self, channel: Channel, purpose: Purpose) -> bool {
        self.is_agreed(channel, purpose)
            && self.patient.address(channel, self.clinic.date(self.now)).is_some()
            && !self.points.of(channel).unreachable.contains(channel)
    }

    fn is_sendable(&self, channel: Channel, purpose: Purpose) -> bool {
        self.is_reachable(channel, purpose) && !self.points.of(channel).is_suppressed(channel, purpose)
    }

    fn sendable(&self) -> ChannelSet {
        self.filtered(|channel, purpose| self.is_sendable(channel, purpose))
    }

    /// Channels by which the first message could go, given the cap of the contact point, which only
    /// marketing on WhatsApp has.
    #[must_use]
    pub fn open_channels(&self) -> ChannelSet {
        let counts = |channel, purpose| channel == Channel::Whatsapp && purpose == Purpose::Marketing;
        let free = |channel, purpose| !counts(channel, purpose) || self.whatsapp_capped_until().is_none();
        self.filtered(|channel, purpose| self.is_sendable(channel, purpose) && free(channel, purpose))
    }

    fn whatsapp_capped_until(&self) -> Option<DateTime<Utc>> {
        self.points.phone.whatsapp.free_place(self.now, &self.clinic.limits).err().map(|capped| capped.until())
    }

    fn busy_until(&self) -> Option<DateTime<Utc>> {
        let sendable = self.sendable();
        let points = [
            (&self.points.phone, sendable.iter().any(Channel::is_phone)),
            (&self.points.email, sendable.contains(Channel::Email)),
            (&self.points.push, sendable.contains(Channel::Push)),
        ];
        points
            .into_iter()
            .filter(|(_, used)| *used)
            .filter_map(|(point, _)| point.busy_with_another(&self.patient.id, self.now))
            .max()
    }
}

/// For a minor the answer may change on the day of coming of age.
fn no_contact(case: &EntryCase<'_>) -> Finding {
    let today = case.clinic.date(case.now);
    let through = case.patient.through(today);
    let of_age = case.patient.of_age_on().filter(|day| *day > today);
    let until = of_age.map(|day| start_of_day(day, case.clinic.zone));
    let (name, figure) = through.figure();
    Finding::not("contact", through.no_contact(), Verdict::Block(until)).with(name, figure)
}

fn segment(case: &EntryCase<'_>) -> Finding {
    let change = case.placement.next_change.and_then(date_of).map(|date| start_of_day(date, case.clinic.zone));
    match case.placement.segment.and_then(|index| case.clinic.segments.get(index)) {
        Some(segment) => Finding::pass("segment").with("segment", &segment.id),
        None => Finding::not("segment", "no_segment", Verdict::Block(change)),
    }
}

fn consent(case: &EntryCase<'_>) -> Finding {
    let today = case.clinic.date(case.now);
    if !case.filtered(|channel, purpose| case.is_agreed(channel, purpose)).is_empty() {
        return Finding::pass("consent");
    }
    let until = case.patient.consent.next_change(today).map(|date| start_of_day(date, case.clinic.zone));
    let first = case.flow().and_then(|flow| flow.steps.first()).map_or(Purpose::Marketing, |step| case.purpose(step));
    let reason = match case.patient.consent.agreed(first, today) {
        Err(why) => why.code(),
        Ok(_) => "channel_not_agreed",
    };
    Finding::not("consent", reason, Verdict::Block(until))
}

fn open_appointment(case: &EntryCase<'_>) -> Finding {
    let open = case.patient.appointments.iter().filter(|a| a.is_open(case.now)).min_by_key(|a| a.start);
    match open {
        Some(a) => Finding::not("open_appointment", "open_appointment", Verdict::Block(Some(a.start)))
            .with("appointment", &a.id),
        None => Finding::pass("open_appointment"),
    }
}

fn awaiting_outcome(case: &EntryCase<'_>) -> Finding {
    let since = case.clinic.awaiting_outcome_since(case.now);
    let recent = |a: &&crate::appointment::Appointment| a.awaits_outcome(case.now) && a.start >= since;
    let Some(last) = case.patient.appointments.iter().filter(recent).max_by_key(|a| a.start) else {
        return Finding::pass("awaiting_outcome");
    };
    let days = TimeDelta::days(i64::from(case.clinic.limits.awaiting_outcome_days) + 1);
    let until = case.clinic.date(last.start).checked_add_signed(days).map(|date| start_of_day(date, case.clinic.zone));
    Finding::not("awaiting_outcome", "awaiting_outcome", Verdict::Block(until)).with("appointment", &last.id)
}

fn quiet(case: &EntryCase<'_>) -> Finding {
    let days = TimeDelta::days(i64::from(case.clinic.limits.entry_quiet_days));
    until("quiet", "contacted_recently", case.patient.history.last_at.map(|at| at + days), case.now)
}

fn until(rule: &'static str, reason: &'static str, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    match until.filter(|until| *until > now) {
        Some(until) => Finding::not(rule, reason, Verdict::Block(Some(until))),
        None => Finding::pass(rule),
    }
}

fn contact_cap(case: &EntryCase<'_>) -> Finding {
    if case.open_channels().is_empty() {
        Finding::not("contact_cap", "contact_resting", Verdict::Block(case.whatsapp_capped_until()))
    } else {
        Finding::pass("contact_cap")
    }
}

/// Whoever WhatsApp does not reach anyway is not kept waiting by it.
fn templates(case: &EntryCase<'_>) -> Finding {
    let segment = case.placement.segment.and_then(|index| case.clinic.segments.get(index));
    let for_guardian = case.patient.through(case.clinic.date(case.now)).guardian().is_some();
    let lack = segment.and_then(|segment| case.lacks.of_segment(&segment.id, for_guardian));
    match lack.filter(|_| case.open_channels().contains(Channel::Whatsapp)) {
        Some(lack) => Finding::not("templates", lack.why.reason(), Verdict::Block(lack.why.look_again(case.now)))
            .with("template", &lack.template)
            .with("step", &lack.step),
        None => Finding::pass("templates"),
    }
}
