//! Which candidates to keep: those due, then by value, with a share at random.

use super::AnswerParams;

/// One candidate as the choice sees him.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Value of calling now; greater goes first.
    pub value: f64,
    /// Passed over long enough: goes before all others.
    pub due: bool,
    /// Better left for later even when a place stays free.
    pub hold: bool,
}

/// Why one was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Agreed, first in the queue, or passed over long enough.
    Due,
    /// Of greatest value now.
    Value,
    /// By chance, so that every hour stays known.
    Explore,
}

/// One who is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Place in the entries.
    pub index: usize,
    /// Why.
    pub why: Why,
}

/// A number from a seed and a counter, well mixed (`SplitMix64`).
fn mixed(seed: u64, counter: u64) -> u64 {
    let mut z = seed.wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Chooses up to `keep` of the entries. Each place that no due one takes goes, with probability
/// `explore_share`, to one of the rest at random; else to the one of greatest value. Those held are left
/// out once `busy_share` of the places are taken.
/// The same seed chooses the same.
#[must_use]
pub fn choose(entries: &[Entry], keep: usize, params: &AnswerParams, seed: u64) -> Vec<Choice> {
    let mut rest: Vec<usize> = (0..entries.len()).collect();
    rest.sort_by(|a, b| {
        let (x, y) = (&entries[*a], &entries[*b]);
        y.due
            .cmp(&x.due)
            .then(x.hold.cmp(&y.hold))
            .then(y.value.total_cmp(&x.value))
            .then(a.cmp(b))
    });
    let keep = keep.min(rest.len());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a small count"
    )]
    let least = (params.busy_share * keep as f64).ceil() as usize;
    let mut kept = Vec::with_capacity(keep);
    for place in 0..keep {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        #[expect(clippy::cast_precision_loss, reason = "the upper 53 bits")]
        let lot = (mixed(seed, 2 * place) >> 11) as f64 / (1_u64 << 53) as f64;
        let front = entries[rest[0]];
        let at = if front.due {
            (0, Why::Due)
        } else if lot < params.explore_share {
            let many = u64::try_from(rest.len()).unwrap_or(1);
            let at = mixed(seed, 2 * place + 1) % many;
            (usize::try_from(at).unwrap_or(0), Why::Explore)
        } else if front.hold && kept.len() >= least {
            continue;
        } else {
            (0, Why::Value)
        };
        kept.push(Choice {
            index: rest.remove(at.0),
            why: at.1,
        });
    }
    kept
}
