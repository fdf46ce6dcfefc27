//! What the law says now of a list that was just taken in, or that is about to be: a report, which binds nobody
//! (law.md §2.6).

use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::{BlockReason, Channel, CheckPoint, Circumstances, Decision, Import, Verdict};
use domain::ids::{ImportId, VerdictId};
use domain::law::Action;
use domain::ports::store::{ContactFacts, DebtorRow, StoreError};
use domain::time::UtcMs;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Debtors of a list who are asked about at most; of a longer list they stand for the others, from its first line to its
/// last. Two thousand verdicts take under a second.
pub const LOAD_SAMPLE: u32 = 2_000;

/// One answer of the law with how many debtors have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadReason {
    /// `window`, `cap`, `rule`, `hold`, `suppressed`.
    pub blocked: BlockReason,
    /// The rule that refused first, as decisions name it.
    pub rule: String,
    /// Its words about one of them, in Spanish.
    pub es: String,
    /// In English.
    pub en: String,
    /// Debtors.
    pub debtors: u64,
    /// The first of them may be called at.
    pub next_at: Option<UtcMs>,
}

/// What the law says of a list: may each of its debtors be called now, on the best of his numbers?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadLaw {
    /// The file.
    pub import_id: ImportId,
    /// Asked at.
    pub at: UtcMs,
    /// Lines of the file that say something of a debtor that is not refused.
    pub lines: u64,
    /// Debtors asked about.
    pub debtors: u64,
    /// Of them those who are not on file yet: judged as their rows say.
    pub new: u64,
    /// Whether they are a sample of the list.
    pub sample: bool,
    /// May be called now.
    pub allow: u64,
    /// May be called now with an agent reserved first.
    pub agent_only: u64,
    /// May be called later, at a known instant.
    pub later: u64,
    /// May not be called until something about them changes.
    pub deny: u64,
    /// Why not, most debtors first.
    pub reasons: Vec<LoadReason>,
}

impl LoadLaw {
    /// A report in which nobody is asked about yet.
    const fn about(import_id: ImportId, at: UtcMs, (lines, every): (u64, u64)) -> Self {
        Self {
            import_id,
            at,
            lines,
            debtors: 0,
            new: 0,
            sample: every > 1,
            allow: 0,
            agent_only: 0,
            later: 0,
            deny: 0,
            reasons: Vec::new(),
        }
    }

    /// With the law's answer about each.
    async fn asked(
        mut self,
        shared: &Shared,
        facts: Vec<ContactFacts>,
    ) -> Result<Self, CenterError> {
        let (now, law) = (self.at, Arc::clone(&shared.out.law));
        // So many verdicts take longer than a task may hold its thread.
        let judged = tokio::task::spawn_blocking(move || {
            let one = |facts: &ContactFacts| {
                let ring = law.call_law(facts, now).ring_min_ms;
                law.judge(facts, &at_load(ring, now))
            };
            facts.iter().map(one).collect::<Vec<Verdict>>()
        });
        let judged = judged.await.map_err(|_| {
            shared.fault("law", &"asked about a list: the question was not answered");
            StoreError::Unavailable("the law did not answer about a list".to_owned())
        })?;
        let mut reasons = BTreeMap::new();
        for verdict in &judged {
            self.add(verdict, &mut reasons);
        }
        self.reasons = reasons.into_values().collect();
        self.reasons.sort_by_key(|r| std::cmp::Reverse(r.debtors));
        Ok(self)
    }

    fn add(&mut self, verdict: &Verdict, reasons: &mut BTreeMap<String, LoadReason>) {
        self.debtors += 1;
        match verdict.decision {
            Decision::Allow => self.allow += 1,
            Decision::AllowAgentOnly => self.agent_only += 1,
            Decision::Defer { .. } => self.later += 1,
            Decision::Deny => self.deny += 1,
        }
        let refused = verdict.rules.iter().find(|hit| hit.refused);
        let (Some(blocked), Some(hit)) = (verdict.blocked, refused) else {
            return;
        };
        let counted = reasons.entry(hit.rule.clone());
        let counted = counted.or_insert_with(|| LoadReason {
            blocked,
            rule: hit.rule.clone(),
            es: hit.es.clone(),
            en: hit.en.clone(),
            debtors: 0,
            next_at: None,
        });
        counted.debtors += 1;
        let next = verdict.next_legal_at;
        counted.next_at = counted.next_at.into_iter().chain(next).min();
    }
}

/// Which lines of a list of so many are asked about: every so many-th.
#[must_use]
pub fn sampled_every(lines: u64) -> u64 {
    lines.div_ceil(u64::from(LOAD_SAMPLE)).max(1)
}

/// Lines of a file whose difference is shown that are not refused.
#[must_use]
pub const fn lines_of(import: &Import) -> u64 {
    let shown = &import.difference;
    shown.rows.saturating_sub(shown.refused)
}

/// Asks the law about an accepted file's debtors.
pub(crate) async fn of_import(shared: Arc<Shared>, import: Import) -> Result<LoadLaw, CenterError> {
    let now = shared.now();
    let lines = u64::try_from(import.rows_done).unwrap_or(0);
    let every = sampled_every(lines);
    let store = &shared.out.store;
    let facts = store.import_facts(import.id, every, LOAD_SAMPLE, now);
    let facts = facts.await?;
    let told = LoadLaw::about(import.id, now, (lines, every));
    told.asked(&shared, facts).await
}

/// Asks the law about the debtors whom rows of a file name that is not accepted yet.
pub(crate) async fn of_rows(
    shared: Arc<Shared>,
    import: Import,
    rows: Vec<DebtorRow>,
) -> Result<LoadLaw, CenterError> {
    let now = shared.now();
    let lines = lines_of(&import);
    let found = shared.out.store.row_facts(&rows, now).await?;
    let mut told = LoadLaw::about(import.id, now, (lines, sampled_every(lines)));
    told.new = found.new.len() as u64;
    let mut facts = found.on_file;
    facts.extend(found.new);
    told.asked(&shared, facts).await
}

/// A call to any of his numbers, by an agent who waits for it.
fn at_load(ring_ms: i64, now: UtcMs) -> Action {
    Action {
        verdict_id: VerdictId(uuid::Uuid::nil()),
        check_point: CheckPoint::Load,
        channel: Channel::Call,
        point_id: None,
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: Circumstances::default(),
        ring_timeout_ms: ring_ms,
        agent_reserved: true,
        now,
    }
}
