//! Mending what a crash left.

use super::BLOCK;
use super::facts::{Facts, Stored, facts};
use super::file::HEADER;
use crate::VoiceError;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use vault::{KeyRing, Opened, VaultError, chunks_of, is_sealed, span, wav_head};

/// What a mended recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Length, milliseconds.
    pub duration_ms: i64,
    /// Size of the WAV that it plays, bytes.
    pub bytes: i64,
    /// SHA-256 of that WAV, hex.
    pub sha256: String,
    /// Gaps known now: from, to (milliseconds), reason. The end of a cut file is a gap of unknown
    /// length, told as `(duration, duration, "cut")`.
    pub gaps: Vec<(i64, i64, String)>,
}

impl Repaired {
    fn of(found: Facts, cut: bool) -> Self {
        let end = found.duration_ms;
        Self {
            duration_ms: end,
            bytes: found.bytes,
            sha256: found.sha256,
            gaps: cut
                .then(|| (end, end, "cut".to_owned()))
                .into_iter()
                .collect(),
        }
    }
}

/// Makes a recording that a kill left behind playable and tells what is in it: a sealed one (`keys`
/// open it) keeps every whole chunk, a plain WAV every sample. A file that was finished is left as it
/// is. Not for a file that is still being written.
///
/// # Errors
/// The file is missing, is no recording of ours, or its key is not there.
pub fn repair_recording(path: &Path, keys: Option<&KeyRing>) -> Result<Repaired, VoiceError> {
    let fail = |e: io::Error| VoiceError::recording(path, e.to_string());
    let stored = Stored::open(path).map_err(fail)?;
    let first = stored.first().map_err(fail)?;
    let cut = if is_sealed(&first) {
        let keys = keys.ok_or(io::Error::other("sealed, and no key file is configured"));
        mend_sealed(path, &stored, &first, keys.map_err(fail)?)
    } else {
        mend_plain(path, &first, stored.len)
    };
    let cut = cut.map_err(fail)?;
    let found = facts(path, keys).map_err(fail)?;
    Ok(Repaired::of(found, cut))
}

/// Whether the file was cut, and is whole now.
fn mend_sealed(path: &Path, stored: &Stored, first: &[u8], keys: &KeyRing) -> io::Result<bool> {
    let opened = Opened::new(first, keys).map_err(io::Error::other)?;
    let chunks = chunks_of(stored.len);
    if let Some(last) = chunks.checked_sub(1) {
        match opened.plan(stored.len, &stored.chunk(last)?) {
            // An end that an earlier repair wrote: cut it was.
            Ok(plan) => return Ok(plan.mended),
            Err(VaultError::Cut { .. } | VaultError::Chunk { .. }) => {}
            Err(other) => return Err(io::Error::other(other)),
        }
    }
    let mut kept = 0;
    while kept < chunks && opened.keeps(kept, &stored.chunk(kept)?).is_some() {
        kept += 1;
    }
    let (end, _) = span(kept, u64::MAX);
    let file = OpenOptions::new().write(true).open(path)?;
    // What follows is cut off first: the new end must be the last thing of the file.
    file.set_len(end)?;
    let mended = opened.mend(kept).map_err(io::Error::other)?;
    file.write_all_at(&mended, end)?;
    file.sync_all()?;
    Ok(true)
}

fn mend_plain(path: &Path, first: &[u8], len: u64) -> io::Result<bool> {
    let head = &first[..first.len().min(44)];
    let expected = wav_head(0, 0);
    let ours = |range: std::ops::Range<usize>| {
        let end = range.end.min(head.len());
        range.start >= end || head[range.start..end] == expected[range.start..end]
    };
    if !(ours(0..4) && ours(8..40)) {
        return Err(io::Error::other("not a recording of this program"));
    }
    let field = |from: usize| match head.get(from..from + 4) {
        Some(&[a, b, c, d]) => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => 0,
    };
    let (riff, said) = (field(4), field(40));
    // Marks follow the data of a sealed file: then both sizes are right and nothing is touched.
    let sealed = riff + 8 == len && HEADER + said <= len;
    if !sealed || said == 0 {
        let whole = len.saturating_sub(HEADER);
        let data = whole - whole % u64::from(BLOCK);
        let file = OpenOptions::new().write(true).open(path)?;
        file.write_all_at(&wav_head(data, 0), 0)?;
        file.set_len(HEADER + data)?;
        file.sync_all()?;
    }
    Ok(!sealed)
}
