//! Terms of clients, and plans with their instalments.

use super::money::{counts, dated};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    DebtStatus, Forgiven, Hold, HoldKind, Instalment, InstalmentState, Language, Parts, Payment,
    Plan, PlanFile, PlanState, PolicyVersion,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, EventId, PaymentId, PlanId};
use domain::ports::store::{
    LEFT_SEGMENT, PAGE_LIMIT_MAX, PLANS_OF_MAX, Page, PageRequest, PlanDocument, PlanFilter,
    PlanRefusal, PlanStore, StoreError,
};
use domain::rules::plan::{self, PaidUnder};
use domain::time::UtcMs;
use serde_json::json;
use uuid::Uuid;

/// Reason of an ask that nobody answered.
const TIMEOUT: &str = "timeout";
/// Reason of a plan that gave way to one that runs again.
const REOPENED: &str = "reopened";

/// What follows from a step of a plan is told once: the event's identity is that of its cause.
fn told(cause: Uuid, plan: &Plan, kind: &str, at: UtcMs) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::new_v5(&cause, kind.as_bytes())),
        at,
        client_id: Some(plan.client_id),
        actor: "system".to_owned(),
        kind: kind.to_owned(),
        subject: format!("plan:{}", plan.id),
        data: json!({
            "plan_id": plan.id, "debtor_id": plan.debtor_id, "debt_id": plan.debt_id,
            "agent_id": plan.agent_id, "state": plan.state,
        }),
    }
}

fn parts_of(t: &Tables, plan: PlanId) -> Vec<Instalment> {
    let mut parts: Vec<Instalment> = t
        .instalments
        .values()
        .filter(|i| i.plan_id == plan)
        .cloned()
        .collect();
    parts.sort_by_key(|i| i.position);
    parts
}

fn keep(t: &mut Tables, file: &PlanFile) {
    t.plans.insert(file.plan.id, file.plan.clone());
    for part in &file.instalments {
        t.instalments.insert(part.id, part.clone());
    }
}

/// While a plan runs its debt is silent.
fn silence(t: &mut Tables, file: &PlanFile, now: UtcMs) {
    let before = t.holds.get(&Hold::id_of(file.plan.id.0, HoldKind::Promise));
    let hold = plan::hold_of(file, before, now);
    t.holds.insert(hold.id, hold);
}

/// Money that counts under a plan from an instant on: what was posted before a signature was known when that was
/// given.
fn under(t: &Tables, payment: &Payment, from: UtcMs) -> bool {
    let first = payment.reverses.and_then(|first| t.payments.get(&first));
    counts(t, payment, from) && first.unwrap_or(payment).posted_at >= from
}

/// Money on the debt under a plan: since the plan was signed, until a later agreement that runs or was paid as
/// agreed took it. Other money that moved since the plan was drawn tells its interest only.
fn paid_under(t: &Tables, p: &Plan, later: Option<UtcMs>) -> Vec<(PaymentId, PaidUnder)> {
    let from = p.signed_at.unwrap_or(p.made_at);
    let on_debt = t.payments.values().filter(|m| m.debt_id == p.debt_id);
    let counts = |m: &Payment| under(t, m, from) && later.is_none_or(|later| !under(t, m, later));
    on_debt
        .filter(|m| counts(m) || m.posted_at > p.made_at)
        .map(|m| {
            let interest = t.money.parts.get(&m.id);
            let under = PaidUnder {
                at: dated(t, m),
                minor: if counts(m) { m.amount.amount_minor } else { 0 },
                interest_minor: interest.map_or(0, |row| row.parts.interest_minor),
            };
            (m.id, under)
        })
        .collect()
}

