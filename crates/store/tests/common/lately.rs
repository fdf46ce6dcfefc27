//! What random people have beside their first debt and its titular: others who answer for it, messages that they wrote,
//! items that are still to fall due, a second promise, and who works them since when.

use crate::maker::Maker;
use domain::entity::{Assignment, Channel, DebtItem, InboxMessage, InboxState, Party, PartyRole};
use domain::pii::Pii;
use domain::ports::store::Heard;
use domain::time::DAY_MS;
use rand::Rng as _;
use sim::contract::scene::*;

impl Maker {
    pub(crate) async fn lately(&mut self, person: &Person) {
        self.others(person).await;
        self.wrote(person).await;
        self.due_soon(person).await;
        self.promised_beside(person).await;
        let given = self.store.assignments_of(&[person.debtor.id]).await;
        for row in given.expect("assigned") {
            let at = self.one(&[NOW, NOW.plus_ms(-DAY_MS + 1), NOW.plus_ms(-40 * DAY_MS)]);
            let row = Assignment {
                assigned_at: at,
                ..row
            };
            self.store.assign(&[row], &[]).await.expect("assigned");
        }
    }

    async fn others(&mut self, person: &Person) {
        for _ in 0..self.rng.random_range(0..3) {
            let role = self.one(&[
                PartyRole::Codeudor,
                PartyRole::ObligadoSolidario,
                PartyRole::Fiador,
                PartyRole::Reference,
            ]);
            let party = Party {
                id: fresh(),
                debt_id: person.debt.id,
                debtor_id: person.debtor.id,
                role,
                name: Pii(self.one(&["X", "Y"]).into()),
            };
            self.store.put_party(&party, &[]).await.expect("party");
        }
    }

    async fn wrote(&mut self, person: &Person) {
        for _ in 0..self.rng.random_range(0..3) {
            let days = self.one(&[0, 1, 7, 40]);
            let row = InboxMessage {
                id: fresh(),
                client_id: Some(person.debtor.client_id),
                debtor_id: self.one(&[None, Some(person.debtor.id)]),
                message_id: None,
                channel: Channel::Sms,
                address: Pii("+525500000000".into()),
                text: Pii("sí".into()),
                gateway: "gate".into(),
                provider_ref: name("in"),
                state: self.one(InboxState::ALL),
                optout: false,
                received_at: NOW.plus_ms(-days * DAY_MS),
                handled_at: None,
                handled_by: String::new(),
            };
            let heard = Heard {
                row,
                ledger: None,
                events: Vec::new(),
            };
            assert!(self.store.hear(&heard).await.expect("heard"));
        }
    }

    /// Items of his debts; those of a debt of nothing are refused.
    async fn due_soon(&mut self, person: &Person) {
        let file = self
            .store
            .debtor_file(person.debtor.id)
            .await
            .expect("file");
        for debt in file.debts {
            if !self.chance(50) {
                continue;
            }
            let item = |reference: &str, due_date: &str, amount_minor: i64| DebtItem {
                debt_id: debt.id,
                reference: reference.to_owned(),
                due_date: due_date.to_owned(),
                amount_minor,
            };
            let first = self.one(&["2026-11-22", "2026-11-23", "2026-12-24"]);
            let second = self.one(&["2026-12-24", "2027-01-24"]);
            let items = [
                item("F1", first, 1),
                item("F2", second, debt.principal_minor - 1),
            ];
            let set = self.store.set_due_items(debt.id, &items, NOW, &[]).await;
            let _set_or_refused = set.expect("asked");
        }
    }

    /// A promise on another debt of his, due on another day or on the same.
    async fn promised_beside(&mut self, person: &Person) {
        let file = self
            .store
            .debtor_file(person.debtor.id)
            .await
            .expect("file");
        let other = file.debts.iter().find(|d| d.id != person.debt.id);
        let Some(other) = other.filter(|_| self.chance(60)) else {
            return;
        };
        let mut promise = person.promise(500);
        promise.debt_id = other.id;
        promise.due_date = self.one(&["2026-11-24", "2026-11-25", "2026-11-26"]).into();
        self.store
            .put_promise(&promise, &[])
            .await
            .expect("promise");
    }
}
