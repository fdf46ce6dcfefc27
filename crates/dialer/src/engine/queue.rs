//! Callers who wait for an agent: who called us, who asked for one from an agentless message, and places
//! that are kept for a call-back.

use super::{Dialer, Refusal};
use crate::call::{Call, Phase};
use crate::router;
use crate::spec::{Incoming, Item, KeptPlace};
use crate::talk::{Command, ReleaseWhy};
use domain::entity::DialMode;
use domain::ids::AttemptId;
use domain::time::UtcMs;

/// Most places that are kept at once.
const PLACES_MAX: usize = 1_000;

impl Dialer {
    /// A debtor who called us waits in his campaign's queue, behind who came before him.
    pub(super) fn incoming(&mut self, now: UtcMs, came: Incoming) -> Result<(), Refusal> {
        let Incoming {
            attempt,
            item,
            trunk,
            mut rules,
            at,
            wait_ms,
            notice,
        } = came;
        if self.persons.contains_key(&item.person) {
            return Err(Refusal::new(
                "debtor_in_call",
                "this person has a live call already",
            ));
        }
        self.release_queued(&item);
        rules.agent_within_ms = wait_ms;
        self.persons.insert(item.person, attempt);
        self.calls.insert(
            attempt,
            Call {
                phase: Phase::Waiting,
                answered_at: Some(at),
                queued: Some(at),
                inbound: true,
                notice,
                ..Call::ordered(now, attempt, item, trunk, DialMode::Manual, rules)
            },
        );
        self.arm(attempt);
        if !notice {
            self.wait_in_queue(now, attempt);
        }
        Ok(())
    }

    /// He has heard what he had to know: from now on an agent may get him.
    pub(super) fn noticed(&mut self, now: UtcMs, attempt: AttemptId) {
        let call = self.calls.get_mut(&attempt);
        if let Some(call) = call.filter(|c| c.notice) {
            call.notice = false;
            self.wait_in_queue(now, attempt);
        }
    }

    /// A caller whom nobody knew is somebody: his call is that debtor's from now on.
    pub(super) fn found(&mut self, attempt: AttemptId, item: Item) -> Result<(), Refusal> {
        if self
            .persons
            .get(&item.person)
            .is_some_and(|a| *a != attempt)
        {
            return Err(Refusal::new(
                "debtor_in_call",
                "this person has a live call already",
            ));
        }
        let call = self.calls.get_mut(&attempt).filter(|c| c.inbound);
        let call = call.ok_or_else(|| Refusal::new("no_caller", "the call did not come in"))?;
        let before = std::mem::replace(&mut call.item, item.clone());
        let joined = call.bridged_at.is_some();
        if self.persons.get(&before.person) == Some(&attempt) {
            self.persons.remove(&before.person);
            self.persons.insert(item.person, attempt);
        }
        self.release_queued(&item);
        if joined {
            self.talks(&item);
        }
        Ok(())
    }

    /// Who hears an agentless message wants an agent: he waits like one who called us.
    pub(super) fn wants_agent(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        wait_ms: i64,
    ) -> Result<(), Refusal> {
        let call = self
            .calls
            .get_mut(&attempt)
            .filter(|c| c.hears_message())
            .ok_or_else(|| Refusal::new("no_message", "the call does not hear a message"))?;
        call.queued = Some(now);
        let told = call.answered_at.map_or(0, |at| now.since_ms(at));
        call.rules.agent_within_ms = told + wait_ms;
        call.enter(now, Phase::Waiting);
        self.arm(attempt);
        self.wait_in_queue(now, attempt);
        Ok(())
    }

    fn wait_in_queue(&mut self, now: UtcMs, attempt: AttemptId) {
        // Whoever waits longer goes first, also where only a skill kept an agent from him.
        self.serve_waiting(now);
        if let Some(call) = self.calls.get_mut(&attempt)
            && call.phase == Phase::Waiting
        {
            call.waited = true;
        }
    }

    /// Who waits leaves: he hears that his place is kept, and is called when its turn comes.
    pub(super) fn keep_place(
        &mut self,
        now: UtcMs,
        from: AttemptId,
        place: KeptPlace,
    ) -> Result<(), Refusal> {
        self.place_room(&place)?;
        self.leave_queue(now, from)?;
        self.put_place(place);
        Ok(())
    }

    /// The place that its person has in the same queue already.
    #[must_use]
    pub fn place_of(&self, item: &Item) -> Option<&KeptPlace> {
        let same =
            |p: &&KeptPlace| p.item.person == item.person && p.item.campaign == item.campaign;
        self.places.iter().find(same)
    }

