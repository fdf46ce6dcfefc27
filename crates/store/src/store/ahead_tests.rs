//! What was read ahead is told as it is now, whatever was written meanwhile and however.

use super::super::{SqlStore, fresh_tests};
use crate::fill::{FillPlan, Filled};
use crate::sql::{Val, vals};
use domain::entity::{
    Campaign, CampaignParams, CampaignStatus, Channel, ContactPoint, Hold, HoldKind, HoldScope,
    LedgerKind, LedgerRow, Suppression, SuppressionKind,
};
use domain::ids::{CampaignId, DebtorId, HoldId, LedgerId, PersonId, SegmentId, SuppressionId};
use domain::ports::store::{
    Candidate, CatalogStore as _, ContactFacts, ContactStore as _, NodeLease, NodeStore as _,
    ReserveRequest,
};
use domain::segment::Expr;
use domain::time::{MINUTE_MS, UtcMs};
use std::time::Duration;

const DEBTORS: u64 = 300;
/// Debtors of one reservation.
const FEW: u32 = 10;

struct Scene {
    _dir: Option<tempfile::TempDir>,
    url: String,
    store: SqlStore,
    filled: Filled,
    campaign: Campaign,
    lease: NodeLease,
}

impl Scene {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("a.db").display());
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        Self::of(Some(dir), url, store).await
    }

    /// Where a server is named.
    async fn postgres() -> Option<Self> {
        let fresh = fresh_tests::postgres().await?;
        Some(Self::of(None, String::new(), fresh.store).await)
    }

    async fn of(dir: Option<tempfile::TempDir>, url: String, store: SqlStore) -> Self {
        let plan = FillPlan {
            debtors: DEBTORS,
            attempts: DEBTORS * 3,
            now: UtcMs(1_790_000_000_000),
        };
        let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
        let campaign = Campaign {
            id: CampaignId(filled.portfolio.0),
            client_id: filled.client,
            name: "ahead".into(),
            segment_id: SegmentId(filled.portfolio.0),
            script_id: None,
            status: CampaignStatus::Running,
            params: CampaignParams::default(),
            version: 1,
            created_at: filled.now,
            updated_at: filled.now,
        };
        store.put_campaign(&campaign, &[]).await.unwrap();
        let refilled = store.refill_campaign(&campaign, &Expr::All, filled.now, &[]);
        refilled.await.unwrap();
        // Filling the campaign has read its first debtors.
        store.ahead.held().clear();
        let lease = store.register_node("a", filled.now, 60 * MINUTE_MS);
        let lease = lease.await.unwrap();
        Self {
            _dir: dir,
            url,
            store,
            filled,
            campaign,
            lease,
        }
    }

    async fn reserve(&self) -> Vec<Candidate> {
        let request = ReserveRequest {
            campaign: self.campaign.clone(),
            node: self.lease.node.clone(),
            fence: self.lease.fence,
            limit: FEW,
            parts: vec![],
            agreed_max: None,
            now: self.filled.now,
            until: self.filled.now.plus_ms(MINUTE_MS),
        };
        self.store.reserve_contacts(&request).await.unwrap()
    }

    /// Who was read ahead, once all that is to be read has been.
    async fn read(&self) -> Vec<DebtorId> {
        for _ in 0..6_000 {
            let known: Vec<DebtorId> = self.store.ahead.held().keys().map(|k| k.1).collect();
            let reading = self.store.ahead.reading.load(super::Ordering::Acquire);
            if !reading && known.len() >= FEW as usize {
                return known;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing was read ahead");
    }

    async fn write(&self, store: &SqlStore, sql: &'static str, values: Vec<Val>) {
        let mut tx = store.write().await.unwrap();
        tx.run(sql, values).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Everybody has a mark of the law, as each has once he was asked about, and somebody has just read ahead.
    async fn read_anew(&self) -> Vec<DebtorId> {
        let marked = "UPDATE debtors SET callable_until=$1 WHERE callable_until IS NULL";
        let until = vals![self.filled.now.plus_ms(60 * MINUTE_MS)];
        self.write(&self.store, marked, until).await;
        self.store.ahead.held().clear();
        self.told_as_they_are(&self.reserve().await).await;
        self.read().await
    }

    /// Writes something that concerns a debtor, as the product does.
    async fn told_of(&self, debtor: DebtorId, what: Concern) {
        let now = self.filled.now;
        let facts = self.store.contact_facts(debtor, now).await.unwrap();
        let point = facts.points[0].clone();
        match what {
            Concern::Hold => {
                let hold = Hold {
                    id: HoldId(uuid::Uuid::now_v7()),
                    client_id: facts.debtor.client_id,
                    debtor_id: debtor,
                    scope: HoldScope::Debtor,
                    debt_id: None,
                    point_id: None,
                    channel: None,
                    kind: HoldKind::Dispute,
                    from: now,
                    until: None,
                    lifted_at: None,
                    evidence: String::new(),
                };
                self.store.put_hold(&hold, &[]).await.unwrap();
            }
            Concern::Point => {
                let point = ContactPoint { bad: true, ..point };
                self.store.put_point(&point, &[]).await.unwrap();
            }
            Concern::List => {
                let row = Suppression {
                    id: SuppressionId(uuid::Uuid::now_v7()),
                    client_id: None,
                    debtor_id: None,
                    kind: SuppressionKind::Phone,
                    value: point.value,
                    reason: "request".into(),
                    created_at: now,
                    lifted_at: None,
                };
                self.store.put_suppression(&row, &[]).await.unwrap();
            }
            Concern::Number => {
                let other = uuid::Uuid::now_v7();
                let row = LedgerRow {
                    id: LedgerId(other),
                    person_id: PersonId(other),
                    debtor_id: DebtorId(other),
                    client_id: facts.debtor.client_id,
                    debts: Vec::new(),
                    point_id: None,
                    address: point.value,
                    class: point.class,
                    channel: Channel::Call,
                    kind: LedgerKind::Attempt,
                    at: now,
                    attempt_id: None,
                    campaign_id: None,
                    reached_network: None,
                };
                let mut tx = self.store.write().await.unwrap();
                tx.insert(&[row], "").await.unwrap();
                tx.commit().await.unwrap();
            }
            Concern::Portfolio => {
                let mut portfolio = facts.portfolio;
                portfolio.zone = "America/Bogota".into();
                self.store.put_portfolio(&portfolio, &[]).await.unwrap();
            }
        }
    }

    /// Each is told as the store knows him this moment.
    async fn told_as_they_are(&self, held: &[Candidate]) {
        for one in held {
            let id = one.item.debtor_id;
            let facts = self.store.contact_facts(id, self.filled.now).await.unwrap();
            same(&one.facts, &facts);
        }
    }

    /// What the attempt would be judged by.
    async fn kept(&self, store: &SqlStore, debtor: DebtorId) -> Option<ContactFacts> {
        let _writer = store.write().await.unwrap();
        store.reserved_facts(debtor, self.filled.now)
    }
}

/// What may be written about a debtor while it is known that he is next.
#[derive(Debug, Clone, Copy)]
enum Concern {
    Hold,
    Point,
    List,
    /// Somebody else who has his number was called.
    Number,
    Portfolio,
}

fn same(told: &ContactFacts, facts: &ContactFacts) {
    assert_eq!(told.debtor, facts.debtor);
    assert_eq!(told.portfolio, facts.portfolio);
    assert_eq!(told.debts, facts.debts);
    assert_eq!(told.points, facts.points);
    assert_eq!(told.holds, facts.holds);
    assert_eq!(told.consents, facts.consents);
    assert_eq!(told.preferences, facts.preferences);
    assert_eq!(told.ledger, facts.ledger);
    assert_eq!(told.suppressions, facts.suppressions);
}

/// Writes that each make what is known of a debtor wrong.
const WRITES: &[&str] = &[
    "UPDATE contact_points SET confidence=confidence+1 WHERE debtor_id=$1",
    "UPDATE debtors SET name='Otra persona' WHERE id=$1",
    "UPDATE debts SET fees_minor=fees_minor+1 WHERE debtor_id=$1",
    "INSERT INTO holds (id, client_id, debtor_id, scope, kind, from_at, evidence) \
        SELECT $2, client_id, id, 'debtor', 'dispute', 1, '' FROM debtors WHERE id=$1",
    "INSERT INTO preferences (id, debtor_id, kind, days, recorded_at, proof) \
        SELECT $2, $1, 'not_point', '[]', 1, ''",
    // By others who have his number, or list it.
    "INSERT INTO ledger (id, person_id, debtor_id, client_id, debts, address, class, channel, kind, at) \
        SELECT $2, $2, $2, $2, '[]', value, class, 'call', 'attempt', 1789999999999 \
        FROM contact_points WHERE debtor_id=$1 LIMIT 1",
    "INSERT INTO suppressions (id, kind, value, listed_form, reason, created_at) \
        SELECT $2, 'document', document, listed_form, 'request', 1 FROM debtors WHERE id=$1",
    "UPDATE portfolios SET zone='America/Bogota' WHERE $1=$1 AND $2=$2",
    "DELETE FROM consents WHERE debtor_id=$1",
];

#[tokio::test]
async fn what_was_written_meanwhile_is_told() {
    let scene = Scene::new().await;
    scene.told_as_they_are(&scene.reserve().await).await;
    for sql in WRITES {
        let known = scene.read().await;
        for debtor in &known {
            let own = vals![*debtor, uuid::Uuid::now_v7()];
            scene.write(&scene.store, sql, own).await;
        }
        let held = scene.reserve().await;
        assert!(held.iter().any(|c| known.contains(&c.item.debtor_id)));
        scene.told_as_they_are(&held).await;
    }
    scene.store.close().await;
}

#[tokio::test]
async fn what_another_process_wrote_is_told() {
    let scene = Scene::new().await;
    scene.reserve().await;
    let other = SqlStore::connect(&scene.url).await.unwrap();
    for debtor in scene.read().await {
        let values = vals![debtor, uuid::Uuid::now_v7()];
        scene.write(&other, WRITES[3], values).await;
    }
    scene.told_as_they_are(&scene.reserve().await).await;
    other.close().await;
    scene.store.close().await;
}

#[tokio::test]
async fn postgresql_tells_what_was_written_meanwhile() {
    let Some(scene) = Scene::postgres().await else {
        return;
    };
    for what in [
        Concern::Hold,
        Concern::Point,
        Concern::List,
        Concern::Number,
        Concern::Portfolio,
    ] {
        let known = scene.read_anew().await;
        for debtor in &known {
            scene.told_of(*debtor, what).await;
        }
        let held = scene.reserve().await;
        let early = held.iter().filter(|c| known.contains(&c.item.debtor_id));
        assert!(early.count() > 0, "{what:?}");
        scene.told_as_they_are(&held).await;
    }
    scene.store.close().await;
}

#[tokio::test]
async fn postgresql_reads_what_stands_once() {
    let Some(scene) = Scene::postgres().await else {
        return;
    };
    let known = scene.read_anew().await;
    let before = scene.store.ahead_counts();
    // What is written of somebody else is not theirs.
    let mut others = (0..DEBTORS).map(|n| scene.filled.debtor(n));
    let other = others.rfind(|id| !known.contains(id)).unwrap();
    scene.told_of(other, Concern::Hold).await;
    let held = scene.reserve().await;
    assert!(held.iter().all(|c| known.contains(&c.item.debtor_id)));
    let after = scene.store.ahead_counts();
    assert_eq!(after.told - before.told, u64::from(FEW));
    assert_eq!(after.missed, before.missed);
    scene.told_as_they_are(&held).await;
    // Too long ago: what a call with another of his number came to is not seen by his row.
    let known = scene.read_anew().await;
    for early in scene.store.ahead.held().values_mut() {
        early.at = early.at.plus_ms(-super::PG_KEPT_MS);
    }
    let before = scene.store.ahead_counts();
    let held = scene.reserve().await;
    assert!(held.iter().any(|c| known.contains(&c.item.debtor_id)));
    let missed = scene.store.ahead_counts().missed - before.missed;
    assert_eq!(missed, u64::from(FEW));
    scene.store.close().await;
}

#[tokio::test]
async fn what_stands_is_not_read_again() {
    let scene = Scene::new().await;
    scene.reserve().await;
    let known = scene.read().await;
    // Of somebody else, and of nothing that is looked at.
    let other = scene.filled.debtor(DEBTORS + 1);
    scene.write(&scene.store, WRITES[0], vals![other]).await;
    let changes = scene.store.changes().unwrap();
    let stands = |early: &super::Early| changes.stands(early.since, &early.keys);
    assert!(scene.store.ahead.held().values().all(stands));
    let held = scene.reserve().await;
    let early = held.iter().filter(|c| known.contains(&c.item.debtor_id));
    assert_eq!(early.count(), FEW as usize, "the next in the order");
    scene.told_as_they_are(&held).await;
    scene.store.close().await;
}

#[tokio::test]
async fn nobody_reads_while_enough_is_known() {
    let scene = Scene::new().await;
    let known = async || scene.read().await.len();
    scene.reserve().await;
    let few = FEW as usize;
    assert_eq!(known().await, 6 * few);
    for left in [5, 4, 3] {
        scene.reserve().await;
        assert_eq!(known().await, left * few);
        assert!(scene.store.ahead.wanted().is_none());
    }
    // What is left is less than the next three may ask for.
    scene.reserve().await;
    assert_eq!(known().await, 6 * few);
    // One was changed: there may be more.
    let changed = scene.read().await;
    for debtor in &changed {
        scene.write(&scene.store, WRITES[0], vals![*debtor]).await;
    }
    scene.reserve().await;
    assert_eq!(known().await, 6 * few);
    scene.told_as_they_are(&scene.reserve().await).await;
    scene.store.close().await;
}

#[tokio::test]
async fn who_becomes_another_person_is_seen_by_all_of_that_person() {
    let scene = Scene::new().await;
    scene.reserve().await;
    let known = scene.read().await;
    let mut others = (0..DEBTORS).map(|n| scene.filled.debtor(n));
    let other = others.find(|id| !known.contains(id)).unwrap();
    let changes = scene.store.changes().unwrap();
    let stands = |early: &super::Early| changes.stands(early.since, &early.keys);
    let mut moved = scene.store.get_debtor(other).await.unwrap();
    moved.updated_at = scene.filled.now;
    scene.store.put_debtor(&moved, &[]).await.unwrap();
    assert!(scene.store.ahead.held().values().any(stands), "the same");
    moved.person_id = scene.store.get_debtor(known[0]).await.unwrap().person_id;
    scene.store.put_debtor(&moved, &[]).await.unwrap();
    assert!(!scene.store.ahead.held().values().any(stands));
    scene.told_as_they_are(&scene.reserve().await).await;
    scene.store.close().await;
}

#[tokio::test]
async fn who_comes_first_is_known_once_a_campaign_is_filled() {
    let scene = Scene::new().await;
    scene
        .store
        .refill_campaign(&scene.campaign, &Expr::All, scene.filled.now, &[])
        .await
        .unwrap();
    let head = scene.store.ahead.held().len();
    assert_eq!(head, super::HEAD as usize);
    let held = scene.reserve().await;
    let counts = scene.store.ahead_counts();
    assert_eq!((counts.told, counts.missed), (u64::from(FEW), 0));
    scene.told_as_they_are(&held).await;
    scene.store.close().await;
}

#[tokio::test]
async fn the_attempt_is_judged_by_what_was_told_as_long_as_it_stands() {
    let scene = Scene::new().await;
    let now = scene.filled.now;
    for sql in WRITES {
        let held = scene.reserve().await;
        for one in &held {
            let own = vals![one.item.debtor_id, uuid::Uuid::now_v7()];
            scene.write(&scene.store, sql, own).await;
        }
        let mut changed = 0;
        for one in &held {
            let id = one.item.debtor_id;
            let Some(kept) = scene.kept(&scene.store, id).await else {
                changed += 1;
                continue;
            };
            same(&kept, &scene.store.contact_facts(id, now).await.unwrap());
        }
        assert!(changed > 0, "{sql}");
    }
    for one in &scene.reserve().await {
        let id = one.item.debtor_id;
        let kept = scene.kept(&scene.store, id).await;
        let facts = scene.store.contact_facts(id, now).await.unwrap();
        same(&kept.expect("nothing was written"), &facts);
        let again = scene.kept(&scene.store, id).await;
        assert!(again.is_none(), "one attempt a reservation");
    }
    let held = scene.reserve().await;
    let other = SqlStore::connect(&scene.url).await.unwrap();
    let id = held[0].item.debtor_id;
    let own = vals![id, uuid::Uuid::now_v7()];
    scene.write(&other, WRITES[3], own).await;
    for one in &held {
        let kept = scene.kept(&scene.store, one.item.debtor_id).await;
        assert!(kept.is_none(), "another process wrote");
    }
    other.close().await;
    scene.store.close().await;
}

#[test]
fn who_asks_while_the_reading_ends_is_read_for() {
    let ahead = super::Ahead::default();
    assert!(!ahead.goes_on(), "nobody asked");
    let campaign = Campaign {
        id: CampaignId(uuid::Uuid::now_v7()),
        client_id: domain::ids::ClientId(uuid::Uuid::now_v7()),
        name: "ahead".into(),
        segment_id: SegmentId(uuid::Uuid::now_v7()),
        script_id: None,
        status: CampaignStatus::Running,
        params: CampaignParams::default(),
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    };
    let request = ReserveRequest {
        campaign,
        node: "a".into(),
        fence: 1,
        limit: FEW,
        parts: vec![],
        agreed_max: None,
        now: UtcMs(0),
        until: UtcMs(MINUTE_MS),
    };
    for overtaken in [false, true] {
        *ahead.wanted() = Some(super::Wanted {
            request: request.clone(),
            overtaken,
        });
        assert_eq!(ahead.is_overtaken(), overtaken);
    }
    assert!(ahead.goes_on(), "he ended without having seen it");
    assert!(!ahead.goes_on(), "one is enough");
}
