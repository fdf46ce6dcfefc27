//! Expressions over the number of a row, in the words of either engine.

use super::HISTORY_DAYS;
use crate::sql::Dialect;
use domain::time::DAY_MS;

/// Kinds of rows; the number stands in the id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Person = 1,
    Debtor = 2,
    Debt = 3,
    SecondDebt = 4,
    Mobile = 5,
    Home = 6,
    Party = 7,
    Consent = 8,
    Attempt = 9,
    Ledger = 10,
    Promise = 11,
    Payment = 12,
    Hold = 13,
    Suppression = 14,
    House = 15,
    Message = 16,
    Reply = 17,
    Plan = 18,
    Instalment = 19,
    Batch = 20,
    Letter = 21,
    Excuse = 22,
    Address = 23,
    Email = 24,
    Preference = 25,
    Complaint = 26,
}

/// Writes the expressions of either engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) dialect: Dialect,
    pub(super) now: i64,
}

impl Words {
    /// The id of row `n` of a kind: as version 7, its time is that of the row.
    pub(super) fn id(self, kind: Kind, n: &str) -> String {
        let (kind, base) = (kind as u16, self.now - HISTORY_DAYS * DAY_MS);
        match self.dialect {
            Dialect::Lite => {
                format!("unhex(printf('%012x7{kind:03x}8%015x',{base}+({n})/8,({n})))")
            }
            Dialect::Pg => format!(
                "CAST(lpad(to_hex(CAST({base}+({n})/8 AS BIGINT)),12,'0')||'7{kind:03x}8'||\
                    lpad(to_hex(CAST(({n}) AS BIGINT)),15,'0') AS UUID)"
            ),
        }
    }

    /// `n` with zeros in front.
    pub(super) fn digits(self, n: &str, count: u8) -> String {
        match self.dialect {
            Dialect::Lite => format!("printf('%0{count}d',({n}))"),
            Dialect::Pg => format!("lpad(CAST(({n}) AS TEXT),{count},'0')"),
        }
    }

    /// The date of a day number, `YYYY-MM-DD`.
    pub(super) fn date(self, day: &str) -> String {
        match self.dialect {
            Dialect::Lite => format!("date({day}*86400,'unixepoch')"),
            Dialect::Pg => {
                format!("to_char(DATE '1970-01-01'+CAST({day} AS INTEGER),'YYYY-MM-DD')")
            }
        }
    }

    /// A number below 4294967291 that looks like chance.
    pub(super) fn chance(self, n: &str, salt: u32) -> String {
        format!("((({n})+{salt})*2654435761%4294967291)")
    }

    /// One of a list, by chance.
    pub(super) fn one(self, n: &str, salt: u32, of: &[&str]) -> String {
        let arms: String = of
            .iter()
            .enumerate()
            .map(|(i, v)| format!(" WHEN {i} THEN {v}"))
            .collect();
        format!("(CASE {}%{}{arms} END)", self.chance(n, salt), of.len())
    }

    /// Numbers `from` to `to`, the end not in it, as `g.n`.
    pub(super) fn numbers(self, from: u64, to: u64) -> String {
        match self.dialect {
            Dialect::Lite => format!(
                "(WITH RECURSIVE g(n) AS (SELECT {from} UNION ALL SELECT n+1 FROM g WHERE n+1<{to}) \
                    SELECT n FROM g) g"
            ),
            Dialect::Pg => format!("generate_series(CAST({from} AS BIGINT),{to}-1) AS g(n)"),
        }
    }

    pub(super) fn truth(self, n: &str, salt: u32, pct: u32) -> String {
        format!("({}%100<{pct})", self.chance(n, salt))
    }
}
