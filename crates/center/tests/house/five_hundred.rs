//! Messages without agents by the hundred: each key is obeyed at once, and nobody is called twice without having asked.

use crate::queue::{finishes, params, told};
use crate::world::{House, Plan};
use domain::entity::{Attempt, CallResult, CampaignParams, DialMode, HoldKind, InboundParams};
use domain::ids::AttemptId;
use std::collections::{BTreeMap, BTreeSet};

/// Who answers presses one key in ten times each: an agent, no more calls.
fn wish(attempt: AttemptId) -> Option<char> {
    match attempt.0.as_u128() % 10 {
        0 => Some('1'),
        1 => Some('9'),
        _ => None,
    }
}

/// How many were called.
fn numbers(house: &House) -> usize {
    let invites = house.trunk.invites().into_iter();
    invites.map(|i| i.number).collect::<BTreeSet<_>>().len()
}

/// Every key was obeyed at once; how many wanted no more calls.
async fn obeyed(house: &House, pressed: &BTreeMap<AttemptId, char>) -> usize {
    let mut outs = 0;
    for (attempt, key) in pressed {
        let row = house.attempt(*attempt).await;
        let heard = told(house, *attempt);
        if *key == '9' {
            outs += 1;
            assert_eq!(heard[1], "opted_out", "at once: {heard:?}");
            let holds = house.holds(row.debtor_id).await;
            assert!(holds.iter().any(|h| h.kind == HoldKind::ChannelOptout));
        } else {
            let waited = heard.get(1).is_some_and(|h| h == "queue_wait");
            assert!(waited || row.bridged_at.is_some(), "at once: {heard:?}");
        }
    }
    outs
}

#[tokio::test(start_paused = true)]
async fn five_hundred_messages_whose_keys_are_obeyed() {
    let house = House::build(Plan {
        debtors: 500,
        params: CampaignParams {
            agentless: crate::agentless::approved(),
            lines_max: Some(20),
            ..params(DialMode::Agentless, InboundParams::default())
        },
        ..Plan::default()
    })
    .await;
    let agents = [house.agent(1).await, house.agent(2).await];
    house.start().await;
    let (mut pressed, mut met) = (BTreeMap::new(), 0);
    for _ in 0..40_000 {
        let dialed = house.trunk.invites();
        for attempt in dialed.iter().map(|i| i.attempt) {
            let hears = told(&house, attempt) == ["agentless"];
            if let Some(key) = wish(attempt).filter(|_| hears && !pressed.contains_key(&attempt)) {
                pressed.insert(attempt, key);
                house.trunk.press(attempt, key).await;
            }
        }
        for agent in &agents {
            if agent.state() == "talking" {
                met += 1;
                finishes(&house, agent).await;
            }
        }
        if numbers(&house) >= 500 && house.trunk.live_calls() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    house.secs(5).await;
    assert_eq!(numbers(&house), 500);
    let outs = obeyed(&house, &pressed).await;
    assert!(outs > 20 && met > 5, "{outs} out, {met} met an agent");
    let board = house.row().await;
    assert_eq!((board.abandoned, board.abandonment.numerator), (0, 0));
    let ended = house.attempts().await;
    assert_eq!(ended.len(), 500);
    // Who asked for an agent and got none is called by one; nobody else is called twice.
    let message = |a: &Attempt| a.result.is_some() && a.mode == DialMode::Agentless;
    let owed = |a: &Attempt| a.mode == DialMode::Progressive && a.agent_reserved;
    assert!(ended.iter().all(|a| message(a) || owed(a)));
    assert!(
        ended
            .iter()
            .all(|a| a.result != Some(CallResult::Abandoned))
    );
    assert_eq!(house.center.figures().await.errors, 0);
}
