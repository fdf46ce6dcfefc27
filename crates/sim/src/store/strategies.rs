//! Strategies and what they plan beside messages.

use super::messages::{is_planned, page_of};
use super::messages_ends::{cancel_step, paid_at};
use super::money::counts;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Debt, DebtStatus, InstalmentState, MessageState, Payment, PlanState, PlannedState, PlannedStep,
    PromiseState, StepAction, Strategy, StrategyStatus, StrategyTrigger,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, PlannedStepId, StrategyId};
use domain::money::Currency;
use domain::ports::store::{
    PAGE_LIMIT_MAX, Page, PageRequest, PlanAsk, PlanSource, StepAsk, StepCalled, StoreError,
    StrategyFigures, StrategyStore,
};
use domain::rules::strategy::{called, ended_call};
use domain::rules::withdrawal::paid_since;
use domain::segment::day_of_date;
use domain::time::{DAY_MS, UtcMs};
use std::collections::BTreeMap;

/// Whether money that came since its due date paid all that was overdue of a debt; with due items the date itself
/// moves on.
fn cleared(t: &Tables, debt: &Debt) -> bool {
    let since = day_of_date(&debt.due_date).map(|day| UtcMs(day * DAY_MS));
    let came = |p: &Payment| {
        let parts = t.money.parts.get(&p.id);
        p.debt_id == debt.id
            && parts.is_some_and(|r| r.parts.overdue_minor > 0)
            && since.is_some_and(|day| p.posted_at >= day)
    };
    debt.overdue_minor <= 0 && !t.debt_items.contains_key(&debt.id) && t.payments.values().any(came)
}

fn sources(t: &Tables, ask: &PlanAsk) -> Vec<PlanSource> {
    let open = |d: &&Debt| {
        d.status == DebtStatus::Open
            && d.client_id == ask.client
            && ask.portfolio.is_none_or(|p| p == d.portfolio_id)
    };
    match ask.trigger {
        StrategyTrigger::DueDate => t
            .debts
            .values()
            .filter(open)
            .filter(|d| !cleared(t, d))
            .map(|d| PlanSource {
                id: d.id.0,
                debtor_id: d.debtor_id,
                debt_id: d.id,
                promise_id: None,
                date: d.due_date.clone(),
            })
            .collect(),
        StrategyTrigger::Promise => t
            .promises
            .values()
            .filter(|p| p.state == PromiseState::Active)
            .filter(|p| t.debts.get(&p.debt_id).filter(open).is_some())
            .map(|p| PlanSource {
                id: p.id.0,
                debtor_id: p.debtor_id,
                debt_id: p.debt_id,
                promise_id: Some(p.id),
                date: p.due_date.clone(),
            })
            .collect(),
        StrategyTrigger::Instalment => t
            .instalments
            .values()
            .filter(|i| i.state == InstalmentState::Due)
            .filter_map(|i| Some((i, t.plans.get(&i.plan_id)?)))
            .filter(|(_, p)| matches!(p.state, PlanState::Signed | PlanState::Active))
            .filter(|(_, p)| t.debts.get(&p.debt_id).filter(open).is_some())
            .map(|(i, p)| PlanSource {
                id: i.id.0,
                debtor_id: p.debtor_id,
                debt_id: p.debt_id,
                promise_id: None,
                date: i.due_date.clone(),
            })
            .collect(),
    }
}

/// When the first step of a strategy came due for each of its debtors, whatever became of it then.
fn first_steps(t: &Tables, id: StrategyId) -> BTreeMap<DebtorId, UtcMs> {
    let taken = |ended: Option<UtcMs>, due: UtcMs| ended.is_some_and(|at| at >= due);
    let messages = t.messages.values().filter(|m| {
        m.strategy_id == Some(id)
            && match m.state {
                MessageState::Queued => false,
                MessageState::Cancelled => taken(m.ended_at, m.due_at),
                _ => true,
            }
    });
    let steps = t.planned_steps.values().filter(|s| {
        s.strategy_id == id
            && match s.state {
                PlannedState::Planned => false,
                PlannedState::Cancelled => taken(s.ended_at, s.due_at),
                PlannedState::Done | PlannedState::Refused => true,
            }
    });
    let due = messages.map(|m| (m.debtor_id, m.due_at));
    let mut first = BTreeMap::new();
    for (debtor, at) in due.chain(steps.map(|s| (s.debtor_id, s.due_at))) {
        let since = first.entry(debtor).or_insert(at);
        *since = at.min(*since);
    }
    first
}

