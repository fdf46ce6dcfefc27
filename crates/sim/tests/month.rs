//! A month in small: promises, plans, money, calls, reminders and letters that interact, day by day.

use domain::entity::{PlanState, PromiseState, ReceiptState};
use domain::rules::kpi::Kpi;
use sim::world::{Month, MonthOutcome, live_month};

fn had(outcome: &MonthOutcome, start: &str) -> usize {
    let all = outcome.messages.iter().chain(&outcome.steps);
    all.chain(&outcome.holds)
        .filter(|(name, _)| name.starts_with(start))
        .map(|(_, n)| n)
        .sum()
}

/// A month in which nothing happens proves nothing.
fn everything_happened(outcome: &MonthOutcome) {
    for state in [PromiseState::Kept, PromiseState::Broken] {
        let n = outcome.promises.get(&state).copied().unwrap_or(0);
        assert!(n > 0, "no promise {state}: {:?}", outcome.promises);
    }
    for state in [
        PlanState::Completed,
        PlanState::Broken,
        PlanState::Cancelled,
    ] {
        let n = outcome.plans.get(&state).copied().unwrap_or(0);
        assert!(n > 0, "no plan {state}: {:?}", outcome.plans);
    }
    for state in [ReceiptState::Posted, ReceiptState::Returned] {
        let n = outcome.receipts.get(&state).copied().unwrap_or(0);
        assert!(n > 0, "no receipt {state}: {:?}", outcome.receipts);
    }
    // Sent and answered; back from no address; taken back by money; refused by the law.
    for what in [
        "delivered",
        "bounced",
        "cancelled:",
        "refused:",
        "call:done",
        "channel_optout",
        "dispute",
    ] {
        assert!(had(outcome, what) > 0, "nothing {what}: {outcome:#?}");
    }
    assert!(outcome.attempts > 100, "{} attempts", outcome.attempts);
    assert!(outcome.payments > 20, "{} payments", outcome.payments);
    assert!(outcome.reversals > 0 && outcome.letters > 0 && outcome.replies > 0);
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

#[test]
fn a_month_keeps_its_caps_its_books_and_its_figures_row_28() {
    let month = Month {
        seed: 7,
        debtors: 120,
        agents: 4,
        days: 12,
        minutes: 12,
    };
    let mut outcome = live_month(&month);
    assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
    assert!(outcome.wrong.is_empty(), "{:#?}", outcome.wrong);
    // The rows themselves are for a store of another kind.
    outcome.rows = sim::world::MonthRows::default();
    everything_happened(&outcome);
}
