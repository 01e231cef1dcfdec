//! The timetables as a form has them, and as the settings do. Fields are texts as people write them;
//! what is wrong with one is said by the settings, by its key.

use retorno_domain::clinic::Clinic;
use retorno_domain::timetable::Timetable;

use crate::server::slots::KEY;

/// Weekdays as the settings name them.
pub(super) const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Timetables of one form.
const ENTRIES_MAX: usize = 200;

/// One timetable of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::server::page) struct Entry {
    pub(in crate::server::page) professional: String,
    pub(super) hours: [String; 7],
    pub(super) slot_minutes: String,
    pub(super) capacity: String,
    pub(super) horizon_days: String,
    pub(super) notice_hours: String,
    pub(super) closed: String,
    pub(super) open_on_holidays: bool,
}

/// The timetables of a clinic, and an empty one to be filled in.
pub(super) fn of_clinic(clinic: &Clinic) -> Vec<Entry> {
    clinic.timetables.iter().map(entry).chain([blank()]).collect()
}

/// An entry with the defaults.
pub(super) fn blank() -> Entry {
    Entry {
        slot_minutes: "30".to_owned(),
        capacity: "1".to_owned(),
        horizon_days: "28".to_owned(),
        notice_hours: "2".to_owned(),
        ..Entry::default()
    }
}

fn entry(of: &Timetable) -> Entry {
    let hours = of.hours.each_ref().map(|hours| {
        let range = |hours: &retorno_domain::hours::OpenHours| {
            format!("{}-{}", hours.from().format("%H:%M"), hours.until().format("%H:%M"))
        };
        hours.iter().map(range).collect::<Vec<_>>().join(", ")
    });
    let dates = |(first, last): &(chrono::NaiveDate, chrono::NaiveDate)| {
        if first == last { first.to_string() } else { format!("{first}/{last}") }
    };
    Entry {
        professional: of.professional.clone(),
        hours,
        slot_minutes: of.slot_minutes.to_string(),
        capacity: of.capacity.to_string(),
        horizon_days: of.horizon_days.to_string(),
        notice_hours: of.notice.num_hours().to_string(),
        closed: of.closed.iter().map(dates).collect::<Vec<_>>().join(", "),
        open_on_holidays: of.open_on_holidays,
    }
}

/// The timetables of a form that was sent: `<place>.<field>`, as many as there are. One that is marked
/// to be taken out, or holds neither a name nor hours, is none.
pub(super) fn read(fields: &[(String, String)]) -> Vec<Entry> {
    let value = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim());
    let mut entries = Vec::new();
    for place in 0..ENTRIES_MAX {
        let of = |field: &str| value(&format!("{place}.{field}"));
        if of("slot_minutes").is_none() {
            break;
        }
        let text = |field: &str| of(field).unwrap_or("").to_owned();
        let entry = Entry {
            professional: text("professional"),
            hours: WEEKDAYS.map(text),
            slot_minutes: text("slot_minutes"),
            capacity: text("capacity"),
            horizon_days: text("horizon_days"),
            notice_hours: text("notice_hours"),
            closed: text("closed"),
            open_on_holidays: of("open_on_holidays").is_some(),
        };
        let is_empty = entry.professional.is_empty() && entry.hours.iter().all(String::is_empty);
        if !is_empty && of("remove").is_none() {
            entries.push(entry);
        }
    }
    entries
}

/// The entries as settings.
pub(super) fn toml(entries: &[Entry]) -> String {
    let list = entries.iter().map(|entry| toml::Value::Table(table(entry))).collect();
    toml::Table::from_iter([(KEY.to_owned(), toml::Value::Array(list))]).to_string()
}

fn table(entry: &Entry) -> toml::Table {
    let hours = WEEKDAYS.into_iter().zip(&entry.hours).filter(|(_, text)| !text.is_empty());
    let hours: toml::Table = hours.map(|(day, text)| (day.to_owned(), hours_text(text).into())).collect();
    let closed = entry.closed.split([',', ';', ' ', '\n', '\r']).filter(|text| !text.is_empty());
    let closed: Vec<toml::Value> = closed.map(|text| text.into()).collect();
    let mut table = toml::Table::from_iter([
        ("professional".to_owned(), entry.professional.clone().into()),
        ("hours".to_owned(), hours.into()),
        ("closed".to_owned(), closed.into()),
        ("open_on_holidays".to_owned(), entry.open_on_holidays.into()),
    ]);
    let numbers = [
        ("slot_minutes", &entry.slot_minutes),
        ("capacity", &entry.capacity),
        ("horizon_days", &entry.horizon_days),
        ("notice_hours", &entry.notice_hours),
    ];
    // What is no number is out of every range, and refused by its key; what is empty is the default.
    for (name, text) in numbers.into_iter().filter(|(_, text)| !text.is_empty()) {
        table.insert(name.to_owned(), toml::Value::Integer(text.parse().unwrap_or(i64::from(u16::MAX))));
    }
    table
}

