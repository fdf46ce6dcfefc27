//! Lines: channels and starts per second, per trunk and per campaign.

use crate::spec::TrunkSpec;
use domain::ids::TrunkId;
use domain::time::{SECOND_MS, UtcMs};
use std::collections::{BTreeMap, VecDeque};

/// At most `limit` starts in any window of one second, exactly: a log of the last starts, no bucket
/// that lets twice the rate through at its edge.
#[derive(Debug, Clone, Default)]
pub struct StartGate {
    starts: VecDeque<UtcMs>,
}

impl StartGate {
    /// How many more starts the last second leaves.
    pub fn left(&mut self, now: UtcMs, limit: u32) -> u32 {
        while self
            .starts
            .front()
            .is_some_and(|t| now.since_ms(*t) >= SECOND_MS)
        {
            self.starts.pop_front();
        }
        limit.saturating_sub(u32::try_from(self.starts.len()).unwrap_or(u32::MAX))
    }

    /// Counts a start.
    pub fn start(&mut self, now: UtcMs) {
        self.starts.push_back(now);
    }

    /// Takes the next free instant, now or later, and counts it as a start there.
    pub fn book(&mut self, now: UtcMs, limit: u32) -> UtcMs {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        while self.starts.len() > limit {
            self.starts.pop_front();
        }
        let at = if self.starts.len() == limit {
            self.starts
                .front()
                .map_or(now, |t| now.max(t.plus_ms(SECOND_MS)))
        } else {
            now
        };
        let at = self.starts.back().map_or(at, |last| at.max(*last));
        self.starts.push_back(at);
        at
    }

    /// Starts in the second that ends at `now`.
    #[must_use]
    pub fn in_last_second(&self, now: UtcMs) -> u32 {
        let n = self
            .starts
            .iter()
            .filter(|t| now.since_ms(**t) < SECOND_MS)
            .count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

/// One trunk's use.
#[derive(Debug, Clone)]
pub(crate) struct TrunkLines {
    pub(crate) spec: TrunkSpec,
    pub(crate) up: bool,
    pub(crate) in_use: u32,
    pub(crate) gate: StartGate,
}

/// All trunks.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) trunks: BTreeMap<TrunkId, TrunkLines>,
}

impl Lines {
    pub(crate) fn put(&mut self, spec: TrunkSpec) {
        self.trunks
            .entry(spec.id)
            .and_modify(|t| t.spec = spec)
            .or_insert(TrunkLines {
                spec,
                up: true,
                in_use: 0,
                gate: StartGate::default(),
            });
    }

    pub(crate) fn set_up(&mut self, trunk: TrunkId, up: bool) {
        if let Some(t) = self.trunks.get_mut(&trunk) {
            t.up = up;
        }
    }

    fn usable(&mut self, trunk: TrunkId, now: UtcMs) -> u32 {
        self.trunks.get_mut(&trunk).map_or(0, |t| {
            if !t.up {
                return 0;
            }
            let channels = t.spec.channels.saturating_sub(t.in_use);
            channels.min(t.gate.left(now, t.spec.cps))
        })
    }

    /// The first trunk of the list (all, when empty) that can start a call now.
    pub(crate) fn pick(&mut self, wanted: &[TrunkId], now: UtcMs) -> Option<TrunkId> {
        let all: Vec<TrunkId>;
        let list = if wanted.is_empty() {
            all = self.trunks.keys().copied().collect();
            &all
        } else {
            wanted
        };
        list.iter().copied().find(|id| self.usable(*id, now) > 0)
    }

    /// Whether any trunk of the list answers.
    pub(crate) fn any_up(&self, wanted: &[TrunkId]) -> bool {
        self.trunks
            .iter()
            .any(|(id, t)| t.up && (wanted.is_empty() || wanted.contains(id)))
    }

    pub(crate) fn take(&mut self, trunk: TrunkId, now: UtcMs) {
        if let Some(t) = self.trunks.get_mut(&trunk) {
            t.in_use += 1;
            t.gate.start(now);
        }
    }

    pub(crate) fn give(&mut self, trunk: TrunkId) {
        if let Some(t) = self.trunks.get_mut(&trunk) {
            t.in_use = t.in_use.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn trunk(n: u128, channels: u32, cps: u32) -> TrunkSpec {
        TrunkSpec {
            id: TrunkId(Uuid::from_u128(n)),
            channels,
            cps,
        }
    }

    #[test]
    fn starts_in_any_second_stay_under_the_rate() {
        let mut gate = StartGate::default();
        let mut all = Vec::new();
        for ms in 0..5_000 {
            let now = UtcMs(ms);
            if gate.left(now, 3) > 0 {
                gate.start(now);
                all.push(ms);
            }
        }
        for window in all.windows(4) {
            assert!(window[3] - window[0] >= 1_000, "{window:?}");
        }
        assert_eq!(all.len(), 15);
    }

    #[test]
    fn bookings_wait_for_their_second() {
        let mut gate = StartGate::default();
        let at: Vec<i64> = (0..5).map(|_| gate.book(UtcMs(100), 2).0).collect();
        assert_eq!(at, [100, 100, 1100, 1100, 2100]);
        assert_eq!(gate.book(UtcMs(9_000), 2).0, 9_000);
    }

    #[test]
    fn channels_and_order_decide_the_trunk() {
        let mut lines = Lines::default();
        let (a, b) = (trunk(1, 1, 10), trunk(2, 5, 10));
        lines.put(a);
        lines.put(b);
        assert_eq!(lines.pick(&[], UtcMs(0)), Some(a.id));
        lines.take(a.id, UtcMs(0));
        assert_eq!(lines.pick(&[], UtcMs(0)), Some(b.id));
        assert_eq!(lines.pick(&[a.id], UtcMs(0)), None);
        lines.set_up(b.id, false);
        assert_eq!(lines.pick(&[], UtcMs(0)), None);
        assert!(!lines.any_up(&[b.id]) && lines.any_up(&[]));
        lines.give(a.id);
        assert_eq!(lines.pick(&[a.id], UtcMs(10)), Some(a.id));
    }
}
