//! What the writer has changed of what the law looks at. Facts that were read beside it are used as long as none of
//! their keys is among it: SQLite itself says which rows were written, whatever statement wrote them.

use rusqlite::hooks::Action;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keys remembered; beyond them everything that was read before counts as changed.
const KEYS_MAX: usize = 1 << 16;
/// Rows of one statement of which each is asked whose it is; beyond them it may be anybody's.
const ROWS_MAX: usize = 512;

/// A debtor, a person, an address or a listed value, as far as it must be told from others: two who share a key cost
/// one of them a reading and nothing else.
pub(crate) type Key = u64;

/// The key of an id or a text.
pub(crate) fn key(of: &[u8]) -> Key {
    let mut hash = DefaultHasher::new();
    hash.write(of);
    hash.finish()
}

/// The key of a debtor's own row. It is written with every attempt, so that nobody asks whose it is.
pub(crate) fn row_key(rowid: i64) -> Key {
    key(&rowid.to_le_bytes())
}

/// What a written row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    /// The row of a debtor. Whoever takes a row away from a debtor writes his own row too.
    Debtor,
    /// Whose it is tells this statement.
    Of(&'static str),
    /// It may concern anybody.
    All,
}

/// What a row of a table is, once it was changed as `action` says. A number's attempts count from their beginning.
fn fact(table: &str, action: Action) -> Option<Fact> {
    let fact = match table {
        "debtors" => Fact::Debtor,
        "attempts" if action == Action::SQLITE_UPDATE => return None,
        "attempts" => Fact::Of("SELECT debtor_id FROM attempts WHERE rowid=?1"),
        "ledger" => Fact::Of("SELECT person_id, address FROM ledger WHERE rowid=?1"),
        "debts" => Fact::Of("SELECT debtor_id FROM debts WHERE rowid=?1"),
        "contact_points" => Fact::Of("SELECT debtor_id FROM contact_points WHERE rowid=?1"),
        "parties" => Fact::Of("SELECT debtor_id FROM parties WHERE rowid=?1"),
        "consents" => Fact::Of("SELECT debtor_id FROM consents WHERE rowid=?1"),
        "preferences" => Fact::Of("SELECT debtor_id FROM preferences WHERE rowid=?1"),
        "law_overrides" => Fact::Of("SELECT debtor_id FROM law_overrides WHERE rowid=?1"),
        "addresses" => Fact::Of("SELECT debtor_id FROM addresses WHERE rowid=?1"),
        "holds" => Fact::Of(
            "SELECT h.debtor_id, d.person_id FROM holds h JOIN debtors d ON d.id=h.debtor_id \
            WHERE h.rowid=?1",
        ),
        "suppressions" => Fact::Of("SELECT listed_form FROM suppressions WHERE rowid=?1"),
        // Who writes a debtor as another person's says so himself. What a list holds is written before it is in force.
        "portfolios" | "dnc_lists" | "merges" | "client_laws" => Fact::All,
        _ => return None,
    };
    Some(match action {
        // Nobody can say any more whose it was.
        Action::SQLITE_DELETE => Fact::All,
        _ => fact,
    })
}

/// What was changed, of which serial number the last change of a key was.
#[derive(Debug, Default)]
struct Seen {
    serial: u64,
    /// Changes up to here are committed.
    durable: u64,
    /// Whatever was read before this counts as changed.
    floor: u64,
    last: HashMap<Key, u64>,
}

#[derive(Debug, Default)]
struct Written {
    rows: Vec<(Fact, i64)>,
    all: bool,
}

/// What the writer has changed; nothing is noted before somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    seen: Mutex<Seen>,
    written: Mutex<Written>,
    watched: AtomicBool,
    /// Somebody writes so much that noting it would cost him more than it helps others.
    blind: AtomicBool,
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Changes {
    /// What the writer's connection changes.
    pub(super) fn of(writer: &Connection) -> Result<Arc<Self>, rusqlite::Error> {
        let changes = Arc::<Self>::default();
        let own = changes.clone();
        let wrote = move |action: Action, _: &str, table: &str, row: i64| {
            own.wrote(action, table, row);
        };
        writer.update_hook(Some(wrote)).map(|()| changes)
    }

    /// Notes changes from now on; for who holds the writer.
    pub(crate) fn watch(&self) {
        if !self.watched.swap(true, Ordering::Relaxed) {
            self.all();
        }
    }

    fn sees(&self) -> bool {
        self.watched.load(Ordering::Relaxed) && !self.blind.load(Ordering::Relaxed)
    }

    fn wrote(&self, action: Action, table: &str, row: i64) {
        if !self.sees() {
            return;
        }
        let Some(fact) = fact(table, action) else {
            return;
        };
        let mut written = held(&self.written);
        if fact == Fact::All || written.rows.len() >= ROWS_MAX {
            written.all = true;
        } else if !written.all {
            written.rows.push((fact, row));
        }
    }

    /// After each statement that may have changed something: whose rows they were.
    pub(super) fn gather(&self, conn: &Connection) {
        if !self.sees() {
            return;
        }
        let Written { rows, all } = std::mem::take(&mut *held(&self.written));
        if all {
            return self.all();
        }
        for (fact, row) in rows {
            let known = match fact {
                Fact::Debtor => {
                    self.note(&[row_key(row)]);
                    continue;
                }
                Fact::Of(sql) => keys_of(conn, sql, row),
                Fact::All => Ok(None),
            };
            match known {
                Ok(Some(keys)) => self.note(&keys),
                // Not there: a trigger took it away, or its debtor.
                Ok(None) | Err(_) => self.all(),
            }
        }
    }

    fn note(&self, keys: &[Key]) {
        let mut seen = held(&self.seen);
        seen.serial += 1;
        let serial = seen.serial;
        for key in keys {
            seen.last.insert(*key, serial);
        }
        if seen.last.len() > KEYS_MAX {
            seen.last.clear();
            seen.floor = serial;
        }
    }

    /// Everybody's facts may have changed.
    pub(super) fn all(&self) {
        let mut seen = held(&self.seen);
        seen.serial += 1;
        seen.floor = seen.serial;
        seen.last.clear();
    }

    /// Somebody begins to write much, or has ended.
    pub(super) fn blind(&self, blind: bool) {
        if self.blind.swap(blind, Ordering::Relaxed) != blind {
            self.all();
        }
    }

    /// All that was noted is committed; for who holds the writer.
    pub(super) fn committed(&self) {
        let mut seen = held(&self.seen);
        seen.durable = seen.serial;
    }

    /// A number to keep with what is read from now on; none while nothing is noted.
    pub(crate) fn now(&self) -> Option<u64> {
        self.sees().then(|| held(&self.seen).durable)
    }

    /// Whether nothing with one of these keys was changed since; certain for who holds the writer.
    pub(crate) fn stands(&self, since: u64, keys: &[Key]) -> bool {
        let seen = held(&self.seen);
        let fresh = |key: &Key| seen.last.get(key).is_none_or(|at| *at <= since);
        self.sees() && since >= seen.floor && keys.iter().all(fresh)
    }
}

