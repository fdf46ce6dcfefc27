//! Who is listed: the company's own suppressions, and external lists by their keyed hashes.

use super::facts::Asked;
use super::table::pieces;
use crate::rows::{Entity as _, columns};
use crate::sql::{Ask, Link, Row, Val, vals};
use domain::entity::dnc::{keyed_hash, listed_form, may_hold, point_form};
use domain::entity::{ContactPoint, Debtor, DncList, ListState, Suppression, SuppressionKind};
use domain::ids::{DebtorId, DncListId, SuppressionId};
use domain::ports::StoreError;
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// Values that are asked for of one debtor, at least.
const VALUES_OF_ONE: usize = 8;

/// Listings that may name one of the debtors asked for.
pub(crate) struct Listed {
    own: Vec<Suppression>,
    lists: Vec<DncList>,
    hits: BTreeSet<(DncListId, String)>,
    /// Lists that were asked.
    pub(crate) states: Vec<ListState>,
}

impl Listed {
    fn new(
        own: Vec<Suppression>,
        lists: Vec<DncList>,
        hits: BTreeSet<(DncListId, String)>,
    ) -> Self {
        let state = |list: &DncList| ListState {
            name: list.name.clone(),
            client_id: list.client_id,
            as_of: list.as_of,
        };
        let states = lists.iter().map(state).collect();
        Self {
            own,
            lists,
            hits,
            states,
        }
    }

    /// Those that name the debtor.
    pub(crate) fn of(&self, debtor: &Debtor, points: &[ContactPoint]) -> Vec<Suppression> {
        let mut found: Vec<Suppression> = self
            .own
            .iter()
            .filter(|s| s.names(debtor, points))
            .cloned()
            .collect();
        for list in &self.lists {
            for value in values(list.kind, debtor, points) {
                let hash = keyed_hash(&list.hash_key, list.kind, value);
                if self.hits.contains(&(list.id, hash)) {
                    found.push(Suppression {
                        id: SuppressionId(list.id.0),
                        client_id: list.client_id,
                        debtor_id: None,
                        kind: list.kind,
                        value: value.to_owned().into(),
                        reason: format!("list:{}", list.name),
                        created_at: list.created_at,
                        lifted_at: list.retired_at,
                    });
                }
            }
        }
        found
    }
}

/// What of a debtor a list of that kind may hold.
fn values<'a>(
    kind: SuppressionKind,
    debtor: &'a Debtor,
    points: &'a [ContactPoint],
) -> Vec<&'a str> {
    match kind {
        SuppressionKind::Phone | SuppressionKind::Email => points
            .iter()
            .filter(|p| may_hold(kind, p))
            .map(|p| p.value.reveal().as_str())
            .collect(),
        SuppressionKind::Document => vec![debtor.document.reveal().as_str()],
        SuppressionKind::Person => Vec::new(),
    }
}

/// Listings that may name one of the debtors; `lists` tells whether there are external lists at all.
pub(crate) async fn listed(
    tx: &mut Link,
    debtors: &[Debtor],
    points: &BTreeMap<DebtorId, Vec<ContactPoint>>,
    (now, asked): (UtcMs, Asked),
    lists: bool,
) -> Result<Listed, StoreError> {
    let which = match asked {
        Asked::Now => ("lifted_at IS NULL", "retired_at IS NULL", vec![]),
        Asked::Then => (
            "created_at<=$1 AND (lifted_at IS NULL OR lifted_at>$1)",
            "created_at<=$1 AND (retired_at IS NULL OR retired_at>$1)",
            vals![now],
        ),
    };
    find(tx, (debtors, points), which, lists).await
}

/// Everything that listed a debtor at some time, what was lifted or retired too.
pub(crate) async fn ever(tx: &mut Link, debtor: Debtor) -> Result<Vec<Suppression>, StoreError> {
    let rest = "WHERE debtor_id=$1 ORDER BY position, id";
    let points: Vec<ContactPoint> = tx.all(rest, vals![debtor.id]).await?;
    let all = BTreeMap::from([(debtor.id, points)]);
    let debtors = [debtor];
    let found = find(tx, (&debtors, &all), ("1=1", "1=1", vec![]), true).await?;
    let [debtor] = &debtors;
    let points = all.get(&debtor.id).map_or(&[][..], Vec::as_slice);
    Ok(found.of(debtor, points))
}

/// Listings of which the terms hold, and lists of which the other ones do.
async fn find(
    tx: &mut Link,
    (debtors, points): (&[Debtor], &BTreeMap<DebtorId, Vec<ContactPoint>>),
    (lifted, retired, at): (&str, &str, Vec<Val>),
    lists: bool,
) -> Result<Listed, StoreError> {
    let wanted = forms(debtors, points.values().flatten());
    let stands = format!(" AND {lifted} ORDER BY id");
    let own: Vec<Suppression> = tx.all_in("listed_form", &wanted, &stands, &at).await?;
    let lists: Vec<DncList> = if lists {
        tx.all(&format!("WHERE {retired} ORDER BY id"), at).await?
    } else {
        Vec::new()
    };
    let hits = hits(tx, &lists, debtors, points).await?;
    Ok(Listed::new(own, lists, hits))
}

