//! Money that moves: the card of who talks with its debtor says so at once, and agents near it are told.

use super::Engine;
use crate::card::{self, CardKind, CardSource};
use crate::notices::Near;
use domain::ids::{AgentId, AttemptId, ClientId, DebtorId};
use domain::ports::store::ContactFacts;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// Money of a debtor moved: who talks with him gets his card anew.
    pub(crate) fn money_moved(&mut self, debtor: DebtorId) {
        if self.talks_with(debtor).is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let facts = shared.out.store.contact_facts(debtor, shared.now());
            let read = match facts.await {
                Ok(facts) => CardSource::read(&shared, debtor).await.map(|s| (facts, s)),
                Err(error) => Err(error),
            };
            match read {
                Ok((facts, source)) => {
                    let again = move |engine: &mut Self, now| {
                        engine.card_again(now, debtor, &Arc::new(facts), &source);
                    };
                    shared.post.tell(again).await;
                }
                Err(error) => shared.mind(&error).await,
            }
        });
    }

    /// Agents of ours who show money near them are told that it moved, and of which client it is.
    pub(crate) fn money_near(&self, now: UtcMs, client: ClientId, near: &Near) {
        for (id, entry) in &self.agents {
            let team = entry.agent.team_id;
            if near.agents.contains(id) || team.is_some_and(|t| near.teams.contains(&t)) {
                let told = json!({"t": "money", "now": now.0, "client": client});
                self.shared.out.desk.tell(*id, told);
            }
        }
    }

    /// Calls in which an agent of ours is joined with the debtor, or disposes of one.
    fn talks_with(&self, debtor: DebtorId) -> Vec<(AttemptId, AgentId)> {
        let with = self.calls.iter().filter(|(_, entry)| {
            entry.bridged_at.is_some() && entry.ctx.stocked.facts.debtor.id == debtor
        });
        with.filter_map(|(id, entry)| Some((*id, entry.agent?)))
            .collect()
    }

    fn card_again(
        &mut self,
        now: UtcMs,
        debtor: DebtorId,
        facts: &Arc<ContactFacts>,
        source: &CardSource,
    ) {
        for (attempt, agent) in self.talks_with(debtor) {
            let Some(entry) = self.calls.get(&attempt) else {
                continue;
            };
            let mut stocked = entry.ctx.stocked.clone();
            stocked.facts = Arc::clone(facts);
            let gate = stocked.setting.campaign.params.identity_gate && entry.identity.is_none();
            let viewer = card::Viewer {
                agent: self
                    .agents
                    .get(&agent)
                    .map_or("", |a| a.agent.name.as_str()),
                company: &self.shared.config.company,
                gate,
                now,
                duties: self.shared.out.law.duties(facts, now),
            };
            let mut body = card::build(CardKind::Full(attempt), &stocked, source, &viewer);
            if let (Some(how), Some(map)) = (self.is_caller(attempt), body.as_object_mut()) {
                map.insert("direction".to_owned(), json!(how));
            }
            self.shared.out.desk.tell(agent, body);
        }
    }
}
