//! Mending what a crash left.

use super::file::{HEADER, duration_ms, hash, header};
use super::{BLOCK, RATE};
use crate::VoiceError;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What a mended recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Length, milliseconds.
    pub duration_ms: i64,
    /// Size, bytes.
    pub bytes: i64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Gaps known now: from, to (milliseconds), reason. The end of a cut file is a gap of unknown
    /// length, told as `(duration, duration, "cut")`.
    pub gaps: Vec<(i64, i64, String)>,
}

/// Makes a recording that a kill left behind playable and tells what is in it. A file whose header
/// is right already is left as it is. Not for a file that is still being written.
///
/// # Errors
/// The file is missing, or is no recording of ours.
pub fn repair_recording(path: &Path) -> Result<Repaired, VoiceError> {
    let fail = |reason: &dyn ToString| VoiceError::recording(path, reason.to_string());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| fail(&e))?;
    let len = file.metadata().map_err(|e| fail(&e))?.len();
    let mut found = [0_u8; 44];
    let known = usize::try_from(len.min(HEADER)).unwrap_or(0);
    file.read_exact_at(&mut found[..known], 0)
        .map_err(|e| fail(&e))?;
    let expected = header(0);
    let ours = |range: std::ops::Range<usize>| {
        let end = range.end.min(known);
        range.start >= end || found[range.start..end] == expected[range.start..end]
    };
    if !(ours(0..4) && ours(8..40)) {
        return Err(fail(&"not a recording of this program"));
    }
    let riff = u64::from(u32::from_le_bytes([found[4], found[5], found[6], found[7]]));
    let said = u64::from(u32::from_le_bytes([
        found[40], found[41], found[42], found[43],
    ]));
    // Marks follow the data of a sealed file: then both sizes are right and nothing is touched.
    let sealed = riff + 8 == len && HEADER + said <= len;
    let mut data = said;
    let mut gaps = Vec::new();
    if !sealed || said == 0 {
        let whole = len.saturating_sub(HEADER);
        data = whole - whole % u64::from(BLOCK);
        file.write_all_at(&header(data), 0).map_err(|e| fail(&e))?;
        file.set_len(HEADER + data).map_err(|e| fail(&e))?;
        file.sync_all().map_err(|e| fail(&e))?;
    }
    if !sealed {
        gaps.push((duration_ms(data), duration_ms(data), "cut".to_owned()));
    }
    let (sha256, bytes) = hash(path).map_err(|e| fail(&e))?;
    debug_assert_eq!(RATE * BLOCK, 32_000);
    Ok(Repaired {
        duration_ms: duration_ms(data),
        bytes,
        sha256,
        gaps,
    })
}

#[cfg(test)]
mod tests {
    use super::super::file::WavFile;
    use super::*;

    #[test]
    fn a_cut_file_plays_again() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.wav");
        let mut wav = WavFile::create(&path).expect("creates");
        wav.append(&vec![5; 32_000]).expect("appends");
        drop(wav);
        // A kill between the data and the header: more data than the header says, and half a sample.
        let file = OpenOptions::new().write(true).open(&path).expect("opens");
        file.write_all_at(&[9_u8; 16_003], HEADER + 64_000)
            .expect("writes");
        let mended = repair_recording(&path).expect("mends");
        assert_eq!(mended.duration_ms, 2_500);
        assert_eq!(mended.gaps, [(2_500, 2_500, "cut".to_owned())]);
        let reader = hound::WavReader::open(&path).expect("plays");
        assert_eq!(reader.duration(), 20_000);
        assert_eq!(hash(&path).expect("hashes").0, mended.sha256);
        // Mending twice changes nothing.
        let again = repair_recording(&path).expect("mends");
        assert_eq!((again.sha256, again.gaps.len()), (mended.sha256, 0));
    }

    #[test]
    fn every_cut_of_a_file_is_mended_or_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.wav");
        let mut wav = WavFile::create(&path).expect("creates");
        wav.append(&[1, 2, 3, 4]).expect("appends");
        wav.seal(&[]).expect("seals");
        let whole = std::fs::read(&path).expect("reads");
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writes");
            repair_recording(&path).expect("mends");
            hound::WavReader::open(&path).expect("plays");
        }
        std::fs::write(&path, b"RIFFxxxxWAVEfmt then something else that is long").expect("writes");
        assert!(repair_recording(&path).is_err());
        assert!(repair_recording(&dir.path().join("none.wav")).is_err());
    }

    #[test]
    fn sealed_marks_survive() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.wav");
        let mut wav = WavFile::create(&path).expect("creates");
        wav.append(&[0; 16_000]).expect("appends");
        let sealed = wav.seal(&[(1, 2, "pause".to_owned())]).expect("seals");
        let mended = repair_recording(&path).expect("mends");
        assert_eq!((mended.sha256, mended.gaps.len()), (sealed.sha256, 0));
    }
}
