//! What the law is asked about more than one debtor: a campaign's reasons, a pack on trial.

use super::{BlockReason, CampaignStatus, Channel, Instant};
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
    /// One answer of the law with how many debtors of a list have it.
    LoadReasonShape {
        /// `blocked_window`, `blocked_cap`, …
        blocked: BlockReason,
        /// The rule that refused first.
        rule: String,
        /// Its words about one of them.
        es: String, en: String, debtors: u64,
        /// The first of them may be called at.
        next_at: Option<Instant>,
    }
    /// What the law says now of the list of a file; binds nobody.
    LoadLawShape {
        import_id: Uuid, at: Instant,
        /// Lines of the file.
        lines: u64,
        /// Debtors asked about.
        debtors: u64,
        /// Of them not on file yet: before the file is accepted they are judged as its rows say, with what is known
        /// already of their persons and their numbers.
        new: u64,
        /// Whether they are a sample of at most 2,000, from the first line to the last.
        sample: bool,
        /// May be called now.
        allow: u64,
        /// May be called now with an agent reserved first.
        agent_only: u64,
        /// May be called at a known later instant.
        later: u64,
        /// May not be called until something about them changes.
        deny: u64,
        /// Most debtors first.
        reasons: Vec<LoadReasonShape>,
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

    /// Acts that a rule would have stopped.
    DryRuleShape { rule: String, es: String, en: String, acts: u64 }
    /// One UTC day.
    DryDayShape { from: Instant, concerned: u64, newly_blocked: u64 }
    /// One channel.
    DryChannelShape { channel: Channel, concerned: u64, newly_blocked: u64 }
    /// One act that would not have been done.
    DryExampleShape {
        /// Row of the ledger.
        row: Uuid,
        /// The call, where it was one.
        attempt_id: Option<Uuid>,
        debtor_id: Uuid, channel: Channel, at: Instant, rule: String, es: String, en: String,
    }
    /// What the pack would have said of the acts (calls, messages, letters, visits).
    DryRunShape {
        pack: String, version: String, since: Instant, until: Instant,
        /// Acts of that time.
        all: u64,
        /// Acts judged again.
        acts: u64,
        /// Every how many of them: 1 = all, more = a sample spread evenly over the time.
        every: u64,
        /// Acts whose debtor the pack binds.
        concerned: u64,
        blocked_before: u64, newly_blocked: u64, newly_agent_only: u64, newly_allowed: u64,
        rules: Vec<DryRuleShape>, days: Vec<DryDayShape>, channels: Vec<DryChannelShape>,
        examples: Vec<DryExampleShape>,
    }
    /// A run: how far it is, and what it showed.
    DryJobShape {
        /// `running`, `done`, `failed`.
        state: String,
        /// Acts read.
        done: u64,
        /// Acts in all; 0 = not counted yet.
        all: u64,
        /// Once it is done.
        result: Option<DryRunShape>,
    }
}
