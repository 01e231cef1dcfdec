//! What a minor's guardian says once for all their children.

use retorno_domain::channel::{ChannelSet, Purpose, PurposeSet};
use retorno_domain::conversation::Act;
use retorno_domain::flow::Answer;

use super::{Desk, Happening, Manner, Visitor};
use crate::error::CloudError;

/// For one child of several: the others are looked after already.
const FOR_ONE: Manner = Manner { via: None, when_taken: |acts| acts, for_siblings: false };

/// The purposes that these acts stop for everybody at the contact point.
pub(super) fn stopped_by(acts: &[Act]) -> PurposeSet {
    let of = |act: &Act| match act {
        Act::OptOut(purposes) => *purposes,
        Act::Prefer(preferences) => preferences.which(ChannelSet::is_empty),
        Act::OptIn
        | Act::WrongNumber
        | Act::Deceased
        | Act::Book { .. }
        | Act::Offer { .. }
        | Act::OfferHeld { .. }
        | Act::Wait(_)
        | Act::Subscribe(_)
        | Act::Unsubscribe
        | Act::Cancel(_)
        | Act::Confirm(_)
        | Act::HandOver { .. }
        | Act::Tell(_)
        | Act::Say(_) => PurposeSet::NONE,
    };
    acts.iter().flat_map(|act| of(act).iter()).collect()
}

impl Desk {
    /// Records a guardian's opt-out for the other minors who are reached at the same phone: the contact
    /// is closed for all of them, and stays so if the export brings another. Before the event itself,
    /// and harmless to repeat.
    pub(super) async fn opt_out_siblings(
        &self,
        visitor: &Visitor,
        happening: &Happening<'_>,
        purposes: PurposeSet,
    ) -> Result<(), CloudError> {
        let (Some(_), Some(hash)) = (visitor.guardian(), &visitor.contacts.phone) else { return Ok(()) };
        let today = visitor.today();
        for sibling in visitor.tenant.patients_with_hash(hash, today).await? {
            if sibling == visitor.patient().id {
                continue;
            }
            let Some(other) = self.visit(&visitor.tenant, &sibling).await? else { continue };
            let out = other.patient().consent.opted_out(today);
            if other.guardian().is_none() || purposes.iter().all(|purpose| out.contains(purpose)) {
                continue;
            }
            let event = format!("{}#{sibling}", happening.event);
            let happening = Happening::silent(&event, happening.channel, happening.consent_how);
            let mut acts = vec![Act::OptOut(purposes)];
            if purposes.contains(Purpose::Marketing) {
                acts.push(Act::Tell(Answer::OptOut));
            }
            let acts = |_: &Visitor, _: Option<&mut crate::store::HeardLine>| acts.clone();
            Box::pin(self.act_so(&visitor.tenant, &sibling, &happening, &FOR_ONE, acts)).await?;
        }
        Ok(())
    }
}
