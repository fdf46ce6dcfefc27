//! What Stripe says by webhook: its events (docs.stripe.com/api/events/types), as far as money moves by them.

use super::amount::from_stripe;
use domain::ids::PaymentLinkId;
use domain::money::Money;
use domain::ports::{PaymentsError, ProviderEvent, ProviderWhat};
use domain::time::UtcMs;
use serde::Deserialize;

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: serde_json::Value,
}

#[derive(Deserialize)]
struct Paid {
    client_reference_id: Option<String>,
    payment_intent: Option<String>,
    payment_status: String,
    amount_total: Option<i64>,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Charge {
    payment_intent: Option<String>,
    amount_refunded: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    payment_intent: Option<String>,
    amount: i64,
    currency: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    status: String,
}

fn money(amount: i64, currency: &str) -> Result<Money, PaymentsError> {
    let bad = |text: String| PaymentsError::Body(text);
    let code = currency.to_ascii_uppercase();
    let currency = code.parse().map_err(|e| bad(format!("currency: {e}")))?;
    from_stripe(amount, currency).ok_or_else(|| bad("amount: does not come out whole".to_owned()))
}

/// Reads an event whose signature fits.
pub(super) fn read(body: &[u8]) -> Result<ProviderEvent, PaymentsError> {
    let bad = |e: serde_json::Error| PaymentsError::Body(e.to_string());
    let event: Event = serde_json::from_slice(body).map_err(bad)?;
    let object = event.data.object;
    let what = match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let session: Paid = serde_json::from_value(object).map_err(bad)?;
            paid(&event.kind, session)?
        }
        "checkout.session.expired" => {
            let session: Paid = serde_json::from_value(object).map_err(bad)?;
            match link_of(session.client_reference_id.as_deref()) {
                Some(link) => ProviderWhat::Expired { link },
                None => ProviderWhat::Other(event.kind),
            }
        }
        "charge.refunded" => {
            let charge: Charge = serde_json::from_value(object).map_err(bad)?;
            match charge.payment_intent {
                Some(intent) => ProviderWhat::Refunded {
                    money: intent,
                    total: money(charge.amount_refunded, &charge.currency)?,
                },
                None => ProviderWhat::Other(event.kind),
            }
        }
        kind if kind.starts_with("charge.dispute.") => {
            let dispute: Dispute = serde_json::from_value(object).map_err(bad)?;
            disputed(&event.kind, dispute)?
        }
        _ => ProviderWhat::Other(event.kind),
    };
    Ok(ProviderEvent {
        id: event.id,
        at: UtcMs(event.created.saturating_mul(1_000)),
        what,
    })
}

/// Only `funds_withdrawn` and `funds_reinstated` say that money moved; a dispute is opened and closed without.
fn disputed(kind: &str, told: Dispute) -> Result<ProviderWhat, PaymentsError> {
    let amount = money(told.amount, &told.currency)?;
    let (Some(money), dispute) = (told.payment_intent, told.id) else {
        // A charge without an intent is none of ours: sessions make intents.
        return Ok(ProviderWhat::Other(kind.to_owned()));
    };
    Ok(match kind {
        "charge.dispute.created" => ProviderWhat::Disputed {
            money,
            dispute,
            amount,
            reason: told.reason,
        },
        "charge.dispute.funds_withdrawn" => ProviderWhat::Withdrawn {
            money,
            dispute,
            amount,
        },
        "charge.dispute.funds_reinstated" => ProviderWhat::Reinstated {
            money,
            dispute,
            amount,
        },
        "charge.dispute.closed" => ProviderWhat::Settled {
            money,
            dispute,
            amount,
            outcome: told.status,
        },
        _ => ProviderWhat::Other(kind.to_owned()),
    })
}

fn link_of(reference: Option<&str>) -> Option<PaymentLinkId> {
    reference?.parse().ok()
}

/// A session that is done: its money may still be on the way (`unpaid`), then another event follows.
fn paid(kind: &str, session: Paid) -> Result<ProviderWhat, PaymentsError> {
    let other = || ProviderWhat::Other(kind.to_owned());
    if session.payment_status != "paid" {
        return Ok(other());
    }
    // A session that is none of ours: the account may have other uses.
    let Some(link) = link_of(session.client_reference_id.as_deref()) else {
        return Ok(other());
    };
    match (
        session.payment_intent,
        session.amount_total,
        session.currency,
    ) {
        (Some(intent), Some(total), Some(currency)) => Ok(ProviderWhat::Paid {
            link,
            money: intent,
            amount: money(total, &currency)?,
        }),
        _ => Err(PaymentsError::Body(
            "a paid session without payment_intent, amount_total or currency".to_owned(),
        )),
    }
}
