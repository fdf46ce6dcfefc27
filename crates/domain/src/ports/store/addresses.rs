//! Postal addresses.

use super::StoreError;
use crate::entity::Address;
use crate::event::NewEvent;
use crate::ids::{AddressId, DebtorId};
use async_trait::async_trait;

/// Where letters go.
#[async_trait]
pub trait AddressStore: Send + Sync {
    /// Addresses of a debtor, good ones first, last confirmed first among them.
    async fn addresses_of(&self, debtor: DebtorId) -> Result<Vec<Address>, StoreError>;
    /// An address.
    async fn get_address(&self, id: AddressId) -> Result<Address, StoreError>;
    /// Adds or replaces one.
    ///
    /// # Errors
    /// `Conflict` when the debtor has [`crate::entity::ADDRESSES_MAX`] of them already.
    async fn put_address(&self, row: &Address, events: &[NewEvent]) -> Result<(), StoreError>;
}
