//! Strategies: each arm works its own debtors, and a trial shows what the law takes out.

use crate::messages::{all, house, step, strategy, template};
use crate::world::{House, debt_id};
use domain::entity::{Strategy, StrategyTrigger};
use domain::ids::StrategyId;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, MessageStore as _, StrategyStore as _};
use domain::time::HOUR_MS;

#[tokio::test(start_paused = true)]
async fn each_arm_works_its_debtors_and_a_trial_shows_what_the_law_removes_row_14() {
    let (house, phones) = house(40).await;
    let now = house.clock.now();
    let body = "Hola {debtor.first_name}, su saldo es {debt.balance}.";
    house
        .store
        .put_text_template(&template("aviso", body), &[])
        .await
        .expect("works");
    // Two hours from now, in Mexico, on whatever day the debts fell due.
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let offset = i32::try_from(domain::segment::utc_day(now) - due).expect("a few days");
    let steps = vec![step("one", offset, "12:00")];
    let champion = strategy(1, StrategyTrigger::DueDate, steps.clone());
    let challenger = Strategy {
        champion_id: Some(champion.id),
        share_pct: 50,
        ..strategy(2, StrategyTrigger::DueDate, steps)
    };
    let segment = Strategy {
        segment: "balance >= 999999.00".into(),
        ..strategy(
            3,
            StrategyTrigger::DueDate,
            vec![step("none", offset, "12:00")],
        )
    };
    for row in [&champion, &challenger, &segment] {
        house.store.put_strategy(row, &[]).await.expect("works");
    }
    on_trial(&house, offset + 1).await;
    house.secs(31).await;
    house
        .secs(u64::try_from(3 * HOUR_MS / 1_000).expect("seconds"))
        .await;
    assert_eq!(phones.got().len(), 40, "each debtor by one arm");
    let of = |strategy: &Strategy| house.store.strategy_figures(strategy.id);
    let (first, second) = (
        of(&champion).await.expect("works"),
        of(&challenger).await.expect("works"),
    );
    assert_eq!(first.debtors + second.debtors, 40);
    assert!(
        first.debtors > 8 && second.debtors > 8,
        "{first:?} {second:?}"
    );
    assert_eq!(of(&segment).await.expect("works").debtors, 0);
}

/// Five messages on one day, of which the law leaves three a week; nothing is planned.
async fn on_trial(house: &House, offset: i32) {
    let many = ["09:00", "12:00", "15:00", "18:00", "20:00"];
    let steps = many
        .iter()
        .enumerate()
        .map(|(n, at)| step(&format!("s{n}"), offset, at));
    let trial = strategy(4, StrategyTrigger::DueDate, steps.collect());
    let id = house.center.try_strategy(trial, None, 7);
    house.secs(1).await;
    let (_, job) = house.center.strategy_trial(id).expect("remembered");
    let result = job.result().expect("done");
    assert_eq!((result.debtors, result.cut), (40, false));
    let made: u64 = result.days.iter().map(|d| d.made).sum();
    let removed: u64 = result.days.iter().map(|d| d.removed).sum();
    assert_eq!((made, removed), (120, 80), "{:?}", result.days);
    assert_eq!(result.costs[0].cost_micro, 120 * 350_000);
    assert_eq!(
        (
            result.removed.len(),
            result.rules.iter().map(|r| r.steps).sum::<u64>()
        ),
        (80, 80)
    );
    assert!(
        all(house)
            .await
            .iter()
            .all(|m| m.strategy_id != Some(StrategyId(crate::world::id(4))))
    );
}
