//! What segments ask the center: whom the law lets be called now.

use super::CenterHandle;
use crate::callable::catch_up;
use domain::ids::ClientId;
use domain::ports::StoreError;
use std::time::Duration;

impl CenterHandle {
    /// Asks the law about debtors whose mark is missing, for at most about `within`; how many of the client's are
    /// left without one. Beside what is asked in the background, so that a figure that waits for it is soon exact.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ask_the_law(&self, client: ClientId, within: Duration) -> Result<u64, StoreError> {
        catch_up(&self.inner.shared, client, within).await
    }
}
