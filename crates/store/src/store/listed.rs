//! Who is listed: the company's own suppressions, and external lists by their keyed hashes.

use super::facts::Asked;
use crate::sql::{Link, Val, vals};
use domain::entity::dnc::{keyed_hash, listed_form, may_hold, point_form};
use domain::entity::{ContactPoint, Debtor, DncList, ListState, Suppression, SuppressionKind};
use domain::ids::{DebtorId, DncListId, SuppressionId};
use domain::ports::StoreError;
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// Listings that may name one of the debtors asked for.
pub(crate) struct Listed {
    own: Vec<Suppression>,
    lists: Vec<DncList>,
    hits: BTreeSet<(DncListId, String)>,
    /// Lists that were asked.
    pub(crate) states: Vec<ListState>,
}

impl Listed {
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
    let mut wanted: Vec<String> = Vec::new();
    for point in points.values().flatten() {
        wanted.push(point_form(point));
    }
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
    let stands = format!(" AND {lifted} ORDER BY id");
    let own: Vec<Suppression> = tx.all_in("listed_form", &wanted, &stands, &at).await?;
    let lists: Vec<DncList> = if lists {
        tx.all(&format!("WHERE {retired} ORDER BY id"), at).await?
    } else {
        Vec::new()
    };
    let hits = hits(tx, &lists, debtors, points).await?;
    let states = lists
        .iter()
        .map(|l| ListState {
            name: l.name.clone(),
            client_id: l.client_id,
            as_of: l.as_of,
        })
        .collect();
    Ok(Listed {
        own,
        lists,
        hits,
        states,
    })
}

async fn hits(
    tx: &mut Link,
    lists: &[DncList],
    debtors: &[Debtor],
    points: &BTreeMap<DebtorId, Vec<ContactPoint>>,
) -> Result<BTreeSet<(DncListId, String)>, StoreError> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let none = Vec::new();
    for list in lists {
        for debtor in debtors {
            let own = points.get(&debtor.id).unwrap_or(&none);
            for value in values(list.kind, debtor, own) {
                if !listed_form(list.kind, value).is_empty() {
                    wanted.insert(keyed_hash(&list.hash_key, list.kind, value));
                }
            }
        }
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    let rows = tx
        .rows_in(
            "SELECT list_id, hash FROM dnc_entries WHERE hash",
            &wanted,
            "",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.get("list_id")?, row.get("hash")?)))
        .collect()
}
