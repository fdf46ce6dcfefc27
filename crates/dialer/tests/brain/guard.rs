//! The hard stop on abandonment (law.md §4), through the brain: what it does to the dialing.

use crate::rig::{Rig, T0, campaign, in_mode, plain, power};

use dialer::{AbandonRule, CampaignSpec, Command, Input, Tally, Window};
use domain::entity::DialMode;
use domain::ids::{CampaignId, ClientId};
use domain::ports::store::AnswerSlot;
use domain::time::{HOUR_MS, MINUTE_MS};
use uuid::Uuid;

/// Answers of the stored attempts, two hours before the start: out of the last hour.
fn before(campaign: CampaignId, abandoned: u64, handled: u64) -> Input {
    Input::Answers(vec![AnswerSlot {
        client_id: ClientId(Uuid::from_u128(0xCC)),
        campaign_id: Some(campaign),
        from: T0.plus_ms(-90 * MINUTE_MS),
        width_ms: MINUTE_MS,
        abandoned,
        handled,
        machines: 0,
    }])
}

fn seeded(spec: CampaignSpec, abandoned: u64, handled: u64) -> Rig {
    let mut rig = Rig::new();
    rig.tell(before(campaign(1), abandoned, handled));
    rig.run(spec);
    rig
}

fn forced(rig: &Rig) -> Vec<(DialMode, DialMode, &'static str)> {
    rig.log
        .iter()
        .filter_map(|(_, c)| match c {
            Command::ModeForced { from, to, why, .. } => Some((*from, *to, *why)),
            _ => None,
        })
        .collect()
}

/// Abandoned calls on the account of the campaign's forecast.
fn owed(rig: &Rig) -> f64 {
    let view = rig.brain.campaign(campaign(1)).expect("it runs");
    view.owed.expect("it forecasts")
}

#[test]
fn a_forecast_owes_what_its_legal_window_holds() {
    let spec = CampaignSpec {
        day_ends: T0.plus_ms(5_000),
        ..in_mode(DialMode::Predictive)
    };
    // Begun in the midst of a day: 40 of 1,000 where 28 were aimed at.
    let mut rig = seeded(spec, 40, 960);
    rig.feeds = false;
    rig.ready([1]);
    assert!((owed(&rig) - 12.0).abs() < 1.0, "{}", owed(&rig));
    // The next day owes nothing for it.
    rig.pass(6_000);
    assert!(owed(&rig).abs() < 1e-9, "{}", owed(&rig));
    // What a day saved is spent in that day.
    let mut rig = seeded(
        CampaignSpec {
            day_ends: T0.plus_ms(5_000),
            ..in_mode(DialMode::Predictive)
        },
        1,
        999,
    );
    rig.feeds = false;
    rig.ready([1]);
    assert!(owed(&rig) < -5.0, "{}", owed(&rig));
    rig.pass(6_000);
    assert!(owed(&rig).abs() < 1e-9, "{}", owed(&rig));
}

#[test]
fn a_month_is_owed_on_the_day_after_too() {
    let mut rig = seeded(
        CampaignSpec {
            day_began: T0.plus_ms(-HOUR_MS),
            ..in_mode(DialMode::Predictive)
        },
        40,
        960,
    );
    rig.feeds = false;
    let month = AbandonRule {
        window: Window::Days(30),
        ..plain(3.0)
    };
    let item = dialer::Item {
        abandon: month,
        ..rig.item(campaign(1))
    };
    rig.stock(campaign(1), vec![item]);
    rig.ready([1]);
    // Nothing was abandoned today: it was all an hour and a half ago, before midnight.
    assert!(owed(&rig) > 10.0, "{}", owed(&rig));
}

