//! The board: rows folded from the live tables, told as deltas at most ten times a second, latest
//! value wins, serialised once for everybody.

use super::{Engine, me};
use crate::live::{AgentEntry, CampaignEntry, TrunkEntry};
use crate::short_calls;
use crate::view::{
    Abandonment, AbandonmentWindow, AgentCounts, AgentRow, AlarmRow, AskRow, BoardData, BoardDelta,
    BoardSnapshot, CallCounts, CampaignRow, Ratio, TrunkRow,
};
use dialer::Session;
use domain::entity::DialMode;
use domain::ids::{AgentId, CampaignId, ClientId, TrunkId};
use domain::pii::mask;
use domain::rules::agent_state::AgentState;
use domain::time::{SECOND_MS, UtcMs};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Between two foldings of campaigns, trunks and sums, ms: they change with every call.
const WIDE_MS: i64 = SECOND_MS;
/// Most asks on the board at once.
const ASKS_MAX: usize = 200;

/// Rows as they were told last, and what has changed since.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) data: BoardData,
    seq: u64,
    agents: BTreeSet<AgentId>,
    alarms: bool,
    asks: bool,
    pub(crate) late_cases: Vec<(ClientId, u64)>,
    wide: bool,
    tick_ms: i64,
    ticked_at: Option<UtcMs>,
    wide_at: Option<UtcMs>,
}

impl Board {
    pub(crate) fn pace(&mut self, tick_ms: i64) {
        self.tick_ms = tick_ms.max(1);
    }

    /// Campaigns, trunks or sums changed.
    pub(crate) fn touch(&mut self) {
        self.wide = true;
    }

    pub(crate) fn agent(&mut self, id: AgentId) {
        self.agents.insert(id);
    }

    pub(crate) fn alarm(&mut self, row: AlarmRow) {
        self.data.alarms.push(row);
        self.alarms = true;
    }

    /// An ask waits, or does so no more.
    pub(crate) fn ask(&mut self, row: AskRow, waits: bool) {
        let before = self.data.asks.len();
        self.data.asks.retain(|a| a.plan_id != row.plan_id);
        self.asks |= waits || self.data.asks.len() != before;
        if waits && self.data.asks.len() < ASKS_MAX {
            self.data.asks.push(row);
        }
    }

    pub(crate) fn clear_alarm(&mut self, id: &str) -> bool {
        let before = self.data.alarms.len();
        self.data.alarms.retain(|a| a.id != id);
        self.alarms |= self.data.alarms.len() != before;
        self.data.alarms.len() != before
    }

    fn after(last: Option<UtcMs>, ms: i64) -> UtcMs {
        last.map_or(UtcMs(i64::MIN), |at| at.plus_ms(ms))
    }

    /// When the next delta may go out; `None` when nothing changed.
    pub(crate) fn tick_at(&self) -> Option<UtcMs> {
        let narrow = (self.alarms || self.asks || !self.agents.is_empty())
            .then(|| Self::after(self.ticked_at, self.tick_ms));
        let wide = self.wide.then(|| {
            Self::after(self.wide_at, WIDE_MS).max(Self::after(self.ticked_at, self.tick_ms))
        });
        [narrow, wide].into_iter().flatten().min()
    }
}

/// Changed rows of one kind; the kept list is brought up to date.
fn changed<T: Clone + PartialEq, K: PartialEq>(
    kept: &mut Vec<T>,
    fresh: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut out = Vec::new();
    for row in fresh {
        match kept.iter_mut().find(|k| key(k) == key(&row)) {
            Some(old) if *old == row => {}
            Some(old) => {
                *old = row.clone();
                out.push(row);
            }
            None => {
                kept.push(row.clone());
                out.push(row);
            }
        }
    }
    out
}

fn put<T: Serialize>(delta: &mut Map<String, Value>, key: &str, rows: &[T]) {
    if !rows.is_empty() {
        delta.insert(key.to_owned(), json!(rows));
    }
}

impl Engine {
    pub(super) fn board_turn(&mut self, now: UtcMs) {
        if self.board.tick_at().is_some_and(|at| at <= now) {
            let wide = self.board.wide && Board::after(self.board.wide_at, WIDE_MS) <= now;
            self.board_tick(now, wide);
        }
    }

    fn board_tick(&mut self, now: UtcMs, wide: bool) {
        let mut delta = Map::new();
        self.agent_rows(now, &mut delta);
        if wide {
            self.wide_rows(now, &mut delta);
            self.board.wide = false;
            self.board.wide_at = Some(now);
        }
        if std::mem::take(&mut self.board.alarms) {
            delta.insert("alarms".to_owned(), json!(self.board.data.alarms));
        }
        if std::mem::take(&mut self.board.asks) {
            delta.insert("asks".to_owned(), json!(self.board.data.asks));
        }
        self.board.ticked_at = Some(now);
        if delta.is_empty() {
            return;
        }
        self.board.seq += 1;
        let seq = self.board.seq;
        let mut message = Map::new();
        message.insert("t".to_owned(), json!("d"));
        message.insert("topic".to_owned(), json!("board"));
        message.insert("seq".to_owned(), json!(seq));
        message.insert("now".to_owned(), json!(now.0));
        message.append(&mut delta);
        let body = Value::Object(message).to_string().into();
        self.seen.publish(now, BoardDelta { seq, body });
    }

