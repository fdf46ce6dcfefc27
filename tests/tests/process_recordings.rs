//! Recordings as an auditor and an operator meet them: sealed on disk, every change named, whole after
//! a kill, brought to an S3 server that is not ours, and a full disk that stops dialing and no call.
#![expect(
    clippy::expect_used,
    reason = "a test: it fails loudly and prints its figures"
)]

use marcador_tests::demo_facts::{
    attempts, channels, env_pairs, recordings, summary, verify_recordings,
};
use marcador_tests::process::{Demo, long_tests, run};
use marcador_tests::s3::S3Server;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const END: Duration = Duration::from_secs(120);
/// Bytes of a stored chunk and of the header (crates/vault/README.md).
const CHUNK: usize = 8_016;
const HEAD: usize = 128;

/// `verify recordings` on a folder that was changed: its one line of fault.
fn fault(dir: &Path) -> String {
    let env = env_pairs(dir, None);
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (code, out, err) = run(&["verify", "recordings"], &env).expect("runs");
    assert_eq!(code, 1, "{out} {err}");
    assert!(out.contains(" 1 faults"), "{out}");
    err
}

#[test]
fn each_change_of_a_stored_recording_is_named() {
    let dir = tempfile::tempdir().expect("folder");
    let args = ["--agents", "4", "--seconds", "25", "--seed", "5"];
    let mut demo = Demo::start(dir.path(), &args, &[]).expect("starts");
    demo.wait(END).expect("ends by itself");
    drop(demo);
    let clean = verify_recordings(dir.path(), None).expect("clean");
    println!("{clean}");
    let files = recordings(dir.path());
    let size = |f: &PathBuf| std::fs::metadata(f).expect("file").len();
    let file = files.iter().max_by_key(|f| size(f)).expect("a recording");
    let whole = std::fs::read(file).expect("reads");
    assert!(whole.len() > HEAD + 4 * CHUNK, "a second of a call");
    assert!(
        !whole.windows(4).any(|w| w == b"RIFF"),
        "no WAV on the disk"
    );
    let place = |i: usize| HEAD + i * CHUNK..HEAD + (i + 1) * CHUNK;
    let tell = |bytes: &[u8]| {
        std::fs::write(file, bytes).expect("writes");
        fault(dir.path())
    };

    let mut flipped = whole.clone();
    flipped[HEAD + 2 * CHUNK + 77] ^= 1;
    let said = tell(&flipped);
    assert!(said.contains("chunk 2 (at 500 ms)"), "{said}");

    let said = tell(&whole[..HEAD + 3 * CHUNK]);
    assert!(said.contains("cut off after chunk 3"), "{said}");

    let mut swapped = whole.clone();
    swapped[place(1)].copy_from_slice(&whole[place(3)]);
    swapped[place(3)].copy_from_slice(&whole[place(1)]);
    let said = tell(&swapped);
    assert!(
        said.contains("chunk 1") && said.contains("it is chunk 3"),
        "{said}"
    );

    let mut head = whole.clone();
    head[70] ^= 1;
    let said = tell(&head);
    assert!(said.contains("header"), "{said}");

    std::fs::remove_file(file).expect("removed");
    let said = fault(dir.path());
    assert!(said.contains("no object"), "{said}");

    std::fs::write(file, &whole).expect("writes");
    verify_recordings(dir.path(), None).expect("clean again");

    // Without the key nothing is heard, and nothing is made in its place.
    let key = dir.path().join("recordings.key");
    let kept = dir.path().join("kept.key");
    std::fs::rename(&key, &kept).expect("moved");
    assert!(channels(file, &key).is_err());
    assert!(!key.exists());
    channels(file, &kept).expect("plays");
}

