//! Files as the writer leaves them: whole, cut, changed, on a full disk.

use super::facts::facts;
use super::file::{Flow, RecordingFile, Shelf, real_disk};
use super::writer::{Job, RecorderEvent, Writer};
use super::{Repaired, repair_recording, shelf};
use crossbeam_channel::bounded;
use domain::ids::{AttemptId, RecordingId};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;
use vault::{HEAD, KeyRing, Opened, WAV_HEAD, chunks_of, span, wav_head};

const ID: [u8; 16] = [4; 16];

fn keys() -> Arc<KeyRing> {
    Arc::new(KeyRing::of([3; 32]))
}

fn sealed_shelf(dir: &Path) -> Shelf {
    shelf(dir.to_owned(), Some(keys()))
}

/// The WAV that a sealed file plays.
fn wav(path: &Path) -> Vec<u8> {
    let file = std::fs::read(path).expect("reads");
    let stored = file.len() as u64;
    let part = |i: u64| {
        let (from, len) = span(i, stored);
        let (from, len) = (usize::try_from(from), usize::try_from(len));
        let (from, len) = (from.expect("fits"), len.expect("fits"));
        &file[from..from + len]
    };
    let opened = Opened::new(&file[..HEAD], &keys()).expect("opens");
    let plan = opened
        .plan(stored, part(chunks_of(stored) - 1))
        .expect("ends");
    let mut out = wav_head(plan.sound, plan.marks).to_vec();
    for i in 0..plan.chunks {
        out.extend(opened.chunk(&plan, i, part(i)).expect("opens"));
    }
    out
}

fn samples(wav: &[u8]) -> Vec<i16> {
    let reader = hound::WavReader::new(wav).expect("a WAV");
    assert_eq!(
        (reader.spec().channels, reader.spec().sample_rate),
        (2, 8_000)
    );
    reader.into_samples().map(|s| s.expect("sample")).collect()
}

fn ramp(n: i16) -> Vec<i16> {
    (0..n).collect()
}

#[test]
fn a_plain_file_plays_after_each_write_and_with_marks() {
    let dir = tempfile::tempdir().expect("folder");
    let shelf = shelf(dir.path().to_owned(), None);
    let key = Path::new("2026/11/23/x.wav");
    let path = dir.path().join(key);
    let mut file = RecordingFile::create(&shelf, key, ID).expect("creates");
    let read = || samples(&std::fs::read(&path).expect("reads"));
    assert_eq!(read().len(), 0);
    file.append(&[1, -1, 2, -2]).expect("appends");
    assert_eq!(read(), [1, -1, 2, -2]);
    file.append(&vec![7; 16_000]).expect("appends");
    let gaps = [(100, 300, "pause".to_owned())];
    assert_eq!(file.end(&gaps).expect("ends"), Flow::Written);
    assert_eq!(read().len(), 16_004);
    let found = facts(&path, None).expect("reads");
    assert_eq!(found.duration_ms, 1_000);
    assert!(
        RecordingFile::create(&shelf, key, ID).is_err(),
        "never overwrites"
    );
}

#[test]
fn a_sealed_file_hides_the_sound_and_plays_it_with_marks() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x");
    let mut file =
        RecordingFile::create(&sealed_shelf(dir.path()), Path::new("x"), ID).expect("creates");
    let sound: Vec<i16> = ramp(20_000);
    sound.chunks(1_000).for_each(|part| {
        file.append(part).expect("appends");
    });
    file.end(&[(100, 300, "pause".to_owned())]).expect("ends");
    let wav = wav(&path);
    assert_eq!(samples(&wav), sound);
    assert!(wav.windows(10).any(|w| w == b"pause from"));
    let stored = std::fs::read(&path).expect("reads");
    assert!(!stored.windows(4).any(|w| w == b"RIFF" || w == b"paus"));
    let found = facts(&path, Some(&keys())).expect("reads");
    let mut sha = vault::Sha::default();
    sha.update(&wav);
    assert_eq!(found.sha256, sha.hex(), "the hash of what a listener gets");
    assert_eq!(usize::try_from(found.bytes), Ok(wav.len()));
    assert!(facts(&path, None).is_err());
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&path)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A kill at any byte: every whole quarter of a second plays, and the end says that it was cut.
#[test]
fn a_kill_at_any_place_leaves_what_was_written() {
    let dir = tempfile::tempdir().expect("folder");
    let mut file =
        RecordingFile::create(&sealed_shelf(dir.path()), Path::new("x"), ID).expect("creates");
    let sound = ramp(17_000);
    file.append(&sound).expect("appends");
    drop(file);
    let whole = std::fs::read(dir.path().join("x")).expect("reads");
    assert_eq!(
        whole.len(),
        HEAD + 4 * 8_016,
        "four whole chunks wait for no end"
    );
    let path = dir.path().join("y");
    for cut in (HEAD..=whole.len()).step_by(499).chain([whole.len()]) {
        std::fs::write(&path, &whole[..cut]).expect("writes");
        let mended = repair_recording(&path, Some(&keys())).expect("mends");
        let chunks = (cut - HEAD) / 8_016;
        let ms = i64::try_from(chunks * 250).expect("fits");
        assert_eq!(mended.duration_ms, ms);
        assert_eq!(mended.gaps, [(ms, ms, "cut".to_owned())]);
        assert_eq!(samples(&wav(&path)), sound[..chunks * 4_000]);
        let again = repair_recording(&path, Some(&keys())).expect("mends");
        assert_eq!(again, mended, "mending twice changes nothing");
    }
    std::fs::write(&path, &whole[..HEAD - 1]).expect("writes");
    assert!(repair_recording(&path, Some(&keys())).is_err());
    assert!(repair_recording(&dir.path().join("none"), Some(&keys())).is_err());
    std::fs::write(&path, &whole).expect("writes");
    assert!(repair_recording(&path, None).is_err(), "no key, no touch");
    assert_eq!(std::fs::read(&path).expect("reads"), whole);
}