    /// One person has one place in a queue: the better of two, for as long as the later is kept.
    fn put_place(&mut self, mut place: KeptPlace) {
        if let Some(before) = self.place_of(&place.item) {
            let attempt = before.attempt;
            place.since = place.since.min(before.since);
            self.drop_places(|p| p.attempt == attempt);
        }
        self.places.push(place);
    }

    /// Who talks with us needs no call of that client any more.
    pub(super) fn talks(&mut self, item: &Item) {
        self.drop_places(|p| p.item.person == item.person && p.item.client == item.client);
    }

    fn place_room(&self, place: &KeptPlace) -> Result<(), Refusal> {
        if self.places.len() < PLACES_MAX || self.place_of(&place.item).is_some() {
            return Ok(());
        }
        Err(Refusal::new(
            "places_full",
            format!("{PLACES_MAX} places are kept already"),
        ))
    }

    /// Who left the queue of another node is called back from here, in his place among those who wait here.
    pub(super) fn take_place(&mut self, now: UtcMs, place: KeptPlace) -> Result<(), Refusal> {
        self.place_room(&place)?;
        self.put_place(place);
        self.serve_queue(now);
        Ok(())
    }

    /// Who waits leaves the queue and hears one thing more.
    pub(super) fn leave_queue(&mut self, now: UtcMs, from: AttemptId) -> Result<(), Refusal> {
        let waits = |c: &&mut Call| c.phase == Phase::Waiting && c.queued.is_some();
        let call = self
            .calls
            .get_mut(&from)
            .filter(waits)
            .ok_or_else(|| Refusal::new("not_waiting", "the call does not wait in a queue"))?;
        call.enter(now, Phase::Message);
        self.arm(from);
        Ok(())
    }

    /// Callers in the order in which they came, kept places among them. A live answer of ours went before
    /// them: the law gives it seconds.
    pub(super) fn serve_queue(&mut self, now: UtcMs) {
        let waits = |c: &&Call| c.phase == Phase::Waiting;
        let calls = self.calls.values().filter(waits);
        let mut turns: Vec<(UtcMs, AttemptId, bool)> = calls
            .filter_map(|c| Some((c.queued?, c.attempt, false)))
            .chain(self.places.iter().map(|p| (p.since, p.attempt, true)))
            .collect();
        turns.sort_unstable();
        for (_, attempt, kept) in turns {
            if kept {
                self.serve_place(now, attempt);
            } else {
                self.seek_agent(now, attempt);
            }
        }
    }

    /// Calls whoever kept his place, with an agent reserved first.
    fn serve_place(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(at) = self.places.iter().position(|p| p.attempt == attempt) else {
            return;
        };
        let place = &self.places[at];
        if self.persons.contains_key(&place.item.person) {
            return;
        }
        let campaign = place.item.campaign;
        // Of a campaign that was stopped nobody is dialed.
        let Some(run) = self.campaigns.get(&campaign).filter(|r| r.on) else {
            return;
        };
        let agent = router::choose(&self.agents, Some(&run.spec), &place.item);
        let Some(agent) = agent else { return };
        let item = place.item.clone();
        let Ok(trunk) = self.hand_trunk(now, &item) else {
            return;
        };
        let KeptPlace { item, rules, .. } = self.places.remove(at);
        self.release_queued(&item);
        let mode = DialMode::Progressive;
        self.order(now, attempt, item, trunk, Some(agent), mode, rules);
    }

    /// Places whose time is up are given up; the others are served where an agent is free.
    pub(super) fn look_after_places(&mut self, now: UtcMs) {
        if self.places.is_empty() {
            return;
        }
        self.drop_places(|p| now >= p.until);
        self.serve_queue(now);
    }

    pub(super) fn drop_places(&mut self, gone: impl Fn(&KeptPlace) -> bool) {
        let dropped: Vec<AttemptId> = self
            .places
            .iter()
            .filter(|p| gone(p))
            .map(|p| p.attempt)
            .collect();
        self.places.retain(|p| !gone(p));
        for attempt in dropped {
            self.push(Command::PlaceGone(attempt));
        }
    }

    /// Whoever is on the line is dialed by no hopper.
    fn release_queued(&mut self, item: &Item) {
        let mut queued = Vec::new();
        for run in self.campaigns.values_mut() {
            while let Some(at) = run.hopper.iter().position(|i| i.person == item.person) {
                queued.extend(run.hopper.remove(at));
            }
        }
        for other in queued {
            self.release(other, ReleaseWhy::Double);
        }
    }

    /// Callers who wait now: when each came.
    pub fn queue(&self) -> impl Iterator<Item = (AttemptId, UtcMs)> {
        self.calls
            .values()
            .filter(|c| c.phase == Phase::Waiting)
            .filter_map(|c| Some((c.attempt, c.queued?)))
    }

    /// Places kept for call-backs now.
    #[must_use]
    pub fn places(&self) -> &[KeptPlace] {
        &self.places
    }
}
