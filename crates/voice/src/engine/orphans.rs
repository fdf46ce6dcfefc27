//! Legs that are up, kept on disk: what a killed process leaves behind, the next one ends
//! (`faults.md` promise 6). The book is a help, not a truth: where an entry is lost the far end's
//! session timer ends the leg. A leg of a dead process stays in it until an answer to its BYE says that it is gone.

use super::calls;
use super::core::Engine;
use crate::plane::LegId;
use crate::{VoiceError, limits};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use domain::ids::TrunkId;
use domain::time::UtcMs;
use sip::header::Reason;
use sip::ua::{CallKey, bye_again};
use sip::{ConnId, Proto, SipError, Target};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// Under what a leg of a dead process stands in the book: above every leg of ours.
const FIRST_LEFT: u64 = 1 << 63;

/// A leg of a process that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Orphan {
    pub(super) target: Target,
    /// The BYE of the next try.
    pub(super) bye: Bytes,
    /// Whose call it is, as far as a trunk is known: its login answers a challenge.
    pub(super) trunk: Option<TrunkId>,
    /// Since when no process has it: the start of the one that found it first.
    pub(super) since: Option<UtcMs>,
}

/// What the book says is still up though its process is gone.
pub(super) type Left = (LegId, Orphan);

/// Legs of dead processes on their way out.
#[derive(Default)]
pub(super) struct Orphans {
    /// Waiting for their trunk, or for the next try.
    waiting: Vec<Left>,
    /// Their BYE is out.
    ending: HashMap<CallKey, Left>,
    tried: Option<Instant>,
}

impl Orphans {
    pub(super) fn of(left: Vec<Left>) -> Self {
        Self {
            waiting: left,
            ..Self::default()
        }
    }
}

enum Entry {
    Up(LegId, Orphan),
    Down(LegId),
}

/// The way to the thread that writes the book; it ends with the value.
pub(super) struct LegBook(Option<Sender<Entry>>);

