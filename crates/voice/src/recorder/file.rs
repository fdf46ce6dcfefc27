//! One recording's file: playable after each write, patient with a full disk.

use super::{BLOCK, Gap, RATE};
use crate::limits;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vault::{KeyRing, Sealer};

/// Bytes before the first sample of a WAV.
pub(super) const HEADER: u64 = 44;
/// Largest data chunk: what a RIFF size can say, less the header and room for marks. At 32 kB a
/// second it is 37 hours.
const DATA_MAX: u64 = 0xFFFF_0000;
/// Silence put in the place of what a full disk cost, bytes at once.
const SILENCE: u64 = 65_536;
/// Why there is a gap where the disk was full.
const FULL: &str = "disk_full";

/// Where recordings are and how they are written.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(super) root: PathBuf,
    /// Keys that seal what is written; without them a file is a plain WAV.
    pub(super) keys: Option<Arc<KeyRing>>,
    /// The disk: writes all of the bytes at the place, or fails.
    pub(super) disk: Disk,
    /// Makes what was written outlast a power cut.
    pub(super) keep: Keep,
}

/// How what is in a folder is brought from the system's memory to the disk.
pub(crate) type Keep = Arc<dyn Fn(&Path) -> io::Result<()> + Send + Sync>;

/// One call for all open files, their sizes and names: hundreds of files synced one by one would each
/// wait for the disk.
pub(super) fn real_keep() -> Keep {
    Arc::new(|root| Ok(rustix::fs::syncfs(File::open(root)?)?))
}

/// How bytes reach a file.
pub(crate) type Disk = Arc<dyn Fn(&File, &[u8], u64) -> io::Result<()> + Send + Sync>;

/// The disk as it is.
pub(super) fn real_disk() -> Disk {
    Arc::new(|file, bytes, at| file.write_all_at(bytes, at))
}

/// Whether all is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Written,
    /// The disk is full: the rest waits for the next try.
    Full,
}

/// A recording being written: left = agent, right = debtor, 16-bit little endian.
pub(super) struct RecordingFile {
    file: File,
    path: PathBuf,
    disk: Disk,
    sealer: Option<Sealer>,
    /// Sound taken, bytes.
    data: u64,
    /// Bytes of the file that are written.
    written: u64,
    /// Bytes that follow them and are not written yet.
    waiting: Vec<u8>,
    /// Sound that came while too much waited, bytes: silence takes its place.
    lost: u64,
    gaps: Vec<Gap>,
    ended: bool,
    sealed: bool,
}

impl RecordingFile {
    /// Creates the file and its folders, for its owner alone; never overwrites one.
    pub(super) fn create(shelf: &Shelf, key: &Path, id: [u8; 16]) -> io::Result<Self> {
        let path = shelf.root.join(key);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let (sealer, head) = match &shelf.keys {
            Some(keys) => {
                let (sealer, head) = Sealer::begin(id, keys).map_err(io::Error::other)?;
                (Some(sealer), head.to_vec())
            }
            None => (None, vault::wav_head(0, 0).to_vec()),
        };
        let mut made = Self {
            file,
            path,
            disk: Arc::clone(&shelf.disk),
            sealed: sealer.is_some(),
            sealer,
            data: 0,
            written: 0,
            waiting: head,
            lost: 0,
            gaps: Vec::new(),
            ended: false,
        };
        made.flush()?;
        Ok(made)
    }

    /// Appends interleaved samples. With a full disk they wait; when too many do, the later ones
    /// become silence, with a gap.
    pub(super) fn append(&mut self, pcm: &[i16]) -> io::Result<Flow> {
        let mut bytes = vec![0_u8; pcm.len() * 2];
        for (to, sample) in bytes.chunks_exact_mut(2).zip(pcm) {
            to.copy_from_slice(&sample.to_le_bytes());
        }
        let length = bytes.len() as u64;
        if self.data + self.lost + length > DATA_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "recording is full",
            ));
        }
        if self.lost == 0 && self.waiting.len() <= limits::RECORDER_STALL_BYTES {
            self.take(&bytes)?;
            return self.flush();
        }
        if self.lost == 0 {
            let from = duration_ms(self.data);
            self.gaps.push((from, from, FULL.to_owned()));
        }
        self.lost += length;
        if let Some(gap) = self.gaps.last_mut() {
            gap.1 = duration_ms(self.data + self.lost);
        }
        self.catch_up()
    }

    /// Writes what waits, then silence for what was lost.
    fn catch_up(&mut self) -> io::Result<Flow> {
        let mut flow = self.flush()?;
        while flow == Flow::Written && self.lost > 0 {
            let part = self.lost.min(SILENCE);
            self.lost -= part;
            self.take(&vec![0; usize::try_from(part).unwrap_or(0)])?;
            flow = self.flush()?;
        }
        Ok(flow)
    }

    fn take(&mut self, sound: &[u8]) -> io::Result<()> {
        match &mut self.sealer {
            Some(sealer) => sealer
                .push(sound, &mut self.waiting)
                .map_err(io::Error::other)?,
            None => self.waiting.extend_from_slice(sound),
        }
        self.data += sound.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<Flow> {
        if self.waiting.is_empty() {
            return Ok(Flow::Written);
        }
        let done = (self.disk)(&self.file, &self.waiting, self.written).and_then(|()| {
            if self.sealed {
                return Ok(());
            }
            let marks = (self.written + self.waiting.len() as u64) - HEADER - self.data;
            (self.disk)(&self.file, &vault::wav_head(self.data, marks), 0)
        });
        match done {
            Ok(()) => {
                self.written += self.waiting.len() as u64;
                // Given back: between two chunks a call keeps none of its sound here.
                self.waiting = Vec::new();
                Ok(Flow::Written)
            }
            // What was written of it is written again, byte for byte the same.
            Err(e) if full(&e) => Ok(Flow::Full),
            Err(e) => Err(e),
        }
    }

    /// Writes what waits, the marks and the end, and makes the file last. On a full disk it may be
    /// tried again.
    pub(super) fn end(&mut self, gaps: &[Gap]) -> io::Result<Flow> {
        if !self.ended {
            if self.catch_up()? == Flow::Full {
                return Ok(Flow::Full);
            }
            let mut all = gaps.to_vec();
            all.append(&mut self.gaps);
            all.sort();
            self.gaps = all;
            let marks = if self.gaps.is_empty() {
                Vec::new()
            } else {
                marks(&self.gaps)
            };
            match self.sealer.take() {
                Some(sealer) => sealer
                    .finish(&marks, &mut self.waiting)
                    .map_err(io::Error::other)?,
                None => self.waiting.extend_from_slice(&marks),
            }
            self.ended = true;
        }
        if self.flush()? == Flow::Full {
            return Ok(Flow::Full);
        }
        self.file.sync_all()?;
        Ok(Flow::Written)
    }

    /// Where it is, and every gap, once it has ended.
    pub(super) fn told(&self) -> (&Path, &[Gap]) {
        (&self.path, &self.gaps)
    }
}

/// Whether the disk, or what its owner may use of it, is full.
fn full(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Milliseconds of a data chunk of so many bytes.
pub(super) fn duration_ms(data: u64) -> i64 {
    i64::try_from(data * 1_000 / u64::from(BLOCK * RATE)).unwrap_or(i64::MAX)
}

fn size(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
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
    out.extend(size(body.len()));
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}
