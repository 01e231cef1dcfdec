//! Every page in every language: what a screen reader, a scanner and a strict policy need of it.

#![expect(clippy::unwrap_used, reason = "tests")]

use maud::Markup;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::language::Language;
use retorno_domain::settings::clinic_from_toml;

use super::*;

fn clinic(language: Language) -> Clinic {
    let toml = format!(
        "name = \"Clínica Aurora\"\nzone = \"America/Argentina/Buenos_Aires\"\nlanguage = \"{}\"\n\
         contact = \"el 11 4555 0000\"\n",
        language.tag()
    );
    clinic_from_toml(ClinicId::parse("aurora").unwrap(), &toml, None).unwrap()
}

fn offer(language: Language, notice: Notice, professional: &str) -> Offer {
    let date = |day| chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let slot = |at: &str| SlotView {
        reference: format!("000001772{at}#7"),
        time: language.spoken_time(at.parse().unwrap()),
        professional: professional.to_owned(),
    };
    let day = |day: u32, times: &[&str]| Day {
        said: language.spoken_date(date(day)),
        slots: times.iter().map(|time| slot(time)).collect(),
    };
    let moving = matches!(notice, Notice::Move { .. }).then(|| "17".to_owned());
    Offer {
        days: vec![
            day(5, &["09:00:00", "09:30:00", "10:30:00", "16:30:00"]),
            day(6, &["11:00:00", "12:30:00"]),
            day(9, &["08:30:00", "09:00:00", "15:00:00", "18:30:00", "19:00:00"]),
        ],
        notice,
        professional: professional.is_empty().then(|| "Dra. Lima".to_owned()),
        more_from: Some(date(10)),
        is_later: false,
        place: (!professional.is_empty()).then(|| "Buenos Aires".to_owned()),
        moving,
        seen: "4".to_owned(),
    }
}

fn a_visit(language: Language, standing: Standing) -> VisitView {
    VisitView {
        id: "17".to_owned(),
        standing,
        day: language.spoken_date(chrono::NaiveDate::from_ymd_opt(2026, 3, 5).unwrap()),
        time: language.spoken_time("16:30:00".parse().unwrap()),
        minutes: 45,
        professional: "Dra. Lima".to_owned(),
        service: None,
        is_near: true,
        place: None,
        seen: "4".to_owned(),
        book: "TOKEN".to_owned(),
        push: (standing == Standing::Confirmed).then(|| told(0, None)),
    }
}

fn told(browsers: usize, note: Option<PushNote>) -> PushView {
    PushView { key: Some("BPublicKey".to_owned()), browsers, note, seen: "4".to_owned() }
}

