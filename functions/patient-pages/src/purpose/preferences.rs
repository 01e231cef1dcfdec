//! By which channels a patient is written to.

use retorno_cloud::CloudError;
use retorno_cloud::desk::Visitor;
use retorno_domain::channel::{Channel, ChannelSet};

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::request::Form;
use crate::view::{Saved, Ticks, preferences};

/// Where a statement was made, for the ledger.
const HOW: &str = "page of preferences";

pub(crate) async fn answer(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    if asked.is_posted() {
        return post(asked, visitor).await;
    }
    let saved = match asked.request.query().one("page") {
        "saved" => Saved::Yes,
        "later" => Saved::Partly,
        _ => Saved::No,
    };
    let ticks =
        Ticks { channels: asked.clinic.channels, agreed: agreed(visitor), saved, seen: visitor.seen().to_string() };
    Ok(PageAnswer::page(200, preferences(&asked.shown(), &ticks)))
}

async fn post(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let form = asked.request.form();
    let wanted = match form.one("do") {
        "prefer" => wanted(&form, asked.clinic.channels, agreed(visitor)),
        "stop" => ChannelSet::NONE,
        _ => return Ok(asked.again()),
    };
    asked.desk.prefer(visitor, asked.opened(&form, visitor), wanted, HOW).await?;
    let stands = asked.desk.visitor(&asked.link).await?.as_ref().map_or(ChannelSet::NONE, agreed);
    Ok(asked.again_saying(if stands == wanted { "saved" } else { "later" }))
}

/// The channels ticked; what the clinic does not use was not shown, and stays as it was.
fn wanted(form: &Form, shown: ChannelSet, agreed: ChannelSet) -> ChannelSet {
    let ticked: ChannelSet = ticked(form).and(shown);
    if ticked.is_empty() {
        return ChannelSet::NONE;
    }
    agreed.iter().filter(|channel| !shown.contains(*channel)).fold(ticked, ChannelSet::with)
}

/// The channels that a form names.
pub(super) fn ticked(form: &Form) -> ChannelSet {
    form.all("channel").filter_map(|code| code.parse::<Channel>().ok()).collect()
}

fn agreed(visitor: &Visitor) -> ChannelSet {
    let today = visitor.clinic.clinic.date(visitor.now);
    visitor.patient().consent.agreed(today).map_or(ChannelSet::NONE, |(_, channels)| channels)
}
