//! The engine task: owns the brain and the live tables, takes one thing at a time, never waits for
//! the outside.

mod agents;
mod alarms;
mod asks;
mod board;
mod by_phone;
mod campaigns;
mod carry;
mod classified;
mod draft;
mod early;
mod ending;
mod fates;
mod faults;
mod figures;
mod floor;
mod handed;
mod lines;
mod listing;
mod me;
mod money;
mod over;
mod pauses;
mod plans;
mod post;
mod problems;
mod queue;
mod reports;
mod seen;
mod tape;
mod transfer;

pub(crate) use asks::{Seat, wish};
pub(crate) use campaigns::Adopted;
pub(crate) use over::DisposedAs;
pub(crate) use post::{Order, Post};
pub(crate) use seen::Seen;
pub(crate) use tape::with_pauses;
pub(crate) use transfer::{NUMBER_RING_MS, transfer_data};

use crate::live::{AgentEntry, CallEntry, CampaignEntry, StockKey, Stocked, TrunkEntry};
use crate::shared::Shared;
use crate::stats::{Totals, day_of};
use board::Board;
use dialer::{Dialer, Input, Refusal};
use domain::ids::{AgentId, AttemptId, CampaignId, TrunkId};
use domain::ports::TrunkReport;
use domain::time::{SECOND_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Between two looks at invariants, phones and what may be forgotten, ms.
const WATCH_MS: i64 = SECOND_MS;
/// Most orders taken before the brain's commands are carried out and screens are told.
const BATCH_MAX: usize = 64;
/// Most inputs that carrying out commands may cause in one go; more is a fault of ours.
const LATER_MAX: usize = 10_000;

/// The brain and the live tables.
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) brain: Dialer,
    pub(crate) agents: BTreeMap<AgentId, AgentEntry>,
    pub(crate) calls: BTreeMap<AttemptId, CallEntry>,
    pub(crate) campaigns: BTreeMap<CampaignId, CampaignEntry>,
    pub(crate) hopper: BTreeMap<StockKey, Stocked>,
    pub(crate) trunks: BTreeMap<TrunkId, TrunkEntry>,
    /// Trunks whose calls have come to a limit of the day, and whether they answer.
    pub(crate) spent: BTreeMap<TrunkId, bool>,
    pub(crate) totals: Totals,
    pub(crate) board: Board,
    /// Callers who wait, and figures of their queues.
    callers: queue::Callers,
    /// Items of calls by hand on their way to the brain.
    pub(crate) by_hand: BTreeMap<AttemptId, Stocked>,
    /// Agents whose screens and rows are to be told.
    pub(crate) dirty: BTreeSet<AgentId>,
    /// The disk of the recordings is almost full.
    pub(crate) disk_low: bool,
    /// Recordings that failed since the start.
    recorder_fails: u64,
    /// Calls of the last hour, and those of unknown fate.
    fates: fates::Fates,
    /// When the telephone side told its latest fault.
    fault_at: Option<UtcMs>,
    /// The node's place among those that live, and how many they are: they share the trunks' limits.
    pub(crate) place: (u32, u32),
    breaches: BTreeSet<String>,
    later: VecDeque<Input>,
    /// When the brain wants to be asked again.
    brain_at: UtcMs,
    watch_at: Option<UtcMs>,
    day: i64,
}

/// Where things come from.
pub(crate) struct Queues {
    pub(crate) reports: mpsc::Receiver<TrunkReport>,
    pub(crate) done: mpsc::Receiver<Order>,
    pub(crate) asks: mpsc::Receiver<Order>,
}

impl Engine {
    pub(crate) fn new(shared: Arc<Shared>, seen: Arc<Seen>) -> Self {
        let now = shared.now();
        let mut brain = Dialer::new(Arc::clone(&shared.out.ids));
        brain.gather();
        Self {
            brain,
            shared,
            seen,
            agents: BTreeMap::new(),
            calls: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            hopper: BTreeMap::new(),
            trunks: BTreeMap::new(),
            spent: BTreeMap::new(),
            totals: Totals::default(),
            board: Board::default(),
            callers: queue::Callers::default(),
            by_hand: BTreeMap::new(),
            dirty: BTreeSet::new(),
            disk_low: false,
            recorder_fails: 0,
            fates: fates::Fates::default(),
            fault_at: None,
            place: (0, 1),
            breaches: BTreeSet::new(),
            later: VecDeque::new(),
            brain_at: now,
            watch_at: None,
            day: day_of(now),
        }
    }

