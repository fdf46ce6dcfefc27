#![expect(clippy::expect_used, reason = "tests")]

use super::*;
use domain::time::{DAY_MS, HOUR_MS};
use uuid::Uuid;

const T0: UtcMs = UtcMs(1_795_357_200_000);

fn rule(formula: FormulaId, window: Window) -> AbandonRule {
    AbandonRule {
        formula,
        window,
        cap_pct: 3.0,
        target_pct: 2.8,
    }
}

/// A campaign in power with ten agents and so many hours of its day left.
fn guard(hours_left: i64) -> (Guard, GuardAsk) {
    let ask = GuardAsk {
        campaign: CampaignId(Uuid::from_u128(1)),
        client: ClientId(Uuid::from_u128(2)),
        mode: DialMode::Power,
        rules: vec![rule(FormulaId::PlainDay, Window::Day)],
        day: Day {
            began: T0.plus_ms(-2 * HOUR_MS),
            ends: T0.plus_ms((hours_left * HOUR_MS).max(1)),
            closes: None,
        },
        agents: 10.0,
        agents_all: 10.0,
    };
    (Guard::default(), ask)
}

fn count(guard: &mut Guard, ask: &GuardAsk, now: UtcMs, abandoned: u64, handled: u64) {
    for n in 0..abandoned + handled {
        guard.count(now, now, ask.campaign, ask.client, n < abandoned);
    }
}

fn slot(ask: &GuardAsk, ago_ms: i64, width_ms: i64, abandoned: u64, handled: u64) -> AnswerSlot {
    AnswerSlot {
        client_id: ask.client,
        campaign_id: Some(ask.campaign),
        from: T0.plus_ms(-ago_ms),
        width_ms,
        abandoned,
        handled,
        machines: 0,
    }
}

/// law.md §4: tsr and plain_day are A ÷ (A + H), ofcom_corrected is D ÷ (D + L) with
/// D = D0 − D0 · Ag ÷ (Ag + L).
#[test]
fn the_formulas_of_the_law() {
    let seen = Tally {
        abandoned: 6,
        handled: 150,
        machines: 50,
    };
    assert_eq!(parts(FormulaId::Tsr, seen), (6.0, 156.0));
    assert_eq!(parts(FormulaId::PlainDay, seen), (6.0, 156.0));
    // 6 − 6 · 50 ÷ 200 = 4.5.
    assert_eq!(parts(FormulaId::OfcomCorrected, seen), (4.5, 154.5));
    let nothing = Tally::default();
    for formula in [
        FormulaId::Tsr,
        FormulaId::PlainDay,
        FormulaId::OfcomCorrected,
    ] {
        assert_eq!(parts(formula, nothing), (0.0, 0.0));
    }
    let no_machine = Tally {
        machines: 0,
        ..seen
    };
    assert_eq!(
        parts(FormulaId::OfcomCorrected, no_machine),
        parts(FormulaId::PlainDay, no_machine)
    );
    let only_drops = Tally {
        abandoned: 3,
        ..Tally::default()
    };
    assert_eq!(parts(FormulaId::OfcomCorrected, only_drops), (3.0, 3.0));
}

/// A machine that an agent found is no live answer; under ofcom_corrected it takes drops off.
#[test]
fn a_machine_found_by_the_agent_is_taken_out() {
    let (mut guard, ask) = guard(8);
    count(&mut guard, &ask, T0, 1, 4);
    guard.machine(T0, ask.campaign, ask.client);
    // A found machine of which nothing is known here changes nothing.
    guard.machine(T0.plus_ms(-5 * HOUR_MS), ask.campaign, ask.client);
    let tally = guard.tally(T0, ask.campaign, Window::Day, &ask.day);
    assert_eq!((tally.abandoned, tally.handled, tally.machines), (1, 3, 1));
    assert_eq!(parts(FormulaId::PlainDay, tally), (1.0, 4.0));
    assert_eq!(parts(FormulaId::OfcomCorrected, tally), (0.75, 3.75));
}

