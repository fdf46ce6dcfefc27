//! A small house on virtual time: memory store, simulated carrier, real rule book, agents' sockets.

pub(crate) use crate::conduct::ask;
pub(crate) use crate::rows::{debtor, furnish};
use crate::screen::Screen;
use center::{Actor, Center, CenterConfig, CenterHandle, DeskHub, LawBook, Ports, StateAsk};
use domain::entity::{Attempt, CampaignParams};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtId, DebtorId, PointId};
use domain::law::RuleBook;
use domain::money::Money;
use domain::ports::store::{AttemptStore as _, ContactStore as _, ItemState, PageRequest};
use domain::ports::{Clock as _, TrunkReport};
use domain::time::UtcMs;
use serde_json::Value;
use sim::bus::{BusFaults, SimBus};
use sim::clock::{SeededIds, VirtualClock};
use sim::fate::FateMix;
use sim::store::MemoryStore;
use sim::trunk::{SimTrunk, TrunkFaults};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Wednesday 2026-11-25, 10:00 in Mexico City.
pub(crate) const MORNING: &str = "2026-11-25T16:00:00Z";
/// The same day, 23:30 in Mexico City.
pub(crate) const NIGHT: &str = "2026-11-26T05:30:00Z";

/// Everybody answers.
pub(crate) const ALL_ANSWER: FateMix = FateMix {
    answer_pct: 100,
    refuse_pct: 0,
};
/// Nobody answers.
pub(crate) const NOBODY: FateMix = FateMix {
    answer_pct: 0,
    refuse_pct: 0,
};

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn campaign_id() -> CampaignId {
    CampaignId(id(700))
}

pub(crate) fn client_id() -> ClientId {
    ClientId(id(1))
}

pub(crate) fn debtor_id(n: u128) -> DebtorId {
    DebtorId(id(10_000 + n))
}

pub(crate) fn debt_id(n: u128) -> DebtId {
    DebtId(id(20_000 + n))
}

pub(crate) fn point_id(n: u128) -> PointId {
    PointId(id(30_000 + n))
}

pub(crate) fn agent_id(n: u128) -> AgentId {
    AgentId(id(500 + n))
}

pub(crate) fn mxn(amount_minor: i64) -> Money {
    Money::new(amount_minor, "MXN".parse().expect("a currency"))
}

/// The house.
pub(crate) struct House {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) trunk: SimTrunk,
    pub(crate) reports: mpsc::Sender<TrunkReport>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) hub: Arc<DeskHub>,
    pub(crate) center: CenterHandle,
}

/// How to build it.
pub(crate) struct Plan {
    pub(crate) at: &'static str,
    pub(crate) seed: u64,
    pub(crate) mix: FateMix,
    pub(crate) debtors: u128,
    pub(crate) params: CampaignParams,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            at: MORNING,
            seed: 7,
            mix: ALL_ANSWER,
            debtors: 12,
            params: CampaignParams::default(),
        }
    }
}

pub(crate) fn page() -> PageRequest {
    PageRequest {
        limit: 500,
        cursor: None,
    }
}

impl House {
    pub(crate) async fn build(plan: Plan) -> Self {
        let start: UtcMs = plan.at.parse().expect("an instant");
        let store = Arc::new(MemoryStore::new());
        furnish(&store, &plan, start).await;
        Self::open(store, &plan, start, plan.seed).await
    }

    /// A house like any other, with so many debtors.
    pub(crate) async fn with(debtors: u128) -> Self {
        let plan = Plan {
            debtors,
            ..Plan::default()
        };
        Self::build(plan).await
    }

    /// A house with so many debtors, none of whom answers.
    pub(crate) async fn unanswered(debtors: u128) -> Self {
        let plan = Plan {
            debtors,
            mix: NOBODY,
            ..Plan::default()
        };
        Self::build(plan).await
    }

    /// A house in which the one agent talks to one of its debtors.
    pub(crate) async fn in_call(debtors: u128) -> (Self, Screen, AttemptId) {
        let house = Self::with(debtors).await;
        let agent = house.agent(1).await;
        house.start().await;
        let attempt = house.talking(&agent).await;
        (house, agent, attempt)
    }

    /// A house whose only debtor's telephone has rung for a second; the one agent waits.
    pub(crate) async fn ringing() -> (Self, Screen) {
        let house = Self::unanswered(1).await;
        let agent = house.agent(1).await;
        house.start().await;
        house
            .until("it rings", || house.trunk.live_calls() == 1)
            .await;
        house.secs(1).await;
        (house, agent)
    }

    /// A furnished house whose center is told more than its name.
    pub(crate) async fn furnished(plan: &Plan, start: UtcMs, config: CenterConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        furnish(&store, plan, start).await;
        Self::open_with(store, plan, start, plan.seed, config).await
    }

    /// Starts a center over a store that is there already.
    pub(crate) async fn open(
        store: Arc<MemoryStore>,
        plan: &Plan,
        start: UtcMs,
        seed: u64,
    ) -> Self {
        Self::open_with(store, plan, start, seed, CenterConfig::new("node-1")).await
    }

