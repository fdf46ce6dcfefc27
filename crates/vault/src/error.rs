//! Why something of the vault could not be done.

/// Faults of keys and sealed files. None holds a key or a sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The file does not begin as a sealed recording does.
    #[error("not a sealed recording")]
    NotSealed,
    /// Sealed by a later version, or its header is damaged.
    #[error("the header is damaged or of a later version: {0}")]
    Header(&'static str),
    /// The key that wraps this file's key is not in the key file.
    #[error("key {0} is not in the key file")]
    UnknownKey(String),
    /// The wrapped key does not open: the header was changed.
    #[error("the header does not belong to this key: it was changed")]
    Wrap,
    /// A chunk does not open where it stands.
    #[error("chunk {index} (at {} ms) is not what was written there{}", at_ms(*.index), found_at(*.of))]
    Chunk {
        /// Which, from 0; a chunk holds [`crate::CHUNK_MS`] milliseconds.
        index: u64,
        /// The place it was written for, when it is another one of the same file.
        of: Option<u64>,
    },
    /// The end that a seal writes is not there.
    #[error("cut off after chunk {chunks} (at {} ms): the end mark is missing", at_ms(*.chunks))]
    Cut {
        /// Chunks that are there, whole or in part.
        chunks: u64,
    },
    /// The end mark says other sizes than the file has.
    #[error("the end mark does not fit the file's size")]
    End,
    /// A recording has at most 2^32 chunks.
    #[error("recording is full")]
    Full,
    /// The key file holds something else than keys.
    #[error("key file, line {line}: expected {expected}")]
    KeyFile {
        /// From 1; 0 for the file as a whole.
        line: usize,
        /// What would be right.
        expected: &'static str,
    },
    /// The library of ciphers refused (no randomness).
    #[error("the cipher library failed")]
    Cipher,
}

const fn at_ms(chunk: u64) -> u64 {
    chunk.saturating_mul(crate::CHUNK_MS)
}

fn found_at(of: Option<u64>) -> String {
    of.map_or_else(String::new, |of| format!(": it is chunk {of}"))
}
