//! A speech engine: words into sound.

use async_trait::async_trait;

/// Why words were not spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// No engine is here.
    #[error("no speech engine: install one, or record the part")]
    NoEngine,
    /// The engine failed, or took too long.
    #[error("the speech engine failed: {0}")]
    Failed(String),
    /// Text or sound beyond the limit.
    #[error("too long: {0}")]
    TooLong(&'static str),
}

/// A speech engine.
#[async_trait]
pub trait Speech: Send + Sync {
    /// Samples of the text at 8 kHz, one channel.
    ///
    /// # Errors
    /// `NoEngine` where there is none, `TooLong` beyond the limits, else `Failed`.
    async fn say(&self, language: &str, text: &str) -> Result<Vec<i16>, SpeechError>;
}
