//! Recordings: pauses for a card and their end, care, holds and ends, and a disk that fills.

use crate::world::{House, MORNING, Plan, ask, page};
use async_trait::async_trait;
use center::{Actor, Archive, CenterConfig, DiskLimits, Retention};
use domain::entity::{RecordingKeep, RecordingPlace, RetentionClass};
use domain::ids::RecordingId;
use domain::ports::store::{CatalogStore as _, KeepChange, KeepStore as _};
use domain::time::UtcMs;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Two places for recordings, and a disk.
struct Shelves {
    near: Mutex<BTreeSet<String>>,
    far: Mutex<BTreeSet<String>>,
    /// Uploads that still fail.
    failing: AtomicU32,
    free: AtomicU64,
}

impl Shelves {
    fn new(failing: u32) -> Arc<Self> {
        Arc::new(Self {
            near: Mutex::default(),
            far: Mutex::default(),
            failing: AtomicU32::new(failing),
            free: AtomicU64::new(1_000),
        })
    }

    fn places(&self) -> (usize, usize) {
        let count = |place: &Mutex<BTreeSet<String>>| place.lock().expect("lock").len();
        (count(&self.near), count(&self.far))
    }
}

#[async_trait]
impl Archive for Shelves {
    async fn stored(&self, key: &str) -> Result<(String, i64), String> {
        self.near.lock().expect("lock").insert(key.to_owned());
        Ok(("ab".repeat(32), 10))
    }

    fn uploads(&self) -> bool {
        true
    }

    async fn upload(&self, key: &str, sha256: &str) -> Result<(), String> {
        assert_eq!(sha256, "ab".repeat(32));
        let left = self.failing.load(Ordering::SeqCst);
        if left > 0 {
            self.failing.store(left - 1, Ordering::SeqCst);
            return Err("away".to_owned());
        }
        self.far.lock().expect("lock").insert(key.to_owned());
        Ok(())
    }

    async fn leave_folder(&self, key: &str) -> Result<(), String> {
        assert!(
            self.far.lock().expect("lock").contains(key),
            "it is there first"
        );
        self.near.lock().expect("lock").remove(key);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        self.near.lock().expect("lock").remove(key);
        self.far.lock().expect("lock").remove(key);
        Ok(())
    }

    fn free_bytes(&self) -> Result<u64, String> {
        Ok(self.free.load(Ordering::SeqCst))
    }
}

async fn house(shelves: &Arc<Shelves>) -> House {
    let plan = Plan::default();
    let start: UtcMs = MORNING.parse().expect("an instant");
    let mut config = CenterConfig::new("node-1");
    config.archive = Some(shelves.clone());
    config.recording_pause_ms = 5_000;
    config.retention = Retention {
        call_days: 0,
        agreement_days: 0,
        dispute_days: 0,
        plan_after_ms: 60_000,
        look_ms: 1_000,
        ..Retention::default()
    };
    config.disk = DiskLimits {
        warn_bytes: 100,
        stop_bytes: 10,
    };
    House::furnished(&plan, start, config).await
}

#[tokio::test(start_paused = true)]
async fn a_card_pauses_the_recording_and_a_pause_ends_by_itself() {
    let house = house(&Shelves::new(0)).await;
    let agent = house.agent(1).await;
    house.start().await;
    let id = house.talking(&agent).await;
    let me = Actor::Agent(agent.id);
    let tape = || agent.me()["attempt"]["recording"].clone();
    house
        .center
        .card(me, id, false)
        .await
        .expect("nothing to do");
    assert_eq!(tape(), "on");
    house.center.card(me, id, true).await.expect("paused");
    house.until("paused", || tape() == "paused").await;
    assert!(agent.me()["attempt"]["recording_until"].is_i64());
    house.center.card(me, id, true).await.expect("again");
    house.center.card(me, id, false).await.expect("left");
    house.until("on", || tape() == "on").await;
    assert!(agent.me()["attempt"]["recording_until"].is_null());
    // A pause that was asked for is not ended by a card that was never opened.
    house.center.recording(me, id, false).await.expect("paused");
    house.until("paused", || tape() == "paused").await;
    house
        .center
        .card(me, id, false)
        .await
        .expect("nothing to do");
    house.secs(2).await;
    assert_eq!(tape(), "paused");
    house.until("on again, alone", || tape() == "on").await;
    // Both pauses are in the row of the recording that still runs: a kill does not take them.
    house.secs(1).await;
    let filter = domain::ports::store::ListFilter::default();
    let rows = house.store.list_recordings(&filter, &page()).await;
    let noted = rows.expect("rows").items.remove(0).gaps;
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert!(
        noted
            .iter()
            .all(|(from, to, why)| from < to && why == "pause"),
        "{noted:?}"
    );
    let kinds = house.kinds().await;
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    assert_eq!(
        (count("recording.masked"), count("recording.resumed")),
        (2, 2)
    );
    let other = Actor::Agent(crate::world::agent_id(3));
    assert!(house.center.card(other, id, true).await.is_err(), "not his");
}

