//! The write-ahead attempt.

use super::SqlStore;
use super::claims;
use super::closing;
use super::events::append;
use super::facts::facts_of;
use super::items::{FREE, LIVE, write_item, write_verdict};
use super::money::promised;
use super::opening;
use super::past::{calls, past};
use super::standing::{self, Standing, held};
use super::sums::{self, refresh};
use crate::sql::{Dialect, Link, Pace, Row, Val, vals};
use async_trait::async_trait;
use domain::entity::{
    Attempt, AttemptState, CampaignStatus, DialMode, LedgerRow, Recording, Verdict,
};
use domain::event::NewEvent;
use domain::ids::{AttemptId, CampaignId, ClientId, DebtorId, PointId};
use domain::law::Judge;
use domain::ports::StoreError;
use domain::ports::store::{
    AnswerSlot, AttemptChange, AttemptFilter, AttemptStore, Closing, LEFT_SEGMENT, OpenDraft,
    OpenOutcome, Page, PageRequest, PastAttempts, PastCall, ShortCount,
};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use std::sync::LazyLock;

/// Fills the binding verdict's marks into the row.
pub(super) fn committed(draft: &OpenDraft, verdict: &Verdict) -> Attempt {
    let pack = verdict.packs.first();
    Attempt {
        state: AttemptState::Committed,
        verdict_id: verdict.id,
        pack: pack.map(|p| p.id.clone()).unwrap_or_default(),
        pack_version: pack.map(|p| p.version.clone()).unwrap_or_default(),
        ..draft.attempt.clone()
    }
}

/// Values of [`is_busy`].
pub(super) fn busy_vals(attempt: &Attempt) -> Vec<Val> {
    // Whoever dials by hand does so whether or not the campaign runs.
    let campaign = attempt
        .campaign_id
        .filter(|_| attempt.mode != DialMode::Manual);
    vals![
        attempt.person_id,
        attempt.phone,
        campaign,
        CampaignStatus::Running,
        attempt.debtor_id
    ]
}

/// That a person `$1`, a number `$2` or a campaign `$3` other than `$4`, or whose segments the debtor `$5` has left,
/// keeps an attempt from being made. The item is found by its key: a CASE is no term for an index of those that are done,
/// of which PostgreSQL thinks there are few.
pub(super) fn is_busy() -> String {
    format!(
        "(EXISTS (SELECT 1 FROM attempts WHERE person_id=$1 AND {LIVE}) \
            OR EXISTS (SELECT 1 FROM attempts WHERE phone=$2 AND {LIVE}) \
            OR EXISTS (SELECT 1 FROM campaigns WHERE id=$3 AND status<>$4) \
            OR EXISTS (SELECT 1 FROM campaign_items WHERE campaign_id=$3 AND debtor_id=$5 \
                AND CASE WHEN done THEN note ELSE '' END='{LEFT_SEGMENT}'))"
    )
}

/// The person's row with the node's fence. Who was never in a campaign nor called has no row that a lease could stand on.
static WHO_IS_FREE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT n.fence, p.lease_debtor, p.lease_node, p.lease_fence, {} AS busy FROM nodes n \
            LEFT JOIN persons p ON p.id=$1 WHERE n.name=$6",
        is_busy()
    )
});

/// Whether the person is free for this attempt, of a node whose lease was not taken over: nobody of his, nor his number,
/// is being called, his campaign is not stopped and holds him still, and the lease on the debtor is this node's, unless
/// a person dials by hand and nobody holds it. In one statement, where nobody else writes meanwhile; for PostgreSQL
/// see `opening`.
async fn free(tx: &mut Link, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut values = busy_vals(attempt);
    values.extend(vals![attempt.node]);
    let Some(person) = tx.row(WHO_IS_FREE.as_str(), values).await? else {
        return Err(StoreError::Fenced);
    };
    if person.get::<Option<i64>>("fence")? != Some(attempt.fence) {
        return Err(StoreError::Fenced);
    }
    Ok(!person.get::<bool>("busy")? && is_leased(&person, attempt)?)
}

