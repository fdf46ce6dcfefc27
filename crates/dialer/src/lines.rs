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

/// Half-life of what is known of a trunk's answers, ms: a fault of the route shows within minutes.
const SEIZED_HALF_LIFE_MS: f64 = 600_000.0;
/// Starts by which a trunk's own ratio is drawn to that of all: fewer say little.
const SEIZED_PRIOR: f64 = 30.0;
/// A trunk named earlier is passed over when its ratio is below this share of the best one's.
const WORSE: f64 = 0.5;
/// Where no order is named, trunks with at least this share of the best ratio are equals.
const EQUALS: f64 = 0.8;
/// Every so many starts go to the trunk of which least is known, so that a passed-over one is seen to
/// recover.
const PROBE_EVERY: u64 = 20;

/// Answers and seizures, forgotten over time.
#[derive(Debug, Clone, Copy, Default)]
struct Seizures {
    answered: f64,
    seized: f64,
    at: UtcMs,
}

impl Seizures {
    fn fade(&mut self, now: UtcMs) {
        #[expect(clippy::cast_precision_loss, reason = "a few hours at most matter")]
        let age = now.since_ms(self.at).max(0) as f64;
        let keep = 0.5_f64.powf(age / SEIZED_HALF_LIFE_MS);
        self.answered *= keep;
        self.seized *= keep;
        self.at = now;
    }

    /// Answer-seizure ratio, drawn to `mean` while little is known.
    fn ratio(&self, mean: f64) -> f64 {
        (self.answered + SEIZED_PRIOR * mean) / (self.seized + SEIZED_PRIOR)
    }
}

/// One trunk's use.
#[derive(Debug, Clone)]
pub(crate) struct TrunkLines {
    pub(crate) spec: TrunkSpec,
    pub(crate) up: bool,
    pub(crate) in_use: u32,
    pub(crate) gate: StartGate,
    /// The limits under which its last call was started: what is up may be more than lowered ones allow.
    pub(crate) granted: TrunkSpec,
    seizures: Seizures,
}

impl TrunkLines {
    /// Share of its channels that is free.
    fn free_share(&self) -> f64 {
        let free = self.spec.channels.saturating_sub(self.in_use);
        f64::from(free) / f64::from(self.spec.channels.max(1))
    }
}

/// All trunks.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) trunks: BTreeMap<TrunkId, TrunkLines>,
    starts: u64,
}

impl Lines {
    pub(crate) fn put(&mut self, spec: TrunkSpec) {
        self.trunks
            .entry(spec.id)
            .and_modify(|t| {
                t.granted.channels = t.granted.channels.max(spec.channels);
                t.granted.cps = t.granted.cps.max(spec.cps);
                t.spec = spec;
            })
            .or_insert(TrunkLines {
                spec,
                granted: spec,
                up: true,
                in_use: 0,
                gate: StartGate::default(),
                seizures: Seizures::default(),
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

    /// The trunk for the next call, of those that can start one now. A named order holds until a trunk
    /// answers far less than another; without one the trunks that answer about as well share by their
    /// free channels.
    pub(crate) fn pick(&mut self, wanted: &[TrunkId], now: UtcMs) -> Option<TrunkId> {
        let list: Vec<TrunkId> = if wanted.is_empty() {
            self.trunks.keys().copied().collect()
        } else {
            wanted.to_vec()
        };
        let usable: Vec<TrunkId> = list
            .into_iter()
            .filter(|id| self.usable(*id, now) > 0)
            .collect();
        if usable.len() < 2 {
            return usable.first().copied();
        }
        let mut known: Vec<(TrunkId, Seizures, f64)> = Vec::with_capacity(usable.len());
        for id in usable {
            let trunk = self.trunks.get_mut(&id)?;
            trunk.seizures.fade(now);
            known.push((id, trunk.seizures, trunk.free_share()));
        }
        let (answered, seized) = known
            .iter()
            .fold((0.0, 0.0), |s, k| (s.0 + k.1.answered, s.1 + k.1.seized));
        if seized >= SEIZED_PRIOR && self.starts.is_multiple_of(PROBE_EVERY) {
            let least = known
                .iter()
                .min_by(|a, b| a.1.seized.total_cmp(&b.1.seized));
            return least.map(|k| k.0);
        }
        let mean = if seized > 0.0 { answered / seized } else { 0.0 };
        let best = known.iter().fold(0.0, |b: f64, k| b.max(k.1.ratio(mean)));
        if !wanted.is_empty() {
            let fair = |k: &&(TrunkId, Seizures, f64)| k.1.ratio(mean) >= WORSE * best;
            return known.iter().find(fair).map(|k| k.0);
        }
        let mut chosen: Option<(TrunkId, f64)> = None;
        for (id, seizures, free) in &known {
            let equal = seizures.ratio(mean) >= EQUALS * best;
            if equal && chosen.is_none_or(|c| *free > c.1) {
                chosen = Some((*id, *free));
            }
        }
        chosen.map(|c| c.0)
    }

    /// The same without one of them, which failed for whoever is to be called.
    pub(crate) fn pick_other(
        &mut self,
        wanted: &[TrunkId],
        failed: TrunkId,
        now: UtcMs,
    ) -> Option<TrunkId> {
        let mut others: Vec<TrunkId> = match wanted {
            [] => self.trunks.keys().copied().collect(),
            named => named.to_vec(),
        };
        others.retain(|id| *id != failed);
        if others.is_empty() {
            return None;
        }
        self.pick(&others, now)
    }

    /// What became of a start that was not withdrawn.
    pub(crate) fn seized(&mut self, trunk: TrunkId, now: UtcMs, answered: bool) {
        if let Some(t) = self.trunks.get_mut(&trunk) {
            t.seizures.fade(now);
            t.seizures.seized += 1.0;
            t.seizures.answered += f64::from(u8::from(answered));
        }
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
            t.granted = t.spec;
            t.gate.start(now);
            self.starts += 1;
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

    /// Starts of a busy minute by trunk, while `b` answers a share of them.
    fn starts(wanted: &[TrunkId], answers_of_b: u32) -> (u32, u32) {
        let mut lines = Lines::default();
        let (a, b) = (trunk(1, 100, 100), trunk(2, 50, 100));
        lines.put(a);
        lines.put(b);
        let mut counts = (0, 0);
        let mut held = VecDeque::new();
        for n in 0..1_000_u32 {
            let now = UtcMs(i64::from(n) * 50);
            let Some(id) = lines.pick(wanted, now) else {
                continue;
            };
            lines.take(id, now);
            let answered = if id == a.id {
                counts.0 += 1;
                n % 5 == 0
            } else {
                counts.1 += 1;
                n % 100 < answers_of_b
            };
            lines.seized(id, now, answered);
            // Twenty calls are up at any time.
            held.push_back(id);
            if held.len() > 20
                && let Some(oldest) = held.pop_front()
            {
                lines.give(oldest);
            }
        }
        counts
    }

    #[test]
    fn trunks_that_answer_alike_share_by_free_channels() {
        let (a, b) = starts(&[], 20);
        assert!(a > b && b > 50, "{a} {b}");
    }

    #[test]
    fn a_trunk_that_stops_answering_is_passed_over_and_still_looked_at() {
        let order = [TrunkId(Uuid::from_u128(2)), TrunkId(Uuid::from_u128(1))];
        let (a, b) = starts(&order, 20);
        assert!(b > a, "named first, and as good: {a} {b}");
        let (a, b) = starts(&order, 0);
        assert!(a > 5 * b && b >= 40, "named first, and dead: {a} {b}");
    }
}
