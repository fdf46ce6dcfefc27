//! What can go wrong when the room starts or a recording is mended.

use std::path::PathBuf;

/// Why voice could not start or a recording could not be mended.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A listening address cannot be had.
    #[error("cannot listen on {what}: {source}")]
    Bind {
        /// Address with its transport.
        what: String,
        /// From the system.
        source: std::io::Error,
    },
    /// A configured value makes no sense.
    #[error("bad {what}: {reason}")]
    Config {
        /// Which value.
        what: String,
        /// Why.
        reason: String,
    },
    /// A thread could not be started.
    #[error("cannot start thread {what}: {source}")]
    Thread {
        /// Which thread.
        what: &'static str,
        /// From the system.
        source: std::io::Error,
    },
    /// A prompt file cannot be used.
    #[error("prompt {path}: {reason}")]
    Prompt {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The book of legs cannot be read or written.
    #[error("book of legs {path}: {source}")]
    Legs {
        /// File.
        path: PathBuf,
        /// From the system.
        source: std::io::Error,
    },
    /// A recording cannot be read or mended.
    #[error("recording {path}: {reason}")]
    Recording {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl VoiceError {
    pub(crate) fn config(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Config {
            what: what.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn recording(path: &std::path::Path, reason: impl ToString) -> Self {
        Self::Recording {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