async fn keep(house: &House, id: RecordingId) -> Option<RecordingKeep> {
    house.store.get_keep(id).await.ok()
}

async fn until_kept(
    house: &House,
    id: RecordingId,
    what: &str,
    fits: impl Fn(&RecordingKeep) -> bool,
) -> RecordingKeep {
    for _ in 0..300 {
        if let Some(keep) = keep(house, id).await.filter(|k| fits(k)) {
            return keep;
        }
        house.secs(1).await;
    }
    panic!("never {what}: {:?}", keep(house, id).await);
}

#[tokio::test(start_paused = true)]
async fn a_recording_goes_to_the_store_and_ends_only_when_nobody_holds_it() {
    let shelves = Shelves::new(2);
    let house = house(&shelves).await;
    let agent = house.agent(1).await;
    house.start().await;
    let id = house.talking(&agent).await;
    house.secs(3).await;
    house.hang_up(&agent, id).await;
    let me = Actor::Agent(agent.id);
    house
        .center
        .dispose(me, id, ask("CD.NP.NOPUEDE"))
        .await
        .expect("disposed");
    let row = house.attempt(id).await;
    let tape = row.recording_id.expect("recorded");
    let kept = until_kept(&house, tape, "in the store", |k| {
        k.place == RecordingPlace::Store
    })
    .await;
    assert_eq!((kept.tries, kept.node.as_str()), (2, "node-1"));
    let hold = KeepChange::Hold {
        at: UtcMs(1),
        by: "user:1".into(),
        reason: "court".into(),
    };
    assert!(
        house
            .store
            .change_keep(tape, &hold, &[])
            .await
            .expect("held")
    );
    let planned = until_kept(&house, tape, "planned", |k| k.delete_after.is_some()).await;
    assert_eq!(planned.class, Some(RetentionClass::Call));
    house.secs(30).await;
    let held = keep(&house, tape).await.expect("there");
    assert_eq!(
        held.place,
        RecordingPlace::Store,
        "its time is over, but it is held"
    );
    let key = house.store.get_recording(tape).await.expect("its row").key;
    assert!(shelves.far.lock().expect("lock").contains(&key));
    let free = house
        .store
        .change_keep(tape, &KeepChange::Release, &[])
        .await;
    assert!(free.expect("released"));
    let gone = until_kept(&house, tape, "gone", |k| k.place == RecordingPlace::Deleted).await;
    assert!(gone.deleted_at.is_some());
    assert!(!shelves.far.lock().expect("lock").contains(&key));
    let kinds = house.kinds().await;
    for kind in ["recording.stored", "recording.deleted"] {
        assert!(kinds.iter().any(|k| k == kind), "no {kind}");
    }
    assert_eq!(shelves.places().0, 0, "nothing stays in the folder");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_new_calls_and_dialing_goes_on_by_itself() {
    let shelves = Shelves::new(0);
    let house = house(&shelves).await;
    let agent = house.agent(1).await;
    house.start().await;
    let id = house.talking(&agent).await;
    shelves.free.store(50, Ordering::SeqCst);
    house
        .until("a warning", || {
            house.center.readiness().warnings == ["disk_low"]
        })
        .await;
    assert!(house.center.readiness().dialing, "it still dials");
    shelves.free.store(5, Ordering::SeqCst);
    house
        .until("stopped", || house.center.readiness().reasons == ["disk"])
        .await;
    assert!(agent.attempt() == Some(id), "the call goes on");
    let before = house.attempts().await.len();
    house.hang_up(&agent, id).await;
    let me = Actor::Agent(agent.id);
    let done = house.center.dispose(me, id, ask("CD.NP.NOPUEDE")).await;
    done.expect("disposed");
    house.secs(60).await;
    assert_eq!(house.attempts().await.len(), before, "nothing is dialed");
    shelves.free.store(1_000, Ordering::SeqCst);
    house
        .until("dialing", || {
            let ready = house.center.readiness();
            ready.dialing && ready.warnings.is_empty()
        })
        .await;
    house.talking(&agent).await;
}
