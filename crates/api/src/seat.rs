//! Supervisors' seats: a leg of voice of their own, from the browser in which the board is open.

use crate::ApiState;
use crate::auth::{Caller, generate_password};
use crate::problem::Problem;
use domain::entity::{Agent, Role};
use domain::ids::AgentId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Time in which a board whose socket broke may come again before its leg ends.
const COMES_AGAIN: Duration = Duration::from_secs(15);

/// Which socket spoke last for each supervisor's leg. One entry a supervisor who has a leg.
#[derive(Default)]
pub(crate) struct Seats(Mutex<HashMap<AgentId, u64>>);

impl Seats {
    /// A socket takes the seat; its place in the order of sockets.
    pub(crate) fn take(&self, agent: AgentId) -> u64 {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = held.entry(agent).or_default();
        *turn += 1;
        *turn
    }

    /// Gives the seat up, unless another socket has taken it meanwhile.
    fn leave(&self, agent: AgentId, turn: u64) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = held.get(&agent) == Some(&turn);
        if last {
            held.remove(&agent);
        }
        last
    }
}

/// The agent's row of whoever may join calls; made at his first time.
///
/// # Errors
/// 403 for other roles; the database away.
pub(crate) async fn of(state: &ApiState, caller: &Caller) -> Result<AgentId, Problem> {
    if !matches!(caller.role, Role::Supervisor | Role::Admin) {
        return Err(Problem::forbidden("supervisors and admins join calls"));
    }
    if let Some(agent) = known(state, caller).await? {
        return Ok(agent);
    }
    let user = state.store.get_user(caller.user).await?;
    let row = Agent {
        id: AgentId(state.id()),
        user_id: user.id,
        team_id: None,
        name: user.display_name,
        sip_user: format!("supervisor-{}", user.id.0.simple()),
        sip_password: generate_password(),
        campaigns: Vec::new(),
        skills: Vec::new(),
        created_at: state.now(),
    };
    let event = state.audit(caller, None, format!("agent:{}", row.id), "agent.made");
    match state.store.put_agent(&row, &[event]).await {
        Ok(()) => Ok(row.id),
        // Another of his windows was faster: the SIP user is unique.
        Err(error) => match known(state, caller).await? {
            Some(agent) => Ok(agent),
            None => Err(error.into()),
        },
    }
}

/// His row, if there is one. Tokens may be older than it.
///
/// # Errors
/// The database away.
pub(crate) async fn known(state: &ApiState, caller: &Caller) -> Result<Option<AgentId>, Problem> {
    if caller.agent.is_some() {
        return Ok(caller.agent);
    }
    let agent = state.store.agent_of_user(caller.user).await?;
    Ok(agent.map(|a| a.id))
}

/// The socket that spoke for a leg is over: the leg ends with it, at once where he signed out.
pub(crate) fn over(state: ApiState, agent: AgentId, turn: u64, signed_out: bool) {
    tokio::spawn(async move {
        if !signed_out {
            tokio::time::sleep(COMES_AGAIN).await;
        }
        if state.seats.leave(agent, turn) {
            state.center.close_supervisor_leg(agent).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_socket_holds_the_seat() {
        let seats = Seats::default();
        let agent = AgentId(uuid::Uuid::from_u128(1));
        let first = seats.take(agent);
        let second = seats.take(agent);
        assert!(!seats.leave(agent, first), "another window took it");
        assert!(seats.leave(agent, second));
        assert!(!seats.leave(agent, second), "nothing is left");
    }
}
