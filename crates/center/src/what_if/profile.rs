//! A campaign's profile from its attempts: shares from the counts of all, times from those that were timed.
//! Where the history is thin, priors of a plain collections campaign fill in.

use domain::entity::CallResult;
use domain::ports::store::{PastAttempts, PastCount, PastTimes};
use domain::ports::{CampaignProfile, HourCount, Misses, Spread, TalkClass};
use domain::time::{SECOND_MS, UtcMs};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Measurements that a prior of a time is worth.
const PRIOR_WEIGHT: f64 = 10.0;
/// Talks from which short and long ones are told apart.
const CLASSES_FROM: usize = 60;
/// Classes of talk then: thirds by length.
const CLASSES: usize = 3;
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
#[derive(Debug, Default)]
struct Gathered {
    attempts: u64,
    live: u64,
    abandoned: u64,
    timed: u64,
    misses: Misses,
    hours: BTreeMap<u8, (u64, u64)>,
    setup: Sums,
    ring_live: Sums,
    ring_machine: Sums,
    talks: Vec<(f64, f64)>,
}

fn seconds(from: Option<UtcMs>, to: Option<UtcMs>) -> Option<f64> {
    let ms = to?.since_ms(from?);
    #[expect(clippy::cast_precision_loss, reason = "two hours at most are kept")]
    let s = ms as f64 / SECOND_MS as f64;
    (0.0..=TIME_MAX_S).contains(&s).then_some(s)
}

/// What a result is to pacing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Person,
    Machine,
    Busy,
    NoAnswer,
    Dead,
}

/// `None` when it does not count: withdrawn by us, or lost.
fn fate(result: CallResult) -> Option<Fate> {
    use CallResult as R;
    match result {
        r if r.is_live_answer() => Some(Fate::Person),
        R::MachineBeep | R::MachineNoBeep | R::Fax | R::DeadAir => Some(Fate::Machine),
        R::Busy => Some(Fate::Busy),
        R::NoAnswer => Some(Fate::NoAnswer),
        R::Rejected | R::Unreachable | R::InvalidNumber | R::Congestion | R::TrunkFault => {
            Some(Fate::Dead)
        }
        _ => None,
    }
}

impl Gathered {
    fn count(&mut self, zone: &TimeZone, slot: &PastCount) {
        let Some(fate) = fate(slot.result) else {
            return;
        };
        let n = slot.attempts;
        self.attempts += n;
        let hour = self.hours.entry(local_hour(zone, slot.from)).or_default();
        hour.0 += n;
        match fate {
            Fate::Person => {
                hour.1 += n;
                self.live += n;
            }
            Fate::Machine => {
                self.misses.machine += n;
                self.misses.machine_kept += n.saturating_sub(slot.joined);
            }
            Fate::Busy => self.misses.busy += n,
            Fate::NoAnswer => self.misses.no_answer += n,
            Fate::Dead => self.misses.dead += n,
        }
        if slot.result == CallResult::Abandoned {
            self.abandoned += n;
        }
    }

    fn time(&mut self, attempt: &PastTimes) {
        let Some(fate) = fate(attempt.result) else {
            return;
        };
        self.timed += 1;
        if let Some(s) = seconds(attempt.invite_at, attempt.ringing_at) {
            self.setup.add(s);
        }
        let rang = seconds(attempt.ringing_at, attempt.answered_at);
        if fate != Fate::Person {
            rang.into_iter().for_each(|s| self.ring_machine.add(s));
            return;
        }
        rang.into_iter().for_each(|s| self.ring_live.add(s));
        if let Some(talk) = seconds(attempt.bridged_at, attempt.ended_at) {
            // Disposed while talking: no wrap-up.
            let wrap = seconds(attempt.ended_at, attempt.disposed_at).unwrap_or(0.0);
            self.talks.push((talk, wrap));
        }
    }
}

fn local_hour(zone: &TimeZone, at: UtcMs) -> u8 {
    let hour =
        jiff::Timestamp::from_millisecond(at.0).map_or(0, |t| t.to_zoned(zone.clone()).hour());
    u8::try_from(hour).unwrap_or(0)
}

/// The profile of the attempts between `from` and `to`; `zone` (IANA) is that of the hours, `ring_timeout_s`
/// the ring time so far.
#[must_use]
pub fn profile(
    past: &PastAttempts,
    zone: &str,
    ring_timeout_s: f64,
    (from, to): (UtcMs, UtcMs),
) -> CampaignProfile {
    let hours = crate::feeder::zone_or_utc(zone);
    let mut all = Gathered::default();
    for slot in &past.counts {
        all.count(&hours, slot);
    }
    for attempt in &past.timed {
        all.time(attempt);
    }
    let at_work: u64 = past.agents.iter().map(|hour| hour.1).sum();
    let hour = |(&hour, &(attempts, live)): (&u8, &(u64, u64))| HourCount {
        hour,
        attempts,
        live,
    };
    CampaignProfile {
        from,
        to,
        zone: zone.to_owned(),
        attempts: all.attempts,
        live: all.live,
        abandoned: all.abandoned,
        timed: all.timed,
        misses: all.misses,
        by_hour: all.hours.iter().map(hour).collect(),
        setup: all.setup.spread(SETUP, PRIOR_WEIGHT),
        ring_live: all.ring_live.spread(RING_LIVE, PRIOR_WEIGHT),
        ring_machine: all.ring_machine.spread(RING_MACHINE, PRIOR_WEIGHT),
        talks: whole(all.talks.len()),
        talk: classes(&mut all.talks),
        agents: float(at_work) / float(whole(past.agents.len()).max(1)),
        ring_timeout_s,
    }
}

fn whole(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: u64) -> f64 {
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
    let all = float(whole(talks.len())).max(1.0);
    let class = |part: &[(f64, f64)]| {
        let (mut talk, mut wrap) = (Sums::default(), Sums::default());
        for (t, w) in part {
            talk.add(*t);
            wrap.add(*w);
        }
        TalkClass {
            share: float(whole(part.len())) / all,
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
