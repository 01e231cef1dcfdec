//! A session with a stack in the cloud: who signed in, and the tokens until they expire. It stands in a
//! file that only its owner may read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::host::HostError;
use crate::stack::Outputs;

/// A token is renewed when it would expire within this.
const RENEWED_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Amazon Cognito's content type for its JSON protocol.
const PROTOCOL: &str = "application/x-amz-json-1.1";

/// Where staff signs in, and where the API is. Without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The API of the stack.
    url: String,
    /// Amazon Cognito in the stack's region.
    cognito: String,
    /// The client that the stack's user pool knows us as.
    client: String,
}

/// A session. No Debug: it holds tokens.
#[derive(Serialize, Deserialize)]
pub(super) struct Session {
    place: Place,
    access: String,
    refresh: Option<String>,
    until: DateTime<Utc>,
}

/// What Cognito answers to a password.
pub(super) enum Answered {
    /// It is right.
    SignedIn(Box<Session>),
    /// It is right, and something more is asked for: a new password, or a code.
    Asked(Challenge),
}

/// What more is asked for. No Debug: its session is a secret.
pub(super) struct Challenge {
    name: String,
    session: String,
    email: String,
}

impl Challenge {
    /// Whether a new password is asked for: the first one was made by whoever made the account.
    pub(super) fn is_new_password(&self) -> bool {
        self.name == "NEW_PASSWORD_REQUIRED"
    }

    /// Whether the code of an authenticator is asked for.
    pub(super) fn is_code(&self) -> bool {
        self.name == "SOFTWARE_TOKEN_MFA"
    }

    /// Cognito's word for it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn user(error: &dyn std::fmt::Display) -> HostError {
    HostError::User(error.to_string())
}

impl Place {
    /// By a stack's outputs. `AWS_ENDPOINT_URL`, where it is set, stands for Cognito's address.
    ///
    /// # Errors
    /// [`HostError::User`] when the stack has no accounts for staff.
    pub(super) fn of(outputs: &Outputs) -> Result<Self, HostError> {
        let pool = outputs.get("StaffPoolId")?;
        let region = pool.split('_').next().unwrap_or_default();
        let own = std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
        let cognito = own.unwrap_or_else(|| format!("https://cognito-idp.{region}.amazonaws.com/"));
        Ok(Self { url: outputs.get("StaffUrl")?.to_owned(), cognito, client: outputs.get("StaffClientId")?.to_owned() })
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// [`HostError::User`] says why not.
    pub(super) async fn sign_in(&self, email: &str, password: &str, now: DateTime<Utc>) -> Result<Answered, HostError> {
        let asked = json!({
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.client,
            "AuthParameters": { "USERNAME": email, "PASSWORD": password },
        });
        let answer = self.asked("InitiateAuth", &asked).await?;
        self.read(&answer, email, now)
    }

    /// Answers what more is asked for.
    ///
    /// # Errors
    /// [`HostError::User`] says why not.
    pub(super) async fn answer(
        &self,
        challenge: &Challenge,
        said: &str,
        now: DateTime<Utc>,
    ) -> Result<Answered, HostError> {
        let key = if challenge.is_code() { "SOFTWARE_TOKEN_MFA_CODE" } else { "NEW_PASSWORD" };
        let asked = json!({
            "ChallengeName": challenge.name,
            "ClientId": self.client,
            "Session": challenge.session,
            "ChallengeResponses": { "USERNAME": challenge.email, key: said },
        });
        let answer = self.asked("RespondToAuthChallenge", &asked).await?;
        self.read(&answer, &challenge.email, now)
    }

    fn read(&self, answer: &Value, email: &str, now: DateTime<Utc>) -> Result<Answered, HostError> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(name), Some(session)) = (text("ChallengeName"), text("Session")) {
            return Ok(Answered::Asked(Challenge { name, session, email: email.to_owned() }));
        }
        let (access, until) = token(answer, now)?;
        let refresh = answer.pointer("/AuthenticationResult/RefreshToken").and_then(Value::as_str).map(str::to_owned);
        Ok(Answered::SignedIn(Box::new(Session { place: self.clone(), access, refresh, until })))
    }

    async fn asked(&self, operation: &str, body: &Value) -> Result<Value, HostError> {
        let lost = |error: reqwest::Error| user(&format!("Cognito does not answer: {}", error.without_url()));
        let client = Client::builder().build().map_err(lost)?;
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let request = client.post(&self.cognito).header("content-type", PROTOCOL).header("x-amz-target", target);
        let response = request.body(body.to_string()).send().await.map_err(lost)?;
        let status = response.status();
        let answer: Value = serde_json::from_slice(&response.bytes().await.map_err(lost)?).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let kind = answer.get("__type").and_then(Value::as_str).unwrap_or_default();
        Err(HostError::User(match kind.rsplit('#').next().unwrap_or_default() {
            "NotAuthorizedException" | "UserNotFoundException" => "e-mail or password is not right".to_owned(),
            "CodeMismatchException" => "the code is not right".to_owned(),
            "InvalidPasswordException" => "the new password is too short: 14 characters at least".to_owned(),
            "PasswordResetRequiredException" => "an administrator has reset the password: ask for a new one".to_owned(),
            other => format!("Cognito refused: {status} {other}"),
        }))
    }
}

