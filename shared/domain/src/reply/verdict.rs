//! What the phrases of a text add up to.

use chrono::NaiveDate;

use super::phrase::Found;
use super::scope;
use super::sign::Sign;
use super::token::{Kind, Token};
use super::vocabulary::Vocabulary;
use super::when::{When, when};
use super::{Asked, Intent, Reading};

/// Words nothing is known of that may follow a word that ends messages.
const AFTER_OPT_OUT_WORDS_MAX: usize = 3;
/// Phrases that bear no more words than this bear names only.
const NAMES_MAX: usize = 1;
/// Words nothing is known of that may stand beside a time.
const BESIDE_TIME_WORDS_MAX: usize = 3;

/// What is wanted, from what was found in a text.
pub(super) fn verdict(tokens: &[Token], found: &[Found], asked: &Asked, today: NaiveDate) -> Reading {
    let scene = Scene::new(tokens, found, asked, when(tokens, found, today));
    scene
        .opt_out()
        .or_else(|| scene.grave())
        .or_else(|| scene.appointment())
        .or_else(|| scene.choice())
        .or_else(|| scene.other_time())
        .or_else(|| scene.question())
        .or_else(|| scene.plain())
        .unwrap_or(Reading { intent: Intent::Unreadable, sure: false })
}

/// An option named by its number alone.
pub(super) fn choice(number: u8, asked: &Asked) -> Reading {
    match number {
        1 if asked.confirm && asked.options == 0 => Reading { intent: Intent::Yes, sure: true },
        2 if asked.confirm && asked.options == 0 => Reading { intent: Intent::No, sure: true },
        _ => Reading { intent: Intent::Option(number), sure: (1..=asked.options).contains(&number) },
    }
}

/// Whether a token is a word or a number.
fn speaks(token: &Token) -> bool {
    !token.kind.is_boundary() && token.kind != Kind::Symbol
}

struct Scene<'a> {
    tokens: &'a [Token],
    found: &'a [Found],
    asked: &'a Asked,
    when: When,
    /// Words that no phrase holds.
    rest: usize,
    /// Those of them that mean something elsewhere, so that they are no names.
    rest_with_meaning: usize,
    /// Whether there is a question mark.
    asks: bool,
}

impl<'a> Scene<'a> {
    fn new(tokens: &'a [Token], found: &'a [Found], asked: &'a Asked, when: When) -> Self {
        let mut explained = vec![false; tokens.len()];
        for phrase in found {
            let reach = if phrase.sign == Sign::Filler {
                phrase.start()..=phrase.start()
            } else {
                phrase.start()..=phrase.end()
            };
            for place in phrase.places.iter().copied().chain(reach) {
                if let Some(explained) = explained.get_mut(place) {
                    *explained = true;
                }
            }
        }
        let unexplained: Vec<&Token> = (tokens.iter().zip(&explained))
            .filter(|(token, explained)| speaks(token) && !**explained)
            .map(|(token, _)| token)
            .collect();
        let rest = unexplained.len();
        let known = &Vocabulary::embedded().known;
        let means = |token: &&&Token| token.kind != Kind::Word || known.contains(&token.text);
        let rest_with_meaning = unexplained.iter().filter(means).count();
        let asks = tokens.iter().any(|token| token.kind == Kind::Question);
        Self { tokens, found, asked, when, rest, rest_with_meaning, asks }
    }

    fn has(&self, sign: Sign) -> bool {
        self.found.iter().any(|found| found.sign == sign)
    }

    fn has_any(&self, signs: &[Sign]) -> bool {
        signs.iter().any(|sign| self.has(*sign))
    }

    fn first(&self, signs: &[Sign]) -> Option<&Found> {
        signs.iter().find_map(|sign| self.found.iter().find(|found| found.sign == *sign))
    }

