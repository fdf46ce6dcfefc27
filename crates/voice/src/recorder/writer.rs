//! The thread that writes recordings.

use super::Gap;
use super::file::WavFile;
use crate::{VoiceError, limits};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use domain::ids::{AttemptId, RecordingId};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

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

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct WriterLine(Sender<Job>);

impl WriterLine {
    /// Hands a job over; gives it back when the writer is behind, to be tried again.
    pub(crate) fn give(&self, job: Job) -> Result<(), Job> {
        match self.0.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job)) => Err(job),
            // The writer ends after all taps: nobody is left to tell.
            Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }
}

/// The running thread; it ends when every line to it is dropped.
pub(crate) struct Writer(std::thread::JoinHandle<()>);

impl Writer {
    /// Starts the thread. `tell` is called on it for each sealed or failed recording.
    pub(crate) fn start(
        root: PathBuf,
        tell: impl FnMut(RecorderEvent) + Send + 'static,
    ) -> Result<(Self, WriterLine), VoiceError> {
        let (line, jobs) = bounded(limits::RECORDER_QUEUE);
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || run(&root, &jobs, tell))
            .map_err(|source| VoiceError::Thread {
                what: "recorder",
                source,
            })?;
        Ok((Self(thread), WriterLine(line)))
    }

    /// Waits for the last recording to be sealed.
    pub(crate) fn join(self) {
        let _ = self.0.join();
    }
}

struct Open {
    attempt: AttemptId,
    file: WavFile,
}

fn run(root: &Path, jobs: &Receiver<Job>, mut tell: impl FnMut(RecorderEvent)) {
    let mut open: HashMap<RecordingId, Open> = HashMap::new();
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Open {
                recording,
                attempt,
                key,
            } => match create(root, &key) {
                Ok(file) => drop(open.insert(recording, Open { attempt, file })),
                Err(reason) => tell(RecorderEvent::Failed {
                    recording,
                    attempt,
                    reason,
                }),
            },
            Job::Pcm { recording, stereo } => {
                let Some(rec) = open.get_mut(&recording) else {
                    continue;
                };
                if let Err(e) = rec.file.append(&stereo) {
                    // What is written stays playable: the header tells the last good size.
                    let attempt = rec.attempt;
                    open.remove(&recording);
                    tell(RecorderEvent::Failed {
                        recording,
                        attempt,
                        reason: e.to_string(),
                    });
                }
            }
            Job::Seal { recording, gaps } => {
                let Some(rec) = open.remove(&recording) else {
                    continue;
                };
                let attempt = rec.attempt;
                tell(match rec.file.seal(&gaps) {
                    Ok(s) => RecorderEvent::Sealed {
                        recording,
                        attempt,
                        sha256: s.sha256,
                        duration_ms: s.duration_ms,
                        bytes: s.bytes,
                        gaps,
                    },
                    Err(e) => RecorderEvent::Failed {
                        recording,
                        attempt,
                        reason: e.to_string(),
                    },
                });
            }
        }
    }
}

fn create(root: &Path, key: &str) -> Result<WavFile, String> {
    let relative = Path::new(key);
    let inside = relative
        .components()
        .all(|c| matches!(c, Component::Normal(_)));
    if key.is_empty() || !inside {
        return Err("bad recording key".to_owned());
    }
    WavFile::create(&root.join(relative)).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn writes_seals_and_refuses_bad_keys() {
        let dir = tempfile::tempdir().expect("folder");
        let (told_tx, told) = bounded(16);
        let (writer, line) = Writer::start(dir.path().to_owned(), move |e| {
            told_tx.send(e).expect("test listens");
        })
        .expect("starts");
        let attempt = AttemptId(Uuid::from_u128(1));
        let open = |n: u128, key: &str| Job::Open {
            recording: RecordingId(Uuid::from_u128(n)),
            attempt,
            key: key.to_owned(),
        };
        for (n, key) in [(10, "../x.wav"), (11, "/tmp/x.wav"), (12, "")] {
            assert!(line.give(open(n, key)).is_ok());
            assert!(
                matches!(told.recv(), Ok(RecorderEvent::Failed { .. })),
                "{key}"
            );
        }
        let recording = RecordingId(Uuid::from_u128(1));
        assert!(line.give(open(1, "2026/a.wav")).is_ok());
        assert!(
            line.give(Job::Pcm {
                recording,
                stereo: vec![3; 8_000]
            })
            .is_ok()
        );
        assert!(
            line.give(Job::Seal {
                recording,
                gaps: vec![]
            })
            .is_ok()
        );
        let Ok(RecorderEvent::Sealed {
            duration_ms, bytes, ..
        }) = told.recv()
        else {
            panic!("not sealed");
        };
        assert_eq!((duration_ms, bytes), (500, 44 + 16_000));
        drop(line);
        writer.join();
    }
}
