//! The span in which an order is taken up: its ids, and nothing else. A message's id, once it is known,
//! is recorded there too, and is what the provider's receipts come back with.

use retorno_cloud::orders::Order;
use retorno_domain::ids::MessageId;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// The span of an order.
pub(crate) fn span_of(order: &Order) -> Span {
    let (kind, clinic) = kind_and_clinic(order);
    let span =
        info_span!("order", order = kind, clinic, patient = Empty, enrollment = Empty, step = Empty, message = Empty);
    match order {
        Order::Step { patient, enrollment, step, .. } => {
            span.record("patient", patient).record("enrollment", enrollment).record("step", step);
        }
        Order::PatientChanged { patient, .. } | Order::Answered { patient, .. } | Order::Released { patient, .. } => {
            span.record("patient", patient);
        }
        Order::Say { patient, answer, .. } => {
            span.record("patient", patient).record("message", answer);
        }
        Order::SayStranger { answer, .. } => {
            span.record("message", answer);
        }
        Order::Freed { .. }
        | Order::Templates { .. }
        | Order::Gateway { .. }
        | Order::Test { .. }
        | Order::Alert { .. }
        | Order::Sweep { .. } => {}
    }
    span
}

/// The message that the order at hand is about.
pub(crate) fn is_about(message: MessageId) {
    Span::current().record("message", tracing::field::display(message));
}

fn kind_and_clinic(order: &Order) -> (&'static str, &str) {
    match order {
        Order::Step { clinic, .. } => ("step", clinic),
        Order::PatientChanged { clinic, .. } => ("patient_changed", clinic),
        Order::Answered { clinic, .. } => ("answered", clinic),
        Order::Released { clinic, .. } => ("released", clinic),
        Order::Say { clinic, .. } => ("say", clinic),
        Order::SayStranger { clinic, .. } => ("say_stranger", clinic),
        Order::Freed { clinic, .. } => ("freed", clinic),
        Order::Templates { clinic, .. } => ("templates", clinic),
        Order::Gateway { clinic, .. } => ("gateway", clinic),
        Order::Test { clinic, .. } => ("test", clinic),
        Order::Alert { clinic, .. } => ("alert", clinic),
        Order::Sweep { clinic } => ("sweep", clinic),
    }
}
