//! The threads that write recordings: one appends what comes, one ends files (fsync and hash may take
//! their time there).

use super::Gap;
use super::facts::facts;
use super::file::{Flow, Keep, RecordingFile, Shelf};
use crate::{VoiceError, limits};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use domain::ids::{AttemptId, RecordingId};
use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Between two tries to end files that a full disk holds up.
const AGAIN: Duration = Duration::from_secs(1);

/// What the writer is told.
pub(crate) enum Job {
    Open {
        recording: RecordingId,
        attempt: AttemptId,
        key: String,
    },
    Pcm {
        recording: RecordingId,
        stereo: Vec<i16>,
    },
    Seal {
        recording: RecordingId,
        gaps: Vec<Gap>,
    },
}

/// What the writer tells.
#[derive(Debug)]
pub(crate) enum RecorderEvent {
    Sealed {
        recording: RecordingId,
        attempt: AttemptId,
        sha256: String,
        duration_ms: i64,
        bytes: i64,
        gaps: Vec<Gap>,
    },
    Failed {
        recording: RecordingId,
        attempt: AttemptId,
        reason: String,
    },
}

/// The way to the writer, and back again for what it has written.
#[derive(Clone)]
pub(crate) struct WriterLine {
    jobs: Sender<Job>,
    sheets: Receiver<Vec<i16>>,
}

impl WriterLine {
    /// An empty sheet to write sound on, one that was used before where there is one: a media thread asks nothing of
    /// the allocator while its calls go on.
    pub(crate) fn sheet(&self, usual: usize) -> Vec<i16> {
        let used = self.sheets.try_recv().ok();
        used.unwrap_or_else(|| Vec::with_capacity(usual))
    }

    /// Hands a job over; gives it back when the writer is behind, to be tried again.
    pub(crate) fn give(&self, job: Job) -> Result<(), Job> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job)) => Err(job),
            // The writer ends after all taps: nobody is left to tell.
            Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }
}

type Tell = Arc<dyn Fn(RecorderEvent) + Send + Sync>;

/// The running threads; they end when every line to them is dropped.
pub(crate) struct Writer(Vec<std::thread::JoinHandle<()>>);

impl Writer {
    /// Starts the threads. `tell` is called on them for each sealed or failed recording.
    pub(crate) fn start(
        shelf: Shelf,
        tell: impl Fn(RecorderEvent) + Send + Sync + 'static,
    ) -> Result<(Self, WriterLine), VoiceError> {
        let tell: Tell = Arc::new(tell);
        let (line, jobs) = bounded(limits::RECORDER_QUEUE);
        let (used, sheets) = bounded(limits::RECORDER_SHEETS);
        let (ending, ended) = bounded(limits::RECORDER_ENDS);
        let (keys, told) = (shelf.keys.clone(), Arc::clone(&tell));
        let (root, keep) = (shelf.root.clone(), Arc::clone(&shelf.keep));
        // The appending thread holds the way in: its end is the keeper's.
        let (wrote, written) = bounded(1);
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(run)
                .map_err(|source| VoiceError::Thread {
                    what: "recorder",
                    source,
                })
        };
        let threads = vec![
            spawn(
                "recorder",
                Box::new(move || append(&shelf, (&jobs, &used), &ending, &wrote, &tell)),
            )?,
            spawn(
                "recorder-keeps",
                Box::new(move || lasting(&root, &keep, &written)),
            )?,
            spawn(
                "recorder-ends",
                Box::new(move || end(&ended, keys.as_deref(), &told)),
            )?,
        ];
        Ok((Self(threads), WriterLine { jobs: line, sheets }))
    }

    /// Whether a thread ended, though a line to it is held.
    pub(crate) fn gone(&self) -> bool {
        self.0.iter().any(std::thread::JoinHandle::is_finished)
    }

    /// Waits for the last recording to be sealed.
    pub(crate) fn join(self) {
        for thread in self.0 {
            let _ = thread.join();
        }
    }
}

struct Open {
    attempt: AttemptId,
    file: RecordingFile,
}

/// A recording whose sound is complete.
struct Complete {
    recording: RecordingId,
    open: Open,
    gaps: Vec<Gap>,
}

/// Brings what was written to the disk every now and then, as long as something is: power that fails
/// costs no more than that, what is on its way and the time of one call.
fn lasting(root: &Path, keep: &Keep, written: &Receiver<()>) {
    let mut good = true;
    while written.recv().is_ok() {
        let kept = keep(root);
        if kept.is_ok() != good {
            good = kept.is_ok();
            tracing::warn!(good, error = ?kept.err(), "recordings brought to the disk");
        }
        std::thread::sleep(limits::RECORDER_KEEPS);
    }
}

