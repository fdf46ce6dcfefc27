//! Where letters and visits go to who has no postal address among his points.

use crate::entity::{Channel, ContactPoint, PartyRole, PointClass};
use crate::ids::PointId;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use uuid::Uuid;

/// His postal address among his points.
#[must_use]
pub fn postal_point(facts: &ContactFacts) -> Option<&ContactPoint> {
    let mut points = facts.points.iter();
    points.find(|p| p.channel == Channel::Letter && !p.bad)
}

/// Who has no postal address among his points is judged as at that of his file or his contract; the latter is
/// the creditor's to fill in. Holds, wishes and caps bind him all the same.
#[must_use]
pub fn at_his_contract(mut facts: ContactFacts) -> ContactFacts {
    if postal_point(&facts).is_none() {
        let debtor_id = facts.debtor.id;
        facts.points.push(ContactPoint {
            id: PointId(Uuid::new_v5(&debtor_id.0, b"letter")),
            debtor_id,
            role: PartyRole::Titular,
            channel: Channel::Letter,
            value: String::new().into(),
            class: PointClass::Other,
            source: "contract".to_owned(),
            given_by_debtor: true,
            authorised: true,
            confidence: 0,
            position: 0,
            bad: false,
            last_rpc_at: None,
            added_at: UtcMs(0),
        });
    }
    facts
}