/// The keys that a row names; none when it is not there.
fn keys_of(conn: &Connection, sql: &str, row: i64) -> rusqlite::Result<Option<Vec<Key>>> {
    let mut statement = conn.prepare_cached(sql)?;
    let columns = statement.column_count();
    let keys = |row: &rusqlite::Row<'_>| {
        let mut keys = Vec::with_capacity(columns);
        for n in 0..columns {
            if let ValueRef::Blob(bytes) | ValueRef::Text(bytes) = row.get_ref(n)? {
                keys.push(key(bytes));
            }
        }
        Ok(keys)
    };
    statement.query_row([row], keys).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (Connection, Arc<Changes>) {
        crate::sql::know_their_reach();
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE debtors (id BLOB, person_id BLOB); CREATE TABLE debts (debtor_id BLOB, n);
             CREATE TABLE ledger (person_id BLOB, address TEXT); CREATE TABLE portfolios (id BLOB);",
        )
        .unwrap();
        let changes = Changes::of(&conn).unwrap();
        (conn, changes)
    }

    fn run(conn: &Connection, changes: &Changes, sql: &str) {
        conn.execute_batch(sql).unwrap();
        changes.gather(conn);
        changes.committed();
    }

    #[test]
    fn what_a_statement_writes_is_told_by_its_rows() {
        let (conn, changes) = watched();
        assert_eq!(changes.now(), None, "nobody asked yet");
        changes.watch();
        changes.committed();
        let since = changes.now().unwrap();
        let (one, other) = ([key(b"one")], [key(b"other")]);
        run(
            &conn,
            &changes,
            "INSERT INTO debts VALUES (CAST('one' AS BLOB), 1)",
        );
        assert!(!changes.stands(since, &one));
        assert!(changes.stands(since, &other));
        // Read after the commit it stands again, until the next change, whichever way that names the row.
        let since = changes.now().unwrap();
        assert!(changes.stands(since, &one));
        run(&conn, &changes, "UPDATE debts SET n=2");
        assert!(!changes.stands(since, &one));
        run(
            &conn,
            &changes,
            "INSERT INTO ledger VALUES (x'00', 'other')",
        );
        assert!(!changes.stands(since, &other), "by the address");
        let since = changes.now().unwrap();
        run(&conn, &changes, "INSERT INTO debtors VALUES (x'01', x'00')");
        assert!(!changes.stands(since, &[row_key(1)]));
    }

    #[test]
    fn what_may_concern_anybody_concerns_everybody() {
        let (conn, changes) = watched();
        changes.watch();
        run(&conn, &changes, "INSERT INTO debts VALUES (x'01', 1)");
        let every = [
            "INSERT INTO portfolios VALUES (x'02')",
            "DELETE FROM debts WHERE n=1",
        ];
        for sql in every {
            let since = changes.now().unwrap();
            assert!(changes.stands(since, &[7]));
            run(&conn, &changes, sql);
            assert!(!changes.stands(since, &[7]), "{sql}");
        }
        let since = changes.now().unwrap();
        let many = format!(
            "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM g LIMIT {}) \
             INSERT INTO debts SELECT x'03', n FROM g",
            ROWS_MAX + 1
        );
        run(&conn, &changes, &many);
        assert!(
            !changes.stands(since, &[7]),
            "more than are asked one by one"
        );
    }

    #[test]
    fn what_is_not_committed_was_not_read() {
        let (conn, changes) = watched();
        changes.watch();
        changes.committed();
        conn.execute_batch("BEGIN; INSERT INTO debts VALUES (CAST('one' AS BLOB), 1)")
            .unwrap();
        changes.gather(&conn);
        // Somebody begins to read beside the writer here, and does not see the row.
        let since = changes.now().unwrap();
        conn.execute_batch("COMMIT").unwrap();
        changes.committed();
        assert!(!changes.stands(since, &[key(b"one")]));
    }

    #[test]
    fn much_is_not_noted_row_by_row() {
        let (conn, changes) = watched();
        changes.watch();
        changes.committed();
        let since = changes.now().unwrap();
        changes.blind(true);
        assert_eq!(changes.now(), None);
        assert!(!changes.stands(since, &[7]));
        run(&conn, &changes, "INSERT INTO debts VALUES (x'01', 1)");
        changes.blind(false);
        assert!(!changes.stands(since, &[7]), "read before it");
        changes.committed();
        assert!(changes.stands(changes.now().unwrap(), &[7]));
    }
}
