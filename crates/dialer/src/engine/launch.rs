//! New calls: hopper, pacing, guard, lines.

use super::Dialer;
use super::share::Turn;
use crate::call::{Call, Phase};
use crate::guard::GuardAsk;
use crate::pacing::{AgentGlance, Observation, PacingView, policy_of};
use crate::router;
use crate::spec::{CallRules, Item};
use crate::talk::{Command, DialTask, ReleaseWhy};
use domain::entity::DialMode;
use domain::ids::{AgentId, AttemptId, CampaignId, PersonId, TrunkId};
use domain::rules::agent_state::AgentState;
use domain::time::{MINUTE_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An item is given back this long before its lease ends, so that a ringing call never outlives it.
const LEASE_SLACK_MS: i64 = MINUTE_MS;
/// Wait before a source that gave nothing is asked again.
const FILL_RETRY_MS: i64 = 2_000;
/// Least items an automatic hopper holds.
const HOPPER_LEAST: u32 = 10;
/// Most items a hopper holds.
const HOPPER_MOST: u32 = 1_000;
/// Lines an agentless campaign without a limit of its own is stocked for.
const AGENTLESS_LINES: u32 = 20;
/// Calls an agent's line makes while the feeder fetches: how much an automatic hopper is ahead.
const HOPPER_AHEAD: f64 = 5.0;

impl Dialer {
    pub(super) fn stock(&mut self, now: UtcMs, campaign: CampaignId, items: Vec<Item>, more: bool) {
        let known: Vec<_> = self
            .campaigns
            .values()
            .flat_map(|r| r.hopper.iter().map(|i| i.person))
            .chain(self.previewed())
            .collect();
        let Some(run) = self.campaigns.get_mut(&campaign) else {
            for item in items {
                self.release(item, ReleaseWhy::CampaignOff);
            }
            return;
        };
        run.filling = false;
        run.fill_after = if more {
            now
        } else {
            now.plus_ms(FILL_RETRY_MS)
        };
        let on = run.on;
        let mut back = Vec::new();
        for item in items {
            if !on {
                back.push((item, ReleaseWhy::CampaignOff));
            } else if known.contains(&item.person) || self.persons.contains_key(&item.person) {
                back.push((item, ReleaseWhy::Double));
            } else {
                run.bind(&item);
                run.day.closes = run.day.closes.max(item.closes_at);
                let ahead = run.hopper.iter().filter(|i| i.priority >= item.priority);
                let at = ahead.count();
                run.hopper.insert(at, item);
            }
        }
        run.hold();
        for (item, why) in back {
            self.release(item, why);
        }
        self.launch_now = true;
    }

    pub(super) fn campaign_tick(&mut self, now: UtcMs, id: CampaignId) {
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        if !run.on {
            return;
        }
        let old = |i: &Item| now >= i.lease_until.plus_ms(-LEASE_SLACK_MS);
        let mut stale = VecDeque::new();
        if run.hopper.iter().any(old) {
            let (gone, kept) = run.hopper.drain(..).partition(old);
            run.hopper = kept;
            stale = gone;
        }
        let tick = run.spec.tick_ms.max(50);
        for item in stale {
            self.release(item, ReleaseWhy::Stale);
        }
        self.arm_campaign(id, now.plus_ms(tick));
        self.look_after_places(now);
        self.launch_now = true;
    }

    fn view(&self, id: CampaignId, agents: f64, shrink: f64) -> PacingView {
        let mut view = PacingView {
            agents,
            shrink,
            ..PacingView::default()
        };
        if let Some(run) = self.campaigns.get(&id) {
            let lent = self.lent();
            let ready = self
                .agents
                .iter()
                .filter(|(id, a)| a.takes_calls() || lent.contains_key(id))
                .filter(|(_, a)| a.serves(&run.spec))
                .count();
            view.ready = u32::try_from(ready).unwrap_or(u32::MAX);
            let serving = self
                .agents
                .values()
                .filter(|a| a.works() && a.serves(&run.spec))
                .count();
            view.serving = u32::try_from(serving).unwrap_or(u32::MAX);
            view.logged = self.heads(run, agents).logged;
        }
        for call in self.calls.values().filter(|c| c.item.campaign == id) {
            view.lines += 1;
            let judged = matches!(call.phase, Phase::Judging | Phase::Waiting);
            view.open += u32::from(call.unanswered() || judged);
            view.ringing += u32::from(call.unanswered());
            view.waiting += u32::from(call.phase == Phase::Waiting);
        }
        view
    }

    /// Asks the guard; tells when the mode in force changes. Without agents nothing is over-dialed and
    /// no answers can be forecast: the mode stays as it is until somebody is at work.
    fn guarded(&mut self, now: UtcMs, id: CampaignId, agents: f64, agents_all: f64) -> Option<f64> {
        let run = self.campaigns.get_mut(&id)?;
        run.day.roll(now);
        if agents <= 0.0 {
            return Some(0.0);
        }
        let state = self.guard.state(
            now,
            &GuardAsk {
                campaign: id,
                client: run.spec.client,
                mode: run.spec.mode,
                rules: run.rules.clone(),
                day: run.day,
                agents,
                agents_all,
            },
        );
        run.why = state.why;
        run.room = state.room;
        if state.mode != run.mode {
            let from = run.mode;
            run.mode = state.mode;
            if !run.policy.force(state.mode)
                && let Ok(policy) = policy_of(&run.spec, state.mode)
            {
                run.policy = policy;
                run.settled = None;
            }
            self.push(Command::ModeForced {
                campaign: id,
                from,
                to: state.mode,
                why: state.why.unwrap_or("abandonment_back_under_cap"),
            });
        }
        self.tell_account(now, id);
        Some(state.shrink)
    }

    pub(super) fn launch(&mut self, now: UtcMs) {
        let shares = self.shares();
        let turns = self.turns(&shares);
        let all: f64 = shares.values().sum();
        for turn in &turns {
            let Some(shrink) = self.guarded(now, turn.id, turn.share, all) else {
                continue;
            };
            if self.gates.is_empty() && !turn.waits && self.short_calls_stop(turn.id).is_none() {
                let mode = self.campaigns.get(&turn.id).map(|r| r.mode);
                if mode == Some(DialMode::Preview) {
                    self.offer_previews(now, turn.id);
                } else {
                    self.launch_campaign(now, turn, &shares, shrink, turn.most);
                }
            }
            self.refill(now, turn.id, turn.share);
        }
        // What the others of its rank leave, nobody waits for.
        for turn in turns.iter().filter(|t| t.may_take_rest && !t.waits) {
            let stopped = self.short_calls_stop(turn.id).is_some();
            if self.gates.is_empty() && !stopped && self.reserves(turn.id) {
                self.launch_campaign(now, turn, &shares, 1.0, None);
            }
        }
    }

    fn launch_campaign(
        &mut self,
        now: UtcMs,
        turn: &Turn,
        shares: &BTreeMap<CampaignId, f64>,
        shrink: f64,
        most: Option<u32>,
    ) {
        let id = turn.id;
        let mut view = self.view(id, turn.share, shrink);
        // A forecast weighs what the others have in flight; who reserves first is held to his share.
        if let Some(most) = most.filter(|_| self.reserves(id)) {
            view.ready = view.ready.min(most);
        }
        self.glance(now, id);
        let (waiting, pool) = self.tell_rivals(now, id, shares);
        view.waiting += waiting;
        view.pool = turn.share + pool;
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        let (count, chosen) = run.ask_clipped(now, &view, turn.share);
        let before = if chosen.is_empty() {
            Vec::new()
        } else {
            run.front()
        };
        let mut gone = Vec::new();
        for n in 0..count {
            if self.short_calls_stop(id).is_some() {
                break;
            }
            let wanted = usize::try_from(n).ok().and_then(|n| chosen.get(n)).copied();
            let Some(person) = self.launch_one(now, id, wanted) else {
                break;
            };
            gone.push(person);
        }
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.pass_over(now, &gone, &before);
        }
    }

    /// Shows a forecasting policy the agents of its campaign.
    fn glance(&mut self, now: UtcMs, id: CampaignId) {
        let lent = self.lent();
        let unanswered = self.calls.values().filter(|c| c.unanswered());
        let rings: BTreeSet<AttemptId> = unanswered.map(|c| c.attempt).collect();
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        if !run.policy.wants_agents() {
            return;
        }
        let agents: Vec<AgentGlance> = self
            .agents
            .iter()
            .filter(|(_, s)| s.serves(&run.spec) && s.state() != AgentState::Offline)
            .map(|(id, s)| {
                let lent = lent.contains_key(id);
                AgentGlance {
                    id: *id,
                    state: if lent { AgentState::Ready } else { s.state() },
                    takes_calls: lent || s.takes_calls(),
                    kept: s.call.is_some_and(|c| rings.contains(&c)),
                    leaves: s.machine.queued.is_some(),
                }
            })
            .collect();
        run.policy.observe_agents(now, &agents);
    }

    /// The wanted item, or else the first one that can go out now, with its agent where one must be
    /// reserved first.
    fn take_item(
        &mut self,
        id: CampaignId,
        wanted: Option<PersonId>,
    ) -> Option<(Item, Option<AgentId>)> {
        let run = self.campaigns.get(&id)?;
        let first = run.policy.reserves_first();
        let mut found = None;
        let wanted = wanted
            .filter(|_| !first)
            .and_then(|person| run.hopper.iter().position(|i| i.person == person));
        let order = wanted.into_iter().chain(0..run.hopper.len());
        let over_dials = matches!(run.mode, DialMode::Power | DialMode::Predictive);
        let may_have = run.spec.card_first && over_dials;
        for at in order {
            let item = &run.hopper[at];
            let needs = first || item.agent_only || item.own_only;
            let agent = if needs || may_have {
                router::choose(&self.agents, Some(&run.spec), item)
            } else {
                None
            };
            if !needs || agent.is_some() {
                found = Some((at, agent));
                break;
            }
            // Nobody is free for this one; for another's own somebody may be.
            if first && !item.own_only {
                return None;
            }
        }
        let (at, agent) = found?;
        let item = self.campaigns.get_mut(&id)?.hopper.remove(at)?;
        Some((item, agent))
    }

    /// Launches one call; whom it goes to, if one could go out.
    fn launch_one(
        &mut self,
        now: UtcMs,
        id: CampaignId,
        wanted: Option<PersonId>,
    ) -> Option<PersonId> {
        let run = self.campaigns.get(&id)?;
        let (trunks, mode, rules) = (run.spec.trunks.clone(), run.mode, run.spec.rules);
        let trunk = self.lines.pick(&trunks, now)?;
        let (item, agent) = self.take_item(id, wanted)?;
        let other = item
            .avoid
            .filter(|failed| *failed == trunk)
            .and_then(|failed| self.lines.pick_other(&trunks, failed, now));
        let trunk = other.unwrap_or(trunk);
        let person = item.person;
        // Whoever is to talk with an agent hears no message.
        let talks = mode == DialMode::Agentless && agent.is_some();
        let mode = if talks { DialMode::Progressive } else { mode };
        let attempt = AttemptId(self.ids.next(now));
        if let Some(run) = self.campaigns.get_mut(&id)
            && run.spec.cps_max.is_some()
        {
            run.starts.start(now);
        }
        self.order(now, attempt, item, trunk, agent, mode, rules);
        Some(person)
    }

    /// Places a call: takes the line, reserves the agent, orders the dial.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one dial, each from another place"
    )]
    pub(super) fn order(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        item: Item,
        trunk: TrunkId,
        agent: Option<AgentId>,
        mode: DialMode,
        rules: CallRules,
    ) {
        let rules = CallRules {
            ring_timeout_ms: rules.ring_timeout_ms.max(item.ring_min_ms),
            agent_within_ms: rules.agent_within_ms.min(item.agent_within_ms),
            ..rules
        };
        self.started += 1;
        self.lines.take(trunk, now);
        self.persons.insert(item.person, attempt);
        if let Some(id) = agent
            && let Some(session) = self.agents.get_mut(&id)
        {
            session.call = Some(attempt);
            session.rules = rules;
            session.disposed = false;
            session.joining_since = None;
            // The router chose a ready agent and a preview was just left: the move is in the table.
            let moved = session.machine.go(now, AgentState::Reserved, None);
            debug_assert!(moved.is_ok(), "{moved:?}");
            self.touch(id);
        }
        let (campaign, answer) = (item.campaign, item.answer);
        self.push(Command::Dial(Box::new(DialTask {
            attempt,
            item: item.clone(),
            trunk,
            agent,
            mode,
            rules,
        })));
        self.calls.insert(
            attempt,
            Call {
                agent,
                ..Call::ordered(now, attempt, item, trunk, mode, rules)
            },
        );
        self.arm(attempt);
        if let Some(run) = self.campaigns.get_mut(&campaign) {
            run.policy.expects(attempt, answer);
        }
        self.observe_call(now, campaign, attempt, Observation::Launched);
        let kept = |c: &Call| c.agent.is_some() && !c.lends_its_agent();
        if self.calls.get(&attempt).is_some_and(kept) {
            self.observe_call(now, campaign, attempt, Observation::Kept);
        }
    }

    fn refill(&mut self, now: UtcMs, id: CampaignId, agents: f64) {
        let someone = self.campaigns.get(&id).is_some_and(|run| {
            self.agents
                .values()
                .any(|a| a.works() && a.serves(&run.spec))
        });
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        // A message is told without agents.
        let alone = run.mode == DialMode::Agentless;
        let someone = someone || alone;
        if !run.on || run.filling || now < run.fill_after || !someone || !self.gates.is_empty() {
            return;
        }
        let agents = if alone {
            f64::from(run.spec.lines_max.unwrap_or(AGENTLESS_LINES))
        } else {
            agents
        };
        let auto = run.spec.hopper_factor.max(1.0) * run.spec.lines_per_agent.max(1.0) * agents;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1e6"
        )]
        let auto = (auto * HOPPER_AHEAD).clamp(0.0, 1e6) as u32;
        let goal = auto
            .max(run.spec.hopper_min.unwrap_or(HOPPER_LEAST))
            .min(HOPPER_MOST);
        let (have, agreed_max) = run.stock(agents);
        let full = run.hopper.len() >= HOPPER_MOST as usize;
        if have.saturating_mul(2) < goal && !full {
            run.filling = true;
            self.push(Command::Refill {
                campaign: id,
                want: (goal - have, agreed_max),
            });
        }
    }

    /// When agents are gone, calls that ring for nobody are withdrawn at once, newest first. One pass over the
    /// calls, however many agents and campaigns there are.
    pub(super) fn trim(&mut self, now: UtcMs) {
        let shares = self.shares();
        let mut held: BTreeMap<CampaignId, (u32, Vec<(UtcMs, AttemptId)>)> = BTreeMap::new();
        // What is withdrawn already is nobody's surplus.
        for call in self.calls.values().filter(|c| c.phase != Phase::Ending) {
            let (lines, ringing) = held.entry(call.item.campaign).or_default();
            *lines += 1;
            if call.unanswered() && call.agent.is_none() {
                ringing.push((call.ordered_at, call.attempt));
            }
        }
        for (id, (mut lines, mut ringing)) in held {
            let Some(run) = self.campaigns.get(&id) else {
                continue;
            };
            if run.mode == DialMode::Agentless {
                continue;
            }
            let share = shares.get(&id).copied().unwrap_or(0.0);
            let allowed = run.policy.lines_of(&self.heads(run, share));
            ringing.sort_unstable();
            while f64::from(lines) > allowed + 0.5 {
                let Some((_, attempt)) = ringing.pop() else {
                    break;
                };
                self.cancel(now, attempt);
                lines -= 1;
            }
        }
    }

    pub(super) fn observe(&mut self, now: UtcMs, id: CampaignId, what: Observation) {
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.policy.observe(now, what);
        }
    }

    /// Tells a campaign's policy of one call.
    pub(super) fn observe_call(
        &mut self,
        now: UtcMs,
        id: CampaignId,
        attempt: AttemptId,
        what: Observation,
    ) {
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.policy.observe(now, what);
            run.policy.observe_call(now, attempt, what);
        }
    }
}