/// Power lost: a hole in the middle. What is before it stays.
#[test]
fn a_hole_ends_the_recording_there() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x");
    let mut file =
        RecordingFile::create(&sealed_shelf(dir.path()), Path::new("x"), ID).expect("creates");
    file.append(&ramp(20_000)).expect("appends");
    drop(file);
    let open = std::fs::OpenOptions::new().write(true).open(&path);
    let hole = [0_u8; 5_000];
    open.expect("opens")
        .write_all_at(&hole, HEAD as u64 + 2 * 8_016 + 100)
        .expect("writes");
    let mended = repair_recording(&path, Some(&keys())).expect("mends");
    assert_eq!(mended.duration_ms, 500);
}

#[test]
fn a_finished_file_is_left_alone() {
    let dir = tempfile::tempdir().expect("folder");
    for (name, shelf) in [
        ("plain", shelf(dir.path().to_owned(), None)),
        ("sealed", sealed_shelf(dir.path())),
    ] {
        let mut file = RecordingFile::create(&shelf, Path::new(name), ID).expect("creates");
        file.append(&[0; 16_000]).expect("appends");
        file.end(&[(1, 2, "pause".to_owned())]).expect("ends");
        let path = dir.path().join(name);
        let before = std::fs::read(&path).expect("reads");
        let mended = repair_recording(&path, Some(&keys())).expect("mends");
        let found = facts(&path, Some(&keys())).expect("reads");
        let gaps = Vec::new();
        let (duration_ms, bytes, sha256) = (found.duration_ms, found.bytes, found.sha256);
        assert_eq!(
            mended,
            Repaired {
                duration_ms,
                bytes,
                sha256,
                gaps
            }
        );
        assert_eq!(std::fs::read(&path).expect("reads"), before);
    }
}

#[test]
fn every_cut_of_a_plain_file_is_mended_or_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let shelf = shelf(dir.path().to_owned(), None);
    let mut file = RecordingFile::create(&shelf, Path::new("x.wav"), ID).expect("creates");
    file.append(&[1, 2, 3, 4]).expect("appends");
    file.end(&[]).expect("ends");
    let path = dir.path().join("x.wav");
    let whole = std::fs::read(&path).expect("reads");
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("writes");
        repair_recording(&path, None).expect("mends");
        hound::WavReader::open(&path).expect("plays");
    }
    std::fs::write(&path, b"RIFFxxxxWAVEfmt then something else that is long").expect("writes");
    assert!(repair_recording(&path, None).is_err());
}

/// A kill between the data and the header of a plain file: more data than it says, half a sample.
#[test]
fn a_cut_plain_file_plays_again() {
    let dir = tempfile::tempdir().expect("folder");
    let shelf = shelf(dir.path().to_owned(), None);
    let mut file = RecordingFile::create(&shelf, Path::new("x.wav"), ID).expect("creates");
    file.append(&vec![5; 32_000]).expect("appends");
    drop(file);
    let path = dir.path().join("x.wav");
    let open = std::fs::OpenOptions::new().write(true).open(&path);
    open.expect("opens")
        .write_all_at(&[9_u8; 16_003], WAV_HEAD as u64 + 64_000)
        .expect("writes");
    let mended = repair_recording(&path, None).expect("mends");
    assert_eq!(mended.gaps, [(2_500, 2_500, "cut".to_owned())]);
    let reader = hound::WavReader::open(&path).expect("plays");
    assert_eq!(reader.duration(), 20_000);
}

