//! Several questions, or several writes, in one statement. On PostgreSQL each statement is a way to the server and back,
//! and on a busy machine a wait for a core at both ends: longer than most statements take.

use super::{Dialect, Field, Link, Row, Val, holes};
use domain::ports::StoreError;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A question that needs no other one's answer.
pub(crate) struct Ask {
    sql: String,
    values: Vec<Val>,
}

impl Ask {
    pub(crate) fn new(sql: impl Into<String>, values: Vec<Val>) -> Self {
        Self {
            sql: sql.into(),
            values,
        }
    }

    /// `before IN (list) after`.
    pub(crate) fn of_list<T: Field>(before: &str, list: &[T], after: &str) -> Self {
        let values = list.iter().map(Field::val).collect();
        let places = holes(1, list.len());
        Self::new(format!("{before} IN ({places}){after}"), values)
    }

    /// Asks it beside the writes of a batch, which sees none of them.
    pub(crate) fn join(self, batch: &mut Batch, name: &str) {
        batch.add(name, &self.sql, self.values);
    }
}

/// Writes of which none needs what another one leaves, and no two touch the same row.
#[derive(Default)]
pub(crate) struct Batch {
    with: String,
    values: Vec<Val>,
    /// Names of the writes, each of which returns its rows.
    written: Vec<String>,
}

impl Batch {
    /// One more, under a name by which the others and the last question see what it returns.
    pub(crate) fn add(&mut self, name: &str, sql: &str, values: Vec<Val>) {
        let before = if self.with.is_empty() { "WITH " } else { ", " };
        let sql = counted_on(sql, self.values.len());
        // A String takes every write.
        let _ = write!(self.with, "{before}{name} AS ({sql})");
        self.values.extend(values);
    }

    /// A write that returns its rows by itself.
    pub(crate) fn add_returning(&mut self, name: &str, sql: &str, values: Vec<Val>) {
        self.add(name, sql, values);
        self.written.push(name.to_owned());
    }

    /// A write of which nothing is asked but that it is done.
    pub(crate) fn add_write(&mut self, name: &str, sql: &str, values: Vec<Val>) {
        self.add_returning(name, &format!("{sql} RETURNING 1 AS n"), values);
    }

    /// What holds once all writes so far are done, and not before; empty where there are none.
    pub(crate) fn is_written(&self) -> String {
        let count = |name: &String| format!("(SELECT COUNT(*) FROM {name})");
        let counts: Vec<String> = self.written.iter().map(count).collect();
        match counts.is_empty() {
            true => String::new(),
            false => format!("{}>=0", counts.join("+")),
        }
    }
}

/// The statement with its places counted on by `by`: `$1` is `$4` behind three values. Texts of this room hold no
/// other `$`.
fn counted_on(sql: &str, by: usize) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let place = number.parse::<usize>().map_or(0, |n| n + by);
        let _ = write!(text, "${place}{rest}");
    }
    text
}

/// One statement with a column of JSON for each question: numbers in it have all their digits.
fn one_statement(asks: Vec<Ask>) -> (String, Vec<Val>) {
    let (mut sql, mut values) = ("SELECT ".to_owned(), Vec::new());
    for (n, ask) in asks.into_iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let asked = counted_on(&ask.sql, values.len());
        let _ = write!(
            sql,
            "{comma}(SELECT CAST(json_agg(t) AS TEXT) FROM ({asked}) t) AS p{n}"
        );
        values.extend(ask.values);
    }
    (sql, values)
}

/// Rows of a column that holds them all as JSON.
pub(crate) fn rows_of_json(text: Option<String>) -> Result<Vec<Row>, StoreError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let rows: Vec<Map<String, Value>> =
        serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(rows.into_iter().map(Row::Json).collect())
}

impl Link {
    /// The rows of each question. On PostgreSQL all of them see one state; for few rows, since they come as JSON.
    pub(crate) async fn several(&mut self, asks: Vec<Ask>) -> Result<Vec<Vec<Row>>, StoreError> {
        let count = asks.len();
        let mut found = Vec::with_capacity(count);
        if self.dialect() == Dialect::Lite || count < 2 {
            for ask in asks {
                found.push(self.rows(ask.sql, ask.values).await?);
            }
            return Ok(found);
        }
        let (sql, values) = one_statement(asks);
        let row = self.row(sql, values).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("a row of answers is missing".into()))?;
        for n in 0..count {
            found.push(rows_of_json(row.get(&format!("p{n}"))?)?);
        }
        Ok(found)
    }

    /// Runs the writes in one statement, in no order that may be counted on; the rows of `what`, which may ask what they
    /// returned. PostgreSQL alone.
    pub(crate) async fn write_rows(
        &mut self,
        batch: Batch,
        what: &str,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = format!("{} SELECT {what}", batch.with);
        self.rows(sql, batch.values).await
    }

    /// The same for one row.
    pub(crate) async fn write_all(
        &mut self,
        batch: Batch,
        what: &str,
    ) -> Result<Option<Row>, StoreError> {
        let rows = self.write_rows(batch, what).await?;
        Ok(rows.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::vals;

    #[test]
    fn places_are_counted_on() {
        let sql = "SELECT $1, '-', $12 WHERE $2=$1";
        assert_eq!(counted_on(sql, 0), sql);
        assert_eq!(counted_on(sql, 3), "SELECT $4, '-', $15 WHERE $5=$4");
    }

    #[test]
    fn writes_share_one_list_of_values() {
        let mut batch = Batch::default();
        batch.add("a", "UPDATE a SET x=$1 WHERE id=$2", vals![1_i64, 2_i64]);
        batch.add("b", "DELETE FROM b WHERE id=$1", vals![3_i64]);
        let with = "WITH a AS (UPDATE a SET x=$1 WHERE id=$2), b AS (DELETE FROM b WHERE id=$3)";
        assert_eq!(batch.with, with);
        assert_eq!(batch.values.len(), 3);
        assert_eq!(batch.is_written(), "");
        batch.add_write("c", "DELETE FROM c", vec![]);
        batch.add_returning("d", "DELETE FROM d RETURNING id", vec![]);
        assert_eq!(
            batch.is_written(),
            "(SELECT COUNT(*) FROM c)+(SELECT COUNT(*) FROM d)>=0"
        );
        assert!(
            batch.with.ends_with(
                "c AS (DELETE FROM c RETURNING 1 AS n), d AS (DELETE FROM d RETURNING id)"
            )
        );
    }

    #[test]
    fn a_row_of_json_is_read_as_it_was_written() {
        let rows = rows_of_json(Some(
            r#"[{"n":9223372036854775807,"t":"é\n\"x\"","b":true,"u":"019e8dff-9d80-700f-8000-000000000004","o":null}]"#
                .into(),
        ));
        let rows = rows.expect("rows");
        let row = rows.first().expect("one");
        assert_eq!(row.get::<i64>("n").ok(), Some(i64::MAX));
        assert_eq!(row.get::<String>("t").ok(), Some("é\n\"x\"".to_owned()));
        assert_eq!(row.get::<bool>("b").ok(), Some(true));
        let id = uuid::Uuid::from_u128(0x019e_8dff_9d80_700f_8000_0000_0000_0004);
        assert_eq!(row.get::<uuid::Uuid>("u").ok(), Some(id));
        assert_eq!(row.get::<Option<i64>>("o").ok(), Some(None));
        assert!(row.get::<i64>("o").is_err());
        assert!(row.get::<i64>("t").is_err());
        assert!(row.get::<i64>("missing").is_err());
        assert!(rows_of_json(None).expect("none").is_empty());
    }
}
