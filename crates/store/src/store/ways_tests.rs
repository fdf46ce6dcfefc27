//! What the steps of a call ask of PostgreSQL, in how few ways to the server, and that what comes back in one is what
//! came in many.

use super::facts::facts_of_many;
use super::facts_one::of_one;
use super::{SqlStore, fresh_tests};
use crate::fill::FillPlan;
use crate::sql::{HEARD, vals};
use domain::entity::{CallResult, Decision, HoldKind, Verdict};
use domain::law::{Action, ClientLaw, Judge};
use domain::ports::store::{
    AttemptStore as _, Closing, ContactFacts, ContactStore as _, LawStore as _, OpenOutcome,
};
use domain::ports::{Store, StoreError};
use domain::time::{MINUTE_MS, UtcMs};
use sim::contract::judges::{Allow, Refuse, verdict};
use sim::contract::scene::{self, NOW, Scene, event, node, request, reserve};
use std::cell::RefCell;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

async fn heard<T>(what: impl Future<Output = T>) -> (T, Vec<String>) {
    let listening = HEARD.scope(RefCell::default(), async {
        let told = what.await;
        (told, HEARD.with(RefCell::take))
    });
    let (told, heard) = listening.await;
    (told, heard.into_iter().map(|(sql, _)| sql).collect())
}

/// A store on PostgreSQL, where a server is named.
async fn postgres() -> Option<(SqlStore, Arc<dyn Store>)> {
    let fresh = fresh_tests::postgres().await?;
    let store: Arc<dyn Store> = Arc::new(fresh.store.clone());
    Some((fresh.store.clone(), store))
}

