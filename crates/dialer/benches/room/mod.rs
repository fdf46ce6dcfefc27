//! A campaign in motion, of any size: agents who talk, wrap up and come free, calls that ring, are
//! answered or end. Cheap and always the same, so that the decision is what is measured.

use dialer::predictive::{AgentState, CallEvent, Key, Look, Predictive, Settings};

/// Agents and calls in flight of the room's limit.
pub(crate) const LARGE: (u32, u32) = (1_000, 3_000);
/// First identity of calls: agents have those below.
const CALLS: Key = 1 << 32;
/// Share of calls that a person answers: three calls an agent then keep two agents of three busy.
const LIVE: f64 = 0.025;
/// Time between decisions, s.
const EPOCH_S: f64 = 0.25;

/// A number from a counter, well mixed (`SplitMix64`), 0 to 1.
fn lot(counter: &mut u64) -> f64 {
    *counter = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let upper = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / f64::from(u32::MAX)
}

struct Call {
    id: Key,
    /// Next change, s.
    at: f64,
    rings: bool,
}

/// The room.
pub(crate) struct Room {
    policy: Predictive,
    t: f64,
    agents: Vec<(AgentState, f64)>,
    calls: Vec<Call>,
    in_flight: usize,
    next: Key,
    chance: u64,
}

impl Room {
    /// A room of so many agents that is kept at so many calls in flight; learned over `warm_s`.
    ///
    /// # Panics
    /// Never: the settings can be dialed.
    pub(crate) fn new(agents: u32, calls: u32, warm_s: f64) -> Self {
        let settings = Settings {
            target: 0.028,
            limit_s: 2.0,
            ring_timeout_s: 25.0,
        };
        let policy = Predictive::new(settings).expect("these settings can be dialed");
        let mut room = Self {
            policy,
            t: 0.0,
            agents: vec![(AgentState::Idle, 0.0); usize::try_from(agents).unwrap_or(0)],
            calls: Vec::new(),
            in_flight: usize::try_from(calls).unwrap_or(0),
            next: CALLS,
            chance: 7,
        };
        for n in 0..agents {
            room.policy.agent(0.0, Key::from(n), AgentState::Idle);
        }
        while room.t < warm_s {
            room.step();
            room.decide();
        }
        room
    }

    fn after(&mut self, mean: f64) -> f64 {
        self.t - mean * (1.0 - 0.999 * lot(&mut self.chance)).ln()
    }

    /// One epoch passes: the events of the policy's world.
    pub(crate) fn step(&mut self) {
        self.t += EPOCH_S;
        for n in 0..self.agents.len() {
            let (state, until) = self.agents[n];
            if until > self.t || state == AgentState::Idle {
                continue;
            }
            let (new, until) = match state {
                AgentState::Talk => (AgentState::Wrap, self.after(20.0)),
                _ => (AgentState::Idle, 0.0),
            };
            self.moved(n, new, until);
        }
        let mut at = 0;
        while at < self.calls.len() {
            if self.calls[at].at > self.t {
                at += 1;
            } else if self.calls[at].rings {
                let id = self.calls.swap_remove(at).id;
                self.over(id);
            } else {
                self.policy
                    .call(self.t, self.calls[at].id, CallEvent::Ringing);
                let until = self.after(14.0);
                self.calls[at].at = until.min(self.t + 25.0);
                self.calls[at].rings = true;
            }
        }
        while self.calls.len() < self.in_flight {
            self.next += 1;
            self.policy.call(
                self.t,
                self.next,
                CallEvent::Launched(Some(lot(&mut self.chance))),
            );
            let at = self.after(2.5);
            self.calls.push(Call {
                id: self.next,
                at,
                rings: false,
            });
        }
    }

    fn moved(&mut self, n: usize, new: AgentState, until: f64) {
        self.agents[n] = (new, until);
        let id = Key::from(u32::try_from(n).unwrap_or(u32::MAX));
        self.policy.agent(self.t, id, new);
    }

    /// A person goes to an agent if one is free.
    fn over(&mut self, id: Key) {
        let live = lot(&mut self.chance) < LIVE;
        let free = self.agents.iter().position(|a| a.0 == AgentState::Idle);
        let what = match (live, free) {
            (false, _) => CallEvent::Ended,
            (true, None) => CallEvent::Abandoned,
            (true, Some(n)) => {
                let until = self.after(110.0);
                self.moved(n, AgentState::Talk, until);
                CallEvent::Connected
            }
        };
        self.policy.call(self.t, id, what);
    }

    /// Idle agents and what lines allow, as a host sees it.
    pub(crate) fn look(&self) -> Look {
        let idle = self
            .agents
            .iter()
            .filter(|a| a.0 == AgentState::Idle)
            .count();
        Look {
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            waiting: 0,
            most: 1_000,
            shrink: 1.0,
            share: 1.0,
        }
    }

    /// The decision that is measured.
    pub(crate) fn decide(&mut self) -> u32 {
        let look = self.look();
        self.policy.decide(self.t, &look)
    }
}
