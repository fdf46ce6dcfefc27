//! What goes back to its client in bulk, and what debtors take back in bulk: who rings for it is withdrawn.

use crate::world::{House, NOBODY, Plan, client_id, debt_id, debtor_id, id};
use domain::entity::{CallResult, CampaignParams, Channel, Consent, Placement};
use domain::event::NewEvent;
use domain::ids::{ConsentId, DebtorId, EventId, ImportId, PlacementId};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, ImportStore as _};
use domain::time::{DAY_MS, UtcMs};

/// What the log tells of a subject.
fn told(kind: &str, subject: String, now: UtcMs) -> NewEvent {
    NewEvent {
        id: EventId(id(81)),
        at: now,
        client_id: Some(client_id()),
        actor: "system".into(),
        kind: kind.into(),
        subject,
        data: serde_json::json!({}),
    }
}

#[tokio::test(start_paused = true)]
async fn a_recall_ends_what_rings_for_whom_owes_nothing_here_any_more() {
    for kind in [
        "placement.recalled",
        "portfolio.imported",
        "import.reverted",
    ] {
        let house = House::unanswered(2).await;
        let _agents = (house.agent(1).await, house.agent(2).await);
        house.start().await;
        let rings = || house.trunk.live_calls() == 2;
        house.until("both ring", rings).await;
        let (now, store) = (house.clock.now(), &house.store);
        let portfolio = store.get_debt(debt_id(0)).await.expect("debt").portfolio_id;
        let placement = Placement {
            id: PlacementId(id(80)),
            client_id: client_id(),
            portfolio_id: portfolio,
            placed_on: "2025-01-01".into(),
            recall_on: None,
            fee_bp: 1_000,
            recalled_at: Some(now),
            at: now,
            actor: "system".into(),
        };
        let subject = match kind {
            "placement.recalled" => format!("placement:{}", placement.id),
            _ => format!("portfolio:{portfolio}"),
        };
        let told = told(kind, subject, now);
        let debts = [debt_id(0)];
        let recalled = store.recall_debts(ImportId(id(82)), &debts, now);
        assert_eq!(recalled.await.expect("recalled"), 1);
        let kept = store.put_placement(&placement, &[told]).await;
        kept.expect("placement");
        let one = || house.trunk.live_calls() == 1;
        house.until("his ringing ends", one).await;
        let took = house.clock.now().since_ms(now);
        assert!(took < 1_000, "{kind}: {took} ms, not at the ring's end");
        let rows = house.attempts().await;
        let of = |n| rows.iter().find(|a| a.debtor_id == debtor_id(n));
        assert_eq!(
            of(0).and_then(|a| a.result),
            Some(CallResult::Cancelled),
            "{kind}"
        );
        assert_eq!(
            of(1).map(|a| a.ended_at),
            Some(None),
            "{kind}: the other rings on"
        );
        house.center.shutdown().await;
    }
}

/// Whoever is queued here is asked about at once, not one by one, and what is told after a recall does not wait for it.
#[tokio::test(start_paused = true)]
async fn a_recall_asks_about_all_who_are_queued_at_once() {
    let house = House::build(Plan {
        debtors: 40,
        mix: NOBODY,
        params: CampaignParams {
            hopper_min: Some(40),
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    let queued = async || house.row().await.hopper;
    for _ in 0..60 {
        if queued().await > 30 {
            break;
        }
        house.secs(1).await;
    }
    assert!(queued().await > 30, "{}", queued().await);
    let asked = |op: &str| {
        let times = house.center.store_times();
        times.iter().find(|t| t.op == op).map_or(0, |t| t.count)
    };
    let (now, store) = (house.clock.now(), &house.store);
    let portfolio = store.get_debt(debt_id(0)).await.expect("debt").portfolio_id;
    let debts: Vec<_> = (0..40).map(debt_id).collect();
    let recalled = store.recall_debts(ImportId(id(82)), &debts, now);
    assert_eq!(recalled.await.expect("recalled"), 40);
    let before = (asked("contact_facts"), asked("owing"));
    let told = told("portfolio.imported", format!("portfolio:{portfolio}"), now);
    store.append_events(&[told]).await.expect("told");
    house.secs(1).await;
    assert_eq!((queued().await, house.trunk.live_calls()), (0, 0));
    assert_eq!(asked("owing") - before.1, 1, "all of them at once");
    assert_eq!(asked("contact_facts"), before.0, "nobody alone");
    assert_eq!(house.center.recalls_left(), 0);
    house.center.shutdown().await;
}

fn consent(n: u128, debtor: DebtorId, revoked: bool, now: UtcMs) -> Consent {
    Consent {
        id: ConsentId(id(n)),
        debtor_id: debtor,
        channel: Channel::Call,
        purpose: "contact".into(),
        granted_at: now.plus_ms(-DAY_MS),
        until: None,
        revoked_at: revoked.then_some(now),
        proof: "form".into(),
        revoke_proof: revoked.then(|| "form 2".into()),
    }
}

/// A file of consents: one takes back what stood, one refuses what nobody had recorded, one allows, one is not in it.
#[tokio::test(start_paused = true)]
async fn a_file_that_takes_consents_back_ends_what_rings_for_whom_it_names() {
    let house = House::unanswered(4).await;
    let stood = consent(90, debtor_id(0), false, house.clock.now());
    house.store.put_consent(&stood, &[]).await.expect("consent");
    let mut agents = Vec::new();
    for n in 1..=4 {
        agents.push(house.agent(n).await);
    }
    house.start().await;
    house
        .until("all ring", || house.trunk.live_calls() == 4)
        .await;
    let (now, store) = (house.clock.now(), &house.store);
    let says = [
        Consent {
            revoked_at: Some(now),
            revoke_proof: Some("form 2".into()),
            ..stood
        },
        consent(91, debtor_id(1), true, now),
        consent(92, debtor_id(2), false, now),
    ];
    for row in &says {
        store.put_consent(row, &[]).await.expect("consent");
    }
    let portfolio = store.get_debt(debt_id(0)).await.expect("debt").portfolio_id;
    let told = told("portfolio.imported", format!("portfolio:{portfolio}"), now);
    store.append_events(&[told]).await.expect("told");
    house
        .until("two end", || house.trunk.live_calls() == 2)
        .await;
    let took = house.clock.now().since_ms(now);
    assert!(took < 1_000, "{took} ms, not at the ring's end");
    let rows = house.attempts().await;
    let result = |n| {
        let of = rows.iter().find(|a| a.debtor_id == debtor_id(n));
        of.and_then(|a| a.result)
    };
    let ended = Some(CallResult::Cancelled);
    assert_eq!([result(0), result(1)], [ended, ended]);
    assert_eq!([result(2), result(3)], [None, None], "they ring on");
    house.center.shutdown().await;
}
