//! Reservations, attempts from their opening to their end, and files of debtors, one after the other.

use super::slowest::{Slow, Writes};
use crate::clock::RandomIds;
use ::store::{Filled, SqlStore};
use domain::entity::{CallResult, Campaign, CampaignParams, CampaignStatus, Channel, CheckPoint};
use domain::event::NewEvent;
use domain::ids::{CampaignId, DebtorId, EventId, PointId, SegmentId, VerdictId};
use domain::law::{Action, RuleBook};
use domain::ports::store::{
    AttemptStore as _, Candidate, CatalogStore as _, Closing, ContactStore as _, ItemState,
    NodeLease, NodeStore as _, OpenDraft, OpenOutcome, ReserveRequest,
};
use domain::ports::{IdSource as _, StoreError};
use domain::segment::Expr;
use domain::time::{MINUTE_MS, UtcMs};
use futures::stream::{self, TryStreamExt as _};
use serde::Serialize;
use sim::contract::scene::Person;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reservations of a hundred.
const RESERVES: usize = 200;
/// Calls of each reservation that are opened and ended.
const CALLS_EACH: usize = 5;
/// Files read.
const FILES: usize = 1_000;
/// Reservations from one word of how far it is to the next.
const TOLD_EACH: usize = 50;
/// Candidates given back at once on PostgreSQL, where each waits for the disk by itself. SQLite has one writer.
const RELEASES_AT_ONCE: usize = 16;
/// Writes by which the disk is told.
const SYNCS: usize = 200;

/// Hears how far it is.
pub(super) type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// Times of one kind, milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
    pub(super) n: usize,
}

impl Percentiles {
    pub(super) fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |pct: usize| {
            let place = (times.len() * pct).div_ceil(100).saturating_sub(1);
            times.get(place).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: at(100),
            n: times.len(),
        }
    }
}

