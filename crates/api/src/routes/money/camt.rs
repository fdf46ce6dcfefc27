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

/// One payment as the XML tells it; a batch has several in one entry.
#[derive(Default, Clone)]
struct Told {
    amount: String,
    currency: String,
    end_to_end: String,
    bank_reference: String,
    creditor_reference: String,
    words: String,
    document: String,
}

#[derive(Default)]
struct Entry {
    whole: Told,
    details: Vec<Told>,
    credit: bool,
    booked: bool,
    reversal: bool,
    day: String,
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

impl Told {
    /// Takes the text of an element by where it stands below the entry or the payment.
    fn take(&mut self, path: &[String], text: &str) {
        let end = |tail: &[&str]| {
            path.ends_with(&tail.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
        };
        if end(&["Amt"]) || end(&["TxAmt", "Amt"]) {
            put(&mut self.amount, text);
        } else if end(&["Refs", "EndToEndId"]) && text != "NOTPROVIDED" {
            put(&mut self.end_to_end, text);
        } else if end(&["AcctSvcrRef"]) || end(&["Refs", "TxId"]) {
            put(&mut self.bank_reference, text);
        } else if end(&["CdtrRefInf", "Ref"]) {
            put(&mut self.creditor_reference, text);
        } else if end(&["RmtInf", "Ustrd"]) || end(&["AddtlNtryInf"]) {
            if !self.words.is_empty() {
                self.words.push(' ');
            }
            self.words.push_str(text);
        } else if path.iter().any(|p| p == "Dbtr") && end(&["Othr", "Id"]) {
            put(&mut self.document, text);
        }
    }

    fn money(&self, entry: &Entry) -> Result<BankMoney, (String, String)> {
        let code = if self.currency.is_empty() {
            &entry.whole.currency
        } else {
            &self.currency
        };
        let currency: Currency = code
            .parse()
            .map_err(|e: domain::ValueError| ("Amt/@Ccy".to_owned(), e.to_string()))?;
        let minor = plain_amount(&self.amount, currency).map_err(|e| ("Amt".to_owned(), e))?;
        let paid_at = plain_day(&entry.day).map_err(|e| ("BookgDt".to_owned(), e))?;
        let concept = [&*self.creditor_reference, &*self.words].join(" ");
        let reference = [&self.bank_reference, &self.end_to_end];
        let reference = reference.into_iter().find(|r| !r.is_empty());
        Ok(BankMoney {
            paid_at,
            amount: Money::new(minor, currency),
            reference: reference.cloned().unwrap_or_default(),
            concept: concept.trim().chars().take(CONCEPT_MAX).collect(),
            document: self.document.clone(),
        })
    }
}

impl Entry {
    fn rows(self, line: u64, rows: &mut Vec<BankRow>) {
        let refused = |column: &str, reason: &str| BankRead::Refused {
            column: column.to_owned(),
            reason: reason.to_owned(),
        };
        if self.reversal {
            let reason = "a reversal: take the payment back by hand";
            rows.push(BankRow {
                line,
                read: refused("RvslInd", reason),
            });
            return;
        }
        if !self.credit || !self.booked {
            rows.push(BankRow {
                line,
                read: BankRead::NotMoney,
            });
            return;
        }
        // One payment, or a batch that does not tell its parts: the entry's own amount.
        let apart = self.details.len() > 1 && self.details.iter().all(|d| !d.amount.is_empty());
        let told: Vec<Told> = if apart {
            self.details.clone()
        } else {
            let first = self.details.first().cloned().unwrap_or_default();
            let mut one = Told {
                amount: self.whole.amount.clone(),
                currency: self.whole.currency.clone(),
                ..first
            };
            put(&mut one.bank_reference, &self.whole.bank_reference);
            put(&mut one.words, &self.whole.words);
            vec![one]
        };
        for one in told {
            let read = match one.money(&self) {
                Ok(money) if money.amount.amount_minor > 0 => BankRead::Money(money),
                Ok(_) => BankRead::NotMoney,
                Err((column, reason)) => refused(&column, &reason),
            };
            rows.push(BankRow { line, read });
        }
    }
}

/// Where the reader stands.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    entry: Option<Entry>,
    detail: bool,
    text: String,
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
                self.detail = true;
                if let Some(entry) = &mut self.entry {
                    entry.details.push(Told::default());
                }
            }
            "Amt" => {
                if let Some(told) = self.told() {
                    put(&mut told.currency, &currency_of(tag));
                }
            }
            _ => {}
        }
        self.path.push(name);
        if self.path.len() > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}"));
        }
        Ok(())
    }

    fn told(&mut self) -> Option<&mut Told> {
        let detail = self.detail;
        let entry = self.entry.as_mut()?;
        if detail {
            entry.details.last_mut()
        } else {
            Some(&mut entry.whole)
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let path = self.path.clone();
        if !text.is_empty() && self.entry.is_some() {
            if let Some(told) = self.told() {
                told.take(&path, text);
            }
            if let Some(entry) = &mut self.entry {
                let parent = path.len().checked_sub(2).map_or("", |at| path[at].as_str());
                match (parent, path.last().map_or("", String::as_str)) {
                    ("Ntry", "CdtDbtInd") => entry.credit = text == "CRDT",
                    ("Ntry", "RvslInd") => entry.reversal = text == "true" || text == "1",
                    ("Ntry", "Sts") | ("Sts", "Cd") => entry.booked = text == "BOOK",
                    ("BookgDt", "Dt" | "DtTm") => text.clone_into(&mut entry.day),
                    ("ValDt", "Dt" | "DtTm") => put(&mut entry.day, text),
                    _ => {}
                }
            }
        }
        match self.path.pop().as_deref() {
            Some("TxDtls") => self.detail = false,
            Some("Ntry") => {
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
            _ => {}
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
mod tests {
    use super::*;

    const STATEMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id>
<Ntry><Amt Ccy="MXN">1850.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
 <BookgDt><Dt>2026-11-23</Dt></BookgDt><AcctSvcrRef>B-77</AcctSvcrRef>
 <NtryDtls><TxDtls><Refs><EndToEndId>E-1</EndToEndId></Refs><RltdPties><Dbtr><Nm>X</Nm><Id><PrvtId><Othr><Id>PEGA800101AAA</Id></Othr></PrvtId></Id></Dbtr></RltdPties>
 <RmtInf><Ustrd>PAGO C-1001 &amp; gracias</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="MXN">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-11-24T09:00:00</DtTm></BookgDt>
 <NtryDtls><TxDtls><Amt Ccy="MXN">10.00</Amt><Refs><AcctSvcrRef>B-78/1</AcctSvcrRef></Refs></TxDtls>
 <TxDtls><Amt Ccy="MXN">20.00</Amt><Refs><AcctSvcrRef>B-78/2</AcctSvcrRef></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="MXN">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="MXN">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="MXN">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="MXN">5,00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

    #[test]
    fn booked_credits_are_money_and_a_batch_is_its_payments() {
        let sheet = read(STATEMENT).expect("a statement");
        let money: Vec<&BankMoney> = sheet
            .rows
            .iter()
            .filter_map(|r| match &r.read {
                BankRead::Money(m) => Some(m),
                _ => None,
            })
            .collect();
        let seen: Vec<_> = money
            .iter()
            .map(|m| (m.amount.amount_minor, m.reference.split(' ').next()))
            .collect();
        assert_eq!(
            seen,
            vec![
                (185_050, Some("B-77")),
                (1_000, Some("B-78/1")),
                (2_000, Some("B-78/2"))
            ]
        );
        assert_eq!(money[0].concept, "PAGO C-1001 & gracias");
        assert_eq!(money[0].document, "PEGA800101AAA");
        assert_eq!(money[1].paid_at.to_string(), "2026-11-24T12:00:00.000Z");
        let rest = sheet
            .rows
            .iter()
            .filter(|r| r.read == BankRead::NotMoney)
            .count();
        let refused = sheet
            .rows
            .iter()
            .filter(|r| matches!(r.read, BankRead::Refused { .. }))
            .count();
        assert_eq!((rest, refused), (2, 2));
    }

    #[test]
    fn what_is_no_statement_is_said() {
        let deep = format!("<BkToCstmrStmt>{}", "<a>".repeat(100));
        let bomb = "<!DOCTYPE x [<!ENTITY a \"b\">]><BkToCstmrStmt>&a;</BkToCstmrStmt>";
        for (text, part) in [
            ("<Document/>", "BkToCstmrStmt"),
            ("<a><b></a>", "well-formed"),
            (&*deep, "nested"),
            (bomb, "document type"),
            ("<BkToCstmrStmt>&who;</BkToCstmrStmt>", "unknown entity"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