#[test]
fn abandonments_lower_power_to_progressive() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    // The one agent talks; three more answers find nobody: the worst hour's least is reached.
    let first = rig.ringing()[0];
    rig.answer(first);
    rig.join(first);
    for _ in 0..3 {
        let attempt = rig.ringing()[0];
        rig.answer(attempt);
        rig.pass(2_000);
        rig.tell(Input::Played(attempt));
        rig.end(attempt, 200);
    }
    let [(from, to, why)] = forced(&rig)[..] else {
        panic!("{:?}", forced(&rig))
    };
    assert_eq!(
        (from, to, why),
        (
            DialMode::Power,
            DialMode::Progressive,
            "abandonment_worst_hour"
        )
    );
    // From here on nothing is dialed without an agent reserved.
    let before = rig.dials().len();
    for attempt in rig.ringing() {
        rig.opened(attempt);
        rig.end(attempt, 486);
    }
    rig.pass(5_000);
    assert_eq!(rig.dials().len(), before, "the agent still talks");
    rig.end(first, 200);
    rig.dispose(first);
    let later = &rig.dials()[before..];
    assert_eq!(later.len(), 1);
    assert!(later[0].agent.is_some() && later[0].mode == DialMode::Progressive);
}

#[test]
fn what_was_counted_before_a_restart_still_binds() {
    let mut rig = seeded(power(1), 8, 142);
    rig.ready([1, 2]);
    assert_eq!(
        forced(&rig),
        [(
            DialMode::Power,
            DialMode::Progressive,
            "abandonment_over_cap"
        )]
    );
    assert!(rig.dials().iter().all(|t| t.agent.is_some()));
}

#[test]
fn above_twice_the_cap_even_progressive_is_lowered_to_preview() {
    for mode in [DialMode::Power, DialMode::Progressive] {
        let mut rig = seeded(in_mode(mode), 13, 142);
        rig.ready([1]);
        let last = forced(&rig).pop().expect("a lowered mode");
        assert_eq!(
            (last.1, last.2),
            (DialMode::Preview, "abandonment_twice_cap")
        );
        assert!(rig.dials().is_empty(), "the agent sees a card first");
    }
}

#[test]
fn the_mode_comes_back_when_the_quotient_does_or_the_day_is_new() {
    let mut rig = seeded(power(1), 8, 142);
    rig.ready([1]);
    assert_eq!(
        rig.brain.campaign(campaign(1)).map(|c| c.mode),
        Some(DialMode::Progressive)
    );
    // 8 of 400 is 2 %, and 800 answers are expected: room again.
    rig.tell(before(campaign(1), 8, 392));
    rig.pass(1_000);
    let last = forced(&rig).pop().expect("the way back");
    assert_eq!(last.1, DialMode::Power);

    let mut rig = seeded(
        CampaignSpec {
            day_ends: T0.plus_ms(HOUR_MS),
            ..power(1)
        },
        8,
        142,
    );
    rig.feeds = false;
    rig.ready([1]);
    rig.pass(2 * HOUR_MS);
    let view = rig.brain.campaign(campaign(1)).expect("the campaign");
    assert_eq!((view.mode, view.tally), (DialMode::Power, Tally::default()));
}

#[test]
fn near_the_cap_over_dialing_shrinks() {
    // Four agents and two hours more bring about 96 answers to the 1,000: the budget is 32.9
    // abandonments, over-dialing shrinks from 26.3 on.
    let near = CampaignSpec {
        day_ends: T0.plus_ms(2 * HOUR_MS),
        lines_per_agent: 5.0,
        target_pct: 2.0,
        ..power(1)
    };
    for (abandoned, least, most) in [(20, 20, 20), (28, 14, 16), (29, 12, 14)] {
        let mut rig = seeded(near.clone(), abandoned, 1_000 - abandoned);
        rig.ready(1..=4);
        let lines = rig.dials().len();
        assert!((least..=most).contains(&lines), "{abandoned}: {lines}");
    }
}

#[test]
fn the_strictest_pack_of_the_debtors_sets_the_cap() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(power(1));
    let strict = dialer::Item {
        abandon: plain(1.0),
        ..rig.item(campaign(1))
    };
    let plain = rig.item(campaign(1));
    rig.stock(campaign(1), vec![strict, plain]);
    assert_eq!(
        rig.brain.campaign(campaign(1)).map(|c| c.cap_pct),
        Some(1.0)
    );
}

#[test]
fn a_sibling_campaign_of_the_client_pays_too() {
    let mut rig = Rig::new();
    rig.tell(before(campaign(3), 8, 142));
    rig.run(power(1));
    rig.run(power(2));
    rig.ready([1, 2]);
    assert_eq!(forced(&rig).len(), 2);
    assert!(rig.dials().iter().all(|t| t.agent.is_some()));
}
