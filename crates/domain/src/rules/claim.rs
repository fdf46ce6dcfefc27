//! Which payment is the one that a debtor says he made, and what becomes of his claim.

use crate::entity::{Claim, ClaimState, Payment};
use crate::event::NewEvent;
use crate::ids::EventId;
use crate::ports::store::ClaimEnd;
use crate::segment::{day_of_date, utc_day};
use crate::time::UtcMs;
use serde_json::json;
use uuid::Uuid;

/// Farthest that the date of a payment may be from the day which the debtor named, days: banks take so long, and nobody
/// remembers better.
pub const CLAIM_MATCH_DAYS: i64 = 3;

/// Who closes a claim by its date.
const SYSTEM: &str = "system";

/// Whether a payment of the same debtor may be the one that he means: money that came in within
/// [`CLAIM_MATCH_DAYS`] of the day which he named. How much he paid he is not asked.
#[must_use]
pub fn is_meant(claim: &Claim, payment: &Payment) -> bool {
    let came = payment.amount.amount_minor > 0 && payment.reverses.is_none();
    let near = day_of_date(&claim.paid_on)
        .is_some_and(|day| (utc_day(payment.paid_at) - day).abs() <= CLAIM_MATCH_DAYS);
    came && near && payment.debtor_id == claim.debtor_id
}

/// The end of a claim by a payment that is meant.
#[must_use]
pub fn by_itself(payment: &Payment, at: UtcMs) -> ClaimEnd {
    ClaimEnd {
        payment_id: Some(payment.id),
        reason: String::new(),
        by: SYSTEM.to_owned(),
        at,
    }
}

/// A claim after its end.
#[must_use]
pub fn ended(claim: &Claim, end: &ClaimEnd) -> Claim {
    Claim {
        state: match end.payment_id {
            Some(_) => ClaimState::Found,
            None => ClaimState::NotFound,
        },
        payment_id: end.payment_id,
        reason: end.reason.clone(),
        ended_by: end.by.clone(),
        ended_at: Some(end.at),
        ..claim.clone()
    }
}

/// A claim whose payment was taken back: open as it was, to be looked for again.
#[must_use]
pub fn reopened(claim: &Claim) -> Claim {
    Claim {
        state: ClaimState::Open,
        payment_id: None,
        reason: String::new(),
        ended_by: String::new(),
        ended_at: None,
        ..claim.clone()
    }
}

/// What is told of a claim that was closed or opened again: never why, which a person wrote.
#[must_use]
pub fn told(claim: &Claim, at: UtcMs) -> NewEvent {
    let kind = match claim.state {
        ClaimState::Open => "claim.reopened",
        ClaimState::Found => "claim.found",
        ClaimState::NotFound => "claim.not_found",
    };
    let end = match claim.payment_id {
        Some(payment) => format!("{kind}:{payment}"),
        None => format!("{kind}:{}", at.0),
    };
    NewEvent {
        // A claim ends once by one payment or at one instant, however often its payments are taken back.
        id: EventId(Uuid::new_v5(&claim.id.0, end.as_bytes())),
        at,
        client_id: Some(claim.client_id),
        actor: match claim.state {
            ClaimState::Open => SYSTEM.to_owned(),
            _ => claim.ended_by.clone(),
        },
        kind: kind.to_owned(),
        subject: format!("claim:{}", claim.id),
        data: json!({
            "claim_id": claim.id, "debtor_id": claim.debtor_id, "attempt_id": claim.attempt_id,
            "paid_on": claim.paid_on, "state": claim.state, "payment_id": claim.payment_id,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::PaymentChannel;
    use crate::ids::{AttemptId, ClaimId, ClientId, DebtId, DebtorId, PaymentId};
    use crate::money::Money;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn claim(paid_on: &str) -> Claim {
        Claim {
            id: ClaimId(id(1)),
            client_id: ClientId(id(2)),
            debtor_id: DebtorId(id(3)),
            attempt_id: AttemptId(id(4)),
            agent_id: None,
            paid_on: paid_on.to_owned(),
            channel: PaymentChannel::Cash,
            proof: true,
            made_at: UtcMs(0),
            state: ClaimState::Open,
            payment_id: None,
            reason: String::new(),
            ended_by: String::new(),
            ended_at: None,
        }
    }

    fn payment(paid_at: &str, minor: i64) -> Payment {
        let paid_at: UtcMs = paid_at.parse().expect("an instant");
        Payment {
            id: PaymentId(id(5)),
            client_id: ClientId(id(2)),
            debtor_id: DebtorId(id(3)),
            debt_id: DebtId(id(6)),
            amount: Money::new(minor, "MXN".parse().expect("a currency")),
            paid_at,
            channel: PaymentChannel::Transfer,
            reference: "A-1".to_owned(),
            reverses: None,
            posted_at: paid_at,
        }
    }

    #[test]
    fn money_of_the_days_around_is_meant() {
        let said = claim("2026-11-20");
        for (at, meant) in [
            ("2026-11-16T23:59:59Z", false),
            ("2026-11-17T00:00:00Z", true),
            ("2026-11-20T18:00:00Z", true),
            ("2026-11-23T23:59:59Z", true),
            ("2026-11-24T00:00:00Z", false),
        ] {
            assert_eq!(is_meant(&said, &payment(at, 100)), meant, "{at}");
        }
        assert!(!is_meant(
            &claim("mañana"),
            &payment("2026-11-20T18:00:00Z", 100)
        ));
    }

    #[test]
    fn neither_anothers_money_nor_what_was_taken_back_is_meant() {
        let (said, at) = (claim("2026-11-20"), "2026-11-20T18:00:00Z");
        assert!(!is_meant(&said, &payment(at, -100)));
        let back = Payment {
            reverses: Some(PaymentId(id(7))),
            ..payment(at, 100)
        };
        assert!(!is_meant(&said, &back));
        let anothers = Payment {
            debtor_id: DebtorId(id(8)),
            ..payment(at, 100)
        };
        assert!(!is_meant(&said, &anothers));
    }

    #[test]
    fn its_end_is_told_without_a_word_of_why() {
        let said = claim("2026-11-20");
        let end = ClaimEnd {
            payment_id: None,
            reason: "no está en el banco".to_owned(),
            by: "user:1".to_owned(),
            at: UtcMs(9),
        };
        let gone = ended(&said, &end);
        assert_eq!(gone.state, ClaimState::NotFound);
        let event = told(&gone, UtcMs(9));
        assert_eq!(
            (event.kind.as_str(), event.actor.as_str()),
            ("claim.not_found", "user:1")
        );
        assert!(!event.data.to_string().contains("banco"));
        let found = ended(
            &said,
            &by_itself(&payment("2026-11-20T18:00:00Z", 1), UtcMs(9)),
        );
        assert_eq!(reopened(&found), said);
        let again = told(&reopened(&found), UtcMs(10));
        assert_eq!(
            (again.kind.as_str(), again.actor.as_str()),
            ("claim.reopened", "system")
        );
        assert_ne!(again.id, told(&reopened(&found), UtcMs(11)).id);
        assert_eq!(
            (found.state, found.ended_by.as_str()),
            (ClaimState::Found, "system")
        );
    }
}