/// Money was put on a debt, or taken off it, by the payment `cause`: its plans follow, the newest one and each
/// under which the payment counts, or what it takes back. A plan that is paid as agreed forgives what was agreed;
/// one that is not paid after all takes that back, and so does one that broke though the money was there in time.
pub(crate) fn paid(t: &mut Tables, debt: DebtId, cause: PaymentId, now: UtcMs) {
    let gone = |p: &Plan| matches!(p.state, PlanState::Draft | PlanState::Cancelled);
    let accepted = |p: &&Plan| p.debt_id == debt && p.signed_at.is_some() && !gone(p);
    let plans: Vec<Plan> = t.plans.values().rev().filter(accepted).cloned().collect();
    let (mut later, mut moved) = (None, vec![]);
    for (n, plan) in plans.into_iter().enumerate() {
        let under = paid_under(t, &plan, later);
        let was = PlanFile {
            instalments: parts_of(t, plan.id),
            plan,
        };
        let mut file = was.clone();
        let counts = |(id, money): &(PaymentId, PaidUnder)| *id == cause && money.minor != 0;
        let own = n == 0 || under.iter().any(counts);
        let has: Vec<PaidUnder> = under.iter().map(|(_, money)| *money).collect();
        let before = under.iter().filter(|(id, _)| *id != cause);
        let had: Vec<PaidUnder> = before.map(|(_, money)| *money).collect();
        let (plan, parts) = (&mut file.plan, &mut file.instalments);
        if own {
            plan::settle_beside(plan, parts, (&has, later.is_some()), now);
        }
        if plan.state.runs() || plan.state == PlanState::Completed {
            later = plan.signed_at;
        }
        if own {
            moved.push((file, was, (had, has)));
        }
    }
    for (file, was, money) in &moved {
        follow(t, (file, was), (money, cause), now);
    }
}

/// What follows from what money made of a plan.
fn follow(
    t: &mut Tables,
    (file, was): (&PlanFile, &PlanFile),
    ((had, has), cause): (&(Vec<PaidUnder>, Vec<PaidUnder>), PaymentId),
    now: UtcMs,
) {
    let (before, state) = (was.plan.state, file.plan.state);
    let cause = Uuid::new_v5(&cause.0, file.plan.id.0.as_bytes());
    if state.runs() && !before.runs() {
        give_way(t, &file.plan, now);
    }
    keep(t, file);
    let had = (before == state && state == PlanState::Completed).then_some(had.as_slice());
    follow_forgiving(t, &file.plan, (had, has), cause, now);
    let kind = plan::turn(before, state).filter(|_| before != state);
    let events: Vec<NewEvent> = kind
        .map(|kind| told(cause, &file.plan, kind, now))
        .into_iter()
        .collect();
    t.append(&events);
    if file != was {
        silence(t, file, now);
    }
}

/// What was only drawn on a debt gives way to an agreement that runs again: it was drawn on other figures.
fn give_way(t: &mut Tables, to: &Plan, now: UtcMs) {
    let waits = |p: &&mut Plan| {
        p.debt_id == to.debt_id && matches!(p.state, PlanState::Offered | PlanState::Approved)
    };
    let Some(drawn) = t.plans.values_mut().find(waits) else {
        return;
    };
    drawn.state = PlanState::Cancelled;
    drawn.answer_reason = Some(REOPENED.to_owned());
    drawn.closed_at = Some(now);
    let event = told(drawn.id.0, drawn, "plan.cancelled", now);
    t.append(&[event]);
}

/// What is forgiven of the plan's debt follows the plan's state, or the money it has instead of what it `had` when
/// it stays paid as agreed.
fn follow_forgiving(
    t: &mut Tables,
    p: &Plan,
    (had, has): (Option<&[PaidUnder]>, &[PaidUnder]),
    cause: Uuid,
    now: UtcMs,
) {
    let of_plan = t.money.forgiven.iter().filter(|f| f.plan_id == p.id);
    let stands = of_plan.fold(Parts::default(), |sum, f| sum.plus(&f.parts));
    let Some(debt) = t.debts.get_mut(&p.debt_id) else {
        return;
    };
    let parts = match had {
        Some(had) => plan::keep_forgiving(p, debt, &stands, (had, has), now),
        None => plan::follow_forgiving(p, debt, (&stands, has), now),
    };
    super::due_items::follow(t, p.debt_id);
    if parts != Parts::default() {
        t.money.forgiven.push(Forgiven {
            id: Uuid::new_v5(&cause, b"forgiven"),
            plan_id: p.id,
            debt_id: p.debt_id,
            parts,
            at: now,
        });
    }
}

