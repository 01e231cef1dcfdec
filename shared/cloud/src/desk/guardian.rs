//! What somebody says of a contact for the minors too who are reached there.

use std::collections::BTreeSet;
use std::pin::Pin;

use retorno_domain::channel::{Purpose, PurposeSet};
use retorno_domain::conversation::Act;
use retorno_domain::flow::Answer;
use retorno_domain::ids::PatientId;

use super::{Desk, Happening, Manner, Visitor};
use crate::error::CloudError;
use crate::store::{HeardLine, TenantStore};

/// For one child of several: the others are looked after already.
const FOR_ONE: Manner = Manner { via: None, when_taken: |acts| acts, for_minors: false };

/// Recording for one child records for no other, so it comes to an end; its type would not.
type Recording<'a> = Pin<Box<dyn Future<Output = Result<(), CloudError>> + Send + 'a>>;

impl Desk {
    /// Records an opt-out for the minors whose guardian is reached at one of these contacts, whether it was
    /// said about another of them or about the guardian, who may be a patient too: the contact is closed
    /// for all of them, and stays so if the export brings another. Before the event itself, and harmless
    /// to repeat.
    pub(super) fn opt_out_minors<'a>(
        &'a self,
        visitor: &'a Visitor,
        contacts: &'a [&'a str],
        happening: &'a Happening<'_>,
        purposes: PurposeSet,
    ) -> Recording<'a> {
        Box::pin(async move {
            let (tenant, today) = (&visitor.tenant, visitor.today());
            let mut reached: BTreeSet<PatientId> = BTreeSet::new();
            for hash in contacts.iter().filter(|_| !purposes.is_empty()) {
                reached.extend(tenant.patients_with_hash(hash, today).await?);
            }
            reached.remove(&visitor.patient().id);
            for minor in reached {
                self.opt_out_minor(tenant, &minor, happening, purposes).await?;
            }
            Ok(())
        })
    }

    async fn opt_out_minor(
        &self,
        tenant: &TenantStore,
        minor: &PatientId,
        happening: &Happening<'_>,
        purposes: PurposeSet,
    ) -> Result<(), CloudError> {
        let Some(other) = self.visit(tenant, minor).await? else { return Ok(()) };
        let out = other.patient().consent.opted_out(other.today());
        if other.guardian().is_none() || purposes.iter().all(|purpose| out.contains(purpose)) {
            return Ok(());
        }
        let event = format!("{}#{minor}", happening.event);
        let happening = Happening::silent(&event, happening.channel, happening.consent_how);
        let mut acts = vec![Act::OptOut(purposes)];
        if purposes.contains(Purpose::Marketing) {
            acts.push(Act::Tell(Answer::OptOut));
        }
        let acts = |_: &Visitor, _: Option<&mut HeardLine>| acts.clone();
        self.act_so(tenant, minor, &happening, &FOR_ONE, acts).await.map(|_| ())
    }
}
