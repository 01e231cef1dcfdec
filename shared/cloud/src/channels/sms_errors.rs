//! The errors of `SendTextMessage`, sorted by what may be done (service model pinpoint-sms-voice-v2).

use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageError as Error;
use aws_sdk_pinpointsmsvoicev2::types::{ConflictExceptionReason as Conflict, ValidationExceptionReason as Invalid};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use chrono::TimeDelta;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};

use super::sms::ACCOUNT_AGAIN_IN;

/// The reason where the service gives one, else the error's name.
fn code_of(error: &Error) -> String {
    let reason = if let Error::ConflictException(e) = error {
        e.reason().map(Conflict::as_str)
    } else if let Error::ValidationException(e) = error {
        e.reason().map(Invalid::as_str)
    } else if let Error::ServiceQuotaExceededException(e) = error {
        e.reason().map(aws_sdk_pinpointsmsvoicev2::types::ServiceQuotaExceededExceptionReason::as_str)
    } else if let Error::AccessDeniedException(e) = error {
        e.reason().map(aws_sdk_pinpointsmsvoicev2::types::AccessDeniedExceptionReason::as_str)
    } else {
        None
    };
    reason.or_else(|| error.code()).unwrap_or("unknown").to_owned()
}

/// What an error answer means for the message.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK may add kinds of failure; none proves anything")]
pub(super) fn outcome_of_service(error: &Error) -> Outcome {
    let code = code_of(error);
    match error {
        Error::ThrottlingException(_) => Outcome::NotSent { code, again_in: TimeDelta::minutes(2), breaker: None },
        // The account's spending, its standing, the sender or the configuration set.
        Error::ServiceQuotaExceededException(_)
        | Error::AccessDeniedException(_)
        | Error::ResourceNotFoundException(_) => account(code),
        Error::ConflictException(e) => conflict(e.reason(), code),
        Error::ValidationException(e) => invalid(e.reason(), code),
        _ => Outcome::Ambiguous { code },
    }
}

fn account(code: String) -> Outcome {
    Outcome::NotSent { code, again_in: ACCOUNT_AGAIN_IN, breaker: Some(BreakerScope::Channel) }
}

/// A conflict that does not name the recipient lies with the sender: its type, its registration.
fn conflict(reason: Option<&Conflict>, code: String) -> Outcome {
    let news = match reason {
        Some(Conflict::DestinationPhoneNumberOptedOut) => RecipientNews::OptedOut,
        Some(
            Conflict::DestinationPhoneNumberBlockedByProtectNumberOverride
            | Conflict::DestinationCountryBlockedByProtectConfiguration
            | Conflict::DestinationPhoneNumberNotVerified,
        ) => RecipientNews::Unreachable,
        _ => return account(code),
    };
    Outcome::Refused { code, news }
}

fn invalid(reason: Option<&Invalid>, code: String) -> Outcome {
    match reason {
        Some(
            Invalid::DestinationCountryBlocked
            | Invalid::CountryNotEnabled
            | Invalid::InternationalSendingNotSupported
            | Invalid::CountryCodeMismatch,
        ) => Outcome::Refused { code, news: RecipientNews::Unreachable },
        Some(
            Invalid::SenderIdNotRegistered
            | Invalid::SenderIdNotSupported
            | Invalid::SenderIdRequiresRegistration
            | Invalid::InvalidIdentityForDestinationCountry
            | Invalid::ResourceNotAccessible
            | Invalid::ChannelNotEnabled,
        ) => account(code),
        _ => Outcome::Refused { code, news: RecipientNews::None },
    }
}
