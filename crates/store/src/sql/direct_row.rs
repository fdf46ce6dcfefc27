//! Values into and rows out of the writer's connection, in the form the other connections give them.

use super::{Row, Val};
use domain::ports::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement};
use std::collections::HashMap;
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
pub(crate) struct Plans(HashMap<String, Arc<Plan>>);

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

    /// Runs it to its end.
    pub(crate) fn run(
        &self,
        conn: &Connection,
        statement: &mut Statement<'_>,
        values: &[Val],
    ) -> Result<(Vec<Row>, u64), rusqlite::Error> {
        for (at, place) in self.places.iter().enumerate() {
            let value = values
                .get(*place)
                .ok_or(rusqlite::Error::InvalidParameterCount(
                    values.len(),
                    place + 1,
                ))?;
            statement.raw_bind_parameter(at + 1, value)?;
        }
        let mut found = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let cells = (0..self.names.len()).map(|n| row.get_ref(n).map(Value::try_from));
            let cells: Result<Vec<_>, _> = cells.collect();
            let cells: Result<Vec<Value>, _> = cells?.into_iter().collect();
            rows.push(Row::from(CellRow {
                names: self.names.clone(),
                cells: cells?,
                next: AtomicUsize::new(0),
            }));
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

/// A row, out of SQLite's hands.
pub(crate) struct CellRow {
    names: Arc<[String]>,
    cells: Vec<Value>,
    /// Columns are mostly asked for in their order.
    next: AtomicUsize,
}

impl CellRow {
    /// The value of a column.
    pub(crate) fn cell(&self, column: &str) -> Result<&Value, StoreError> {
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
        self.cells
            .get(at)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} has no value")))
    }
}
