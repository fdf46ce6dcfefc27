//! What the debtors' packs ask for binds a campaign, and a change of the campaign while it dials loses neither that
//! nor what was learned and is in flight.

use crate::rig::{Rig, T0, agent, campaign, in_mode, plain, power, trunk};
use dialer::{
    AbandonRule, CallRules, CampaignSpec, Command, Incoming, Input, Item, Judging, KeptPlace,
    Window,
};
use domain::entity::DialMode;
use domain::ids::{AttemptId, ClientId};
use domain::law::ShortCallRule;
use domain::law::pack::FormulaId;
use domain::ports::store::{AnswerSlot, ShortCount};
use domain::time::{DAY_MS, HOUR_MS};
use uuid::Uuid;

fn predictive() -> CampaignSpec {
    in_mode(DialMode::Predictive)
}

fn aim(rig: &Rig) -> f64 {
    let view = rig.brain.campaign(campaign(1)).expect("it runs");
    view.target_pct.expect("it forecasts")
}

fn mode(rig: &Rig) -> DialMode {
    rig.brain.campaign(campaign(1)).expect("it runs").mode
}

/// Items of one pack.
fn stock(rig: &mut Rig, many: u32, abandon: AbandonRule, ring_min_ms: i64) {
    let items = (0..many).map(|_| Item {
        abandon,
        ring_min_ms,
        ..rig.item(campaign(1))
    });
    let items: Vec<Item> = items.collect();
    rig.stock(campaign(1), items);
}

/// The telemarketing rule's thirty days.
const TSR: AbandonRule = AbandonRule {
    formula: FormulaId::Tsr,
    window: Window::Days(30),
    cap_pct: 3.0,
    target_pct: 0.93 * 3.0,
};

fn changed(spec: &CampaignSpec) -> CampaignSpec {
    CampaignSpec {
        rules: CallRules {
            wrapup_ms: 30_000,
            ..spec.rules
        },
        ..spec.clone()
    }
}

#[test]
fn a_packs_lower_aim_is_the_one_in_force() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(predictive());
    let learned = rig.brain.memory(campaign(1));
    assert!((aim(&rig) - 2.8).abs() < 1e-9, "the campaign's own");
    // The house's share of the same cap is no aim of the pack's.
    stock(&mut rig, 1, plain(3.0), 20_000);
    assert!((aim(&rig) - 2.8).abs() < 1e-9);
    let target_one = AbandonRule {
        target_pct: 1.0,
        ..TSR
    };
    stock(&mut rig, 1, target_one, 20_000);
    assert!((aim(&rig) - 1.0).abs() < 1e-9, "{}", aim(&rig));
    // What a manager sets above it does not undo it, what is below counts.
    rig.run(CampaignSpec {
        target_pct: 2.0,
        ..predictive()
    });
    assert!((aim(&rig) - 1.0).abs() < 1e-9);
    rig.run(CampaignSpec {
        target_pct: 0.5,
        ..predictive()
    });
    assert!((aim(&rig) - 0.5).abs() < 1e-9);
    assert_eq!(rig.brain.memory(campaign(1)), learned, "nothing is lost");

    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(predictive());
    stock(&mut rig, 1, plain(1.0), 20_000);
    assert!((aim(&rig) - 0.93).abs() < 1e-9, "a cap of one");
}

#[test]
fn what_detection_may_take_is_off_every_aim() {
    let judged = CampaignSpec {
        amd_fp_pct: 1.0,
        target_pct: 2.79,
        ..predictive()
    };
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(judged.clone());
    assert!((aim(&rig) - 1.79).abs() < 1e-9, "{}", aim(&rig));
    let aims_at = |pct: f64| AbandonRule {
        target_pct: pct,
        ..TSR
    };
    stock(&mut rig, 1, aims_at(2.5), 20_000);
    assert!((aim(&rig) - 1.5).abs() < 1e-9, "a pack's lower aim");
    // Half of an aim is left, or there would be none.
    stock(&mut rig, 1, aims_at(1.2), 20_000);
    assert!((aim(&rig) - 0.6).abs() < 1e-9, "{}", aim(&rig));
    // Without detection nothing is off.
    rig.run(CampaignSpec {
        amd_fp_pct: 0.0,
        ..judged
    });
    assert!((aim(&rig) - 1.2).abs() < 1e-9, "{}", aim(&rig));
}

