//! Stages of debts: where each begins, when it is late, who is told, and what is recommended.

use super::draw::days_past_due;
use super::terms_of;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::notices::{LateCase, RAISED};
use crate::shared::Shared;
use crate::stops;
use domain::entity::{Debt, DebtStage, Role, Stage};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, PortfolioId};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::rules::ageing::day_of;
use domain::rules::offers::ClientTerms;
use domain::rules::stage::{self, Recommendation, StageFacts, StageReason};
use domain::segment::day_of_date;
use domain::time::{DAY_MS, UtcMs};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Debts put in their first stage, and late cases told, in one go.
const BATCH: u32 = 500;
/// Goes of one round.
const GOES_MAX: u32 = 10;

/// How far rounds have come.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The last debt that was looked at for its first stage.
    begun: Option<DebtId>,
    /// The last debt whose stage stops contact that was looked at for its hold.
    held: Option<DebtId>,
    /// All of these were looked at.
    all_held: bool,
}

/// A debt to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAsk {
    /// Which debt.
    pub debt: DebtId,
    /// Where to.
    pub to: Stage,
    /// Why.
    pub reason: String,
    /// Goes on although an entry test fails; a manager's right.
    pub despite: bool,
    /// Role of who asks.
    pub role: Role,
}

/// Where a debt stands and what is advised.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StageView {
    /// Where it stands; `None` before the first round.
    pub stage: Option<DebtStage>,
    /// What is advised, with its reasons.
    pub advice: Recommendation,
}

async fn facts_of(
    shared: &Shared,
    debt: &Debt,
    zone: &TimeZone,
    now: UtcMs,
) -> Result<StageFacts, StoreError> {
    let counts = shared.out.store.stage_counts(debt, now).await?;
    Ok(StageFacts {
        days_past_due: days_past_due(debt, now, zone),
        balance_minor: debt.balance_minor(),
        attempts: counts.attempts,
        channels: counts.channels,
        broken_promises: counts.broken_promises,
        conversations: counts.conversations,
        agreed: counts.agreed,
        held: counts.held,
        days_to_statute: days_to_statute(debt, now, zone),
        evidence: counts.evidence,
    })
}

/// Days until the debt's statute date there, negative behind it.
fn days_to_statute(debt: &Debt, now: UtcMs, zone: &TimeZone) -> Option<i64> {
    let last = day_of_date(debt.statute_date.as_deref()?)?;
    Some(last - day_of(now.in_zone(zone).date()))
}

async fn zone_of(shared: &Shared, debt: &Debt) -> Result<TimeZone, StoreError> {
    let portfolio = shared.out.store.get_portfolio(debt.portfolio_id).await?;
    Ok(zone_or_utc(&portfolio.zone))
}

fn entered(
    debt: &Debt,
    terms: &ClientTerms,
    to: Stage,
    (now, by, reason): (UtcMs, String, String),
) -> DebtStage {
    let rule = terms.stage(to);
    let days = rule.map_or(0, |r| r.max_days);
    DebtStage {
        debt_id: debt.id,
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        stage: to,
        entered_at: now,
        deadline: (days > 0).then(|| now.plus_ms(days * DAY_MS)),
        owner_id: rule.and_then(|r| r.owner_id),
        late_at: None,
        statute_told: None,
        moved_by: by,
        reason,
    }
}

/// Where a debt stands and what is advised.
pub(crate) async fn look(shared: Arc<Shared>, debt: Debt) -> Result<StageView, CenterError> {
    let now = shared.now();
    let zone = zone_of(&shared, &debt).await?;
    let (terms, _) = terms_of(&shared, debt.client_id).await?;
    let facts = facts_of(&shared, &debt, &zone, now).await?;
    let stage = shared.out.store.stage_of(debt.id).await?;
    let late = stage
        .as_ref()
        .is_some_and(|s| s.deadline.is_some_and(|d| d <= now));
    let at = stage
        .as_ref()
        .map_or_else(|| stage::first(&terms, &facts), |s| s.stage);
    Ok(StageView {
        advice: stage::recommend(&terms, at, late, &facts),
        stage,
    })
}

