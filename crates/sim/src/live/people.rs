//! Who answers and for how long, as a scenario says: drawn call by call.

use crate::fate::{Fate, Fates};
use crate::mishaps::locked;
use crate::pacing::Scenario;
use domain::ids::AttemptId;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Talk with a machine that detection missed: the agent hangs up, s.
const MACHINE_TALK_S: f64 = 6.0;
/// Patience of a person where the scenario sets none, s.
const PATIENT_S: f64 = 600.0;

/// What an agent has to do after a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct After {
    /// Wrap-up, s.
    pub(super) wrap_s: f64,
    /// Nobody was there.
    pub(super) machine: bool,
}

#[derive(Debug)]
struct State {
    rng: ChaCha8Rng,
    after: HashMap<AttemptId, After>,
}

/// The people of a scenario.
#[derive(Debug, Clone)]
pub(super) struct Street {
    scenario: Arc<Scenario>,
    state: Arc<Mutex<State>>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
fn ms(s: f64) -> u64 {
    (s * 1_000.0).round().max(0.0) as u64
}

impl Street {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed ^ 0x57_2EE7);
        let state = State {
            rng,
            after: HashMap::new(),
        };
        Self {
            scenario: Arc::new(scenario.clone()),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What is left to do after a call.
    pub(super) fn after(&self, attempt: AttemptId) -> After {
        let known = locked(&self.state).after.remove(&attempt);
        known.unwrap_or(After {
            wrap_s: 1.0,
            machine: false,
        })
    }
}

impl Fates for Street {
    fn of(&self, attempt: AttemptId) -> (u64, Fate) {
        let s = &*self.scenario;
        let mut state = locked(&self.state);
        let rng = &mut state.rng;
        let at = rng.random::<f64>();
        let setup_ms = ms(s.dial.setup.draw(rng));
        let p_live = s.p_live(s.warmup_s);
        let left = at - p_live;
        let (machine, busy) = (s.dial.p_machine, s.dial.p_busy + s.dial.p_sit);
        if left >= machine && left < machine + busy {
            let after_ms = ms(s.dial.busy_delay.draw(rng));
            return (
                setup_ms,
                Fate::Refuses {
                    after_ms,
                    code: 486,
                },
            );
        }
        let silent = Fate::RingsOut {
            ring_ms: ms(s.dial.no_answer_timeout_s),
        };
        if left >= machine + busy {
            return (setup_ms, silent);
        }
        let is_machine = left >= 0.0;
        let judged = rng.random::<f64>();
        let (ring, found) = if is_machine {
            (&s.dial.ring_machine, s.amd.enabled && judged < s.amd.tpr)
        } else {
            (&s.dial.ring_live, s.amd.enabled && judged < s.amd.fpr)
        };
        let ring_s = ring.draw(rng);
        if ring_s >= s.dial.no_answer_timeout_s {
            return (setup_ms, silent);
        }
        let delay = if found {
            &s.amd.machine_delay
        } else {
            &s.amd.human_delay
        };
        let ring_s = ring_s + if s.amd.enabled { delay.draw(rng) } else { 0.0 };
        if found {
            // Hung up on before anybody is asked for.
            let ring_ms = ms(ring_s);
            return (setup_ms, Fate::RingsOut { ring_ms });
        }
        let (talk_s, wrap_s) = talk(s, rng);
        let patience = s
            .customer
            .patience
            .as_ref()
            .map_or(PATIENT_S, |p| p.draw(rng));
        let after = After {
            wrap_s: if is_machine { 1.0 } else { wrap_s },
            machine: is_machine,
        };
        let fate = Fate::Answers {
            ring_ms: ms(ring_s),
            patience_ms: ms(patience),
            talk_ms: ms(if is_machine { MACHINE_TALK_S } else { talk_s }),
        };
        state.after.insert(attempt, after);
        (setup_ms, fate)
    }
}

fn talk(s: &Scenario, rng: &mut ChaCha8Rng) -> (f64, f64) {
    let sum: f64 = s.talk.iter().map(|c| c.w).sum();
    let mut at = rng.random::<f64>() * sum;
    for class in &s.talk {
        at -= class.w;
        if at <= 0.0 {
            return (class.talk.draw(rng), class.wrap.draw(rng));
        }
    }
    (1.0, 1.0)
}
