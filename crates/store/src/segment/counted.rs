//! What is counted, summed or dated in rows of other tables, over all time or over a while that ends now.

use super::source::{Source, Summed, Told, Toward};
use super::{ALWAYS, Compiler, NEVER, Reach};
use crate::hundredths;
use crate::sql::Dialect;
use domain::segment::{Field, NEVER_DAYS};
use domain::time::DAY_MS;

impl Compiler {
    /// Rows of another table, as they are counted now.
    pub(super) fn counted(&mut self, field: Field) -> Source {
        let (mut told, mut wide) = (Told::Nothing, false);
        let (table, condition, index) = match field {
            Field::Attempts7d => {
                let from = self.since(7);
                told = Told::Is(format!("COALESCE(d.last_attempt_at>{from},FALSE)"));
                ("attempts", format!("x.opened_at>{from}"), None)
            }
            Field::Rpc30d => (
                "attempts",
                format!("x.identity_at>{}", self.since(30)),
                Some("attempts_identified"),
            ),
            Field::Messages30d => ("messages", self.sent(30), Some("messages_sent_to")),
            Field::Letters30d => ("letters", self.lettered(30), Some("letters_made")),
            Field::Visits30d => (
                "ledger",
                // One that is planned has not been made.
                format!(
                    "x.kind='visit' AND x.at>{} AND x.at<={}",
                    self.since(30),
                    self.since(0)
                ),
                Some("ledger_visits"),
            ),
            Field::PromisesBroken60d => (
                "promises",
                format!("x.state='broken' AND x.closed_at>{}", self.since(60)),
                Some("promises_broken"),
            ),
            Field::PromisesPartial => ("promises", "x.state='kept_partial'".to_owned(), None),
            Field::AddressCount => ("addresses", "NOT x.bad".to_owned(), None),
            Field::EmailCount => (
                "contact_points",
                "x.channel='email' AND NOT x.bad".to_owned(),
                Some("contact_points_emails"),
            ),
            Field::PartyCount | Field::CoDebtors | Field::Guarantors | Field::BadPhones => {
                // Nearly everybody has such rows: a set would cost more than to ask each.
                wide = true;
                let (table, condition) = many(field);
                (table, condition.to_owned(), None)
            }
            _ => return self.of_rows(field),
        };
        Source::Sum(Summed {
            table,
            condition,
            sum: COUNT.to_owned(),
            none: "0".to_owned(),
            wide,
            index,
            told,
            of_debtor: field != Field::Rpc30d,
        })
    }

    /// Money and dates of rows of other tables.
    fn of_rows(&mut self, field: Field) -> Source {
        match field {
            Field::Paid30d => {
                let (from, to) = (
                    self.bind(self.now.plus_ms(-30 * DAY_MS)),
                    self.bind(self.now),
                );
                let within = format!("x.paid_at>{from} AND x.paid_at<={to}");
                let told = Told::Needs(format!("COALESCE(d.last_paid_at>{from},FALSE)"));
                Source::Sum(money(("payments", told), within, "x.amount_minor"))
            }
            Field::NextInstalment => {
                let first = format!(
                    "x.due_date=(SELECT MIN(f.due_date) FROM {PARTS} f WHERE f.debtor_id=x.debtor_id)"
                );
                Source::Sum(money((PARTS, Told::Nothing), first, "x.left_minor"))
            }
            Field::NextPromise => {
                let first = "x.state='active' AND x.due_date=(SELECT MIN(f.due_date) FROM promises f \
                    WHERE f.debtor_id=x.debtor_id AND f.state='active')";
                let told = Told::Needs("d.promises_active>0".to_owned());
                let of = money(("promises", told), first.to_owned(), "x.amount_minor");
                let index = Some("promises_due");
                Source::Sum(Summed { index, ..of })
            }
            Field::NextDueItem => {
                let today = self.date_at(0, Toward::Until);
                let first = format!(
                    "x.due_date>={today} AND x.due_date=(SELECT MIN(f.due_date) FROM {ITEMS} f \
                        WHERE f.debtor_id=x.debtor_id AND f.due_date>={today})"
                );
                Source::Sum(money(
                    (self.items(), Told::Nothing),
                    first,
                    "x.amount_minor",
                ))
            }
            Field::DaysToDueItem => {
                let condition = format!("x.due_date>={}", self.date_at(0, Toward::Until));
                let of = self.dated("MIN(x.due_date)", (self.items(), false), Toward::Until);
                Source::Day(Summed { condition, ..of }, Toward::Until)
            }
            Field::DaysSinceReply => self.last("MAX(x.received_at)", ("inbox", WRITTEN), false),
            Field::DaysSinceAssigned => self.last("x.assigned_at", ("assignments", ALWAYS), true),
            Field::DaysToInstalment => self.day("MIN(x.due_date)", (PARTS, false), Toward::Until),
            Field::DaysSincePlacement => {
                self.day("MAX(x.placed_on)", (PLACED, true), Toward::Since)
            }
            Field::DaysToRecall => self.day("MIN(x.recall_on)", (RECALLED, true), Toward::Until),
            Field::DaysToComplaint => {
                self.day("MIN(x.deadline)", (UNANSWERED, false), Toward::Until)
            }
            _ => Source::Condition(NEVER.to_owned()),
        }
    }

