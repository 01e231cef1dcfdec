//! What is done to a stack from outside: clinics are added, secrets are put where its functions read
//! them. Credentials are those of the environment.

mod addresses;
mod clinic;
mod left;
mod outputs;
mod secret;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::host::HostError;

pub use addresses::Addresses;
pub use clinic::{Added, Adding, add};
pub use outputs::Outputs;

/// `retorno clinic`.
#[derive(Debug, Subcommand)]
pub enum ClinicCommand {
    /// Add a clinic to a stack, and say what is left to do.
    Add(AddArgs),
}

/// `retorno clinic add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The clinic's settings (TOML), with its `zone`.
    settings: PathBuf,
    /// The clinic's id: a-z, 0-9 and -; it stands in links and upload paths and never changes.
    #[arg(long)]
    id: String,
    #[command(flatten)]
    stack: StackArgs,
    /// Replace the settings of a clinic that is there.
    #[arg(long)]
    replace: bool,
    /// Also submit the clinic's WhatsApp templates to Meta, and let our app receive the account's events.
    #[arg(long)]
    submit_templates: bool,
}

/// Which stack.
#[derive(Debug, Args)]
pub struct StackArgs {
    /// The stack's outputs, as `aws cloudformation describe-stacks` or `sam list stack-outputs` prints
    /// them in JSON; - for standard input.
    #[arg(long)]
    stack_outputs: PathBuf,
}

/// `retorno secret`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Make the random keys of a stack that are not there yet.
    Make(StackArgs),
    /// Put a secret, read from standard input, where the stack's functions read it.
    Set(SetArgs),
    /// List the secrets of a stack by name and date, without their values.
    List(StackArgs),
}

/// `retorno secret set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// Its name: WHATSAPP_TOKEN, WHATSAPP_GATEWAY_KEYS, HOOK_SECRETS, LINK_KEYS or VAPID_KEY; lists may be
    /// kept in parts, as HOOK_SECRETS/aurora.
    name: String,
    #[command(flatten)]
    stack: StackArgs,
}

/// Runs `retorno clinic`.
///
/// # Errors
/// [`HostError`].
pub async fn run_clinic(command: &ClinicCommand) -> Result<(), HostError> {
    let ClinicCommand::Add(args) = command;
    let outputs = Outputs::read(&args.stack.stack_outputs)?;
    let settings = std::fs::read_to_string(&args.settings)
        .map_err(|error| HostError::Io { what: format!("cannot read {}", args.settings.display()), error })?;
    let config = retorno_cloud::aws::config_from_env()?;
    let stack = Addresses::of(&outputs)?;
    let adding = Adding {
        id: &args.id,
        settings: &settings,
        replace: args.replace,
        submit_templates: args.submit_templates,
        now: retorno_cloud::Clock::System.now(),
    };
    let added = add(&stack.reach(&config)?, &aws_sdk_scheduler::Client::new(&config), &stack, &adding).await?;
    let domain = left::domain(&added.clinic.email_from);
    let mail = match domain {
        Some(domain) => left::mail(&aws_sdk_sesv2::Client::new(&config), domain).await,
        None => Vec::new(),
    };
    let text = left::what_is_left(&added, &outputs, &mail)?;
    let _ = write!(std::io::stdout(), "{text}");
    Ok(())
}

/// Runs `retorno secret`.
///
/// # Errors
/// [`HostError`].
pub async fn run_secret(command: &SecretCommand) -> Result<(), HostError> {
    let (SecretCommand::Make(stack) | SecretCommand::List(stack) | SecretCommand::Set(SetArgs { stack, .. })) = command;
    let path = Outputs::read(&stack.stack_outputs)?.get("SecretsPath")?.to_owned();
    let ssm = aws_sdk_ssm::Client::new(&retorno_cloud::aws::config_from_env()?);
    let lines = match command {
        SecretCommand::Make(_) => secret::make(&ssm, &path).await?,
        SecretCommand::Set(args) => {
            let value = std::io::read_to_string(std::io::stdin());
            let value = value.map_err(|error| HostError::Io { what: "reading the secret".to_owned(), error })?;
            vec![secret::set(&ssm, &path, &args.name, value.trim()).await?]
        }
        SecretCommand::List(_) => secret::list(&ssm, &path).await?,
    };
    for line in lines {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    Ok(())
}
