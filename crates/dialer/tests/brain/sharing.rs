//! One pool of agents and several campaigns, one campaign and several trunks, and calls that ring when
//! agents vanish.

use crate::rig::{Rig, agent, campaign, power, trunk};
use dialer::{AgentSpec, CampaignSpec, Command, Input, ReleaseWhy, Wish};
use domain::entity::DialMode;
use domain::ids::CampaignId;
use domain::rules::agent_state::PauseCode;

fn progressive(n: u128, priority: i32, weight: i32) -> CampaignSpec {
    CampaignSpec {
        mode: DialMode::Progressive,
        priority,
        weight,
        ..power(n)
    }
}

fn dials_of(rig: &Rig, id: CampaignId) -> usize {
    rig.dials().iter().filter(|t| t.item.campaign == id).count()
}

/// Calls of a campaign that are up or ring now.
fn live_of(rig: &Rig, id: CampaignId) -> usize {
    rig.brain.calls().filter(|c| c.item.campaign == id).count()
}

#[test]
fn weights_share_the_agents_who_are_reserved_first() {
    let mut rig = Rig::new();
    rig.run(progressive(1, 3, 75));
    rig.run(progressive(2, 3, 25));
    rig.ready(1..=8);
    assert_eq!(live_of(&rig, campaign(1)), 6);
    assert_eq!(live_of(&rig, campaign(2)), 2);
    // Calls end in a mixed order and the shares stay.
    for _ in 0..60 {
        let attempt = rig.ringing()[0];
        rig.opened(attempt);
        rig.end(attempt, 486);
    }
    assert_eq!(rig.ringing().len(), 8, "nobody idles");
    let (a, b) = (dials_of(&rig, campaign(1)), dials_of(&rig, campaign(2)));
    assert!(a > 2 * b && b > 10, "{a} {b}");
    assert_eq!(live_of(&rig, campaign(1)), 6);
}

/// Lets two forecasts work over the same twelve agents for some minutes: each fifth call is a person who talks for a
/// minute while an agent is free, all others are busy. Conversations of either.
fn forecasts_talk(one: CampaignSpec, other: CampaignSpec) -> (usize, usize) {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(one);
    rig.run(other);
    rig.ready(1..=12);
    let (mut talks, mut had) = (Vec::new(), (0, 0));
    for _ in 0..900 {
        rig.pass(1_000);
        for (n, attempt) in rig.ringing().into_iter().enumerate() {
            let free = (1..=12).any(|a| rig.brain.agent(agent(a)).is_some_and(|s| s.takes_calls()));
            if n % 5 == 0 && free {
                rig.answer(attempt);
                rig.join(attempt);
                talks.push((attempt, rig.now.plus_ms(60_000)));
                match rig.brain.call(attempt).map(|c| c.item.campaign) {
                    Some(id) if id == campaign(1) => had.0 += 1,
                    _ => had.1 += 1,
                }
            } else {
                rig.opened(attempt);
                rig.end(attempt, 486);
            }
        }
        let now = rig.now;
        let (over, on): (Vec<_>, Vec<_>) = talks.into_iter().partition(|(_, until)| *until <= now);
        talks = on;
        for (attempt, _) in over {
            rig.end(attempt, 200);
            rig.dispose(attempt);
        }
    }
    had
}

fn forecast(n: u128, priority: i32, weight: i32) -> CampaignSpec {
    CampaignSpec {
        mode: DialMode::Predictive,
        ..progressive(n, priority, weight)
    }
}

#[test]
fn forecasts_share_the_conversations_by_weight() {
    let (heavy, light) = forecasts_talk(forecast(1, 3, 75), forecast(2, 3, 25));
    assert!(light > 10, "{heavy} and {light}");
    assert!(
        heavy > 2 * light && heavy < 5 * light,
        "{heavy} and {light}"
    );
}

#[test]
fn a_forecast_of_higher_priority_goes_first() {
    let (first, second) = forecasts_talk(forecast(1, 5, 25), forecast(2, 3, 75));
    assert!(first > 10 * second.max(1), "{first} and {second}");
}

