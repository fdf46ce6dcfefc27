//! A caller from a number of nobody we know: where the campaign wants it he waits like others, on a file of
//! his own that holds his calls until an agent says who he is.

use super::Came;
use crate::shared::Shared;
use domain::entity::{
    Campaign, Channel, ContactPoint, Debt, DebtStatus, Debtor, InboundOutcome, PartyRole,
    PointClass,
};
use domain::ids::{ClientId, DebtId, DebtorId, PersonId, PointId};
use domain::phone::Phone;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, ListFilter, PageRequest, StoreError};
use domain::rules::reach::CALLED_US;
use domain::time::UtcMs;
use std::borrow::Cow;

/// What the law is asked about a caller whose debts are not known: him who most likely has one. Its hours,
/// its holds and its lists bind; that we know of no debt does not.
pub(crate) fn as_debtor(facts: &ContactFacts) -> Cow<'_, ContactFacts> {
    if !facts.debtor.is_stranger() {
        return Cow::Borrowed(facts);
    }
    let (debtor, at) = (&facts.debtor, facts.debtor.created_at);
    let debt = Debt {
        id: DebtId(debtor.id.0),
        debtor_id: debtor.id,
        client_id: debtor.client_id,
        portfolio_id: debtor.portfolio_id,
        external_ref: String::new(),
        product: String::new(),
        currency: facts.portfolio.currency,
        principal_minor: 0,
        interest_minor: 0,
        fees_minor: 0,
        overdue_minor: 0,
        minimum_minor: 0,
        due_date: String::new(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: at,
        updated_at: at,
    };
    Cow::Owned(ContactFacts {
        debts: vec![debt],
        ..facts.clone()
    })
}

/// The number somebody called us from, as a point.
fn point(shared: &Shared, debtor: DebtorId, number: &str, now: UtcMs) -> ContactPoint {
    ContactPoint {
        id: PointId(shared.id()),
        debtor_id: debtor,
        role: PartyRole::Titular,
        channel: Channel::Call,
        value: Pii(number.to_owned()),
        class: PointClass::Mobile,
        source: "called_us".to_owned(),
        given_by_debtor: true,
        authorised: true,
        confidence: CALLED_US,
        position: 0,
        bad: false,
        last_rpc_at: None,
        added_at: now,
    }
}

/// The number that can be called back, as our files have it: carriers show mobiles in another form than files do, and
/// what is in no numbering plan reaches nobody.
fn callable(shown: &str) -> Option<Phone> {
    domain::phone::forms(shown)
        .iter()
        .find_map(|form| Phone::parse(form, None).ok())
}

/// A file that is not written yet, with what the law would be asked about it.
pub(super) struct Fresh {
    pub(super) debtor: Debtor,
    pub(super) point: ContactPoint,
    pub(super) facts: ContactFacts,
}

/// Drafts the file of a caller whom nobody knows, to be written with his call once that is taken; the error
/// where he cannot wait: the campaign does not want it, its queue has no room, or his number is in no numbering plan.
pub(super) async fn draft(
    shared: &Shared,
    client: ClientId,
    campaign: &Campaign,
    came: &Came,
    now: UtcMs,
) -> Result<Result<Fresh, InboundOutcome>, StoreError> {
    let phone = came.caller.as_deref().and_then(callable);
    let country = phone.as_ref().and_then(Phone::country);
    let (Some(phone), Some(country), true) = (phone, country, campaign.params.inbound.unknown)
    else {
        return Ok(Err(InboundOutcome::Unidentified));
    };
    // The law is not asked for who cannot wait anyway.
    let (id, most) = (campaign.id, campaign.params.inbound.queue_max);
    let room = shared
        .post
        .call(move |engine, _| engine.queue_room(id, most))
        .await;
    if let Err(outcome) = room.unwrap_or(Err(InboundOutcome::NotServed)) {
        return Ok(Err(outcome));
    }
    let ours = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let first = PageRequest {
        limit: 1,
        cursor: None,
    };
    let store = &shared.out.store;
    let portfolios = store.list_portfolios(&ours, &first).await?.items;
    let Some(portfolio) = portfolios.first() else {
        return Ok(Err(InboundOutcome::Unidentified));
    };
    let ids = (DebtorId(shared.id()), PersonId(shared.id()));
    let debtor = Debtor::stranger(ids, portfolio, country, now);
    let point = point(shared, debtor.id, phone.e164(), now);
    let facts = store.stranger_facts(&debtor, &point, now).await?;
    Ok(Ok(Fresh {
        debtor,
        point,
        facts,
    }))
}