/// A disk with so many bytes left, counted over all writes of new bytes.
fn small_disk(shelf: &mut Shelf, left: &Arc<AtomicU64>) {
    let (left, disk) = (Arc::clone(left), real_disk());
    shelf.disk = Arc::new(move |file, bytes, at| {
        let end = at + bytes.len() as u64;
        let room = left.load(Ordering::SeqCst);
        if end <= room {
            return disk(file, bytes, at);
        }
        // As the kernel does it: what fits is written, then it says that no more does.
        let fits = usize::try_from(room.saturating_sub(at)).unwrap_or(0);
        disk(file, &bytes[..fits], at)?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
}

#[test]
fn a_full_disk_costs_a_told_gap_and_no_call() {
    let dir = tempfile::tempdir().expect("folder");
    for keys in [Some(keys()), None] {
        let name = if keys.is_some() { "sealed" } else { "plain" };
        let mut shelf = shelf(dir.path().to_owned(), keys.clone());
        let left = Arc::new(AtomicU64::new(50_000));
        small_disk(&mut shelf, &left);
        let mut file = RecordingFile::create(&shelf, Path::new(name), ID).expect("creates");
        let second = vec![11_i16; 16_000];
        let mut full = 0;
        // A second fits; what follows waits, 10 s of it, and then is lost.
        for _ in 0..20 {
            full += u32::from(file.append(&second).expect("no fault") == Flow::Full);
        }
        assert_eq!(full, 19);
        assert_eq!(file.end(&[]).expect("no fault"), Flow::Full);
        left.store(u64::MAX, Ordering::SeqCst);
        assert_eq!(file.end(&[]).expect("ends"), Flow::Written);
        let gaps = file.told().1.to_vec();
        let path = dir.path().join(name);
        let heard = match keys {
            Some(_) => samples(&wav(&path)),
            None => samples(&std::fs::read(&path).expect("reads")),
        };
        assert_eq!(heard.len(), 20 * 16_000, "as long as the call");
        let [(from, to, reason)] = &gaps[..] else {
            panic!("one gap: {gaps:?}");
        };
        assert_eq!((reason.as_str(), *to), ("disk_full", 20_000));
        assert!((11_000..13_000).contains(from), "{from}");
        let sound = usize::try_from(*from).expect("fits") * 16;
        assert!(heard[..sound].iter().all(|s| *s == 11));
        assert!(heard[sound..].iter().all(|s| *s == 0));
    }
}

#[test]
fn a_disk_full_to_the_end_leaves_what_a_repair_mends() {
    let dir = tempfile::tempdir().expect("folder");
    let mut shelf = sealed_shelf(dir.path());
    small_disk(&mut shelf, &Arc::new(AtomicU64::new(40_000)));
    let (tell, told) = bounded(16);
    let (writer, line) = Writer::start(shelf, move |e| drop(tell.send(e))).expect("starts");
    let recording = RecordingId(Uuid::from_u128(1));
    let attempt = AttemptId(Uuid::from_u128(2));
    let key = "a".to_owned();
    let stereo = vec![8; 64_000];
    let gaps = Vec::new();
    for job in [
        Job::Open {
            recording,
            attempt,
            key,
        },
        Job::Pcm { recording, stereo },
        Job::Seal { recording, gaps },
    ] {
        assert!(line.give(job).is_ok());
    }
    drop(line);
    writer.join();
    assert!(told.is_empty(), "neither sealed nor failed: open");
    let mended = repair_recording(&dir.path().join("a"), Some(&keys())).expect("mends");
    assert_eq!(mended.duration_ms, 1_000, "what fitted");
}

#[test]
fn the_writer_seals_and_refuses_bad_keys() {
    let dir = tempfile::tempdir().expect("folder");
    let (told_tx, told) = bounded(16);
    let (writer, line) = Writer::start(sealed_shelf(dir.path()), move |e| {
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
        let failed = matches!(told.recv(), Ok(RecorderEvent::Failed { .. }));
        assert!(failed, "{key}");
    }
    let recording = RecordingId(Uuid::from_u128(1));
    assert!(line.give(open(1, "2026/a.wav")).is_ok());
    let stereo = vec![3; 8_000];
    assert!(line.give(Job::Pcm { recording, stereo }).is_ok());
    let gaps = vec![];
    assert!(line.give(Job::Seal { recording, gaps }).is_ok());
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

#[test]
fn what_is_written_is_brought_to_the_disk_while_the_call_goes_on() {
    let dir = tempfile::tempdir().expect("folder");
    let mut shelf = sealed_shelf(dir.path());
    let path = dir.path().join("x");
    let (kept, keeps) = bounded(64);
    shelf.keep = Arc::new(move |root| {
        // What a power cut at this moment would leave.
        let size = std::fs::metadata(root.join("x")).map(|m| m.len());
        let _ = kept.try_send(size.unwrap_or(0));
        Ok(())
    });
    let (writer, line) = Writer::start(shelf, |_| {}).expect("starts");
    let recording = RecordingId(Uuid::from_bytes(ID));
    let attempt = AttemptId(Uuid::from_u128(1));
    let key = "x".to_owned();
    let open = Job::Open {
        recording,
        attempt,
        key,
    };
    assert!(line.give(open).is_ok());
    let mut covered = 0;
    while covered < 4 * vault::CHUNK as u64 {
        let stereo = ramp(8_000);
        assert!(line.give(Job::Pcm { recording, stereo }).is_ok());
        // The open file is synced again and again, each time with what came meanwhile.
        covered = keeps.recv().expect("a sync");
    }
    assert!(path.exists());
    let gaps = Vec::new();
    assert!(line.give(Job::Seal { recording, gaps }).is_ok());
    drop(line);
    writer.join();
    assert!(keeps.iter().all(|size| size >= covered), "and never less");
}
