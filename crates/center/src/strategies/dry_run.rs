//! A strategy on trial over a portfolio: the calendar that it would make, what it would cost and what the law
//! would take out. Nothing is planned and nothing is written.

use super::acts::{Fate, channel_of, fate};
use super::costs::costs;
use super::plan::{Choice, Ways, choose, segment, tone_of, tone_terms};
use crate::feeder::zone_or_utc;
use crate::messages::carried;
use crate::messages::tone::of_debt;
use crate::shared::Shared;
use domain::entity::{
    Channel, LedgerKind, LedgerRow, PointClass, StepAction, Strategy, StrategyStep, Tone,
};
use domain::ids::{DebtId, DebtorId, LedgerId, PortfolioId};
use domain::money::Currency;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, PlanAsk, PlanSource, StoreError};
use domain::rules::messaging::stopped;
use domain::rules::offers::ClientTerms;
use domain::rules::strategy::due_at;
use domain::segment::utc_day;
use domain::time::{DAY_MS, UtcMs};
use serde::Serialize;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Furthest day of a trial.
pub const DAYS_MAX: i64 = 90;
/// Most dates (debts or promises) of a trial; behind them it says that it was cut.
const SOURCES_MAX: usize = 20_000;
/// Rows that are kept of what the law removes.
const REMOVED_MAX: usize = 5_000;
/// Trials that a node remembers; the oldest goes.
const KEPT: usize = 16;
/// Dates read in one go.
const PAGE: u32 = 500;

/// What happens on one day by one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrialDay {
    /// Local date, `YYYY-MM-DD`.
    pub date: String,
    /// Channel of a message, or the action.
    pub way: String,
    /// Steps that would be made.
    pub made: u64,
    /// Of them, moved by the law to a later instant.
    pub moved: u64,
    /// Steps that the law takes out.
    pub removed: u64,
}

/// What a rule takes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialRule {
    /// Rule.
    pub rule: String,
    /// Its words in Spanish.
    pub es: String,
    /// In English.
    pub en: String,
    /// Steps.
    pub steps: u64,
}

/// A step that the law takes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialRemoved {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Key of the step.
    pub step: String,
    /// When it was due.
    pub due_at: UtcMs,
    /// Rule.
    pub rule: String,
}

/// What a channel costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialCost {
    /// Channel.
    pub channel: Channel,
    /// Messages, letters or calls.
    pub messages: u64,
    /// Cost, millionths of the currency.
    pub cost_micro: i64,
    /// Currency; `None` = free or not known.
    pub currency: Option<Currency>,
}

/// The result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// By day and way.
    pub days: Vec<TrialDay>,
    /// By channel.
    pub costs: Vec<TrialCost>,
    /// By rule, most first.
    pub rules: Vec<TrialRule>,
    /// Debtors looked at.
    pub debtors: u64,
    /// More dates than a trial looks at.
    pub cut: bool,
    /// What was taken out, at most 5,000.
    #[serde(skip)]
    pub removed: Vec<TrialRemoved>,
}

/// A trial that runs or has run.
#[derive(Debug, Default)]
pub struct TrialJob {
    /// Dates looked at.
    pub done: AtomicU64,
    /// Dates in all; 0 = not known yet.
    pub all: AtomicU64,
    failed: AtomicBool,
    result: Mutex<Option<Trial>>,
}

impl TrialJob {
    /// The result, once it is there.
    #[must_use]
    pub fn result(&self) -> Option<Trial> {
        self.result
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it ended without one.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Trials of this node.
#[derive(Debug, Default)]
pub(crate) struct Trials(Mutex<VecDeque<(Uuid, Strategy, Arc<TrialJob>)>>);

impl Trials {
    pub(crate) fn get(&self, id: Uuid) -> Option<(Strategy, Arc<TrialJob>)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, ..)| *of == id);
        found.map(|(_, strategy, job)| (strategy.clone(), Arc::clone(job)))
    }

    fn put(&self, id: Uuid, strategy: Strategy) -> Arc<TrialJob> {
        let job = Arc::new(TrialJob::default());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((id, strategy, Arc::clone(&job)));
        job
    }
}

/// Begins a trial; its identity.
pub(crate) fn begin(
    shared: &Arc<Shared>,
    strategy: Strategy,
    portfolio: Option<PortfolioId>,
    days: i64,
) -> Uuid {
    let id = shared.id();
    let job = shared.trials.put(id, strategy.clone());
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let days = days.clamp(1, DAYS_MAX);
        match run(&shared, &strategy, portfolio, days, &job).await {
            Ok(result) => {
                *job.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            }
            Err(error) => {
                shared.mind(&error).await;
                tracing::warn!(strategy = %strategy.id, reason = %error, "trial of a strategy failed");
                job.failed.store(true, Ordering::Relaxed);
            }
        }
    });
    id
}

