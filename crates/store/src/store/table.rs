//! Statements every table needs.

use super::marks::stir;
use crate::rows::{Entity, Stirs, columns, replace_sql, written};
use crate::sql::{Dialect, Field, Link, Row, Val, holes, vals};
use domain::ports::StoreError;
use std::borrow::Cow;

/// Most values of one `IN` list.
const LIST_MAX: usize = 512;
/// Most rows of one `INSERT` on PostgreSQL; with the widest table (38 columns) well below its limit.
const INSERT_MAX: usize = 64;
/// Rows of one `INSERT` on SQLite, where there are so many: the trees are opened once for them, and a key that follows
/// the last one finds its place at once. What is left goes row by row, so that few texts are kept.
const LITE_MAX: usize = 16;

/// Values of an `IN` list cut into pieces whose length is a power of two (the last value is repeated),
/// so that a list of any length needs few statements.
pub(crate) fn pieces<T: Field + Clone>(values: &[T]) -> Vec<Vec<T>> {
    let padded = |piece: &[T]| {
        let mut piece = piece.to_vec();
        if let Some(last) = piece.last().cloned() {
            piece.resize(piece.len().next_power_of_two(), last);
        }
        piece
    };
    values.chunks(LIST_MAX).map(padded).collect()
}

/// Rows for one table as values, made before a transaction that writes them.
pub(crate) struct Rows {
    /// The statement as far as `VALUES`, and what follows the rows.
    into: String,
    or: String,
    width: usize,
    /// Row after row.
    pub(crate) values: Vec<Val>,
}

impl Rows {
    /// None yet, each of `width` values.
    pub(crate) fn new(into: impl Into<String>, width: usize, or: &str) -> Self {
        Self {
            into: into.into(),
            or: or.to_owned(),
            width,
            values: Vec::new(),
        }
    }

    /// Those of entities; `or` is a conflict clause, or nothing.
    pub(crate) fn of<'a, T: Entity + 'a>(or: &str, rows: impl Iterator<Item = &'a T>) -> Self {
        let names = written::<T>();
        let into = format!("INSERT INTO {} ({}) VALUES ", T::TABLE, names.join(","));
        let mut all = Self::new(into, names.len(), or);
        for row in rows {
            all.values.extend(row.vals());
            all.values.extend(row.derived());
        }
        all
    }
}

impl Link {
    /// Writes rows that were laid out.
    pub(crate) async fn insert_rows(&mut self, rows: &Rows) -> Result<(), StoreError> {
        let values = Cow::Borrowed(&rows.values[..]);
        self.insert_many((&rows.into, &rows.or), rows.width, values)
            .await
    }

    /// Inserts rows of `width` values each; `into` is the statement as far as `VALUES`, `or` what follows the rows.
    async fn insert_many(
        &mut self,
        (into, or): (&str, &str),
        width: usize,
        values: Cow<'_, [Val]>,
    ) -> Result<(), StoreError> {
        if values.is_empty() {
            return Ok(());
        }
        let sql = |rows: usize| {
            let places = |n: usize| format!("({})", holes(n * width + 1, width));
            let all: Vec<String> = (0..rows).map(places).collect();
            format!("{into}{}{or}", all.join(","))
        };
        if self.dialect() == Dialect::Pg {
            let each = (width * INSERT_MAX).max(1);
            if values.len() <= each {
                let rows = values.len() / width.max(1);
                return self.run(sql(rows), values.into_owned()).await.map(drop);
            }
            for chunk in values.chunks(each) {
                self.run(sql(chunk.len() / width), chunk.to_vec()).await?;
            }
            return Ok(());
        }
        let each = (width * LITE_MAX).max(1);
        let (many, rest) = values.split_at(values.len() / each * each);
        if !many.is_empty() {
            self.run_each(&sql(LITE_MAX), each, many).await?;
        }
        if !rest.is_empty() {
            self.run_each(&sql(1), width, rest).await?;
        }
        Ok(())
    }

    /// Runs `before IN (list) after` for each piece of a list; `fixed` are the values in front of it.
    pub(crate) async fn rows_in<T: Field + Clone>(
        &mut self,
        before: &str,
        list: &[T],
        after: &str,
        fixed: &[Val],
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for piece in pieces(list) {
            let sql = in_sql(before, piece.len(), after, fixed.len());
            rows.extend(self.rows(sql, with_list(fixed, &piece)).await?);
        }
        Ok(rows)
    }

