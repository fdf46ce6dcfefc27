//! What lets no new call leave: gates, lines, the rule on short calls.

use super::{Dialer, Refusal};
use crate::guard::ShortDay;
use crate::spec::Item;
use domain::ids::{CampaignId, TrunkId};
use domain::ports::store::ShortCount;
use domain::time::UtcMs;

/// What an agent is told whose call the rule on short calls does not let out.
fn short_words(code: &'static str) -> &'static str {
    if code == ShortDay::NOT_COUNTED {
        "the short calls of the company's day are counted before the first call under the rule on them: try again in a few seconds"
    } else {
        "too many of the company's calls today are short: the next would have it blocked"
    }
}

impl Dialer {
    /// Why the rule on short calls lets no call of a campaign leave now.
    pub(super) fn short_calls_stop(&self, id: CampaignId) -> Option<&'static str> {
        let day = match self.campaigns.get(&id).filter(|run| run.on) {
            Some(run) => run.short_calls?,
            None => *self.off_days.get(&id)?,
        };
        day.stops(self.started)
    }

    /// Campaigns under a rule on short calls, for whom the company's day is to be counted: those that dial, and those
    /// that do not and for which somebody dialed by hand.
    pub fn short_days(&self) -> impl Iterator<Item = (CampaignId, ShortDay)> {
        let on = self.campaigns.iter().filter(|(_, run)| run.on);
        let on = on.filter_map(|(id, run)| Some((*id, run.short_calls?)));
        on.chain(self.off_days.iter().map(|(id, day)| (*id, *day)))
    }

    /// The company's day as counted for a campaign.
    pub(super) fn short_calls(&mut self, id: CampaignId, counted: ShortCount) {
        let run = self.campaigns.get_mut(&id).filter(|run| run.on);
        let day = match run {
            Some(run) => run.short_calls.as_mut(),
            None => self.off_days.get_mut(&id),
        };
        if let Some(day) = day {
            day.count(counted, self.started);
            self.launch_now = true;
        }
    }

    /// The rule of a debtor who comes through no hopper holds, whether the campaign dials or not.
    fn bind_short(&mut self, item: &Item) {
        let Some(rule) = item.short_calls else {
            return;
        };
        if let Some(run) = self.campaigns.get_mut(&item.campaign).filter(|run| run.on) {
            ShortDay::join(&mut run.short_calls, rule);
        } else {
            let day = self.off_days.entry(item.campaign);
            day.and_modify(|day| day.bind(rule))
                .or_insert_with(|| ShortDay::new(rule));
        }
    }

    /// A trunk for a call that a person asked for. Its debtor's rule on short calls is bound even when it is refused:
    /// what it needs is counted then.
    pub(super) fn hand_trunk(&mut self, now: UtcMs, item: &Item) -> Result<TrunkId, Refusal> {
        if let Some(gate) = self.gates.first() {
            return Err(Refusal::new(
                "dialing_stopped",
                format!("no new calls now: {}", gate.as_str()),
            ));
        }
        self.bind_short(item);
        if let Some(why) = self.short_calls_stop(item.campaign) {
            return Err(Refusal::new(why, short_words(why)));
        }
        let wanted = self
            .campaigns
            .get(&item.campaign)
            .map(|r| r.spec.trunks.clone())
            .unwrap_or_default();
        self.lines
            .pick(&wanted, now)
            .ok_or_else(|| Refusal::new("no_line", "no trunk has a free line now"))
    }
}
