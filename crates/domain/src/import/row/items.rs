//! Due items of the debt of a row: one cell, `reference|date|amount;reference|date|amount;…`.

use super::super::{Target, amount, date, value};
use super::Row;
use crate::entity::{DEBT_ITEMS_MAX, Debt, DebtItem, ITEM_REFERENCE_CHARS};
use crate::money::Currency;
use crate::ports::store::RowFault;
use crate::rules::due_items::{self, ItemsFault};

/// Between the items of a cell.
const BETWEEN: char = ';';
/// Between the parts of an item.
const WITHIN: char = '|';
const EXPECTED: &str = "expected reference|date|amount";

/// Minor units as files write amounts: `1234.50`.
fn written(minor: i64, currency: &Currency) -> String {
    let digits = currency.minor_digits();
    let unit = 10_i64.pow(digits);
    let (whole, part) = (minor / unit, (minor % unit).abs());
    match digits {
        0 => whole.to_string(),
        _ => format!("{whole}.{part:0width$}", width = digits as usize),
    }
}

/// Why a list is refused, in the words of a file: places count from 1, amounts are as files write them.
fn said(fault: ItemsFault, currency: &Currency) -> String {
    match fault {
        ItemsFault::TooMany(_) => fault.to_string(),
        ItemsFault::Nothing(at) | ItemsFault::Twice(at) => format!("item {}: {fault}", at + 1),
        ItemsFault::Sum {
            sum_minor,
            owed_minor,
        } => format!(
            "the items add up to {}, the principal of the same row is {}",
            written(sum_minor, currency),
            written(owed_minor, currency)
        ),
    }
}

impl Row<'_> {
    /// The due items of the row's debt, oldest first; none where the file says nothing of them.
    pub(super) fn items(&self, debt: &Debt) -> Result<Vec<DebtItem>, RowFault> {
        let cell = self.cell(Target::Items);
        let mut items = Vec::new();
        let texts = cell.text.split(BETWEEN).map(str::trim);
        for (at, text) in (1..).zip(texts.filter(|text| !text.is_empty())) {
            if at > DEBT_ITEMS_MAX {
                let reason = format!("more than {DEBT_ITEMS_MAX} items");
                return Err(self.fault(cell, reason));
            }
            let item = self.item(text, debt);
            items.push(item.map_err(|why| self.fault(cell, format!("item {at}: {why}")))?);
        }
        if items.is_empty() && !cell.text.trim().is_empty() {
            return Err(self.fault(cell, EXPECTED));
        }
        let fits = due_items::check(&items, debt.principal_minor, &[]);
        fits.map_err(|fault| self.fault(cell, said(fault, &debt.currency)))?;
        due_items::sort(&mut items);
        Ok(items)
    }

    fn item(&self, text: &str, debt: &Debt) -> Result<DebtItem, String> {
        let parts: Vec<&str> = text.split(WITHIN).collect();
        let [reference, day, minor] = parts[..] else {
            return Err(EXPECTED.into());
        };
        let map = &self.reader.map;
        Ok(DebtItem {
            debt_id: debt.id,
            reference: value::key(reference, ITEM_REFERENCE_CHARS)
                .map_err(|why| format!("reference: {why}"))?,
            due_date: date::parse(day, map.dates)
                .map_err(|why| format!("date: {why}"))?
                .to_string(),
            amount_minor: amount::parse(minor, &debt.currency, map.decimal)
                .map_err(|why| format!("amount: {why}"))?,
        })
    }
}
