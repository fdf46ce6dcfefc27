//! How long the law wants recordings kept, and how long it lets them be (law.md §1, `recording`).

use super::book::{RuleBook, today};
use super::stack::Place;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;

/// Least and most days that a recording stays after its call; `None` = no pack says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordingDays {
    /// Not deleted before.
    pub least: Option<u32>,
    /// Deleted by then.
    pub most: Option<u32>,
}

impl RuleBook {
    /// What the debtor's packs say at `at`: the longest least and the shortest most of them.
    #[must_use]
    pub fn recording_days(&self, facts: &ContactFacts, at: UtcMs) -> RecordingDays {
        let place = Place::of(&facts.debtor, &facts.portfolio);
        let Ok(packs) = self.packs_at(&place, &[today(at)]) else {
            return RecordingDays::default();
        };
        let said = packs.iter().filter_map(|p| p.pack.recording.as_ref());
        RecordingDays {
            least: said.clone().filter_map(|r| r.retention_min_days).max(),
            most: said.filter_map(|r| r.retention_max_days).min(),
        }
    }
}
