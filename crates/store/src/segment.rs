//! Segments as SQL: the conditions of an expression over a debtor `d`, with every value bound. The
//! meaning of a field is that of `domain::segment::SegmentRow`; a property test compares both.

mod counted;
mod ops;
mod rows;
mod source;
mod today;

pub(crate) use self::today::Today;

use self::counted::COUNT;
use self::ops::{compared, from_one, one_of, sign};
use self::rows::Fits;
use self::source::{Source, Summed, Toward};
use crate::sql::{Dialect, Field as Bound, Val, holes};
use domain::entity::Bucket;
use domain::ids::{ClientId, ImportId};
use domain::segment::{Expr, Field, FieldKind, Literal, NEVER_DAYS, Op};
use domain::time::UtcMs;

/// Conditions over `debtors d`, and their values from `$1` on.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Condition; never null, so that `NOT` is the exact opposite.
    pub(crate) sql: String,
    /// Values.
    pub(crate) values: Vec<Val>,
}

/// How many debtors are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All of a client: what other tables say is made into a set once.
    All,
    /// A few thousand: other tables are asked for each.
    Few,
}

/// In how many currencies those owe who are asked. PostgreSQL asks a whole client in two parts: what stands in other
/// rows for some keeps it from dividing the work on all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owing {
    /// His own row says so.
    Any,
    /// In one, or nothing.
    One,
    /// In several: figures of his open debts are added up debt by debt.
    Several,
}

impl Filter {
    /// Debtors of a client who are in the segment now, each by his own day.
    pub(crate) fn of_client(of: Dialect, client: ClientId, expr: &Expr, today: &Today) -> Self {
        let compiler = Compiler::new(of, today, (Reach::All, Owing::Any));
        Self::compiled(compiler, client, expr, today)
    }

    /// The same condition on those alone who owe so.
    pub(crate) fn of_owing(
        (of, owing): (Dialect, Owing),
        client: ClientId,
        expr: &Expr,
        today: &Today,
    ) -> Self {
        let compiler = Compiler::new(of, today, (Reach::All, owing));
        let mut filter = Self::compiled(compiler, client, expr, today);
        match owing {
            Owing::Any => {}
            Owing::One => filter.sql.push_str(" AND d.open_currency<>'*'"),
            Owing::Several => filter.sql.push_str(" AND d.open_currency='*'"),
        }
        filter
    }

    /// The same condition in the form that is quick for a few debtors.
    pub(crate) fn of_few(of: Dialect, client: ClientId, expr: &Expr, today: &Today) -> Self {
        let compiler = Compiler::new(of, today, (Reach::Few, Owing::Any));
        Self::compiled(compiler, client, expr, today)
    }

    fn compiled(mut compiler: Compiler, client: ClientId, expr: &Expr, today: &Today) -> Self {
        let client = compiler.bind(client);
        if counts_days(expr) {
            compiler.days = compiler.whose(today);
        }
        let sql = compiler.condition(expr);
        Self {
            sql: format!("d.client_id={client} AND {sql}"),
            values: compiler.values,
        }
    }
}

impl Filter {
    /// Without debtors whom these files made.
    pub(crate) fn without(mut self, files: &[ImportId]) -> Self {
        if files.is_empty() {
            return self;
        }
        let first = self.values.len() + 1;
        self.values.extend(files.iter().map(Bound::val));
        let files = holes(first, files.len());
        self.sql = format!(
            "{} AND (d.made_by IS NULL OR d.made_by NOT IN ({files}))",
            self.sql
        );
        self
    }
}

const NEVER: &str = "1=0";
const ALWAYS: &str = "1=1";

/// Most days past due that occur (dates have four-digit years); keeps day arithmetic within `i64`.
const DAYS_MAX: i64 = 10_000_000;

/// How days that are compared so compare their dates: the longer ago, the earlier.
const fn dated(op: Op, toward: Toward) -> &'static str {
    match (toward, op) {
        (Toward::Until, op) => sign(op),
        (Toward::Since, Op::Lt) => sign(Op::Gt),
        (Toward::Since, Op::Le) => sign(Op::Ge),
        (Toward::Since, Op::Gt) => sign(Op::Lt),
        (Toward::Since, Op::Ge) => sign(Op::Le),
        (Toward::Since, op) => sign(op),
    }
}

/// Whether the day changes what an expression finds.
fn counts_days(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(counts_days),
        Expr::Not(part) => counts_days(part),
        Expr::Cmp { field, .. } | Expr::Between { field, .. } | Expr::In { field, .. } => {
            field.counts_days()
        }
        Expr::All | Expr::Named { .. } => false,
    }
}

struct Compiler {
    values: Vec<Val>,
    now: UtcMs,
    /// The day that is asked about.
    today: i64,
    /// Each day with the condition of the debtors whose day it is; empty where it is everybody's.
    days: Vec<(i64, String)>,
    reach: Reach,
    owing: Owing,
    dialect: Dialect,
}

