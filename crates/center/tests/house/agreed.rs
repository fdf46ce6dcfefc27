//! A call-back as it was agreed: in its agent's calendar, made at the debtor's hour by him, gone once he has paid.

use crate::stops::payment;
use crate::world::{House, Plan, agent_id, ask, debtor_id};
use center::{Actor, DisposeAsk};
use domain::ids::{AgentId, DebtorId};
use domain::ports::Clock as _;
use domain::ports::store::{
    CallbackAsk, CallbackRow, CatalogStore as _, ContactStore as _, FloorStore as _,
};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};

/// Where the debtors live, an hour ahead of their portfolio.
const THERE: &str = "America/Cancun";
/// Thursday, 16:00 there.
const AGREED: &str = "2026-11-26T21:00:00Z";

async fn live_there(house: &House, n: u128) {
    let mut row = house.store.get_debtor(debtor_id(n)).await.expect("debtor");
    row.told_zone = Some(THERE.into());
    row.told_zone_at = Some(house.clock.now());
    house.store.put_debtor(&row, &[]).await.expect("debtor");
}

/// An agent's calendar of the week: with whom, and when it is there.
async fn calendar(house: &House, agent: AgentId) -> Vec<(DebtorId, String)> {
    let now = house.clock.now();
    let ask = CallbackAsk {
        client: None,
        agents: Some(vec![agent]),
        anyone: false,
        campaign: None,
        from: now,
        to: now.plus_ms(7 * DAY_MS),
        after: None,
        limit: 10,
    };
    let mut rows = Vec::new();
    for row in house.store.callbacks(&ask).await.expect("calendar") {
        let debtor = row.item.debtor_id;
        let facts = house.store.contact_facts(debtor, now).await;
        let zone = house.center.zone_of(&facts.expect("facts"));
        let zone = domain::time::zone(&zone).expect("a zone");
        let local = CallbackRow::agreed_at(&row.item).in_zone(&zone);
        rows.push((debtor, local.strftime("%d %H:%M").to_string()));
    }
    rows
}

async fn pays(house: &House, n: u128) {
    let payment = payment(house, n, 1_000_000, "agreed");
    let done = house.center.post_payment(Actor::System, payment).await;
    assert!(done.expect("posted").debt_paid);
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_in_the_calendar_made_at_its_hour_and_gone_when_paid_row_10() {
    let plan = Plan {
        debtors: 2,
        ..Plan::default()
    };
    let house = House::build(plan).await;
    live_there(&house, 0).await;
    live_there(&house, 1).await;
    let agent = house.agent(1).await;
    house.start().await;
    let at: UtcMs = AGREED.parse().expect("an instant");
    for _ in 0..2 {
        let attempt = house.talking(&agent).await;
        let later = DisposeAsk {
            callback_at: Some(at),
            ..ask("CD.VL.MISMO")
        };
        let me = Actor::Agent(agent.id);
        let done = house.center.dispose(me, attempt, later).await;
        done.expect("disposed");
        house.hang_up(&agent, attempt).await;
    }
    house.secs(60).await;
    let hour = "26 16:00".to_owned();
    let both = [(debtor_id(0), hour.clone()), (debtor_id(1), hour.clone())];
    assert_eq!(calendar(&house, agent.id).await, both);
    assert_eq!(calendar(&house, agent_id(2)).await, []);
    pays(&house, 1).await;
    assert_eq!(calendar(&house, agent.id).await, both[..1]);
    house.center.shutdown().await;

    // The next day; a colleague has been ready for longer.
    let plan = Plan::default();
    let house = House::open(house.store, &plan, at.plus_ms(-10 * MINUTE_MS), 8).await;
    let _colleague = house.agent(2).await;
    house.secs(5).await;
    let agent = house.agent(1).await;
    let attempt = house.talking(&agent).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.debtor_id, debtor_id(0));
    let late = row.opened_at.since_ms(at);
    assert!(
        (0..5_000).contains(&late),
        "dialed {late} ms after its hour"
    );
    house.hang_up(&agent, attempt).await;
    house.secs(3_600).await;
    let made = house.attempts().await.into_iter();
    let mut again = made.filter(|a| a.debtor_id == debtor_id(1) && a.opened_at >= at);
    assert_eq!(again.next(), None, "who has paid is not called");
}
