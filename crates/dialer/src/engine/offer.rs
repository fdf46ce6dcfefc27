//! The front of a hopper as the policy is shown it, and who was passed over for another.

use super::{Running, share};
use crate::predictive::{Launches, Queue};
use crate::spec::Item;
use domain::entity::DialMode;
use domain::ids::PersonId;
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Items shown at once.
const OFFER_MAX: usize = 64;
/// Times an item is passed over before it is due.
const PASS_MAX: u32 = 500;
/// Agreed call-backs that wait in a hopper for each agent.
const AGREED_EACH: u32 = 2;
/// Time after its first pass at which an item is due, ms.
const PASS_MS: i64 = 600 * SECOND_MS;

/// Who was passed over is due so long before his lease ends, ms: given back he would begin to wait anew.
const LEASE_LEFT_MS: i64 = 5 * MINUTE_MS;

/// How often and since when those in a hopper were passed over.
#[derive(Debug, Default)]
pub(crate) struct Passed(BTreeMap<PersonId, (u32, UtcMs)>);

impl Passed {
    fn is_due(&self, person: PersonId, lease_until: UtcMs, now: UtcMs) -> bool {
        self.0.get(&person).is_some_and(|(times, first)| {
            *times >= PASS_MAX
                || now.since_ms(*first) >= PASS_MS
                || lease_until.since_ms(now) <= LEASE_LEFT_MS
        })
    }

    fn note(&mut self, person: PersonId, now: UtcMs) {
        self.0.entry(person).or_insert((0, now)).0 += 1;
    }

    /// Forgets who is not there any more.
    fn keep(&mut self, there: impl Fn(PersonId) -> bool) {
        self.0.retain(|person, _| there(*person));
    }
}

impl Running {
    /// Whether an item waits for an agent though the mode dials ahead of them: an agreed call-back, or what the law
    /// lets out with an agent alone.
    pub(super) fn waits_for_agent(&self, item: &Item) -> bool {
        item.own_only || (self.dials_ahead() && item.agent_only)
    }

    const fn dials_ahead(&self) -> bool {
        use DialMode::{Agentless, Power, Predictive};
        matches!(self.mode, Power | Predictive | Agentless)
    }

    /// What a hopper holds for so many agents, and how many agreed call-backs more it may take. Those who wait for an
    /// agent are stock for the agents there are and no more: a pile of them keeps nobody else from being dialed.
    pub(super) fn stock(&self, agents: f64) -> (u32, Option<u32>) {
        let waiting = self.hopper.iter().filter(|i| self.waits_for_agent(i));
        let waiting = u32::try_from(waiting.count()).unwrap_or(u32::MAX);
        let all = u32::try_from(self.hopper.len()).unwrap_or(u32::MAX);
        let served = match self.mode {
            // Who waits for an agent keeps no message from the others.
            DialMode::Agentless => 0,
            _ => share::whole(agents),
        };
        let have = all - waiting + waiting.min(served);
        let room = share::whole(agents).max(1).saturating_mul(AGREED_EACH);
        (
            have,
            self.dials_ahead().then(|| room.saturating_sub(waiting)),
        )
    }

    /// Asks the policy, shown the next items; who goes, in the order of their going. Agreed calls and
    /// those passed over long enough are due: they go first.
    pub(super) fn ask(
        &mut self,
        now: UtcMs,
        view: &crate::pacing::PacingView,
    ) -> (u32, Vec<PersonId>) {
        let goes = match self.mode {
            DialMode::Predictive => self.hold_back(view.ready),
            _ => self.hopper.len(),
        };
        let many = goes.min(OFFER_MAX);
        let known = self.hopper.iter().take(many).any(|i| i.answer.is_some());
        if !known {
            let all = self.policy.choose(now, view, &Queue::default());
            return (all.count, Vec::new());
        }
        let passed = &self.passed;
        let due = |i: &Item| i.priority > 0 || passed.is_due(i.person, i.lease_until, now);
        let mut front: Vec<Item> = self.hopper.drain(..many).collect();
        front.sort_by_key(|i| !due(i));
        let ahead = front.iter().filter(|i| due(i)).count();
        let next: Vec<Option<f64>> = front.iter().map(|i| i.answer).collect();
        for item in front.into_iter().rev() {
            self.hopper.push_front(item);
        }
        let said = self.policy.choose(
            now,
            view,
            &Queue {
                next: &next,
                due: ahead,
                choose: true,
            },
        );
        let order = self.order_of(&said, ahead);
        (said.count, order)
    }

