//! What can be wrong with a value that someone hands to the product.

use crate::near;

/// A value that does not fit: says which kind, what came, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A word outside a closed vocabulary.
    #[error("unknown {kind} '{found}': {expected}")]
    UnknownName {
        /// The vocabulary.
        kind: &'static str,
        /// What came, cut to 40 characters.
        found: String,
        /// The permitted words joined by commas; of a long list the nearest alone, where one is near.
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
            found: near::shown(found),
            expected: Self::right(found, expected),
        }
    }

    /// What would be right: of a long list the nearest alone, and all of it only where none is near.
    fn right(found: &str, expected: &[&str]) -> String {
        let offered = match expected.len() <= near::LISTED_MAX {
            true => Vec::new(),
            false => near::near(found, expected.iter().copied()),
        };
        match offered.is_empty() {
            true => format!("expected one of {}", expected.join(", ")),
            false => format!("did you mean {}?", near::listed(&offered, ("'", "'"), "or")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_is_told_and_of_a_long_one_the_nearest() {
        let told = |found: &str, words: &[&str]| {
            ValueError::unknown_name("Kind", found, words).to_string()
        };
        assert_eq!(
            told("x", &["a", "b"]),
            "unknown Kind 'x': expected one of a, b"
        );
        let many: Vec<String> = (0..40).map(|n| format!("word_{n}{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(
            told("word_77x", &many).starts_with("unknown Kind 'word_77x': did you mean 'word_77'")
        );
        let none = told("colour", &many);
        assert!(none.starts_with("unknown Kind 'colour': expected one of word_00, word_11,"));
    }
}
