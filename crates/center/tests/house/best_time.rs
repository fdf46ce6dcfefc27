//! Order `best_time`: what the attempts say of the hours decides who waits, chance has its share, and why-not tells it.

use crate::world::{House, NOBODY, Plan, campaign_id, client_id, debt_id, debtor_id, id, point_id};
use center::{CallLaw, LawBook};
use domain::entity::{Attempt, AttemptState, CallResult, CampaignParams, DialMode, PointClass};
use domain::ids::{AttemptId, PersonId, TrunkId, VerdictId};
use domain::law::{Action, Judge, Place, RuleBook};
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, ContactFacts, ContactStore as _};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::sync::Arc;

/// Somebody else's debtor: the campaign's earlier calls went to people who left it.
const GONE: u128 = 900;

fn plan(order: &str) -> Plan {
    Plan {
        debtors: 40,
        mix: NOBODY,
        params: CampaignParams {
            mode: DialMode::Preview,
            order: vec![order.to_owned(), "dpd".to_owned()],
            ..CampaignParams::default()
        },
        ..Plan::default()
    }
}

fn past(n: u128, at: UtcMs, reached: bool) -> Attempt {
    Attempt {
        id: AttemptId(id(70_000 + n)),
        client_id: client_id(),
        campaign_id: Some(campaign_id()),
        debtor_id: debtor_id(GONE),
        person_id: PersonId(id(GONE)),
        debt_id: None,
        debts: vec![debt_id(GONE)],
        point_id: point_id(GONE),
        phone: Pii("+525500000900".to_owned()),
        class: PointClass::Mobile,
        trunk_id: TrunkId(id(1)),
        caller_id: None,
        caller_number: String::new(),
        node: "node-0".to_owned(),
        fence: 0,
        direction: domain::entity::Direction::Outbound,
        mode: DialMode::Progressive,
        agent_reserved: true,
        state: AttemptState::Ended,
        opened_at: at,
        invite_at: Some(at),
        ringing_at: None,
        answered_at: None,
        popped_at: None,
        acked_at: None,
        bridged_at: None,
        identity_at: reached.then_some(at),
        ended_at: Some(at),
        result: Some(if reached {
            CallResult::Human
        } else {
            CallResult::NoAnswer
        }),
        sip_code: None,
        q850: None,
        disposition: None,
        note: None,
        disposed_at: None,
        agent_id: None,
        recording_id: None,
        verdict_id: VerdictId(id(1)),
        pack: String::new(),
        pack_version: String::new(),
    }
}

/// Three weeks in which people answer after five and not before.
fn evenings(house: &House, now: UtcMs) {
    house.store.with(|t| {
        let mut n = 0;
        for day in 1..=21 {
            // `now` is 10:00 there.
            for hour in -1..10 {
                for _ in 0..6 {
                    n += 1;
                    let at = now.plus_ms(hour * HOUR_MS - day * DAY_MS);
                    let row = past(n, at, hour >= 7 && n % 2 == 0);
                    t.put_attempt(row);
                }
            }
        }
    });
}

async fn waiting(house: &House) -> Vec<domain::ports::store::ItemState> {
    let mut items = Vec::new();
    for n in 0..40 {
        items.extend(house.store.items_of(debtor_id(n)).await.expect("items"));
    }
    items.retain(|i| i.note.starts_with("better_later"));
    items
}

