//! Files whose points somebody has to look at, by an index over debtors with an open debt
//! (`debtors.point_confirmed_at`, kept by `sums`): a page walks no others, and their number is told by the index
//! alone. While a file is half in, counting reads its debtors too.

use super::floor::Terms;
use super::half::WHOLE;
use super::marks::HALF;
use crate::sql::{Link, vals};
use domain::ports::StoreError;
use domain::ports::store::{FileTaskAsk, FileTaskCounts, FileTaskRow, PAGE_LIMIT_MAX};
use domain::rules::stale::NO_PHONE;

/// Debtors asked about, those of an agent by his assignments: he has a few of many.
fn of(ask: &FileTaskAsk) -> (&'static str, Terms) {
    let mut t = Terms::default();
    // One or the other, so that one index has all that is asked.
    match ask.portfolio {
        Some(portfolio) => {
            let n = t.bind(vals![portfolio]);
            t.add(format!("d.portfolio_id=${n}"));
        }
        None => {
            let n = t.bind(vals![ask.client]);
            t.add(format!("d.client_id=${n}"));
        }
    }
    let Some(agent) = ask.agent else {
        return ("debtors d", t);
    };
    let n = t.bind(vals![ask.client, agent]);
    t.add(format!("w.client_id=${n} AND w.agent_id=${}", n + 1));
    t.add("d.id=w.debtor_id".to_owned());
    ("assignments w CROSS JOIN debtors d", t)
}

/// Only files without a usable phone, or only those with one that have a stale point.
fn of_kind(t: &mut Terms, ask: &FileTaskAsk, no_phone: bool) {
    let n = t.bind(vals![NO_PHONE]);
    if no_phone {
        return t.add(format!("d.point_confirmed_at=${n}"));
    }
    let until = t.bind(vals![ask.until]);
    t.add(format!(
        "d.point_confirmed_at>${n} AND d.point_confirmed_at<=${until}"
    ));
}

