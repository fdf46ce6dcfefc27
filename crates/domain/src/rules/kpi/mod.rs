//! Figures of terms.md §8: one definition each, as data. A figure is a numerator over a denominator;
//! each of them is a sum over rows of one kind, and the same rows are what a figure opens to. `store`
//! gives those rows by SQL, `facts` by plain code over a world in memory, which `fold` builds from the
//! event log alone.
//!
//! What is handed over in a period is taken for its credit sales (`dso`, `cei`): a creditor who works his own
//! debts hands over each of them. What is not here: figures of the trunk and the detector have reports of
//! their own.

mod facts;
mod fold;
mod spent;
#[cfg(test)]
mod tests;
mod time;

use facts::View;

pub use facts::{KpiAttempt, KpiPayment, KpiPromise, KpiWorld};
pub use fold::mark_data;
pub use spent::{KpiMessage, minor_of};

use crate::ids::{AgentId, CampaignId, ClientId, DebtorId, PortfolioId};
use crate::money::Currency;
use crate::time::{DAY_MS, HOUR_MS, SECOND_MS, UtcMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long after a conversation with the debtor money counts as brought by it, days. The same for
/// every report: last conversation before the payment.
pub const ATTRIBUTION_DAYS: i64 = 30;

/// Days past due above which a balance is at risk, whatever the buckets.
pub const PAR_DAYS: i64 = 30;

/// The same, ms.
pub const ATTRIBUTION_MS: i64 = ATTRIBUTION_DAYS * DAY_MS;

crate::text_enum! {
    /// A figure of terms.md §8.
    pub enum Kpi {
        /// Attempts ÷ accounts assigned.
        Intensity = "intensity",
        /// Accounts tried ÷ accounts assigned.
        Penetration = "penetration",
        /// Live contacts ÷ attempts.
        ContactRate = "contact_rate",
        /// Accounts with a live contact ÷ accounts tried.
        ContactReach = "contact_reach",
        /// Conversations with an obligated, verified party ÷ attempts.
        RpcRate = "rpc_rate",
        /// Accounts with such a conversation ÷ accounts assigned.
        RpcReach = "rpc_reach",
        /// Promises made ÷ such conversations.
        PtpRate = "ptp_rate",
        /// Promises kept of those due ÷ promises due, by number.
        KeptRate = "kept_rate",
        /// The same by amount.
        KeptAmount = "kept_amount",
        /// Accounts paying ÷ accounts with such a conversation.
        PayConversion = "pay_conversion",
        /// Overdue at the start that was paid in the period ÷ overdue at the start.
        RecoveryRate = "recovery_rate",
        /// Paid to date of what was handed over in the period ÷ amount handed over.
        Liquidation = "liquidation",
        /// Overdue balance ÷ balance, at the end.
        OverdueShare = "overdue_share",
        /// Balance of debts more than 30 days past due ÷ balance, at the end.
        Par30 = "par30",
        /// Balance in arrears at the start that is in a later bucket at the end ÷ that balance.
        RollRate = "roll_rate",
        /// Balance in arrears at the start that is current or paid at the end ÷ that balance.
        CureRate = "cure_rate",
        /// Days past due of debts that became current or paid ÷ those debts.
        TimeToCure = "time_to_cure",
        /// Money × days past due when it came ÷ money: from the oldest unpaid item, or a debt's one due date.
        TrueDays = "true_days",
        /// (Owed at the start + handed over − owed at the end) ÷ (the same, of the end only what is current).
        Cei = "cei",
        /// Owed at the end × days of the period ÷ what was handed over in it.
        Dso = "dso",
        /// Conversations with an obligated, verified party ÷ login hours of the agents.
        RpcPerHour = "rpc_per_hour",
        /// Money received ÷ login hours of the agents.
        RecoveredPerHour = "recovered_per_hour",
        /// Talk, hold and wrap-up ÷ these, ready, reserved and ringing.
        Occupancy = "occupancy",
        /// Talk, hold and wrap-up ÷ conversations handled.
        Aht = "aht",
        /// Cost of calls and messages ÷ money received.
        CostPerUnit = "cost_per_unit",
    }
}

crate::text_enum! {
    /// A kind of rows that figures are summed over.
    pub enum KpiRows {
        /// Attempts that left for the network and ended, by when they were opened; weight: their cost.
        Attempts = "attempts",
        /// Of them those in which somebody was spoken to: the obligated party or a third one.
        Contacts = "contacts",
        /// Of them those with an obligated, verified party.
        RightParty = "right_party",
        /// The same, whatever the debtors owe in: beside agents' time, which is of no currency.
        Talks = "talks",
        /// Attempts that an agent took, whatever the debtors owe in.
        Handled = "handled",
        /// Attempts as above, and messages that cost something by when their gateways took them; weight: cost.
        Spent = "spent",
        /// Promises made in the period.
        PromisesMade = "promises_made",
        /// Promises due in the period, cancelled and replaced ones left out.
        PromisesDue = "promises_due",
        /// Of them the kept ones.
        PromisesKept = "promises_kept",
        /// Money dated in the period; a reversal is a row below zero.
        Payments = "payments",
        /// Money on debts whose age is known; weight: amount × days past due.
        DatedPayments = "dated_payments",
        /// Debts owed at the start or handed over in the period.
        Accounts = "accounts",
        /// Debts with something overdue at the start: that amount; weight: what was paid of it.
        OverdueStart = "overdue_start",
        /// Debts handed over in the period: balance; weight: paid on them until its end.
        Placed = "placed",
        /// Debts in arrears at the start, the last bucket left out: balance; weight: it, where the
        /// bucket is a later one at the end. Of a set that changed meanwhile a bucket is later when all its days are.
        ArrearsRolled = "arrears_rolled",
        /// Debts in arrears at the start: balance; weight: it, where they are current or paid at the end.
        ArrearsCured = "arrears_cured",
        /// Debts owed at the end: balance; weight: what of it is overdue.
        OpenEnd = "open_end",
        /// The same; weight: balance of those more than 30 days past due.
        Par30End = "par30_end",
        /// Debts owed at the start, handed over in the period, or owed at the end: what they were at first less
        /// what they are at the end; weight: the same, of the end only what is current.
        Receivables = "receivables",
        /// Debts owed at the end: balance; weight: balance × days of the period.
        OpenDays = "open_days",
        /// Debts that became current or paid in the period; weight: days past due they came to.
        Regularised = "regularised",
        /// Time of agents signed in, by state, of the period; weight: ms of it. Such rows name the agent where
        /// others name the debtor.
        LoginTime = "login_time",
        /// Of it talk, hold and wrap-up.
        BusyTime = "busy_time",
        /// Of it the same with ready, reserved and ringing.
        ServingTime = "serving_time",
    }
}

crate::text_enum! {
    /// How rows are summed.
    pub enum KpiSum {
        /// Their number.
        Rows = "rows",
        /// Debtors in them.
        Debtors = "debtors",
        /// Amounts.
        Amount = "amount",
        /// Weights.
        Weight = "weight",
    }
}

crate::text_enum! {
    /// How a figure reads.
    pub enum KpiForm {
        /// A share, percent.
        Share = "share",
        /// A number of times.
        Times = "times",
        /// Days.
        Days = "days",
        /// Money for each unit of money.
        PerUnit = "per_unit",
        /// What is above for each hour; below are ms.
        PerHour = "per_hour",
        /// Seconds; above are ms.
        Seconds = "seconds",
    }
}

impl KpiRows {
    /// Whether the rows belong to a campaign, a team or an agent: others are about debts, which belong
    /// to a portfolio alone.
    #[must_use]
    pub const fn has_author(self) -> bool {
        matches!(
            self,
            Self::Attempts
                | Self::Spent
                | Self::Contacts
                | Self::RightParty
                | Self::Talks
                | Self::Handled
                | Self::LoginTime
                | Self::BusyTime
                | Self::ServingTime
                | Self::PromisesMade
                | Self::PromisesDue
                | Self::PromisesKept
                | Self::Payments
                | Self::DatedPayments
        )
    }

    /// What the identity of such a row is: `attempt`, `contact` (an attempt or
    /// a message), `promise`, `payment`, `spell` or `debt`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Attempts | Self::Contacts | Self::RightParty | Self::Talks | Self::Handled => {
                "attempt"
            }
            Self::Spent => "contact",
            Self::LoginTime | Self::BusyTime | Self::ServingTime => "spell",
            Self::PromisesMade | Self::PromisesDue | Self::PromisesKept => "promise",
            Self::Payments | Self::DatedPayments => "payment",
            _ => "debt",
        }
    }
}

