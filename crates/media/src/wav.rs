//! The recording's file: a header that is valid from its first write, and its repair after a crash.
//!
//! Layout: 44 bytes of RIFF header, then interleaved 16-bit samples, left = agent, right = debtor.
//! The writer puts [`header`] with the sizes so far at the front every now and then; whatever a
//! crash leaves behind, [`repair`] makes the sizes agree with the bytes that are there.

use std::io::{Read, Seek, SeekFrom, Write};

use crate::{MediaError, RATE_HZ};

/// Bytes of the header, to the first sample.
pub const HEADER_BYTES: u32 = 44;

/// Bytes of one instant: two samples of two bytes.
pub const BLOCK_BYTES: u32 = 4;

/// Bytes of a second of recording.
pub const BYTES_PER_S: u32 = RATE_HZ * BLOCK_BYTES;

/// Most audio bytes in a file: RIFF sizes are 32-bit; 37 hours.
pub const MAX_DATA_BYTES: u32 = u32::MAX - 64 - (u32::MAX - 64) % BLOCK_BYTES;

/// The header of a stereo recording with `data_bytes` of audio: 8 kHz, 16-bit, two channels. Larger
/// sizes are brought down to [`MAX_DATA_BYTES`].
#[must_use]
pub fn header(data_bytes: u32) -> [u8; HEADER_BYTES as usize] {
    let data = data_bytes.min(MAX_DATA_BYTES);
    let mut out = [0u8; HEADER_BYTES as usize];
    out[0..4].copy_from_slice(b"RIFF");
    out[4..8].copy_from_slice(&(data + HEADER_BYTES - 8).to_le_bytes());
    out[8..16].copy_from_slice(b"WAVEfmt ");
    out[16..20].copy_from_slice(&16u32.to_le_bytes());
    out[20..22].copy_from_slice(&1u16.to_le_bytes());
    out[22..24].copy_from_slice(&2u16.to_le_bytes());
    out[24..28].copy_from_slice(&RATE_HZ.to_le_bytes());
    out[28..32].copy_from_slice(&BYTES_PER_S.to_le_bytes());
    out[32..34].copy_from_slice(&4u16.to_le_bytes());
    out[34..36].copy_from_slice(&16u16.to_le_bytes());
    out[36..40].copy_from_slice(b"data");
    out[40..44].copy_from_slice(&data.to_le_bytes());
    out
}

/// Samples as the bytes of a WAV file, appended to `out`.
pub fn append_samples(samples: &[i16], out: &mut Vec<u8>) {
    out.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
}

/// What a header says of its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Audio bytes by the header.
    pub data_bytes: u32,
    /// Length of that, ms.
    pub ms: u64,
}

/// Reads a header of ours.
///
/// # Errors
/// [`MediaError::Wav`] where it is not one: another layout, or sizes that contradict each other.
pub fn parse_header(bytes: &[u8]) -> Result<Info, MediaError> {
    let Some(found) = bytes.get(..HEADER_BYTES as usize) else {
        return Err(MediaError::Wav(format!(
            "{} bytes are no header",
            bytes.len()
        )));
    };
    let data_bytes = u32::from_le_bytes([found[40], found[41], found[42], found[43]]);
    if data_bytes > MAX_DATA_BYTES || *found != header(data_bytes) {
        return Err(MediaError::Wav("not the header of a recording".into()));
    }
    Ok(Info {
        data_bytes,
        ms: u64::from(data_bytes / BLOCK_BYTES) * 1_000 / u64::from(RATE_HZ),
    })
}

/// What [`repair`] found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// Audio bytes there are now by the header: whole instants only.
    pub data_bytes: u32,
    /// True where the header was missing, damaged or out of date, and was written anew.
    pub changed: bool,
    /// Bytes at the end that are not a whole instant; the caller truncates the file by as much.
    pub torn_bytes: u64,
}

/// Makes the header of a recording of ours agree with the length of the file, as after a crash.
/// Safe to repeat.
///
/// # Errors
/// [`MediaError::Wav`] where the file is too short for a header, [`MediaError::WavIo`] where it
/// cannot be read or written.
pub fn repair(file: &mut (impl Read + Write + Seek)) -> Result<Repaired, MediaError> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(audio) = length.checked_sub(u64::from(HEADER_BYTES)) else {
        return Err(MediaError::Wav(format!("{length} bytes are no recording")));
    };
    let torn_bytes = audio % u64::from(BLOCK_BYTES);
    let data_bytes = u32::try_from(audio - torn_bytes)
        .unwrap_or(MAX_DATA_BYTES)
        .min(MAX_DATA_BYTES);
    let mut found = [0u8; HEADER_BYTES as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut found)?;
    let wanted = header(data_bytes);
    let changed = found != wanted;
    if changed {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&wanted)?;
        file.flush()?;
    }
    Ok(Repaired {
        data_bytes,
        changed,
        torn_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    #[test]
    fn another_reader_takes_the_file_for_what_it_is() {
        let mut bytes = header(8).to_vec();
        append_samples(&[1, -2, 3, -4], &mut bytes);
        let mut reader = hound::WavReader::new(Cursor::new(bytes)).unwrap();
        let spec = reader.spec();
        assert_eq!(
            (spec.channels, spec.sample_rate, spec.bits_per_sample),
            (2, 8_000, 16)
        );
        let samples: Vec<i16> = reader.samples::<i16>().map(|s| s.unwrap()).collect();
        assert_eq!(samples, [1, -2, 3, -4]);
    }

    #[test]
    fn a_crash_at_any_byte_leaves_a_playable_file() {
        let mut whole = header(0).to_vec();
        append_samples(&(0..2_000).collect::<Vec<i16>>(), &mut whole);
        for cut in 44..whole.len() {
            let mut file = Cursor::new(whole[..cut].to_vec());
            let repaired = repair(&mut file).unwrap();
            assert_eq!(
                u64::from(repaired.data_bytes) + repaired.torn_bytes,
                cut as u64 - 44
            );
            let again = repair(&mut file).unwrap();
            assert!(!again.changed && (again.data_bytes == repaired.data_bytes));
            let bytes = file.into_inner();
            let kept = bytes.len() - usize::try_from(repaired.torn_bytes).unwrap();
            let reader = hound::WavReader::new(Cursor::new(&bytes[..kept])).unwrap();
            assert_eq!(reader.duration(), repaired.data_bytes / BLOCK_BYTES);
        }
        assert!(repair(&mut Cursor::new(vec![0; 43])).is_err());
    }

    #[test]
    fn sizes_stay_within_riff() {
        let info = parse_header(&header(u32::MAX)).unwrap();
        assert_eq!(info.data_bytes, MAX_DATA_BYTES);
        assert_eq!(parse_header(&header(32_000)).unwrap().ms, 1_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_repaired_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_header(&bytes);
            let mut file = Cursor::new(bytes.clone());
            match repair(&mut file) {
                Ok(r) => {
                    prop_assert_eq!(parse_header(file.get_ref()).unwrap().data_bytes, r.data_bytes);
                    prop_assert_eq!(file.get_ref().len(), bytes.len());
                }
                Err(_) => prop_assert!(bytes.len() < 44),
            }
        }
    }
}
