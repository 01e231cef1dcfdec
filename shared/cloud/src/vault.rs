//! Where secrets are read: in the cloud from parameters of SSM below `SECRETS_PATH`, on a laptop from
//! environment variables of the same names. A parameter is called `<path>/<group>/<NAME>`, and a role
//! may read the groups of its function and no others.
//!
//! Nothing is read before it is needed. What was read is kept for [`FRESH_FOR`], and what was built
//! from it is built anew when it has changed: a secret is replaced without deploying. While SSM does
//! not answer, or holds what cannot be used, the former secrets serve for [`STALE_MAX`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use crate::error::{CloudError, sort};
use crate::secrets::{SecretKey, Token};

/// How long secrets are used without a look whether they were replaced.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(5);
/// How long they are used at most while nobody can tell whether they were replaced.
pub const STALE_MAX: TimeDelta = TimeDelta::hours(1);
/// After a look that failed, the next one comes no sooner.
const LOOK_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Secrets that the same functions may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretGroup {
    /// `CONTACT_KEY`: phones and addresses are hashed with it.
    Contact,
    /// `LINK_KEYS`: links in messages are signed with it.
    Links,
    /// `OPAQUE_KEY`: the id that providers return in receipts is signed with it.
    Opaque,
    /// `WHATSAPP_TOKEN`, `WHATSAPP_GATEWAY_KEYS`, `VAPID_KEY`: what providers know us by.
    Sending,
    /// `HOOK_SECRETS`: what providers prove themselves with.
    Verification,
}

impl SecretGroup {
    /// The last part of its path.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Links => "links",
            Self::Opaque => "opaque",
            Self::Sending => "sending",
            Self::Verification => "verification",
        }
    }
}

/// Secrets by name, as they stood when they were read.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// These, by name.
    #[must_use]
    pub fn of(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }

    /// The secret of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The secret of that name and those below it (`NAME/anything`): one parameter holds 4 KB, and some
    /// secrets are lists that grow with the clinics.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let is_of = |full: &str| full == name || full.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        self.0.iter().filter(|(full, _)| is_of(full)).map(|(_, value)| value.as_str()).collect()
    }

    /// The secret of that name.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names it when it is not there.
    pub fn need(&self, name: &str) -> Result<&str, CloudError> {
        self.get(name).ok_or_else(|| CloudError::Setup(format!("the secret {name} is not set")))
    }

    /// The secret of that name as a key.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names it when it is not there or too short.
    pub fn key(&self, name: &str) -> Result<SecretKey, CloudError> {
        SecretKey::new(self.need(name)?).map_err(|_| {
            CloudError::Setup(format!("the secret {name} is shorter than {} bytes", crate::secrets::KEY_BYTES_MIN))
        })
    }

    /// The secret of that name as a provider's token.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names it when it is not there.
    pub fn token(&self, name: &str) -> Result<Token, CloudError> {
        self.need(name).map(Token::new)
    }
}

/// Where the secrets of a function are read.
#[derive(Debug, Clone)]
pub struct Vault {
    place: Place,
    groups: &'static [SecretGroup],
}

#[derive(Debug, Clone)]
enum Place {
    Environment,
    Parameters { client: aws_sdk_ssm::Client, path: String },
}

impl Vault {
    /// These groups below a path of SSM.
    #[must_use]
    pub fn new(client: aws_sdk_ssm::Client, path: &str, groups: &'static [SecretGroup]) -> Self {
        Self { place: Place::Parameters { client, path: path.trim_end_matches('/').to_owned() }, groups }
    }

    /// Below `SECRETS_PATH`; the environment itself where that is not set.
    #[must_use]
    pub fn from_env(config: &aws_types::SdkConfig, groups: &'static [SecretGroup]) -> Self {
        match std::env::var("SECRETS_PATH") {
            Ok(path) => Self::new(aws_sdk_ssm::Client::new(config), &path, groups),
            Err(_) => Self { place: Place::Environment, groups },
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn read(&self) -> Result<Secrets, CloudError> {
        match &self.place {
            Place::Environment => {
                let texts =
                    |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
                Ok(Secrets(std::env::vars_os().filter_map(texts).collect()))
            }
            Place::Parameters { client, path } => {
                let folders = self.groups.iter().map(|group| format!("{path}/{}", group.folder()));
                let read = try_join_all(folders.map(|folder| below(client, folder))).await?;
                Ok(Secrets(read.into_iter().flatten().collect()))
            }
        }
    }
}

/// All parameters below a folder, by the rest of their names.
async fn below(client: &aws_sdk_ssm::Client, folder: String) -> Result<Vec<(String, String)>, CloudError> {
    let call = client.get_parameters_by_path().path(&folder).recursive(true).with_decryption(true);
    let mut pages = call.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| sort("GetParametersByPath", &e))?;
        for parameter in page.parameters.unwrap_or_default() {
            let (Some(name), Some(value)) = (parameter.name, parameter.value) else { continue };
            if let Some(name) = name.strip_prefix(&folder).and_then(|name| name.strip_prefix('/')) {
                found.push((name.to_owned(), value));
            }
        }
    }
    Ok(found)
}

/// Something built from secrets: before its first use, and anew when they have changed.
#[derive(Debug)]
pub struct Kept<T> {
    vault: Vault,
    held: Mutex<Option<Held<T>>>,
}

#[derive(Debug)]
struct Held<T> {
    secrets: Secrets,
    built: Arc<T>,
    /// When these secrets were seen last to be those in force.
    seen_at: DateTime<Utc>,
    look_at: DateTime<Utc>,
}

impl<T> Kept<T> {
    /// Nothing is read yet.
    #[must_use]
    pub fn of(vault: Vault) -> Self {
        Self { vault, held: Mutex::new(None) }
    }

    /// What `build` makes of the secrets.
    ///
    /// # Errors
    /// [`CloudError`] when they cannot be read or used, and could not for [`STALE_MAX`].
    pub async fn get(
        &self,
        now: DateTime<Utc>,
        build: impl Fn(&Secrets) -> Result<T, CloudError>,
    ) -> Result<Arc<T>, CloudError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| now < held.look_at) {
            return Ok(Arc::clone(&held.built));
        }
        let read = self.vault.read().await;
        let made = read.and_then(|secrets| match held.take_if(|held| held.secrets == secrets) {
            Some(same) => Ok(Held { seen_at: now, look_at: now + FRESH_FOR, ..same }),
            None => {
                let built = Arc::new(build(&secrets)?);
                Ok(Held { secrets, built, seen_at: now, look_at: now + FRESH_FOR })
            }
        });
        match made {
            Ok(made) => Ok(Arc::clone(&held.insert(made).built)),
            Err(error) => match held.as_mut().filter(|held| now - held.seen_at <= STALE_MAX) {
                Some(held) => {
                    tracing::error!(%error, "secrets could not be renewed: the former ones serve for an hour at most");
                    held.look_at = now + LOOK_AGAIN_AFTER;
                    Ok(Arc::clone(&held.built))
                }
                None => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests;