    /// As [`Self::rows_in`], for a statement that gives no rows.
    pub(crate) async fn run_in<T: Field + Clone>(
        &mut self,
        before: &str,
        list: &[T],
        after: &str,
        fixed: &[Val],
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        for piece in pieces(list) {
            let sql = in_sql(before, piece.len(), after, fixed.len());
            touched += self.run(sql, with_list(fixed, &piece)).await?;
        }
        Ok(touched)
    }

    /// Inserts or replaces one row by its key; marks of the law that it may make wrong go with it.
    pub(crate) async fn put<T: Entity>(&mut self, row: &T) -> Result<(), StoreError> {
        let who = row.stirs();
        // What a portfolio changes is seen against the row that stands there.
        let before = matches!(who, Some(Stirs::Portfolio(..)));
        if let Some(who) = who.as_ref().filter(|_| before) {
            stir(self, who).await?;
        }
        self.put_all(std::slice::from_ref(row)).await?;
        match who.filter(|_| !before) {
            Some(who) => stir(self, &who).await,
            None => Ok(()),
        }
    }

    /// Inserts or replaces rows by their keys; no key may come twice.
    pub(crate) async fn put_all<T: Entity>(&mut self, rows: &[T]) -> Result<(), StoreError> {
        self.insert(rows, &replace_sql::<T>()).await
    }

    /// Inserts rows that are not there yet; `or` is a conflict clause, or nothing.
    pub(crate) async fn insert<T: Entity>(
        &mut self,
        rows: &[T],
        or: &str,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let names = written::<T>();
        let into = format!("INSERT INTO {} ({}) VALUES ", T::TABLE, names.join(","));
        let fill = |row: &T, values: &mut Vec<Val>| {
            values.extend(row.vals());
            values.extend(row.derived());
        };
        self.insert_values(&into, names.len(), or, rows, fill)
            .await
            .map_err(named::<T>)?;
        for row in rows {
            if let Some(who @ Stirs::Ledger(..)) = row.stirs() {
                stir(self, &who).await?;
            }
        }
        Ok(())
    }

    /// Inserts rows of `width` values each. `into`: the statement as far as `VALUES`; `or`: what follows the rows.
    pub(crate) async fn insert_values<T>(
        &mut self,
        into: &str,
        width: usize,
        or: &str,
        rows: &[T],
        fill: impl Fn(&T, &mut Vec<Val>),
    ) -> Result<(), StoreError> {
        let mut values = Vec::new();
        for chunk in rows.chunks(INSERT_MAX) {
            for row in chunk {
                fill(row, &mut values);
            }
            let values = Cow::Owned(std::mem::take(&mut values));
            self.insert_many((into, or), width, values).await?;
        }
        Ok(())
    }

    /// One row by its key.
    pub(crate) async fn get<T: Entity>(&mut self, key: impl Field) -> Result<T, StoreError> {
        self.find(&format!("WHERE {}=$1", T::COLUMNS[0]), vals![key])
            .await?
            .ok_or(StoreError::NotFound(T::WHAT))
    }

    /// The first row that `rest` (everything behind the table's name) finds.
    pub(crate) async fn find<T: Entity>(
        &mut self,
        rest: &str,
        values: Vec<Val>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(rest, values).await?.into_iter().next())
    }

    /// All rows that `rest` finds.
    pub(crate) async fn all<T: Entity>(
        &mut self,
        rest: &str,
        values: Vec<Val>,
    ) -> Result<Vec<T>, StoreError> {
        let sql = format!("SELECT {} FROM {} {rest}", columns::<T>(), T::TABLE);
        self.rows(sql, values).await?.iter().map(T::read).collect()
    }

    /// All rows whose `column` is in a list, with more conditions and order in `after`.
    pub(crate) async fn all_in<T: Entity, K: Field + Clone>(
        &mut self,
        column: &str,
        list: &[K],
        after: &str,
        fixed: &[Val],
    ) -> Result<Vec<T>, StoreError> {
        let before = format!("SELECT {} FROM {} WHERE {column}", columns::<T>(), T::TABLE);
        let rows = self.rows_in(&before, list, after, fixed).await?;
        rows.iter().map(T::read).collect()
    }
}

fn in_sql(before: &str, count: usize, after: &str, fixed: usize) -> String {
    format!("{before} IN ({}) {after}", holes(fixed + 1, count))
}

fn with_list<T: Field>(fixed: &[Val], list: &[T]) -> Vec<Val> {
    fixed
        .iter()
        .cloned()
        .chain(list.iter().map(Field::val))
        .collect()
}

/// A conflict says what is taken, in the words of the port.
fn named<T: Entity>(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(text) if text.contains("belongs to") => StoreError::Conflict(text),
        StoreError::Conflict(_) => StoreError::Conflict(format!("{} is taken", T::UNIQUE)),
        other => other,
    }
}