fn words(missing: &[StageReason]) -> String {
    let all: Vec<&str> = missing.iter().map(|r| r.en.as_str()).collect();
    all.join("; ")
}

/// Moves a debt when the tests of its new stage pass; one that stands there already stays as it is.
pub(crate) async fn move_to(
    shared: Arc<Shared>,
    actor: Actor,
    ask: StageAsk,
) -> Result<DebtStage, CenterError> {
    let now = shared.now();
    let debt = shared.out.store.get_debt(ask.debt).await?;
    let stands = shared.out.store.stage_of(debt.id).await?;
    let from = stands.as_ref().map(|s| s.stage);
    if let Some(stands) = stands.filter(|s| s.stage == ask.to) {
        return Ok(stands);
    }
    let zone = zone_of(&shared, &debt).await?;
    let (terms, version) = terms_of(&shared, debt.client_id).await?;
    let facts = facts_of(&shared, &debt, &zone, now).await?;
    let missing = terms
        .stage(ask.to)
        .map_or_else(Vec::new, |r| stage::missing(r, &facts));
    let may_despite = matches!(ask.role, Role::Manager | Role::Admin);
    if !(missing.is_empty() || ask.despite && may_despite) {
        return Err(CenterError::conflict(
            "stage_tests",
            format!("the tests of {} do not pass: {}", ask.to, words(&missing)),
        ));
    }
    let how = (now, actor.to_string(), ask.reason.clone());
    let row = entered(&debt, &terms, ask.to, how);
    let codes: Vec<&str> = missing.iter().map(|r| r.code.as_str()).collect();
    let data = json!({
        "debt_id": debt.id, "debtor_id": debt.debtor_id, "from": from, "to": ask.to,
        "reason": ask.reason, "despite": codes, "policy_version": version,
    });
    let subject = format!("debt:{}", debt.id);
    let client = Some(debt.client_id);
    let mut events = vec![shared.event(client, actor, "escalation.moved", subject, data)];
    events.extend(held(&shared, actor, from, &row));
    if !shared.out.store.move_stage(&row, from, &events).await? {
        return Err(CenterError::conflict(
            "stage_moved",
            "the debt was moved meanwhile",
        ));
    }
    if row.stage.hold().is_some() {
        withdraw(&shared, &row).await;
    } else if from.is_some_and(|s| s.hold().is_some()) {
        stops::changed(shared, row.debtor_id).await;
    }
    Ok(row)
}

/// Ends the contacts of a debt whose hold is stored. It stands whether or not that can be told everywhere: the
/// other servers hear of it by its event.
async fn withdraw(shared: &Shared, row: &DebtStage) {
    if let Err(error) = stops::withdraw_person(shared, row.debtor_id).await {
        shared.mind(&error).await;
        tracing::warn!(debtor = %row.debtor_id, reason = %error, "held debtor not withdrawn everywhere");
    }
}

/// What is told of the holds that a move lifts and places.
fn held(shared: &Shared, actor: Actor, from: Option<Stage>, row: &DebtStage) -> Vec<NewEvent> {
    let subject = format!("debtor:{}", row.debtor_id);
    let mut events = Vec::new();
    let mut tell = |kind: &str, data: serde_json::Value| {
        events.push(shared.event(Some(row.client_id), actor, kind, subject.clone(), data));
    };
    if let Some(was) = from.and_then(Stage::hold) {
        tell(
            "hold.lifted",
            json!({"debt_id": row.debt_id, "hold": was, "stage": from}),
        );
    }
    if let Some(hold) = stage::hold_of(row) {
        tell(
            "hold.placed",
            json!({"hold_id": hold.id, "hold": hold.kind, "scope": hold.scope}),
        );
    }
    // Obeyed here at once, before the log tells of it.
    events.iter().for_each(|event| shared.told_here(event));
    events
}

