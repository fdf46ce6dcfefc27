//! Why a debtor is not dialed, and why those of a campaign are not, by the product's own functions: a center over the
//! filled database. Its campaign is paused meanwhile, so that nobody is dialed.

use super::measure::{Percentiles, Work, ms};
use crate::clock::RandomIds;
use ::store::SqlStore;
use center::{Center, CenterConfig, CenterHandle, DeskHub, Ports};
use domain::entity::{Campaign, CampaignStatus, Segment};
use domain::law::RuleBook;
use domain::ports::Clock;
use domain::ports::store::CatalogStore as _;
use domain::time::{DAY_MS, UtcMs};
use sim::bus::{BusFaults, SimBus};
use sim::fate::FateMix;
use sim::trunk::{SimTrunk, TrunkFaults};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Questions about a debtor.
const DEBTORS: usize = 1_000;
/// Questions about the campaign: each counts all of its debtors.
const CAMPAIGNS: usize = 20;
/// Reports of the telephone side that may wait; it has none.
const REPORTS: usize = 16;

/// Times of both questions.
pub(super) struct WhyNot {
    pub(super) debtor: Percentiles,
    pub(super) campaign: Percentiles,
}

/// A clock that stands at an hour at which calls are lawful.
struct Still(UtcMs);

impl Clock for Still {
    fn now(&self) -> UtcMs {
        self.0
    }
}

/// A center that does as little as one can beside its answers.
async fn open(store: &SqlStore, now: UtcMs) -> anyhow::Result<CenterHandle> {
    let clock: Arc<dyn Clock> = Arc::new(Still(now));
    let (told, reports) = mpsc::channel(REPORTS);
    let nobody = FateMix {
        answer_pct: 0,
        refuse_pct: 0,
    };
    let trunk = SimTrunk::new(1, nobody, TrunkFaults::default(), clock.clone(), told);
    let config = CenterConfig {
        resume_running: false,
        audit_first_ms: DAY_MS.unsigned_abs(),
        ..CenterConfig::new("bench-asked")
    };
    let ports = Ports {
        store: Arc::new(store.clone()),
        bus: Arc::new(SimBus::new(1, BusFaults::default())),
        trunk: Arc::new(trunk),
        reports,
        clock,
        ids: Arc::new(RandomIds),
        desk: Arc::new(DeskHub::new()),
        law: Arc::new(RuleBook::embedded()?),
    };
    Ok(Center::start(config, ports).await?)
}

/// Asks both, to the last letter of their JSON.
pub(super) async fn measure(store: &SqlStore, work: &Work) -> anyhow::Result<WhyNot> {
    let row = work.campaign();
    let paused = Campaign {
        status: CampaignStatus::Paused,
        ..row.clone()
    };
    store.put_campaign(&paused, &[]).await?;
    // Without it the campaign's settings could not be read.
    let everybody = Segment {
        id: row.segment_id,
        client_id: row.client_id,
        name: row.name.clone(),
        expression: "all".into(),
        version: 1,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    store.put_segment(&everybody, &[]).await?;
    let center = open(store, work.latest()?).await?;
    let mut debtor = Vec::with_capacity(DEBTORS);
    for id in work.debtors().take(DEBTORS) {
        let start = Instant::now();
        let why = center.why_not(id, None).await?;
        std::hint::black_box(serde_json::to_vec(&why)?);
        debtor.push(ms(start));
    }
    let mut campaign = Vec::with_capacity(CAMPAIGNS);
    for _ in 0..CAMPAIGNS {
        let start = Instant::now();
        let why = center.campaign_why(row.id).await?;
        std::hint::black_box(serde_json::to_vec(&why)?);
        campaign.push(ms(start));
    }
    center.shutdown().await;
    store.put_campaign(row, &[]).await?;
    Ok(WhyNot {
        debtor: Percentiles::of(debtor),
        campaign: Percentiles::of(campaign),
    })
}
