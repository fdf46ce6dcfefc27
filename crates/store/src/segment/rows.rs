//! What stands in rows of other tables, asked of all debtors at once or of a few one by one.
//!
//! SQLite is told which of both it is to do. PostgreSQL is where all are asked told what is wanted alone (`EXISTS`): it
//! joins where it can, on several cores, and elsewhere makes a set or asks each, by what it knows of both.

use super::source::{Has, OPEN, Summed, Told};
use super::{Compiler, Owing, Reach};
use crate::sql::Dialect;

/// Tables in which most debtors have a row.
const WIDE: &[&str] = &[
    "debts",
    "parties",
    "consents",
    "contact_points",
    "debt_stages",
    "assignments",
];

/// Those in which a debtor has one row at most: what is asked of it is no sum.
pub(super) const ONE: &[&str] = &["assignments"];

/// Which sums fit.
pub(super) struct Fits {
    /// The comparison behind the sum.
    pub(super) sql: String,
    /// Whether that of no row does.
    pub(super) none: bool,
    /// Of a count that is only asked whether there is anything: whether there must be.
    pub(super) some: Option<bool>,
}

impl Fits {
    pub(super) const fn of(sql: String, none: bool) -> Self {
        Self {
            sql,
            none,
            some: None,
        }
    }
}

impl Compiler {
    /// Debtors with an open debt in one of these currencies. His own row says in which all of his are, as long as it
    /// is one.
    pub(super) fn owes_in(&self, currencies: &str) -> String {
        let condition = format!("{OPEN} AND x.currency IN ({currencies})");
        let own = format!("d.open_currency IN ({currencies})");
        match (self.owing, self.dialect) {
            (Owing::One, _) => own,
            (Owing::Several, _) => self.with("debts", &condition, false),
            (Owing::Any, dialect) => format!(
                "({own} OR (d.open_currency='*' AND {}))",
                Self::each("debts", &condition, dialect)
            ),
        }
    }

    /// Debtors of portfolios of these names.
    pub(super) fn in_portfolios(names: &str) -> String {
        format!("d.portfolio_id IN (SELECT x.id FROM portfolios x WHERE x.name IN ({names}))")
    }

    /// Debtors with a row of `table` that fulfils a condition and has one of the values.
    pub(super) fn any(&self, table: &str, condition: &str, (has, places): (Has, &str)) -> String {
        let condition = format!("{condition} AND {}", has.one_of(places));
        self.with(table, &condition, has.by_key())
    }

    /// Debtors with a row of `table` that fulfils a condition, which an index by key may answer.
    pub(super) fn with(&self, table: &str, condition: &str, by_key: bool) -> String {
        match (self.reach, self.dialect) {
            (Reach::Few, dialect) => Self::each(table, condition, dialect),
            // SQLite keeps a set as a tree: one as large as there are debtors costs more than to ask the rows of
            // each, which lie in the order in which the debtors do.
            (Reach::All, Dialect::Lite) if WIDE.contains(&table) && !by_key => {
                Self::each(table, condition, Dialect::Lite)
            }
            (Reach::All, Dialect::Lite) => {
                format!("d.id IN (SELECT x.debtor_id FROM {table} x WHERE {condition})")
            }
            (Reach::All, Dialect::Pg) => Self::there(table, condition),
        }
    }

    /// Asked of each debtor.
    fn each(table: &str, condition: &str, dialect: Dialect) -> String {
        match dialect {
            Dialect::Lite => Self::there(table, condition),
            // Without it PostgreSQL may read the whole table into a set for the few thousand who are asked.
            Dialect::Pg => Self::there(table, &format!("{condition} OFFSET 0")),
        }
    }

    fn there(table: &str, condition: &str) -> String {
        format!("EXISTS (SELECT 1 FROM {table} x WHERE x.debtor_id=d.id AND {condition})")
    }

    /// Debtors whose sum fits.
    pub(super) fn sum(&self, of: &Summed, fits: &Fits) -> String {
        match (self.dialect, self.reach) {
            (Dialect::Lite, _) => self.lite_sum(of, fits),
            // Nothing but all there are of the debtor would find them.
            (Dialect::Pg, Reach::Few) if !of.of_debtor => Self::pg_sum(of, fits),
            (Dialect::Pg, Reach::Few) => match (&of.told, fits.some) {
                (Told::Is(_), Some(_)) => Self::pg_sum(of, fits),
                _ => self.each_sum(of, fits),
            },
            (Dialect::Pg, Reach::All) => Self::pg_sum(of, fits),
        }
    }

    /// The set holds those with rows alone, so that it is as small as what happened.
    fn lite_sum(&self, of: &Summed, fits: &Fits) -> String {
        let Summed {
            table,
            condition,
            sum,
            wide,
            index,
            ..
        } = of;
        if *wide || self.reach == Reach::Few {
            return self.each_sum(of, fits);
        }
        // The order of the debtors would lead SQLite past all rows there are.
        let rows = match index {
            Some(index) => format!("{table} x INDEXED BY {index}"),
            None => format!("{table} x"),
        };
        let fit = &fits.sql;
        let set = |having: String| {
            format!(
                "d.id IN (SELECT x.debtor_id FROM {rows} WHERE {condition} \
                    GROUP BY x.debtor_id HAVING {having})"
            )
        };
        match fits.none {
            true => format!("NOT ({})", set(format!("NOT ({sum}{fit})"))),
            false => set(format!("{sum}{fit}")),
        }
    }

    /// As what must be there, or what must not.
    fn pg_sum(of: &Summed, fits: &Fits) -> String {
        let Summed {
            table,
            condition,
            sum,
            told,
            ..
        } = of;
        let fit = &fits.sql;
        let rows = match (told, fits.some) {
            (Told::Is(so), Some(_)) => so.clone(),
            (_, Some(_)) => Self::there(table, condition),
            (told, None) => {
                let having = match fits.none {
                    true => format!("NOT ({sum}{fit})"),
                    false => format!("{sum}{fit}"),
                };
                let rows = match ONE.contains(table) {
                    true => Self::there(table, &format!("{condition} AND {having}")),
                    false => format!(
                        "EXISTS (SELECT 1 FROM (SELECT x.debtor_id FROM {table} x WHERE {condition} \
                            GROUP BY x.debtor_id HAVING {having}) s WHERE s.debtor_id=d.id)"
                    ),
                };
                match told {
                    Told::Nothing => rows,
                    // Before, and not within: a join that has more to compare than ids may be one that sorts everybody.
                    Told::Is(so) | Told::Needs(so) => format!("({so} AND {rows})"),
                }
            }
        };
        match fits.none {
            true => format!("NOT ({rows})"),
            false => rows,
        }
    }

    /// The same, asked of each debtor.
    fn each_sum(&self, of: &Summed, fits: &Fits) -> String {
        let Summed {
            table,
            condition,
            sum,
            none,
            told,
            ..
        } = of;
        let fit = &fits.sql;
        let own = format!(
            "COALESCE((SELECT {sum} FROM {table} x WHERE x.debtor_id=d.id AND {condition}),{none})"
        );
        match (told, self.dialect) {
            (Told::Needs(so) | Told::Is(so), Dialect::Pg) => {
                format!("(CASE WHEN {so} THEN {own} ELSE {none} END){fit}")
            }
            _ => format!("{own}{fit}"),
        }
    }
}
