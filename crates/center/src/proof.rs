//! The audit is walked in the background, so that nobody has to ask whether it was changed: all of it at the
//! start and once a day, what was added since each hour. One node of all does it, a page at a time with a
//! rest after each. A fault is an alarm that stays until a whole walk finds none.

use crate::shared::Shared;
use crate::tasks::pause;
use domain::event::{AuditHead, AuditWalk};
use domain::ports::store::{PAGE_LIMIT_MAX, StoreError};
use domain::time::HOUR_MS;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two walks, ms.
const EACH_MS: u64 = HOUR_MS.unsigned_abs();
/// Rest after a page of 500 rows, ms: 5,000 rows a second at most.
const REST_MS: u64 = 100;
/// Walks from one that begins at the first row to the next.
const WHOLE_EACH: u32 = 24;
/// The alarm.
const ALARM: &str = "audit_broken";

/// How far each chain was walked, by tenant.
type Walked = BTreeMap<String, AuditWalk>;

/// Runs until the stop.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let (mut walked, mut round, mut wait) = (Walked::new(), 0, shared.config.audit_first_ms);
    while pause(&mut stop, wait).await {
        wait = EACH_MS;
        match turn(&shared, &mut walked, round % WHOLE_EACH == 0).await {
            Ok(true) => round += 1,
            // Another node walks; should it end, this one begins at the first row.
            Ok(false) => round = 0,
            Err(error) => shared.mind(&error).await,
        }
    }
}

/// One walk; `false` on a node that does not walk.
async fn turn(shared: &Shared, walked: &mut Walked, whole: bool) -> Result<bool, StoreError> {
    let (store, node) = (&shared.out.store, &shared.config.node);
    if store.node_place(node, shared.now()).await?.0 != 0 {
        return Ok(false);
    }
    if whole {
        walked.clear();
    }
    let mut fault = None;
    let heads = store.audit_heads().await?;
    // A chain that was there and is not.
    for tenant in walked.keys() {
        if !heads.iter().any(|h| &h.tenant == tenant) {
            fault.get_or_insert_with(|| format!("{}: its chain is gone", named(tenant)));
        }
    }
    for head in &heads {
        let found = walk(shared, head, walked).await?;
        if let Some(what) = found {
            fault.get_or_insert_with(|| format!("{}: {what}", named(&head.tenant)));
        }
    }
    if whole {
        let (_, added) = store.audit_loose().await?;
        if added > 0 {
            fault.get_or_insert_with(|| format!("{added} rows that no chain holds"));
        }
    }
    tell(shared, fault, whole).await;
    Ok(true)
}

fn named(tenant: &str) -> String {
    match tenant {
        "" => "installation".to_owned(),
        client => format!("client {client}"),
    }
}

/// Walks one chain on from where it was left, as far as its head said when it was read.
async fn walk(
    shared: &Shared,
    head: &AuditHead,
    walked: &mut Walked,
) -> Result<Option<String>, StoreError> {
    let mut stop = shared.stop.clone();
    let mut at = walked.get(&head.tenant).cloned().unwrap_or_default();
    let mut fault = None;
    loop {
        let links = shared
            .out
            .store
            .audit_links(&head.tenant, at.seq, PAGE_LIMIT_MAX);
        let links = links.await?;
        for link in links.iter().filter(|l| l.seq <= head.seq) {
            if let Some(what) = at.follow(link) {
                fault.get_or_insert_with(|| format!("row {}: {what}", link.seq));
            }
        }
        let more = links.len() == PAGE_LIMIT_MAX as usize && at.seq < head.seq;
        if !more || !pause(&mut stop, REST_MS).await {
            break;
        }
    }
    if fault.is_none() && !shared.stopping() {
        fault = at.ended(head);
    }
    if fault.is_none() {
        walked.insert(head.tenant.clone(), at);
    } else {
        // Looked at from its first row next time, too: a fault does not go away by being passed.
        walked.remove(&head.tenant);
    }
    Ok(fault)
}

/// Raises the alarm, or ends it when all was walked and nothing found.
async fn tell(shared: &Shared, fault: Option<String>, whole: bool) {
    let Some(what) = fault else {
        if whole {
            shared
                .post
                .tell(|engine, _| engine.clear_alarm(ALARM))
                .await;
        }
        return;
    };
    tracing::error!(what, "the audit does not hold together");
    let words = (
        format!("la auditoría fue alterada: {what}"),
        format!("the audit was changed: {what}"),
    );
    shared
        .post
        .tell(move |engine, now| engine.alarm(now, ALARM.to_owned(), ALARM, words))
        .await;
}
