//! What the center can refuse or fail at.

use domain::ports::store::StoreError;
use domain::ports::{DeskError, TrunkError};

/// Why a command to the center was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CenterError {
    /// The thing named is not there.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The state of things does not allow it now (409). `code` is stable.
    #[error("{detail}")]
    Conflict {
        /// Stable code (`agent_busy`, `not_your_call`, …).
        code: &'static str,
        /// What is the matter and what would be right.
        detail: String,
    },
    /// What was sent does not fit (422). `code` is stable.
    #[error("{detail}")]
    Invalid {
        /// Stable code (`promise_amount`, `required_field`, …).
        code: &'static str,
        /// The field it is about.
        field: &'static str,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The law refused; both languages (403, code `blocked_*`).
    #[error("{en}")]
    Blocked {
        /// `blocked_window`, `blocked_cap`, …
        code: &'static str,
        /// Reason in Spanish.
        es: String,
        /// Reason in English.
        en: String,
    },
    /// The law refused; its words and the rules that refused (409, code `blocked_*`).
    #[error("{en}")]
    Unlawful {
        /// `blocked_window`, `blocked_cap`, …
        code: &'static str,
        /// Reason in Spanish.
        es: String,
        /// Reason in English.
        en: String,
        /// Ids of the rules that refused.
        rules: Vec<String>,
    },
    /// The database failed (503).
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The telephone side refused the order.
    #[error("telephone: {0}")]
    Trunk(#[from] TrunkError),
    /// The agent's screen did not take a message.
    #[error("desk: {0}")]
    Desk(#[from] DeskError),
    /// Too many commands wait (503).
    #[error("the engine is overloaded: its queue of {0} commands is full")]
    Overloaded(usize),
    /// The center is shutting down (503).
    #[error("the center is stopped")]
    Stopped,
}

impl CenterError {
    /// Stable code for problem+json.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) | Self::Store(StoreError::NotFound(_)) => "not_found",
            Self::Conflict { code, .. }
            | Self::Invalid { code, .. }
            | Self::Blocked { code, .. }
            | Self::Unlawful { code, .. } => code,
            Self::Store(StoreError::Conflict(_)) => "conflict",
            Self::Store(_) => "database_unavailable",
            Self::Trunk(_) => "telephone",
            Self::Desk(_) => "screen_unavailable",
            Self::Overloaded(_) => "overloaded",
            Self::Stopped => "stopped",
        }
    }

    /// HTTP status that fits.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) | Self::Store(StoreError::NotFound(_)) => 404,
            Self::Conflict { .. }
            | Self::Unlawful { .. }
            | Self::Store(StoreError::Conflict(_))
            | Self::Trunk(_) => 409,
            Self::Invalid { .. } => 422,
            Self::Blocked { .. } => 403,
            Self::Store(_) | Self::Desk(_) | Self::Overloaded(_) | Self::Stopped => 503,
        }
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(
        code: &'static str,
        field: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            code,
            field,
            detail: detail.into(),
        }
    }
}
