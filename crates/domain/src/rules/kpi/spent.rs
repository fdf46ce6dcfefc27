//! What contacts cost: attempts by the client's rates, messages by what their gateways asked.

use super::facts::{View, fact};
use super::{KpiFact, KpiRows, KpiWorld};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtorId, MessageId};
use crate::money::Currency;
use crate::time::UtcMs;

/// A message that cost something, as the figures see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiMessage {
    /// Identity.
    pub id: MessageId,
    /// Owner.
    pub client_id: ClientId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Taken by its gateway at.
    pub sent_at: UtcMs,
    /// Millionths of the currency.
    pub cost_micro: i64,
    /// Currency.
    pub currency: Currency,
}

/// Millionths of a unit as minor units of the currency, to the nearest: a message that costs less than half of
/// one counts as none.
#[must_use]
pub fn minor_of(micro: i64, currency: Currency) -> i64 {
    let unit = 10_i64.pow(currency.minor_digits());
    micro.saturating_mul(unit).saturating_add(500_000) / 1_000_000
}

impl View<'_> {
    /// Attempts, and messages where no campaign and no agent is asked for: a message has neither.
    pub(super) fn spent(&self) -> Vec<KpiFact> {
        let mut rows = self.attempts(KpiRows::Attempts);
        if self.ask.campaign.is_some() || self.ask.agents.is_some() {
            return rows;
        }
        let ours = |m: &&super::KpiMessage| {
            m.client_id == self.ask.client && m.currency == self.ask.currency && m.cost_micro > 0
        };
        let all = self.world.messages.values().filter(ours);
        let within = all.filter(|m| self.within(m.sent_at) && self.of_portfolio(m.debtor_id));
        rows.extend(within.map(|m| {
            let cost = minor_of(m.cost_micro, m.currency);
            fact(m.sent_at, m.id.0, m.debtor_id, 0, cost)
        }));
        rows
    }
}

impl KpiWorld {
    /// Takes a `message.sent`; one that cost nothing changes nothing.
    pub(super) fn sent(&mut self, event: &NewEvent) -> Option<()> {
        let data = &event.data;
        let cost_micro = data.get("cost_micro")?.as_i64().filter(|c| *c > 0)?;
        let row = KpiMessage {
            id: event.subject.split_once(':')?.1.parse().ok()?,
            client_id: event.client_id?,
            debtor_id: data.get("debtor_id")?.as_str()?.parse().ok()?,
            sent_at: data.get("sent_at")?.as_str()?.parse().ok()?,
            cost_micro,
            currency: data.get("currency")?.as_str()?.parse().ok()?,
        };
        self.messages.insert(row.id, row);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::kpi::{CostRates, KpiAsk, KpiPeriod, KpiSums};
    use crate::time::DAY_MS;
    use serde_json::json;
    use uuid::Uuid;

    fn mxn() -> Currency {
        "MXN".parse().unwrap()
    }

    #[test]
    fn millionths_are_rounded_to_the_nearest_minor_unit() {
        assert_eq!(minor_of(350_000, mxn()), 35);
        assert_eq!(minor_of(5_000, mxn()), 1);
        assert_eq!(minor_of(4_999, mxn()), 0);
        assert_eq!(minor_of(1_600_000, "CLP".parse().unwrap()), 2);
    }

    #[test]
    fn messages_cost_in_their_currency_and_to_no_agent() {
        let (client, debtor) = (ClientId(Uuid::from_u128(1)), DebtorId(Uuid::from_u128(2)));
        let mut world = KpiWorld::default();
        let mut told = |n: u128, cost: i64, currency: &str| {
            world.take(&NewEvent {
                id: crate::ids::EventId(Uuid::from_u128(90 + n)),
                at: UtcMs(DAY_MS),
                client_id: Some(client),
                actor: "system".into(),
                kind: "message.sent".into(),
                subject: format!("message:{}", Uuid::from_u128(n)),
                data: json!({"debtor_id": debtor, "cost_micro": cost, "currency": currency,
                    "sent_at": UtcMs(DAY_MS)}),
            });
        };
        told(10, 350_000, "MXN");
        told(10, 350_000, "MXN");
        told(11, 400_000, "MXN");
        told(12, 900_000, "USD");
        told(13, 0, "MXN");
        let ask = KpiAsk {
            client,
            portfolio: None,
            campaign: None,
            agents: None,
            currency: mxn(),
            period: KpiPeriod {
                from_day: 1,
                to_day: 2,
                from: UtcMs(DAY_MS),
                to: UtcMs(2 * DAY_MS),
            },
            rates: CostRates::default(),
        };
        let sums = KpiSums::over(&world.facts(KpiRows::Spent, &ask));
        assert_eq!((sums.rows, sums.weight), (2, 75), "each once");
        let nobody = KpiAsk {
            agents: Some(vec![]),
            ..ask
        };
        assert!(world.facts(KpiRows::Spent, &nobody).is_empty());
    }
}
