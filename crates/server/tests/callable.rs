//! The field `callable_now` against the law itself: a center asks in the background while things happen to
//! a debtor. And what it finds in the background when somebody changed the audit.

#[path = "../../store/tests/common/mod.rs"]
mod common;
#[path = "beside/proof.rs"]
mod proof;

use center::{Center, CenterConfig, CenterHandle, DeskHub, Ports};
use domain::entity::{Channel, CheckPoint, Preference, PreferenceKind};
use domain::ids::{PreferenceId, VerdictId};
use domain::law::pack::Day;
use domain::law::{Action, ClientLaw, Judge as _, RuleBook, TermWindow};
use domain::ports::Clock;
use domain::segment::parse;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use sim::bus::{BusFaults, SimBus};
use sim::clock::SeededIds;
use sim::contract::scene::*;
use sim::fate::FateMix;
use sim::trunk::{SimTrunk, TrunkFaults};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Longest wait for something that must come: a loaded machine asks slowly.
const LIMIT: Duration = Duration::from_secs(120);

/// A clock that is set by hand.
struct Dial(AtomicI64);

impl Clock for Dial {
    fn now(&self) -> UtcMs {
        UtcMs(self.0.load(Ordering::SeqCst))
    }
}

async fn open(store: &Subject, clock: &Arc<Dial>, node: &str) -> CenterHandle {
    open_every(store, clock, node, 20).await
}

async fn open_every(
    store: &Subject,
    clock: &Arc<Dial>,
    node: &str,
    callable_every_ms: i64,
) -> CenterHandle {
    let (told, reports) = mpsc::channel(16);
    let mix = FateMix {
        answer_pct: 0,
        refuse_pct: 0,
    };
    let trunk = SimTrunk::new(1, mix, TrunkFaults::default(), clock.clone(), told);
    let config = CenterConfig {
        callable_every_ms,
        audit_first_ms: 20,
        ..CenterConfig::new(node)
    };
    let ports = Ports {
        store: store.clone(),
        bus: Arc::new(SimBus::new(1, BusFaults::default())),
        trunk: Arc::new(trunk),
        reports,
        clock: clock.clone(),
        ids: Arc::new(SeededIds::new(u64::from(node.as_bytes()[0]))),
        desk: Arc::new(DeskHub::new()),
        law: Arc::new(RuleBook::embedded().expect("packs")),
    };
    Center::start(config, ports).await.expect("center")
}

async fn callable(store: &Subject, scene: &Scene, now: UtcMs) -> bool {
    let expr = parse("callable_now").expect("a filter");
    let found = store.segment_ids(scene.client.id, &expr, now).await;
    !found.expect("ids").is_empty()
}

