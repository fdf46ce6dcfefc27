//! What becomes of a call: drawn from the seed and the attempt, so that a run can be repeated.

use domain::ids::AttemptId;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Far end's behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A person: rings, answers, talks for so long unless someone hangs up first.
    Answers {
        /// Ring time.
        ring_ms: u64,
        /// Patience without an agent, counted from the answer.
        patience_ms: u64,
        /// Talk time once joined.
        talk_ms: u64,
    },
    /// Rings until our timeout.
    Silent,
    /// Rings until the network gives up.
    RingsOut {
        /// Ring time.
        ring_ms: u64,
    },
    /// Refuses with a SIP status after a while.
    Refuses {
        /// Delay.
        after_ms: u64,
        /// Status.
        code: u16,
    },
}

/// Shares in percent; the rest does not answer.
#[derive(Debug, Clone, Copy)]
pub struct FateMix {
    /// Answered.
    pub answer_pct: u32,
    /// Busy, rejected, invalid and so on.
    pub refuse_pct: u32,
}

impl Default for FateMix {
    fn default() -> Self {
        Self {
            answer_pct: 40,
            refuse_pct: 25,
        }
    }
}

/// Says what becomes of each call in another way than [`draw`].
pub trait Fates: Send + Sync {
    /// Time from the INVITE to its first ring or refusal, ms, and what follows. Asked once a call.
    fn of(&self, attempt: AttemptId) -> (u64, Fate);
}

const REFUSALS: [u16; 7] = [486, 603, 404, 480, 503, 408, 500];

/// Draws the fate of the `index`-th call of a seed.
#[must_use]
pub fn draw(seed: u64, index: u64, mix: FateMix) -> Fate {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.rotate_left(17) ^ index.wrapping_mul(0x9E37_79B9));
    let roll = rng.random_range(0..100);
    if roll < mix.answer_pct {
        Fate::Answers {
            ring_ms: rng.random_range(500..20_000),
            patience_ms: rng.random_range(1_000..15_000),
            talk_ms: rng.random_range(2_000..90_000),
        }
    } else if roll < mix.answer_pct + mix.refuse_pct {
        let code = REFUSALS[rng.random_range(0..REFUSALS.len())];
        Fate::Refuses {
            after_ms: rng.random_range(100..8_000),
            code,
        }
    } else {
        Fate::Silent
    }
}
