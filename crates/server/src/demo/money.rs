//! The demo's money: what came in before it began, goals for the month and the day, and debtors who keep
//! their promises, keep half of them, or do not. What came in over the last month and on which debts is told as far
//! as segments need it to say what they may be expected to bring.

use super::seed::Seeder;
use super::teller::{Counter, Slip};
use crate::clock::RandomIds;
use center::{Actor, CenterHandle};
use domain::entity::{
    Debt, DebtMark, Goal, GoalKind, Payment, PaymentChannel, Portfolio, Promise, PromiseState, Team,
};
use domain::ids::{AgentId, ClientId, GoalId, PaymentId, PromiseId, TeamId};
use domain::money::Money;
use domain::ports::store::{ListFilter, MarkAsk, PageRequest, PromiseTerms};
use domain::ports::{Clock, IdSource as _, Store};
use domain::rules::ageing::{AgeingSet, day_of};
use domain::rules::kpi::{CostRates, mark_data};
use domain::rules::recovery::RECOVERY_DAYS;
use domain::time::{DAY_MS, MINUTE_MS, SECOND_MS, UtcMs};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Debts that the past is told of, at most: those of a larger portfolio behind them were handed over today.
const PAST_DEBTS: usize = 2_400;
/// So many are read at once.
const PAGE: u32 = 400;
/// Of the debts with a past every so many has paid a part of its balance, by turns one of these, percent.
const PAID_EVERY: usize = 15;
const PAID_PARTS: [i64; 3] = [20, 35, 50];
/// Days from one of these payments to the next: all days of the month have some.
const PAID_APART: usize = 7;
/// Of the first page every so many has a promise whose grace ends while one looks.
const PROMISED_EVERY: usize = 16;
/// Between two looks at new promises.
const LOOK: Duration = Duration::from_secs(2);
/// The goal of the month, minor units.
const MONTH_MINOR: i64 = 200_000_000;
/// Promises that the team is to take on the day, and the person's own.
const PROMISES: (i64, i64) = (60, 15);
/// What contacts cost, minor units: invented.
const COSTS: CostRates = CostRates {
    attempt_minor: 12,
    minute_minor: 85,
};

/// What becomes of a promise, by its own number: a share of it is paid, in percent.
fn share(promise: PromiseId) -> i64 {
    match promise.0.as_u128() % 100 {
        0..55 => 100,
        55..70 => 50,
        _ => 0,
    }
}

/// Whether he pays at a bank, whose file tells of it later; else the creditor's own system posts it at once.
fn by_file(promise: PromiseId) -> bool {
    (promise.0.as_u128() / 100).is_multiple_of(2)
}

/// When it is paid: 20 to 80 seconds after it was made.
fn pays_at(promise: &Promise) -> UtcMs {
    let s = i64::try_from(promise.id.0.as_u128() % 61).unwrap_or(0);
    promise.made_at.plus_ms((20 + s) * SECOND_MS)
}

fn page(limit: u32, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

fn of_client(client: ClientId) -> ListFilter {
    ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    }
}

fn payment(debt: &Debt, amount_minor: i64, at: UtcMs, reference: String) -> Payment {
    Payment {
        id: PaymentId(RandomIds.next(at)),
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        debt_id: debt.id,
        amount: Money::new(amount_minor, debt.currency),
        paid_at: at,
        channel: PaymentChannel::Transfer,
        reference,
        reverses: None,
        posted_at: at,
    }
}

/// Everything of the past that a fresh demo is told.
pub(super) async fn seed(seeder: &Seeder<'_>) -> anyhow::Result<()> {
    let clients = seeder
        .store
        .list_clients(&ListFilter::default(), &page(1, None))
        .await?;
    let Some(client) = clients.items.first().map(|c| c.id) else {
        return Ok(());
    };
    let portfolios = seeder
        .store
        .list_portfolios(&of_client(client), &page(1, None))
        .await?;
    let Some(portfolio) = portfolios.items.into_iter().next() else {
        return Ok(());
    };
    marked(seeder, &portfolio).await?;
    let debts = with_past(seeder, &portfolio).await?;
    paid(seeder, &debts).await?;
    promised(seeder, &debts[..debts.len().min(PAGE as usize)]).await?;
    let team = team(seeder).await?;
    goals(seeder, &portfolio, team).await?;
    let costs = serde_json::to_string(&COSTS)?;
    seeder
        .store
        .put_setting(&format!("costs:{client}"), &costs)
        .await?;
    Ok(())
}

