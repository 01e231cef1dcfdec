//! Connections over HTTP: the page, the API and the scripts.

use super::*;

const GATEWAY: &str =
    "[whatsapp]\ngateway = \"evolution\"\nbase_url = \"https://wa.example\"\ninstance = \"recepcion\"\n";

async fn with_gateway(folder: &Path) -> Running {
    set_clock(folder, monday());
    let running = Running::over(folder).await;
    let settings = format!("name = \"Clínica Aurora\"\nzone = \"America/Argentina/Buenos_Aires\"\n{GATEWAY}");
    running.post("/api/clinics/aurora/settings?create=true", settings).await.ok();
    running
}

#[tokio::test]
async fn a_telephone_is_linked_tried_and_unlinked_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let running = with_gateway(folder.path()).await;
    let page = running.get("/c/aurora/connections").await;
    assert!(page.status.is_success() && page.text.contains("sin noticias"), "{}", page.text);
    assert!(page.policy.contains("script-src 'self'") && !page.policy.contains("unsafe"));
    assert!(!running.get("/c/aurora").await.policy.contains("script-src"), "only where it is needed");

    assert_eq!(running.form("/c/aurora/connections/code", "").await.status, StatusCode::SEE_OTHER);
    let page = running.get("/c/aurora/connections").await;
    assert!(page.text.contains("espera el código QR") && page.text.contains("/c/aurora/connections/frame"));
    let url = format!("{}/c/aurora/connections", running.url);
    let refresh = async |path: &str| {
        let response = running.client.get(format!("{url}{path}")).send().await.unwrap();
        response.headers().contains_key("refresh")
    };
    assert!(!refresh("").await && refresh("/frame").await, "only the code is asked for again");
    let frame = running.get("/c/aurora/connections/frame").await;
    assert!(frame.text.contains("/c/aurora/connections/code?") && frame.policy.contains("frame-ancestors 'self'"));
    let picture = running.get("/c/aurora/connections/code").await;
    assert!(picture.status.is_success() && picture.text.contains("<svg"));
    assert!(running.get("/c/aurora").await.text.contains("no está conectado"), "the overview says so");

    running.form("/c/aurora/connections/sandbox", "what=scan").await;
    let page = running.get("/c/aurora/connections").await;
    assert!(page.text.contains(">conectado</span>") && !page.text.contains("/c/aurora/connections/frame"));
    assert!(!refresh("/frame").await, "what there is to see is seen");
    assert_eq!(running.get("/c/aurora/connections/code").await.status, StatusCode::NOT_FOUND, "it was read");

    let test = running.form("/c/aurora/connections/test", "event=e1&to=%2B54+9+11+5555-0999").await;
    assert_eq!(test.status, StatusCode::SEE_OTHER);
    let now = running.get("/api/clinics/aurora/connections").await.json();
    assert_eq!((&now["tests"][0]["state"], &now["tests"][0]["to"]), (&json!("delivered"), &json!("0999")));
    assert_eq!(now["gateway"]["state"], "connected");
    assert!(running.get("/c/aurora/connections").await.text.contains("entregado"));

    running.form("/c/aurora/connections/unlink", "").await;
    let now = running.get("/api/clinics/aurora/connections").await.json();
    assert_eq!((&now["gateway"]["state"], &now["channels"][0]["state"]), (&json!("logged_out"), &json!("unlinked")));
}

#[tokio::test]
async fn a_browser_is_told_over_the_api_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let running = with_gateway(folder.path()).await;
    for path in ["/push.js", "/sw.js"] {
        assert!(running.get(path).await.status.is_success(), "{path}");
    }
    let given = running.system.host.doubles.push().subscribe().unwrap();
    let given: Value = serde_json::from_str(&given).unwrap();
    let body = json!({ "subscription": given, "name": "Recepción" }).to_string();
    let post = running.client.post(format!("{}/api/clinics/aurora/browsers", running.url));
    let added = Answer::of(post.header("content-type", "application/json").body(body).send().await.unwrap()).await;
    let id = added.json()["browser"].as_str().unwrap().to_owned();
    running.form("/c/aurora/connections/try-browser", &format!("browser={id}")).await;
    let shown = running.system.host.doubles.push().shown(1).unwrap().remove(0);
    assert_eq!((&shown.payload["title"], &shown.payload["lang"]), (&json!("Clínica Aurora"), &json!("es-AR")));
    assert!(running.get("/c/aurora/connections").await.text.contains("Recepción"));
    running.form("/c/aurora/connections/forget-browser", &format!("browser={id}")).await;
    assert_eq!(running.get("/api/clinics/aurora/connections").await.json()["browsers"], json!([]));
}

#[tokio::test]
async fn a_channel_that_its_provider_halted_goes_on_when_staff_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let host = &running.system.host;
    let tenant = host.reach.store.of(&retorno_domain::ids::ClinicId::parse("aurora").unwrap());
    let halt = async || tenant.halt("whatsapp", host.now() + TimeDelta::days(9), "account_banned").await.unwrap();
    let state = async || {
        let now = running.get("/api/clinics/aurora/connections").await.json();
        now["channels"][0]["state"].as_str().unwrap().to_owned()
    };
    assert!(!running.get("/c/aurora/connections").await.text.contains("/connections/resume"));
    halt().await;
    assert_eq!(state().await, "halted");
    let page = running.get("/c/aurora/connections").await;
    assert!(page.text.contains("Meta deshabilitó la cuenta") && page.text.contains("vuelve a detener el canal"));
    running.form("/c/aurora/connections/resume", "channel=whatsapp").await;
    assert_eq!(state().await, "ready");
    halt().await;
    let resume = async |body: &str| {
        let post = running.client.post(format!("{}/api/clinics/aurora/connections/resume", running.url));
        let post = post.header("content-type", "application/json").body(body.to_owned());
        Answer::of(post.send().await.unwrap()).await
    };
    assert!(resume(r#"{"channel": "whatsapp"}"#).await.status.is_success());
    assert_eq!(state().await, "ready");
    for body in [r#"{"channel": "whatsapp"}"#, r#"{"channel": "paloma"}"#, "{}"] {
        assert!(resume(body).await.status.is_client_error(), "{body}");
    }
}

#[tokio::test]
async fn a_clinic_without_a_gateway_hears_so() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let refused = running.post("/api/clinics/aurora/connections/check", "").await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text.contains("Cloud API"));
    let now = running.get("/api/clinics/aurora/connections").await.json();
    let states: Vec<&str> = now["channels"].as_array().unwrap().iter().map(|c| c["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["ready", "ready", "absent"]);
    let page = running.get("/c/aurora/connections?not=test_patient").await;
    assert!(page.text.contains("role=\"alert\"") && page.text.contains("paciente"));
}