/// One half of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// Rows.
    pub rows: KpiRows,
    /// How they are summed.
    pub sum: KpiSum,
}

/// What a figure is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KpiDef {
    /// Above.
    pub numerator: Side,
    /// Below.
    pub denominator: Side,
    /// How it reads.
    pub form: KpiForm,
}

impl Kpi {
    /// Its definition.
    #[must_use]
    pub const fn def(self) -> KpiDef {
        use KpiForm::{Days, PerHour, PerUnit, Seconds, Share, Times};
        use KpiRows as R;
        use KpiSum::{Amount, Debtors, Rows, Weight};
        let (numerator, denominator, form) = match self {
            Self::Intensity => ((R::Attempts, Rows), (R::Accounts, Debtors), Times),
            Self::Penetration => ((R::Attempts, Debtors), (R::Accounts, Debtors), Share),
            Self::ContactRate => ((R::Contacts, Rows), (R::Attempts, Rows), Share),
            Self::ContactReach => ((R::Contacts, Debtors), (R::Attempts, Debtors), Share),
            Self::RpcRate => ((R::RightParty, Rows), (R::Attempts, Rows), Share),
            Self::RpcReach => ((R::RightParty, Debtors), (R::Accounts, Debtors), Share),
            Self::PtpRate => ((R::PromisesMade, Rows), (R::RightParty, Rows), Share),
            Self::KeptRate => ((R::PromisesKept, Rows), (R::PromisesDue, Rows), Share),
            Self::KeptAmount => ((R::PromisesKept, Amount), (R::PromisesDue, Amount), Share),
            Self::PayConversion => ((R::Payments, Debtors), (R::RightParty, Debtors), Share),
            Self::RecoveryRate => ((R::OverdueStart, Weight), (R::OverdueStart, Amount), Share),
            Self::Liquidation => ((R::Placed, Weight), (R::Placed, Amount), Share),
            Self::OverdueShare => ((R::OpenEnd, Weight), (R::OpenEnd, Amount), Share),
            Self::Par30 => ((R::Par30End, Weight), (R::Par30End, Amount), Share),
            Self::RollRate => (
                (R::ArrearsRolled, Weight),
                (R::ArrearsRolled, Amount),
                Share,
            ),
            Self::CureRate => ((R::ArrearsCured, Weight), (R::ArrearsCured, Amount), Share),
            Self::Cei => ((R::Receivables, Amount), (R::Receivables, Weight), Share),
            Self::Dso => ((R::OpenDays, Weight), (R::Placed, Amount), Days),
            Self::TimeToCure => ((R::Regularised, Weight), (R::Regularised, Rows), Days),
            Self::TrueDays => ((R::DatedPayments, Weight), (R::DatedPayments, Amount), Days),
            Self::RpcPerHour => ((R::Talks, Rows), (R::LoginTime, Weight), PerHour),
            Self::RecoveredPerHour => ((R::Payments, Amount), (R::LoginTime, Weight), PerHour),
            Self::Occupancy => ((R::BusyTime, Weight), (R::ServingTime, Weight), Share),
            Self::Aht => ((R::BusyTime, Weight), (R::Handled, Rows), Seconds),
            Self::CostPerUnit => ((R::Spent, Weight), (R::Payments, Amount), PerUnit),
        };
        KpiDef {
            numerator: Side {
                rows: numerator.0,
                sum: numerator.1,
            },
            denominator: Side {
                rows: denominator.0,
                sum: denominator.1,
            },
            form,
        }
    }

