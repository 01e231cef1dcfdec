//! `retorno login`: signs a member of staff in to a stack in the cloud.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::print::out;
use super::session::{Answered, Place};
use crate::host::HostError;
use crate::stack::Outputs;

/// `retorno login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// The e-mail address of the account.
    email: String,
    /// The stack's outputs, as `aws cloudformation describe-stacks` or `sam list stack-outputs` prints
    /// them in JSON.
    #[arg(long)]
    stack_outputs: PathBuf,
}

/// Signs in; the session is kept in the file. Passwords and codes are asked for at the terminal, or read
/// from standard input, a line each.
///
/// # Errors
/// [`HostError`] says why not.
pub async fn login(args: &LoginArgs, session: Option<&Path>) -> Result<(), HostError> {
    let file = session.ok_or_else(|| HostError::User("say where to keep the session: --session FILE".to_owned()))?;
    let place = Place::of(&Outputs::read(&args.stack_outputs)?)?;
    let now = retorno_cloud::Clock::System.now();
    let mut answered = place.sign_in(&args.email, &secret("password")?, now).await?;
    loop {
        let challenge = match answered {
            Answered::SignedIn(session) => {
                session.keep(file)?;
                out(&format!("signed in; commands with --session {} speak to the stack\n", file.display()));
                return Ok(());
            }
            Answered::Asked(challenge) => challenge,
        };
        let said = if challenge.is_new_password() {
            secret("new password (14 characters at least)")?
        } else if challenge.is_code() {
            secret("code of the authenticator")?
        } else {
            return Err(HostError::User(format!("Cognito asks for {}, which is not supported", challenge.name())));
        };
        answered = place.answer(&challenge, &said, now).await?;
    }
}

fn secret(what: &str) -> Result<String, HostError> {
    let failed = |error| HostError::Io { what: format!("reading the {what}"), error };
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{what}: ")).map_err(failed);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
