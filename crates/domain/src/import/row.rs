//! One row of a file to a debtor with his debt and phones, or to the reason why not.

mod around;
mod items;

use super::cells::{Columns, Line};
use super::detect::{clean, meaning, missing};
use super::{ColumnMap, ImportFault, PhoneRepair, Target, amount, date, value};
use crate::entity::{Debt, DebtStatus, Debtor, Portfolio};
use crate::ids::{ClientId, DebtId, DebtorId, PersonId, person_of_document};
use crate::money::Currency;
use crate::pii::Pii;
use crate::ports::IdSource;
use crate::ports::store::{DebtorRow, RowFault};
use crate::rules::due_items;
use crate::time::UtcMs;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Most characters of a key or document.
const KEY_CHARS: usize = 64;
/// Most characters of a name.
const NAME_CHARS: usize = 200;
/// Most characters of a product.
const PRODUCT_CHARS: usize = 100;
/// Greatest score of a client's model.
const SCORE_MAX: i64 = 1_000;
/// Most days past due: a century.
const DAYS_MAX: i64 = 36_500;

/// What holds for every row of one import.
#[derive(Debug, Clone)]
pub struct RowContext {
    /// Owner.
    pub client: ClientId,
    /// Portfolio.
    pub portfolio: Portfolio,
    /// The import's instant.
    pub now: UtcMs,
    /// The portfolio accrues interest by its own rule: the file may bring none.
    pub by_rule: bool,
}

/// Reads rows under one header.
#[derive(Debug)]
pub struct RowReader {
    columns: Columns,
    map: ColumnMap,
    context: RowContext,
    today: jiff::civil::Date,
    /// Phones mended in rows that were taken, by the place of the rule in [`PhoneRepair::ALL`].
    repaired: [AtomicU64; PhoneRepair::ALL.len()],
}

impl RowReader {
    /// Prepares for a header; `map` as [`super::detect`] completed it.
    ///
    /// # Errors
    /// A needed column that is missing, a mapped one that is not in the file or twice, a portfolio
    /// whose zone is unknown.
    pub fn new(
        header: &[String],
        map: ColumnMap,
        context: RowContext,
    ) -> Result<Self, ImportFault> {
        if header.len() > super::COLUMNS_MAX {
            return Err(ImportFault::Header(format!(
                "more than {} columns",
                super::COLUMNS_MAX
            )));
        }
        let mut columns = Columns::new();
        for (at, name) in header.iter().enumerate() {
            let Some(target) = meaning(&map, name) else {
                continue;
            };
            let name = clean(name);
            if target.is_consent() {
                return Err(ImportFault::Map(format!(
                    "column '{name}': {target} goes with a file of consents"
                )));
            }
            if let Some((_, other, _)) = columns
                .iter()
                .find(|c| c.1 == name || (c.2 == target && !target.repeats()))
            {
                return Err(ImportFault::Map(format!(
                    "columns '{other}' and '{name}' are both {target}"
                )));
            }
            columns.push((at, name.to_owned(), target));
        }
        if let Some(name) = map.columns.keys().find(|name| {
            !header.iter().any(|h| {
                meaning(&map, h).is_some()
                    && (clean(h) == name.as_str()
                        || super::column::plain(h) == super::column::plain(name))
            })
        }) {
            return Err(ImportFault::Map(format!("the file has no column '{name}'")));
        }
        let interest = columns.iter().find(|c| c.2 == Target::Interest);
        let given = map.defaults.contains_key(&Target::Interest);
        if context.by_rule && (interest.is_some() || given) {
            let name = interest.map_or(Target::Interest.as_str(), |c| c.1.as_str());
            return Err(ImportFault::Map(format!(
                "column '{name}': interest of this portfolio is accrued by its own rule; leave the \
                 creditor's figure out, it is never both"
            )));
        }
        let absent = missing(&map, header);
        if !absent.is_empty() {
            return Err(ImportFault::Missing(absent.join(", ")));
        }
        let zone = crate::time::zone(&context.portfolio.zone)
            .map_err(|e| ImportFault::Map(format!("portfolio: {e}")))?;
        let today = context.now.in_zone(&zone).date();
        Ok(Self {
            columns,
            map,
            context,
            today,
            repaired: std::array::from_fn(|_| AtomicU64::new(0)),
        })
    }

