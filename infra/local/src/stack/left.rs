//! What is left to do for a clinic that was added: what only its owners can, at their providers.

use std::fmt::Write as _;

use aws_sdk_sesv2::Client;
use retorno_domain::sender::GatewayKind;

use super::{Added, Outputs};
use crate::host::HostError;

/// The domain of an address.
pub(super) fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain.trim_end_matches('>')).filter(|domain| !domain.is_empty())
}

/// What is to be done about a domain at SES, line by line: it is made known there if it is not, and its
/// records are told until they are found.
pub(super) async fn mail(ses: &Client, domain: &str) -> Vec<String> {
    let known = ses.get_email_identity().email_identity(domain).send().await.ok();
    let (is_verified, tokens) = match known {
        Some(known) => (known.verified_for_sending_status, known.dkim_attributes),
        None => match ses.create_email_identity().email_identity(domain).send().await {
            Ok(made) => (made.verified_for_sending_status, made.dkim_attributes),
            Err(_) => {
                return vec![format!("verify {domain} in SES (these credentials may not), by its three DKIM records")];
            }
        },
    };
    if is_verified {
        return Vec::new();
    }
    let tokens = tokens.and_then(|dkim| dkim.tokens).unwrap_or_default();
    let record = |token: &String| format!("  {token}._domainkey.{domain}  CNAME  {token}.dkim.amazonses.com");
    let mut lines = vec![format!("enter these records for {domain}, so that e-mail may be sent from it:")];
    lines.extend(tokens.iter().map(record));
    lines.push(format!("  _dmarc.{domain}  TXT  \"v=DMARC1; p=none\"   (if it has none)"));
    lines
}

/// What is left to do, as text.
pub(super) fn what_is_left(added: &Added, outputs: &Outputs, mail: &[String]) -> Result<String, HostError> {
    let (clinic, id) = (&added.clinic, &added.clinic.id);
    let (hooks, secrets) = (outputs.get("HooksUrl")?, outputs.get("SecretsPath")?);
    let done = if added.was_there { "has new settings" } else { "is set up" };
    let mut text =
        format!("Clinic {id} {done}: it is evaluated each morning at six ({}).\n\nLeft to do:\n", clinic.zone);
    let mut number = 0;
    let mut item = |lines: &[String]| {
        number += 1;
        for (at, line) in lines.iter().enumerate() {
            let head = if at == 0 { format!("{number}. ") } else { "   ".to_owned() };
            let _ = writeln!(text, "{head}{line}");
        }
    };
    match &clinic.gateway {
        Some(gateway) => {
            let kind = match gateway.kind {
                GatewayKind::Evolution => "evolution",
                GatewayKind::Waha => "waha",
            };
            item(&[
                format!("let the gateway send its events to {hooks}/{kind}/{}", gateway.instance),
                format!("put what it proves itself with below {secrets}/verification/HOOK_SECRETS/{id}"),
                format!("and its key below {secrets}/sending/WHATSAPP_GATEWAY_KEYS/{id} (`retorno secret set`)"),
            ]);
        }
        None => {
            item(&[
                format!(
                    "at Meta, let your app send its events (messages, account and template news) to {hooks}/meta/APP"
                ),
                format!(
                    "with the verify token and the app secret of {secrets}/verification/HOOK_SECRETS: APP is its name there"
                ),
                format!(
                    "once for all clinics of an app; its token is {secrets}/sending/WHATSAPP_TOKEN (`retorno secret set`)"
                ),
            ]);
            item(&[match (&clinic.whatsapp_account_id, added.asked_meta) {
                (Some(account), true) => format!(
                    "have the templates of account {account} approved: `--replace --submit-templates` submits those that are missing"
                ),
                _ => {
                    "have the templates approved at Meta; with whatsapp_account_id in the settings this is done for you"
                        .to_owned()
                }
            }]);
        }
    }
    if !mail.is_empty() {
        item(mail);
    }
    let bucket = outputs.get("UploadBucket")?;
    item(&[
        format!("upload the first export: aws s3 cp EXPORT.csv s3://{bucket}/uploads/{id}/"),
        format!(
            "and the free slots, unless the settings have timetables: aws s3 cp SLOTS.csv s3://{bucket}/slots/{id}/"
        ),
    ]);
    Ok(text)
}
