//! Figures kept beside a debtor: sums over his open debts, his usable phones, the age of his points, and his
//! place in the order of each campaign. They follow from other rows and are set anew whenever one of those changes.

use super::hits;
use super::table::pieces;
use crate::hundredths;
use crate::sql::{Dialect, Field, Link, Val, vals};
use domain::entity::{CallResult, Campaign};
use domain::ids::{AttemptId, CampaignId, DebtorId, PersonId};
use domain::ports::StoreError;
use domain::rules::worth::{OTHERS, reference_rates};
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) const SUMS: &str = "UPDATE debtors SET \
    (open_debts, balance_minor, overdue_minor, oldest_due_day, statute_day, principal_minor, \
        interest_minor, fees_minor, minimum_minor, open_currency)=(SELECT COUNT(*), \
        COALESCE(SUM(x.principal_minor+x.interest_minor+x.fees_minor),0), \
        COALESCE(SUM(x.overdue_minor),0), MIN(x.due_day), MIN(x.statute_day), \
        COALESCE(SUM(x.principal_minor),0), COALESCE(SUM(x.interest_minor),0), \
        COALESCE(SUM(x.fees_minor),0), COALESCE(SUM(x.minimum_minor),0), \
        COALESCE(CASE WHEN MIN(x.currency)<>MAX(x.currency) THEN '*' ELSE MIN(x.currency) END,'') \
        FROM debts x WHERE x.debtor_id=debtors.id AND x.status='open'), \
    (phones, confidence, mobiles, given_phones, authorised_phones)=(SELECT COUNT(*), \
        COALESCE(MAX(x.confidence),0), COUNT(CASE WHEN x.class='mobile' THEN 1 END), \
        COUNT(CASE WHEN x.given_by_debtor THEN 1 END), COUNT(CASE WHEN x.authorised THEN 1 END) \
        FROM contact_points x WHERE x.debtor_id=debtors.id AND x.channel='call' AND NOT x.bad), \
    last_rpc_at=(SELECT MAX(x.last_rpc_at) FROM contact_points x WHERE x.debtor_id=debtors.id), \
    point_confirmed_at=(SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM debts o \
            WHERE o.debtor_id=debtors.id AND o.status='open') THEN NULL \
        WHEN COUNT(CASE WHEN x.channel='call' THEN 1 END)=0 THEN -1 \
        ELSE MIN(CASE WHEN x.last_rpc_at>x.added_at THEN x.last_rpc_at ELSE x.added_at END) END \
        FROM contact_points x WHERE x.debtor_id=debtors.id AND NOT x.bad), \
    callable_until=NULL WHERE id";

const HISTORY: &str = "UPDATE debtors SET \
    (attempts, last_attempt_at)=(SELECT COUNT(*), MAX(x.opened_at) \
        FROM attempts x WHERE x.debtor_id=debtors.id), \
    last_result=COALESCE((SELECT x.result FROM attempts x WHERE x.debtor_id=debtors.id \
        ORDER BY x.opened_at DESC, x.id DESC LIMIT 1),''), \
    last_disposition=COALESCE((SELECT x.disposition FROM attempts x WHERE x.debtor_id=debtors.id \
        AND x.disposition IS NOT NULL AND x.disposed_at IS NOT NULL \
        ORDER BY x.disposed_at DESC, x.id DESC LIMIT 1),''), \
    callable_until=NULL WHERE id";

static MONEY: LazyLock<String> = LazyLock::new(|| {
    let promised = hundredths::sum("CASE WHEN x.state='active' THEN x.amount_minor ELSE 0 END");
    let paid = hundredths::sum("x.amount_minor");
    format!(
        "UPDATE debtors SET \
    (promises_active, promises_kept, promises_broken, promised_minor, promise_due_day)=(SELECT \
        COUNT(CASE WHEN x.state='active' THEN 1 END), COUNT(CASE WHEN x.state='kept' THEN 1 END), \
        COUNT(CASE WHEN x.state='broken' THEN 1 END), {promised}, \
        MIN(CASE WHEN x.state='active' THEN x.due_day END) \
        FROM promises x WHERE x.debtor_id=debtors.id), \
    (payments, paid_minor, last_paid_at)=(SELECT COUNT(*), {paid}, \
        MAX(x.paid_at) FROM payments x WHERE x.debtor_id=debtors.id) WHERE id"
    )
});