#[test]
fn a_kill_costs_no_more_than_three_seconds_of_a_call() {
    let dir = tempfile::tempdir().expect("folder");
    let mut demo = Demo::start(dir.path(), &["--agents", "5"], &[]).expect("starts");
    calls_are_up(dir.path());
    demo.kill().expect("killed");
    let killed = epoch_now();
    drop(demo);
    let json = dir.path().join("summary.json");
    let to = json.display().to_string();
    let args = ["--agents", "2", "--seconds", "4", "--json", &to];
    let mut again = Demo::start(dir.path(), &args, &[]).expect("restart");
    again.wait(END).expect("ends by itself");
    drop(again);
    let clean = verify_recordings(dir.path(), None).expect("clean");
    assert!(!clean.contains("0 repaired"), "calls were up: {clean}");
    let key = dir.path().join("recordings.key");
    let files = recordings(dir.path());
    let said = summary(&json).expect("summary");
    let offset = said["clock_offset_ms"].as_i64().expect("an offset");
    let mut cut = 0;
    for row in attempts(dir.path(), None).expect("export") {
        let (Some(id), Some(answered)) = (&row.recording_id, &row.answered_at) else {
            continue;
        };
        if row.result.as_deref() != Some("unknown") {
            continue;
        }
        let file = files.iter().find(|f| f.to_string_lossy().contains(id));
        let (left, _) = channels(file.expect("a file"), &key).expect("plays");
        let (kept, lived) = (left.len() as i64 / 8, killed + offset - ms(answered));
        assert!(lived - kept <= 3_000, "{id}: {kept} ms kept of {lived}");
        println!("{id}: {kept} ms kept of {lived}");
        cut += 1;
    }
    assert!(cut > 0, "no call was up at the kill");
}

/// Waits until two recordings have begun and still grow: a slow machine is late with its first calls,
/// and of two calls at least one outlives the moment between the look and the kill.
fn calls_are_up(dir: &Path) {
    let sizes = || -> HashMap<PathBuf, u64> {
        let size = |p: PathBuf| Some((p.metadata().ok()?.len(), p));
        let with = recordings(dir).into_iter().filter_map(size);
        with.map(|(size, path)| (path, size)).collect()
    };
    let (since, mut before) = (Instant::now(), sizes());
    loop {
        assert!(since.elapsed() < END, "no two calls were up in {END:?}");
        std::thread::sleep(Duration::from_millis(1_500));
        let now = sizes();
        let begun = (HEAD + 2 * CHUNK) as u64;
        let grew = |path: &PathBuf, size: u64| before.get(path).is_some_and(|b| *b < size);
        let up = now.iter().filter(|(p, s)| **s > begun && grew(p, **s));
        if up.count() >= 2 {
            return;
        }
        before = now;
    }
}

fn epoch_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_millis()).expect("fits")
}

fn ms(text: &str) -> i64 {
    text.parse::<domain::time::UtcMs>().expect("an instant").0
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("bound").port()
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a file");
    name.to_string_lossy().into_owned()
}