#[test]
fn what_one_campaign_cannot_use_the_other_takes() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_max: Some(1),
        ..progressive(1, 3, 75)
    });
    rig.run(progressive(2, 3, 25));
    rig.ready(1..=8);
    assert_eq!(live_of(&rig, campaign(1)), 1);
    assert_eq!(live_of(&rig, campaign(2)), 7);
}

#[test]
fn over_dialing_campaigns_share_lines_by_weight() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        weight: 75,
        ..power(1)
    });
    rig.run(CampaignSpec {
        weight: 25,
        ..power(2)
    });
    rig.ready(1..=8);
    rig.pass(1_000);
    assert_eq!(live_of(&rig, campaign(1)), 18);
    assert_eq!(live_of(&rig, campaign(2)), 6);
}

/// Whoever dials for no agent takes none from those who do, whatever his rank.
#[test]
fn a_campaign_without_agents_leaves_them_to_the_others() {
    let dialed = |beside: Option<(DialMode, i32)>, mode| {
        let mut rig = Rig::with_trunk(500, 500);
        if let Some((mode, priority)) = beside {
            rig.run(CampaignSpec {
                mode,
                priority,
                lines_max: Some(4),
                ..power(2)
            });
        }
        rig.run(CampaignSpec { mode, ..power(1) });
        rig.ready(1..=8);
        rig.pass(3_000);
        let view = rig.brain.campaign(campaign(1)).expect("it runs");
        assert!((view.agents - 8.0).abs() < 1e-6, "{beside:?} {mode}");
        dials_of(&rig, campaign(1))
    };
    for mode in [DialMode::Predictive, DialMode::Power, DialMode::Progressive] {
        let alone = dialed(None, mode);
        assert!(alone >= 8, "{mode}: {alone}");
        for beside in [DialMode::Agentless, DialMode::Manual] {
            for priority in [1, 3, 5] {
                let both = dialed(Some((beside, priority)), mode);
                assert_eq!(both, alone, "{mode} beside {beside}, priority {priority}");
            }
        }
    }
}

#[test]
fn whom_a_message_campaign_promised_an_agent_gets_who_is_ready_first() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(progressive(1, 3, 50));
    rig.run(CampaignSpec {
        mode: DialMode::Agentless,
        ..power(2)
    });
    let items: Vec<_> = (0..40).map(|_| rig.item(campaign(1))).collect();
    rig.stock(campaign(1), items);
    rig.ready(1..=4);
    assert_eq!(live_of(&rig, campaign(1)), 4);
    let promised: Vec<_> = (0..2)
        .map(|_| dialer::Item {
            agent_only: true,
            ..rig.item(campaign(2))
        })
        .collect();
    rig.stock(campaign(2), promised);
    rig.pass(1_000);
    assert_eq!(dials_of(&rig, campaign(2)), 0, "all agents are taken");
    for want in 1..=2 {
        let attempt = rig.ringing()[0];
        rig.opened(attempt);
        rig.end(attempt, 486);
        assert_eq!(dials_of(&rig, campaign(2)), want);
    }
    let all = rig.dials();
    let mut theirs = all.iter().filter(|t| t.item.campaign == campaign(2));
    assert!(theirs.all(|t| t.agent.is_some() && t.mode == DialMode::Progressive));
    assert_eq!(live_of(&rig, campaign(1)), 2);
}

#[test]
fn a_lower_campaign_leaves_alone_whom_a_higher_one_over_dials_for() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        priority: 5,
        ..power(1)
    });
    rig.run(progressive(2, 3, 50));
    rig.ready(1..=4);
    rig.pass(2_000);
    assert_eq!(
        dials_of(&rig, campaign(2)),
        0,
        "its answers would find nobody"
    );
    // Its trunk is gone: there is nothing to wait for.
    for attempt in rig.ringing() {
        rig.opened(attempt);
        rig.end(attempt, 486);
    }
    rig.tell(Input::CampaignOff {
        campaign: campaign(1),
        cancel: true,
    });
    for attempt in rig.ringing() {
        rig.opened(attempt);
        rig.end(attempt, 487);
    }
    rig.pass(2_000);
    assert_eq!(live_of(&rig, campaign(2)), 4);
}