#[test]
fn a_detector_that_loses_more_than_was_planned_leaves_less_to_spend() {
    let judged = |judging, amd_fp_pct| CampaignSpec {
        amd_fp_pct,
        target_pct: 2.79,
        rules: CallRules {
            judging,
            ..CallRules::default()
        },
        ..predictive()
    };
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(judged(Judging::First, 0.5));
    assert!((aim(&rig) - 2.29).abs() < 1e-9, "as planned");
    rig.tell(Input::Loses(campaign(1), 1.2));
    assert!((aim(&rig) - 1.59).abs() < 1e-9, "{}", aim(&rig));
    // Neither a change of the campaign nor a pack brings back what the detector takes.
    rig.run(judged(Judging::First, 0.5));
    stock(&mut rig, 1, TSR, 15_000);
    assert!((aim(&rig) - 1.59).abs() < 1e-9, "{}", aim(&rig));
    // Who is connected first is lost to nobody, and a better detector does not spend what is set aside for it.
    rig.run(judged(Judging::Under, 0.0));
    assert!((aim(&rig) - 2.79).abs() < 1e-9, "{}", aim(&rig));
    rig.run(judged(Judging::First, 0.5));
    rig.tell(Input::Loses(campaign(1), 0.1));
    assert!((aim(&rig) - 2.29).abs() < 1e-9, "{}", aim(&rig));
}

#[test]
fn a_rule_of_thirty_days_outlives_a_change_of_the_campaign() {
    for asked in [DialMode::Predictive, DialMode::Power] {
        let mut rig = Rig::new();
        rig.feeds = false;
        rig.tell(Input::Answers(vec![AnswerSlot {
            client_id: ClientId(Uuid::from_u128(0xCC)),
            campaign_id: Some(campaign(1)),
            from: T0.plus_ms(-5 * DAY_MS),
            width_ms: HOUR_MS,
            abandoned: 40,
            handled: 960,
            machines: 0,
        }]));
        let spec = in_mode(asked);
        rig.run(spec.clone());
        rig.ready(1..=4);
        stock(&mut rig, 20, TSR, 15_000);
        assert_eq!(mode(&rig), DialMode::Progressive, "{asked}");
        let forced = |rig: &Rig| {
            let told = |(_, c): &&(_, Command)| matches!(c, Command::ModeForced { .. });
            rig.log.iter().filter(told).count()
        };
        assert_eq!(forced(&rig), 1);
        // Changed, and resumed once more: nothing is stocked between.
        for again in [changed(&spec), spec.clone(), spec.clone()] {
            rig.run(again);
            rig.pass(1_000);
            assert_eq!(mode(&rig), DialMode::Progressive, "{asked}");
        }
        // Those of that pack are all dialed; their thirty days are not over.
        for _ in 0..20 {
            for attempt in rig.ringing() {
                rig.opened(attempt);
                rig.end(attempt, 486);
            }
            rig.pass(1_000);
        }
        assert_eq!(rig.dials().len(), 20);
        stock(&mut rig, 20, plain(3.0), 20_000);
        rig.run(changed(&spec));
        assert_eq!((mode(&rig), forced(&rig)), (DialMode::Progressive, 1));
        assert!(rig.dials().iter().all(|d| d.agent.is_some()), "{asked}");
        // Begun again it is bound by whom it calls from then on, before the first is called.
        rig.tell(Input::CampaignOff {
            campaign: campaign(1),
            cancel: true,
        });
        rig.pass(20_000);
        rig.run(spec.clone());
        rig.pass(1_000);
        stock(&mut rig, 20, TSR, 15_000);
        assert_eq!(mode(&rig), DialMode::Progressive, "{asked}");
        assert!(rig.dials().iter().all(|d| d.agent.is_some()), "{asked}");
    }
}

#[test]
fn a_stricter_cap_of_the_managers_can_be_taken_back() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(CampaignSpec {
        cap_pct: 1.0,
        target_pct: 0.93,
        ..predictive()
    });
    stock(&mut rig, 1, TSR, 20_000);
    let cap = |rig: &Rig| rig.brain.campaign(campaign(1)).map(|c| c.cap_pct);
    assert_eq!(cap(&rig), Some(1.0));
    rig.run(predictive());
    assert_eq!(cap(&rig), Some(3.0));
    assert!((aim(&rig) - 2.8).abs() < 1e-9);
}

/// Ten are ready and some thirty calls ring for them, of a forecast that has seen a few hundred.
fn ringing() -> Rig {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(predictive());
    rig.ready(1..=10);
    for _ in 0..60 {
        rig.pass(1_000);
        for attempt in rig.ringing() {
            rig.opened(attempt);
            rig.end(attempt, 486);
        }
    }
    rig.pass(3_000);
    for attempt in rig.ringing() {
        rig.opened(attempt);
    }
    rig.pass(1_000);
    rig
}

