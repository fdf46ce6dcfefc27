//! `[http] tls`: off, certificate files, or a certificate of our own for a trial.

use serde::{Deserialize, Serialize};

/// How the screens are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tls {
    /// `""` or `"self-signed"`.
    Word(String),
    /// `{ cert = "FILE", key = "FILE" }`.
    Files(TlsFiles),
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// Certificate chain, ours first.
    pub cert: String,
    /// Its private key.
    pub key: String,
}

/// A certificate made at start.
const SELF_SIGNED: &str = "self-signed";

impl Tls {
    /// Plain HTTP.
    pub(crate) const fn off() -> Self {
        Self::Word(String::new())
    }

    /// Whether browsers reach us by HTTPS without a proxy.
    pub(crate) fn is_on(&self) -> bool {
        *self != Self::off()
    }

    /// Checks the word.
    ///
    /// # Errors
    /// Says what is possible.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Word(word) if !word.is_empty() && word != SELF_SIGNED => anyhow::bail!(
                "[http] tls: expected \"\", \"self-signed\" or {{ cert = \"FILE\", key = \"FILE\" }}, got '{word}'"
            ),
            Self::Files(files) if files.cert.is_empty() || files.key.is_empty() => {
                anyhow::bail!("[http] tls: expected both cert and key")
            }
            _ => Ok(()),
        }
    }
}
