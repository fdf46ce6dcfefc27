//! Whether this version dials a campaign of given parameters.

use crate::campaigns::target_pct;
use crate::handle::CenterHandle;
use dialer::policy;
use dialer::predictive::{Predictive, Settings};
use domain::entity::{CampaignParams, DialMode};
use domain::time::SECOND_MS;

/// Least ring time of any pack, s (law.md §4: 15 s or four rings); a debtor's own pack may ask for more
/// and gets it at the dial.
const RING_LEAST_S: i64 = 15;

#[expect(clippy::cast_precision_loss, reason = "times of minutes at most")]
fn as_seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

impl CenterHandle {
    /// Abandonment that a campaign of those parameters aims at where no pack of its debtors aims lower, percent.
    #[must_use]
    pub fn aim_pct(params: &CampaignParams) -> f64 {
        target_pct(params, &[])
    }

    /// Whether this version dials a campaign of those parameters; to be asked before they are stored.
    ///
    /// # Errors
    /// What stands in the way and what would be right, in English.
    pub fn dialable(params: &CampaignParams) -> Result<(), String> {
        policy(params.mode, params.lines_per_agent).map_err(|refused| refused.to_string())?;
        if let Some(why) = params
            .agentless
            .obstacle()
            .filter(|_| params.mode == DialMode::Agentless)
        {
            return Err(why);
        }
        if params.mode != DialMode::Predictive {
            return Ok(());
        }
        if !(params.abandon_cap_pct.is_none_or(|cap| cap > 0.0)) {
            return Err(
                "abandon_cap_pct 0: predictive dialing needs a cap above 0; choose progressive"
                    .to_owned(),
            );
        }
        if params.ring_timeout_s < RING_LEAST_S {
            return Err(format!(
                "ring_timeout_s {}: no pack allows less than {RING_LEAST_S} s of ringing (law.md §4)",
                params.ring_timeout_s
            ));
        }
        let settings = Settings {
            target: target_pct(params, &[]) / 100.0,
            limit_s: as_seconds(params.agent_within_ms),
            ring_timeout_s: as_seconds(params.ring_timeout_s * SECOND_MS),
        };
        Predictive::new(settings)
            .map(|_| ())
            .map_err(|refused| refused.to_string())
    }
}
