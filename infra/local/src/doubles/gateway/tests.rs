//! The gateways by the production client, over HTTP.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use retorno_cloud::channels::{GatewayChannel, GatewayHttp, GatewayKeys, GatewayState, LinkPicture};
use retorno_cloud::secrets::Token;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

use super::*;
use crate::doubles::serve;
use crate::doubles::testing::doubles;

async fn served(kind: GatewayKind) -> (GatewayDouble, GatewayChannel, Clinic) {
    let (doubles, _) = doubles();
    let (address, _server) = serve(doubles.gateway().router("k")).await.unwrap();
    let toml = format!(
        "zone = \"America/Mexico_City\"\n[whatsapp]\ngateway = \"{}\"\nbase_url = \"http://{address}\"\ninstance = \"uno\"",
        kind.code()
    );
    let clinic = clinic_from_toml(ClinicId::parse("c").unwrap(), &toml, None).unwrap();
    let keys = GatewayKeys::everywhere(Token::new("k"));
    (doubles.gateway(), GatewayChannel::over(Arc::new(GatewayHttp::new().unwrap()), keys), clinic)
}

#[tokio::test]
async fn an_instance_is_linked_by_its_code_and_unlinked_again() {
    for kind in [GatewayKind::Evolution, GatewayKind::Waha] {
        let (double, channel, clinic) = served(kind).await;
        assert_eq!(channel.state(&clinic).await, Ok(GatewayState::Closed));
        channel.restart(&clinic).await.unwrap();
        let code = channel.link_code(&clinic).await.unwrap().unwrap();
        match code.picture {
            LinkPicture::Text(text) => assert!(kind == GatewayKind::Evolution && text.starts_with("2@")),
            LinkPicture::Image { content_type, base64 } => {
                assert!(kind == GatewayKind::Waha && content_type == "image/svg+xml");
                assert!(STANDARD.decode(base64).unwrap().starts_with(b"<?xml"));
            }
        }
        double.set_link(kind, "uno", GatewayLink::Linked).unwrap();
        assert_eq!(channel.state(&clinic).await, Ok(GatewayState::Connected));
        assert_eq!(channel.link_code(&clinic).await, Ok(None));
        channel.log_out(&clinic).await.unwrap();
        assert_eq!(channel.state(&clinic).await, Ok(GatewayState::Closed));
    }
}

#[tokio::test]
async fn another_key_is_refused_and_a_dark_gateway_says_nothing() {
    let (double, channel, clinic) = served(GatewayKind::Evolution).await;
    double.set_link(GatewayKind::Evolution, "uno", GatewayLink::Dark).unwrap();
    assert!(channel.state(&clinic).await.is_err());
    let other = GatewayKeys::everywhere(Token::new("other"));
    let other = GatewayChannel::over(Arc::new(GatewayHttp::new().unwrap()), other);
    double.set_link(GatewayKind::Evolution, "uno", GatewayLink::Linked).unwrap();
    assert_eq!(other.state(&clinic).await.unwrap_err().to_string(), "the gateway answered 401");
}

#[test]
fn what_was_given_is_told_once() {
    let (doubles, _) = doubles();
    let double = doubles.gateway();
    double.accept((GatewayKind::Waha, "uno"), ("5491155550101", "Hola"), None).unwrap();
    assert_eq!(double.take_untold().unwrap()[0].to, "5491155550101");
    assert!(double.take_untold().unwrap().is_empty());
    assert_eq!(double.all_sent().unwrap().len(), 1);
    assert!(!format!("{:?}", double.all_sent().unwrap()).contains("5550101"));
}
