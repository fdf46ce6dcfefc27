//! What is counted over a while, and who is found by a value of his, is found by an index: the cost grows with what
//! happened, not with what is stored.

use super::{Filter, Today};
use crate::SqlStore;
use domain::ids::ClientId;
use domain::segment::parse;
use domain::time::UtcMs;
use uuid::Uuid;

const NOW: UtcMs = UtcMs(1_795_359_600_000);

async fn plan_of(store: &SqlStore, text: &str, few: bool) -> String {
    let expr = parse(text).unwrap();
    let (dialect, client) = (store.dialect(), ClientId(Uuid::nil()));
    let today = Today::of(NOW, []);
    let filter = match few {
        true => Filter::of_few(dialect, client, &expr, &today),
        false => Filter::of_client(dialect, client, &expr, &today),
    };
    let sql = format!(
        "EXPLAIN QUERY PLAN SELECT COUNT(*) FROM debtors d WHERE {}",
        filter.sql
    );
    let mut read = store.read().await.unwrap();
    let rows = read.rows_once(sql, filter.values).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|r| r.get("detail").unwrap()).collect();
    lines.join("; ")
}

#[tokio::test]
async fn what_happened_is_found_by_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db", dir.path().display());
    let store = SqlStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    for (text, index) in [
        ("rpc_30d >= 1", "attempts_identified"),
        ("messages_30d >= 1", "messages_sent_to"),
        ("messages_30d = 0", "messages_sent_to"),
        ("promises_broken_60d >= 2", "promises_broken"),
        ("letters_30d >= 1", "letters_made"),
        ("letter_level_90d = 'L1'", "letters_made"),
        ("callback", "campaign_items_callbacks"),
        ("message_state_30d = 'bounced'", "messages_sent"),
        ("message_channel_30d = 'sms'", "messages_sent"),
        ("visits_30d >= 1", "ledger_visits"),
        ("visits_30d = 0", "ledger_visits"),
        ("email_count >= 1", "contact_points_emails"),
        ("next_promise >= 1.00", "promises_due"),
        ("days_since_reply <= 7", "inbox_debtor"),
        ("days_to_due_item <= 5", "SCAN i; SEARCH o"),
        ("next_due_item >= 1.00", "SCAN i; SEARCH o"),
        ("phone = '+525512345678'", "contact_points_value"),
        ("email = 'ana@example.com'", "contact_points_value"),
    ] {
        let plan = plan_of(&store, text, false).await;
        assert!(plan.contains(index), "{text}: {plan}");
    }
    // Of a sample each is asked by himself: never a table from its front.
    for text in domain::segment::examples::EXAMPLES {
        let plan = plan_of(&store, text, true).await;
        for line in plan.split("; ") {
            let small = ["portfolios", "dnc_lists", "teams", "agents", "campaigns"];
            let whole = line.starts_with("SCAN ") && !line.contains("USING");
            let known = small.iter().any(|table| line.contains(table));
            let short = ["SCAN d", "SCAN CONSTANT ROW", "SCAN n", "SCAN l", "SCAN p"];
            assert!(
                !whole || known || short.contains(&line),
                "{text}: {line} in {plan}"
            );
        }
    }
    store.close().await;
}
