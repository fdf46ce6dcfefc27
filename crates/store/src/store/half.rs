//! Files that are half in their portfolio (being accepted or taken back, or broken off while they were): the
//! debtors they made count for nobody until the file is in as a whole, which one row decides.

use super::SqlStore;
use super::catalog::narrowed;
use super::import::aside::LATE_LINES;
use crate::segment::Filter;
use crate::sql::{Link, vals};
use domain::entity::Debtor;
use domain::ids::{DebtorId, ImportId};
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, Page, PageRequest};
use domain::time::UtcMs;
use std::sync::LazyLock;
use uuid::Uuid;

/// Most files that are half in at once; more are not looked at, and what they made is seen early.
const HALF_MAX: u32 = 256;

/// That a debtor `d` was not made by a file that is half in.
pub(super) const WHOLE: &str = "(d.made_by IS NULL OR d.made_by NOT IN \
    (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing')))";

/// The same of a debtor who is the only table of his statement.
pub(super) const WHOLE_ROW: &str = "(made_by IS NULL OR made_by NOT IN \
    (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing')))";

/// Lines at both ends of a file from whose debtors its range is read. Blocks are read side by side, so that the
/// first line need not have the smallest id; whoever is outside of the range is looked at one by one.
const ENDS: u32 = 256;
/// Clocks of nodes may differ by so much, and ids of a long file run ahead of its clock by seconds.
const CLOCKS_MS: i64 = 600_000;

/// What lies between two ids, both included.
type Range = (Uuid, Uuid);

