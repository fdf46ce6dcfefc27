//! Forward-only migrations, compiled in.

use super::{Dialect, Link, vals};
use domain::ports::StoreError;
use sha2::{Digest as _, Sha256};

/// Name and text for one engine.
type Migration = (&'static str, &'static str);

macro_rules! migrations {
    ($engine:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../migrations/", $engine, "/", $name, ".sql")))),+]
    };
}

const LITE: &[Migration] = migrations!("sqlite": "0001_portfolio", "0002_dialing", "0003_house", "0004_recording_keeps",
    "0005_call_trails", "0006_law", "0007_segments", "0008_listed", "0009_audit_chain",
    "0010_due", "0011_floor", "0012_imports", "0013_heard", "0014_import_turns", "0015_detector", "0016_inbound",
    "0017_money",
    "0018_plans", "0019_messages", "0020_reports", "0021_interest", "0022_forgiven", "0023_gateways",
    "0024_import_aside", "0025_early_sounds", "0026_kept_places",
    "0027_forgotten_numbers", "0028_sent", "0029_unnamed_messages", "0030_arms",
    "0031_provider_language", "0032_corrections", "0033_plan_interest", "0034_file_tasks", "0035_objections",
    "0036_debt_items", "0037_statute", "0038_unfiled", "0039_hundredths", "0040_consent_files",
    "0041_segment_fields", "0042_law_shown", "0043_ledger_acts", "0044_draft_base", "0045_fewer_trees",
    "0046_stage_of_debtor", "0047_client_laws", "0048_rule_skills", "0049_visits", "0050_recovery",
    "0051_claims", "0052_ageing_days", "0053_items_vacuum",
    "0054_items_vacuum_gently", "0055_messages_sent_whole");
const PG: &[Migration] = migrations!("postgres": "0001_portfolio", "0002_dialing", "0003_house", "0004_recording_keeps",
    "0005_call_trails", "0006_law", "0007_segments", "0008_listed", "0009_audit_chain",
    "0010_due", "0011_floor", "0012_imports", "0013_heard", "0014_import_turns", "0015_detector", "0016_inbound",
    "0017_money",
    "0018_plans", "0019_messages", "0020_reports", "0021_interest", "0022_forgiven", "0023_gateways",
    "0024_import_aside", "0025_early_sounds", "0026_kept_places",
    "0027_forgotten_numbers", "0028_sent", "0029_unnamed_messages", "0030_arms",
    "0031_provider_language", "0032_corrections", "0033_plan_interest", "0034_file_tasks", "0035_objections",
    "0036_debt_items", "0037_statute", "0038_unfiled", "0039_hundredths", "0040_consent_files",
    "0041_segment_fields", "0042_law_shown", "0043_ledger_acts", "0044_draft_base", "0045_fewer_trees",
    "0046_stage_of_debtor", "0047_client_laws", "0048_rule_skills", "0049_visits", "0050_recovery",
    "0051_claims", "0052_ageing_days", "0053_items_vacuum",
    "0054_items_vacuum_gently", "0055_messages_sent_whole");

/// Number of the newest migration this program knows. An older program refuses a newer database.
pub const SCHEMA_VERSION: usize = LITE.len();

/// Lock number under which PostgreSQL nodes migrate one after the other.
const MIGRATION_LOCK: i64 = 0x6d61_7263_0001;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
    (version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL)";

/// Brings the database to `SCHEMA_VERSION` inside the transaction `tx`.
pub(crate) async fn migrate(tx: &mut Link) -> Result<(), StoreError> {
    let list = match tx.dialect() {
        Dialect::Lite => LITE,
        Dialect::Pg => {
            tx.wait_long().await?;
            tx.rows("SELECT pg_advisory_xact_lock($1)", vals![MIGRATION_LOCK])
                .await?;
            PG
        }
    };
    tx.script(TABLE).await?;
    let done = tx
        .rows(
            "SELECT version, name, sha256 FROM schema_migrations ORDER BY version",
            vec![],
        )
        .await?;
    if done.len() > list.len() {
        return Err(StoreError::Conflict(format!(
            "the database has schema {}, this program knows {}: start the newer program",
            done.len(),
            list.len()
        )));
    }
    for (index, (name, text)) in list.iter().enumerate() {
        let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
        if let Some(row) = done.get(index) {
            if row.get::<String>("sha256")? != sha256 {
                return Err(StoreError::Conflict(format!(
                    "migration {name} differs from the one this database was made with"
                )));
            }
            continue;
        }
        tx.script(text).await?;
        let version = i64::try_from(index + 1).unwrap_or(i64::MAX);
        tx.run(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
            vals![version, (*name).to_owned(), sha256],
        )
        .await?;
    }
    Ok(())
}
