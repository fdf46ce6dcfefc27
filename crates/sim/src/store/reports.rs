//! Marks of debts, goals, figures over the tables, what the morning review asks.

use super::import_rows::is_half;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Channel, Debt, DebtMark, Goal, HOLDS_ON, LedgerKind, Letter, Message, Promise, PromiseState,
};
use domain::event::NewEvent;
use domain::ids::{AgentId, AttemptId, ClientId, DebtId, DebtorId, GoalId};
use domain::money::Currency;
use domain::ports::store::{
    BrokenAsk, BrokenSums, DebtorActions, KpiPage, KpiRow, MARK_LOOK, MARK_STEP, MarkAsk, Marked,
    RecoveryAsk, ReportStore, SentCounts, StoreError,
};
use domain::rules::ageing::bucket;
use domain::rules::kpi::{
    KpiAsk, KpiAttempt, KpiMessage, KpiPayment, KpiPromise, KpiRows, KpiSums, KpiWorld,
};
use domain::segment::day_of_date;
use domain::time::UtcMs;
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

/// Everything the figures are made of, from the tables.
pub(crate) fn kpi_world(t: &Tables) -> KpiWorld {
    let talked: BTreeSet<AttemptId> = t
        .ledger
        .iter()
        .filter(|r| r.kind == LedgerKind::Conversation)
        .filter_map(|r| r.attempt_id)
        .collect();
    let mut world = KpiWorld::default();
    for a in t.attempts.values() {
        let unknown = a.result == Some(domain::entity::CallResult::Unknown);
        let row = KpiAttempt {
            id: a.id,
            client_id: a.client_id,
            campaign_id: a.campaign_id,
            debtor_id: a.debtor_id,
            agent_id: a.agent_id,
            opened_at: a.opened_at,
            answered_at: a.answered_at,
            ended_at: a.ended_at,
            made: a.state.is_closed() && (a.invite_at.is_some() || unknown),
            rpc: talked.contains(&a.id),
            third_party: a
                .disposition
                .as_deref()
                .is_some_and(|d| d.starts_with("CI.")),
        };
        world.attempts.insert(a.id, row);
    }
    for p in t.promises.values() {
        let row = KpiPromise {
            id: p.id,
            client_id: p.client_id,
            debtor_id: p.debtor_id,
            debt_id: p.debt_id,
            attempt_id: p.attempt_id,
            agent_id: p.agent_id,
            amount_minor: p.amount.amount_minor,
            currency: p.amount.currency,
            due_day: day_of_date(&p.due_date),
            state: p.state,
            made_at: p.made_at,
        };
        world.promises.insert(p.id, row);
    }
    for p in t.payments.values() {
        let row = KpiPayment {
            id: p.id,
            client_id: p.client_id,
            debtor_id: p.debtor_id,
            debt_id: p.debt_id,
            amount_minor: p.amount.amount_minor,
            currency: p.amount.currency,
            paid_at: p.paid_at,
            posted_at: p.posted_at,
        };
        world.payments.insert(p.id, row);
    }
    world.messages = messages_paid_for(t).map(|row| (row.id, row)).collect();
    for mark in t.debt_marks.values() {
        world.put_mark(mark.clone());
    }
    world.spells.clone_from(&t.spells);
    world.portfolios = t.debtors.values().map(|d| (d.id, d.portfolio_id)).collect();
    world.holders = holders(t);
    world
}

