//! Wrong guesses: ten are free per account and source, then each costs a growing delay. The same
//! account from elsewhere is not locked out (faults.md promise 12).

use domain::ports::store::LoginFailures;
use domain::time::UtcMs;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use tokio::sync::{Mutex, MutexGuard};

/// Wrong guesses without delay.
pub(crate) const FREE_GUESSES: u32 = 10;
/// First delay, ms; doubles with each further guess.
const FIRST_DELAY_MS: i64 = 2_000;
/// Longest delay, ms.
const DELAY_MAX_MS: i64 = 15 * 60_000;
/// Guesses are forgotten after this pause, ms.
const FORGET_MS: i64 = 24 * 60 * 60_000;
/// Locks over which keys are spread: guesses of one key run one after the other.
const STRIPES: usize = 64;

/// Serialises guesses of one account and source, so that parallel ones are all counted.
#[derive(Debug)]
pub(crate) struct Throttle(Vec<Mutex<()>>);

impl Default for Throttle {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }
}

impl Throttle {
    /// Waits for the key's turn.
    pub(crate) async fn turn(&self, key: &str) -> MutexGuard<'_, ()> {
        let first = key.bytes().take(8).fold(0_usize, |n, b| {
            n.wrapping_mul(31).wrapping_add(usize::from(b))
        });
        self.0[first % STRIPES].lock().await
    }
}

/// Key of an account and source: hashed, so that the database keeps neither.
pub(crate) fn key(username: &str, source: IpAddr) -> String {
    hex::encode(Sha256::digest(format!("{username}|{source}").as_bytes()))
}

/// Time still to wait before the next guess, ms; 0 = go ahead.
pub(crate) fn wait_ms(failures: LoginFailures, now: UtcMs) -> i64 {
    let over = failures.count.saturating_sub(FREE_GUESSES);
    if failures.count < FREE_GUESSES || now.since_ms(failures.last_at) > FORGET_MS {
        return 0;
    }
    let delay = FIRST_DELAY_MS
        .saturating_mul(1_i64 << over.min(20))
        .min(DELAY_MAX_MS);
    (failures.last_at.0.saturating_add(delay) - now.0).max(0)
}

/// The count after one more wrong guess.
pub(crate) fn one_more(failures: LoginFailures, now: UtcMs) -> LoginFailures {
    let count = if now.since_ms(failures.last_at) > FORGET_MS {
        0
    } else {
        failures.count
    };
    LoginFailures {
        count: count.saturating_add(1),
        last_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_free_then_the_delay_doubles() {
        let at = UtcMs(1_000_000);
        let with = |count| LoginFailures { count, last_at: at };
        assert_eq!(wait_ms(with(9), at), 0);
        assert_eq!(wait_ms(with(10), at), 2_000);
        assert_eq!(wait_ms(with(11), at), 4_000);
        assert_eq!(wait_ms(with(11), at.plus_ms(4_000)), 0);
        assert_eq!(wait_ms(with(4_000_000), at), DELAY_MAX_MS);
        assert_eq!(one_more(with(11), at.plus_ms(FORGET_MS + 1)).count, 1);
    }
}
