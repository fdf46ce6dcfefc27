//! Carriers' recordings: learned from what agents call a mailbox, told to the telephone side.

use crate::shared::Shared;
use domain::ids::{AttemptId, TrunkId};
use domain::ports::store::{HeardPrint, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::rules::detector::Truth;
use domain::time::{HOUR_MS, UtcMs};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Between two notes that a recording is still heard, ms.
const AGAIN_MS: i64 = HOUR_MS;
/// Recordings whose last note is remembered; with more all are noted anew.
const AGAIN_MAX: usize = 1_024;
/// Calls of which it is remembered which recording decided them: some hours of a busy node.
const MET_MAX: usize = 4_096;

/// Recordings that decided calls of late.
#[derive(Debug, Default)]
pub(crate) struct Met(Mutex<Heard>);

/// Held by whoever changes what is known of recordings, so that no change is lost to another.
#[derive(Debug, Default)]
struct Heard {
    again: BTreeMap<(TrunkId, Vec<u8>), UtcMs>,
    calls: VecDeque<(AttemptId, Vec<u8>)>,
}

/// Tells the telephone side what is known of every trunk.
pub(crate) async fn prime(shared: &Arc<Shared>) {
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let trunks = shared
        .out
        .store
        .list_trunks(&ListFilter::default(), &page)
        .await;
    let trunks = match trunks {
        Ok(trunks) => trunks.items,
        Err(error) => return shared.mind(&error).await,
    };
    for trunk in trunks {
        if let Err(error) = tell(shared, trunk.id).await {
            return shared.mind(&error).await;
        }
    }
}

/// Tells the telephone side anew, and the other nodes that there is something to tell theirs.
async fn tell_all(shared: &Shared, trunk: TrunkId) -> Result<(), StoreError> {
    tell(shared, trunk).await?;
    let subject = format!("trunk:{trunk}");
    let event = shared.event(None, shared.actor(), "amd.learned", subject, json!({}));
    shared.told_here(&event);
    shared.journal(event);
    Ok(())
}

/// What decides on a trunk, told anew.
pub(crate) async fn tell(shared: &Shared, trunk: TrunkId) -> Result<(), StoreError> {
    let prints = shared.out.store.prints_of(trunk).await?;
    let decide = prints.into_iter().filter(HeardPrint::decides);
    let known: Vec<Vec<u8>> = decide.map(|p| p.print).collect();
    if let Err(error) = shared.out.trunk.know_prints(trunk, known).await {
        tracing::warn!(trunk = %trunk, reason = %error, "recordings not told to the telephone side");
    }
    Ok(())
}

/// An agent said what a call was: its recording is one of the trunk's once several numbers have it, and
/// none any more once a person had it.
pub(crate) async fn learn(
    shared: &Arc<Shared>,
    trunk: TrunkId,
    print: Vec<u8>,
    was: Truth,
    new: bool,
) {
    if let Err(error) = take_in(shared, trunk, print, was, new).await {
        shared.mind(&error).await;
    }
}

async fn take_in(
    shared: &Arc<Shared>,
    trunk: TrunkId,
    print: Vec<u8>,
    was: Truth,
    new: bool,
) -> Result<(), StoreError> {
    let _held = shared.met.0.lock().await;
    let prints = shared.out.store.prints_of(trunk).await?;
    let same = |p: &&HeardPrint| shared.out.trunk.is_same_print(&p.print, &print);
    let known = prints.iter().find(same).cloned();
    if known.is_none() && was == Truth::Person {
        return Ok(());
    }
    let mut row = known.unwrap_or(HeardPrint {
        trunk_id: trunk,
        print,
        numbers: 0,
        persons: 0,
        last_at: shared.now(),
    });
    let before = row.decides();
    match was {
        Truth::Machine => row.numbers += i64::from(new),
        Truth::Person => row.persons += 1,
    }
    row.last_at = shared.now();
    shared.out.store.put_print(&row).await?;
    if row.decides() != before {
        tell_all(shared, trunk).await?;
    }
    Ok(())
}

/// A known recording decided a call: it is remembered which, and noted now and then that it is still heard.
pub(crate) async fn heard_again(
    shared: &Arc<Shared>,
    trunk: TrunkId,
    attempt: AttemptId,
    print: Vec<u8>,
) {
    if let Err(error) = note(shared, trunk, attempt, print).await {
        shared.mind(&error).await;
    }
}

async fn note(
    shared: &Shared,
    trunk: TrunkId,
    attempt: AttemptId,
    print: Vec<u8>,
) -> Result<(), StoreError> {
    let (mut met, now) = (shared.met.0.lock().await, shared.now());
    if met.calls.len() >= MET_MAX {
        met.calls.pop_front();
    }
    met.calls.push_back((attempt, print.clone()));
    let key = (trunk, print);
    let noted = met.again.get(&key);
    if noted.is_some_and(|at| now.since_ms(*at) < AGAIN_MS) {
        return Ok(());
    }
    let prints = shared.out.store.prints_of(trunk).await?;
    let same = |p: &HeardPrint| p.decides() && shared.out.trunk.is_same_print(&p.print, &key.1);
    if let Some(print) = prints.into_iter().find(same) {
        let row = HeardPrint {
            last_at: now,
            ..print
        };
        shared.out.store.put_print(&row).await?;
    }
    if met.again.len() >= AGAIN_MAX {
        met.again.clear();
    }
    met.again.insert(key, now);
    Ok(())
}

/// A person was taken for a recording of the trunk: that one decides no more before it is learned anew; where it is
/// not remembered which it was, none of them does.
pub(crate) async fn distrust(shared: &Arc<Shared>, trunk: TrunkId, attempt: AttemptId) {
    let done = async {
        let met = shared.met.0.lock().await;
        let of = met.calls.iter().rfind(|(id, _)| *id == attempt);
        let same = |p: &HeardPrint| {
            of.is_some_and(|(_, print)| shared.out.trunk.is_same_print(&p.print, print))
        };
        let prints = shared.out.store.prints_of(trunk).await?;
        let one = prints.iter().any(|p| p.decides() && same(p));
        let doubted = |p: &HeardPrint| p.decides() && (!one || same(p));
        for print in prints.into_iter().filter(doubted) {
            let row = HeardPrint {
                numbers: 0,
                ..print
            };
            shared.out.store.put_print(&row).await?;
        }
        tell_all(shared, trunk).await
    };
    if let Err(error) = done.await {
        shared.mind(&error).await;
    }
}
