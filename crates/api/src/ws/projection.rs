//! The board as one login may see it: a login limited to one client sees that client's campaigns
//! and the agents who work for them, and no sums or trunks, which are of the whole installation.

use crate::ApiState;
use crate::auth::Caller;
use center::view::{BoardData, Totals};
use domain::ids::{CampaignId, ClientId};
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// Which part of the board.
#[derive(Debug)]
pub(super) enum Projection {
    /// All of it: the shared bytes go out as they are.
    Whole,
    /// One client's part.
    Client {
        client: ClientId,
        campaigns: HashSet<String>,
        agents: HashSet<String>,
    },
}

impl Projection {
    pub(super) fn of(caller: &Caller) -> Self {
        caller.client.map_or(Self::Whole, |client| Self::Client {
            client,
            campaigns: HashSet::new(),
            agents: HashSet::new(),
        })
    }

    /// Whether deltas need no cutting, so that missed ones can be sent again.
    pub(super) fn whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// Cuts a snapshot, and learns what belongs to the client.
    pub(super) async fn cut(
        &mut self,
        state: &ApiState,
        board: &mut BoardData,
    ) -> Result<(), StoreError> {
        let Self::Client {
            client,
            campaigns,
            agents,
        } = self
        else {
            return Ok(());
        };
        *campaigns = campaigns_of(state, *client).await?;
        let ids: HashSet<CampaignId> = campaigns.iter().filter_map(|id| id.parse().ok()).collect();
        board.campaigns.retain(|row| ids.contains(&row.id));
        board
            .agents
            .retain(|row| row.campaign.as_ref().is_some_and(|c| campaigns.contains(c)));
        *agents = board.agents.iter().map(|row| row.id.to_string()).collect();
        board.trunks.clear();
        board.alarms.clear();
        board.asks.retain(|ask| ask.client_id == *client);
        let late = board.totals.late_by_client.iter();
        let late = late.filter(|(of, _)| of == client).map(|(_, n)| n).sum();
        board.totals = own_totals(*client, late);
        Ok(())
    }

    /// A tick as this login may see it; it is never left out, so that `seq` has no hole.
    pub(super) fn project(&mut self, body: &Arc<str>) -> Arc<str> {
        let Self::Client {
            client,
            campaigns,
            agents,
        } = self
        else {
            return Arc::clone(body);
        };
        let mut delta: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        let totals = ["trunks", "alarms", "totals"].map(|name| delta.remove(name));
        if let Some(late) = totals[2].as_ref().and_then(|t| t.get("late_by_client")) {
            let late: Vec<(ClientId, u64)> =
                serde_json::from_value(late.clone()).unwrap_or_default();
            let own = late.iter().filter(|(of, _)| of == client);
            let own = own_totals(*client, own.map(|(_, n)| n).sum());
            if let Ok(own) = serde_json::to_value(own) {
                delta.insert("totals".to_owned(), own);
            }
        }
        let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(Value::Array(rows)) = delta.get_mut("asks") {
            let own = client.to_string();
            rows.retain(|row| text(row, "client_id").is_some_and(|id| id == own));
        }
        if let Some(Value::Array(rows)) = delta.get_mut("campaigns") {
            rows.retain(|row| text(row, "id").is_some_and(|id| campaigns.contains(&id)));
        }
        if let Some(Value::Array(rows)) = delta.get_mut("agents") {
            rows.retain(|row| {
                let ours = text(row, "campaign").is_some_and(|c| campaigns.contains(&c));
                if let Some(id) = text(row, "id") {
                    if ours {
                        agents.insert(id);
                    } else {
                        agents.remove(&id);
                    }
                }
                ours
            });
        }
        if let Some(Value::Array(rows)) = delta.get_mut("rows") {
            rows.retain(|row| {
                let id = row.get(0).and_then(Value::as_str);
                id.is_some_and(|id| agents.contains(id))
            });
        }
        Value::Object(delta).to_string().into()
    }
}

/// The sums that a login limited to a client is told: his late cases.
fn own_totals(client: ClientId, late_cases: u64) -> Totals {
    let own = (late_cases > 0).then_some((client, late_cases));
    Totals {
        late_cases,
        late_by_client: own.into_iter().collect(),
        ..Totals::default()
    }
}

async fn campaigns_of(state: &ApiState, client: ClientId) -> Result<HashSet<String>, StoreError> {
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let mut found = HashSet::new();
    loop {
        let rows = state.store.list_campaigns(&filter, &page).await?;
        found.extend(rows.items.iter().map(|c| c.id.to_string()));
        match rows.next_cursor {
            Some(next) => page.cursor = Some(next),
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_client_sees_his_rows_only() {
        let mut projection = Projection::Client {
            client: ClientId(uuid::Uuid::nil()),
            campaigns: HashSet::from(["c1".to_owned()]),
            agents: HashSet::from(["a1".to_owned(), "a2".to_owned()]),
        };
        let tick = json!({"t": "d", "topic": "board", "seq": 4, "now": 1,
            "campaigns": [{"id": "c1"}, {"id": "c2"}],
            "agents": [{"id": "a2", "campaign": "c2"}, {"id": "a3", "campaign": "c1"}],
            "rows": [["a1", "ready"], ["a2", "ready"], ["a3", "ready"], ["a4", "ready"]],
            "trunks": [{"id": "t"}], "totals": {"attempts": 9}});
        let cut: Value =
            serde_json::from_str(&projection.project(&tick.to_string().into())).expect("JSON");
        let expected = json!({"t": "d", "topic": "board", "seq": 4, "now": 1,
            "campaigns": [{"id": "c1"}],
            "agents": [{"id": "a3", "campaign": "c1"}],
            "rows": [["a1", "ready"], ["a3", "ready"]]});
        assert_eq!(cut, expected);
    }

    #[test]
    fn late_cases_of_others_are_not_told() {
        let (own, other) = (ClientId(uuid::Uuid::nil()), ClientId(uuid::Uuid::max()));
        let mut projection = Projection::Client {
            client: own,
            campaigns: HashSet::new(),
            agents: HashSet::new(),
        };
        let mut told = |late: Vec<(ClientId, u64)>| {
            let totals = Totals {
                attempts: 9,
                late_cases: late.iter().map(|(_, n)| n).sum(),
                late_by_client: late,
                ..Totals::default()
            };
            let tick = json!({"t": "d", "totals": totals});
            let cut: Value =
                serde_json::from_str(&projection.project(&tick.to_string().into())).expect("JSON");
            let totals = &cut["totals"];
            assert_eq!(totals["attempts"], 0);
            assert!(!totals.to_string().contains(&other.to_string()));
            totals["late_cases"].as_u64()
        };
        assert_eq!(told(vec![(own, 3), (other, 4)]), Some(3));
        assert_eq!(told(vec![(other, 4)]), Some(0));
    }

    #[test]
    fn whole_is_the_same_bytes() {
        let body: Arc<str> = "{}".into();
        assert!(Arc::ptr_eq(&Projection::Whole.project(&body), &body));
    }
}
