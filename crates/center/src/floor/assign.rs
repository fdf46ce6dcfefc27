//! Assignment by rule: the debtors of a client go to campaigns, teams and agents, once a day before
//! opening and whenever a person asks for it.

use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::shared::Shared;
use domain::entity::{Agent, Assignment, AssignmentRule, AssignmentTarget, Language};
use domain::ids::{AgentId, ClientId, DebtorId};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::segment::Expr;
use domain::time::UtcMs;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Local hour from which on the day's assignment is made: before anybody opens.
const MORNING_H: i8 = 6;
/// Debtors written in one transaction.
const PIECE: usize = 500;

/// What an assignment did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// Debtors that a rule has now.
    pub assigned: u64,
    /// Of them, those whose campaign, team or agent is another one than before.
    pub changed: u64,
    /// Debtors in a rule's segment that found no place: its agents have as many as they may.
    pub no_place: u64,
    /// Debtors whom no agent of any rule that has them may take, for lack of a skill or the language.
    pub without_skill: u64,
    /// Of them by rule and language.
    pub unskilled: Vec<Unskilled>,
    /// Debtors whom a rule had and none takes any more: nobody's again.
    pub ended: u64,
    /// By rule, in their order: its name, its debtors.
    pub rules: Vec<(String, u64)>,
}

/// Debtors whom no agent of a rule may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unskilled {
    /// Name of the rule.
    pub rule: String,
    /// Skills that it asks for.
    pub skills: Vec<String>,
    /// The debtors' language, where it asks for that.
    pub language: Option<Language>,
    /// How many.
    pub debtors: u64,
}

fn whole_page(cursor: Option<String>) -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor,
    }
}

async fn rules(
    shared: &Shared,
    client: Option<ClientId>,
) -> Result<Vec<AssignmentRule>, StoreError> {
    let filter = ListFilter {
        client_id: client,
        ..ListFilter::default()
    };
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = whole_page(cursor);
        let rows = shared
            .out
            .store
            .list_assignment_rules(&filter, &page)
            .await?;
        found.extend(rows.items.into_iter().filter(|r| r.enabled));
        cursor = rows.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    found.sort_by_key(|r| (r.position, r.id));
    Ok(found)
}

async fn all_agents(shared: &Shared) -> Result<Vec<Agent>, StoreError> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = whole_page(cursor);
        let rows = shared
            .out
            .store
            .list_agents(&ListFilter::default(), &page)
            .await?;
        found.extend(rows.items);
        cursor = rows.next_cursor;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// The agents of a rule: those named, else the members of its team.
fn agents_of<'a>(all: &'a [Agent], rule: &AssignmentRule) -> Vec<&'a Agent> {
    let named = |a: &&Agent| match rule.agents.as_slice() {
        [] => a.team_id == rule.team_id,
        some => some.contains(&a.id),
    };
    all.iter().filter(named).collect()
}

/// The debtors of a rule's segment by language; all together where the rule does not ask for it.
async fn by_language(
    shared: &Shared,
    rule: &AssignmentRule,
) -> Result<Vec<(Option<Language>, Vec<DebtorId>)>, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let bad = |e: &dyn std::fmt::Display| {
        CenterError::invalid("bad_expression", "segment_id", e.to_string())
    };
    let segment = store.get_segment(rule.segment_id).await?;
    let expr = domain::segment::parse(&segment.expression).map_err(|e| bad(&e))?;
    if !rule.by_language {
        let ids = store.segment_ids(rule.client_id, &expr, now).await?;
        return Ok(vec![(None, ids)]);
    }
    let mut found = Vec::new();
    for language in Language::ALL.iter().copied() {
        let speak = domain::segment::parse(&format!("language = '{language}'"));
        let both = Expr::And(vec![expr.clone(), speak.map_err(|e| bad(&e))?]);
        let ids = store.segment_ids(rule.client_id, &both, now).await?;
        found.push((Some(language), ids));
    }
    Ok(found)
}

/// Debtors of agents, counted while they are given out.
#[derive(Debug, Default)]
struct Loads(BTreeMap<AgentId, u64>);

impl Loads {
    /// The agent for a debtor: the one who has him, else the one with the fewest, who may take more.
    fn choose(
        &mut self,
        agents: &[AgentId],
        before: Option<AgentId>,
        most: Option<u64>,
    ) -> Option<AgentId> {
        let kept = before.filter(|a| agents.contains(a));
        let count = |a: &AgentId| self.0.get(a).copied().unwrap_or(0);
        let room = |a: &AgentId| most.is_none_or(|most| count(a) < most);
        let free = agents.iter().copied().filter(room);
        let chosen = match kept.filter(room) {
            Some(kept) => kept,
            None => free.min_by_key(|a| (count(a), *a))?,
        };
        *self.0.entry(chosen).or_default() += 1;
        Some(chosen)
    }
}

