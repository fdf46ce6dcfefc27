//! Randomness as an argument: branches, tags, Call-IDs and nonces.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A source of random octets. Tags and nonces need at least 32 bits that nobody can guess
/// (RFC 3261 §19.3), so outside tests the source must be seeded from the operating system.
pub trait Ids: Send {
    /// Fills `out` with random octets.
    fn fill(&mut self, out: &mut [u8]);

    /// A random number below `bound`; zero when `bound` is zero.
    fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let mut raw = [0; 8];
        self.fill(&mut raw);
        u64::from_be_bytes(raw) % bound
    }

    /// `octets` random octets (at most 32) in lower case hex.
    fn token(&mut self, octets: usize) -> Bytes {
        let mut raw = [0; 32];
        let taken = &mut raw[..octets.min(32)];
        self.fill(taken);
        Bytes::from(hex::encode(taken))
    }
}

/// SHA-256 in counter mode over a 32-octet seed: unguessable with an unguessable seed,
/// repeatable with a known one.
pub struct SeededIds {
    seed: [u8; 32],
    counter: u64,
    left: Vec<u8>,
}

impl SeededIds {
    /// A generator from a seed; take the seed from the operating system outside tests.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        SeededIds {
            seed,
            counter: 0,
            left: Vec::new(),
        }
    }

    /// A repeatable generator for tests and simulations.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        SeededIds::new(seed)
    }
}

impl Ids for SeededIds {
    fn fill(&mut self, out: &mut [u8]) {
        for octet in out {
            if self.left.is_empty() {
                let mut hash = Sha256::new();
                hash.update(self.seed);
                hash.update(self.counter.to_be_bytes());
                self.counter += 1;
                self.left.extend_from_slice(&hash.finalize());
            }
            *octet = self.left.pop().unwrap_or_default();
        }
    }
}
