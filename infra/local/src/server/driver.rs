//! What makes time pass: each second the clock goes on and what has become due is taken up; an order
//! to move the clock is carried out event by event.

use std::time::Duration;

use super::state::Advanced;
use super::system::{AdvanceOrder, System};
use crate::host::{HostError, Played};

const TICK: Duration = Duration::from_secs(1);

/// Drives the system until it is told to stop.
///
/// # Errors
/// [`HostError`] when the clock cannot be stored: without it a restart would go back in time.
pub(super) async fn drive(system: &System) -> Result<(), HostError> {
    while !system.is_stopping() {
        match system.take_order() {
            Some((order, begun)) => advance(system, order, begun).await,
            None => system.clock.tick(),
        }
        if let Err(error) = settle_due(system).await {
            tracing::error!(%error, "what is due could not be taken up");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = system.ordered() => {}
            () = system.stopping() => {}
        }
    }
    system.clock.move_to(system.host.now())
}

async fn settle_due(system: &System) -> Result<(), HostError> {
    let now = system.host.now();
    if system.host.next_event()?.is_some_and(|next| next <= now) {
        system.clock.move_to(now)?;
        // Most of what is due is the sweep, which changes nothing that is shown.
        if system.host.settle().await?.sent > 0 {
            system.touch();
        }
    }
    Ok(())
}

async fn advance(system: &System, order: AdvanceOrder, begun: Advanced) {
    let mut advanced = begun;
    if let Err(error) = play(system, order, &mut advanced).await {
        tracing::error!(%error, "moving the clock failed");
        advanced.error = Some(error.to_string());
    }
    advanced.at = system.host.now();
    system.end_advance(advanced);
}

/// Plays what is on the way, each event at its own instant.
async fn play(system: &System, order: AdvanceOrder, advanced: &mut Advanced) -> Result<(), HostError> {
    while let Some(next) = system.host.next_event()?.filter(|next| *next <= order.target) {
        system.clock.move_to(next.max(system.host.now()))?;
        let played = system.host.settle().await?;
        add(advanced, played, system);
        if played.events == 0 {
            return Err(HostError::User("an event that is due could not be taken up".to_owned()));
        }
        if !system.note_advance(advanced) {
            advanced.cancelled = true;
            return Ok(());
        }
        if order.until_sent && played.sent > 0 {
            return Ok(());
        }
        // Requests get their turn between events.
        tokio::task::yield_now().await;
    }
    system.clock.move_to(order.target)
}

fn add(advanced: &mut Advanced, played: Played, system: &System) {
    advanced.at = system.host.now();
    advanced.events += played.events;
    advanced.sent += played.sent;
    advanced.failed += played.failed;
    system.touch();
}
