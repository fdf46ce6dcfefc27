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
        eprintln!("error: {error:#}");
        ExitCode::from(code)
    }
}
