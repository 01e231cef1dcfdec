//! The link and the QR code by which a person asks to be written to: it opens WhatsApp with the words
//! of the agreement, and the person sends them.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use retorno_domain::clinic::Clinic;
use staff_api::Problem;

use super::frame::{self, Shown, escaped};
use super::texts::Texts;
use super::{Failed, Page};
use crate::server::system::{OpenClinic, System};

/// The smallest side of the picture, in its own units.
const SIDE: u32 = 320;

/// The link that opens WhatsApp with the words of the agreement; none while the number is not known.
pub(super) fn link(clinic: &Clinic) -> Option<String> {
    let number = clinic.whatsapp_number.as_ref()?;
    let words = Texts::of(clinic.language).word("qr_words");
    Some(format!("https://wa.me/{}?text={}", number.digits(), escaped(words)))
}

pub(super) async fn picture(State(system): State<System>, Path(id): Path<String>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let link = link(&of.clinic)
        .ok_or_else(|| Problem::missing("whatsapp_number in the clinic's settings").coded("qr_missing"))?;
    let code = QrCode::with_error_correction_level(link.as_bytes(), EcLevel::M)
        .map_err(|_| Problem::bad("the link is too long for a QR code"))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// The page to be printed.
pub(super) async fn page(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let body = html! {
        div.poster {
            h1 { (of.clinic.name) }
            @match link(&of.clinic) {
                Some(_) => {
                    p.lead { (texts.word("qr_invites")) }
                    img src=(format!("/c/{}/qr.svg", of.id)) alt=(texts.word("qr_alt")) width="320" height="320";
                    ol { li { (texts.word("qr_step_1")) } li { (texts.word("qr_step_2")) " «" (texts.word("qr_words")) "»" } }
                    p.soft { (texts.word("qr_stop")) }
                },
                None => p { (texts.word("qr_missing")) " " code { "whatsapp_number = \"+5491155550100\"" } },
            }
        }
    };
    Ok(Page(frame::plain(texts, body)))
}

/// On the clinic's page.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="qr" {
            header { h2 id="qr" { (texts.word("qr")) } }
            @match link(&of.clinic) {
                Some(link) => div.qr {
                    img src=(format!("/c/{}/qr.svg", of.id)) alt=(texts.word("qr_alt")) width="150" height="150";
                    div {
                        p { (texts.word("qr_hint")) }
                        p { a href=(link) rel="noreferrer" target="_blank" { "wa.me" } " · " a href=(format!("/c/{}/qr", of.id)) { (texts.word("qr_print")) } }
                    }
                },
                None => p { (texts.word("qr_missing")) " " code { "whatsapp_number = \"+5491155550100\"" } },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use chrono::NaiveDate;
    use retorno_domain::ids::ClinicId;
    use retorno_domain::reply::{Asked, Intent, understand};
    use retorno_domain::settings::clinic_from_toml;

    use super::*;

    #[test]
    fn the_words_of_the_code_are_understood_as_an_agreement() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        for zone in ["America/Argentina/Buenos_Aires", "America/Sao_Paulo", "America/Mexico_City", "Europe/Madrid"] {
            let toml = format!("zone = \"{zone}\"\nwhatsapp_number = \"+5491155550100\"");
            let clinic = clinic_from_toml(ClinicId::parse("c").unwrap(), &toml, None).unwrap();
            let words = Texts::of(clinic.language).word("qr_words");
            for options in 0..3 {
                let reading = understand(words, &Asked { options, ..Asked::default() }, today);
                assert!(reading.intent == Intent::OptIn && reading.sure, "{zone}: {reading:?}");
            }
            let link = link(&clinic).unwrap();
            assert!(link.starts_with("https://wa.me/5491155550100?text=") && link.is_ascii(), "{link}");
        }
    }
}
