//! Departures from the written policy are counted of all of their kind, and open to their rows.

use super::messages::waiting;
use super::plans::{agreed, drawn};
use super::scene::*;
use super::strategies::planned;
use domain::entity::{DebtStage, MessageState, PlanState, PlannedState, PlannedStep, Role, Stage};
use domain::ids::DebtorId;
use domain::ports::store::{Departure, DepartureAsk, DepartureCount};
use domain::time::{DAY_MS, HOUR_MS};
use uuid::Uuid;

/// Runs the group.
pub async fn all(store: Subject) {
    departures_are_told_with_their_rows_row_16(&store).await;
}

async fn acted(store: &Subject, scene: &Scene) -> [Person; 3] {
    let people = [
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    ];
    for (n, person) in people.iter().enumerate() {
        let mut file = agreed(person, 10_000);
        if n == 1 {
            file.plan.state = PlanState::Offered;
            file.plan.needs_role = Some(Role::Supervisor);
            file.plan.ask_reason = Some("30 %".to_owned());
            file.plan.asked_until = Some(NOW.plus_ms(HOUR_MS));
        }
        assert_eq!(drawn(store, &file).await, Ok(()));
        let stage = DebtStage {
            debt_id: person.debt.id,
            client_id: person.debt.client_id,
            debtor_id: person.debtor.id,
            stage: Stage::Extrajudicial,
            entered_at: NOW,
            deadline: (n > 0).then(|| NOW.plus_ms(DAY_MS * i64::try_from(n).expect("few"))),
            owner_id: None,
            late_at: None,
            statute_told: None,
            moved_by: "system".into(),
            reason: "age".into(),
        };
        assert!(store.move_stage(&stage, None, &[]).await.expect("put"));
    }
    people
}

/// Steps and messages of strategies: one waits, one is refused, one is done or is nobody's.
async fn planned_of(store: &Subject, [a, b, c]: [&Person; 3]) -> [PlannedStep; 3] {
    let steps = [planned(a, "x", 1), planned(b, "y", 2), planned(c, "z", 3)];
    store.plan_steps(&steps, &[]).await.expect("planned");
    for (step, state) in [
        (&steps[1], PlannedState::Refused),
        (&steps[2], PlannedState::Done),
    ] {
        let ended = store
            .end_step(step.id, state, "co/week", "system", NOW, &[])
            .await;
        assert!(ended.expect("ended"));
    }
    let mut sent = waiting(a, Some("m1"));
    sent.strategy_id = Some(fresh());
    let mut refused = waiting(b, Some("m2"));
    refused.strategy_id = sent.strategy_id;
    refused.state = MessageState::Refused;
    refused.reason = "co/week".into();
    // Nobody's strategy: it is no step that was planned.
    let own = waiting(c, Some("m3"));
    let rows = [sent, refused, own];
    store.plan_messages(&rows, &[]).await.expect("queued");
    steps
}

async fn departures_are_told_with_their_rows_row_16(store: &Subject) {
    let scene = Scene::new(store).await;
    let [a, b, c] = acted(store, &scene).await;
    let steps = planned_of(store, [&a, &b, &c]).await;
    let ask = |days: i64| DepartureAsk {
        client: scene.client.id,
        from: NOW,
        to: NOW.plus_ms(9 * DAY_MS),
        now: NOW.plus_ms(days * DAY_MS),
    };
    let count = async |kind, days| {
        let found = store.departure_count(kind, &ask(days)).await;
        let DepartureCount { departed, of } = found.expect("counted");
        (departed, of)
    };
    assert_eq!(count(Departure::BeyondAuthority, 0).await, (1, 3));
    assert_eq!(count(Departure::StageLate, 0).await, (0, 2));
    assert_eq!(count(Departure::StageLate, 1).await, (1, 2));
    assert_eq!(count(Departure::StageLate, 2).await, (2, 2));
    assert_eq!(count(Departure::StepNotRun, 0).await, (0, 0), "none is due");
    assert_eq!(count(Departure::StepNotRun, 1).await, (1, 3));
    assert_eq!(
        count(Departure::StepNotRun, 2).await,
        (2, 3),
        "it waits too long"
    );
    assert_eq!(count(Departure::MessageNotSent, 1).await, (1, 2));
    let whose = async |kind, days, after: Option<(_, Uuid)>| -> Vec<(DebtorId, String)> {
        let found = store.departures(kind, &ask(days), after, 10).await;
        let found = found.expect("rows").into_iter();
        found.map(|r| (r.debtor_id, r.reason)).collect()
    };
    let beyond = whose(Departure::BeyondAuthority, 1, None).await;
    assert_eq!(beyond, [(b.debtor.id, "30 %".to_owned())]);
    let not_run = whose(Departure::StepNotRun, 2, None).await;
    assert_eq!(
        not_run,
        [
            (a.debtor.id, String::new()),
            (b.debtor.id, "co/week".to_owned())
        ]
    );
    let behind = Some((steps[0].due_at, steps[0].id.0));
    let rest = whose(Departure::StepNotRun, 2, behind).await;
    assert_eq!(rest, not_run[1..]);
    let unsent = whose(Departure::MessageNotSent, 1, None).await;
    assert_eq!(unsent, [(b.debtor.id, "co/week".to_owned())]);
    let other = DepartureAsk {
        client: Scene::new(store).await.client.id,
        ..ask(9)
    };
    for kind in Departure::ALL.iter().copied() {
        let none = store.departure_count(kind, &other).await.expect("counted");
        assert_eq!(none, DepartureCount::default(), "{kind}");
    }
}
