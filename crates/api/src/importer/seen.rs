//! Which debts a file has named, and on which line: hashes of their keys, in parts, so that no growth holds
//! all of them twice.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

/// Parts; each grows by itself, to twice its room when seven eighths of it are taken. At a million debts these are
/// nearly full (15 MB): a few parts less, and all of them would have just grown.
const PARTS: u64 = 72;

/// Thirteen bytes a debt beside the room a table leaves free.
pub(super) struct Seen {
    hasher: RandomState,
    /// Both halves of a hash → line.
    parts: Vec<HashMap<[u32; 2], u32>>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            parts: (0..PARTS).map(|_| HashMap::new()).collect(),
        }
    }

    /// The part that a key is in, and its name there.
    fn place(&self, key: &str) -> (usize, [u32; 2]) {
        let hash = self.hasher.hash_one(key);
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        let part = usize::try_from(hash % PARTS).unwrap_or_default();
        (part, [half(hash), half(hash >> 32)])
    }

    /// Whether the file has named it.
    pub(super) fn has(&self, key: &str) -> bool {
        let (part, name) = self.place(key);
        self.parts
            .get(part)
            .is_some_and(|part| part.contains_key(&name))
    }

    /// Notes the line of a key; the line on which it was before, if any, stays.
    pub(super) fn note(&mut self, key: &str, line: u64) -> Option<u32> {
        let (part, name) = self.place(key);
        match self.parts.get_mut(part)?.entry(name) {
            Entry::Vacant(free) => {
                free.insert(u32::try_from(line).unwrap_or(u32::MAX));
                None
            }
            Entry::Occupied(before) => Some(*before.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_the_line_on_which_it_came_first() {
        let mut seen = Seen::new();
        for n in 0..20_000_u64 {
            assert_eq!(seen.note(&format!("C{n}"), n + 2), None);
        }
        assert_eq!(seen.note("C77", 90_000), Some(79), "the first stays");
        assert_eq!(seen.note("C77", 90_001), Some(79));
        assert!(seen.has("C0") && seen.has("C19999") && !seen.has("C20000"));
    }
}