    /// Whether it can be asked by campaign, team and agent.
    #[must_use]
    pub const fn has_author(self) -> bool {
        let def = self.def();
        def.numerator.rows.has_author() && def.denominator.rows.has_author()
    }
}

impl KpiForm {
    /// The figure as it reads; `None` where nothing is below.
    #[must_use]
    pub fn value(self, numerator: i64, denominator: i64) -> Option<f64> {
        let (above, below) = (numerator as f64, denominator as f64);
        (denominator != 0).then_some(match self {
            Self::PerHour => above * HOUR_MS as f64 / below,
            Self::Seconds => above / SECOND_MS as f64 / below,
            _ => above / below,
        })
    }
}

impl Kpi {
    /// Whether it can be told for a question: one about debts belongs to a portfolio alone, one about agents'
    /// time to neither a portfolio nor a campaign.
    #[must_use]
    pub const fn told(self, ask: &KpiAsk) -> bool {
        let def = self.def();
        let by_author = ask.campaign.is_some() || ask.agents.is_some();
        let of_work = ask.campaign.is_some() || ask.portfolio.is_some();
        let timed = def.numerator.rows.is_time() || def.denominator.rows.is_time();
        (!by_author || self.has_author()) && !(timed && of_work)
    }
}

impl KpiRows {
    /// Whether they are agents' time.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::LoginTime | Self::BusyTime | Self::ServingTime)
    }

    /// Whether attempts among them count only where the debtor has a debt in the currency asked in.
    #[must_use]
    pub const fn of_holders(self) -> bool {
        matches!(
            self,
            Self::Attempts | Self::Spent | Self::Contacts | Self::RightParty
        )
    }
}

