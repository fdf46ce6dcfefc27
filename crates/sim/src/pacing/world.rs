//! A campaign in virtual time, exact to the event: dials with their fates, detection, waiting people,
//! agents with talk, wrap-up, breaks, pauses, joining and leaving. Decisions fall on epochs only.

use super::floor::Floor;
use super::metrics::Metrics;
use super::numbers::{Numbers, Taken};
use super::obs::{Ev, EvWhat, Obs, Outcome, Reply};
use super::scenario::{Scenario, ShockWhat};
use dialer::predictive::{CallPhase, Key};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, VecDeque};

/// Talk with a machine that detection missed: the agent hangs up, s.
const MACHINE_TALK_S: f64 = 6.0;
/// Share of a second of starts that the token bucket holds.
const BUCKET_S: f64 = 1.0;
/// First stream of the dials' fates: each number has its own, so policies meet the same people in
/// whatever order they call them.
const STREAM_FATES: u64 = 1 << 32;
/// Streams from a call's fate to what its person says.
const STREAM_TALK: u64 = 1 << 48;
/// Stream of the floor.
const STREAM_FLOOR: u64 = 2;
/// Stream of the numbers.
const STREAM_NUMBERS: u64 = 3;

/// Things that fall due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The next step of a call.
    Step(u64),
    /// A person's wait is over the limit.
    Deadline(u64),
    /// A person hangs up.
    HangUp(u64),
    /// The message is over.
    Message(u64),
    /// An agent's talk or wrap-up ends.
    Agent(u32, u32),
    /// An agent signs in.
    SignIn(u32),
    /// An agent wants a break of so many ms.
    Break(u32, u64),
    /// Back from a break.
    Back(u32, u32),
    /// An agent leaves.
    Leave(u32),
    /// An agent's next unplanned pause.
    Pause(u32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Due {
    at: f64,
    seq: u64,
    what: What,
}

impl Eq for Due {}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the largest: the earliest must be that.
        other.at.total_cmp(&self.at).then(other.seq.cmp(&self.seq))
    }
}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What falls due, in order.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Due>,
    seq: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at: f64, what: What) {
        self.seq += 1;
        let seq = self.seq;
        self.heap.push(Due { at, seq, what });
    }

    fn pop(&mut self, until: f64) -> Option<(f64, What)> {
        if self.heap.peek()?.at > until {
            return None;
        }
        self.heap.pop().map(|d| (d.at, d.what))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Over(Outcome),
    NoAnswer,
    Person { missed: bool },
    Machine { found: bool },
}

#[derive(Debug, Clone, Copy)]
struct Call {
    fate: Fate,
    phase: CallPhase,
    launched: f64,
    ringing: Option<f64>,
    /// Time that the phase after setup takes.
    ring_s: f64,
    /// From the answer to knowing who it is, s.
    detect_s: f64,
    /// How long the person waits by himself, s.
    patience_s: f64,
    live_at: f64,
    /// The number's place in the order of numbers: its chance is drawn from that.
    ordinal: u64,
}

