//! Templates at Meta, by the API and on the pages.

use super::*;

const D1: [&str; 2] = ["retorno_churn_18m_d1_con_fecha_v1", "retorno_churn_18m_d1_sin_fecha_v1"];

impl Running {
    async fn json_to(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.client.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap()).await
    }

    async fn with_account(folder: &Path) -> Self {
        let running = Self::with_aurora(folder).await;
        let settings =
            format!("name = \"Clínica Aurora\"\nzone = \"{}\"\nwhatsapp_account_id = \"900\"\n", aurora().zone);
        running.post("/api/clinics/aurora/settings", settings).await.ok();
        running
    }

    async fn meta(&self, event: &str, template: Option<&str>) -> Answer {
        self.json_to("/api/clinics/aurora/templates/meta", json!({ "event": event, "template": template })).await
    }
}

fn start<'v>(templates: &'v Value, segment: &str) -> &'v str {
    let flows = templates["flows"].as_array().unwrap();
    flows.iter().find(|flow| flow["segment"] == segment).unwrap()["start"].as_str().unwrap()
}

fn state<'v>(templates: &'v Value, name: &str) -> &'v str {
    let all = templates["templates"].as_array().unwrap();
    all.iter().find(|template| template["name"] == name).unwrap()["state"].as_str().unwrap()
}

#[tokio::test]
async fn without_an_account_nothing_is_known_and_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let templates = running.get("/api/clinics/aurora/templates").await.json();
    assert_eq!(
        (templates["uses"].as_str(), templates["templates"].as_array().unwrap().len()),
        (Some("no_account"), 28)
    );
    assert_eq!((state(&templates, D1[0]), start(&templates, "churn-18m")), ("unknown", "unknown"));
    let refused = running.json_to("/api/clinics/aurora/templates", json!({ "do": "refresh" })).await;
    assert!(refused.error(StatusCode::BAD_REQUEST).contains("whatsapp_account_id"));
    let page = running.get("/c/aurora/templates").await;
    page.ok();
    assert!(page.text.contains("whatsapp_account_id") && !page.text.contains("Actualizar desde Meta"));
    running.stop().await;
}

#[tokio::test]
async fn a_rejected_text_stops_its_segment_and_nothing_else_and_is_submitted_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_account(folder.path()).await;
    let templates = running.json_to("/api/clinics/aurora/templates", json!({ "do": "refresh" })).await.json();
    assert!(templates["templates"].as_array().unwrap().iter().all(|template| template["state"] == "approved"));
    assert_eq!((start(&templates, "churn-18m"), templates["subscribed"].as_bool()), ("ready", Some(true)));
    running.meta("reject", Some(D1[0])).await.ok();
    let templates = running.meta("reject", Some(D1[1])).await.json();
    assert_eq!((start(&templates, "churn-18m"), start(&templates, "posproc")), ("blocked", "ready"));
    let segments = running.get("/api/clinics/aurora/segments").await.json();
    let churn = segments["segments"].as_array().unwrap().iter().find(|segment| segment["id"] == "churn-18m").unwrap();
    assert!(churn["excluded"]["template_rejected"].as_u64().unwrap() > 0, "{churn}");
    let page = running.get("/c/aurora").await.text;
    assert!(page.contains("No pueden empezar por WhatsApp"), "the overview warns");
    let page = running.get("/c/aurora/templates").await.text;
    assert!(page.contains("contenido abusivo") && page.contains("Volver a enviar"));
    let form = format!("do=submit&template={}", D1[0]);
    assert_eq!(running.form("/c/aurora/templates", &form).await.status, StatusCode::SEE_OTHER);
    let templates = running.get("/api/clinics/aurora/templates").await.json();
    assert_eq!((state(&templates, D1[0]), state(&templates, D1[1])), ("pending", "rejected"));
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_account(folder.path()).await;
    assert!(running.meta("explode", Some(D1[0])).await.error(StatusCode::BAD_REQUEST).contains("recategorise"));
    running.meta("reject", Some("retorno_none_v1")).await.error(StatusCode::NOT_FOUND);
    running.meta("forget", Some(D1[0])).await.ok();
    let gone = running.meta("approve", Some(D1[0])).await;
    assert!(gone.error(StatusCode::BAD_REQUEST).contains("submit it first"));
    let asked = running.json_to("/api/clinics/aurora/templates", json!({ "do": "submit", "template": "x" })).await;
    asked.error(StatusCode::NOT_FOUND);
    let asked = running.json_to("/api/clinics/aurora/templates", json!({ "do": "delete" })).await;
    assert!(asked.error(StatusCode::BAD_REQUEST).contains("refresh"));
    running.meta("unsubscribe", None).await.ok();
    let templates = running.json_to("/api/clinics/aurora/templates", json!({ "do": "refresh" })).await.json();
    assert_eq!(templates["subscribed"], false);
    assert!(running.get("/c/aurora/templates").await.text.contains("Suscribir la aplicación"));
    let templates = running.json_to("/api/clinics/aurora/templates", json!({ "do": "subscribe" })).await.json();
    assert_eq!(templates["subscribed"], true);
    running.stop().await;
}
