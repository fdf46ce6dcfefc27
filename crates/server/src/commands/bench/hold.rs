//! `marcador bench media --alone`: so many calls at once without a pause and with nobody beside, and whether they hold.
//! What a call costs is measured in turns with the floor; whether a core carries so many of them is not computed from
//! that, but driven.

use super::args::MediaArgs;
use super::goals::{self, Goal, at_least, at_most};
use super::media::{ASTERISK_CALLS, SETTLE, bridged};
use super::process::cpu_of_threads;
use super::talk::Ended;
use super::{profile, write_json};
use crate::commands::say;
use serde::Serialize;
use sip_test::load::Figures;
use std::time::Duration;
use tokio::time::Instant;

/// Calls hold where no more of their packets is lost, percent, …
const LOST_PCT: f64 = 0.1;
/// … and 99 of 100 are not later, milliseconds: what a jitter buffer covers.
const LATE_MS: f64 = 40.0;
/// Packets that a leg sends a second.
const PACKETS: f64 = 50.0;
/// Share of them that the load has to send: one that falls behind drives less than it says.
const DRIVEN: f64 = 0.99;

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    calls: u32,
    seconds: u64,
    /// Cores that the product kept busy, and the load.
    cores: f64,
    load_cores: f64,
    /// Share of the packets that the load was to send and did.
    driven: f64,
    held: bool,
    /// Calls that held on one core; 0 where they did not.
    held_on_a_core: f64,
    rtp: Figures,
    recordings: Ended,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &MediaArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut product, _load) = bridged(args, &folder.path().join("product")).await?;
    tokio::time::sleep(SETTLE).await;
    let (pid, ours) = (product.part.pid()?, std::process::id());
    product.plane.begin(1)?;
    let (start, cpu, own) = (Instant::now(), cpu_of_threads(pid)?, cpu_of_threads(ours)?);
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let lasted = start.elapsed().as_secs_f64();
    let (cpu, own) = (cpu_of_threads(pid)? - cpu, cpu_of_threads(ours)? - own);
    let told = product.plane.clone();
    let rtp = tokio::task::spawn_blocking(move || told.end()).await??;
    product.part.tell(&"end").await?;
    let recordings: Ended = product.part.answer().await?;
    product.part.end().await?;
    let sent = f64::from(u32::try_from(rtp.sent).unwrap_or(u32::MAX));
    let driven = sent / (f64::from(args.calls) * 2.0 * PACKETS * lasted);
    let cores = cpu / lasted;
    let held = holds(&rtp, driven, &recordings);
    let held_on_a_core = on_a_core(held, args.calls, cores);
    let outcome = Outcome {
        profile: profile(),
        calls: args.calls,
        seconds: args.seconds,
        cores,
        load_cores: own / lasted,
        driven,
        held,
        held_on_a_core,
        goals: limits(&rtp, held_on_a_core),
        rtp,
        recordings,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

fn holds(rtp: &Figures, driven: f64, recordings: &Ended) -> bool {
    rtp.loss_pct() <= LOST_PCT
        && rtp.one_way_ms.p99 <= LATE_MS
        && rtp.silent_legs == 0
        && driven >= DRIVEN
        && (recordings.early, recordings.failed) == (0, 0)
}

/// Calls on one core: as many as held, or fewer where they took more than one.
fn on_a_core(held: bool, calls: u32, cores: f64) -> f64 {
    if held {
        f64::from(calls) / cores.max(1.0)
    } else {
        0.0
    }
}

fn limits(rtp: &Figures, held: f64) -> Vec<Goal> {
    let silent = u32::try_from(rtp.silent_legs).unwrap_or(u32::MAX);
    vec![
        at_least(
            "calls on a core that held (driven)",
            "calls",
            held,
            4.0 * ASTERISK_CALLS,
            5.0 * ASTERISK_CALLS,
        ),
        at_most("RTP lost", "%", rtp.loss_pct(), LOST_PCT, 0.0),
        at_most(
            "one way across the bridge, p99",
            "ms",
            rtp.one_way_ms.p99,
            LATE_MS,
            None,
        ),
        at_most("silent legs", "legs", f64::from(silent), 0.0, 0.0),
    ]
}

fn print(outcome: &Outcome) {
    say(format!(
        "{} calls at once for {} s, 2 legs each, 50 packets/s each way, recorded, nobody beside; {}",
        outcome.calls, outcome.seconds, outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    let ended = &outcome.recordings;
    say(format!(
        "{:.2} of a core, the load {:.2}; the load sent {:.1} % of its packets; {}; recordings: {} sealed, {} failed; \
         calls that ended early: {}",
        outcome.cores,
        outcome.load_cores,
        outcome.driven * 100.0,
        if outcome.held { "held" } else { "did not hold" },
        ended.sealed,
        ended.failed,
        ended.early,
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_hold_where_nothing_is_lost_late_silent_or_left_unsent() {
        let fine = Figures {
            sent: 10_000,
            received: 9_990,
            ..Figures::default()
        };
        let ended = Ended::default();
        assert!(holds(&fine, 0.99, &ended));
        assert!(!holds(&fine, 0.98, &ended), "the load fell behind");
        let change = |work: fn(&mut Figures)| {
            let mut other = fine.clone();
            work(&mut other);
            other
        };
        for bad in [
            change(|f| f.received = 9_989),
            change(|f| f.one_way_ms.p99 = 40.1),
            change(|f| f.silent_legs = 1),
        ] {
            assert!(!holds(&bad, 1.0, &ended), "{bad:?}");
        }
        let early = Ended {
            early: 1,
            ..Ended::default()
        };
        assert!(!holds(&fine, 1.0, &early));
    }

    #[test]
    fn more_than_one_core_is_counted_as_that() {
        let of = |held, cores| on_a_core(held, 800, cores);
        assert_eq!(
            [of(true, 0.7), of(true, 1.6), of(false, 0.7)],
            [800.0, 500.0, 0.0]
        );
    }
}
