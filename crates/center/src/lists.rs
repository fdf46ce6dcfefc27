//! External do-not-call lists: in force first, then whoever of them is queued or rings is withdrawn.

use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::dnc::keyed_hash;
use domain::entity::{DncList, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::DebtorId;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) async fn load(
    shared: Arc<Shared>,
    list: DncList,
    hashes: Vec<String>,
    events: Vec<NewEvent>,
) -> Result<u64, CenterError> {
    let store = &shared.out.store;
    store.load_list(&list, &hashes, &events).await?;
    let known = shared.post.call(|engine, _| engine.known()).await?;
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
    let hit = store.list_has(list.id, &wanted).await?;
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