#[test]
fn a_change_in_mid_shift_neither_forgets_nor_bursts() {
    let weight = |rig: &Rig| {
        let memory = rig.brain.memory(campaign(1)).expect("it forecasts");
        let part = memory.parts.iter().find(|(name, _)| name == "weight");
        part.map_or(0.0, |(_, figures)| figures[0])
    };
    let rings = CampaignSpec {
        rules: CallRules {
            ring_timeout_ms: 35_000,
            ..CallRules::default()
        },
        ..predictive()
    };
    for spec in [changed(&predictive()), rings] {
        let mut rig = ringing();
        let (before, learned) = (rig.dials().len(), weight(&rig));
        assert!(rig.ringing().len() >= 10 && learned > 30.0, "{learned}");
        rig.run(spec);
        rig.pass(500);
        assert!(weight(&rig) > 0.99 * learned, "{learned} {}", weight(&rig));
        let more = rig.dials().len() - before;
        assert!(more <= 3, "{more} more for calls it has in flight already");
    }
}

#[test]
fn a_forecast_that_takes_over_knows_what_rings() {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(power(1));
    rig.ready(1..=10);
    for attempt in rig.ringing() {
        rig.opened(attempt);
    }
    let before = rig.dials().len();
    assert_eq!(before, 30);
    rig.run(predictive());
    rig.pass(500);
    let more = rig.dials().len() - before;
    assert!(more <= 3, "{more} more for calls that ring already");
}

#[test]
fn the_forecast_sees_as_far_as_the_longest_ringing() {
    let bins = |rig: &Rig| {
        let memory = rig.brain.memory(campaign(1)).expect("it forecasts");
        let part = memory.parts.iter().find(|(name, _)| name == "ring");
        part.map_or(0, |(_, figures)| figures.len())
    };
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(predictive());
    let own = bins(&rig);
    stock(&mut rig, 1, plain(3.0), 20_000);
    assert_eq!(bins(&rig), own, "its own 25 s are longer");
    stock(&mut rig, 1, plain(3.0), 40_000);
    let longer = bins(&rig);
    assert!(longer > own + own / 2, "{own} {longer}");
    rig.run(changed(&predictive()));
    assert_eq!(bins(&rig), longer);
}

#[test]
fn lines_for_each_agent_are_capped() {
    for spec in [predictive(), power(1)] {
        let mut rig = Rig::with_trunk(500, 500);
        rig.run(CampaignSpec {
            lines_per_agent_max: Some(1.5),
            ..spec.clone()
        });
        rig.ready(1..=10);
        let mut most = 0;
        for n in 0..200_u32 {
            rig.pass(250);
            let lines = rig.brain.calls().count();
            assert!(lines <= 15, "{lines} lines in {}", spec.mode);
            most = most.max(lines);
            // Nobody answers for long: it would dial far ahead.
            for attempt in rig.ringing().into_iter().take(4) {
                rig.opened(attempt);
                if n % 2 == 0 {
                    rig.end(attempt, 486);
                }
            }
        }
        assert_eq!(most, 15, "{}", spec.mode);
    }
    // One line an agent is one of each campaign that shares him, not none, and of one alone no second.
    for (mode, campaigns) in [
        (DialMode::Power, 1..=2),
        (DialMode::Predictive, 1..=1),
        (DialMode::Power, 1..=1),
    ] {
        let mut rig = Rig::new();
        for n in campaigns.clone() {
            rig.run(CampaignSpec {
                mode,
                lines_per_agent: 6.0,
                lines_per_agent_max: Some(1.0),
                ..power(n)
            });
        }
        rig.ready([1]);
        rig.pass(2_000);
        for n in campaigns {
            let own = |d: &&dialer::DialTask| d.item.campaign == campaign(n);
            assert_eq!(rig.dials().iter().filter(own).count(), 1, "{mode}, {n}");
        }
    }
}

const SHORT: ShortCallRule = ShortCallRule {
    max_ms: 6_000,
    cap_pct: 85.0,
    day_min: 100_000,
};

/// A debtor whose pack has a rule on short calls.
fn ruled(rig: &mut Rig) -> Item {
    Item {
        short_calls: Some(SHORT),
        ..rig.item(campaign(1))
    }
}

fn told(rig: &mut Rig, calls: u64, short: u64) {
    rig.tell(Input::ShortCalls {
        campaign: campaign(1),
        counted: ShortCount { calls, short },
    });
}

