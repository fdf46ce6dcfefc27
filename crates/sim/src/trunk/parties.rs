//! Further parties of simulated calls. What a number does follows from its last digit: 6 is busy,
//! 7 rings for ever, 8 answers and leaves after 5 s, any other answers after 2 s.

use super::SimTrunk;
use domain::ids::{AgentId, AttemptId, TransferId};
use domain::ports::{PartyOrder, PartyWho, TrunkError, TrunkReport};
use std::time::Duration;

/// Time to the answer, the refusal, or the end of one that leaves.
const ANSWER_MS: u64 = 2_000;
const LEAVE_MS: u64 = 5_000;

/// A party of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guest {
    attempt: AttemptId,
    up: bool,
}

impl SimTrunk {
    pub(super) fn bring_in(&self, order: PartyOrder) -> Result<(), TrunkError> {
        let (attempt, party) = (order.attempt, order.id);
        {
            let mut state = self.lock();
            if !state.calls.get(&attempt).is_some_and(|c| c.answered) {
                return Err(TrunkError::Gone);
            }
            if let PartyWho::Agent(agent) = &order.who
                && !state.legs.contains_key(agent)
            {
                return Err(TrunkError::NoPhone);
            }
            if let PartyWho::Number { trunk_id, .. } = &order.who {
                state.called_in.push(*trunk_id);
            }
            state.parties.insert(party, Guest { attempt, up: false });
        }
        let me = self.clone();
        tokio::spawn(async move {
            match order.who {
                PartyWho::Agent(_) => me.comes(attempt, party).await,
                PartyWho::Number {
                    number,
                    ring_timeout_ms,
                    ..
                } => {
                    let ring = u64::try_from(ring_timeout_ms).unwrap_or(0);
                    me.called(attempt, party, &number, ring).await;
                }
            }
        });
        Ok(())
    }

    async fn called(&self, attempt: AttemptId, party: TransferId, number: &str, ring_ms: u64) {
        let at = self.clock.now();
        let _ = self
            .reports
            .send(TrunkReport::PartyRinging { attempt, party, at })
            .await;
        match number.chars().last() {
            Some('6') => {
                tokio::time::sleep(Duration::from_millis(ANSWER_MS)).await;
                self.goes(attempt, party, 486, false).await;
            }
            Some('7') => {
                tokio::time::sleep(Duration::from_millis(ring_ms)).await;
                self.goes(attempt, party, 408, true).await;
            }
            last => {
                tokio::time::sleep(Duration::from_millis(ANSWER_MS)).await;
                self.comes(attempt, party).await;
                if last == Some('8') {
                    tokio::time::sleep(Duration::from_millis(LEAVE_MS)).await;
                    self.goes(attempt, party, 200, false).await;
                }
            }
        }
    }

    async fn comes(&self, attempt: AttemptId, party: TransferId) {
        match self.lock().parties.get_mut(&party) {
            Some(guest) => guest.up = true,
            None => return,
        }
        let at = self.clock.now();
        // A closed channel means that the engine is gone: nobody is left to tell.
        let _ = self
            .reports
            .send(TrunkReport::PartyUp { attempt, party, at })
            .await;
    }

    async fn goes(&self, attempt: AttemptId, party: TransferId, code: u16, by_us: bool) {
        if self.lock().parties.remove(&party).is_none() {
            return;
        }
        let report = TrunkReport::PartyDown {
            attempt,
            party,
            at: self.clock.now(),
            sip_code: Some(code),
            q850: None,
            by_us,
        };
        let _ = self.reports.send(report).await;
    }

    pub(super) fn guest_up(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        let state = self.lock();
        let guest = state.parties.get(&party);
        guest
            .filter(|g| g.up && g.attempt == attempt)
            .map(|_| ())
            .ok_or(TrunkError::Gone)
    }

    pub(super) fn send_away(
        &self,
        attempt: AttemptId,
        party: TransferId,
    ) -> Result<(), TrunkError> {
        if !self.lock().parties.contains_key(&party) {
            return Err(TrunkError::Gone);
        }
        let me = self.clone();
        tokio::spawn(async move { me.goes(attempt, party, 200, true).await });
        Ok(())
    }

    pub(super) fn hears_of_transfer(
        &self,
        agent: AgentId,
        code: u16,
        why: &'static str,
    ) -> Result<(), TrunkError> {
        let mut state = self.lock();
        if !state.legs.contains_key(&agent) {
            return Err(TrunkError::Gone);
        }
        state.answers.push((agent, code, why));
        Ok(())
    }

    /// An agent's transfer key: his phone asks that the call he is on go to somebody.
    pub async fn asks_transfer(&self, agent: AgentId, attempt: AttemptId, to: &str) {
        let report = TrunkReport::TransferAsked {
            attempt,
            agent,
            to: to.into(),
            at: self.clock.now(),
        };
        // A closed channel means that the engine is gone: nobody is left to tell.
        let _ = self.reports.send(report).await;
    }

    /// What agents' phones were told of their transfers since the last look: status and why.
    pub fn told_of_transfers(&self) -> Vec<(AgentId, u16, &'static str)> {
        std::mem::take(&mut self.lock().answers)
    }

    /// Drops an agent's leg, as a phone that lost its network; `false` when it has none.
    pub async fn drop_leg(&self, agent: AgentId) -> bool {
        {
            let mut state = self.lock();
            if state.legs.remove(&agent).is_none() {
                return false;
            }
            state.mishaps.legs_dropped += 1;
        }
        let report = TrunkReport::AgentLegDown {
            agent,
            at: self.clock.now(),
            reason: "simulated".into(),
        };
        // A closed channel means that the engine is gone: nobody is left to tell.
        let _ = self.reports.send(report).await;
        true
    }
}
