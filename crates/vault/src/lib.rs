//! Recordings at rest: the sealed file's format and the keys that open it.
//!
//! Contract: what a [`Sealer`] was given comes out of [`Opened`] unchanged, or not at all; a byte
//! changed, a chunk moved, taken from another file or missing at the end is said by its number. A file
//! that a kill left behind keeps every whole chunk. Bytes in, bytes out: reading and writing files is
//! for others.
//!
//! ```
//! use vault::{HEAD, KeyRing, Opened, Sealer, span};
//! let ring = KeyRing::of([7; 32]);
//! let (mut sealer, head) = Sealer::begin([1; 16], &ring)?;
//! let mut file = head.to_vec();
//! sealer.push(&[0; 32_000], &mut file)?;
//! sealer.finish(&[], &mut file)?;
//!
//! let stored = file.len() as u64;
//! let opened = Opened::new(&file[..HEAD], &ring)?;
//! let (from, len) = span(vault::chunks_of(stored) - 1, stored);
//! let plan = opened.plan(stored, &file[from as usize..(from + len) as usize])?;
//! assert_eq!((plan.ms(), plan.wav_bytes()), (1_000, 32_044));
//! # Ok::<(), vault::VaultError>(())
//! ```

mod cipher;
mod error;
mod head;
mod keys;
mod stream;
mod wav;

#[cfg(test)]
mod tests;

pub use error::VaultError;
pub use head::{HEAD, is_sealed, rewrapped};
pub use keys::{KEY_BYTES, KEYS_MAX, KeyRing};
pub use stream::{Opened, Plan, Sealer, chunks_of, span};
pub use wav::{WAV_HEAD, wav_head};

/// Bytes of sound in a chunk: a quarter of a second, what a kill can cost beyond what is on its way.
pub const CHUNK: usize = 8_000;
/// Milliseconds of sound in a chunk.
pub const CHUNK_MS: u64 = 250;
/// Bytes that the cipher adds to each chunk.
pub(crate) const TAG: usize = 16;

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), VaultError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| VaultError::Cipher)
}

/// SHA-256 while bytes come by.
pub struct Sha(aws_lc_rs::digest::Context);

impl Default for Sha {
    fn default() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }
}

impl Sha {
    /// Takes bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash, hex.
    #[must_use]
    pub fn hex(self) -> String {
        hex::encode(self.0.finish().as_ref())
    }
}
