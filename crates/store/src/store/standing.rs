//! How an attempt stands when a step or its end comes, and what these change of its row.

use crate::sql::{Field, Link, Val, vals};
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

/// The attempt, held on PostgreSQL against other writers until the end of the transaction.
pub(super) async fn held(tx: &mut Link, id: AttemptId) -> Result<Standing, StoreError> {
    let sql = format!(
        "SELECT state, disposition, debtor_id, person_id, point_id, node, fence, opened_at \
            FROM attempts WHERE id=$1{}",
        tx.pg_only(" FOR UPDATE")
    );
    let row = tx.row(sql, vals![id]).await?;
    let row = row.ok_or(StoreError::NotFound("attempt"))?;
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
}

impl Sets {
    fn put(&mut self, name: &'static str, value: &impl Field) {
        self.names.push(name);
        self.values.push(value.val());
    }

    /// Writes them; without any nothing is done.
    pub(super) async fn write(self, tx: &mut Link) -> Result<(), StoreError> {
        if self.names.is_empty() {
            return Ok(());
        }
        let mut sql = "UPDATE attempts SET ".to_owned();
        for (n, name) in (2..).zip(&self.names) {
            let comma = if n == 2 { "" } else { ", " };
            let _ = write!(sql, "{comma}{name}=${n}");
        }
        sql.push_str(" WHERE id=$1");
        tx.run(sql, self.values).await.map(drop)
    }
}

impl Standing {
    fn sets(&self) -> Sets {
        Sets {
            names: Vec::new(),
            values: vals![self.id],
        }
    }

    /// What a step changes.
    pub(super) fn step(&self, change: &AttemptChange) -> Sets {
        let mut sets = self.sets();
        macro_rules! take {
            ($($field:ident),+) => { $(
                if change.$field.is_some() { sets.put(stringify!($field), &change.$field); }
            )+ };
        }
        if self.state.is_closed() {
            // What may still follow the end.
            take!(identity_at, acked_at);
            return sets;
        }
        if let Some(state) = change.state.filter(|s| *s > self.state) {
            sets.put("state", &state);
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
        let mut sets = self.sets();
        if self.ends(closing) {
            sets.put("state", &AttemptState::Ended);
            sets.put("ended_at", &closing.ended_at);
            sets.put("result", &closing.result);
            sets.put("sip_code", &closing.sip_code);
            sets.put("q850", &closing.q850);
        }
        if self.disposes(closing) {
            sets.put("disposition", &closing.disposition);
            sets.put("note", &closing.note);
            sets.put("disposed_at", &closing.disposed_at);
        }
        sets
    }
}