/// Who has a debt in which currency; of a file that is part of another, those of that one, where its debts are.
fn holders(t: &Tables) -> BTreeSet<(DebtorId, Currency)> {
    let debts = || t.debts.values().map(|d| (d.debtor_id, d.currency));
    let mut found: BTreeSet<(DebtorId, Currency)> = debts().collect();
    for (gone, kept) in &t.merged_into {
        let theirs = debts().filter(|(debtor, _)| debtor == kept);
        found.extend(theirs.map(|(_, currency)| (*gone, currency)));
    }
    found
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What was done about a debtor since an instant; `None` when he was left alone.
fn actions(t: &Tables, debtor: DebtorId, since: UtcMs) -> Option<DebtorActions> {
    let called = t.attempts.values().filter(|a| a.debtor_id == debtor);
    let called = called.map(|a| {
        let came_to = (a.result, a.disposition.clone());
        (a.opened_at, 0, a.id.0, Channel::Call, came_to)
    });
    let written = t.messages.values().filter(|m| m.debtor_id == debtor);
    let written = written.filter_map(|m| Some((m.sent_at?, 1, m.id.0, m.channel, (None, None))));
    let printed = t.letters.values().filter(|l| l.debtor_id == debtor);
    let printed = printed.map(|l| (l.made_at, 2, l.id.0, Channel::Letter, (None, None)));
    let mut done: Vec<_> = called.chain(written).chain(printed).collect();
    done.retain(|(at, ..)| *at >= since);
    done.sort_by_key(|(at, kind, id, ..)| (*at, *kind, *id));
    let mut sum = DebtorActions::none(debtor);
    for (at, _, _, channel, came_to) in done {
        sum.take(at, channel, came_to);
    }
    (sum.last_at >= since).then_some(sum)
}

/// Messages that cost something.
fn messages_paid_for(t: &Tables) -> impl Iterator<Item = KpiMessage> {
    let paid_for = t.messages.values().filter(|m| m.cost_micro > 0);
    paid_for.filter_map(|m| {
        Some(KpiMessage {
            id: m.id,
            client_id: m.client_id,
            debtor_id: m.debtor_id,
            sent_at: m.sent_at?,
            cost_micro: m.cost_micro,
            currency: m.currency?,
        })
    })
}

/// The mark that a debt would have, when it is another than it has.
fn due_mark(t: &Tables, debt: &Debt, ask: &MarkAsk) -> Option<DebtMark> {
    let due_day = day_of_date(&debt.due_date);
    let range = (debt.id, i64::MIN)..=(debt.id, i64::MAX);
    let last = t.debt_marks.range(range).next_back().map(|(_, m)| m);
    let fresh = DebtMark {
        debt_id: debt.id,
        debtor_id: debt.debtor_id,
        client_id: debt.client_id,
        portfolio_id: debt.portfolio_id,
        day: ask.day,
        until_day: HOLDS_ON,
        first: last.is_none(),
        at: ask.at,
        bucket: bucket(&ask.ageing, debt.status, due_day, ask.day),
        currency: debt.currency,
        balance_minor: debt.balance_minor(),
        overdue_minor: debt.overdue_minor,
        due_day,
    };
    let same = |m: &DebtMark| {
        let figures = |m: &DebtMark| (m.bucket, m.balance_minor, m.overdue_minor, m.due_day);
        figures(m) == figures(&fresh)
    };
    last.is_none_or(|m| m.day < ask.day && !same(m))
        .then_some(fresh)
}

fn end_mark(t: &mut Tables, debt: DebtId, day: i64) {
    let range = (debt, i64::MIN)..(debt, day);
    if let Some((_, before)) = t.debt_marks.range_mut(range).next_back() {
        before.until_day = before.until_day.min(day);
    }
}

#[async_trait]
impl ReportStore for MemoryStore {
    async fn mark_debts(
        &self,
        ask: &MarkAsk,
        told: &(dyn for<'a> Fn(&'a DebtMark) -> NewEvent + Send + Sync),
    ) -> Result<Marked, StoreError> {
        let mut t = self.tx().await?;
        if !t.portfolios.contains_key(&ask.portfolio) {
            return Err(StoreError::NotFound("portfolio"));
        }
        let behind = (ask.after.map_or(Unbounded, Excluded), Unbounded);
        let of_it = t.debts.range(behind).map(|(_, debt)| debt);
        let of_it = of_it.filter(|d| d.portfolio_id == ask.portfolio);
        let seen = |debt: &&Debt| !is_half(&t, debt.debtor_id);
        let (mut marks, mut looked, mut next) = (Vec::new(), 0, None);
        for debt in of_it {
            marks.extend(
                Some(debt)
                    .filter(seen)
                    .and_then(|debt| due_mark(&t, debt, ask)),
            );
            looked += 1;
            if looked == MARK_LOOK || marks.len() == ask.limit.clamp(1, MARK_STEP) as usize {
                next = Some(debt.id);
                break;
            }
        }
        for mark in &marks {
            end_mark(&mut t, mark.debt_id, mark.day);
            t.debt_marks.insert((mark.debt_id, mark.day), mark.clone());
        }
        let events: Vec<NewEvent> = marks.iter().map(told).collect();
        t.append(&events);
        Ok(Marked {
            debts: u32::try_from(marks.len()).unwrap_or(u32::MAX),
            next,
        })
    }

    async fn measure_recovery(&self, ask: &RecoveryAsk) -> Result<(), StoreError> {
        self.measure(ask).await
    }

    async fn kpi_sums(&self, rows: KpiRows, ask: &KpiAsk) -> Result<KpiSums, StoreError> {
        let t = self.tx().await?;
        Ok(KpiSums::over(&kpi_world(&t).facts(rows, ask)))
    }

    async fn kpi_rows(
        &self,
        rows: KpiRows,
        ask: &KpiAsk,
        page: &KpiPage,
    ) -> Result<Vec<KpiRow>, StoreError> {
        let t = self.tx().await?;
        let facts = kpi_world(&t).facts(rows, ask);
        Ok(facts
            .into_iter()
            .filter(|f| !page.weighted || f.weight != 0)
            .filter(|f| page.after.is_none_or(|after| (f.at, f.id) > after))
            .filter_map(|fact| {
                let external_ref = if rows.is_time() {
                    let agent = t.agents.get(&AgentId(fact.debtor_id.0));
                    agent.map(|a| a.name.clone()).unwrap_or_default()
                } else {
                    t.debtors.get(&fact.debtor_id)?.external_ref.clone()
                };
                Some(KpiRow { fact, external_ref })
            })
            .take(page.limit as usize)
            .collect())
    }

    async fn get_goal(&self, id: GoalId) -> Result<Goal, StoreError> {
        let t = self.tx().await?;
        t.goals
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("goal"))
    }

    async fn goals(
        &self,
        client: ClientId,
        on: Option<&str>,
        after: Option<GoalId>,
        limit: u32,
    ) -> Result<Vec<Goal>, StoreError> {
        let t = self.tx().await?;
        let held = |g: &&Goal| {
            let on_day = |day: &str| g.from_day.as_str() <= day && g.to_day.as_str() >= day;
            g.client_id == client && g.ended_at.is_none() && on.is_none_or(on_day)
        };
        let behind = |g: &&Goal| after.is_none_or(|a| g.id > a);
        let rows = t.goals.values().filter(held).filter(behind);
        Ok(rows.take(limit as usize).cloned().collect())
    }

    async fn put_goal(&self, goal: &Goal, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.goals.insert(goal.id, goal.clone());
        t.append(events);
        Ok(())
    }

    async fn broken_promises(&self, ask: &BrokenAsk) -> Result<Vec<Promise>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<(UtcMs, &Promise)> = t
            .promises
            .values()
            .filter(|p| p.client_id == ask.client && p.state == PromiseState::Broken)
            .filter_map(|p| Some((p.closed_at?, p)))
            .filter(|(at, _)| *at >= ask.from && *at < ask.to)
            .filter(|(at, p)| ask.after.is_none_or(|after| (*at, p.id) > after))
            .collect();
        rows.sort_by_key(|(at, p)| (*at, p.id));
        rows.truncate(ask.limit as usize);
        Ok(rows.into_iter().map(|(_, p)| p.clone()).collect())
    }

    async fn broken_sums(
        &self,
        ask: &BrokenAsk,
        currency: Option<Currency>,
    ) -> Result<BrokenSums, StoreError> {
        let t = self.tx().await?;
        let mut sums = BrokenSums::default();
        let broken = t.promises.values().filter(|p| {
            let within = |at: UtcMs| at >= ask.from && at < ask.to;
            p.client_id == ask.client
                && p.state == PromiseState::Broken
                && p.closed_at.is_some_and(within)
        });
        for promise in broken {
            sums.rows += 1;
            if Some(promise.amount.currency) == currency {
                sums.minor += promise.amount.amount_minor;
            }
        }
        Ok(sums)
    }

    async fn sent_counts(
        &self,
        client: ClientId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<SentCounts, StoreError> {
        let t = self.tx().await?;
        let within = |at: UtcMs| at >= from && at < to;
        let left = |m: &&Message| m.client_id == client && m.sent_at.is_some_and(within);
        let made = |l: &&Letter| l.client_id == client && within(l.made_at);
        Ok(SentCounts {
            messages: as_i64(t.messages.values().filter(left).count()),
            letters: as_i64(t.letters.values().filter(made).count()),
        })
    }

    async fn actions_of(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
    ) -> Result<Vec<DebtorActions>, StoreError> {
        let t = self.tx().await?;
        let asked: BTreeSet<DebtorId> = debtors.iter().copied().collect();
        Ok(asked
            .into_iter()
            .filter_map(|debtor| actions(&t, debtor, since))
            .collect())
    }
}
