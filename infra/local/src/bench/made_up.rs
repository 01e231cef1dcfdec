//! A made-up export of any size: the same on every machine. It is read by the benchmark only and
//! written to no other place than a temporary file.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

/// What the patients of a made-up export are like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Population {
    /// Any: some consent and some do not, some have an appointment to come.
    Mixed,
    /// All can be written to by every channel, and all belong to a segment by their last visit.
    Reachable,
}

/// The clinic's zone in made-up exports.
pub(crate) const ZONE: &str = "America/Argentina/Buenos_Aires";

const HEADER: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
                      paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,convenio,\
                      origen_lead,consentimiento,actualizado\n";
const SERVICES: [&str; 8] =
    ["limpieza", "control", "ortodoncia", "implante", "blanqueamiento", "endodoncia", "peeling", "consulta"];
const PROFESSIONALS: [&str; 5] = ["Dra. Lima", "Dr. Ibáñez", "Dra. Sosa", "Dr. Paz", "Dra. Vera"];
const FIRST_NAMES: [&str; 8] = ["Ana", "Juan", "Lucía", "Diego", "María", "Pedro", "Sofía", "Nicolás"];
const LAST_NAMES: [&str; 8] = ["Gómez", "Pérez", "Díaz", "Ruiz", "Sosa", "Vega", "Rossi", "Luna"];

/// An export of so many patients as of `today`: about 1.78 rows for each.
pub(crate) fn export(patients: u32, population: Population, today: NaiveDate) -> String {
    let mut csv = HEADER.to_owned();
    for number in 0..patients {
        patient(&mut csv, number, population, today);
    }
    csv
}

/// The rows that a day adds: each patient comes about once in eight months.
pub(crate) fn daily_rows(patients: u32, day: u64, date: NaiveDate) -> String {
    let mut csv = String::new();
    let mut draw = Draw(u64::MAX / 2 + day);
    for visit in 0..patients.div_ceil(240) {
        let number = draw.below(u64::from(patients.max(1)));
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "d{day}-{visit},{date}T{:02}:00:00,{ZONE},{number:06},{} {},+54 9 11 5{number:07},p{number}@example.com,{},\
             {},completado,{}.00,,,,,,{date}T19:00:00",
            8 + draw.below(11),
            pick(&FIRST_NAMES, &mut draw),
            pick(&LAST_NAMES, &mut draw),
            pick(&PROFESSIONALS, &mut draw),
            pick(&SERVICES, &mut draw),
            9_000 + draw.below(60_000),
        );
    }
    csv
}

fn patient(csv: &mut String, number: u32, population: Population, today: NaiveDate) {
    let mut draw = Draw(u64::from(number) + 1);
    let visits = match draw.below(100) {
        0..52 => 1,
        52..78 => 2,
        78..92 => 3,
        _ => 4,
    };
    let mut days_ago = match population {
        Population::Mixed => draw.below(1_000) + 1,
        Population::Reachable => draw.below(700) + 190,
    };
    let consent = match (population, draw.below(100)) {
        (Population::Reachable, _) | (Population::Mixed, 0..70) => "opt-in 2019-05-02",
        (Population::Mixed, 70..75) => "opt-out 2019-05-02",
        (Population::Mixed, _) => "",
    };
    let names = (pick(&FIRST_NAMES, &mut draw), pick(&LAST_NAMES, &mut draw));
    let insurer = if draw.below(100) < 55 { "OSDE" } else { "" };
    for visit in 0..visits {
        let service = match population {
            Population::Mixed => pick(&SERVICES, &mut draw),
            Population::Reachable => "limpieza",
        };
        let (session, total) = if service == "ortodoncia" { ("1", "12") } else { ("", "") };
        let (status, day) = match (population, draw.below(100)) {
            (Population::Mixed, 0..4) if visit == 0 => {
                ("reservado", today.checked_add_days(Days::new(draw.below(28) + 1)))
            }
            (Population::Mixed, 4..14) => ("no-show", today.checked_sub_days(Days::new(days_ago))),
            (Population::Mixed | Population::Reachable, _) => {
                ("completado", today.checked_sub_days(Days::new(days_ago)))
            }
        };
        let day = day.unwrap_or(today);
        let written = day.min(today);
        let amount = if status == "completado" { format!("{}.00", 9_000 + draw.below(60_000)) } else { String::new() };
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "{number}-{visit},{day}T{:02}:{:02}:00,{ZONE},{number:06},{} {},+54 9 11 5{number:07},p{number}@example.com,{},\
             {service},{status},{amount},{session},{total},{insurer},,{consent},{written}T20:00:00",
            8 + draw.below(11),
            15 * draw.below(4),
            names.0,
            names.1,
            pick(&PROFESSIONALS, &mut draw),
        );
        days_ago += 30 + draw.below(200);
    }
}

fn pick<'a>(list: &[&'a str], draw: &mut Draw) -> &'a str {
    let place = draw.below(u64::try_from(list.len()).unwrap_or(1));
    usize::try_from(place).ok().and_then(|place| list.get(place)).copied().unwrap_or("")
}

/// Chance that is the same everywhere: SplitMix64 (Steele, Lea, Flood, 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_the_same_each_time_and_has_about_the_rows_it_says() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap_or_default();
        let csv = export(1_000, Population::Mixed, today);
        assert_eq!(csv, export(1_000, Population::Mixed, today));
        let rows = csv.lines().count() - 1;
        assert!((1_700..1_860).contains(&rows), "{rows}");
    }
}
