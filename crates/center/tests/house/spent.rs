//! A legal window of thirty days that was spent yesterday: today's mode is lowered, and the board says so and why.

use crate::world::{ALL_ANSWER, House, Plan};
use center::{CallLaw, CenterConfig, LawBook};
use dialer::Window;
use domain::entity::{CampaignParams, DialMode};
use domain::law::{Action, Judge, RuleBook};
use domain::ports::Clock as _;
use domain::ports::store::ContactFacts;
use domain::time::{HOUR_MS, UtcMs};
use std::sync::Arc;

/// The shipped law, with abandonment counted over a month.
struct Month(RuleBook);

impl Judge for Month {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> domain::entity::Verdict {
        self.0.judge(facts, action)
    }
}

impl LawBook for Month {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        let mut law = LawBook::call_law(&self.0, facts, now);
        law.abandon.window = Window::Days(30);
        law
    }
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        LawBook::is_holiday(&self.0, facts, date)
    }
    fn zone_of(&self, facts: &ContactFacts) -> String {
        LawBook::zone_of(&self.0, facts)
    }
}

#[tokio::test(start_paused = true)]
async fn a_month_that_was_spent_yesterday_is_said_today() {
    let plan = || Plan {
        debtors: 40,
        mix: ALL_ANSWER,
        params: CampaignParams {
            mode: DialMode::Power,
            lines_per_agent: 4.0,
            ..CampaignParams::default()
        },
        ..Plan::default()
    };
    let law = || Arc::new(Month(RuleBook::embedded().expect("is read")));
    let house = House::under(plan(), law()).await;
    house.agent(1).await;
    house.start().await;
    for _ in 0..600 {
        house.secs(1).await;
        if house.center.figures().await.abandoned >= 3 {
            break;
        }
    }
    house.secs(15).await;
    let lost = house.row().await.abandonment.numerator;
    assert!(lost >= 3, "{lost}");
    let (store, later) = (
        Arc::clone(&house.store),
        house.clock.now().plus_ms(26 * HOUR_MS),
    );
    house.center.shutdown().await;
    drop(house);

    let config = CenterConfig::new("node-1");
    let again = House::open_under(store, &plan(), later, 99, config, law()).await;
    again.agent(1).await;
    again.secs(5).await;
    let row = again.row().await;
    assert_eq!((row.abandoned, row.abandonment.numerator), (0, 0), "today");
    assert_eq!(row.mode, DialMode::Progressive.to_string());
    let problem = row.problem.expect("is said");
    assert_eq!(problem.code, "guard_progressive");
    let (es, en) = (format!("({lost} de "), format!("({lost} of "));
    assert!(
        problem.es.contains(&es) && problem.es.contains("en la ventana legal"),
        "{}",
        problem.es
    );
    assert!(
        problem.en.contains(&en) && problem.en.contains("in the legal window"),
        "{}",
        problem.en
    );
}