#[tokio::test(start_paused = true)]
async fn who_answers_in_the_evening_waits_for_it_and_is_told_why() {
    let house = House::build(plan("best_time")).await;
    let now = house.clock.now();
    evenings(&house, now);
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(5).await;
    let later = waiting(&house).await;
    assert!(later.len() >= 10, "{} wait", later.len());
    // They are looked at again within the hour: nobody is put off for long unseen.
    assert!(later.iter().all(|i| {
        let wait = i.next_at.since_ms(now);
        (1..=HOUR_MS + 60_000).contains(&wait) && !i.done
    }));
    let why = house
        .center
        .why_not(later[0].debtor_id, Some(campaign_id()))
        .await
        .expect("explained");
    let told = |rows: &[String], words: &str| rows.iter().any(|r| r.contains(words));
    assert!(
        told(&why.reasons_es, "por qué todavía no: mejor el"),
        "{:?}",
        why.reasons_es
    );
    assert!(
        told(&why.reasons_en, "why not yet: better at"),
        "{:?}",
        why.reasons_en
    );
    // Put off for another reason he is told the better hour to come, and never why now.
    let mut put_off = later[1].clone();
    put_off.note = String::new();
    put_off.next_at = now.plus_ms(2 * HOUR_MS);
    house.store.put_item(&put_off, &[]).await.expect("stored");
    let why = house
        .center
        .why_not(put_off.debtor_id, Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        told(&why.reasons_es, "ahora no se puede; mejor el")
            && !told(&why.reasons_es, "por qué ahora"),
        "{:?}",
        why.reasons_es
    );
    // Agents are given work all the same.
    let counts = house
        .store
        .item_counts(campaign_id(), house.clock.now())
        .await
        .expect("counts");
    assert!(counts.leased > 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn other_orders_do_not_wait() {
    let house = House::build(plan("expected_value")).await;
    evenings(&house, house.clock.now());
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(5).await;
    assert!(waiting(&house).await.is_empty());
    let why = house
        .center
        .why_not(debtor_id(0), Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        !why.reasons_en.iter().any(|r| r.contains("why n")),
        "{:?}",
        why.reasons_en
    );
}

/// The shipped packs, and one that rations contacts in the state of Jalisco.
struct Rationing(RuleBook);

impl Judge for Rationing {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> domain::entity::Verdict {
        self.0.judge(facts, action)
    }
}

impl LawBook for Rationing {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        LawBook::call_law(&self.0, facts, now)
    }
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        LawBook::is_holiday(&self.0, facts, date)
    }
    fn zone_of(&self, facts: &ContactFacts) -> String {
        LawBook::zone_of(&self.0, facts)
    }
    fn rations(&self, place: &Place, _: UtcMs) -> bool {
        place.subdivision.as_deref() == Some("JAL")
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_rationed_waits_under_any_order() {
    let book = RuleBook::embedded().expect("is read");
    let house = House::under(plan("expected_value"), Arc::new(Rationing(book))).await;
    evenings(&house, house.clock.now());
    for n in (0..40).step_by(2) {
        let mut row = house.store.get_debtor(debtor_id(n)).await.expect("debtor");
        row.subdivision = Some("MX-JAL".into());
        house.store.put_debtor(&row, &[]).await.expect("stored");
    }
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(60).await;
    let later = waiting(&house).await;
    assert!(later.len() >= 5, "{} wait", later.len());
    let even = |id| (0..40).step_by(2).any(|n| debtor_id(n) == id);
    assert!(later.iter().all(|i| even(i.debtor_id)), "no others wait");
    let why = house
        .center
        .why_not(later[0].debtor_id, Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        why.reasons_es
            .iter()
            .any(|r| r.contains("por qué todavía no: mejor el")),
        "{:?}",
        why.reasons_es
    );
}

#[tokio::test(start_paused = true)]
async fn who_was_passed_over_for_three_days_goes_first() {
    let house = House::build(plan("best_time")).await;
    let now = house.clock.now();
    evenings(&house, now);
    let campaign = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("campaign");
    let expr = domain::segment::parse("balance >= 0").expect("a segment");
    house
        .store
        .refill_campaign(&campaign, &expr, now, &[])
        .await
        .expect("filled");
    let mut item = house.item(debtor_id(11)).await;
    item.note = format!("better_later:3:{}", now.plus_ms(-3 * DAY_MS).0);
    house.store.put_item(&item, &[]).await.expect("stored");
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(5).await;
    let why = house
        .center
        .why_not(debtor_id(11), Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        why.items[0].in_hopper || why.items[0].attempts > 0,
        "{:?}",
        why.items
    );
    assert!(
        why.reasons_es
            .iter()
            .any(|r| r.contains("ya esperó su turno")),
        "{:?}",
        why.reasons_es
    );
}

/// Debtors who waited long enough, then those who lead the queue, of all: as many as a feeding reserves at most.
const WAITED: u128 = 30;
const LEAD: u128 = 40;
const DEBTORS: u128 = 200;

/// All stand in the campaign's queue again, the first of them due.
async fn queue_up(house: &House, now: UtcMs) {
    for n in 0..DEBTORS {
        let mut item = house.item(debtor_id(n)).await;
        item.next_at = now;
        item.note = match n < WAITED {
            true => format!("better_later:24:{}", now.0),
            false => String::new(),
        };
        item.priority = if (WAITED..LEAD).contains(&n) { 10 } else { 0 };
        house.store.put_item(&item, &[]).await.expect("stored");
    }
}

#[tokio::test(start_paused = true)]
async fn one_in_twenty_is_called_by_chance_and_is_told_so() {
    let mut plan = plan("best_time");
    plan.debtors = DEBTORS;
    plan.params.hopper_min = Some(100);
    let house = House::build(plan).await;
    let campaign = house.store.get_campaign(campaign_id()).await;
    let campaign = campaign.expect("campaign");
    let expr = domain::segment::parse("balance >= 0").expect("a segment");
    let now = house.clock.now();
    let filled = house.store.refill_campaign(&campaign, &expr, now, &[]);
    filled.await.expect("filled");
    let _agent = house.agent(1).await;
    let (mut fed, mut by_chance) = (0, 0);
    for _ in 0..3 {
        queue_up(&house, house.clock.now()).await;
        house.start().await;
        house.secs(5).await;
        let hopper = house.center.hopper(campaign_id()).await.expect("hopper");
        let due = |id| (0..LEAD).any(|n| debtor_id(n) == id);
        for row in &hopper.items {
            let why = house.center.why_not(row.debtor_id, Some(campaign_id()));
            let why = why.await.expect("explained");
            let told = |es: &str, en: &str| {
                why.reasons_es.iter().any(|r| r.contains(es))
                    && why.reasons_en.iter().any(|r| r.contains(en))
            };
            let chance = told("por qué ahora: al azar", "why now: by chance");
            let turn = told("ya esperó su turno", "he has waited his turn");
            // Chance takes one of those who are due where a feeding has nobody else.
            assert_eq!(turn || chance, due(row.debtor_id) || chance, "{why:?}");
            assert!(!(chance && turn), "{why:?}");
            fed += 1;
            by_chance += usize::from(chance);
        }
        let paused = house
            .center
            .pause_campaign(center::Actor::System, campaign_id());
        paused.await.expect("paused");
        house.secs(2).await;
    }
    assert!(fed >= 280, "{fed} were fed");
    assert!(20 * by_chance >= fed, "{by_chance} of {fed}");
    assert!(10 * by_chance < fed, "{by_chance} of {fed}");
}
