//! The event log and its outbox, written in the transaction of the fact they tell.

use super::{SqlStore, audit};
use crate::sql::{Batch, Cell, Dialect, Link, Row, Val, holes, vals};
use domain::entity::AgentSpell;
use domain::event::{AUDIT_KIND, Event, NewEvent};
use domain::ids::EventId;
use domain::ports::StoreError;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Version of the payloads' shape.
const SCHEMA: i32 = 1;
/// Most events of one statement.
const BATCH: usize = 256;
const COLUMNS: &str = "id,at,client_id,actor,kind,subject,data,schema";
/// Values of one event.
const WIDTH: usize = 8;

/// Lock number under which PostgreSQL gives out cursors: it is held until the transaction is visible,
/// so that a reader who has seen cursor n will never see a smaller one appear.
const CURSOR_LOCK: i64 = 0x6d61_7263_0002;

/// Appends events; one whose id is there already is not appended again. The last step of a
/// transaction, because on PostgreSQL the others wait here.
pub(crate) async fn append(tx: &mut Link, events: &[NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    if events.iter().all(is_plain) {
        return match tx.dialect() {
            Dialect::Lite => append_plain(tx, events).await,
            Dialect::Pg => append_locked(tx, events).await,
        };
    }
    if tx.dialect() == Dialect::Pg {
        tx.rows("SELECT pg_advisory_xact_lock($1)", vals![CURSOR_LOCK])
            .await?;
    }
    for chunk in events.chunks(BATCH) {
        let mut sql = format!("INSERT INTO events ({COLUMNS}) VALUES ");
        for n in 0..chunk.len() {
            let comma = if n == 0 { "" } else { "," };
            let _ = write!(sql, "{comma}({})", holes(n * WIDTH + 1, WIDTH));
        }
        sql.push_str(" ON CONFLICT (id) DO NOTHING RETURNING cursor, id");
        let rows = tx
            .rows(sql, chunk.iter().flat_map(event_vals).collect())
            .await?;
        let mut cursors: Vec<Val> = Vec::new();
        let mut written: BTreeMap<EventId, i64> = BTreeMap::new();
        for row in &rows {
            let cursor: i64 = row.get("cursor")?;
            cursors.extend(vals![cursor]);
            written.insert(row.get("id")?, cursor);
        }
        let spells: Vec<AgentSpell> = chunk
            .iter()
            .filter(|e| written.contains_key(&e.id))
            .flat_map(AgentSpell::ended_by)
            .collect();
        tx.insert(&spells, " ON CONFLICT (id) DO NOTHING").await?;
        for event in chunk.iter().filter(|e| e.kind == AUDIT_KIND) {
            if let Some(cursor) = written.remove(&event.id) {
                audit::chain(tx, cursor, event).await?;
            }
        }
        if !cursors.is_empty() {
            let places: Vec<String> = (1..=cursors.len()).map(|n| format!("(${n})")).collect();
            let sql = format!("INSERT INTO outbox (cursor) VALUES {}", places.join(","));
            tx.run(sql, cursors).await?;
        }
    }
    Ok(())
}

/// Whether nothing is written beside it but its place in the outbox.
fn is_plain(event: &NewEvent) -> bool {
    event.kind != AUDIT_KIND && AgentSpell::ended_by(event).is_empty()
}

/// The lock, the events and their places in the outbox in one way to the server, for others wait until this transaction
/// is over.
async fn append_locked(tx: &mut Link, events: &[NewEvent]) -> Result<(), StoreError> {
    for chunk in events.chunks(BATCH) {
        let mut batch = Batch::default();
        tell(&mut batch, chunk);
        tx.write_all(batch, "1 AS n").await?;
    }
    Ok(())
}

/// The events beside the writes of a batch that is the last of its transaction: others wait at their lock, so it is taken
/// once those are done. `false` where they are still to be told by [`append`]. PostgreSQL alone.
pub(super) fn told_with(batch: &mut Batch, events: &[NewEvent]) -> bool {
    let few = events.len() <= BATCH && events.iter().all(is_plain);
    if few && !events.is_empty() {
        tell(batch, events);
    }
    few
}

/// A cursor is given out behind the lock: for a row of the query below, which there is none of without it.
fn tell(batch: &mut Batch, events: &[NewEvent]) {
    let mut values = vals![CURSOR_LOCK];
    let mut rows = String::new();
    for (n, event) in events.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let places = holes(values.len() + 1, WIDTH);
        // A String takes every write.
        let _ = write!(rows, "{comma}({n},{places})");
        values.extend(event_vals(event));
    }
    let first = match batch.is_written() {
        none if none.is_empty() => none,
        done => format!(" WHERE {done}"),
    };
    let told = format!(
        "INSERT INTO events ({COLUMNS}) SELECT {COLUMNS} FROM (SELECT v.* \
            FROM (SELECT pg_advisory_xact_lock($1){first}) l CROSS JOIN (VALUES {rows}) AS v (n,{COLUMNS}) \
            ORDER BY v.n) e ON CONFLICT (id) DO NOTHING RETURNING cursor"
    );
    batch.add("told", &told, values);
    let queued = "INSERT INTO outbox (cursor) SELECT cursor FROM told";
    batch.add("queued", queued, vec![]);
}

