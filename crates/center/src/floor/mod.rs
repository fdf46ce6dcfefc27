//! The floor: whose turn a reserved debtor is, shares of a campaign's segments, rests of caller ids,
//! the daily assignment, placements whose day of recall has come.

pub(crate) mod assign;
pub(crate) mod callbacks;
pub(crate) mod callers;
mod marks;
mod placements;
pub(crate) mod shown;
pub(crate) mod turns;

use crate::live::Setting;
use crate::shared::Shared;
use domain::entity::Assignment;
use domain::ids::{AgentId, CallerIdId, CampaignId, DebtorId, TeamId, TrunkId};
use domain::ports::store::{Candidate, StoreError};
use domain::rules::agent_state::AgentState;
use domain::rules::mix::Mix;
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Between two rounds of the floor's care, ms.
const ROUND_MS: u64 = 30 * SECOND_MS as u64;

/// How long it is remembered which trunk failed somebody, ms: the longest wait after a fault on a day.
const FAILED_MS: i64 = 3 * HOUR_MS;
/// Most debtors of whom it is.
const FAILED_MAX: usize = 10_000;

/// What this node keeps of the floor between two feedings.
#[derive(Default)]
pub(crate) struct Floor {
    /// Accounts of the campaigns' mixes.
    mixes: Mutex<BTreeMap<CampaignId, Mix>>,
    /// Caller ids that rest, and until when.
    resting: Mutex<BTreeMap<CallerIdId, UtcMs>>,
    /// Trunks that failed the last call to somebody, and when.
    failed: Mutex<BTreeMap<DebtorId, (TrunkId, UtcMs)>>,
    /// When callers last reached us by them.
    reached: Mutex<BTreeMap<CallerIdId, UtcMs>>,
    /// Calls of the company in the month so far; 0 = not counted.
    month_calls: AtomicU64,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Floor {
    /// How many of each part of the campaign's mix to reserve.
    pub(crate) fn parts(&self, setting: &Setting, limit: u32) -> Vec<u32> {
        let weights = setting.campaign.params.mix_weights();
        let mut mixes = held(&self.mixes);
        let mix = mixes
            .entry(setting.id())
            .or_insert_with(|| Mix::new(&weights));
        if !mix.is_of(&weights) {
            *mix = Mix::new(&weights);
        }
        mix.ask(limit)
    }

    /// What came of each part.
    pub(crate) fn took(&self, setting: &Setting, candidates: &[Candidate]) {
        if let Some(mix) = held(&self.mixes).get_mut(&setting.id()) {
            let mut taken = vec![0_u32; setting.campaign.params.mix_weights().len()];
            for candidate in candidates {
                if let Some(n) = taken.get_mut(candidate.part as usize) {
                    *n += 1;
                }
            }
            mix.took(&taken);
        }
    }

    /// Whether a caller id rests.
    pub(crate) fn rests(&self, id: CallerIdId, now: UtcMs) -> bool {
        held(&self.resting)
            .get(&id)
            .is_some_and(|until| *until > now)
    }

    /// When a caller last reached us by a number of ours, as far as this node heard.
    pub(crate) fn reached(&self, id: CallerIdId) -> Option<UtcMs> {
        held(&self.reached).get(&id).copied()
    }

    /// Notes that one did; whether that is news of a day or more.
    pub(crate) fn note_reached(&self, id: CallerIdId, at: UtcMs) -> bool {
        let mut reached = held(&self.reached);
        let before = reached.get(&id).copied();
        reached.insert(id, before.map_or(at, |before| before.max(at)));
        before.is_none_or(|before| at.since_ms(before) >= DAY_MS)
    }

    /// Calls of the company in the month so far, where they are counted.
    pub(crate) fn month_calls(&self) -> Option<u64> {
        Some(self.month_calls.load(Ordering::Relaxed)).filter(|n| *n > 0)
    }

    /// Notes how many there are.
    pub(crate) fn note_month(&self, calls: u64) {
        self.month_calls.store(calls, Ordering::Relaxed);
    }

    /// A trunk failed a call to a debtor.
    pub(crate) fn note_failed(&self, debtor: DebtorId, trunk: TrunkId, at: UtcMs) {
        let mut failed = held(&self.failed);
        if failed.len() >= FAILED_MAX {
            failed.retain(|_, (_, then)| at.since_ms(*then) < FAILED_MS);
        }
        if failed.len() < FAILED_MAX {
            failed.insert(debtor, (trunk, at));
        }
    }

    /// The trunk that failed a debtor of late: the next try goes by another one (terms.md §11). Asked once.
    pub(crate) fn failed_of(&self, debtor: DebtorId, now: UtcMs) -> Option<TrunkId> {
        let (trunk, at) = held(&self.failed).remove(&debtor)?;
        (now.since_ms(at) < FAILED_MS).then_some(trunk)
    }

    /// Notes a rest, or its end.
    pub(crate) fn note_rest(&self, id: CallerIdId, until: Option<UtcMs>) {
        let mut resting = held(&self.resting);
        match until {
            Some(until) => resting.insert(id, until),
            None => resting.remove(&id),
        };
    }
}

/// What decides whose turn the reserved debtors are.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// Agents signed in here: how they stand, and their team.
    pub(crate) at_work: BTreeMap<AgentId, (AgentState, Option<TeamId>)>,
    /// Agents signed in on other nodes.
    pub(crate) there: BTreeSet<AgentId>,
    assigned: BTreeMap<DebtorId, Assignment>,
}

