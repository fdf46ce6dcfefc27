//! The floor: call-backs, caller ids, assignments, the morning list.

use super::{MemoryStore, Tables, file_tasks};
use async_trait::async_trait;
use domain::entity::{Assignment, Campaign, CampaignVersion, DebtStatus};
use domain::event::NewEvent;
use domain::ids::{AgentId, CallerIdId, ClientId, DebtorId};
use domain::ports::store::{
    CALLBACK_PRIORITY, CallbackAsk, CallbackRow, CallerHealth, CallerRest, FileTaskAsk,
    FileTaskCounts, FileTaskRow, FloorStore, ItemState, MorningAsk, MorningRow, StoreError,
};
use domain::rules::stale::NO_PHONE;
use domain::segment::day_of_date;
use domain::time::UtcMs;
use std::collections::BTreeMap;

fn wanted(ask: &CallbackAsk, row: &CallbackRow) -> bool {
    let item = &row.item;
    let of_them = ask.agents.as_ref().is_none_or(|agents| {
        row.agent_id
            .map_or(ask.anyone, |agent| agents.contains(&agent))
    });
    let place = (item.next_at, item.campaign_id, item.debtor_id);
    of_them
        && ask.client.is_none_or(|c| c == row.client_id)
        && ask.campaign.is_none_or(|c| c == item.campaign_id)
        && item.next_at >= ask.from
        && item.next_at < ask.to
        && ask.after.is_none_or(|after| place > after)
}

/// Whether somebody has the debtor, or his person, at work.
fn is_busy(t: &Tables, debtor: DebtorId, now: UtcMs) -> bool {
    let person = |id: &DebtorId| t.debtors.get(id).map(|d| d.person_id);
    let ours = person(&debtor);
    let leased = t
        .leases
        .iter()
        .any(|(id, lease)| lease.until > now && person(id) == ours);
    let live = t.attempts.values();
    leased
        || live
            .filter(|a| !a.state.is_closed())
            .any(|a| Some(a.person_id) == ours)
}

