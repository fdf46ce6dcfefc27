//! The facts a verdict is made of, for one debtor or a hundred in the same few statements.

use super::facts_one::of_one;
use super::import::aside::RECALL_LINES;
use super::table::pieces;
use super::{addresses, listed, visits};
use crate::rows::{Entity, columns};
use crate::sql::{Dialect, Field, Link, Val, holes, vals};
use domain::entity::{
    Consent, ContactPoint, Debt, DebtStatus, Debtor, Hold, LedgerRow, Override, Party, Portfolio,
    Preference,
};
use domain::ids::{ClientId, DebtorId, ImportId, LedgerId, PersonId, PortfolioId};
use domain::law::{ClientLaw, LEDGER_DAYS, open_then};
use domain::ports::StoreError;
use domain::ports::store::ContactFacts;
use domain::rules::visit::{ROWS_AHEAD_MS, ledger_then};
use domain::time::{DAY_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The facts of one debtor at `now`.
pub(crate) async fn facts_of(
    tx: &mut Link,
    debtor: DebtorId,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let mut found = facts_of_many(tx, &[debtor], now).await?;
    found.pop().ok_or(StoreError::NotFound("debtor"))
}

/// What of the past is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// As it is now: what was lifted is left out.
    Now,
    /// As it was at the instant.
    Then,
}

impl Asked {
    const fn of_debts(self) -> &'static str {
        match self {
            Self::Now => " AND status='open' ORDER BY id",
            Self::Then => " ORDER BY id",
        }
    }
}

/// The debts of one debtor that were open at the instant, as open ones.
fn open_of(mut debts: Vec<Debt>, holds: &[Hold], at: UtcMs, asked: Asked) -> Vec<Debt> {
    if asked == Asked::Then {
        debts.retain(|d| open_then(d, holds, at));
        for debt in &mut debts {
            debt.status = DebtStatus::Open;
        }
    }
    debts
}

