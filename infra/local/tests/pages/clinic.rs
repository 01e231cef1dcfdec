//! A clinic whose patients have just been written to, and somebody who follows their links.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use patient_pages::{PageAnswer, PageRequest, Pages};
use retorno::calls::calls_of;
use retorno::host::{Host, HostKeys};
use retorno::outbox::sent_between;
use retorno_cloud::Clock;
use retorno_cloud::links::{Link, LinkPurpose, Links};
use retorno_cloud::store::{Collection, TenantStore};
use retorno_domain::ids::{ClinicId, MessageId, PatientId};
use segment_evaluator::Scope;

pub(crate) const SETTINGS: &str = r#"
name = "Clínica Aurora"
zone = "America/Argentina/Buenos_Aires"
contact = "el 11 4555 0000"
whatsapp_phone_number_id = "100000000000001"
email_from = "hola@aurora.example"
"#;
const HEADER: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
                      paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,convenio,\
                      origen_lead,consentimiento,actualizado\n";
/// The patients' names and the beginning of their numbers: no page may show them.
pub(crate) const SECRETS: [&str; 4] = ["Lucrecia", "Zubizarreta", "5551", "@correo"];

/// A Monday, nine in the morning in Buenos Aires.
fn began() -> DateTime<Utc> {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) pages: Pages,
    pub(crate) links: Links,
    pub(crate) tenant: TenantStore,
    /// The first message of each patient.
    pub(crate) messages: BTreeMap<PatientId, MessageId>,
}

impl Stage {
    /// So many patients, each with a message of today, and so many free slots: half past eight and
    /// nine, day after day, from Thursday on.
    pub(crate) async fn with(patients: usize, slots: usize) -> Self {
        Self::in_zone(patients, slots, "America/Argentina/Buenos_Aires", SETTINGS).await
    }

    pub(crate) async fn in_zone(patients: usize, slots: usize, zone: &str, settings: &str) -> Self {
        let keys = HostKeys::from_seed(b"a seed of thirty-two bytes or more").unwrap();
        let host = Host::in_memory(Clock::movable(began()), &keys, "https://citas.example").await.unwrap();
        let clinic = ClinicId::parse("aurora").unwrap();
        host.add_clinic(&clinic, settings, "rate(12 hours)").await.unwrap();
        let mut export = HEADER.to_owned();
        for number in 0..patients {
            writeln!(
                export,
                "c-{number},2025-07-01T10:00:00,{zone},p-{number},Lucrecia Zubizarreta,+54 9 11 5551{number:04},\
                 p{number}@correo.example,Dra. Lima,Implante,completado,100.00,,,,,opt-in 2025-07-01,\
                 2025-07-01T20:00:00"
            )
            .unwrap();
        }
        export_importer::import(&host.reach, &clinic, "test", export.as_bytes(), &mut |_| {}).await.unwrap();
        let stage = Self {
            pages: host.pages(),
            links: host.links().clone(),
            tenant: host.reach.store.of(&clinic),
            host,
            messages: BTreeMap::new(),
        };
        if slots > 0 {
            stage.report_slots(slots).await;
        }
        stage.written_to().await
    }

    /// The clinic's agenda says what is free.
    pub(crate) async fn report_slots(&self, many: usize) {
        let mut csv = "id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min\n".to_owned();
        for number in 0..many {
            let (day, half) = (5 + number / 2, number % 2);
            let time = ["08:30:00", "09:00:00"].get(half).unwrap();
            let zone = "America/Argentina/Buenos_Aires";
            writeln!(csv, "h-{number},2026-03-{day:02}T{time},{zone},Dra. Lima,45").unwrap();
        }
        export_importer::import_slots(&self.host.reach, self.tenant.clinic(), csv.as_bytes()).await.unwrap();
    }

