//! The chunks after the header: what is written, what is read, what a crash leaves.

use crate::head::{self, HEAD, Head, PREFIX};
use crate::{CHUNK, KeyRing, TAG, VaultError, cipher};
use aws_lc_rs::aead::LessSafeKey;
use zeroize::Zeroizing;

/// Bytes of a whole chunk as stored.
const STORED: u64 = (CHUNK + TAG) as u64;
/// The end mark: bytes of sound (8), of marks (4), a word.
const TRAILER: usize = 16;
const WORD: &[u8; 4] = b"MEND";

/// What a chunk is, part of its nonce: a chunk can be taken for no other kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// Sound alone.
    Sound = 0,
    /// The last one, with the end mark.
    Last = 1,
    /// The last one, written by a repair.
    Mended = 2,
    /// Sound and marks, or marks alone, before the last.
    Tail = 3,
}

/// The cipher of one file.
struct Cipher {
    id: [u8; 16],
    prefix: [u8; PREFIX],
    key: LessSafeKey,
}

impl Cipher {
    fn new(head: &Head) -> Result<Self, VaultError> {
        Ok(Self {
            id: head.id,
            prefix: head.prefix,
            key: cipher::key(&head.key)?,
        })
    }

    fn nonce(&self, index: u64, kind: Kind) -> Result<[u8; 12], VaultError> {
        let counter = u32::try_from(index).map_err(|_| VaultError::Full)?;
        let mut nonce = [0_u8; 12];
        nonce[..PREFIX].copy_from_slice(&self.prefix);
        nonce[PREFIX..11].copy_from_slice(&counter.to_be_bytes());
        nonce[11] = kind as u8;
        Ok(nonce)
    }

    fn bound(&self, index: u64, kind: Kind) -> [u8; 25] {
        let mut bound = [0_u8; 25];
        bound[..16].copy_from_slice(&self.id);
        bound[16..24].copy_from_slice(&index.to_be_bytes());
        bound[24] = kind as u8;
        bound
    }

    fn seal(
        &self,
        index: u64,
        kind: Kind,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), VaultError> {
        let mut chunk = Vec::with_capacity(plain.len() + TAG);
        chunk.extend_from_slice(plain);
        let bound = self.bound(index, kind);
        cipher::seal(&self.key, self.nonce(index, kind)?, &bound, &mut chunk)?;
        out.append(&mut chunk);
        Ok(())
    }

    fn open(&self, index: u64, kind: Kind, stored: &[u8]) -> Option<Vec<u8>> {
        let mut chunk = stored.to_vec();
        let bound = self.bound(index, kind);
        cipher::open(&self.key, self.nonce(index, kind).ok()?, &bound, &mut chunk).then_some(chunk)
    }
}

/// Seals a recording while it is made. Whole chunks come out as soon as they are full, so that a kill
/// loses what one chunk holds at most.
pub struct Sealer {
    cipher: Cipher,
    next: u64,
    /// Sound of the chunk that is not full.
    rest: Zeroizing<Vec<u8>>,
    sound: u64,
}

impl Sealer {
    /// A new file: its header, to be written first. `id` is the recording's.
    ///
    /// # Errors
    /// [`VaultError::Cipher`] without randomness.
    pub fn begin(id: [u8; 16], ring: &KeyRing) -> Result<(Self, [u8; HEAD]), VaultError> {
        let mut head = Head {
            id,
            prefix: [0; PREFIX],
            key: Zeroizing::new([0; crate::KEY_BYTES]),
        };
        crate::random(&mut head.prefix)?;
        crate::random(head.key.as_mut_slice())?;
        let sealer = Self {
            cipher: Cipher::new(&head)?,
            next: 0,
            rest: Zeroizing::new(Vec::with_capacity(CHUNK)),
            sound: 0,
        };
        Ok((sealer, head::write(&head, ring)?))
    }

