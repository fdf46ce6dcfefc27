//! An allocator that counts what some threads ask of it, and keeps where they asked.

#![expect(unsafe_code, reason = "a global allocator that counts is written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::Mutex as Locked;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{Mutex, MutexGuard};

/// Threads watched at once.
const MOST: usize = 4;

/// Their numbers; nobody's is 0.
static WATCHED: [AtomicI32; MOST] = [const { AtomicI32::new(0) }; MOST];
static ASKED: AtomicU64 = AtomicU64::new(0);
/// Places that are kept.
static KEPT_MOST: AtomicUsize = AtomicUsize::new(0);
static KEPT: Locked<Vec<Backtrace>> = Locked::new(Vec::new());
/// Tests of this program watch one after the other.
static TURN: Mutex<()> = Mutex::const_new(());

thread_local! {
    /// This thread's number, and whether it is being shown where it asks.
    static SELF: Cell<(i32, bool)> = const { Cell::new((0, false)) };
}

struct Counting;

impl Counting {
    fn count() {
        if WATCHED[0].load(Ordering::Relaxed) == 0 {
            return;
        }
        let _ = SELF.try_with(|own| {
            let (mut id, shows) = own.get();
            if id == 0 {
                id = rustix::thread::gettid().as_raw_nonzero().get();
                own.set((id, shows));
            }
            let watched = WATCHED.iter().any(|w| w.load(Ordering::Relaxed) == id);
            if !watched || shows {
                return;
            }
            own.set((id, true));
            ASKED.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut kept) = KEPT.lock()
                && kept.len() < KEPT_MOST.load(Ordering::Relaxed)
            {
                kept.push(Backtrace::force_capture());
            }
            own.set((id, false));
        });
    }
}

// SAFETY: every call is passed to the system's allocator as it came; counting asks for memory only while it is marked
// as doing so, and is not counted then.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTER: Counting = Counting;

/// A test's turn to watch; nothing is watched any more when it is over.
pub(crate) struct Watch {
    _turn: MutexGuard<'static, ()>,
}

impl Watch {
    /// Waits for the turn. Nothing is watched yet.
    pub(crate) async fn turn() -> Self {
        Self {
            _turn: TURN.lock().await,
        }
    }

    /// Watches the threads whose names begin so, and keeps the first places they ask at.
    pub(crate) fn threads(&self, name: &str, places: usize) {
        let tasks = std::fs::read_dir("/proc/self/task").expect("threads");
        let found = tasks.filter_map(|task| {
            let task = task.ok()?.path();
            let comm = std::fs::read_to_string(task.join("comm")).ok()?;
            let named = comm.trim().starts_with(name);
            named.then(|| task.file_name()?.to_str()?.parse().ok())?
        });
        let found: Vec<i32> = found.collect();
        assert!((1..=MOST).contains(&found.len()), "threads: {found:?}");
        KEPT_MOST.store(places, Ordering::Relaxed);
        for (place, id) in WATCHED.iter().zip(found).rev() {
            place.store(id, Ordering::Relaxed);
        }
    }

    /// How often they have asked.
    pub(crate) fn asked(&self) -> u64 {
        ASKED.load(Ordering::Relaxed)
    }

    /// Where they asked since this was last asked.
    pub(crate) fn places(&self) -> Vec<String> {
        let kept = std::mem::take(&mut *KEPT.lock().expect("not poisoned"));
        kept.iter().map(Backtrace::to_string).collect()
    }

    /// Watches nobody.
    pub(crate) fn nobody(&self) {
        WATCHED.iter().for_each(|w| w.store(0, Ordering::Relaxed));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.nobody();
        KEPT_MOST.store(0, Ordering::Relaxed);
        self.places();
    }
}

/// Names of the functions of a place, the innermost first.
fn functions(place: &str) -> impl Iterator<Item = &str> {
    place.lines().filter_map(|line| {
        let (number, name) = line.trim_start().split_once(": ")?;
        let counted = number.bytes().all(|b| b.is_ascii_digit());
        counted.then(|| name.trim_start_matches(['<', '&', '_']))
    })
}

/// Crates whose work it is where they are nearer to the question than ours.
const THEIRS: [&str; 6] = ["str0m", "dimpl", "is::", "sctp_proto", "aws_lc", "openssl"];
const OURS: [&str; 4] = ["voice::", "media::", "sip::", "vault::"];

/// Whether str0m or what it is made of asked, and not we.
pub(crate) fn is_theirs(place: &str) -> bool {
    let begins = |name: &str, of: &[&str]| of.iter().any(|krate| name.starts_with(krate));
    let nearest = functions(place).find(|name| begins(name, &THEIRS) || begins(name, &OURS));
    nearest.is_some_and(|name| begins(name, &THEIRS))
}

/// The functions that ask, each with its count, those that ask most first.
pub(crate) fn askers(places: &[String], of: &[&str]) -> Vec<(usize, String)> {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for place in places {
        let named = functions(place).find(|name| of.iter().any(|krate| name.starts_with(krate)));
        *counts.entry(named.unwrap_or("somebody")).or_default() += 1;
    }
    let mut all: Vec<_> = counts.into_iter().map(|(n, c)| (c, n.to_owned())).collect();
    all.sort_by(|a, b| b.cmp(a));
    all
}

#[test]
fn who_asks_is_told_by_the_nearest_of_theirs_and_ours() {
    let place = |names: &[&str]| {
        let line =
            |(n, name): (usize, &&str)| format!("  {n}: {name}\n             at src/x.rs:1\n");
        names.iter().enumerate().map(line).collect::<String>()
    };
    let alloc = "alloc::raw_vec::RawVec<str0m::Plain>::grow";
    let theirs = "<str0m::Rtc as core::Any>::poll";
    assert!(is_theirs(&place(&[
        alloc,
        theirs,
        "voice::webrtc::Peer::drain"
    ])));
    assert!(!is_theirs(&place(&[
        alloc,
        "voice::webrtc::Peer::event",
        theirs
    ])));
    assert!(!is_theirs(&place(&[alloc])), "nobody else's is ours");
    let places = [
        place(&[alloc, "voice::a"]),
        place(&["voice::a"]),
        place(&["voice::b"]),
    ];
    let told = askers(&places, &OURS);
    assert_eq!(
        told,
        [(2, "voice::a".to_owned()), (1, "voice::b".to_owned())]
    );
}
