//! Hours that the debtor asked for: they narrow the legal hours whatever the pack says, and widen them
//! only where the pack lets him, by a written instrument (law.md §1 `debtor_prefs`, `wider_hours`).

use super::local::DAY_MINUTES;
use super::pack::{Day, LoadedPack};
use super::windows::{Minutes, merged, names, parse_clock};
use crate::entity::{Channel, ContactPoint, PreferenceKind};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::civil::{Date, Weekday};

/// One of them, as minutes of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    kind: PreferenceKind,
    /// Empty = every day.
    days: Vec<Weekday>,
    span: Minutes,
}

impl Wish {
    fn on(&self, date: Date) -> bool {
        self.days.is_empty() || self.days.contains(&date.weekday())
    }
}

/// The hours in force for a channel and point. One whose text cannot be read closes the whole day
/// (`only_between`, `not_between`) or widens nothing.
pub(crate) fn of(
    facts: &ContactFacts,
    point: &ContactPoint,
    channel: Channel,
    now: UtcMs,
) -> Vec<Wish> {
    facts
        .preferences
        .iter()
        .filter(|p| p.kind.is_hours() && p.active_at(now))
        .filter(|p| p.channel.is_none_or(|c| names(&[c], channel)))
        .filter(|p| p.point_id.is_none_or(|id| id == point.id))
        .filter_map(|p| {
            let clock = |text: &Option<String>| text.as_deref().and_then(parse_clock);
            let span = clock(&p.from).zip(clock(&p.to)).filter(|(a, b)| a < b);
            let days: Option<Vec<Weekday>> = p
                .days
                .iter()
                .map(|d| d.parse::<Day>().ok().map(Day::weekday))
                .collect();
            match (span, days) {
                (Some(span), Some(days)) => Some(Wish {
                    kind: p.kind,
                    days,
                    span,
                }),
                _ if p.kind == PreferenceKind::WiderHours => None,
                _ => Some(Wish {
                    kind: PreferenceKind::NotBetween,
                    days: Vec::new(),
                    span: (0, DAY_MINUTES),
                }),
            }
        })
        .collect()
}

/// What a pack that lets him may add to its own hours on a date.
pub(crate) fn wider(wishes: &[Wish], date: Date) -> Vec<Minutes> {
    wishes
        .iter()
        .filter(|w| w.kind == PreferenceKind::WiderHours && w.on(date))
        .map(|w| w.span)
        .collect()
}

fn without(open: &[Minutes], not: Minutes) -> Vec<Minutes> {
    open.iter()
        .flat_map(|(from, to)| [(*from, (*to).min(not.0)), ((*from).max(not.1), *to)])
        .filter(|(from, to)| from < to)
        .collect()
}

/// The minutes that his wishes leave of a date; `None` when he has none.
pub(crate) fn open(wishes: &[Wish], date: Date) -> Option<Vec<Minutes>> {
    let mut narrowing = wishes
        .iter()
        .filter(|w| w.kind != PreferenceKind::WiderHours)
        .peekable();
    narrowing.peek()?;
    let only: Vec<&Wish> = wishes
        .iter()
        .filter(|w| w.kind == PreferenceKind::OnlyBetween)
        .collect();
    let mut left = if only.is_empty() {
        vec![(0, DAY_MINUTES)]
    } else {
        merged(
            only.into_iter()
                .filter(|w| w.on(date))
                .map(|w| w.span)
                .collect(),
        )
    };
    for wish in narrowing.filter(|w| w.kind == PreferenceKind::NotBetween && w.on(date)) {
        left = without(&left, wish.span);
    }
    Some(left)
}

/// Rule id: the pack that makes preferences binding, else the house.
pub(crate) fn rule(packs: &[&LoadedPack]) -> String {
    packs
        .iter()
        .find(|p| p.pack.debtor_prefs.is_some())
        .map_or_else(
            || "house/preference".to_owned(),
            |p| format!("{}/debtor_prefs", p.pack.id),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(kind: PreferenceKind, from: u16, to: u16) -> Wish {
        Wish {
            kind,
            days: Vec::new(),
            span: (from, to),
        }
    }

    #[test]
    fn two_only_windows_add_up_and_a_not_window_cuts() {
        let date = jiff::civil::date(2026, 11, 24);
        assert_eq!(open(&[], date), None);
        let only = [
            wish(PreferenceKind::OnlyBetween, 540, 660),
            wish(PreferenceKind::OnlyBetween, 1080, 1200),
            wish(PreferenceKind::NotBetween, 600, 1100),
        ];
        assert_eq!(open(&only, date), Some(vec![(540, 600), (1100, 1200)]));
        let wide = [wish(PreferenceKind::WiderHours, 1140, 1260)];
        assert_eq!(open(&wide, date), None, "widening narrows nothing");
        assert_eq!(wider(&wide, date), vec![(1140, 1260)]);
    }
}