#[test]
fn recordings_wait_for_an_s3_server_and_go_there() {
    if !long_tests() {
        return;
    }
    let dir = tempfile::tempdir().expect("folder");
    let (port, bucket) = (free_port(), "marcador");
    let url = S3Server::url(port, bucket);
    let login = [
        ("MARCADOR__RECORDINGS__URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let round = |seconds: &str| {
        let args = ["--agents", "4", "--seconds", seconds];
        let mut demo = Demo::start(dir.path(), &args, &login).expect("starts");
        demo.wait(END).expect("ends by itself");
    };
    round("15");
    let waiting = recordings(dir.path());
    assert!(!waiting.is_empty(), "the store is away: they stay here");
    let server = S3Server::start(dir.path(), port, bucket).expect("an S3 server");
    round("40");
    let there = server.keys(bucket).expect("keys");
    let here: Vec<String> = recordings(dir.path()).iter().map(|f| name(f)).collect();
    println!(
        "{} waited, {} in the store, {} still here",
        waiting.len(),
        there.len(),
        here.len()
    );
    for file in waiting.iter().map(|f| name(f)) {
        assert!(there.iter().any(|k| k.ends_with(&file)), "{file} is there");
        assert!(!here.contains(&file), "{file} left the folder");
    }
    let spool = dir.path().join("recordings").display().to_string();
    let mut env = env_pairs(dir.path(), None);
    env.retain(|(k, _)| *k != "MARCADOR__RECORDINGS__URL");
    let mut env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    env.extend(login);
    env.push(("MARCADOR__RECORDINGS__SPOOL", &spool));
    let (code, out, err) = run(&["verify", "recordings"], &env).expect("runs");
    assert_eq!(code, 0, "{out} {err}");
    println!("{out}");
    keys_are_changed(dir.path(), &env);
}

/// Objects of the store are put anew with headers of the new key; then the old one is needed no more.
fn keys_are_changed(dir: &Path, env: &[(&str, &str)]) {
    let key = dir.join("recordings.key");
    let old = std::fs::read_to_string(&key).expect("a key file");
    let new = "5a".repeat(32) + "\n";
    std::fs::write(&key, format!("{new}{old}")).expect("both keys");
    let (code, out, err) = run(&["recordings", "rewrap"], env).expect("runs");
    assert_eq!(code, 0, "{out} {err}");
    let all = out.contains(" 0 faults") && !out.contains(" 0 wrapped");
    assert!(all, "{out}");
    std::fs::write(&key, &new).expect("the new key alone");
    let (code, out, err) = run(&["verify", "recordings"], env).expect("runs");
    assert_eq!(code, 0, "by the new key alone: {out} {err}");
    std::fs::write(&key, &old).expect("the old key alone");
    let (code, out, _) = run(&["verify", "recordings"], env).expect("runs");
    assert_eq!(code, 1, "the old key opens nothing any more: {out}");
}

/// A small disk of its own; gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where we may not mount one.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).ok()?;
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", size, "marcador-test"])
            .arg(at)
            .status();
        done.is_ok_and(|s| s.success())
            .then(|| Self(at.to_path_buf()))
    }

    /// Leaves so many bytes free.
    fn fill(&self, left: u64) {
        let _ = std::fs::remove_file(self.0.join("filler"));
        let free = Command::new("df")
            .args(["--output=avail", "-B1"])
            .arg(&self.0)
            .output()
            .expect("df");
        let text = String::from_utf8_lossy(&free.stdout).into_owned();
        let free: u64 = text
            .lines()
            .nth(1)
            .expect("a row")
            .trim()
            .parse()
            .expect("bytes");
        let size = usize::try_from(free - left.min(free)).expect("fits");
        // The recorder writes too: the last bytes may be gone already.
        match std::fs::write(self.0.join("filler"), vec![1_u8; size]) {
            Err(e) if e.kind() != std::io::ErrorKind::StorageFull => panic!("{e}"),
            Ok(()) | Err(_) => {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn get(url: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let host = url.trim_start_matches("http://");
    let mut link = std::net::TcpStream::connect(host).expect("connects");
    write!(
        link,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("asks");
    let mut text = String::new();
    link.read_to_string(&mut text).expect("answers");
    text
}

/// Asks until the answer fits.
fn until(url: &str, path: &str, what: &str, fits: impl Fn(&str) -> bool) {
    let since = Instant::now();
    loop {
        let text = get(url, path);
        if fits(&text) {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "{what}: {text}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn a_full_disk_stops_dialing_and_no_call() {
    if !long_tests() {
        return;
    }
    let dir = tempfile::tempdir().expect("folder");
    let Some(disk) = SmallDisk::mount(&dir.path().join("recordings"), "size=48m") else {
        println!("may not mount a disk here: not run");
        return;
    };
    let limits = [
        ("MARCADOR__RECORDINGS__FREE_WARN_MB", "12"),
        ("MARCADOR__RECORDINGS__FREE_STOP_MB", "6"),
    ];
    let args = ["--agents", "5", "--seconds", "75"];
    let mut demo = Demo::start(dir.path(), &args, &limits).expect("starts");
    let url = demo.info.url.clone();
    let made = || attempts(dir.path(), None).expect("export").len();
    until(&url, "/readyz", "ready", |t| t.contains("\"ready\":true"));
    std::thread::sleep(Duration::from_secs(8));
    disk.fill(10 << 20);
    until(&url, "/readyz", "a warning", |t| {
        t.starts_with("HTTP/1.1 200") && t.contains("almost full")
    });
    disk.fill(0);
    until(&url, "/readyz", "stopped", |t| {
        t.starts_with("HTTP/1.1 503") && t.contains("no disk is left")
    });
    std::thread::sleep(Duration::from_secs(1));
    let before = made();
    std::thread::sleep(Duration::from_secs(9));
    assert_eq!(made(), before, "nothing was dialed");
    assert!(get(&url, "/healthz").starts_with("HTTP/1.1 200"));
    disk.fill(40 << 20);
    until(&url, "/readyz", "ready again", |t| {
        t.contains("\"ready\":true")
    });
    std::thread::sleep(Duration::from_secs(8));
    assert!(made() > before, "it dials again by itself");
    demo.wait(END).expect("ends by itself");
    drop(demo);
    let rows = attempts(dir.path(), None).expect("export");
    let lost = rows
        .iter()
        .filter(|r| r.result.as_deref() == Some("unknown"));
    assert_eq!(lost.count(), 0, "no call was lost");
    println!("{}", verify_recordings(dir.path(), None).expect("clean"));
}
