//! Which calls start: lines, rates, modes, gates, hoppers, one attempt a person.

use crate::rig::{Rig, agent, campaign, in_mode, power, trunk};
use dialer::{CallRules, CampaignSpec, Command, Gate, Input, Item, OpenResult, ReleaseWhy, Wish};
use domain::entity::{CallResult, DialMode};
use domain::ids::AttemptId;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::{MINUTE_MS, UtcMs};
use uuid::Uuid;

#[test]
fn power_keeps_lines_per_agent_and_counts_calls_with_agents() {
    let mut rig = Rig::new();
    rig.run(power(1));
    assert!(rig.dials().is_empty(), "nobody is there to talk");
    rig.ready([1, 2]);
    assert_eq!(rig.dials().len(), 6);
    assert!(rig.dials().iter().all(|t| t.agent.is_none()));
    rig.pass(5_000);
    assert_eq!(rig.dials().len(), 6, "the lines are full");
    let first = rig.ringing()[0];
    rig.answer(first);
    rig.join(first);
    rig.pass(1_000);
    assert_eq!(rig.dials().len(), 6, "a call with an agent holds a line");
    let second = rig.ringing()[0];
    rig.opened(second);
    rig.end(second, 486);
    assert_eq!(rig.dials().len(), 7);
}

#[test]
fn a_paused_agent_is_dialed_for_no_longer() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    assert_eq!(rig.ringing().len(), 6);
    rig.wish(2, Wish::Pause(PauseCode::Lunch));
    assert_eq!(rig.ringing().len(), 3, "what rings for nobody is withdrawn");
    assert_eq!(rig.cancelled().len(), 3);
}

#[test]
fn many_who_vanish_at_once_are_looked_at_once_and_nothing_is_dialed_before() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready(1..=10);
    assert_eq!(rig.ringing().len(), 30);
    rig.brain.gather();
    for n in 1..=5 {
        rig.tell(Input::LinkLost(agent(n)));
    }
    assert!(rig.cancelled().is_empty(), "not yet");
    rig.brain.act(rig.now);
    rig.tell(Input::Tick);
    assert_eq!(rig.cancelled().len(), 15, "the surplus, and no more");
    assert_eq!(rig.dials().len(), 30);
    // Who comes back is called for again, when it is asked.
    rig.sign_in(1);
    assert_eq!(rig.dials().len(), 30);
    for attempt in rig.cancelled() {
        rig.end(attempt, 487);
    }
    rig.brain.act(rig.now);
    rig.tell(Input::Tick);
    assert_eq!(rig.dials().len(), 33);
}

#[test]
fn never_more_lines_than_channels_and_the_second_trunk_takes_the_rest() {
    let mut rig = Rig::with_trunk(4, 100);
    rig.run(power(1));
    rig.ready(1..=5);
    assert_eq!(rig.dials().len(), 4);
    rig.put_trunk(2, 3, 100);
    rig.pass(1_000);
    let dials = rig.dials();
    assert_eq!(dials.len(), 7);
    assert!(dials[4..].iter().all(|t| t.trunk == trunk(2)));
    // A dead trunk takes no new call; the other goes on.
    rig.tell(Input::TrunkHealth {
        trunk: trunk(1),
        up: false,
    });
    for attempt in rig.ringing() {
        rig.opened(attempt);
        rig.end(attempt, 503);
    }
    let later = &rig.dials()[7..];
    assert!(!later.is_empty() && later.iter().all(|t| t.trunk == trunk(2)));
}

#[test]
fn a_campaign_keeps_to_its_trunks_and_its_own_limits() {
    let mut rig = Rig::new();
    rig.put_trunk(2, 100, 100);
    rig.run(CampaignSpec {
        trunks: vec![trunk(2)],
        lines_max: Some(5),
        ..power(1)
    });
    rig.ready(1..=4);
    rig.pass(2_000);
    assert_eq!(rig.dials().len(), 5);
    assert!(rig.dials().iter().all(|t| t.trunk == trunk(2)));
}

#[test]
fn starts_stay_under_the_rate_of_trunk_and_campaign() {
    for (cps, own) in [(3, None), (50, Some(3))] {
        let mut rig = Rig::with_trunk(100, cps);
        rig.run(CampaignSpec {
            cps_max: own,
            lines_per_agent: 5.0,
            ..power(1)
        });
        rig.ready(1..=4);
        rig.pass(10_000);
        let starts: Vec<UtcMs> = rig
            .log
            .iter()
            .filter(|(_, c)| matches!(c, Command::Dial(_)))
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(starts.len(), 20, "in the end all lines are used");
        for window in starts.windows(4) {
            assert!(window[3].since_ms(window[0]) >= 1_000, "{window:?}");
        }
    }
}

