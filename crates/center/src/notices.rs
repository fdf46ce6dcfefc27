//! What screens are told at once, on whichever node one is signed in: a person's late cases, and that money moved.

use crate::shared::Shared;
use domain::entity::{DebtStage, Role, Stage};
use domain::event::NewEvent;
use domain::ids::{AgentId, ClientId, DebtId, DebtorId, TeamId, UserId};
use domain::ports::store::{AttemptFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::rules::kpi::ATTRIBUTION_MS;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, mpsc, watch};

/// Notices that a slow socket may be behind; what it misses stands in its user's morning review.
const NOTICES: usize = 256;

/// The event that tells of a late case.
pub(crate) const RAISED: &str = "escalation.raised";

/// A debt has stood in its stage for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateCase {
    /// Whose debt.
    pub client_id: ClientId,
    /// Who owes.
    pub debtor_id: DebtorId,
    /// Which debt.
    pub debt_id: DebtId,
    /// The stage.
    pub stage: Stage,
    /// When it had to have left it.
    pub deadline: Option<UtcMs>,
    /// Its statute date, where that is what is near (`YYYY-MM-DD`).
    #[serde(default)]
    pub statute_date: Option<String>,
    /// Who is told; without one the client's managers are.
    pub owner_id: Option<UserId>,
}

impl LateCase {
    pub(crate) fn of(row: &DebtStage) -> Self {
        Self {
            client_id: row.client_id,
            debtor_id: row.debtor_id,
            debt_id: row.debt_id,
            stage: row.stage,
            deadline: row.deadline,
            statute_date: None,
            owner_id: row.owner_id,
        }
    }

    /// Whether a login is told; `client` is the only one whose rows it may see.
    #[must_use]
    pub fn is_for(&self, user: UserId, role: Role, client: Option<ClientId>) -> bool {
        let named = self
            .owner_id
            .map_or(role == Role::Manager, |owner| owner == user);
        named && client.is_none_or(|own| own == self.client_id)
    }
}

/// How often money of each client moved since this node started: whoever saw fewer moves looks again.
pub type MoneyMoves = BTreeMap<ClientId, u64>;

/// Debtors whose money moved and whose agents are still to be told; of what a longer file brings at once the agents
/// learn by their own next look.
const NEAR_MAX: usize = 1_024;

/// Where this node's sockets hear of them.
#[derive(Debug)]
pub(crate) struct Notices {
    late: broadcast::Sender<Arc<LateCase>>,
    money: watch::Sender<MoneyMoves>,
    near: mpsc::Sender<(ClientId, DebtorId)>,
    /// Until [`run`] takes it.
    queue: Mutex<Option<mpsc::Receiver<(ClientId, DebtorId)>>>,
}

impl Default for Notices {
    fn default() -> Self {
        let (near, queue) = mpsc::channel(NEAR_MAX);
        Self {
            late: broadcast::channel(NOTICES).0,
            money: watch::channel(MoneyMoves::new()).0,
            near,
            queue: Mutex::new(Some(queue)),
        }
    }
}

impl Notices {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LateCase>> {
        self.late.subscribe()
    }

    pub(crate) fn money(&self) -> watch::Receiver<MoneyMoves> {
        self.money.subscribe()
    }

    /// Money of a client moved.
    pub(crate) fn money_moved(&self, client: ClientId) {
        self.money
            .send_modify(|moves| *moves.entry(client).or_default() += 1);
    }

    /// The agents near a debtor are told of it beside everything else: stops that stand behind it wait for nothing.
    pub(crate) fn money_near(&self, client: ClientId, debtor: DebtorId) {
        // A full queue: they look again by themselves.
        let _ = self.near.try_send((client, debtor));
    }

