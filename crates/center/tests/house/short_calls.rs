//! The rule on short calls: the company's day is counted, shown, and stops the dialing before it blocks.

use crate::world::{House, NOBODY, Plan};
use center::{CallLaw, LawBook};
use domain::entity::{CampaignParams, DialMode};
use domain::law::{Action, Judge, RuleBook, ShortCallRule};
use domain::ports::store::ContactFacts;
use domain::time::UtcMs;
use std::sync::Arc;

/// The shipped packs, and a rule on short calls that counts from a few calls on.
struct Counting(RuleBook);

const RULE: ShortCallRule = ShortCallRule {
    max_ms: 6_000,
    cap_pct: 85.0,
    day_min: 20,
};

impl Judge for Counting {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> domain::entity::Verdict {
        self.0.judge(facts, action)
    }
}

impl LawBook for Counting {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        CallLaw {
            short_calls: Some(RULE),
            ..LawBook::call_law(&self.0, facts, now)
        }
    }
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        LawBook::is_holiday(&self.0, facts, date)
    }
    fn zone_of(&self, facts: &ContactFacts) -> String {
        LawBook::zone_of(&self.0, facts)
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_nobody_answers_stop_before_they_block_the_company() {
    let plan = Plan {
        params: CampaignParams {
            mode: DialMode::Power,
            lines_per_agent: 4.0,
            ..CampaignParams::default()
        },
        debtors: 60,
        mix: NOBODY,
        ..Plan::default()
    };
    let law = Arc::new(Counting(RuleBook::embedded().expect("is read")));
    let house = House::under(plan, law).await;
    house.agent(1).await;
    house.start().await;
    house.secs(900).await;
    let left = house.attempts().await;
    let left = left.iter().filter(|a| a.invite_at.is_some()).count() as u64;
    assert!((15..20).contains(&left), "{left} calls left");
    let row = house.row().await;
    let day = row.short_calls.expect("is shown");
    assert_eq!((day.numerator, day.denominator), (left, left));
    assert_eq!((day.cap_pct, day.day_min), (85.0, 20));
    let problem = row.problem.expect("is said");
    assert_eq!(problem.code, "short_calls");
    house.center.shutdown().await;
}
