//! What a trial's steps cost: messages by what their gateways ask, calls by the client's own rates.

use super::dry_run::TrialCost;
use crate::shared::Shared;
use domain::entity::Channel;
use domain::ids::{ClientId, PortfolioId};
use domain::money::Currency;
use domain::ports::Messenger;
use domain::ports::store::{ListFilter, PageRequest, StoreError};
use domain::rules::kpi::CostRates;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Millionths of a unit.
const MICRO: i64 = 1_000_000;

/// By channel. A call costs one attempt at least; how long it lasts nobody knows. What nobody asks money for, or
/// of which that is not known, has no currency.
pub(super) async fn costs(
    shared: &Shared,
    client: ClientId,
    portfolio: Option<PortfolioId>,
    sent: &BTreeMap<Channel, u64>,
) -> Result<Vec<TrialCost>, StoreError> {
    let call = match sent.get(&Channel::Call) {
        Some(_) => attempt(shared, client, portfolio).await?,
        None => (0, None),
    };
    let price = |channel: Channel| {
        if channel == Channel::Call {
            return call;
        }
        let carries = |m: &&Arc<dyn Messenger>| m.channels().contains(&channel);
        let carrier = shared.config.messengers.iter().find(carries);
        carrier.map_or((0, None), |m| m.price())
    };
    let cost = |(channel, count): (&Channel, &u64)| {
        let (micro, currency) = price(*channel);
        let times = i64::try_from(*count).unwrap_or(i64::MAX);
        TrialCost {
            channel: *channel,
            messages: *count,
            cost_micro: micro.saturating_mul(times),
            currency,
        }
    };
    Ok(sent.iter().map(cost).collect())
}

/// What an attempt costs, millionths of the portfolio's currency, or of the client's first one.
async fn attempt(
    shared: &Shared,
    client: ClientId,
    portfolio: Option<PortfolioId>,
) -> Result<(i64, Option<Currency>), StoreError> {
    let store = &shared.out.store;
    let text = store.get_setting(&format!("costs:{client}")).await?;
    let rates: Option<CostRates> = text.and_then(|text| serde_json::from_str(&text).ok());
    let minor = rates.map_or(0, |r| r.attempt_minor);
    if minor <= 0 {
        return Ok((0, None));
    }
    let currency = if let Some(id) = portfolio {
        Some(store.get_portfolio(id).await?.currency)
    } else {
        let filter = ListFilter {
            client_id: Some(client),
            ..ListFilter::default()
        };
        let one = PageRequest {
            limit: 1,
            cursor: None,
        };
        let found = store.list_portfolios(&filter, &one).await?;
        found.items.first().map(|p| p.currency)
    };
    let micro = |c: Currency| minor.saturating_mul(MICRO / 10_i64.pow(c.minor_digits()));
    Ok((currency.map_or(0, micro), currency))
}