fn page_sql(ask: &FileTaskAsk) -> (String, Terms) {
    let (from, mut t) = of(ask);
    match ask.no_phone {
        Some(no_phone) => of_kind(&mut t, ask, no_phone),
        None => {
            let n = t.bind(vals![ask.until]);
            t.add(format!("d.point_confirmed_at<=${n}"));
        }
    }
    if let Some((at, debtor)) = ask.after {
        let n = t.bind(vals![at, debtor]);
        t.add(format!("(d.point_confirmed_at, d.id)>(${n}, ${})", n + 1));
    }
    let n = t.bind(vals![ask.limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
    let sql = format!(
        "SELECT d.id, d.portfolio_id, d.external_ref, d.name, d.balance_minor, d.open_currency, \
            d.point_confirmed_at, a.agent_id, a.team_id \
        FROM {from} LEFT JOIN assignments a ON a.debtor_id=d.id \
        WHERE {} AND {WHOLE} ORDER BY d.point_confirmed_at, d.id LIMIT ${n}",
        t.sql()
    );
    (sql, t)
}

pub(super) async fn page(
    read: &mut Link,
    ask: &FileTaskAsk,
) -> Result<Vec<FileTaskRow>, StoreError> {
    let (sql, t) = page_sql(ask);
    let rows = read.rows(sql, t.values).await?;
    rows.iter()
        .map(|row| {
            Ok(FileTaskRow {
                debtor_id: row.get("id")?,
                portfolio_id: row.get("portfolio_id")?,
                external_ref: row.get("external_ref")?,
                name: row.get("name")?,
                balance_minor: row.get("balance_minor")?,
                currency: row.get("open_currency")?,
                confirmed_at: row.get("point_confirmed_at")?,
                agent_id: row.get("agent_id")?,
                team_id: row.get("team_id")?,
            })
        })
        .collect()
}

fn count_sql(ask: &FileTaskAsk, no_phone: bool, half: bool) -> (String, Terms) {
    let (from, mut t) = of(ask);
    of_kind(&mut t, ask, no_phone);
    if half {
        t.add(WHOLE.to_owned());
    }
    let sql = format!("SELECT COUNT(*) AS n FROM {from} WHERE {}", t.sql());
    (sql, t)
}

pub(super) async fn counts(
    read: &mut Link,
    ask: &FileTaskAsk,
) -> Result<FileTaskCounts, StoreError> {
    let half = read.row(HALF, vec![]).await?.is_some();
    let mut found = [0; 2];
    for (n, no_phone) in found.iter_mut().zip([true, false]) {
        let (sql, t) = count_sql(ask, no_phone, half);
        if let Some(row) = read.row(sql, t.values).await? {
            *n = row.get::<i64>("n")?.unsigned_abs();
        }
    }
    let [no_phone, stale_point] = found;
    Ok(FileTaskCounts {
        no_phone,
        stale_point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::FillPlan;
    use crate::store::{SqlStore, sums};
    use domain::ids::{AgentId, ClientId, PortfolioId};
    use domain::time::UtcMs;
    use uuid::Uuid;

    async fn fresh() -> (tempfile::TempDir, SqlStore) {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("a.db").display());
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        (dir, store)
    }

    async fn plan(store: &SqlStore, (sql, t): (String, Terms)) -> String {
        let mut read = store.snapshot().await.unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = read.rows_once(sql, t.values).await.unwrap();
        let steps = rows.iter().map(|r| r.get::<String>("detail").unwrap());
        steps.collect::<Vec<_>>().join("; ")
    }

    /// What the migration that brought the column writes.
    const BACKFILL: &str = include_str!("../../../../migrations/sqlite/0034_file_tasks.sql");

    #[tokio::test]
    async fn who_was_there_before_is_as_who_comes_later() {
        let (_dir, store) = fresh().await;
        let plan = FillPlan {
            debtors: 60,
            attempts: 60,
            now: UtcMs(1_790_000_000_000),
        };
        store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
        let mut tx = store.write().await.unwrap();
        for sql in [
            "UPDATE contact_points SET bad=TRUE WHERE rowid%3=0",
            "UPDATE contact_points SET last_rpc_at=1790000000000 WHERE rowid%4=0",
            "UPDATE debts SET status='paid' WHERE rowid%5=0",
        ] {
            tx.rows_once(sql, vec![]).await.unwrap();
        }
        sums::all_of(&mut tx, "(SELECT id FROM debtors)")
            .await
            .unwrap();
        let kept = "SELECT point_confirmed_at AS at FROM debtors ORDER BY id";
        let kept = async |tx: &mut Link| -> Vec<Option<i64>> {
            let rows = tx.rows_once(kept, vec![]).await.unwrap();
            rows.iter().map(|r| r.get("at").unwrap()).collect()
        };
        let want = kept(&mut tx).await;
        for some in [None, Some(-1)] {
            assert!(want.contains(&some), "{want:?}");
        }
        assert!(want.iter().flatten().any(|at| *at > 0), "{want:?}");
        tx.rows_once("UPDATE debtors SET point_confirmed_at=NULL", vec![])
            .await
            .unwrap();
        let from = BACKFILL.find("UPDATE debtors").unwrap();
        let (backfill, _) = BACKFILL[from..].split_once(';').unwrap();
        tx.rows_once(backfill.to_owned(), vec![]).await.unwrap();
        assert_eq!(kept(&mut tx).await, want);
        drop(tx);
        store.close().await;
    }

    #[tokio::test]
    async fn an_index_tells_the_files_and_their_number() {
        let (_dir, store) = fresh().await;
        let of = |portfolio, agent| FileTaskAsk {
            client: ClientId(Uuid::nil()),
            portfolio,
            agent,
            no_phone: None,
            until: UtcMs(1),
            after: Some((UtcMs(0), domain::ids::DebtorId(Uuid::nil()))),
            limit: 10,
        };
        let portfolio = Some(PortfolioId(Uuid::nil()));
        for (ask, index) in [
            (of(None, None), "debtors_points"),
            (of(portfolio, None), "debtors_portfolio_points"),
        ] {
            for no_phone in [true, false] {
                let counted = plan(&store, count_sql(&ask, no_phone, false)).await;
                let covering = format!("USING COVERING INDEX {index} ");
                assert!(counted.contains(&covering), "{counted}");
            }
            for no_phone in [None, Some(true), Some(false)] {
                let ask = FileTaskAsk {
                    no_phone,
                    ..ask.clone()
                };
                let page = plan(&store, page_sql(&ask)).await;
                assert!(page.contains(&format!("USING INDEX {index} ")), "{page}");
                assert!(!page.contains("TEMP B-TREE"), "{page}");
            }
        }
        let own = of(None, Some(AgentId(Uuid::nil())));
        for of_agent in [
            plan(&store, page_sql(&own)).await,
            plan(&store, count_sql(&own, false, false)).await,
        ] {
            let first = "SEARCH w USING INDEX assignments_agent ";
            assert!(of_agent.starts_with(first), "{of_agent}");
        }
        store.close().await;
    }
}