fn overdue(t: &Tables, ask: &MorningAsk) -> Vec<MorningRow> {
    let mut rows = Vec::new();
    for debtor in t.debtors.values().filter(|d| d.client_id == ask.client) {
        let open =
            |d: &&domain::entity::Debt| d.debtor_id == debtor.id && d.status == DebtStatus::Open;
        let debts: Vec<_> = t.debts.values().filter(open).collect();
        let Some(due_day) = debts.iter().filter_map(|d| day_of_date(&d.due_date)).min() else {
            continue;
        };
        let overdue_minor: i64 = debts.iter().map(|d| d.overdue_minor).sum();
        let mut codes: Vec<&str> = debts.iter().map(|d| d.currency.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        let assigned = t.assignments.get(&debtor.id);
        let agent_id = assigned.and_then(|a| a.agent_id);
        let team_id = assigned.and_then(|a| a.team_id);
        let of_agent = ask.agent.is_none_or(|a| agent_id == Some(a));
        let of_team = ask.team.as_ref().is_none_or(|(team, agents)| {
            team_id == Some(*team) || agent_id.is_some_and(|a| agents.contains(&a))
        });
        if overdue_minor <= 0 || due_day >= ask.today || !of_agent || !of_team {
            continue;
        }
        rows.push(MorningRow {
            debtor_id: debtor.id,
            external_ref: debtor.external_ref.clone(),
            name: debtor.name.clone(),
            overdue_minor,
            currency: match codes.as_slice() {
                [one] => (*one).to_owned(),
                _ => "*".to_owned(),
            },
            due_day,
            attention: overdue_minor > ask.threshold_minor,
            agent_id,
            team_id,
        });
    }
    rows
}

#[async_trait]
impl FloorStore for MemoryStore {
    async fn settle_campaign(
        &self,
        row: &Campaign,
        version: Option<&CampaignVersion>,
        was: i32,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        if t.campaigns.get(&row.id).is_none_or(|c| c.version != was) {
            return Ok(false);
        }
        t.campaigns.insert(row.id, row.clone());
        if let Some(version) = version {
            t.campaign_versions.insert(version.id, version.clone());
            t.keep_versions();
        }
        t.append(events);
        Ok(true)
    }

    async fn callbacks(&self, ask: &CallbackAsk) -> Result<Vec<CallbackRow>, StoreError> {
        let t = self.tx().await?;
        let agreed = t.items.values().filter(|i| {
            !i.done && i.priority >= CALLBACK_PRIORITY && i.note.starts_with("callback")
        });
        let mut rows: Vec<CallbackRow> = agreed
            .filter_map(|item| {
                Some(CallbackRow {
                    client_id: t.campaigns.get(&item.campaign_id)?.client_id,
                    agent_id: CallbackRow::agent_of(&item.note),
                    item: item.clone(),
                })
            })
            .filter(|row| wanted(ask, row))
            .collect();
        rows.sort_by_key(|r| (r.item.next_at, r.item.campaign_id, r.item.debtor_id));
        rows.truncate(ask.limit as usize);
        Ok(rows)
    }

    async fn move_item(
        &self,
        was: &ItemState,
        to: &ItemState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let key = (was.campaign_id, was.debtor_id);
        let same = t
            .items
            .get(&key)
            .is_some_and(|i| !i.done && i.next_at == was.next_at && i.note == was.note);
        if !same || is_busy(&t, was.debtor_id, now) {
            return Ok(false);
        }
        t.items.insert(key, to.clone());
        t.append(events);
        Ok(true)
    }

    async fn caller_health(
        &self,
        client: ClientId,
        since: UtcMs,
    ) -> Result<Vec<CallerHealth>, StoreError> {
        let t = self.tx().await?;
        let mut counts: BTreeMap<CallerIdId, (u64, u64)> = BTreeMap::new();
        for attempt in t.attempts.values() {
            let counted = attempt.client_id == client
                && attempt.opened_at >= since
                && attempt.invite_at.is_some();
            if let (true, Some(id)) = (counted, attempt.caller_id) {
                let count = counts.entry(id).or_default();
                count.0 += 1;
                count.1 += u64::from(attempt.result.is_some_and(|r| r.is_live_answer()));
            }
        }
        let ours = t.caller_ids.values().filter(|c| c.client_id == client);
        Ok(ours
            .map(|c| {
                let (calls, answered) = counts.get(&c.id).copied().unwrap_or_default();
                CallerHealth {
                    caller_id: c.id,
                    calls,
                    answered,
                    rest: t.caller_rests.get(&c.id).cloned(),
                    callback_at: c.callback_at,
                }
            })
            .collect())
    }

    async fn rest_caller_id(
        &self,
        rest: &CallerRest,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        if !t.caller_ids.contains_key(&rest.caller_id) {
            return Err(StoreError::NotFound("caller id"));
        }
        let rests = t.caller_rests.get(&rest.caller_id);
        if rests.is_some_and(|r| r.until > rest.since) {
            return Ok(false);
        }
        t.caller_rests.insert(rest.caller_id, rest.clone());
        t.append(events);
        Ok(true)
    }

    async fn wake_caller_id(
        &self,
        id: CallerIdId,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if let Some(rest) = t.caller_rests.get_mut(&id) {
            rest.until = rest.until.min(now);
        }
        t.append(events);
        Ok(())
    }

    async fn caller_id_reached(&self, id: CallerIdId, at: UtcMs) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if let Some(row) = t.caller_ids.get_mut(&id) {
            row.callback_at = row.callback_at.max(Some(at));
        }
        Ok(())
    }

    async fn assign(&self, rows: &[Assignment], events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        for row in rows {
            if row.campaign_id.is_some() || row.team_id.is_some() || row.agent_id.is_some() {
                t.assignments.insert(row.debtor_id, row.clone());
            } else {
                t.assignments.remove(&row.debtor_id);
            }
        }
        t.append(events);
        Ok(())
    }

    async fn assignments_of(&self, debtors: &[DebtorId]) -> Result<Vec<Assignment>, StoreError> {
        let t = self.tx().await?;
        let mut asked = debtors.to_vec();
        asked.sort_unstable();
        asked.dedup();
        let found = asked.iter().filter_map(|id| t.assignments.get(id));
        Ok(found.cloned().collect())
    }

    async fn ruled_debtors(
        &self,
        client: ClientId,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let t = self.tx().await?;
        let ruled = t.assignments.values().filter(|r| {
            r.client_id == client
                && r.rule_id.is_some()
                && after.is_none_or(|after| r.debtor_id > after)
        });
        Ok(ruled.take(limit as usize).map(|r| r.debtor_id).collect())
    }

    async fn agent_loads(&self, client: ClientId) -> Result<Vec<(AgentId, u64)>, StoreError> {
        let t = self.tx().await?;
        let mut loads: BTreeMap<AgentId, u64> = BTreeMap::new();
        for row in t.assignments.values().filter(|r| r.client_id == client) {
            if let Some(agent) = row.agent_id {
                *loads.entry(agent).or_default() += 1;
            }
        }
        Ok(loads.into_iter().collect())
    }

    async fn morning_list(&self, ask: &MorningAsk) -> Result<Vec<MorningRow>, StoreError> {
        let t = self.tx().await?;
        let mut rows = overdue(&t, ask);
        let place = |r: &MorningRow| (!r.attention, r.due_day, r.debtor_id);
        rows.sort_by_key(place);
        if let Some((attention, day, debtor)) = ask.after {
            rows.retain(|r| place(r) > (!attention, day, debtor));
        }
        rows.truncate(ask.limit as usize);
        Ok(rows)
    }

    async fn file_tasks(&self, ask: &FileTaskAsk) -> Result<Vec<FileTaskRow>, StoreError> {
        let t = self.tx().await?;
        Ok(file_tasks::page(&t, ask))
    }

    async fn file_task_counts(&self, ask: &FileTaskAsk) -> Result<FileTaskCounts, StoreError> {
        let t = self.tx().await?;
        let mut counts = FileTaskCounts::default();
        for row in file_tasks::all(&t, ask) {
            match row.confirmed_at {
                NO_PHONE => counts.no_phone += 1,
                _ => counts.stale_point += 1,
            }
        }
        Ok(counts)
    }
}