fn break_plan(t: &mut Tables, mut file: PlanFile, now: UtcMs) -> Option<Plan> {
    if !plan::lapse(&mut file.plan, &mut file.instalments, now) {
        return None;
    }
    keep(t, &file);
    silence(t, &file, now);
    if !file.plan.lapses && file.plan.quita_minor > 0 {
        super::interest::book(t, file.plan.debt_id, now);
    }
    // It may break again: each time is told, and written, by its own name.
    let cause = plan::breach(&file.plan);
    follow_forgiving(t, &file.plan, (None, &[]), cause, now);
    let p = &file.plan;
    let debtor = p.debtor_id;
    for item in t
        .items
        .values_mut()
        .filter(|i| i.debtor_id == debtor && (!i.done || i.note == LEFT_SEGMENT))
    {
        item.priority = item.priority.max(10);
        item.next_at = now;
    }
    let missed = |i: &&Instalment| i.state == InstalmentState::Missed;
    let mut events: Vec<NewEvent> = file
        .instalments
        .iter()
        .filter(missed)
        .map(|i| {
            told(
                Uuid::new_v5(&cause, i.id.0.as_bytes()),
                p,
                "instalment.missed",
                now,
            )
        })
        .collect();
    events.push(told(cause, p, "plan.broken", now));
    t.append(&events);
    Some(file.plan)
}

