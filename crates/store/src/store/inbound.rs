//! Calls that come in.

use super::SqlStore;
use super::events::append;
use super::half::WHOLE;
use super::items::{LIVE, check_fence, lock_person};
use crate::rows::{Entity as _, columns};
use crate::sql::{Dialect, Field as _, Link, Row, Val, vals};
use async_trait::async_trait;
use domain::entity::{Attempt, CallerId, InboundCall, InboundOutcome};
use domain::event::NewEvent;
use domain::ids::{AttemptId, CampaignId, ClientId};
use domain::phone;
use domain::ports::StoreError;
use domain::ports::store::{
    InboundAsk, InboundCount, InboundStore, KnownCaller, PAGE_LIMIT_MAX, Page, PageRequest,
};
use domain::time::UtcMs;

/// Whether the file of debtor `d` is that of a caller whom nobody knows.
const STRANGER: &str = "(d.external_ref LIKE 'caller:%')";

/// Figures of a campaign (`$1`) since `$2`, in time within `$3` ms, by outcome.
pub(super) fn counted(only: &str) -> String {
    format!(
        "SELECT outcome, CAST(COUNT(*) AS BIGINT) AS calls, \
        CAST(COUNT(CASE WHEN wait_ms<=$3 THEN 1 END) AS BIGINT) AS in_time, \
        CAST(COALESCE(SUM(wait_ms),0) AS BIGINT) AS wait_ms, MIN(at) AS first_at \
        FROM inbound_calls WHERE campaign_id=$1 AND at>=$2{only} GROUP BY outcome"
    )
}

/// The rows of [`counted`] as one.
pub(super) fn summed(rows: &[Row]) -> Result<InboundCount, StoreError> {
    let mut sum = InboundCount::default();
    for row in rows {
        let number = |name| Ok::<u64, StoreError>(row.get::<i64>(name)?.unsigned_abs());
        let calls = number("calls")?;
        sum.offered += calls;
        let outcome: InboundOutcome = row.get("outcome")?;
        if outcome.unserved() {
            sum.unserved += calls;
        }
        match outcome {
            InboundOutcome::Open => {
                sum.waiting += calls;
                sum.waiting_since = row.get("first_at")?;
            }
            InboundOutcome::Answered => {
                sum.answered += calls;
                sum.in_time += number("in_time")?;
                sum.wait_ms += number("wait_ms")?;
            }
            InboundOutcome::GaveUp => sum.gave_up += calls,
            InboundOutcome::CallBack => sum.call_back += calls,
            InboundOutcome::OptedOut => sum.opted_out += calls,
            other if other.announced() => sum.announced += calls,
            _ => {}
        }
    }
    Ok(sum)
}

/// Opens the attempt of a call that came in; `false`, with nothing to be kept of the transaction, when the person
/// or the number has a live one, or nobody knows the person.
pub(super) async fn opened(tx: &mut Link, attempt: &Attempt) -> Result<bool, StoreError> {
    check_fence(tx, &attempt.node, attempt.fence).await?;
    // The locks that a dial takes too: the person's row, then his number.
    let known = lock_person(tx, attempt.person_id).await?;
    if tx.dialect() == Dialect::Pg {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        tx.rows(sql, vals![attempt.phone]).await?;
    }
    let sql = format!(
        "SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM attempts WHERE person_id=$1 AND {LIVE}) \
            OR EXISTS (SELECT 1 FROM attempts WHERE phone=$2 AND {LIVE})"
    );
    let live = tx
        .row(sql, vals![attempt.person_id, attempt.phone])
        .await?
        .is_some();
    if !known || live {
        return Ok(false);
    }
    match tx.insert(std::slice::from_ref(attempt), "").await {
        // Another node was faster by a moment: its live attempt stands.
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
        Ok(_) => Ok(true),
    }
}

/// Whom a number belongs to, as a statement finds it, and whether that is nobody's file.
fn whose(row: &Row) -> Result<(KnownCaller, bool), StoreError> {
    let known = KnownCaller {
        debtor_id: row.get("debtor_id")?,
        point_id: row.get("point_id")?,
        campaign_id: row.get("campaign_id")?,
    };
    Ok((known, row.get("stranger")?))
}