    /// Phones mended so far in rows that were taken, by rule.
    #[must_use]
    pub fn repaired(&self) -> BTreeMap<String, u64> {
        let counts = self.repaired.iter().map(|n| n.load(Ordering::Relaxed));
        PhoneRepair::ALL
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(rule, count)| (rule.to_string(), count))
            .collect()
    }

    /// The meaning of each column that is read: header and target.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Target)> {
        self.columns
            .iter()
            .map(|(_, name, target)| (name.as_str(), *target))
    }

    /// The key of the debt of a row, whatever else of it can be read; `None` when not even that can.
    #[must_use]
    pub fn debt_ref(&self, fields: &[String]) -> Option<String> {
        let row = self.line(0, fields);
        row.parse(Target::DebtRef, |v| value::key(v, KEY_CHARS))
            .ok()
    }

    fn line<'a>(&'a self, line: u64, fields: &'a [String]) -> Line<'a> {
        Line {
            columns: &self.columns,
            map: &self.map,
            fields,
            line,
        }
    }

    /// Reads the row that begins on `line`.
    ///
    /// # Errors
    /// The first cell that cannot be taken; nothing of the row is then kept.
    pub fn read(
        &self,
        line: u64,
        fields: &[String],
        ids: &dyn IdSource,
    ) -> Result<DebtorRow, RowFault> {
        let row = Row {
            reader: self,
            own: self.line(line, fields),
        };
        row.no_formula()?;
        let now = self.context.now;
        let fresh = || ids.next(now);
        let country = row.parse(Target::Country, value::country)?;
        let debtor = row.debtor(&country, DebtorId(fresh()))?;
        let mut debt = row.debt(debtor.id, DebtId(fresh()))?;
        let items = row.items(&debt)?;
        due_items::follow(&mut debt, &items);
        row.past_due(&mut debt, &items);
        let score = row.score()?;
        let points = row.points(&country, debtor.id, &fresh)?;
        let address = row.address(&debtor, &fresh)?;
        let parties = row.parties(&debtor, debt.id, &fresh)?;
        Ok(DebtorRow {
            line,
            debtor,
            debt,
            items,
            parties,
            points,
            consents: Vec::new(),
            score,
            address,
        })
    }
}

/// A line of a file of debtors.
struct Row<'a> {
    reader: &'a RowReader,
    own: Line<'a>,
}

impl<'a> Deref for Row<'a> {
    type Target = Line<'a>;

    fn deref(&self) -> &Line<'a> {
        &self.own
    }
}

