//! The trunks' limits, shared by the nodes that live. What does not divide goes round in turns, so that a
//! trunk of one start a second starves no node.

use super::Engine;
use domain::entity::Trunk;
use domain::time::UtcMs;

/// How long a node's turn is, by the clocks of the nodes, ms.
const TURN_MS: i64 = 10_000;
/// How long of it the starts that do not divide are used, ms: a node that looks a second late at the end of its turn
/// still leaves a whole second between its last start and the next node's first.
const USED_MS: i64 = 8_000;

/// This node's part of the channels; the parts sum to the whole.
pub(super) fn channels(limit: u32, (place, nodes): (u32, u32)) -> u32 {
    let nodes = nodes.max(1);
    limit / nodes + u32::from(place < limit % nodes)
}

/// This node's part of the starts a second at an instant; the parts never sum to more than the whole.
pub(super) fn starts(limit: u32, (place, nodes): (u32, u32), now: UtcMs) -> u32 {
    let nodes = nodes.max(1);
    let (each, over) = (limit / nodes, limit % nodes);
    if over == 0 {
        return each;
    }
    let turn = now.0.div_euclid(TURN_MS).rem_euclid(i64::from(nodes));
    let turn = u32::try_from(turn).unwrap_or(0);
    let used = now.0.rem_euclid(TURN_MS) < USED_MS;
    each + u32::from(used && (place % nodes + turn) % nodes < over)
}

impl Engine {
    /// Starts that go round among the nodes come to this one, or leave it.
    pub(super) fn turn_trunks(&mut self, now: UtcMs) {
        if self.place.1 < 2 {
            return;
        }
        let moved = |trunk: &Trunk, granted: u32| {
            let limit = u32::try_from(trunk.cps).unwrap_or(0);
            trunk.enabled && starts(limit, self.place, now) != granted
        };
        let granted = self.brain.trunks();
        let moved: Vec<Trunk> = granted
            .filter_map(|(id, _, _, _, cps)| {
                let entry = self.trunks.get(&id)?;
                moved(&entry.trunk, cps).then(|| entry.trunk.clone())
            })
            .collect();
        for trunk in moved {
            self.put_trunk(now, trunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_node_starves_and_the_whole_is_never_passed() {
        for (limit, nodes) in [(1, 2), (1, 3), (2, 3), (5, 3), (4, 2), (7, 1)] {
            let mut had = vec![0; usize::try_from(nodes).expect("few")];
            let mut last: Option<(u32, i64)> = None;
            for s in 0..i64::from(nodes) * 10 {
                let now = UtcMs(1_795_500_000_000 + s * 1_000);
                let parts: Vec<u32> = (0..nodes)
                    .map(|place| starts(limit, (place, nodes), now))
                    .collect();
                assert!(parts.iter().sum::<u32>() <= limit, "{limit} {nodes} {s}");
                for (place, part) in (0..nodes).zip(&parts) {
                    had[usize::try_from(place).expect("few")] += part;
                }
                if limit == 1
                    && let Some(place) = (0..nodes).find(|p| starts(1, (*p, nodes), now) == 1)
                {
                    if let Some((before, at)) = last.filter(|(before, _)| *before != place) {
                        assert!(s - at >= 2, "{before} to {place} after {} s", s - at);
                    }
                    last = Some((place, s));
                }
            }
            let least = had.iter().min().copied().unwrap_or(0);
            assert!(least >= 8 * limit, "{limit} {nodes}: {had:?}");
        }
    }

    #[test]
    fn channels_sum_to_the_whole() {
        for (limit, nodes) in [(1, 2), (30, 4), (7, 3), (5, 1)] {
            let sum: u32 = (0..nodes)
                .map(|place| channels(limit, (place, nodes)))
                .sum();
            assert_eq!(sum, limit);
        }
    }
}