/// The facts of debtors that are there, in the order asked.
pub(crate) async fn facts_of_many(
    tx: &mut Link,
    debtors: &[DebtorId],
    now: UtcMs,
) -> Result<Vec<ContactFacts>, StoreError> {
    if tx.dialect() == Dialect::Lite || debtors.len() > ONE_BY_ONE {
        return facts_as(tx, debtors, now, Asked::Now).await;
    }
    let mut found = Vec::with_capacity(debtors.len());
    for debtor in debtors {
        match of_one(tx, *debtor, now).await {
            Ok(facts) => found.push(facts),
            Err(StoreError::NotFound("debtor")) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

/// So few debtors PostgreSQL is asked about one by one, in two ways to the server for each: of more the kinds of facts
/// are asked one by one, in up to seventeen.
const ONE_BY_ONE: usize = 4;

/// The same, now or as it was at `now`.
pub(crate) async fn facts_as(
    tx: &mut Link,
    debtors: &[DebtorId],
    now: UtcMs,
    asked: Asked,
) -> Result<Vec<ContactFacts>, StoreError> {
    let (known, there) = known(tx, debtors).await?;
    let portfolios = portfolios_of(tx, &known).await?;
    let mut debts = by_debtor(tx, debtors, asked.of_debts(), |d: &Debt| d.debtor_id).await?;
    let with = |there: bool| if there { debtors } else { &[] };
    let mut parties = by_debtor(tx, with(there.parties), " ORDER BY id", |p: &Party| {
        p.debtor_id
    })
    .await?;
    let mut points = by_debtor(tx, debtors, " ORDER BY id", |p: &ContactPoint| p.debtor_id).await?;
    let of_holds = match asked {
        Asked::Now => " AND lifted_at IS NULL ORDER BY id",
        Asked::Then => " ORDER BY id",
    };
    let held = with(there.holds);
    let mut holds = by_debtor(tx, held, of_holds, |h: &Hold| h.debtor_id).await?;
    let of_person = match there.holds {
        true => holds_of_persons(tx, &known, asked).await?,
        false => BTreeMap::new(),
    };
    let mut consents = by_debtor(tx, with(there.consents), " ORDER BY id", |c: &Consent| {
        c.debtor_id
    })
    .await?;
    let preferred = with(there.preferences);
    let mut preferences =
        by_debtor(tx, preferred, " ORDER BY id", |p: &Preference| p.debtor_id).await?;
    let relaxed = with(there.overrides);
    let mut overrides = by_debtor(tx, relaxed, " ORDER BY id", |o: &Override| o.debtor_id).await?;
    let mut zones = addresses::zones_of(tx, with(there.addresses)).await?;
    let laws = client_laws(tx, with_law(&known, there.client_law), (now, asked)).await?;
    let ledger = ledger_of(tx, &known, &points, now, asked).await?;
    let listed = listed::listed(tx, &known, &points, (now, asked), there.lists).await?;
    let mut known: BTreeMap<DebtorId, Debtor> = known.into_iter().map(|d| (d.id, d)).collect();
    let mut facts = Vec::with_capacity(known.len());
    for id in debtors {
        let Some(debtor) = known.remove(id) else {
            continue;
        };
        let points = points.remove(id).unwrap_or_default();
        let own_holds = holds.remove(id).unwrap_or_default();
        let of_him = debts.remove(id).unwrap_or_default();
        facts.push(ContactFacts {
            portfolio: portfolios
                .get(&debtor.portfolio_id)
                .cloned()
                .ok_or(StoreError::NotFound("portfolio"))?,
            debts: open_of(of_him, &own_holds, now, asked),
            parties: parties.remove(id).unwrap_or_default(),
            holds: with_those_of(&debtor, own_holds, &of_person),
            consents: consents.remove(id).unwrap_or_default(),
            preferences: preferences.remove(id).unwrap_or_default(),
            ledger: ledger.rows_for(&debtor, &points),
            suppressions: listed.of(&debtor, &points),
            lists: listed.states.clone(),
            address_zones: zones.remove(id).unwrap_or_default(),
            overrides: overrides.remove(id).unwrap_or_default(),
            client_law: laws.get(&debtor.client_id).cloned(),
            points,
            debtor,
        });
    }
    Ok(facts)
}

/// The facts of debtors whom a file made or changed, of every `every`-th line of it, at most so many.
pub(super) async fn facts_of_import(
    tx: &mut Link,
    (import, every, most): (ImportId, u64, u32),
    now: UtcMs,
) -> Result<Vec<ContactFacts>, StoreError> {
    // Debts that a file no longer names are told behind its lines.
    let sql = "SELECT DISTINCT debtor_id FROM import_changes WHERE import_id=$1 AND line%$2=0 \
        AND line<$3 ORDER BY debtor_id LIMIT $4";
    let every = i64::try_from(every.max(1)).unwrap_or(i64::MAX);
    let values = vals![import, every, RECALL_LINES, i64::from(most)];
    let rows = tx.rows(sql, values).await?;
    let ids: Result<Vec<DebtorId>, StoreError> = rows.iter().map(|r| r.get("debtor_id")).collect();
    facts_of_many(tx, &ids?, now).await
}

/// Which kinds of facts there are of any of the debtors at all. Most have few, and to be told so with his row is
/// cheaper than a statement for each kind.
#[derive(Default)]
struct There {
    parties: bool,
    /// Of the persons' other debtors too.
    holds: bool,
    consents: bool,
    preferences: bool,
    overrides: bool,
    /// Of the client.
    client_law: bool,
    /// In another zone than his row says.
    addresses: bool,
    /// External lists, of anybody.
    lists: bool,
}

/// The debtors that are there, and what there is of any of them, in one statement.
async fn known(tx: &mut Link, debtors: &[DebtorId]) -> Result<(Vec<Debtor>, There), StoreError> {
    let sql = format!(
        "SELECT {}, EXISTS (SELECT 1 FROM parties t WHERE t.debtor_id=debtors.id) AS has_parties, \
            EXISTS (SELECT 1 FROM debtors x JOIN holds h ON h.debtor_id=x.id \
                WHERE x.person_id=debtors.person_id) AS has_holds, \
            EXISTS (SELECT 1 FROM consents t WHERE t.debtor_id=debtors.id) AS has_consents, \
            EXISTS (SELECT 1 FROM preferences t WHERE t.debtor_id=debtors.id) AS has_preferences, \
            EXISTS (SELECT 1 FROM law_overrides t WHERE t.debtor_id=debtors.id) AS has_overrides, \
            EXISTS (SELECT 1 FROM client_laws t WHERE t.client_id=debtors.client_id) AS has_client_law, \
            EXISTS (SELECT 1 FROM addresses a WHERE a.debtor_id=debtors.id AND NOT a.bad \
                AND a.zone<>COALESCE(debtors.address_zone,'')) AS has_addresses, \
            EXISTS (SELECT 1 FROM dnc_lists) AS has_lists \
        FROM debtors WHERE id",
        columns::<Debtor>()
    );
    let (mut known, mut there) = (Vec::new(), There::default());
    for row in &tx.rows_in(&sql, debtors, "", &[]).await? {
        known.push(Debtor::read(row)?);
        there.parties |= row.get::<bool>("has_parties")?;
        there.holds |= row.get::<bool>("has_holds")?;
        there.consents |= row.get::<bool>("has_consents")?;
        there.preferences |= row.get::<bool>("has_preferences")?;
        there.overrides |= row.get::<bool>("has_overrides")?;
        there.client_law |= row.get::<bool>("has_client_law")?;
        there.addresses |= row.get::<bool>("has_addresses")?;
        there.lists |= row.get::<bool>("has_lists")?;
    }
    Ok((known, there))
}

/// That a hold `h` is of a kind that may bind a person over all his debtors.
pub(super) const OF_PERSON: &str = "h.scope='debtor' AND h.kind IN ('deceased','represented','insolvency','minor',\
    'cease','writing_only','channel_optout')";

/// Holds of kinds that may bind a person over all his debtors, by person.
pub(super) async fn holds_of_persons(
    tx: &mut Link,
    debtors: &[Debtor],
    asked: Asked,
) -> Result<BTreeMap<PersonId, Vec<Hold>>, StoreError> {
    let persons: BTreeSet<PersonId> = debtors.iter().map(|d| d.person_id).collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    let columns: Vec<String> = Hold::COLUMNS.iter().map(|c| format!("h.{c}")).collect();
    let stands = match asked {
        Asked::Now => " AND h.lifted_at IS NULL",
        Asked::Then => "",
    };
    let before = format!(
        "SELECT {}, d.person_id FROM holds h JOIN debtors d ON d.id=h.debtor_id \
            WHERE {OF_PERSON}{stands} AND d.person_id",
        columns.join(",")
    );
    let mut found: BTreeMap<PersonId, Vec<Hold>> = BTreeMap::new();
    for row in &tx.rows_in(&before, &persons, " ORDER BY h.id", &[]).await? {
        let person = row.get("person_id")?;
        found.entry(person).or_default().push(Hold::read(row)?);
    }
    Ok(found)
}

/// His own holds, and those of his other debtors that reach him.
pub(super) fn with_those_of(
    debtor: &Debtor,
    mut own: Vec<Hold>,
    of_person: &BTreeMap<PersonId, Vec<Hold>>,
) -> Vec<Hold> {
    let others = of_person.get(&debtor.person_id).into_iter().flatten();
    let reach = others.filter(|h| h.debtor_id != debtor.id && h.reaches(debtor));
    own.extend(reach.cloned());
    own.sort_unstable_by_key(|h| h.id);
    own
}

pub(super) async fn portfolios_of(
    tx: &mut Link,
    debtors: &[Debtor],
) -> Result<BTreeMap<PortfolioId, Portfolio>, StoreError> {
    let ids: BTreeSet<PortfolioId> = debtors.iter().map(|d| d.portfolio_id).collect();
    let ids: Vec<PortfolioId> = ids.into_iter().collect();
    let rows: Vec<Portfolio> = tx.all_in("id", &ids, "", &[]).await?;
    Ok(rows.into_iter().map(|p| (p.id, p)).collect())
}

/// The debtors, where a client of theirs has a contract.
fn with_law(debtors: &[Debtor], there: bool) -> &[Debtor] {
    if there { debtors } else { &[] }
}

/// That it is the version of a contract that was the newest at `$1`.
pub(super) const NEWEST_LAW: &str = "version=(SELECT MAX(n.version) FROM client_laws n \
    WHERE n.client_id=client_laws.client_id AND n.updated_at<=$1)";

/// What the contracts of the debtors' clients ask, in the version of the instant.
pub(super) async fn client_laws(
    tx: &mut Link,
    debtors: &[Debtor],
    (now, asked): (UtcMs, Asked),
) -> Result<BTreeMap<ClientId, Arc<ClientLaw>>, StoreError> {
    let ids: BTreeSet<ClientId> = debtors.iter().map(|d| d.client_id).collect();
    let ids: Vec<ClientId> = ids.into_iter().collect();
    let latest = match asked {
        Asked::Now => UtcMs(i64::MAX),
        Asked::Then => now,
    };
    let newest = format!(" AND {NEWEST_LAW}");
    let rows: Vec<ClientLaw> = tx
        .all_in("client_id", &ids, &newest, &[latest.val()])
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.client_id, Arc::new(row)))
        .collect())
}