#[async_trait]
impl InboundStore for SqlStore {
    async fn open_inbound(
        &self,
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if !opened(&mut tx, attempt).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn put_inbound(&self, row: &InboundCall, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_inbound(&self, id: AttemptId) -> Result<InboundCall, StoreError> {
        self.read().await?.get(id).await
    }

    async fn list_inbound(
        &self,
        ask: &InboundAsk,
        page: &PageRequest,
    ) -> Result<Page<InboundCall>, StoreError> {
        let (mut terms, mut values): (Vec<String>, Vec<Val>) = (vec![], vec![]);
        let mut term = |sql: &str, value: Option<Val>| {
            if let Some(value) = value {
                values.push(value);
                terms.push(format!("{sql}${}", values.len()));
            }
        };
        term("client_id=", ask.client_id.map(|v| v.val()));
        term("campaign_id=", ask.campaign_id.map(|v| v.val()));
        term("at>=", ask.since.map(|v| v.val()));
        term("outcome=", ask.outcome.map(|v| v.val()));
        if let Some(text) = &page.cursor {
            let before: AttemptId = text.parse().map_err(|_| StoreError::NotFound("cursor"))?;
            term("id<", Some(before.val()));
        }
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
        values.extend(vals![limit + 1]);
        let given = if terms.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", terms.join(" AND "))
        };
        let rest = format!("{given} ORDER BY id DESC LIMIT ${}", values.len());
        let mut items: Vec<InboundCall> = self.read().await?.all(&rest, values).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|row| row.id.to_string());
        Ok(Page { items, next_cursor })
    }

    async fn inbound_count(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        within_ms: i64,
    ) -> Result<InboundCount, StoreError> {
        let sql = counted("");
        let values = vals![campaign, since, within_ms];
        summed(&self.read().await?.rows(sql, values).await?)
    }

    async fn lost_inbound(&self, node: &str, at: UtcMs) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE inbound_calls SET outcome='lost', ended_at=$2 \
            WHERE node=$1 AND outcome='open'";
        let lost = tx.run(sql, vals![node.to_owned(), at]).await?;
        tx.commit().await?;
        Ok(lost)
    }

    async fn known_caller(
        &self,
        client: ClientId,
        number: &str,
    ) -> Result<Option<KnownCaller>, StoreError> {
        // The ledger holds every attempt and is searched by address. Whoever came with a file is told from the
        // same caller before, when nobody knew him, whatever happened later.
        let tried = format!(
            "SELECT l.debtor_id, l.point_id, l.campaign_id, {STRANGER} AS stranger FROM ledger l \
                JOIN contact_points p ON p.id=l.point_id AND p.debtor_id=l.debtor_id \
                JOIN debtors d ON d.id=l.debtor_id \
            WHERE l.address IN ($1,$3) AND l.client_id=$2 AND l.kind='attempt' \
            ORDER BY {STRANGER}, l.at DESC, l.id DESC LIMIT 1"
        );
        let has = format!(
            "SELECT p.debtor_id, p.id AS point_id, CAST(NULL AS {}) AS campaign_id, \
                {STRANGER} AS stranger FROM contact_points p \
            JOIN debtors d ON d.id=p.debtor_id WHERE p.value IN ($1,$3) AND d.client_id=$2 \
            AND d.merged_into IS NULL AND p.channel='call' AND NOT p.bad AND {WHOLE} \
            ORDER BY {STRANGER}, p.id LIMIT 1",
            match self.dialect() {
                Dialect::Lite => "BLOB",
                Dialect::Pg => "UUID",
            }
        );
        let mut link = self.read().await?;
        // A number has two forms at most.
        let other = phone::forms(number).pop().unwrap_or_default();
        let values = || vals![number.to_owned(), client, other.clone()];
        let tried = link.row(tried, values()).await?;
        let tried = tried.as_ref().map(whose).transpose()?;
        if let Some((known, false)) = tried {
            return Ok(Some(known));
        }
        let has = link.row(has, values()).await?;
        let has = has.as_ref().map(whose).transpose()?;
        let debtor = has.filter(|(_, stranger)| !stranger || tried.is_none());
        Ok(debtor.or(tried).map(|(known, _)| known))
    }

    async fn caller_id_numbered(&self, number: &str) -> Result<Option<CallerId>, StoreError> {
        let sql = format!(
            "SELECT {} FROM caller_ids WHERE number=$1 ORDER BY id LIMIT 1",
            columns::<CallerId>()
        );
        let row = self
            .read()
            .await?
            .row(sql, vals![number.to_owned()])
            .await?;
        row.as_ref().map(CallerId::read).transpose()
    }
}
