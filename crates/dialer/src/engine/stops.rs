//! What lets no new call leave: gates, lines, the rule on short calls.

use super::{Dialer, Refusal};
use domain::ids::{CampaignId, TrunkId};
use domain::time::UtcMs;

impl Dialer {
    /// Why the rule on short calls lets no call of a campaign leave now.
    pub(super) fn short_calls_stop(&self, id: CampaignId) -> Option<&'static str> {
        let day = self.campaigns.get(&id)?.short_calls?;
        day.stops(self.started)
    }

    /// A trunk for a call that a person asked for.
    pub(super) fn hand_trunk(&mut self, now: UtcMs, id: CampaignId) -> Result<TrunkId, Refusal> {
        if let Some(gate) = self.gates.first() {
            return Err(Refusal::new(
                "dialing_stopped",
                format!("no new calls now: {}", gate.as_str()),
            ));
        }
        if let Some(why) = self.short_calls_stop(id) {
            return Err(Refusal::new(
                why,
                "too many of the company's calls today are short: the next would have it blocked",
            ));
        }
        let wanted = self
            .campaigns
            .get(&id)
            .map(|r| r.spec.trunks.clone())
            .unwrap_or_default();
        self.lines
            .pick(&wanted, now)
            .ok_or_else(|| Refusal::new("no_line", "no trunk has a free line now"))
    }
}
