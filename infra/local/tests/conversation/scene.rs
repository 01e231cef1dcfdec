//! A small clinic with one patient who is due, and a phone to write on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use export_importer::{import, import_slots};
use retorno::calls::calls_of;
use retorno::engine::{Fault, sdk_config};
use retorno::host::{Host, HostKeys, Written};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::{Collection, Store, TenantStore};
use retorno_cloud::{Clock, Reach};
use retorno_domain::ids::{ClinicId, PatientId};
use segment_evaluator::{Evaluation, Scope};

pub(crate) const PHONE: &str = "5491155550101";

pub(crate) const SETTINGS: &str = r#"
name = "Clínica Prueba"
agent = "Eva"
contact = "la recepción, 011 5555-0100"
zone = "America/Argentina/Buenos_Aires"
whatsapp_phone_number_id = "700"
"#;
pub(crate) const SEED: &[u8] = b"a seed of at least thirty-two bytes";
const EXPORT_HEAD: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
                           profesional,servicio,estado,origen_lead,consentimiento,paciente_email";
const SLOTS_HEAD: &str = "id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min";

pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) clinic: ClinicId,
    pub(crate) tenant: TenantStore,
}

/// A row of the export.
pub(crate) fn row(appointment: &str, start: &str, patient: &str, phone: &str, status: &str) -> String {
    format!(
        "{appointment},{start},America/Argentina/Buenos_Aires,{patient},Ana Paz,+{phone},Dra. Ruiz,limpieza,{status},,\
         opt-in 2025-09-01,ana{patient}@example.com"
    )
}

impl Scene {
    /// On a Monday morning, with these patients due and so many slots free from Thursday on.
    pub(crate) async fn with(patients: &[(&str, &str)], slots: usize) -> Self {
        Self::of_clinic("", patients, slots).await
    }

    /// The same, with more settings.
    pub(crate) async fn of_clinic(settings: &str, patients: &[(&str, &str)], slots: usize) -> Self {
        let scene = Self::before_evaluation(settings, patients, slots).await;
        scene.evaluate().await;
        scene
    }

    /// The same, before the morning's evaluation.
    pub(crate) async fn before_evaluation(settings: &str, patients: &[(&str, &str)], slots: usize) -> Self {
        let scene = Self::empty(settings).await;
        scene.import_slots(slots).await;
        scene.begin(patients).await;
        scene
    }

    /// With no file of free slots.
    pub(crate) async fn without_slots(settings: &str, patients: &[(&str, &str)]) -> Self {
        let scene = Self::empty(settings).await;
        scene.begin(patients).await;
        scene.evaluate().await;
        scene
    }

    async fn empty(settings: &str) -> Self {
        let now: DateTime<Utc> = "2026-06-01T09:00:00Z".parse().unwrap();
        let keys = HostKeys::from_seed(SEED).unwrap();
        let host = Host::in_memory(Clock::movable(now), &keys, "https://citas.example").await.unwrap();
        let clinic = ClinicId::parse("prueba").unwrap();
        host.add_clinic(&clinic, &format!("{SETTINGS}{settings}"), "rate(15 minutes)").await.unwrap();
        let tenant = host.reach.store.of(&clinic);
        Self { host, clinic, tenant }
    }

    async fn begin(&self, patients: &[(&str, &str)]) {
        let rows: Vec<String> = patients
            .iter()
            .map(|(patient, phone)| row(&format!("C{patient}"), "2025-09-10T10:00:00", patient, phone, "completado"))
            .collect();
        self.import(&rows).await;
    }

    /// Imports in a process that dies after so many writes; says whether it came to its end.
    pub(crate) async fn import_dying_after(&self, writes: usize, rows: &[String]) -> bool {
        let done = AtomicUsize::new(0);
        let intercept = move |operation: &str| {
            let writes_now = !matches!(operation, "GetItem" | "BatchGetItem" | "Query");
            let before = done.fetch_add(usize::from(writes_now), Ordering::Relaxed);
            (before + usize::from(writes_now) > writes).then_some(Fault::LostRequest)
        };
        let engine = self.host.engine.with_intercept(Arc::new(intercept));
        let config = sdk_config(engine.http_client()).build();
        let key = SecretKey::new(SecretKey::new(SEED).unwrap().mac(&[b"contact"])).unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config), "retorno", key);
        let reach = Reach { store, ..self.host.reach.clone() };
        let export = format!("{EXPORT_HEAD}\n{}\n", rows.join("\n"));
        calls_of("export-importer", import(&reach, &self.clinic, "dying", export.as_bytes(), &mut |_| {})).await.is_ok()
    }

    pub(crate) async fn evaluate(&self) -> Evaluation {
        self.host.evaluate(&self.clinic, Scope::Due).await.unwrap()
    }

    pub(crate) async fn import(&self, rows: &[String]) {
        let export = format!("{EXPORT_HEAD}\n{}\n", rows.join("\n"));
        let mut on_progress = |_| {};
        let importing = import(&self.host.reach, &self.clinic, "test", export.as_bytes(), &mut on_progress);
        let report = calls_of("export-importer", importing).await.unwrap();
        assert_eq!(report.rejected.len(), 0, "{:?}", report.rejected);
    }

    pub(crate) async fn import_slots(&self, count: usize) {
        let first = NaiveDate::from_ymd_opt(2026, 6, 4).unwrap();
        let row = |number: usize| {
            let day = first + TimeDelta::days(i64::try_from(number / 10).unwrap());
            let (hour, minute) = (9 + (number % 10) / 2, (number % 2) * 30);
            format!("S{number},{day}T{hour:02}:{minute:02}:00,America/Argentina/Buenos_Aires,Dra. Ruiz,30")
        };
        let rows: Vec<String> = (0..count).map(row).collect();
        let file = format!("{SLOTS_HEAD}\n{}\n", rows.join("\n"));
        let report =
            calls_of("export-importer", import_slots(&self.host.reach, &self.clinic, file.as_bytes())).await.unwrap();
        assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    }

    pub(crate) async fn pass(&self, span: TimeDelta) {
        let to = self.host.now() + span;
        self.host.advance_to(to, |_, _| true).await.unwrap();
    }

    /// Lets time pass until a message has left.
    pub(crate) async fn until_sent(&self) {
        for _ in 0..200 {
            if !self.host.doubles.whatsapp().all_sent().unwrap().is_empty() {
                return;
            }
            self.pass(TimeDelta::minutes(15)).await;
        }
        panic!("nothing was sent");
    }

    pub(crate) async fn says(&self, phone: &str, text: &str) {
        self.writes(phone, &Written::Text(text.to_owned())).await;
    }

    pub(crate) async fn writes(&self, phone: &str, written: &Written) {
        let clinic = self.tenant.settings(self.host.now()).await.unwrap().clinic;
        self.host.write_on_phone(&clinic, phone, written, None).await.unwrap();
        let played = self.host.settle().await.unwrap();
        assert_eq!(played.failed, 0);
        self.pass(TimeDelta::seconds(20)).await;
    }

    /// What the phone was told, the templates as their names.
    pub(crate) fn told(&self, phone: &str) -> Vec<String> {
        let sent = self.host.doubles.whatsapp().all_sent().unwrap().into_iter().filter(|sent| sent.to == phone);
        sent.map(|sent| sent.text.unwrap_or_else(|| format!("<{}>", sent.template.unwrap().name))).collect()
    }

    pub(crate) async fn of(&self, patient: &str) -> Collection {
        self.tenant.collection(&PatientId::parse(patient).unwrap()).await.unwrap().unwrap()
    }
}
