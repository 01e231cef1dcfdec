//! Who asks, and what they may see. API Gateway's JWT authorizer has checked the token; what it says of
//! the caller's groups is all that counts here: `agency` sees every clinic of the stack, `clinic:ID` one.

use std::collections::BTreeSet;

use aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use retorno_domain::ids::ClinicId;

/// The claim of Amazon Cognito that names the groups of a user.
const GROUPS: &str = "cognito:groups";
/// The group of those who look after the whole stack.
const AGENCY: &str = "agency";
/// What the group of a clinic's people begins with.
const OF_CLINIC: &str = "clinic:";

/// What somebody may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    is_agency: bool,
    clinics: BTreeSet<ClinicId>,
}

impl Caller {
    /// By what the authorizer says of a request; nothing where it says nothing.
    #[must_use]
    pub fn of(context: &ApiGatewayV2httpRequestContext) -> Self {
        let claims = context.authorizer.as_ref().and_then(|said| said.jwt.as_ref()).map(|jwt| &jwt.claims);
        claims.and_then(|claims| claims.get(GROUPS)).map_or_else(Self::default, |groups| Self::of_groups(groups))
    }

    /// By groups as API Gateway writes a list: `[agency clinic:aurora]`.
    #[must_use]
    pub fn of_groups(groups: &str) -> Self {
        let inner = groups.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(groups);
        let mut caller = Self::default();
        // No name of a group holds a blank; a comma may be part of one, and separates only before a blank.
        for group in inner.split_whitespace().map(|group| group.strip_suffix(',').unwrap_or(group)) {
            caller.is_agency |= group == AGENCY;
            caller.clinics.extend(group.strip_prefix(OF_CLINIC).and_then(|id| ClinicId::parse(id).ok()));
        }
        caller
    }

    /// Whether the caller may ask at this path, which is below `/api`. What is no clinic's is for the agency.
    #[must_use]
    pub fn may_ask(&self, path: &str) -> bool {
        match path.strip_prefix("/clinics/").and_then(|rest| rest.split('/').next()) {
            Some(clinic) => self.is_agency || self.clinics.iter().any(|own| own.as_str() == clinic),
            None if path == "/me" => true,
            None => self.is_agency,
        }
    }

    /// Whether every clinic of the stack may be seen.
    #[must_use]
    pub fn is_agency(&self) -> bool {
        self.is_agency
    }

    /// The clinics named.
    pub fn clinics(&self) -> impl Iterator<Item = &ClinicId> {
        self.clinics.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clinics_people_see_their_clinic_and_nothing_else() {
        let caller = Caller::of_groups("[clinic:aurora clinic:sol]");
        for path in ["/clinics/aurora/inbox", "/clinics/sol/patients/1/export", "/clinics/aurora", "/me"] {
            assert!(caller.may_ask(path), "{path}");
        }
        for path in [
            "/clinics/luna/inbox",
            "/clinics/auror/inbox",
            "/clinics/aurora2/inbox",
            "/clinics/%61urora/inbox",
            "/clinics//inbox",
            "/clinics/",
            "/clinics",
            "/parked",
            "/",
            "",
            "/me/",
        ] {
            assert!(!caller.may_ask(path), "{path}");
        }
    }

    #[test]
    fn the_agency_sees_everything_and_nobody_nothing() {
        let agency = Caller::of_groups("[agency]");
        let nobody = [Caller::default(), Caller::of_groups("[]"), Caller::of_groups("[aurora Agency clinic:]")];
        for path in ["/clinics/aurora/inbox", "/parked", "/parked/1/discard"] {
            assert!(agency.may_ask(path), "{path}");
            assert!(nobody.iter().all(|caller| !caller.may_ask(path)), "{path}");
        }
    }

    #[test]
    fn a_clinic_called_agency_is_not_the_agency() {
        let caller = Caller::of_groups("[clinic:agency]");
        assert!(!caller.is_agency() && caller.may_ask("/clinics/agency/inbox") && !caller.may_ask("/parked"));
    }

    #[test]
    fn lists_are_read_as_gateways_write_them() {
        for groups in ["[agency clinic:sol]", "agency clinic:sol", "[agency, clinic:sol]"] {
            let caller = Caller::of_groups(groups);
            assert!(caller.is_agency() && caller.clinics().count() == 1, "{groups}");
        }
        let one = Caller::of_groups("[of,agency x,clinic:sol]");
        assert!(!one.is_agency() && one.clinics().count() == 0, "one name each");
    }
}
