//! A large portfolio made inside the database itself, for load figures: debtors with debts, phones,
//! promises, payments, plans, messages and letters, and years of attempts with their ledger rows. Every value follows from the row's
//! number, so that both engines hold the same and a database can be used again.

mod agreed;
mod rows;
mod ties;
mod words;

use crate::SqlStore;
use crate::sql::{Dialect, Link};
use crate::store::sums;
use domain::ids::{ClientId, DebtorId, PortfolioId};
use domain::ports::StoreError;
use domain::rules::ageing::AgeingSet;
use domain::rules::recovery::RECOVERY_DAYS;
use domain::time::{DAY_MS, UtcMs};
use rows::{N, Rows};
use uuid::Uuid;
use words::{Kind, Words};

/// Rows of one transaction.
const PIECE: u64 = 50_000;
/// Days over which the attempts are spread, the last one ending now.
const HISTORY_DAYS: i64 = 180;
/// Setting that says what a database was filled with.
const MARK: &str = "bench.filled";
/// Tables whose indices are made after their rows.
const TABLES: &[&str] = &[
    "debts",
    "contact_points",
    "parties",
    "consents",
    "attempts",
    "ledger",
    "promises",
    "payments",
    "debt_stages",
    "plans",
    "instalments",
    "addresses",
    "messages",
    "inbox",
    "letters",
    "excuses",
    "preferences",
    "complaints",
    "assignments",
];

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillPlan {
    /// Debtors, each with one debt or two and two phones.
    pub debtors: u64,
    /// Attempts over all of them, each with its ledger row.
    pub attempts: u64,
    /// The instant at which the history ends.
    pub now: UtcMs,
}

/// What was made, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The one client.
    pub client: ClientId,
    /// His portfolio.
    pub portfolio: PortfolioId,
    /// The instant at which the history ends.
    pub now: UtcMs,
    /// Whether it was there already.
    pub before: bool,
}

/// Statements that make the indices of tables again, in the words of the database itself.
async fn indices(tx: &mut Link, tables: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    let sql = match tx.dialect() {
        Dialect::Lite => {
            "SELECT name, tbl_name AS t, sql FROM sqlite_master WHERE type='index' AND sql IS NOT NULL ORDER BY name"
        }
        Dialect::Pg => {
            "SELECT CAST(i.indexname AS TEXT) AS name, CAST(i.tablename AS TEXT) AS t, i.indexdef AS sql \
            FROM pg_indexes i WHERE i.schemaname=current_schema() AND NOT EXISTS \
                (SELECT 1 FROM pg_constraint c WHERE c.conname=i.indexname) ORDER BY 1"
        }
    };
    let mut found = Vec::new();
    for row in &tx.rows(sql, vec![]).await? {
        let table: String = row.get("t")?;
        if tables.contains(&table.as_str()) {
            found.push((row.get("name")?, row.get("sql")?));
        }
    }
    Ok(found)
}

/// What came in on debts of each bucket: the older, the less.
fn measured(client: &str, portfolio: &str, at: i64) -> String {
    let day = at / DAY_MS - RECOVERY_DAYS;
    let set = AgeingSet::default();
    let rows = set.buckets().enumerate().map(|(n, bucket)| {
        let (code, came_in) = (bucket.code(), 400_000 >> n);
        format!("({portfolio},{client},'MXN',{code},{day},1000,1000000,{came_in})")
    });
    rows.collect::<Vec<String>>().join(",")
}

impl SqlStore {
    /// Fills an empty, migrated database; one that was filled with the same numbers is used again.
    /// `told` hears what is being done.
    ///
    /// # Errors
    /// `Conflict` when the database holds something else.
    pub async fn fill_for_bench(
        &self,
        plan: &FillPlan,
        told: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Filled, StoreError> {
        use domain::ports::store::NodeStore as _;
        let key = format!(
            "{} debtors, {} attempts, plans, messages and ties at ",
            plan.debtors, plan.attempts
        );
        if let Some(mark) = self.get_setting(MARK).await? {
            let at = mark.strip_prefix(&key).and_then(|t| t.parse().ok());
            let now = at.map(UtcMs).ok_or_else(|| {
                StoreError::Conflict(format!("the database was filled with {mark}: name another"))
            })?;
            return Ok(filled(now, true));
        }
        let words = Words {
            dialect: self.dialect(),
            now: plan.now.0,
        };
        let client = words.id(Kind::House, "3");
        let portfolio = words.id(Kind::House, "4");
        self.house(words, (&client, &portfolio), plan).await?;
        let mut tx = self.write().await?;
        let own = indices(&mut tx, TABLES).await?;
        let of_debtors = indices(&mut tx, &["debtors"]).await?;
        for (name, _) in own.iter().chain(&of_debtors) {
            tx.run(format!("DROP INDEX {name}"), vec![]).await?;
        }
        tx.commit().await?;
        let mut all = rows::people(words, plan, &client, &portfolio);
        all.extend(rows::marks(words, plan, &client));
        all.extend(rows::history(words, plan, &client));
        all.extend(agreed::rows(words, plan, &client));
        all.extend(ties::rows(words, plan, &client));
        let trusted = self.trusted().await?;
        for rows in all {
            told(&format!("{} rows of {}", rows.count, rows.table));
            self.insert_rows(words, &rows, trusted).await?;
        }
        self.finish(&own, told).await?;
        told("figures beside the debtors");
        self.all_sums(words, plan).await?;
        told("room given back");
        self.compact().await?;
        self.finish(&of_debtors, told).await?;
        let mark = format!("{key}{}", plan.now.0);
        self.put_setting(MARK, &mark).await?;
        Ok(filled(plan.now, false))
    }

    async fn house(
        &self,
        words: Words,
        (client, portfolio): (&str, &str),
        plan: &FillPlan,
    ) -> Result<(), StoreError> {
        let (at, mut tx) = (plan.now.0, self.write().await?);
        for sql in [
            format!(
                "INSERT INTO clients (id, name, callback_number, created_at) VALUES ({client},'bench','+525588800000',{at})"
            ),
            format!(
                "INSERT INTO portfolios (id, client_id, name, currency, creditor_kind, zone, created_at) \
                VALUES ({portfolio},{client},'bench','MXN','financial','America/Mexico_City',{at})"
            ),
            format!(
                "INSERT INTO recovery_sums (portfolio_id, client_id, currency, bucket, day, debts, balance_minor, \
                    recovered_minor) VALUES {}",
                measured(client, portfolio, at)
            ),
            format!(
                "INSERT INTO teams (id, name, created_at) VALUES ({},'bench',{at})",
                words.id(Kind::House, "6")
            ),
            format!(
                "INSERT INTO agents (id, user_id, team_id, name, sip_user, sip_password, campaigns, skills, created_at) \
                VALUES ({0},{0},{1},'bench','bench','','[]','[]',{at})",
                words.id(Kind::House, "7"),
                words.id(Kind::House, "6")
            ),
            format!(
                "INSERT INTO trunks (id, name, channels, cps, enabled, created_at) VALUES ({},'bench',100,10,TRUE,{at})",
                words.id(Kind::House, "1")
            ),
        ] {
            tx.run(sql, vec![]).await?;
        }
        tx.commit().await
    }

    /// What makes the writing of many rows quick on PostgreSQL, where it may be asked for: no row is looked up
    /// that another names, for all are there by how they are made.
    async fn trusted(&self) -> Result<Option<&'static str>, StoreError> {
        if self.dialect() == Dialect::Lite {
            return Ok(None);
        }
        let sql = "SELECT 1 AS n WHERE current_setting('is_superuser')='on'";
        let may = self.read().await?.row(sql, vec![]).await?;
        Ok(may.map(|_| "SET LOCAL session_replication_role=replica"))
    }

