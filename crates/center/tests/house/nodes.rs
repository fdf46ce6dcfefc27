//! Two nodes over one database: what one of them abandons, the guard of the other knows within seconds.

use crate::world::{House, Plan, campaign_id};
use center::CenterConfig;
use domain::entity::{CampaignParams, DialMode};
use domain::ports::Clock as _;
use std::sync::Arc;
use std::time::Duration;

/// Everybody answers and one agent works: two of three answers find nobody.
fn plan() -> Plan {
    Plan {
        debtors: 24,
        params: CampaignParams {
            mode: DialMode::Power,
            lines_per_agent: 3.0,
            ..CampaignParams::default()
        },
        ..Plan::default()
    }
}

/// Numerator and denominator of the campaign's local day as a node counts them.
async fn counted(house: &House) -> (f64, f64) {
    let row = house
        .center
        .campaign_row(campaign_id())
        .await
        .expect("known");
    let day = row.abandonment_windows.iter().find(|w| w.window == "day");
    day.map_or((0.0, 0.0), |w| (w.numerator, w.denominator))
}

#[tokio::test(start_paused = true)]
async fn what_one_node_abandons_the_other_counts() {
    let plan = plan();
    let first = House::build(self::plan()).await;
    first.start().await;
    let second = House::open_with(
        Arc::clone(&first.store),
        &plan,
        first.clock.now(),
        8,
        CenterConfig::new("node-2"),
    )
    .await;
    assert!(counted(&second).await.0 < 0.5, "nothing happened yet");
    let _agent = first.agent(1).await;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if counted(&first).await.0 >= 2.0 {
            break;
        }
    }
    let here = counted(&first).await;
    assert!(here.0 >= 2.0, "{here:?}");
    // Messages end, attempts are closed and the log is read.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let (here, there) = (counted(&first).await, counted(&second).await);
    assert!(there.0 >= 2.0, "{here:?} {there:?}");
    assert!(there.1 <= here.1 + 0.5, "counted twice: {here:?} {there:?}");
    first.center.shutdown().await;
    second.center.shutdown().await;
}