#[test]
fn each_window_holds_its_own_span() {
    let (mut guard, ask) = guard(8);
    let slots = [
        slot(&ask, 32 * DAY_MS, HOUR_MS, 1_000, 0),
        slot(&ask, 20 * DAY_MS, HOUR_MS, 1, 10),
        slot(&ask, 20 * HOUR_MS, MINUTE_MS, 2, 20),
        slot(&ask, 90 * MINUTE_MS, MINUTE_MS, 4, 40),
        slot(&ask, 10 * MINUTE_MS, MINUTE_MS, 8, 80),
    ];
    guard.fold(T0, &slots);
    let at = |window| guard.tally(T0, ask.campaign, window, &ask.day);
    assert_eq!(at(Window::Hour).abandoned, 8);
    assert_eq!(at(Window::Day).abandoned, 12, "from its midnight on");
    assert_eq!(at(Window::Hours24).abandoned, 14);
    assert_eq!(at(Window::Days(30)).abandoned, 15);
    assert_eq!(at(Window::Days(30)).handled, 150);
    let codes: Vec<_> = Window::PUBLISHED.iter().map(|w| w.code()).collect();
    assert_eq!(codes, ["hour", "day", "24h", "30d"]);
}

/// After a restart the last hour does not start from nothing, and a second fold counts nothing twice.
#[test]
fn the_worst_hour_outlives_a_restart() {
    let (mut guard, ask) = guard(8);
    let slots = [slot(&ask, 20 * MINUTE_MS, MINUTE_MS, 3, 10)];
    guard.fold(T0, &slots);
    guard.fold(T0, &slots);
    let state = guard.state(T0, &ask);
    assert_eq!(
        (state.mode, state.why),
        (DialMode::Progressive, Some("abandonment_worst_hour"))
    );
    let room = state.room.expect("a rule");
    assert_eq!(
        (room.scope, room.numerator, room.denominator),
        ("campaign", 3.0, 13.0)
    );
    // An hour after them they weigh on the day alone.
    let later = T0.plus_ms(HOUR_MS);
    assert_ne!(guard.state(later, &ask).why, Some("abandonment_worst_hour"));
}

#[test]
fn the_budget_of_the_window_is_spent_then_progressive() {
    let (mut guard, ask) = guard(8);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);
    // Ten agents for eight hours: at most 2 × answers + 100 are expected, so three may be lost.
    count(&mut guard, &ask, T0, 2, 0);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);
    count(&mut guard, &ask, T0, 1, 0);
    let state = guard.state(T0, &ask);
    assert_eq!(
        (state.mode, state.why),
        (DialMode::Progressive, Some("abandonment_worst_hour"))
    );
    count(&mut guard, &ask, T0, 0, 300);
    let state = guard.state(T0, &ask);
    assert_eq!(state.mode, DialMode::Power, "answers bring room again");
    assert!(state.shrink < 0.5, "and it begins low: {state:?}");
    assert_eq!(guard.state(T0.plus_ms(RAMP_MS), &ask).shrink, 1.0);
}

#[test]
fn over_dialing_shrinks_before_the_cap() {
    let (mut guard, ask) = guard(0);
    count(&mut guard, &ask, T0, 285, 9_715);
    let state = guard.state(T0, &ask);
    assert_eq!(state.mode, DialMode::Power);
    assert!(state.shrink > 0.0 && state.shrink < 1.0, "{state:?}");
    assert_eq!(state.why, Some("abandonment_cap_near"));
    let (mut guard, ask) = self::guard(8);
    count(&mut guard, &ask, T0, 20, 980);
    // Expected 1,960 of which 3 % are 58: far away.
    let state = guard.state(T0, &ask);
    assert_eq!(
        (state.mode, state.shrink, state.why),
        (DialMode::Power, 1.0, None)
    );
}