/// Whether the debtor of the person's row is leased for this attempt.
pub(super) fn is_leased(person: &Row, attempt: &Attempt) -> Result<bool, StoreError> {
    if person.get::<Option<DebtorId>>("lease_debtor")? != Some(attempt.debtor_id) {
        return Ok(attempt.agent_reserved);
    }
    let node: Option<String> = person.get("lease_node")?;
    let fence: Option<i64> = person.get("lease_fence")?;
    Ok(node.as_deref() == Some(&attempt.node) && fence == Some(attempt.fence))
}

async fn mark_point(tx: &mut Link, point: PointId, closing: &Closing) -> Result<(), StoreError> {
    if !closing.point_bad && closing.point_rpc_at.is_none() && closing.reach.is_none() {
        return Ok(());
    }
    let confidence = match closing.reach {
        Some(reach) => {
            let lock = tx.pg_only(" FOR UPDATE");
            let sql = format!("SELECT confidence FROM contact_points WHERE id=$1{lock}");
            let row = tx.row(sql, vals![point]).await?;
            let before: Option<i64> = row.map(|r| r.get("confidence")).transpose()?;
            before.map(|c| reach.after(i32::try_from(c).unwrap_or(0)))
        }
        None => None,
    };
    let sql = "UPDATE contact_points SET bad=(bad OR $2), last_rpc_at=COALESCE($3, last_rpc_at), \
        confidence=COALESCE($4, confidence) WHERE id=$1 RETURNING debtor_id";
    let values = vals![point, closing.point_bad, closing.point_rpc_at, confidence];
    match tx.row(sql, values).await? {
        Some(row) => refresh(tx, &[row.get("debtor_id")?]).await,
        None => Ok(()),
    }
}

/// Appends ledger rows; one whose id is there already is not appended again.
pub(crate) async fn count(tx: &mut Link, rows: &[LedgerRow]) -> Result<(), StoreError> {
    tx.insert(rows, " ON CONFLICT (id) DO NOTHING")
        .await
        .map(drop)
}

/// Gives back the lease of person `$1` under which the attempt was made; one that another node took meanwhile is its.
pub(super) static FREE_OWN: LazyLock<String> = LazyLock::new(|| {
    format!("{FREE} WHERE id=$1 AND lease_debtor=$2 AND lease_node=$3 AND lease_fence=$4")
});

/// Values of [`FREE_OWN`].
pub(super) fn own_lease(attempt: &Standing) -> Vec<Val> {
    vals![
        attempt.person_id,
        attempt.debtor_id,
        attempt.node,
        attempt.fence
    ]
}

/// That the call of attempt `$1` reached the network, or not.
pub(super) const REACHED: &str =
    "UPDATE ledger SET reached_network=$2 WHERE attempt_id=$1 AND kind='attempt'";

/// What a closing tells of the point, and its rows of other tables.
pub(super) async fn leave_rows(
    tx: &mut Link,
    attempt: &Standing,
    closing: &Closing,
) -> Result<(), StoreError> {
    mark_point(tx, attempt.point_id, closing).await?;
    count(tx, &closing.ledger).await?;
    for hold in &closing.holds {
        tx.put(hold).await?;
    }
    for row in &closing.suppressions {
        tx.put(row).await?;
    }
    Ok(())
}

/// What a closing leaves beside the attempt itself.
async fn leave(
    tx: &mut Link,
    attempt: &Standing,
    closing: &Closing,
    ends: bool,
) -> Result<(), StoreError> {
    if let Some(reached) = closing.reached_network {
        tx.run(REACHED, vals![attempt.id, reached]).await?;
    }
    leave_rows(tx, attempt, closing).await?;
    if let Some(item) = &closing.item {
        write_item(tx, item).await?;
        // With its end alone: a disposition that comes later finds the debtor leased to whoever is next.
        if ends {
            tx.run(FREE_OWN.as_str(), own_lease(attempt)).await?;
        }
    }
    append(tx, &closing.events).await
}

