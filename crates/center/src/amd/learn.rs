//! Carriers' recordings: learned from what agents call a mailbox, told to the telephone side.

use crate::shared::Shared;
use domain::ids::TrunkId;
use domain::ports::store::{HeardPrint, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::rules::detector::Truth;
use serde_json::json;
use std::sync::Arc;

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

/// A person was taken for a recording of the trunk: which one is not known, so none of them decides any
/// more before it is learned anew.
pub(crate) async fn distrust(shared: &Arc<Shared>, trunk: TrunkId) {
    let done = async {
        let prints = shared.out.store.prints_of(trunk).await?;
        for print in prints.into_iter().filter(HeardPrint::decides) {
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
