//! What happened in a run, counted.

use crate::trunk::Mishaps;
use center::CenterError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Counts of one run, or of many added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// INVITEs that the carrier saw.
    pub invites: u64,
    /// Answers.
    pub answered: u64,
    /// Joined with an agent.
    pub talked: u64,
    /// No agent in time.
    pub abandoned: u64,
    /// Cards written.
    pub cards: u64,
    /// Dispositions that agents gave.
    pub dispositions: u64,
    /// Promises recorded.
    pub promises: u64,
    /// Payments posted.
    pub payments: u64,
    /// Of them while the debtor was being called.
    pub payments_mid_call: u64,
    /// Holds and listings placed.
    pub stops: u64,
    /// Deaths of the process.
    pub crashes: u64,
    /// Of them with attempts open.
    pub orphans: u64,
    /// Outages of the database.
    pub outages: u64,
    /// Times the trunk was dead.
    pub dead_trunks: u64,
    /// Agents that vanished.
    pub vanished: u64,
    /// Reports lost, told twice, told late; legs dropped.
    pub mishaps: Mishaps,
    /// Log lines read.
    pub lines: u64,
    /// Commands refused to agents, by code.
    pub refused: BTreeMap<String, u64>,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.invites += other.invites;
        self.answered += other.answered;
        self.talked += other.talked;
        self.abandoned += other.abandoned;
        self.cards += other.cards;
        self.dispositions += other.dispositions;
        self.promises += other.promises;
        self.payments += other.payments;
        self.payments_mid_call += other.payments_mid_call;
        self.stops += other.stops;
        self.crashes += other.crashes;
        self.orphans += other.orphans;
        self.outages += other.outages;
        self.dead_trunks += other.dead_trunks;
        self.vanished += other.vanished;
        self.mishaps += other.mishaps;
        self.lines += other.lines;
        for (code, n) in other.refused {
            *self.refused.entry(code).or_insert(0) += n;
        }
    }
}

/// The counts while they grow, shared by everybody in the run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    pub(super) fn add(&self, change: impl FnOnce(&mut Counts)) {
        match self.0.lock() {
            Ok(mut counts) => change(&mut counts),
            Err(poisoned) => change(&mut poisoned.into_inner()),
        }
    }

    pub(super) fn refused(&self, error: &CenterError) {
        let code = error.code().to_owned();
        self.add(|c| *c.refused.entry(code).or_insert(0) += 1);
    }

    pub(super) fn counts(&self) -> Counts {
        let mut all = Counts::default();
        self.add(|c| all = c.clone());
        all
    }
}
