//! The interval of an estimate holds the truth as often as it says, by chance and where neighbours are alike.

use super::{GROUPS, LOTS, Place, SAMPLE_EACH, SAMPLE_MOST, SAMPLE_PLACES, Sample, margin, u64_of};
use crate::SqlStore;
use crate::sql::vals;
use crate::store::fresh_tests;
use crate::store::table::Rows;
use domain::ids::{ClientId, LOT_GROUP_BITS, PortfolioId};
use domain::segment::parse;
use domain::time::UtcMs;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

const OF: u64 = 1_000_000;
const PLACES: usize = 32;
const EACH: u64 = 320;
/// Samples of each kind.
const SEEDS: u32 = 400;

/// How many of `asked` belong to a segment of that share: from one of the rarer kind to the next.
fn chosen(chance: &mut StdRng, share: f64, asked: u64) -> u64 {
    let rare = share.min(1.0 - share);
    let (mut at, mut found) = (0.0, 0);
    loop {
        at += (chance.random_range(f64::EPSILON..1.0).ln() / (1.0 - rare).ln()).floor() + 1.0;
        if at > asked as f64 {
            return if share > 0.5 { asked - found } else { found };
        }
        found += 1;
    }
}

/// Debtors of whole groups: nobody says how many there are in each. As Poisson's law has it, by the sum of twelve
/// numbers by chance, whose deviation is 1.
fn grouped(chance: &mut StdRng, mean: f64) -> u64 {
    let sum: f64 = (0..12).map(|_| chance.random_range(0.0..1.0)).sum();
    u64_of((mean + (sum - 6.0) * mean.sqrt()).round())
}

/// Samples, of 100, whose interval holds so many of a million; at each place the share is another one, by `alike` of
/// itself.
fn held(truth: u32, alike: f64) -> f64 {
    let share = f64::from(truth) / 1e6;
    let sample = Sample::of(OF);
    let mean = OF as f64 * sample.groups as f64 / (GROUPS * sample.one_in) as f64;
    let mut held = 0_u32;
    for seed in 0..SEEDS {
        let mut chance = StdRng::seed_from_u64(u64::from(seed));
        let mut places = Vec::with_capacity(PLACES);
        for _ in 0..PLACES {
            let here = share * (1.0 + alike * chance.random_range(-1.0..1.0));
            let asked = grouped(&mut chance, mean);
            let found = chosen(&mut chance, here, asked);
            places.push(Place { asked, found });
        }
        let found: u64 = places.iter().map(|p| p.found).sum();
        let asked: u64 = places.iter().map(|p| p.asked).sum();
        let estimated = found * OF / asked;
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

#[test]
fn each_place_has_as_many_as_whole_groups_come_to() {
    // Of few, everybody.
    for few in [0, 1, 25, 10_240] {
        let all = Sample {
            groups: GROUPS / SAMPLE_PLACES,
            one_in: 1,
        };
        assert_eq!(Sample::of(few), all, "{few}");
    }
    for of in [
        25_000,
        60_000,
        400_000,
        1_000_000,
        1_400_000,
        3_000_000,
        10_000_000_u64,
    ] {
        let sample = Sample::of(of);
        let mean = of * sample.groups.unsigned_abs();
        let mean = mean / (GROUPS * sample.one_in).unsigned_abs();
        let wanted = SAMPLE_EACH.unsigned_abs();
        let near = wanted * 2 / 3..=wanted * 3 / 2;
        assert!(near.contains(&mean), "{mean} of {of}: {sample:?}");
        // Six deviations more are asked too.
        assert!(mean + 6 * mean.isqrt() < SAMPLE_MOST.unsigned_abs());
    }
    assert!(Sample::of(u64::MAX).one_in > 1);
}

/// Debtors of one client in the order of a file, of whom those of the first half have a score of 900: whom a file
/// named first is no chance. Lots as the importer makes them: a group by chance, the place in the file, an end by chance.
async fn file(store: &SqlStore, debtors: i64) -> ClientId {
    let mut chance = StdRng::seed_from_u64(7);
    let (client, portfolio) = (
        ClientId(Uuid::from_u128(1)),
        PortfolioId(Uuid::from_u128(2)),
    );
    let mut tx = store.write().await.unwrap();
    let sql = "INSERT INTO clients (id, name, callback_number, created_at) VALUES ($1,'A','+525550000001',1)";
    tx.run(sql, vals![client]).await.unwrap();
    let sql = "INSERT INTO portfolios (id, client_id, name, currency, creditor_kind, zone, created_at) \
        VALUES ($1,$2,'A','MXN','financial','America/Mexico_City',1)";
    tx.run(sql, vals![portfolio, client]).await.unwrap();
    let mut persons = Rows::new("INSERT INTO persons (id) VALUES ", 1, "");
    let names = "id, client_id, portfolio_id, person_id, external_ref, kind, name, document, country, language, \
        created_at, updated_at, lot, score";
    let mut rows = Rows::new(format!("INSERT INTO debtors ({names}) VALUES "), 14, "");
    let text = |text: &str| text.to_owned();
    for n in 0..debtors {
        let id = Uuid::from_u64_pair(n.unsigned_abs(), 9);
        let group = chance.random_range(0..1_i64 << LOT_GROUP_BITS) * (LOTS / GROUPS);
        let lot = i64::MIN + group + (n << 24) + chance.random_range(0..1_i64 << 24);
        let score = if n < debtors / 2 { 900_i64 } else { 100 };
        persons.values.extend(vals![id]);
        rows.values.extend(vals![
            id,
            client,
            portfolio,
            id,
            format!("D{n}"),
            text("person"),
            text("A")
        ]);
        rows.values.extend(vals![
            text(""),
            text("MX"),
            text("es"),
            1_i64,
            1_i64,
            lot,
            score
        ]);
    }
    tx.insert_rows(&persons).await.unwrap();
    tx.insert_rows(&rows).await.unwrap();
    tx.commit().await.unwrap();
    client
}

#[tokio::test]
async fn the_order_of_a_file_does_not_bend_an_estimate() {
    const DEBTORS: i64 = 12_000;
    let fresh = fresh_tests::sqlite().await;
    let client = file(&fresh.store, DEBTORS).await;
    let expr = parse("score >= 500").unwrap();
    // As of clients who have as many to each of those who are here: a part is asked of whole groups, or of thinned ones.
    for of in [40_000, 5_000_000] {
        let of = (UtcMs(1_795_359_600_000), of);
        let told = fresh.store.estimate(client, &expr, of, 5).await.unwrap();
        assert!(
            told.asked > 0 && told.asked < DEBTORS.unsigned_abs() / 2,
            "{told:?}"
        );
        let off = told.count.debtors.abs_diff(told.of / 2);
        assert!(off <= told.margin * 2, "{told:?}");
        assert!(told.margin < told.of / 3, "{told:?}");
    }
    fresh.store.close().await;
}
