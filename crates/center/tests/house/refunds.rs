//! Refunds of money that waits for its debtor, told by several deliveries at once.

use crate::world::{House, client_id, id};
use center::ProviderDone;
use domain::entity::{PaymentChannel, Receipt, ReceiptSource, ReceiptState};
use domain::ids::ReceiptId;
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::ReceiptStore as _;
use domain::ports::{Clock as _, ProviderEvent, ProviderWhat};

/// How often each is tried, with another order of reads and writes.
const SEEDS: u64 = 12;

/// Money of a provider that is on no debt.
async fn waiting(house: &House, money: &str, minor: i64) -> ReceiptId {
    let now = house.clock.now();
    let row = Receipt {
        id: ReceiptId(id(now.0.unsigned_abs().into())),
        client_id: client_id(),
        source: ReceiptSource::Provider,
        reference: format!("stripe:{money}"),
        amount: Money::new(minor, "MXN".parse().expect("currency")),
        left_minor: minor,
        returned_minor: 0,
        paid_at: now,
        channel: PaymentChannel::Link,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
    };
    house.store.take_receipt(&row, &[]).await.expect("taken");
    row.id
}

/// Words that are carried out at the same time.
async fn at_once(house: &House, words: &[(&str, ProviderWhat)]) -> Vec<ProviderDone> {
    let mut all = Vec::new();
    for (event, what) in words {
        let event = ProviderEvent {
            id: (*event).to_owned(),
            at: house.clock.now(),
            what: what.clone(),
        };
        let center = house.center.clone();
        let said = async move { center.provider_said("stripe", event).await };
        all.push(tokio::spawn(said));
    }
    let mut done = Vec::new();
    for word in all {
        done.push(word.await.expect("ran").expect("carried out"));
    }
    done
}

fn refund(money: &str, minor: i64) -> ProviderWhat {
    ProviderWhat::Refunded {
        money: money.into(),
        total: Money::new(minor, "MXN".parse().expect("currency")),
    }
}

async fn house(seed: u64) -> House {
    let house = House::with(1).await;
    house.store.set_latency(seed, 40);
    house
}

async fn left(house: &House, id: ReceiptId) -> (i64, i64) {
    let row = house.store.get_receipt(id).await.expect("receipt");
    (row.returned_minor, row.left_minor)
}

#[tokio::test(start_paused = true)]
async fn a_refund_told_twice_at_once_is_taken_once() {
    for seed in 0..SEEDS {
        let house = house(seed).await;
        let receipt = waiting(&house, "pi_1", 50_000).await;
        let words = [
            ("e1", refund("pi_1", 10_000)),
            ("e1", refund("pi_1", 10_000)),
        ];
        let done = at_once(&house, &words).await;
        let times = done.iter().filter(|d| **d == ProviderDone::Done).count();
        assert_eq!(times, 1, "seed {seed}: {done:?}");
        assert_eq!(left(&house, receipt).await, (10_000, 40_000), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn sums_of_refunds_that_come_together_count_as_the_greater() {
    for seed in 0..SEEDS {
        let house = house(seed).await;
        let receipt = waiting(&house, "pi_2", 50_000).await;
        let words = [
            ("e1", refund("pi_2", 10_000)),
            ("e2", refund("pi_2", 20_000)),
        ];
        at_once(&house, &words).await;
        assert_eq!(left(&house, receipt).await, (20_000, 30_000), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refund_beside_a_dispute_takes_its_own_sum() {
    for seed in 0..SEEDS {
        let house = house(seed).await;
        let receipt = waiting(&house, "pi_3", 50_000).await;
        let dispute = ProviderWhat::Withdrawn {
            money: "pi_3".into(),
            dispute: "dp_1".into(),
            amount: Money::new(10_000, "MXN".parse().expect("currency")),
        };
        let words = [("e1", refund("pi_3", 10_000)), ("e2", dispute)];
        at_once(&house, &words).await;
        assert_eq!(left(&house, receipt).await, (20_000, 30_000), "seed {seed}");
    }
}