/// The world.
pub(super) struct World<'a> {
    scenario: &'a Scenario,
    seed: u64,
    agenda: Agenda,
    floor: Floor<'a>,
    numbers: Option<Numbers>,
    calls: HashMap<u64, Call>,
    waiting: VecDeque<u64>,
    next_id: u64,
    lines: u32,
    tokens: f64,
    now: f64,
    obs: Obs,
    pub(super) metrics: Metrics,
    machines: u64,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let mut agenda = Agenda::default();
        let floor = Floor::new(scenario, stream(seed, STREAM_FLOOR), &mut agenda);
        Self {
            scenario,
            seed,
            agenda,
            floor,
            numbers: scenario
                .per_number
                .as_ref()
                .map(|p| Numbers::new(p, stream(seed, STREAM_NUMBERS))),
            calls: HashMap::new(),
            waiting: VecDeque::new(),
            next_id: 0,
            lines: 0,
            tokens: (scenario.limits.cps * BUCKET_S).max(1.0),
            now: 0.0,
            obs: Obs {
                shrink: 1.0,
                ..Obs::default()
            },
            metrics: Metrics::new(scenario.warmup_s, scenario.duration_s),
            machines: 0,
        }
    }

    /// Lets time pass up to an epoch and gives what a policy is shown.
    pub(super) fn advance(&mut self, until: f64) -> Obs {
        while let Some((at, what)) = self.agenda.pop(until) {
            self.now = at;
            self.happen(what);
        }
        let passed = self.scenario.epoch_s;
        self.now = until;
        let cps = self.scenario.limits.cps;
        self.tokens = (self.tokens + cps * passed).min((cps * BUCKET_S).max(1.0));
        let mut obs = std::mem::take(&mut self.obs);
        self.obs = Obs {
            dials: obs.dials,
            live: obs.live,
            connected: obs.connected,
            abandoned: obs.abandoned,
            shrink: 1.0,
            ..Obs::default()
        };
        obs.t = until;
        self.floor.show(&mut obs);
        obs.pending = count(self.calls.len());
        obs.waiting = count(self.waiting.len());
        obs.free_trunks = self.scenario.limits.trunks.saturating_sub(self.lines);
        obs.cps_tokens = whole(self.tokens);
        if let Some(numbers) = &mut self.numbers {
            (obs.next, obs.due) = numbers.show(until);
        }
        obs
    }

    /// Machines given to agents so far.
    pub(super) const fn machines(&self) -> u64 {
        self.machines
    }

    /// Adds what hosts with `detail: full` tell.
    pub(super) fn in_full(&self, obs: &mut Obs) {
        obs.agents = Some(self.floor.rows(self.now));
        let mut ids: Vec<&u64> = self.calls.keys().collect();
        ids.sort_unstable();
        let row = |id: &u64| {
            let c = self.calls.get(id)?;
            let ringing = c.ringing.map(|r| self.now - r);
            // Its estimate was told when it was launched.
            Some((
                Key::from(*id),
                c.phase,
                self.now - c.launched,
                ringing,
                None,
            ))
        };
        obs.calls = Some(ids.into_iter().filter_map(row).collect());
    }

    /// Launches what a policy said, as far as lines and rate allow.
    pub(super) fn launch(&mut self, reply: &Reply) {
        let free = self.scenario.limits.trunks.saturating_sub(self.lines);
        let count = reply.launch.min(free).min(whole(self.tokens));
        let order = match &mut self.numbers {
            None => vec![None; usize::try_from(count).unwrap_or(0)],
            Some(numbers) => {
                let taken =
                    numbers.take(self.now, usize::try_from(count).unwrap_or(0), &reply.pick);
                taken.into_iter().map(Some).collect()
            }
        };
        for number in order {
            self.tokens -= 1.0;
            self.dial(number);
        }
    }

    /// The figures at the end.
    pub(super) fn end(mut self) -> Metrics {
        let now = self.now;
        self.floor.close(now, &mut self.metrics);
        self.metrics
    }

    fn tell(&mut self, what: EvWhat) {
        self.obs.ev.push(Ev { t: self.now, what });
    }

    fn dial(&mut self, number: Option<Taken>) {
        let s = self.scenario;
        let now = self.now;
        self.next_id += 1;
        let id = self.next_id;
        self.lines += 1;
        self.obs.dials += 1;
        self.metrics.dialed(now);
        self.tell(EvWhat::Launched(Key::from(id), number.map(|n| n.estimate)));
        let ordinal = number.map_or(id, |n| n.ordinal);
        let mut rng = stream(self.seed, STREAM_FATES + ordinal);
        let base = s.p_live(now);
        let p_live = match (number, &self.numbers) {
            (Some(taken), Some(numbers)) => numbers.scaled(taken.share, base),
            _ => base,
        };
        let setup = s.dial.setup.draw(&mut rng) + s.shock(now, ShockWhat::SetupAdd, 0.0);
        let call = fate(s, now, p_live, ordinal, &mut rng);
        let first = if let Fate::Over(_) = call.fate {
            setup + call.ring_s
        } else {
            setup
        };
        self.calls.insert(id, call);
        self.agenda.put(now + first, What::Step(id));
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Step(id) => self.step(id),
            What::Deadline(id) => self.unanswered(id, true),
            What::HangUp(id) => self.unanswered(id, false),
            What::Message(_) => self.lines -= 1,
            other => {
                let freed = self.floor.happen(
                    self.now,
                    other,
                    &mut self.agenda,
                    &mut self.obs,
                    &mut self.metrics,
                );
                self.lines -= freed.lines;
                if freed.agent {
                    self.serve();
                }
            }
        }
    }

    fn step(&mut self, id: u64) {
        let s = self.scenario;
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        match (call.phase, call.fate) {
            (CallPhase::Setup, Fate::Over(outcome)) => self.over(id, outcome),
            (CallPhase::Setup, _) => {
                call.phase = CallPhase::Ring;
                call.ringing = Some(now);
                let longest = s.dial.no_answer_timeout_s;
                if call.ring_s >= longest {
                    call.fate = Fate::NoAnswer;
                }
                let ring_s = call.ring_s.min(longest);
                self.agenda.put(now + ring_s, What::Step(id));
                self.tell(EvWhat::Ringing(Key::from(id)));
            }
            (CallPhase::Ring, Fate::NoAnswer | Fate::Over(_)) => self.over(id, Outcome::NoAnswer),
            (CallPhase::Ring, _) => {
                call.phase = CallPhase::Detect;
                self.agenda.put(now + call.detect_s, What::Step(id));
                self.tell(EvWhat::Answered(Key::from(id)));
            }
            (CallPhase::Detect, Fate::Person { missed: true }) => {
                self.metrics.missed_person(now);
                self.over(id, Outcome::Machine);
            }
            (CallPhase::Detect, Fate::Machine { found: true }) => self.over(id, Outcome::Machine),
            (CallPhase::Detect, _) => self.live(id),
            (CallPhase::Wait, _) => {}
        }
    }

    fn over(&mut self, id: u64, outcome: Outcome) {
        self.calls.remove(&id);
        self.lines -= 1;
        self.tell(EvWhat::Ended(Key::from(id), outcome));
    }

    fn live(&mut self, id: u64) {
        let now = self.now;
        self.obs.live += 1;
        self.tell(EvWhat::Live(Key::from(id)));
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.phase = CallPhase::Wait;
        call.live_at = now;
        self.waiting.push_back(id);
        self.serve();
        if let Some(call) = self.calls.get(&id) {
            let limit = self.scenario.customer.deadline_s;
            self.agenda.put(now + limit, What::Deadline(id));
            if call.patience_s < limit {
                self.agenda.put(now + call.patience_s, What::HangUp(id));
            }
        }
    }

    /// Gives waiting people to agents who are free.
    fn serve(&mut self) {
        while let Some(&id) = self.waiting.front() {
            let Some(call) = self.calls.get(&id).copied() else {
                self.waiting.pop_front();
                continue;
            };
            let person = matches!(call.fate, Fate::Person { .. });
            let talk = (!person).then_some(MACHINE_TALK_S);
            let mut rng = stream(self.seed, STREAM_TALK + call.ordinal);
            let started = self.floor.start_talk(
                self.now,
                talk,
                &mut rng,
                &mut self.agenda,
                &mut self.metrics,
            );
            let Some(started) = started else {
                return;
            };
            self.waiting.pop_front();
            self.calls.remove(&id);
            self.obs.connected += 1;
            self.machines += u64::from(!person);
            self.metrics
                .connected(self.now, self.now - call.live_at, person);
            self.tell(EvWhat::Connected(Key::from(id)));
            self.tell(started);
        }
    }

    fn unanswered(&mut self, id: u64, deadline: bool) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        self.waiting.retain(|w| *w != id);
        let person = matches!(call.fate, Fate::Person { .. });
        if deadline {
            self.obs.abandoned += 1;
            self.metrics.abandoned(self.now, person);
            self.tell(EvWhat::Abandoned(Key::from(id)));
            let until = self.now + self.scenario.customer.message_s;
            self.agenda.put(until, What::Message(id));
        } else {
            self.lines -= 1;
            self.metrics.hung_up(self.now);
            self.tell(EvWhat::Ended(Key::from(id), Outcome::Other));
        }
    }
}