    /// Takes sound (16-bit little endian, interleaved) and appends the chunks that are full to `out`,
    /// to be written one after the other.
    ///
    /// # Errors
    /// [`VaultError::Full`] after 2^32 chunks.
    pub fn push(&mut self, sound: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
        self.sound += sound.len() as u64;
        let mut sound = sound;
        if !self.rest.is_empty() {
            let missing = (CHUNK - self.rest.len()).min(sound.len());
            let (first, others) = sound.split_at(missing);
            self.rest.extend_from_slice(first);
            sound = others;
            if self.rest.len() == CHUNK {
                self.cipher.seal(self.next, Kind::Sound, &self.rest, out)?;
                self.next += 1;
                self.rest.clear();
            }
        }
        // Straight from what was given: the rest never grows beyond a chunk.
        let mut whole = sound.chunks_exact(CHUNK);
        for plain in &mut whole {
            self.cipher.seal(self.next, Kind::Sound, plain, out)?;
            self.next += 1;
        }
        self.rest.extend_from_slice(whole.remainder());
        Ok(())
    }

    /// Bytes of sound taken so far.
    #[must_use]
    pub fn sound(&self) -> u64 {
        self.sound
    }

    /// The end: what is left, the marks (RIFF chunks that follow the sound in the WAV) and the end
    /// mark are appended to `out`.
    ///
    /// # Errors
    /// [`VaultError::Full`] after 2^32 chunks.
    pub fn finish(self, marks: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
        let mut plain = Zeroizing::new(self.rest.to_vec());
        plain.extend_from_slice(marks);
        // The end mark stands in the last chunk, whole.
        let over = (plain.len() + TRAILER) % CHUNK;
        if over != 0 && over < TRAILER {
            let padded = plain.len() + TRAILER - over;
            plain.resize(padded, 0);
        }
        plain.extend_from_slice(&trailer(self.sound, marks.len()));
        let mut parts = plain.chunks(CHUNK).peekable();
        let mut index = self.next;
        while let Some(part) = parts.next() {
            let kind = match parts.peek() {
                Some(_) => Kind::Tail,
                None => Kind::Last,
            };
            self.cipher.seal(index, kind, part, out)?;
            index += 1;
        }
        Ok(())
    }
}

fn trailer(sound: u64, marks: usize) -> [u8; TRAILER] {
    let mut end = [0_u8; TRAILER];
    end[..8].copy_from_slice(&sound.to_le_bytes());
    end[8..12].copy_from_slice(&u32::try_from(marks).unwrap_or(u32::MAX).to_le_bytes());
    end[12..].copy_from_slice(WORD);
    end
}

/// Where the parts of a sealed file are, and what it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Chunks.
    pub chunks: u64,
    /// Bytes of sound.
    pub sound: u64,
    /// Bytes of marks after it.
    pub marks: u64,
    /// Whether a repair wrote the end.
    pub mended: bool,
}

impl Plan {
    /// Bytes of the WAV that it plays.
    #[must_use]
    pub const fn wav_bytes(&self) -> u64 {
        crate::WAV_HEAD as u64 + self.sound + self.marks
    }

    /// Milliseconds of sound.
    #[must_use]
    pub const fn ms(&self) -> u64 {
        self.sound * crate::CHUNK_MS / CHUNK as u64
    }
}

/// A sealed file with its key: opens chunks where they stand.
pub struct Opened {
    cipher: Cipher,
}

/// How many chunks a stored size makes.
#[must_use]
pub const fn chunks_of(stored: u64) -> u64 {
    stored.saturating_sub(HEAD as u64).div_ceil(STORED)
}

/// Place and size of a chunk in a stored file of that size.
#[must_use]
pub const fn span(index: u64, stored: u64) -> (u64, u64) {
    let from = (HEAD as u64).saturating_add(index.saturating_mul(STORED));
    let left = stored.saturating_sub(from);
    (from, if left < STORED { left } else { STORED })
}

impl Opened {
    /// Opens the header: the first [`HEAD`] bytes of the file.
    ///
    /// # Errors
    /// When it is no sealed recording, its key is unknown, or the header was changed.
    pub fn new(first: &[u8], ring: &KeyRing) -> Result<Self, VaultError> {
        Ok(Self {
            cipher: Cipher::new(&head::read(first, ring)?)?,
        })
    }