/// Whether the debt is open and owes what the plan was drawn on, as of the day it was drawn.
fn stands_on(t: &Tables, p: &Plan) -> Result<bool, StoreError> {
    let debt = t.debts.get(&p.debt_id);
    let debt = debt.ok_or(StoreError::NotFound("debt"))?;
    let debt = super::interest::owed(t, debt, p.made_at);
    Ok(debt.status == DebtStatus::Open
        && debt.balance_minor() == p.balance_minor
        && debt.currency == p.currency)
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn policy_of(&self, client: ClientId) -> Result<Option<PolicyVersion>, StoreError> {
        Ok(self.policies_of(client, 1).await?.into_iter().next())
    }

    async fn policies_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<PolicyVersion>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<PolicyVersion> = t
            .policies
            .values()
            .filter(|p| p.client_id == client)
            .cloned()
            .collect();
        rows.sort_by_key(|p| std::cmp::Reverse(p.version));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn add_policy(&self, row: &PolicyVersion, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let of_client = t.policies.values().filter(|p| p.client_id == row.client_id);
        let newest = of_client.map(|p| p.version).max().unwrap_or(0);
        if newest + 1 != row.version {
            return Err(StoreError::Conflict(
                "another version of the terms is the newest".into(),
            ));
        }
        t.policies.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn draw_plan(
        &self,
        file: &PlanFile,
        events: &[NewEvent],
    ) -> Result<Result<(), PlanRefusal>, StoreError> {
        let p = &file.plan;
        if !plan::adds_up(p, &file.instalments) {
            return Ok(Err(PlanRefusal::Sum));
        }
        let mut t = self.tx().await?;
        if !stands_on(&t, p)? {
            return Ok(Err(PlanRefusal::Balance));
        }
        let live = t
            .plans
            .values()
            .find(|o| o.debt_id == p.debt_id && o.state.is_live());
        if let Some(mut before) = live.cloned() {
            if before.state.runs() {
                return Ok(Err(PlanRefusal::Runs(before.id)));
            }
            before.state = PlanState::Cancelled;
            before.closed_at = Some(p.made_at);
            t.plans.insert(before.id, before);
        }
        keep(&mut t, file);
        t.append(events);
        Ok(Ok(()))
    }

    async fn get_plan(&self, id: PlanId) -> Result<PlanFile, StoreError> {
        let t = self.tx().await?;
        let plan = t
            .plans
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("plan"))?;
        Ok(PlanFile {
            instalments: parts_of(&t, id),
            plan,
        })
    }

    async fn plans_page(
        &self,
        filter: &PlanFilter,
        page: &PageRequest,
    ) -> Result<Page<Plan>, StoreError> {
        let after: Option<PlanId> = match &page.cursor {
            Some(text) => Some(text.parse().map_err(|_| StoreError::NotFound("cursor"))?),
            None => None,
        };
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let t = self.tx().await?;
        let mut items: Vec<Plan> = t
            .plans
            .values()
            .filter(|p| after.is_none_or(|a| p.id > a))
            .filter(|p| filter.client_id.is_none_or(|c| p.client_id == c))
            .filter(|p| filter.debtor_id.is_none_or(|d| p.debtor_id == d))
            .filter(|p| filter.state.is_none_or(|s| p.state == s))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|p| p.id.to_string());
        Ok(Page { items, next_cursor })
    }

    async fn plans_of(&self, debtor: DebtorId) -> Result<Vec<PlanFile>, StoreError> {
        let t = self.tx().await?;
        let of_debtor = t.plans.values().rev().filter(|p| p.debtor_id == debtor);
        Ok(of_debtor
            .take(PLANS_OF_MAX as usize)
            .map(|plan| PlanFile {
                plan: plan.clone(),
                instalments: parts_of(&t, plan.id),
            })
            .collect())
    }

    async fn move_plan(
        &self,
        plan: &Plan,
        from: PlanState,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let stands = t.plans.get(&plan.id).ok_or(StoreError::NotFound("plan"))?;
        if stands.state != from {
            return Ok(false);
        }
        if plan.state.runs() && !from.runs() && !stands_on(&t, plan)? {
            return Ok(false);
        }
        t.plans.insert(plan.id, plan.clone());
        if plan.state.runs() != from.runs() {
            let file = PlanFile {
                plan: plan.clone(),
                instalments: parts_of(&t, plan.id),
            };
            silence(&mut t, &file, plan.signed_at.unwrap_or(plan.made_at));
        }
        t.append(events);
        Ok(true)
    }

    async fn keep_document(
        &self,
        plan: PlanId,
        language: Language,
        document: &PlanDocument,
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let kept = t.plan_documents.entry((plan, language.as_str()));
        kept.or_insert_with(|| document.clone());
        Ok(())
    }

    async fn document_of(
        &self,
        plan: PlanId,
        language: Language,
    ) -> Result<Option<PlanDocument>, StoreError> {
        let t = self.tx().await?;
        Ok(t.plan_documents.get(&(plan, language.as_str())).cloned())
    }

    async fn forgiven_of(&self, debt: DebtId) -> Result<Vec<Forgiven>, StoreError> {
        let t = self.tx().await?;
        let of_debt = t.money.forgiven.iter().filter(|f| f.debt_id == debt);
        let mut rows: Vec<Forgiven> = of_debt.cloned().collect();
        rows.sort_by_key(|f| (f.at, f.id));
        Ok(rows)
    }

    async fn plans_asked(&self) -> Result<Vec<Plan>, StoreError> {
        let t = self.tx().await?;
        let asked = t.plans.values().filter(|p| p.state == PlanState::Offered);
        Ok(asked.take(500).cloned().collect())
    }

    async fn sweep_plans(&self, now: UtcMs, limit: u32) -> Result<Vec<Plan>, StoreError> {
        let mut t = self.tx().await?;
        let over = |p: &&Plan| {
            p.state == PlanState::Offered && p.asked_until.is_some_and(|until| until <= now)
        };
        let asked: Vec<Plan> = t
            .plans
            .values()
            .filter(over)
            .take(limit as usize)
            .cloned()
            .collect();
        let mut moved = Vec::new();
        for mut p in asked {
            p.state = PlanState::Cancelled;
            p.answer_reason = Some(TIMEOUT.to_owned());
            p.closed_at = Some(now);
            t.plans.insert(p.id, p.clone());
            let event = told(p.id.0, &p, "plan.answered", now);
            t.append(&[event]);
            moved.push(p);
        }
        let running: Vec<Plan> = t
            .plans
            .values()
            .filter(|p| p.state.runs())
            .cloned()
            .collect();
        for plan in running {
            let instalments = parts_of(&t, plan.id);
            if moved.len() < 2 * limit as usize
                && let Some(p) = break_plan(&mut t, PlanFile { plan, instalments }, now)
            {
                moved.push(p);
            }
        }
        Ok(moved)
    }
}
