//! The rule on short calls: the company's day is counted, shown, and stops the dialing before it blocks.

use crate::world::{House, NOBODY, Plan, campaign_id, debt_id, debtor_id, id, point_id};
use center::{CallLaw, LawBook};
use domain::entity::{Campaign, CampaignParams, DialMode, Segment};
use domain::ids::{CampaignId, SegmentId};
use domain::law::{Action, Judge, RuleBook, ShortCallRule};
use domain::ports::store::{CatalogStore as _, ContactFacts};
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

/// Counts of the day so far, as asked of the store.
fn counts(house: &House) -> u64 {
    let times = house.center.store_times();
    let ours = times.iter().find(|t| t.op == "short_calls");
    ours.map_or(0, |t| t.count)
}

/// So many campaigns, each with debtors of its own: one person is queued in one campaign only.
async fn apart(house: &House, campaigns: u32) -> Vec<CampaignId> {
    let first = house.store.get_campaign(campaign_id()).await;
    let first = first.expect("there");
    let whole = house.store.get_segment(first.segment_id).await;
    let whole = whole.expect("there");
    let mut all = Vec::new();
    for n in 0..campaigns {
        let (key, at) = (u128::from(n), 100_000 * n);
        for debtor in 0..10 {
            let row = house.store.get_debt(debt_id(10 * key + debtor)).await;
            let mut row = row.expect("debt");
            row.principal_minor += i64::from(at) * 100;
            house.store.put_debt(&row, &[]).await.expect("debt");
        }
        let segment = Segment {
            id: SegmentId(id(30 + key)),
            name: format!("Tramo {n}"),
            expression: format!("balance >= {at}.00 and balance < {}.00", at + 50_000),
            ..whole.clone()
        };
        house
            .store
            .put_segment(&segment, &[])
            .await
            .expect("segment");
        let campaign = Campaign {
            id: CampaignId(id(700 + key)),
            name: format!("Tramo {n}"),
            segment_id: segment.id,
            ..first.clone()
        };
        let put = house.store.put_campaign(&campaign, &[]).await;
        put.expect("campaign");
        all.push(campaign.id);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_companys_day_is_counted_once_for_all_campaigns() {
    let law = || Arc::new(Counting(RuleBook::embedded().expect("is read")));
    let mut seen = Vec::new();
    for campaigns in [1, 4] {
        let plan = Plan {
            debtors: 40,
            mix: NOBODY,
            ..Plan::default()
        };
        let house = House::under(plan, law()).await;
        let all = apart(&house, campaigns).await;
        for id in &all {
            let started = house.center.start_campaign(center::Actor::System, *id);
            started.await.expect("starts");
        }
        house.secs(60).await;
        let before = counts(&house);
        house.secs(60).await;
        seen.push(counts(&house) - before);
        for id in &all {
            let row = house.center.campaign_row(*id).await.expect("known");
            assert!(row.short_calls.is_some(), "each is told");
        }
        house.center.shutdown().await;
    }
    assert!(seen[0] >= 5 && seen[1] <= seen[0] + 1, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_by_hand_has_the_day_counted_where_no_campaign_dials() {
    let plan = Plan {
        debtors: 2,
        mix: NOBODY,
        ..Plan::default()
    };
    let law = Arc::new(Counting(RuleBook::embedded().expect("is read")));
    let house = House::under(plan, law).await;
    let agent = house.agent(1).await;
    let dial = || {
        house
            .center
            .dial_manual(agent.id, debtor_id(0), point_id(0))
    };
    house.secs(30).await;
    assert_eq!(counts(&house), 0, "nobody asked for it");
    let early = dial().await.expect_err("is not counted yet");
    assert_eq!(early.code(), "short_calls_not_counted");
    assert!(early.to_string().contains("try again"), "{early}");
    house.secs(3).await;
    assert!(counts(&house) > 0);
    dial().await.expect("there is room");
    house
        .until("reserved", || agent.state() == "reserved")
        .await;
    house.center.shutdown().await;
}
