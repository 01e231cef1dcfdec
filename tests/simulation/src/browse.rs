//! What somebody does on a page that a link opened.

use std::collections::BTreeSet;

use patient_pages::{PageRequest, Pages};

use crate::chance::Chance;
use crate::clinic::CHANNELS;
use crate::core::Core;

/// A visit to a page: what was done there.
pub(crate) async fn browse(
    core: &Core,
    pages: &Pages,
    (clinic, person): (usize, Option<usize>),
    token: String,
    chance: &mut Chance,
) -> Result<&'static str, String> {
    let got = request(pages, &token, None).await?;
    let (token, page) = match got {
        Got::Page(page) => (token, page),
        Got::Elsewhere(beside) => match request(pages, &beside, None).await? {
            Got::Page(page) => (beside, page),
            Got::Elsewhere(_) => return Ok("went in circles"),
        },
    };
    let slots = values(&page, "slot");
    let seen = values(&page, "seen").into_iter().next().unwrap_or_default();
    let visit = values(&page, "visit").into_iter().next();
    if let (Some(person), true) = (person, page.contains("value=\"push-o"))
        && let Some(done) = notify(core, pages, (clinic, person), &token, &seen, &page, chance).await?
    {
        return Ok(done);
    }
    if let Some(slot) = slots.get(chance.below(slots.len())) {
        let form = format!("do=book&seen={seen}&slot={}", slot.replace('#', "%23").replace('+', "%2B"));
        request(pages, &token, Some(&form)).await?;
        return Ok("picked");
    }
    if let Some(visit) = visit {
        let what = if chance.per_mille(400) { "cancel" } else { "confirm" };
        request(pages, &token, Some(&format!("do={what}&seen={seen}&visit={visit}"))).await?;
        return Ok(what);
    }
    if let (true, Some(person)) = (page.contains("value=\"prefer\""), person) {
        return choose(core, pages, (clinic, person), &token, &seen, &page, chance).await;
    }
    if let Some(other) = beside(&page).filter(|_| chance.per_mille(650)) {
        return Box::pin(browse(core, pages, (clinic, person), other, chance)).await;
    }
    if page.contains("value=\"stop\"") {
        request(pages, &token, Some("List-Unsubscribe=One-Click")).await?;
        return Ok("unsubscribed");
    }
    if page.contains("value=\"wait\"") {
        request(pages, &token, Some(&format!("do=wait&seen={seen}"))).await?;
        return Ok("waits");
    }
    Ok("looked")
}

/// The page of preferences: leaves altogether, or picks channels.
async fn choose(
    core: &Core,
    pages: &Pages,
    (clinic, person): (usize, usize),
    token: &str,
    seen: &str,
    page: &str,
    chance: &mut Chance,
) -> Result<&'static str, String> {
    let channels = || CHANNELS.into_iter().chain(["push"]);
    let shown: BTreeSet<&str> = channels().filter(|c| page.contains(&format!("value=\"{c}\""))).collect();
    let picked: BTreeSet<&'static str> = channels().filter(|c| shown.contains(c) && chance.per_mille(600)).collect();
    if picked.is_empty() || chance.per_mille(150) {
        request(pages, token, Some(&format!("do=stop&seen={seen}"))).await?;
        return Ok("unsubscribed");
    }
    let ticks = |of: &str| picked.iter().fold(String::new(), |form, channel| format!("{form}&{of}={channel}"));
    let form = format!("do=prefer&by=purpose&seen={seen}{}{}", ticks("marketing"), ticks("care"));
    {
        let mut state = core.state();
        let now = state.now;
        state.judge.chooses(now, clinic, person, &picked);
        state.judge.may_be_written_again(now, clinic, person);
    }
    Ok(match request(pages, token, Some(&form)).await? {
        Got::Elsewhere(to) if to.contains("page=saved") => "preferred",
        Got::Elsewhere(_) | Got::Page(_) => "preferred in vain",
    })
}

/// Notifications in this browser, or no longer; nothing when nobody feels like it.
async fn notify(
    core: &Core,
    pages: &Pages,
    (clinic, person): (usize, usize),
    token: &str,
    seen: &str,
    page: &str,
    chance: &mut Chance,
) -> Result<Option<&'static str>, String> {
    let is_on = page.contains("value=\"push-off\"");
    let (form, said, done) = if is_on && chance.per_mille(100) {
        let mut state = core.state();
        let now = state.now;
        state.judge.is_notified_no_more(now, clinic, person);
        (format!("do=push-off&seen={seen}"), "page=push-off", "notified no more")
    } else if page.contains("value=\"push-on\"") && chance.per_mille(if is_on { 100 } else { 900 }) {
        let mut state = core.state();
        let now = state.now;
        let Some(browser) = state.judge.asks_to_be_notified(now, clinic, person) else { return Ok(None) };
        (format!("do=push-on&seen={seen}&subscription={browser}"), "page=push-on", "notified")
    } else {
        return Ok(None);
    };
    Ok(Some(match request(pages, token, Some(&form)).await? {
        Got::Elsewhere(to) if to.contains(said) => done,
        Got::Elsewhere(_) | Got::Page(_) => "notified in vain",
    }))
}

enum Got {
    Page(String),
    Elsewhere(String),
}

async fn request(pages: &Pages, token: &str, form: Option<&str>) -> Result<Got, String> {
    let (path, query) = token.split_once('?').unwrap_or((token, ""));
    let request = PageRequest {
        method: if form.is_some() { "POST" } else { "GET" }.to_owned(),
        path: format!("/l/{path}"),
        query: query.to_owned(),
        headers: Vec::new(),
        body: form.unwrap_or("").as_bytes().to_vec(),
    };
    let answer = pages.handle(request).await;
    match answer.status {
        200 | 409 | 410 => Ok(Got::Page(answer.body)),
        303 => {
            let to = answer.headers.iter().find(|(name, _)| *name == "location");
            Ok(Got::Elsewhere(to.map(|(_, value)| value.clone()).unwrap_or_default()))
        }
        503 => Err("busy".to_owned()),
        status => Err(format!("a page answered {status}")),
    }
}

/// The page of preferences, where the page of leaving names it.
fn beside(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("class=\"button plain\" href=\"").filter(|_| page.contains("value=\"stop\""))?;
    rest.split('"').next().filter(|token| token.len() > 40).map(str::to_owned)
}

/// The values of a form's fields of that name.
fn values(page: &str, name: &str) -> Vec<String> {
    let named = format!("name=\"{name}\" value=\"");
    page.split(&named).skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
}