    /// The recording's id.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.cipher.id
    }

    /// Reads the end mark from the last chunk of a file of `stored` bytes.
    ///
    /// # Errors
    /// [`VaultError::Cut`] when that chunk is not the last one that was written.
    pub fn plan(&self, stored: u64, last: &[u8]) -> Result<Plan, VaultError> {
        let chunks = chunks_of(stored);
        let cut = VaultError::Cut { chunks };
        let Some(index) = chunks.checked_sub(1) else {
            return Err(cut);
        };
        let (plain, mended) = match self.cipher.open(index, Kind::Last, last) {
            Some(plain) => (plain, false),
            None => {
                let mended = self.cipher.open(index, Kind::Mended, last);
                (mended.ok_or_else(|| self.fault(index, chunks, last))?, true)
            }
        };
        let end = plain.len().checked_sub(TRAILER).ok_or(cut)?;
        let field = |from: usize, to: usize| {
            let mut n = [0_u8; 8];
            n[..to - from].copy_from_slice(&plain[end + from..end + to]);
            u64::from_le_bytes(n)
        };
        let plan = Plan {
            chunks,
            sound: field(0, 8),
            marks: field(8, 12),
            mended,
        };
        let whole = index * CHUNK as u64 + plain.len() as u64;
        let said = plan.sound.saturating_add(plan.marks) + TRAILER as u64;
        let padded = said <= whole && whole - said < TRAILER as u64;
        if !plain.ends_with(WORD) || !padded {
            return Err(VaultError::End);
        }
        Ok(plan)
    }

    /// What is wrong with the last chunk of a file: it is an inner one of this file (cut off behind
    /// it), half of one, or changed.
    fn fault(&self, index: u64, chunks: u64, stored: &[u8]) -> VaultError {
        let inner = [Kind::Sound, Kind::Tail]
            .into_iter()
            .any(|kind| self.cipher.open(index, kind, stored).is_some());
        if inner || (stored.len() as u64) < STORED {
            // Half a chunk cannot be told from a changed one of that size: its tag is gone.
            return VaultError::Cut { chunks };
        }
        self.chunk_fault(index, chunks, stored)
    }

    fn chunk_fault(&self, index: u64, chunks: u64, stored: &[u8]) -> VaultError {
        let near = |i: &u64| *i != index;
        let of = (0..chunks.min(SEARCH)).filter(near).find(|i| {
            [Kind::Sound, Kind::Tail, Kind::Last]
                .into_iter()
                .any(|kind| self.cipher.open(*i, kind, stored).is_some())
        });
        VaultError::Chunk { index, of }
    }

    /// Opens a chunk of a file with that plan: its part of sound and marks (the last one without its
    /// end mark).
    ///
    /// # Errors
    /// [`VaultError::Chunk`] when it is not what was written there.
    pub fn chunk(&self, plan: &Plan, index: u64, stored: &[u8]) -> Result<Vec<u8>, VaultError> {
        let kind = if index + 1 == plan.chunks {
            if plan.mended {
                Kind::Mended
            } else {
                Kind::Last
            }
        } else if index < plan.sound / CHUNK as u64 {
            Kind::Sound
        } else {
            Kind::Tail
        };
        let Some(mut plain) = self.cipher.open(index, kind, stored) else {
            return Err(self.chunk_fault(index, plan.chunks, stored));
        };
        let played = (plan.sound + plan.marks).saturating_sub(index * CHUNK as u64);
        plain.truncate(usize::try_from(played).unwrap_or(usize::MAX));
        Ok(plain)
    }

    /// Whether a stored chunk is whole and of sound alone: what a repair keeps.
    #[must_use]
    pub fn keeps(&self, index: u64, stored: &[u8]) -> Option<Vec<u8>> {
        self.cipher.open(index, Kind::Sound, stored)
    }

    /// The end of a file that was cut after `kept` whole chunks of sound, to be written behind them.
    /// For the same number it is the same, whenever it is made.
    ///
    /// # Errors
    /// [`VaultError::Full`] after 2^32 chunks.
    pub fn mend(&self, kept: u64) -> Result<Vec<u8>, VaultError> {
        let mut out = Vec::new();
        let end = trailer(kept * CHUNK as u64, 0);
        self.cipher.seal(kept, Kind::Mended, &end, &mut out)?;
        Ok(out)
    }
}

/// Places looked at to say where a chunk that stands wrong was from.
const SEARCH: u64 = 20_000;