    /// Everything as of now.
    pub(crate) fn board_snapshot(&mut self, now: UtcMs) -> BoardSnapshot {
        self.board_tick(now, true);
        BoardSnapshot {
            seq: self.board.seq,
            now,
            data: self.board.data.clone(),
        }
    }

    fn agent_rows(&mut self, now: UtcMs, delta: &mut Map<String, Value>) {
        let mut short: Vec<Value> = Vec::new();
        let mut whole: Vec<AgentRow> = Vec::new();
        for id in std::mem::take(&mut self.board.agents) {
            let (Some(entry), Some(session)) = (self.agents.get(&id), self.brain.agent(id)) else {
                continue;
            };
            let row = self.agent_row(now, id, entry, session);
            let Some(old) = self.board.data.agents.iter_mut().find(|r| r.id == id) else {
                self.board.data.agents.push(row.clone());
                whole.push(row);
                continue;
            };
            if *old == row {
                continue;
            }
            let same_but_short = AgentRow {
                state: row.state.clone(),
                since: row.since,
                calls: row.calls,
                promises: row.promises,
                amount: row.amount.clone(),
                occupancy_pct: row.occupancy_pct,
                ..old.clone()
            };
            // One sum fits the short form; several currencies need the whole row.
            if same_but_short == row && row.amount.len() <= 1 {
                let amount = entry.today.promised.first();
                short.push(json!([
                    row.id,
                    row.state,
                    row.since.0,
                    row.calls,
                    row.occupancy_pct,
                    row.promises,
                    amount,
                ]));
            } else {
                whole.push(row.clone());
            }
            *old = row;
        }
        put(delta, "rows", &short);
        put(delta, "agents", &whole);
    }

    fn agent_row(
        &self,
        now: UtcMs,
        id: AgentId,
        entry: &AgentEntry,
        session: &Session,
    ) -> AgentRow {
        let attempt = self.shown_attempt(id);
        let call = attempt.and_then(|a| self.calls.get(&a));
        let campaign = call
            .map(|c| c.ctx.stocked.setting.id())
            .or_else(|| entry.agent.campaigns.first().copied())
            .or_else(|| {
                self.campaigns
                    .keys()
                    .copied()
                    .find(|id| self.is_dialing(*id))
            });
        AgentRow {
            id,
            name: entry.agent.name.clone(),
            team: entry.agent.team_id.map(|t| t.to_string()),
            campaign: campaign.map(|c| c.to_string()),
            state: session.state().to_string(),
            pause_code: session.machine.code().map(|c| c.to_string()),
            since: session.machine.since(),
            debtor_masked: call.map(|c| mask(c.ctx.stocked.point.value.reveal())),
            attempt,
            calls: entry.today.calls,
            rpc: entry.today.rpc,
            promises: entry.today.promises,
            amount: entry.today.promised.list(),
            occupancy_pct: me::percent(session.machine.split_at(now).occupancy()),
            link_ms: entry.rtt_ms,
        }
    }

    fn wide_rows(&mut self, now: UtcMs, delta: &mut Map<String, Value>) {
        let ids: Vec<CampaignId> = self.campaigns.keys().copied().collect();
        let rows: Vec<CampaignRow> = ids
            .iter()
            .filter_map(|id| self.campaign_row(now, *id))
            .collect();
        self.row_alarms(now, &rows);
        let trunks: Vec<TrunkRow> = self
            .trunks
            .iter()
            .map(|(id, t)| self.trunk_row(*id, t))
            .collect();
        let campaigns = changed(&mut self.board.data.campaigns, rows, |r| r.id);
        put(delta, "campaigns", &campaigns);
        let trunks = changed(&mut self.board.data.trunks, trunks, |r| r.id);
        put(delta, "trunks", &trunks);
        let totals = self.board_totals(now);
        if totals != self.board.data.totals {
            delta.insert("totals".to_owned(), json!(totals));
            self.board.data.totals = totals;
        }
    }

    fn agent_counts(&self, entry: &CampaignEntry) -> AgentCounts {
        let id = entry.setting.id();
        let spec = self.brain.campaign_spec(id);
        let mut counts = AgentCounts::default();
        for (agent, session) in self.brain.agents() {
            // With a call of another campaign he does not work for this one.
            if self.works_for(agent).is_some_and(|other| other != id) {
                continue;
            }
            let serves = spec.map_or_else(
                || session.spec.campaigns.is_empty() || session.spec.campaigns.contains(&id),
                |spec| session.serves(spec),
            );
            if !serves || session.state() == AgentState::Offline {
                continue;
            }
            counts.logged_in += 1;
            let slot = match session.state() {
                AgentState::Ready => &mut counts.ready,
                AgentState::Reserved | AgentState::Preview | AgentState::Ringing => {
                    &mut counts.reserved
                }
                AgentState::Talking => &mut counts.talking,
                AgentState::Hold => &mut counts.hold,
                AgentState::Wrapup => &mut counts.wrapup,
                AgentState::Paused | AgentState::Offline => &mut counts.paused,
                AgentState::Lagged => &mut counts.lagged,
            };
            *slot += 1;
        }
        counts
    }

