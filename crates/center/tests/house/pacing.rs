//! Pacing through the center: calls that ring for nobody are withdrawn at once, what the guard counted and the
//! forecast learned outlives a restart, skills say whose calls are whose.

use crate::world::{ALL_ANSWER, House, NOBODY, Plan, agent_id, campaign_id};
use center::Actor;
use domain::entity::{CampaignParams, CampaignStatus, DialMode};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, NodeStore as _};
use serde_json::Value;
use std::sync::Arc;

fn power(lines_per_agent: f64) -> CampaignParams {
    CampaignParams {
        mode: DialMode::Power,
        lines_per_agent,
        ..CampaignParams::default()
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_ring_for_nobody_are_withdrawn_before_anything_else_is_dialed() {
    let house = House::build(Plan {
        debtors: 30,
        mix: NOBODY,
        params: power(3.0),
        ..Plan::default()
    })
    .await;
    for n in 1..=3 {
        house.agent(n).await;
    }
    house.start().await;
    house
        .until("nine ring", || house.trunk.live_calls() == 9)
        .await;
    house.secs(2).await;
    let dialed = house.trunk.invites().len();
    // Two phones lose their network: six calls ring for nobody.
    let lost_at = house.clock.now();
    for n in 1..=2 {
        assert!(house.trunk.drop_leg(agent_id(n)).await, "his leg was up");
    }
    house
        .until("six are withdrawn", || house.trunk.live_calls() == 3)
        .await;
    // Virtual time: it passes only where somebody waits.
    let took = house.clock.now().since_ms(lost_at);
    assert!(took <= 100, "{took} ms");
    assert_eq!(house.trunk.invites().len(), dialed, "nothing new before");
}

#[tokio::test(start_paused = true)]
async fn a_small_team_is_said_to_be_one() {
    let team = async |params: CampaignParams| {
        let house = House::build(Plan {
            debtors: 10,
            mix: NOBODY,
            params,
            ..Plan::default()
        })
        .await;
        house.start().await;
        let mut seen = vec![house.row().await.small_team];
        for n in 1..=3 {
            house.agent(n).await;
            seen.push(house.row().await.small_team);
        }
        seen
    };
    let up_to = |small_team_agents| CampaignParams {
        small_team_agents,
        ..power(2.0)
    };
    assert_eq!(team(up_to(2)).await, [false, true, true, false]);
    assert_eq!(team(up_to(0)).await, [false; 4], "never said");
    // One to one nobody is abandoned, however few they are.
    let one_to_one = CampaignParams::default();
    assert_eq!(team(one_to_one).await, [false; 4]);
}

/// Window, numerator and denominator of the campaign as the board shows them.
async fn windows(house: &House) -> Vec<(String, f64, f64)> {
    let row = house.row().await;
    let windows = row.abandonment_windows.iter();
    windows
        .map(|w| (w.window.clone(), w.numerator, w.denominator))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_the_guard_counted_outlives_a_crash() {
    let plan = || Plan {
        debtors: 24,
        mix: ALL_ANSWER,
        params: power(3.0),
        ..Plan::default()
    };
    let house = House::build(plan()).await;
    let _agent = house.agent(1).await;
    house.start().await;
    for _ in 0..600 {
        house.secs(1).await;
        if house.center.figures().await.abandoned >= 2 {
            break;
        }
    }
    // Messages end and the attempts are written.
    house.secs(15).await;
    let before = windows(&house).await;
    assert!(
        before.len() >= 4 && before.iter().all(|w| w.1 >= 2.0),
        "{before:?}"
    );
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);

    let again = House::open(store, &plan(), now.plus_ms(3_000), 99).await;
    again.secs(1).await;
    let after = windows(&again).await;
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old.0, new.0);
        assert!(
            new.1 >= old.1 && new.2 >= old.2,
            "{old:?} before, {new:?} after"
        );
        // The one call that was up may be counted by now.
        assert!(new.2 <= old.2 + 1.5, "counted twice: {old:?}, {new:?}");
    }
    assert_eq!(before.len(), after.len());
}

/// Dials that the stored memory of the campaign's forecast stands for.
async fn remembered(house: &House) -> f64 {
    let key = format!("pacing_memory:{}", campaign_id());
    let text = house.store.get_setting(&key).await.expect("it answers");
    let memory: Value = text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    memory["parts"]["weight"][0].as_f64().unwrap_or(0.0)
}

#[tokio::test(start_paused = true)]
async fn what_the_forecast_learned_outlives_a_restart() {
    let plan = || Plan {
        debtors: 60,
        mix: NOBODY,
        params: CampaignParams {
            mode: DialMode::Predictive,
            ..CampaignParams::default()
        },
        ..Plan::default()
    };
    let house = House::build(plan()).await;
    for n in 1..=3 {
        house.agent(n).await;
    }
    house.start().await;
    house
        .until("it dialed", || house.trunk.invites().len() >= 20)
        .await;
    // Until they have rung out.
    house.secs(90).await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.center.shutdown().await;
    let learned = remembered(&house).await;
    assert!(learned >= 10.0, "{learned}");
    drop(house);

    // Nobody is at work in the second life: what it writes at its end it had taken up.
    let again = House::open(store, &plan(), now.plus_ms(60_000), 99).await;
    again.secs(5).await;
    assert_eq!(again.trunk.invites().len(), 0);
    again.center.shutdown().await;
    let kept = remembered(&again).await;
    assert!(kept > 0.9 * learned && kept <= learned, "{learned} {kept}");
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_skills_gets_the_campaigns_calls() {
    let house = House::build(Plan {
        params: CampaignParams {
            skills: vec!["jurídico".into()],
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let learn = async |n: u128| {
        let mut row = house.store.get_agent(agent_id(n)).await.expect("known");
        row.skills = vec!["jurídico".into(), "inglés".into()];
        house.store.put_agent(&row, &[]).await.expect("stored");
    };
    learn(2).await;
    let (without, with) = (house.agent(1).await, house.agent(2).await);
    house.start().await;
    house.talking(&with).await;
    house.secs(60).await;
    assert_eq!(without.state(), "ready", "no call of it is his");
    assert!(without.attempt().is_none());
    // What he learns holds at once.
    learn(1).await;
    house.center.agent_changed(agent_id(1)).await;
    house.talking(&without).await;
}

#[tokio::test(start_paused = true)]
async fn a_ring_time_under_the_packs_is_told_at_the_start() {
    for mode in [DialMode::Progressive, DialMode::Power, DialMode::Predictive] {
        let house = House::build(Plan {
            params: CampaignParams {
                mode,
                ring_timeout_s: 15,
                ..CampaignParams::default()
            },
            ..Plan::default()
        })
        .await;
        let start = house.center.start_campaign(Actor::System, campaign_id());
        let refused = start.await.expect_err("Mexican packs ask for more");
        assert_eq!((refused.code(), refused.status()), ("ring_too_short", 422));
        assert!(refused.to_string().contains("20 s"), "{refused}");
        let row = house.store.get_campaign(campaign_id()).await;
        assert_eq!(row.expect("stored").status, CampaignStatus::Draft);
    }
}