fn row_of(
    rule: &AssignmentRule,
    debtor: DebtorId,
    agent: Option<AgentId>,
    now: UtcMs,
) -> Assignment {
    let queue = rule.target == AssignmentTarget::Queue;
    Assignment {
        debtor_id: debtor,
        client_id: rule.client_id,
        rule_id: Some(rule.id),
        campaign_id: rule.campaign_id.filter(|_| queue),
        team_id: rule.team_id.filter(|_| !queue),
        agent_id: agent,
        assigned_at: now,
    }
}

/// Debtors whom a rule had and whom none took this time are nobody's again.
async fn end_others(
    shared: &Shared,
    client: ClientId,
    taken: &BTreeSet<DebtorId>,
) -> Result<u64, StoreError> {
    let (store, now) = (&shared.out.store, shared.now());
    let each = u32::try_from(PIECE).unwrap_or(u32::MAX);
    let (mut after, mut ended) = (None, 0);
    loop {
        let page = store.ruled_debtors(client, after, each).await?;
        let Some(last) = page.last() else {
            return Ok(ended);
        };
        after = Some(*last);
        let nobody = |id: &DebtorId| Assignment {
            debtor_id: *id,
            client_id: client,
            rule_id: None,
            campaign_id: None,
            team_id: None,
            agent_id: None,
            assigned_at: now,
        };
        let rows: Vec<Assignment> = page
            .iter()
            .filter(|id| !taken.contains(id))
            .map(nobody)
            .collect();
        if !rows.is_empty() {
            store.assign(&rows, &[]).await?;
            ended += rows.len() as u64;
        }
    }
}

fn same(a: &Assignment, b: &Assignment) -> bool {
    (a.campaign_id, a.team_id, a.agent_id, a.rule_id)
        == (b.campaign_id, b.team_id, b.agent_id, b.rule_id)
}

/// One giving out of a client's debtors.
#[derive(Default)]
struct Round {
    agents: Vec<Agent>,
    loads: Loads,
    /// Debtors whom a rule, or a person, has given to somebody.
    taken: BTreeSet<DebtorId>,
    /// Whom nobody may take, by what was asked.
    unskilled: Vec<(Unskilled, Vec<DebtorId>)>,
    report: Assigned,
}

impl Round {
    /// Gives debtors of one language out by a rule; how many it has now.
    async fn give(
        &mut self,
        shared: &Shared,
        rule: &AssignmentRule,
        (language, ids): (Option<Language>, Vec<DebtorId>),
    ) -> Result<u64, StoreError> {
        let (store, now) = (&shared.out.store, shared.now());
        let fresh: Vec<DebtorId> = ids
            .into_iter()
            .filter(|id| !self.taken.contains(id))
            .collect();
        let named = agents_of(&self.agents, rule);
        let able = named.iter().filter(|a| rule.may_take(a, language));
        let able: Vec<AgentId> = able.map(|a| a.id).collect();
        let lacks = able.is_empty() && !named.is_empty();
        let most = rule.most.and_then(|n| u64::try_from(n).ok());
        let (mut count, mut left) = (0, Vec::new());
        for piece in fresh.chunks(PIECE) {
            let before = store.assignments_of(piece).await?;
            let before: BTreeMap<DebtorId, Assignment> =
                before.into_iter().map(|r| (r.debtor_id, r)).collect();
            let mut rows = Vec::new();
            for id in piece {
                let had = before.get(id);
                if had.is_some_and(|r| r.rule_id.is_none()) {
                    self.taken.insert(*id);
                    continue;
                }
                let mut agent = None;
                if rule.target == AssignmentTarget::Agent {
                    let his = had.and_then(|r| r.agent_id);
                    agent = self.loads.choose(&able, his, most);
                    match agent {
                        None if lacks => left.push(*id),
                        None => self.report.no_place += 1,
                        Some(_) => {}
                    }
                    if agent.is_none() {
                        continue;
                    }
                }
                self.taken.insert(*id);
                count += 1;
                let row = row_of(rule, *id, agent, now);
                if !had.is_some_and(|had| same(had, &row)) {
                    rows.push(row);
                }
            }
            self.report.changed += rows.len() as u64;
            if !rows.is_empty() {
                store.assign(&rows, &[]).await?;
            }
        }
        if !left.is_empty() {
            let asked = Unskilled {
                rule: rule.name.clone(),
                skills: rule.skills.clone(),
                language,
                debtors: 0,
            };
            self.unskilled.push((asked, left));
        }
        Ok(count)
    }

