//! What the packs ask of the line that debtors call (law.md §1 `inbound`): an alarm where it is not kept.

use crate::engine::Engine;
use crate::view::CampaignRow;
use domain::ids::CampaignId;
use domain::law::InboundDuty;
use domain::ports::store::InboundCount;
use domain::time::{SECOND_MS, UtcMs};

/// Callers who were to be taken: all but those who wait still, wanted no more calls, or may not be talked with now.
const fn calls(count: &InboundCount) -> u64 {
    count.answered + count.gave_up + count.call_back + count.unserved
}

impl Engine {
    /// A debtor called whose packs ask that of the line: it binds the campaign's queue for the day.
    pub(crate) fn note_duty(&mut self, campaign: CampaignId, duty: InboundDuty) {
        let counts = self.counts_of(campaign);
        counts.duty = Some(counts.duty.map_or(duty, |before| before.and(duty)));
    }

    /// What the packs of the day's callers ask of a campaign's line.
    pub(crate) fn duty_of(&self, campaign: CampaignId) -> Option<InboundDuty> {
        self.callers.counts.get(&campaign)?.duty
    }

    /// The callers of a campaign's day that began at `day`, in time as its duty has it.
    pub(crate) fn line_counted(&mut self, campaign: CampaignId, day: UtcMs, count: InboundCount) {
        let counts = self.counts_of(campaign);
        if counts.day == Some(day) {
            counts.line = Some(count);
            // Who waits waits longer now, though nothing else changed.
            self.board.touch();
        }
    }

    /// Alarms of a campaign's line; without a duty there is none.
    pub(in crate::engine) fn line_alarms(&mut self, now: UtcMs, row: &CampaignRow) {
        let counts = self.callers.counts.get(&row.id);
        let duty = counts.and_then(|c| c.duty);
        let count = counts.and_then(|c| c.line).unwrap_or_default();
        let (taken, all) = (count.in_time, calls(&count));
        let longest = row.inbound.as_ref().map_or(0, |q| q.longest_wait_ms);
        let few = duty.filter(|d| d.missed(taken, all));
        let late = duty.filter(|d| d.waits_too_long(longest));
        let name = &row.name;
        self.row_alarm(now, "inbound_share", row.id, few.is_some(), || {
            let (within, target) = few.map_or((0, 0.0), |d| (d.within_ms / SECOND_MS, d.target_pct));
            (
                format!(
                    "llamadas entrantes por debajo de la ley: {taken} de {all} de hoy atendidas en {within} s, y se exige {target} %: {name}"
                ),
                format!(
                    "calls that come in are below the law: {taken} of {all} today taken within {within} s, and {target} % is asked: {name}"
                ),
            )
        });
        self.row_alarm(now, "inbound_wait", row.id, late.is_some(), || {
            let most = late.and_then(|d| d.human_ms).unwrap_or_default() / SECOND_MS;
            (
                format!("alguien espera a una persona más de los {most} s de la ley: {name}"),
                format!("somebody waits for a person longer than the law's {most} s: {name}"),
            )
        });
    }
}
