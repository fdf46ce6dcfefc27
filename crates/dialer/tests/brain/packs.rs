//! What the debtors' packs ask for binds a campaign, and a change of the campaign while it dials loses neither that
//! nor what was learned and is in flight.

use crate::rig::{Rig, T0, campaign, in_mode, plain, power};
use dialer::{AbandonRule, CallRules, CampaignSpec, Command, Input, Item, Window};
use domain::entity::DialMode;
use domain::ids::ClientId;
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
    // One line an agent is never less than that, whatever the share.
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_per_agent_max: Some(1.0),
        ..predictive()
    });
    rig.run(CampaignSpec {
        mode: DialMode::Progressive,
        ..power(2)
    });
    rig.ready([1]);
    rig.pass(2_000);
    let own = |d: &&dialer::DialTask| d.item.campaign == campaign(1);
    let dials = rig.dials();
    assert!(dials.iter().filter(own).count() <= 1 && !dials.is_empty());
}

#[test]
fn a_rule_on_short_calls_lets_none_leave_before_the_day_is_counted_nor_when_it_is_full() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    rig.ready([1]);
    let rule = ShortCallRule {
        max_ms: 6_000,
        cap_pct: 85.0,
        day_min: 100_000,
    };
    let items = (0..20).map(|_| Item {
        short_calls: Some(rule),
        ..rig.item(campaign(1))
    });
    let items: Vec<Item> = items.collect();
    rig.stock(campaign(1), items);
    rig.pass(2_000);
    assert!(rig.dials().is_empty(), "nobody counted the day yet");
    let stop = |rig: &Rig| {
        let view = rig.brain.campaign(campaign(1));
        view.and_then(|v| v.short_calls_stop)
    };
    let tell = |rig: &mut Rig, calls, short| {
        let counted = ShortCount { calls, short };
        rig.tell(Input::ShortCalls {
            campaign: campaign(1),
            counted,
        });
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
