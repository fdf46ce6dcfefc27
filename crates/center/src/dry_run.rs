//! A rule pack on trial: what it would have said of what was done in the last days (calls, messages, letters, visits:
//! the acts of the ledger), each judged again with the facts as they were, beside what the packs in force say of the
//! same facts. All acts of the time, page by page; beyond the limit every n-th of them, which is said.

use crate::plans::letters;
use domain::entity::{Attempt, Channel, CheckPoint, Circumstances, LedgerKind, LedgerRow, Verdict};
use domain::ids::{AttemptId, ClientId, DebtorId, LedgerId, VerdictId};
use domain::law::{Action, Judge, action_of, points_then};
use domain::ports::Store;
use domain::ports::store::{ActAsk, ContactFacts, PAGE_LIMIT_MAX, StoreError};
use domain::time::{DAY_MS, UtcMs};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Days looked back when nobody says.
pub const DRY_RUN_DAYS: u16 = 30;
/// Most acts judged again in one run; each reads its debtor's facts once.
pub const DRY_RUN_MAX: u64 = 1_000_000;
/// Acts shown as examples.
const EXAMPLES: usize = 20;
/// Runs that a node remembers; a result is some kilobytes.
const KEPT: usize = 8;
/// Runs of a node at once: each keeps the database at work.
const AT_ONCE: usize = 2;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct DryAsk {
    /// Only this client's acts.
    pub client: Option<ClientId>,
    /// Acts at or after.
    pub since: UtcMs,
    /// And before.
    pub until: UtcMs,
    /// Most acts.
    pub limit: u64,
}

/// Acts that a rule would have stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DryRule {
    /// Rule id.
    pub rule: String,
    /// Its words in Spanish, of one of the acts.
    pub es: String,
    /// In English.
    pub en: String,
    /// Acts.
    pub acts: u64,
}

/// One act that would not have been done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DryExample {
    /// Row of the ledger.
    pub row: LedgerId,
    /// The call, where it was one.
    pub attempt_id: Option<AttemptId>,
    /// Whom.
    pub debtor_id: DebtorId,
    /// Channel.
    pub channel: Channel,
    /// When.
    pub at: UtcMs,
    /// Rule that refuses.
    pub rule: String,
    /// Why, in Spanish.
    pub es: String,
    /// Why, in English.
    pub en: String,
}

/// One UTC day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DryDay {
    /// Its first instant.
    pub from: UtcMs,
    /// Acts under the pack.
    pub concerned: u64,
    /// Of them stopped that were allowed.
    pub newly_blocked: u64,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DryChannel {
    /// Which.
    pub channel: Channel,
    /// Acts under the pack.
    pub concerned: u64,
    /// Of them stopped that were allowed.
    pub newly_blocked: u64,
}

/// What the run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DryRun {
    /// Pack on trial.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Acts from.
    pub since: UtcMs,
    /// Acts before.
    pub until: UtcMs,
    /// Acts of that time.
    pub all: u64,
    /// Acts judged again.
    pub acts: u64,
    /// Every how many of them: 1 = all, more = a sample spread evenly over the time, for the limit.
    pub every: u64,
    /// Acts whose debtor the pack binds.
    pub concerned: u64,
    /// Of them stopped by the packs in force too, with today's addresses, points and debts.
    pub blocked_before: u64,
    /// Stopped with the pack and not without it.
    pub newly_blocked: u64,
    /// Not stopped, but only with an agent reserved first, and not so without it.
    pub newly_agent_only: u64,
    /// Allowed with the pack and not without it.
    pub newly_allowed: u64,
    /// By the first rule that refuses, most acts first.
    pub rules: Vec<DryRule>,
    /// By day.
    pub days: Vec<DryDay>,
    /// By channel.
    pub channels: Vec<DryChannel>,
    /// Some of them.
    pub examples: Vec<DryExample>,
}

/// How far a run is.
#[derive(Debug, Default)]
pub struct DryProgress {
    /// Acts read, judged or left between two of a sample.
    pub done: AtomicU64,
    /// Acts in all; 0 = not counted yet.
    pub all: AtomicU64,
}