    /// Tells whom nobody may take; whom a later rule has given to somebody is not among them.
    fn tell_unskilled(&mut self) {
        let mut without = BTreeSet::new();
        for (mut asked, mut left) in std::mem::take(&mut self.unskilled) {
            left.retain(|id| !self.taken.contains(id));
            asked.debtors = left.len() as u64;
            without.extend(left);
            if asked.debtors > 0 {
                self.report.unskilled.push(asked);
            }
        }
        self.report.without_skill = without.len() as u64;
    }
}

/// Gives the debtors of a client out by its rules. What a person assigned by hand stays.
pub(crate) async fn apply(
    shared: &Shared,
    client: ClientId,
    actor: &str,
) -> Result<Assigned, CenterError> {
    let mut round = Round {
        agents: all_agents(shared).await?,
        ..Round::default()
    };
    for rule in rules(shared, Some(client)).await? {
        let mut count = 0;
        for part in by_language(shared, &rule).await? {
            count += round.give(shared, &rule, part).await?;
        }
        round.report.assigned += count;
        round.report.rules.push((rule.name, count));
    }
    round.tell_unskilled();
    let mut report = round.report;
    report.ended = end_others(shared, client, &round.taken).await?;
    let data = json!({
        "assigned": report.assigned, "changed": report.changed, "no_place": report.no_place,
        "without_skill": report.without_skill, "unskilled": report.unskilled,
        "ended": report.ended,
    });
    let subject = format!("client:{client}");
    let event = shared.event(Some(client), actor, "assignment.made", subject, data);
    shared.out.store.append_events(&[event]).await?;
    Ok(report)
}

/// Zone of a client's first portfolio.
async fn zone_of(shared: &Shared, client: ClientId) -> Result<TimeZone, StoreError> {
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let rows = shared
        .out
        .store
        .list_portfolios(&filter, &page)
        .await?
        .items;
    Ok(rows.first().map_or(TimeZone::UTC, |p| zone_or_utc(&p.zone)))
}

/// Clients that have rules, or debtors whom a rule that is no more has assigned.
async fn ruled_clients(shared: &Shared) -> Result<BTreeSet<ClientId>, StoreError> {
    let store = &shared.out.store;
    let found = rules(shared, None).await?;
    let mut clients: BTreeSet<ClientId> = found.iter().map(|r| r.client_id).collect();
    let mut cursor = None;
    loop {
        let page = whole_page(cursor);
        let rows = store.list_clients(&ListFilter::default(), &page).await?;
        for client in rows.items {
            let has_rules = clients.contains(&client.id);
            if !has_rules && !store.ruled_debtors(client.id, None, 1).await?.is_empty() {
                clients.insert(client.id);
            }
        }
        cursor = rows.next_cursor;
        if cursor.is_none() {
            return Ok(clients);
        }
    }
}

/// The day's assignment of every client that has rules, once its morning has come.
pub(crate) async fn morning(shared: &Arc<Shared>) -> Result<(), StoreError> {
    for client in ruled_clients(shared).await? {
        let local = shared.now().in_zone(&zone_of(shared, client).await?);
        if local.hour() < MORNING_H {
            continue;
        }
        let (key, today) = (format!("assigned:{client}"), local.date().to_string());
        if shared.out.store.get_setting(&key).await?.as_deref() == Some(today.as_str()) {
            continue;
        }
        match apply(shared, client, &shared.actor()).await {
            Ok(report) => {
                tracing::info!(%client, assigned = report.assigned, changed = report.changed, without_skill = report.without_skill, "assigned for the day")
            }
            Err(CenterError::Store(error)) => return Err(error),
            // A rule that cannot be read: its segment has to be mended; tried again tomorrow.
            Err(error) => tracing::error!(%client, reason = %error, "not assigned"),
        }
        shared.out.store.put_setting(&key, &today).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_take_turns_keep_their_own_and_have_a_most() {
        let id = |n| AgentId(uuid::Uuid::from_u128(n));
        let agents = [id(1), id(2), id(3)];
        let mut loads = Loads::default();
        let mut got = Vec::new();
        for before in [None, None, None, Some(id(3)), Some(id(9)), None] {
            got.push(loads.choose(&agents, before, Some(2)));
        }
        let want = [1, 2, 3, 3, 1, 2].map(|n| Some(id(n)));
        assert_eq!(got, want);
        assert_eq!(loads.choose(&agents, None, Some(2)), None, "all are full");
        assert_eq!(loads.choose(&[], None, None), None);
    }
}