impl Row<'_> {
    fn debtor(&self, country: &str, id: DebtorId) -> Result<Debtor, RowFault> {
        let context = &self.reader.context;
        let external_ref = self.parse(Target::ExternalRef, |v| value::key(v, KEY_CHARS))?;
        let name = self.parse(Target::Name, |v| value::key(v, NAME_CHARS))?;
        let document = match self.given(Target::Document) {
            true => self.parse(Target::Document, |v| value::key(v, KEY_CHARS))?,
            false => String::new(),
        };
        let zone = self.parse(Target::AddressZone, |v| match v.trim() {
            "" => Ok(None),
            name => crate::time::zone(name)
                .map(|_| Some(name.to_owned()))
                .map_err(|e| e.to_string()),
        })?;
        let person_id = if document.is_empty() {
            // Without a document nobody can tell that he is the same person elsewhere.
            let key = format!("{}|{}|{external_ref}", context.client, context.portfolio.id);
            PersonId(Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()))
        } else {
            person_of_document(country, &document)
        };
        Ok(Debtor {
            id,
            client_id: context.client,
            portfolio_id: context.portfolio.id,
            person_id,
            external_ref,
            kind: self.parse(Target::Kind, value::kind)?,
            name: Pii(name),
            document: Pii(document),
            country: country.to_owned(),
            subdivision: self.parse(Target::Subdivision, |v| value::subdivision(v, country))?,
            language: self.parse(Target::Language, |v| value::language(v, country))?,
            address_zone: zone,
            told_zone: None,
            told_zone_at: None,
            created_at: context.now,
            updated_at: context.now,
        })
    }

    fn score(&self) -> Result<Option<i64>, RowFault> {
        if !self.given(Target::Score) {
            return Ok(None);
        }
        self.parse(Target::Score, |v| match v.trim().parse::<i64>() {
            Ok(n) if (0..=SCORE_MAX).contains(&n) => Ok(Some(n)),
            _ => Err(format!("expected a whole number from 0 to {SCORE_MAX}")),
        })
    }

    fn money(&self, target: Target, currency: &Currency) -> Result<Option<i64>, RowFault> {
        if !self.given(target) {
            return Ok(None);
        }
        let decimal = self.reader.map.decimal;
        self.parse(target, |v| amount::parse(v, currency, decimal))
            .map(Some)
    }

    fn debt(&self, debtor_id: DebtorId, id: DebtId) -> Result<Debt, RowFault> {
        let context = &self.reader.context;
        let currency = match self.given(Target::Currency) {
            true => self.parse(Target::Currency, |v| {
                v.trim()
                    .to_ascii_uppercase()
                    .parse()
                    .map_err(|e: crate::ValueError| e.to_string())
            })?,
            false => context.portfolio.currency,
        };
        let interest = self.money(Target::Interest, &currency)?.unwrap_or(0);
        let fees = self.money(Target::Fees, &currency)?.unwrap_or(0);
        let principal = self.principal(&currency, interest, fees)?;
        let balance = principal + interest + fees;
        let overdue = self.money(Target::Overdue, &currency)?.unwrap_or(balance);
        if overdue > balance {
            return Err(self.fault(self.cell(Target::Overdue), "more is overdue than is owed"));
        }
        let minimum = self.money(Target::Minimum, &currency)?.unwrap_or(overdue);
        if minimum > balance {
            return Err(self.fault(
                self.cell(Target::Minimum),
                "the least payment is more than is owed",
            ));
        }
        Ok(Debt {
            id,
            debtor_id,
            client_id: context.client,
            portfolio_id: context.portfolio.id,
            external_ref: self.parse(Target::DebtRef, |v| value::key(v, KEY_CHARS))?,
            product: self.parse(Target::Product, |v| value::text(v, PRODUCT_CHARS))?,
            currency,
            principal_minor: principal,
            interest_minor: interest,
            fees_minor: fees,
            overdue_minor: overdue,
            minimum_minor: minimum,
            due_date: self.written_date()?,
            statute_date: self.statute_date()?.map(|date| date.to_string()),
            status: DebtStatus::Open,
            created_at: context.now,
            updated_at: context.now,
        })
    }

    /// What is overdue of a debt with items is what of them is past, where the file does not say it; all of it is the
    /// least payment then. The whole of a debt would be told to somebody whose next item is months away.
    fn past_due(&self, debt: &mut Debt, items: &[crate::entity::DebtItem]) {
        if items.is_empty() || self.given(Target::Overdue) {
            return;
        }
        let today = self.reader.today.to_string();
        let past = items.iter().filter(|i| i.due_date < today);
        let past = past.fold(0_i64, |sum, i| sum.saturating_add(i.amount_minor));
        debt.overdue_minor = past
            .min(debt.principal_minor)
            .saturating_add(debt.interest_minor)
            .saturating_add(debt.fees_minor);
        if !self.given(Target::Minimum) {
            debt.minimum_minor = debt.overdue_minor;
        }
    }

    /// The principal, or what the balance leaves for it; both together must agree.
    fn principal(&self, currency: &Currency, interest: i64, fees: i64) -> Result<i64, RowFault> {
        let principal = self.money(Target::Principal, currency)?;
        let Some(balance) = self.money(Target::Balance, currency)? else {
            return principal.ok_or_else(|| {
                let target = if self.cells(Target::Principal).next().is_some() {
                    Target::Principal
                } else {
                    Target::Balance
                };
                self.fault(self.cell(target), "empty: expected an amount")
            });
        };
        let rest = balance - interest - fees;
        let cell = self.cell(Target::Balance);
        match principal {
            Some(principal) if principal != rest => {
                Err(self.fault(cell, "is not principal + interest + fees of the same row"))
            }
            _ if rest < 0 => Err(self.fault(cell, "less than interest + fees of the same row")),
            _ => Ok(rest),
        }
    }

    fn statute_date(&self) -> Result<Option<jiff::civil::Date>, RowFault> {
        if !self.given(Target::StatuteDate) {
            return Ok(None);
        }
        let order = self.reader.map.dates;
        self.parse(Target::StatuteDate, |v| date::parse(v, order))
            .map(Some)
    }

    /// The date that the row writes; none where its items say it.
    fn written_date(&self) -> Result<String, RowFault> {
        let written = self.given(Target::DueDate) || self.given(Target::DaysPastDue);
        if !written && self.given(Target::Items) {
            return Ok(String::new());
        }
        self.due_date().map(|date| date.to_string())
    }

    fn due_date(&self) -> Result<jiff::civil::Date, RowFault> {
        let order = self.reader.map.dates;
        if self.given(Target::DueDate)
            || self.cells(Target::DaysPastDue).next().is_none() && !self.given(Target::DaysPastDue)
        {
            return self.parse(Target::DueDate, |v| date::parse(v, order));
        }
        self.parse(Target::DaysPastDue, |v| {
            let days: i64 = v
                .trim()
                .parse()
                .map_err(|_| "expected a whole number of days".to_owned())?;
            if days.abs() > DAYS_MAX {
                return Err(format!("expected at most {DAYS_MAX} days"));
            }
            self.reader
                .today
                .checked_sub(jiff::Span::new().days(days))
                .map_err(|_| "no such day in the calendar".to_owned())
        })
    }
}