/// Waits until the field says it.
async fn comes(store: &Subject, scene: &Scene, now: UtcMs, want: bool, when: &str) {
    let from = Instant::now();
    while callable(store, scene, now).await != want {
        assert!(
            from.elapsed() < LIMIT,
            "{when}: callable_now never became {want} at {now:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn lawful(store: &Subject, person: &Person, now: UtcMs) -> bool {
    let facts = store.contact_facts(person.debtor.id, now).await;
    let book = RuleBook::embedded().expect("packs");
    let action = Action {
        verdict_id: fresh::<VerdictId>(),
        check_point: CheckPoint::Manual,
        channel: Channel::Call,
        point_id: Some(person.point.id),
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: domain::entity::Circumstances::default(),
        ring_timeout_ms: 25_000,
        agent_reserved: true,
        now,
    };
    let verdict = book.judge(&facts.expect("facts"), &action);
    verdict.decision.permits(true)
}

async fn the_field_follows_the_law((store, ..): common::Fresh) {
    let store: Subject = Arc::new(store);
    let scene = Scene::new(&store).await;
    // A number of Mexico City: others would be judged in more zones than one.
    let mut person = scene.draft_person();
    person.point.value = "+525512345678".into();
    person.store(&store).await;
    let clock = Arc::new(Dial(AtomicI64::new(NOW.0)));
    let center = open(&store, &clock, "a").await;
    // A second node leaves it to the first, and takes over when that one is gone.
    let second = open(&store, &clock, "b").await;
    comes(&store, &scene, NOW, true, "asked first").await;
    assert!(lawful(&store, &person, NOW).await);
    let (made, _) = second.marks();
    assert_eq!(made, 0, "the second node asks too");
    // Through the day and the night the mark, made in the morning and renewed at its ends, says what the
    // law says; 24 hours in steps of two.
    for step in 0..12 {
        let now = NOW.plus_ms(step * 2 * HOUR_MS);
        clock.0.store(now.0, Ordering::SeqCst);
        let want = lawful(&store, &person, now).await;
        comes(&store, &scene, now, want, "through the day").await;
    }
    // Never backwards: leases of nodes end by this clock.
    let now = NOW.plus_ms(24 * HOUR_MS);
    clock.0.store(now.0, Ordering::SeqCst);
    store.forget_marks(10).await.expect("forgotten");
    comes(&store, &scene, now, true, "marks forgotten").await;
    let mut wish = Preference {
        id: fresh::<PreferenceId>(),
        debtor_id: person.debtor.id,
        kind: PreferenceKind::NotBetween,
        channel: None,
        point_id: None,
        days: Vec::new(),
        from: Some("08:00".into()),
        to: Some("13:00".into()),
        recorded_at: now.plus_ms(-1),
        until: None,
        revoked_at: None,
        proof: "call".into(),
    };
    store.put_preference(&wish, &[]).await.expect("wish");
    assert!(!callable(&store, &scene, now).await, "at once");
    let afternoon = now.plus_ms(5 * HOUR_MS);
    comes(&store, &scene, afternoon, true, "the afternoon of a wish").await;
    assert!(!callable(&store, &scene, now).await, "as he wished");
    center.shutdown().await;
    // Its lease has run out, should its task have had no time to end it.
    let now = now.plus_ms(MINUTE_MS);
    clock.0.store(now.0, Ordering::SeqCst);
    wish.revoked_at = Some(now);
    store.put_preference(&wish, &[]).await.expect("wish");
    comes(
        &store,
        &scene,
        now,
        true,
        "the wish taken back, by the second node",
    )
    .await;
    let (made, _) = second.marks();
    assert!(made > 0, "the second node took over");
    it_follows_the_contract(&store, &scene, now).await;
    second.shutdown().await;
}

/// Whoever may be called at nine by the packs waits for ten where his client's contract says so.
async fn it_follows_the_contract(store: &Subject, scene: &Scene, now: UtcMs) {
    let from_ten = TermWindow {
        days: Day::ALL.to_vec(),
        from: "10:00".into(),
        to: "18:00".into(),
        channels: vec![Channel::Call],
    };
    let mut law = ClientLaw::none(scene.client.id);
    (law.version, law.updated_at) = (1, now);
    law.terms.windows.push(from_ten);
    store.put_client_law(&law, &[]).await.expect("law");
    comes(store, scene, now, false, "a contract in force").await;
    law.version = 2;
    law.terms.windows.clear();
    store.put_client_law(&law, &[]).await.expect("law");
    comes(store, scene, now, true, "a contract that asks nothing").await;
}

/// The background comes by once a day: whoever wants the exact figure has the law asked at once.
async fn a_figure_has_the_law_asked((store, ..): common::Fresh) {
    let store: Subject = Arc::new(store);
    let (scene, other) = (Scene::new(&store).await, Scene::new(&store).await);
    // Numbers of Mexico City: others would be judged in more zones than one.
    for n in 0..3 {
        let mut person = scene.draft_person();
        person.point.value = format!("+52551234500{n}").into();
        person.store(&store).await;
    }
    other.person(&store).await;
    let clock = Arc::new(Dial(AtomicI64::new(NOW.0)));
    let center = open_every(&store, &clock, "a", 24 * HOUR_MS).await;
    let expr = parse("callable_now").expect("a filter");
    let figures = async || {
        let seen = store
            .segment_estimate(scene.client.id, &expr, NOW, 10)
            .await;
        let seen = seen.expect("figures");
        (seen.count.debtors, seen.exact, seen.pending)
    };
    assert_eq!(figures().await, (0, false, 3), "nobody was asked about");
    let left = center.ask_the_law(scene.client.id, Duration::ZERO).await;
    assert_eq!(
        left.expect("asked"),
        3,
        "without time nobody is asked about"
    );
    let left = center.ask_the_law(scene.client.id, LIMIT).await;
    assert_eq!(left.expect("asked"), 0);
    assert_eq!(figures().await, (3, true, 0));
    center.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_on_sqlite() {
    a_figure_has_the_law_asked(common::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_on_postgres() {
    if let Some(fresh) = common::postgres().await {
        a_figure_has_the_law_asked(fresh).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    the_field_follows_the_law(common::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    if let Some(fresh) = common::postgres().await {
        the_field_follows_the_law(fresh).await;
    }
}
