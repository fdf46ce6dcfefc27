//! Whether a stored recording is what was sealed: read to its end.

use crate::sealed::{chunks, damaged, open};
use domain::ports::{Blob, BlobError};
use vault::{KeyRing, Sha, WAV_HEAD, wav_head};

/// Chunks read at once: half a megabyte, sixteen seconds.
const AT_ONCE: u64 = 64;
/// Bytes read at once of what is not sealed.
const PART: u64 = 1024 * 1024;

/// What a recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// SHA-256 of the WAV that it plays, hex.
    pub sha256: String,
    /// Length of the sound, ms.
    pub duration_ms: i64,
    /// Bytes of that WAV.
    pub bytes: i64,
    /// Whether it is sealed.
    pub sealed: bool,
}

/// Reads a recording from the first byte to the last.
///
/// # Errors
/// `Damaged` names the first thing that is wrong: the chunk, the cut, the header.
pub async fn check_recording(
    blob: &dyn Blob,
    keys: &KeyRing,
    key: &str,
) -> Result<Checked, BlobError> {
    let Some(form) = open(blob, keys, key).await? else {
        return plain(blob, key).await;
    };
    let plan = form.plan;
    let mut sha = Sha::default();
    sha.update(&wav_head(plan.sound, plan.marks));
    let mut from = 0;
    while from < plan.chunks {
        let to = (from + AT_ONCE).min(plan.chunks);
        sha.update(&chunks(blob, key, &form, from..to).await?);
        from = to;
    }
    Ok(Checked {
        sha256: sha.hex(),
        duration_ms: i64::try_from(plan.ms()).unwrap_or(i64::MAX),
        bytes: i64::try_from(plan.wav_bytes()).unwrap_or(i64::MAX),
        sealed: true,
    })
}

/// A WAV of earlier days, not sealed.
async fn plain(blob: &dyn Blob, key: &str) -> Result<Checked, BlobError> {
    let size = blob.size(key).await?;
    let head = blob.read(key, 0, WAV_HEAD as u64).await?;
    let field = |from: usize| match head.get(from..from + 4) {
        Some(&[a, b, c, d]) => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => 0,
    };
    let expected = wav_head(0, 0);
    let ours =
        head.len() == WAV_HEAD && head[..4] == expected[..4] && head[8..40] == expected[8..40];
    if !ours {
        return Err(damaged(&vault::VaultError::NotSealed));
    }
    let sound = field(40);
    if field(4) + 8 != size || sound + WAV_HEAD as u64 > size {
        return Err(BlobError::Damaged(format!(
            "its header says {} bytes, it has {size}",
            field(4) + 8
        )));
    }
    let (sha256, bytes) = hash(blob, key, size).await?;
    Ok(Checked {
        sha256,
        duration_ms: i64::try_from(sound / 32).unwrap_or(i64::MAX),
        bytes,
        sealed: false,
    })
}

/// SHA-256 (hex) and size of the bytes as they are stored; needs no key.
///
/// # Errors
/// When it is not there or cannot be read.
pub async fn stored_hash(blob: &dyn Blob, key: &str) -> Result<(String, i64), BlobError> {
    let size = blob.size(key).await?;
    hash(blob, key, size).await
}

async fn hash(blob: &dyn Blob, key: &str, size: u64) -> Result<(String, i64), BlobError> {
    let mut sha = Sha::default();
    let mut at = 0;
    while at < size {
        let part = blob.read(key, at, PART.min(size - at)).await?;
        if part.is_empty() {
            return Err(BlobError::Io("the object ends early".to_owned()));
        }
        at += part.len() as u64;
        sha.update(&part);
    }
    Ok((sha.hex(), i64::try_from(size).unwrap_or(i64::MAX)))
}