/// Milliseconds since.
pub(super) fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// What a small write to a file takes until the disk has it.
pub(super) fn fsync(folder: &Path) -> anyhow::Result<Percentiles> {
    let path = folder.join("fsync.probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let start = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(ms(start));
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(Percentiles::of(times))
}

/// Times of calls.
pub(super) struct Calls {
    pub(super) reserve: Percentiles,
    pub(super) open: Percentiles,
    pub(super) close: Percentiles,
    pub(super) slow_reserves: Vec<Slow>,
    pub(super) slow_opens: Vec<Slow>,
    pub(super) opened: u64,
    pub(super) asked: u64,
}

/// A campaign over the whole portfolio, run by one node.
pub(super) struct Work {
    store: SqlStore,
    book: Arc<RuleBook>,
    filled: Filled,
    debtors: u64,
    told: Told,
    campaign: Campaign,
    lease: NodeLease,
    /// Reservations made so far.
    rounds: usize,
}

impl Work {
    /// Takes every debtor into a campaign; one that a run before made is used again.
    pub(super) async fn begin(
        (store, book): (SqlStore, Arc<RuleBook>),
        (filled, debtors): (Filled, u64),
        told: Told,
    ) -> anyhow::Result<Self> {
        let campaign = Campaign {
            id: CampaignId(filled.portfolio.0),
            client_id: filled.client,
            name: "bench".into(),
            segment_id: SegmentId(filled.portfolio.0),
            script_id: None,
            status: CampaignStatus::Running,
            params: CampaignParams::default(),
            version: 1,
            created_at: filled.now,
            updated_at: filled.now,
        };
        store.put_campaign(&campaign, &[]).await?;
        let report = store
            .refill_campaign(&campaign, &Expr::All, filled.now, &[])
            .await?;
        told(&format!("{} debtors taken into the campaign", report.added));
        let lease = store
            .register_node("bench", filled.now, 60 * MINUTE_MS)
            .await?;
        // As a node does that comes up.
        store.rehearse().await?;
        Ok(Self {
            store,
            book,
            filled,
            debtors,
            told,
            campaign,
            lease,
            rounds: 0,
        })
    }

    /// The campaign.
    pub(super) const fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// Debtors from all over the portfolio.
    pub(super) fn debtors(&self) -> impl Iterator<Item = DebtorId> {
        (0..).map(|n: u64| self.filled.debtor(n * 7_919 % self.debtors))
    }

    /// The instant of the last reservation.
    pub(super) fn latest(&self) -> anyhow::Result<UtcMs> {
        Ok(self.filled.now.plus_ms(i64::try_from(self.rounds)? * 1_000))
    }

    fn event(&self, kind: &str, subject: String, now: UtcMs) -> NewEvent {
        NewEvent {
            id: EventId(RandomIds.next(now)),
            at: now,
            client_id: Some(self.filled.client),
            actor: "system".into(),
            kind: kind.into(),
            subject,
            data: serde_json::json!({}),
        }
    }

    /// Reserves every `pace` (at once where there is none), opens a few and ends them, gives the others back for
    /// later; the rounds are counted on.
    pub(super) async fn calls(&mut self, pace: Option<Duration>) -> anyhow::Result<Calls> {
        let (mut reserve, mut open) = (Writes::default(), Writes::default());
        let mut close = Vec::new();
        let (mut opened, mut asked) = (0, 0);
        let mut next = pace.map(tokio::time::interval);
        let first = self.rounds;
        self.rounds += RESERVES;
        for round in first..self.rounds {
            let done = round - first;
            if done.is_multiple_of(TOLD_EACH) {
                let how = pace.map_or("one behind the other", |_| "by the clock");
                (self.told)(&format!("{done} of {RESERVES} reservations, {how}"));
            }
            if let Some(next) = &mut next {
                next.tick().await;
            }
            let now = self.filled.now.plus_ms(i64::try_from(round)? * 1_000);
            let request = ReserveRequest {
                campaign: self.campaign.clone(),
                node: self.lease.node.clone(),
                fence: self.lease.fence,
                limit: 100,
                parts: Vec::new(),
                agreed_max: None,
                now,
                until: now.plus_ms(60 * MINUTE_MS),
            };
            let start = Writes::begin(&self.store);
            let held = self.store.reserve_contacts(&request).await?;
            reserve.end(&self.store, &start);
            anyhow::ensure!(held.len() == 100, "only {} could be reserved", held.len());
            let mut others = Vec::with_capacity(held.len());
            for (n, candidate) in held.into_iter().enumerate() {
                if n < CALLS_EACH {
                    asked += 1;
                    if let Some(took) = self.call(&candidate, now, &mut open).await? {
                        opened += 1;
                        close.push(took);
                        continue;
                    }
                }
                others.push(candidate.item);
            }
            self.release(others, now.plus_ms(60 * MINUTE_MS)).await?;
        }
        Ok(Calls {
            reserve: reserve.percentiles(),
            open: open.percentiles(),
            close: Percentiles::of(close),
            slow_reserves: reserve.slowest(),
            slow_opens: open.slowest(),
            opened,
            asked,
        })
    }

    /// Gives candidates back for later.
    async fn release(&self, items: Vec<ItemState>, next_at: UtcMs) -> Result<(), StoreError> {
        let at_once = match self.store.engine() {
            "sqlite" => 1,
            _ => RELEASES_AT_ONCE,
        };
        let later = items
            .into_iter()
            .map(|item| Ok(ItemState { next_at, ..item }));
        let release =
            |item: ItemState| async move { self.store.release_contact(&item, None, &[]).await };
        stream::iter(later)
            .try_for_each_concurrent(at_once, release)
            .await
    }

    /// One call: what its closing took, if the law let it be made.
    async fn call(
        &self,
        candidate: &Candidate,
        now: UtcMs,
        open: &mut Writes,
    ) -> anyhow::Result<Option<f64>> {
        let Some(draft) = self.draft(candidate, now) else {
            return Ok(None);
        };
        let id = draft.attempt.id;
        let start = Writes::begin(&self.store);
        let outcome = self.store.open_attempt(&draft, &*self.book).await?;
        open.end(&self.store, &start);
        if !matches!(outcome, OpenOutcome::Opened(..)) {
            return Ok(None);
        }
        let mut item = candidate.item.clone();
        item.next_at = now.plus_ms(24 * 60 * MINUTE_MS);
        item.attempts += 1;
        let closing = Closing {
            ended_at: Some(now.plus_ms(20_000)),
            result: Some(CallResult::NoAnswer),
            reached_network: Some(true),
            item: Some(item),
            events: vec![self.event("attempt.ended", format!("attempt:{id}"), now)],
            ..Closing::default()
        };
        let start = Instant::now();
        self.store.close_attempt(id, &closing).await?;
        Ok(Some(ms(start)))
    }

    fn draft(&self, candidate: &Candidate, now: UtcMs) -> Option<OpenDraft> {
        let facts = &candidate.facts;
        let person = Person {
            debtor: facts.debtor.clone(),
            debt: facts.debts.first()?.clone(),
            point: facts.points.iter().find(|p| !p.bad)?.clone(),
        };
        let draft = person.draft(&self.lease, Some(self.campaign.id), now);
        let action = self.action(Some(person.point.id), now);
        Some(OpenDraft { action, ..draft })
    }

    fn action(&self, point_id: Option<PointId>, now: UtcMs) -> Action {
        Action {
            verdict_id: VerdictId(RandomIds.next(now)),
            check_point: CheckPoint::Dial,
            channel: Channel::Call,
            point_id,
            campaign_id: Some(self.campaign.id),
            campaign_window: Some((
                self.campaign.params.window_from.clone(),
                self.campaign.params.window_to.clone(),
            )),
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: 25_000,
            agent_reserved: false,
            now,
        }
    }

    /// Everything of one debtor, by the function of `GET /debtors/{id}`, to the last letter of its JSON.
    pub(super) async fn file(&self) -> anyhow::Result<Percentiles> {
        let (store, now) = (&self.store, self.filled.now);
        let mut times = Vec::new();
        for debtor in self.debtors().take(FILES) {
            let start = Instant::now();
            let file = api::debtor_file(store, debtor, now, true).await;
            let file = file.map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
            std::hint::black_box(serde_json::to_vec(&file)?);
            times.push(ms(start));
        }
        Ok(Percentiles::of(times))
    }
}
