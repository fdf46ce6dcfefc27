//! The facts of one debtor on PostgreSQL, where each statement is a way to the server and back: all that needs no answer
//! of another question is asked in one.

use super::addresses::ZONES;
use super::facts::{NEWEST_LAW, OF_PERSON, in_order, with_those_of};
use super::listed;
use crate::rows::{Entity, columns};
use crate::sql::{Ask, Link, Row, vals};
use domain::entity::{
    Consent, ContactPoint, Debt, Debtor, DncList, Hold, LedgerRow, Override, Party, Portfolio,
    Preference,
};
use domain::ids::{DebtorId, PersonId};
use domain::law::{ClientLaw, LEDGER_DAYS};
use domain::ports::StoreError;
use domain::ports::store::ContactFacts;
use domain::time::{DAY_MS, UtcMs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a table that `rest`, everything behind its name, finds by the debtor `$1`.
fn of<T: Entity>(debtor: DebtorId, rest: &str) -> Ask {
    let sql = format!("SELECT {} FROM {} WHERE {rest}", columns::<T>(), T::TABLE);
    Ask::new(sql, vals![debtor])
}

/// Holds that bind the debtor's person, of all his debtors.
fn holds_of_person(debtor: DebtorId) -> Ask {
    let columns: Vec<String> = Hold::COLUMNS.iter().map(|c| format!("h.{c}")).collect();
    let sql = format!(
        "SELECT {} FROM debtors o JOIN debtors d ON d.person_id=o.person_id JOIN holds h ON h.debtor_id=d.id \
            WHERE o.id=$1 AND {OF_PERSON} AND h.lifted_at IS NULL ORDER BY h.id",
        columns.join(",")
    );
    Ask::new(sql, vals![debtor])
}

/// What we did with the person and with whoever has a number of his. Each half finds its rows in its own index.
fn ledger(debtor: DebtorId, now: UtcMs) -> Ask {
    let half = |whose: &str| {
        format!(
            "SELECT {} FROM ledger WHERE {whose} AND at>=$2",
            columns::<LedgerRow>()
        )
    };
    let sql = format!(
        "{} UNION ALL {}",
        half("person_id=(SELECT d.person_id FROM debtors d WHERE d.id=$1)"),
        half("address IN (SELECT c.value FROM contact_points c WHERE c.debtor_id=$1)")
    );
    let oldest = now.plus_ms(-i64::from(LEDGER_DAYS) * DAY_MS);
    Ask::new(sql, vals![debtor, oldest])
}

/// All that is asked of a debtor at once; [`facts`] reads the answers in this order.
pub(super) fn asks(debtor: DebtorId, now: UtcMs) -> Vec<Ask> {
    let law =
        format!("{NEWEST_LAW} AND client_id=(SELECT d.client_id FROM debtors d WHERE d.id=$2)");
    let law = format!(
        "SELECT {} FROM client_laws WHERE {law}",
        columns::<ClientLaw>()
    );
    let own = "debtor_id=$1 ORDER BY id";
    vec![
        of::<Debtor>(debtor, "id=$1"),
        of::<Portfolio>(
            debtor,
            "id=(SELECT d.portfolio_id FROM debtors d WHERE d.id=$1)",
        ),
        of::<Debt>(debtor, "debtor_id=$1 AND status='open' ORDER BY id"),
        of::<Party>(debtor, own),
        of::<ContactPoint>(debtor, own),
        of::<Hold>(debtor, "debtor_id=$1 AND lifted_at IS NULL ORDER BY id"),
        holds_of_person(debtor),
        of::<Consent>(debtor, own),
        of::<Preference>(debtor, own),
        of::<Override>(debtor, own),
        Ask::new(format!("{ZONES}=$1 ORDER BY zone"), vals![debtor]),
        Ask::new(law, vals![UtcMs(i64::MAX), debtor]),
        ledger(debtor, now),
        Ask::new(
            format!(
                "SELECT {} FROM dnc_lists WHERE retired_at IS NULL ORDER BY id",
                columns::<DncList>()
            ),
            vec![],
        ),
        listed::own_ask(debtor),
    ]
}

fn read<T: Entity>(rows: Option<Vec<Row>>) -> Result<Vec<T>, StoreError> {
    let rows = rows.unwrap_or_default();
    rows.iter().map(T::read).collect()
}

/// The facts that the answers to [`asks`] make. Of external lists, where there are any, it is asked by what they say.
pub(super) async fn facts(
    tx: &mut Link,
    answers: impl IntoIterator<Item = Vec<Row>>,
) -> Result<ContactFacts, StoreError> {
    let mut next = answers.into_iter();
    let mut debtors: Vec<Debtor> = read(next.next())?;
    let debtor = debtors.pop().ok_or(StoreError::NotFound("debtor"))?;
    let mut portfolios: Vec<Portfolio> = read(next.next())?;
    let portfolio = portfolios.pop().ok_or(StoreError::NotFound("portfolio"))?;
    let debts = read(next.next())?;
    let parties = read(next.next())?;
    let points: Vec<ContactPoint> = read(next.next())?;
    let own: Vec<Hold> = read(next.next())?;
    let of_person: BTreeMap<PersonId, Vec<Hold>> =
        BTreeMap::from([(debtor.person_id, read(next.next())?)]);
    let consents = read(next.next())?;
    let preferences = read(next.next())?;
    let overrides = read(next.next())?;
    let zones = next.next().unwrap_or_default();
    let zones: Result<Vec<String>, StoreError> = zones.iter().map(|row| row.get("zone")).collect();
    let mut laws: Vec<ClientLaw> = read(next.next())?;
    let ledger = in_order(read(next.next())?);
    let lists: Vec<DncList> = read(next.next())?;
    let found = next.next().unwrap_or_default();
    let listed = listed::of_one(tx, &debtor, &points, (lists, found)).await?;
    Ok(ContactFacts {
        portfolio,
        debts,
        parties,
        holds: with_those_of(&debtor, own, &of_person),
        consents,
        preferences,
        ledger,
        suppressions: listed.of(&debtor, &points),
        lists: listed.states.clone(),
        address_zones: zones?,
        overrides,
        client_law: laws.pop().map(Arc::new),
        points,
        debtor,
    })
}

/// The facts of one debtor in one way to the server, or two where there are external lists.
pub(super) async fn of_one(
    tx: &mut Link,
    debtor: DebtorId,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let answers = tx.several(asks(debtor, now)).await?;
    facts(tx, answers).await
}
