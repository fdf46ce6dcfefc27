//! Whether a place rations contacts by phone so hard that the hour of each matters: one a day or fewer.

use super::book::{RuleBook, today};
use super::pack::{Cap, CapWindow, Counts};
use super::stack::Place;
use crate::entity::Channel;
use crate::time::UtcMs;

/// One action or contact a day, or a few a week: who is called at a bad hour is lost until then.
fn rations(cap: &Cap) -> bool {
    let counted = matches!(
        cap.counts,
        Counts::Contact | Counts::DirectContact | Counts::Conversation | Counts::Action
    );
    let scarce = match cap.window {
        CapWindow::CalendarDay(_) => cap.limit <= 1,
        CapWindow::CalendarWeek(_) => cap.limit <= 7,
        CapWindow::RollingDays(n) => cap.limit <= u32::from(n),
    };
    counted && scarce && cap.channels.contains(&Channel::Call)
}

impl RuleBook {
    /// Whether some pack of the place rations contacts by phone.
    #[must_use]
    pub fn rations(&self, place: &Place, now: UtcMs) -> bool {
        self.packs_at(place, &[today(now)])
            .is_ok_and(|packs| packs.iter().any(|p| p.pack.caps.iter().any(rations)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chile_colombia_and_ecuador_ration() {
        let book = RuleBook::embedded().expect("is read");
        let at = "2026-11-25T16:00:00Z".parse().expect("an instant");
        let of = |country: &str, subdivision: Option<&str>| {
            book.rations(&Place::financial(country, subdivision), at)
        };
        // law.md §3: one contact a day, one contact or visit a week, one action a day.
        assert!(of("CO", None) && of("CL", None) && of("EC", None));
        for (country, subdivision) in [
            ("MX", None),
            ("US", Some("NY")),
            ("GB", Some("ENG")),
            ("PE", None),
        ] {
            assert!(!of(country, subdivision), "{country}");
        }
        assert!(!of("BO", None), "no pack, no ration");
    }
}