/// Nothing is opened. The rows are let go before it is told: who asks next may not find them held.
async fn busy(tx: Link) -> Result<OpenOutcome, StoreError> {
    tx.rollback().await?;
    Ok(OpenOutcome::Busy)
}

/// The filter as terms and their values.
fn narrowed(filter: &AttemptFilter) -> (Vec<String>, Vec<Val>) {
    use crate::sql::Field as _;
    let (mut terms, mut values): (Vec<String>, Vec<Val>) = (vec![], vec![]);
    let mut term = |sql: &str, value: Option<Val>| {
        if let Some(value) = value {
            values.push(value);
            terms.push(format!("{sql}${}", values.len()));
        }
    };
    term("client_id=", filter.client_id.map(|v| v.val()));
    term("campaign_id=", filter.campaign_id.map(|v| v.val()));
    term("debtor_id=", filter.debtor_id.map(|v| v.val()));
    term("opened_at>=", filter.since.map(|v| v.val()));
    (terms, values)
}

#[async_trait]
impl AttemptStore for SqlStore {
    async fn open_attempt(
        &self,
        draft: &OpenDraft,
        judge: &dyn Judge,
    ) -> Result<OpenOutcome, StoreError> {
        let _step = self.ahead.way.step();
        let mut tx = self.write_together(Pace::Now).await?;
        let attempt = &draft.attempt;
        if tx.dialect() == Dialect::Pg {
            let outcome = opening::opened(&mut tx, draft, judge, busy_vals(attempt)).await?;
            if matches!(outcome, OpenOutcome::Busy) {
                return busy(tx).await;
            }
            return tx.commit().await.map(|()| outcome);
        }
        if !free(&mut tx, attempt).await? {
            return busy(tx).await;
        }
        let (debtor, now) = (attempt.debtor_id, draft.action.now);
        let facts = match self.reserved_facts(debtor, now) {
            Some(facts) => facts,
            None => facts_of(&mut tx, debtor, now).await?,
        };
        if facts.points.iter().all(|p| p.id != attempt.point_id) {
            return busy(tx).await;
        }
        let verdict = judge.judge(&facts, &draft.action);
        write_verdict(&mut tx, &verdict, Some(attempt.client_id)).await?;
        if !verdict.decision.permits(draft.action.agent_reserved) {
            tx.commit().await?;
            return Ok(OpenOutcome::Refused(Box::new(verdict)));
        }
        let row = committed(draft, &verdict);
        match tx.insert(std::slice::from_ref(&row), "").await {
            // A live attempt stands.
            Err(StoreError::Conflict(_)) => return busy(tx).await,
            other => other?,
        }
        // The debtor's own row takes his mark along: the ledger's row then finds none to take away.
        sums::opened(&mut tx, row.debtor_id, row.opened_at).await?;
        tx.insert(std::slice::from_ref(&draft.ledger), "").await?;
        append(&mut tx, &draft.events).await?;
        tx.commit().await?;
        Ok(OpenOutcome::Opened(Box::new(row), Box::new(verdict)))
    }

