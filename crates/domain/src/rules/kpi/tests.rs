//! The figures over a few rows counted by hand.

use super::*;
use crate::entity::{Bucket, DebtMark, HOLDS_ON, PromiseState};
use crate::event::NewEvent;
use crate::ids::{AgentId, AttemptId, DebtId, EventId, PaymentId, PromiseId};
use crate::time::{HOUR_MS, MINUTE_MS};
use serde_json::json;

const DAY: i64 = 20_000;

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn at(day: i64, hour: i64) -> UtcMs {
    UtcMs(day * DAY_MS + hour * HOUR_MS)
}

fn mxn() -> Currency {
    "MXN".parse().unwrap()
}

fn ask() -> KpiAsk {
    KpiAsk {
        client: ClientId(uuid(1)),
        portfolio: None,
        campaign: None,
        agents: None,
        currency: mxn(),
        period: KpiPeriod {
            from_day: DAY,
            to_day: DAY + 30,
            from: at(DAY, 0),
            to: at(DAY + 30, 0),
        },
        rates: CostRates {
            attempt_minor: 10,
            minute_minor: 100,
        },
    }
}

fn event(kind: &str, subject: String, data: serde_json::Value) -> NewEvent {
    NewEvent {
        id: EventId(uuid(9)),
        at: at(DAY, 0),
        client_id: Some(ClientId(uuid(1))),
        actor: "system".into(),
        kind: kind.into(),
        subject,
        data,
    }
}

/// An attempt on the debtor `debtor` at an hour of a day; `agent` talked for 90 s with the obligated party.
fn attempt(n: u128, debtor: u128, when: UtcMs, agent: Option<u128>) -> Vec<NewEvent> {
    let subject = format!("attempt:{}", AttemptId(uuid(n)));
    let mut told = vec![event(
        "attempt.dialed",
        subject.clone(),
        json!({"campaign_id": uuid(50), "debtor_id": uuid(debtor), "opened_at": when}),
    )];
    let end = when.plus_ms(2 * MINUTE_MS);
    let mut ended = json!({"result": "no_answer", "invited": true, "ended_at": end});
    if let Some(agent) = agent {
        ended["answered_at"] = json!(when.plus_ms(30_000));
        told.push(event(
            "call.bridged",
            subject.clone(),
            json!({"agent_id": uuid(agent)}),
        ));
        told.push(event(
            "identity.verified",
            subject.clone(),
            json!({"role": "titular"}),
        ));
    }
    told.push(event("attempt.ended", subject, ended));
    told
}

fn mark(debt: u128, day: i64, bucket: Bucket, balance_minor: i64) -> NewEvent {
    let row = DebtMark {
        debt_id: DebtId(uuid(debt)),
        debtor_id: DebtorId(uuid(debt + 100)),
        client_id: ClientId(uuid(1)),
        portfolio_id: PortfolioId(uuid(2)),
        day,
        until_day: HOLDS_ON,
        first: day <= DAY + 1,
        at: at(day, 8),
        bucket,
        currency: mxn(),
        balance_minor,
        overdue_minor: balance_minor / 2,
        due_day: Some(match bucket {
            Bucket::Preventive => DAY + 40,
            _ => DAY - 20,
        }),
    };
    event(
        "debt.aged",
        format!("debt:{}", row.debt_id),
        mark_data(&row),
    )
}

fn paid(n: u128, debt: u128, amount_minor: i64, when: UtcMs) -> NewEvent {
    event(
        "payment.posted",
        format!("payment:{}", PaymentId(uuid(n))),
        json!({"debtor_id": uuid(debt + 100), "debt_id": uuid(debt), "amount_minor": amount_minor,
            "currency": "MXN", "paid_at": when, "posted_at": when}),
    )
}

/// The agent 80 left a state at the minute `to` of a day, in which he was since the minute `from`.
fn left(n: u128, state: &str, (from, to): (UtcMs, UtcMs)) -> NewEvent {
    let data = json!({"from": state, "to": "x", "since": from.0, "clients": [uuid(1)]});
    NewEvent {
        id: EventId(uuid(n)),
        at: to,
        client_id: None,
        ..event("agent.state_changed", format!("agent:{}", uuid(80)), data)
    }
}

