//! Large objects: recordings.

use async_trait::async_trait;

/// Why a blob operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No such key.
    #[error("no object '{0}'")]
    NotFound(String),
    /// A key with a path that leaves the root, or an empty one.
    #[error("bad object key '{0}'")]
    BadKey(String),
    /// The object is there but not what was put there: cut, changed, or its key is missing.
    #[error("object damaged: {0}")]
    Damaged(String),
    /// The outside failed.
    #[error("object store: {0}")]
    Io(String),
}

/// A store of large objects by key (`2026/11/23/<recording>.wav`).
#[async_trait]
pub trait Blob: Send + Sync {
    /// Size in bytes.
    async fn size(&self, key: &str) -> Result<u64, BlobError>;
    /// Bytes `[from, from + len)`, cut at the end of the object.
    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError>;
    /// Removes the object; removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
    /// Puts the object that `from` has under the same key, whole: it replaces what was there, and
    /// nobody ever sees a part of it. Gives its size, bytes.
    async fn put_from(&self, key: &str, _from: &dyn Blob) -> Result<u64, BlobError> {
        Err(BlobError::Io(format!("'{key}': this store is only read")))
    }
}
