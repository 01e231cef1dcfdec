//! `retorno cost`: what the cloud would ask for clinics of several sizes, from request units,
//! invocations and times that are counted while their month is played by the production handlers.

mod month;
mod prices;
mod report;

use crate::host::HostError;

pub use month::{Month, Period};
pub use prices::{Prices, Stack};
pub use report::{Line, page, per_thousand, total};

/// Patients of the clinics that are played.
const CLINICS: [u32; 3] = [500, 5_000, 50_000];

/// How many people a day the number of a clinic of that size may reach.
fn a_day(patients: u32) -> u32 {
    match patients {
        0..1_000 => 250,
        1_000..10_000 => 1_000,
        10_000.. => 2_000,
    }
}

/// Plays the months and writes the page, for clinics of those sizes or, where none is given, of 500,
/// 5,000 and 50,000 patients. `on_part` hears what is played.
///
/// # Errors
/// [`HostError`].
pub async fn run(patients: &[u32], mut on_part: impl FnMut(&str)) -> Result<String, HostError> {
    let prices = Prices::known()?;
    let stack = Stack::of(include_str!("../../template.yaml"));
    let sizes: &[u32] = if patients.is_empty() { &CLINICS } else { patients };
    let mut months = Vec::new();
    for patients in sizes {
        on_part(&format!("a month of {patients} patients"));
        months.push(month::play(*patients, a_day(*patients)).await?);
    }
    Ok(page(&months, &prices, &stack))
}
