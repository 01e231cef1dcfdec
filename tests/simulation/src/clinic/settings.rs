//! A clinic's settings, as its file has them.

use std::fmt::Write as _;

use super::{Clinic, Limits};

/// The channels of a flow's steps: by each channel comes what another clinic sends by another.
pub(super) const STEPS: [[&str; 4]; 6] = [
    ["whatsapp", "email", "whatsapp", "call"],
    ["whatsapp", "sms", "whatsapp", "call"],
    ["sms", "email", "sms", "call"],
    ["whatsapp", "email", "push", "call"],
    ["sms", "email", "push", "push"],
    ["whatsapp", "sms", "push", "push"],
];

impl Clinic {
    /// The id of its WhatsApp number.
    #[must_use]
    pub fn number_id(&self) -> String {
        format!("1000000{}", self.id.bytes().map(u64::from).sum::<u64>())
    }

    /// The number that its text messages come from.
    #[must_use]
    pub fn text_number(&self) -> String {
        format!("+3490000{}", self.id.bytes().map(u64::from).sum::<u64>())
    }

    /// The settings, as its file.
    #[must_use]
    pub fn settings(&self, halted: bool) -> String {
        let closed: Vec<String> = self.closed_on.iter().map(|day| format!("\"{day}\"")).collect();
        let Limits { whatsapp_max, window_days, rest_days, per_day, tier, seats } = &self.limits;
        let mut toml = format!(
            "name = \"Clínica Modelo\"\nzone = \"{}\"\ncountry = \"{}\"\nhalted = {halted}\n\
             whatsapp_phone_number_id = \"{}\"\nsms = {{ origination = \"{}\" }}\n[closures]\ndates = [{}]\nwrite_on_holidays = {}\n\
             [limits]\nwhatsapp_max = {whatsapp_max}\nwhatsapp_window_days = {window_days}\nrest_days = {rest_days}\n\
             entry_quiet_days = 1\nper_day_max = {per_day}\nwhatsapp_daily_tier = {tier}\n",
            self.zone.name(),
            self.country,
            self.number_id(),
            self.text_number(),
            closed.join(", "),
            self.writes_on_holidays,
        );
        for (id, min, max) in [("preventivo-6-12m", 180, 364), ("inactivo-12-18m", 365, 600)] {
            let _ = write!(
                toml,
                "[[segments]]\nid = \"{id}\"\ngoal = \"volver\"\nseats_per_week = {seats}\n\
                 rules = [{{ last_visit_days = {{ min = {min}, max = {max} }} }}]\n"
            );
        }
        let close = self.offsets.iter().max().map_or(2, |last| last + 2);
        let _ = write!(
            toml,
            "[[flows]]\nid = \"reactivacion\"\nversion = {}\nclose_after_days = {close}\nsteps = [\n",
            self.flow_version
        );
        for ((id, channel), offset) in ["d1", "d3", "d6", "d8"].iter().zip(self.steps).zip(self.offsets) {
            // A new version differs in this from the one before.
            let delay = if *id == "d8" { 47 + self.flow_version } else { 96 };
            let _ = writeln!(
                toml,
                "{{ id = \"{id}\", offset_days = {offset}, channel = \"{channel}\", delay_hours_max = {delay}, \
                 metric = \"m\" }},"
            );
        }
        toml.push_str(
            "]\n[flows.branches]\nyes = \"book_now\"\nclick = \"high_intent\"\nno = \"close\"\nopt_out = \"close\"\n\
             unclear = \"hand_over\"\nunread = \"next_step\"\nsilence = \"close\"\n",
        );
        if let Some(minutes) = self.agenda.timetable {
            let _ = writeln!(toml, "[[timetable]]\nslot_minutes = {minutes}\nhorizon_days = 12\n[timetable.hours]");
            for day in ["monday", "wednesday", "friday", "saturday"] {
                let _ = writeln!(toml, "{day} = \"10:00-12:30\"");
            }
        }
        toml
    }
}
