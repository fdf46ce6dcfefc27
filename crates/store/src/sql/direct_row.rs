//! Values into and rows out of the writer's connection, in the form the other connections give them.

use super::{Row, Val};
use domain::ports::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ffi};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the values of a statement go and what its columns are called.
pub(crate) struct Plan {
    /// For each of SQLite's places, in its order, the number N of `$N`, from 0.
    places: Vec<usize>,
    names: Arc<[String]>,
}

/// Plans by text; bounded as the statements are, which are made of texts in this room.
#[derive(Default)]
pub(crate) struct Plans(HashMap<String, Arc<Plan>, BuildHasherDefault<ByText>>);

/// Hashes a statement, eight letters at a time: nobody outside writes one, so that it needs no secret.
#[derive(Default)]
struct ByText(u64);

impl Hasher for ByText {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(piece) {
                *to = *from;
            }
            let mixed = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
            // The golden ratio spreads each letter over the high bits.
            self.0 = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
}

impl Plans {
    /// The plan of a statement that comes again.
    pub(crate) fn of(&mut self, sql: &str, of: &Statement<'_>) -> Result<Arc<Plan>, StoreError> {
        if let Some(plan) = self.0.get(sql) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(Plan::of(of)?);
        self.0.insert(sql.to_owned(), plan.clone());
        Ok(plan)
    }
}

impl Plan {
    /// SQLite numbers `$2` by its first place in the text, not by its name.
    pub(crate) fn of(statement: &Statement<'_>) -> Result<Self, StoreError> {
        let number = |place: usize| {
            let name = statement.parameter_name(place)?;
            let number: usize = name.get(1..)?.parse().ok()?;
            number.checked_sub(1)
        };
        let places = (1..=statement.parameter_count()).map(number);
        let places: Option<Vec<usize>> = places.collect();
        Ok(Self {
            places: places
                .ok_or_else(|| StoreError::Corrupt("a statement's places are not $N".into()))?,
            names: statement
                .column_names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    fn bind(&self, statement: &mut Statement<'_>, values: &[Val]) -> Result<(), rusqlite::Error> {
        for (at, place) in self.places.iter().enumerate() {
            let value = values
                .get(*place)
                .ok_or(rusqlite::Error::InvalidParameterCount(
                    values.len(),
                    place + 1,
                ))?;
            statement.raw_bind_parameter(at + 1, value)?;
        }
        Ok(())
    }

    /// Runs it to its end.
    pub(crate) fn run(
        &self,
        conn: &Connection,
        statement: &mut Statement<'_>,
        values: &[Val],
    ) -> Result<(Vec<Row>, u64), rusqlite::Error> {
        self.bind(statement, values)?;
        let mut found = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let mut cells = CellRow::of(&self.names);
            for n in 0..self.names.len() {
                cells.push(row.get_ref(n)?)?;
            }
            rows.push(Row::from(cells));
        }
        Ok((rows, conn.changes()))
    }
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Int(Some(v)) => ValueRef::Integer(*v),
            Self::Bool(Some(v)) => ValueRef::Integer(i64::from(*v)),
            Self::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Self::Uuid(Some(v)) => ValueRef::Blob(v.as_bytes()),
            Self::Int(None) | Self::Bool(None) | Self::Text(None) | Self::Uuid(None) => {
                ValueRef::Null
            }
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// A value of a row, out of SQLite's hands.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Null,
    Int(i64),
    /// From where to where in the row's text.
    Text(usize, usize),
    /// An id, as nearly all bytes are.
    Id([u8; 16]),
    /// Of a type that no column has: a float, bytes of another length.
    Other,
}

/// What a cell is, without a copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Id([u8; 16]),
    /// Of a type that no column has.
    Other,
}

impl Kept<'_> {
    /// What it is called in errors.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "number",
            Self::Text(_) => "text",
            Self::Id(_) => "id",
            Self::Other => "value of another type",
        }
    }
}