    /// Passes on what the log tells, whichever node wrote it.
    pub(crate) fn hear(&self, event: &NewEvent) {
        if event.kind != RAISED {
            return;
        }
        match serde_json::from_value::<LateCase>(event.data.clone()) {
            Ok(case) => {
                // Nobody is signed in here: nothing to pass on.
                let _ = self.late.send(Arc::new(case));
            }
            Err(error) => tracing::warn!(%error, "late case not read"),
        }
    }
}

/// Agents by themselves, and by their team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Near {
    /// These.
    pub(crate) agents: BTreeSet<AgentId>,
    /// All of these teams.
    pub(crate) teams: BTreeSet<TeamId>,
}

/// Tells agents of money, one debtor after the other, until the node ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    let queue = shared.notices.queue.lock().ok().and_then(|mut q| q.take());
    let Some(mut queue) = queue else { return };
    let mut stop = shared.stop.clone();
    loop {
        tokio::select! {
            moved = queue.recv() => {
                let Some((client, debtor)) = moved else { return };
                if let Err(error) = tell_agents(&shared, client, debtor).await {
                    shared.mind(&error).await;
                }
            }
            () = crate::tasks::stopped(&mut stop) => return,
        }
    }
}

/// Money of a debtor moved: of all agents only those look again whose goals or list may show it, for a look at goals
/// counts the whole period. These are who talked with him in the time in which money is counted as theirs, their
/// teams, and whom he is assigned to; what was paid long before it came is found by the next look of theirs.
async fn tell_agents(
    shared: &Shared,
    client: ClientId,
    debtor: DebtorId,
) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let filter = AttemptFilter {
        debtor_id: Some(debtor),
        since: Some(shared.now().plus_ms(-ATTRIBUTION_MS)),
        ..AttemptFilter::default()
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let attempts = store.list_attempts(&filter, &page).await?.items;
    let talked = attempts.iter().filter(|a| a.bridged_at.is_some());
    let mut near = Near {
        agents: talked.filter_map(|a| a.agent_id).collect(),
        ..Near::default()
    };
    for id in &near.agents {
        match store.get_agent(*id).await {
            Ok(agent) => near.teams.extend(agent.team_id),
            // Who is gone has no screen.
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    for row in store.assignments_of(&[debtor]).await? {
        near.agents.extend(row.agent_id);
        near.teams.extend(row.team_id);
    }
    if near != Near::default() {
        shared
            .post
            .tell(move |engine, now| engine.money_near(now, client, &near))
            .await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_late_case_is_its_owner_s_else_the_managers_row_15() {
        let id = Uuid::from_u128;
        let (own, other) = (ClientId(id(1)), ClientId(id(2)));
        let (owner, somebody) = (UserId(id(3)), UserId(id(4)));
        let mut case = LateCase {
            client_id: own,
            debtor_id: DebtorId(id(5)),
            debt_id: DebtId(id(6)),
            stage: Stage::Extrajudicial,
            deadline: Some(UtcMs(0)),
            statute_date: None,
            owner_id: Some(owner),
        };
        assert!(case.is_for(owner, Role::Agent, None));
        assert!(
            !case.is_for(somebody, Role::Manager, None),
            "it has its owner"
        );
        assert!(!case.is_for(owner, Role::Supervisor, Some(other)));
        case.owner_id = None;
        assert!(case.is_for(somebody, Role::Manager, Some(own)));
        assert!(!case.is_for(somebody, Role::Manager, Some(other)));
        assert!(!case.is_for(somebody, Role::Supervisor, None));
    }

    #[test]
    fn money_of_each_client_is_counted_by_itself() {
        let (own, other) = (ClientId(Uuid::from_u128(1)), ClientId(Uuid::from_u128(2)));
        let notices = Notices::default();
        let mut seen = notices.money();
        assert_eq!(seen.has_changed().ok(), Some(false));
        for client in [own, other, own] {
            notices.money_moved(client);
        }
        assert_eq!(seen.has_changed().ok(), Some(true));
        let moves = seen.borrow_and_update().clone();
        assert_eq!(moves, MoneyMoves::from([(own, 2), (other, 1)]));
    }
}
