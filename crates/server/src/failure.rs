//! How a command fails: 1 for a failure, 2 for wrong usage or configuration.

use std::process::ExitCode;

/// A failed command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The outside failed.
    Failed(anyhow::Error),
    /// The user's words or configuration are wrong.
    Usage(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<domain::ports::StoreError> for Failure {
    fn from(error: domain::ports::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// Prints it on standard error and gives the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let (error, code) = match self {
            Self::Failed(error) => (error, 1),
            Self::Usage(error) => (error, 2),
        };
        eprintln!("error: {}", words(error));
        ExitCode::from(code)
    }
}

/// The error and its causes in one line. Many errors tell their cause in their own words: what was
/// said is not said again.
fn words(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if said.ends_with(&text) {
            continue;
        }
        if !said.is_empty() {
            said += ": ";
        }
        said += &text;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let bind = voice::VoiceError::Bind {
            what: "x".into(),
            source: std::io::Error::other("in use"),
        };
        let error = anyhow::Error::from(bind).context("voice");
        assert_eq!(words(&error), "voice: cannot listen on x: in use");
        let plain = anyhow::anyhow!("no such file").context("--map a.json");
        assert_eq!(words(&plain), "--map a.json: no such file");
    }
}
