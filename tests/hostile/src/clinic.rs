//! A clinic, read once.

use std::sync::OnceLock;

use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

/// A clinic with the defaults of all settings, in Buenos Aires.
pub(crate) fn clinic() -> &'static Clinic {
    static CLINIC: OnceLock<Clinic> = OnceLock::new();
    CLINIC.get_or_init(|| {
        let id = ClinicId::parse("aurora").expect("an id");
        clinic_from_toml(id, "", Some(chrono_tz::America::Argentina::Buenos_Aires)).expect("the defaults")
    })
}
