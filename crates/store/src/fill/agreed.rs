//! What was agreed with debtors, written to them and by them: a stage for every debt, a plan or an address for
//! some, and for a tenth of them messages, letters and due items.

use super::FillPlan;
use super::rows::{Cells, N, Rows, phone};
use super::words::{Kind, Words};
use domain::time::DAY_MS;

/// Debtors of whom one is written to.
const WRITTEN_TO: u64 = 10;
/// Messages to each of them, what each wrote, and letters to each.
const MESSAGES: u64 = 6;
const REPLIES: u64 = 2;
const LETTERS: u64 = 2;
/// Instalments of a plan.
const PARTS: u64 = 4;
/// Debtors of whom one has a plan.
const WITH_PLAN: u64 = 16;
/// Due items of a debt of who is written to.
const ITEMS: u64 = 3;
/// Debtors with a postal address, percent.
const ADDRESSES_PCT: u32 = 30;
/// What stands in a message, and in a paragraph of a letter.
const SENTENCE: &str = "Su cuenta tiene un saldo vencido. Puede pagar hoy por transferencia o hablar con nosotros \
    para acordar otra fecha.";
/// Such sentences in a letter.
const SENTENCES: usize = 8;

/// Rows of each table, those first that others name.
pub(super) fn rows(words: Words, plan: &FillPlan, client: &str) -> Vec<Rows> {
    let all = plan.debtors;
    let few = (all / WRITTEN_TO).max(1);
    let of = |table, columns, count, only| Rows {
        table,
        columns,
        count,
        only,
    };
    let planned = |n: &str| Some(format!("{n}%{WITH_PLAN}=3"));
    let some = Some(words.truth(N, 122, ADDRESSES_PCT));
    let of_plan = format!("({N}/{PARTS})");
    let whom = format!("({N}%{few})");
    vec![
        of("debt_stages", stage(words, client), all, None),
        of("plans", agreement(words, client), all, planned(N)),
        of(
            "instalments",
            part(words, &of_plan),
            all * PARTS,
            planned(&of_plan),
        ),
        of("addresses", address(words, client), all, some),
        of("debt_items", item(words), few * ITEMS, None),
        of(
            "messages",
            message(words, client, &whom),
            few * MESSAGES,
            None,
        ),
        of("inbox", reply(words, client, &whom), few * REPLIES, None),
        of("letter_batches", batch(words, client, few), LETTERS, None),
        of(
            "letters",
            letter(words, client, (&whom, few)),
            few * LETTERS,
            None,
        ),
        of("excuses", excuse(words, client, &whom), few, None),
    ]
}

/// The columns that nearly all begin with.
fn own(words: Words, kind: Kind, client: &str, whom: &str) -> Cells {
    vec![
        ("id", words.id(kind, N)),
        ("client_id", client.to_owned()),
        ("debtor_id", words.id(Kind::Debtor, whom)),
    ]
}

fn stage(words: Words, client: &str) -> Cells {
    let late = words.truth(N, 124, 20);
    let deadline = words.now + 10 * DAY_MS;
    vec![
        ("debt_id", words.id(Kind::Debt, N)),
        ("client_id", client.to_owned()),
        ("debtor_id", words.id(Kind::Debtor, N)),
        (
            "stage",
            words.one(
                N,
                123,
                &[
                    "'preventive'",
                    "'administrative'",
                    "'administrative'",
                    "'extrajudicial'",
                ],
            ),
        ),
        ("entered_at", (words.now - 20 * DAY_MS).to_string()),
        (
            "deadline",
            format!("(CASE WHEN {late} THEN {deadline} END)"),
        ),
        ("moved_by", "'system'".to_owned()),
        ("reason", "''".to_owned()),
    ]
}

fn agreement(words: Words, client: &str) -> Cells {
    let balance = format!("(100000+{}%900000)", words.chance(N, 125));
    let states = [
        "'active'",
        "'active'",
        "'completed'",
        "'broken'",
        "'cancelled'",
    ];
    let mut cells = own(words, Kind::Plan, client, N);
    cells.extend([
        ("debt_id", words.id(Kind::Debt, N)),
        ("currency", "'MXN'".to_owned()),
        ("quita_minor", format!("{balance}/10")),
        ("agreed_minor", format!("({balance}-{balance}/10)")),
        ("balance_minor", balance),
        ("freeze_interest", "FALSE".to_owned()),
        ("early_off_minor", "0".to_owned()),
        ("lapses", "FALSE".to_owned()),
        ("policy_version", "1".to_owned()),
        ("state", words.one(N, 126, &states)),
        ("made_at", (words.now - 41 * DAY_MS).to_string()),
        ("signed_at", (words.now - 40 * DAY_MS).to_string()),
    ]);
    cells
}

/// A month apart, together less than any principal.
fn item(words: Words) -> Cells {
    let (today, n) = (words.now.div_euclid(DAY_MS), format!("({N}%{ITEMS})"));
    vec![
        ("debt_id", words.id(Kind::Debt, &format!("({N}/{ITEMS})"))),
        ("reference", format!("'F'||CAST({n} AS TEXT)")),
        ("due_date", words.date(&format!("({today}-70+30*{n})"))),
        ("amount_minor", "15000".to_owned()),
    ]
}

