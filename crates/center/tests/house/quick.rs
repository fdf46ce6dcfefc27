//! The quick call: who falls overdue is called as soon as the law lets him be, the card is there before the
//! voice, and one word of the agent ends a call and brings the next.

use crate::world::{ALL_ANSWER, House, NIGHT, NOBODY, Plan, ask, debtor, debtor_id};
use center::{Actor, CenterConfig, StateAsk};
use domain::entity::{Attempt, AttemptState, CampaignParams, DialMode};
use domain::ids::AttemptId;
use domain::ports::Clock as _;
use domain::ports::store::{AttemptFilter, AttemptStore as _, PageRequest};
use domain::time::UtcMs;
use std::collections::BTreeSet;

async fn attempts(house: &House) -> Vec<Attempt> {
    let page = PageRequest {
        limit: 100,
        cursor: None,
    };
    let all = AttemptFilter::default();
    let found = house.store.list_attempts(&all, &page).await;
    found.expect("the store answers").items
}

/// Wednesday night: three accounts are known and may not be called before 7:00. A fourth one falls overdue in
/// the night; on Thursday, its first legal day, it is called within the first hour of the campaign.
#[tokio::test(start_paused = true)]
async fn a_new_overdue_account_is_called_on_its_first_legal_day_row_09() {
    let plan = Plan {
        at: NIGHT,
        mix: NOBODY,
        debtors: 3,
        params: CampaignParams {
            window_from: "07:00".into(),
            window_to: "22:00".into(),
            ..CampaignParams::default()
        },
        ..Plan::default()
    };
    let start: UtcMs = plan.at.parse().expect("an instant");
    let config = CenterConfig {
        board_tick_ms: 20_000,
        ..CenterConfig::new("node-1")
    };
    let house = House::furnished(&plan, start, config).await;
    house.start().await;
    debtor(&house.store, 9, house.clock.now()).await;
    let _agent = house.agent(1).await;
    let opens: UtcMs = "2026-11-26T13:00:00Z".parse().expect("an instant");
    for _ in 0..10 {
        house.secs(3_600).await;
    }
    let made = attempts(&house).await;
    let first = |n| {
        let of = made.iter().filter(|a| a.debtor_id == debtor_id(n));
        of.map(|a| a.opened_at).min()
    };
    for n in [0, 1, 2, 9] {
        let at = first(n).expect("everybody was called");
        let after = at.since_ms(opens);
        assert!((0..3_600_000).contains(&after), "debtor {n} at {at}");
    }
}

/// Nothing but the disposition is asked of the agent between two calls.
#[tokio::test(start_paused = true)]
async fn the_card_comes_before_the_voice_and_one_key_moves_on_row_09() {
    for mode in [DialMode::Progressive, DialMode::Power] {
        let house = House::build(Plan {
            mix: ALL_ANSWER,
            params: CampaignParams {
                mode,
                lines_per_agent: 1.0,
                ..CampaignParams::default()
            },
            ..Plan::default()
        })
        .await;
        let agent = house.agent(1).await;
        house.start().await;
        let me = Actor::Agent(agent.id);
        let mut seen: BTreeSet<AttemptId> = BTreeSet::new();
        for _ in 0..3 {
            house
                .until("the next call", || {
                    let fresh = agent.attempt().is_some_and(|id| !seen.contains(&id));
                    fresh && agent.state() == "talking"
                })
                .await;
            let attempt = agent.attempt().expect("a call is shown");
            house.hang_up(&agent, attempt).await;
            let one_key = center::DisposeAsk {
                then: Some(StateAsk::Ready),
                ..ask("CD.NP.NOPUEDE")
            };
            let done = house.center.dispose(me, attempt, one_key).await;
            done.expect("disposed");
            seen.insert(attempt);
        }
        house.secs(2).await;
        for id in seen {
            let row = house.attempt(id).await;
            assert_eq!(row.state, AttemptState::Ended, "{mode}");
            let (card, voice) = (row.popped_at, row.bridged_at);
            assert!(
                card.is_some() && card <= voice,
                "{mode}: {card:?} {voice:?}"
            );
        }
    }
}
