//! Whether the law rations a client's contacts by phone: then the hour of each is chosen unless somebody says otherwise
//! (best use of a contact).

use crate::error::CenterError;
use crate::shared::Shared;
use domain::ids::ClientId;
use domain::law::Place;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use std::sync::Arc;

/// Whether a pack of any of the client's portfolios does. A portfolio is of the country of its first debtor; one without
/// debtors says nothing.
pub(crate) async fn of_client(shared: Arc<Shared>, client: ClientId) -> Result<bool, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let ours = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let whole = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let first = PageRequest {
        limit: 1,
        cursor: None,
    };
    for portfolio in store.list_portfolios(&ours, &whole).await?.items {
        let within = ListFilter {
            portfolio_id: Some(portfolio.id),
            ..ListFilter::default()
        };
        let debtors = store.list_debtors(&within, &first).await?.items;
        let rationed = debtors
            .first()
            .is_some_and(|debtor| shared.out.law.rations(&Place::of(debtor, &portfolio), now));
        if rationed {
            return Ok(true);
        }
    }
    Ok(false)
}