    /// Sure unless more is said than the phrase bears, or the text is in doubt.
    fn reading(&self, intent: Intent, phrase: &Found) -> Reading {
        let names_only = phrase.rest > NAMES_MAX || self.rest_with_meaning == 0;
        Reading { intent, sure: self.rest <= phrase.rest && names_only && !self.in_doubt() }
    }

    fn in_doubt(&self) -> bool {
        self.has(Sign::Doubt) || self.found.iter().any(|found| found.sign == Sign::OptOutWord && found.rest > 0)
    }

    /// Whether there is anything but these and what says nothing.
    fn more_than(&self, signs: &[Sign]) -> bool {
        self.found
            .iter()
            .any(|found| !signs.contains(&found.sign) && !matches!(found.sign, Sign::Filler | Sign::Nothing))
    }

    /// An opt-out, and how far it reaches.
    fn opt_out(&self) -> Option<Reading> {
        let reading = self.no_more()?;
        // By a phrase, or by one of the words that messages name.
        let by_word = !self.has(Sign::OptOut);
        let of_marketing = !reading.sure || scope::is_of_marketing(self.tokens, by_word);
        Some(if of_marketing { reading } else { Reading { intent: Intent::StopAll, ..reading } })
    }

    fn no_more(&self) -> Option<Reading> {
        let besides = [
            Sign::OptOut,
            Sign::OptOutWord,
            Sign::OptOutPerhaps,
            Sign::No,
            Sign::Thanks,
            Sign::Ok,
            Sign::CancelWord,
            Sign::But,
        ];
        let alone = !self.more_than(&besides) && !self.asks;
        let guessed =
            |phrase: &Found| phrase.places.iter().filter_map(|at| self.tokens.get(*at)).any(|token| token.guessed);
        if let Some(phrase) = self.first(&[Sign::OptOut]) {
            let sure = alone && self.rest <= phrase.rest && !guessed(phrase);
            return Some(Reading { intent: Intent::OptOut, sure });
        }
        if self.has(Sign::OptOutRefusal) && self.rest == 0 && !self.more_than(&[Sign::OptOutRefusal]) {
            return Some(Reading { intent: Intent::OptOut, sure: false });
        }
        if self.first(&[Sign::OptIn]).is_some_and(|phrase| self.is_negated(phrase)) {
            return Some(Reading { intent: Intent::OptOut, sure: false });
        }
        if self.has(Sign::OptOutPerhaps) && !self.asks && !self.has(Sign::Question) {
            return Some(Reading { intent: Intent::OptOut, sure: false });
        }
        let word = self.first(&[Sign::OptOutWord])?;
        let whole = self.rest == 0 && !self.more_than(&besides);
        let leads =
            word.rest > 0 && self.leads(word) && self.rest <= AFTER_OPT_OUT_WORDS_MAX && !self.more_than(&besides);
        let probable = whole || leads || (word.rest > 0 && self.is_shouted(word));
        probable.then(|| Reading { intent: Intent::OptOut, sure: whole && alone && !guessed(word) })
    }

    /// Whether only courtesy stands before it.
    fn leads(&self, phrase: &Found) -> bool {
        let courtesy = [Sign::Filler, Sign::Thanks, Sign::Ok, Sign::No];
        let explained =
            |at: usize| self.found.iter().any(|found| courtesy.contains(&found.sign) && found.places.contains(&at));
        let before = self.tokens.iter().enumerate().take(phrase.start());
        before.filter(|(_, token)| speaks(token)).all(|(at, _)| explained(at))
    }

    /// Whether a refusal stands right before it: "for now no | I am interested".
    fn follows_no(&self, phrase: &Found) -> bool {
        self.found.iter().any(|found| found.sign == Sign::No && found.end() + 1 == phrase.start())
    }

    /// Whether a bare "no" stands right before it.
    fn is_negated(&self, phrase: &Found) -> bool {
        self.found
            .iter()
            .any(|found| found.sign == Sign::No && found.places.len() == 1 && found.end() + 1 == phrase.start())
    }