/// A month apart, the first of them paid.
fn part(words: Words, of_plan: &str) -> Cells {
    let (today, n) = (words.now.div_euclid(DAY_MS), format!("({N}%{PARTS})"));
    let paid = |yes: &str, no: &str| format!("(CASE WHEN {n}<2 THEN {yes} ELSE {no} END)");
    vec![
        ("id", words.id(Kind::Instalment, N)),
        ("plan_id", words.id(Kind::Plan, of_plan)),
        ("position", format!("{n}+1")),
        ("due_date", words.date(&format!("({today}-35+30*{n})"))),
        (
            "grace_until",
            format!("({}+30*{n}*{DAY_MS})", words.now - 32 * DAY_MS),
        ),
        ("amount_minor", "45000".to_owned()),
        ("paid_minor", paid("45000", "0")),
        ("state", paid("'paid'", "'due'")),
    ]
}

fn address(words: Words, client: &str) -> Cells {
    let mut cells = own(words, Kind::Address, client, N);
    cells.extend([
        ("street", format!("'Calle '||CAST({N}%500 AS TEXT)")),
        ("city", "'Toluca'".to_owned()),
        ("region", "'MEX'".to_owned()),
        ("postcode", words.digits(&format!("{N}%100000"), 5)),
        ("country", "'MX'".to_owned()),
        ("source", "'import'".to_owned()),
        ("bad", words.truth(N, 127, 5)),
        ("added_at", (words.now - 90 * DAY_MS).to_string()),
        ("confirmed_at", (words.now - 90 * DAY_MS).to_string()),
    ]);
    cells
}

/// One each nine days, all of them ended.
fn message(words: Words, client: &str, whom: &str) -> Cells {
    let at = format!("({}-{N}%{}*{DAY_MS})", words.now - DAY_MS, 9 * MESSAGES);
    let states = ["'delivered'", "'read'", "'sent'", "'answered'", "'bounced'"];
    let mut cells = own(words, Kind::Message, client, whom);
    cells.extend([
        ("debt_id", words.id(Kind::Debt, whom)),
        ("point_id", words.id(Kind::Mobile, whom)),
        ("address", phone(words, whom, "55")),
        ("channel", words.one(N, 128, &["'sms'", "'whatsapp'"])),
        ("purpose", "'strategy'".to_owned()),
        ("template_version", "1".to_owned()),
        ("strategy_version", "1".to_owned()),
        ("step", "'d2'".to_owned()),
        ("subject", "''".to_owned()),
        ("body", format!("'{SENTENCE}'")),
        ("due_at", at.clone()),
        ("expires_at", format!("({at}+{DAY_MS})")),
        ("state", words.one(N, 129, &states)),
        ("reason", "''".to_owned()),
        ("tries", "1".to_owned()),
        ("gateway", "'bench'".to_owned()),
        ("provider_ref", format!("'m'||{}", words.digits(N, 9))),
        ("cost_micro", "20000".to_owned()),
        ("currency", "'MXN'".to_owned()),
        ("made_by", "'system'".to_owned()),
        ("created_at", at.clone()),
        ("sent_at", at.clone()),
        ("delivered_at", format!("({at}+4000)")),
        ("ended_at", format!("({at}+4000)")),
    ]);
    cells
}

fn reply(words: Words, client: &str, whom: &str) -> Cells {
    let mut cells = own(words, Kind::Reply, client, whom);
    cells.extend([
        ("channel", "'whatsapp'".to_owned()),
        ("address", phone(words, whom, "55")),
        ("body", "'Pago el viernes'".to_owned()),
        ("gateway", "'bench'".to_owned()),
        ("provider_ref", format!("'r'||{}", words.digits(N, 9))),
        (
            "state",
            words.one(N, 130, &["'closed'", "'answered'", "'new'"]),
        ),
        ("optout", "FALSE".to_owned()),
        (
            "received_at",
            format!("({}-{N}%50*{DAY_MS})", words.now - DAY_MS),
        ),
        ("handled_by", "''".to_owned()),
    ]);
    cells
}

/// One for each letter that a debtor has: a batch holds a debt once.
fn batch(words: Words, client: &str, few: u64) -> Cells {
    vec![
        ("id", words.id(Kind::Batch, N)),
        ("client_id", client.to_owned()),
        ("level", "'L1'".to_owned()),
        ("state", "'done'".to_owned()),
        ("total", few.to_string()),
        ("done", few.to_string()),
        ("made", few.to_string()),
        ("left_out", "0".to_owned()),
        ("made_at", (words.now - 30 * DAY_MS).to_string()),
    ]
}

fn letter(words: Words, client: &str, (whom, few): (&str, u64)) -> Cells {
    let today = words.now.div_euclid(DAY_MS);
    let mut cells = own(words, Kind::Letter, client, whom);
    cells.extend([
        ("debt_id", words.id(Kind::Debt, whom)),
        ("batch_id", words.id(Kind::Batch, &format!("({N}/{few})"))),
        ("level", "'L1'".to_owned()),
        ("language", "'es'".to_owned()),
        ("template_id", words.id(Kind::House, "5")),
        ("letterhead", "'bench'".to_owned()),
        ("addressee", format!("'Persona '||CAST({whom} AS TEXT)")),
        ("subject", "'Su cuenta'".to_owned()),
        ("body", format!("'{}'", SENTENCE.repeat(SENTENCES))),
        ("dated", words.date(&format!("({today}-30)"))),
        ("made_at", (words.now - 30 * DAY_MS).to_string()),
    ]);
    cells
}

fn excuse(words: Words, client: &str, whom: &str) -> Cells {
    let mut cells = own(words, Kind::Excuse, client, whom);
    cells.extend([
        ("attempt_id", words.id(Kind::Attempt, N)),
        (
            "kind",
            words.one(N, 131, &["'unemployed'", "'illness'", "'forgot'"]),
        ),
        ("at", (words.now - 7 * DAY_MS).to_string()),
    ]);
    cells
}
