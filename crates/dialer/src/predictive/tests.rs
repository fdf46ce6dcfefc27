use super::*;

const SETTINGS: Settings = Settings {
    target: 0.028,
    limit_s: 2.0,
    ring_timeout_s: 25.0,
};

fn look(idle: u32, most: u32) -> Look {
    Look {
        idle,
        waiting: 0,
        most,
        shrink: 1.0,
        share: 1.0,
    }
}

fn policy(agents: u32) -> Predictive {
    let mut policy = Predictive::new(SETTINGS).expect("these can be dialed");
    for n in 0..agents {
        policy.agent(0.0, Key::from(n), AgentState::Idle);
    }
    policy
}

#[test]
fn never_more_than_lines_and_rate_allow() {
    for agents in [1, 10, 64, 65, 500] {
        for most in [0, 1, 7] {
            assert!(policy(agents).decide(1.0, &look(agents, most)) <= most);
        }
        let free = policy(agents).decide(1.0, &look(agents, 10_000));
        assert!(free >= 1 && free <= 4 * agents, "{agents}: {free}");
    }
}

#[test]
fn nobody_there_or_people_waiting_means_no_call() {
    assert_eq!(policy(0).decide(1.0, &look(0, 100)), 0);
    let mut policy = policy(5);
    let crowd = Look {
        waiting: 6,
        ..look(5, 100)
    };
    assert_eq!(policy.decide(1.0, &crowd), 0);
}

#[test]
fn calls_in_flight_count_and_abandonment_makes_careful() {
    let mut policy = policy(20);
    let first = policy.decide(1.0, &look(20, 1_000));
    for n in 0..first {
        policy.call(1.0, Key::from(1_000 + n), CallEvent::Launched(None));
    }
    assert!(policy.decide(1.0, &look(20, 1_000)) <= 2);
    let before = policy.theta();
    for n in 0..10_u32 {
        policy.call(2.0, Key::from(5_000 + n), CallEvent::Abandoned);
    }
    assert!(policy.theta() < before * 0.8);
}

#[test]
fn impossible_settings_are_refused_with_the_reason() {
    for (settings, word) in [
        (
            Settings {
                target: 0.0,
                ..SETTINGS
            },
            "progressive",
        ),
        (
            Settings {
                limit_s: 0.0,
                ..SETTINGS
            },
            "agent within",
        ),
        (
            Settings {
                ring_timeout_s: 1.0,
                ..SETTINGS
            },
            "ring timeout",
        ),
        (
            Settings {
                target: f64::NAN,
                ..SETTINGS
            },
            "target",
        ),
    ] {
        let error = Predictive::new(settings).expect_err("refused").to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn what_was_never_dialed_moves_no_threshold() {
    let mut policy = policy(20);
    let before = policy.theta();
    for n in 1..2_000_u32 {
        assert!(policy.decide(f64::from(n), &look(20, 1_000)) > 0);
    }
    assert!((policy.theta() - before).abs() < 1e-12);
}

#[test]
fn an_agent_shared_with_others_counts_as_his_share() {
    let (mut whole, mut half) = (policy(0), policy(0));
    for policy in [&mut whole, &mut half] {
        for n in 0..20_u32 {
            policy.agent(0.0, Key::from(n), AgentState::Talk);
        }
    }
    let all = whole.decide(60.0, &look(6, 1_000));
    let shared = half.decide(
        60.0,
        &Look {
            share: 0.1,
            ..look(6, 1_000)
        },
    );
    assert!(shared < all, "{shared} {all}");
}

#[test]
fn who_said_that_he_leaves_is_not_reckoned_with_and_teaches_nothing() {
    const TALK: u32 = 30;
    // Thirty talk, for so long that some of them will be free when a call of now is answered; ten are idle.
    let talking = |leavers: u32| {
        let mut policy = policy(TALK + 10);
        for n in 0..TALK {
            policy.agent(0.0, Key::from(n), AgentState::Talk);
            policy.leaves(Key::from(n), n < leavers);
        }
        policy
    };
    let look = look(10, 100);
    let counts = [0, TALK / 2, TALK].map(|leavers| talking(leavers).decide(60.0, &look));
    assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
    // As if they were not there.
    assert_eq!(counts[2], policy(10).decide(60.0, &look));
    // Whoever takes it back counts again.
    let mut back = talking(TALK);
    for n in 0..TALK {
        back.leaves(Key::from(n), false);
    }
    assert_eq!(back.decide(60.0, &look), counts[0]);
    // Thirty who go as they said leave the hope in thirty others as it was.
    let hope = |told: bool| {
        let mut policy = talking(if told { TALK } else { 0 });
        for n in 0..TALK {
            policy.agent(70.0, Key::from(n), AgentState::Wrap);
            policy.agent(75.0, Key::from(n), AgentState::Break);
            policy.agent(75.0, Key::from(100 + n), AgentState::Talk);
        }
        policy.decide(120.0, &look)
    };
    assert!(hope(true) > hope(false));
}