    pub(crate) async fn open_with(
        store: Arc<MemoryStore>,
        plan: &Plan,
        start: UtcMs,
        seed: u64,
        config: CenterConfig,
    ) -> Self {
        let law = Arc::new(RuleBook::embedded().expect("the shipped packs are read"));
        Self::open_under(store, plan, start, seed, config, law).await
    }

    /// A furnished house under another law.
    pub(crate) async fn under(plan: Plan, law: Arc<dyn LawBook>) -> Self {
        let start: UtcMs = plan.at.parse().expect("an instant");
        let store = Arc::new(MemoryStore::new());
        furnish(&store, &plan, start).await;
        let config = CenterConfig::new("node-1");
        Self::open_under(store, &plan, start, plan.seed, config, law).await
    }

    pub(crate) async fn open_under(
        store: Arc<MemoryStore>,
        plan: &Plan,
        start: UtcMs,
        seed: u64,
        config: CenterConfig,
        law: Arc<dyn LawBook>,
    ) -> Self {
        let line = mpsc::channel(1_024);
        Self::on_line(store, plan, (start, seed), config, law, line).await
    }

    /// A house whose telephone side tells through `line`.
    pub(crate) async fn on_line(
        store: Arc<MemoryStore>,
        plan: &Plan,
        (start, seed): (UtcMs, u64),
        config: CenterConfig,
        law: Arc<dyn LawBook>,
        (reports, receiver): (mpsc::Sender<TrunkReport>, mpsc::Receiver<TrunkReport>),
    ) -> Self {
        let clock = Arc::new(VirtualClock::start(start));
        let trunk = SimTrunk::new(
            plan.seed,
            plan.mix,
            TrunkFaults::default(),
            clock.clone(),
            reports.clone(),
        );
        let hub = Arc::new(DeskHub::new());
        let ports = Ports {
            store: store.clone(),
            bus: Arc::new(SimBus::new(seed, BusFaults::default())),
            trunk: Arc::new(trunk.clone()),
            reports: receiver,
            clock: clock.clone(),
            ids: Arc::new(SeededIds::new(seed)),
            desk: hub.clone(),
            law,
        };
        let center = Center::start(config, ports).await.expect("starts");
        Self {
            store,
            trunk,
            reports,
            clock,
            hub,
            center,
        }
    }

    /// An agent opens his screen and is ready.
    pub(crate) async fn agent(&self, n: u128) -> Screen {
        let screen = self.sign_in(n).await;
        self.until("the leg is up", || screen.me()["phone"]["leg_up"] == true)
            .await;
        self.center
            .agent_state(Actor::Agent(screen.id), screen.id, StateAsk::Ready)
            .await
            .expect("ready");
        screen
    }

    /// An agent opens his screen.
    pub(crate) async fn sign_in(&self, n: u128) -> Screen {
        let agent = agent_id(n);
        let mut link = self.hub.register(agent);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (clock, kept) = (self.clock.clone(), seen.clone());
        tokio::spawn(async move {
            while let Some(message) = link.messages.recv().await {
                let body: Value = serde_json::from_str(&message.body).expect("JSON");
                kept.lock().expect("not poisoned").push((clock.now(), body));
                message.mark_written(clock.as_ref());
            }
        });
        self.center
            .agent_in(agent)
            .await
            .expect("the agent is known");
        self.center.sub_me(agent, None).await.expect("signed in");
        Screen::new(agent, seen)
    }

    /// Waits in virtual time, at most two hours.
    pub(crate) async fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        for _ in 0..720_000 {
            if done() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}");
    }

    /// Starts the campaign.
    pub(crate) async fn start(&self) -> center::view::CampaignReport {
        let started = self
            .center
            .start_campaign(Actor::System, campaign_id())
            .await;
        started.expect("the campaign starts")
    }

    /// Waits until the agent talks; the attempt.
    pub(crate) async fn talking(&self, agent: &Screen) -> AttemptId {
        self.until("talking", || agent.state() == "talking").await;
        agent.attempt().expect("a call is shown")
    }

    /// The agent hangs up and is in wrap-up.
    pub(crate) async fn hang_up(&self, agent: &Screen, attempt: AttemptId) {
        let me = Actor::Agent(agent.id);
        self.center.hang_up(me, attempt).await.expect("hangs up");
        self.until("the call is over", || agent.state() != "talking")
            .await;
    }

    /// Where the debtor stands in the campaign.
    pub(crate) async fn item(&self, debtor: DebtorId) -> ItemState {
        let items = self.store.items_of(debtor).await;
        items.expect("the store answers").remove(0)
    }

    pub(crate) async fn attempt(&self, attempt: AttemptId) -> Attempt {
        let row = self.store.get_attempt(attempt).await;
        row.expect("the attempt is stored")
    }

    pub(crate) async fn row(&self) -> center::view::CampaignRow {
        let row = self.center.campaign_row(campaign_id()).await;
        row.expect("the campaign is known")
    }

    pub(crate) async fn secs(&self, n: u64) {
        tokio::time::sleep(Duration::from_secs(n)).await;
    }
}