#[test]
fn progressive_reserves_an_agent_before_each_call() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Progressive));
    rig.ready([1, 2, 3]);
    rig.pass(2_000);
    let dials = rig.dials();
    assert_eq!(dials.len(), 3);
    let mut agents: Vec<_> = dials.iter().filter_map(|t| t.agent).collect();
    agents.sort();
    assert_eq!(agents, [agent(1), agent(2), agent(3)]);
    assert!((1..=3).all(|n| rig.state(n) == AgentState::Reserved));
    // A busy number frees its agent for the next one at once.
    let call = dials[0].clone();
    rig.opened(call.attempt);
    rig.end(call.attempt, 486);
    assert_eq!(rig.dials().len(), 4);
    assert_eq!(rig.dials()[3].agent, call.agent);
}

#[test]
fn a_contact_that_the_law_gives_to_an_agent_first_is_reserved_in_power_too() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    rig.ready([1]);
    let strict = |item: Item| Item {
        agent_only: true,
        ..item
    };
    let items = vec![
        strict(rig.item(campaign(1))),
        strict(rig.item(campaign(1))),
        rig.item(campaign(1)),
    ];
    rig.stock(campaign(1), items.clone());
    let dials = rig.dials();
    // One agent: the first is his, the second waits for an agent, the third needs none.
    assert_eq!(dials.len(), 2);
    assert_eq!(dials[0].agent, Some(agent(1)));
    assert_eq!(dials[1].item.person, items[2].person);
    assert_eq!(dials[1].agent, None);
}

#[test]
fn preview_shows_a_card_and_dials_only_when_told() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Preview));
    rig.ready([1]);
    rig.pass(5_000);
    assert!(rig.dials().is_empty());
    assert_eq!(rig.state(1), AgentState::Preview);
    let previewed = |rig: &Rig| {
        rig.log.iter().rev().find_map(|(_, c)| match c {
            Command::Preview { attempt, item, .. } => Some((*attempt, item.debtor)),
            _ => None,
        })
    };
    let first = previewed(&rig).expect("a card");
    rig.tell(Input::PreviewSkip(agent(1)));
    assert_eq!(rig.released(ReleaseWhy::Skipped), 1);
    let second = previewed(&rig).expect("the next card");
    assert_ne!(first.1, second.1);
    rig.tell(Input::PreviewDial(agent(1)));
    let dials = rig.dials();
    assert_eq!(dials.len(), 1);
    assert_eq!((dials[0].attempt, dials[0].item.debtor), second);
    assert_eq!(dials[0].agent, Some(agent(1)));
    assert_eq!(rig.state(1), AgentState::Reserved);
}

#[test]
fn a_preview_may_not_be_skipped_where_the_campaign_forbids_it() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        preview_skip: false,
        ..in_mode(DialMode::Preview)
    });
    rig.ready([1]);
    let refusal = rig.ask(Input::PreviewSkip(agent(1))).unwrap_err();
    assert_eq!(refusal.code, "skip_forbidden");
    assert_eq!(rig.state(1), AgentState::Preview);
    let none = rig.ask(Input::PreviewDial(agent(7))).unwrap_err();
    assert_eq!(none.code, "not_signed_in");
}

#[test]
fn closed_gates_stop_every_new_call() {
    for gate in [
        Gate::Database,
        Gate::Fenced,
        Gate::Draining,
        Gate::Recorder,
        Gate::Disk,
        Gate::Voice,
    ] {
        let mut rig = Rig::new();
        rig.tell(Input::Gate { gate, closed: true });
        rig.run(power(1));
        rig.ready([1]);
        rig.pass(5_000);
        assert!(rig.dials().is_empty(), "{gate:?}");
        let item = Box::new(rig.item(campaign(1)));
        let by_hand = Input::Manual {
            agent: agent(1),
            attempt: AttemptId(Uuid::from_u128(0xF00D)),
            item,
            rules: CallRules::default(),
        };
        assert_eq!(rig.ask(by_hand).unwrap_err().code, "dialing_stopped");
        rig.tell(Input::Gate {
            gate,
            closed: false,
        });
        assert_eq!(rig.dials().len(), 3, "{gate:?}");
    }
}