    /// Puts those who wait for an agent behind whoever may go without one, but for as many as agents are free now: the
    /// policy weighs what it is shown as if it left, and their chances of an answer are not the others'. How many are
    /// before those.
    fn hold_back(&mut self, free: u32) -> usize {
        if !self.hopper.iter().any(|i| self.waits_for_agent(i)) {
            return self.hopper.len();
        }
        let mut all: Vec<Item> = std::mem::take(&mut self.hopper).into();
        all.sort_by_key(|i| Reverse(i.priority));
        let (mut back, mut free) = (Vec::new(), free);
        for item in all {
            if !self.waits_for_agent(&item) {
                self.hopper.push_back(item);
            } else if free > 0 {
                free -= 1;
                self.hopper.push_back(item);
            } else {
                back.push(item);
            }
        }
        let goes = self.hopper.len();
        self.hopper.extend(back);
        goes
    }

    fn order_of(&self, said: &Launches, due: usize) -> Vec<PersonId> {
        let count = usize::try_from(said.count).unwrap_or(usize::MAX);
        let picks = said.picks.iter().copied().filter(|at| *at >= due);
        let mut places: Vec<usize> = Vec::new();
        for at in (0..due).chain(picks).chain(0..self.hopper.len()) {
            if places.len() >= count {
                break;
            }
            if at < self.hopper.len() && !places.contains(&at) {
                places.push(at);
            }
        }
        places.iter().map(|at| self.hopper[*at].person).collect()
    }

    /// Counts those who stood before the last of the chosen and stayed.
    pub(super) fn pass_over(&mut self, now: UtcMs, chosen: &[PersonId], before: &[PersonId]) {
        let Some(last) = before.iter().rposition(|p| chosen.contains(p)) else {
            return;
        };
        for person in before[..last].iter().filter(|p| !chosen.contains(p)) {
            self.passed.note(*person, now);
        }
        let hopper = &self.hopper;
        self.passed
            .keep(|person| hopper.iter().any(|i| i.person == person));
    }

    /// People at the front of the hopper, next first.
    pub(super) fn front(&self) -> Vec<PersonId> {
        self.hopper
            .iter()
            .take(OFFER_MAX)
            .map(|i| i.person)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_by_times_or_by_time_and_forgotten_when_gone() {
        let person = |n: u128| PersonId(uuid::Uuid::from_u128(n));
        let mut passed = Passed::default();
        let start = UtcMs(0);
        passed.note(person(1), start);
        let (late, soon) = (
            start.plus_ms(10 * PASS_MS),
            start.plus_ms(2 * LEASE_LEFT_MS),
        );
        assert!(!passed.is_due(person(1), late, start.plus_ms(PASS_MS - 1)));
        assert!(passed.is_due(person(1), late, start.plus_ms(PASS_MS)));
        assert!(passed.is_due(person(1), soon, start.plus_ms(LEASE_LEFT_MS)));
        assert!(!passed.is_due(person(1), soon, start.plus_ms(LEASE_LEFT_MS - 1)));
        for _ in 0..PASS_MAX {
            passed.note(person(2), start);
        }
        assert!(passed.is_due(person(2), late, start) && !passed.is_due(person(3), late, start));
        passed.keep(|p| p == person(1));
        assert!(!passed.is_due(person(2), late, start));
    }
}
