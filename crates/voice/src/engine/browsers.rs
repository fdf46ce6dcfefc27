//! Agents' legs by browser: answered in one step, replaced when the browser comes again.

use super::core::Engine;
use super::legs::{AgentLeg, LegRow, OurEnd, Owner};
use super::refers::Refers;
use crate::config::Codec;
use crate::plane::LegId;
use crate::webrtc::Peer;
use domain::ids::AgentId;
use domain::ports::{TrunkError, TrunkReport};

/// What a call that ended well answers.
pub(super) const OK: u16 = 200;

impl Engine {
    /// The agent's browser has a connection: a leg of its own, or the next one of a leg that is up,
    /// so that a call it is on goes on.
    pub(super) fn open_browser(
        &mut self,
        agent: AgentId,
        peer: Box<Peer>,
    ) -> Result<(), TrunkError> {
        if self.farewell.is_some() {
            return Err(TrunkError::TrunkDown);
        }
        if let Some(leg) = self.agents.get(&agent).copied()
            && let Some(row) = self.live(leg)
        {
            if row.key.is_none() {
                self.plane.browser_again(leg, peer);
                return Ok(());
            }
            let at = self.stamp();
            let reason = "the browser takes its place".to_owned();
            self.outbox
                .tell(TrunkReport::AgentLegDown { agent, at, reason });
            self.agents.remove(&agent);
            self.end_leg(
                leg,
                OurEnd {
                    q850: 16,
                    why: "the browser takes its place",
                },
            );
            self.settle();
        }
        let Some(leg) = self.plane.add_browser(peer) else {
            return Err(TrunkError::Limit("legs"));
        };
        self.begun.leg = Some(leg);
        let owner = Owner::Agent(AgentLeg {
            agent,
            user: String::new(),
            answered: Some(self.now),
            proved: false,
            refers: Refers::default(),
            follows: None,
        });
        self.agents.insert(agent, leg);
        // The session is the browser connection's own; this one is never offered to anybody.
        let media = self.media(0, &[Codec::Pcma, Codec::Pcmu]);
        self.adopt(
            leg,
            LegRow {
                owner,
                key: None,
                media,
                end: None,
                our_end: None,
            },
        );
        Ok(())
    }

    /// We end a browser's leg: it is over at once.
    pub(super) fn browser_ended(&mut self, leg: LegId, why: OurEnd) {
        self.agent_down(leg, why.why.to_owned(), OK, true);
    }

    /// A browser's connection came up or went down. The leg stays: the browser may come again until
    /// the limit of silence.
    pub(super) fn browser_news(&mut self, leg: LegId, up: bool) {
        tracing::debug!(leg = leg.0, up, "a browser's connection");
    }
}