#[test]
fn only_agents_with_the_skill_are_dialed_for() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        skills: vec!["en".into()],
        ..progressive(1, 3, 50)
    });
    rig.ready([1]);
    rig.pass(1_000);
    assert_eq!(rig.dials().len(), 0);
    rig.tell(Input::AgentIn(Box::new(AgentSpec {
        id: agent(2),
        campaigns: Vec::new(),
        skills: vec!["en".into(), "es".into()],
        needs_leg: true,
    })));
    rig.tell(Input::Leg {
        agent: agent(2),
        up: true,
    });
    rig.wish(2, Wish::Ready);
    let dials = rig.dials();
    assert_eq!(dials.len(), 1);
    assert_eq!(dials[0].agent, Some(agent(2)));
}

#[test]
fn a_trunk_that_does_not_answer_any_more_is_passed_over() {
    let mut rig = Rig::with_trunk(50, 100);
    rig.put_trunk(2, 50, 100);
    rig.run(CampaignSpec {
        trunks: vec![trunk(1), trunk(2)],
        ..power(1)
    });
    rig.ready(1..=4);
    // Trunk 1 refuses everything; on trunk 2 every other call is answered, and ends at once.
    let mut good = 0;
    for _ in 0..400 {
        let Some(attempt) = rig.ringing().first().copied() else {
            break;
        };
        let dead = rig.brain.call(attempt).is_some_and(|c| c.trunk == trunk(1));
        good += usize::from(!dead);
        if dead || good % 2 == 0 {
            rig.opened(attempt);
            rig.end(attempt, if dead { 503 } else { 486 });
        } else {
            rig.answer(attempt);
            rig.end(attempt, 200);
        }
        rig.pass(20);
    }
    let dials = rig.dials();
    let last: Vec<_> = dials[dials.len() - 100..].iter().map(|t| t.trunk).collect();
    let dead = last.iter().filter(|t| **t == trunk(1)).count();
    assert!(dead <= 15, "{dead} of the last hundred");
    assert!(dials.iter().filter(|t| t.trunk == trunk(1)).count() > 10);
}

/// Sign-off, pause, lost link: what rings for nobody is withdrawn in the same instant.
#[test]
fn surplus_calls_are_withdrawn_at_once_whatever_took_the_agents() {
    type Way = (&'static str, fn(&mut Rig, u128));
    let ways: [Way; 3] = [
        ("sign-off", |rig, n| rig.wish(n, Wish::Logout)),
        ("pause", |rig, n| rig.wish(n, Wish::Pause(PauseCode::Lunch))),
        ("lost link", |rig, n| rig.tell(Input::LinkLost(agent(n)))),
    ];
    for (name, way) in ways {
        for mode in [DialMode::Power, DialMode::Predictive] {
            let mut rig = Rig::new();
            rig.run(CampaignSpec { mode, ..power(1) });
            rig.ready(1..=6);
            rig.pass(500);
            let before = rig.ringing();
            for attempt in &before {
                rig.opened(*attempt);
            }
            let at = rig.now;
            for n in 1..=3 {
                way(&mut rig, n);
            }
            let gone = rig.cancelled().len();
            let due = before.len() / 2;
            assert!(gone.abs_diff(due) <= 1, "{name}, {mode}: {gone} of {due}");
            for n in 4..=6 {
                way(&mut rig, n);
            }
            assert_eq!(rig.cancelled().len(), before.len(), "{name}, {mode}");
            let late = rig
                .log
                .iter()
                .filter(|(when, c)| matches!(c, Command::Cancel(_)) && *when != at);
            assert_eq!(late.count(), 0, "{name}: in the same instant");
        }
    }
}

#[test]
fn nothing_is_lost_when_the_hopper_of_one_is_given_back() {
    let mut rig = Rig::new();
    rig.run(progressive(1, 3, 50));
    rig.run(progressive(2, 3, 50));
    rig.ready(1..=2);
    let held = rig.brain.hopper(campaign(1)).count();
    rig.tell(Input::CampaignOff {
        campaign: campaign(1),
        cancel: true,
    });
    assert_eq!(rig.released(ReleaseWhy::CampaignOff), held);
}