/// What the open debts of a debtor `d` are worth, in US cents by the house's reference rates: debts of
/// several currencies in one order. The same number as `domain::rules::worth::worth`, debt by debt.
static WORTH: LazyLock<String> = LazyLock::new(|| {
    let rates: String = reference_rates()
        .map(|(code, rate)| format!(" WHEN '{code}' THEN {rate}"))
        .collect();
    let rate = format!("(CASE x.currency{rates} ELSE {OTHERS} END)");
    let open = "(x.principal_minor+x.interest_minor+x.fees_minor)";
    format!(
        "(SELECT CAST(COALESCE(SUM({open}/{rate}*100+{open}%{rate}*100/{rate}),0) AS BIGINT) \
        FROM debts x WHERE x.debtor_id=d.id AND x.status='open')"
    )
});

/// What a contact may bring: the open balance, weighed by how sure we are to reach the debtor.
const EXPECTED: &str = "{worth}*d.confidence";

/// Order keys of a campaign, the digit of each in the order's code, 1 to 9, and the value it sorts by, greatest
/// first; `{worth}` is `WORTH`. A key whose meaning changes gets a digit that none had before, so that stored
/// ranks of its older meaning are set anew, and no others.
const ORDER_KEYS: &[(&str, i64, &str)] = &[
    ("expected_value", 1, EXPECTED),
    // Days past due grow by one for everybody each day: the oldest due day first is the same order.
    ("dpd", 2, "COALESCE(-d.oldest_due_day,-1000000000)"),
    ("balance", 3, "{worth}"),
    // Never called first, then the one called longest ago.
    ("last_attempt", 4, "-COALESCE(d.last_attempt_at,0)"),
    ("random", 5, "d.lot"),
    // Whose hour it is, is decided among those reserved: they come by what a contact may bring. 6 sorted by
    // minor units.
    ("best_time", 7, EXPECTED),
];

/// Sets the figures of debtors anew, and their order in the campaigns that have them.
pub(crate) async fn refresh(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    tx.run_in(SUMS, debtors, "", &[]).await?;
    hits::refresh(tx, debtors).await?;
    reorder(tx, debtors).await
}

/// Sets every figure of the debtors that a subquery names anew.
pub(crate) async fn all_of(tx: &mut Link, debtors: &str) -> Result<(), StoreError> {
    for set in [SUMS, HISTORY, MONEY.as_str()] {
        tx.rows_once(format!("{set} IN {debtors}"), vec![]).await?;
    }
    Ok(())
}

/// Sets what is known of the attempts on debtors anew: how many, when, how the last one ended.
pub(crate) async fn history(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    tx.run_in(HISTORY, debtors, "", &[]).await.map(drop)
}

/// The same where an attempt was just opened at `at`: one that is newer than all others follows from
/// what stands there already.
pub(crate) async fn opened(tx: &mut Link, debtor: DebtorId, at: UtcMs) -> Result<(), StoreError> {
    let sql = "UPDATE debtors SET attempts=attempts+1, last_attempt_at=$2, last_result='', \
        callable_until=NULL WHERE id=$1 AND (last_attempt_at IS NULL OR last_attempt_at<$2)";
    if tx.run(sql, vals![debtor, at]).await? == 0 {
        history(tx, &[debtor]).await?;
    }
    Ok(())
}

/// The same where attempt `$2` of debtor `$1`, opened at `$3`, was just ended with result `$4` and not disposed.
pub(super) const ENDED: &str = "UPDATE debtors SET callable_until=NULL, last_result=CASE WHEN EXISTS (SELECT 1 \
    FROM attempts x WHERE x.debtor_id=debtors.id AND x.opened_at>=$3 \
    AND (x.opened_at>$3 OR x.id>$2)) THEN last_result ELSE $4 END WHERE id=$1";

/// Values of [`ENDED`].
pub(super) fn ended_vals(
    debtor: DebtorId,
    (attempt, opened_at): (AttemptId, UtcMs),
    result: Option<CallResult>,
) -> Vec<Val> {
    let result = result.map_or("", CallResult::as_str).to_owned();
    vals![debtor, attempt, opened_at, result]
}

/// The same, done.
pub(crate) async fn ended(
    tx: &mut Link,
    debtor: DebtorId,
    attempt: (AttemptId, UtcMs),
    result: Option<CallResult>,
) -> Result<(), StoreError> {
    let values = ended_vals(debtor, attempt, result);
    tx.run(ENDED, values).await.map(drop)
}

/// Sets what debtors promised and paid anew.
pub(crate) async fn money(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    tx.run_in(&MONEY, debtors, "", &[]).await.map(drop)
}

