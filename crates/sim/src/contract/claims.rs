//! Claims of payment: made with their disposition, found with the payment that is meant, closed by a person.

use super::attempts::ended;
use super::judges::Allow;
use super::scene::*;
use domain::entity::{
    Attempt, CallResult, Campaign, Claim, ClaimState, Payment, PaymentChannel, Portfolio,
};
use domain::ids::ClaimId;
use domain::money::Money;
use domain::ports::store::{
    CLAIM_NOT_FOUND, ClaimEnd, ClaimFilter, Closing, ItemState, NodeLease, OpenOutcome, PageRequest,
};
use domain::rules::claim::CLAIM_MATCH_DAYS;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// The day that everybody names: that of [`NOW`].
const DAY: &str = "2026-11-23";
/// How long who says so rests, ms.
const REST_MS: i64 = 72 * HOUR_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    it_waits_and_is_closed_once(&store).await;
    not_there_he_is_due_again(&store).await;
    a_later_call_settles_when_he_is_due(&store).await;
    the_payment_that_is_meant_closes_it(&store).await;
    other_money_leaves_it_open(&store).await;
    what_came_before_is_found_at_once(&store).await;
    what_is_taken_back_opens_it_again(&store).await;
    a_second_disposition_brings_none(&store).await;
    it_is_listed_by_portfolio_page_by_page(&store).await;
}

/// A debtor in a campaign, and the node that calls him.
struct Called {
    person: Person,
    portfolio: Portfolio,
    campaign: Campaign,
    lease: NodeLease,
}

impl Called {
    async fn new(store: &Subject) -> Self {
        let scene = Scene::new(store).await;
        let person = scene.person(store).await;
        let campaign = scene.campaign(store).await;
        Self {
            person,
            portfolio: scene.portfolio,
            campaign,
            lease: node(store).await,
        }
    }

    /// A call of the campaign that somebody answered.
    async fn call(&self, store: &Subject) -> Attempt {
        let reserved = reserve(store, &self.campaign, &self.lease, 1).await;
        assert_eq!(reserved.len(), 1, "he is due");
        let draft = self.person.draft(&self.lease, Some(self.campaign.id), NOW);
        let opened = store.open_attempt(&draft, &Allow).await.expect("open");
        let OpenOutcome::Opened(attempt, _) = opened else {
            panic!("expected an opened attempt, got {opened:?}");
        };
        // With its item, so that the lease is given back.
        let over = Closing {
            item: Some(self.item(store).await),
            ..ended(CallResult::Human)
        };
        let closed = store.close_attempt(attempt.id, &over).await;
        assert!(closed.expect("closed"));
        *attempt
    }

    fn claim(&self, attempt: &Attempt) -> Claim {
        Claim {
            id: ClaimId(attempt.id.0),
            client_id: self.person.debtor.client_id,
            debtor_id: self.person.debtor.id,
            attempt_id: attempt.id,
            agent_id: None,
            paid_on: DAY.to_owned(),
            channel: PaymentChannel::Cash,
            proof: true,
            made_at: NOW,
            state: ClaimState::Open,
            payment_id: None,
            reason: String::new(),
            ended_by: String::new(),
            ended_at: None,
        }
    }

    async fn item(&self, store: &Subject) -> ItemState {
        let items = store.items_of(self.person.debtor.id).await.expect("items");
        items.into_iter().next().expect("his item")
    }

    /// A call in which he says that he has paid: he rests for it.
    async fn says(&self, store: &Subject) -> Claim {
        let attempt = self.call(store).await;
        let claim = self.claim(&attempt);
        let item = ItemState {
            next_at: NOW.plus_ms(REST_MS),
            note: "cooloff".to_owned(),
            ..self.item(store).await
        };
        let closing = Closing {
            disposition: Some("CD.YP".to_owned()),
            disposed_at: Some(NOW),
            claim: Some(claim.clone()),
            item: Some(item),
            ..Closing::default()
        };
        let said = store.close_attempt(attempt.id, &closing).await;
        assert!(said.expect("disposed"));
        claim
    }

    async fn post(&self, store: &Subject, payment: &Payment) {
        let done = store.post_payment(payment, &[], &of_promise).await;
        assert!(!done.expect("posted").repeated);
    }
}

async fn stored(store: &Subject, claim: &Claim) -> Claim {
    store.get_claim(claim.id).await.expect("the claim")
}

fn not_there(at: UtcMs) -> ClaimEnd {
    ClaimEnd {
        payment_id: None,
        reason: "no está en el banco".to_owned(),
        by: "user:1".to_owned(),
        at,
    }
}

/// Kinds of what was told of a claim.
async fn told_of(store: &Subject, claim: &Claim) -> Vec<String> {
    let (tail, subject) = (store.last_cursor().await, format!("claim:{}", claim.id));
    let from = (tail.expect("cursor") - 50).max(0);
    let events = store.events_after(from, 100).await.expect("events");
    let own = events.into_iter().filter(|e| e.event.subject == subject);
    own.map(|e| e.event.kind).collect()
}

