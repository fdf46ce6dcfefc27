//! What a row says around a debtor and his debt: points, parties, consents, address.

use super::{Work, consent_key, party_key};
use domain::entity::{
    ADDRESSES_MAX, Address, Consent, ContactPoint, Debt, DebtItem, Party, PartyRole,
};
use domain::ids::{DebtId, DebtorId};
use domain::ports::store::{DebtorRow, item_changes, point_changes};
use domain::rules::due_items;
use std::collections::BTreeMap;

/// The list of due items that a debt has after a row, when it is another than it has: that of the row, or none
/// where the row says nothing of items and they do not explain what is owed now. The due date follows. Before the row
/// `owed_before` of the principal was owed, minor units.
pub(super) fn new_list(
    known: &BTreeMap<DebtId, Vec<DebtItem>>,
    row: &DebtorRow,
    debt: &mut Debt,
    owed_before: i64,
) -> Option<Vec<DebtItem>> {
    let stands = known.get(&debt.id).map_or(&[][..], Vec::as_slice);
    if row.items.is_empty() {
        let holds = due_items::follow_figures(debt, stands, owed_before);
        return (!holds).then(Vec::new);
    }
    let of = |item: &DebtItem| DebtItem {
        debt_id: debt.id,
        ..item.clone()
    };
    let mut list: Vec<DebtItem> = row.items.iter().map(of).collect();
    due_items::sort(&mut list);
    due_items::follow(debt, &list);
    (list != stands).then_some(list)
}

impl Work {
    /// A debt gets another list of due items; the one that it had before the file is kept.
    pub(super) fn set_items(
        &mut self,
        row: &DebtorRow,
        debtor: DebtorId,
        (debt, list): (DebtId, Vec<DebtItem>),
    ) {
        let stood = self.items.insert(debt, list.clone()).unwrap_or_default();
        let before = self.before(row, debtor);
        let new = before.new_debts.contains(&debt);
        if !new && before.items.iter().all(|(of, _)| *of != debt) {
            before.items.push((debt, stood.clone()));
        }
        if !new {
            self.note(row, item_changes(&stood, &list).into_iter().collect());
        }
        self.out.items.insert(debt, list);
    }

    pub(super) fn points(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let mut changed = false;
        for point in &row.points {
            let key = (debtor, point.value.reveal().clone());
            let mut fresh = ContactPoint {
                debtor_id: debtor,
                ..point.clone()
            };
            match self.points.get(&key) {
                Some(stored) => {
                    fresh.keep_proved(stored);
                    if fresh == *stored {
                        continue;
                    }
                    let stored = stored.clone();
                    self.note(row, point_changes(&stored, &fresh));
                    let before = self.before(row, debtor);
                    let known = before.points.iter().any(|p| p.id == stored.id);
                    if !before.new && !known && !before.new_points.contains(&stored.id) {
                        before.points.push(stored);
                    }
                }
                None => {
                    self.report.points_new += 1;
                    let id = fresh.id;
                    self.before(row, debtor).new_points.push(id);
                }
            }
            changed = true;
            self.out.points.insert(key.clone(), fresh.clone());
            self.points.insert(key, fresh);
        }
        changed
    }

    pub(super) fn parties(&mut self, row: &DebtorRow, debtor: DebtorId, debt: DebtId) -> bool {
        let before = self.out.parties.len();
        for party in &row.parties {
            let fresh = Party {
                debtor_id: debtor,
                debt_id: debt,
                ..party.clone()
            };
            if self.parties.insert(party_key(&fresh)) {
                self.report.parties_new += u64::from(fresh.role != PartyRole::Titular);
                self.before(row, debtor).new_parties.push(fresh.id);
                self.out.parties.push(fresh);
            }
        }
        self.out.parties.len() > before
    }

    pub(super) fn consents(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let before = self.out.consents.len();
        for consent in &row.consents {
            let fresh = Consent {
                debtor_id: debtor,
                ..consent.clone()
            };
            if self.consents.insert(consent_key(&fresh)) {
                self.before(row, debtor).new_consents.push(fresh.id);
                self.out.consents.push(fresh);
            }
        }
        self.out.consents.len() > before
    }

    /// A place that is known is confirmed; one that is not is added. Whether it was.
    pub(super) fn address(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let Some(said) = &row.address else {
            return false;
        };
        let of = self.addresses.entry(debtor).or_default();
        if let Some(known) = of.iter_mut().find(|a| a.is_place(said)) {
            known.confirmed_at = said.confirmed_at;
            let id = known.id;
            match self.out.addresses.iter_mut().find(|a| a.id == id) {
                Some(row) => row.clone_from(known),
                None => self.out.addresses.push(known.clone()),
            }
            return false;
        }
        if of.len() >= ADDRESSES_MAX {
            return false;
        }
        let fresh = Address {
            debtor_id: debtor,
            ..said.clone()
        };
        of.push(fresh.clone());
        self.before(row, debtor).new_addresses.push(fresh.id);
        self.out.addresses.push(fresh);
        true
    }
}
