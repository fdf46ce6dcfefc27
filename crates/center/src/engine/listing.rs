//! Whom something told in bulk may concern, a list or a recall: what is queued and what is up.

use super::Engine;
use dialer::Input;
use domain::ids::{ClientId, DebtorId, PortfolioId};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// A queued or ringing debtor with what lists and recalls may know of him.
pub(crate) struct Known {
    pub(crate) client: ClientId,
    pub(crate) portfolio: PortfolioId,
    pub(crate) document: String,
    /// Numbers and addresses.
    pub(crate) points: Vec<String>,
}

impl Engine {
    /// Everybody in hoppers and on lines.
    pub(crate) fn known(&self) -> BTreeMap<DebtorId, Known> {
        self.hopper
            .values()
            .chain(self.calls.values().map(|c| &c.ctx.stocked))
            .map(|s| {
                let points = s.facts.points.iter();
                let known = Known {
                    client: s.setting.client.id,
                    portfolio: s.facts.debtor.portfolio_id,
                    document: s.facts.debtor.document.reveal().clone(),
                    points: points.map(|p| p.value.reveal().clone()).collect(),
                };
                (s.facts.debtor.id, known)
            })
            .collect()
    }

    /// Ends every queued and ringing contact of these debtors.
    pub(crate) fn withdraw_all(&mut self, now: UtcMs, debtors: &[DebtorId]) {
        for debtor in debtors {
            self.take(now, Input::Withdraw(*debtor));
        }
    }
}