    /// Runs until the center stops.
    pub(crate) async fn run(mut self, mut queues: Queues, mut stop: watch::Receiver<bool>) {
        let mut reports_open = true;
        loop {
            let wait = tokio::time::sleep(self.wait());
            tokio::select! {
                biased;
                report = queues.reports.recv(), if reports_open => match report {
                    Some(report) => self.report(self.shared.now(), report),
                    None => {
                        reports_open = false;
                        self.reports_closed(self.shared.now());
                    }
                },
                Some(order) = queues.done.recv() => self.obey(order),
                Some(order) = queues.asks.recv() => self.obey(order),
                () = wait => {}
                _ = stop.changed() => break,
            }
            for _ in 0..BATCH_MAX {
                if let Ok(report) = queues.reports.try_recv() {
                    self.report(self.shared.now(), report);
                } else if let Ok(order) = queues.done.try_recv() {
                    self.obey(order);
                } else if let Ok(order) = queues.asks.try_recv() {
                    self.obey(order);
                } else {
                    break;
                }
            }
            self.settle(self.shared.now());
        }
    }

    fn obey(&mut self, order: Order) {
        let now = self.shared.now();
        order(self, now);
    }

    /// How long nothing needs to be done of itself.
    fn wait(&self) -> Duration {
        let now = self.shared.now();
        let next = [Some(self.brain_at), self.watch_at, self.board.tick_at()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.brain_at);
        // At least a millisecond: the clock may still be just before the instant.
        Duration::from_millis(u64::try_from(next.since_ms(now)).unwrap_or(0).max(1))
    }

    /// Hands the brain an input and carries out what it decides.
    ///
    /// # Errors
    /// The brain's refusal of what a person asked for.
    pub(crate) fn ask(&mut self, now: UtcMs, input: Input) -> Result<(), Refusal> {
        let done = self.brain.handle(now, input);
        self.carry_all(now);
        done
    }

    /// Hands the brain what happened; there is nothing to refuse.
    pub(crate) fn take(&mut self, now: UtcMs, input: Input) {
        if let Err(refusal) = self.ask(now, input) {
            tracing::debug!(code = refusal.code, reason = %refusal, "input refused");
        }
    }

    /// An input that follows from a command; taken once the commands of now are carried out.
    pub(crate) fn follow(&mut self, input: Input) {
        self.later.push_back(input);
    }

    fn carry_all(&mut self, now: UtcMs) {
        let mut taken = 0;
        loop {
            for command in self.brain.drain() {
                self.carry(now, command);
            }
            let Some(input) = self.later.pop_front() else {
                return;
            };
            taken += 1;
            if taken > LATER_MAX {
                self.shared.fault("commands feed on themselves", &taken);
                self.later.clear();
                return;
            }
            // What follows from a command is never a person's wish: nobody waits for a refusal.
            let _ = self.brain.handle(now, input);
        }
    }

    /// After each turn: what is due by time, then screens and board.
    fn settle(&mut self, now: UtcMs) {
        if now >= self.brain_at {
            self.take(now, Input::Tick);
        }
        // The lines once for all that was taken, withdrawals first: before any screen, row or board.
        self.brain.act(now);
        self.carry_all(now);
        let busy = !self.calls.is_empty() || !self.agents.is_empty();
        match self.watch_at {
            Some(at) if now >= at => {
                self.watch(now);
                self.watch_at = busy.then(|| now.plus_ms(WATCH_MS));
            }
            None if busy => self.watch_at = Some(now.plus_ms(WATCH_MS)),
            _ => {}
        }
        for agent in std::mem::take(&mut self.dirty) {
            self.tell_me(now, agent);
        }
        self.board_turn(now);
    }

    /// Once a second: invariants, phones, a new day, what may be forgotten.
    fn watch(&mut self, now: UtcMs) {
        for breach in self.brain.breaches(now) {
            let text = format!("{}: {}", breach.id, breach.what);
            if self.breaches.len() < LATER_MAX && self.breaches.insert(text.clone()) {
                self.shared.fault("invariant broken", &text);
            }
        }
        let day = day_of(now);
        if day != self.day {
            self.day = day;
            self.new_day();
        }
        self.look_after_phones(now);
        self.audio_back(now);
        self.forget_old(now);
        self.end_long_pauses(now);
        self.turn_trunks(now);
        self.give_back_strays();
        self.say_in_queues(now);
        self.unknown_alarm(now);
        self.fault_over(now);
    }

    pub(crate) fn pace_board(&mut self) {
        self.board.pace(self.shared.config.board_tick_ms);
    }

    /// Counters of the day start again.
    fn new_day(&mut self) {
        for (id, entry) in &mut self.agents {
            entry.today = crate::stats::Today::default();
            self.dirty.insert(*id);
        }
        for entry in self.campaigns.values_mut() {
            entry.stats = crate::stats::CampaignStats::default();
        }
        self.board.touch();
    }
}
