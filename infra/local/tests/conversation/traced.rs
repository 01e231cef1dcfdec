//! What the functions log: each order and each event in a span of its ids, so that a message is followed
//! from its schedule to its receipts. And nothing of whose it is.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use retorno::host::signed;
use serde_json::{Value, json};

use crate::scene::{PHONE, Scene};

/// The lines of this test, as the functions write them.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The span and the fields of each line in whose span a field says this.
    fn of(&self, field: &str, says: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["span"][field] == says).collect()
    }
}

impl Scene {
    /// Meta tells that the message was delivered.
    async fn delivered(&self) {
        let sent = self.host.doubles.whatsapp().all_sent().unwrap().remove(0);
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "0", "phone_number_id": "700" },
            "statuses": [{
                "id": sent.wamid, "status": "delivered", "timestamp": self.host.now().timestamp().to_string(),
                "recipient_id": sent.to, "biz_opaque_callback_data": sent.opaque,
            }],
        });
        let entry = json!({ "id": "sandbox", "changes": [{ "field": "messages", "value": value }] });
        let body = json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string();
        let request = signed(&self.host.sandbox_app_secret(), body.into_bytes());
        assert_eq!(self.host.hook(request).await.status, 200);
        assert_eq!(self.host.settle().await.unwrap().failed, 0);
    }
}

#[tokio::test]
async fn a_message_is_followed_from_its_schedule_to_its_receipt_and_nobody_is_named() {
    let lines = Lines::default();
    let writer = lines.clone();
    let _listening = tracing::subscriber::set_default(retorno_cloud::logging::lines(move || writer.clone()));
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.delivered().await;
    scene.says(PHONE, "Soy Ana Paz, quiero el 2").await;
    scene.pass(TimeDelta::hours(1)).await;

    let one = scene.of("1").await;
    let message = one.messages[0].id.to_string();
    let about = lines.of("message", &message);
    let kinds: Vec<(&Value, &Value)> =
        about.iter().map(|line| (&line["span"]["name"], &line["fields"]["done"])).collect();
    assert_eq!(kinds, [(&json!("order"), &json!("Sent")), (&json!("event"), &json!("Done"))], "{about:#?}");
    let (order, receipt) = (&about[0]["span"], &about[1]["span"]);
    let enrollment = one.enrollments[0].enrollment.id.to_string();
    assert_eq!((&order["order"], &order["enrollment"]), (&json!("step"), &json!(enrollment)));
    assert_eq!((&receipt["told"], &receipt["patient"]), (&json!("delivered"), &json!("1")));
    let enrolled: Vec<String> =
        lines.text().lines().filter(|line| line.contains("\"enrolled\"")).map(str::to_owned).collect();
    assert!(enrolled.len() == 1 && enrolled[0].contains(&enrollment), "{enrolled:?}");
    let said = one.answers[0].answer.id.to_string();
    assert_eq!(lines.of("message", &said)[0]["span"]["order"], "say");

    let text = lines.text();
    for private in [PHONE, "Ana", "Paz", "quiero", "example.com", "wamid"] {
        assert!(!text.contains(private), "{private} in the logs");
    }
}
