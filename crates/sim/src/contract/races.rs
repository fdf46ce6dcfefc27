//! Many at once: whatever interleaves, each promise holds once.

mod places;
mod recalls;

use super::attempts::ended;
use super::judges::*;
use super::plans;
use super::scene::*;
use domain::entity::{CallResult, PlanState};
use domain::ids::DebtorId;
use domain::ports::store::{OpenOutcome, PromiseTerms};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// Runs the group.
pub async fn all(store: Subject) {
    two_nodes_share_the_items(&store).await;
    one_of_many_opens_the_person(&store).await;
    a_cap_holds_under_races(&store).await;
    one_of_many_posts_the_reference(&store).await;
    one_of_many_promises(&store).await;
    one_of_many_moves_the_plan(&store).await;
    a_plan_runs_on_what_it_was_drawn_on(&store).await;
    fences_are_given_once(&store).await;
    places::a_place_kept_anew_outlives_the_one_of_a_dead_node(&store).await;
    recalls::money_and_a_recall_go_side_by_side(&store).await;
}

async fn two_nodes_share_the_items(store: &Subject) {
    const DEBTORS: usize = 60;
    let scene = Scene::new(store).await;
    for _ in 0..DEBTORS {
        scene.person(store).await;
    }
    let campaign = scene.campaign(store).await;
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (store, campaign, lease) = (store.clone(), campaign.clone(), node(store).await);
        tasks.spawn(async move {
            let mut mine = Vec::new();
            // A round may come back empty while the others hold the rows it looks at.
            for _ in 0..40 {
                mine.extend(ids(&reserve(&store, &campaign, &lease, 5).await));
                tokio::task::yield_now().await;
            }
            mine
        });
    }
    let all: Vec<DebtorId> = tasks.join_all().await.into_iter().flatten().collect();
    let unique: BTreeSet<DebtorId> = all.iter().copied().collect();
    assert_eq!(unique.len(), all.len(), "nobody twice");
    assert_eq!(unique.len(), DEBTORS, "everybody once");
}

async fn one_of_many_opens_the_person(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let (store, person, lease) = (store.clone(), person.clone(), node(store).await);
        tasks.spawn(async move {
            let draft = person.draft(&lease, None, NOW.plus_ms(n));
            store.open_attempt(&draft, &Allow).await.expect("open")
        });
    }
    let outcomes = tasks.join_all().await;
    let opened = outcomes
        .iter()
        .filter(|o| matches!(o, OpenOutcome::Opened(..)))
        .count();
    let busy = outcomes
        .iter()
        .filter(|o| matches!(o, OpenOutcome::Busy))
        .count();
    assert_eq!((opened, busy), (1, 7));
}

/// Two persons share a number; callers of both race for the last permitted call of that number.
async fn a_cap_holds_under_races(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let a = ours.person(store).await;
    let mut b = theirs.draft_person();
    b.point.value = a.point.value.clone();
    b.store(store).await;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let person = if n % 2 == 0 { a.clone() } else { b.clone() };
        let (store, lease) = (store.clone(), node(store).await);
        tasks.spawn(async move {
            let mut made = 0;
            for _ in 0..4 {
                let draft = person.draft(&lease, None, NOW.plus_ms(n));
                match store.open_attempt(&draft, &Cap(3)).await.expect("open") {
                    OpenOutcome::Opened(attempt, _) => {
                        made += 1;
                        let closing = ended(CallResult::NoAnswer);
                        store
                            .close_attempt(attempt.id, &closing)
                            .await
                            .expect("close");
                    }
                    OpenOutcome::Refused(_) => break,
                    OpenOutcome::Busy => tokio::task::yield_now().await,
                }
            }
            made
        });
    }
    let made: u32 = tasks.join_all().await.into_iter().sum();
    assert!((1..=3).contains(&made), "{made} calls under a cap of 3");
}

async fn one_of_many_posts_the_reference(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let reference = name("pay");
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let person = if n % 2 == 0 { &a } else { &b };
        let mut payment = person.payment(40_000);
        payment.reference.clone_from(&reference);
        let store = store.clone();
        tasks.spawn(async move {
            store
                .post_payment(&payment, &[], &of_promise)
                .await
                .expect("payment")
        });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|o| !o.repeated).count(), 1);
    let ids: BTreeSet<_> = outcomes.iter().map(|o| o.payment.id).collect();
    assert_eq!(ids.len(), 1, "all are told of the same payment");
    let mut left = 0;
    for person in [&a, &b] {
        left += store
            .get_debt(person.debt.id)
            .await
            .expect("debt")
            .balance_minor();
    }
    assert_eq!(left, 160_000, "money counts once");
}

async fn one_of_many_promises(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: 100_000,
    };
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let (store, promise) = (store.clone(), person.promise(10_000));
        tasks.spawn(async move {
            store
                .record_promise(&promise, terms, &[])
                .await
                .expect("promise")
        });
    }
    let taken = tasks
        .join_all()
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count();
    assert_eq!(taken, 1);
    assert_eq!(
        store
            .active_promises(person.debtor.id)
            .await
            .expect("active")
            .len(),
        1
    );
}

async fn fences_are_given_once(store: &Subject) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move { node(&store).await.fence });
    }
    let fences = tasks.join_all().await;
    let unique: BTreeSet<i64> = fences.iter().copied().collect();
    assert_eq!(unique.len(), fences.len());
}

/// Two nodes, a signature and a withdrawal at once: one of them stands.
async fn one_of_many_moves_the_plan(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let file = plans::agreed(&person, 10_000);
    assert_eq!(plans::drawn(store, &file).await, Ok(()));
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let (store, mut plan) = (store.clone(), file.plan.clone());
        tasks.spawn(async move {
            if n % 2 == 0 {
                plan.state = PlanState::Signed;
                plan.signed_at = Some(NOW);
            } else {
                plan.state = PlanState::Cancelled;
                plan.closed_at = Some(NOW);
            }
            let told = event("plan.moved", &format!("plan:{}", plan.id));
            let moved = store.move_plan(&plan, PlanState::Approved, &[told]).await;
            (moved.expect("moved"), plan.state)
        });
    }
    let done = tasks.join_all().await;
    let moved: Vec<PlanState> = done.iter().filter(|(ok, _)| *ok).map(|(_, s)| *s).collect();
    let stands = store.get_plan(file.plan.id).await.expect("plan").plan.state;
    assert_eq!(moved, [stands], "one of eight, and it is what stands");
}

/// Money and a signature at once: a plan never runs on a balance that is not its own.
async fn a_plan_runs_on_what_it_was_drawn_on(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let file = plans::agreed(&person, 10_000);
    assert_eq!(plans::drawn(store, &file).await, Ok(()));
    let payment = person.payment(5_000);
    let posted = store.post_payment(&payment, &[], &of_promise).await;
    posted.expect("posted");
    let mut plan = file.plan.clone();
    plan.state = PlanState::Signed;
    plan.signed_at = Some(NOW);
    let moved = store.move_plan(&plan, PlanState::Approved, &[]).await;
    assert!(
        !moved.expect("asked"),
        "the debt owes something else by now"
    );
    let stands = store.get_plan(file.plan.id).await.expect("plan").plan;
    assert_eq!(
        (stands.state, stands.signed_at),
        (PlanState::Approved, None)
    );
}