#[test]
fn a_rule_on_short_calls_holds_for_who_is_dialed_by_hand() {
    let dial = |rig: &mut Rig, n: u128| {
        let item = Box::new(ruled(rig));
        let asked = rig.ask(Input::Manual {
            agent: agent(1),
            attempt: AttemptId(Uuid::from_u128(0xF000 + n)),
            item,
            rules: CallRules::default(),
        });
        asked.map_err(|refusal| (refusal.code, refusal.what))
    };
    // A campaign that dials others, one that dials nobody any more, and one that never ran here.
    for way in ["on", "off", "never"] {
        let mut rig = Rig::new();
        rig.feeds = false;
        if way != "never" {
            rig.run(power(1));
        }
        if way == "off" {
            let item = ruled(&mut rig);
            rig.stock(campaign(1), vec![item]);
            told(&mut rig, 100_000, 10_000);
            let (campaign, cancel) = (campaign(1), false);
            rig.tell(Input::CampaignOff { campaign, cancel });
            assert_eq!(rig.brain.short_days().count(), 0, "an old count is none");
        }
        rig.ready([1]);
        let (code, words) = dial(&mut rig, 1).expect_err("nobody counted yet");
        assert_eq!(code, "short_calls_not_counted", "{way}");
        assert!(words.contains("try again") && !words.contains("too many"));
        let asks: Vec<_> = rig.brain.short_days().collect();
        assert_eq!(
            (asks.len(), asks[0].0, asks[0].1.rule),
            (1, campaign(1), SHORT)
        );
        told(&mut rig, 100_000, 84_950);
        let (code, words) = dial(&mut rig, 2).expect_err("too many are short");
        assert_eq!(code, "short_calls", "{way}");
        assert!(words.contains("too many"));
        told(&mut rig, 100_000, 60_000);
        dial(&mut rig, 3).expect("there is room");
        assert_eq!(rig.dials().len(), 1, "{way}");
        if way != "on" {
            rig.run(power(1));
            assert_eq!(rig.brain.short_days().count(), 0, "its stock says anew");
        }
    }
}

#[test]
fn a_rule_on_short_calls_holds_for_a_place_that_is_kept() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let attempt = |n: u128| AttemptId(Uuid::from_u128(0xF000 + n));
    let item = ruled(&mut rig);
    let at = rig.now;
    rig.tell(Input::Incoming(Box::new(Incoming {
        attempt: attempt(1),
        item: item.clone(),
        trunk: trunk(1),
        rules: CallRules::default(),
        at,
        wait_ms: 600_000,
        notice: false,
    })));
    rig.tell(Input::KeepPlace {
        from: attempt(1),
        place: Box::new(KeptPlace {
            attempt: attempt(2),
            item,
            rules: CallRules::default(),
            since: at,
            until: at.plus_ms(HOUR_MS),
        }),
    });
    rig.tell(Input::Played(attempt(1)));
    rig.end(attempt(1), 200);
    rig.ready([1]);
    rig.pass(2_000);
    assert!(rig.dials().is_empty(), "nobody counted the day yet");
    assert_eq!(rig.brain.short_days().count(), 1, "it is asked for");
    told(&mut rig, 100_000, 10_000);
    rig.pass(2_000);
    assert_eq!(rig.dials().len(), 1);
}

#[test]
fn a_rule_on_short_calls_lets_none_leave_before_the_day_is_counted_nor_when_it_is_full() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    rig.ready([1]);
    let items: Vec<Item> = (0..20).map(|_| ruled(&mut rig)).collect();
    rig.stock(campaign(1), items);
    rig.pass(2_000);
    assert!(rig.dials().is_empty(), "nobody counted the day yet");
    let stop = |rig: &Rig| {
        let view = rig.brain.campaign(campaign(1));
        view.and_then(|v| v.short_calls_stop)
    };
    let tell = |rig: &mut Rig, calls, short| {
        told(rig, calls, short);
        rig.pass(2_000);
    };
    tell(&mut rig, 100_000, 84_950);
    assert!(rig.dials().is_empty());
    assert_eq!(stop(&rig), Some("short_calls"));
    // Two calls are left below the margin; each that leaves is taken to be short.
    tell(&mut rig, 100_022, 84_018);
    assert_eq!(rig.dials().len(), 2);
    assert_eq!(stop(&rig), Some("short_calls"));
    tell(&mut rig, 100_024, 60_000);
    assert_eq!((rig.dials().len(), stop(&rig)), (3, None));
}
