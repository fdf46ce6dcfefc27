//! Every log line of a run: faults the engine reports, and personal data that must not be there.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What was noted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Errors as text: a fault of ours, or of the outside where the plan wants one.
    pub(super) errors: Vec<String>,
    /// Lines that hold a phone, a document or a name of the world.
    pub(super) personal: Vec<String>,
    /// Lines seen.
    pub(super) lines: u64,
}

/// A subscriber that reads each line. One thread runs one world, so a lock is never contended.
#[derive(Debug, Clone, Default)]
pub(super) struct Notebook(Arc<Mutex<Notes>>);

impl Notebook {
    pub(super) fn read<R>(&self, read: impl FnOnce(&mut Notes) -> R) -> R {
        match self.0.lock() {
            Ok(mut notes) => read(&mut notes),
            Err(poisoned) => read(&mut poisoned.into_inner()),
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

/// Documents and names of this world look like nothing else in it; its phones are runs of exactly so
/// many digits (instants have 13, identities have letters).
fn is_personal(line: &str) -> bool {
    let named = [
        "+52",
        "+56",
        "+593",
        "@example",
        "DOC1X",
        "DOC2X",
        "Quetzalpa",
    ];
    named.iter().any(|mark| line.contains(mark))
        || line
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| {
                let phone = word.bytes().all(|b| b.is_ascii_digit());
                phone
                    && ((word.len() == 12 && word.starts_with("52557"))
                        || (word.len() == 10 && word.starts_with("557"))
                        || (word.len() == 11 && word.starts_with("5695"))
                        || (word.len() == 12 && word.starts_with("59395")))
            })
}

impl Subscriber for Notebook {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG
            && ["center", "dialer", "domain"]
                .iter()
                .any(|room| metadata.target().starts_with(room))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.read(|notes| {
            notes.lines += 1;
            if is_personal(&line.0) {
                notes.personal.push(line.0.clone());
            }
            if *event.metadata().level() == Level::ERROR {
                notes.errors.push(line.0);
            }
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_in_a_line_is_seen() {
        for line in [
            " phone=+525570000123",
            " number=525570000123",
            " to 5570000123",
            " to 56950000123",
            " phone=+593950000123",
            " name=Casimira Quetzalpa00001",
            " document=DOC1X00001",
        ] {
            assert!(is_personal(line), "{line}");
        }
        for line in [
            " agent=01a20f92-ab00-7082-a561-55570d2e154c",
            " at=1795557891989",
            " phone=··23",
        ] {
            assert!(!is_personal(line), "{line}");
        }
    }
}
