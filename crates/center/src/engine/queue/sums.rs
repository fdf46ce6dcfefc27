//! Figures of the queues: of the campaign's day and over all nodes.

use super::Counts;
use crate::engine::Engine;
use crate::view::InboundRow;
use domain::ids::{AttemptId, CampaignId};
use domain::ports::store::InboundCount;
use domain::time::UtcMs;

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Engine {
    pub(super) fn counts_of(&mut self, campaign: CampaignId) -> &mut Counts {
        self.callers.counts.entry(campaign).or_default()
    }

    /// A campaign's day began at `day`: on a new one this node counts from nothing again. From when on it
    /// counts itself.
    pub(crate) fn queue_day(&mut self, now: UtcMs, campaign: CampaignId, day: UtcMs) -> UtcMs {
        let began = *self.callers.began.get_or_insert(now);
        let counts = self.counts_of(campaign);
        if counts.day.is_some_and(|before| before < day) {
            *counts = Counts::default();
            self.board.touch();
        }
        self.counts_of(campaign).day = Some(day);
        began.max(day)
    }

    /// What other nodes counted, and this one before it was started anew.
    pub(crate) fn queue_elsewhere(&mut self, campaign: CampaignId, day: UtcMs, sum: InboundCount) {
        let counts = self.counts_of(campaign);
        if counts.day == Some(day) && counts.elsewhere != sum {
            counts.elsewhere = sum;
            self.board.touch();
        }
    }

    /// The queue of a campaign for the board; `None` where it takes no callers and had none.
    pub(in crate::engine) fn queue_row(
        &self,
        now: UtcMs,
        campaign: CampaignId,
    ) -> Option<InboundRow> {
        let entry = self.campaigns.get(&campaign)?;
        let params = &entry.setting.campaign.params.inbound;
        let counts = self.callers.counts.get(&campaign);
        if !params.blended && counts.is_none() {
            return None;
        }
        let counts = counts.copied().unwrap_or_default();
        let rest = counts.elsewhere;
        let ours = |id: &AttemptId| {
            let call = self.brain.call(*id);
            call.is_some_and(|c| c.item.campaign == campaign)
        };
        let waits: Vec<i64> = self
            .brain
            .queue()
            .filter(|(id, _)| ours(id))
            .map(|(_, since)| now.since_ms(since))
            .collect();
        let kept = self.brain.places().iter();
        let kept = kept.filter(|p| p.item.campaign == campaign).count();
        let away = rest.waiting_since.map(|at| now.since_ms(at));
        Some(InboundRow {
            waiting: small(waits.len() as u64 + rest.waiting),
            longest_wait_ms: waits.into_iter().chain(away).max().unwrap_or(0),
            places_kept: small(kept as u64),
            offered: counts.offered + rest.offered,
            answered: counts.answered + rest.answered,
            in_time: counts.in_time + rest.in_time,
            gave_up: counts.gave_up + rest.gave_up,
            call_backs: counts.call_back + rest.call_back,
            opted_out: counts.opted_out + rest.opted_out,
            announced: counts.announced + rest.announced,
            wait_ms: counts.wait_ms + i64::try_from(rest.wait_ms).unwrap_or(i64::MAX),
            service_level_s: params.service_level_s,
        })
    }
}