/// Values of debtors and their points as listings have them.
fn forms<'a>(debtors: &[Debtor], points: impl Iterator<Item = &'a ContactPoint>) -> Vec<String> {
    let mut wanted: Vec<String> = points.map(point_form).collect();
    for debtor in debtors {
        wanted.push(listed_form(
            SuppressionKind::Document,
            debtor.document.reveal(),
        ));
        let person = debtor.person_id.to_string();
        wanted.push(listed_form(SuppressionKind::Person, &person));
    }
    wanted.retain(|form| !form.is_empty());
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// What lists debtor `$1` now, by his person, document and points in the form that lists have if they are ASCII
/// ([`of_one`]); capitals are those of ASCII, whatever the language of the database. `OFFSET 0` lets PostgreSQL ask for
/// each form by itself, however few listings it thinks there are.
pub(super) fn own_ask(debtor: DebtorId) -> Ask {
    let sql = format!(
        "SELECT s.* FROM (\
            SELECT UPPER(REPLACE(CAST(d.person_id AS TEXT),'-','') COLLATE \"C\") COLLATE \"default\" \
                FROM debtors d WHERE d.id=$1 \
            UNION SELECT UPPER(REGEXP_REPLACE(d.document,'[^0-9A-Za-z]','','g') COLLATE \"C\") COLLATE \"default\" \
                FROM debtors d WHERE d.id=$1 \
            UNION SELECT CASE WHEN c.channel='email' \
                THEN LOWER(BTRIM(c.value,E' \\t\\n\\r\\f\\x0b') COLLATE \"C\") COLLATE \"default\" \
                ELSE REGEXP_REPLACE(c.value,'[^0-9]','','g') END FROM contact_points c WHERE c.debtor_id=$1) AS f (form) \
            CROSS JOIN LATERAL (SELECT {} FROM suppressions x WHERE x.listed_form=f.form AND x.lifted_at IS NULL \
                OFFSET 0) s WHERE f.form<>'' ORDER BY s.id",
        columns::<Suppression>()
    );
    Ask::new(sql, vals![debtor])
}

/// What lists now a debtor whose points are known, and the lists in force. `found` answers [`own_ask`]; where PostgreSQL
/// may write a value otherwise than we do, it is asked again by the forms themselves.
pub(super) async fn of_one(
    tx: &mut Link,
    debtor: &Debtor,
    points: &[ContactPoint],
    (lists, found): (Vec<DncList>, Vec<Row>),
) -> Result<Listed, StoreError> {
    let debtors = std::slice::from_ref(debtor);
    let mut values = points.iter().map(|p| p.value.reveal().as_str());
    let same = debtor.document.reveal().is_ascii() && values.all(str::is_ascii);
    let mut asks = Vec::new();
    if !same {
        let own = format!(
            "SELECT {} FROM suppressions WHERE listed_form",
            columns::<Suppression>()
        );
        let forms = at_least(forms(debtors, points.iter()));
        let of_forms =
            |piece: &Vec<_>| Ask::of_list(&own, piece, " AND lifted_at IS NULL ORDER BY id");
        asks.extend(forms.iter().map(of_forms));
    }
    let of_own = asks.len();
    let hashes = at_least(hashes(&lists, debtors, |_| points));
    asks.extend(hashes.iter().map(|piece| Ask::of_list(HIT, piece, "")));
    let mut answers = tx.several(asks).await?;
    let hits = answers.split_off(of_own);
    let own = if same { vec![found] } else { answers };
    let own: Result<_, _> = own.iter().flatten().map(Suppression::read).collect();
    let hits: Result<_, _> = hits.iter().flatten().map(hit).collect();
    Ok(Listed::new(own?, lists, hits?))
}

/// Pieces of a list of which the shortest is as long as nearly all: the statement is then the same one, which is planned.
fn at_least(mut values: Vec<String>) -> Vec<Vec<String>> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().max(VALUES_OF_ONE), last);
    }
    pieces(&values)
}

const HIT: &str = "SELECT list_id, hash FROM dnc_entries WHERE hash";

fn hit(row: &Row) -> Result<(DncListId, String), StoreError> {
    Ok((row.get("list_id")?, row.get("hash")?))
}

/// Hashes under which the lists would hold values of the debtors.
fn hashes<'a>(
    lists: &[DncList],
    debtors: &'a [Debtor],
    points: impl Fn(DebtorId) -> &'a [ContactPoint],
) -> Vec<String> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for list in lists {
        for debtor in debtors {
            for value in values(list.kind, debtor, points(debtor.id)) {
                if !listed_form(list.kind, value).is_empty() {
                    wanted.insert(keyed_hash(&list.hash_key, list.kind, value));
                }
            }
        }
    }
    wanted.into_iter().collect()
}

async fn hits(
    tx: &mut Link,
    lists: &[DncList],
    debtors: &[Debtor],
    points: &BTreeMap<DebtorId, Vec<ContactPoint>>,
) -> Result<BTreeSet<(DncListId, String)>, StoreError> {
    let of = |id: DebtorId| points.get(&id).map_or(&[][..], Vec::as_slice);
    let wanted = hashes(lists, debtors, of);
    let rows = tx.rows_in(HIT, &wanted, "", &[]).await?;
    rows.iter().map(hit).collect()
}
