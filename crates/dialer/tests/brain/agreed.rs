//! Agreed call-backs in a campaign that dials ahead: a pile of them keeps nobody else from being dialed, and each is
//! made by its agent alone where it is his.

use super::rig::{Rig, agent, campaign, in_mode, trunk};
use dialer::{AgentSpec, CampaignSpec, Command, Input, Item, Wish};
use domain::entity::{DialMode, Language, NextAgent};
use domain::ids::AttemptId;
use domain::time::{SECOND_MS, UtcMs};

/// Agents at work.
const AGENTS: u128 = 5;
/// Agreed call-backs that are due at once.
const PILE: usize = 60;

/// What a while of work came to.
#[derive(Debug, Default)]
struct Sum {
    call_backs: usize,
    others: usize,
    talks: usize,
}

fn call_back(rig: &mut Rig) -> Item {
    Item {
        agent_only: true,
        priority: 20,
        answer: Some(0.9),
        ..rig.item(campaign(1))
    }
}

/// Five agents in a forecasting campaign, `pile` agreed call-backs in its hopper, minutes of work counted. Without
/// `others` the hopper is not filled up behind the pile.
fn works(pile: usize, minutes: i64, others: bool) -> Sum {
    let mut rig = Rig::with_trunk(200, 200);
    rig.feeds = others;
    rig.answers = Some(|_| 0.2);
    rig.run(in_mode(DialMode::Predictive));
    let items: Vec<Item> = (0..pile).map(|_| call_back(&mut rig)).collect();
    rig.stock(campaign(1), items);
    rig.ready(1..=AGENTS);
    let (mut seen, mut sum) = (0, Sum::default());
    let mut due: Vec<(AttemptId, UtcMs, bool)> = Vec::new();
    let mut talks: Vec<(AttemptId, UtcMs)> = Vec::new();
    for _ in 0..minutes * 120 {
        rig.pass(500);
        let now = rig.now;
        for task in rig.dials().split_off(seen) {
            seen += 1;
            let agreed = task.item.agent_only;
            assert!(!agreed || task.agent.is_some(), "nobody to talk with him");
            sum.call_backs += usize::from(agreed);
            sum.others += usize::from(!agreed);
            rig.opened(task.attempt);
            // Of the others every fifth answers, of those who expect us every third.
            let answers = match agreed {
                true => sum.call_backs % 3 == 0,
                false => sum.others % 5 == 0,
            };
            let rings = if answers { 6 } else { 20 };
            due.push((task.attempt, now.plus_ms(rings * SECOND_MS), answers));
        }
        let (ripe, later): (Vec<_>, Vec<_>) = due.into_iter().partition(|(_, at, _)| *at <= now);
        due = later;
        for (attempt, _, answers) in ripe {
            let free =
                (1..=AGENTS).any(|n| rig.brain.agent(agent(n)).expect("known").takes_calls());
            let kept = rig.brain.call(attempt).is_some_and(|c| c.agent.is_some());
            if answers && (free || kept) {
                rig.answer(attempt);
                rig.join(attempt);
                sum.talks += 1;
                talks.push((attempt, now.plus_ms(60 * SECOND_MS)));
            } else {
                rig.end(attempt, 486);
            }
        }
        let (over, on): (Vec<_>, Vec<_>) = talks.into_iter().partition(|(_, until)| *until <= now);
        talks = on;
        for (attempt, _) in over {
            rig.end(attempt, 200);
            rig.dispose(attempt);
        }
    }
    sum
}

/// The pile alone is dialed with an agent reserved each time; filled up behind it, agents who are about to be free are
/// dialed ahead for.
#[test]
fn a_pile_of_agreed_call_backs_keeps_nobody_from_being_dialed_ahead() {
    let (with, alone) = (works(PILE, 8, true), works(PILE, 8, false));
    let without = works(0, 8, true);
    println!(
        "figure: eight minutes of five agents: {with:?}; the pile alone {alone:?}; no pile {without:?}"
    );
    assert!(with.call_backs >= PILE / 2, "they go first: {with:?}");
    assert!(with.others > 20, "others are dialed beside them: {with:?}");
    assert!(with.talks > alone.talks, "{with:?} {alone:?}");
}

