//! A thousand seeded campaigns of at least a hundred attempts each, with faults of every kind: no
//! invariant may break. One world a thread; `MARCADOR_SIM_SEED=n` runs that seed alone and says more,
//! `MARCADOR_SIM_CAMPAIGNS=n` runs longer, `MARCADOR_SIM_FIRST=n` elsewhere.

#![expect(
    clippy::print_stdout,
    reason = "the counts are what a person runs this for"
)]

use domain::entity::DialMode;
use sim::world::{Counts, Outcome, Plan, run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Campaigns that must have made their attempts, unless the environment says otherwise.
const CAMPAIGNS: u64 = 1_000;
/// Attempts that each of them must have made.
const ATTEMPTS: usize = 100;
/// First seed; the others follow.
const FIRST_SEED: u64 = 1;
/// Worlds lived at once: the cores of the smallest machine that runs this.
const THREADS: usize = 2;

/// Campaigns of an outcome that made enough attempts.
fn full(outcome: &Outcome) -> u64 {
    outcome.attempts.iter().filter(|n| **n >= ATTEMPTS).count() as u64
}

fn verdict(outcome: &Outcome) -> Option<String> {
    (!outcome.breaches.is_empty()).then(|| {
        format!(
            "seed {}: {} breaches, first: {:?}\n  \
             rerun: MARCADOR_SIM_SEED={} cargo test -p sim --test thousand -- --nocapture",
            outcome.seed,
            outcome.breaches.len(),
            outcome.breaches[0],
            outcome.seed
        )
    })
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn one(seed: u64) {
    let plan = Plan::draw(seed);
    println!("{plan:#?}");
    let outcome = run(&plan);
    println!("attempts {:?}\n{:#?}", outcome.attempts, outcome.counts);
    for error in &outcome.errors {
        println!("logged:{error}");
    }
    for breach in &outcome.breaches {
        println!("broken {:02}: {}", breach.invariant, breach.what);
    }
    assert!(outcome.breaches.is_empty(), "seed {seed}");
}

#[test]
fn a_thousand_campaigns_keep_every_invariant() {
    if let Some(seed) = number("MARCADOR_SIM_SEED") {
        return one(seed);
    }
    let campaigns = number("MARCADOR_SIM_CAMPAIGNS").unwrap_or(CAMPAIGNS);
    let first = number("MARCADOR_SIM_FIRST").unwrap_or(FIRST_SEED);
    let (next, done) = (AtomicU64::new(first), AtomicU64::new(0));
    let all = Mutex::new((Counts::default(), Vec::new(), 0_usize, 0_u64));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while done.load(Ordering::SeqCst) < campaigns {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    // Worlds that do not get their attempts made are a fault of the worlds.
                    if seed >= first + 2 * campaigns {
                        return;
                    }
                    let outcome = run(&Plan::draw(seed));
                    done.fetch_add(full(&outcome), Ordering::SeqCst);
                    let mut all = all.lock().expect("no other world has panicked");
                    all.1.extend(verdict(&outcome));
                    all.2 += outcome.attempts.iter().sum::<usize>();
                    all.3 += 1;
                    all.0 += outcome.counts;
                }
            });
        }
    });
    let (counts, failures, attempts, worlds) = all.into_inner().expect("every world is over");
    let made = done.into_inner();
    println!("{made} campaigns in {worlds} worlds, {attempts} attempts\n{counts:#?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(
        made >= campaigns,
        "only {made} campaigns made {ATTEMPTS} attempts"
    );
    // A simulation in which nothing goes wrong proves nothing.
    for (what, n) in [
        ("crashes", counts.crashes),
        ("orphans", counts.orphans),
        ("outages", counts.outages),
        ("dead trunks", counts.dead_trunks),
        ("vanished agents", counts.vanished),
        ("lost reports", counts.mishaps.lost),
        ("repeated reports", counts.mishaps.repeated),
        ("late reports", counts.mishaps.delayed),
        ("dropped legs", counts.mishaps.legs_dropped),
        ("payments in a call", counts.payments_mid_call),
        ("abandoned calls", counts.abandoned),
        ("promises", counts.promises),
    ] {
        assert!(n > 0, "no {what}");
    }
}

#[test]
fn a_seed_gives_the_same_plan() {
    let (one, other) = (Plan::draw(42), Plan::draw(42));
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    let modes: std::collections::BTreeSet<DialMode> =
        (0..50).map(|seed| Plan::draw(seed).modes[0]).collect();
    assert_eq!(modes.len(), 3, "every mode that dials by itself is drawn");
}
