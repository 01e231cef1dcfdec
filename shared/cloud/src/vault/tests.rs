#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex as Lock;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use serde_json::{Value, json};

use super::*;

/// SSM in the process: parameters by full name, two a page; fails while it is told to.
#[derive(Debug, Clone, Default)]
struct Parameters(Arc<Lock<State>>);

#[derive(Debug, Default)]
struct State {
    values: BTreeMap<String, String>,
    fails: bool,
    looks: u32,
}

impl Parameters {
    fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().values.insert(name.to_owned(), value.to_owned());
    }

    fn fail(&self, fails: bool) {
        self.0.lock().unwrap().fails = fails;
    }

    fn looks(&self) -> u32 {
        self.0.lock().unwrap().looks
    }

    fn answer(&self, asked: &Value) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        state.looks += 1;
        if state.fails {
            return (400, json!({"__type": "ThrottlingException"}));
        }
        assert_eq!((&asked["Recursive"], &asked["WithDecryption"]), (&json!(true), &json!(true)));
        let folder = format!("{}/", asked["Path"].as_str().unwrap());
        let from: usize = asked["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let found: Vec<Value> = state
            .values
            .iter()
            .filter(|(name, _)| name.starts_with(&folder))
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        let next = (from + 2 < found.len()).then(|| (from + 2).to_string());
        (200, json!({"Parameters": found.into_iter().skip(from).take(2).collect::<Vec<_>>(), "NextToken": next}))
    }

    fn vault(&self, groups: &'static [SecretGroup]) -> Vault {
        let connector = SharedHttpConnector::new(self.clone());
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(aws_sdk_ssm::config::BehaviorVersion::latest())
            .region(aws_sdk_ssm::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Vault::new(aws_sdk_ssm::Client::from_conf(config), "/retorno/test/", groups)
    }
}

impl HttpConnector for Parameters {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, body) = self.answer(&asked);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()))))
    }
}

const GROUPS: &[SecretGroup] = &[SecretGroup::Contact, SecretGroup::Verification];

fn minute(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn length(secrets: &Secrets) -> Result<usize, CloudError> {
    secrets.need("CONTACT_KEY").map(str::len)
}

#[tokio::test]
async fn the_groups_of_a_function_are_read_whole_and_no_others() {
    let parameters = Parameters::default();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "c");
    parameters.set("/retorno/test/sending/WHATSAPP_TOKEN", "not ours");
    for clinic in ["a", "b", "c"] {
        parameters.set(&format!("/retorno/test/verification/HOOK_SECRETS/{clinic}"), clinic);
    }
    parameters.set("/retorno/test/verification/HOOK_SECRETS_OF_OLD", "another name");
    parameters.set("/retorno/test/verification/HOOK_SECRETS", "0");
    let secrets = parameters.vault(GROUPS).read().await.unwrap();
    assert_eq!(secrets.get("CONTACT_KEY"), Some("c"));
    assert_eq!(secrets.all("HOOK_SECRETS"), ["0", "a", "b", "c"]);
    assert_eq!(secrets.get("WHATSAPP_TOKEN"), None);
    assert!(!format!("{secrets:?}").contains("not ours") && format!("{secrets:?}").contains("CONTACT_KEY"));
    let missing = secrets.token("WHATSAPP_TOKEN").unwrap_err().to_string();
    assert!(missing.contains("WHATSAPP_TOKEN"), "{missing}");
    let short = secrets.key("CONTACT_KEY").unwrap_err().to_string();
    assert!(short.contains("CONTACT_KEY is shorter"), "{short}");
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_taken_up_after_five_minutes() {
    let parameters = Parameters::default();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "four");
    let kept = Kept::of(parameters.vault(&[SecretGroup::Contact]));
    assert_eq!(parameters.looks(), 0, "nothing is read before it is needed");
    let first = kept.get(minute(0), length).await.unwrap();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "seventh");
    assert_eq!((*kept.get(minute(4), length).await.unwrap(), parameters.looks()), (4, 1));
    assert_eq!((*kept.get(minute(5), length).await.unwrap(), parameters.looks()), (7, 2));
    assert_eq!(*first, 4);
}

#[tokio::test]
async fn what_has_not_changed_is_not_built_again() {
    let parameters = Parameters::default();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "four");
    let kept = Kept::of(parameters.vault(&[SecretGroup::Contact]));
    let first = kept.get(minute(0), length).await.unwrap();
    let later = kept.get(minute(6), |_| Ok(99)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &later) && parameters.looks() == 2);
}

#[tokio::test]
async fn while_nobody_can_tell_the_former_secrets_serve_for_an_hour() {
    let parameters = Parameters::default();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "four");
    let kept = Kept::of(parameters.vault(&[SecretGroup::Contact]));
    parameters.fail(true);
    assert!(kept.get(minute(0), length).await.unwrap_err().is_retryable());
    parameters.fail(false);
    kept.get(minute(1), length).await.unwrap();
    parameters.fail(true);
    assert_eq!(*kept.get(minute(6), length).await.unwrap(), 4);
    let looks = parameters.looks();
    kept.get(minute(6), length).await.unwrap();
    assert_eq!(parameters.looks(), looks, "not asked again within the minute");
    assert_eq!(*kept.get(minute(61), length).await.unwrap(), 4);
    assert!(kept.get(minute(63), length).await.is_err());
    parameters.fail(false);
    assert_eq!(*kept.get(minute(64), length).await.unwrap(), 4);
}

#[tokio::test]
async fn a_new_secret_that_cannot_be_used_leaves_the_former_one_for_an_hour() {
    let parameters = Parameters::default();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "four");
    let kept = Kept::of(parameters.vault(&[SecretGroup::Contact]));
    let even = |secrets: &Secrets| match length(secrets)? {
        odd if odd % 2 == 1 => Err(CloudError::Setup("odd".to_owned())),
        even => Ok(even),
    };
    kept.get(minute(0), even).await.unwrap();
    parameters.set("/retorno/test/contact/CONTACT_KEY", "fifth");
    assert_eq!(*kept.get(minute(5), even).await.unwrap(), 4);
    assert!(kept.get(minute(61), even).await.is_err());
    parameters.set("/retorno/test/contact/CONTACT_KEY", "sixsix");
    assert_eq!(*kept.get(minute(62), even).await.unwrap(), 6);
}
