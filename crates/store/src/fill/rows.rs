//! The rows of each table.

use super::words::{Kind, Words};
use super::{FillPlan, HISTORY_DAYS};
use domain::time::DAY_MS;

/// One table's rows: columns with their values over `g.n`, and how many.
pub(super) struct Rows {
    pub(super) table: &'static str,
    pub(super) columns: Vec<(&'static str, String)>,
    pub(super) count: u64,
    pub(super) only: Option<String>,
}

pub(super) const N: &str = "g.n";

pub(super) fn phone(words: Words, n: &str, area: &str) -> String {
    format!(
        "'+52{area}'||{}",
        words.digits(&format!("10000000+({n})"), 8)
    )
}

pub(super) fn people(words: Words, plan: &FillPlan, client: &str, portfolio: &str) -> Vec<Rows> {
    let id = |kind| words.id(kind, N);
    let text = |v: &str| format!("'{v}'");
    let c = |of: &[&str], salt| words.one(N, salt, of);
    let persons = vec![("id", id(Kind::Person))];
    let debtors = debtor(words, plan, client, portfolio);
    let party = vec![
        ("id", id(Kind::Party)),
        ("debt_id", id(Kind::Debt)),
        ("debtor_id", id(Kind::Debtor)),
        (
            "role",
            c(
                &[
                    "'titular'",
                    "'titular'",
                    "'titular'",
                    "'aval'",
                    "'codeudor'",
                ],
                10,
            ),
        ),
        ("name", format!("'Persona '||CAST({N} AS TEXT)")),
    ];
    let consent = vec![
        ("id", id(Kind::Consent)),
        ("debtor_id", id(Kind::Debtor)),
        ("channel", text("call")),
        (
            "purpose",
            c(&["'contact'", "'contact'", "'wider_hours'"], 11),
        ),
        ("granted_at", (plan.now.0 - 100 * DAY_MS).to_string()),
        ("proof", text("contract")),
    ];
    let all = plan.debtors;
    let rows = |table, columns, only| Rows {
        table,
        columns,
        count: all,
        only,
    };
    vec![
        rows("persons", persons, None),
        rows("debtors", debtors, None),
        rows("debts", debt(words, plan, (client, portfolio), false), None),
        rows(
            "debts",
            debt(words, plan, (client, portfolio), true),
            Some(words.truth(N, 12, 15)),
        ),
        rows("contact_points", point(words, Kind::Mobile), None),
        rows(
            "contact_points",
            point(words, Kind::Home),
            Some(words.truth(N, 13, 70)),
        ),
        rows("parties", party, None),
        rows("consents", consent, Some(words.truth(N, 14, 40))),
    ]
}

/// A debtor's place in the random order, below 2^31: a fifth power, because all else is a multiple of the row's
/// number, and so would be who comes one after another in an order made in the same way.
fn lot(words: Words) -> String {
    const PRIME: u32 = 2_147_483_647;
    let one = format!("({}%{PRIME})", words.chance(N, 7));
    let square = format!("({one}*{one}%{PRIME})");
    format!("({square}*{square}%{PRIME}*{one}%{PRIME})")
}

/// A debtor's own columns; his figures are added up later.
fn debtor(
    words: Words,
    plan: &FillPlan,
    client: &str,
    portfolio: &str,
) -> Vec<(&'static str, String)> {
    let id = |kind| words.id(kind, N);
    let c = |of: &[&str], salt| words.one(N, salt, of);
    let came = format!("{}-{}%{}", plan.now.0, words.chance(N, 3), 90 * DAY_MS);
    vec![
        ("id", id(Kind::Debtor)),
        ("client_id", client.to_owned()),
        ("portfolio_id", portfolio.to_owned()),
        ("person_id", id(Kind::Person)),
        ("external_ref", format!("'D'||{}", words.digits(N, 9))),
        (
            "kind",
            c(&["'person'", "'person'", "'person'", "'company'"], 1),
        ),
        ("name", format!("'Persona '||CAST({N} AS TEXT)")),
        ("document", format!("'DOC'||{}", words.digits(N, 9))),
        ("listed_form", format!("'DOC'||{}", words.digits(N, 9))),
        ("country", c(&["'MX'", "'MX'", "'MX'", "'CO'", "'PE'"], 2)),
        ("subdivision", c(&["NULL", "'MEX'", "'JAL'", "'NLE'"], 4)),
        ("language", c(&["'es'", "'es'", "'es'", "'en'"], 5)),
        (
            "address_zone",
            c(
                &["NULL", "NULL", "'America/Mexico_City'", "'America/Tijuana'"],
                6,
            ),
        ),
        ("created_at", came.clone()),
        ("updated_at", came),
        (
            "lot",
            format!("(-9223372036854775807-1)+{}*2147483648", lot(words)),
        ),
        (
            "score",
            format!(
                "(CASE WHEN {} THEN {}%1001 END)",
                words.truth(N, 8, 80),
                words.chance(N, 9)
            ),
        ),
    ]
}

fn debt(
    words: Words,
    plan: &FillPlan,
    of: (&str, &str),
    second: bool,
) -> Vec<(&'static str, String)> {
    let (client, portfolio) = of;
    let (kind, salt, letter) = match second {
        false => (Kind::Debt, 20, "C"),
        true => (Kind::SecondDebt, 40, "S"),
    };
    let today = plan.now.0.div_euclid(DAY_MS);
    // Few are very late: the square of chance.
    let late = format!(
        "({0}%1000*({0}%1000)*420/1000000-15)",
        words.chance(N, salt)
    );
    let day = format!("({today}-{late})");
    let date = words.date(&day);
    let principal = format!("(50000+{}%2950000)", words.chance(N, salt + 1));
    let interest = format!("({}%200000)", words.chance(N, salt + 2));
    let fees = format!(
        "(CASE WHEN {} THEN {}%50000 ELSE 0 END)",
        words.truth(N, salt + 3, 50),
        words.chance(N, salt + 4)
    );
    vec![
        ("id", words.id(kind, N)),
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("client_id", client.to_owned()),
        ("portfolio_id", portfolio.to_owned()),
        (
            "external_ref",
            format!("'{letter}'||{}", words.digits(N, 9)),
        ),
        (
            "product",
            words.one(
                N,
                salt + 5,
                &["'tarjeta'", "'auto'", "'nomina'", "'personal'"],
            ),
        ),
        (
            "currency",
            words.one(N, salt + 6, &["'MXN'", "'MXN'", "'MXN'", "'MXN'", "'USD'"]),
        ),
        ("overdue_minor", format!("{principal}/2")),
        ("minimum_minor", format!("{principal}/20")),
        ("principal_minor", principal),
        ("interest_minor", interest),
        ("fees_minor", fees),
        ("due_date", date),
        ("due_day", day),
        (
            "status",
            format!(
                "(CASE WHEN {} THEN 'paid' ELSE 'open' END)",
                words.truth(N, salt + 7, 6)
            ),
        ),
        ("created_at", (plan.now.0 - 90 * DAY_MS).to_string()),
        ("updated_at", (plan.now.0 - 30 * DAY_MS).to_string()),
    ]
}

fn point(words: Words, kind: Kind) -> Vec<(&'static str, String)> {
    let (class, area, salt, position) = match kind {
        Kind::Mobile => ("'mobile'", "55", 60, "0"),
        _ => ("'home'", "33", 70, "1"),
    };
    vec![
        ("id", words.id(kind, N)),
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("role", "'titular'".into()),
        ("channel", "'call'".into()),
        ("value", phone(words, N, area)),
        ("class", class.into()),
        ("source", "'import'".into()),
        ("given_by_debtor", words.truth(N, salt, 90)),
        ("authorised", words.truth(N, salt + 1, 90)),
        (
            "confidence",
            format!("(20+{}%80)", words.chance(N, salt + 2)),
        ),
        ("position", position.into()),
        ("bad", words.truth(N, salt + 3, 8)),
        (
            "last_rpc_at",
            format!(
                "(CASE WHEN {} THEN {}-{}%{} END)",
                words.truth(N, salt + 4, 20),
                words.now,
                words.chance(N, salt + 5),
                120 * DAY_MS
            ),
        ),
    ]
}

/// Money and stops: some debtors have them.
pub(super) fn marks(words: Words, plan: &FillPlan, client: &str) -> Vec<Rows> {
    let now = plan.now.0;
    let (today, ago) = (now.div_euclid(DAY_MS), words.chance(N, 91));
    let date = words.date(&format!("({today}+{ago}%10-5)"));
    let of = |kind| {
        vec![
            ("id", words.id(kind, N)),
            ("client_id", client.to_owned()),
            ("debtor_id", words.id(Kind::Debtor, N)),
        ]
    };
    let state = words.one(N, 93, &["'active'", "'kept'", "'broken'", "'broken'"]);
    let mut promise = of(Kind::Promise);
    promise.extend([
        ("debt_id", words.id(Kind::Debt, N)),
        (
            "amount_minor",
            format!("(10000+{}%500000)", words.chance(N, 92)),
        ),
        ("currency", "'MXN'".to_owned()),
        ("due_date", date),
        ("due_day", format!("({today}+{ago}%10-5)")),
        ("grace_until", (now + 5 * DAY_MS).to_string()),
        ("channel", "'transfer'".to_owned()),
        ("state", state.clone()),
        ("made_at", (now - 6 * DAY_MS).to_string()),
        (
            "closed_at",
            format!(
                "(CASE WHEN {state}<>'active' THEN {now}-{}%{} END)",
                words.chance(N, 98),
                120 * DAY_MS
            ),
        ),
    ]);
    let mut payment = of(Kind::Payment);
    payment.extend([
        ("debt_id", words.id(Kind::Debt, N)),
        (
            "amount_minor",
            format!("(5000+{}%300000)", words.chance(N, 94)),
        ),
        ("currency", "'MXN'".to_owned()),
        (
            "paid_at",
            format!("({now}-{}%{})", words.chance(N, 95), 100 * DAY_MS),
        ),
        ("channel", "'transfer'".to_owned()),
        ("reference", format!("'P'||{}", words.digits(N, 9))),
        (
            "posted_at",
            format!("({now}-{}%{})", words.chance(N, 95), 100 * DAY_MS),
        ),
    ]);
    let (hold, listed) = stops(words, now, of(Kind::Hold));
    let some = |table, columns, salt, pct| Rows {
        table,
        columns,
        count: plan.debtors,
        only: Some(words.truth(N, salt, pct)),
    };
    vec![
        some("promises", promise, 101, 8),
        some("payments", payment, 102, 12),
        some("holds", hold, 103, 3),
        some("suppressions", listed, 104, 1),
    ]
}

/// Columns with what SQL puts into them.
pub(super) type Cells = Vec<(&'static str, String)>;

/// A hold, its own columns behind those in `hold`, and a listed number.
fn stops(words: Words, now: i64, mut hold: Cells) -> (Cells, Cells) {
    hold.extend([
        (
            "scope",
            words.one(N, 96, &["'debtor'", "'debtor'", "'debt'"]),
        ),
        (
            "kind",
            words.one(N, 97, &["'dispute'", "'represented'", "'cease'"]),
        ),
        ("from_at", (now - 20 * DAY_MS).to_string()),
        ("evidence", "''".to_owned()),
    ]);
    let listed = vec![
        ("id", words.id(Kind::Suppression, N)),
        ("kind", "'phone'".to_owned()),
        ("value", phone(words, N, "55")),
        // As `domain::entity::dnc::listed_form` writes a phone: its digits.
        (
            "listed_form",
            format!("substr({},2)", phone(words, N, "55")),
        ),
        ("reason", "'request'".to_owned()),
        ("created_at", (now - 20 * DAY_MS).to_string()),
    ];
    (hold, listed)
}

/// Attempts in the order of time, and the ledger rows behind them. A tenth of the debtors is called more.
pub(super) fn history(words: Words, plan: &FillPlan, client: &str) -> Vec<Rows> {
    let step = (HISTORY_DAYS * DAY_MS) / i64::try_from(plan.attempts.max(1)).unwrap_or(i64::MAX);
    let at = format!("({}+{N}*{step})", plan.now.0 - HISTORY_DAYS * DAY_MS);
    let few = (plan.debtors / 10).max(1);
    let who = format!(
        "(CASE WHEN {N}%5=0 THEN {N}*7919%{few} ELSE {N}*7919%{} END)",
        plan.debtors.max(1)
    );
    let trunk = words.id(Kind::House, "1");
    let human = words.truth(N, 111, 15);
    let mut attempt = vec![
        ("id", words.id(Kind::Attempt, N)),
        ("client_id", client.to_owned()),
        ("debtor_id", words.id(Kind::Debtor, &who)),
        ("person_id", words.id(Kind::Person, &who)),
        ("debts", "'[]'".to_owned()),
        ("point_id", words.id(Kind::Mobile, &who)),
        ("phone", phone(words, &who, "55")),
        ("class", "'mobile'".to_owned()),
        ("trunk_id", trunk),
        ("caller_number", "'+525588800000'".to_owned()),
        ("node", "'bench'".to_owned()),
        ("fence", "0".to_owned()),
        ("mode", "'predictive'".to_owned()),
        ("agent_reserved", "FALSE".to_owned()),
        ("state", "'ended'".to_owned()),
        ("opened_at", at.clone()),
        ("invite_at", format!("{at}+5")),
        (
            "answered_at",
            format!("(CASE WHEN {human} THEN {at}+9000 END)"),
        ),
        (
            "bridged_at",
            format!("(CASE WHEN {human} THEN {at}+9100 END)"),
        ),
        (
            "identity_at",
            format!("(CASE WHEN {human} AND {N}%2=0 THEN {at}+20000 END)"),
        ),
        ("ended_at", format!("{at}+40000")),
        ("verdict_id", words.id(Kind::House, "2")),
        ("pack", "'mx'".to_owned()),
        ("pack_version", "'1'".to_owned()),
    ];
    attempt.extend(outcome(words, &at, &human));
    let ledger = ledger_row(words, client, &who, at);
    let rows = |table, columns| Rows {
        table,
        columns,
        count: plan.attempts,
        only: None,
    };
    vec![rows("attempts", attempt), rows("ledger", ledger)]
}

/// The ledger row of an attempt.
fn ledger_row(words: Words, client: &str, who: &str, at: String) -> Vec<(&'static str, String)> {
    vec![
        ("id", words.id(Kind::Ledger, N)),
        ("person_id", words.id(Kind::Person, who)),
        ("debtor_id", words.id(Kind::Debtor, who)),
        ("client_id", client.to_owned()),
        ("debts", "'[]'".to_owned()),
        ("point_id", words.id(Kind::Mobile, who)),
        ("address", phone(words, who, "55")),
        ("class", "'mobile'".to_owned()),
        ("channel", "'call'".to_owned()),
        ("kind", "'attempt'".to_owned()),
        ("at", at),
        ("attempt_id", words.id(Kind::Attempt, N)),
        ("reached_network", "TRUE".to_owned()),
    ]
}

/// How an attempt ended.
fn outcome(words: Words, at: &str, human: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "result",
            format!(
                "(CASE WHEN {human} THEN 'human' ELSE {} END)",
                words.one(
                    N,
                    112,
                    &[
                        "'no_answer'",
                        "'no_answer'",
                        "'busy'",
                        "'unreachable'",
                        "'machine_beep'"
                    ]
                )
            ),
        ),
        (
            "disposition",
            format!(
                "(CASE WHEN {human} THEN {} END)",
                words.one(N, 113, &["'CD.NP'", "'CD.PP'", "'CI.MT'"])
            ),
        ),
        (
            "disposed_at",
            format!("(CASE WHEN {human} THEN {at}+60000 END)"),
        ),
    ]
}