/// Hours as people write them ("9 a 13, 15:30–19", "9h-13h") as the settings have them. What is not
/// understood stays as it is, to be refused with what is expected.
fn hours_text(text: &str) -> String {
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "cerrado" | "fechado" | "closed" | "-" | "—") {
        return "closed".to_owned();
    }
    let lower = lower.replace(['–', '—'], "-").replace(" a ", "-").replace(" às ", "-").replace(" as ", "-");
    let lower = lower.replace(" y ", ",").replace(" e ", ",").replace(';', ",");
    let ranges: Option<Vec<String>> = lower.split(',').map(range).collect();
    ranges.map_or_else(|| text.to_owned(), |ranges| ranges.join(", "))
}

fn range(text: &str) -> Option<String> {
    let (from, until) = text.split_once('-')?;
    Some(format!("{}-{}", time(from)?, time(until)?))
}

/// "9", "9h", "9h30", "9.30", "09:30" as "09:30".
fn time(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches("hs").trim_end_matches('h').trim().replace(['h', '.'], ":");
    let (hour, minute) = text.split_once(':').unwrap_or((&text, "0"));
    let (hour, minute): (u32, u32) = (hour.trim().parse().ok()?, minute.trim().parse().ok()?);
    chrono::NaiveTime::from_hms_opt(hour, minute, 0).map(|time| time.format("%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use retorno_domain::ids::ClinicId;
    use retorno_domain::settings::clinic_from_toml;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn hours_are_understood_as_people_write_them() {
        let cases = [
            ("9 a 13, 15:30–19", "09:00-13:00, 15:30-19:00"),
            ("9h às 13h e 15h30-19h", "09:00-13:00, 15:30-19:00"),
            ("9.15-13 y 15-19hs", "09:15-13:00, 15:00-19:00"),
            ("Cerrado", "closed"),
            ("cuando puedo", "cuando puedo"),
            ("25-26", "25-26"),
        ];
        for (written, expected) in cases {
            assert_eq!(hours_text(written), expected);
        }
    }

    #[test]
    fn a_form_is_what_the_settings_say_and_back_again() {
        let sent = fields(&[
            ("0.professional", " Dra. \"Lima\" "),
            ("0.monday", "9-13, 15-19"),
            ("0.slot_minutes", "30"),
            ("0.capacity", ""),
            ("0.horizon_days", "28"),
            ("0.notice_hours", "24"),
            ("0.closed", "2026-12-24, 2026-12-28/2027-01-05"),
            ("1.slot_minutes", "30"),
            ("2.professional", "Dr. Paz"),
            ("2.slot_minutes", "30"),
            ("2.remove", "on"),
        ]);
        let entries = read(&sent);
        assert_eq!(entries.len(), 1, "an empty one and one to be taken out are none");
        let text = format!("zone = \"America/Bogota\"\n{}", toml(&entries));
        let clinic = clinic_from_toml(ClinicId::parse("c").unwrap(), &text, None).unwrap();
        let shown = of_clinic(&clinic);
        assert_eq!(shown.len(), 2);
        let expected = Entry {
            hours: ["09:00-13:00, 15:00-19:00", "", "", "", "", "", ""].map(str::to_owned),
            capacity: "1".to_owned(),
            ..entries[0].clone()
        };
        assert_eq!(shown[0], expected);
        assert_eq!(shown[1], blank());
        let wrong = Entry { slot_minutes: "media hora".to_owned(), ..expected };
        let text = format!("zone = \"America/Bogota\"\n{}", toml(&[wrong]));
        let said = clinic_from_toml(ClinicId::parse("c").unwrap(), &text, None).unwrap_err().to_string();
        assert!(said.contains("timetable.1.slot_minutes: must be between"), "{said}");
    }
}