/// SQLite keeps what a statement returns in a table of its own, which costs as much as the row: the cursor of the row
/// that was written last is known without it.
async fn append_plain(tx: &mut Link, events: &[NewEvent]) -> Result<(), StoreError> {
    const EVENT: &str = "INSERT INTO events (id,at,client_id,actor,kind,subject,data,schema) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (id) DO NOTHING";
    const TOLD: &str = "INSERT INTO outbox (cursor) VALUES (last_insert_rowid())";
    for event in events {
        if tx.run(EVENT, event_vals(event)).await? > 0 {
            tx.run(TOLD, vec![]).await?;
        }
    }
    Ok(())
}

fn event_vals(event: &NewEvent) -> Vec<Val> {
    vals![
        event.id,
        event.at,
        event.client_id,
        event.actor,
        event.kind,
        event.subject,
        event.data,
        SCHEMA,
    ]
}

fn read(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        cursor: row.get("cursor")?,
        schema: row.get("schema")?,
        event: NewEvent {
            id: row.get("id")?,
            at: row.get("at")?,
            client_id: row.get("client_id")?,
            actor: row.get("actor")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            data: serde_json::Value::from_raw(row.get("data")?)?,
        },
    })
}

impl SqlStore {
    pub(super) async fn append_alone(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    pub(super) async fn after(&self, cursor: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql =
            format!("SELECT cursor,{COLUMNS} FROM events WHERE cursor>$1 ORDER BY cursor LIMIT $2");
        let rows = self.read().await?.rows(sql, vals![cursor, limit]).await?;
        rows.iter().map(read).collect()
    }

    pub(super) async fn about(&self, subjects: &[String]) -> Result<Vec<Event>, StoreError> {
        let before = format!("SELECT cursor,{COLUMNS} FROM events WHERE subject");
        let rows = self
            .read()
            .await?
            .rows_in(&before, subjects, "", &[])
            .await?;
        let mut found: Vec<Event> = rows.iter().map(read).collect::<Result<_, _>>()?;
        found.sort_by_key(|e| e.cursor);
        found.dedup_by_key(|e| e.cursor);
        Ok(found)
    }

    pub(super) async fn newest_cursor(&self) -> Result<i64, StoreError> {
        let sql = "SELECT COALESCE(MAX(cursor),0) AS n FROM events";
        let row = self.read().await?.row(sql, vec![]).await?;
        row.map_or(Ok(0), |r| r.get("n"))
    }

    pub(super) async fn pending(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT e.cursor,e.id,e.at,e.client_id,e.actor,e.kind,e.subject,e.data,e.schema \
            FROM outbox o JOIN events e ON e.cursor=o.cursor ORDER BY o.cursor LIMIT $1";
        let rows = self.read().await?.rows(sql, vals![limit]).await?;
        rows.iter().map(read).collect()
    }

    pub(super) async fn handed_over(&self, cursors: &[i64]) -> Result<(), StoreError> {
        if cursors.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        tx.run_in("DELETE FROM outbox WHERE cursor", cursors, "", &[])
            .await?;
        tx.commit().await
    }
}
