//! The secrets of a stack, where its functions read them ([`retorno_cloud::vault`]).

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use retorno_cloud::channels::push::VapidKey;
use retorno_cloud::vault::SecretGroup;

use crate::host::HostError;

/// Every secret, and whose it is.
const SECRETS: [(&str, SecretGroup); 7] = [
    ("CONTACT_KEY", SecretGroup::Contact),
    ("OPAQUE_KEY", SecretGroup::Opaque),
    ("LINK_KEYS", SecretGroup::Links),
    ("VAPID_KEY", SecretGroup::Sending),
    ("WHATSAPP_TOKEN", SecretGroup::Sending),
    ("WHATSAPP_GATEWAY_KEYS", SecretGroup::Sending),
    ("HOOK_SECRETS", SecretGroup::Verification),
];
/// What a parameter of the standard tier holds, in bytes.
const BYTES_MAX: usize = 4_096;

fn failed(name: &str, error: &impl std::fmt::Display) -> HostError {
    HostError::User(format!("{name}: {error}"))
}

/// Makes the keys that are nobody's but ours, where they are not there; never replaces one.
pub(super) async fn make(ssm: &Client, path: &str) -> Result<Vec<String>, HostError> {
    let mut lines = Vec::new();
    for name in ["CONTACT_KEY", "OPAQUE_KEY", "LINK_KEYS", "VAPID_KEY"] {
        let value = match name {
            "LINK_KEYS" => format!("1:{}", random()?),
            "VAPID_KEY" => key_on_p256()?,
            _ => random()?,
        };
        let full = full_name(path, name)?;
        let call = ssm.put_parameter().name(&full).value(&value).r#type(ParameterType::SecureString).overwrite(false);
        let is_new = match call.send().await {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_parameter_already_exists()) => false,
            Err(error) => return Err(failed(&full, &error.into_service_error())),
        };
        lines.push(format!("{}  {full}", if is_new { "made " } else { "there" }));
        if name == "VAPID_KEY" {
            let key = if is_new { value } else { read(ssm, &full).await? };
            lines.push(format!(
                "       its public half, for the parameter VapidPublicKey: {}",
                public_half(&key, &full)?
            ));
        }
    }
    Ok(lines)
}

async fn read(ssm: &Client, full: &str) -> Result<String, HostError> {
    let got = ssm.get_parameter().name(full).with_decryption(true).send().await;
    let got = got.map_err(|error| failed(full, &error.into_service_error()))?;
    Ok(got.parameter.and_then(|parameter| parameter.value).unwrap_or_default())
}

/// What browsers are told, so that they take nobody else's notifications.
fn public_half(key: &str, full: &str) -> Result<String, HostError> {
    let key = VapidKey::new(key, "mailto:nobody@example.com");
    key.map(|key| key.public_key().to_owned()).map_err(|error| failed(full, &error))
}

/// Puts a secret in its place.
pub(super) async fn set(ssm: &Client, path: &str, name: &str, value: &str) -> Result<String, HostError> {
    let full = full_name(path, name)?;
    if name == "CONTACT_KEY" {
        return Err(HostError::User(
            "CONTACT_KEY must never change: every opt-out is found by it. `retorno secret make` makes the first one"
                .to_owned(),
        ));
    }
    if value.is_empty() || value.len() > BYTES_MAX {
        return Err(HostError::User(format!(
            "{full}: a secret has 1 to {BYTES_MAX} bytes; keep a longer list in parts, as {name}/aurora"
        )));
    }
    // What the hooks could not read would be left out by them: better nothing is replaced.
    if name.split('/').next() == Some("HOOK_SECRETS") {
        inbound_webhook::secrets::read(&[value]).map_err(|error| failed(&full, &error))?;
    }
    let call = ssm.put_parameter().name(&full).value(value).r#type(ParameterType::SecureString).overwrite(true);
    call.send().await.map_err(|error| failed(&full, &error.into_service_error()))?;
    Ok(format!("set    {full}; functions take it up within five minutes"))
}

/// What is there, without values.
pub(super) async fn list(ssm: &Client, path: &str) -> Result<Vec<String>, HostError> {
    let mut lines = Vec::new();
    let mut pages =
        ssm.get_parameters_by_path().path(path).recursive(true).with_decryption(false).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(path, &error.into_service_error()))?;
        for parameter in page.parameters.unwrap_or_default() {
            let changed = parameter.last_modified_date.map(|at| at.to_string()).unwrap_or_default();
            lines.push(format!("{}  version {}  {changed}", parameter.name.unwrap_or_default(), parameter.version));
        }
    }
    Ok(lines)
}

/// `<path>/<group>/<name>`.
fn full_name(path: &str, name: &str) -> Result<String, HostError> {
    let (first, part) = name.split_once('/').unwrap_or((name, ""));
    let known = SECRETS.iter().find(|(known, _)| *known == first);
    let is_list = ["WHATSAPP_GATEWAY_KEYS", "HOOK_SECRETS"].contains(&first);
    let is_plain =
        part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && (name == first || !part.is_empty());
    match known {
        Some((_, group)) if name == first || (is_list && is_plain) => Ok(format!("{path}/{}/{name}", group.folder())),
        _ => {
            let names: Vec<&str> = SECRETS.iter().map(|(name, _)| *name).collect();
            Err(HostError::User(format!("there is no secret {name}; there are {}", names.join(", "))))
        }
    }
}

fn bytes() -> Result<[u8; 32], HostError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| HostError::User(format!("no randomness: {error}")))?;
    Ok(bytes)
}

fn random() -> Result<String, HostError> {
    Ok(URL_SAFE_NO_PAD.encode(bytes()?))
}

/// A number below the order of P-256, as almost every one of 32 bytes is.
fn key_on_p256() -> Result<String, HostError> {
    loop {
        let key = random()?;
        if VapidKey::new(&key, "mailto:nobody@example.com").is_ok() {
            return Ok(key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_secret_has_its_place_and_lists_have_parts() {
        let name = |name: &str| full_name("/retorno/prod", name);
        assert_eq!(name("WHATSAPP_TOKEN").unwrap(), "/retorno/prod/sending/WHATSAPP_TOKEN");
        assert_eq!(name("HOOK_SECRETS/aurora").unwrap(), "/retorno/prod/verification/HOOK_SECRETS/aurora");
        for wrong in ["", "TOKEN", "CONTACT_KEY/a", "HOOK_SECRETS/", "HOOK_SECRETS/a/b", "HOOK_SECRETS/../x"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn made_keys_are_long_enough_and_no_two_are_the_same() {
        assert!(random().unwrap().len() >= retorno_cloud::secrets::KEY_BYTES_MIN);
        assert_ne!(key_on_p256().unwrap(), key_on_p256().unwrap());
        // A point, uncompressed: what a browser takes as `applicationServerKey`.
        let public = public_half(&key_on_p256().unwrap(), "VAPID_KEY").unwrap();
        assert!(public.len() == 87 && public.starts_with('B'), "{public}");
    }
}