/// Asks once for a whole reservation.
pub(crate) async fn around(
    shared: &Shared,
    candidates: &[Candidate],
) -> Result<Around, StoreError> {
    let debtors: Vec<DebtorId> = candidates.iter().map(|c| c.item.debtor_id).collect();
    if debtors.is_empty() {
        return Ok(Around::default());
    }
    let rows = shared.out.store.assignments_of(&debtors).await?;
    let agreed = |c: &Candidate| crate::feeder::own_agent(&c.item.note).is_some();
    let personal = rows
        .iter()
        .any(|r| r.agent_id.is_some() || r.team_id.is_some());
    let mut found = Around {
        assigned: rows.into_iter().map(|r| (r.debtor_id, r)).collect(),
        ..Around::default()
    };
    if personal || candidates.iter().any(agreed) {
        let asked = shared
            .post
            .call(|engine, _| (engine.here(), engine.there()))
            .await;
        (found.at_work, found.there) = asked.unwrap_or_default();
    }
    Ok(found)
}

impl Around {
    /// The campaign that alone may dial the debtor, when it is another one.
    pub(crate) fn elsewhere(&self, debtor: DebtorId, here: CampaignId) -> Option<CampaignId> {
        let campaign = self.assigned.get(&debtor)?.campaign_id?;
        (campaign != here).then_some(campaign)
    }

    /// Who gets the debtor first: his agent when he is signed in here, else one of his team who is free.
    pub(crate) fn first(&self, debtor: DebtorId) -> Option<AgentId> {
        let row = self.assigned.get(&debtor)?;
        if let Some(agent) = row.agent_id
            && self.at_work.contains_key(&agent)
        {
            return Some(agent);
        }
        let team = row.team_id?;
        let free = |(_, (state, of)): &(&AgentId, &(AgentState, Option<TeamId>))| {
            *of == Some(team) && *state == AgentState::Ready
        };
        // Spread over the team by the debtor's own number, so that not one of them gets all.
        let free: Vec<AgentId> = self
            .at_work
            .iter()
            .filter(free)
            .map(|(id, _)| *id)
            .collect();
        let at = usize::try_from(debtor.0.as_u128() % 1_000_003).unwrap_or(0);
        free.get(at % free.len().max(1)).copied()
    }
}

/// The floor's care, round by round, until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    loop {
        if let Err(error) = callers::round(&shared).await {
            shared.mind(&error).await;
        }
        if let Err(error) = assign::morning(&shared).await {
            shared.mind(&error).await;
        }
        if let Err(error) = marks::round(&shared).await {
            shared.mind(&error).await;
        }
        if let Err(error) = placements::round(&shared).await {
            shared.mind(&error).await;
        }
        if !crate::tasks::pause(&mut stop, ROUND_MS).await {
            return;
        }
    }
}
