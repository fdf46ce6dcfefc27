//! Segments as SQL: the conditions of an expression over a debtor `d`, with every value bound. The
//! meaning of a field is that of `domain::segment::SegmentRow`; a property test compares both.

use crate::sql::{Field as Bound, Val};
use domain::ids::ClientId;
use domain::segment::{Expr, Field, FieldKind, Literal, NEVER_DAYS, Op, utc_day};
use domain::time::{DAY_MS, UtcMs};

/// Conditions over `debtors d`, and their values from `$1` on.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Condition; never null, so that `NOT` is the exact opposite.
    pub(crate) sql: String,
    /// Values.
    pub(crate) values: Vec<Val>,
}

impl Filter {
    /// Debtors of a client who are in the segment at `now`.
    pub(crate) fn of_client(client: ClientId, expr: &Expr, now: UtcMs) -> Self {
        let mut compiler = Compiler {
            values: vec![],
            now,
        };
        let client = compiler.bind(client);
        let sql = compiler.condition(expr);
        Self {
            sql: format!("d.client_id={client} AND {sql}"),
            values: compiler.values,
        }
    }
}

const NEVER: &str = "1=0";
const ALWAYS: &str = "1=1";

/// Most days past due that occur (dates have four-digit years); keeps day arithmetic within `i64`.
const DAYS_MAX: i64 = 10_000_000;

/// Ageing buckets as ranges of days past due, both ends included (terms of `bucket_of`).
const BUCKETS: &[(&str, i64, i64)] = &[
    ("preventive", -DAYS_MAX, 0),
    ("b1_30", 1, 30),
    ("b31_60", 31, 60),
    ("b61_90", 61, 90),
    ("b91_120", 91, 120),
    ("b121_180", 121, 180),
    ("b181_360", 181, 360),
    ("b361_plus", 361, DAYS_MAX),
];

struct Compiler {
    values: Vec<Val>,
    now: UtcMs,
}

/// How a field is found in SQL.
enum Source {
    /// An expression that gives the value.
    Value(String),
    /// Any open debt with this column.
    AnyDebt(&'static str),
    /// A condition.
    Condition(String),
    /// Days past due, which follow from `oldest_due_day`.
    DaysPastDue,
    /// Its ageing bucket.
    Bucket,
}

impl Compiler {
    fn bind(&mut self, value: impl Bound) -> String {
        self.values.push(value.val());
        format!("${}", self.values.len())
    }

