//! What can be wrong with a value that someone hands to the product.

/// A value that does not fit: says which kind, what came, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A word outside a closed vocabulary.
    #[error("unknown {kind} '{found}': expected one of {expected}")]
    UnknownName {
        /// The vocabulary.
        kind: &'static str,
        /// What came, cut to 40 characters.
        found: String,
        /// The permitted words, joined by commas.
        expected: String,
    },
    /// A value whose form or range is wrong.
    #[error("{kind}: {reason}")]
    Malformed {
        /// The kind of value.
        kind: &'static str,
        /// What is wrong and what would be right; never the personal value itself.
        reason: String,
    },
}

impl ValueError {
    /// Builds the "unknown word" error.
    #[must_use]
    pub fn unknown_name(kind: &'static str, found: &str, expected: &[&str]) -> Self {
        Self::UnknownName {
            kind,
            found: found.chars().take(40).collect(),
            expected: expected.join(", "),
        }
    }

    /// Builds the "wrong form" error.
    #[must_use]
    pub fn malformed(kind: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed {
            kind,
            reason: reason.into(),
        }
    }
}
