//! What money makes of promises: kept while they live, and judged anew when money is taken back or comes late.

use crate::sql::{Link, vals};
use domain::entity::{Hold, HoldKind, Payment, Promise, PromiseState};
use domain::ids::{DebtorId, PromiseId};
use domain::ports::StoreError;
use domain::rules::promise::{judged, outcome};
use domain::time::UtcMs;

/// Priority of the items of a debtor whose promise was broken.
const BROKEN_FIRST: i32 = 10;

/// Payments `p` (with `o`, what they take back) that count since the instant `$2`; a reversal is dated by what
/// it takes back. A day without its hour is kept as noon UTC: it counts when it was posted later and is not
/// the day before. 18 h: noon UTC of a local day up to its evening, 9 h behind UTC at most.
pub(super) const SINCE: &str = "(COALESCE(o.paid_at,p.paid_at)>=$2 OR \
    (COALESCE(o.posted_at,p.posted_at)>=$2 AND COALESCE(o.paid_at,p.paid_at)%86400000=43200000 \
    AND COALESCE(o.paid_at,p.paid_at)>=$2-64800000))";

/// Money dated within the promise, `[made, grace end)`.
async fn paid_within(tx: &mut Link, promise: &Promise) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT CAST(COALESCE(SUM(p.amount_minor),0) AS BIGINT) AS n FROM payments p \
        LEFT JOIN payments o ON o.id=p.reverses \
        WHERE p.debt_id=$1 AND {SINCE} AND COALESCE(o.paid_at,p.paid_at)<$3"
    );
    let values = vals![promise.debt_id, promise.made_at, promise.grace_until];
    tx.row(sql, values).await?.map_or(Ok(0), |r| r.get("n"))
}

async fn close_promise(tx: &mut Link, promise: &Promise, now: UtcMs) -> Result<(), StoreError> {
    tx.put(promise).await?;
    let sql = "UPDATE holds SET lifted_at=$2 WHERE id=$1";
    let id = Hold::id_of(promise.id.0, HoldKind::Promise);
    tx.run(sql, vals![id, now]).await.map(drop)
}

/// The debtor of a broken promise leads the queue, also where he comes back into it: a segment of those without a
/// promise has let him go meanwhile.
pub(super) async fn broken_first(
    tx: &mut Link,
    debtor: DebtorId,
    now: UtcMs,
) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET next_at=$2, \
        priority=CASE WHEN priority>$3 THEN priority ELSE $3 END WHERE debtor_id=$1 \
        AND (NOT done OR note='left_segment')";
    tx.run(sql, vals![debtor, now, BROKEN_FIRST])
        .await
        .map(drop)
}

/// Closes a promise that still lives when its grace is over; its person is locked already.
pub(super) async fn grace_over(
    tx: &mut Link,
    id: PromiseId,
    now: UtcMs,
) -> Result<Option<Promise>, StoreError> {
    let rest = "WHERE id=$1 AND state='active' AND grace_until<=$2";
    let Some(mut promise) = tx.find::<Promise>(rest, vals![id, now]).await? else {
        return Ok(None);
    };
    let paid = paid_within(tx, &promise).await?;
    promise.state = outcome(promise.amount.amount_minor, paid, true);
    promise.closed_at = Some(now);
    close_promise(tx, &promise, now).await?;
    if promise.state == PromiseState::Broken {
        broken_first(tx, promise.debtor_id, now).await?;
    }
    Ok(Some(promise))
}

/// Judges the debt's promises with the money that a payment brought or took; gives those that changed.
pub(super) async fn judge(tx: &mut Link, payment: &Payment) -> Result<Vec<Promise>, StoreError> {
    let rest =
        "WHERE debt_id=$1 AND state IN ('active','kept','kept_partial','broken') ORDER BY id";
    let rows: Vec<Promise> = tx.all(rest, vals![payment.debt_id]).await?;
    let mut alive = rows.iter().any(|p| p.state == PromiseState::Active);
    let mut changed = Vec::new();
    for mut promise in rows {
        let paid = paid_within(tx, &promise).await?;
        let next = judged(&promise, paid, payment.posted_at, alive);
        if next == promise.state {
            continue;
        }
        promise.state = next;
        if next == PromiseState::Active {
            alive = true;
            promise.closed_at = None;
            tx.put(&promise).await?;
            // From now on: what was done while it was lifted was right.
            let id = Hold::id_of(promise.id.0, HoldKind::Promise);
            if let Some(hold) = tx.find::<Hold>("WHERE id=$1", vals![id]).await? {
                tx.put(&Hold {
                    from: payment.posted_at,
                    lifted_at: None,
                    ..hold
                })
                .await?;
            }
        } else {
            promise.closed_at = Some(payment.posted_at);
            close_promise(tx, &promise, payment.posted_at).await?;
        }
        changed.push(promise);
    }
    Ok(changed)
}
