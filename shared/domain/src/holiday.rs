//! Countries, and the national holidays on which their patients are left alone.
//!
//! The days come from `data/holidays.csv`, which names its source and is written by
//! `infra/holidays.py`. They are nationwide days of 2012 to 2040; what a government decrees after
//! the table was written is not in it, so a clinic can also close dates of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A country Retorno knows the telephone rules and the holidays of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Country {
    /// Argentina.
    Ar,
    /// Brazil.
    Br,
    /// Chile.
    Cl,
    /// Colombia.
    Co,
    /// Spain.
    Es,
    /// Mexico.
    Mx,
    /// Peru.
    Pe,
    /// Uruguay.
    Uy,
}

/// A text that is not the code of a known country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the countries AR, BR, CL, CO, ES, MX, PE, UY")]
pub struct UnknownCountry;

impl Country {
    /// Every country, in the order of its code.
    pub const ALL: [Self; 8] = [Self::Ar, Self::Br, Self::Cl, Self::Co, Self::Es, Self::Mx, Self::Pe, Self::Uy];

    /// Its ISO 3166-1 alpha-2 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ar => "AR",
            Self::Br => "BR",
            Self::Cl => "CL",
            Self::Co => "CO",
            Self::Es => "ES",
            Self::Mx => "MX",
            Self::Pe => "PE",
            Self::Uy => "UY",
        }
    }

    /// Its ITU-T E.164 country calling code, without the plus.
    #[must_use]
    pub const fn calling_code(self) -> &'static str {
        match self {
            Self::Ar => "54",
            Self::Br => "55",
            Self::Cl => "56",
            Self::Co => "57",
            Self::Es => "34",
            Self::Mx => "52",
            Self::Pe => "51",
            Self::Uy => "598",
        }
    }

    /// The country an IANA zone lies in, by the database's own table (`zone.tab`) and its older
    /// names; `None` for zones of other countries.
    #[must_use]
    pub fn of_zone(zone: Tz) -> Option<Self> {
        let name = zone.name();
        if name.starts_with("America/Argentina/") {
            return Some(Self::Ar);
        }
        let country = match name {
            "America/Buenos_Aires"
            | "America/Catamarca"
            | "America/Cordoba"
            | "America/Jujuy"
            | "America/Mendoza"
            | "America/Rosario" => Self::Ar,
            "America/Araguaina"
            | "America/Bahia"
            | "America/Belem"
            | "America/Boa_Vista"
            | "America/Campo_Grande"
            | "America/Cuiaba"
            | "America/Eirunepe"
            | "America/Fortaleza"
            | "America/Maceio"
            | "America/Manaus"
            | "America/Noronha"
            | "America/Porto_Acre"
            | "America/Porto_Velho"
            | "America/Recife"
            | "America/Rio_Branco"
            | "America/Santarem"
            | "America/Sao_Paulo"
            | "Brazil/Acre"
            | "Brazil/DeNoronha"
            | "Brazil/East"
            | "Brazil/West" => Self::Br,
            "America/Coyhaique"
            | "America/Punta_Arenas"
            | "America/Santiago"
            | "Chile/Continental"
            | "Chile/EasterIsland"
            | "Pacific/Easter" => Self::Cl,
            "America/Bogota" => Self::Co,
            "Africa/Ceuta" | "Atlantic/Canary" | "Europe/Madrid" => Self::Es,
            "America/Bahia_Banderas"
            | "America/Cancun"
            | "America/Chihuahua"
            | "America/Ciudad_Juarez"
            | "America/Ensenada"
            | "America/Hermosillo"
            | "America/Matamoros"
            | "America/Mazatlan"
            | "America/Merida"
            | "America/Mexico_City"
            | "America/Monterrey"
            | "America/Ojinaga"
            | "America/Santa_Isabel"
            | "America/Tijuana"
            | "Mexico/BajaNorte"
            | "Mexico/BajaSur"
            | "Mexico/General" => Self::Mx,
            "America/Lima" => Self::Pe,
            "America/Montevideo" => Self::Uy,
            _ => return None,
        };
        Some(country)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|country| country.code().eq_ignore_ascii_case(text)).ok_or(UnknownCountry)
    }
}

/// The name, in the country's own language, of the national holiday on a date; `None` on every
/// other day and outside 2012 to 2040.
///
/// Bridge days decreed for the whole country count. So do the days on which the law leaves work to
/// the employer but the country is shut: Carnival and Corpus Christi in Brazil, Carnival and the
/// Week of Tourism in Uruguay. Days of a region or city do not.
#[must_use]
pub fn national_holiday(country: Country, date: NaiveDate) -> Option<&'static str> {
    let found = TABLE.binary_search_by_key(&(country, date), |day| (day.country, day.date));
    found.ok().and_then(|at| TABLE.get(at)).map(|day| day.name)
}

#[derive(Debug, PartialEq, Eq)]
struct Holiday {
    country: Country,
    date: NaiveDate,
    name: &'static str,
}

static TABLE: LazyLock<Vec<Holiday>> = LazyLock::new(|| {
    // A line that cannot be read is left out rather than taking the process with it: the table is
    // compiled in, and a test holds that every line of it reads.
    let mut days: Vec<Holiday> = lines().filter_map(read).collect();
    days.sort_unstable_by_key(|day| (day.country, day.date));
    days
});

fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("../data/holidays.csv").lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// Reads `country,date,name`; names need no quoting, which the script that writes them checks.
fn read(line: &'static str) -> Option<Holiday> {
    let (country, rest) = line.split_once(',')?;
    let (date, name) = rest.split_once(',')?;
    Some(Holiday {
        country: country.parse().ok()?,
        date: date.parse().ok()?,
        name: Some(name).filter(|name| !name.is_empty())?,
    })
}

#[cfg(test)]
mod tests;
