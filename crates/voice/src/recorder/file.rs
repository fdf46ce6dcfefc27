//! One WAV file that is playable after each write.

use super::{BLOCK, Gap, RATE};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes before the first sample.
pub(super) const HEADER: u64 = 44;
/// Largest data chunk: what a RIFF size can say, less the header and room for marks. At 32 kB a
/// second it is 37 hours.
const DATA_MAX: u64 = 0xFFFF_0000;

/// A recording being written: left = agent, right = debtor, 16-bit little endian.
pub(super) struct WavFile {
    file: File,
    path: PathBuf,
    data: u64,
    bytes: Vec<u8>,
}

/// What is known of a sealed file.
pub(super) struct Sealed {
    pub(super) sha256: String,
    pub(super) duration_ms: i64,
    pub(super) bytes: i64,
}

impl WavFile {
    /// Creates the file and its folders; never overwrites one.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        file.write_all_at(&header(0), 0)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            data: 0,
            bytes: Vec::with_capacity(64 * 1024),
        })
    }

    /// Appends interleaved samples, then says so in the header.
    pub(super) fn append(&mut self, pcm: &[i16]) -> io::Result<()> {
        self.bytes.clear();
        self.bytes.extend(pcm.iter().flat_map(|s| s.to_le_bytes()));
        let len = self.bytes.len() as u64;
        if self.data + len > DATA_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "recording is full",
            ));
        }
        self.file.write_all_at(&self.bytes, HEADER + self.data)?;
        self.data += len;
        self.file.write_all_at(&header(self.data), 0)
    }

    /// Writes the marks, makes the file last and hashes it.
    pub(super) fn seal(self, gaps: &[Gap]) -> io::Result<Sealed> {
        if !gaps.is_empty() {
            let marks = marks(gaps);
            self.file.write_all_at(&marks, HEADER + self.data)?;
            let riff = HEADER - 8 + self.data + marks.len() as u64;
            self.file.write_all_at(&size(riff), 4)?;
        }
        self.file.sync_all()?;
        let (sha256, bytes) = hash(&self.path)?;
        Ok(Sealed {
            sha256,
            duration_ms: duration_ms(self.data),
            bytes,
        })
    }
}

/// Milliseconds of a data chunk of so many bytes.
pub(super) fn duration_ms(data: u64) -> i64 {
    i64::try_from(data * 1_000 / u64::from(BLOCK * RATE)).unwrap_or(i64::MAX)
}

/// SHA-256 in hex, and size, of a file.
pub(super) fn hash(path: &Path) -> io::Result<(String, i64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut total = 0_i64;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hex::encode(hasher.finalize()), total));
        }
        hasher.update(&buffer[..n]);
        total = total.saturating_add(i64::try_from(n).unwrap_or(i64::MAX));
    }
}

fn size(n: u64) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// The 44 bytes before the samples (WAVE_FORMAT_PCM, 8 kHz, 16-bit, 2 channels).
pub(super) fn header(data: u64) -> [u8; 44] {
    let mut h = [0_u8; 44];
    h[0..4].copy_from_slice(b"RIFF");
    h[4..8].copy_from_slice(&size(HEADER - 8 + data));
    h[8..16].copy_from_slice(b"WAVEfmt ");
    h[16..20].copy_from_slice(&16_u32.to_le_bytes());
    h[20..22].copy_from_slice(&1_u16.to_le_bytes());
    h[22..24].copy_from_slice(&2_u16.to_le_bytes());
    h[24..28].copy_from_slice(&RATE.to_le_bytes());
    h[28..32].copy_from_slice(&(RATE * BLOCK).to_le_bytes());
    h[32..34].copy_from_slice(&4_u16.to_le_bytes());
    h[34..36].copy_from_slice(&16_u16.to_le_bytes());
    h[36..40].copy_from_slice(b"data");
    h[40..44].copy_from_slice(&size(data));
    h
}

/// Cue points with labels: each gap's start and end, so that a listener sees a pause as a pause.
fn marks(gaps: &[Gap]) -> Vec<u8> {
    let mut cue = Vec::new();
    let mut labels = b"adtl".to_vec();
    let mut id = 0_u32;
    for (from, to, reason) in gaps {
        for (ms, text) in [
            (from, format!("{reason} from")),
            (to, format!("{reason} to")),
        ] {
            id += 1;
            let sample = u32::try_from(ms.max(&0) * 8)
                .unwrap_or(u32::MAX)
                .to_le_bytes();
            cue.extend(id.to_le_bytes());
            cue.extend(sample);
            cue.extend(b"data");
            cue.extend([0_u8; 8]);
            cue.extend(sample);
            let mut label = id.to_le_bytes().to_vec();
            label.extend(text.bytes());
            label.push(0);
            chunk(&mut labels, *b"labl", &label);
        }
    }
    let mut all = Vec::new();
    let mut body = id.to_le_bytes().to_vec();
    body.append(&mut cue);
    chunk(&mut all, *b"cue ", &body);
    chunk(&mut all, *b"LIST", &labels);
    all
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], body: &[u8]) {
    out.extend(name);
    out.extend(size(body.len() as u64));
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> (hound::WavSpec, Vec<i16>) {
        let reader = hound::WavReader::open(path).expect("opens");
        let spec = reader.spec();
        (
            spec,
            reader.into_samples().map(|s| s.expect("sample")).collect(),
        )
    }

    #[test]
    fn playable_after_each_write_and_with_marks() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("2026/11/23/x.wav");
        let mut wav = WavFile::create(&path).expect("creates");
        assert_eq!(read(&path).1.len(), 0);
        wav.append(&[1, -1, 2, -2]).expect("appends");
        assert_eq!(read(&path).1, [1, -1, 2, -2]);
        wav.append(&vec![7; 16_000]).expect("appends");
        let sealed = wav.seal(&[(100, 300, "pause".to_owned())]).expect("seals");
        let (spec, samples) = read(&path);
        assert_eq!(
            (spec.channels, spec.sample_rate, samples.len()),
            (2, 8_000, 16_004)
        );
        assert_eq!(sealed.duration_ms, 1_000);
        assert_eq!(hash(&path).expect("hashes"), (sealed.sha256, sealed.bytes));
        assert!(WavFile::create(&path).is_err(), "never overwrites");
    }
}
