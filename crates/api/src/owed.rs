//! What a debt is owed today, interest by its portfolio's rule included.

use crate::ApiState;
use crate::problem::Problem;
use domain::entity::Debt;
use domain::time::UtcMs;

impl ApiState {
    /// A debt as it is owed at an instant.
    pub(crate) async fn owed(&self, debt: Debt, at: UtcMs) -> Result<Debt, Problem> {
        let found = self.store.owed(std::slice::from_ref(&debt), at).await?;
        Ok(found.into_iter().next().unwrap_or(debt))
    }
}
