//! A rule pack on trial: what it would have said of the calls of the last days, judged again with the
//! facts as they were, beside what the packs in force say of the same facts.

use domain::entity::Attempt;
use domain::ids::{AttemptId, ClientId, DebtorId};
use domain::law::{Judge, action_of, points_then};
use domain::ports::Store;
use domain::ports::store::{AttemptFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::time::{DAY_MS, UtcMs};
use serde::Serialize;
use std::collections::BTreeMap;

/// Days looked back when nobody says.
pub const DRY_RUN_DAYS: u16 = 30;
/// Most calls judged again in one run; each reads its debtor's facts once.
pub const DRY_RUN_MAX: u32 = 20_000;
/// Calls shown as examples.
const EXAMPLES: usize = 20;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct DryAsk {
    /// Only this client's calls.
    pub client: Option<ClientId>,
    /// Calls opened at or after.
    pub since: UtcMs,
    /// Most calls.
    pub limit: u32,
}

/// Calls that a rule would have stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DryRule {
    /// Rule id.
    pub rule: String,
    /// Its words in Spanish, of one of the calls.
    pub es: String,
    /// In English.
    pub en: String,
    /// Calls.
    pub attempts: u64,
}

/// One call that would not have been made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DryExample {
    /// The call.
    pub attempt_id: AttemptId,
    /// Whom.
    pub debtor_id: DebtorId,
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
    /// Calls under the pack.
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
    /// Calls from.
    pub since: UtcMs,
    /// Calls read.
    pub attempts: u64,
    /// The limit was reached: later calls were not read.
    pub cut_off: bool,
    /// Calls whose debtor the pack binds.
    pub concerned: u64,
    /// Of them stopped by the packs in force too, with today's addresses, points and debts.
    pub blocked_before: u64,
    /// Stopped with the pack and not without it.
    pub newly_blocked: u64,
    /// Not stopped, but only with an agent reserved first, and not so without it.
    pub newly_agent_only: u64,
    /// Allowed with the pack and not without it.
    pub newly_allowed: u64,
    /// By the first rule that refuses, most calls first.
    pub rules: Vec<DryRule>,
    /// By day.
    pub days: Vec<DryDay>,
    /// Some of them.
    pub examples: Vec<DryExample>,
}

/// Judges calls again, with the packs in force and with the one on trial.
///
/// # Errors
/// The database away.
pub async fn dry_run(
    store: &dyn Store,
    now_in_force: &dyn Judge,
    trial: &dyn Judge,
    (pack, version): (&str, &str),
    ask: DryAsk,
) -> Result<DryRun, StoreError> {
    let mut sums = Sums {
        run: DryRun {
            pack: pack.to_owned(),
            version: version.to_owned(),
            since: ask.since,
            ..DryRun::default()
        },
        rules: BTreeMap::new(),
        days: BTreeMap::new(),
    };
    let filter = AttemptFilter {
        client_id: ask.client,
        since: Some(ask.since),
        ..AttemptFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    'pages: loop {
        let rows = store.list_attempts(&filter, &page).await?;
        for attempt in &rows.items {
            if sums.run.attempts >= u64::from(ask.limit.min(DRY_RUN_MAX)) {
                sums.run.cut_off = true;
                break 'pages;
            }
            sums.run.attempts += 1;
            judge_again(store, now_in_force, trial, attempt, &mut sums).await?;
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    Ok(sums.close())
}

struct Sums {
    run: DryRun,
    rules: BTreeMap<String, DryRule>,
    days: BTreeMap<i64, DryDay>,
}

impl Sums {
    fn close(mut self) -> DryRun {
        self.run.rules = self.rules.into_values().collect();
        self.run
            .rules
            .sort_by_key(|r| (std::cmp::Reverse(r.attempts), r.rule.clone()));
        self.run.days = self.days.into_values().collect();
        self.run
    }
}

async fn judge_again(
    store: &dyn Store,
    now_in_force: &dyn Judge,
    trial: &dyn Judge,
    attempt: &Attempt,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let stored = store.get_verdict(attempt.verdict_id).await?;
    let mut facts = store.facts_at(attempt.debtor_id, stored.at).await?;
    points_then(&mut facts, std::slice::from_ref(&stored), stored.at);
    let mut action = action_of(&stored);
    action.agent_reserved |= attempt.agent_reserved;
    let with = trial.judge(&facts, &action);
    if !with.packs.iter().any(|p| p.id == sums.run.pack) {
        return Ok(());
    }
    let without = now_in_force.judge(&facts, &action);
    let (run, reserved) = (&mut sums.run, attempt.agent_reserved);
    run.concerned += 1;
    let day = stored.at.0.div_euclid(DAY_MS) * DAY_MS;
    let of_day = sums.days.entry(day).or_insert_with(|| DryDay {
        from: UtcMs(day),
        ..DryDay::default()
    });
    of_day.concerned += 1;
    let (was, is) = (
        without.decision.permits(reserved),
        with.decision.permits(reserved),
    );
    run.blocked_before += u64::from(!was);
    run.newly_allowed += u64::from(!was && is);
    if !was || is {
        return Ok(());
    }
    if with.decision.permits(true) {
        run.newly_agent_only += 1;
        return Ok(());
    }
    run.newly_blocked += 1;
    of_day.newly_blocked += 1;
    let said = with.rules.iter().find(|r| r.refused);
    let (rule, es, en) = said.map_or_else(Default::default, |r| {
        (r.rule.clone(), r.es.clone(), r.en.clone())
    });
    if run.examples.len() < EXAMPLES {
        run.examples.push(DryExample {
            attempt_id: attempt.id,
            debtor_id: attempt.debtor_id,
            at: stored.at,
            rule: rule.clone(),
            es: es.clone(),
            en: en.clone(),
        });
    }
    let sum = sums.rules.entry(rule.clone()).or_insert(DryRule {
        rule,
        es,
        en,
        attempts: 0,
    });
    sum.attempts += 1;
    Ok(())
}