    /// Due items of open debts, as they are quick to go through.
    const fn items(&self) -> &'static str {
        match (self.dialect, self.reach) {
            (Dialect::Lite, Reach::All) => ALL_ITEMS,
            _ => ITEMS,
        }
    }

    fn day(&self, date: &str, rows: (&'static str, bool), toward: Toward) -> Source {
        Source::Day(self.dated(date, rows, toward), toward)
    }

    /// The first or last date of rows; who has none is as far from it as who never had one.
    fn dated(&self, date: &str, (table, wide): (&'static str, bool), toward: Toward) -> Summed {
        let never = format!("'{}'", self.date(NEVER_DAYS, toward));
        Summed {
            table,
            condition: ALWAYS.to_owned(),
            sum: date.to_owned(),
            none: never,
            wide,
            index: None,
            told: Told::Nothing,
            of_debtor: true,
        }
    }

    /// Days since the last instant of rows, of a table of [`super::rows::ONE`] since that of its row.
    fn last(&mut self, at: &str, (table, condition): (&'static str, &str), wide: bool) -> Source {
        let now = self.bind(self.now);
        Source::Since(Summed {
            table,
            condition: condition.to_owned(),
            sum: format!("(({now}-{at})/{DAY_MS})"),
            none: NEVER_DAYS.to_string(),
            wide,
            index: None,
            told: Told::Nothing,
            of_debtor: true,
        })
    }
}

/// A sum of money.
fn money((table, told): (&'static str, Told), condition: String, amount: &str) -> Summed {
    Summed {
        table,
        condition,
        sum: hundredths::sum(amount),
        none: "0".to_owned(),
        wide: false,
        index: None,
        told,
        of_debtor: true,
    }
}

/// Rows of a table in which most debtors have some, for those that are counted.
const fn many(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::CoDebtors => ("parties", "x.role IN ('codeudor','obligado_solidario')"),
        Field::Guarantors => ("parties", "x.role IN ('aval','fiador')"),
        Field::BadPhones => ("contact_points", "x.channel='call' AND x.bad"),
        _ => ("parties", OTHERS),
    }
}

/// Parties beside the debtor himself.
pub(super) const OTHERS: &str = "x.role<>'titular'";

/// Messages that somebody of ours wrote.
pub(super) const WRITTEN: &str = "x.debtor_id IS NOT NULL";

/// Due items of open debts with their days, as rows that belong to a debtor.
const ITEMS: &str = "(SELECT o.debtor_id, o.currency, i.due_date, i.amount_minor \
    FROM debts o JOIN debt_items i ON i.debt_id=o.id WHERE o.status='open')";

/// The same, the items first: SQLite would go through every debt to have them in the order of the debtors.
const ALL_ITEMS: &str = "(SELECT o.debtor_id, o.currency, i.due_date, i.amount_minor \
    FROM debt_items i CROSS JOIN debts o ON o.id=i.debt_id WHERE o.status='open')";

/// Open debts that were placed with us on a day, as rows that belong to a debtor.
const PLACED: &str = "(SELECT o.debtor_id, p.placed_on FROM debts o JOIN placements p ON p.id=o.placement_id \
    WHERE o.status='open')";

/// Open debts that are to be given back on a day, as rows that belong to a debtor.
const RECALLED: &str = "(SELECT o.debtor_id, p.recall_on FROM debts o JOIN placements p ON p.id=o.placement_id \
    WHERE o.status='open' AND p.recall_on IS NOT NULL)";

/// Complaints that wait for an answer.
const UNANSWERED: &str = "(SELECT c.debtor_id, c.deadline FROM complaints c WHERE c.state='open')";

/// Instalments that are due of plans that run, as rows that belong to a debtor.
const PARTS: &str = "(SELECT p.debtor_id, p.currency, i.due_date, i.amount_minor-i.paid_minor AS left_minor \
    FROM plans p JOIN instalments i ON i.plan_id=p.id \
    WHERE p.state IN ('signed','active') AND i.state='due')";

/// The sum that says how many rows there are.
pub(super) const COUNT: &str = "COUNT(*)";
