//! Everything that both sides hold, compared.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use retorno_protocol::table::ContactKey;

use crate::both::{Both, NUMBER};
use crate::write::Write;

impl Both {
    /// Both hold the same items.
    pub(crate) async fn compare(&self, after: Write) {
        for (number, read) in self.read.iter().enumerate() {
            let theirs = self.tenant.collection(&read.patient.patient.id).await.unwrap().unwrap();
            let ours = self.table.collection(number).unwrap();
            assert_eq!(ours.patient.patient, theirs.patient.patient, "{after:?}");
            assert_eq!(ours.patient.version, theirs.patient.version, "{after:?}");
            let enrollments: BTreeMap<_, _> =
                theirs.enrollments.iter().map(|e| (e.enrollment.id, (&e.enrollment, e.version))).collect();
            let own: BTreeMap<_, _> =
                ours.enrollments.iter().map(|(id, item)| (*id, (&item.enrollment, item.version))).collect();
            assert_eq!(own, enrollments, "{after:?}");
            let messages: BTreeMap<_, _> =
                theirs.messages.iter().map(|m| (m.id, (&m.delivery, m.attempts, m.claimed_at))).collect();
            let own: BTreeMap<_, _> =
                ours.messages.iter().map(|(id, m)| (*id, (&m.delivery, m.attempts, m.claimed_at))).collect();
            assert_eq!(own, messages, "{after:?}");
            let person = &theirs.patient.patient;
            let points = self
                .tenant
                .contact_points(&self.tenant.contact_keys(person, self.clinic.date(self.now)))
                .await
                .unwrap();
            assert_eq!(self.table.contact(ContactKey::phone(person).unwrap()).point, points.phone, "{after:?}");
            assert_eq!(self.table.contact(ContactKey::email(person).unwrap()).point, points.email, "{after:?}");
        }
        let tier: BTreeMap<_, _> = self.tenant.tier_use(NUMBER).await.unwrap().into_iter().collect();
        assert_eq!(self.table.tier, tier);
        for later in [TimeDelta::zero(), TimeDelta::minutes(20), TimeDelta::days(8)] {
            let theirs = self.tenant.overdue_messages(self.now + later).await.unwrap();
            let mut theirs: Vec<_> =
                theirs.into_iter().map(|o| (o.message, o.delivery, o.enrollment, o.step)).collect();
            let ours = self.table.overdue_messages(self.now + later);
            let mut ours: Vec<_> = ours.into_iter().map(|o| (o.message, o.delivery, o.enrollment, o.step)).collect();
            ours.sort_by_key(|open| open.0);
            theirs.sort_by_key(|open| open.0);
            assert_eq!(ours, theirs, "{after:?}");
        }
        let week = self.clinic.week(self.now);
        let theirs: Vec<u32> = self.tenant.seats(week).await.unwrap().iter().map(|seat| seat.number).collect();
        let ours: Vec<u32> = self.table.seats.keys().filter(|(of, ..)| *of == week).map(|(.., n)| *n).collect();
        assert_eq!(ours, theirs, "{after:?}");
    }
}