/// Every page, by name.
fn pages(shown: &Shown<'_>) -> Vec<(&'static str, Markup)> {
    let language = shown.language;
    let when = "jueves 5 de marzo a las 16:30".to_owned();
    let visit_page = |standing| visit(shown, Some(&a_visit(language, standing)), "TOKEN");
    let phones = [Channel::Whatsapp, Channel::Call].into_iter().collect::<ChannelSet>();
    let ticks = |saved, marketing: ChannelSet| {
        // Reminders by one of them only.
        let care = marketing.and([Channel::Call].into_iter().collect());
        Ticks { channels: ChannelSet::ALL, marketing, care, saved, seen: "4".to_owned(), push: None }
    };
    let form =
        ConsentForm { name: String::new(), phone: "11 4".to_owned(), channels: phones, ..ConsentForm::default() };
    let faults = [Fault::NameMissing, Fault::PhoneWrong, Fault::EmailMissing, Fault::ChannelsMissing];
    let wording = shown.say(&shown.texts.consent.wording);
    let agree = |form: &ConsentForm, faults: &[Fault]| consent(shown, ChannelSet::ALL, &wording, form, faults);
    let troubles = [Trouble::Expired, Trouble::Unused, Trouble::Invalid, Trouble::Missing, Trouble::Method];
    let mut pages = vec![
        ("pick", pick(shown, &offer(language, Notice::Free, ""))),
        ("pick-named", pick(shown, &offer(language, Notice::Free, "Dra. María de los Ángeles Lima"))),
        ("taken", pick(shown, &offer(language, Notice::Taken, ""))),
        ("move", pick(shown, &offer(language, Notice::Move { when: when.clone() }, ""))),
        ("held", pick(shown, &offer(language, Notice::Held { until: when }, ""))),
        ("full", full(shown, "4", false)),
        ("joined", joined(shown)),
        ("booked", visit_page(Standing::Booked)),
        ("confirmed", visit_page(Standing::Confirmed)),
        ("cancelled", visit_page(Standing::Cancelled)),
        ("past", visit_page(Standing::Past)),
        ("no-visit", visit(shown, None, "TOKEN")),
        ("ask-cancel", ask_cancel(shown, &a_visit(language, Standing::Booked))),
        ("preferences", preferences(shown, &ticks(Saved::No, phones))),
        ("preferences-saved", preferences(shown, &ticks(Saved::Partly, phones))),
        ("preferences-stopped", preferences(shown, &ticks(Saved::Yes, ChannelSet::NONE))),
        (
            "preferences-push",
            preferences(shown, &Ticks { push: Some(told(2, Some(PushNote::On))), ..ticks(Saved::No, phones) }),
        ),
        ("survey", survey(shown, "", false)),
        ("survey-missing", survey(shown, "Muy bien <b>todo</b>", true)),
        ("thanks", thanks(shown)),
        ("unsubscribe", unsubscribe(shown, "TOKEN", false)),
        ("unsubscribed", unsubscribed(shown, "TOKEN", false)),
        ("unsubscribe-all", unsubscribe(shown, "TOKEN", true)),
        ("unsubscribed-all", unsubscribed(shown, "TOKEN", true)),
        ("consent", agree(&ConsentForm::default(), &[])),
        ("consent-wrong", agree(&form, &faults)),
        ("agreed", agreed(shown)),
        ("large", Trouble::Large.page(shown)),
        ("busy", Trouble::Busy.page(shown)),
    ];
    let names = ["expired", "unused", "invalid", "missing", "method"];
    pages.extend(names.into_iter().zip(troubles.map(|trouble| trouble.page(shown))));
    pages
}

/// The attributes of every tag of a name.
fn tags<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let opening = format!("<{name}");
    let starts = html.match_indices(&opening).map(|(at, _)| html.get(at + opening.len()..).unwrap());
    let is_tag = |rest: &&str| rest.starts_with([' ', '>']);
    starts.filter(is_tag).map(|rest| rest.split('>').next().unwrap()).collect()
}

fn value<'h>(attributes: &'h str, name: &str) -> Option<&'h str> {
    attributes.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

fn holds(name: &str, language: Language, html: &str) {
    let of = format!("{name} in {language}");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains(&format!("<html lang=\"{language}\">")), "{of}");
    assert_eq!(tags(html, "h1").len(), 1, "{of}: one heading says what the page is");
    assert_eq!(tags(html, "main").len(), 1, "{of}");
    // The one script is a file beside the page, so that the policy forbids every other.
    let scripts = html.matches("<script").count();
    let ours = html.matches("<script src=\"push.js\" defer></script>").count();
    let has_button = html.contains("id=\"push-here\" hidden");
    assert_eq!((scripts, ours), (usize::from(has_button), usize::from(has_button)), "{of}");
    assert!(!html.contains("style=") && !html.contains("javascript:"), "{of}");
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("\"//"), "{of}: only our own");
    for attributes in tags(html, "a").into_iter().chain(tags(html, "form")).chain(tags(html, "link")) {
        let to = value(attributes, "href").or(value(attributes, "action")).unwrap();
        assert!(!to.starts_with('/') && !to.is_empty(), "{of}: {to}: pages may stand below any address");
    }
    for attributes in tags(html, "input").into_iter().chain(tags(html, "textarea")) {
        let kind = value(attributes, "type").unwrap_or("textarea");
        let in_label = kind == "radio" || kind == "checkbox";
        let labelled = value(attributes, "id").is_some_and(|id| html.contains(&format!("<label for=\"{id}\">")));
        assert!(kind == "hidden" || in_label || labelled, "{of}: an input without a label: {attributes}");
        for described in value(attributes, "aria-describedby").unwrap_or("").split_whitespace() {
            assert!(html.contains(&format!("id=\"{described}\"")), "{of}: {described}");
        }
    }
    assert_eq!(html.matches("<fieldset").count(), html.matches("<legend").count(), "{of}: a group has a name");
    for attributes in tags(html, "a") {
        if let Some(id) = value(attributes, "href").unwrap().strip_prefix('#') {
            assert!(html.contains(&format!("id=\"{id}\"")), "{of}: #{id}");
        }
    }
    let text: String = html.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    assert!(!text.contains('{') && !text.contains('}'), "{of}: a part was not filled");
}