/// Every date that a step of the next days is counted from, by debtor.
async fn sources(
    shared: &Shared,
    one: &Strategy,
    portfolio: Option<PortfolioId>,
    days: i64,
) -> Result<(BTreeMap<DebtorId, Vec<PlanSource>>, bool), StoreError> {
    let members = segment(shared, one).await?;
    let offsets = || one.steps.iter().map(|s| i64::from(s.offset_days));
    let (least, most) = (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0));
    let today = utc_day(shared.now());
    let mut ask = PlanAsk {
        client: one.client_id,
        portfolio,
        trigger: one.trigger,
        from_day: today - most - 1,
        to_day: today + days - least + 1,
        after: None,
        limit: PAGE,
    };
    let mut found: BTreeMap<DebtorId, Vec<PlanSource>> = BTreeMap::new();
    let mut count = 0;
    loop {
        let rows = shared.out.store.plan_sources(&ask).await?;
        ask.after = rows.last().map(|r| r.id);
        let whole = rows.len() >= PAGE as usize;
        for row in rows {
            if members.as_ref().is_none_or(|m| m.contains(&row.debtor_id)) {
                if count >= SOURCES_MAX {
                    return Ok((found, true));
                }
                count += 1;
                found.entry(row.debtor_id).or_default().push(row);
            }
        }
        if !whole {
            return Ok((found, false));
        }
    }
}

/// The act as the caps would count it.
fn counted(
    facts: &ContactFacts,
    id: Uuid,
    (channel, kind): (Channel, LedgerKind),
    at: UtcMs,
) -> LedgerRow {
    let point = facts.points.iter().find(|p| !p.bad);
    LedgerRow {
        id: LedgerId(id),
        person_id: facts.debtor.person_id,
        debtor_id: facts.debtor.id,
        client_id: facts.debtor.client_id,
        debts: facts.debts.iter().map(|d| d.id).collect(),
        point_id: point.map(|p| p.id),
        address: point.map_or_else(|| Pii(String::new()), |p| p.value.clone()),
        class: point.map_or(PointClass::Other, |p| p.class),
        channel,
        kind,
        at,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    }
}

/// What is added up.
#[derive(Default)]
struct Sums {
    days: BTreeMap<(String, String), TrialDay>,
    rules: BTreeMap<String, TrialRule>,
    sent: BTreeMap<Channel, u64>,
    removed: Vec<TrialRemoved>,
}

impl Sums {
    fn day(&mut self, date: String, way: String) -> &mut TrialDay {
        self.days
            .entry((date.clone(), way.clone()))
            .or_insert_with(|| TrialDay {
                date,
                way,
                ..TrialDay::default()
            })
    }

    fn refused(&mut self, row: TrialRemoved, es: &str, en: &str) {
        let rule = self
            .rules
            .entry(row.rule.clone())
            .or_insert_with(|| TrialRule {
                rule: row.rule.clone(),
                es: es.to_owned(),
                en: en.to_owned(),
                steps: 0,
            });
        rule.steps += 1;
        if self.removed.len() < REMOVED_MAX {
            self.removed.push(row);
        }
    }
}

/// Tones by the stage in which each debt stands today.
type Tones = BTreeMap<DebtId, Tone>;
type Named = BTreeMap<String, Vec<domain::entity::TextTemplate>>;

/// What messages are chosen from, and until when.
struct Scope {
    templates: Named,
    /// The client's terms, where some step's tone hangs on the stage of the debt.
    terms: Option<ClientTerms>,
    carried: Vec<Channel>,
    until: UtcMs,
}

impl Scope {
    fn ways(&self, step: &StrategyStep, by_stage: Option<Tone>) -> Ways<'_> {
        let named = self.templates.get(&step.template);
        Ways {
            templates: named.map_or(&[][..], Vec::as_slice),
            tone: tone_of(step, by_stage),
            carried: &self.carried,
        }
    }
}

/// Tones of a debtor's debts, where they decide a text.
async fn tones(
    shared: &Shared,
    terms: Option<&ClientTerms>,
    facts: &ContactFacts,
    dates: &[PlanSource],
) -> Result<Tones, StoreError> {
    let mut found = Tones::new();
    let Some(terms) = terms else {
        return Ok(found);
    };
    for source in dates {
        if let Entry::Vacant(place) = found.entry(source.debt_id) {
            let (_, wanted) = of_debt(shared, terms, facts, source.debt_id).await?;
            place.insert(wanted.tone);
        }
    }
    Ok(found)
}

