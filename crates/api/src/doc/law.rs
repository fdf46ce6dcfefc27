//! What the law is asked about more than one debtor: a campaign's reasons, a pack on trial.

use super::{CampaignStatus, Instant};
use uuid::Uuid;

shape! {
    /// Debtors that stand alike.
    WhyCountShape {
        /// Asked with for the rows: `later.blocked_cap`.
        key: String,
        es: String, en: String, debtors: u64,
        /// The first of them may be dialed at.
        next_at: Option<Instant>,
        /// No reason is stored: a fault of ours.
        unexplained: bool,
    }
    /// What holds the campaign itself back.
    WhyProblemShape { code: String, es: String, en: String }
    /// All reasons of a campaign.
    CampaignWhyShape {
        campaign_id: Uuid, status: CampaignStatus, at: Instant, debtors: u64,
        unexplained: u64, problems: Vec<WhyProblemShape>, reasons: Vec<WhyCountShape>,
    }
    /// One debtor behind a count.
    WhyRowShape {
        debtor_id: Uuid, external_ref: String, next_at: Instant, attempts: i32,
        last_result: Option<String>, note: String, es: Option<String>, en: Option<String>,
    }
    /// A page of them.
    WhyRowsShape {
        items: Vec<WhyRowShape>,
        /// Goes as `?after=`; null at the end.
        next_after: Option<Uuid>,
    }

    /// Calls that a rule would have stopped.
    DryRuleShape { rule: String, es: String, en: String, attempts: u64 }
    /// One UTC day.
    DryDayShape { from: Instant, concerned: u64, newly_blocked: u64 }
    /// One call that would not have been made.
    DryExampleShape {
        attempt_id: Uuid, debtor_id: Uuid, at: Instant, rule: String, es: String, en: String,
    }
    /// What the pack would have said of the calls made.
    DryRunShape {
        pack: String, version: String, since: Instant, attempts: u64,
        /// The limit was reached: later calls were not read.
        cut_off: bool,
        /// Calls whose debtor the pack binds.
        concerned: u64,
        blocked_before: u64, newly_blocked: u64, newly_agent_only: u64, newly_allowed: u64,
        rules: Vec<DryRuleShape>, days: Vec<DryDayShape>, examples: Vec<DryExampleShape>,
    }
}
