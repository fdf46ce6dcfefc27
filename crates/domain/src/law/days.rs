//! What else is asked of the book about one debtor: holidays, the zone of his days, who may hear of
//! the debt.

use super::book::{RuleBook, today};
use super::calendar::{CalendarId, DayKind};
use super::stack::Place;
use crate::entity::{Channel, PartyRole};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::civil::Date;

impl RuleBook {
    /// Whether a local date is a public holiday where the debtor lives. A year that the table does not
    /// know has none here: this moves the end of a grace, it opens no window.
    #[must_use]
    pub fn is_holiday(&self, facts: &ContactFacts, date: Date) -> bool {
        let place = Place::of(&facts.debtor, &facts.portfolio);
        let id = CalendarId {
            country: place.country.clone(),
            subdivision: None,
            of_debtor: false,
        };
        matches!(
            self.calendars.day(&id, place.subdivision.as_deref(), date),
            DayKind::Holiday(_)
        )
    }

    /// Name of the public holiday of a country on a local date, if it is one.
    #[must_use]
    pub fn holiday_of(&self, country: &str, date: Date) -> Option<String> {
        let id = CalendarId {
            country: country.to_owned(),
            subdivision: None,
            of_debtor: false,
        };
        match self.calendars.day(&id, None, date) {
            DayKind::Holiday(name) => Some(name),
            DayKind::Working | DayKind::Unknown(_) => None,
        }
    }

    /// The zone in which the debtor's days are counted: told by him, of his address, of his first
    /// phone's prefix, else the portfolio's.
    #[must_use]
    pub fn zone_of(&self, facts: &ContactFacts) -> String {
        let debtor = &facts.debtor;
        let told = debtor
            .told_zone
            .clone()
            .or_else(|| debtor.address_zone.clone());
        let prefix = || {
            let mut phones: Vec<_> = facts
                .points
                .iter()
                .filter(|p| p.channel == Channel::Call)
                .collect();
            phones.sort_by_key(|p| (p.bad, p.position, p.id));
            phones
                .iter()
                .find_map(|p| self.zones_of(p.value.reveal()).into_iter().next())
        };
        told.or_else(prefix)
            .filter(|name| crate::time::zone(name).is_ok())
            .unwrap_or_else(|| facts.portfolio.zone.clone())
    }

    /// Whether someone of that role may hear of the debt: every pack that names parties must list it;
    /// where none does, the main debtor alone (law.md §2.1). A reference never.
    #[must_use]
    pub fn may_hear(&self, facts: &ContactFacts, role: PartyRole, now: UtcMs) -> bool {
        if role == PartyRole::Reference {
            return false;
        }
        let Ok(packs) = self.stack_of(facts, &[today(now)]) else {
            return role == PartyRole::Titular;
        };
        let mut told = packs
            .iter()
            .filter_map(|p| p.pack.parties.as_ref())
            .peekable();
        if told.peek().is_none() {
            return role == PartyRole::Titular;
        }
        told.all(|parties| parties.allowed.contains(&role))
    }
}