#[test]
fn a_hopper_asks_for_no_more_call_backs_than_its_agents_can_make() {
    let mut rig = Rig::with_trunk(200, 200);
    rig.feeds = false;
    rig.run(in_mode(DialMode::Predictive));
    let items: Vec<Item> = (0..PILE).map(|_| call_back(&mut rig)).collect();
    let stock = Input::Stock {
        campaign: campaign(1),
        items,
        more: true,
    };
    rig.brain.gather();
    rig.tell(stock);
    rig.ready(1..=AGENTS);
    rig.brain.act(rig.now);
    let asked: Vec<(u32, Option<u32>)> = rig
        .brain
        .drain()
        .into_iter()
        .filter_map(|c| match c {
            Command::Refill { want, .. } => Some(want),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (want, agreed) = asked[0];
    assert!(want > 10 && agreed == Some(0), "{asked:?}");
}

/// His call-back waits for its agent; what is behind it does not, in every mode that reserves agents.
#[test]
fn an_own_call_back_is_made_by_its_agent_alone_and_holds_up_nobody() {
    for mode in [DialMode::Progressive, DialMode::Power, DialMode::Predictive] {
        let mut rig = Rig::with_trunk(200, 200);
        rig.feeds = false;
        rig.run(in_mode(mode));
        let own = Item {
            priority: 20,
            own_agent: Some(agent(2)),
            own_only: true,
            ..rig.item(campaign(1))
        };
        let plain = rig.item(campaign(1));
        rig.stock(campaign(1), vec![own.clone(), plain.clone()]);
        rig.sign_in(2);
        rig.ready([1]);
        let dialed: Vec<_> = rig.dials().iter().map(|t| t.item.debtor).collect();
        assert_eq!(dialed, [plain.debtor], "{mode}");
        rig.wish(2, Wish::Ready);
        let last = rig.dials().pop().expect("one more");
        assert_eq!(
            (last.item.debtor, last.agent),
            (own.debtor, Some(agent(2))),
            "{mode}"
        );
    }
}

#[test]
fn an_own_call_back_is_previewed_by_its_agent_alone_and_holds_up_nobody() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Preview));
    let own = Item {
        priority: 20,
        own_agent: Some(agent(2)),
        own_only: true,
        ..rig.item(campaign(1))
    };
    let plain = rig.item(campaign(1));
    rig.stock(campaign(1), vec![own.clone(), plain.clone()]);
    rig.ready([1]);
    let shown = |rig: &Rig, n: u128| {
        let session = rig.brain.agent(agent(n)).expect("known");
        session.preview.as_ref().map(|(_, item)| item.debtor)
    };
    assert_eq!(shown(&rig, 1), Some(plain.debtor));
    rig.ready([2]);
    rig.tell(Input::Tick);
    assert_eq!(shown(&rig, 2), Some(own.debtor));
}

/// Of two trunks the one that failed his last call is not tried again for him; where there is no other, it is.
#[test]
fn who_was_failed_by_a_trunk_goes_by_another() {
    for trunks in 1..=2 {
        let mut rig = Rig::with_trunk(10, 10);
        if trunks == 2 {
            rig.put_trunk(2, 10, 10);
        }
        rig.feeds = false;
        rig.run(in_mode(DialMode::Progressive));
        for failed in [1, 2] {
            let item = Item {
                avoid: Some(trunk(failed)),
                ..rig.item(campaign(1))
            };
            rig.stock(campaign(1), vec![item]);
        }
        rig.ready([1, 2]);
        let taken: Vec<_> = rig.dials().iter().map(|t| t.trunk).collect();
        let expected = if trunks == 2 {
            [trunk(2), trunk(1)]
        } else {
            [trunk(1), trunk(1)]
        };
        assert_eq!(taken, expected, "{trunks} trunks");
    }
}

/// The one with the fewest calls goes first where the campaign says so, whoever has been ready longest.
#[test]
fn the_next_agent_is_who_the_campaign_says() {
    for (next, expected) in [
        (NextAgent::LongestReady, agent(1)),
        (NextAgent::FewestCalls, agent(2)),
    ] {
        let mut rig = Rig::new();
        rig.feeds = false;
        rig.run(CampaignSpec {
            next_agent: next,
            ..in_mode(DialMode::Progressive)
        });
        rig.ready([1]);
        let first = rig.item(campaign(1));
        rig.stock(campaign(1), vec![first]);
        let call = rig.ringing()[0];
        rig.answer(call);
        rig.join(call);
        rig.end(call, 200);
        rig.dispose(call);
        rig.wish(1, Wish::Ready);
        rig.pass(60_000);
        // He has been ready for a while when the other sits down.
        rig.ready([2]);
        let second = rig.item(campaign(1));
        rig.stock(campaign(1), vec![second]);
        let last = rig.dials().pop().expect("dialed");
        assert_eq!(last.agent, Some(expected), "{next}");
    }
}

/// Agents whose skills name languages: who speaks the debtor's goes first; where nobody free does, anybody.
#[test]
fn a_debtor_gets_who_speaks_his_language() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    for (n, skills) in [(1, vec!["es"]), (2, vec!["legal", "pt"])] {
        rig.tell(Input::AgentIn(Box::new(AgentSpec {
            id: agent(n),
            campaigns: Vec::new(),
            skills: skills.into_iter().map(str::to_owned).collect(),
            needs_leg: false,
        })));
        rig.wish(n, Wish::Ready);
        rig.pass(1_000);
    }
    for (language, expected) in [(Language::Pt, 2), (Language::Pt, 1)] {
        let item = Item {
            language,
            ..rig.item(campaign(1))
        };
        rig.stock(campaign(1), vec![item]);
        let last = rig.dials().pop().expect("dialed");
        assert_eq!(last.agent, Some(agent(expected)), "{language}");
    }
}