    async fn insert_rows(
        &self,
        words: Words,
        rows: &Rows,
        trusted: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let (names, values): (Vec<&str>, Vec<&str>) =
            rows.columns.iter().map(|(c, v)| (*c, v.as_str())).unzip();
        let only = rows
            .only
            .as_ref()
            .map_or(String::new(), |o| format!(" WHERE {o}"));
        let mut from = 0;
        while from < rows.count {
            let to = (from + PIECE).min(rows.count);
            let sql = format!(
                "INSERT INTO {} ({}) SELECT {} FROM {}{only}",
                rows.table,
                names.join(","),
                values.join(","),
                words.numbers(from, to)
            );
            let mut tx = self.write().await?;
            if let Some(trusted) = trusted {
                tx.script(trusted).await?;
            }
            tx.rows_once(sql, vec![]).await?;
            tx.commit().await?;
            from = to;
        }
        Ok(())
    }

    async fn finish(
        &self,
        indices: &[(String, String)],
        told: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), StoreError> {
        for (name, sql) in indices {
            told(&format!("index {name}"));
            let mut tx = self.write().await?;
            tx.run(sql.clone(), vec![]).await?;
            tx.commit().await?;
        }
        let mut tx = self.write().await?;
        tx.run("ANALYZE", vec![]).await?;
        tx.commit().await
    }

    /// PostgreSQL keeps each debtor's row as it was before his figures were set until it is told to give the room
    /// back: three times as much to go through for whoever counts.
    async fn compact(&self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Lite => Ok(()),
            Dialect::Pg => self.read().await?.script("VACUUM FULL debtors").await,
        }
    }

    /// Sums of every debtor by the statements of the product.
    async fn all_sums(&self, words: Words, plan: &FillPlan) -> Result<(), StoreError> {
        let mut from = 0;
        while from < plan.debtors {
            let to = (from + PIECE).min(plan.debtors);
            let of = format!(
                "(SELECT {} FROM {})",
                words.id(Kind::Debtor, N),
                words.numbers(from, to)
            );
            let mut tx = self.write().await?;
            sums::all_of(&mut tx, &of).await?;
            // By chance: asking the law about a million is measured apart.
            let (now, hour) = (plan.now.0, 3_600_000);
            let marks = format!(
                "UPDATE debtors SET callable_until={}, \
                    callable_from=(CASE WHEN ABS(lot/1073741824)%10<6 THEN {} ELSE {} END) WHERE id IN {of}",
                now + 8 * hour,
                now - hour,
                now + 5 * hour
            );
            tx.rows_once(marks, vec![]).await?;
            tx.commit().await?;
            from = to;
        }
        Ok(())
    }
}

fn filled(now: UtcMs, before: bool) -> Filled {
    let id = |n: u64| house_id(now, n);
    Filled {
        client: ClientId(id(3)),
        portfolio: PortfolioId(id(4)),
        now,
        before,
    }
}

/// The same id as `Words::id` writes.
fn id_of(now: UtcMs, kind: Kind, n: u64) -> Uuid {
    let base = (now.0 - HISTORY_DAYS * DAY_MS).unsigned_abs() + n / 8;
    let low = (0x8_u64 << 60) | n;
    let high = (base << 16) | 0x7000 | (kind as u64);
    Uuid::from_u64_pair(high, low)
}

fn house_id(now: UtcMs, n: u64) -> Uuid {
    id_of(now, Kind::House, n)
}

impl Filled {
    /// The debtor of a number.
    #[must_use]
    pub fn debtor(&self, n: u64) -> DebtorId {
        DebtorId(id_of(self.now, Kind::Debtor, n))
    }
}
