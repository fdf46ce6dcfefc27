//! Two stores as one: the folder where recordings are made, and the object store they are brought to.

use async_trait::async_trait;
use domain::ports::{Blob, BlobError};
use std::sync::Arc;

/// Reads from the near store, and from the far one what is not there; puts into the far one; deletes
/// from both.
#[derive(Clone)]
pub struct TieredBlob {
    near: Arc<dyn Blob>,
    far: Arc<dyn Blob>,
}

impl TieredBlob {
    /// Of these two.
    #[must_use]
    pub fn new(near: Arc<dyn Blob>, far: Arc<dyn Blob>) -> Self {
        Self { near, far }
    }
}

#[async_trait]
impl Blob for TieredBlob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        match self.near.size(key).await {
            Err(BlobError::NotFound(_)) => self.far.size(key).await,
            other => other,
        }
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        match self.near.read(key, from, len).await {
            Err(BlobError::NotFound(_)) => self.far.read(key, from, len).await,
            other => other,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.near.delete(key).await?;
        self.far.delete(key).await
    }

    async fn put_from(&self, key: &str, from: &dyn Blob) -> Result<u64, BlobError> {
        self.far.put_from(key, from).await
    }
}
