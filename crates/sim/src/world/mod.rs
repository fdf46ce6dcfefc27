//! A whole world in virtual time: the real center and brain, the real rule book, a store in memory, a
//! simulated carrier and simulated agents, with faults drawn from a seed. A run has several lives when
//! the process dies: each life has its own runtime, which is dropped as it stands; store, carrier's log
//! and time go on. Afterwards every checker reads what was left.
//!
//! ```
//! use sim::world::{Plan, run};
//! let outcome = run(&Plan { target: 5, ..Plan::draw(7) });
//! assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
//! ```

mod agent;
mod fast;
mod life;
mod month;
mod notebook;
pub(crate) mod people;
mod plan;
mod street;
mod tally;

pub use fast::{Fast, FastClock, FastShift};
pub use month::{Month, MonthDay, MonthOutcome, MonthRows, live_month, live_month_told};
pub use plan::{CrashAt, Habits, Plan, Stretch};
pub use tally::Counts;

use crate::checkers::{Breach, Limits, check_all};
use crate::clock::SeededIds;
use crate::post::SimPost;
use crate::store::MemoryStore;
use crate::trunk::{Invite, InviteLog};
use domain::entity::CallResult;
use domain::law::RuleBook;
use domain::time::{SECOND_MS, UtcMs};
use life::End;
use notebook::Notebook;
use people::{Cast, ZONE_OFFSET_H};
use std::sync::{Arc, LazyLock};
use tally::Tally;

/// Reading the packs takes longer than a run: once a process.
pub(crate) static LAW: LazyLock<Arc<RuleBook>> = LazyLock::new(|| {
    let book = RuleBook::embedded();
    Arc::new(book.unwrap_or_else(|e| unreachable!("packs that ship are read by a test: {e}")))
});

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Seed.
    pub seed: u64,
    /// Attempts of each campaign.
    pub attempts: Vec<usize>,
    /// What happened.
    pub counts: Counts,
    /// Invariants seen broken; must be empty.
    pub breaches: Vec<Breach>,
    /// Errors that the engine logged while nothing was wrong outside.
    pub errors: Vec<String>,
}

/// What outlives a life.
struct World {
    plan: Arc<Plan>,
    cast: Arc<Cast>,
    store: Arc<MemoryStore>,
    ids: Arc<SeededIds>,
    law: Arc<RuleBook>,
    log: InviteLog,
    /// The gateway for messages, where there is one.
    post: Option<Arc<SimPost>>,
    tally: Tally,
    notebook: Notebook,
    now: UtcMs,
}

impl World {
    fn new(plan: &Plan) -> Self {
        let ids = SeededIds::new(plan.seed);
        let store = MemoryStore::new();
        let cast = store.with(|t| people::settle(plan, &ids, t));
        Self {
            plan: Arc::new(plan.clone()),
            cast: Arc::new(cast),
            store: Arc::new(store),
            ids: Arc::new(ids),
            law: Arc::clone(&LAW),
            log: InviteLog::default(),
            post: None,
            tally: Tally::default(),
            notebook: Notebook::default(),
            now: plan.start,
        }
    }

    fn open_attempts(&self) -> usize {
        self.store
            .with(|t| t.attempts.values().filter(|a| !a.state.is_closed()).count())
    }

    /// Lives the plan's lives; the last one ends in good order, and a start after it finds nothing.
    fn live(&mut self) {
        let mut life = 0;
        loop {
            let crash = self.plan.crashes.get(life).copied();
            match life::live(self, life, crash) {
                End::Crashed(at) => {
                    let orphans = self.open_attempts() as u64;
                    self.tally.add(|c| {
                        c.crashes += 1;
                        c.orphans += orphans;
                    });
                    self.store.set_down(false);
                    // Somebody must notice and start it again.
                    self.now = at.plus_ms((1 + i64::try_from(life).unwrap_or(0)) * 7 * SECOND_MS);
                }
                End::Over(at) => {
                    self.now = at.plus_ms(SECOND_MS);
                    break;
                }
            }
            life += 1;
        }
        life::restart(self);
    }

    fn invites(&self) -> Vec<Invite> {
        match self.log.lock() {
            Ok(log) => log.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    fn judge(&self, crashed: bool) -> Vec<Breach> {
        let limits = Limits {
            channels: self.plan.channels,
            starts_per_s: self.plan.cps,
            late_ms: self.plan.late_ms(),
            attempts_per_day: 3,
            attempts_per_week: 7,
            zone_offset_h: ZONE_OFFSET_H,
            quiet_at: self.now,
            crashed,
        };
        let invites = self.invites();
        let mut breaches = self.store.with(|t| check_all(t, &invites, &limits));
        self.notebook.read(|notes| {
            for line in &notes.personal {
                breaches.push(Breach {
                    invariant: 14,
                    what: format!("personal data in a log line:{line}"),
                });
            }
            for line in notes.errors.iter().filter(|l| l.contains("invariant")) {
                breaches.push(Breach {
                    invariant: 7,
                    what: format!("seen by the engine itself:{line}"),
                });
            }
        });
        breaches
    }

    fn counts(&self) -> Counts {
        let mut counts = self.tally.counts();
        self.store.with(|t| {
            for attempt in t.attempts.values() {
                counts.answered += u64::from(attempt.answered_at.is_some());
                counts.talked += u64::from(attempt.bridged_at.is_some());
                counts.abandoned += u64::from(attempt.result == Some(CallResult::Abandoned));
            }
        });
        counts.invites = self.log.lock().map_or(0, |log| log.len() as u64);
        counts.lines = self.notebook.read(|notes| notes.lines);
        counts
    }
}

/// Lives through a plan.
#[must_use]
pub fn run(plan: &Plan) -> Outcome {
    run_and(plan, |_| {})
}

/// Lives through a plan, then does `last` while the notebook still reads every log line.
fn run_and(plan: &Plan, last: impl FnOnce(&World)) -> Outcome {
    let mut world = World::new(plan);
    let notebook = world.notebook.clone();
    tracing::subscriber::with_default(notebook, || {
        world.live();
        last(&world);
    });
    let counts = world.counts();
    let breaches = world.judge(counts.crashes > 0);
    let attempts = world.store.with(|t| {
        let of = |c| {
            t.attempts
                .values()
                .filter(|a| a.campaign_id == Some(c))
                .count()
        };
        world.cast.campaigns.iter().map(|c| of(*c)).collect()
    });
    Outcome {
        seed: plan.seed,
        attempts,
        breaches,
        errors: world.notebook.read(|n| std::mem::take(&mut n.errors)),
        counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of the center with a debtor's phone in it, as a careless hand would write it.
    #[test]
    fn a_phone_in_a_log_line_of_a_run_is_a_breach() {
        let plan = Plan::draw(3);
        let ids = |o: Outcome| o.breaches.iter().map(|b| b.invariant).collect::<Vec<_>>();
        assert_eq!(ids(run(&plan)), Vec::<u8>::new());
        let planted = run_and(&plan, |world| {
            let phone = world.store.with(|t| {
                let row = t.attempts.values().next();
                row.map(|a| a.phone.reveal().clone()).unwrap_or_default()
            });
            tracing::info!(target: "center::executor", %phone, "dialing");
        });
        assert_eq!(ids(planted), [14]);
    }
}
