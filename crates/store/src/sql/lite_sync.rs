//! When SQLite brings commits to the disk.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// When a commit of SQLite is brought to the disk. PostgreSQL has a setting of its own (`synchronous_commit`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LiteSync {
    /// Now and then: a commit survives the death of the process; that of the machine may cost the last moments.
    #[default]
    Normal,
    /// Before anybody is told of it: a commit survives the death of the machine, too.
    Full,
}

impl LiteSync {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Full => "full",
        }
    }
}

impl FromStr for LiteSync {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Normal, Self::Full]
            .into_iter()
            .find(|sync| sync.as_str() == word)
            .ok_or_else(|| "expected normal or full".to_owned())
    }
}
