//! Objects in memory: the readable specification of the `Blob` port.

use crate::mishaps::locked;
use async_trait::async_trait;
use domain::ports::{Blob, BlobError};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A map of objects.
#[derive(Debug, Default)]
pub struct MemoryBlob(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryBlob {
    /// Puts an object there.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        locked(&self.0).insert(key.to_owned(), bytes);
    }

    fn get<R>(&self, key: &str, of: impl FnOnce(&[u8]) -> R) -> Result<R, BlobError> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        };
        if !key.split('/').all(plain) {
            return Err(BlobError::BadKey(key.to_owned()));
        }
        locked(&self.0)
            .get(key)
            .map(|bytes| of(bytes))
            .ok_or_else(|| BlobError::NotFound(key.to_owned()))
    }
}

#[async_trait]
impl Blob for MemoryBlob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        self.get(key, |bytes| bytes.len() as u64)
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        self.get(key, |bytes| {
            let skip = usize::try_from(from).unwrap_or(usize::MAX);
            let take = usize::try_from(len).unwrap_or(usize::MAX);
            bytes.iter().skip(skip).take(take).copied().collect()
        })
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.get(key, |_| ()) {
            Err(BlobError::NotFound(_)) => Ok(()),
            Err(other) => Err(other),
            Ok(()) => {
                locked(&self.0).remove(key);
                Ok(())
            }
        }
    }

    async fn put_from(&self, key: &str, from: &dyn Blob) -> Result<u64, BlobError> {
        let size = from.size(key).await?;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            let at = bytes.len() as u64;
            let part = from.read(key, at, size - at).await?;
            if part.is_empty() {
                return Err(BlobError::Io("the object ends early".to_owned()));
            }
            bytes.extend(part);
        }
        match self.get(key, |_| ()) {
            Err(BlobError::BadKey(bad)) => return Err(BlobError::BadKey(bad)),
            Ok(()) | Err(_) => self.put(key, bytes),
        }
        Ok(size)
    }
}
