//! Writes beside the sending: enrollments moved on and ended, contact points, patients.

use chrono::TimeDelta;
use retorno_cloud::store::{Advance, Dropped, PatientChange, StoredPatient, Turn, TurnDone};
use retorno_domain::because::Because;
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::enrollment::{EndReason, Enrollment, State};
use retorno_domain::ids::MessageId;
use retorno_domain::patient::Patient;
use retorno_protocol::people::phone;
use retorno_protocol::table::{self, ContactKey, EnrollmentItem};

use crate::both::{Both, step_id};
use crate::write::{Kind, Write};

impl Both {
    pub(crate) async fn advance(&mut self, Write { kind, who, which, how, .. }: Write) {
        let read = self.read[who].clone();
        let Some(stored) = read.enrollments.get(which % read.enrollments.len().max(1)) else { return };
        let ends = kind == Kind::End;
        let due = self.now + TimeDelta::hours(1);
        let state = match (ends, how % 3) {
            (true, _) => State::Ended { reason: EndReason::ALL[how % EndReason::ALL.len()], at: self.now },
            (false, 0) => State::Running { step: how % 4, due },
            (false, 1) => State::Closing { due },
            (false, _) => State::Conversing { since: self.now, step: 1 },
        };
        let next = Enrollment { state, ..stored.enrollment.clone() };
        let message = MessageId::of(next.id, &step_id(how % 3));
        let (ours, theirs) = if how.is_multiple_of(4) {
            let dropped = Dropped { message, step: "s", reason: "too_late" };
            (vec![table::Dropped { message, reason: "too_late" }], vec![dropped])
        } else {
            (Vec::new(), Vec::new())
        };
        let because = Because { findings: Vec::new() };
        let step = Advance { from: stored, next: &next, because: &because, drops: &theirs, now: self.now };
        let from = EnrollmentItem { enrollment: stored.enrollment.clone(), version: stored.version };
        let (said, did) = if ends {
            let free_seat = how.is_multiple_of(2);
            let contacts = self.tenant.contact_keys_on_record(&read.patient.patient, true);
            let said = self.tenant.end_enrollment(&step, &contacts, free_seat).await.unwrap();
            let did = self.table.end_enrollment(who, &from, &next, &ours, free_seat);
            for key in ContactKey::all(&read.patient.patient).into_iter().filter(|_| did) {
                self.table.vacate(key, &read.patient.patient.id);
            }
            (said, did)
        } else {
            let said = self.tenant.advance_enrollment(&step).await.unwrap();
            (said, self.table.advance_enrollment(who, &from, &next, &ours))
        };
        assert_eq!(did, said);
        self.tell(if ends { "end" } else { "advance" }, said);
    }

    pub(crate) async fn contact(&mut self, Write { kind, who, which, how, .. }: Write) {
        // Seldom, or nothing could be claimed any more.
        if how >= 12 && kind != Kind::Imported {
            return;
        }
        let person = self.read[who].patient.patient.clone();
        let channel = Channel::ALL[which % 4];
        let hashes = self.tenant.contact_keys(&person, self.clinic.date(self.now));
        let (hash, key) = (hashes.of(channel).unwrap(), ContactKey::by(&person, channel).unwrap());
        let only: ChannelSet = [channel].into_iter().collect();
        if kind == Kind::OptOut {
            self.tenant.opt_out(hash, only, PurposeSet::ALL, self.now).await.unwrap();
            self.table.opt_out(key, only);
        } else if kind == Kind::Unreachable {
            self.tenant.mark_unreachable(hash, channel, self.now).await.unwrap();
            self.table.mark_unreachable(key, channel);
        } else {
            let out = how.is_multiple_of(4);
            self.tenant.set_imported_opt_out(hash, &person.id, out).await.unwrap();
            self.table.set_imported_opt_out(key, who, out);
        }
    }

    /// The turn in which staff takes a conversation, or gives it back.
    fn paused<'a>(&self, from: &'a StoredPatient, next: &'a Patient, event: &'a str) -> Turn<'a> {
        Turn {
            patient: &next.id,
            alias: from.alias.as_ref(),
            event,
            change: Some(PatientChange { from, next, today: self.clinic.date(self.now) }),
            thread: None,
            heard: None,
            attached: None,
            slots: Vec::new(),
            bookings: Vec::new(),
            answer: None,
            waitlist: None,
            consent: Vec::new(),
            orders: &[],
            lift: None,
            now: self.now,
        }
    }

    pub(crate) async fn patient(&mut self, Write { kind, who, how, .. }: Write) {
        let read = self.read[who].patient.clone();
        if kind == Kind::Pause {
            let next = Patient { paused: how.is_multiple_of(2), ..read.patient.clone() };
            // A version is written over once: the event of a second writer of it is another's.
            let event = format!("pause#{who}#{}", read.version);
            let turn = self.paused(&read, &next, &event);
            let said = self.tenant.commit_turn(&turn).await.unwrap() == TurnDone::Done;
            assert_eq!(self.table.pause(who, next.paused, read.version), said);
            return self.tell("pause", said);
        }
        let mut changed = read.patient;
        changed.profile.phone = phone(how % 2);
        let today = self.clinic.date(self.now);
        let said = self.tenant.replace_patient(&changed, read.version, &read.standing, today).await.unwrap();
        assert_eq!(self.table.replace_patient(who, &changed, read.version), said);
        self.tell("replace", said);
    }
}
