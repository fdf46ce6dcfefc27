//! A month in small: promises, money and calls that interact, day by day.

use domain::entity::PromiseState;
use domain::rules::kpi::Kpi;
use sim::world::{Month, live_month};

#[test]
fn a_month_keeps_its_caps_its_books_and_its_figures_row_28() {
    let month = Month {
        seed: 7,
        debtors: 120,
        agents: 4,
        days: 12,
        minutes: 12,
    };
    let outcome = live_month(&month);
    assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
    assert!(outcome.wrong.is_empty(), "{:#?}", outcome.wrong);
    // A month in which nothing happens proves nothing.
    let of = |state| outcome.promises.get(&state).copied().unwrap_or(0);
    for state in [PromiseState::Kept, PromiseState::Broken] {
        assert!(of(state) > 0, "no promise {state}: {:?}", outcome.promises);
    }
    assert!(outcome.attempts > 100, "{} attempts", outcome.attempts);
    assert!(outcome.payments > 20, "{} payments", outcome.payments);
    for kpi in [
        Kpi::ContactRate,
        Kpi::RpcRate,
        Kpi::PtpRate,
        Kpi::KeptRate,
        Kpi::RecoveryRate,
        Kpi::RollRate,
        Kpi::CostPerUnit,
    ] {
        let told = outcome.figures.iter().find(|(k, ..)| *k == kpi);
        let (_, above, below) = told.expect("the figure");
        assert!(*above > 0 && *below > 0, "{kpi}: {above} of {below}");
    }
}
