//! A campaign's profile from its attempts: one pass, nothing kept but sums and a sample of talks.
//! Where the history is thin, priors of a plain collections campaign fill in.

use domain::entity::{Attempt, CallResult, DialMode};
use domain::ids::AgentId;
use domain::ports::{CampaignProfile, HourCount, Misses, Spread, TalkClass};
use domain::time::{HOUR_MS, SECOND_MS, UtcMs};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Measurements that a prior of a time is worth.
const PRIOR_WEIGHT: f64 = 10.0;
/// Talks from which short and long ones are told apart.
const CLASSES_FROM: usize = 60;
/// Classes of talk then: thirds by length.
const CLASSES: usize = 3;
/// Most talks kept for the classes.
const TALKS_MAX: usize = 20_000;
/// Longest time that is believed, s; a longer one is a clock or a lost report.
const TIME_MAX_S: f64 = 7_200.0;
/// Least time, s: distributions need one above 0.
const TIME_MIN_S: f64 = 0.2;
/// Priors: INVITE to ringing, ringing until a person and until a machine answers, talk, wrap-up.
const SETUP: Spread = prior(2.2, 0.5);
const RING_LIVE: Spread = prior(9.5, 0.6);
const RING_MACHINE: Spread = prior(15.0, 0.5);
const TALK: Spread = prior(120.0, 1.1);
const WRAP: Spread = prior(18.0, 0.9);

const fn prior(mean_s: f64, cv: f64) -> Spread {
    Spread { mean_s, cv }
}

/// Sums of a time.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        self.sum += x;
        self.squares += x * x;
    }

    /// Mean and spread with the prior's measurements among them.
    fn spread(self, prior: Spread, weight: f64) -> Spread {
        let n = self.n + weight;
        let mean = (self.sum + weight * prior.mean_s) / n;
        let square = prior.mean_s * prior.mean_s * (1.0 + prior.cv * prior.cv);
        let var = (self.squares + weight * square) / n - mean * mean;
        let mean_s = mean.max(TIME_MIN_S);
        Spread {
            mean_s,
            cv: (var.max(0.0).sqrt() / mean_s).clamp(0.05, 3.0),
        }
    }
}

/// Gathers attempts into a profile.
#[derive(Debug)]
pub struct ProfileBuilder {
    zone: TimeZone,
    zone_name: String,
    ring_timeout_s: f64,
    attempts: u64,
    live: u64,
    abandoned: u64,
    misses: Misses,
    hours: BTreeMap<u8, (u64, u64)>,
    setup: Sums,
    ring_live: Sums,
    ring_machine: Sums,
    talks: Vec<(f64, f64)>,
    at_work: BTreeMap<i64, BTreeSet<AgentId>>,
}

fn seconds(from: Option<UtcMs>, to: Option<UtcMs>) -> Option<f64> {
    let ms = to?.since_ms(from?);
    #[expect(clippy::cast_precision_loss, reason = "two hours at most are kept")]
    let s = ms as f64 / SECOND_MS as f64;
    (0.0..=TIME_MAX_S).contains(&s).then_some(s)
}

impl ProfileBuilder {
    /// An empty one; `zone` (IANA) is that of the hours, `ring_timeout_s` the ring time so far.
    #[must_use]
    pub fn new(zone: &str, ring_timeout_s: f64) -> Self {
        Self {
            zone: crate::feeder::zone_or_utc(zone),
            zone_name: zone.to_owned(),
            ring_timeout_s,
            attempts: 0,
            live: 0,
            abandoned: 0,
            misses: Misses::default(),
            hours: BTreeMap::new(),
            setup: Sums::default(),
            ring_live: Sums::default(),
            ring_machine: Sums::default(),
            talks: Vec::new(),
            at_work: BTreeMap::new(),
        }
    }

    /// Counts an attempt. Those still open, dialed by hand or withdrawn by us tell nothing of pacing.
    pub fn add(&mut self, attempt: &Attempt) {
        let Some(result) = attempt.result.filter(|_| attempt.state.is_closed()) else {
            return;
        };
        if attempt.mode == DialMode::Manual || !self.fate(result, attempt) {
            return;
        }
        self.attempts += 1;
        let dialed = attempt.invite_at.unwrap_or(attempt.opened_at);
        let hour = self.local_hour(dialed);
        let counts = self.hours.entry(hour).or_default();
        counts.0 += 1;
        if let Some(s) = seconds(attempt.invite_at, attempt.ringing_at) {
            self.setup.add(s);
        }
        if result.is_live_answer() {
            counts.1 += 1;
            self.person(result, attempt);
        } else if let Some(s) = seconds(attempt.ringing_at, attempt.answered_at) {
            self.ring_machine.add(s);
        }
    }

