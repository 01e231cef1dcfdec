//! The connections: how each channel stands and what to do about it, the code that links the clinic's
//! telephone, test messages.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use retorno_cloud::channels::LinkPicture;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::connections::{ChannelView, ConnectionAct, Connections, GatewayView, connections};
use staff_api::talk::event_name;

use super::frame::{Frame, Shown, framed};
use super::texts::{Texts, moment};
use super::{Failed, Page, alerts, waiting};
use crate::host::AtGateway;
use crate::server::guard::{FRAME_POLICY, SCRIPT_POLICY};
use crate::server::system::{OpenClinic, System};

/// The smallest side of the code's picture.
const SIDE: u32 = 280;
/// The frame around it, with room for words below.
const FRAME_WIDTH: u32 = SIDE + 60;
const FRAME_HEIGHT: u32 = SIDE + 120;
/// While a code is shown its frame asks for the next one.
const REFRESH: (HeaderName, &str) = (HeaderName::from_static("refresh"), "5");
/// Pictures that a gateway may give.
const PICTURES: [&str; 3] = ["image/png", "image/jpeg", "image/svg+xml"];

/// What a page is asked to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Looking {
    /// Why what was asked for was not done.
    not: Option<String>,
}

pub(super) async fn page(
    State(system): State<System>,
    Path(id): Path<String>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Response, Failed> {
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(&of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting };
    let now = connections(&system.office, &of).await.map_err(failed)?;
    let body = body(&shown, &of, &now, looking.not.as_deref()).map_err(failed)?;
    let page = Page(shown.page(&Frame { title: texts.word("connections"), refresh: false }, &body));
    let policy = (header::CONTENT_SECURITY_POLICY, SCRIPT_POLICY);
    Ok(([policy], page).into_response())
}

/// The frame that holds the code: it alone asks for the next one, so that nobody loses what they type
/// beside it.
pub(super) async fn frame(State(system): State<System>, Path(id): Path<String>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let code = of.tenant.link_code(system.host.now()).await.map_err(Problem::from)?;
    let body = html! {
        @match &code {
            Some(stored) => {
                // The address changes with each code, so that none is shown twice.
                img src=(format!("/c/{}/connections/code?{}", of.id, stored.until.timestamp_millis())) alt=(texts.word("gateway_code_alt")) width=(SIDE) height=(SIDE);
                @if let Some(code) = &stored.code.pairing_code { p { (texts.word("gateway_pairing")) " " strong { (code) } } }
            },
            None => {
                p { (texts.word("code_gone")) }
                p { a href=(format!("/c/{}/connections", of.id)) target="_top" { (texts.word("code_look")) } }
            },
        }
    };
    let page = Page(framed(texts, &body));
    let policy = (header::CONTENT_SECURITY_POLICY, FRAME_POLICY);
    Ok(if code.is_some() { ([policy, REFRESH], page).into_response() } else { ([policy], page).into_response() })
}

/// The picture of the code, for as long as there is one.
pub(super) async fn code(State(system): State<System>, Path(id): Path<String>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let code = of.tenant.link_code(system.host.now()).await.map_err(Problem::from)?;
    let code = code.ok_or_else(|| Problem::missing("a code").coded("code"))?;
    let unfit = || Problem::bad("the gateway's code cannot be shown").coded("code_unfit");
    Ok(match code.code.picture {
        LinkPicture::Text(text) => {
            let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).map_err(|_| unfit())?;
            let picture = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
            ([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response()
        }
        LinkPicture::Image { content_type, base64 } => {
            let known = PICTURES.into_iter().find(|known| *known == content_type).ok_or_else(unfit)?;
            let bytes = STANDARD.decode(base64).map_err(|_| unfit())?;
            ([(header::CONTENT_TYPE, known)], bytes).into_response()
        }
    })
}

/// What a form brings.
#[derive(Default, Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    event: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    browser: String,
    #[serde(default)]
    channel: String,
}

pub(super) async fn act(
    State(system): State<System>,
    Path((id, what)): Path<(String, String)>,
    form: Result<Form<Given>, FormRejection>,
) -> Result<Redirect, Failed> {
    let of = system.clinic(&id).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let Form(given) = form.map_err(|rejection| failed(Problem::form(rejection.status(), rejection.body_text())))?;
    let unknown = || failed(Problem::missing("this action").coded("form"));
    let done = match what.as_str() {
        "sandbox" => {
            let at = at_gateway(&given.what).ok_or_else(unknown)?;
            system.at_gateway(&of, at).await.map(|()| None)
        }
        "sandbox-browser" => system.let_sandbox_browser_tell(&of).await,
        _ => system.office.connect(&of, &act_of(&what, given).ok_or_else(unknown)?).await,
    };
    let back = |not: Option<&str>| {
        let not = not.map(|code| format!("?not={code}")).unwrap_or_default();
        Redirect::to(&format!("/c/{}/connections{not}", of.id))
    };
    match done {
        Ok(refused) => Ok(back(refused)),
        Err(problem) if problem.status == StatusCode::CONFLICT => Ok(back(Some("busy"))),
        Err(problem) => Err(failed(problem)),
    }
}

/// Asks for the code; its address is that of its picture.
pub(super) async fn ask_code(state: State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    act(state, Path((id, "code".to_owned())), Ok(Form(Given::default()))).await
}

/// What happens at the sandbox's telephone.
fn at_gateway(what: &str) -> Option<AtGateway> {
    Some(match what {
        "scan" => AtGateway::Scan,
        "log_out" => AtGateway::LogOut,
        "go_dark" => AtGateway::GoDark,
        "come_back" => AtGateway::ComeBack,
        _ => return None,
    })
}

fn act_of(what: &str, given: Given) -> Option<ConnectionAct> {
    Some(match what {
        "check" => ConnectionAct::Check,
        "code" => ConnectionAct::Code,
        "unlink" => ConnectionAct::Unlink,
        "resume" => ConnectionAct::Resume(given.channel.parse().ok()?),
        "test" => ConnectionAct::Test { event: given.event, to: given.to },
        "try-browser" => ConnectionAct::TryBrowser(given.browser),
        "forget-browser" => ConnectionAct::ForgetBrowser(given.browser),
        _ => return None,
    })
}

fn body(shown: &Shown<'_>, of: &OpenClinic, now: &Connections, not: Option<&str>) -> Result<Markup, Problem> {
    let texts = shown.texts;
    Ok(html! {
        main.wide id="content" {
            @if let Some(why) = not.and_then(|code| texts.refusal(code)) {
                section.panel.notice.bad.full { p role="alert" { (why) } }
            }
            div.column {
                section.panel aria-labelledby="connections" {
                    header { h1 id="connections" { (texts.word("connections")) } span.soft { (texts.word("connections_hint")) } }
                    ul.inbox { @for channel in &now.channels { (row(shown, of, channel)) } }
                }
                @if let Some(gateway) = &now.gateway { (gateway_panel(shown, of, gateway)) }
            }
            div.column {
                (tests(shown, of, now)?)
                @if now.gateway.is_some() { (sandbox(shown, of)?) }
                (alerts::panel(shown, of, now)?)
            }
        }
    })
}

/// A button that does one thing.
fn button(of: &OpenClinic, what: &str, label: &str, is_plain: bool) -> Markup {
    html! {
        form method="post" action=(format!("/c/{}/connections/{what}", of.id)) {
            button.plain[is_plain] { (label) }
        }
    }
}

fn row(shown: &Shown<'_>, of: &OpenClinic, view: &ChannelView) -> Markup {
    let texts = shown.texts;
    let class = match view.state {
        "ready" => "ok",
        "absent" => "done",
        _ => "bad",
    };
    let todo = format!("todo_{}_{}", view.state, view.channel);
    let todo = texts.line(&todo).or_else(|| texts.line(&format!("todo_{}", view.state)));
    html! {
        li class=[(class == "bad").then_some("urgent")] {
            div.meta {
                span { strong { (texts.channel(&view.channel)) } " · " (texts.line(view.via).unwrap_or(view.via)) }
                span class={ "tag " (class) } { (texts.line(view.state).unwrap_or(view.state)) }
            }
            @if !view.sender.is_empty() { p.person { (view.sender) } }
            @if let Some(code) = &view.code {
                p { (texts.word("connections_why")) " " (cause(texts, code))
                    @if let Some(until) = view.until_at { " · " (texts.word("until")) " " (moment(until, of.clinic.zone)) }
                }
            }
            @if let Some(todo) = todo { p { (todo) } }
            @if let Some(warning) = view.warning { p { strong { (texts.line(warning).unwrap_or(warning)) } } }
            @if view.state == "halted" {
                details {
                    summary { (texts.word("resume")) }
                    p { (texts.word("resume_hint")) }
                    form method="post" action=(format!("/c/{}/connections/resume", of.id)) {
                        input type="hidden" name="channel" value=(view.channel);
                        button.plain { (texts.word("resume_go")) }
                    }
                }
            }
        }
    }
}

/// A provider's code in words, or as it is.
fn cause(texts: &'static Texts, code: &str) -> Markup {
    let state = code.strip_prefix("gateway_").map(|state| format!("link_{state}"));
    let words = state.as_deref().and_then(|key| texts.line(key)).or_else(|| texts.line(&format!("cause_{code}")));
    html! { @match words { Some(words) => (words), None => code { (code) } } }
}

fn gateway_panel(shown: &Shown<'_>, of: &OpenClinic, view: &GatewayView) -> Markup {
    let texts = shown.texts;
    let is_linked = view.known.as_ref().is_some_and(|known| known.state.can_send());
    html! {
        section.panel aria-labelledby="gateway" {
            header {
                h2 id="gateway" { (texts.word("gateway")) }
                span class=(if is_linked { "tag ok" } else { "tag bad" }) { (texts.line(&format!("link_{}", view.state)).unwrap_or(view.state)) }
            }
            @if let Some(todo) = texts.line(&format!("link_todo_{}", view.state)) { p { (todo) } }
            @if let Some(error) = &view.error { @if !is_linked { p { (texts.word("connections_why")) " " (cause(texts, error)) } } }
            (facts(shown, of, view))
            @if !is_linked { (code_panel(shown, of, view)) }
            div.acts {
                (button(of, "check", texts.word("gateway_check"), true))
                @if !is_linked {
                    (button(of, "code", texts.word(if view.code.is_some() { "gateway_code_again" } else { "gateway_code" }), false))
                }
            }
            @if is_linked {
                details {
                    summary { (texts.word("gateway_unlink")) }
                    p { (texts.word("gateway_unlink_hint")) }
                    (button(of, "unlink", texts.word("gateway_unlink_go"), true))
                }
            }
            p.soft { (texts.word("gateway_ban")) }
        }
    }
}

fn facts(shown: &Shown<'_>, of: &OpenClinic, view: &GatewayView) -> Markup {
    let texts = shown.texts;
    let zone = of.clinic.zone;
    html! {
        @if let Some(known) = &view.known {
            div.facts {
                span { (texts.word("gateway_since")) " " time datetime=[&view.since] { (moment(known.since, zone)) } }
                @if let Some(at) = known.checked_at { span { (texts.word("gateway_checked")) " " time datetime=[&view.checked_at] { (moment(at, zone)) } } }
                @if let Some(number) = &view.number { span { (texts.word("gateway_number")) " +" (number) } }
            }
        }
    }
}

fn code_panel(shown: &Shown<'_>, of: &OpenClinic, view: &GatewayView) -> Markup {
    let texts = shown.texts;
    html! {
        @if view.code.is_some() {
            div.qr role="status" {
                iframe src=(format!("/c/{}/connections/frame", of.id)) title=(texts.word("gateway_code_alt")) width=(FRAME_WIDTH) height=(FRAME_HEIGHT) {}
                div {
                    ol {
                        li { (texts.word("gateway_step_1")) }
                        li { (texts.word("gateway_step_2")) }
                        li { (texts.word("gateway_step_3")) }
                    }
                    p.soft { (texts.word("gateway_code_secret")) }
                }
            }
        }
    }
}

fn tests(shown: &Shown<'_>, of: &OpenClinic, now: &Connections) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let event = event_name()?;
    let hint = if now.gateway.is_some() { "test_hint" } else { "test_hint_cloud" };
    Ok(html! {
        section.panel aria-labelledby="test" {
            header { h2 id="test" { (texts.word("test")) } }
            p { (texts.word(hint)) }
            form.reply method="post" action=(format!("/c/{}/connections/test", of.id)) {
                input type="hidden" name="event" value=(event);
                label { (texts.word("test_to")) input type="text" name="to" inputmode="tel" required placeholder="+5491155550100" maxlength="24"; }
                button { (texts.word("test_go")) }
            }
            @if !now.tests.is_empty() {
                ul.calls {
                    @for test in &now.tests {
                        li {
                            div.meta {
                                span { "… " (test.to) }
                                time datetime=(test.at) { (moment(test.instant, of.clinic.zone)) }
                            }
                            span class=(match test.state { "failed" | "unknown" => "tag bad", "asked" | "in_flight" => "tag done", _ => "tag ok" }) {
                                (texts.line(&format!("test_{}", test.state)).unwrap_or(test.state))
                            }
                            @if let Some(code) = &test.code { " " (cause(texts, code)) }
                        }
                    }
                }
            }
        }
    })
}

/// What stands for the clinic's telephone on this machine.
fn sandbox(shown: &Shown<'_>, of: &OpenClinic) -> Result<Markup, Problem> {
    const MOST: usize = 3;
    let texts = shown.texts;
    let Some(gateway) = &of.clinic.gateway else { return Ok(Markup::default()) };
    let mut sent = shown.system.host.doubles.gateway().all_sent()?;
    sent.retain(|message| message.kind == gateway.kind && message.instance == gateway.instance);
    let acts = [
        ("scan", "sandbox_scan"),
        ("log_out", "sandbox_log_out"),
        ("go_dark", "sandbox_go_dark"),
        ("come_back", "sandbox_come_back"),
    ];
    Ok(html! {
        section.panel aria-labelledby="sandbox" {
            header { h2 id="sandbox" { (texts.word("sandbox_phone")) } }
            p.soft { (texts.word("sandbox_phone_hint")) }
            form.acts method="post" action=(format!("/c/{}/connections/sandbox", of.id)) {
                @for (what, label) in acts { button.plain name="what" value=(what) { (texts.word(label)) } }
            }
            @if !sent.is_empty() {
                h3 { (texts.word("sandbox_sent")) }
                ul.calls { @for message in sent.iter().rev().take(MOST) {
                    li {
                        div.meta { span { "+" (message.to) } time { (moment(message.at, of.clinic.zone)) } }
                        div.text { (message.text) }
                    }
                } }
            }
        }
    })
}

/// On the clinic's page: that messages do not go out.
pub(super) async fn notice(shown: &Shown<'_>, of: &OpenClinic) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let now = shown.system.host.now();
    let settings = of.tenant.settings(now).await?;
    let is_halted = settings.breakers.channels.iter().any(|(_, until)| *until > now);
    let word = if settings.unlinked().is_some() { "notice_unlinked" } else { "notice_halted" };
    Ok(html! {
        @if is_halted || settings.unlinked().is_some() {
            section.panel.notice.bad.full role="status" {
                a href=(format!("/c/{}/connections", of.id)) { (texts.word(word)) }
            }
        }
    })
}