/// Sets the order of debtors anew in every campaign that still has them.
pub(crate) async fn reorder(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    let rows = tx
        .rows_in(
            "SELECT DISTINCT campaign_id FROM campaign_items WHERE NOT done AND debtor_id",
            debtors,
            "",
            &[],
        )
        .await?;
    let mut campaigns = Vec::new();
    for row in &rows {
        campaigns.push(row.get::<CampaignId>("campaign_id")?);
    }
    campaigns.sort_unstable();
    campaigns.dedup();
    for id in campaigns {
        let campaign: Option<Campaign> = tx.find("WHERE id=$1", vals![id]).await?;
        let order = campaign.map(|c| c.params.order).unwrap_or_default();
        let set = format!("{} AND debtor_id", set_order(&order));
        tx.run_in(&set, debtors, "", &[id.val(), order_code(&order).val()])
            .await?;
    }
    Ok(())
}

/// Sets the order of every item of a campaign whose order keys were changed.
pub(crate) async fn reorder_campaign(tx: &mut Link, campaign: &Campaign) -> Result<(), StoreError> {
    let order = &campaign.params.order;
    let sql = format!("{} AND order_code<>$2 AND NOT done", set_order(order));
    tx.run(sql, vals![campaign.id, order_code(order)])
        .await
        .map(drop)
}

/// The four values an item of a debtor `d` is sorted by.
pub(crate) fn order_values(order: &[String]) -> [String; 4] {
    let mut values = [(); 4].map(|()| "0".to_owned());
    let known = order
        .iter()
        .filter_map(|key| ORDER_KEYS.iter().find(|(k, ..)| k == key));
    for (value, (_, _, sql)) in values.iter_mut().zip(known) {
        *value = sql.replace("{worth}", &WORTH);
    }
    values
}

/// Tells orders apart in one number: the digits of its keys behind a 2, for codes before it meant other ranks.
pub(crate) fn order_code(order: &[String]) -> i64 {
    let digit = |key: &String| ORDER_KEYS.iter().find(|(k, ..)| k == key);
    order
        .iter()
        .filter_map(digit)
        .take(4)
        .fold(2, |code, (_, digit, _)| code * 10 + digit)
}

/// `$1` the campaign, `$2` the code of its order.
pub(super) fn set_order(order: &[String]) -> String {
    let set: Vec<String> = order_values(order)
        .iter()
        .enumerate()
        .map(|(n, value)| {
            let of = if value == "0" {
                "0".to_owned()
            } else {
                format!("(SELECT {value} FROM debtors d WHERE d.id=campaign_items.debtor_id)")
            };
            format!("rank{}={of}", n + 1)
        })
        .collect();
    format!(
        "UPDATE campaign_items SET {}, order_code=$2 WHERE campaign_id=$1",
        set.join(", ")
    )
}

/// The rows that leases of persons stand on, and that PostgreSQL's transactions wait at. SQLite has one writer, and
/// makes them when somebody comes into a campaign or is called (migration 0045).
pub(crate) async fn ensure_persons(tx: &mut Link, persons: &[PersonId]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Lite {
        return Ok(());
    }
    for piece in pieces(persons) {
        let places: Vec<String> = (1..=piece.len()).map(|n| format!("(${n})")).collect();
        let sql = format!(
            "INSERT INTO persons (id) VALUES {} ON CONFLICT (id) DO NOTHING",
            places.join(",")
        );
        tx.run(sql, piece.iter().map(Field::val).collect()).await?;
    }
    Ok(())
}

/// Before debtors are written: who becomes another person's brings what stands against him along to all of that
/// person, whom nobody is told by his row alone.
pub(crate) async fn before_persons(
    tx: &mut Link,
    debtors: impl Iterator<Item = (DebtorId, PersonId)>,
) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Pg {
        return Ok(());
    }
    let next: BTreeMap<DebtorId, PersonId> = debtors.collect();
    let ids: Vec<DebtorId> = next.keys().copied().collect();
    let sql = "SELECT id, person_id FROM debtors WHERE id";
    for row in &tx.rows_in(sql, &ids, "", &[]).await? {
        let (id, person): (DebtorId, PersonId) = (row.get("id")?, row.get("person_id")?);
        if next.get(&id) != Some(&person) {
            return tx.stirs_everybody();
        }
    }
    Ok(())
}

/// Debtors whose person became known take their campaign items along.
pub(crate) async fn follow_person(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET person_id=\
        (SELECT d.person_id FROM debtors d WHERE d.id=campaign_items.debtor_id) WHERE debtor_id";
    tx.run_in(sql, debtors, "", &[]).await.map(drop)
}

#[cfg(test)]
#[path = "sums_tests.rs"]
mod tests;
