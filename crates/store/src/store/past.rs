//! What past attempts tell of pacing: counted by the database, some of them timed. What they tell of the next
//! call to the same number.

use crate::sql::{Link, Row, Val, vals};
use domain::ids::DebtorId;
use domain::ports::StoreError;
use domain::ports::store::{PAST_SLOT_MS, PastAttempts, PastCall, PastCount, PastTimes};
use domain::time::{HOUR_MS, UtcMs};

/// What counts of them: over, dialed by us, paced.
const PACED: &str = "state IN ('ended','unknown') AND result IS NOT NULL AND direction='outbound' AND mode<>'manual'";

fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    Ok(row.get::<i64>(column)?.unsigned_abs())
}

fn count(row: &Row) -> Result<PastCount, StoreError> {
    Ok(PastCount {
        from: row.get("slot_at")?,
        result: row.get("result")?,
        attempts: number(row, "attempts")?,
        joined: number(row, "joined")?,
    })
}

fn times(row: &Row) -> Result<PastTimes, StoreError> {
    Ok(PastTimes {
        result: row.get("result")?,
        invite_at: row.get("invite_at")?,
        ringing_at: row.get("ringing_at")?,
        answered_at: row.get("answered_at")?,
        bridged_at: row.get("bridged_at")?,
        ended_at: row.get("ended_at")?,
        disposed_at: row.get("disposed_at")?,
    })
}

/// Counts and times of the attempts that the terms leave.
pub(super) async fn past(
    tx: &mut Link,
    (mut terms, values): (Vec<String>, Vec<Val>),
    timed_max: u32,
) -> Result<PastAttempts, StoreError> {
    terms.push(PACED.to_owned());
    let these = format!("FROM attempts WHERE {}", terms.join(" AND "));
    let sql = format!(
        "SELECT opened_at/{PAST_SLOT_MS}*{PAST_SLOT_MS} AS slot_at, result, COUNT(*) AS attempts, \
         COUNT(bridged_at) AS joined {these} GROUP BY 1, result"
    );
    let rows = tx.rows(sql, values.clone()).await?;
    let mut counts: Vec<PastCount> = rows.iter().map(count).collect::<Result<_, _>>()?;
    // The databases do not agree on the order of texts.
    counts.sort_by_key(|c| (c.from, c.result.as_str()));
    let sql = format!(
        "SELECT bridged_at/{HOUR_MS}*{HOUR_MS} AS hour_at, COUNT(DISTINCT agent_id) AS agents {these} \
         AND bridged_at IS NOT NULL AND agent_id IS NOT NULL GROUP BY 1 ORDER BY hour_at"
    );
    let rows = tx.rows(sql, values.clone()).await?;
    let agent = |row: &Row| Ok((row.get("hour_at")?, number(row, "agents")?));
    let agents = rows.iter().map(agent).collect::<Result<_, StoreError>>()?;
    let all: u64 = counts.iter().map(|c| c.attempts).sum();
    // Every n-th by age: each hour of each day gives as many as it is part of the whole.
    let step = all.div_ceil(u64::from(timed_max.max(1))).max(1);
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let mut values = values;
    values.extend(vals![step]);
    let columns = "result, invite_at, ringing_at, answered_at, bridged_at, ended_at, disposed_at";
    let sql = format!(
        "SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER (ORDER BY opened_at, id) AS place {these}) AS seen \
         WHERE place % ${} = 0 ORDER BY place",
        values.len()
    );
    let rows = tx.rows(sql, values).await?;
    let timed = rows.iter().map(times).collect::<Result<_, _>>()?;
    Ok(PastAttempts {
        counts,
        agents,
        timed,
    })
}

/// Columns of a past call and of its point.
const CALL: &str = "id, debtor_id, point_id, opened_at, result, identity_at, disposition, source, \
    added_at, confidence, given_by_debtor";

fn call(row: &Row) -> Result<PastCall, StoreError> {
    Ok(PastCall {
        id: row.get("id")?,
        debtor_id: row.get("debtor_id")?,
        point_id: row.get("point_id")?,
        at: row.get("opened_at")?,
        result: row.get("result")?,
        identified: row.get::<Option<UtcMs>>("identity_at")?.is_some(),
        disposition: row.get("disposition")?,
        source: row.get("source")?,
        added_at: row.get("added_at")?,
        confidence: row.get("confidence")?,
        given_by_debtor: row.get("given_by_debtor")?,
    })
}

/// The newest calls of each point of debtors.
pub(super) async fn calls(
    tx: &mut Link,
    debtors: &[DebtorId],
    since: UtcMs,
    most: u32,
) -> Result<Vec<PastCall>, StoreError> {
    let sql = format!(
        "SELECT {CALL} FROM (SELECT a.id, a.debtor_id, a.point_id, a.opened_at, a.result, a.identity_at, \
            a.disposition, p.source, p.added_at, p.confidence, p.given_by_debtor, \
            ROW_NUMBER() OVER (PARTITION BY a.point_id ORDER BY a.opened_at DESC, a.id DESC) AS place \
            FROM attempts a JOIN contact_points p ON p.id=a.point_id \
            WHERE a.opened_at>=$1 AND a.state='ended' AND a.result IS NOT NULL \
            AND a.invite_at IS NOT NULL AND a.direction='outbound' AND a.debtor_id"
    );
    let after = ") AS seen WHERE place<=$2 ORDER BY debtor_id, opened_at, id";
    let newest = vals![since, most];
    let rows = tx.rows_in(&sql, debtors, after, &newest).await?;
    rows.iter().map(call).collect()
}