/// Judges acts again, with the packs in force and with the one on trial.
///
/// # Errors
/// The database away.
pub async fn dry_run(
    store: &dyn Store,
    now_in_force: &dyn Judge,
    trial: &dyn Judge,
    (pack, version): (&str, &str),
    (ask, progress): (DryAsk, &DryProgress),
) -> Result<DryRun, StoreError> {
    let acts = ActAsk {
        client: ask.client,
        since: ask.since,
        until: ask.until,
    };
    let all = store.acts_count(&acts).await?;
    progress.all.store(all, Ordering::Relaxed);
    let every = all.div_ceil(ask.limit.clamp(1, DRY_RUN_MAX)).max(1);
    let mut sums = Sums {
        run: DryRun {
            pack: pack.to_owned(),
            version: version.to_owned(),
            since: ask.since,
            until: ask.until,
            all,
            every,
            ..DryRun::default()
        },
        ..Sums::default()
    };
    let (mut after, mut read) = (None, 0_u64);
    loop {
        let rows = store.acts(&acts, after, PAGE_LIMIT_MAX).await?;
        after = rows.last().map(|r| (r.at, r.id));
        for row in &rows {
            if read.is_multiple_of(every) {
                sums.run.acts += 1;
                judge_again(store, (now_in_force, trial), row, &mut sums).await?;
            }
            read += 1;
            progress.done.store(read, Ordering::Relaxed);
        }
        if rows.len() < PAGE_LIMIT_MAX as usize {
            return Ok(sums.close());
        }
    }
}

#[derive(Default)]
struct Sums {
    run: DryRun,
    rules: BTreeMap<String, DryRule>,
    days: BTreeMap<i64, DryDay>,
    channels: BTreeMap<Channel, DryChannel>,
}

impl Sums {
    /// Counts an act under the pack, and whether the pack newly stops it.
    fn counted(&mut self, row: &LedgerRow, blocked: bool) {
        self.run.concerned += 1;
        self.run.newly_blocked += u64::from(blocked);
        let from = row.at.0.div_euclid(DAY_MS) * DAY_MS;
        let day = self.days.entry(from).or_insert_with(|| DryDay {
            from: UtcMs(from),
            ..DryDay::default()
        });
        day.concerned += 1;
        day.newly_blocked += u64::from(blocked);
        let channel = self.channels.entry(row.channel).or_insert(DryChannel {
            channel: row.channel,
            concerned: 0,
            newly_blocked: 0,
        });
        channel.concerned += 1;
        channel.newly_blocked += u64::from(blocked);
    }

    /// Notes what stops it.
    fn stopped(&mut self, row: &LedgerRow, with: &Verdict) {
        let said = with.rules.iter().find(|r| r.refused);
        let (rule, es, en) = said.map_or_else(Default::default, |r| {
            (r.rule.clone(), r.es.clone(), r.en.clone())
        });
        if self.run.examples.len() < EXAMPLES {
            self.run.examples.push(DryExample {
                row: row.id,
                attempt_id: row.attempt_id.filter(|_| row.kind == LedgerKind::Attempt),
                debtor_id: row.debtor_id,
                channel: row.channel,
                at: row.at,
                rule: rule.clone(),
                es: es.clone(),
                en: en.clone(),
            });
        }
        let sum = self.rules.entry(rule.clone()).or_insert(DryRule {
            rule,
            es,
            en,
            acts: 0,
        });
        sum.acts += 1;
    }

    fn close(mut self) -> DryRun {
        self.run.rules = self.rules.into_values().collect();
        self.run
            .rules
            .sort_by_key(|r| (std::cmp::Reverse(r.acts), r.rule.clone()));
        self.run.days = self.days.into_values().collect();
        self.run.channels = self.channels.into_values().collect();
        self.run
    }
}

