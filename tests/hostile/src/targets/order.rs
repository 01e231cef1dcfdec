//! The body of an order to the dispatcher, as the queue hands it over.

use retorno_cloud::orders::Order;
use retorno_domain::ids::{ClinicId, EnrollmentId, MessageId, PatientId};

/// The bytes are the body.
pub fn run(bytes: &[u8]) {
    let Ok(order) = serde_json::from_slice::<Order>(bytes) else { return };
    let written = serde_json::to_string(&order).expect("an order can be written");
    assert_eq!(serde_json::from_str::<Order>(&written).ok(), Some(order.clone()), "written and read again");
    let (clinic, patient) = match &order {
        Order::Step { clinic, patient, enrollment, step: _ } => {
            // Ids only: what is no id is not taken up.
            assert!(EnrollmentId::parse(enrollment).is_none_or(|id| EnrollmentId::parse(&id.to_string()) == Some(id)));
            (clinic, Some(patient))
        }
        Order::PatientChanged { clinic, patient }
        | Order::Answered { clinic, patient, .. }
        | Order::Released { clinic, patient, .. }
        | Order::Say { clinic, patient, .. } => (clinic, Some(patient)),
        Order::SayStranger { clinic, answer } => {
            assert!(MessageId::parse(answer).is_none_or(|id| MessageId::parse(&id.to_string()) == Some(id)));
            (clinic, None)
        }
        Order::Freed { clinic, slot: _ }
        | Order::Templates { clinic, act: _, attempt: _ }
        | Order::Gateway { clinic, ask: _, until_ms: _ }
        | Order::Test { clinic, place: _ }
        | Order::Alert { clinic, about: _, tries: _ }
        | Order::Sweep { clinic } => (clinic, None),
    };
    for why in [ClinicId::parse(clinic).err(), patient.and_then(|patient| PatientId::parse(patient).err())] {
        assert!(why.is_none_or(|why| why.to_string().len() < 60), "an id in an error");
    }
}
