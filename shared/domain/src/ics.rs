//! An appointment as a calendar file: RFC 5545, and RFC 5546 where it travels by e-mail.
//!
//! Instants are written in UTC: each calendar shows them in its owner's zone, and no zone table of
//! ours can be out of date in it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::contact::EmailAddress;
use crate::ids::ClinicId;

/// What a calendar is to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Show it: a file to download.
    Publish,
    /// Enter it, or change it: by e-mail to the one invited.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// The value of the `METHOD` property.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }

    /// The media type under which the file is served or attached.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Publish => "text/calendar; method=PUBLISH; charset=utf-8",
            Self::Request => "text/calendar; method=REQUEST; charset=utf-8",
            Self::Cancel => "text/calendar; method=CANCEL; charset=utf-8",
        }
    }
}

/// Who invites and who is invited: calendars want both in what comes by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The clinic's name.
    pub organizer_name: String,
    /// The address the clinic's e-mails come from.
    pub organizer: EmailAddress,
    /// The patient's address.
    pub attendee: EmailAddress,
}

/// An appointment as calendars know it.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The same for all files about one appointment: [`uid`].
    pub uid: String,
    /// How often the appointment was changed; a calendar ignores a file with a lower figure.
    pub sequence: u32,
    /// When the file is written.
    pub stamp: DateTime<Utc>,
    /// When the appointment begins.
    pub start: DateTime<Utc>,
    /// How long it takes; at least 1.
    pub minutes: u32,
    /// The title.
    pub summary: String,
    /// Where; left out when empty.
    pub location: String,
    /// What to know; left out when empty.
    pub description: String,
    /// Who invites whom; needed by [`Method::Request`], wanted by [`Method::Cancel`].
    pub invitation: Option<Invitation>,
}

impl fmt::Debug for CalendarEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts are a patient's: they may hold a link, or what is to be done.
        f.debug_struct("CalendarEntry")
            .field("uid", &self.uid)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// The name of an appointment in all calendars: `<booking>@<clinic>.retorno`.
#[must_use]
pub fn uid(booking: &str, clinic: &ClinicId) -> String {
    format!("{booking}@{clinic}.retorno")
}

impl CalendarEntry {
    /// The file: lines end in CR LF and are folded at 75 octets.
    #[must_use]
    pub fn file(&self, method: Method) -> String {
        let mut lines = Lines::begin(method);
        self.event(method == Method::Cancel, &mut lines);
        lines.end()
    }

    fn event(&self, cancelled: bool, lines: &mut Lines) {
        lines.plain("BEGIN", "VEVENT");
        lines.text("UID", &self.uid);
        lines.plain("SEQUENCE", &self.sequence.to_string());
        lines.plain("DTSTAMP", &instant(self.stamp));
        lines.plain("DTSTART", &instant(self.start));
        let length = TimeDelta::minutes(i64::from(self.minutes.max(1)));
        lines.plain("DTEND", &instant(self.start.checked_add_signed(length).unwrap_or(self.start)));
        lines.text("SUMMARY", &self.summary);
        for (name, text) in [("LOCATION", &self.location), ("DESCRIPTION", &self.description)] {
            if !text.is_empty() {
                lines.text(name, text);
            }
        }
        if let Some(invitation) = &self.invitation {
            lines.invitation(invitation);
        }
        lines.plain("STATUS", if cancelled { "CANCELLED" } else { "CONFIRMED" });
        // Whoever shares a calendar with others shows them that the time is taken, not by what.
        lines.plain("CLASS", "PRIVATE");
        lines.plain("TRANSP", if cancelled { "TRANSPARENT" } else { "OPAQUE" });
        lines.plain("END", "VEVENT");
    }
}

/// A feed that calendars subscribe to: appointments, each with whether it is cancelled. Calendars show
/// it under that name.
#[must_use]
pub fn feed<'a>(name: &str, entries: impl IntoIterator<Item = (&'a CalendarEntry, bool)>) -> String {
    let mut lines = Lines::begin(Method::Publish);
    // RFC 7986, and what calendars read that are older.
    lines.text("NAME", name);
    lines.text("X-WR-CALNAME", name);
    for (entry, cancelled) in entries {
        entry.event(cancelled, &mut lines);
    }
    lines.end()
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn begin(method: Method) -> Self {
        let mut lines = Self::default();
        lines.plain("BEGIN", "VCALENDAR");
        lines.plain("VERSION", "2.0");
        lines.plain("PRODID", "-//Retorno//Retorno//ES");
        lines.plain("CALSCALE", "GREGORIAN");
        lines.plain("METHOD", method.code());
        lines
    }

    fn end(mut self) -> String {
        self.plain("END", "VCALENDAR");
        self.0
    }

    /// A value that is ours: nothing in it needs escaping.
    fn plain(&mut self, name: &str, value: &str) {
        fold(&format!("{name}:{value}"), &mut self.0);
    }

    fn text(&mut self, name: &str, value: &str) {
        fold(&format!("{name}:{}", escaped(value)), &mut self.0);
    }

    fn invitation(&mut self, invitation: &Invitation) {
        let name = quotable(&invitation.organizer_name);
        let organizer = invitation.organizer.as_str();
        let attendee = invitation.attendee.as_str();
        fold(&format!("ORGANIZER;CN=\"{name}\":mailto:{organizer}"), &mut self.0);
        // The appointment stands already: the calendar need not ask whether it suits.
        let parameters = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE";
        fold(&format!("ATTENDEE;{parameters}:mailto:{attendee}"), &mut self.0);
    }
}

/// A text as RFC 5545, 3.3.11 wants it; control characters other than line ends are dropped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\\n");
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The inside of a quoted parameter, where neither a quote nor a control character may stand.
fn quotable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).map(|c| if c == '"' { '\'' } else { c }).collect()
}

/// Octets of a line, its end not counted.
const LINE_OCTETS_MAX: usize = 75;

/// Writes a line, broken before it grows too long and never inside a character.
fn fold(line: &str, out: &mut String) {
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS_MAX {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(c);
        octets += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests;