/// The instant in an id of version 7, of which those of debtors are.
fn instant(id: Uuid) -> UtcMs {
    let [a, b, c, d, e, f, ..] = *id.as_bytes();
    UtcMs(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// Ranges one behind the other, those that touch as one.
fn apart(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut out: Vec<Range> = Vec::new();
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// Ranges in which of debtors made by files none is to be seen. A file that is half in makes debtors by the
/// million whose ids follow each other, and a page would walk past all of them each time it is asked.
async fn hidden(tx: &mut Link) -> Result<Vec<Range>, StoreError> {
    let sql = "SELECT id FROM imports WHERE state IN ('accepting', 'undoing') LIMIT $1";
    let late = i64::try_from(LATE_LINES).unwrap_or(i64::MAX);
    let mut ranges = Vec::new();
    for row in &tx.rows(sql, vals![HALF_MAX]).await? {
        let file: ImportId = row.get("id")?;
        let mut ids: Vec<Uuid> = Vec::new();
        for order in ["", " DESC"] {
            let sql = format!(
                "SELECT t.debtor_id AS id FROM (SELECT debtor_id, before_image FROM import_changes \
                WHERE import_id=$1 AND line<$3 ORDER BY line{order} LIMIT $2) t \
                WHERE t.before_image=''"
            );
            for row in &tx.rows(sql, vals![file, ENDS, late]).await? {
                ids.push(row.get("id")?);
            }
        }
        ranges.extend(ids.iter().min().copied().zip(ids.iter().max().copied()));
    }
    let mut free = Vec::new();
    for range in apart(ranges) {
        if !others_wrote(tx, range).await? {
            free.push(range);
        }
    }
    Ok(free)
}

/// Whether another file, which is in, may have made debtors with ids of a range.
async fn others_wrote(tx: &mut Link, (from, to): Range) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n FROM imports WHERE at<=$1 AND COALESCE(accepted_at,at)>=$2 \
        AND state NOT IN ('accepting','undoing','reading','ready') LIMIT 1";
    let values = vals![
        instant(to).plus_ms(CLOCKS_MS),
        instant(from).plus_ms(-CLOCKS_MS)
    ];
    Ok(tx.row(sql, values).await?.is_some())
}

/// Whoever counts, one by one.
static SEEN: LazyLock<String> = LazyLock::new(|| format!("id>$low AND id<$high AND {WHOLE_ROW}"));

/// Debtors of no file. An index holds these alone, by their ids; a range of the ids outside would lead SQLite along
/// all that lie between them.
const UNFILED: &str =
    "id IN (SELECT o.id FROM debtors o WHERE o.made_by IS NULL AND o.id>$low AND o.id<$high)";

/// The first debtors between two ids, without these, for whom the condition `so` holds.
async fn between(
    tx: &mut Link,
    filter: &ListFilter,
    so: &str,
    (low, high): Range,
    limit: usize,
) -> Result<Vec<Debtor>, StoreError> {
    let (mut terms, mut values) = narrowed::<Debtor>(filter);
    let n = values.len();
    values.extend(vals![low, high, i64::try_from(limit).unwrap_or(i64::MAX)]);
    let place = |name: &str, at: usize| (name.to_owned(), format!("${at}"));
    let mut so = so.to_owned();
    for (name, at) in [place("$low", n + 1), place("$high", n + 2)] {
        so = so.replace(&name, &at);
    }
    terms.push(so);
    let rest = format!("WHERE {} ORDER BY id LIMIT ${}", terms.join(" AND "), n + 3);
    tx.all(&rest, values).await
}

impl SqlStore {
    /// A page of debtors who count, by their ids.
    pub(super) async fn whole_page(
        &self,
        filter: &ListFilter,
        request: &PageRequest,
    ) -> Result<Page<Debtor>, StoreError> {
        let mut at = match &request.cursor {
            Some(text) => {
                let after: DebtorId = text.parse().map_err(|_| StoreError::NotFound("cursor"))?;
                Uuid::from(after)
            }
            None => Uuid::nil(),
        };
        let limit = request.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let mut tx = self.snapshot().await?;
        let mut items: Vec<Debtor> = Vec::new();
        let end = (Uuid::max(), Uuid::max());
        for (from, to) in hidden(&mut tx).await?.into_iter().chain([end]) {
            // Both ends are debtors of the file itself.
            for (so, low, high) in [(SEEN.as_str(), at, from), (UNFILED, from.max(at), to)] {
                let left = limit + 1 - items.len();
                if left > 0 && low < high {
                    items.extend(between(&mut tx, filter, so, (low, high), left).await?);
                }
            }
            at = at.max(to);
        }
        tx.rollback().await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|d| d.id.to_string());
        Ok(Page { items, next_cursor })
    }

    /// The filter without debtors of files that are half in. There are seldom any: then the statement stays
    /// as it is.
    pub(super) async fn whole(&self, filter: Filter) -> Result<Filter, StoreError> {
        Ok(filter.without(&self.half_in().await?))
    }

    /// Files that are half in.
    pub(super) async fn half_in(&self) -> Result<Vec<ImportId>, StoreError> {
        let sql = "SELECT id FROM imports WHERE state IN ('accepting', 'undoing') LIMIT $1";
        let rows = self
            .read()
            .await?
            .rows(sql, crate::sql::vals![HALF_MAX])
            .await?;
        rows.iter().map(|row| row.get("id")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let range = |from: u128, to: u128| (Uuid::from_u128(from), Uuid::from_u128(to));
        let ranges = vec![range(7, 9), range(1, 3), range(2, 5), range(5, 6)];
        assert_eq!(apart(ranges), [range(1, 6), range(7, 9)]);
        assert_eq!(apart(vec![]), []);
    }

    #[test]
    fn an_id_of_version_seven_tells_its_instant() {
        let id = Uuid::parse_str("019ac3f0-1a2b-7c3d-8e4f-5a6b7c8d9e0f").unwrap();
        assert_eq!(instant(id), UtcMs(0x019a_c3f0_1a2b));
    }

    #[tokio::test]
    async fn what_lies_in_a_range_is_found_by_its_own_index() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/a.db", dir.path().display());
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM debtors WHERE client_id=$1 AND {} ORDER BY id LIMIT 9",
            UNFILED.replace("$low", "$2").replace("$high", "$3")
        );
        let values = vals![Uuid::nil(), Uuid::nil(), Uuid::max()];
        let rows = store.read().await.unwrap().rows_once(sql, values).await;
        let plan: Vec<String> = rows
            .unwrap()
            .iter()
            .map(|r| r.get("detail").unwrap())
            .collect();
        let plan = plan.join("; ");
        assert!(
            plan.contains("USING INDEX debtors_client (client_id=? AND id=?)"),
            "{plan}"
        );
        assert!(
            plan.contains("INDEX debtors_unfiled (id>? AND id<?)"),
            "{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        store.close().await;
    }
}
