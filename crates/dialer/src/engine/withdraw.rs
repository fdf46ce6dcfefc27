//! Money, holds and listings: whoever they name is called no more.

use super::Dialer;
use crate::call::Phase;
use crate::spec::Item;
use crate::talk::ReleaseWhy;
use domain::ids::{AgentId, AttemptId};
use domain::ports::HangUpCause;
use domain::time::UtcMs;

impl Dialer {
    /// Money, hold or listing: hopper items, previews and unanswered calls of whom it names end at once, and
    /// calls that wait for a machine's beep. Who answered himself goes on.
    pub(super) fn withdraw(&mut self, now: UtcMs, named: impl Fn(&Item) -> bool) {
        let mut gone = Vec::new();
        for run in self.campaigns.values_mut() {
            while let Some(at) = run.hopper.iter().position(&named) {
                gone.extend(run.hopper.remove(at));
            }
        }
        for item in gone {
            self.release(item, ReleaseWhy::Withdrawn);
        }
        self.drop_places(|p| named(&p.item));
        let previews: Vec<AgentId> = self
            .agents
            .iter()
            .filter(|(_, s)| s.preview.as_ref().is_some_and(|(_, i)| named(i)))
            .map(|(id, _)| *id)
            .collect();
        for agent in previews {
            self.end_preview(now, agent, ReleaseWhy::Withdrawn);
        }
        let ringing: Vec<AttemptId> = self
            .calls
            .values()
            .filter(|c| named(&c.item) && c.unanswered())
            .map(|c| c.attempt)
            .collect();
        for attempt in ringing {
            self.cancel(now, attempt);
        }
        let machines: Vec<AttemptId> = self
            .calls
            .values()
            .filter(|c| named(&c.item) && c.phase == Phase::Beep)
            .map(|c| c.attempt)
            .collect();
        for attempt in machines {
            self.end_call(now, attempt, HangUpCause::Normal);
        }
    }
}