/// Places the holds of debts whose stage stops contact and that were never held by it: they entered it before
/// stages placed holds.
async fn hold_all(shared: &Shared, walked: &mut Walked) -> Result<(), StoreError> {
    let store = &shared.out.store;
    for _ in 0..GOES_MAX {
        if walked.all_held {
            break;
        }
        let (rows, last) = store.unheld_stages(walked.held, BATCH).await?;
        for row in rows {
            let events = held(shared, Actor::System, None, &row);
            if store.place_stage_hold(&row, shared.now(), &events).await? {
                withdraw(shared, &row).await;
            }
        }
        walked.all_held = last.is_none();
        walked.held = last.or(walked.held);
    }
    Ok(())
}

/// Tells the named persons of debts that near their statute date before a court was asked, once in each stage.
async fn statutes(shared: &Shared) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    loop {
        let clients = store.list_clients(&ListFilter::default(), &page).await?;
        for client in &clients.items {
            let (terms, _) = terms_of(shared, client.id).await?;
            let told = terms.stages.iter().filter(|r| r.stage.before_court());
            let ahead: Vec<(Stage, i64)> = told
                .filter(|r| r.statute_days > 0)
                .map(|r| (r.stage, r.statute_days))
                .collect();
            let near = store
                .near_statute(client.id, shared.now(), &ahead, BATCH)
                .await?;
            for (row, date) in near {
                let mut case = LateCase::of(&row);
                case.statute_date = Some(date.clone());
                let subject = format!("debt:{}", row.debt_id);
                let client = Some(row.client_id);
                let event = shared.event(client, Actor::System, RAISED, subject, json!(case));
                store.note_statute(&row, &date, &[event]).await?;
            }
        }
        page.cursor = clients.next_cursor;
        if page.cursor.is_none() {
            return Ok(());
        }
    }
}

/// Places holds that stages lack, puts new debts in their first stage, tells the named persons of late cases, and
/// the board how many there are. `walked` goes on with the debts that were looked at: new ones come behind them.
pub(crate) async fn round(shared: &Arc<Shared>, walked: &mut Walked) -> Result<(), StoreError> {
    hold_all(shared, walked).await?;
    for _ in 0..GOES_MAX {
        let fresh = shared.out.store.unstaged(walked.begun, BATCH).await?;
        let rows = begin(shared, &fresh).await?;
        if let Some(last) = fresh.last() {
            shared.out.store.begin_stages(&rows).await?;
            walked.begun = Some(last.id);
        }
        if fresh.len() < BATCH as usize {
            break;
        }
    }
    for row in shared.out.store.late_stages(shared.now(), BATCH).await? {
        let data = json!(LateCase::of(&row));
        let subject = format!("debt:{}", row.debt_id);
        let client = Some(row.client_id);
        let event = shared.event(client, Actor::System, RAISED, subject, data);
        shared
            .out
            .store
            .note_late(&row, shared.now(), &[event])
            .await?;
    }
    statutes(shared).await?;
    let mut counts = shared.out.store.late_counts(shared.now()).await?;
    counts.retain(|(_, late)| *late > 0);
    counts.sort_unstable();
    shared
        .post
        .tell(move |engine, _| engine.late_cases(counts))
        .await;
    Ok(())
}

/// First stages of debts, by their age; terms and zones are read once each.
async fn begin(shared: &Shared, debts: &[Debt]) -> Result<Vec<DebtStage>, StoreError> {
    let now = shared.now();
    let mut zones: BTreeMap<PortfolioId, TimeZone> = BTreeMap::new();
    let mut clients: BTreeMap<ClientId, ClientTerms> = BTreeMap::new();
    let mut rows = Vec::with_capacity(debts.len());
    for debt in debts {
        let zone = match zones.entry(debt.portfolio_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(zone_of(shared, debt).await?),
        };
        let terms = match clients.entry(debt.client_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(terms_of(shared, debt.client_id).await?.0),
        };
        let facts = StageFacts {
            days_past_due: days_past_due(debt, now, zone),
            balance_minor: debt.balance_minor(),
            ..StageFacts::default()
        };
        let how = (now, "system".to_owned(), "age".to_owned());
        rows.push(entered(debt, terms, stage::first(terms, &facts), how));
    }
    Ok(rows)
}