#[test]
fn over_the_cap_it_stays_lowered_until_the_quotient_is_back_with_room() {
    let (mut guard, ask) = guard(8);
    count(&mut guard, &ask, T0, 8, 142);
    assert_eq!(guard.state(T0, &ask).why, Some("abandonment_over_cap"));
    // 8 of 267 is under 3 %, but the next one would be over it again.
    count(&mut guard, &ask, T0, 0, 117);
    let state = guard.state(T0, &ask);
    assert_eq!(
        (state.mode, state.why),
        (DialMode::Progressive, Some("abandonment_over_cap"))
    );
    count(&mut guard, &ask, T0, 0, 34);
    let forecast = GuardAsk {
        mode: DialMode::Predictive,
        ..ask.clone()
    };
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Progressive);
    assert_eq!(guard.state(T0, &forecast).mode, DialMode::Predictive);
    let (mut guard, ask) = self::guard(8);
    count(&mut guard, &ask, T0, 8, 142);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Progressive);
    count(&mut guard, &ask, T0, 0, 217);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);

    let (mut guard, ask) = self::guard(8);
    count(&mut guard, &ask, T0, 13, 142);
    let state = guard.state(T0, &ask);
    assert_eq!(
        (state.mode, state.why),
        (DialMode::Preview, Some("abandonment_twice_cap"))
    );
    for (mode, in_force) in [
        (DialMode::Manual, DialMode::Manual),
        (DialMode::Progressive, DialMode::Preview),
    ] {
        let ask = GuardAsk {
            mode,
            ..ask.clone()
        };
        assert_eq!(guard.state(T0, &ask).mode, in_force);
    }
}

/// A forecast is told to take less risk long before anything is lowered, and is left alone far from it.
#[test]
fn a_forecast_is_steered_before_the_stop_bites() {
    let (mut guard, power) = guard(8);
    let ask = GuardAsk {
        mode: DialMode::Predictive,
        ..power
    };
    count(&mut guard, &ask, T0, 2, 298);
    let easy = guard.state(T0, &ask).shrink;
    count(&mut guard, &ask, T0, 7, 93);
    let tight = guard.state(T0, &ask).shrink;
    assert!(tight < 0.5 && tight > 0.0, "{tight} {easy}");
    assert_eq!(easy, 1.0);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Predictive);
}

#[test]
fn the_last_hour_ends_when_dialing_does() {
    let (mut guard, ask) = guard(8);
    count(&mut guard, &ask, T0, 1, 20);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);
    let closing = GuardAsk {
        day: Day {
            closes: Some(T0.plus_ms(30 * MINUTE_MS)),
            ..ask.day
        },
        ..ask.clone()
    };
    let state = guard.state(T0, &closing);
    assert_eq!(state.why, Some("abandonment_over_cap"), "1 of 21");
}

#[test]
fn a_new_day_starts_from_nothing_and_the_client_scope_counts() {
    let (mut guard, ask) = guard(1);
    count(&mut guard, &ask, T0, 20, 100);
    let next = T0.plus_ms(2 * HOUR_MS);
    let mut day = ask.day;
    day.roll(next);
    assert_eq!(day.began, ask.day.ends);
    let ask = GuardAsk { day, ..ask };
    assert_eq!(guard.state(next, &ask).mode, DialMode::Power);
    assert_eq!(
        guard.tally(next, ask.campaign, Window::Day, &day),
        Tally::default()
    );
    count(&mut guard, &ask, next, 20, 100);
    let sibling = GuardAsk {
        campaign: CampaignId(Uuid::from_u128(9)),
        ..ask.clone()
    };
    let state = guard.state(next, &sibling);
    assert_ne!(state.mode, DialMode::Power);
    assert_ne!(state.room.map(|r| r.scope), Some("campaign"));
}

/// tsr is watched over 30 days: what yesterday spent is missing today.
#[test]
fn a_rule_over_thirty_days_sees_yesterday() {
    let (mut guard, ask) = guard(8);
    guard.fold(T0, &[slot(&ask, 26 * HOUR_MS, HOUR_MS, 40, 960)]);
    assert_eq!(guard.state(T0, &ask).mode, DialMode::Power, "a new day");
    let tsr = GuardAsk {
        rules: vec![
            rule(FormulaId::PlainDay, Window::Day),
            rule(FormulaId::Tsr, Window::Days(30)),
        ],
        ..ask
    };
    let state = guard.state(T0, &tsr);
    assert_eq!(state.why, Some("abandonment_over_cap"));
    assert_eq!(state.room.map(|r| r.window), Some(Window::Days(30)));
}
