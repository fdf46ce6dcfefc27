//! Which candidates to keep: those due, then by value, with a share at random.

use super::AnswerParams;

/// Why one goes before all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Due {
    /// Passed over long enough.
    Waited,
    /// Agreed with him, or at the head of the queue: nobody by chance takes his place.
    Agreed,
}

/// One candidate as the choice sees him.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Value of calling now; greater goes first.
    pub value: f64,
    /// Whether he goes before all others.
    pub due: Option<Due>,
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

/// Chooses up to `keep` of the entries. A share `explore_share` of the places goes to some of those who are not due
/// at random, as long as there is a place for everybody agreed; the others to who is due, then to those of
/// greatest value. So the share holds whether many or few are due, and where all are due of whom none is agreed
/// some of them are taken at random. Those held are left out once `busy_share` of the places are
/// taken. The due ones come first in what is returned; the same seed chooses the same.
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
    let count = |least| entries.iter().filter(|e| e.due >= Some(least)).count();
    let (mut due, mut agreed) = (count(Due::Waited), count(Due::Agreed));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a small count"
    )]
    let least = (params.busy_share * keep as f64).ceil() as usize;
    let mut kept = Vec::with_capacity(keep);
    for place in 0..keep {
        // Of those who are not due, or of the due where nobody else is left.
        let from = if due < rest.len() { due } else { agreed };
        let free = keep - place > agreed && from < rest.len();
        let front = entries[rest[0]];
        let (at, why) = match by_chance(seed, place, params) {
            Some(lot) if free => (from + lot % (rest.len() - from), Why::Explore),
            _ if front.due.is_some() => (0, Why::Due),
            _ if front.hold && kept.len() >= least => continue,
            _ => (0, Why::Value),
        };
        let index = rest.remove(at);
        due -= usize::from(entries[index].due.is_some());
        agreed -= usize::from(entries[index].due == Some(Due::Agreed));
        kept.push(Choice { index, why });
    }
    kept.sort_by_key(|choice| choice.why != Why::Due);
    kept
}

/// A number to choose by where chance has the place. Its share is spread evenly over the places from a beginning
/// by lot: a choice of many has it whole, and choices of few have it over all of them.
fn by_chance(seed: u64, place: usize, params: &AnswerParams) -> Option<usize> {
    #[expect(clippy::cast_precision_loss, reason = "the upper 53 bits")]
    let begun = (mixed(seed, 0) >> 11) as f64 / (1_u64 << 53) as f64;
    #[expect(clippy::cast_precision_loss, reason = "some hundreds of places")]
    let passed = |places: usize| (places as f64 * params.explore_share + begun).floor();
    let nth = u64::try_from(place).map_or(u64::MAX, |n| n.saturating_add(1));
    // The upper half of the bits fits any machine.
    let many = usize::try_from(mixed(seed, nth) >> 33).unwrap_or(0);
    (passed(place.saturating_add(1)) > passed(place)).then_some(many)
}
