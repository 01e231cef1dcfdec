//! Whom a command speaks to, and about which clinic.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::connection::Connection;
use super::print::list;
use crate::host::HostError;
use crate::server::State;

/// Which clinic.
#[derive(Debug, Args)]
pub struct Which {
    /// The clinic's id; may be left out when there is only one.
    #[arg(long)]
    pub(super) clinic: Option<String>,
}

/// Whom a command speaks to.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// The folder of the system that runs on this machine.
    pub data: &'a Path,
    /// The session with a stack in the cloud, which is spoken to in its place.
    pub session: Option<&'a Path>,
}

impl To<'_> {
    pub(super) async fn connect(&self) -> Result<Connection, HostError> {
        match self.session {
            Some(session) => Connection::by(session).await,
            None => Connection::to(self.data),
        }
    }
}

/// The clinic that a command is for.
///
/// # Errors
/// [`HostError::User`] when it has to be named.
pub(super) async fn clinic(connection: &Connection, which: &Which) -> Result<String, HostError> {
    if connection.is_to_a_stack() {
        return clinic_of_a_stack(connection, which).await;
    }
    let state: State = connection.get(&["state"], &[]).await?;
    let ids: Vec<&str> = state.clinics.iter().map(|clinic| clinic.id.as_str()).collect();
    match (&which.clinic, ids.as_slice()) {
        (Some(clinic), _) => Ok(clinic.clone()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(HostError::User("there is no clinic yet: import an export with --new-clinic ID".to_owned())),
        (None, several) => Err(HostError::User(format!("say which clinic with --clinic: {}", several.join(", ")))),
    }
}

/// The agency names one; whoever sees only one need not.
async fn clinic_of_a_stack(connection: &Connection, which: &Which) -> Result<String, HostError> {
    if let Some(clinic) = &which.clinic {
        return Ok(clinic.clone());
    }
    let me: Value = connection.get(&["me"], &[]).await?;
    let is_agency = me.get("agency").and_then(Value::as_bool).unwrap_or(false);
    let clinics: Vec<&str> = list(&me, "clinics").iter().filter_map(Value::as_str).collect();
    match clinics.as_slice() {
        [only] if !is_agency => Ok((*only).to_owned()),
        [] if !is_agency => Err(HostError::User("the account is in the group of no clinic".to_owned())),
        _ => Err(HostError::User(format!("say which clinic with --clinic {}", clinics.join(", ")))),
    }
}
