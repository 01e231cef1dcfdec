//! A small clinic and a run over it: everything legal, until a test breaks something.

use serde_json::{Value, json};

use crate::reference::{Export, Review, Rule, RunParameters, read_export, read_slots, review};

const COLUMNS: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,\
    paciente_contacto,paciente_email,servicio,estado,importe,sesion,sesiones_total,consentimiento,actualizado";

/// One row of an export.
#[derive(Clone)]
pub(in crate::reference) struct Row {
    pub(in crate::reference) id: String,
    pub(in crate::reference) patient: String,
    pub(in crate::reference) start: String,
    pub(in crate::reference) service: &'static str,
    pub(in crate::reference) status: &'static str,
    pub(in crate::reference) phone: String,
    pub(in crate::reference) email: String,
    pub(in crate::reference) amount: String,
    pub(in crate::reference) session: &'static str,
    pub(in crate::reference) consent: &'static str,
    pub(in crate::reference) updated: &'static str,
}

impl Row {
    /// A completed cleaning of a patient who agreed to everything.
    pub(in crate::reference) fn visit(patient: &str, day: &str) -> Self {
        Self {
            id: format!("{patient}-{day}"),
            patient: patient.to_owned(),
            start: format!("{day}T10:00:00"),
            service: "limpieza",
            status: "completado",
            phone: "+54 9 11 4000 0001".to_owned(),
            email: format!("{patient}@example.com"),
            amount: "100.00".to_owned(),
            session: ",",
            consent: "opt-in 2025-01-01",
            updated: "2025-12-01T00:00:00",
        }
    }

    fn line(&self) -> String {
        format!(
            "{},{},America/Argentina/Buenos_Aires,{},Ana,{},{},{},{},{},{},\"{}\",{}",
            self.id,
            self.start,
            self.patient,
            self.phone,
            self.email,
            self.service,
            self.status,
            self.amount,
            self.session,
            self.consent,
            self.updated
        )
    }
}

/// The export of these rows.
pub(in crate::reference) fn export(rows: &[Row]) -> Export {
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    read_export(format!("{COLUMNS}\n{}\n", lines.join("\n")).as_bytes()).expect("an export")
}

/// Rows, a message list, and the run that made it.
pub(super) struct Scene {
    pub(super) rows: Vec<Row>,
    pub(super) lines: Vec<Value>,
    pub(super) at: &'static str,
    pub(super) days: i64,
    pub(super) slots: Option<&'static str>,
}

/// Ana, seven months away, hears all four steps from Monday 2 March 2026 on.
pub(super) fn scene() -> Scene {
    Scene {
        rows: vec![Row::visit("ana", "2025-08-01")],
        lines: vec![
            line("ana", "d1", "2026-03-02T10:00:00"),
            line("ana", "d3", "2026-03-04T10:00:00"),
            line("ana", "d6", "2026-03-07T10:00:00"),
            line("ana", "d8", "2026-03-09T11:00:00"),
        ],
        at: "2026-03-02T09:00:00",
        days: 30,
        slots: None,
    }
}

/// A message as it should be, at a local time of Buenos Aires.
pub(super) fn line(patient: &str, step: &str, local: &str) -> Value {
    let channel = match step {
        "d3" => "email",
        "d8" => "call",
        _ => "whatsapp",
    };
    let contact = if step == "d3" { format!("{patient}@example.com") } else { "+5491140000001".to_owned() };
    let mut line = json!({
        "at": format!("{local}-03:00"), "patient_id": patient, "contact": contact,
        "channel": channel, "segment": "preventivo-6-12m", "flow": "reactivation", "step": step,
        "campaign_id": "c1", "message_id": format!("{patient}-{step}-{local}"),
        "text": "Hola. Para no recibir más, PARAR.",
    });
    if channel == "email" {
        line["subject"] = json!("Tu control");
    }
    line
}

impl Scene {
    /// Sets a field of one line.
    pub(super) fn set(&mut self, line: usize, field: &str, value: impl Into<Value>) {
        self.lines[line][field] = value.into();
    }

    /// Sets a field of every line.
    pub(super) fn set_all(&mut self, field: &str, value: &str) {
        (0..self.lines.len()).for_each(|l| self.set(l, field, value));
    }

    /// Adds a line of another campaign.
    pub(super) fn again(&mut self, step: &str, local: &str) {
        let mut again = line("ana", step, local);
        again["campaign_id"] = json!("c2");
        self.lines.push(again);
    }

    /// Adds patients with a phone of their own, last seen on a day, who hear the first step.
    pub(super) fn crowd(&mut self, n: usize, seen: &str, segment: &str, local_day: &str) {
        for _ in 0..n {
            let k = self.rows.len();
            let patient = format!("p{k}");
            let phone = format!("+5491150{k:06}");
            self.rows.push(Row { phone: phone.clone(), ..Row::visit(&patient, seen) });
            let at = format!("{local_day}T{:02}:{:02}:00", 12 + k / 60 % 6, k % 60);
            let mut first = line(&patient, "d1", &at);
            first["contact"] = json!(phone);
            first["segment"] = json!(segment);
            self.lines.push(first);
        }
    }

    pub(super) fn review(&self) -> Review {
        let export = export(&self.rows);
        let run = RunParameters::over(&export, self.at.parse().expect("a time"), self.days);
        let lines: Vec<String> = self.lines.iter().map(Value::to_string).collect();
        let slots = self.slots.map(|s| read_slots(s.as_bytes()).expect("slots"));
        review(&export, slots.as_ref(), &lines.join("\n"), &run.expect("a known country"))
    }

    /// The rules broken, each once.
    pub(super) fn broken(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.review().violations.iter().map(|v| v.rule).collect();
        rules.sort();
        rules.dedup();
        rules
    }
}
