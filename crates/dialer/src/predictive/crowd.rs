//! Sums by the normal: the rule for teams too large to count exactly, and what a campaign asks for beyond the rule.

use super::bank::Bet;
use super::risk::Moments;
use super::{EXACT_AGENTS, HORIZONS, Launches, Look, Predictive, f64_of};
use crate::lean::Lean;

/// Agents who free and answers that come, by each horizon.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    free: [Moments; HORIZONS],
    wanted: [Moments; HORIZONS],
}

/// What is reckoned of calls launched now, all alike.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    by: [f64; HORIZONS],
    /// Relative error of the hit rate.
    error: f64,
}

impl Sums {
    /// Chance that one answer more finds nobody once `n` calls are launched, with so many agents to spare.
    fn risk(&self, spare: f64, fresh: &Fresh, n: u32) -> f64 {
        let mut sum = 0.0;
        for j in 0..HORIZONS {
            let more = self.wanted[j].plus(f64::from(n), fresh.by[j]);
            sum += Moments::short(spare, self.free[j], more, fresh.error);
        }
        sum / f64_of(HORIZONS)
    }

    /// Answers that will find nobody once `n` calls are launched, at the worst of the horizons.
    fn lost(&self, spare: f64, fresh: &Fresh, n: u32) -> f64 {
        let at = |j: usize| {
            let more = self.wanted[j].plus(f64::from(n), fresh.by[j]);
            Moments::missing(spare, self.free[j], more, fresh.error)
        };
        (0..HORIZONS).map(at).fold(0.0, f64::max)
    }
}