impl Compiler {
    const fn new(dialect: Dialect, today: &Today, (reach, owing): (Reach, Owing)) -> Self {
        Self {
            values: Vec::new(),
            now: today.now,
            today: today.first,
            days: Vec::new(),
            reach,
            owing,
            dialect,
        }
    }

    fn bind(&mut self, value: impl Bound) -> String {
        self.values.push(value.val());
        format!("${}", self.values.len())
    }

    /// Whose day each is, where not all of a client's debtors are on the same.
    fn whose(&mut self, today: &Today) -> Vec<(i64, String)> {
        let mut days = Vec::new();
        let mut others = Vec::new();
        for (day, portfolios) in &today.later {
            let places: Vec<String> = portfolios.iter().map(|id| self.bind(*id)).collect();
            let places = places.join(",");
            days.push((*day, format!("d.portfolio_id IN ({places})")));
            others.push(places);
        }
        if !others.is_empty() {
            let others = others.join(",");
            days.push((today.first, format!("d.portfolio_id NOT IN ({others})")));
        }
        days
    }

    /// A comparison of days, asked of the debtors of each day by itself.
    fn day_by_day(&mut self, leaf: &Expr) -> String {
        let (days, first) = (std::mem::take(&mut self.days), self.today);
        let mut parts = Vec::with_capacity(days.len());
        for (day, whose) in &days {
            self.today = *day;
            parts.push(format!("({whose} AND {})", self.condition(leaf)));
        }
        (self.days, self.today) = (days, first);
        format!("({})", parts.join(" OR "))
    }

