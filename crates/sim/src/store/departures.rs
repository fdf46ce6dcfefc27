//! Departures from the written policy, by plain code.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{DebtStatus, MessageState, PlannedState};
use domain::ids::DebtorId;
use domain::ports::store::{
    Departure, DepartureAsk, DepartureCount, DepartureRow, DepartureStore, STEP_LATE_MS, StoreError,
};
use domain::time::UtcMs;
use uuid::Uuid;

/// A row, and whether it departs.
type Row = (DepartureRow, bool);

fn row(
    t: &Tables,
    (at, id, debtor_id): (UtcMs, Uuid, DebtorId),
    reason: &str,
    state: &str,
) -> DepartureRow {
    let debtor = t.debtors.get(&debtor_id);
    DepartureRow {
        at,
        id,
        debtor_id,
        external_ref: debtor.map(|d| d.external_ref.clone()).unwrap_or_default(),
        reason: reason.to_owned(),
        state: state.to_owned(),
    }
}

fn plans(t: &Tables, ask: &DepartureAsk) -> Vec<Row> {
    let own = t.plans.values().filter(|p| p.client_id == ask.client);
    own.map(|p| {
        let reason = p.ask_reason.as_deref().unwrap_or_default();
        let of = (p.made_at, p.id.0, p.debtor_id);
        (row(t, of, reason, p.state.as_str()), p.needs_role.is_some())
    })
    .filter(|(row, _)| row.at <= ask.now)
    .collect()
}

fn stages(t: &Tables, ask: &DepartureAsk) -> Vec<Row> {
    let open = |s: &&domain::entity::DebtStage| {
        let debt = t.debts.get(&s.debt_id);
        s.client_id == ask.client && debt.is_some_and(|d| d.status == DebtStatus::Open)
    };
    let own = t.stages.values().filter(open);
    own.filter_map(|s| {
        let deadline = s.deadline?;
        let told = if s.late_at.is_some() {
            "told"
        } else {
            "untold"
        };
        let of = (deadline, s.debt_id.0, s.debtor_id);
        Some((row(t, of, s.stage.as_str(), told), deadline <= ask.now))
    })
    .collect()
}

fn steps(t: &Tables, ask: &DepartureAsk) -> Vec<Row> {
    let own = t.planned_steps.values();
    own.filter(|s| s.client_id == ask.client && s.state != PlannedState::Cancelled)
        .filter(|s| s.due_at <= ask.now)
        .map(|s| {
            let late = s.due_at <= ask.now.plus_ms(-STEP_LATE_MS);
            let departed =
                s.state == PlannedState::Refused || (s.state == PlannedState::Planned && late);
            let of = (s.due_at, s.id.0, s.debtor_id);
            (row(t, of, &s.reason, s.state.as_str()), departed)
        })
        .collect()
}

fn messages(t: &Tables, ask: &DepartureAsk) -> Vec<Row> {
    use MessageState::{Bounced, Cancelled, Failed, Refused};
    let own = t.messages.values();
    own.filter(|m| m.client_id == ask.client && m.strategy_id.is_some())
        .filter(|m| m.state != Cancelled && m.due_at <= ask.now)
        .map(|m| {
            let departed = matches!(m.state, Refused | Failed | Bounced);
            let of = (m.due_at, m.id.0, m.debtor_id);
            (row(t, of, &m.reason, m.state.as_str()), departed)
        })
        .collect()
}

fn rows(t: &Tables, kind: Departure, ask: &DepartureAsk) -> Vec<Row> {
    let mut found = match kind {
        Departure::BeyondAuthority => plans(t, ask),
        Departure::StageLate => stages(t, ask),
        Departure::StepNotRun => steps(t, ask),
        Departure::MessageNotSent => messages(t, ask),
    };
    found.retain(|(row, _)| row.at >= ask.from && row.at < ask.to);
    found.sort_by_key(|(row, _)| (row.at, row.id));
    found
}

#[async_trait]
impl DepartureStore for MemoryStore {
    async fn departure_count(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
    ) -> Result<DepartureCount, StoreError> {
        let t = self.tx().await?;
        let all = rows(&t, kind, ask);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(DepartureCount {
            departed: count(all.iter().filter(|(_, departed)| *departed).count()),
            of: count(all.len()),
        })
    }

    async fn departures(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
        after: Option<(UtcMs, Uuid)>,
        limit: u32,
    ) -> Result<Vec<DepartureRow>, StoreError> {
        let t = self.tx().await?;
        let found = rows(&t, kind, ask).into_iter();
        let departed = found.filter(|(_, departed)| *departed).map(|(row, _)| row);
        Ok(departed
            .filter(|row| after.is_none_or(|after| (row.at, row.id) > after))
            .take(limit as usize)
            .collect())
    }
}
