//! Recordings in an S3-compatible object store.

use crate::blob::{READ_MAX, plain_key};
use async_trait::async_trait;
use domain::ports::{Blob, BlobError};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, MultipartUpload, ObjectStoreExt as _, PutPayload, RetryConfig,
};
use std::time::Duration;

/// Bytes of a part of an upload; S3 wants at least 5 MiB in all but the last. An object that is no
/// larger goes in one piece.
const PART: u64 = 8 * 1024 * 1024;
/// Longest time for one request, connecting included.
const REQUEST_MAX: Duration = Duration::from_secs(60);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Tries of one request within itself; who asks tries again much later.
const TRIES: usize = 2;

/// Who we are to the object store.
#[derive(Clone, Default)]
pub struct S3Login {
    /// Access key id; empty: `AWS_ACCESS_KEY_ID`, or the role of the machine.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

impl std::fmt::Debug for S3Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Login").finish_non_exhaustive()
    }
}

/// Objects below a prefix of a bucket.
#[derive(Debug)]
pub struct S3Blob {
    store: AmazonS3,
    prefix: String,
}

/// `s3://BUCKET/PREFIX?region=R&endpoint=URL`.
struct Place<'a> {
    bucket: &'a str,
    prefix: &'a str,
    region: Option<&'a str>,
    endpoint: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn read(url: &'a str) -> Result<Self, String> {
        let rest = url.strip_prefix("s3://").ok_or("expected s3://BUCKET")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let prefix = prefix.trim_matches('/');
        if bucket.is_empty() || !(prefix.is_empty() || plain_key(prefix).is_ok()) {
            return Err("expected s3://BUCKET/PREFIX with plain names".to_owned());
        }
        let mut place = Self {
            bucket,
            prefix,
            region: None,
            endpoint: None,
        };
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                Some(("region", value)) => place.region = Some(value),
                Some(("endpoint", value)) => place.endpoint = Some(value),
                _ => return Err("expected region= and endpoint= only".to_owned()),
            }
        }
        Ok(place)
    }
}

impl S3Blob {
    /// The store at `s3://BUCKET/PREFIX?region=R&endpoint=URL`; region and endpoint are those of the
    /// environment (`AWS_REGION`, `AWS_ENDPOINT_URL`) where they are not said. `http://` endpoints are
    /// for stores on the own network: the recordings are sealed, the login is not.
    ///
    /// # Errors
    /// What the address should have been.
    pub fn connect(url: &str, login: &S3Login) -> Result<Self, String> {
        let place = Place::read(url)?;
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(place.bucket)
            // The store computes it too, and refuses what was changed on its way.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(
                ClientOptions::new()
                    .with_timeout(REQUEST_MAX)
                    .with_connect_timeout(CONNECT_MAX)
                    .with_allow_http(true),
            )
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: TRIES,
                retry_timeout: REQUEST_MAX,
            });
        if let Some(region) = place.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = place.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if !login.access_key_id.is_empty() {
            builder = builder
                .with_access_key_id(&login.access_key_id)
                .with_secret_access_key(&login.secret_access_key);
        }
        let store = builder.build().map_err(|e| e.to_string())?;
        Ok(Self {
            store,
            prefix: place.prefix.to_owned(),
        })
    }

    fn path(&self, key: &str) -> Result<Path, BlobError> {
        let key = plain_key(key)?;
        Ok(if self.prefix.is_empty() {
            Path::from(key)
        } else {
            Path::from(format!("{}/{key}", self.prefix))
        })
    }

    async fn put_parts(&self, key: &str, size: u64, from: &dyn Blob) -> Result<(), BlobError> {
        let path = self.path(key)?;
        let mut upload = self
            .store
            .put_multipart(&path)
            .await
            .map_err(|e| fault(key, &e))?;
        let done = send_parts(&mut *upload, key, size, from).await;
        if done.is_err() {
            // Parts of an upload that nobody ends are paid for.
            let _ = upload.abort().await;
        }
        done
    }
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    key: &str,
    size: u64,
    from: &dyn Blob,
) -> Result<(), BlobError> {
    let mut at = 0;
    while at < size {
        let part = whole_part(key, at, PART.min(size - at), from).await?;
        at += part.len() as u64;
        upload
            .put_part(PutPayload::from(part))
            .await
            .map_err(|e| fault(key, &e))?;
    }
    upload.complete().await.map_err(|e| fault(key, &e))?;
    Ok(())
}

async fn whole_part(key: &str, at: u64, len: u64, from: &dyn Blob) -> Result<Vec<u8>, BlobError> {
    let mut part = Vec::new();
    while (part.len() as u64) < len {
        let got = part.len() as u64;
        let more = from.read(key, at + got, len - got).await?;
        if more.is_empty() {
            return Err(BlobError::Io("the object ends early".to_owned()));
        }
        part.extend(more);
    }
    Ok(part)
}

fn fault(key: &str, error: &object_store::Error) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::NotFound(key.to_owned()),
        other => {
            // The chain says what the network said; it holds addresses, never a secret.
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            BlobError::Io(text.chars().take(500).collect())
        }
    }
}

#[async_trait]
impl Blob for S3Blob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        let meta = self.store.head(&self.path(key)?).await;
        meta.map(|m| m.size).map_err(|e| fault(key, &e))
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let path = self.path(key)?;
        let len = len.min(READ_MAX);
        let size = match len {
            0 => 0,
            _ => self.size(key).await?,
        };
        if from >= size {
            // Nothing to read; whether it is there still has to be said.
            self.size(key).await?;
            return Ok(vec![]);
        }
        let range = from..from.saturating_add(len).min(size);
        let bytes = self.store.get_range(&path, range).await;
        bytes.map(|b| b.to_vec()).map_err(|e| fault(key, &e))
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(fault(key, &e)),
        }
    }

    async fn put_from(&self, key: &str, from: &dyn Blob) -> Result<u64, BlobError> {
        let path = self.path(key)?;
        let size = from.size(key).await?;
        if size > PART {
            self.put_parts(key, size, from).await?;
            return Ok(size);
        }
        let bytes = whole_part(key, 0, size, from).await?;
        self.store
            .put(&path, PutPayload::from(bytes))
            .await
            .map_err(|e| fault(key, &e))?;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let place =
            Place::read("s3://voices/mx/2026?region=us-east-1&endpoint=http://127.0.0.1:9").ok();
        let place = place.expect("reads");
        assert_eq!(
            (place.bucket, place.prefix, place.region, place.endpoint),
            (
                "voices",
                "mx/2026",
                Some("us-east-1"),
                Some("http://127.0.0.1:9")
            )
        );
        assert!(Place::read("s3://voices").is_ok_and(|p| p.prefix.is_empty()));
        for bad in [
            "file:///x",
            "s3://",
            "s3:///x",
            "s3://b/../x",
            "s3://b?key=1",
            "s3://b?region",
        ] {
            assert!(Place::read(bad).is_err(), "{bad}");
        }
        let login = S3Login {
            access_key_id: "AKIA".into(),
            secret_access_key: "hush".into(),
        };
        assert!(!format!("{login:?}").contains("hush"));
    }
}