    fn condition(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Cmp { field, .. } | Expr::Between { field, .. } | Expr::In { field, .. }
                if field.counts_days() && !self.days.is_empty() =>
            {
                self.day_by_day(expr)
            }
            Expr::All => ALWAYS.to_owned(),
            Expr::And(parts) => self.joined(parts, " AND ", ALWAYS),
            Expr::Or(parts) => self.joined(parts, " OR ", NEVER),
            Expr::Not(part) => self.opposite(part),
            Expr::Cmp {
                field,
                op: Op::Ne,
                value,
            } => format!("NOT ({})", self.compare(*field, Op::Eq, value)),
            Expr::Cmp { field, op, value } => self.compare(*field, *op, value),
            Expr::Between { field, from, to } => self.between(*field, *from, *to),
            Expr::In { field, values } if field.kind() == FieldKind::Text && values.len() > 1 => {
                self.texts(*field, values)
            }
            Expr::In { field, values } => {
                let parts: Vec<String> = values
                    .iter()
                    .map(|value| self.compare(*field, Op::Eq, value))
                    .collect();
                one_of(parts)
            }
            // Put in before: nobody, should one be left.
            Expr::Named { .. } => NEVER.to_owned(),
        }
    }

    fn opposite(&mut self, expr: &Expr) -> String {
        match (expr, self.dialect) {
            // Each by itself: PostgreSQL joins rows that must not be there, but not behind one `NOT` over several.
            (Expr::Or(parts), Dialect::Pg) if !parts.is_empty() => {
                let parts: Vec<String> = parts.iter().map(|p| self.opposite(p)).collect();
                format!("({})", parts.join(" AND "))
            }
            _ => format!("NOT ({})", self.condition(expr)),
        }
    }

    fn joined(&mut self, parts: &[Expr], word: &str, empty: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|p| self.condition(p)).collect();
        if parts.is_empty() {
            return empty.to_owned();
        }
        format!("({})", parts.join(word))
    }

    fn compare(&mut self, field: Field, op: Op, value: &Literal) -> String {
        match (field.kind(), value) {
            (FieldKind::Text, Literal::Text(text)) if op == Op::Eq => self.text(field, text),
            (FieldKind::Bool, Literal::Bool(want)) if op == Op::Eq => {
                let Source::Condition(condition) = self.source(field) else {
                    return NEVER.to_owned();
                };
                let not = if *want { "" } else { "NOT " };
                format!("{not}({condition})")
            }
            (FieldKind::Number | FieldKind::Money, Literal::Int(n)) => self.number(field, op, *n),
            _ => NEVER.to_owned(),
        }
    }

    fn text(&mut self, field: Field, text: &str) -> String {
        match self.source(field) {
            Source::Value(sql) => {
                let place = self.bind(text.to_owned());
                format!("{sql}={place}")
            }
            Source::Any(table, condition, has) => {
                let place = self.bind(text.to_owned());
                self.any(table, &condition, (has, &place))
            }
            Source::Currency => {
                let place = self.bind(text.to_owned());
                self.owes_in(&place)
            }
            Source::Portfolio => {
                let place = self.bind(text.to_owned());
                Self::in_portfolios(&place)
            }
            // Named by its days: no set of a client is asked.
            Source::Bucket => match Bucket::of_open(text).and_then(Bucket::days) {
                Some((from, to)) => self.days_between(from, to),
                None => NEVER.to_owned(),
            },
            Source::Condition(_)
            | Source::DaysPastDue
            | Source::Sum(_)
            | Source::Since(_)
            | Source::Day(..) => NEVER.to_owned(),
        }
    }

    /// One of several texts: rows of other tables are gone through once, not once for each.
    fn texts(&mut self, field: Field, values: &[Literal]) -> String {
        let texts: Vec<&String> = values
            .iter()
            .filter_map(|v| match v {
                Literal::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        if texts.is_empty() {
            return NEVER.to_owned();
        }
        match self.source(field) {
            Source::Value(sql) => format!("{sql} IN ({})", self.bind_all(&texts)),
            Source::Any(table, condition, has) => {
                let places = self.bind_all(&texts);
                self.any(table, &condition, (has, &places))
            }
            Source::Currency => {
                let places = self.bind_all(&texts);
                self.owes_in(&places)
            }
            Source::Portfolio => {
                let places = self.bind_all(&texts);
                Self::in_portfolios(&places)
            }
            _ => one_of(texts.iter().map(|text| self.text(field, text)).collect()),
        }
    }

    fn bind_all(&mut self, texts: &[&String]) -> String {
        let places: Vec<String> = texts.iter().map(|t| self.bind((*t).clone())).collect();
        places.join(",")
    }

    fn number(&mut self, field: Field, op: Op, n: i64) -> String {
        match self.source(field) {
            Source::DaysPastDue => match op {
                Op::Eq => self.days_between(n, n),
                Op::Ne => format!("NOT ({})", self.days_between(n, n)),
                Op::Lt => self.days_between(i64::MIN, n.saturating_sub(1)),
                Op::Le => self.days_between(i64::MIN, n),
                Op::Gt => self.days_between(n.saturating_add(1), i64::MAX),
                Op::Ge => self.days_between(n, i64::MAX),
            },
            Source::Value(sql) => {
                let place = self.bind(n);
                format!("{sql}{}{place}", sign(op))
            }
            Source::Sum(of) => {
                let place = self.bind(n);
                let fits = Fits {
                    sql: format!("{}{place}", sign(op)),
                    none: compared(0, op, n),
                    some: from_one(op, n).filter(|_| of.sum == COUNT),
                };
                self.sum(&of, &fits)
            }
            Source::Since(of) => {
                let fits = format!("{}{}", sign(op), self.bind(n));
                self.sum(&of, &Fits::of(fits, compared(NEVER_DAYS, op, n)))
            }
            Source::Day(of, toward) => {
                let date = self.date_at(n, toward);
                let fits = format!("{}{date}", dated(op, toward));
                self.sum(&of, &Fits::of(fits, compared(NEVER_DAYS, op, n)))
            }
            _ => NEVER.to_owned(),
        }
    }

    fn between(&mut self, field: Field, from: i64, to: i64) -> String {
        match self.source(field) {
            Source::DaysPastDue => self.days_between(from, to),
            Source::Value(sql) if field.kind() != FieldKind::Text => {
                let (from, to) = (self.bind(from), self.bind(to));
                format!("{sql} BETWEEN {from} AND {to}")
            }
            Source::Sum(of) => self.sum_between(&of, (from, to), 0),
            Source::Since(of) => self.sum_between(&of, (from, to), NEVER_DAYS),
            Source::Day(of, toward) => {
                let (near, far) = (self.date_at(from, toward), self.date_at(to, toward));
                let (first, last) = match toward {
                    Toward::Since => (far, near),
                    Toward::Until => (near, far),
                };
                let never_fits = from <= NEVER_DAYS && NEVER_DAYS <= to;
                let fits = format!(" BETWEEN {first} AND {last}");
                self.sum(&of, &Fits::of(fits, never_fits))
            }
            _ => NEVER.to_owned(),
        }
    }

    /// A sum within both ends, which of no row is `none`.
    fn sum_between(&mut self, of: &Summed, (from, to): (i64, i64), none: i64) -> String {
        let fits = format!(" BETWEEN {} AND {}", self.bind(from), self.bind(to));
        self.sum(of, &Fits::of(fits, from <= none && none <= to))
    }

    /// Days past due within both ends, as a range of due days, so that an index can answer it. A
    /// debtor without an open debt has 0.
    fn days_between(&mut self, from: i64, to: i64) -> String {
        if from > to {
            return NEVER.to_owned();
        }
        let today = self.today;
        let latest = self.bind(today - from.clamp(-DAYS_MAX, DAYS_MAX));
        let earliest = self.bind(today - to.clamp(-DAYS_MAX, DAYS_MAX));
        let range = format!("d.oldest_due_day BETWEEN {earliest} AND {latest}");
        if from <= 0 && 0 <= to {
            format!("(d.oldest_due_day IS NULL OR {range})")
        } else {
            format!("(d.oldest_due_day IS NOT NULL AND {range})")
        }
    }
}

#[cfg(test)]
#[path = "segment/plan_tests.rs"]
mod plan_tests;