    /// In capitals within a text that is not: quoted from the message that said how to stop.
    fn is_shouted(&self, word: &Found) -> bool {
        let shouted = word.places.iter().filter_map(|at| self.tokens.get(*at)).all(|token| token.shouted);
        let quiet = |token: &Token| token.kind == Kind::Word && token.text.len() >= 3 && !token.shouted;
        shouted && self.tokens.iter().any(quiet)
    }

    /// What matters more than any appointment.
    fn grave(&self) -> Option<Reading> {
        if let Some(phrase) = self.first(&[Sign::Urgent]) {
            return Some(Reading { intent: Intent::Urgent, sure: self.rest <= phrase.rest });
        }
        let intents = [
            (Sign::Deceased, Intent::Deceased),
            (Sign::WrongPerson, Intent::WrongPerson),
            (Sign::StopReminders, Intent::StopReminders),
            (Sign::Complaint, Intent::Complaint),
            (Sign::OptIn, Intent::OptIn),
        ];
        let (phrase, intent) = intents.into_iter().find_map(|(sign, intent)| Some((self.first(&[sign])?, intent)))?;
        let mut reading = self.reading(intent, phrase);
        // Somebody may also write of a death in the family, to say why they cannot come.
        let comes = [Sign::CannotCome, Sign::Cannot, Sign::Cancel, Sign::Reschedule, Sign::OtherTime, Sign::Yes];
        reading.sure &= phrase.sign != Sign::Deceased || !self.has_any(&comes);
        Some(reading)
    }

    fn appointment(&self) -> Option<Reading> {
        let booked = self.asked.booked || self.asked.confirm;
        if let Some(phrase) = self.first(&[Sign::Reschedule]) {
            if !booked && self.asked.options > 0 {
                return None;
            }
            let mut reading = self.reading(Intent::Reschedule, phrase);
            reading.sure &= booked;
            return Some(reading);
        }
        if let Some(phrase) = self.first(&[Sign::Cancel, Sign::CancelWord]) {
            let moves = self.has_any(&[Sign::OtherTime, Sign::Choice1, Sign::Choice2, Sign::But, Sign::Rather]);
            if moves && booked {
                let mut reading = self.reading(Intent::Reschedule, phrase);
                reading.sure &= self.has(Sign::OtherTime);
                return Some(reading);
            }
            let mut reading = self.reading(Intent::Cancel, phrase);
            reading.sure &= booked && !moves;
            return Some(reading);
        }
        if let Some(phrase) = self.first(&[Sign::AlreadyBooked]) {
            let intent = if self.asks { Intent::Question } else { Intent::AlreadyBooked };
            return Some(self.reading(intent, phrase));
        }
        let phrase = self.first(&[Sign::CannotCome])?;
        if !booked || self.asked.options > 0 || !self.when.wish.is_empty() {
            return None;
        }
        let intent = if self.has_any(&[Sign::OtherTime]) { Intent::Reschedule } else { Intent::Cancel };
        Some(self.reading(intent, phrase))
    }

    fn choice(&self) -> Option<Reading> {
        let phrases: Vec<&Found> =
            self.found.iter().filter(|found| found.sign == Sign::Choice || found.sign.choice().is_some()).collect();
        let first = phrases.first()?;
        let number = |phrase: &Found| {
            let written = phrase.numbers.first().and_then(|at| self.tokens.get(*at)).map(|token| match token.kind {
                Kind::Number(number) => u8::try_from(number).unwrap_or(u8::MAX),
                Kind::Word | Kind::Clock(_) | Kind::Date(..) | Kind::Symbol | Kind::Question | Kind::Break => u8::MAX,
            });
            phrase.sign.choice().or(written).unwrap_or(u8::MAX)
        };
        let chosen = number(first);
        let one = phrases.iter().all(|phrase| number(phrase) == chosen);
        let against =
            [Sign::No, Sign::Cannot, Sign::NotThese, Sign::OtherTime, Sign::But, Sign::Question, Sign::CannotCome];
        let mut reading = choice(chosen, self.asked);
        reading.sure &= one && !self.asks && !self.when.said && !self.has_any(&against);
        reading.sure &= self.rest <= first.rest && !self.in_doubt();
        if self.when.said || self.has(Sign::OtherTime) || self.has(Sign::NotThese) {
            reading = Reading { intent: Intent::OtherTime(self.when.wish.clone()), sure: false };
        }
        Some(reading)
    }

