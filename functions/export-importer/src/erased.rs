//! People who were erased are left out of what an export brings: nothing of them is stored again.

use retorno_cloud::CloudError;
use retorno_cloud::store::TenantStore;

use crate::rows::{Grouped, patient_of};

/// Leaves out whoever was erased, by the number in the clinic's system or by name and contact; says how
/// many rows that were.
pub(crate) async fn leave_out_erased(tenant: &TenantStore, grouped: &mut Grouped) -> Result<u64, CloudError> {
    let erased = tenant.erased_marks().await?;
    if erased.is_empty() {
        return Ok(0);
    }
    let mut rows = 0;
    grouped.patients.retain(|id, reports| {
        let is_erased = erased.contains(&tenant.erased_id(id))
            || patient_of(id, reports.clone())
                .is_some_and(|patient| !tenant.erased_marks_of(&patient).is_disjoint(&erased));
        rows += if is_erased { reports.len() } else { 0 };
        !is_erased
    });
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