    /// One campaign as the board shows it; `None` when the engine never knew it.
    pub(crate) fn campaign_row(&mut self, now: UtcMs, id: CampaignId) -> Option<CampaignRow> {
        let problem = self.problems(now, id).into_iter().next();
        let rate = self.campaigns.get_mut(&id)?.stats.short_rate(now);
        let entry = self.campaigns.get(&id)?;
        let view = self.brain.campaign(id);
        let campaign = &entry.setting.campaign;
        let stats = &entry.stats;
        let (tally, cap) = view
            .as_ref()
            .map_or_else(Default::default, |v| (v.tally, v.cap_pct));
        let hopper = view.as_ref().map_or(0, |v| v.hopper);
        let (lines, at_work) = view.as_ref().map_or((0, 0.0), |v| (v.lines, v.agents));
        let mut blocked: Vec<(String, u64)> =
            stats.blocked.iter().map(|(r, n)| (r.clone(), *n)).collect();
        blocked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let closes = self
            .hopper
            .range((id, domain::ids::DebtorId(uuid::Uuid::nil()))..);
        let closes = closes
            .take_while(|((c, _), _)| *c == id)
            .filter_map(|(_, s)| s.closes_at)
            .max();
        let agents = self.agent_counts(entry);
        Some(CampaignRow {
            id,
            name: campaign.name.clone(),
            status: campaign.status.to_string(),
            mode: view
                .as_ref()
                .map_or(campaign.params.mode, |v| v.mode)
                .to_string(),
            level_now: level_now(lines, at_work),
            level_target: view
                .as_ref()
                .map_or_else(|| level(&campaign.params), |v| v.level_target),
            dialable: entry.counts.due + u64::from(hopper),
            hopper,
            attempts_today: stats.attempts,
            answers: stats.answers,
            abandoned: stats.abandoned,
            abandonment: Abandonment {
                numerator: tally.abandoned,
                denominator: tally.answers(),
                cap_pct: cap,
            },
            abandonment_windows: self.windows(id),
            short_calls: view
                .as_ref()
                .and_then(|v| v.short_calls)
                .and_then(short_calls::row),
            answer_rate_5m: rate,
            wait_agent_ms: stats.wait_agent.recent(),
            wait_debtor_ms: stats.wait_debtor.recent(),
            small_team: small_team(&campaign.params, agents.logged_in),
            agents,
            calls: view.map_or_else(CallCounts::default, |v| CallCounts {
                ringing: v.ringing,
                waiting: v.waiting,
                in_message: v.in_message,
            }),
            window_closes_at: closes.filter(|at| *at > now),
            blocked,
            promises: stats.promises,
            promised: stats.promised.list(),
            problem,
            inbound: self.queue_row(now, id),
        })
    }

    /// Abandonment of a campaign over every window.
    fn windows(&self, id: CampaignId) -> Vec<AbandonmentWindow> {
        let seen = self.brain.abandonment(id);
        seen.iter()
            .map(|w| AbandonmentWindow {
                window: w.window.code().into_owned(),
                numerator: w.numerator,
                denominator: w.denominator,
                cap_pct: w.cap_pct,
                free: w.cap_pct / 100.0 * w.denominator - w.numerator,
                binds: w.binds,
            })
            .collect()
    }

    fn trunk_row(&self, id: TrunkId, entry: &TrunkEntry) -> TrunkRow {
        let live = self.brain.trunks().find(|(t, ..)| *t == id);
        let (up, in_use, channels, cps) = live
            .map_or((false, 0, 0, 0), |(_, up, in_use, channels, cps)| {
                (up, in_use, channels, cps)
            });
        TrunkRow {
            id,
            name: entry.trunk.name.clone(),
            up,
            channels,
            in_use,
            cps,
            asr: Ratio {
                numerator: entry.answered,
                denominator: entry.invites,
            },
            ner: Ratio {
                numerator: entry.effective,
                denominator: entry.invites,
            },
            acd_ms: entry.talk_ms / entry.answered.max(1),
            pdd_ms: entry.pdd_ms / entry.rung.max(1),
        }
    }
}

/// Lines per agent at work; nobody at work has none.
fn level_now(lines: u32, at_work: f64) -> f64 {
    if at_work > 0.0 {
        f64::from(lines) / at_work
    } else {
        0.0
    }
}

fn level(params: &domain::entity::CampaignParams) -> f64 {
    match params.mode {
        DialMode::Power => crate::campaigns::lean(params).level(params.lines_per_agent),
        DialMode::Predictive => params.lines_per_agent,
        _ => 1.0,
    }
}

/// Whether a team that may abandon is small; nobody is no team.
fn small_team(params: &domain::entity::CampaignParams, agents: u32) -> bool {
    let over_dials = matches!(params.mode, DialMode::Power | DialMode::Predictive);
    over_dials && (1..=params.small_team_agents).contains(&agents)
}