/// Local days from `from_day` to before `to_day` (days since 1970), and the instants they begin at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KpiPeriod {
    /// First day.
    pub from_day: i64,
    /// Day behind the last.
    pub to_day: i64,
    /// Local midnight of the first.
    pub from: UtcMs,
    /// Local midnight behind the last, half-open.
    pub to: UtcMs,
}

impl KpiPeriod {
    /// The local day of an instant that is not before the period, days since 1970, by days of 24 hours
    /// from its begin.
    #[must_use]
    pub const fn day_at(&self, at: UtcMs) -> i64 {
        self.from_day + at.since_ms(self.from) / DAY_MS
    }
}

/// What contacts cost, minor units of the currency the figures are asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostRates {
    /// An attempt that left for the network.
    pub attempt_minor: i64,
    /// Each begun minute from answer to end.
    pub minute_minor: i64,
}

impl CostRates {
    /// Cost of an attempt by how long it was answered, ms.
    #[must_use]
    pub const fn of(&self, answered_ms: i64) -> i64 {
        let ms = if answered_ms > 0 { answered_ms } else { 0 };
        let minutes = (ms + 59_999) / 60_000;
        self.attempt_minor
            .saturating_add(self.minute_minor.saturating_mul(minutes))
    }
}

/// Whose figures, when. All that is about debtors is of one currency: debts, promises and money in it, and
/// attempts on debtors who have a debt in it; agents' time, and what is counted by it, is of every currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiAsk {
    /// The client.
    pub client: ClientId,
    /// Only this portfolio.
    pub portfolio: Option<PortfolioId>,
    /// Only this campaign; ignored by rows without an author.
    pub campaign: Option<CampaignId>,
    /// Only these agents (one, or a team's); ignored by rows without an author.
    pub agents: Option<Vec<AgentId>>,
    /// Debts, promises and money of this currency, attempts on who has a debt in it.
    pub currency: Currency,
    /// When.
    pub period: KpiPeriod,
    /// What contacts cost.
    pub rates: CostRates,
}

/// One row behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KpiFact {
    /// When: rows are ordered by it, then by identity.
    pub at: UtcMs,
    /// Identity of the attempt, promise, payment or debt.
    pub id: Uuid,
    /// Whom it is about.
    pub debtor_id: DebtorId,
    /// Amount, minor units; 0 for attempts.
    pub amount: i64,
    /// Second number, see [`KpiRows`].
    pub weight: i64,
}

/// Sums over rows of one kind, each as [`KpiSum`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KpiSums {
    /// Rows.
    pub rows: i64,
    /// Debtors in them.
    pub debtors: i64,
    /// Sum of amounts.
    pub amount: i64,
    /// Sum of weights.
    pub weight: i64,
}

impl KpiSums {
    /// Sums rows up.
    #[must_use]
    pub fn over(facts: &[KpiFact]) -> Self {
        let debtors: std::collections::BTreeSet<DebtorId> =
            facts.iter().map(|f| f.debtor_id).collect();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            rows: count(facts.len()),
            debtors: count(debtors.len()),
            amount: facts.iter().map(|f| f.amount).sum(),
            weight: facts.iter().map(|f| f.weight).sum(),
        }
    }

    /// One of them.
    #[must_use]
    pub const fn get(&self, sum: KpiSum) -> i64 {
        match sum {
            KpiSum::Rows => self.rows,
            KpiSum::Debtors => self.debtors,
            KpiSum::Amount => self.amount,
            KpiSum::Weight => self.weight,
        }
    }
}
