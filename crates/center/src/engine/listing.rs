//! Whom something told in bulk may concern, a list or a recall: what is queued, what is up, and who is to be
//! called back in a place that is kept for him.

use super::Engine;
use crate::live::Stocked;
use dialer::Input;
use domain::entity::Suppression;
use domain::ids::{ClientId, DebtorId, PortfolioId};
use domain::ports::store::ContactFacts;
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A debtor whom we are about to call or call, with what lists may know of him.
pub(crate) struct Known {
    pub(crate) client: ClientId,
    pub(crate) document: String,
    /// Numbers and addresses.
    pub(crate) points: Vec<String>,
}

impl Engine {
    /// Everybody in hoppers, on lines, in kept places and on the way to the brain.
    fn everybody(&self) -> impl Iterator<Item = &Stocked> {
        self.hopper
            .values()
            .chain(self.calls.values().map(|c| &c.ctx.stocked))
            .chain(self.by_hand.values())
    }

    /// The same, each debtor once.
    pub(crate) fn known(&self) -> BTreeMap<DebtorId, Known> {
        self.everybody()
            .map(|s| {
                let points = s.facts.points.iter();
                let known = Known {
                    client: s.setting.client.id,
                    document: s.facts.debtor.document.reveal().clone(),
                    points: points.map(|p| p.value.reveal().clone()).collect(),
                };
                (s.facts.debtor.id, known)
            })
            .collect()
    }

    /// Those of them whose debts are in a portfolio, with what they were judged by: once for each time that one of
    /// them is queued or called.
    pub(crate) fn known_of(&self, portfolio: PortfolioId) -> Vec<Arc<ContactFacts>> {
        self.everybody()
            .map(|s| &s.facts)
            .filter(|facts| facts.debtor.portfolio_id == portfolio)
            .cloned()
            .collect()
    }

    /// Ends every queued and ringing contact of these debtors.
    pub(crate) fn withdraw_all(&mut self, now: UtcMs, debtors: &[DebtorId]) {
        for debtor in debtors {
            self.take(now, Input::Withdraw(*debtor));
        }
    }

    /// A number or document was listed: everybody it concerns is withdrawn.
    pub(crate) fn withdraw_listed(&mut self, now: UtcMs, row: &Suppression) {
        let hit = |stocked: &&Stocked| {
            row.client_id.is_none_or(|c| c == stocked.setting.client.id)
                && row.debtor_id.is_none_or(|d| d == stocked.facts.debtor.id)
                && row.names(&stocked.facts.debtor, &stocked.facts.points)
        };
        let found: BTreeSet<DebtorId> = self
            .everybody()
            .filter(hit)
            .map(|s| s.facts.debtor.id)
            .collect();
        let found: Vec<DebtorId> = found.into_iter().collect();
        self.withdraw_all(now, &found);
    }
}
