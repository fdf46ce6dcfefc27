//! Recordings as files under one folder.

use async_trait::async_trait;
use domain::ports::{Blob, BlobError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

/// Longest key, in bytes; a key is a date and a UUID.
const KEY_MAX: usize = 256;
/// Most bytes one `read` gives, so that a range request cannot ask for a whole archive: 16 MiB.
pub(crate) const READ_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of a part while an object is put.
const PART: u64 = 1024 * 1024;

/// A key that is a relative path of plain names; anything else is refused.
pub(crate) fn plain_key(key: &str) -> Result<&str, BlobError> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    if key.len() > KEY_MAX || !key.split('/').all(plain) {
        return Err(BlobError::BadKey(key.chars().take(KEY_MAX).collect()));
    }
    Ok(key)
}

/// Objects as files below a root folder. Keys are relative paths of plain names
/// (`2026/11/23/<id>.wav`); anything else is refused.
#[derive(Debug, Clone)]
pub struct FileBlob {
    root: PathBuf,
}

impl FileBlob {
    /// Objects below `root`; the folder may come into being later.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &str) -> Result<PathBuf, BlobError> {
        plain_key(key).map(|key| self.root.join(key))
    }

    /// The path of an object that is there; a link that leads out of the root is no object.
    async fn existing(&self, key: &str) -> Result<PathBuf, BlobError> {
        let fault = |e| fault(key, &e);
        let path = tokio::fs::canonicalize(self.path(key)?)
            .await
            .map_err(fault)?;
        let root = tokio::fs::canonicalize(&self.root).await.map_err(fault)?;
        if path.starts_with(&root) {
            Ok(path)
        } else {
            Err(BlobError::BadKey(key.to_owned()))
        }
    }
}

fn fault(key: &str, error: &std::io::Error) -> BlobError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => BlobError::NotFound(key.to_owned()),
        _ => BlobError::Io(error.to_string()),
    }
}

#[async_trait]
impl Blob for FileBlob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        let path = self.existing(key).await?;
        let meta = tokio::fs::metadata(path)
            .await
            .map_err(|e| fault(key, &e))?;
        if meta.is_file() {
            Ok(meta.len())
        } else {
            Err(BlobError::NotFound(key.to_owned()))
        }
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let path = self.existing(key).await?;
        let mut file = tokio::fs::File::open(path)
            .await
            .map_err(|e| fault(key, &e))?;
        file.seek(std::io::SeekFrom::Start(from))
            .await
            .map_err(|e| fault(key, &e))?;
        let mut bytes = Vec::new();
        file.take(len.min(READ_MAX))
            .read_to_end(&mut bytes)
            .await
            .map_err(|e| fault(key, &e))?;
        Ok(bytes)
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let path = match self.existing(key).await {
            Ok(path) => path,
            Err(BlobError::NotFound(_)) => return Ok(()),
            Err(other) => return Err(other),
        };
        match tokio::fs::remove_file(path).await {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(fault(key, &e)),
            _ => Ok(()),
        }
    }

    async fn put_from(&self, key: &str, from: &dyn Blob) -> Result<u64, BlobError> {
        let path = self.path(key)?;
        let fault = |e| fault(key, &e);
        let size = from.size(key).await?;
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(fault)?;
        }
        // A name that no key has: under its own only once it is whole.
        let draft = path.with_extension(".part");
        let done = async {
            let mut file = tokio::fs::File::create(&draft).await.map_err(fault)?;
            let mut at = 0;
            while at < size {
                let part = from.read(key, at, PART).await?;
                if part.is_empty() {
                    return Err(BlobError::Io("the object ends early".to_owned()));
                }
                at += part.len() as u64;
                file.write_all(&part).await.map_err(fault)?;
            }
            file.sync_all().await.map_err(fault)?;
            tokio::fs::rename(&draft, &path).await.map_err(fault)
        };
        let done = done.await;
        if done.is_err() {
            let _ = tokio::fs::remove_file(&draft).await;
        }
        done.map(|()| size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_stay_below_the_root() {
        let dir = tempfile::tempdir().expect("folder");
        let root = dir.path().join("recordings");
        tokio::fs::create_dir_all(root.join("2026/11"))
            .await
            .expect("folder");
        tokio::fs::write(root.join("2026/11/a.wav"), b"0123456789")
            .await
            .expect("file");
        tokio::fs::write(dir.path().join("secret"), b"s")
            .await
            .expect("file");
        std::os::unix::fs::symlink(dir.path(), root.join("out")).expect("link");
        let blob = FileBlob::new(&root);
        assert_eq!(blob.size("2026/11/a.wav").await.ok(), Some(10));
        assert_eq!(
            blob.read("2026/11/a.wav", 8, 100).await.ok(),
            Some(b"89".to_vec())
        );
        assert_eq!(blob.read("2026/11/a.wav", 99, 1).await.ok(), Some(vec![]));
        for key in [
            "",
            "/etc/passwd",
            "../secret",
            "2026/../../secret",
            "a//b",
            ".hidden",
            "a\0b",
            "out/secret",
        ] {
            assert!(
                matches!(blob.size(key).await, Err(BlobError::BadKey(_))),
                "{key:?}"
            );
        }
        assert!(matches!(
            blob.size("2026/11").await,
            Err(BlobError::NotFound(_))
        ));
        assert!(matches!(
            blob.read("2026/11/b.wav", 0, 1).await,
            Err(BlobError::NotFound(_))
        ));
        blob.delete("2026/11/a.wav").await.expect("delete");
        blob.delete("2026/11/a.wav").await.expect("again");
        assert!(matches!(
            blob.size("2026/11/a.wav").await,
            Err(BlobError::NotFound(_))
        ));
    }
}