#[test]
fn a_person_has_one_live_attempt_over_all_campaigns() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    rig.run(power(2));
    rig.ready(1..=4);
    let one = rig.item(campaign(1));
    let twin = Item {
        campaign: campaign(2),
        ..one.clone()
    };
    rig.stock(campaign(1), vec![one.clone()]);
    rig.stock(campaign(2), vec![twin.clone()]);
    assert_eq!(rig.dials().len(), 1);
    assert_eq!(rig.released(ReleaseWhy::Double), 1);
    let manual = |item: Item| Input::Manual {
        agent: agent(1),
        attempt: AttemptId(Uuid::from_u128(0xF00D)),
        item: Box::new(item),
        rules: CallRules::default(),
    };
    let refusal = rig.ask(manual(twin.clone())).unwrap_err();
    assert_eq!(refusal.code, "debtor_in_call");
    let attempt = rig.dials()[0].attempt;
    rig.opened(attempt);
    rig.end(attempt, 486);
    rig.tell(manual(twin));
    assert_eq!(rig.dials().len(), 2);
    assert_eq!(rig.dials()[1].mode, DialMode::Manual);
}

#[test]
fn a_call_by_hand_gives_back_what_waits_for_the_same_person() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    // Nobody is ready, so the item stays in the hopper.
    rig.sign_in(1);
    let item = rig.item(campaign(1));
    rig.stock(campaign(1), vec![item.clone()]);
    assert_eq!(rig.brain.hopper(campaign(1)).count(), 1);
    rig.tell(Input::Manual {
        agent: agent(1),
        attempt: AttemptId(Uuid::from_u128(0xF00D)),
        item: Box::new(item),
        rules: CallRules::default(),
    });
    assert_eq!(rig.brain.hopper(campaign(1)).count(), 0);
    assert_eq!(rig.released(ReleaseWhy::Double), 1);
    assert_eq!(rig.state(1), AgentState::Reserved);
}

#[test]
fn nobody_dials_by_hand_whom_another_agent_is_looking_at() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Preview));
    rig.ready([1]);
    let item = rig.item(campaign(1));
    rig.stock(campaign(1), vec![item.clone()]);
    assert_eq!(rig.state(1), AgentState::Preview);
    rig.sign_in(2);
    let by_hand = Input::Manual {
        agent: agent(2),
        attempt: AttemptId(Uuid::from_u128(0xF00D)),
        item: Box::new(item.clone()),
        rules: CallRules::default(),
    };
    assert_eq!(rig.ask(by_hand).unwrap_err().code, "debtor_in_call");
    // Nor does a second card of him reach a hopper.
    rig.stock(campaign(1), vec![item]);
    assert_eq!(rig.released(ReleaseWhy::Double), 1);
    rig.tell(Input::PreviewDial(agent(1)));
    assert_eq!(rig.dials().len(), 1);
}

#[test]
fn withdrawing_a_debtor_ends_what_is_queued_previewed_and_rings() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    rig.ready([1]);
    let items: Vec<Item> = (0..5).map(|_| rig.item(campaign(1))).collect();
    rig.stock(campaign(1), items.clone());
    assert_eq!(rig.dials().len(), 3);
    rig.tell(Input::Withdraw(items[4].debtor));
    assert_eq!(rig.released(ReleaseWhy::Withdrawn), 1);
    let ringing = rig.dials()[0].clone();
    rig.opened(ringing.attempt);
    rig.tell(Input::Withdraw(ringing.item.debtor));
    assert!(rig.cancelled().contains(&ringing.attempt));
    // One that is answered goes on: the agent is told by his card.
    let talking = rig.dials()[1].clone();
    rig.answer(talking.attempt);
    rig.join(talking.attempt);
    rig.tell(Input::Withdraw(talking.item.debtor));
    assert!(!rig.cancelled().contains(&talking.attempt));

    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Preview));
    rig.ready([1]);
    let item = rig.item(campaign(1));
    rig.stock(campaign(1), vec![item.clone()]);
    rig.tell(Input::Withdraw(item.debtor));
    assert_eq!(rig.released(ReleaseWhy::Withdrawn), 1);
    assert_eq!(rig.state(1), AgentState::Ready);
}

