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
        let said = |name: &str| {
            let days = packs.iter().filter_map(|p| {
                let days = p.pack.recording.as_ref()?.get(name)?.as_u64()?;
                u32::try_from(days).ok()
            });
            days.collect::<Vec<u32>>()
        };
        RecordingDays {
            least: said("retention_min_days").into_iter().max(),
            most: said("retention_max_days").into_iter().min(),
        }
    }
}