    /// The clinic's own system has visits of the first patient.
    pub(crate) async fn import_visits(&self, starts: &[&str]) {
        let mut export = HEADER.to_owned();
        for (number, start) in starts.iter().enumerate() {
            writeln!(
                export,
                "v-{number},{start},America/Argentina/Buenos_Aires,p-0,Lucrecia Zubizarreta,+54 9 11 55510000,\
                 p0@correo.example,Dra. Lima,Implante,reservado,100.00,,,,,opt-in 2025-07-01,2026-03-02T20:00:00"
            )
            .unwrap();
        }
        let clinic = self.tenant.clinic();
        export_importer::import(&self.host.reach, clinic, "visits", export.as_bytes(), &mut |_| {}).await.unwrap();
    }

    /// Writes to everybody, whether or not the agenda would take them.
    async fn written_to(mut self) -> Self {
        let clinic = self.tenant.clinic().clone();
        self.host.evaluate(&clinic, Scope::All).await.unwrap();
        self.host.advance_to(began() + TimeDelta::hours(11), |_, _| true).await.unwrap();
        let day = began().date_naive();
        for sent in sent_between(&self.tenant, day, day).await.unwrap() {
            let patient = PatientId::parse(&sent.patient_id).unwrap();
            self.messages.insert(patient, MessageId::parse(&sent.message_id).unwrap());
        }
        assert!(!self.messages.is_empty(), "nobody was written to");
        self
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.host.now()
    }

    /// The patient of that place among those written to.
    pub(crate) fn patient(&self, place: usize) -> PatientId {
        self.messages.keys().nth(place).unwrap().clone()
    }

    pub(crate) async fn stored(&self, place: usize) -> Collection {
        self.tenant.collection(&self.patient(place)).await.unwrap().unwrap()
    }

    pub(crate) fn link(&self, place: usize, purpose: LinkPurpose) -> Link {
        let message = *self.messages.values().nth(place).unwrap();
        Link { clinic: self.tenant.clinic().clone(), message, purpose }
    }

    pub(crate) fn path(&self, place: usize, purpose: LinkPurpose) -> String {
        format!("/l/{}", self.links.token(&self.link(place, purpose), self.now()))
    }

    pub(crate) async fn ask(&self, request: PageRequest) -> PageAnswer {
        let answer = calls_of("patient-pages", self.pages.handle(request)).await;
        for (name, expected) in [("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex, nofollow")] {
            assert_eq!(answer.header(name), Some(expected));
        }
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        for secret in SECRETS {
            assert!(!answer.body.contains(secret), "{secret} is on a page");
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> PageAnswer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = PageRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..PageRequest::default()
        };
        self.ask(request).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> PageAnswer {
        self.ask(posted(path, form)).await
    }

    /// Posts a form and follows where it leads.
    pub(crate) async fn post_and_follow(&self, path: &str, form: &str) -> PageAnswer {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.get(&format!("/l/{}", answer.header("location").unwrap())).await
    }
}

pub(crate) fn posted(path: &str, form: &str) -> PageRequest {
    let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    PageRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![kind],
        body: form.as_bytes().to_vec(),
        ..PageRequest::default()
    }
}

/// The form that the first button of that name on a page sends, with the page's hidden fields.
pub(crate) fn form(page: &PageAnswer, act: &str, button: Option<&str>) -> String {
    let forms = page.body.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap());
    let named = format!("value=\"{act}\"");
    let form =
        forms.into_iter().find(|form| form.contains(&named)).unwrap_or_else(|| panic!("no {act}: {}", page.body));
    let mut fields = vec![("do".to_owned(), act.to_owned())];
    for input in form.split("<input type=\"hidden\"").skip(1) {
        let of = |name: &str| input.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
        fields.push((of("name"), of("value")));
    }
    if let Some(button) = button {
        let value = form.split(&format!("<button name=\"{button}\" value=\"")).nth(1).unwrap();
        fields.push((button.to_owned(), value.split('"').next().unwrap().to_owned()));
    }
    let encoded = |text: &str| text.replace('%', "%25").replace('#', "%23").replace('&', "%26");
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}
