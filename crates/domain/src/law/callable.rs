//! From when until when a debtor may be called: for segments, which cannot ask the law about a million.

use super::book::{RuleBook, today};
use super::client;
use super::local::date_of;
use super::pack::LoadedPack;
use super::stack::Place;
use super::windows::{Hours, campaign_hours};
use super::{Action, Judge as _, parties, wishes, zones};
use crate::entity::{Channel, ContactPoint};
use crate::ports::store::ContactFacts;
use crate::time::{HOUR_MS, UtcMs};
use sha2::{Digest as _, Sha256};

/// A debtor whom nothing opens but a change of his facts is looked at again after this.
const AGAIN_MS: i64 = 12 * HOUR_MS;
/// Most steps from one opening to the next that is one: rules of the day that opens may forbid what those
/// of today allow.
const STEPS: usize = 4;

impl RuleBook {
    /// Hash of every pack and table, hex: two books with the same one say the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let (holidays, prefixes) = self.table_marks();
        let mut sum = Sha256::new();
        for part in [holidays, prefixes] {
            sum.update(part.as_bytes());
        }
        for pack in self.packs(UtcMs(0)) {
            sum.update(pack.hash.as_bytes());
        }
        sum.update(self.default_pack().unwrap_or_default().as_bytes());
        hex::encode(sum.finalize())
    }

    /// The stretch of time, now or the next one, in which the law lets one of his phones be called, the
    /// action's point aside: from, until (not in it). It is to be asked again at its end and whenever one
    /// of the facts has changed. `from == until`: not before then.
    #[must_use]
    pub fn callable(&self, facts: &ContactFacts, action: &Action) -> (UtcMs, UtcMs) {
        let never = action.now.plus_ms(AGAIN_MS);
        facts
            .points
            .iter()
            .filter(|p| parties::carries(p, action.channel))
            .filter_map(|point| self.stretch(facts, action, point))
            .min_by_key(|(from, until)| (*from, std::cmp::Reverse(*until)))
            .unwrap_or((never, never))
    }

    fn stretch(
        &self,
        facts: &ContactFacts,
        action: &Action,
        point: &ContactPoint,
    ) -> Option<(UtcMs, UtcMs)> {
        let mut at = action.now;
        for _ in 0..STEPS {
            let asked = Action {
                point_id: Some(point.id),
                now: at,
                ..action.clone()
            };
            let verdict = self.judge(facts, &asked);
            if verdict.decision.permits(action.agent_reserved) {
                let closes = self.closes(facts, &asked, point)?;
                let due = self.notice_due(facts, at).unwrap_or(closes);
                let end = closes.min(due).min(changes(facts, at));
                return Some((at, end.max(at)));
            }
            at = verdict.next_legal_at.filter(|next| *next > at)?;
        }
        None
    }

    /// When the hours that are open at the action's instant close, the ring time taken off.
    fn closes(&self, facts: &ContactFacts, action: &Action, point: &ContactPoint) -> Option<UtcMs> {
        let now = action.now;
        let policy = action.circumstances.zone_policy;
        let zones = zones::candidates(&self.prefixes, facts, point, policy).ok()?;
        let mut dates: Vec<_> = zones.iter().map(|z| date_of(now, &z.zone.tz)).collect();
        if dates.is_empty() {
            dates.push(today(now));
        }
        let layer = client::layer_of(facts);
        let packs = self.stack_of(facts, &dates).ok()?;
        let packs: Vec<&LoadedPack> = packs.into_iter().chain(layer.as_ref()).collect();
        let place = Place::of(&facts.debtor, &facts.portfolio);
        let campaign = campaign_hours(action).ok()?;
        let hours = Hours {
            wishes: &wishes::of(facts, point, action.channel, now),
            zones: &zones,
            packs: &packs,
            calendars: &self.calendars,
            subdivision: place.subdivision.as_deref(),
            channel: action.channel,
            campaign: campaign.as_ref(),
            ring_ms: action.ring_timeout_ms,
        };
        let ring = if action.channel == Channel::Call {
            action.ring_timeout_ms.max(0)
        } else {
            0
        };
        // The last instant that fits is still open.
        hours.closes(now).map(|at| at.plus_ms(1 - ring))
    }
}

/// The first instant after `now` at which something dated begins or ends.
fn changes(facts: &ContactFacts, now: UtcMs) -> UtcMs {
    let holds = facts
        .holds
        .iter()
        .flat_map(|h| [Some(h.from), h.until, h.lifted_at]);
    let consents = facts
        .consents
        .iter()
        .flat_map(|c| [Some(c.granted_at), c.until, c.revoked_at]);
    let preferences = facts
        .preferences
        .iter()
        .flat_map(|p| [p.until, p.revoked_at]);
    let overrides = facts
        .overrides
        .iter()
        .flat_map(|o| [Some(o.granted_at), Some(o.until), o.withdrawn_at]);
    holds
        .chain(consents)
        .chain(preferences)
        .chain(overrides)
        .flatten()
        .filter(|at| *at > now)
        .min()
        .unwrap_or(UtcMs(i64::MAX))
}