/// Debts 10 and 11 in arrears, 12 handed over in the period.
fn world() -> KpiWorld {
    let promise = format!("promise:{}", PromiseId(uuid(70)));
    let mut told = vec![
        mark(10, DAY, Bucket::B1_30, 1_000),
        mark(11, DAY, Bucket::B1_30, 3_000),
        mark(12, DAY + 1, Bucket::Preventive, 500),
    ];
    told.extend(attempt(60, 110, at(DAY + 1, 10), None));
    told.extend(attempt(61, 110, at(DAY + 2, 10), Some(80)));
    told.extend(attempt(62, 111, at(DAY + 2, 11), None));
    // After the period.
    told.extend(attempt(63, 111, at(DAY + 30, 9), None));
    told.push(event(
        "promise.made",
        promise.clone(),
        json!({"debtor_id": uuid(110), "debt_id": uuid(10), "attempt_id": uuid(61),
            "agent_id": uuid(80), "amount_minor": 400, "currency": "MXN",
            "due_date": crate::rules::ageing::date_of_day(DAY + 5).unwrap().to_string(),
            "made_at": at(DAY + 2, 10)}),
    ));
    told.push(paid(90, 10, 400, at(DAY + 4, 12)));
    told.push(event("promise.kept", promise, json!({"state": "kept"})));
    told.push(paid(91, 10, 600, at(DAY + 6, 12)));
    told.push(mark(10, DAY + 5, Bucket::B1_30, 600));
    told.push(mark(10, DAY + 7, Bucket::Paid, 0));
    told.push(mark(11, DAY + 11, Bucket::B31_60, 3_000));
    let half = |n: i64| at(DAY + 2, 10).plus_ms(n * HOUR_MS / 2);
    told.push(left(1, "offline", (at(DAY, 0), half(-2))));
    told.push(left(2, "ready", (half(-2), half(-1))));
    told.push(left(3, "talking", (half(-1), half(0))));
    told.push(left(4, "wrapup", (half(0), half(1))));
    let begin = at(DAY, 0);
    told.push(left(
        5,
        "ready",
        (begin.plus_ms(-HOUR_MS), begin.plus_ms(HOUR_MS / 2)),
    ));
    let mut world = KpiWorld::default();
    told.iter().for_each(|e| world.take(e));
    world
}

fn parts(world: &KpiWorld, kpi: Kpi, ask: &KpiAsk) -> (i64, i64) {
    let side = |s: Side| KpiSums::over(&world.facts(s.rows, ask)).get(s.sum);
    let def = kpi.def();
    (side(def.numerator), side(def.denominator))
}

#[test]
fn each_figure_counted_by_hand_row_28() {
    let (world, ask) = (world(), ask());
    for (kpi, want) in [
        (Kpi::Intensity, (3, 3)),
        (Kpi::Penetration, (2, 3)),
        (Kpi::ContactRate, (1, 3)),
        (Kpi::ContactReach, (1, 2)),
        (Kpi::RpcRate, (1, 3)),
        (Kpi::RpcReach, (1, 3)),
        (Kpi::PtpRate, (1, 1)),
        (Kpi::KeptRate, (1, 1)),
        (Kpi::KeptAmount, (400, 400)),
        (Kpi::PayConversion, (1, 1)),
        // Of 500 and 1,500 overdue the first was paid.
        (Kpi::RecoveryRate, (500, 2_000)),
        // Handed over on the day it begins, and on the next.
        (Kpi::Liquidation, (1_000, 4_500)),
        (Kpi::OverdueShare, (1_750, 3_500)),
        (Kpi::Par30, (3_000, 3_500)),
        (Kpi::RollRate, (3_000, 4_000)),
        (Kpi::CureRate, (1_000, 4_000)),
        // 4,000 at the start and 500 handed over less 3,500 at the end, of which 500 are current.
        (Kpi::Cei, (1_000, 4_000)),
        (Kpi::Dso, (3_500 * 30, 4_500)),
        // One hour ready, half of one in talk, half of one behind it; the last state began before the period
        // and counts from its begin on.
        (Kpi::RpcPerHour, (1, 2 * HOUR_MS)),
        (Kpi::RecoveredPerHour, (1_000, 2 * HOUR_MS)),
        (Kpi::Occupancy, (HOUR_MS, 2 * HOUR_MS)),
        (Kpi::Aht, (HOUR_MS, 1)),
        (Kpi::TimeToCure, (27, 1)),
        (Kpi::TrueDays, (400 * 24 + 600 * 26, 1_000)),
        // Three attempts, and two begun minutes of the one that was answered.
        (Kpi::CostPerUnit, (230, 1_000)),
    ] {
        assert_eq!(parts(&world, kpi, &ask), want, "{kpi}");
    }
    assert_eq!(Kpi::ALL.len(), 25);
    let reads = |kpi: Kpi| {
        let (above, below) = parts(&world, kpi, &ask);
        kpi.def().form.value(above, below)
    };
    assert_eq!(reads(Kpi::RpcPerHour), Some(0.5));
    assert_eq!(reads(Kpi::Aht), Some(3_600.0));
    assert_eq!(reads(Kpi::Occupancy), Some(0.5));
}