async fn it_waits_and_is_closed_once(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    assert_eq!(stored(store, &claim).await, claim);
    let own = store.claims_of(claim.debtor_id, 10).await.expect("works");
    assert_eq!(own, std::slice::from_ref(&claim));
    // Money of another day may be it all the same: a person says so.
    let payment = Payment {
        paid_at: NOW.plus_ms(-20 * DAY_MS),
        ..called.person.payment(5_000)
    };
    called.post(store, &payment).await;
    assert_eq!(stored(store, &claim).await.state, ClaimState::Open);
    let end = ClaimEnd {
        payment_id: Some(payment.id),
        reason: String::new(),
        by: "user:1".to_owned(),
        at: NOW.plus_ms(HOUR_MS),
    };
    let told = event("claim.found", &format!("claim:{}", claim.id));
    let rested = called.item(store).await;
    let closed = store.end_claim(claim.id, &end, &[told]).await;
    assert!(closed.expect("works"));
    let after = stored(store, &claim).await;
    assert_eq!(
        (after.state, after.payment_id, after.ended_by.as_str()),
        (ClaimState::Found, Some(payment.id), "user:1")
    );
    assert_eq!(after.ended_at, Some(end.at));
    assert_eq!(called.item(store).await, rested, "nobody calls him for it");
    let late = event("claim.not_found", &format!("claim:{}", claim.id));
    let again = store.end_claim(claim.id, &not_there(NOW), &[late]).await;
    assert!(!again.expect("works"), "it was closed before");
    assert_eq!(stored(store, &claim).await, after);
    assert_eq!(told_of(store, &claim).await, ["claim.found"]);
    let unknown = store.end_claim(fresh(), &not_there(NOW), &[]).await;
    assert!(unknown.is_err());
}

async fn not_there_he_is_due_again(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    let at = NOW.plus_ms(HOUR_MS);
    let closed = store.end_claim(claim.id, &not_there(at), &[]).await;
    assert!(closed.expect("works"));
    let after = stored(store, &claim).await;
    assert_eq!(
        (after.state, after.reason.as_str()),
        (ClaimState::NotFound, "no está en el banco")
    );
    let item = called.item(store).await;
    assert_eq!((item.next_at, item.note.as_str()), (at, CLAIM_NOT_FOUND));
}

async fn a_later_call_settles_when_he_is_due(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    // He rests for what was said in another call of the campaign by now.
    let rests = called.item(store).await;
    let due = ItemState {
        next_at: NOW,
        ..rests.clone()
    };
    store.put_item(&due, &[]).await.expect("due");
    let attempt = called.call(store).await;
    let closing = Closing {
        disposition: Some("CD.NP.NOQUIERE".to_owned()),
        disposed_at: Some(NOW.plus_ms(HOUR_MS)),
        item: Some(rests.clone()),
        ..Closing::default()
    };
    let disposed = store.close_attempt(attempt.id, &closing).await;
    assert!(disposed.expect("disposed"));
    let at = NOW.plus_ms(2 * HOUR_MS);
    let closed = store.end_claim(claim.id, &not_there(at), &[]).await;
    assert!(closed.expect("works"));
    assert_eq!(called.item(store).await, rests);
}

async fn the_payment_that_is_meant_closes_it(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    let payment = Payment {
        paid_at: NOW.plus_ms(-CLAIM_MATCH_DAYS * DAY_MS),
        posted_at: NOW.plus_ms(HOUR_MS),
        ..called.person.payment(5_000)
    };
    called.post(store, &payment).await;
    let after = stored(store, &claim).await;
    assert_eq!(
        (after.state, after.payment_id, after.ended_by.as_str()),
        (ClaimState::Found, Some(payment.id), "system")
    );
    assert_eq!(after.ended_at, Some(payment.posted_at));
    assert_eq!(told_of(store, &claim).await, ["claim.found"]);
}

async fn other_money_leaves_it_open(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    let far = (CLAIM_MATCH_DAYS + 1) * DAY_MS;
    let early = Payment {
        paid_at: NOW.plus_ms(-far),
        ..called.person.payment(5_000)
    };
    called.post(store, &early).await;
    let back = Payment {
        amount: Money::new(-5_000, mxn()),
        reverses: Some(early.id),
        ..called.person.payment(0)
    };
    called.post(store, &back).await;
    let another = Scene::new(store).await.person(store).await;
    called.post(store, &another.payment(5_000)).await;
    assert_eq!(stored(store, &claim).await, claim);
}

