//! By which channels a patient is written to, and what for.

use retorno_cloud::CloudError;
use retorno_cloud::desk::Visitor;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::conversation::Preferences;

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
    let push = super::push::view(asked, visitor);
    let is_scripted = push.as_ref().is_some_and(|push| push.key.is_some());
    let ticks = Ticks {
        channels: shown(asked, visitor),
        marketing: visitor.channels(Purpose::Marketing),
        care: visitor.channels(Purpose::Care),
        saved,
        seen: visitor.seen().to_string(),
        push,
    };
    Ok(PageAnswer::page(200, preferences(&asked.shown(), &ticks)).with_script(is_scripted))
}

async fn post(asked: &Asked<'_>, visitor: &Visitor) -> Result<PageAnswer, CloudError> {
    let form = asked.request.form();
    if let Some(answer) = super::push::post(asked, visitor, &form).await? {
        return Ok(answer);
    }
    let wanted = match form.one("do") {
        "prefer" => {
            let wanted = |purpose| wanted(&form, purpose, shown(asked, visitor), visitor.channels(purpose));
            Preferences::of(PurposeSet::ALL, wanted)
        }
        "stop" => Preferences::alike(ChannelSet::NONE),
        _ => return Ok(asked.again()),
    };
    asked.desk.prefer(visitor, asked.opened(&form, visitor), wanted, HOW).await?;
    let stands = asked.desk.visitor(&asked.link).await?;
    let stands = stands.map(|visitor| Preferences::of(PurposeSet::ALL, |purpose| visitor.channels(purpose)));
    Ok(asked.again_saying(if stands == Some(wanted) { "saved" } else { "later" }))
}

/// The channels that the clinic uses; notifications where a browser is told, since only the browser itself
/// can ask for them.
fn shown(asked: &Asked<'_>, visitor: &Visitor) -> ChannelSet {
    let channels = asked.clinic.channels;
    if visitor.is_notified() { channels } else { channels.without(Channel::Push) }
}

/// The channels ticked; what the clinic does not use was not shown, and stays as it was.
fn wanted(form: &Form, purpose: Purpose, shown: ChannelSet, agreed: ChannelSet) -> ChannelSet {
    // A page from before there were purposes asked for both at once.
    let field = if form.one("by") == "purpose" { purpose.code() } else { "channel" };
    let ticked: ChannelSet = ticked(form, field).and(shown);
    if ticked.is_empty() {
        return ChannelSet::NONE;
    }
    agreed.iter().filter(|channel| !shown.contains(*channel)).fold(ticked, ChannelSet::with)
}

/// The channels that a form names.
pub(super) fn ticked(form: &Form, field: &str) -> ChannelSet {
    form.all(field).filter_map(|code| code.parse::<Channel>().ok()).collect()
}