#[async_trait]
impl StrategyStore for MemoryStore {
    async fn put_strategy(&self, row: &Strategy, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.strategies.insert(row.id, row.clone());
        t.strategy_versions
            .entry((row.id, row.version))
            .or_insert_with(|| row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_strategy(&self, id: StrategyId) -> Result<Strategy, StoreError> {
        let t = self.tx().await?;
        t.strategies
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("strategy"))
    }

    async fn strategies(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<Strategy>, StoreError> {
        let t = self.tx().await?;
        page_of(
            &t.strategies,
            |r| client.is_none_or(|c| c == r.client_id),
            page,
        )
    }

    async fn strategy_versions(&self, id: StrategyId) -> Result<Vec<Strategy>, StoreError> {
        let t = self.tx().await?;
        let rows = t.strategy_versions.range((id, i32::MIN)..=(id, i32::MAX));
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    async fn active_strategies(&self) -> Result<Vec<Strategy>, StoreError> {
        let t = self.tx().await?;
        let active = |s: &&Strategy| s.status == StrategyStatus::Active;
        Ok(t.strategies.values().filter(active).cloned().collect())
    }

    async fn plan_sources(&self, ask: &PlanAsk) -> Result<Vec<PlanSource>, StoreError> {
        let t = self.tx().await?;
        let mut rows = sources(&t, ask);
        rows.retain(|r| {
            let day = day_of_date(&r.date);
            day.is_some_and(|d| d >= ask.from_day && d <= ask.to_day)
                && ask.after.is_none_or(|a| r.id > a)
        });
        rows.sort_by_key(|r| r.id);
        rows.truncate(ask.limit.clamp(1, PAGE_LIMIT_MAX) as usize);
        Ok(rows)
    }

    async fn plan_steps(
        &self,
        rows: &[PlannedStep],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut new = 0;
        for row in rows {
            if !is_planned(&t, row.client_id, &row.plan_key).1
                && !t.planned_steps.contains_key(&row.id)
            {
                t.planned_steps.insert(row.id, row.clone());
                new += 1;
            }
        }
        t.append(events);
        Ok(new)
    }

    async fn get_step(&self, id: PlannedStepId) -> Result<PlannedStep, StoreError> {
        let t = self.tx().await?;
        t.planned_steps
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("planned step"))
    }

    async fn steps_page(&self, ask: &StepAsk) -> Result<Vec<PlannedStep>, StoreError> {
        let t = self.tx().await?;
        let fits = |s: &&PlannedStep| {
            ask.client.is_none_or(|v| v == s.client_id)
                && ask.debtor.is_none_or(|v| v == s.debtor_id)
                && ask.action.is_none_or(|v| v == s.action)
                && ask.state.is_none_or(|v| v == s.state)
                && ask.until.is_none_or(|v| s.due_at <= v)
                && ask.after.is_none_or(|v| (s.due_at, s.id) > v)
        };
        let mut rows: Vec<PlannedStep> = t.planned_steps.values().filter(fits).cloned().collect();
        rows.sort_by_key(|s| (s.due_at, s.id));
        rows.truncate(ask.limit.clamp(1, PAGE_LIMIT_MAX + 1) as usize);
        Ok(rows)
    }

    async fn end_step(
        &self,
        id: PlannedStepId,
        state: PlannedState,
        reason: &str,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let row = t
            .planned_steps
            .get_mut(&id)
            .ok_or(StoreError::NotFound("planned step"))?;
        if row.state != PlannedState::Planned {
            return Ok(false);
        }
        row.state = state;
        row.reason = reason.to_owned();
        row.ended_by = by.to_owned();
        row.ended_at = Some(now);
        t.append(events);
        Ok(true)
    }

    async fn call_step(
        &self,
        id: PlannedStepId,
        now: UtcMs,
        told: &[NewEvent],
    ) -> Result<StepCalled, StoreError> {
        let mut t = self.tx().await?;
        let step = t.planned_steps.get(&id).cloned();
        let step = step.ok_or(StoreError::NotFound("planned step"))?;
        if step.state != PlannedState::Planned {
            return Ok(StepCalled::Gone);
        }
        if let Some(why) = paid_since(step.created_at, paid_at(&t, step.debtor_id)) {
            cancel_step(&mut t, id, why, now);
            return Ok(StepCalled::Gone);
        }
        let of = |c: domain::ids::CampaignId| t.items.get(&(c, step.debtor_id)).cloned();
        let found = step.campaign_id.and_then(of);
        let outcome = match called(found, &step, now) {
            Ok(item) => {
                t.items.insert((item.campaign_id, item.debtor_id), item);
                t.append(told);
                StepCalled::Called
            }
            Err(why) => StepCalled::Refused(why),
        };
        let refused = match outcome {
            StepCalled::Refused(why) => Some(why),
            _ => None,
        };
        t.planned_steps.insert(id, ended_call(&step, refused, now));
        Ok(outcome)
    }

    async fn strategy_figures(&self, id: StrategyId) -> Result<StrategyFigures, StoreError> {
        let t = self.tx().await?;
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        let mut cost: BTreeMap<Currency, i64> = BTreeMap::new();
        for m in t.messages.values().filter(|m| m.strategy_id == Some(id)) {
            *states.entry(m.state.to_string()).or_default() += 1;
            if let Some(currency) = m.currency {
                *cost.entry(currency).or_default() += m.cost_micro;
            }
        }
        let first = first_steps(&t, id);
        let mut paid: BTreeMap<Currency, i64> = BTreeMap::new();
        let mut payers = 0;
        for (debtor, since) in &first {
            let mut own: BTreeMap<Currency, i64> = BTreeMap::new();
            let theirs = t.payments.values().filter(|p| p.debtor_id == *debtor);
            for p in theirs.filter(|p| counts(&t, p, *since)) {
                *own.entry(p.amount.currency).or_default() += p.amount.amount_minor;
            }
            payers += u64::from(own.values().any(|sum| *sum > 0));
            for (currency, sum) in own {
                *paid.entry(currency).or_default() += sum;
            }
        }
        let mut calls: BTreeMap<Currency, u64> = BTreeMap::new();
        let called = |s: &&PlannedStep| {
            s.strategy_id == id && s.action == StepAction::Call && s.state == PlannedState::Done
        };
        for step in t.planned_steps.values().filter(called) {
            if let Some(debt) = step.debt_id.and_then(|d| t.debts.get(&d)) {
                *calls.entry(debt.currency).or_default() += 1;
            }
        }
        Ok(StrategyFigures {
            messages: states.into_iter().collect(),
            debtors: first.len() as u64,
            payers,
            paid: paid.into_iter().collect(),
            cost: cost.into_iter().collect(),
            calls: calls.into_iter().collect(),
        })
    }
}
