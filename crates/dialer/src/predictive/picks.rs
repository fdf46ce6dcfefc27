//! Which of the next numbers: the surest while there is room for an answer, the least sure to fill what
//! is left of it, so that the sum of a small team's calls in flight is surer than chance makes it.
//!
//! The chance that an answer finds nobody makes a call's worth linear in its own chance of an answer:
//! large chances belong where there is most room, small ones where there is hardly any. Which is large
//! is judged among the numbers on offer, so that all kinds leave the queue alike.

use super::chance::Chance;
use super::numbers::Numbers;

/// Agents at work up to which numbers are picked: above, the sum is sure enough by its size.
pub(super) const PICK_AGENTS: usize = 10;
/// Part of the allowed risk below which there is room for a sure answer.
const ROOM: f64 = 0.05;
/// Share of the numbers on offer that count as equally fit; of those the one nearest the front goes, so
/// that nobody waits longer than he must.
const ALIKE: f64 = 0.25;

/// The front of the queue of numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queue<'a> {
    /// Estimates that a person answers, front first; `None` where there is none.
    pub next: &'a [Option<f64>],
    /// So many at the front go first, whatever they are.
    pub due: usize,
    /// Whether others may be picked before the front (small teams only).
    pub choose: bool,
}

/// What a decision says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launches {
    /// Calls to launch.
    pub count: u32,
    /// Places in the queue to take after the due ones; what is left of the count comes from the front.
    pub picks: Vec<usize>,
}

/// Takes numbers one by one while a decision adds calls.
#[derive(Debug)]
pub(super) struct Picking {
    /// Place in the queue and odds relative to the average number's, in order of the queue.
    left: Vec<(usize, f64)>,
    due: usize,
    taken: usize,
    choose: bool,
    picks: Vec<usize>,
}

impl Picking {
    pub(super) fn new(queue: &Queue<'_>, numbers: &Numbers, agents: usize) -> Self {
        // Estimates that tell nothing leave the queue as it is.
        let tells = numbers.tells();
        let next = if tells { queue.next } else { &[] };
        let odds = |e: &Option<f64>| e.map_or(1.0, |e| numbers.odds(e));
        Self {
            left: next.iter().map(odds).enumerate().collect(),
            due: queue.due,
            taken: 0,
            choose: tells && queue.choose && agents <= PICK_AGENTS,
            picks: Vec::new(),
        }
    }

    /// Chances of the next call; `fresh` is the average one's, `filled` the part of the allowed risk
    /// that is used.
    pub(super) fn take(&mut self, fresh: Chance, filled: f64) -> Chance {
        if self.left.is_empty() {
            return fresh;
        }
        let at = if self.taken < self.due || !self.choose {
            0
        } else {
            self.fit(filled <= ROOM)
        };
        self.taken += 1;
        let (place, odds) = self.left.remove(at);
        if self.choose && place >= self.due {
            self.picks.push(place);
        }
        fresh.with_odds(odds)
    }

    /// The front-most of the surest, or of the least sure, of those left.
    fn fit(&self, surest: bool) -> usize {
        let mut order: Vec<usize> = (0..self.left.len()).collect();
        let odds = |at: &usize| self.left[*at].1;
        if surest {
            order.sort_by(|a, b| odds(b).total_cmp(&odds(a)));
        } else {
            order.sort_by(|a, b| odds(a).total_cmp(&odds(b)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a small count"
        )]
        let alike = (order.len() as f64 * ALIKE).ceil() as usize;
        order.into_iter().take(alike.max(1)).min().unwrap_or(0)
    }

    pub(super) fn launches(self, count: u32) -> Launches {
        Launches {
            count,
            picks: self.picks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Chance = Chance {
        by: [0.02, 0.06, 0.1, 0.14, 0.18],
        ever: 0.2,
    };

    fn taught() -> Numbers {
        let mut numbers = Numbers::default();
        for n in 0..4_000_u32 {
            let estimate = if n % 2 == 0 { 0.05 } else { 0.5 };
            numbers.learn(estimate, if n % 2 == 0 { n % 40 == 0 } else { n % 4 == 1 });
        }
        numbers
    }

    fn queue(next: &[Option<f64>], due: usize) -> Queue<'_> {
        Queue {
            next,
            due,
            choose: true,
        }
    }

    #[test]
    fn room_gets_the_surest_and_little_room_the_least_sure() {
        let next = [0.3, 0.05, 0.9, 0.2].map(Some);
        let mut picking = Picking::new(&queue(&next, 0), &taught(), 5);
        let sure = picking.take(FRESH, 0.0).ever;
        let small = picking.take(FRESH, 0.9).ever;
        assert!(sure > 0.5 && small < 0.1, "{sure} {small}");
        assert_eq!(picking.launches(2).picks, [2, 1]);
    }

    #[test]
    fn due_ones_go_first_whatever_they_are() {
        let next = [0.05, 0.05, 0.9, 0.2].map(Some);
        let mut picking = Picking::new(&queue(&next, 2), &taught(), 5);
        for _ in 0..3 {
            picking.take(FRESH, 0.0);
        }
        assert_eq!(picking.launches(3).picks, [2]);
    }

    #[test]
    fn useless_estimates_and_large_teams_keep_the_order() {
        let next = [0.3, 0.05, 0.9, 0.2].map(Some);
        let mut useless = Numbers::default();
        for n in 0..4_000_u32 {
            useless.learn(f64::from(n % 9 + 1) / 10.0, n % 5 == 0);
        }
        for (numbers, agents) in [(useless, 5), (taught(), PICK_AGENTS + 1)] {
            let mut picking = Picking::new(&queue(&next, 0), &numbers, agents);
            picking.take(FRESH, 0.0);
            assert!(picking.launches(1).picks.is_empty());
        }
    }

    #[test]
    fn of_those_alike_the_one_in_front_goes() {
        let next: Vec<Option<f64>> = (0..64).map(|n| Some(0.1 + f64::from(n) / 100.0)).collect();
        let mut picking = Picking::new(&queue(&next, 0), &taught(), 5);
        picking.take(FRESH, 0.0);
        assert_eq!(picking.launches(1).picks, [48]);
    }
}
