//! What the law asks of the line that debtors call, and of recordings to which everybody has to agree.

use crate::queue::{OURS, finishes, params, phone};
use crate::world::{House, Plan, id};
use center::{CallLaw, LawBook};
use domain::entity::{DialMode, InboundParams, Verdict};
use domain::ids::{AttemptId, TrunkId};
use domain::law::{Action, Duties, InboundDuty, Judge, RuleBook};
use domain::ports::store::ContactFacts;
use domain::time::UtcMs;
use sim::trunk::CallIn;
use std::sync::Arc;

/// Ley 10/2025 art. 8 with shorter times: 95 % within five seconds, a person within ten.
const DUTY: InboundDuty = InboundDuty {
    target_pct: 95.0,
    within_ms: 5_000,
    human_ms: Some(10_000),
};

/// The shipped packs, with what no debtor of the house has: a duty of the line, everybody's consent.
struct Asking {
    book: RuleBook,
    duty: Option<InboundDuty>,
    all_party: bool,
}

impl Asking {
    fn law(duty: Option<InboundDuty>, all_party: bool) -> Arc<dyn LawBook> {
        let book = RuleBook::embedded().expect("is read");
        Arc::new(Self {
            book,
            duty,
            all_party,
        })
    }
}

impl Judge for Asking {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        self.book.judge(facts, action)
    }
}

impl LawBook for Asking {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        LawBook::call_law(&self.book, facts, now)
    }
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        LawBook::is_holiday(&self.book, facts, date)
    }
    fn zone_of(&self, facts: &ContactFacts) -> String {
        LawBook::zone_of(&self.book, facts)
    }
    fn duties(&self, facts: &ContactFacts, now: UtcMs) -> Duties {
        Duties {
            all_party_consent: self.all_party,
            ..LawBook::duties(&self.book, facts, now)
        }
    }
    fn inbound_duty(&self, _facts: &ContactFacts, _now: UtcMs) -> Option<InboundDuty> {
        self.duty
    }
}

/// A debtor calls, and hangs up when he has waited so long.
async fn calls(house: &House, n: u128, patience_ms: i64) -> AttemptId {
    let call = CallIn {
        from: Some(phone(n)),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms,
        talk_ms: 600_000,
    };
    let call = house.trunk.call_in(call).await;
    house.secs(3).await;
    call
}

/// Alarms of the line that are up.
async fn alarms(house: &House) -> Vec<String> {
    let board = house.center.board().await;
    let kinds = board.data.alarms.into_iter().map(|alarm| alarm.kind);
    kinds.filter(|kind| kind.starts_with("inbound_")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_not_answered_as_the_law_asks_is_an_alarm() {
    let plan = Plan {
        params: params(DialMode::Manual, InboundParams::default()),
        debtors: 24,
        ..Plan::default()
    };
    let house = House::under(plan, Asking::law(Some(DUTY), false)).await;
    house.start().await;
    let agent = house.agent(1).await;
    let first = calls(&house, 0, 30 * 60_000).await;
    assert_eq!(house.talking(&agent).await, first);
    for n in 1..19 {
        calls(&house, n, 2_000).await;
    }
    house.secs(10).await;
    assert!(alarms(&house).await.is_empty(), "19 calls say nothing yet");
    calls(&house, 19, 2_000).await;
    house.secs(10).await;
    assert_eq!(alarms(&house).await, ["inbound_share"]);
    let late = calls(&house, 20, 30 * 60_000).await;
    assert_eq!(alarms(&house).await, ["inbound_share"]);
    house.secs(15).await;
    assert_eq!(alarms(&house).await, ["inbound_share", "inbound_wait"]);
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, late);
    house.secs(5).await;
    assert_eq!(alarms(&house).await, ["inbound_share"], "nobody waits");
    house.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn where_no_pack_asks_for_it_a_line_has_no_alarm() {
    let plan = Plan {
        params: params(DialMode::Manual, InboundParams::default()),
        debtors: 24,
        ..Plan::default()
    };
    let house = House::under(plan, Asking::law(None, false)).await;
    house.start().await;
    let agent = house.agent(1).await;
    let first = calls(&house, 0, 30 * 60_000).await;
    assert_eq!(house.talking(&agent).await, first);
    for n in 1..21 {
        calls(&house, n, 2_000).await;
    }
    house.secs(15).await;
    assert!(alarms(&house).await.is_empty());
    house.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_before_everybody_agreed() {
    for (all_party, recorded) in [(false, true), (true, false)] {
        let house = House::under(Plan::default(), Asking::law(None, all_party)).await;
        let agent = house.agent(1).await;
        house.start().await;
        let call = house.talking(&agent).await;
        house.secs(5).await;
        let attempt = house.attempt(call).await;
        assert_eq!(attempt.recording_id.is_some(), recorded, "{all_party}");
        house.center.shutdown().await;
    }
}
