//! The least ring time that the packs of a campaign's debtors ask for.

use crate::error::CenterError;
use crate::ports::Outside;
use crate::what_if;
use domain::entity::{Campaign, DialMode};
use domain::time::SECOND_MS;

/// Refuses a ring time that the packs of a sample of its debtors do not let the dialer use. A debtor whose pack asks
/// for more than the sample's gets it at the dial.
///
/// # Errors
/// `ring_too_short` with the packs' figure; `NotFound`, `bad_expression`, or a database that is away.
pub(crate) async fn fits(out: &Outside, campaign: &Campaign) -> Result<(), CenterError> {
    // An agent who dials by hand hears the ringing himself.
    if matches!(campaign.params.mode, DialMode::Manual | DialMode::Preview) {
        return Ok(());
    }
    let (now, mut least_ms) = (out.now(), 0);
    for facts in what_if::sample(&*out.store, campaign, now).await? {
        least_ms = least_ms.max(out.law.call_law(&facts, now).ring_min_ms);
    }
    if campaign.params.ring_timeout_s * SECOND_MS >= least_ms {
        return Ok(());
    }
    Err(CenterError::invalid(
        "ring_too_short",
        "params.ring_timeout_s",
        format!(
            "the rule pack asks for at least {} s of ringing",
            least_ms / SECOND_MS
        ),
    ))
}