#[test]
fn a_refused_or_failed_opening_gives_line_person_and_agent_back() {
    let mut rig = Rig::with_trunk(1, 100);
    rig.run(in_mode(DialMode::Progressive));
    rig.ready([1]);
    let task = rig.dials()[0].clone();
    rig.tell(Input::OpenDone {
        attempt: task.attempt,
        result: OpenResult::Gone,
    });
    assert!(rig.overs().is_empty(), "it never was a call");
    assert_eq!(rig.dials().len(), 2);
    assert_eq!(rig.dials()[1].agent, Some(agent(1)));
}

#[test]
fn items_are_given_back_before_their_lease_ends() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    let items: Vec<Item> = (0..4).map(|_| rig.item(campaign(1))).collect();
    rig.stock(campaign(1), items);
    rig.pass(14 * MINUTE_MS - 1_000);
    assert_eq!(rig.released(ReleaseWhy::Stale), 0);
    rig.pass(2_000);
    assert_eq!(rig.released(ReleaseWhy::Stale), 4);
    assert_eq!(rig.brain.hopper(campaign(1)).count(), 0);
}

#[test]
fn a_stopped_campaign_gives_its_items_back_and_may_let_calls_ring_out() {
    for cancel in [false, true] {
        let mut rig = Rig::new();
        rig.run(power(1));
        rig.ready([1]);
        let waiting = rig.brain.hopper(campaign(1)).count();
        assert!(waiting > 0);
        rig.tell(Input::CampaignOff {
            campaign: campaign(1),
            cancel,
        });
        assert_eq!(rig.released(ReleaseWhy::CampaignOff), waiting);
        assert_eq!(rig.cancelled().len(), if cancel { 3 } else { 0 });
        rig.pass(10_000);
        assert_eq!(rig.dials().len(), 3);
        let late = rig.item(campaign(1));
        rig.stock(campaign(1), vec![late]);
        assert_eq!(rig.released(ReleaseWhy::CampaignOff), waiting + 1);
    }
}

#[test]
fn agents_go_to_the_campaign_of_higher_priority_while_it_has_work() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(CampaignSpec {
        priority: 5,
        ..power(1)
    });
    rig.run(CampaignSpec {
        priority: 1,
        ..power(2)
    });
    rig.ready([1, 2]);
    let (urgent, other): (Vec<Item>, Vec<Item>) = (0..8)
        .map(|_| (rig.item(campaign(1)), rig.item(campaign(2))))
        .unzip();
    rig.stock(campaign(2), other);
    assert_eq!(rig.dials().len(), 6, "nothing urgent: the other one dials");
    for attempt in rig.ringing() {
        rig.opened(attempt);
    }
    rig.stock(campaign(1), urgent);
    for attempt in rig.ringing() {
        rig.end(attempt, 486);
    }
    let later = rig.dials();
    assert!(
        later[6..12].iter().all(|t| t.item.campaign == campaign(1)),
        "freed lines go to the urgent one"
    );
}

#[test]
fn callbacks_and_broken_promises_go_first_and_to_their_agent() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let plain = rig.item(campaign(1));
    let agreed = Item {
        priority: 20,
        own_agent: Some(agent(2)),
        ..rig.item(campaign(1))
    };
    rig.stock(campaign(1), vec![plain.clone(), agreed.clone()]);
    rig.sign_in(1);
    rig.sign_in(2);
    rig.wish(2, Wish::Ready);
    let dials = rig.dials();
    assert_eq!(dials[0].item.debtor, agreed.debtor);
    assert_eq!(dials[0].agent, Some(agent(2)));
    rig.wish(1, Wish::Ready);
    assert_eq!(rig.dials()[1].item.debtor, plain.debtor);
}

#[test]
fn the_ring_time_is_never_under_the_packs_minimum() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        rules: CallRules {
            ring_timeout_ms: 10_000,
            ..CallRules::default()
        },
        ..power(1)
    });
    rig.ready([1]);
    let task = rig.dials()[0].clone();
    assert_eq!(task.rules.ring_timeout_ms, 20_000);
    rig.opened(task.attempt);
    rig.pass(19_000);
    assert!(!rig.cancelled().contains(&task.attempt));
    rig.pass(10_000);
    assert!(rig.cancelled().contains(&task.attempt));
    rig.pass(15_000);
    let over = rig.overs().into_iter().find(|o| o.attempt == task.attempt);
    assert_eq!(over.map(|o| o.result), Some(CallResult::Unknown));
}
