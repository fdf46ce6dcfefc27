//! Who leaves a campaign with its segments.

use super::Tables;
use domain::entity::{Campaign, Debtor};
use domain::ids::{DebtorId, PersonId};
use domain::ports::store::LEFT_SEGMENT;
use domain::segment::{Expr, at_any_hour};
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Ends the items of those who are in none of the segments any more, at whatever hour; says how many.
pub(super) fn end_left(t: &mut Tables, campaign: &Campaign, parts: &[Expr], now: UtcMs) -> u64 {
    let stored = t.campaigns.get(&campaign.id);
    if stored.is_some_and(|c| c.version > campaign.version) || parts.is_empty() {
        return 0;
    }
    let mut stay: BTreeSet<DebtorId> = BTreeSet::new();
    for expr in parts {
        let any = at_any_hour(expr);
        stay.extend(super::portfolio::matching(t, campaign.client_id, &any, now));
    }
    let live = t.attempts.values().filter(|a| !a.state.is_closed());
    let on_phone: BTreeSet<PersonId> = live.map(|a| a.person_id).collect();
    let speaks = |d: &&Debtor| on_phone.contains(&d.person_id);
    stay.extend(t.debtors.values().filter(speaks).map(|d| d.id));
    let mut left = 0;
    for item in t.items.values_mut() {
        let ours = item.campaign_id == campaign.id && !stay.contains(&item.debtor_id);
        if ours && item.ends_with_segment() {
            item.done = true;
            LEFT_SEGMENT.clone_into(&mut item.note);
            left += 1;
        }
    }
    left
}