/// The token in an answer, and until when it is good.
fn token(answer: &Value, now: DateTime<Utc>) -> Result<(String, DateTime<Utc>), HostError> {
    let result = answer.get("AuthenticationResult");
    let access = result.and_then(|result| result.get("AccessToken")).and_then(Value::as_str);
    let seconds = result.and_then(|result| result.get("ExpiresIn")).and_then(Value::as_i64);
    match (access, seconds) {
        (Some(access), Some(seconds)) => Ok((access.to_owned(), now + TimeDelta::seconds(seconds))),
        _ => Err(HostError::User("Cognito answered without a token".to_owned())),
    }
}

impl Session {
    /// The session of a file.
    ///
    /// # Errors
    /// [`HostError`] when there is none.
    pub(super) fn read(file: &Path) -> Result<Self, HostError> {
        let none = || HostError::User(format!("{} is no session: sign in with `retorno login`", file.display()));
        let text = std::fs::read_to_string(file).map_err(|_| none())?;
        serde_json::from_str(&text).map_err(|_| none())
    }

    /// Keeps it in a file that only its owner may read.
    ///
    /// # Errors
    /// [`HostError::Io`].
    pub(super) fn keep(&self, file: &Path) -> Result<(), HostError> {
        let failed = |error| HostError::Io { what: format!("cannot write the session {}", file.display()), error };
        let text = serde_json::to_string(self).map_err(|error| user(&error))?;
        let new = PathBuf::from(format!("{}.new", file.display()));
        // One that is there may be open to others: a file of our own takes its place.
        let _ = std::fs::remove_file(&new);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&new).and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(failed)?;
        std::fs::rename(&new, file).map_err(failed)
    }

    /// Where the API is.
    pub(super) fn url(&self) -> &str {
        &self.place.url
    }

    /// A token that is good for a while; a new one where it was about to expire, kept in the file.
    ///
    /// # Errors
    /// [`HostError::User`] when somebody has to sign in again.
    pub(super) async fn token(&mut self, file: &Path, now: DateTime<Utc>) -> Result<String, HostError> {
        if self.until - RENEWED_BEFORE > now {
            return Ok(self.access.clone());
        }
        let over = || HostError::User("the session is over: sign in again with `retorno login`".to_owned());
        let refresh = self.refresh.as_deref().ok_or_else(over)?;
        let asked = json!({
            "AuthFlow": "REFRESH_TOKEN_AUTH",
            "ClientId": self.place.client,
            "AuthParameters": { "REFRESH_TOKEN": refresh },
        });
        let answer = self.place.asked("InitiateAuth", &asked).await.map_err(|_| over())?;
        (self.access, self.until) = token(&answer, now)?;
        self.keep(file)?;
        Ok(self.access.clone())
    }
}
