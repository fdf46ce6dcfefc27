//! How an attempt stands when a step or its end comes, and what these change of its row.

use super::items::LIVE;
use crate::sql::{Field, Link, Row, Val, vals};
use domain::entity::AttemptState;
use domain::ids::{AttemptId, DebtorId, PersonId, PointId};
use domain::ports::StoreError;
use domain::ports::store::{AttemptChange, Closing};
use domain::time::UtcMs;
use std::fmt::Write as _;

/// What of an attempt is looked at.
pub(super) struct Standing {
    pub(super) id: AttemptId,
    state: AttemptState,
    pub(super) disposition: Option<String>,
    pub(super) debtor_id: DebtorId,
    pub(super) person_id: PersonId,
    pub(super) point_id: PointId,
    pub(super) node: String,
    pub(super) fence: i64,
    pub(super) opened_at: UtcMs,
}

/// Its columns.
const LOOKED_AT: &str =
    "state, disposition, debtor_id, person_id, point_id, node, fence, opened_at";

/// The attempt, held on PostgreSQL against other writers until the end of the transaction.
pub(super) async fn held(tx: &mut Link, id: AttemptId) -> Result<Standing, StoreError> {
    let sql = format!(
        "SELECT {LOOKED_AT} FROM attempts WHERE id=$1{}",
        tx.pg_only(" FOR UPDATE")
    );
    let row = tx.row(sql, vals![id]).await?;
    read(id, &row.ok_or(StoreError::NotFound("attempt"))?)
}

pub(super) fn read(id: AttemptId, row: &Row) -> Result<Standing, StoreError> {
    Ok(Standing {
        id,
        state: row.get("state")?,
        disposition: row.get("disposition")?,
        debtor_id: row.get("debtor_id")?,
        person_id: row.get("person_id")?,
        point_id: row.get("point_id")?,
        node: row.get("node")?,
        fence: row.get("fence")?,
        opened_at: row.get("opened_at")?,
    })
}

/// Columns that are set, with their values behind the attempt's id. What stays is not named: each
/// index of a column that is named is written anew.
pub(super) struct Sets {
    names: Vec<&'static str>,
    values: Vec<Val>,
    /// States that another one may not follow; none where the state is known to be none of them.
    behind: &'static [AttemptState],
}

impl Sets {
    fn of(id: AttemptId) -> Self {
        Self {
            names: Vec::new(),
            values: vals![id],
            behind: &[],
        }
    }

    fn put(&mut self, name: &'static str, value: &impl Field) {
        self.names.push(name);
        self.values.push(value.val());
    }

    fn sql(&self) -> String {
        let mut sql = "UPDATE attempts SET ".to_owned();
        for (n, name) in (2..).zip(&self.names) {
            let comma = if n == 2 { "" } else { ", " };
            let _ = match *name {
                "state" if !self.behind.is_empty() => {
                    // For a list of three SQLite makes a table of its own each time.
                    let last = self.behind.iter().map(|s| format!("state='{s}'"));
                    let last = last.collect::<Vec<_>>().join(" OR ");
                    write!(
                        sql,
                        "{comma}state=CASE WHEN {last} THEN state ELSE ${n} END"
                    )
                }
                name => write!(sql, "{comma}{name}=${n}"),
            };
        }
        sql.push_str(" WHERE id=$1");
        sql
    }

    /// Writes them; without any nothing is done.
    pub(super) async fn write(self, tx: &mut Link) -> Result<(), StoreError> {
        if self.names.is_empty() {
            return Ok(());
        }
        tx.run(self.sql(), self.values).await.map(drop)
    }

    /// What a step changes of an attempt that is live.
    fn step(&mut self, change: &AttemptChange) {
        macro_rules! take {
            ($($field:ident),+) => { $(
                if change.$field.is_some() { self.put(stringify!($field), &change.$field); }
            )+ };
        }
        take!(
            invite_at,
            ringing_at,
            answered_at,
            popped_at,
            acked_at,
            bridged_at,
            identity_at,
            agent_id,
            recording_id,
            trunk_id
        );
    }

    fn end(&mut self, closing: &Closing) {
        self.put("state", &AttemptState::Ended);
        self.put("ended_at", &closing.ended_at);
        self.put("result", &closing.result);
        self.put("sip_code", &closing.sip_code);
        self.put("q850", &closing.q850);
    }
}

/// Writes a step of an attempt that is live without a look at it first; `false`, with nothing written, when it is
/// not, or the step changes nothing of it.
pub(super) async fn step_live(
    tx: &mut Link,
    id: AttemptId,
    change: &AttemptChange,
) -> Result<bool, StoreError> {
    let mut sets = Sets::of(id);
    if let Some(state) = change.state.filter(|s| !s.is_closed()) {
        sets.put("state", &state);
        let at = AttemptState::ALL.iter().position(|s| *s == state);
        sets.behind = at
            .and_then(|at| AttemptState::ALL.get(at + 1..))
            .unwrap_or(&[]);
    } else if change.state.is_some() {
        return Ok(false);
    }
    sets.step(change);
    if sets.names.is_empty() {
        return Ok(false);
    }
    let sql = format!("{} AND {LIVE}", sets.sql());
    Ok(tx.run(sql, sets.values).await? > 0)
}

/// Ends an attempt that is live; none, with nothing written, when it is not. For a closing that is its end alone, where
/// nobody else writes between two statements: what a statement returns SQLite keeps in a table of its own, and each page
/// that it changes a second time. For PostgreSQL see `closing`.
pub(super) async fn end_live(
    tx: &mut Link,
    id: AttemptId,
    closing: &Closing,
) -> Result<Option<Standing>, StoreError> {
    let standing = held(tx, id).await?;
    if standing.state.is_closed() {
        return Ok(None);
    }
    let mut sets = Sets::of(id);
    sets.end(closing);
    sets.write(tx).await?;
    Ok(Some(standing))
}

/// The same as one statement that tells how the attempt stood.
pub(super) fn end_sql(id: AttemptId, closing: &Closing) -> (String, Vec<Val>) {
    let mut sets = Sets::of(id);
    sets.end(closing);
    let sql = format!("{} AND {LIVE} RETURNING {LOOKED_AT}", sets.sql());
    (sql, sets.values)
}

impl Standing {
    /// What a step changes.
    pub(super) fn step(&self, change: &AttemptChange) -> Sets {
        let mut sets = Sets::of(self.id);
        if self.state.is_closed() {
            // What may still follow the end.
            sets.step(&AttemptChange {
                identity_at: change.identity_at,
                acked_at: change.acked_at,
                ..AttemptChange::default()
            });
            return sets;
        }
        if let Some(state) = change.state.filter(|s| *s > self.state) {
            sets.put("state", &state);
        }
        sets.step(change);
        sets
    }

    /// Whether the closing is its end.
    pub(super) fn ends(&self, closing: &Closing) -> bool {
        closing.ended_at.is_some() && !self.state.is_closed()
    }

    /// Whether the closing is its disposition.
    pub(super) fn disposes(&self, closing: &Closing) -> bool {
        closing.disposition.is_some() && self.disposition.is_none()
    }

    /// What a closing changes.
    pub(super) fn closed(&self, closing: &Closing) -> Sets {
        let mut sets = Sets::of(self.id);
        if self.ends(closing) {
            sets.end(closing);
        }
        if self.disposes(closing) {
            sets.put("disposition", &closing.disposition);
            sets.put("note", &closing.note);
            sets.put("disposed_at", &closing.disposed_at);
        }
        sets
    }
}