async fn by_debtor<T: Entity>(
    tx: &mut Link,
    debtors: &[DebtorId],
    after: &str,
    key: impl Fn(&T) -> DebtorId,
) -> Result<BTreeMap<DebtorId, Vec<T>>, StoreError> {
    let rows: Vec<T> = tx.all_in("debtor_id", debtors, after, &[]).await?;
    let mut sorted: BTreeMap<DebtorId, Vec<T>> = BTreeMap::new();
    for row in rows {
        sorted.entry(key(&row)).or_default().push(row);
    }
    Ok(sorted)
}

/// Ledger rows by person and by number, oldest first.
pub(super) struct Ledger {
    rows: Vec<LedgerRow>,
    by_person: BTreeMap<PersonId, Vec<usize>>,
    by_address: BTreeMap<String, Vec<usize>>,
}

impl Ledger {
    fn of(rows: Vec<LedgerRow>) -> Self {
        let mut ledger = Self {
            rows,
            by_person: BTreeMap::new(),
            by_address: BTreeMap::new(),
        };
        for (n, row) in ledger.rows.iter().enumerate() {
            ledger.by_person.entry(row.person_id).or_default().push(n);
            ledger
                .by_address
                .entry(row.address.reveal().clone())
                .or_default()
                .push(n);
        }
        ledger
    }

