//! What the pages say, by language: two files with the same keys.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use retorno_domain::calendar::local_time;
use retorno_domain::channel::ChannelSet;
use retorno_domain::language::Language;
use serde::Deserialize;

type Section = BTreeMap<String, String>;

/// The texts of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    words: Section,
    purposes: Section,
    channels: Section,
    limits: Section,
    verdicts: Section,
    states: Section,
    appointments: Section,
    ended: Section,
    rules: Section,
    reasons: Section,
    waits: Section,
    intents: Section,
    wishes: Section,
    how: Section,
    templates: Section,
    refusals: Section,
    problems: Section,
    rows: Section,
    lines: Section,
    #[serde(skip)]
    lang: &'static str,
}

static SPANISH: LazyLock<Texts> = LazyLock::new(|| read("es", include_str!("../../../texts/es.toml")));
static PORTUGUESE: LazyLock<Texts> = LazyLock::new(|| read("pt", include_str!("../../../texts/pt.toml")));

/// A fault leaves the keys themselves to be read; a test holds that there is none.
fn read(lang: &'static str, file: &str) -> Texts {
    Texts { lang, ..toml::from_str(file).unwrap_or_default() }
}

impl Texts {
    /// Those of a clinic's language.
    pub(super) fn of(language: Language) -> &'static Self {
        if language.is_portuguese() { &PORTUGUESE } else { &SPANISH }
    }

    /// Those used where no clinic says otherwise.
    pub(super) fn default() -> &'static Self {
        &SPANISH
    }

    /// The `lang` attribute.
    pub(super) fn lang(&self) -> &'static str {
        self.lang
    }

    pub(super) fn word<'t>(&'t self, key: &'t str) -> &'t str {
        said(&self.words, key)
    }

    pub(super) fn channel<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.channels, code)
    }

    pub(super) fn limit<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.limits, code)
    }

    pub(super) fn verdict<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.verdicts, code)
    }

    pub(super) fn state<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.states, code)
    }

    pub(super) fn appointment<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.appointments, code)
    }

    pub(super) fn ended<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.ended, code)
    }

    pub(super) fn rule<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.rules, code)
    }

    pub(super) fn reason<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.reasons, code)
    }

    /// Why a conversation waits for a person.
    pub(super) fn waits<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.waits, code)
    }

    /// How something was understood.
    pub(super) fn intent<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.intents, code)
    }

    /// A part of when somebody would rather come.
    pub(super) fn wish<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.wishes, code)
    }

    /// What a message is for.
    pub(super) fn purpose<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.purposes, code)
    }

    /// Several channels.
    pub(super) fn channels(&self, channels: ChannelSet) -> String {
        channels.iter().map(|channel| self.channel(channel.code())).collect::<Vec<_>>().join(", ")
    }

    /// How an agreement was given.
    pub(super) fn how<'t>(&'t self, code: &'t str) -> &'t str {
        said(&self.how, code)
    }

    /// A word about templates: of a kind (`state`, `todo`, `start`…), by its code; the code itself where
    /// Meta has a word that is not known here.
    pub(super) fn template<'t>(&'t self, kind: &str, code: &'t str) -> &'t str {
        self.templates.get(&format!("{kind}_{code}")).map_or(code, String::as_str)
    }

    /// How a connection stands, and what to do about it; nothing for a word that is none of ours.
    pub(super) fn line(&self, key: &str) -> Option<&str> {
        self.lines.get(key).map(String::as_str)
    }

    /// What went wrong with a request, with gaps as `{name}`; nothing for a code that is none of ours.
    pub(super) fn problem(&self, code: &str) -> Option<&str> {
        self.problems.get(code).map(String::as_str)
    }

    /// Why a row of a file was turned away.
    pub(super) fn row(&self, code: &str) -> Option<&str> {
        self.rows.get(code).map(String::as_str)
    }

    /// Why nothing was done; nothing for a word that is none of ours.
    pub(super) fn refusal(&self, code: &str) -> Option<&str> {
        self.refusals.get(code).map(String::as_str)
    }
}

fn said<'t>(section: &'t Section, key: &'t str) -> &'t str {
    section.get(key).map_or(key, String::as_str)
}

/// An instant in figures, in a zone.
pub(super) fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    local_time(at, zone).format("%d/%m/%Y %H:%M").to_string()
}

/// A date in figures.
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%d/%m/%Y").to_string()
}

