//! The sweep: what a crash, a lost wake-up or a lost answer left behind. It only moves what time
//! alone decides, and hands everything else back to the queue.

use chrono::TimeDelta;
use retorno_cloud::metrics::Metric;
use retorno_cloud::orders::{Order, say_order, step_order};
use retorno_cloud::store::AnsweredOf;
use retorno_cloud::{CloudError, Reach};
use retorno_domain::ids::ClinicId;
use retorno_domain::message::Delivery;

use crate::dispatch::Done;

/// A step not looked at so long after its time has lost its wake-up.
const WAKE_LOST_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Sweeps a clinic.
pub(crate) async fn sweep(reach: &Reach, clinic: &ClinicId) -> Result<Done, CloudError> {
    let now = reach.clock.now();
    let tenant = reach.store.of(clinic);
    let mut found = 0u32;
    for open in tenant.overdue_messages(now).await? {
        found += 1;
        match (&open.delivery, open.delivery.aged(now)) {
            (_, Some(aged)) => {
                tracing::warn!(%clinic, message = %open.message, state = aged.code(), "message left open");
                if aged.code() == "unknown" {
                    Metric::UnknownSends.tell(1);
                }
                tenant.age_message(&open, &aged).await?;
            }
            (Delivery::Ready { .. }, None) => {
                let order = step_order(clinic, &open.patient, open.enrollment, open.step);
                reach.orders.queue(&order, now, now).await?;
            }
            (_, None) => {}
        }
    }
    for open in tenant.overdue_answers(now).await? {
        found += 1;
        if let Delivery::Ready { .. } = open.delivery {
            let order = match &open.of {
                AnsweredOf::Patient(patient) => say_order(clinic, patient, open.id),
                AnsweredOf::Stranger => Order::SayStranger { clinic: clinic.to_string(), answer: open.id.to_string() },
            };
            reach.orders.queue(&order, now, now).await?;
        } else {
            tracing::warn!(%clinic, answer = %open.id, "fate of an answer unknown");
            Metric::UnknownSends.tell(1);
            tenant.age_answer(&open, now).await?;
        }
    }
    let overdue = tenant.overdue_enrollments(now - WAKE_LOST_AFTER).await?;
    if let Some(oldest) = overdue.iter().map(|step| step.due).min() {
        Metric::OverdueStepAge.tell(u64::try_from((now - oldest).num_seconds()).unwrap_or(0));
    }
    for step in overdue {
        found += 1;
        let order = step_order(clinic, &step.patient, step.enrollment, step.step);
        reach.orders.queue(&order, now, now).await?;
    }
    Ok(if found > 0 { Done::Decided } else { Done::Nothing })
}
