//! A caller from a number of nobody: he waits, the agent finds his file, and the call is that debtor's; and
//! the queue over two nodes.

use crate::queue::{OURS, debtor_calls, house, phone, row, told};
use crate::screen::Screen;
use crate::world::{House, NIGHT, Plan, ask, client_id, debtor_id, id};
use center::{Actor, AttachAsk, CenterConfig, IdentityAsk};
use domain::entity::{
    CampaignParams, DialMode, HoldKind, InboundOutcome, InboundParams, LedgerKind, PartyRole,
};
use domain::ids::{AttemptId, TrunkId};
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, InboundStore as _, LawStore as _,
};
use sim::trunk::CallIn;
use std::sync::Arc;

/// A number that stands in no file.
const NOBODYS: &str = "+525599999999";

/// The same as carriers show it.
const NOBODYS_OLD: &str = "+5215599999999";

const TITULAR: IdentityAsk = IdentityAsk {
    role: PartyRole::Titular,
};

fn unknown() -> InboundParams {
    InboundParams {
        unknown: true,
        ..InboundParams::default()
    }
}

async fn stranger_calls(house: &House) -> AttemptId {
    let call = CallIn {
        from: Some(NOBODYS.to_owned()),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms: 30 * 60_000,
        talk_ms: 10 * 60_000,
    };
    let call = house.trunk.call_in(call).await;
    house.secs(1).await;
    call
}

async fn taken(house: &House) -> (Screen, AttemptId) {
    let agent = house.agent(1).await;
    let call = stranger_calls(house).await;
    assert_eq!(house.talking(&agent).await, call);
    (agent, call)
}

fn attach(n: u128, keep_number: bool) -> AttachAsk {
    AttachAsk {
        debtor: debtor_id(n),
        keep_number,
    }
}

async fn known(house: &House) -> Option<domain::ids::DebtorId> {
    let known = house.store.known_caller(client_id(), NOBODYS).await;
    known.expect("works").map(|k| k.debtor_id)
}

/// Before it is known who he is there is nobody whose identity could be proved, and no contact.
async fn nothing_goes_before(house: &House, agent: &Screen, call: AttemptId) {
    let early = house.center.identity(agent.id, call, TITULAR).await;
    assert_eq!(early.expect_err("refused").code(), "unknown_caller");
    let me = Actor::Agent(agent.id);
    let early = house.center.dispose(me, call, ask("CD.NP.NOPUEDE")).await;
    assert_eq!(early.expect_err("refused").code(), "unknown_caller");
}

