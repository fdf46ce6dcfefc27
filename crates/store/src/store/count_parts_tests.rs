//! What PostgreSQL counts in two parts is what it counts in one, and nothing of the first is asked debtor by debtor.

use super::Parts;
use crate::SqlStore;
use crate::fill::{FillPlan, Filled};
use crate::segment::{Filter, Owing};
use crate::sql::{Dialect, vals};
use crate::store::count::{all_of, count};
use crate::store::fresh_tests;
use crate::store::recovery::Shares;
use crate::store::sums;
use domain::ports::store::SegmentCount;
use domain::segment::{Expr, examples::EXAMPLES, parse};
use domain::time::UtcMs;

const DEBTORS: u64 = 600;

/// Money in currencies with other parts of a unit, in one that few owe in and in several.
const MONEY: [&str; 6] = [
    "currency in ('JPY', 'KWD')",
    "currency = 'KWD' and not currency = 'MXN'",
    "balance > 100.00 or principal > 50.00",
    "not (balance <= 1000.00 or overdue >= 20000.00 or suppressed)",
    "not (attempts_7d >= 1 or overdue > 100.00) and currency != 'USD'",
    "portfolio = 'bench' and not portfolio in ('none', 'neither')",
];

/// Debts in currencies that nobody's own row tells of among the first who are looked at, beside others of the same
/// debtors and alone; one file is half in.
async fn mixed(store: &SqlStore) -> Filled {
    let plan = FillPlan {
        debtors: DEBTORS,
        attempts: DEBTORS * 2,
        now: UtcMs(1_790_000_000_000),
    };
    let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let last = "(SELECT id FROM debtors WHERE client_id=$1 ORDER BY lot DESC LIMIT 60)";
    let several = "UPDATE debts SET currency=CASE WHEN product='auto' THEN 'JPY' ELSE 'KWD' END \
        WHERE id IN (SELECT MAX(CAST(o.id AS TEXT))::uuid FROM debts o WHERE o.debtor_id IN ";
    for sql in [
        format!("{several}{last} GROUP BY o.debtor_id HAVING COUNT(*)>1)"),
        format!("{several}{last} GROUP BY o.debtor_id HAVING COUNT(*)=1)"),
    ] {
        assert!(tx.run(sql, vals![filled.client]).await.unwrap() > 0);
    }
    sums::all_of(&mut tx, "(SELECT id FROM debtors)")
        .await
        .unwrap();
    // As rows of those who owe nothing were written once.
    let old = "UPDATE debtors SET open_currency='*' WHERE open_debts=0";
    assert!(tx.run(old, vec![]).await.unwrap() > 0);
    tx.commit().await.unwrap();
    filled
}

async fn both(store: &SqlStore, filled: &Filled, expr: &Expr) -> [SegmentCount; 2] {
    let (client, now) = (filled.client, filled.now);
    let today = store.today_of(client, now).await.unwrap();
    let mut read = store.wide().await.unwrap();
    let shares = Shares::read(&mut read, client, today.first).await.unwrap();
    let whole = Filter::of_client(Dialect::Pg, client, expr, &today);
    let whole = count(&mut read, &all_of(&whole), client, &shares).await;
    let parts = Parts::of(client, (expr, &[]), &today);
    let parts = parts.count(&mut read, client, &shares).await;
    [whole.unwrap(), parts.unwrap()]
}

#[tokio::test]
async fn two_parts_are_the_whole() {
    let Some(fresh) = fresh_tests::postgres().await else {
        return;
    };
    let store = &fresh.store;
    let filled = mixed(store).await;
    let (mut some, mut currencies) = (0, 0);
    for text in EXAMPLES.iter().chain(&MONEY) {
        let expr = parse(text).unwrap();
        let [whole, parts] = both(store, &filled, &expr).await;
        assert_eq!(parts, whole, "{text}");
        some += u32::from(whole.debtors > 0);
        currencies = currencies.max(whole.balance.len());
    }
    assert!(some > 40, "{some} expressions found somebody");
    assert_eq!(currencies, 4);
    store.close().await;
}

/// A condition that asks other rows for each debtor keeps PostgreSQL from dividing the work.
#[tokio::test]
async fn the_first_part_asks_nobody_s_other_rows() {
    let Some(fresh) = fresh_tests::postgres().await else {
        return;
    };
    let store = &fresh.store;
    let filled = mixed(store).await;
    let alone = [
        "attempts_7d = 0",
        "rpc_30d >= 1 and messages_30d = 0",
        "product = 'auto' and not stage = 'judicial' and email_count = 0",
        "not (on_hold or suppressed)",
    ];
    for text in MONEY.iter().chain(&alone) {
        let expr = parse(text).unwrap();
        let one = (Dialect::Pg, Owing::One);
        let today = store.today_of(filled.client, filled.now).await.unwrap();
        let filter = Filter::of_owing(one, filled.client, &expr, &today);
        let sql = format!(
            "EXPLAIN SELECT COUNT(*) FROM debtors d WHERE {}",
            filter.sql
        );
        let mut read = store.wide().await.unwrap();
        let rows = read.rows_once(sql, filter.values).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|r| r.get("QUERY PLAN").unwrap()).collect();
        let each = |line: &String| line.contains("(SubPlan");
        assert!(!lines.iter().any(each), "{text}\n{}", lines.join("\n"));
    }
    store.close().await;
}

/// The figures beside a debtor say what he owes in, and nothing where he owes nothing.
#[tokio::test]
async fn who_owes_nothing_owes_in_no_currency() {
    let mut engines = vec![fresh_tests::sqlite().await];
    engines.extend(fresh_tests::postgres().await);
    for fresh in &engines {
        let store = &fresh.store;
        let plan = FillPlan {
            debtors: DEBTORS,
            attempts: DEBTORS,
            now: UtcMs(1_790_000_000_000),
        };
        store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
        let sql = "SELECT COUNT(CASE WHEN open_debts=0 THEN 1 END) AS owing_none, \
            COUNT(CASE WHEN open_debts=0 AND open_currency<>'' THEN 1 END) AS wrong, \
            COUNT(CASE WHEN open_debts=1 AND open_currency IN ('','*') THEN 1 END) AS one FROM debtors";
        let mut read = store.read().await.unwrap();
        let row = read.row(sql, vec![]).await.unwrap().unwrap();
        assert!(row.get::<i64>("owing_none").unwrap() > 0);
        assert_eq!(row.get::<i64>("wrong").unwrap(), 0);
        assert_eq!(row.get::<i64>("one").unwrap(), 0);
        drop(read);
        store.close().await;
    }
}