    async fn note_attempt(
        &self,
        id: AttemptId,
        change: &AttemptChange,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let _step = self.ahead.way.step();
        let mut tx = self.write_together(Pace::Soon).await?;
        if !standing::step_live(&mut tx, id, change).await? {
            let standing = held(&mut tx, id).await?;
            standing.step(change).write(&mut tx).await?;
        }
        count(&mut tx, &change.ledger).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn close_attempt(&self, id: AttemptId, closing: &Closing) -> Result<bool, StoreError> {
        let _step = self.ahead.way.step();
        // A promise, a claim, a hold or a suppression may be refused when other rows are written already.
        let sure = closing.promise.is_none()
            && closing.claim.is_none()
            && closing.holds.is_empty()
            && closing.suppressions.is_empty();
        let mut tx = match sure {
            true => self.write_together(Pace::Soon).await?,
            false => self.write_call().await?,
        };
        // Nearly always it is this that ends the attempt, and nothing else.
        if closing.promise.is_none() && closing.disposition.is_none() && closing.ended_at.is_some()
        {
            if tx.dialect() == Dialect::Pg {
                if closing::ended(&mut tx, id, closing).await? {
                    return tx.commit().await.map(|()| true);
                }
            } else if let Some(standing) = standing::end_live(&mut tx, id, closing).await? {
                let opened = (id, standing.opened_at);
                sums::ended(&mut tx, standing.debtor_id, opened, closing.result).await?;
                leave(&mut tx, &standing, closing, true).await?;
                tx.commit().await?;
                return Ok(true);
            }
        }
        let standing = held(&mut tx, id).await?;
        let undisposed = standing.disposition.is_none();
        let (ends, disposes) = (standing.ends(closing), standing.disposes(closing));
        if !ends && !disposes {
            // Ended by a recovery while this node was frozen: what it came to counts all the same.
            if !closing.ledger.is_empty() {
                count(&mut tx, &closing.ledger).await?;
                tx.commit().await?;
            }
            return Ok(false);
        }
        if let Some((promise, terms)) = closing.promise.as_ref().filter(|_| undisposed) {
            promised(&mut tx, promise, *terms)
                .await?
                .map_err(|refused| StoreError::Conflict(refused.to_string()))?;
        }
        if let Some(claim) = closing.claim.as_ref().filter(|_| undisposed) {
            claims::made(&mut tx, claim).await?;
        }
        standing.closed(closing).write(&mut tx).await?;
        let debtor = standing.debtor_id;
        if disposes {
            sums::history(&mut tx, &[debtor]).await?;
        } else {
            sums::ended(&mut tx, debtor, (id, standing.opened_at), closing.result).await?;
        }
        leave(&mut tx, &standing, closing, ends).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn undisposed(
        &self,
        since: UtcMs,
        ended: UtcMs,
        limit: u32,
    ) -> Result<Vec<Attempt>, StoreError> {
        let rest = "WHERE answered_at IS NOT NULL AND answered_at>=$1 AND bridged_at IS NOT NULL \
            AND disposition IS NULL AND ended_at<$2 ORDER BY answered_at, id LIMIT $3";
        self.read()
            .await?
            .all(rest, vals![since, ended, limit])
            .await
    }

    async fn get_attempt(&self, id: AttemptId) -> Result<Attempt, StoreError> {
        self.read().await?.get(id).await
    }

    async fn list_attempts(
        &self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError> {
        self.list_rows::<Attempt, AttemptId>(narrowed(filter), page, |a| a.id.to_string())
            .await
    }

    async fn past_attempts(
        &self,
        filter: &AttemptFilter,
        timed_max: u32,
    ) -> Result<PastAttempts, StoreError> {
        let mut tx = self.snapshot().await?;
        past(&mut tx, narrowed(filter), timed_max).await
    }

    async fn past_calls(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
        most: u32,
    ) -> Result<Vec<PastCall>, StoreError> {
        calls(&mut self.read().await?, debtors, since, most).await
    }

    async fn open_recording(
        &self,
        recording: &Recording,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(recording).await?;
        let sql = "UPDATE attempts SET recording_id=$2 WHERE id=$1";
        tx.run(sql, vals![recording.attempt_id, recording.id])
            .await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn answers(&self, since: UtcMs, fine_from: UtcMs) -> Result<Vec<AnswerSlot>, StoreError> {
        // Whole hours, so that a slot's begin tells its width.
        let fine = UtcMs(fine_from.0.div_euclid(HOUR_MS) * HOUR_MS);
        let sql = "SELECT client_id, campaign_id, slot_at, \
            COUNT(CASE WHEN dropped THEN 1 END) AS abandoned, \
            COUNT(CASE WHEN NOT dropped AND joined AND NOT machine THEN 1 END) AS handled, \
            COUNT(CASE WHEN NOT dropped AND joined AND machine THEN 1 END) AS machines \
            FROM (SELECT client_id, campaign_id, \
            CASE WHEN answered_at>=$2 THEN answered_at/60000*60000 \
            ELSE answered_at/3600000*3600000 END AS slot_at, \
            (COALESCE(result,'')='abandoned' OR (COALESCE(result,'')='unknown' AND bridged_at IS NULL)) AS dropped, \
            bridged_at IS NOT NULL AS joined, \
            (COALESCE(disposition,'')='NC.BZ' OR COALESCE(disposition,'') LIKE 'NC.BZ.%') AS machine \
            FROM attempts WHERE answered_at IS NOT NULL AND answered_at>=$1 \
            AND direction='outbound' AND mode<>'agentless') AS seen \
            WHERE dropped OR joined \
            GROUP BY client_id, campaign_id, slot_at ORDER BY slot_at, client_id, campaign_id";
        let rows = self.read().await?.rows(sql, vals![since, fine]).await?;
        let slot = |row: &crate::sql::Row| {
            let count = |name| Ok::<u64, StoreError>(row.get::<i64>(name)?.unsigned_abs());
            let from = row.get::<UtcMs>("slot_at")?;
            Ok(AnswerSlot {
                client_id: row.get("client_id")?,
                campaign_id: row.get("campaign_id")?,
                from,
                width_ms: if from >= fine { MINUTE_MS } else { HOUR_MS },
                abandoned: count("abandoned")?,
                handled: count("handled")?,
                machines: count("machines")?,
            })
        };
        rows.iter().map(slot).collect()
    }

    async fn short_calls(
        &self,
        since: UtcMs,
        until: UtcMs,
        now: UtcMs,
        max_ms: i64,
    ) -> Result<ShortCount, StoreError> {
        let sql = "SELECT COUNT(*) AS calls, COUNT(CASE WHEN NOT talked THEN 1 END) AS short FROM (SELECT \
            (answered_at IS NOT NULL AND COALESCE(ended_at,$3)-answered_at>$4 \
            AND COALESCE(result,'') NOT IN ('machine_beep','machine_no_beep') \
            AND COALESCE(disposition,'')<>'NC.BZ' AND COALESCE(disposition,'') NOT LIKE 'NC.BZ.%') AS talked \
            FROM attempts WHERE opened_at>=$1 AND opened_at<$2 AND direction='outbound' \
            AND invite_at IS NOT NULL) AS seen";
        let values = vals![since, until, now, max_ms];
        let Some(row) = self.read().await?.row(sql, values).await? else {
            return Ok(ShortCount::default());
        };
        let count = |name| Ok::<u64, StoreError>(row.get::<i64>(name)?.unsigned_abs());
        Ok(ShortCount {
            calls: count("calls")?,
            short: count("short")?,
        })
    }

    async fn abandonment(
        &self,
        campaign: Option<CampaignId>,
        client: Option<ClientId>,
        since: UtcMs,
    ) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COUNT(CASE WHEN result='abandoned' THEN 1 END) AS abandoned, \
            COUNT(CASE WHEN bridged_at IS NOT NULL AND COALESCE(result,'')<>'abandoned' THEN 1 END) AS handled \
            FROM attempts WHERE answered_at IS NOT NULL AND answered_at>=$1 \
            AND direction='outbound' AND mode<>'agentless' \
            AND ($2 IS NULL OR campaign_id=$2) AND ($3 IS NULL OR client_id=$3)";
        let values = vals![since, campaign, client];
        let Some(row) = self.read().await?.row(sql, values).await? else {
            return Ok((0, 0));
        };
        let count = |name| Ok::<u64, StoreError>(row.get::<i64>(name)?.unsigned_abs());
        Ok((count("abandoned")?, count("handled")?))
    }
}
