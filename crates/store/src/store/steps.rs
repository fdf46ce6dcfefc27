//! Debtors by what they owe, as far as the first two digits say it. Every file that comes brings balances in no
//! order: an index of each of them would change another page for each row of the file, one of a few hundred steps
//! grows at the end of each. SQLite's; PostgreSQL has one of balances.

/// The step of the balance in column `of`, as the index `debtors_balance` has it (migration 0045): the number of its
/// digits, then the first two of them; 0 for who owes nothing. The greater balance is never on the lower step.
pub(super) fn step_of(of: &str) -> String {
    format!("(CASE WHEN {of}<=0 THEN 0 ELSE length({of})*100+substr({of},1,2) END)")
}

/// The step of a balance.
pub(super) fn step(balance_minor: i64) -> i64 {
    if balance_minor <= 0 {
        return 0;
    }
    let (mut first, mut digits) = (balance_minor, 1);
    while first >= 100 {
        first /= 10;
        digits += 1;
    }
    if first >= 10 {
        digits += 1;
    }
    digits * 100 + first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqlStore;
    use crate::sql::{HEARD, vals};
    use crate::store::fresh_tests;
    use domain::ids::ClientId;
    use domain::money::Money;
    use domain::ports::store::{Clues, PortfolioStore as _};
    use domain::segment::parse;
    use domain::time::UtcMs;
    use uuid::Uuid;

    const CLIENT: ClientId = ClientId(Uuid::from_u128(1));

    #[tokio::test]
    async fn both_say_the_same_and_the_greater_is_never_lower() {
        let fresh = fresh_tests::sqlite().await;
        let mut read = fresh.store.read().await.unwrap();
        let mut last = i64::MIN;
        let tens = (0..19).map(|n| 10_i64.pow(n));
        let edges = tens.flat_map(|ten| [ten - 1, ten, ten + 1, ten + ten / 7]);
        let mut all: Vec<i64> = edges.chain([-5, 42, 4_250_000, i64::MAX]).collect();
        all.sort_unstable();
        for balance in all {
            let sql = format!("SELECT {} AS step FROM (SELECT $1 AS b) x", step_of("b"));
            let row = read.row(sql, vals![balance]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>("step").unwrap(), step(balance), "{balance}");
            assert!(step(balance) >= last, "{balance}");
            last = step(balance);
        }
    }

    async fn plans(store: &SqlStore, asked: impl Future<Output = ()>) -> Vec<String> {
        let heard = HEARD.scope(std::cell::RefCell::default(), async {
            asked.await;
            HEARD.with(std::cell::RefCell::take)
        });
        let mut lines = Vec::new();
        for (sql, values) in heard.await {
            let mut read = store.snapshot().await.unwrap();
            let rows = read
                .rows_once(format!("EXPLAIN QUERY PLAN {sql}"), values)
                .await;
            let line = |row: &crate::sql::Row| row.get::<String>("detail").unwrap();
            lines.push(
                rows.unwrap()
                    .iter()
                    .map(line)
                    .collect::<Vec<_>>()
                    .join("; "),
            );
        }
        lines
    }

    #[tokio::test]
    async fn who_owes_so_much_and_who_owes_most_are_found_by_it() {
        let fresh = fresh_tests::sqlite().await;
        let store = &fresh.store;
        let clues = Clues {
            client_id: CLIENT,
            words: vec!["D1".to_owned(), "C1".to_owned(), "F7".to_owned()],
            document: "XAXX010101000".to_owned(),
            amount: Money {
                amount_minor: 4_250_000,
                currency: "MXN".parse().unwrap(),
            },
        };
        let asked = plans(store, async {
            let mut read = store.snapshot().await.unwrap();
            super::super::payers::suggest(&mut read, &clues)
                .await
                .unwrap();
        });
        let asked = asked.await;
        let all = asked.join("\n");
        assert!(!all.contains("SCAN deb"), "{all}");
        assert!(
            all.contains("debtors_balance (client_id=? AND <expr>=?)"),
            "{all}"
        );
        for unique in [
            "debtors_2 (portfolio_id=? AND external_ref=?)",
            "debts_2 (portfolio_id=? AND external_ref=?)",
        ] {
            assert!(all.contains(unique), "{all}");
        }
        let most = plans(store, async {
            let expr = parse("score >= 1").unwrap();
            let now = UtcMs(1_795_359_600_000);
            store.segment_sample(CLIENT, &expr, now, 5).await.unwrap();
        });
        let most = most.await.join("\n");
        assert!(
            most.contains("debtors_balance (client_id=? AND <expr>>?)"),
            "{most}"
        );
        assert!(
            most.contains("LAST 2 TERMS OF ORDER BY"),
            "only within a step: {most}"
        );
    }
}