/// How the debts stood a month ago, as the pass of that morning would have found them.
async fn marked(seeder: &Seeder<'_>, portfolio: &Portfolio) -> anyhow::Result<()> {
    let at = seeder.clock.now().plus_ms(-RECOVERY_DAYS * DAY_MS);
    let zone = domain::time::zone(&portfolio.zone)?;
    let today = day_of(seeder.clock.now().in_zone(&zone).date());
    let aged = |mark: &DebtMark| {
        let subject = format!("debt:{}", mark.debt_id);
        let client = Some(mark.client_id);
        told(at, client, "debt.aged", &subject, &mark_data(mark))
    };
    let mut ask = MarkAsk {
        portfolio: portfolio.id,
        day: today - RECOVERY_DAYS,
        at,
        limit: PAGE,
        after: None,
        ageing: AgeingSet::default(),
    };
    for _ in 0..PAST_DEBTS.div_ceil(PAGE as usize) {
        ask.after = seeder.store.mark_debts(&ask, &aged).await?.next;
        if ask.after.is_none() {
            break;
        }
    }
    Ok(())
}

/// The debts of a portfolio that have a past.
async fn with_past(seeder: &Seeder<'_>, portfolio: &Portfolio) -> anyhow::Result<Vec<Debt>> {
    let filter = ListFilter {
        portfolio_id: Some(portfolio.id),
        ..of_client(portfolio.client_id)
    };
    let (mut debts, mut cursor) = (Vec::new(), None);
    loop {
        let found = seeder
            .store
            .list_debts(&filter, &page(PAGE, cursor))
            .await?;
        debts.extend(found.items);
        cursor = found.next_cursor;
        if cursor.is_none() || debts.len() >= PAST_DEBTS {
            return Ok(debts);
        }
    }
}

/// Parts paid over the last month.
async fn paid(seeder: &Seeder<'_>, debts: &[Debt]) -> anyhow::Result<()> {
    let now = seeder.clock.now();
    let silent = |_: &Promise| -> domain::event::NewEvent {
        told(now, None, "promise.kept", "promise", &serde_json::json!({}))
    };
    let days = usize::try_from(RECOVERY_DAYS - 1)?;
    for (n, debt) in debts.iter().step_by(PAID_EVERY).enumerate() {
        let ago = i64::try_from(n * PAID_APART % days)? + 1;
        let at = now.plus_ms(-ago * DAY_MS);
        let part = debt.balance_minor() * PAID_PARTS[n % PAID_PARTS.len()] / 100;
        let row = payment(debt, part.max(1), at, format!("SPEI-{:05}", n + 1));
        let data = serde_json::json!({
            "debtor_id": row.debtor_id, "debt_id": row.debt_id,
            "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
            "paid_at": row.paid_at, "posted_at": row.posted_at,
        });
        let subject = format!("payment:{}", row.id);
        let event = told(at, Some(row.client_id), "payment.posted", &subject, &data);
        seeder.store.post_payment(&row, &[event], &silent).await?;
    }
    Ok(())
}

/// Promises whose grace ends in the next minutes.
async fn promised(seeder: &Seeder<'_>, debts: &[Debt]) -> anyhow::Result<()> {
    let now = seeder.clock.now();
    let part = |debt: &Debt| (debt.balance_minor() / 10).max(1);
    for (n, debt) in debts.iter().skip(1).step_by(PROMISED_EVERY).enumerate() {
        let made_at = now.plus_ms(-5 * DAY_MS);
        let soon = i64::try_from(n).unwrap_or(0) * 20 * SECOND_MS;
        let due = now.plus_ms(-2 * DAY_MS).in_zone(&TimeZone::UTC).date();
        let row = Promise {
            id: PromiseId(RandomIds.next(made_at)),
            client_id: debt.client_id,
            debtor_id: debt.debtor_id,
            debt_id: debt.id,
            attempt_id: None,
            agent_id: None,
            amount: Money::new(part(debt), debt.currency),
            due_date: due.to_string(),
            grace_until: now.plus_ms(2 * MINUTE_MS + soon),
            channel: PaymentChannel::Transfer,
            state: PromiseState::Active,
            made_at,
            closed_at: None,
        };
        let data = serde_json::json!({
            "debtor_id": row.debtor_id, "debt_id": row.debt_id, "due_date": row.due_date,
            "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
            "made_at": row.made_at,
        });
        let subject = format!("promise:{}", row.id);
        let event = told(
            made_at,
            Some(row.client_id),
            "promise.made",
            &subject,
            &data,
        );
        let terms = PromiseTerms {
            min_minor: 1,
            max_minor: debt.balance_minor(),
        };
        // A debt that may not have one is left out.
        let _refused = seeder.store.record_promise(&row, terms, &[event]).await?;
    }
    Ok(())
}

