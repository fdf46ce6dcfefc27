//! What ties debtors to the house beyond calls and money: their e-mail, what they asked for, complaints, who works
//! them.

use super::FillPlan;
use super::rows::{Cells, N, Rows};
use super::words::{Kind, Words};
use domain::time::DAY_MS;

/// Debtors with an e-mail address, with a wish, with a complaint, and who are assigned, percent.
const EMAILS_PCT: u32 = 40;
const WISHES_PCT: u32 = 5;
const COMPLAINTS_PCT: u32 = 1;
const ASSIGNED_PCT: u32 = 50;

/// Rows of each table.
pub(super) fn rows(words: Words, plan: &FillPlan, client: &str) -> Vec<Rows> {
    let some = |table, columns, salt, pct| Rows {
        table,
        columns,
        count: plan.debtors,
        only: Some(words.truth(N, salt, pct)),
    };
    vec![
        some("contact_points", email(words), 140, EMAILS_PCT),
        some("preferences", wish(words), 141, WISHES_PCT),
        some("complaints", complaint(words, client), 142, COMPLAINTS_PCT),
        some("assignments", assigned(words, client), 143, ASSIGNED_PCT),
    ]
}

fn email(words: Words) -> Cells {
    vec![
        ("id", words.id(Kind::Email, N)),
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("role", "'titular'".to_owned()),
        ("channel", "'email'".to_owned()),
        (
            "value",
            format!("'d'||{}||'@example.com'", words.digits(N, 6)),
        ),
        ("class", "'other'".to_owned()),
        ("source", "'import'".to_owned()),
        ("given_by_debtor", words.truth(N, 144, 50)),
        ("authorised", words.truth(N, 145, 50)),
        ("confidence", "50".to_owned()),
        ("position", "2".to_owned()),
        ("bad", words.truth(N, 146, 10)),
    ]
}

fn wish(words: Words) -> Cells {
    let kinds = ["'elderly'", "'health'", "'not_between'"];
    vec![
        ("id", words.id(Kind::Preference, N)),
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("kind", words.one(N, 147, &kinds)),
        ("days", "'[]'".to_owned()),
        ("from_clock", "'08:00'".to_owned()),
        ("to_clock", "'10:00'".to_owned()),
        ("recorded_at", (words.now - 20 * DAY_MS).to_string()),
        ("proof", "'call'".to_owned()),
    ]
}

fn complaint(words: Words, client: &str) -> Cells {
    let states = ["'open'", "'answered'", "'closed'"];
    vec![
        ("id", words.id(Kind::Complaint, N)),
        ("client_id", client.to_owned()),
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("authority", "'REDECO'".to_owned()),
        ("number", words.digits(N, 9)),
        ("received_at", (words.now - 20 * DAY_MS).to_string()),
        (
            "deadline",
            words.date(&format!("({}+10)", words.now.div_euclid(DAY_MS))),
        ),
        ("state", words.one(N, 148, &states)),
        ("summary", "'llamadas'".to_owned()),
        ("created_at", (words.now - 20 * DAY_MS).to_string()),
    ]
}

/// To the team, every tenth of them to its agent.
fn assigned(words: Words, client: &str) -> Cells {
    vec![
        ("debtor_id", words.id(Kind::Debtor, N)),
        ("client_id", client.to_owned()),
        ("team_id", words.id(Kind::House, "6")),
        (
            "agent_id",
            format!(
                "(CASE WHEN {} THEN {} END)",
                words.truth(N, 149, 10),
                words.id(Kind::House, "7")
            ),
        ),
        ("assigned_at", (words.now - 20 * DAY_MS).to_string()),
    ]
}
