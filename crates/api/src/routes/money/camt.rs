//! Statements in XML: ISO 20022 camt.053 (`BkToCstmrStmt`), any version. Entries that are booked and came in
//! are money; of a batch each payment in it. Entities, DTDs and depth beyond need are not read.

use domain::import::bank::{
    BANK_ROWS_MAX, BankMap, BankMoney, BankRead, BankRow, BankSheet, CONCEPT_MAX, name_rows,
    plain_amount, plain_day,
};
use domain::money::{Currency, Money};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting that is read; a statement needs about 15.
const DEPTH_MAX: usize = 40;
/// Longest text of one element, bytes.
const TEXT_MAX: usize = 1_024;

/// An amount as it is written, with its currency.
#[derive(Default, Clone)]
struct Written {
    text: String,
    currency: String,
}

/// One payment as the XML tells it; a batch has several in one entry.
#[derive(Default, Clone)]
struct Told {
    /// `TxDtls/Amt`, `AmtDtls/TxAmt`, `AmtDtls/InstdAmt`: the first in the account's currency is meant.
    amounts: [Written; 3],
    /// A payment of the other direction inside an entry.
    debit: Option<bool>,
    /// It gives money back that came before.
    returned: bool,
    end_to_end: String,
    bank_reference: String,
    creditor_reference: String,
    words: String,
    document: String,
}

/// `NtryDtls/Btch`: what the bank says its payments are together.
#[derive(Default)]
struct Batch {
    count: String,
    total: Written,
    /// Payments up to here belong to it.
    from: usize,
}

#[derive(Default)]
struct Entry {
    amount: Written,
    whole: Told,
    details: Vec<Told>,
    batches: Vec<Batch>,
    credit: bool,
    booked: bool,
    reversal: bool,
    day: String,
}

/// Where in a statement a row is wrong, and what is.
type Fault = (String, String);

fn fault(column: &str, reason: impl Into<String>) -> Fault {
    (column.to_owned(), reason.into())
}

fn refused((column, reason): Fault) -> BankRead {
    BankRead::Refused { column, reason }
}

fn currency_of(tag: &BytesStart<'_>) -> String {
    let found = tag
        .attributes()
        .flatten()
        .find(|a| AsRef::<str>::as_ref(&a.key) == "Ccy");
    found.map_or_else(String::new, |a| a.value.to_string())
}

fn put(slot: &mut String, text: &str) {
    if slot.is_empty() {
        text.clone_into(slot);
    }
}

fn add_words(slot: &mut String, text: &str) {
    if !slot.is_empty() {
        slot.push(' ');
    }
    slot.push_str(text);
}

fn money_of(written: &Written) -> Result<Money, Fault> {
    let currency: Currency = written
        .currency
        .parse()
        .map_err(|e: domain::ValueError| fault("Amt/@Ccy", e.to_string()))?;
    let minor = plain_amount(&written.text, currency).map_err(|e| fault("Amt", e))?;
    Ok(Money::new(minor, currency))
}

impl Told {
    /// Takes the text of an element by where it stands below the payment.
    fn take(&mut self, path: &[&str], text: &str, currency: &str) {
        let written = || Written {
            text: text.to_owned(),
            currency: currency.to_owned(),
        };
        match path {
            ["Amt"] => self.amounts[0] = written(),
            ["AmtDtls", "TxAmt", "Amt"] => self.amounts[1] = written(),
            ["AmtDtls", "InstdAmt", "Amt"] => self.amounts[2] = written(),
            ["CdtDbtInd"] => self.debit = Some(text == "DBIT"),
            ["Refs", "EndToEndId"] if text != "NOTPROVIDED" => put(&mut self.end_to_end, text),
            ["Refs", "AcctSvcrRef" | "TxId"] => put(&mut self.bank_reference, text),
            ["RmtInf", .., "CdtrRefInf", "Ref"] => put(&mut self.creditor_reference, text),
            ["RmtInf", "Ustrd"] => add_words(&mut self.words, text),
            ["RltdPties", "Dbtr", .., "Othr", "Id"] => put(&mut self.document, text),
            ["RtrInf", ..] => self.returned = true,
            _ => {}
        }
    }

    /// Its amount in the account's currency, when it says one.
    fn amount(&self, account: Currency) -> Result<Option<i64>, Fault> {
        let own = self.amounts.iter().filter(|a| !a.text.is_empty());
        let mut own = own.filter(|a| a.currency.is_empty() || a.currency == account.as_str());
        let Some(first) = own.next() else {
            return Ok(None);
        };
        let minor = plain_amount(&first.text, account).map_err(|e| fault("Amt", e))?;
        Ok(Some(minor))
    }

