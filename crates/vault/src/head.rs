//! The first 128 bytes of a sealed file: who it is, and its key, wrapped.
//!
//! ```text
//!   0  8  "MRCDREC\x01"         48  7  prefix of the chunks' nonces
//!   8  1  version, 1            55  1  0
//!   9  1  cipher, 1 = AES-256-GCM, chunks as in STREAM
//!  10  2  0                     56 12  nonce of the wrap
//!  12  4  bytes of a chunk      68 48  the file's key, wrapped (AES-256-GCM over bytes 0..56)
//!  16 16  the recording's id   116 12  0
//!  32 16  name of the wrapping key
//! ```

use crate::keys::ID_BYTES;
use crate::{CHUNK, KEY_BYTES, KeyRing, VaultError, cipher};
use zeroize::Zeroizing;

/// Bytes of the header.
pub const HEAD: usize = 128;
/// Bytes of the file's own nonce prefix; counter (4) and flag (1) make it a nonce of 12.
pub(crate) const PREFIX: usize = 7;

const MAGIC: &[u8; 8] = b"MRCDREC\x01";
const VERSION: u8 = 1;
const CIPHER: u8 = 1;
/// What the wrap vouches for.
const BOUND: usize = 56;
const NONCE: usize = 12;
const WRAPPED: usize = KEY_BYTES + crate::TAG;

/// Whether a file that begins so is a sealed recording.
#[must_use]
pub fn is_sealed(first: &[u8]) -> bool {
    first.starts_with(MAGIC)
}

/// What a header says, with the file's key.
pub(crate) struct Head {
    pub(crate) id: [u8; 16],
    pub(crate) prefix: [u8; PREFIX],
    pub(crate) key: Zeroizing<[u8; KEY_BYTES]>,
}

/// The header of a new file, its key wrapped by the current one.
pub(crate) fn write(head: &Head, ring: &KeyRing) -> Result<[u8; HEAD], VaultError> {
    let mut out = [0_u8; HEAD];
    out[..8].copy_from_slice(MAGIC);
    out[8] = VERSION;
    out[9] = CIPHER;
    out[12..16].copy_from_slice(&u32::try_from(CHUNK).unwrap_or(0).to_le_bytes());
    out[16..32].copy_from_slice(&head.id);
    out[48..48 + PREFIX].copy_from_slice(&head.prefix);
    wrap(&mut out, &head.key, ring)?;
    Ok(out)
}

fn wrap(out: &mut [u8; HEAD], secret: &[u8; KEY_BYTES], ring: &KeyRing) -> Result<(), VaultError> {
    let (id, by) = ring.current();
    out[32..32 + ID_BYTES].copy_from_slice(id);
    let mut nonce = [0_u8; NONCE];
    crate::random(&mut nonce)?;
    out[BOUND..BOUND + NONCE].copy_from_slice(&nonce);
    let mut sealed = Vec::with_capacity(WRAPPED);
    sealed.extend_from_slice(secret);
    cipher::seal(&cipher::key(by)?, nonce, &out[..BOUND], &mut sealed)?;
    out[BOUND + NONCE..BOUND + NONCE + WRAPPED].copy_from_slice(&sealed);
    Ok(())
}

/// Reads a header and opens the file's key.
pub(crate) fn read(bytes: &[u8], ring: &KeyRing) -> Result<Head, VaultError> {
    if !is_sealed(bytes) {
        return Err(VaultError::NotSealed);
    }
    let bytes: &[u8; HEAD] = bytes
        .get(..HEAD)
        .and_then(|b| b.try_into().ok())
        .ok_or(VaultError::Header("it is cut"))?;
    if (bytes[8], bytes[9]) != (VERSION, CIPHER) {
        return Err(VaultError::Header("version or cipher unknown"));
    }
    let chunk = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
    if usize::try_from(chunk) != Ok(CHUNK) {
        return Err(VaultError::Header("another size of chunks"));
    }
    if bytes[BOUND + NONCE + WRAPPED..].iter().any(|b| *b != 0) {
        return Err(VaultError::Header("what has to be zero is not"));
    }
    let by = ring.find(&bytes[32..32 + ID_BYTES])?;
    let mut nonce = [0_u8; NONCE];
    nonce.copy_from_slice(&bytes[BOUND..BOUND + NONCE]);
    let mut wrapped = Zeroizing::new(bytes[BOUND + NONCE..BOUND + NONCE + WRAPPED].to_vec());
    if !cipher::open(&cipher::key(by)?, nonce, &bytes[..BOUND], &mut wrapped) {
        return Err(VaultError::Wrap);
    }
    let mut head = Head {
        id: [0; 16],
        prefix: [0; PREFIX],
        key: Zeroizing::new([0; KEY_BYTES]),
    };
    head.id.copy_from_slice(&bytes[16..32]);
    head.prefix.copy_from_slice(&bytes[48..48 + PREFIX]);
    head.key.copy_from_slice(&wrapped[..KEY_BYTES]);
    Ok(head)
}

/// The same header with the file's key wrapped by the current key; `None` when it is already. The
/// sound is not touched: this is how keys are changed.
///
/// # Errors
/// As reading the header.
pub fn rewrapped(bytes: &[u8], ring: &KeyRing) -> Result<Option<[u8; HEAD]>, VaultError> {
    let head = read(bytes, ring)?;
    if bytes[32..32 + ID_BYTES] == *ring.current().0 {
        return Ok(None);
    }
    write(&head, ring).map(Some)
}