/// The attempt behind a row and the decision under which it was made, where they are kept.
async fn stored(
    store: &dyn Store,
    row: &LedgerRow,
) -> Result<Option<(Attempt, Verdict)>, StoreError> {
    let Some(id) = row.attempt_id.filter(|_| row.kind == LedgerKind::Attempt) else {
        return Ok(None);
    };
    let attempt = match store.get_attempt(id).await {
        Ok(attempt) => attempt,
        Err(StoreError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    match store.get_verdict(attempt.verdict_id).await {
        Ok(verdict) => Ok(Some((attempt, verdict))),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The question behind a row of which no decision is kept: as of somebody who answers for what he does.
fn asked(row: &LedgerRow, facts: &mut ContactFacts) -> Action {
    if matches!(row.channel, Channel::Letter | Channel::Visit) {
        // Where he lives, as his letters are judged.
        *facts = letters::at_his_contract(facts.clone());
        return Action {
            channel: row.channel,
            check_point: match row.kind {
                LedgerKind::Visit => CheckPoint::Visit,
                _ => CheckPoint::Message,
            },
            agent_reserved: true,
            ..letters::action(facts, Uuid::nil(), row.at)
        };
    }
    let check_point = match row.kind {
        LedgerKind::Message => CheckPoint::Message,
        _ => CheckPoint::Manual,
    };
    let there = |id: &domain::ids::PointId| facts.points.iter().any(|p| p.id == *id);
    Action {
        verdict_id: VerdictId(Uuid::nil()),
        check_point,
        channel: row.channel,
        point_id: row.point_id.filter(there),
        campaign_id: row.campaign_id,
        campaign_window: None,
        attempts_per_day: None,
        ring_timeout_ms: 0,
        agent_reserved: true,
        now: row.at,
        circumstances: Circumstances::default(),
    }
}

async fn judge_again(
    store: &dyn Store,
    (now_in_force, trial): (&dyn Judge, &dyn Judge),
    row: &LedgerRow,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let mut facts = match store.facts_at(row.debtor_id, row.at).await {
        Ok(facts) => facts,
        // Of a caller whom nobody knows any more nothing is left to be asked.
        Err(StoreError::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let (action, reserved) = match stored(store, row).await? {
        Some((attempt, verdict)) => {
            points_then(&mut facts, std::slice::from_ref(&verdict), verdict.at);
            let mut action = action_of(&verdict);
            action.agent_reserved |= attempt.agent_reserved;
            (action, attempt.agent_reserved)
        }
        None => (asked(row, &mut facts), true),
    };
    let with = trial.judge(&facts, &action);
    if !with.packs.iter().any(|p| p.id == sums.run.pack) {
        return Ok(());
    }
    let without = now_in_force.judge(&facts, &action);
    let was = without.decision.permits(reserved);
    let is = with.decision.permits(reserved);
    sums.run.blocked_before += u64::from(!was);
    sums.run.newly_allowed += u64::from(!was && is);
    let agent_only = was && !is && with.decision.permits(true);
    sums.run.newly_agent_only += u64::from(agent_only);
    let blocked = was && !is && !agent_only;
    sums.counted(row, blocked);
    if blocked {
        sums.stopped(row, &with);
    }
    Ok(())
}

/// A run that goes on or has ended.
#[derive(Debug, Default)]
pub struct DryJob {
    /// How far it is.
    pub progress: DryProgress,
    /// Whose acts; `None` = everybody's.
    pub client: Option<ClientId>,
    failed: AtomicBool,
    result: Mutex<Option<DryRun>>,
}

impl DryJob {
    /// What it showed, once it has ended.
    #[must_use]
    pub fn result(&self) -> Option<DryRun> {
        self.result
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it ended without a result.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn runs(&self) -> bool {
        !self.failed() && self.result().is_none()
    }

    /// Ends it.
    pub(crate) fn end(&self, result: Option<DryRun>) {
        self.failed.store(result.is_none(), Ordering::Relaxed);
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }
}

/// Runs of this node.
#[derive(Debug, Default)]
pub(crate) struct DryRuns(Mutex<VecDeque<(Uuid, Arc<DryJob>)>>);

impl DryRuns {
    /// One of them.
    pub(crate) fn get(&self, id: Uuid) -> Option<Arc<DryJob>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, _)| *of == id);
        found.map(|(_, job)| Arc::clone(job))
    }

    /// Takes in a new one; `None` when as many go on as may.
    pub(crate) fn begin(&self, id: Uuid, client: Option<ClientId>) -> Option<Arc<DryJob>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().filter(|(_, job)| job.runs()).count() >= AT_ONCE {
            return None;
        }
        if kept.len() >= KEPT
            && let Some(over) = kept.iter().position(|(_, job)| !job.runs())
        {
            kept.remove(over);
        }
        let job = Arc::new(DryJob {
            client,
            ..DryJob::default()
        });
        kept.push_back((id, Arc::clone(&job)));
        Some(job)
    }
}
