//! What is known of a point beside its own tries.

use super::{AnswerParams, Tried};
use crate::time::{DAY_MS, UtcMs};

/// Classes of age.
pub(super) const AGES: usize = 4;
/// Classes of source.
pub(super) const SOURCES: usize = 5;

/// Where a point came from, as far as sources are told apart (`ContactPoint::source`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointSource {
    /// A client's file.
    Import,
    /// An agent wrote it down.
    Agent,
    /// The debtor said it.
    Debtor,
    /// The debtor called us from it.
    CalledUs,
    /// Any other.
    Other,
}

impl PointSource {
    /// Of a point's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text {
            "import" => Self::Import,
            "agent" => Self::Agent,
            "debtor" => Self::Debtor,
            "called_us" => Self::CalledUs,
            _ => Self::Other,
        }
    }

    /// Its class, 0..`SOURCES`.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Import => 0,
            Self::Agent => 1,
            Self::Debtor => 2,
            Self::CalledUs => 3,
            Self::Other => 4,
        }
    }
}

/// What is known of a point beside its tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// 0–100, how sure we are that it reaches the debtor.
    pub confidence: i32,
    /// Whether the debtor gave it.
    pub given_by_debtor: bool,
    /// When we first had it; before 1970 or at its first instant: not known.
    pub added_at: UtcMs,
    /// Where it came from.
    pub source: PointSource,
}

impl Traits {
    /// Its class of age at an instant, 0..`AGES`; `edges_d` in days, rising.
    pub(super) fn age(&self, at: UtcMs, edges_d: &[i64; AGES - 1]) -> Option<usize> {
        let days = at.since_ms(self.added_at).max(0) / DAY_MS;
        (self.added_at.0 > 0).then(|| edges_d.iter().filter(|edge| days >= **edge).count())
    }

    /// What being sure of it is worth, as a factor on the chance of the right party.
    pub(super) fn sure(&self, p: &AnswerParams) -> f64 {
        let sure = f64::from(self.confidence.clamp(0, 100)) / 100.0;
        let given = if self.given_by_debtor {
            p.given_by_debtor
        } else {
            1.0
        };
        given * (p.confidence_none + sure * (p.confidence_full - p.confidence_none))
    }
}

/// What is known of a point by itself.
#[derive(Debug, Clone, Copy)]
pub struct PointView<'a> {
    /// Its tries, any order.
    pub tries: &'a [Tried],
    /// The rest.
    pub traits: Traits,
}

impl PointView<'_> {
    /// Its newest try before an instant.
    pub(super) fn last(&self, before: UtcMs) -> Option<&Tried> {
        let earlier = self.tries.iter().filter(|t| t.at < before);
        earlier.max_by_key(|t| t.at)
    }
}