#[test]
fn money_belongs_to_the_last_conversation_before_it() {
    let (world, all) = (world(), ask());
    let of = |agent: u128| KpiAsk {
        agents: Some(vec![AgentId(uuid(agent))]),
        ..all.clone()
    };
    let money = |ask: &KpiAsk| KpiSums::over(&world.facts(KpiRows::Payments, ask)).amount;
    assert_eq!(
        (money(&all), money(&of(80)), money(&of(81))),
        (1_000, 1_000, 0)
    );
    let other = KpiAsk {
        campaign: Some(CampaignId(uuid(51))),
        ..all
    };
    assert_eq!(money(&other), 0);
    assert!(!Kpi::RollRate.has_author() && Kpi::PtpRate.has_author());
}

#[test]
fn a_debtor_is_tried_in_the_currencies_he_owes_in() {
    let (mut world, own) = (world(), ask());
    // 120 owes dollars alone, 110 owes them beside his pesos.
    for (debt, debtor) in [(20, 120), (21, 110)] {
        let mut aged = mark(debt, DAY, Bucket::B1_30, 1_000);
        aged.data["currency"] = json!("USD");
        aged.data["debtor_id"] = json!(uuid(debtor));
        world.take(&aged);
    }
    let calls = attempt(65, 120, at(DAY + 3, 10), Some(80));
    calls.iter().for_each(|e| world.take(e));
    let foreign = KpiAsk {
        currency: "USD".parse().unwrap(),
        ..own.clone()
    };
    for (kpi, here, there) in [
        (Kpi::Intensity, (3, 3), (3, 2)),
        (Kpi::Penetration, (2, 3), (2, 2)),
        (Kpi::ContactRate, (1, 3), (2, 3)),
        (Kpi::RpcRate, (1, 3), (2, 3)),
        (Kpi::PtpRate, (1, 1), (0, 2)),
        (Kpi::PayConversion, (1, 1), (0, 2)),
        // Agents' time is of every currency, and so is what is counted by it.
        (Kpi::RpcPerHour, (2, 2 * HOUR_MS), (2, 2 * HOUR_MS)),
        (Kpi::Aht, (HOUR_MS, 2), (HOUR_MS, 2)),
    ] {
        assert_eq!(parts(&world, kpi, &own), here, "{kpi}");
        assert_eq!(parts(&world, kpi, &foreign), there, "{kpi}");
    }
}

#[test]
fn a_withdrawn_promise_and_an_attempt_that_never_left_count_nowhere() {
    let mut world = world();
    let before = parts(&world, Kpi::ContactRate, &ask());
    let subject = format!("attempt:{}", AttemptId(uuid(64)));
    for e in [
        event(
            "attempt.dialed",
            subject.clone(),
            json!({"debtor_id": uuid(110), "opened_at": at(DAY + 3, 9)}),
        ),
        event(
            "attempt.ended",
            subject,
            json!({"result": "cancelled", "invited": false, "ended_at": at(DAY + 3, 9)}),
        ),
        event(
            "promise.cancelled",
            format!("promise:{}", PromiseId(uuid(70))),
            json!({"state": PromiseState::Cancelled}),
        ),
        event(
            "debt.aged",
            "debt:x".into(),
            json!({"of": "another program"}),
        ),
    ] {
        world.take(&e);
    }
    assert_eq!(parts(&world, Kpi::ContactRate, &ask()), before);
    assert_eq!(parts(&world, Kpi::KeptRate, &ask()), (0, 0));
}
