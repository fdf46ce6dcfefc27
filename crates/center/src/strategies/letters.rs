//! Steps that are letters: each is made when it is due, judged and counted, into a batch that can be printed.

use crate::plans::letters::{AtContract, Wanted, draft};
use crate::shared::Shared;
use domain::entity::{
    BatchState, Client, LetterBatch, LetterLevel, PlannedState, PlannedStep, StepAction, Strategy,
};
use domain::ids::{ClientId, LetterBatchId, StrategyId};
use domain::ports::store::{LetterDraft, StepAsk, StoreError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Steps read in one go.
const PAGE: u32 = 200;
/// Most letters of one round: a day's work of a printer.
const ROUND_MAX: usize = 5_000;

/// What is the same for many letters of one round.
#[derive(Default)]
struct Round {
    clients: BTreeMap<ClientId, Client>,
    versions: BTreeMap<StrategyId, Vec<Strategy>>,
    /// One batch a strategy and level: what is printed together.
    batches: BTreeMap<(StrategyId, LetterLevel), LetterBatchId>,
}

impl Round {
    async fn client(&mut self, shared: &Shared, id: ClientId) -> Result<Client, StoreError> {
        if let Some(client) = self.clients.get(&id) {
            return Ok(client.clone());
        }
        let client = shared.out.store.get_client(id).await?;
        self.clients.insert(id, client.clone());
        Ok(client)
    }

    /// Which letter the step asks for, as its strategy said when it was planned.
    async fn level(
        &mut self,
        shared: &Shared,
        step: &PlannedStep,
    ) -> Result<Option<LetterLevel>, StoreError> {
        let versions = match self.versions.entry(step.strategy_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let store = &shared.out.store;
                new.insert(store.strategy_versions(step.strategy_id).await?)
            }
        };
        let of = versions.iter().find(|s| s.version == step.strategy_version);
        let said = of.and_then(|s| s.steps.iter().find(|s| s.key == step.step));
        Ok(said.and_then(|s| s.letter))
    }

    /// The batch of a letter as it is with this one letter.
    fn batch(&mut self, shared: &Shared, step: &PlannedStep, level: LetterLevel) -> LetterBatch {
        let key = (step.strategy_id, level);
        let id = self
            .batches
            .entry(key)
            .or_insert_with(|| LetterBatchId(shared.id()));
        LetterBatch {
            id: *id,
            client_id: step.client_id,
            segment_id: None,
            strategy_id: Some(step.strategy_id),
            level,
            state: BatchState::Done,
            total: 1,
            done: 1,
            made: 1,
            left_out: 0,
            fault: None,
            made_by: None,
            made_at: shared.now(),
        }
    }
}

/// Makes the letters that are due. Two nodes that do it at once make each of them once: the step ends with
/// its letter.
pub(super) async fn due(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let mut round = Round::default();
    let mut ask = StepAsk {
        state: Some(PlannedState::Planned),
        action: Some(StepAction::Letter),
        until: Some(shared.now()),
        limit: PAGE,
        ..StepAsk::default()
    };
    for _ in 0..ROUND_MAX / PAGE as usize {
        let steps = shared.out.store.steps_page(&ask).await?;
        for step in &steps {
            if shared.stopping() {
                return Ok(());
            }
            make(shared, &mut round, step).await?;
        }
        ask.after = steps.last().map(|s| (s.due_at, s.id));
        if steps.len() < PAGE as usize {
            break;
        }
    }
    Ok(())
}

async fn make(
    shared: &Arc<Shared>,
    round: &mut Round,
    step: &PlannedStep,
) -> Result<(), StoreError> {
    let client = round.client(shared, step.client_id).await?;
    let level = round.level(shared, step).await?;
    let wanted = Wanted {
        client: &client,
        // Where it belongs is known when its level is.
        batch: LetterBatchId(uuid::Uuid::nil()),
        debtor: step.debtor_id,
        debt: step.debt_id,
        level,
    };
    let store = &shared.out.store;
    let mut made = match draft(shared, &wanted).await? {
        Ok(made) => made,
        Err(why) => {
            let (state, now) = (PlannedState::Refused, shared.now());
            store
                .end_step(step.id, state, why.reason(), "system", now, &[])
                .await?;
            return Ok(());
        }
    };
    let batch = round.batch(shared, step, made.letter.level);
    into(&mut made, step, batch);
    let law = AtContract(shared.out.law.as_ref());
    store.open_letter(&made, &law).await.map(drop)
}

/// Puts a letter into its batch.
fn into(made: &mut LetterDraft, step: &PlannedStep, batch: LetterBatch) {
    made.letter.batch_id = batch.id;
    // One letter a step, in whatever batch: the step counts it.
    made.ledger.id = domain::ids::LedgerId(uuid::Uuid::new_v5(&step.id.0, b"letter"));
    for event in &mut made.events {
        event.data["batch_id"] = serde_json::json!(batch.id);
        event.data["strategy_id"] = serde_json::json!(step.strategy_id);
    }
    made.of = Some((step.id, batch));
}
