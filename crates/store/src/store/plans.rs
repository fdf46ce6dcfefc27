//! Terms of clients, and plans with their instalments.

use super::SqlStore;
use super::due_items;
use super::events::append;
use super::forgiven;
use super::interest;
use super::items::lock_person_of;
use super::money::locked_debt;
use super::sums::{money, refresh};
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{
    DebtStatus, Forgiven, Hold, HoldKind, Instalment, Language, Plan, PlanFile, PlanState,
    PolicyVersion,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, EventId, PlanId};
use domain::ports::StoreError;
use domain::ports::store::{
    PLANS_OF_MAX, Page, PageRequest, PlanDocument, PlanFilter, PlanRefusal, PlanStore,
};
use domain::rules::plan;
use domain::time::UtcMs;
use serde_json::json;
use uuid::Uuid;

/// Priority of the items of a debtor whose plan broke: that of a broken promise.
const BROKEN_FIRST: i32 = 10;
/// Most asks that are shown at once.
const ASKED_MAX: u32 = 500;
/// The reason of an ask that nobody answered.
const TIMEOUT: &str = "timeout";

/// What follows from a step of a plan is told once: the event's identity is that of its cause.
pub(super) fn told(
    cause: Uuid,
    plan: &Plan,
    kind: &str,
    at: UtcMs,
    more: serde_json::Value,
) -> NewEvent {
    let mut data = json!({
        "plan_id": plan.id, "debtor_id": plan.debtor_id, "debt_id": plan.debt_id,
        "agent_id": plan.agent_id, "state": plan.state,
    });
    if let (Some(data), serde_json::Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    NewEvent {
        id: EventId(Uuid::new_v5(&cause, kind.as_bytes())),
        at,
        client_id: Some(plan.client_id),
        actor: "system".to_owned(),
        kind: kind.to_owned(),
        subject: format!("plan:{}", plan.id),
        data,
    }
}

async fn parts_of(tx: &mut Link, plan: PlanId) -> Result<Vec<Instalment>, StoreError> {
    tx.all("WHERE plan_id=$1 ORDER BY position", vals![plan])
        .await
}

pub(super) async fn file_of(tx: &mut Link, plan: Plan) -> Result<PlanFile, StoreError> {
    let instalments = parts_of(tx, plan.id).await?;
    Ok(PlanFile { plan, instalments })
}

/// While a plan runs its debt is silent.
pub(super) async fn silence(tx: &mut Link, file: &PlanFile, now: UtcMs) -> Result<(), StoreError> {
    let id = Hold::id_of(file.plan.id.0, HoldKind::Promise);
    let before: Option<Hold> = tx.find("WHERE id=$1", vals![id]).await?;
    tx.put(&plan::hold_of(file, before.as_ref(), now)).await
}

/// The ask of a plan ran out.
async fn give_up(
    tx: &mut Link,
    mut p: Plan,
    now: UtcMs,
) -> Result<(Plan, Vec<NewEvent>), StoreError> {
    p.state = PlanState::Cancelled;
    p.answer_reason = Some(TIMEOUT.to_owned());
    p.closed_at = Some(now);
    tx.put(&p).await?;
    let event = told(p.id.0, &p, "plan.answered", now, json!({"reason": TIMEOUT}));
    Ok((p, vec![event]))
}

/// An instalment of a plan was missed past its grace.
async fn break_plan(
    tx: &mut Link,
    p: Plan,
    now: UtcMs,
) -> Result<Option<(Plan, Vec<NewEvent>)>, StoreError> {
    let mut file = file_of(tx, p).await?;
    if !plan::lapse(&mut file.plan, &mut file.instalments, now) {
        return Ok(None);
    }
    tx.put_all(&file.instalments).await?;
    tx.put(&file.plan).await?;
    silence(tx, &file, now).await?;
    // It may break again: each time is told, and written, by its own name.
    let cause = plan::breach(&file.plan);
    let mut off = 0;
    if !file.plan.lapses && file.plan.quita_minor > 0 {
        let mut debt = locked_debt(tx, file.plan.debt_id).await?;
        interest::book(tx, &mut debt, now).await?;
        off = forgiven::follow(tx, &mut debt, (&file.plan, &[]), cause, now).await?;
        due_items::follow(tx, &mut debt).await?;
        tx.put(&debt).await?;
        refresh(tx, &[debt.debtor_id]).await?;
    }
    let sql = "UPDATE campaign_items SET next_at=$2, \
        priority=CASE WHEN priority>$3 THEN priority ELSE $3 END WHERE debtor_id=$1 \
        AND (NOT done OR note='left_segment')";
    tx.run(sql, vals![file.plan.debtor_id, now, BROKEN_FIRST])
        .await?;
    let missed = file
        .instalments
        .iter()
        .filter(|i| i.state == domain::entity::InstalmentState::Missed)
        .map(|i| {
            told(
                Uuid::new_v5(&cause, i.id.0.as_bytes()),
                &file.plan,
                "instalment.missed",
                now,
                json!({"instalment_id": i.id}),
            )
        });
    let mut events: Vec<NewEvent> = missed.collect();
    let more = json!({"forgiven_minor": off});
    events.push(told(cause, &file.plan, "plan.broken", now, more));
    money(tx, &[file.plan.debtor_id]).await?;
    Ok(Some((file.plan, events)))
}

/// Whether the debt is open and owes what the plan was drawn on, as of the day it was drawn.
async fn stands_on(tx: &mut Link, p: &Plan) -> Result<bool, StoreError> {
    let debt = locked_debt(tx, p.debt_id).await?;
    let debt = interest::owed(tx, debt, p.made_at).await?;
    Ok(debt.status == DebtStatus::Open
        && debt.balance_minor() == p.balance_minor
        && debt.currency == p.currency)
}

fn terms_of(filter: &PlanFilter) -> (Vec<String>, Vec<Val>) {
    let (mut terms, mut values) = (vec![], vec![]);
    if let Some(client) = filter.client_id {
        values.extend(vals![client]);
        terms.push(format!("client_id=${}", values.len()));
    }
    if let Some(debtor) = filter.debtor_id {
        values.extend(vals![debtor]);
        terms.push(format!("debtor_id=${}", values.len()));
    }
    if let Some(state) = filter.state {
        values.extend(vals![state]);
        terms.push(format!("state=${}", values.len()));
    }
    (terms, values)
}

impl SqlStore {
    async fn draw(
        &self,
        file: &PlanFile,
        events: &[NewEvent],
    ) -> Result<Result<(), PlanRefusal>, StoreError> {
        let p = &file.plan;
        if !plan::adds_up(p, &file.instalments) {
            return Ok(Err(PlanRefusal::Sum));
        }
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, p.debtor_id).await?;
        if !stands_on(&mut tx, p).await? {
            return Ok(Err(PlanRefusal::Balance));
        }
        let rest = "WHERE debt_id=$1 AND state IN ('offered','approved','signed','active')";
        if let Some(mut before) = tx.find::<Plan>(rest, vals![p.debt_id]).await? {
            if before.state.runs() {
                return Ok(Err(PlanRefusal::Runs(before.id)));
            }
            before.state = PlanState::Cancelled;
            before.closed_at = Some(p.made_at);
            tx.put(&before).await?;
        }
        tx.insert(std::slice::from_ref(p), "").await?;
        tx.insert(&file.instalments, "").await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

impl SqlStore {
    /// Ends an ask or a plan whose time is over, if it still is: persons before plans, as everywhere money is
    /// posted.
    async fn end_plan(&self, plan: &Plan, now: UtcMs) -> Result<Option<Plan>, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, plan.debtor_id).await?;
        let plan: Plan = tx.get(plan.id).await?;
        let asked = plan.state == PlanState::Offered;
        let ended = if asked && plan.asked_until.is_some_and(|until| until <= now) {
            Some(give_up(&mut tx, plan, now).await?)
        } else {
            break_plan(&mut tx, plan, now).await?
        };
        let Some((plan, events)) = ended else {
            return Ok(None);
        };
        append(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(Some(plan))
    }
}

#[async_trait]
impl PlanStore for SqlStore {
    async fn policy_of(&self, client: ClientId) -> Result<Option<PolicyVersion>, StoreError> {
        Ok(self.policies_of(client, 1).await?.into_iter().next())
    }

    async fn policies_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<PolicyVersion>, StoreError> {
        let rest = "WHERE client_id=$1 ORDER BY version DESC LIMIT $2";
        self.read().await?.all(rest, vals![client, limit]).await
    }

    async fn add_policy(&self, row: &PolicyVersion, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let rest = "WHERE client_id=$1 ORDER BY version DESC LIMIT 1";
        let newest: Option<PolicyVersion> = tx.find(rest, vals![row.client_id]).await?;
        if newest.map_or(0, |p| p.version) + 1 != row.version {
            return Err(StoreError::Conflict(
                "another version of the terms is the newest".into(),
            ));
        }
        tx.insert(std::slice::from_ref(row), "").await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn draw_plan(
        &self,
        file: &PlanFile,
        events: &[NewEvent],
    ) -> Result<Result<(), PlanRefusal>, StoreError> {
        self.draw(file, events).await
    }

    async fn get_plan(&self, id: PlanId) -> Result<PlanFile, StoreError> {
        let mut read = self.snapshot().await?;
        let plan: Plan = read.get(id).await?;
        file_of(&mut read, plan).await
    }

    async fn plans_page(
        &self,
        filter: &PlanFilter,
        page: &PageRequest,
    ) -> Result<Page<Plan>, StoreError> {
        self.list_rows::<Plan, PlanId>(terms_of(filter), page, |row| row.id.to_string())
            .await
    }

    async fn plans_of(&self, debtor: DebtorId) -> Result<Vec<PlanFile>, StoreError> {
        let mut read = self.snapshot().await?;
        let rest = "WHERE debtor_id=$1 ORDER BY id DESC LIMIT $2";
        let plans: Vec<Plan> = read.all(rest, vals![debtor, PLANS_OF_MAX]).await?;
        let ids: Vec<PlanId> = plans.iter().map(|p| p.id).collect();
        let parts: Vec<Instalment> = read
            .all_in("plan_id", &ids, " ORDER BY plan_id, position", &[])
            .await?;
        Ok(plans
            .into_iter()
            .map(|plan| {
                let of_it = |i: &&Instalment| i.plan_id == plan.id;
                let mut instalments: Vec<Instalment> =
                    parts.iter().filter(of_it).cloned().collect();
                instalments.sort_by_key(|i| i.position);
                instalments.dedup_by_key(|i| i.position);
                PlanFile { plan, instalments }
            })
            .collect())
    }

    async fn move_plan(
        &self,
        plan: &Plan,
        from: PlanState,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, plan.debtor_id).await?;
        let claim = "UPDATE plans SET state=$3 WHERE id=$1 AND state=$2";
        let claimed = tx.run(claim, vals![plan.id, from, plan.state]).await?;
        if claimed == 0 {
            return Ok(false);
        }
        // Whose it is may have changed since it was read; what is owed must not before it runs.
        let stands: Plan = tx.get(plan.id).await?;
        let plan = &Plan {
            debtor_id: stands.debtor_id,
            ..plan.clone()
        };
        if plan.state.runs() && !from.runs() && !stands_on(&mut tx, plan).await? {
            return Ok(false);
        }
        tx.put(plan).await?;
        if plan.state.runs() != from.runs() {
            let file = file_of(&mut tx, plan.clone()).await?;
            silence(&mut tx, &file, plan.signed_at.unwrap_or(plan.made_at)).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn keep_document(
        &self,
        plan: PlanId,
        language: Language,
        document: &PlanDocument,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO plan_documents (plan_id, language, sha256, pdf_hex) \
            VALUES ($1,$2,$3,$4) ON CONFLICT (plan_id, language) DO NOTHING";
        let pdf = hex::encode(&document.pdf);
        tx.run(sql, vals![plan, language, document.sha256, pdf])
            .await?;
        tx.commit().await
    }

    async fn document_of(
        &self,
        plan: PlanId,
        language: Language,
    ) -> Result<Option<PlanDocument>, StoreError> {
        let sql = "SELECT sha256, pdf_hex FROM plan_documents WHERE plan_id=$1 AND language=$2";
        let Some(row) = self.read().await?.row(sql, vals![plan, language]).await? else {
            return Ok(None);
        };
        let text: String = row.get("pdf_hex")?;
        let pdf = hex::decode(text).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let sha256 = row.get("sha256")?;
        Ok(Some(PlanDocument { pdf, sha256 }))
    }

    async fn forgiven_of(&self, debt: DebtId) -> Result<Vec<Forgiven>, StoreError> {
        forgiven::of_debt(&mut self.read().await?, debt).await
    }

    async fn plans_asked(&self) -> Result<Vec<Plan>, StoreError> {
        let rest = "WHERE state='offered' ORDER BY id LIMIT $1";
        self.read().await?.all(rest, vals![ASKED_MAX]).await
    }

    async fn sweep_plans(&self, now: UtcMs, limit: u32) -> Result<Vec<Plan>, StoreError> {
        let asked = "state='offered' AND asked_until<=$1 ORDER BY asked_until, id";
        let due = "state IN ('signed','active') AND id IN (SELECT plan_id FROM instalments \
            WHERE state='due' AND grace_until<=$1) ORDER BY id";
        let mut over: Vec<Plan> = vec![];
        for which in [asked, due] {
            let rest = format!("WHERE {which} LIMIT $2");
            over.extend(self.read().await?.all(&rest, vals![now, limit]).await?);
        }
        let mut moved = vec![];
        for plan in over {
            moved.extend(self.end_plan(&plan, now).await?);
        }
        Ok(moved)
    }
}
