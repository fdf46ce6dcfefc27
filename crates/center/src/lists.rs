//! External do-not-call lists: in force first, then whoever of them is queued or rings is withdrawn, here and,
//! as it is told, on every other node.

use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::dnc::keyed_hash;
use domain::entity::{DncList, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::DebtorId;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a list that came into force hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Debtors who are on it, of those whom it binds.
    pub debtors: u64,
    /// Of them queued or ringing on this node: withdrawn.
    pub withdrawn: u64,
}

/// Told of a list that came into force; the subject names it.
pub(crate) const LOADED: &str = "dnc_list.loaded";
/// What its subject begins with.
pub(crate) const SUBJECT: &str = "dnc-list";

pub(crate) async fn load(
    shared: Arc<Shared>,
    list: DncList,
    hashes: Vec<String>,
    mut events: Vec<NewEvent>,
) -> Result<Loaded, CenterError> {
    let subject = format!("{SUBJECT}:{}", list.id);
    let data = json!({"listed": list.kind, "entries": list.entries});
    let told = shared.event(list.client_id, shared.actor(), LOADED, subject, data);
    events.push(told.clone());
    let store = &shared.out.store;
    let debtors = store.load_list(&list, &hashes, &events).await?;
    let withdrawn = withdraw(&shared, &list).await?;
    // Not before: what fails here is made up for by the event.
    shared.told_here(&told);
    Ok(Loaded { debtors, withdrawn })
}

/// Withdraws whoever of a list is queued or rings on this node; says how many.
pub(crate) async fn withdraw(shared: &Shared, list: &DncList) -> Result<u64, CenterError> {
    let known = shared.post.learn(|engine, _| engine.known()).await?;
    let mut asked: BTreeMap<String, Vec<DebtorId>> = BTreeMap::new();
    for (debtor, known) in &known {
        if list.client_id.is_some_and(|c| c != known.client) {
            continue;
        }
        let values: Vec<&str> = match list.kind {
            SuppressionKind::Phone | SuppressionKind::Email => {
                known.points.iter().map(String::as_str).collect()
            }
            SuppressionKind::Document => vec![&known.document],
            SuppressionKind::Person => Vec::new(),
        };
        for value in values {
            let hash = keyed_hash(&list.hash_key, list.kind, value);
            asked.entry(hash).or_default().push(*debtor);
        }
    }
    let wanted: Vec<String> = asked.keys().cloned().collect();
    let hit = shared.out.store.list_has(list.id, &wanted).await?;
    let mut debtors: Vec<DebtorId> = hit
        .iter()
        .filter_map(|hash| asked.get(hash))
        .flatten()
        .copied()
        .collect();
    debtors.sort_unstable();
    debtors.dedup();
    let count = debtors.len() as u64;
    shared
        .post
        .tell(move |engine, now| engine.withdraw_all(now, &debtors))
        .await;
    Ok(count)
}
