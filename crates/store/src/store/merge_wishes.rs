//! What debtors asked for and agreed, when two files become one and two again: it is about the same person
//! in both, so that nothing that restricts contact may get lost on the way.

use crate::sql::{Link, vals};
use crate::store::items::write_item;
use domain::entity::{Hold, Merge, Preference, Suppression};
use domain::ids::{CampaignId, DebtorId, HoldId, PreferenceId, SuppressionId};
use domain::ports::StoreError;
use domain::ports::store::{CALLBACK_PRIORITY, ItemState};
use domain::time::UtcMs;
use uuid::Uuid;

/// Tables whose rows may be about one point.
const ABOUT_POINTS: &[&str] = &["holds", "preferences"];

/// Rows of a debtor that are about a point of the other file name his own point with the same number.
pub(super) async fn repoint(
    tx: &mut Link,
    owner: DebtorId,
    other: DebtorId,
) -> Result<(), StoreError> {
    for table in ABOUT_POINTS {
        let same = format!(
            "SELECT o.id FROM contact_points o JOIN contact_points x ON x.channel=o.channel \
                AND x.value=o.value WHERE o.debtor_id=$1 AND x.debtor_id=$2 AND x.id={table}.point_id"
        );
        let sql = format!(
            "UPDATE {table} SET point_id=({same} ORDER BY o.id LIMIT 1) \
            WHERE debtor_id=$1 AND EXISTS ({same})"
        );
        tx.run(sql, vals![owner, other]).await?;
    }
    Ok(())
}

/// A number that is wrong in one file is wrong in the other.
pub(super) async fn share_bad(
    tx: &mut Link,
    owner: DebtorId,
    other: DebtorId,
) -> Result<(), StoreError> {
    let sql = "UPDATE contact_points SET bad=TRUE WHERE debtor_id=$1 AND NOT bad \
        AND EXISTS (SELECT 1 FROM contact_points x WHERE x.debtor_id=$2 AND x.bad \
            AND x.channel=contact_points.channel AND x.value=contact_points.value)";
    tx.run(sql, vals![owner, other]).await.map(drop)
}

/// Call-backs that were agreed with the file that goes are made with the one that stays.
pub(super) async fn hand_callbacks(tx: &mut Link, merge: &Merge) -> Result<(), StoreError> {
    let rest = "WHERE debtor_id=$1 AND NOT done AND note LIKE 'callback%' AND priority>=$2 \
        ORDER BY campaign_id";
    let values = vals![merge.gone_id, CALLBACK_PRIORITY];
    let agreed: Vec<ItemState> = tx.all(rest, values).await?;
    for item in agreed {
        let rest = "WHERE debtor_id=$1 AND campaign_id=$2";
        let values = vals![merge.kept_id, item.campaign_id];
        let own: Option<ItemState> = tx.find(rest, values).await?;
        let has_one = |own: &ItemState| {
            !own.done && own.priority >= CALLBACK_PRIORITY && own.note.starts_with("callback")
        };
        // Two were agreed: the first of them is kept.
        if own
            .as_ref()
            .is_some_and(|own| has_one(own) && own.next_at <= item.next_at)
        {
            continue;
        }
        let to = ItemState {
            debtor_id: merge.kept_id,
            attempts: own.as_ref().map_or(item.attempts, |own| own.attempts),
            last_result: own.map_or(item.last_result, |own| own.last_result),
            next_point: None,
            ..item
        };
        write_item(tx, &to).await?;
    }
    Ok(())
}

/// The gone file's items go on; a call-back that was made meanwhile, or is still to be made with the kept
/// file, is not agreed a second time.
pub(super) async fn wake_items(
    tx: &mut Link,
    gone: DebtorId,
    campaigns: &[Uuid],
) -> Result<(), StoreError> {
    let campaigns: Vec<CampaignId> = campaigns.iter().map(|id| CampaignId(*id)).collect();
    let sql = "UPDATE campaign_items SET done=FALSE, awake=FALSE, note='', \
        priority=CASE WHEN priority>=$2 THEN 0 ELSE priority END \
        WHERE debtor_id=$1 AND note='merged' AND campaign_id";
    let fixed = vals![gone, CALLBACK_PRIORITY];
    tx.run_in(sql, &campaigns, "", &fixed).await.map(drop)
}

/// Identity of the copy of a row that goes back with the file of a merge.
fn copy_of(merge: &Merge, row: Uuid) -> Uuid {
    Uuid::new_v5(&merge.id.0, row.as_bytes())
}

/// What was asked for while the files were one binds the one that comes back too: the debtor did not say
/// which of the two he meant.
pub(super) async fn copy_wishes(
    tx: &mut Link,
    merge: &Merge,
    now: UtcMs,
) -> Result<(), StoreError> {
    let both = || vals![merge.kept_id, merge.at, now];
    let rest = "WHERE debtor_id=$1 AND debt_id IS NULL AND from_at>=$2 \
        AND lifted_at IS NULL AND (until IS NULL OR until>$3) ORDER BY id";
    let holds: Vec<Hold> = tx.all(rest, both()).await?;
    for hold in holds {
        tx.put(&Hold {
            id: HoldId(copy_of(merge, hold.id.0)),
            debtor_id: merge.gone_id,
            ..hold
        })
        .await?;
    }
    // Wider hours are a leave, no limit: it was given to the file in which it stands.
    let rest = "WHERE debtor_id=$1 AND kind<>'wider_hours' AND recorded_at>=$2 AND revoked_at IS NULL \
        AND (until IS NULL OR until>$3) ORDER BY id";
    let preferences: Vec<Preference> = tx.all(rest, both()).await?;
    for preference in preferences {
        tx.put(&Preference {
            id: PreferenceId(copy_of(merge, preference.id.0)),
            debtor_id: merge.gone_id,
            ..preference
        })
        .await?;
    }
    let rest = "WHERE debtor_id=$1 AND created_at>=$2 AND lifted_at IS NULL ORDER BY id";
    let listed: Vec<Suppression> = tx.all(rest, vals![merge.kept_id, merge.at]).await?;
    for listing in listed {
        tx.put(&Suppression {
            id: SuppressionId(copy_of(merge, listing.id.0)),
            debtor_id: Some(merge.gone_id),
            ..listing
        })
        .await?;
    }
    repoint(tx, merge.gone_id, merge.kept_id).await?;
    share_bad(tx, merge.gone_id, merge.kept_id).await
}

/// Debts that are in a debtor's file by merges which still hold, and those of his own that are in
/// another's.
pub(super) async fn lent_debts(
    tx: &mut Link,
    debtor: DebtorId,
) -> Result<(Vec<Uuid>, Vec<Uuid>), StoreError> {
    let rest = "WHERE (kept_id=$1 OR gone_id=$1) AND undone_at IS NULL ORDER BY id";
    let merges: Vec<Merge> = tx.all(rest, vals![debtor]).await?;
    let (mut others, mut own) = (Vec::new(), Vec::new());
    for merge in merges {
        let side = match merge.kept_id == debtor {
            true => &mut others,
            false => &mut own,
        };
        side.extend(merge.moved.get("debts").into_iter().flatten().copied());
    }
    Ok((others, own))
}