impl LegBook {
    /// Reads what is left of processes before, and starts a new book in its place that begins with that: should
    /// this process die as well, the next one finds it again. Without a path nothing is kept.
    pub(super) fn open(path: Option<&Path>, now: UtcMs) -> Result<(Self, Vec<Left>), VoiceError> {
        let Some(path) = path else {
            return Ok((Self(None), Vec::new()));
        };
        let fail = |source| VoiceError::Legs {
            path: path.to_owned(),
            source,
        };
        let found = match std::fs::read(path) {
            Ok(bytes) => read(&String::from_utf8_lossy(&bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(fail(e)),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        if !found.is_empty() {
            let legs = found.len();
            tracing::info!(legs, "ending the legs of a process that is gone");
        }
        let mut left = Vec::new();
        for (n, mut orphan) in (FIRST_LEFT..).zip(found.into_values()) {
            orphan.since.get_or_insert(now);
            left.push((LegId(n), orphan));
        }
        let live = left.iter().map(|(leg, o)| (leg.0, write(leg.0, o)));
        let live: BTreeMap<u64, String> = live.collect();
        let file = rewrite(path, &live).map_err(fail)?;
        let (line, entries) = bounded(limits::LEG_BOOK_QUEUE);
        let path = path.to_owned();
        std::thread::Builder::new()
            .name("leg-book".to_owned())
            .spawn(move || keep(&path, (file, live), &entries))
            .map_err(|source| VoiceError::Thread {
                what: "leg-book",
                source,
            })?;
        Ok((Self(Some(line)), left))
    }

    /// Whether entries are wanted at all.
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn up(&self, leg: LegId, orphan: Orphan) {
        self.give(Entry::Up(leg, orphan));
    }

    pub(super) fn down(&self, leg: LegId) {
        self.give(Entry::Down(leg));
    }

    fn give(&self, entry: Entry) {
        if let Some(line) = &self.0 {
            // Full: a disk that hangs must not hold up a call.
            let _ = line.try_send(entry);
        }
    }
}

impl Engine {
    /// Ends what processes before left up. Where a trunk's name is still being looked up nobody knows which
    /// certificate to expect: its legs wait until that is found. None waits for ever: the far end's session timer
    /// ended it long ago.
    pub(super) fn end_orphans(&mut self) {
        if self.orphans.waiting.is_empty() {
            return;
        }
        self.orphans.tried = Some(self.now);
        let (now, at) = (self.millis(), self.stamp());
        let reason = Reason::q850(38, "restart");
        for (leg, mut orphan) in std::mem::take(&mut self.orphans.waiting) {
            let since = orphan.since.unwrap_or(at);
            if at.since_ms(since) > limits::ORPHAN_WAIT_MS {
                tracing::warn!("a leg of a process that is gone is given up: nobody took its BYE");
                self.book.down(leg);
                continue;
            }
            if !self.net.expects(&orphan.target) {
                self.orphans.waiting.push((leg, orphan));
                continue;
            }
            let (target, bye) = (orphan.target, orphan.bye.clone());
            let trunk = orphan.trunk.and_then(|id| self.routes.get(&id));
            let login = trunk.and_then(|route| calls::login(&route.config));
            let ended = self
                .endpoint
                .end_orphan(now, target, &bye, (Some(&reason), login));
            match ended {
                Ok(key) => {
                    // Whoever tries next takes a number above: the far end refuses one that it has seen.
                    orphan.bye = bye_again(&bye).unwrap_or(bye);
                    self.book.up(leg, orphan.clone());
                    self.orphans.ending.insert(key, (leg, orphan));
                }
                Err(error @ SipError::State(_)) => {
                    tracing::warn!(%error, "a leg of the last process cannot be ended");
                    self.book.down(leg);
                }
                // No room, or no address of ours for it now.
                Err(_) => self.orphans.waiting.push((leg, orphan)),
            }
        }
        self.settle();
    }

    /// Those whose BYE nobody answered or somebody refused are tried again now and then.
    pub(super) fn retry_orphans(&mut self) {
        let due = |tried: Instant| self.now.duration_since(tried) >= limits::ORPHAN_RETRY;
        if self.orphans.tried.is_some_and(due) {
            self.end_orphans();
        }
    }

    /// What became of such a BYE.
    pub(super) fn orphan_ended(&mut self, call: CallKey, code: Option<u16>) {
        let Some((leg, orphan)) = self.orphans.ending.remove(&call) else {
            return;
        };
        if code.is_some_and(is_down) {
            self.book.down(leg);
            return;
        }
        if let Some(code) = code {
            tracing::warn!(
                code,
                "the BYE of a leg of a process that is gone is refused"
            );
        }
        self.orphans.waiting.push((leg, orphan));
    }
}

/// Whether an answer to BYE says that the call is gone; every other refusal, a challenge or an overload, leaves it up.
fn is_down(code: u16) -> bool {
    matches!(code, 200..=299 | 404 | 481)
}

fn keep(
    path: &Path,
    (mut file, mut live): (File, BTreeMap<u64, String>),
    entries: &Receiver<Entry>,
) {
    let mut bytes = live.values().map(String::len).sum::<usize>();
    while let Ok(first) = entries.recv() {
        // What comes meanwhile shares the write, and the signalling thread wakes nobody for it.
        std::thread::sleep(limits::LEG_BOOK_WAIT);
        let mut lines = String::new();
        for entry in std::iter::once(first).chain(entries.try_iter()) {
            match entry {
                Entry::Up(leg, orphan) => {
                    let line = write(leg.0, &orphan);
                    lines.push_str(&line);
                    live.insert(leg.0, line);
                }
                Entry::Down(leg) if live.remove(&leg.0).is_some() => {
                    lines.push_str(&format!("- {}\n", leg.0));
                }
                Entry::Down(_) => {}
            }
        }
        bytes += lines.len();
        let written = if bytes > limits::LEG_BOOK_BYTES {
            bytes = live.values().map(String::len).sum();
            rewrite(path, &live).map(|fresh| file = fresh)
        } else {
            file.write_all(lines.as_bytes())
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the book of legs cannot be written");
        }
    }
}

fn rewrite(path: &Path, live: &BTreeMap<u64, String>) -> std::io::Result<File> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    for line in live.values() {
        file.write_all(line.as_bytes())?;
    }
    std::fs::rename(&fresh, path)?;
    Ok(file)
}

fn write(leg: u64, orphan: &Orphan) -> String {
    let Target { proto, dest, conn } = orphan.target;
    let line = conn.map_or_else(String::new, |line| format!(" {}", line.0));
    let since = orphan
        .since
        .map_or_else(String::new, |at| format!(" @{}", at.0));
    let trunk = orphan
        .trunk
        .map_or_else(String::new, |id| format!(" %{}", id.0));
    format!(
        "+ {leg} {} {dest} {}{line}{since}{trunk}\n",
        proto.uri_name(),
        hex::encode(&orphan.bye)
    )
}

/// Entries that were never taken back; a torn last line is none.
fn read(text: &str) -> BTreeMap<u64, Orphan> {
    let mut live = BTreeMap::new();
    for line in text
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
    {
        let mut words = line.split(' ');
        match (words.next(), words.next().and_then(|n| n.parse().ok())) {
            (Some("+"), Some(leg)) => drop(orphan(words).map(|o| live.insert(leg, o))),
            (Some("-"), Some(leg)) => drop(live.remove(&leg)),
            _ => {}
        }
    }
    live
}

fn orphan<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Orphan> {
    let proto = match words.next()? {
        "udp" => Proto::Udp,
        "tcp" => Proto::Tcp,
        "tls" => Proto::Tls,
        _ => return None,
    };
    let dest = words.next()?.parse().ok()?;
    let bye = Bytes::from(hex::decode(words.next()?).ok()?);
    let (mut conn, mut since, mut trunk) = (None, None, None);
    for word in words {
        match (word.strip_prefix('@'), word.strip_prefix('%')) {
            (Some(at), _) => since = Some(UtcMs(at.parse().ok()?)),
            (_, Some(id)) => trunk = Some(TrunkId(id.parse().ok()?)),
            _ => conn = Some(ConnId(word.parse().ok()?)),
        }
    }
    Some(Orphan {
        target: Target { proto, dest, conn },
        bye,
        trunk,
        since,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &'static str) -> Orphan {
        let dest = ([127, 0, 0, 1], 5_070).into();
        Orphan {
            target: Target::udp(dest),
            bye: Bytes::from_static(text.as_bytes()),
            trunk: None,
            since: None,
        }
    }

    /// Closes the book and waits until all of it is on disk.
    fn close(book: LegBook, path: &Path, lines: usize) {
        drop(book);
        for _ in 0..500 {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if text.lines().count() >= lines {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the book is not written");
    }

    #[test]
    fn what_was_up_at_the_end_is_found() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("legs");
        let (book, left) = LegBook::open(Some(&path), UtcMs(5)).expect("opens");
        assert!(left.is_empty() && book.is_kept());
        for leg in 1..=3 {
            book.up(LegId(leg), some("BYE sip:x SIP/2.0"));
        }
        book.down(LegId(2));
        book.down(LegId(9));
        close(book, &path, 4);
        let torn = std::fs::read_to_string(&path).expect("reads") + "+ 7 udp 127.0.0.1:1 41";
        std::fs::write(&path, torn).expect("writes");
        let (book, left) = LegBook::open(Some(&path), UtcMs(7)).expect("opens");
        let want = Orphan {
            since: Some(UtcMs(7)),
            ..some("BYE sip:x SIP/2.0")
        };
        let found: Vec<Orphan> = left.into_iter().map(|(_, orphan)| orphan).collect();
        assert_eq!(found, [want.clone(), want.clone()]);
        close(book, &path, 0);
        // A second death before they were ended: they are found again, and as old as they are.
        let (book, left) = LegBook::open(Some(&path), UtcMs(9)).expect("opens");
        let (legs, found): (Vec<LegId>, Vec<Orphan>) = left.into_iter().unzip();
        assert_eq!(found, [want.clone(), want]);
        book.up(LegId(1), some("BYE"));
        for leg in legs {
            book.down(leg);
        }
        close(book, &path, 5);
        let (_book, left) = LegBook::open(Some(&path), UtcMs(9)).expect("opens");
        assert_eq!(left.len(), 1, "what was ended is forgotten, our own is not");
    }

    #[test]
    fn a_leg_by_tls_keeps_its_line_and_its_trunk() {
        let mut orphan = some("BYE sip:x SIP/2.0");
        orphan.target.proto = Proto::Tls;
        let trunk = Some(TrunkId(uuid::Uuid::from_u128(7)));
        for (conn, trunk, since) in [
            (None, None, None),
            (Some(ConnId(u64::MAX)), None, Some(UtcMs(5))),
            (None, trunk, None),
            (Some(ConnId(3)), trunk, Some(UtcMs(5))),
        ] {
            orphan.target.conn = conn;
            (orphan.trunk, orphan.since) = (trunk, since);
            assert_eq!(
                read(&write(3, &orphan)),
                BTreeMap::from([(3, orphan.clone())])
            );
        }
    }

    #[test]
    fn junk_is_no_orphan() {
        for junk in [
            "",
            "+\n",
            "+ x udp a b\n",
            "+ 1 sctp 127.0.0.1:1 41\n",
            "+ 1 tls 127.0.0.1:1 41 x\n",
            "+ 1 tls 127.0.0.1:1 41 %x\n",
            "+ 1 udp 127.0.0.1:1 4\n",
        ] {
            assert!(read(junk).is_empty(), "{junk}");
        }
    }

    #[test]
    fn a_long_book_is_written_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("legs");
        let live = BTreeMap::from([(4, write(4, &some("BYE")))]);
        std::fs::write(&path, "- 1\n".repeat(1_000)).expect("writes");
        drop(rewrite(&path, &live).expect("rewrites"));
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(read(&text), BTreeMap::from([(4, some("BYE"))]));
        assert_eq!(text.lines().count(), 1);
    }
}