fn append(
    shelf: &Shelf,
    (jobs, used): (&Receiver<Job>, &Sender<Vec<i16>>),
    ending: &Sender<Complete>,
    wrote: &Sender<()>,
    tell: &Tell,
) {
    let mut appending = Appending {
        shelf,
        ending,
        wrote,
        tell,
        used,
        open: HashMap::new(),
        full: false,
    };
    while let Ok(first) = jobs.recv() {
        std::iter::once(first)
            .chain(jobs.try_iter())
            .for_each(|job| appending.job(job));
        // What comes meanwhile is done in one go, and no media thread has to wake this one for it.
        std::thread::sleep(limits::RECORDER_GATHERS);
    }
}

/// The appending thread at work.
struct Appending<'a> {
    shelf: &'a Shelf,
    ending: &'a Sender<Complete>,
    wrote: &'a Sender<()>,
    tell: &'a Tell,
    /// Where sheets go that may be used again.
    used: &'a Sender<Vec<i16>>,
    open: HashMap<RecordingId, Open>,
    /// The disk was, last time.
    full: bool,
}

impl Appending<'_> {
    fn job(&mut self, job: Job) {
        match job {
            Job::Open {
                recording,
                attempt,
                key,
            } => match create(self.shelf, &key, recording) {
                Ok(file) => drop(self.open.insert(recording, Open { attempt, file })),
                Err(reason) => (self.tell)(RecorderEvent::Failed {
                    recording,
                    attempt,
                    reason,
                }),
            },
            Job::Pcm {
                recording,
                mut stereo,
            } => {
                self.sound(recording, &stereo);
                stereo.clear();
                // What is too many goes back to the allocator, on this thread.
                let _ = self.used.try_send(stereo);
            }
            Job::Seal { recording, gaps } => {
                if let Some(rec) = self.open.remove(&recording) {
                    // Waits while the other thread is far behind; the taps keep what comes meanwhile.
                    let _ = self.ending.send(Complete {
                        recording,
                        open: rec,
                        gaps,
                    });
                }
            }
        }
    }

    fn sound(&mut self, recording: RecordingId, stereo: &[i16]) {
        let Some(rec) = self.open.get_mut(&recording) else {
            return;
        };
        match rec.file.append(stereo) {
            Ok(flow) => {
                // Full: a sync that covers this is asked for already.
                let _ = self.wrote.try_send(());
                let full = flow == Flow::Full;
                if full != std::mem::replace(&mut self.full, full) {
                    tracing::warn!(full, "the disk of the recordings");
                }
            }
            Err(e) => {
                // What is written stays playable: a repair finds its end.
                let attempt = rec.attempt;
                self.open.remove(&recording);
                (self.tell)(RecorderEvent::Failed {
                    recording,
                    attempt,
                    reason: e.to_string(),
                });
            }
        }
    }
}

/// Ends files. What a full disk holds up is tried again until it is done, and once more at the end:
/// what is left then is mended at the next start.
fn end(complete: &Receiver<Complete>, keys: Option<&vault::KeyRing>, tell: &Tell) {
    let mut held: Vec<Complete> = Vec::new();
    loop {
        let next = if held.is_empty() {
            complete.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            complete.recv_timeout(AGAIN)
        };
        let over = match next {
            Ok(one) => {
                held.push(one);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        held = held
            .into_iter()
            .filter_map(|one| finish(one, keys, tell))
            .collect();
        if over {
            return;
        }
    }
}

/// Ends one file; gives it back when the disk is full.
fn finish(mut one: Complete, keys: Option<&vault::KeyRing>, tell: &Tell) -> Option<Complete> {
    let (recording, attempt) = (one.recording, one.open.attempt);
    let done = match one.open.file.end(&one.gaps) {
        Ok(Flow::Full) => return Some(one),
        Ok(Flow::Written) => {
            let (path, gaps) = one.open.file.told();
            facts(path, keys).map(|found| (found, gaps.to_vec()))
        }
        Err(e) => Err(e),
    };
    tell(match done {
        Ok((found, gaps)) => RecorderEvent::Sealed {
            recording,
            attempt,
            sha256: found.sha256,
            duration_ms: found.duration_ms,
            bytes: found.bytes,
            gaps,
        },
        Err(e) => RecorderEvent::Failed {
            recording,
            attempt,
            reason: e.to_string(),
        },
    });
    None
}

fn create(shelf: &Shelf, key: &str, recording: RecordingId) -> Result<RecordingFile, String> {
    let relative = Path::new(key);
    let inside = relative
        .components()
        .all(|c| matches!(c, Component::Normal(_)));
    if key.is_empty() || !inside {
        return Err("bad recording key".to_owned());
    }
    let id = *Uuid::from(recording).as_bytes();
    RecordingFile::create(shelf, relative, id).map_err(|e| e.to_string())
}