#[test]
fn every_page_is_whole_accessible_and_takes_nothing_from_elsewhere() {
    // To look at them: PAGES_TO=folder cargo test -p patient-pages every_page
    let folder = std::env::var_os("PAGES_TO").map(std::path::PathBuf::from);
    for language in Language::ALL {
        let clinic = clinic(language);
        for (name, page) in pages(&Shown::of(&clinic, "TOKEN")) {
            let html = page.into_string();
            holds(name, language, &html);
            assert!(html.contains("Clínica Aurora") && html.contains("tel:+541145550000"), "{name}: whom to ask");
            if let Some(folder) = &folder {
                std::fs::write(folder.join(format!("{name}.{language}.html")), html).unwrap();
            }
        }
    }
}

#[test]
fn a_page_of_nobody_names_nobody() {
    for trouble in [Trouble::Invalid, Trouble::Missing, Trouble::Method, Trouble::Large, Trouble::Busy] {
        let html = trouble.page(&Shown::stranger(Language::PtBr)).into_string();
        holds("stranger", Language::PtBr, &html);
        assert!(!html.contains("Aurora") && !html.contains("tel:") && !html.contains("<footer"));
    }
}

#[test]
fn what_a_person_wrote_is_shown_as_text() {
    let clinic = clinic(Language::EsAr);
    let html = survey(&Shown::of(&clinic, "T"), "</textarea><script>x</script>", true).into_string();
    assert!(!html.contains("<script") && html.contains("&lt;/textarea&gt;"), "{html}");
}

#[test]
fn nothing_is_ticked_before_a_person_does() {
    let clinic = clinic(Language::EsAr);
    let shown = Shown::of(&clinic, "T");
    let without_push = ChannelSet::ALL.without(Channel::Push);
    let html = consent(&shown, without_push, "x", &ConsentForm::default(), &[]).into_string();
    assert_eq!(tags(&html, "input").iter().filter(|tag| tag.contains(" type=\"checkbox\"")).count(), 4);
    assert!(!html.contains(" checked"));
}

/// Colours of text on their grounds, in both schemes: at least 4.5 to 1 (WCAG 2.2, 1.4.3), edges of
/// controls at least 3 to 1 (1.4.11).
#[test]
fn colours_stand_out() {
    let style = include_str!("../../texts/style.css");
    let scheme = |nth: usize| {
        let root = style.split(":root {").nth(nth).unwrap().split('}').next().unwrap();
        let colour = |name: &str| {
            let hex = root.split(&format!("--{name}: #")).nth(1).unwrap().get(..6).unwrap().to_owned();
            let part = |at: usize| {
                let value = f64::from(u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap()) / 255.0;
                if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
        };
        move |a: &str, b: &str| {
            let (a, b) = (colour(a), colour(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        }
    };
    for nth in [1, 2] {
        let contrast = scheme(nth);
        for ground in ["ground", "panel", "pale"] {
            for text in ["ink", "soft", "accent"] {
                assert!(contrast(text, ground) >= 4.5, "{nth}: {text} on {ground}: {}", contrast(text, ground));
            }
        }
        for (text, ground) in
            [("on-accent", "accent"), ("on-accent", "accent-deep"), ("warn", "warn-pale"), ("warn", "panel")]
        {
            assert!(contrast(text, ground) >= 4.5, "{nth}: {text} on {ground}: {}", contrast(text, ground));
        }
        for edge in ["edge", "focus"] {
            for ground in ["ground", "panel"] {
                assert!(contrast(edge, ground) >= 3.0, "{nth}: {edge} on {ground}: {}", contrast(edge, ground));
            }
        }
    }
}