/// An instant in words, with its year.
pub(super) fn spoken(at: DateTime<Utc>, zone: Tz, language: Language) -> String {
    let local = local_time(at, zone);
    format!("{} · {}", language.spoken_slot(local), local.format("%Y"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use retorno_cloud::desk::{Refused, TestRefused};
    use retorno_domain::connection::LinkState;
    use retorno_domain::enrollment::EndReason;
    use retorno_domain::reply::Intent;

    #[test]
    fn both_files_are_whole_and_have_the_same_keys() {
        let files = [include_str!("../../../texts/es.toml"), include_str!("../../../texts/pt.toml")];
        let keys = files.map(|file| {
            toml::from_str::<Texts>(file).unwrap();
            let table: toml::Table = file.parse().unwrap();
            let section = |(name, section): (&String, &toml::Value)| {
                let keys = section.as_table().unwrap().keys().map(|key| format!("{name}.{key}")).collect::<Vec<_>>();
                assert!(section.as_table().unwrap().values().all(|text| !text.as_str().unwrap().is_empty()));
                keys
            };
            table.iter().flat_map(section).collect::<Vec<_>>()
        });
        let [spanish, portuguese] = keys;
        assert_eq!(spanish, portuguese);
    }

    #[test]
    fn every_way_a_sequence_ends_has_words() {
        for texts in [&*SPANISH, &*PORTUGUESE] {
            for reason in EndReason::ALL {
                assert_ne!(texts.ended(reason.code()), reason.code());
            }
        }
    }

    /// Words that are not named where they are asked for, by the expression that asks.
    const BY_NAME: [(&str, &[&str]); 7] = [
        ("source(now)", &["slots_by_timetable", "slots_by_file", "slots_by_nothing"]),
        ("&format!(\"timetable_{field}\")", &NUMBERS),
        ("&key", &["timetable_hours", "timetable_closed", "timetable_professional"]),
        ("who", &["by_patient", "by_answer", "by_staff"]),
        ("hint", &["test_hint", "test_hint_cloud"]),
        ("label", &["sandbox_scan", "sandbox_log_out", "sandbox_go_dark", "sandbox_come_back"]),
        ("word", &["notice_unlinked", "notice_halted"]),
    ];
    const NUMBERS: [&str; 4] =
        ["timetable_slot_minutes", "timetable_capacity", "timetable_horizon_days", "timetable_notice_hours"];

    /// Every key that a page's source asks for is in the file: a missing one would be shown as itself.
    #[test]
    fn every_word_the_pages_use_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server");
        let pages = ["page", "page/timetable"].map(|sub| std::fs::read_dir(folder.join(sub)).unwrap());
        let files = pages.into_iter().flatten().map(|entry| entry.unwrap().path()).chain([folder.join("page.rs")]);
        let mut asked = 0;
        for file in files.filter(|file| file.extension().is_some_and(|end| end == "rs") && !file.ends_with("texts.rs"))
        {
            for after in std::fs::read_to_string(&file).unwrap().split(".word(").skip(1) {
                let within = balanced(after);
                let parts: Vec<&str> = within.split('"').collect();
                // What something is compared with is no word.
                let literals: Vec<&str> = parts.windows(2).step_by(2).filter_map(word_after).collect();
                let by_name = BY_NAME.iter().find(|(name, _)| *name == within).map(|(_, keys)| *keys);
                let keys = by_name.unwrap_or(literals.as_slice());
                assert!(!keys.is_empty(), "{}: which words are {within}?", file.display());
                for key in keys {
                    assert!(SPANISH.words.contains_key(*key), "{}: {key}", file.display());
                    asked += 1;
                }
            }
        }
        assert!(asked > 300, "{asked}");
    }

    fn word_after<'t>(pair: &[&'t str]) -> Option<&'t str> {
        match pair {
            [before, word] if !before.trim_end().ends_with("==") => Some(word),
            _ => None,
        }
    }

    /// What stands before the bracket that closes a call.
    fn balanced(after: &str) -> &str {
        let mut open = 1;
        let end = after.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        });
        after.split_at(end.unwrap()).0
    }

    /// What went wrong has words wherever the code gives it a word of its own, and for every row that an
    /// importer turns away.
    #[test]
    fn every_problem_has_words() {
        let house = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = vec![house.join("src/server"), house.join("../../functions/staff-api/src")];
        while let Some(at) = files.iter().position(|path| path.is_dir()) {
            let folder = files.swap_remove(at);
            files.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
        files.retain(|file| file.extension().is_some_and(|end| end == "rs") && !file.ends_with("texts.rs"));
        let mut codes = 0;
        for file in files {
            for after in std::fs::read_to_string(&file).unwrap().split(".coded(\"").skip(1) {
                let code = after.split('"').next().unwrap();
                assert!(SPANISH.problems.contains_key(code), "{}: {code}", file.display());
                codes += 1;
            }
        }
        assert!(codes > 40, "{codes}");
        let refusals = include_str!("../../../../../functions/export-importer/src/export/refusal.rs");
        let rows: Vec<&str> = refusals.split("=> \"").skip(1).map(|after| after.split('"').next().unwrap()).collect();
        assert!(rows.len() > 30 && rows.iter().all(|code| SPANISH.rows.contains_key(*code)), "{rows:?}");
    }

    #[test]
    fn every_word_about_templates_is_there() {
        use crate::doubles::MetaSays;
        use retorno_domain::approval::{MetaTrouble, Start, TemplateQuality};
        let states = "unknown not_submitted pending approved paused rejected disabled deleted";
        let todos = "check submit wait resubmit overwrite new_version nothing";
        let uses = "cloud_api no_account gateway no_whatsapp";
        let given = [("state", states), ("todo", todos), ("uses", uses), ("category", "MARKETING UTILITY")];
        let given = given.into_iter().flat_map(|(kind, codes)| codes.split(' ').map(move |code| (kind, code)));
        use MetaTrouble::{Account, Busy, Permission, Refused, Token, Unreached};
        let troubles =
            [Unreached, Busy, Token, Permission, Account, Refused].map(|trouble| ("trouble", trouble.code()));
        let starts = [Start::Ready, Start::Unknown, Start::Partly, Start::Blocked].map(|start| ("start", start.code()));
        use TemplateQuality::{Green, Red, Unknown, Yellow};
        let qualities = [Unknown, Green, Yellow, Red].map(|quality| ("quality", quality.code()));
        let says = MetaSays::ALL.into_iter().map(|says| ("meta", says.code())).chain([("meta", "unsubscribe")]);
        for (kind, code) in given.chain(troubles).chain(starts).chain(qualities).chain(says) {
            assert_ne!(SPANISH.template(kind, code), code, "{kind}");
            assert_ne!(PORTUGUESE.template(kind, code), code, "{kind}");
        }
        use retorno_domain::approval::Lacking::{Deleted, Disabled, NotSubmitted, Paused, Pending, Rejected};
        for lacking in [NotSubmitted, Pending, Rejected, Paused(None), Disabled, Deleted] {
            assert!(SPANISH.reasons.contains_key(lacking.reason()), "{lacking:?}");
        }
        for rule in retorno_domain::entry::EntryRule::ALL {
            let name = format!("{rule:?}").chars().fold(String::new(), |name, c| {
                let gap = if c.is_uppercase() && !name.is_empty() { "_" } else { "" };
                format!("{name}{gap}{}", c.to_lowercase())
            });
            assert!(SPANISH.rules.contains_key(&name), "{name}");
        }
    }

    /// What the code hands over by a word of its own has words in the file.
    #[test]
    fn every_code_has_words() {
        let intents = [Intent::OptOut, Intent::StopAll, Intent::OptIn, Intent::StopReminders, Intent::Option(9)];
        let waits = [
            include_str!("../../../../../shared/domain/src/conversation.rs"),
            include_str!("../../../../../shared/cloud/src/desk/plan.rs"),
            include_str!("../../../../../shared/cloud/src/desk/staff.rs"),
            include_str!("../../../../../functions/step-dispatcher/src/freed.rs"),
            include_str!("../../../../../functions/inbound-webhook/src/process/news.rs"),
        ]
        .concat();
        for texts in [&*SPANISH, &*PORTUGUESE] {
            assert!(Refused::ALL.iter().all(|refused| texts.refusal(refused.code()).is_some()));
            let pages = ["attach_no_phone", "attach_no_guardian", "not_there"];
            assert!(pages.iter().all(|code| texts.refusal(code).is_some()));
            assert!(TestRefused::ALL.iter().all(|refused| texts.refusal(refused.code()).is_some()));
            for state in LinkState::ALL.map(LinkState::code).into_iter().chain(["unknown"]) {
                assert!(texts.line(&format!("link_{state}")).is_some(), "{state}");
                assert!(texts.line(&format!("link_todo_{state}")).is_some(), "{state}");
            }
            assert!(intents.iter().all(|intent| texts.intent(intent.code()) != intent.code()));
            let mut codes = 0;
            for call in ["hand_over(\"", "to_a_person(\"", "held(visitor, \"", "HandOver { reason: \""] {
                for after in waits.split(call).skip(1) {
                    let code = after.split('"').next().unwrap();
                    assert!(texts.waits.contains_key(code), "{code}");
                    codes += 1;
                }
            }
            assert!(codes >= 17, "{codes}");
        }
    }
}