    fn condition(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::All => ALWAYS.to_owned(),
            Expr::And(parts) => self.joined(parts, " AND ", ALWAYS),
            Expr::Or(parts) => self.joined(parts, " OR ", NEVER),
            Expr::Not(part) => format!("NOT ({})", self.condition(part)),
            Expr::Cmp {
                field,
                op: Op::Ne,
                value,
            } => format!("NOT ({})", self.compare(*field, Op::Eq, value)),
            Expr::Cmp { field, op, value } => self.compare(*field, *op, value),
            Expr::Between { field, from, to } => self.between(*field, *from, *to),
            Expr::In { field, values } => {
                let parts: Vec<String> = values
                    .iter()
                    .map(|value| self.compare(*field, Op::Eq, value))
                    .collect();
                one_of(parts)
            }
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
            Source::AnyDebt(column) => {
                let place = self.bind(text.to_owned());
                format!(
                    "EXISTS (SELECT 1 FROM debts x WHERE x.debtor_id=d.id AND x.status='open' \
                        AND x.{column}={place})"
                )
            }
            Source::Bucket => match BUCKETS.iter().find(|(name, _, _)| *name == text) {
                Some((_, from, to)) => self.days_between(*from, *to),
                None => NEVER.to_owned(),
            },
            Source::Condition(_) | Source::DaysPastDue => NEVER.to_owned(),
        }
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
            _ => NEVER.to_owned(),
        }
    }

    /// Days past due within both ends, as a range of due days, so that an index can answer it. A
    /// debtor without an open debt has 0.
    fn days_between(&mut self, from: i64, to: i64) -> String {
        if from > to {
            return NEVER.to_owned();
        }
        let today = utc_day(self.now);
        let latest = self.bind(today - from.clamp(-DAYS_MAX, DAYS_MAX));
        let earliest = self.bind(today - to.clamp(-DAYS_MAX, DAYS_MAX));
        let range = format!("d.oldest_due_day BETWEEN {earliest} AND {latest}");
        if from <= 0 && 0 <= to {
            format!("(d.oldest_due_day IS NULL OR {range})")
        } else {
            format!("(d.oldest_due_day IS NOT NULL AND {range})")
        }
    }

    fn source(&mut self, field: Field) -> Source {
        let value = |sql: &str| Source::Value(sql.to_owned());
        match field {
            Field::Country => value("d.country"),
            Field::Subdivision => value("COALESCE(d.subdivision,'')"),
            Field::Language => value("d.language"),
            Field::DebtorKind => value("d.kind"),
            Field::ExternalRef => value("d.external_ref"),
            Field::Portfolio => {
                value("(SELECT x.name FROM portfolios x WHERE x.id=d.portfolio_id)")
            }
            Field::Product => Source::AnyDebt("product"),
            Field::Currency => Source::AnyDebt("currency"),
            Field::DaysPastDue => Source::DaysPastDue,
            Field::Bucket => Source::Bucket,
            Field::Balance => value("d.balance_minor"),
            Field::Overdue => value("d.overdue_minor"),
            Field::DebtCount => value("d.open_debts"),
            Field::PhoneCount => value("d.phones"),
            Field::PointConfidence => value("d.confidence"),
            Field::PromiseActive => Source::Condition(
                "d.id IN (SELECT x.debtor_id FROM promises x WHERE x.state='active')".into(),
            ),
            Field::OnHold => self.on_hold(),
            Field::Suppressed => Source::Condition(SUPPRESSED.into()),
            _ => self.history(field),
        }
    }

    /// What was done and promised before.
    fn history(&mut self, field: Field) -> Source {
        let sql = match field {
            Field::Attempts => {
                "(SELECT COUNT(*) FROM attempts x WHERE x.debtor_id=d.id)".to_owned()
            }
            Field::Attempts7d => {
                let week = self.bind(self.now.plus_ms(-7 * DAY_MS));
                format!(
                    "(SELECT COUNT(*) FROM attempts x WHERE x.debtor_id=d.id AND x.opened_at>{week})"
                )
            }
            Field::DaysSinceAttempt => self.days_since("d.last_attempt_at"),
            Field::DaysSinceRpc => self.days_since(
                "(SELECT MAX(x.last_rpc_at) FROM contact_points x WHERE x.debtor_id=d.id)",
            ),
            Field::LastResult => {
                "COALESCE((SELECT x.result FROM attempts x WHERE x.debtor_id=d.id \
                ORDER BY x.opened_at DESC, x.id DESC LIMIT 1),'')"
                    .to_owned()
            }
            Field::LastDisposition => "COALESCE((SELECT x.disposition FROM attempts x \
                WHERE x.debtor_id=d.id AND x.disposition IS NOT NULL AND x.disposed_at IS NOT NULL \
                ORDER BY x.disposed_at DESC, x.id DESC LIMIT 1),'')"
                .to_owned(),
            Field::PromisesBroken => promises("broken"),
            Field::PromisesKept => promises("kept"),
            Field::Paid30d => {
                let (from, to) = (
                    self.bind(self.now.plus_ms(-30 * DAY_MS)),
                    self.bind(self.now),
                );
                format!(
                    "COALESCE((SELECT SUM(x.amount_minor) FROM payments x WHERE x.debtor_id=d.id \
                        AND x.paid_at>{from} AND x.paid_at<={to}),0)"
                )
            }
            _ => return Source::Condition(NEVER.to_owned()),
        };
        Source::Value(sql)
    }

    fn days_since(&mut self, instant: &str) -> String {
        let now = self.bind(self.now);
        format!("COALESCE(({now}-{instant})/{DAY_MS},{NEVER_DAYS})")
    }

    fn on_hold(&mut self) -> Source {
        let now = self.bind(self.now);
        Source::Condition(format!(
            "d.id IN (SELECT x.debtor_id FROM holds x WHERE x.scope='debtor' AND x.from_at<={now} \
                AND (x.until IS NULL OR {now}<x.until) AND (x.lifted_at IS NULL OR {now}<x.lifted_at))"
        ))
    }
}

/// Sets that do not depend on the debtor, so that each is made once; `$1` is the client.
const SUPPRESSED: &str = "d.id IN (SELECT y.debtor_id FROM suppressions x \
        JOIN contact_points y ON y.value=x.value WHERE x.kind='phone' AND x.lifted_at IS NULL \
        AND (x.client_id IS NULL OR x.client_id=$1) AND (x.debtor_id IS NULL OR x.debtor_id=y.debtor_id)) \
    OR d.id IN (SELECT y.id FROM suppressions x \
        JOIN debtors y ON y.document=x.value WHERE x.kind='document' AND x.lifted_at IS NULL \
        AND (x.client_id IS NULL OR x.client_id=$1) AND (x.debtor_id IS NULL OR x.debtor_id=y.id))";

fn promises(state: &str) -> String {
    format!("(SELECT COUNT(*) FROM promises x WHERE x.debtor_id=d.id AND x.state='{state}')")
}

const fn sign(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "<>",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    }
}

/// A balanced tree, because SQLite bounds the depth of an expression and a list may have 500 values.
fn one_of(parts: Vec<String>) -> String {
    match parts.len() {
        0 => NEVER.to_owned(),
        1 => parts.into_iter().next().unwrap_or_default(),
        n => {
            let mut left = parts;
            let right = left.split_off(n / 2);
            format!("({} OR {})", one_of(left), one_of(right))
        }
    }
}
