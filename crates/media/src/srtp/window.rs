//! Which packets came already.

/// Packets looked back on; RFC 3711 §3.3.2 wants 64 at least.
const WIDTH: u64 = 128;

/// A window over the indices of one stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    /// The highest index seen, and it and those before it as bits.
    highest: Option<u64>,
    seen: u128,
}

impl Window {
    /// Whether a packet of this index may still come.
    pub(super) fn open(&self, index: u64) -> bool {
        let Some(highest) = self.highest else {
            return true;
        };
        match highest.checked_sub(index) {
            None => true,
            Some(back) if back >= WIDTH => false,
            Some(back) => self.seen >> back & 1 == 0,
        }
    }

    /// Notes a packet that was proved.
    pub(super) fn note(&mut self, index: u64) {
        let highest = self.highest.unwrap_or(index);
        if index >= highest {
            let ahead = index - highest;
            self.seen = if ahead >= WIDTH {
                0
            } else {
                self.seen << ahead
            } | 1;
            self.highest = Some(index);
        } else if highest - index < WIDTH {
            self.seen |= 1 << (highest - index);
        }
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn nothing_passes_twice_and_nothing_near_is_lost(steps in proptest::collection::vec(0u64..400, 1..300)) {
            let mut window = Window::default();
            let mut seen = HashSet::new();
            for index in steps {
                let near = window.highest().is_none_or(|h| index + WIDTH > h);
                prop_assert_eq!(window.open(index), near && !seen.contains(&index));
                if window.open(index) {
                    window.note(index);
                    seen.insert(index);
                }
            }
        }
    }
}
