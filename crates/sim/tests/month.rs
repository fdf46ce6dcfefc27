//! A month in small: promises, plans, money, calls, reminders and letters that interact, day by day. A larger one,
//! whose figures are asked of SQL too: `store/src/store/month_tests.rs`.

use sim::world::{Month, live_month};

#[test]
fn a_month_keeps_its_caps_its_books_and_its_figures_row_28() {
    let month = Month {
        seed: 9,
        debtors: 200,
        agents: 4,
        days: 12,
        minutes: 12,
    };
    let mut outcome = live_month(&month);
    assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
    assert!(outcome.wrong.is_empty(), "{:#?}", outcome.wrong);
    let missing = outcome.missing();
    // The rows themselves are for a store of another kind.
    outcome.rows = sim::world::MonthRows::default();
    assert!(missing.is_empty(), "{missing:?}: {outcome:#?}");
    assert!(outcome.attempts > 100, "{} attempts", outcome.attempts);
    assert!(outcome.payments > 20, "{} payments", outcome.payments);
}
