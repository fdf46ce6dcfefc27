//! Callers whose agents sit on another node: they are offered a call of one of them, in the place that they have here.

use crate::engine::Engine;
use crate::inbound::{Desk, Elsewhere};
use crate::live::{CallCtx, Stocked};
use crate::shared::persist;
use dialer::{CallRules, Input, Item, KeptPlace, Session};
use domain::entity::{DialMode, InboundOutcome};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, PersonId};
use domain::ports::store::{PLACES_READ_MAX, PlaceKept};
use domain::rules::agent_state::AgentState;
use domain::time::{SECOND_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longest wait of who is only offered a call, ms: time to hear of it more than once.
const AWAY_WAIT_MS: i64 = 90 * SECOND_MS;

impl Engine {
    /// How many agents at work here take calls of a campaign.
    pub(super) fn served_by(&self, campaign: CampaignId) -> usize {
        self.agents_of(campaign, Session::works)
    }

    /// Whether somebody who takes calls of a campaign is signed in here, be it on a break: who calls may wait for him.
    pub(super) fn staffed(&self, campaign: CampaignId) -> bool {
        let signed_in = |s: &Session| s.state() != AgentState::Offline;
        self.agents_of(campaign, signed_in) > 0
    }

    fn agents_of(&self, campaign: CampaignId, fits: impl Fn(&Session) -> bool) -> usize {
        let Some(entry) = self.campaigns.get(&campaign) else {
            return 0;
        };
        let skills = &entry.setting.campaign.params.skills;
        let serves = |spec: &dialer::AgentSpec| {
            (spec.campaigns.is_empty() || spec.campaigns.contains(&campaign))
                && skills.iter().all(|s| spec.skills.contains(s))
        };
        let here = self.brain.agents();
        here.filter(|(_, s)| fits(s) && serves(&s.spec)).count()
    }

    /// How many nodes there are, the agents at work here by campaign, of those that have callers, and all who are
    /// signed in.
    pub(crate) fn desks_here(&self) -> (u32, BTreeMap<CampaignId, u32>, BTreeSet<AgentId>) {
        let running = self.running();
        let calls = running.iter().filter(|setting| {
            let params = &setting.campaign.params;
            params.inbound.blended || params.mode == DialMode::Agentless
        });
        let count = |id| u32::try_from(self.served_by(id)).unwrap_or(u32::MAX);
        let agents = calls.map(|setting| (setting.id(), count(setting.id())));
        let agents = agents.filter(|(_, n)| *n > 0).collect();
        (self.place.1, agents, self.here().into_keys().collect())
    }

    /// Where else agents are at work.
    pub(crate) fn desks_elsewhere(&mut self, heard: Elsewhere) {
        self.callers.elsewhere = heard;
    }

    /// Agents who are signed in on other nodes, as these told of late.
    pub(crate) fn there(&self) -> BTreeSet<AgentId> {
        self.callers.elsewhere.signed_in.clone()
    }

    /// The node whose agents take a campaign's calls, where none of this one may.
    pub(super) fn elsewhere(&self, campaign: CampaignId) -> Option<&Desk> {
        let here = self.served_by(campaign) > 0;
        let desks = &self.callers.elsewhere.desks;
        desks.get(&campaign).filter(|_| !here)
    }

    /// The node whose agents call him back, where none of this one may take him and he may be called.
    pub(super) fn away(
        &self,
        now: UtcMs,
        stocked: &Stocked,
        on: Option<&CallCtx>,
    ) -> Option<&Desk> {
        let desk = self.elsewhere(stocked.setting.id())?;
        self.offers(now, stocked, on).then_some(desk)
    }

    /// The place a caller would have, and how long he waits for an agent at most, ms; or why he cannot wait. `on` is
    /// the call of ours that he is in.
    pub(crate) fn room_for(
        &self,
        now: UtcMs,
        stocked: &Stocked,
        on: Option<&CallCtx>,
    ) -> Result<(i32, i64), InboundOutcome> {
        let params = &stocked.setting.campaign.params.inbound;
        let wait_ms = params.wait_max_s * SECOND_MS;
        match self.queue_room(stocked.setting.id(), params.queue_max) {
            Err(InboundOutcome::NoAgents) if self.away(now, stocked, on).is_some() => {
                let waiting = self.waiting_of(stocked.setting.id()).len();
                let place = i32::try_from(waiting).unwrap_or(i32::MAX);
                Ok((place.saturating_add(1), wait_ms.min(AWAY_WAIT_MS)))
            }
            room => room.map(|place| (place, wait_ms)),
        }
    }

    /// Whether a place is kept here already, or was until a moment ago.
    pub(crate) fn keeps_place(&self, place: &PlaceKept) -> bool {
        let mut known = self.callers.kept.values().chain(&self.callers.given_up);
        known.any(|p| p == place)
    }

    /// The places that the store has for this node. One that was there and is not any more is another node's now, or
    /// nobody's: he asked again elsewhere, or talked with somebody.
    pub(crate) fn places_stand(&mut self, now: UtcMs, stored: &[PlaceKept]) {
        if stored.len() >= PLACES_READ_MAX {
            return;
        }
        let mut gone = Vec::new();
        for (attempt, place) in &self.callers.kept {
            if stored.contains(place) {
                self.callers.written.insert(*attempt);
            } else if self.callers.written.contains(attempt) {
                gone.push(*attempt);
            }
        }
        for attempt in gone {
            self.take(now, Input::DropPlace(attempt));
        }
        let kept = &self.callers.kept;
        self.callers.written.retain(|id| kept.contains_key(id));
    }

    /// He talks with the client: places of his on other nodes are kept no more. Those of this one the brain knows.
    pub(in crate::engine) fn places_end(&self, (person, client): (PersonId, ClientId)) {
        if self.place.1 <= 1 {
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let store = &shared.out.store;
            if let Err(error) = persist!(shared, store.end_places(person, client)) {
                shared.fault("places of who talked were not given up", &error);
            }
        });
    }

    /// Takes the place of another node's caller: he is called from here when its turn comes.
    pub(crate) fn take_place(
        &mut self,
        now: UtcMs,
        kept: PlaceKept,
        item: Item,
        rules: CallRules,
        stocked: Stocked,
    ) {
        if self.keeps_place(&kept) || !self.is_dialing(kept.campaign) {
            return;
        }
        let attempt = AttemptId(self.shared.id());
        let place = KeptPlace {
            attempt,
            item,
            rules,
            since: kept.since,
            until: kept.until,
        };
        self.by_hand.insert(attempt, stocked);
        self.callers.kept.insert(attempt, kept);
        if let Err(refused) = self.ask(now, Input::TakePlace(Box::new(place))) {
            tracing::warn!(reason = %refused, "a caller's place is not taken");
            self.callers.kept.remove(&attempt);
            self.by_hand.remove(&attempt);
        }
        self.board.touch();
    }
}
