//! Virtual time and seeded identity.

use domain::ports::{Clock, IdSource};
use domain::time::UtcMs;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;

/// A clock that follows tokio's paused time: a day passes as fast as the tasks let it.
#[derive(Debug)]
pub struct VirtualClock {
    base: UtcMs,
    origin: tokio::time::Instant,
}

impl VirtualClock {
    /// Starts at `base`; must be made inside the runtime whose time is paused.
    #[must_use]
    pub fn start(base: UtcMs) -> Self {
        Self {
            base,
            origin: tokio::time::Instant::now(),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> UtcMs {
        let passed = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base.plus_ms(passed)
    }
}

/// UUIDv7 from a seed: the same seed gives the same identities in the same order.
#[derive(Debug)]
pub struct SeededIds(Mutex<ChaCha8Rng>);

impl SeededIds {
    /// A source for a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl IdSource for SeededIds {
    fn next(&self, now: UtcMs) -> uuid::Uuid {
        let mut bytes = [0_u8; 10];
        match self.0.lock() {
            Ok(mut rng) => rng.fill_bytes(&mut bytes),
            Err(poisoned) => poisoned.into_inner().fill_bytes(&mut bytes),
        }
        let ms = u64::try_from(now.0).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid()
    }
}