fn told(
    at: UtcMs,
    client_id: Option<ClientId>,
    kind: &str,
    subject: &str,
    data: &serde_json::Value,
) -> domain::event::NewEvent {
    domain::event::NewEvent {
        id: RandomIds.next(at).into(),
        at,
        client_id,
        actor: "system".to_owned(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        data: data.clone(),
    }
}

/// Everybody in one team.
async fn team(seeder: &Seeder<'_>) -> anyhow::Result<(TeamId, Option<AgentId>)> {
    let team = Team {
        id: TeamId(seeder.fresh()),
        name: "Equipo Río".to_owned(),
        created_at: seeder.clock.now(),
    };
    seeder.store.put_team(&team, &[]).await?;
    let agents = seeder
        .store
        .list_agents(&ListFilter::default(), &page(500, None))
        .await?;
    let mut person = None;
    for mut agent in agents.items {
        if agent.sip_user == "gestora" {
            person = Some(agent.id);
        }
        agent.team_id = Some(team.id);
        seeder.store.put_agent(&agent, &[]).await?;
    }
    Ok((team.id, person))
}

async fn goals(
    seeder: &Seeder<'_>,
    portfolio: &Portfolio,
    (team, person): (TeamId, Option<AgentId>),
) -> anyhow::Result<()> {
    let now = seeder.clock.now();
    let zone = domain::time::zone(&portfolio.zone)?;
    let today = now.in_zone(&zone).date();
    let (first, last) = (today.first_of_month(), today.last_of_month());
    let goal = |kind, target, from: jiff::civil::Date, to: jiff::civil::Date| Goal {
        id: GoalId(seeder.fresh()),
        client_id: portfolio.client_id,
        portfolio_id: None,
        team_id: None,
        agent_id: None,
        kind,
        currency: portfolio.currency,
        target,
        from_day: from.to_string(),
        to_day: to.to_string(),
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    let mut rows = vec![Goal {
        portfolio_id: Some(portfolio.id),
        ..goal(GoalKind::Amount, MONTH_MINOR, first, last)
    }];
    rows.push(Goal {
        team_id: Some(team),
        ..goal(GoalKind::Promises, PROMISES.0, today, today)
    });
    if person.is_some() {
        rows.push(Goal {
            agent_id: person,
            ..goal(GoalKind::Promises, PROMISES.1, today, today)
        });
    }
    for row in rows {
        seeder.store.put_goal(&row, &[]).await?;
    }
    Ok(())
}

/// Debtors who pay what they promised while the demo runs, through the engine as the API does.
pub(super) struct Payers {
    task: JoinHandle<()>,
}

impl Payers {
    /// They begin.
    pub(super) fn start(
        center: CenterHandle,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        bank: Counter,
    ) -> Self {
        Self {
            task: tokio::spawn(watch(center, store, clock, bank)),
        }
    }

    /// Nobody pays any more.
    pub(super) fn stop(self) {
        self.task.abort();
    }
}

async fn watch(center: CenterHandle, store: Arc<dyn Store>, clock: Arc<dyn Clock>, bank: Counter) {
    let (mut seen, mut due): (Option<String>, Vec<Promise>) = (None, Vec::new());
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tick.tick().await;
        let (any, next) = (ListFilter::default(), page(500, seen.clone()));
        if let Ok(fresh) = store.list_promises(&any, &next).await {
            if let Some(last) = fresh.items.last() {
                seen = Some(last.id.to_string());
            }
            let wanted = |p: &Promise| p.state == PromiseState::Active && share(p.id) > 0;
            due.extend(fresh.items.into_iter().filter(wanted));
        }
        let now = clock.now();
        let (pay, wait): (Vec<Promise>, Vec<Promise>) =
            due.into_iter().partition(|p| pays_at(p) <= now);
        due = wait;
        for promise in pay {
            pay_one((&center, &bank), &*store, now, &promise).await;
        }
    }
}

/// A bank's number of a transfer: seven digits by the promise's own number.
fn reference(promise: PromiseId) -> String {
    format!("SPEI-{:07}", promise.0.as_u128() % 10_000_000)
}

async fn pay_one(
    (center, bank): (&CenterHandle, &Counter),
    store: &dyn Store,
    now: UtcMs,
    promise: &Promise,
) {
    let Ok(debt) = store.get_debt(promise.debt_id).await else {
        return;
    };
    let wanted = promise.amount.amount_minor * share(promise.id) / 100;
    let amount = wanted.min(debt.balance_minor());
    if amount <= 0 {
        return;
    }
    if by_file(promise.id) {
        bank.take(Slip {
            promise: promise.id,
            amount: Money::new(amount, debt.currency),
            debt: debt.external_ref,
            at: now,
        });
        return;
    }
    let row = payment(&debt, amount, now, reference(promise.id));
    if let Err(error) = center.post_payment(Actor::System, row).await {
        tracing::debug!(promise = %promise.id, reason = %error, "the demo's debtor could not pay");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_keep_their_promise_some_half_of_it_some_none() {
        let mut counts = [0_u32; 3];
        for n in 0..1_000_u128 {
            match share(PromiseId(uuid::Uuid::from_u128(n * 7_919))) {
                100 => counts[0] += 1,
                50 => counts[1] += 1,
                _ => counts[2] += 1,
            }
        }
        assert_eq!(counts, [550, 150, 300]);
    }
}
