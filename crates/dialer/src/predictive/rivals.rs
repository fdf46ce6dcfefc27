//! Campaigns that share agents: what each has in flight counts in the decisions of the others.

use super::{Outlook, Predictive};

impl Predictive {
    /// Chances of what other campaigns have in flight for the same agents, until it is told again.
    pub fn rivals(&mut self, calls: Vec<Outlook>) {
        self.rivals = calls;
    }

    /// Chances of every call in flight whose answer is open and wants an agent.
    pub fn outlook(&self, t: f64) -> impl Iterator<Item = Outlook> {
        self.calls.chances(t).map(|chance| chance.by)
    }

    /// Live answers that the calls in flight will bring.
    #[must_use]
    pub fn demand(&self, t: f64) -> f64 {
        self.calls.chances(t).map(|chance| chance.ever).sum()
    }
}