    fn row(&self, amount: Money, entry: &Entry) -> Result<BankMoney, Fault> {
        let paid_at = plain_day(&entry.day).map_err(|e| fault("BookgDt", e))?;
        let concept = [&*self.creditor_reference, &*self.words].join(" ");
        let reference = [&self.bank_reference, &self.end_to_end];
        let reference = reference.into_iter().find(|r| !r.is_empty());
        Ok(BankMoney {
            paid_at,
            amount,
            reference: reference.cloned().unwrap_or_default(),
            concept: concept.trim().chars().take(CONCEPT_MAX).collect(),
            document: self.document.clone(),
        })
    }
}

impl Entry {
    /// Takes the text of an element by where it stands below the entry.
    fn take(&mut self, path: &[&str], text: &str, currency: &str) {
        let written = || Written {
            text: text.to_owned(),
            currency: currency.to_owned(),
        };
        match path {
            ["NtryDtls", "TxDtls", inner @ ..] => {
                if let Some(told) = self.details.last_mut() {
                    told.take(inner, text, currency);
                }
            }
            ["NtryDtls", "Btch", "NbOfTxs"] => {
                if let Some(batch) = self.batches.last_mut() {
                    put(&mut batch.count, text);
                }
            }
            ["NtryDtls", "Btch", "TtlAmt"] => {
                if let Some(batch) = self.batches.last_mut() {
                    batch.total = written();
                }
            }
            ["Amt"] => self.amount = written(),
            ["CdtDbtInd"] => self.credit = text == "CRDT",
            ["RvslInd"] => self.reversal = text == "true" || text == "1",
            ["Sts"] | ["Sts", "Cd"] => self.booked = text == "BOOK",
            ["BookgDt", "Dt" | "DtTm"] => text.clone_into(&mut self.day),
            ["ValDt", "Dt" | "DtTm"] => put(&mut self.day, text),
            ["AcctSvcrRef"] => put(&mut self.whole.bank_reference, text),
            ["AddtlNtryInf"] => add_words(&mut self.whole.words, text),
            _ => {}
        }
    }

    /// The amounts of its payments, below 0 for the other direction; `None` when one does not tell its own.
    fn parts(&self, account: Currency) -> Result<Option<Vec<i64>>, Fault> {
        let mut parts = Vec::with_capacity(self.details.len());
        for told in &self.details {
            let Some(minor) = told.amount(account)? else {
                return Ok(None);
            };
            let other = told.debit.is_some_and(|debit| debit == self.credit);
            parts.push(if other { -minor } else { minor });
        }
        Ok(Some(parts))
    }

    /// What the bank says of its payments together, held against them.
    fn adds_up(&self, whole: Money, parts: &[i64]) -> Result<(), Fault> {
        let sum = |parts: &[i64]| parts.iter().fold(0_i64, |sum, p| sum.saturating_add(*p));
        if sum(parts) != whole.amount_minor {
            let reason = "the payments of the entry do not add up to its amount";
            return Err(fault("NtryDtls", reason));
        }
        let ends = self.batches.iter().skip(1).map(|b| b.from);
        let ends = ends.chain(std::iter::once(parts.len()));
        for (batch, end) in self.batches.iter().zip(ends) {
            let own = &parts[batch.from.min(end)..end];
            if !batch.count.is_empty() && batch.count.parse() != Ok(own.len()) {
                let reason = "the batch has another number of payments than it says";
                return Err(fault("Btch/NbOfTxs", reason));
            }
            let total = &batch.total;
            let same = total.currency.is_empty() || total.currency == whole.currency.as_str();
            if !total.text.is_empty() && same {
                let said = plain_amount(&total.text, whole.currency);
                if said.map_err(|e| fault("Btch/TtlAmt", e))? != sum(own).abs() {
                    let reason = "the payments of the batch do not add up to its total";
                    return Err(fault("Btch/TtlAmt", reason));
                }
            }
        }
        Ok(())
    }

    /// Its payments with their amounts: each of a batch, or the entry as one. A batch that does not tell its parts
    /// is one amount of nobody: the first payer is not the payer of all.
    fn payments(&self, whole: Money) -> Result<Vec<(Told, i64)>, Fault> {
        if self.details.len() > 1 {
            if let Some(parts) = self.parts(whole.currency)? {
                self.adds_up(whole, &parts)?;
                return Ok(self.details.iter().cloned().zip(parts).collect());
            }
            return Ok(vec![(self.whole.clone(), whole.amount_minor)]);
        }
        let mut one = self.details.first().cloned().unwrap_or_default();
        put(&mut one.bank_reference, &self.whole.bank_reference);
        put(&mut one.words, &self.whole.words);
        Ok(vec![(one, whole.amount_minor)])
    }