async fn run(
    shared: &Arc<Shared>,
    one: &Strategy,
    portfolio: Option<PortfolioId>,
    days: i64,
    job: &TrialJob,
) -> Result<Trial, StoreError> {
    let (found, cut) = sources(shared, one, portfolio, days).await?;
    let all: usize = found.values().map(Vec::len).sum();
    job.all.store(all as u64, Ordering::Relaxed);
    let (mut templates, mut terms) = (Named::new(), None);
    for step in one.steps.iter().filter(|s| s.action == StepAction::Message) {
        let named = shared
            .out
            .store
            .templates_named(one.client_id, &step.template)
            .await?;
        if terms.is_none() {
            terms = tone_terms(shared, one, step, &named).await?;
        }
        templates.insert(step.template.clone(), named);
    }
    let mut sums = Sums::default();
    let scope = Scope {
        templates,
        terms,
        carried: carried(shared).await?,
        until: shared.now().plus_ms(days * DAY_MS),
    };
    for (debtor, dates) in &found {
        let facts = shared
            .out
            .store
            .contact_facts(*debtor, shared.now())
            .await?;
        let tones = tones(shared, scope.terms.as_ref(), &facts, dates).await?;
        of_debtor(shared, one, (facts, dates, &tones), &scope, &mut sums);
        job.done.fetch_add(dates.len() as u64, Ordering::Relaxed);
        // Calls come first: the runtime's threads are theirs.
        tokio::task::yield_now().await;
    }
    let mut rules: Vec<TrialRule> = sums.rules.into_values().collect();
    rules.sort_by_key(|r| std::cmp::Reverse(r.steps));
    Ok(Trial {
        days: sums.days.into_values().collect(),
        costs: costs(shared, one.client_id, portfolio, &sums.sent).await?,
        rules,
        debtors: found.len() as u64,
        cut,
        removed: sums.removed,
    })
}

/// All steps of one debtor in their order: each that is made counts for those behind it.
fn of_debtor(
    shared: &Shared,
    one: &Strategy,
    (mut facts, dates, tones): (ContactFacts, &[PlanSource], &Tones),
    scope: &Scope,
    sums: &mut Sums,
) {
    let now = shared.now();
    let zone = zone_or_utc(&shared.out.law.zone_of(&facts));
    let mut steps: Vec<(UtcMs, &StrategyStep, &PlanSource)> = Vec::new();
    for source in dates {
        let due = one
            .steps
            .iter()
            .filter_map(|s| Some((due_at(s, &source.date, &zone)?, s, source)));
        steps.extend(due.filter(|(at, ..)| *at >= now && *at < scope.until));
    }
    steps.sort_by_key(|(at, step, source)| (*at, step.key.as_str(), source.id));
    for (due, step, source) in steps {
        let date = due.in_zone(&zone).strftime("%F").to_string();
        let removed = |rule: &str| TrialRemoved {
            debtor_id: facts.debtor.id,
            step: step.key.clone(),
            due_at: due,
            rule: rule.to_owned(),
        };
        if let Some(why) = stopped(&facts, Some(source.debt_id), due) {
            let row = removed(why);
            sums.day(date, step.action.to_string()).removed += 1;
            sums.refused(
                row,
                "la deuda está cerrada o bloqueada",
                "the debt is closed or held",
            );
            continue;
        }
        match step.action {
            StepAction::Message => {
                let ways = scope.ways(step, tones.get(&source.debt_id).copied());
                match choose(shared, &facts, step, ways, due) {
                    Choice::By(channel, _, at) => {
                        let day = sums.day(date, channel.to_string());
                        day.made += 1;
                        day.moved += u64::from(at > due);
                        *sums.sent.entry(channel).or_default() += 1;
                        let act = (channel, LedgerKind::Message);
                        let row = counted(&facts, shared.id(), act, at);
                        facts.ledger.push(row);
                    }
                    Choice::None(channel, rule, es, en) => {
                        let row = removed(&rule);
                        sums.day(date, channel.to_string()).removed += 1;
                        sums.refused(row, &es, &en);
                    }
                }
            }
            other => match channel_of(other) {
                Some(channel) => act(shared, &mut facts, (due, date, step, channel), sums),
                None => sums.day(date, other.to_string()).made += 1,
            },
        }
    }
}

/// A call or a letter: the law is asked as it will be, and what it lets be counts for what comes behind.
fn act(
    shared: &Shared,
    facts: &mut ContactFacts,
    (due, date, step, channel): (UtcMs, String, &StrategyStep, Channel),
    sums: &mut Sums,
) {
    let fated = fate(shared, facts, channel, due);
    let day = sums.day(date, step.action.to_string());
    match fated {
        Fate::At(at) => {
            day.made += 1;
            day.moved += u64::from(at > due);
            *sums.sent.entry(channel).or_default() += 1;
            let kind = match channel {
                Channel::Call => LedgerKind::Attempt,
                _ => LedgerKind::Message,
            };
            let row = counted(facts, shared.id(), (channel, kind), at);
            facts.ledger.push(row);
        }
        Fate::Out(rule, es, en) | Fate::Wait(rule, es, en) => {
            day.removed += 1;
            let row = TrialRemoved {
                debtor_id: facts.debtor.id,
                step: step.key.clone(),
                due_at: due,
                rule,
            };
            sums.refused(row, &es, &en);
        }
    }
}