    fn other_time(&self) -> Option<Reading> {
        let signs = [Sign::NotThese, Sign::OtherTime, Sign::Reschedule, Sign::Cannot, Sign::CannotCome];
        let phrase = self.first(&signs);
        if phrase.is_none() && !self.when.said {
            return None;
        }
        let confirming = self.asked.confirm && self.asked.options == 0;
        if confirming && phrase.is_none() && self.has_any(&[Sign::Yes, Sign::Ok]) && !self.has(Sign::But) {
            let sure = self.rest == 0 && !self.asks && !self.in_doubt() && !self.has(Sign::No);
            return Some(Reading { intent: Intent::Yes, sure });
        }
        let bare =
            phrase.is_some_and(|phrase| matches!(phrase.sign, Sign::Cannot | Sign::CannotCome)) && !self.when.said;
        let booked_only = self.asked.booked && self.asked.options == 0;
        let is_empty = self.when.wish.is_empty();
        let only_asks = phrase.is_none() && self.has(Sign::Question);
        if only_asks && booked_only {
            return self.question();
        }
        let intent = match phrase {
            Some(_) if is_empty && booked_only => Intent::Reschedule,
            Some(_) | None => Intent::OtherTime(self.when.wish.clone()),
        };
        let rest = phrase.map_or(BESIDE_TIME_WORDS_MAX, |phrase| phrase.rest.max(BESIDE_TIME_WORDS_MAX));
        let nothing_left = is_empty && phrase.is_none();
        let sure = !self.when.vague && !bare && !only_asks && !nothing_left && self.rest <= rest && !self.in_doubt();
        Some(Reading { intent, sure })
    }

    fn question(&self) -> Option<Reading> {
        if let Some(phrase) = self.first(&[Sign::Question]) {
            let mut reading = self.reading(Intent::Question, phrase);
            reading.sure &= !self.follows_no(phrase);
            return Some(reading);
        }
        let answers = self.has_any(&[Sign::Yes, Sign::No, Sign::Ok, Sign::Thanks]);
        let words = self.rest > 0 || self.has(Sign::Nothing);
        self.asks.then(|| Reading { intent: Intent::Question, sure: words && !answers && !self.in_doubt() })
    }

    /// Yes, no, thanks.
    fn plain(&self) -> Option<Reading> {
        let no = self.first(&[Sign::No, Sign::OptOutRefusal]);
        let yes = self.first(&[Sign::Yes]);
        let ok = self.first(&[Sign::Ok]);
        let thanks = self.first(&[Sign::Thanks]);
        let nothing_asked = self.asked.options == 0 && !self.asked.confirm;
        let (intent, phrase) = match (no, yes.or(ok), thanks) {
            (Some(no), _, _) => (Intent::No, no),
            (None, Some(_), Some(thanks)) if yes.is_none() && nothing_asked => (Intent::Thanks, thanks),
            (None, Some(yes), _) => (Intent::Yes, yes),
            (None, None, Some(thanks)) => (Intent::Thanks, thanks),
            (None, None, None) => return None,
        };
        let mut reading = self.reading(intent, phrase);
        let contradicted = no.is_some() && yes.is_some_and(|yes| !self.follows_no(yes));
        let only_ok = phrase.sign == Sign::Ok;
        let about_nothing =
            self.found.iter().any(|found| found.sign == Sign::Nothing && (only_ok || self.follows_no(found)));
        reading.sure &= !contradicted && !about_nothing && (no.is_some() || !self.has(Sign::But));
        Some(reading)
    }
}