    /// What a booked entry is. ISO 20022: a reversal with `DBIT` takes a credit back, one with `CRDT` gives a
    /// debit back.
    fn read(&self) -> Result<Vec<BankRead>, Fault> {
        if self.reversal && self.credit {
            let reason = "a reversal of money that left: no money of a debtor";
            return Err(fault("RvslInd", reason));
        }
        let returned = self.details.iter().any(|d| d.returned);
        let back = !self.credit && (self.reversal || returned);
        if !self.booked || !(self.credit || back) {
            return Ok(vec![BankRead::NotMoney]);
        }
        let whole = money_of(&self.amount)?;
        let mut reads = Vec::new();
        for (told, minor) in self.payments(whole)? {
            let mut row = told.row(Money::new(minor, whole.currency), self)?;
            if back && row.reference != told.end_to_end {
                // The payer's reference is what both directions have in common.
                let words = [&*told.end_to_end, &*row.concept].join(" ");
                row.concept = words.trim().chars().take(CONCEPT_MAX).collect();
            }
            reads.push(match (minor > 0, back) {
                (false, _) => BankRead::NotMoney,
                (true, false) => BankRead::Money(row),
                (true, true) => BankRead::Back(row),
            });
        }
        Ok(reads)
    }

    fn rows(self, line: u64, rows: &mut Vec<BankRow>) {
        let reads = self.read().unwrap_or_else(|e| vec![refused(e)]);
        rows.extend(reads.into_iter().map(|read| BankRow { line, read }));
    }
}

/// Where the reader stands.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    entry: Option<Entry>,
    text: String,
    currency: String,
    rows: Vec<BankRow>,
    entries: u64,
    statement: bool,
}

impl Walk {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let name = AsRef::<str>::as_ref(&tag.local_name()).to_owned();
        self.text.clear();
        match name.as_str() {
            "BkToCstmrStmt" => self.statement = true,
            "Ntry" => self.entry = Some(Entry::default()),
            "TxDtls" => {
                if let Some(entry) = &mut self.entry {
                    entry.details.push(Told::default());
                }
            }
            "Btch" => {
                if let Some(entry) = &mut self.entry {
                    let from = entry.details.len();
                    entry.batches.push(Batch {
                        from,
                        ..Batch::default()
                    });
                }
            }
            "Amt" | "TtlAmt" => self.currency = currency_of(tag),
            _ => {}
        }
        self.path.push(name);
        if self.path.len() > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}"));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let below = self.path.iter().position(|p| p == "Ntry");
        if let (Some(entry), Some(at)) = (&mut self.entry, below)
            && !text.is_empty()
        {
            let path: Vec<&str> = self.path[at + 1..].iter().map(String::as_str).collect();
            entry.take(&path, text, &self.currency);
        }
        if self.path.pop().as_deref() == Some("Ntry") {
            self.entries += 1;
            if let Some(entry) = self.entry.take() {
                entry.rows(self.entries, &mut self.rows);
            }
            if self.rows.len() > BANK_ROWS_MAX {
                return Err(format!(
                    "more than {BANK_ROWS_MAX} entries: cut the file by day"
                ));
            }
        }
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        if self.text.len() + text.len() > TEXT_MAX {
            return Err(format!("a text longer than {TEXT_MAX} bytes"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// Reads a statement whole.
///
/// # Errors
/// Says what is wrong when it is no well-formed XML or no statement.
pub(super) fn read(text: &str) -> Result<BankSheet, String> {
    let mut reader = Reader::from_str(text);
    let mut walk = Walk::default();
    loop {
        let event = reader.read_event().map_err(|e| {
            format!(
                "not well-formed XML at byte {}: {e}",
                reader.error_position()
            )
        })?;
        match event {
            Event::Eof => break,
            Event::DocType(_) => return Err("a document type is not read".to_owned()),
            Event::Start(tag) => walk.open(&tag)?,
            Event::Empty(tag) => {
                walk.open(&tag)?;
                walk.close()?;
            }
            Event::End(_) => walk.close()?,
            Event::Text(piece) => walk.add(&piece)?,
            Event::CData(piece) => walk.add(&piece)?,
            Event::GeneralRef(name) => walk.add(known_entity(&name)?)?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !walk.statement {
        return Err("no camt.053 statement: expected BkToCstmrStmt".to_owned());
    }
    name_rows(&mut walk.rows);
    Ok(BankSheet {
        map: BankMap::default(),
        header: Vec::new(),
        rows: walk.rows,
    })
}

/// The five entities that XML itself knows, and spaces by number.
fn known_entity(name: &str) -> Result<&'static str, String> {
    Ok(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        "#10" | "#13" | "#xA" | "#xD" | "#32" | "#x20" | "#9" | "#160" | "#xA0" => " ",
        other => {
            return Err(format!(
                "unknown entity '{}'",
                other.chars().take(20).collect::<String>()
            ));
        }
    })
}

#[cfg(test)]
#[path = "camt_tests.rs"]
mod tests;
