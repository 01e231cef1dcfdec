//! The template's table is the one that the code creates on a laptop.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use retorno::engine::sdk_config;
use retorno_cloud::store::create_table;
use serde_json::{Value, json};

use crate::permissions::template::{properties, template};

/// Keeps the request, and answers that all is well.
#[derive(Debug, Clone, Default)]
struct Keeps(Arc<Mutex<Value>>);

impl HttpConnector for Keeps {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        *self.0.lock().unwrap() = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"))))
    }
}

#[tokio::test]
async fn the_table_is_the_one_that_the_code_creates() {
    let keeps = Keeps::default();
    let connector = SharedHttpConnector::new(keeps.clone());
    let config = sdk_config(http_client_fn(move |_, _| connector.clone())).build();
    create_table(&aws_sdk_dynamodb::Client::from_conf(config), "retorno").await.unwrap();
    let created = keeps.0.lock().unwrap().clone();
    let template = template();
    let table = properties(&template, "Table");
    for part in ["KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode"] {
        let of_template: Value = serde_json::to_value(&table[part]).unwrap();
        assert_eq!(of_template, created[part], "{part}");
    }
    assert_eq!(
        serde_json::to_value(&table["TimeToLiveSpecification"]).unwrap(),
        json!({"AttributeName": "ttl", "Enabled": true})
    );
}