#[tokio::test]
async fn a_call_takes_few_ways_to_the_server() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let scene = Scene::new(&store).await;
    let person = scene.person(&store).await;
    let campaign = scene.campaign(&store).await;
    let lease = node(&store).await;
    let held = reserve(&store, &campaign, &lease, 1).await;
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    let (opened, ways) = heard(own.open_attempt(&draft, &Allow)).await;
    assert!(matches!(opened, Ok(OpenOutcome::Opened(..))), "{opened:?}");
    // Beside its begin and its end: locks, what is known, what is written and told.
    assert_eq!(ways.len(), 3, "{ways:#?}");
    let mut item = held[0].item.clone();
    item.attempts += 1;
    let closing = Closing {
        ended_at: Some(NOW.plus_ms(MINUTE_MS)),
        result: Some(CallResult::NoAnswer),
        reached_network: Some(true),
        item: Some(item.clone()),
        events: vec![event("attempt.ended", "attempt:1")],
        ..Closing::default()
    };
    let (closed, ways) = heard(own.close_attempt(draft.attempt.id, &closing)).await;
    assert!(closed.unwrap());
    assert_eq!(ways.len(), 2, "{ways:#?}");
    assert_eq!(store.items_of(person.debtor.id).await.unwrap(), [item]);
    let debtor = person.debtor.id;
    let ledger = store.ledger_of(debtor).await.unwrap();
    assert_eq!(ledger[0].reached_network, Some(true));
    // The lease was given back with it.
    let again = person.draft(&lease, None, NOW.plus_ms(2 * MINUTE_MS));
    let (refused, ways) = heard(own.open_attempt(&again, &Refuse)).await;
    assert!(
        matches!(refused, Ok(OpenOutcome::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(ways.len(), 3, "{ways:#?}");
    own.close().await;
}

#[tokio::test]
async fn a_reservation_takes_few_ways_to_the_server() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let scene = Scene::new(&store).await;
    for _ in 0..3 {
        scene.person(&store).await;
    }
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await.unwrap();
    let mut tx = own.write().await.unwrap();
    // Everybody was asked about, so that filling the campaign reads them ahead.
    let marked = "UPDATE debtors SET callable_until=$1";
    tx.run(marked, vals![NOW.plus_ms(60 * MINUTE_MS)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    scene::refill(&store, &campaign).await;
    let lease = node(&store).await;
    let asked = request(&campaign, &lease, 3);
    let (held, ways) = heard(own.reserve_contacts(&asked)).await;
    assert_eq!(held.unwrap().len(), 3);
    assert_eq!(own.ahead_counts().missed, 0);
    // Beside its begin and its end: who is woken, who is due, leases with what stands of what is known.
    assert_eq!(ways.len(), 3, "{ways:#?}");
    own.close().await;
}

/// All facts of one debtor; ledger and the rest have no order of their own but that of their ids.
fn told(facts: &ContactFacts) -> String {
    let ContactFacts {
        debtor,
        portfolio,
        debts,
        parties,
        points,
        holds,
        consents,
        preferences,
        ledger,
        suppressions,
        lists,
        address_zones,
        overrides,
        client_law,
    } = facts;
    let all = (debtor, portfolio, debts, parties, points, holds);
    let more = (consents, preferences, ledger, suppressions, lists);
    let masked = format!("{all:?} {more:?} {address_zones:?} {overrides:?} {client_law:?}");
    // What prints masked.
    let plain: Vec<&str> = points.iter().map(|p| p.value.reveal().as_str()).collect();
    format!("{masked} {} {plain:?}", debtor.document.reveal())
}

#[tokio::test]
async fn one_debtor_is_told_as_among_many() {
    const DEBTORS: u64 = 200;
    let Some(fresh) = fresh_tests::postgres().await else {
        return;
    };
    let store = fresh.store;
    let plan = FillPlan {
        debtors: DEBTORS,
        attempts: DEBTORS * 4,
        now: UtcMs(1_790_000_000_000),
    };
    let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
    let ids: Vec<_> = (0..DEBTORS).map(|n| filled.debtor(n)).collect();
    let mut read = store.snapshot().await.unwrap();
    let many = facts_of_many(&mut read, &ids, filled.now).await.unwrap();
    let some = |has: fn(&ContactFacts) -> bool| assert!(many.iter().any(has));
    some(|f| !f.holds.is_empty());
    some(|f| !f.suppressions.is_empty());
    some(|f| !f.consents.is_empty());
    some(|f| !f.preferences.is_empty());
    some(|f| !f.parties.is_empty());
    some(|f| f.ledger.len() > 1);
    for facts in &many {
        let one = of_one(&mut read, facts.debtor.id, filled.now)
            .await
            .unwrap();
        assert_eq!(told(&one), told(facts));
    }
    let nobody = of_one(
        &mut read,
        domain::ids::DebtorId(uuid::Uuid::now_v7()),
        filled.now,
    );
    assert!(matches!(nobody.await, Err(StoreError::NotFound("debtor"))));
    drop(read);
    store.close().await;
}

/// Until somebody of this database waits for a lock.
async fn until_somebody_waits(store: &SqlStore) {
    let sql = "SELECT 1 AS n FROM pg_stat_activity WHERE wait_event_type='Lock' \
        AND datname=current_database() LIMIT 1";
    for _ in 0..6_000 {
        let mut read = store.read().await.unwrap();
        if read.row(sql, vec![]).await.unwrap().is_some() {
            return;
        }
        drop(read);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody waits");
}

/// What an opening that has to wait for a row is told once another has written it.
async fn behind(
    (own, store): &(SqlStore, Arc<dyn Store>),
    sql: &'static str,
    by_fence: bool,
) -> Result<OpenOutcome, StoreError> {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 1).await.len(), 1);
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    let mut other = own.write().await.unwrap();
    let values = match by_fence {
        true => vals![lease.node],
        false => vals![person.debtor.person_id],
    };
    assert_eq!(other.run(sql, values).await.unwrap(), 1);
    let store = store.clone();
    let opening = tokio::spawn(async move { store.open_attempt(&draft, &Allow).await });
    until_somebody_waits(own).await;
    other.commit().await.unwrap();
    opening.await.unwrap()
}

#[tokio::test]
async fn a_row_that_had_to_be_waited_for_is_told_as_it_is_now() {
    let Some(stores) = postgres().await else {
        return;
    };
    let fenced = "UPDATE nodes SET fence=fence+1000 WHERE name=$1";
    let outcome = behind(&stores, fenced, true).await;
    assert!(matches!(outcome, Err(StoreError::Fenced)), "{outcome:?}");
    let taken = "UPDATE persons SET lease_node='another' WHERE id=$1";
    let outcome = behind(&stores, taken, false).await;
    assert!(matches!(outcome, Ok(OpenOutcome::Busy)), "{outcome:?}");
    let same = "UPDATE persons SET lease_until=lease_until+1 WHERE id=$1";
    let outcome = behind(&stores, same, false).await;
    assert!(
        matches!(outcome, Ok(OpenOutcome::Opened(..))),
        "{outcome:?}"
    );
    stores.0.close().await;
}

/// A claim that is not committed yet: what changes the law's answer meanwhile waits for it, and takes its mark away.
#[tokio::test]
async fn a_mark_that_is_just_being_asked_for_does_not_outlive_a_hold() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let scene = Scene::new(&store).await;
    let person = scene.person(&store).await;
    let lease = node(&store).await;
    let claimed = "UPDATE debtors SET callable_until=-7 WHERE id=$1 AND callable_until IS NULL";
    let marked = "SELECT callable_until IS NOT NULL AS marked FROM debtors WHERE id=$1";
    for opens in [false, true] {
        let mut claim = own.write().await.unwrap();
        let values = vals![person.debtor.id];
        assert_eq!(claim.run(claimed, values).await.unwrap(), 1);
        let (with, hold) = (store.clone(), person.hold(HoldKind::Dispute));
        let draft = person.draft(&lease, None, NOW);
        let stirs = tokio::spawn(async move {
            match opens {
                true => with.open_attempt(&draft, &Allow).await.map(drop),
                false => with.put_hold(&hold, &[]).await,
            }
        });
        until_somebody_waits(&own).await;
        claim.commit().await.unwrap();
        stirs.await.unwrap().unwrap();
        let mut read = own.read().await.unwrap();
        let row = read.row(marked, vals![person.debtor.id]).await.unwrap();
        assert!(!row.unwrap().get::<bool>("marked").unwrap(), "{opens}");
    }
    own.close().await;
}

/// Each has his key by a row that belongs to him, and then wants to take his mark away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_stir_one_debtor_wait_for_each_other() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let person = Scene::new(&store).await.person(&store).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, hold) = (store.clone(), person.hold(HoldKind::Dispute));
        tasks.spawn(async move { store.put_hold(&hold, &[]).await });
    }
    for put in tasks.join_all().await {
        put.unwrap();
    }
    own.close().await;
}