    /// Files a result; `false` when it does not count.
    fn fate(&mut self, result: CallResult, attempt: &Attempt) -> bool {
        use CallResult as R;
        match result {
            r if r.is_live_answer() => self.live += 1,
            R::MachineBeep | R::MachineNoBeep | R::Fax | R::DeadAir => {
                self.misses.machine += 1;
                self.misses.machine_kept += u64::from(attempt.bridged_at.is_none());
            }
            R::Busy => self.misses.busy += 1,
            R::NoAnswer => self.misses.no_answer += 1,
            R::Rejected | R::Unreachable | R::InvalidNumber | R::Congestion | R::TrunkFault => {
                self.misses.dead += 1
            }
            _ => return false,
        }
        true
    }

    fn person(&mut self, result: CallResult, attempt: &Attempt) {
        if let Some(s) = seconds(attempt.ringing_at, attempt.answered_at) {
            self.ring_live.add(s);
        }
        self.abandoned += u64::from(result == CallResult::Abandoned);
        let Some(talk) = seconds(attempt.bridged_at, attempt.ended_at) else {
            return;
        };
        if self.talks.len() < TALKS_MAX {
            // Disposed while talking: no wrap-up.
            let wrap = seconds(attempt.ended_at, attempt.disposed_at).unwrap_or(0.0);
            self.talks.push((talk, wrap));
        }
        if let (Some(agent), Some(at)) = (attempt.agent_id, attempt.bridged_at) {
            let hour = at.0.div_euclid(HOUR_MS);
            self.at_work.entry(hour).or_default().insert(agent);
        }
    }

    fn local_hour(&self, at: UtcMs) -> u8 {
        let hour = jiff::Timestamp::from_millisecond(at.0)
            .map_or(0, |t| t.to_zoned(self.zone.clone()).hour());
        u8::try_from(hour).unwrap_or(0)
    }

    /// The profile of what was counted between `from` and `to`.
    #[must_use]
    pub fn finish(mut self, from: UtcMs, to: UtcMs) -> CampaignProfile {
        let talks = u64::try_from(self.talks.len()).unwrap_or(u64::MAX);
        let seen: usize = self.at_work.values().map(BTreeSet::len).sum();
        let agents = if self.at_work.is_empty() {
            0.0
        } else {
            float(seen) / float(self.at_work.len())
        };
        CampaignProfile {
            from,
            to,
            zone: self.zone_name,
            attempts: self.attempts,
            live: self.live,
            abandoned: self.abandoned,
            misses: self.misses,
            by_hour: self
                .hours
                .iter()
                .map(|(&hour, &(attempts, live))| HourCount {
                    hour,
                    attempts,
                    live,
                })
                .collect(),
            setup: self.setup.spread(SETUP, PRIOR_WEIGHT),
            ring_live: self.ring_live.spread(RING_LIVE, PRIOR_WEIGHT),
            ring_machine: self.ring_machine.spread(RING_MACHINE, PRIOR_WEIGHT),
            talks,
            talk: classes(&mut self.talks),
            agents,
            ring_timeout_s: self.ring_timeout_s,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: usize) -> f64 {
    n as f64
}

/// Thirds by length when there are enough talks, else one class leaning on the priors.
fn classes(talks: &mut [(f64, f64)]) -> Vec<TalkClass> {
    talks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (parts, weight) = if talks.len() >= CLASSES_FROM {
        (CLASSES, 0.0)
    } else {
        (1, PRIOR_WEIGHT)
    };
    let size = talks.len().div_ceil(parts).max(1);
    let whole = float(talks.len()).max(1.0);
    let class = |part: &[(f64, f64)]| {
        let (mut talk, mut wrap) = (Sums::default(), Sums::default());
        for (t, w) in part {
            talk.add(*t);
            wrap.add(*w);
        }
        TalkClass {
            share: float(part.len()) / whole,
            talk: talk.spread(TALK, weight),
            wrap: wrap.spread(WRAP, weight),
        }
    };
    if talks.is_empty() {
        return vec![TalkClass {
            share: 1.0,
            talk: TALK,
            wrap: WRAP,
        }];
    }
    talks.chunks(size).map(class).collect()
}