/// Nobody's script tells him that he is recorded: he hears it before an agent who is free gets him.
#[tokio::test(start_paused = true)]
async fn an_unknown_caller_hears_that_he_is_recorded_before_anybody_talks_with_him() {
    let house = house(DialMode::Manual, unknown()).await;
    let agent = house.agent(1).await;
    let call = stranger_calls(&house).await;
    assert_eq!(told(&house, call), ["recorded"]);
    assert_ne!(agent.state(), "talking");
    assert_eq!(house.talking(&agent).await, call);
    assert_eq!(told(&house, call), ["recorded"], "whole, and nothing else");
    let waited = house.attempt(call).await;
    let waited = waited.bridged_at.zip(waited.answered_at);
    let waited = waited.map_or(0, |(joined, at)| joined.since_ms(at));
    assert!(waited >= 6_000, "joined after {waited} ms");
    // Whom we know has an agent at once: his script says it.
    house.hang_up(&agent, call).await;
    let me = Actor::Agent(agent.id);
    let done = house.center.dispose(me, call, ask("NC.CA")).await;
    done.expect("disposed");
    house.secs(1).await;
    let known = debtor_calls(&house, 1).await;
    assert_eq!(house.talking(&agent).await, known);
    assert!(!told(&house, known).contains(&"recorded".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_caller_is_found_and_the_call_is_his() {
    let house = house(DialMode::Manual, unknown()).await;
    let (agent, call) = taken(&house).await;
    let (_, card) = agent.of_kind("pop").pop().expect("a card came");
    assert_eq!(card["unknown_caller"], "··9999");
    assert_eq!(card["direction"], "inbound");
    assert!(card["script"].is_null(), "{card}");
    let nobody = house.attempt(call).await.debtor_id;
    assert_ne!(nobody, debtor_id(2));
    nothing_goes_before(&house, &agent, call).await;
    for needle in [phone(2), phone(2).replace("+52", "")] {
        let found = house.center.find_caller(agent.id, call, needle).await;
        let found: Vec<_> = found.expect("found").iter().map(|d| d.id).collect();
        assert_eq!(found, [debtor_id(2)]);
    }
    let card = house
        .center
        .attach_caller(agent.id, call, attach(2, true))
        .await;
    let card = card.expect("attached");
    assert_eq!(
        (card["t"].as_str(), card["gate"].as_bool()),
        (Some("card"), Some(true))
    );
    assert_eq!(card["debtor"]["id"], debtor_id(2).to_string());
    assert!(card.get("unknown_caller").is_none(), "{card}");
    assert!(
        card["debts"][0]["balance"].is_null(),
        "identity comes first: {card}"
    );
    house.secs(1).await;
    let attempt = house.attempt(call).await;
    assert_eq!(attempt.debtor_id, debtor_id(2));
    assert!(attempt.debt_id.is_some());
    let inbound = row(&house, call).await;
    assert_eq!(inbound.debtor_id, Some(debtor_id(2)));
    assert_eq!(inbound.outcome, InboundOutcome::Answered);
    assert_eq!(
        known(&house).await,
        Some(debtor_id(2)),
        "he is known next time"
    );
    let again = house
        .center
        .attach_caller(agent.id, call, attach(3, true))
        .await;
    assert_eq!(again.expect_err("refused").code(), "caller_known");

    let proved = house.center.identity(agent.id, call, TITULAR).await;
    proved.expect("proved");
    house.hang_up(&agent, call).await;
    let me = Actor::Agent(agent.id);
    let done = house.center.dispose(me, call, ask("CD.NP.NOPUEDE")).await;
    assert_eq!(done.expect("disposed").attempt.debtor_id, debtor_id(2));
    house.secs(1).await;
    let ledger = house.store.ledger_of(debtor_id(2)).await.expect("ledger");
    let talks = ledger.iter().filter(|r| r.kind == LedgerKind::Conversation);
    assert_eq!(talks.count(), 1, "counted for him, once");
    let left = house.store.ledger_of(nobody).await.expect("ledger");
    assert!(left.is_empty(), "{left:?}");
    let kinds = house.kinds().await;
    assert!(kinds.iter().any(|k| k == "caller.identified"), "{kinds:?}");
    assert_eq!(agent.state(), "ready");
}

#[tokio::test(start_paused = true)]
async fn two_asks_at_once_give_the_call_to_one() {
    let house = house(DialMode::Manual, unknown()).await;
    let (agent, call) = taken(&house).await;
    let ask = async |n| {
        let asked = house.center.attach_caller(agent.id, call, attach(n, true));
        asked.await.map_err(|e| e.code()).err()
    };
    let told = tokio::join!(ask(2), ask(3));
    let his = match told {
        (None, Some("caller_known")) => 2,
        (Some("caller_known"), None) => 3,
        other => panic!("expected one of them refused, got {other:?}"),
    };
    let attempt = house.attempt(call).await;
    assert_eq!(attempt.debtor_id, debtor_id(his));
    let facts = house.store.contact_facts(debtor_id(his), attempt.opened_at);
    let debts: Vec<_> = facts.await.expect("facts").debts;
    assert!(debts.iter().any(|d| Some(d.id) == attempt.debt_id));
}

#[tokio::test(start_paused = true)]
async fn a_borrowed_phone_is_not_kept_and_a_held_debtor_is_not_talked_to() {
    let house = house(DialMode::Manual, unknown()).await;
    let (agent, call) = taken(&house).await;
    let hold = house.hold(debtor_id(3), HoldKind::Represented);
    house.store.put_hold(&hold, &[]).await.expect("hold");
    let held = house
        .center
        .attach_caller(agent.id, call, attach(3, true))
        .await;
    assert_eq!(held.expect_err("refused").code(), "blocked_hold");
    let verdicts = house
        .center
        .attach_caller(agent.id, call, attach(999, true))
        .await;
    assert_eq!(verdicts.expect_err("refused").code(), "not_found");
    let done = house
        .center
        .attach_caller(agent.id, call, attach(4, false))
        .await;
    done.expect("attached");
    assert_eq!(known(&house).await, None, "nothing is kept of the number");
    assert_eq!(house.attempt(call).await.debtor_id, debtor_id(4));
    // The same number calls again: nobody knows it.
    house.hang_up(&agent, call).await;
    let me = Actor::Agent(agent.id);
    house
        .center
        .dispose(me, call, ask("CI.TN"))
        .await
        .expect("disposed");
    house.secs(2).await;
    let second = stranger_calls(&house).await;
    assert_eq!(house.talking(&agent).await, second);
    let (_, card) = agent.of_kind("pop").pop().expect("a card came");
    assert_eq!(card["unknown_caller"], "··9999");
    let other = house.sign_in(2).await;
    let found = house.center.find_caller(other.id, second, "x".into());
    let refused = found.await.expect_err("another's call");
    assert_eq!(refused.code(), "not_your_call");
}

#[tokio::test(start_paused = true)]
async fn who_stays_unknown_is_disposed_and_his_file_is_one() {
    let house = house(DialMode::Manual, unknown()).await;
    let (agent, first) = taken(&house).await;
    let file = house.attempt(first).await.debtor_id;
    house.hang_up(&agent, first).await;
    let me = Actor::Agent(agent.id);
    house
        .center
        .dispose(me, first, ask("NC.BZ"))
        .await
        .expect("disposed");
    house.secs(2).await;
    let figures = house.center.figures().await;
    assert_eq!(figures.answered_machine, 0, "no answer of ours");
    let second = stranger_calls(&house).await;
    assert_eq!(house.talking(&agent).await, second);
    assert_eq!(
        house.attempt(second).await.debtor_id,
        file,
        "of his earlier call"
    );
    let done = house
        .center
        .attach_caller(agent.id, second, attach(5, true))
        .await;
    done.expect("attached");
    assert_eq!(
        house.attempt(first).await.debtor_id,
        debtor_id(5),
        "both are his"
    );
}

/// Nothing is kept of who may not be talked to but that he called; his key is obeyed all the same.
#[tokio::test(start_paused = true)]
async fn who_calls_outside_the_hours_leaves_no_file() {
    let house = House::build(Plan {
        at: NIGHT,
        params: CampaignParams {
            mode: DialMode::Manual,
            inbound: InboundParams {
                blended: true,
                ..unknown()
            },
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    house.start().await;
    let _agent = house.agent(1).await;
    let call = stranger_calls(&house).await;
    house.trunk.press(call, '9').await;
    house.secs(10).await;
    let row = row(&house, call).await;
    assert_eq!(row.outcome, InboundOutcome::Closed);
    assert_eq!((row.debtor_id, row.client_id), (None, Some(client_id())));
    assert_eq!(known(&house).await, None);
    let all = domain::ports::store::ListFilter::default();
    let page = crate::world::page();
    let listed = house.store.list_suppressions(&all, &page).await;
    let listed = listed.expect("works").items;
    let mut numbers: Vec<&str> = listed.iter().map(|s| s.value.reveal().as_str()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [NOBODYS_OLD, NOBODYS], "in both forms");
}

/// Carriers show Mexican mobiles with a one that no file has: what is kept of him is the number that can be called.
/// What is in no numbering plan is nobody who could be called back.
#[tokio::test(start_paused = true)]
async fn a_number_is_kept_as_it_can_be_called_back() {
    let house = house(DialMode::Manual, unknown()).await;
    let agent = house.agent(1).await;
    let call = |from: &str| CallIn {
        from: Some(from.to_owned()),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms: 30 * 60_000,
        talk_ms: 10 * 60_000,
    };
    let nobody = house.trunk.call_in(call("+525512")).await;
    house.secs(15).await;
    let gone = row(&house, nobody).await;
    assert_eq!(gone.outcome, InboundOutcome::Unidentified);
    let shown = house.trunk.call_in(call(NOBODYS_OLD)).await;
    assert_eq!(house.talking(&agent).await, shown);
    let attempt = house.attempt(shown).await;
    assert_eq!(attempt.phone.reveal(), NOBODYS);
    let facts = house
        .store
        .contact_facts(attempt.debtor_id, house.clock.now());
    let points = facts.await.expect("his file").points;
    let numbers: Vec<&str> = points.iter().map(|p| p.value.reveal().as_str()).collect();
    assert_eq!(numbers, [NOBODYS]);
    assert_eq!(
        known(&house).await,
        Some(attempt.debtor_id),
        "he is found again"
    );
}

#[tokio::test(start_paused = true)]
async fn the_number_of_who_stays_unknown_is_forgotten_in_time() {
    let plan = Plan {
        params: CampaignParams {
            mode: DialMode::Manual,
            inbound: InboundParams {
                blended: true,
                ..unknown()
            },
            ..CampaignParams::default()
        },
        ..Plan::default()
    };
    let mut config = CenterConfig::new("node-1");
    config.retention.stranger_days = 0;
    config.retention.look_ms = 1_000;
    let start = plan.at.parse().expect("an instant");
    let house = House::furnished(&plan, start, config).await;
    house.start().await;
    let (agent, call) = taken(&house).await;
    house.secs(120).await;
    assert!(known(&house).await.is_some(), "while he talks");
    house.hang_up(&agent, call).await;
    let me = Actor::Agent(agent.id);
    let done = house.center.dispose(me, call, ask("NC.BZ")).await;
    done.expect("disposed");
    house.secs(120).await;
    assert_eq!(known(&house).await, None);
    let attempt = house.attempt(call).await;
    assert_eq!(attempt.phone.reveal(), "", "the log stays, without it");
    assert_eq!(row(&house, call).await.caller, None);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_the_sum_over_the_nodes() {
    let plan = || Plan {
        params: CampaignParams {
            mode: DialMode::Manual,
            inbound: InboundParams {
                blended: true,
                ..InboundParams::default()
            },
            ..CampaignParams::default()
        },
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    first.start().await;
    let second = House::open_with(
        Arc::clone(&first.store),
        &plan(),
        first.clock.now(),
        8,
        CenterConfig::new("node-2"),
    )
    .await;
    let agent = first.agent(1).await;
    let talking = debtor_calls(&first, 0).await;
    assert_eq!(first.talking(&agent).await, talking);
    debtor_calls(&first, 1).await;
    first.secs(10).await;
    for house in [&first, &second] {
        let queue = house.row().await.inbound.expect("takes callers");
        assert_eq!(
            (queue.offered, queue.answered, queue.waiting),
            (2, 1, 1),
            "{queue:?}"
        );
        assert!(queue.longest_wait_ms >= 9_000, "{queue:?}");
    }
    first.center.shutdown().await;
    second.center.shutdown().await;
}
