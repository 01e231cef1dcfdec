//! Through whom a clinic's messages leave: what its settings may say.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

use retorno_domain::channel::Channel;
use retorno_domain::sender::{Gateway, GatewayKind, SmsSender};
use retorno_domain::settings::SettingsError;

use crate::given::{clinic, try_clinic};

const STEPS: &str = "[[flows]]\nid = \"reactivacion\"\nversion = 1\nclose_after_days = 5\n\
                     steps = [{ id = \"d1\", offset_days = 0, channel = \"sms\" }]\n";

#[test]
fn a_flow_has_text_messages_once_the_clinic_has_a_sender() {
    let refused = try_clinic(STEPS).unwrap_err();
    assert!(refused.to_string().contains("[sms] origination"), "{refused}");
    let with_sender = format!("[sms]\norigination = \"+541150000000\"\nprice_max = 0.20\n{STEPS}");
    let clinic = clinic(&with_sender);
    let sender = SmsSender { origination: "+541150000000".to_owned(), price_max_micros: Some(200_000) };
    assert_eq!(clinic.sms, Some(sender));
    assert!(clinic.flows.iter().flat_map(|flow| &flow.steps).all(|step| step.channel == Channel::Sms));
}

#[test]
fn a_gateway_is_named_whole() {
    assert_eq!((clinic("").gateway, clinic("").sms), (None, None));
    let own = "[whatsapp]\ngateway = \"waha\"\nbase_url = \"https://wa.example/\"\ninstance = \"recepcion\"";
    let gateway = Gateway {
        kind: GatewayKind::Waha,
        base_url: "https://wa.example".to_owned(),
        instance: "recepcion".to_owned(),
    };
    assert_eq!(clinic(own).gateway, Some(gateway));
}

#[test]
fn a_sender_that_makes_no_sense_is_refused_with_its_key() {
    let whatsapp = |url: &str, instance: &str| {
        format!("[whatsapp]\ngateway = \"evolution\"\nbase_url = \"{url}\"\ninstance = \"{instance}\"")
    };
    for (own, key) in [
        ("[sms]\norigination = \"\"".to_owned(), "sms.origination"),
        ("[sms]\norigination = \"a b\"".to_owned(), "sms.origination"),
        ("[sms]\nprice_max = 0.1".to_owned(), "sms.price_max"),
        ("[sms]\norigination = \"A\"\nprice_max = 0".to_owned(), "sms.price_max"),
        ("[sms]\norigination = \"A\"\nprice_max = nan".to_owned(), "sms.price_max"),
        ("[whatsapp]\ngateway = \"waha\"".to_owned(), "whatsapp.gateway"),
        ("[whatsapp]\nbase_url = \"https://wa.example\"".to_owned(), "whatsapp.gateway"),
        (whatsapp("http://wa.example", "a"), "whatsapp.base_url"),
        (whatsapp("https://me@wa.example", "a"), "whatsapp.base_url"),
        (whatsapp("https://wa.example", "a/b"), "whatsapp.instance"),
        (whatsapp("https://wa.example", ""), "whatsapp.instance"),
    ] {
        match try_clinic(&own) {
            Err(SettingsError::Value { key: named, .. }) => assert_eq!(named, key, "{own}"),
            Err(SettingsError::Toml(why)) => panic!("{key} is well-formed: {why}"),
            Ok(_) => panic!("{key} was accepted:\n{own}"),
        }
    }
    assert!(matches!(try_clinic("[whatsapp]\ngateway = \"fax\""), Err(SettingsError::Toml(_))));
    assert!(matches!(try_clinic("[whatsapp]\nkey = \"secret\""), Err(SettingsError::Toml(_))));
}
