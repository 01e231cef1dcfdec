//! The lists a clinic is made from, and chance that is the same everywhere.

/// A treatment.
pub(super) struct Service {
    pub(super) name: String,
    /// Usual price in units of the currency.
    pub(super) amount: u64,
    /// Sessions of its plan; 0 where it has none.
    pub(super) sessions: u16,
    pub(super) kind: Kind,
}

/// What a treatment means for following up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing in particular.
    Visit,
    /// Asked after at 30, 60 and 90 days.
    Procedure,
    /// The same, and dear.
    Costly,
}

/// All lists of one clinic.
#[derive(Default)]
pub(super) struct Words {
    pub(super) first_names: Vec<String>,
    pub(super) last_names: Vec<String>,
    pub(super) professionals: Vec<String>,
    pub(super) insurers: Vec<String>,
    pub(super) lead_sources: Vec<String>,
    pub(super) bad_phones: Vec<String>,
    pub(super) services: Vec<Service>,
}

impl Words {
    /// Reads the lists of a clinic. What is not understood is left out; a test sees that nothing is.
    pub(super) fn parse(text: &str) -> Self {
        let mut words = Self::default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (list, value) in lines.filter_map(|line| line.split_once(',')) {
            let value = value.to_owned();
            match list {
                "first_name" => words.first_names.push(value),
                "last_name" => words.last_names.push(value),
                "professional" => words.professionals.push(value),
                "insurer" => words.insurers.push(value),
                "lead_source" => words.lead_sources.push(value),
                "bad_phone" => words.bad_phones.push(value),
                "service" => words.services.extend(service(&value)),
                _ => {}
            }
        }
        words
    }
}

fn service(line: &str) -> Option<Service> {
    let mut cells = line.split(',');
    Some(Service {
        name: cells.next()?.to_owned(),
        amount: cells.next()?.parse().ok()?,
        sessions: cells.next()?.parse().ok()?,
        kind: match cells.next()? {
            "visit" => Kind::Visit,
            "procedure" => Kind::Procedure,
            "costly" => Kind::Costly,
            _ => return None,
        },
    })
}

/// Chance from a seed and an index: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
/// number generators, 2014), started from a mix of both. The same everywhere, and of no use for
/// secrets.
pub(super) struct Draw {
    state: u64,
}

impl Draw {
    /// Chance of its own for each `index`, so that changing one patient changes no other.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        Self { state: mix(seed.wrapping_mul(GOLDEN_GAMMA) ^ mix(index)) }
    }

    /// From `least` to `most`, both included.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let span = most.saturating_sub(least).saturating_add(1);
        // The bias of a remainder over spans of this size is below 1 in 10^15.
        least + mix(self.state).checked_rem(span).unwrap_or(0)
    }

    /// True this many times in a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.between(0, 99) < percent
    }

    /// A position in a list of `length`; 0 where it is empty.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let last = u64::try_from(length).unwrap_or(u64::MAX).saturating_sub(1);
        usize::try_from(self.between(0, last)).unwrap_or(0)
    }

    /// One of the list; nothing where it is empty.
    pub(super) fn pick<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.index(list.len()))
    }

    /// One of the list; empty where it is.
    pub(super) fn word(&mut self, list: &[String]) -> String {
        self.pick(list).cloned().unwrap_or_default()
    }
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
