//! What a month must have had to prove anything.

use super::MonthOutcome;
use domain::entity::{LinkState, PlanState, PromiseState, ReceiptState};
use domain::rules::kpi::Kpi;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Messages, steps and holds by how their names begin: sent and answered; back from no address; taken back by
/// money; refused by the law; calls of strategies, who wants none, who disputes.
const HAPPENED: &[&str] = &[
    "delivered",
    "bounced",
    "cancelled:",
    "refused:",
    "call:done",
    "channel_optout",
    "dispute",
];
/// Where money came from.
const SOURCES: &[&str] = &["api", "bank_file", "provider"];
/// What became of plans.
const TERMS: &[&str] = &["signed", "quita lapsed", "quita kept", "incentive"];

fn none<K: Ord + Display>(of: &str, had: &BTreeMap<K, usize>, wanted: &[K], out: &mut Vec<String>) {
    let lacks = |k: &&K| had.get(k).is_none_or(|n| *n == 0);
    out.extend(wanted.iter().filter(lacks).map(|k| format!("no {of} {k}")));
}

impl MonthOutcome {
    /// What did not happen though every month has it: calls, messages, letters, replies, money by each way, promises
    /// and plans with each end, and figures above and below the line. A month in which nothing happens proves
    /// nothing.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut out = Vec::new();
        let counts = [
            ("attempt", self.attempts),
            ("payment", self.payments),
            ("reversal", self.reversals),
            ("letter", self.letters),
            ("reply", self.replies),
        ];
        let lacks = counts.iter().filter(|(_, n)| *n == 0);
        out.extend(lacks.map(|(what, _)| format!("no {what}")));
        let promises = [PromiseState::Kept, PromiseState::Broken];
        none("promise", &self.promises, &promises, &mut out);
        let plans = [
            PlanState::Completed,
            PlanState::Broken,
            PlanState::Cancelled,
        ];
        none("plan", &self.plans, &plans, &mut out);
        none("plan", &self.terms, TERMS, &mut out);
        let receipts = [ReceiptState::Posted, ReceiptState::Returned];
        none("receipt", &self.receipts, &receipts, &mut out);
        let sources: Vec<String> = SOURCES.iter().map(|s| (*s).to_owned()).collect();
        none("money by", &self.sources, &sources, &mut out);
        let links = [LinkState::Paid, LinkState::Cancelled];
        none("link", &self.links, &links, &mut out);
        for start in HAPPENED {
            let all = self.messages.iter().chain(&self.steps).chain(&self.holds);
            if !all
                .into_iter()
                .any(|(name, n)| name.starts_with(start) && *n > 0)
            {
                out.push(format!("nothing {start}"));
            }
        }
        self.figures_of_nothing(&mut out);
        out
    }

    fn figures_of_nothing(&self, out: &mut Vec<String>) {
        for kpi in [
            Kpi::ContactRate,
            Kpi::RpcRate,
            Kpi::PtpRate,
            Kpi::KeptRate,
            Kpi::RecoveryRate,
            Kpi::RollRate,
            Kpi::CostPerUnit,
        ] {
            let told = self.figures.iter().find(|(k, ..)| *k == kpi);
            if !told.is_some_and(|(_, above, below)| *above > 0 && *below > 0) {
                out.push(format!("{kpi}: {told:?}"));
            }
        }
    }
}