fn stream(seed: u64, n: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(n);
    rng
}

/// What will become of a dial. Everything is drawn, used or not, so that the draws of one number do not
/// depend on what came of it.
fn fate(s: &Scenario, now: f64, p_live: f64, ordinal: u64, rng: &mut ChaCha8Rng) -> Call {
    let fails = rng.random::<f64>() < s.shock(now, ShockWhat::TrunkFail, 0.0);
    let at = rng.random::<f64>();
    let judged = rng.random::<f64>();
    let mult = s.shock(now, ShockWhat::RingMult, 1.0);
    let live_s = s.dial.ring_live.draw(rng) * mult;
    let machine_s = s.dial.ring_machine.draw(rng) * mult;
    let busy_s = s.dial.busy_delay.draw(rng);
    let human = s.amd.human_delay.draw(rng);
    let machine = s.amd.machine_delay.draw(rng);
    let patience = s.customer.patience.as_ref();
    let patience_s = patience.map_or(f64::INFINITY, |p| p.draw(rng));
    // Who is not a person is one of the others in their proportions, up to all of them.
    let rest = [s.dial.p_machine, s.dial.p_busy, s.dial.p_sit];
    let left = (at - p_live).max(0.0);
    let (fate, ring_s) = if fails {
        (Fate::Over(Outcome::Congestion), 0.0)
    } else if at < p_live {
        let missed = s.amd.enabled && judged < s.amd.fpr;
        (Fate::Person { missed }, live_s)
    } else if left < rest[0] {
        let found = s.amd.enabled && judged < s.amd.tpr;
        (Fate::Machine { found }, machine_s)
    } else if left < rest[0] + rest[1] {
        (Fate::Over(Outcome::Busy), busy_s)
    } else if left < rest[0] + rest[1] + rest[2] {
        (Fate::Over(Outcome::Sit), busy_s)
    } else {
        (Fate::NoAnswer, s.dial.no_answer_timeout_s)
    };
    let detect_s = match fate {
        _ if !s.amd.enabled => 0.0,
        Fate::Person { missed: true } | Fate::Machine { found: true } => machine,
        _ => human,
    };
    Call {
        fate,
        phase: CallPhase::Setup,
        launched: now,
        ringing: None,
        ring_s,
        detect_s,
        patience_s,
        live_at: 0.0,
        ordinal,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1e6"
)]
fn whole(x: f64) -> u32 {
    (x + 1e-9).clamp(0.0, 1e6) as u32
}
