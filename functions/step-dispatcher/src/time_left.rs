//! How much time an order needs. Lambda ends a function in the middle of whatever it does; what was not
//! begun is handed out again, and costs nothing.

use std::time::Duration;

use retorno_cloud::orders::{GatewayAsk, Order};

/// One call to a provider, and what is recorded after it.
const ONE_CALL: Duration = Duration::from_secs(13);
/// A question to a gateway about its session, of which some take three: each may last ten seconds.
const GATEWAY_CALL: Duration = Duration::from_secs(10);
/// What is recorded afterwards, and what may go wrong on the way.
const RECORDING: Duration = Duration::from_secs(5);
/// Meta's list of templates, page by page. The function has a minute.
const LIST: Duration = Duration::from_secs(40);

/// What must be left for an order to be begun.
#[must_use]
pub fn needed(order: &Order) -> Duration {
    match order {
        Order::Gateway { ask: GatewayAsk::Check, .. } => GATEWAY_CALL + RECORDING,
        Order::Gateway { ask: GatewayAsk::Unlink { .. }, .. } => GATEWAY_CALL * 2 + RECORDING,
        // How it stands, a restart, the code.
        Order::Gateway { ask: GatewayAsk::Code, .. } => GATEWAY_CALL * 3 + RECORDING,
        Order::Templates { .. } => LIST,
        // Before a message goes out by a gateway it is asked how it stands, within the same time.
        Order::Step { .. }
        | Order::PatientChanged { .. }
        | Order::Answered { .. }
        | Order::Released { .. }
        | Order::Say { .. }
        | Order::SayStranger { .. }
        | Order::Freed { .. }
        | Order::Test { .. }
        | Order::Alert { .. }
        | Order::Sweep { .. } => ONE_CALL,
    }
}

#[cfg(test)]
mod tests {
    use retorno_cloud::orders::TemplateAct;

    use super::*;

    #[test]
    fn an_order_of_several_calls_is_not_begun_with_time_for_one() {
        let clinic = || "uno".to_owned();
        let code = Order::Gateway { clinic: clinic(), ask: GatewayAsk::Code, until_ms: None };
        let check = Order::Gateway { clinic: clinic(), ask: GatewayAsk::Check, until_ms: None };
        let list = Order::Templates { clinic: clinic(), act: TemplateAct::Refresh, attempt: 0 };
        let sweep = Order::Sweep { clinic: clinic() };
        assert!(needed(&list) > needed(&code) && needed(&code) > needed(&check) && needed(&check) > needed(&sweep));
        assert!(needed(&list) < Duration::from_secs(55), "the first of a batch has nearly all of the minute");
    }
}
