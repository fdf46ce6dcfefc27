//! Debtors whom rows of a file name, before anything of it is written.

use super::{ContactFacts, DebtorRow};
use crate::entity::{Consent, ContactPoint, Debt, DebtStatus, Debtor, Party};
use crate::ids::PortfolioId;
use std::collections::BTreeMap;

/// The facts of debtors whom rows of a file name, each debtor once.
#[derive(Debug, Clone, Default)]
pub struct RowFacts {
    /// Those on file, as they stand.
    pub on_file: Vec<ContactFacts>,
    /// Those who are new, as the rows say, with what is known already of their persons and their numbers.
    pub new: Vec<ContactFacts>,
}

/// A debtor who is not on file yet, as the rows that name him say.
#[derive(Debug, Clone)]
pub struct DraftDebtor {
    /// The debtor, as his first row says.
    pub debtor: Debtor,
    /// His open debts.
    pub debts: Vec<Debt>,
    /// Their parties.
    pub parties: Vec<Party>,
    /// His points, each value once.
    pub points: Vec<ContactPoint>,
    /// Consents.
    pub consents: Vec<Consent>,
    /// Zones of his postal addresses, each once.
    pub address_zones: Vec<String>,
}

impl DraftDebtor {
    /// Of whom no more is known than his points.
    #[must_use]
    pub const fn with_points(debtor: Debtor, points: Vec<ContactPoint>) -> Self {
        Self {
            debtor,
            debts: Vec::new(),
            parties: Vec::new(),
            points,
            consents: Vec::new(),
            address_zones: Vec::new(),
        }
    }

    /// Those whom the rows name, in the order of their keys. Each row reads its debtor anew: what belongs to him is given
    /// the identity of his first row.
    #[must_use]
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = &'a DebtorRow>) -> Vec<Self> {
        let mut found: BTreeMap<(PortfolioId, &str), Self> = BTreeMap::new();
        for row in rows {
            let key = (row.debtor.portfolio_id, row.debtor.external_ref.as_str());
            let draft = found.entry(key);
            draft
                .or_insert_with(|| Self::with_points(row.debtor.clone(), Vec::new()))
                .add(row);
        }
        found.into_values().collect()
    }

    fn add(&mut self, row: &DebtorRow) {
        let debtor_id = self.debtor.id;
        if row.debt.status == DebtStatus::Open {
            let debt = row.debt.clone();
            self.debts.push(Debt { debtor_id, ..debt });
        }
        let parties = row.parties.iter().cloned();
        self.parties
            .extend(parties.map(|party| Party { debtor_id, ..party }));
        for point in &row.points {
            if self.points.iter().all(|known| known.value != point.value) {
                let point = point.clone();
                self.points.push(ContactPoint { debtor_id, ..point });
            }
        }
        let consents = row.consents.iter().cloned();
        self.consents.extend(consents.map(|consent| Consent {
            debtor_id,
            ..consent
        }));
        let zone = row.address.as_ref().and_then(|place| place.zone.clone());
        let fresh = zone.filter(|zone| !self.address_zones.contains(zone));
        self.address_zones.extend(fresh);
    }
}
