//! Statements as ISO 20022 writes them.

use super::*;

fn statement(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>1</Id>\
        {entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

const PLAIN: &str = r#"
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
<Ntry><Amt Ccy="MXN">5,00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>"#;

/// An entry with what stands in its `NtryDtls`.
fn entry(amount: &str, direction: &str, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"MXN\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
        <BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>W-1</AcctSvcrRef>{details}\
        <AddtlNtryInf>LOTE</AddtlNtryInf></Ntry>"
    )
}

fn reads(entries: &str) -> Vec<BankRead> {
    let sheet = read(&statement(entries)).expect("a statement");
    sheet.rows.into_iter().map(|r| r.read).collect()
}

/// Amounts and the bank's own references of money.
fn money(reads: &[BankRead]) -> Vec<(i64, String)> {
    let own = |m: &BankMoney| {
        let own = m.reference.split(' ').next().unwrap_or_default();
        (m.amount.amount_minor, own.to_owned())
    };
    let of = |read: &BankRead| match read {
        BankRead::Money(m) => Some(own(m)),
        _ => None,
    };
    reads.iter().filter_map(of).collect()
}

fn column(read: &BankRead) -> Option<&str> {
    match read {
        BankRead::Refused { column, .. } => Some(column),
        _ => None,
    }
}

/// Where rows are refused.
fn refusals(reads: &[BankRead]) -> Vec<&str> {
    reads.iter().filter_map(column).collect()
}

#[test]
fn booked_credits_are_money_and_a_batch_is_its_payments() {
    let found = reads(PLAIN);
    let want = [(185_050, "B-77"), (1_000, "B-78/1"), (2_000, "B-78/2")];
    assert_eq!(money(&found), want.map(|(m, r)| (m, r.to_owned())));
    let BankRead::Money(first) = &found[0] else {
        panic!("{found:?}");
    };
    assert_eq!(first.concept, "PAGO C-1001 & gracias");
    assert_eq!(first.document, "PEGA800101AAA");
    let BankRead::Money(second) = &found[1] else {
        panic!("{found:?}");
    };
    assert_eq!(second.paid_at.to_string(), "2026-11-24T12:00:00.000Z");
    let none = found.iter().filter(|r| **r == BankRead::NotMoney).count();
    assert_eq!((none, refusals(&found)), (2, vec!["RvslInd", "Amt"]));
}

/// `AmtDtls` with what was told to pay, in another currency, and what came to the account.
fn payment(told: &str, came: &str, reference: &str) -> String {
    format!(
        "<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><AmtDtls>\
        <InstdAmt><Amt Ccy=\"USD\">{told}</Amt></InstdAmt><TxAmt><Amt Ccy=\"MXN\">{came}</Amt></TxAmt>\
        <CntrValAmt><Amt Ccy=\"MXN\">9.99</Amt></CntrValAmt></AmtDtls>\
        <Chrgs><Rcrd><Amt Ccy=\"MXN\">0.50</Amt></Rcrd></Chrgs></TxDtls>"
    )
}

#[test]
fn payments_of_a_batch_have_the_accounts_amounts_and_are_held_against_the_entry() {
    let (one, two) = (
        payment("1.00", "18.00", "E-1"),
        payment("2.00", "36.00", "E-2"),
    );
    let batch = |count: &str, total: &str| {
        format!(
            "<NtryDtls><Btch><MsgId>M</MsgId><NbOfTxs>{count}</NbOfTxs><TtlAmt Ccy=\"MXN\">{total}</TtlAmt>\
            <CdtDbtInd>CRDT</CdtDbtInd></Btch>{one}{two}</NtryDtls>"
        )
    };
    let good = reads(&entry("54.00", "CRDT", &batch("2", "54.00")));
    let want = [(1_800, "E-1"), (3_600, "E-2")].map(|(m, r)| (m, r.to_owned()));
    assert_eq!(money(&good), want);
    for (amount, details, column) in [
        ("55.00", batch("2", "54.00"), "NtryDtls"),
        ("54.00", batch("3", "54.00"), "Btch/NbOfTxs"),
        ("54.00", batch("2", "53.00"), "Btch/TtlAmt"),
    ] {
        let found = reads(&entry(amount, "CRDT", &details));
        assert_eq!(
            (found.len(), refusals(&found)),
            (1, vec![column]),
            "{amount}"
        );
    }
    // Two batches in one entry, each with its own payments.
    let each = |told: &str, total: &str| {
        format!(
            "<NtryDtls><Btch><NbOfTxs>1</NbOfTxs><TtlAmt Ccy=\"MXN\">{total}</TtlAmt></Btch>{told}</NtryDtls>"
        )
    };
    let both = [each(&one, "18.00"), each(&two, "36.00")].concat();
    assert_eq!(money(&reads(&entry("54.00", "CRDT", &both))), want);
}

#[test]
fn a_batch_without_its_parts_is_nobodys_and_one_payment_has_the_entrys_amount() {
    let named = |reference: &str| {
        format!(
            "<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>\
            <RmtInf><Ustrd>C-1001</Ustrd></RmtInf></TxDtls>"
        )
    };
    let two = format!("<NtryDtls>{}{}</NtryDtls>", named("E-1"), named("E-2"));
    let found = reads(&entry("54.00", "CRDT", &two));
    let BankRead::Money(whole) = &found[0] else {
        panic!("{found:?}");
    };
    assert_eq!((found.len(), whole.amount.amount_minor), (1, 5_400));
    assert_eq!(whole.concept, "LOTE", "not the words of its first payer");
    let only = "<NtryDtls><Btch><NbOfTxs>40</NbOfTxs></Btch></NtryDtls>";
    assert_eq!(
        money(&reads(&entry("54.00", "CRDT", only))),
        vec![(5_400, "W-1".into())]
    );
    let one = format!("<NtryDtls>{}</NtryDtls>", payment("3.00", "55.00", "E-9"));
    let found = money(&reads(&entry("54.00", "CRDT", &one)));
    assert_eq!(found, vec![(5_400, "W-1".into())], "less the bank's charge");
}

#[test]
fn a_part_of_the_other_direction_is_no_money() {
    let part = |amount: &str, direction: &str| {
        format!(
            "<TxDtls><Amt Ccy=\"MXN\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd></TxDtls>"
        )
    };
    let details = format!(
        "<NtryDtls>{}{}</NtryDtls>",
        part("60.00", "CRDT"),
        part("6.00", "DBIT")
    );
    let found = reads(&entry("54.00", "CRDT", &details));
    assert_eq!((found.len(), money(&found)[0].0), (2, 6_000), "{found:?}");
    assert_eq!(found[1], BankRead::NotMoney);
}

#[test]
fn a_credit_that_the_bank_takes_back_is_told_with_its_reference() {
    let back = "<Ntry><Amt Ccy=\"MXN\">18.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd>\
        <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-25</Dt></BookgDt><AcctSvcrRef>B-77</AcctSvcrRef></Ntry>";
    let returned = entry(
        "18.00",
        "DBIT",
        "<NtryDtls><TxDtls><Refs><EndToEndId>E-1</EndToEndId></Refs>\
        <RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf></TxDtls></NtryDtls>",
    );
    let found = reads(&format!("{back}{returned}"));
    let own: Vec<_> = found
        .iter()
        .map(|read| match read {
            BankRead::Back(m) => (m.amount.amount_minor, m.reference.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        own,
        vec![(1_800, "B-77"), (1_800, "W-1")],
        "as the bank wrote them"
    );
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