async fn what_came_before_is_found_at_once(store: &Subject) {
    let called = Called::new(store).await;
    let gone = called.person.payment(5_000);
    called.post(store, &gone).await;
    let back = Payment {
        amount: Money::new(-5_000, mxn()),
        reverses: Some(gone.id),
        ..called.person.payment(0)
    };
    called.post(store, &back).await;
    let claim = called.says(store).await;
    assert_eq!(
        stored(store, &claim).await.state,
        ClaimState::Open,
        "what was taken back is not it"
    );
    let called = Called::new(store).await;
    let payment = called.person.payment(5_000);
    called.post(store, &payment).await;
    let claim = called.says(store).await;
    let after = stored(store, &claim).await;
    assert_eq!(
        (after.state, after.payment_id),
        (ClaimState::Found, Some(payment.id))
    );
    assert_eq!(told_of(store, &claim).await, ["claim.found"]);
}

async fn what_is_taken_back_opens_it_again(store: &Subject) {
    let called = Called::new(store).await;
    let claim = called.says(store).await;
    let first = Payment {
        posted_at: NOW.plus_ms(HOUR_MS),
        ..called.person.payment(5_000)
    };
    called.post(store, &first).await;
    let back = |of: &Payment, hours: i64| Payment {
        amount: Money::new(-5_000, mxn()),
        reverses: Some(of.id),
        posted_at: NOW.plus_ms(hours * HOUR_MS),
        ..called.person.payment(0)
    };
    called.post(store, &back(&first, 2)).await;
    assert_eq!(stored(store, &claim).await, claim);
    let kinds = told_of(store, &claim).await;
    assert_eq!(kinds, ["claim.found", "claim.reopened"]);
    // Two come in: the first of them is it, and the other one where that is taken back.
    let second = Payment {
        posted_at: NOW.plus_ms(3 * HOUR_MS),
        ..called.person.payment(4_000)
    };
    called.post(store, &second).await;
    let third = Payment {
        posted_at: NOW.plus_ms(4 * HOUR_MS),
        ..called.person.payment(3_000)
    };
    called.post(store, &third).await;
    assert_eq!(stored(store, &claim).await.payment_id, Some(second.id));
    let gone = Payment {
        amount: Money::new(-4_000, mxn()),
        ..back(&second, 5)
    };
    called.post(store, &gone).await;
    let after = stored(store, &claim).await;
    assert_eq!(
        (after.state, after.payment_id),
        (ClaimState::Found, Some(third.id))
    );
    let kinds = told_of(store, &claim).await;
    let twice = ["claim.found", "claim.reopened"].repeat(2);
    assert_eq!(kinds[..4], twice);
    assert_eq!(kinds[4..], ["claim.found"]);
}

async fn a_second_disposition_brings_none(store: &Subject) {
    let called = Called::new(store).await;
    let attempt = called.call(store).await;
    let with = |claim: Option<Claim>| Closing {
        disposition: Some("CD.NP.NOQUIERE".to_owned()),
        disposed_at: Some(NOW),
        claim,
        ..Closing::default()
    };
    let first = store.close_attempt(attempt.id, &with(None)).await;
    assert!(first.expect("disposed"));
    let late = with(Some(called.claim(&attempt)));
    let second = store.close_attempt(attempt.id, &late).await;
    assert!(!second.expect("works"));
    let own = store.claims_of(attempt.debtor_id, 10).await.expect("works");
    assert!(own.is_empty(), "{own:?}");
}

async fn it_is_listed_by_portfolio_page_by_page(store: &Subject) {
    let (one, two) = (Called::new(store).await, Called::new(store).await);
    let first = one.says(store).await;
    let again = ItemState {
        next_at: NOW,
        ..one.item(store).await
    };
    store.put_item(&again, &[]).await.expect("due");
    let second = one.says(store).await;
    two.says(store).await;
    let page = |cursor| PageRequest { limit: 1, cursor };
    for filter in [
        ClaimFilter {
            client_id: Some(first.client_id),
            ..ClaimFilter::default()
        },
        ClaimFilter {
            portfolio_id: Some(one.portfolio.id),
            state: Some(ClaimState::Open),
            ..ClaimFilter::default()
        },
        ClaimFilter {
            debtor_id: Some(first.debtor_id),
            ..ClaimFilter::default()
        },
    ] {
        let found = store.claims_page(&filter, &page(None)).await;
        let found = found.expect("a page");
        assert_eq!(found.items, std::slice::from_ref(&first));
        let rest = store.claims_page(&filter, &page(found.next_cursor)).await;
        let rest = rest.expect("a page");
        assert_eq!(rest.items, std::slice::from_ref(&second));
        assert_eq!(rest.next_cursor, None);
    }
    let newest = store.claims_of(first.debtor_id, 1).await.expect("works");
    assert_eq!(newest, [second]);
    let none = ClaimFilter {
        portfolio_id: Some(one.portfolio.id),
        state: Some(ClaimState::Found),
        ..ClaimFilter::default()
    };
    let none = store.claims_page(&none, &page(None)).await;
    assert!(none.expect("a page").items.is_empty());
}