/// A row, out of SQLite's hands: its numbers and ids side by side, its texts in one piece.
pub(crate) struct CellRow {
    names: Arc<[String]>,
    slots: Vec<Slot>,
    text: String,
    /// Columns are mostly asked for in their order.
    next: AtomicUsize,
}

impl CellRow {
    fn of(names: &Arc<[String]>) -> Self {
        Self {
            names: names.clone(),
            slots: Vec::with_capacity(names.len()),
            text: String::new(),
            next: AtomicUsize::new(0),
        }
    }

    fn push(&mut self, value: ValueRef<'_>) -> Result<(), rusqlite::Error> {
        let slot = match value {
            ValueRef::Null => Slot::Null,
            ValueRef::Integer(n) => Slot::Int(n),
            ValueRef::Real(_) => Slot::Other,
            ValueRef::Text(_) => {
                let from = self.text.len();
                self.text.push_str(value.as_str()?);
                Slot::Text(from, self.text.len())
            }
            ValueRef::Blob(bytes) => bytes.try_into().map_or(Slot::Other, Slot::Id),
        };
        self.slots.push(slot);
        Ok(())
    }

    /// The value of a column.
    pub(crate) fn cell(&self, column: &str) -> Result<Kept<'_>, StoreError> {
        let guess = self.next.load(Ordering::Relaxed);
        let at = match self.names.get(guess) {
            Some(name) if name == column => guess,
            _ => self
                .names
                .iter()
                .position(|name| name == column)
                .ok_or_else(|| StoreError::Corrupt(format!("there is no column {column}")))?,
        };
        self.next.store(at + 1, Ordering::Relaxed);
        let kept = match self.slots.get(at) {
            Some(Slot::Null) => Kept::Null,
            Some(Slot::Int(n)) => Kept::Int(*n),
            Some(Slot::Text(from, to)) => Kept::Text(self.text.get(*from..*to).unwrap_or_default()),
            Some(Slot::Id(id)) => Kept::Id(*id),
            Some(Slot::Other) => Kept::Other,
            None => {
                return Err(StoreError::Corrupt(format!("column {column} has no value")));
            }
        };
        Ok(kept)
    }
}

impl From<CellRow> for Row {
    fn from(row: CellRow) -> Self {
        Self::Direct(row)
    }
}

/// Runs a statement to its end: its rows, and how many it touched.
pub(super) fn ask(
    (conn, plans): (&Connection, &mut Plans),
    sql: &str,
    values: &[Val],
    keep: bool,
) -> Result<(Vec<Row>, u64), StoreError> {
    if keep {
        let mut statement = conn.prepare_cached(sql).map_err(fault)?;
        let plan = plans.of(sql, &statement)?;
        plan.run(conn, &mut statement, values).map_err(fault)
    } else {
        let mut statement = conn.prepare(sql).map_err(fault)?;
        let plan = Plan::of(&statement)?;
        plan.run(conn, &mut statement, values).map_err(fault)
    }
}

/// Whether another process holds SQLite's write lock.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(e, _)
        if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Runs a statement that comes again and gives no rows, once for each `width` values.
pub(super) fn ask_each(
    (conn, plans): (&Connection, &mut Plans),
    sql: &str,
    width: usize,
    values: &[Val],
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(fault)?;
    let plan = plans.of(sql, &statement)?;
    for row in values.chunks(width) {
        plan.bind(&mut statement, row).map_err(fault)?;
        statement.raw_execute().map_err(fault)?;
    }
    Ok(())
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".into())
}

/// What the caller can do about a fault, as `link::fault` tells it of the other connections.
pub(super) fn fault(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            let text = text.unwrap_or_else(|| code.to_string());
            match code.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                    StoreError::Conflict(text)
                }
                ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
                    StoreError::Conflict("the row it belongs to is not there".into())
                }
                _ => StoreError::Unavailable(text),
            }
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}
