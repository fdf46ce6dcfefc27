//! What money makes of the plans of its debt.

use super::due_items;
use super::forgiven;
use super::judged::SINCE;
use super::plans::{file_of, silence, told};
use crate::sql::{Link, vals};
use domain::entity::{Debt, Plan, PlanFile, PlanState};
use domain::event::NewEvent;
use domain::ids::DebtId;
use domain::ports::StoreError;
use domain::ports::store::PLANS_OF_MAX;
use domain::rules::plan::{self, PaidUnder};
use domain::time::UtcMs;
use serde_json::json;
use uuid::Uuid;

/// The reason of a plan that gave way to one that runs again.
const REOPENED: &str = "reopened";

/// Money on the debt under a plan, with the rows it is of: since the plan was signed, until a later agreement that
/// runs or was paid as agreed took it. What was posted before a signature was known when that was given. Other money
/// that moved since the plan was drawn tells its interest only.
async fn paid_under(
    tx: &mut Link,
    p: &Plan,
    later: Option<UtcMs>,
) -> Result<Vec<(Uuid, PaidUnder)>, StoreError> {
    let from = p.signed_at.unwrap_or(p.made_at);
    let until = later.unwrap_or(UtcMs(i64::MAX));
    let since = format!("({SINCE} AND COALESCE(o.posted_at,p.posted_at)>=$2)");
    let counts = format!("({since} AND NOT {})", since.replace("$2", "$3"));
    let sql = format!(
        "SELECT p.id AS id, COALESCE(o.paid_at,p.paid_at) AS dated, \
        CASE WHEN {counts} THEN p.amount_minor ELSE 0 END AS n, \
        COALESCE(q.interest_minor,0) AS interest FROM payments p \
        LEFT JOIN payments o ON o.id=p.reverses LEFT JOIN payment_parts q ON q.payment_id=p.id \
        WHERE p.debt_id=$1 AND ({counts} OR p.posted_at>$4)"
    );
    let values = vals![p.debt_id, from, until, p.made_at];
    let rows = tx.rows(sql, values).await?;
    rows.iter()
        .map(|row| {
            let under = PaidUnder {
                at: row.get("dated")?,
                minor: row.get("n")?,
                interest_minor: row.get("interest")?,
            };
            Ok((row.get("id")?, under))
        })
        .collect()
}

/// A plan and what money made of it.
struct Settled {
    file: PlanFile,
    /// As it was before.
    was: PlanFile,
    /// The money that it had before.
    had: Vec<PaidUnder>,
    /// The money that it has.
    has: Vec<PaidUnder>,
}

/// The accepted plans of a debt that the payment `cause` may move, by the money they have now: the newest one, and
/// each under which the payment counts, or what it takes back. A later one that runs or was paid as agreed takes
/// the place of those before it.
async fn settled(
    tx: &mut Link,
    debt: DebtId,
    cause: Uuid,
    now: UtcMs,
) -> Result<Vec<Settled>, StoreError> {
    let rest = "WHERE debt_id=$1 AND signed_at IS NOT NULL AND state NOT IN ('draft','cancelled') \
        ORDER BY id DESC LIMIT $2";
    let plans: Vec<Plan> = tx.all(rest, vals![debt, PLANS_OF_MAX]).await?;
    let (mut later, mut moved) = (None, vec![]);
    for (n, plan) in plans.into_iter().enumerate() {
        let under = paid_under(tx, &plan, later).await?;
        let mut file = file_of(tx, plan).await?;
        let was = file.clone();
        let counts = |(id, money): &(Uuid, PaidUnder)| *id == cause && money.minor != 0;
        let own = n == 0 || under.iter().any(counts);
        let of = |before: bool| {
            let rows = under.iter().filter(|(id, _)| !before || *id != cause);
            rows.map(|(_, money)| *money).collect::<Vec<_>>()
        };
        let (had, has) = (of(true), of(false));
        let (plan, parts) = (&mut file.plan, &mut file.instalments);
        if own {
            plan::settle_beside(plan, parts, (&has, later.is_some()), now);
        }
        if plan.state.runs() || plan.state == PlanState::Completed {
            later = plan.signed_at;
        }
        if own {
            moved.push(Settled {
                file,
                was,
                had,
                has,
            });
        }
    }
    // One runs at a time: what ends is written first.
    moved.sort_by_key(|m| m.file.plan.state.runs());
    Ok(moved)
}

/// What was only drawn on a debt gives way to an agreement that runs again: it was drawn on other figures.
async fn give_way(tx: &mut Link, to: &Plan, now: UtcMs) -> Result<Option<NewEvent>, StoreError> {
    let rest = "WHERE debt_id=$1 AND state IN ('offered','approved')";
    let Some(mut drawn) = tx.find::<Plan>(rest, vals![to.debt_id]).await? else {
        return Ok(None);
    };
    drawn.state = PlanState::Cancelled;
    drawn.answer_reason = Some(REOPENED.to_owned());
    drawn.closed_at = Some(now);
    tx.put(&drawn).await?;
    let more = json!({"reason": REOPENED});
    Ok(Some(told(drawn.id.0, &drawn, "plan.cancelled", now, more)))
}

/// Money was put on a debt, or taken off it, by the payment `cause`: its plans follow. A plan that is paid as
/// agreed forgives what was agreed; one that is not paid after all takes that back, and so does one that broke
/// though the money was there in time.
pub(super) async fn paid(
    tx: &mut Link,
    debt: &mut Debt,
    cause: Uuid,
    now: UtcMs,
) -> Result<Vec<NewEvent>, StoreError> {
    let mut events = vec![];
    for moved in settled(tx, debt.id, cause, now).await? {
        let (file, was) = (&moved.file, &moved.was);
        let (before, state) = (was.plan.state, file.plan.state);
        let cause = Uuid::new_v5(&cause, file.plan.id.0.as_bytes());
        if file != was {
            if state.runs() && !before.runs() {
                events.extend(give_way(tx, &file.plan, now).await?);
            }
            tx.put_all(&file.instalments).await?;
            tx.put(&file.plan).await?;
        }
        let forgiven = if state == PlanState::Completed && before == state {
            let money = (moved.had.as_slice(), moved.has.as_slice());
            forgiven::keep(tx, debt, (&file.plan, money), cause, now).await?
        } else {
            forgiven::follow(tx, debt, (&file.plan, &moved.has), cause, now).await?
        };
        if forgiven != 0 {
            due_items::follow(tx, debt).await?;
            tx.put(debt).await?;
        }
        if before != state {
            let kind = plan::turn(before, state);
            let more = json!({"forgiven_minor": forgiven, "currency": debt.currency});
            events.extend(kind.map(|kind| told(cause, &file.plan, kind, now, more)));
        }
        if file != was {
            silence(tx, file, now).await?;
        }
    }
    Ok(events)
}