/// A call takes the lock of events before the server looks whether its client is there.
#[tokio::test]
async fn who_writes_a_clients_law_keeps_nobody_from_being_called() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let scene = Scene::new(&store).await;
    let person = scene.person(&store).await;
    let lease = node(&store).await;
    let law = ClientLaw {
        version: 1,
        updated_at: NOW,
        ..ClientLaw::none(scene.client.id)
    };
    let (written, ways) = heard(own.put_client_law(&law, &[])).await;
    written.unwrap();
    let held = ways.iter().find(|sql| sql.contains("FROM clients"));
    let mut other = own.write().await.unwrap();
    let rows = other
        .rows(held.unwrap().clone(), vals![law.client_id])
        .await;
    assert_eq!(rows.unwrap().len(), 1);
    let draft = person.draft(&lease, None, NOW);
    let opened = own.open_attempt(&draft, &Allow).await;
    assert!(matches!(opened, Ok(OpenOutcome::Opened(..))), "{opened:?}");
    drop(other);
    own.close().await;
}

/// Allows once it is told to, and tells that it was asked.
struct Slow {
    asked: SyncSender<()>,
    go: Mutex<Receiver<()>>,
}

impl Judge for Slow {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        self.asked.send(()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        verdict(facts, action, Decision::Allow)
    }
}

/// Two persons who share a number: who waited for the other one's call sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waited_for_the_number_sees_who_has_it() {
    let Some((own, store)) = postgres().await else {
        return;
    };
    let scene = Scene::new(&store).await;
    let (a, mut b) = (scene.person(&store).await, scene.draft_person());
    b.point.value = a.point.value.clone();
    b.store(&store).await;
    let lease = node(&store).await;
    let ((asked, was_asked), (go, may_go)) = (sync_channel(1), sync_channel(1));
    let slow = Slow {
        asked,
        go: Mutex::new(may_go),
    };
    let (first, with) = (a.draft(&lease, None, NOW), store.clone());
    let first = tokio::spawn(async move { with.open_attempt(&first, &slow).await });
    tokio::task::block_in_place(|| was_asked.recv()).unwrap();
    let (second, with) = (b.draft(&lease, None, NOW), store.clone());
    let second = tokio::spawn(async move { with.open_attempt(&second, &Allow).await });
    until_somebody_waits(&own).await;
    go.send(()).unwrap();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(matches!(first, Ok(OpenOutcome::Opened(..))), "{first:?}");
    assert!(matches!(second, Ok(OpenOutcome::Busy)), "{second:?}");
    own.close().await;
}
