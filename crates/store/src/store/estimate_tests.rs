//! The interval of an estimate holds the truth as often as it says, by chance and where neighbours are alike.

use super::{Place, margin};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const OF: u64 = 1_000_000;
const PLACES: usize = 32;
const EACH: u64 = 320;
/// Samples of each kind.
const SEEDS: u32 = 400;

/// How many of [`EACH`] belong to a segment of that share: from one of the rarer kind to the next.
fn chosen(chance: &mut StdRng, share: f64) -> u64 {
    let rare = share.min(1.0 - share);
    let (mut at, mut found) = (0.0, 0);
    loop {
        at += (chance.random_range(f64::EPSILON..1.0).ln() / (1.0 - rare).ln()).floor() + 1.0;
        if at > 320.0 {
            return if share > 0.5 { EACH - found } else { found };
        }
        found += 1;
    }
}

/// Samples, of 100, whose interval holds so many of a million; at each place the share is another one, by `alike` of
/// itself.
fn held(truth: u32, alike: f64) -> f64 {
    let share = f64::from(truth) / 1e6;
    let mut held = 0_u32;
    for seed in 0..SEEDS {
        let mut chance = StdRng::seed_from_u64(u64::from(seed));
        let mut places = Vec::with_capacity(PLACES);
        for _ in 0..PLACES {
            let here = share * (1.0 + alike * chance.random_range(-1.0..1.0));
            let found = chosen(&mut chance, here);
            places.push(Place { asked: EACH, found });
        }
        let found: u64 = places.iter().map(|p| p.found).sum();
        let estimated = found * OF / (PLACES as u64 * EACH);
        held += u32::from(estimated.abs_diff(u64::from(truth)) <= margin(&places, OF));
    }
    f64::from(held) * 100.0 / f64::from(SEEDS)
}

#[test]
fn the_interval_holds_what_is_counted() {
    for truth in [50, 200, 1_000, 10_000, 100_000, 500_000, 900_000, 999_000] {
        let held = held(truth, 0.0);
        assert!(held >= 92.0, "{held} of 100 at {truth}");
    }
}

#[test]
fn neighbours_who_are_alike_make_it_wider() {
    for (truth, alike) in [
        (10_000, 0.9),
        (100_000, 0.5),
        (400_000, 0.2),
        (400_000, 0.9),
    ] {
        let held = held(truth, alike);
        assert!(held >= 90.0, "{held} of 100 at {truth}, {alike}");
    }
}

#[test]
fn nobody_found_is_not_nobody() {
    let none = [Place {
        asked: EACH,
        found: 0,
    }; PLACES];
    let few = margin(&none, OF);
    // Three in as many as were asked are missed in 5 of 100 cases.
    assert!((3 * OF / (32 * EACH)..OF / 1_000).contains(&few), "{few}");
    assert_eq!(
        margin(&none, PLACES as u64 * EACH),
        0,
        "everybody was asked"
    );
}