    pub(super) fn rows_for(&self, debtor: &Debtor, points: &[ContactPoint]) -> Vec<LedgerRow> {
        let addresses = points
            .iter()
            .filter_map(|p| self.by_address.get(p.value.reveal()));
        let places: BTreeSet<usize> = self
            .by_person
            .get(&debtor.person_id)
            .into_iter()
            .chain(addresses)
            .flatten()
            .copied()
            .collect();
        places
            .into_iter()
            .filter_map(|n| self.rows.get(n).cloned())
            .collect()
    }
}

/// That a row has one of a piece of values and is of the time between `$1` and `$2`. Each half of an `OR` says so
/// itself, so that both engines find it in its own index, and read a row that is in both once.
fn since<T: Field>(column: &str, piece: &[T], values: &mut Vec<Val>) -> String {
    let list = holes(values.len() + 1, piece.len());
    values.extend(piece.iter().map(Field::val));
    format!("({column} IN ({list}) AND at>=$1 AND at<$2)")
}

pub(super) async fn ledger_of(
    tx: &mut Link,
    debtors: &[Debtor],
    points: &BTreeMap<DebtorId, Vec<ContactPoint>>,
    now: UtcMs,
    asked: Asked,
) -> Result<Ledger, StoreError> {
    let before = match asked {
        Asked::Now => UtcMs(i64::MAX),
        // A visit stands ahead of the instant by which it was planned.
        Asked::Then => now.plus_ms(ROWS_AHEAD_MS),
    };
    let oldest = vals![now.plus_ms(-i64::from(LEDGER_DAYS) * DAY_MS), before];
    let persons: BTreeSet<PersonId> = debtors.iter().map(|d| d.person_id).collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    let addresses = values_of(points);
    let (persons, addresses) = (pieces(&persons), pieces(&addresses));
    let mut found: Vec<LedgerRow> = Vec::new();
    for n in 0..persons.len().max(addresses.len()) {
        let (mut either, mut values) = (Vec::new(), oldest.clone());
        if let Some(persons) = persons.get(n) {
            either.push(since("person_id", persons, &mut values));
        }
        if let Some(addresses) = addresses.get(n) {
            either.push(since("address", addresses, &mut values));
        }
        found.extend(
            tx.all::<LedgerRow>(&format!("WHERE {}", either.join(" OR ")), values)
                .await?,
        );
    }
    let mut rows = in_order(found);
    if matches!(asked, Asked::Then) {
        let visits = visits::behind(tx, &rows).await?;
        ledger_then(&mut rows, &visits, now);
    }
    Ok(Ledger::of(rows))
}

/// Each row once, oldest first.
pub(super) fn in_order(found: Vec<LedgerRow>) -> Vec<LedgerRow> {
    let unique: BTreeMap<(UtcMs, LedgerId), LedgerRow> =
        found.into_iter().map(|r| ((r.at, r.id), r)).collect();
    unique.into_values().collect()
}

pub(super) fn values_of(points: &BTreeMap<DebtorId, Vec<ContactPoint>>) -> Vec<String> {
    let values: BTreeSet<&String> = points
        .values()
        .flatten()
        .map(|p| p.value.reveal())
        .collect();
    values.into_iter().cloned().collect()
}
