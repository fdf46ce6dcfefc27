//! What a finished file holds, by reading all of it.

use super::file::{HEADER, duration_ms};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use vault::{HEAD, KeyRing, Opened, Sha, chunks_of, is_sealed, span, wav_head};

/// What is known of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// SHA-256, hex, of the WAV that a listener gets.
    pub(super) sha256: String,
    pub(super) duration_ms: i64,
    /// Bytes of that WAV.
    pub(super) bytes: i64,
}

/// A stored file, read at any place.
pub(super) struct Stored {
    file: File,
    pub(super) len: u64,
}

impl Stored {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }

    /// The first bytes, as many as a header has at most.
    pub(super) fn first(&self) -> io::Result<Vec<u8>> {
        let mut first = vec![0; usize::try_from(self.len.min(HEAD as u64)).unwrap_or(0)];
        self.file.read_exact_at(&mut first, 0)?;
        Ok(first)
    }

    pub(super) fn chunk(&self, index: u64) -> io::Result<Vec<u8>> {
        let (from, len) = span(index, self.len);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}

/// Reads a finished file to its end: every chunk is opened, what it plays is hashed.
pub(super) fn facts(path: &Path, keys: Option<&KeyRing>) -> io::Result<Facts> {
    let stored = Stored::open(path)?;
    let first = stored.first()?;
    match keys {
        Some(keys) if is_sealed(&first) => sealed(&stored, &first, keys),
        _ if is_sealed(&first) => Err(io::Error::other("sealed, and no key file is configured")),
        _ => plain(path),
    }
}

fn sealed(stored: &Stored, first: &[u8], keys: &KeyRing) -> io::Result<Facts> {
    let opened = Opened::new(first, keys).map_err(io::Error::other)?;
    let last = match chunks_of(stored.len).checked_sub(1) {
        Some(index) => stored.chunk(index)?,
        None => Vec::new(),
    };
    let plan = opened.plan(stored.len, &last).map_err(io::Error::other)?;
    let mut sha = Sha::default();
    sha.update(&wav_head(plan.sound, plan.marks));
    for index in 0..plan.chunks {
        let plain = opened
            .chunk(&plan, index, &stored.chunk(index)?)
            .map_err(io::Error::other)?;
        sha.update(&plain);
    }
    Ok(Facts {
        sha256: sha.hex(),
        duration_ms: duration_ms(plan.sound),
        bytes: i64::try_from(plan.wav_bytes()).unwrap_or(i64::MAX),
    })
}

fn plain(path: &Path) -> io::Result<Facts> {
    let mut file = File::open(path)?;
    let mut sha = Sha::default();
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut head = Vec::new();
    let mut bytes = 0_i64;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        if head.is_empty() {
            head.extend_from_slice(&buffer[..n.min(HEAD)]);
        }
        sha.update(&buffer[..n]);
        bytes = bytes.saturating_add(i64::try_from(n).unwrap_or(i64::MAX));
    }
    let said = |from: usize| match head.get(from..from + 4) {
        Some(&[a, b, c, d]) => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => 0,
    };
    let data = said(40).min(u64::try_from(bytes).unwrap_or(0).saturating_sub(HEADER));
    Ok(Facts {
        sha256: sha.hex(),
        duration_ms: duration_ms(data),
        bytes,
    })
}