/// The largest number from `low` to `most` whose last call still fits; what does not fit, no more calls make fit.
fn largest(low: u32, most: u32, fits: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (low, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[expect(clippy::cast_precision_loss, reason = "a count of agents")]
const fn as_f64(n: i64) -> f64 {
    n as f64
}

impl Predictive {
    /// How the campaign leans away from the rule from now on.
    pub fn lean(&mut self, lean: &Lean) {
        self.lean = *lean;
        self.bank.hold_back(lean.holds_back());
    }

    /// What calls in flight and busy agents come to, calls weighing as a campaign that leans so has it.
    fn sums(&self, t: f64, lean: &Lean) -> Sums {
        let mut sums = Sums::default();
        for chances in self.agents.free(t) {
            for (sum, r) in sums.free.iter_mut().zip(chances) {
                sum.add(r * self.share);
            }
        }
        for chance in self.calls.chances(t) {
            for (sum, q) in sums.wanted.iter_mut().zip(chance.by) {
                sum.add(lean.weighs(q));
            }
        }
        for rival in &self.rivals {
            for (sum, q) in sums.wanted.iter_mut().zip(rival) {
                sum.add(*q);
            }
        }
        sums
    }

    fn fresh(&self, lean: &Lean) -> Fresh {
        Fresh {
            by: self.calls.fresh.by.map(|q| lean.weighs(q)),
            error: self.calls.hit_error(),
        }
    }

    /// Calls to launch by the rule, what the campaign holds back held back.
    pub(super) fn normal(&self, t: f64, spare: i64, allowed: f64, most: u32) -> (u32, Bet) {
        let lean = self.lean.back();
        let (sums, fresh) = (self.sums(t, &lean), self.fresh(&lean));
        let risk = |n: u32| sums.risk(as_f64(spare), &fresh, n);
        // The risk grows with every call: the largest number whose last call is under it.
        let count = largest(0, most, |n| risk(n) <= allowed);
        if count == 0 {
            return (0, Bet::default());
        }
        // Simpson's rule over the launches.
        let mean = (risk(0) + 4.0 * risk(count / 2) + risk(count - 1)) / 6.0;
        let live = f64::from(count) * self.calls.fresh.ever;
        let bet = Bet {
            live,
            lost: live * mean,
            held: count == most && risk(most) <= allowed,
        };
        (count, bet)
    }

    /// Launches what the campaign asks for beyond the rule, as far as savings pay for what it is likely to lose: no
    /// wish takes the abandonment over its target. While the guard steers there is nothing beyond the rule.
    pub(super) fn push(
        &self,
        t: f64,
        look: &Look,
        most: u32,
        launches: &mut Launches,
        bet: &mut Bet,
    ) {
        let credit = self.bank.credit();
        if !self.lean.pushes() || look.shrink < 1.0 || credit <= 0.0 {
            return;
        }
        let (lean, truth) = (self.lean, Lean::default());
        let (wished, mut fresh_wished) = (self.sums(t, &lean), self.fresh(&lean));
        if self.agents.at_work() <= EXACT_AGENTS {
            // As the rule itself has it: what is likely to be lost is reckoned with the error all the same.
            fresh_wished.error = 0.0;
        }
        let (true_sums, fresh) = (self.sums(t, &truth), self.fresh(&truth));
        let spare = i64::from(look.idle) - i64::from(look.waiting);
        let leant = as_f64(spare + i64::from(lean.agent_balance));
        let spare = as_f64(spare);
        let allowed = self.allowed(look, lean.agent_balance);
        let fits = |n: u32| {
            wished.risk(leant, &fresh_wished, n) <= allowed
                && self.bank.expects(true_sums.lost(spare, &fresh, n + 1)) <= credit
        };
        let rule = launches.count;
        launches.count = largest(rule, most, fits);
        let more = launches.count - rule;
        let live = f64::from(more) * self.calls.fresh.ever;
        bet.live += live;
        bet.lost += live * true_sums.risk(spare, &fresh, rule + more / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AgentState, CallEvent, Key, Settings};
    use super::*;

    /// A second at which it is asked, after everything that it was taught.
    const THEN: f64 = 2_500.0;
    /// Rounds in which as many calls as agents are dialed, ring, and are answered by one person in five.
    const ROUNDS: u32 = 300;

    /// So many idle agents; taught: everybody who answered found one of them.
    fn policy(agents: u32, taught: bool) -> Predictive {
        let settings = Settings {
            target: 0.028,
            limit_s: 2.0,
            ring_timeout_s: 25.0,
        };
        let mut policy = Predictive::new(settings).expect("these can be dialed");
        for n in 0..agents {
            policy.agent(0.0, Key::from(n), AgentState::Idle);
        }
        let rounds = if taught { ROUNDS } else { 0 };
        for round in 0..rounds {
            let t = f64::from(round) * 8.0;
            let each = |policy: &mut Predictive, after: f64, what: fn(u32) -> CallEvent| {
                for n in 0..agents {
                    let id = Key::from(10_000 + round * agents + n);
                    policy.call(t + after, id, what(n));
                }
                policy.decide(t + after, &Look { most: 0, ..look(0) });
            };
            each(&mut policy, 0.0, |_| CallEvent::Launched(None));
            each(&mut policy, 1.0, |_| CallEvent::Ringing);
            each(&mut policy, 7.0, |n| match n % 5 {
                0 => CallEvent::Connected,
                _ => CallEvent::Ended,
            });
        }
        policy
    }

    fn leaning(agent_balance: i32, intensity_pct: f64) -> Lean {
        Lean {
            agent_balance,
            intensity_pct,
            ..Lean::default()
        }
    }

    fn look(idle: u32) -> Look {
        Look {
            idle,
            waiting: 0,
            most: 10_000,
            shrink: 1.0,
            share: 1.0,
        }
    }

    fn launches(policy: &mut Predictive, lean: &Lean, look: &Look) -> u32 {
        policy.lean(lean);
        policy.decide(THEN, look)
    }

    #[test]
    fn agents_who_are_kept_free_have_no_calls() {
        for idle in [1, 5, 40, 200] {
            let of = |lean: Lean| launches(&mut policy(idle, false), &lean, &look(idle));
            let rule = of(Lean::default());
            let (one, three) = (of(leaning(-1, 0.0)), of(leaning(-3, 0.0)));
            assert!(one < rule && three <= one, "{idle}: {rule} {one} {three}");
            let half = of(leaning(0, -50.0));
            // Of one call there is no half.
            assert!(half < rule || rule == 1, "{idle}: {rule} {half}");
        }
        assert_eq!(
            launches(&mut policy(1, false), &leaning(-1, 0.0), &look(1)),
            0,
            "the only one is kept free"
        );
    }

    #[test]
    fn half_the_intensity_is_about_half_the_calls() {
        for idle in [20, 200] {
            let rule = launches(&mut policy(idle, false), &Lean::default(), &look(idle));
            let half = launches(&mut policy(idle, false), &leaning(0, -50.0), &look(idle));
            let share = f64::from(half) / f64::from(rule);
            assert!((0.35..=0.65).contains(&share), "{idle}: {half} of {rule}");
        }
    }

    #[test]
    fn more_than_the_rule_is_paid_by_savings_alone() {
        for idle in [5, 40, 100] {
            for lean in [leaning(2, 0.0), leaning(0, 80.0)] {
                // Nothing saved yet.
                let rule = launches(&mut policy(idle, false), &Lean::default(), &look(idle));
                assert_eq!(launches(&mut policy(idle, false), &lean, &look(idle)), rule);
                // All who answered found an agent.
                let rule = launches(&mut policy(idle, true), &Lean::default(), &look(idle));
                let more = launches(&mut policy(idle, true), &lean, &look(idle));
                assert!(more > rule, "{idle} {lean:?}: {more} {rule}");
                // What is saved is lost again: the rule alone.
                let lost = |lean: &Lean| {
                    let mut policy = policy(idle, true);
                    for n in 0..20 * idle {
                        policy.call(THEN - 1.0, Key::from(n), CallEvent::Abandoned);
                    }
                    launches(&mut policy, lean, &look(idle))
                };
                assert_eq!(lost(&lean), lost(&Lean::default()));
            }
        }
    }

    #[test]
    fn a_wish_without_measure_stops_where_savings_end() {
        let mut policy = policy(5, true);
        policy.lean(&leaning(40, 100.0));
        let look = look(5);
        let count = policy.decide(THEN, &look);
        // About ten calls may be lost: what is launched may bring no more than that beyond the five who are free.
        let answers = f64::from(count) * policy.live_share();
        assert!(answers < 5.0 + 10.0, "{count} calls, {answers} answers");
    }

    #[test]
    fn the_guards_steering_leaves_nothing_beyond_the_rule() {
        let steered = Look {
            shrink: 0.9,
            ..look(20)
        };
        let rule = launches(&mut policy(20, true), &Lean::default(), &steered);
        let lean = leaning(3, 50.0);
        assert_eq!(launches(&mut policy(20, true), &lean, &steered), rule);
    }
}
