//! News of a clinic's own gateway: how it stands, and the code that links its telephone.

use retorno_cloud::CloudError;
use retorno_cloud::channels::{LinkCode, LinkPicture};
use retorno_cloud::orders::gateway_alert;
use retorno_cloud::store::{ConnectionWord, TenantStore};
use retorno_domain::connection::{LinkState, LinkedNumber};
use retorno_domain::sender::Gateway;

use super::{Inbound, Processed};
use crate::event::{ConnectionNews, ConnectionState, Route};

impl Inbound {
    /// The latest news counts, in whatever order they arrive; known or not, staff is told of what is to
    /// be told, so that nothing is lost between one step and the next.
    pub(super) async fn connection(
        &self,
        tenant: &TenantStore,
        route: &Route,
        news: &ConnectionNews,
    ) -> Result<Processed, CloudError> {
        let clinic = tenant.settings(self.now()).await?.clinic;
        // What the clinic had before may still tell something: it is of no concern.
        let Some(gateway) = clinic.gateway.as_ref().filter(|gateway| is_of(route, gateway)) else {
            return Ok(Processed::Nobodys);
        };
        if let Some(qr) = &news.qr {
            let pairing_code = news.pairing_code.as_ref().map(|code| code.as_str().to_owned());
            let code = LinkCode { picture: LinkPicture::Text(qr.as_str().to_owned()), pairing_code };
            tenant.keep_link_code(&code, news.at).await?;
        }
        let number = news.number.as_ref().map(|number| LinkedNumber(number.as_str().to_owned()));
        let state = state_of(news.state);
        let word = ConnectionWord {
            state,
            at: news.at,
            asked: false,
            // Some gateways give a reason for what is well, too.
            error: news.reason.as_deref().filter(|_| !state.can_send()),
            number: number.as_ref(),
        };
        let Some(connection) = tenant.note_connection(gateway, &word).await? else { return Ok(Processed::Repeated) };
        if connection.state.can_send() {
            tenant.unhalt_gateway().await?;
            tenant.forget_link_code().await?;
        }
        let now = self.now();
        if let Some(order) = gateway_alert(tenant.clinic(), &connection, now) {
            self.desk.reach().orders.queue(&order, now, now).await?;
        }
        Ok(Processed::Done)
    }
}

fn is_of(route: &Route, gateway: &Gateway) -> bool {
    matches!(route, Route::Gateway { kind, instance } if *kind == gateway.kind && *instance == gateway.instance)
}

fn state_of(told: ConnectionState) -> LinkState {
    match told {
        ConnectionState::Open => LinkState::Connected,
        ConnectionState::Connecting => LinkState::Connecting,
        ConnectionState::Closed => LinkState::Closed,
        ConnectionState::NeedsQr => LinkState::NeedsQr,
        ConnectionState::NeedsPasskey => LinkState::NeedsPasskey,
        ConnectionState::LoggedOut => LinkState::LoggedOut,
        ConnectionState::Stopped => LinkState::Stopped,
    }
}
