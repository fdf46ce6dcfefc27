//! A small house on virtual time: memory store, simulated carrier, real rule book, agents' sockets.

pub(crate) use crate::conduct::ask;
use crate::screen::Screen;
use center::{Center, CenterConfig, CenterHandle, DeskHub, LawBook, Ports, StateAsk};
use domain::entity::{
    Agent, Attempt, CallerId, Campaign, CampaignParams, CampaignStatus, Channel, Client,
    ContactPoint, CreditorKind, Debt, DebtStatus, Debtor, DebtorKind, Language, PartyRole,
    PointClass, Portfolio, Script, ScriptStep, Segment, Trunk,
};
use domain::ids::{
    AgentId, AttemptId, CallerIdId, CampaignId, ClientId, DebtId, DebtorId, PointId, PortfolioId,
    ScriptId, SegmentId, TrunkId, UserId, person_of_document,
};
use domain::law::RuleBook;
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::{
    AttemptStore as _, CatalogStore as _, ContactStore as _, ItemState, PageRequest,
};
use domain::ports::{Clock as _, TrunkReport};
use domain::rules::disposition::standard_dispositions;
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
            .agent_state(center::Actor::Agent(screen.id), screen.id, StateAsk::Ready)
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
            .start_campaign(center::Actor::System, campaign_id())
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
        let me = center::Actor::Agent(agent.id);
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

pub(crate) async fn furnish(store: &MemoryStore, plan: &Plan, now: UtcMs) {
    let client = Client {
        id: client_id(),
        name: "Banco Uno".into(),
        callback_number: "+525555550100".into(),
        created_at: now,
    };
    store.put_client(&client, &[]).await.expect("client");
    let portfolio = Portfolio {
        id: PortfolioId(id(2)),
        client_id: client.id,
        name: "Tarjetas".into(),
        currency: "MXN".parse().expect("currency"),
        creditor_kind: CreditorKind::Financial,
        zone: "America/Mexico_City".into(),
        created_at: now,
    };
    let stored = store.put_portfolio(&portfolio, &[]).await;
    stored.expect("portfolio");
    for n in 0..plan.debtors {
        debtor(store, n, now).await;
    }
    for row in standard_dispositions() {
        store.put_disposition(&row).await.expect("disposition");
    }
    campaign(store, plan, now).await;
    let trunk = Trunk {
        id: TrunkId(id(4)),
        name: "uno".into(),
        channels: 30,
        cps: 10,
        enabled: true,
        created_at: now,
    };
    store.put_trunk(&trunk, &[]).await.expect("trunk");
    let caller = CallerId {
        id: CallerIdId(id(5)),
        client_id: client.id,
        number: "+525555550199".into(),
        country: "MX".into(),
        registered: true,
        enabled: true,
        signed: false,
        callback_at: None,
        created_at: now,
    };
    store.put_caller_id(&caller, &[]).await.expect("caller id");
    for n in 0..10 {
        let agent = Agent {
            id: agent_id(n),
            user_id: UserId(id(900 + n)),
            team_id: None,
            name: format!("Gestor {n}"),
            sip_user: format!("gestor{n}"),
            sip_password: "secreto".into(),
            campaigns: Vec::new(),
            skills: Vec::new(),
            created_at: now,
        };
        store.put_agent(&agent, &[]).await.expect("agent");
    }
}

/// Segment, script and campaign.
async fn campaign(store: &MemoryStore, plan: &Plan, now: UtcMs) {
    let segment = Segment {
        id: SegmentId(id(3)),
        client_id: client_id(),
        name: "Todos".into(),
        expression: "all".into(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store.put_segment(&segment, &[]).await.expect("segment");
    store.put_script(&script(now), &[]).await.expect("script");
    let campaign = Campaign {
        id: campaign_id(),
        client_id: client_id(),
        name: "Noviembre".into(),
        segment_id: segment.id,
        script_id: Some(ScriptId(id(6))),
        status: CampaignStatus::Draft,
        params: plan.params.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store.put_campaign(&campaign, &[]).await.expect("campaign");
}

fn script(now: UtcMs) -> Script {
    let step = |key: &str, text: &str, before_identity: bool| ScriptStep {
        key: key.into(),
        title_es: key.into(),
        title_en: key.into(),
        text_es: text.into(),
        text_en: text.into(),
        before_identity,
    };
    Script {
        id: ScriptId(id(6)),
        client_id: client_id(),
        name: "Cobranza".into(),
        steps: vec![
            step(
                "saludo",
                "¿Hablo con {debtor.name}? Soy {agent.name} por {debt.balance}.",
                true,
            ),
            step(
                "oferta",
                "Debe {debt.balance} de {debt.product} a {client.name}.",
                false,
            ),
        ],
        objections: vec![],
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// A debtor with one debt of 10,000.00, half of it overdue, and one phone.
pub(crate) async fn debtor(store: &MemoryStore, n: u128, now: UtcMs) {
    let document = format!("DOC{n:06}");
    let row = Debtor {
        id: debtor_id(n),
        client_id: client_id(),
        portfolio_id: PortfolioId(id(2)),
        person_id: person_of_document("MX", &document),
        external_ref: format!("D{n}"),
        kind: DebtorKind::Person,
        name: Pii(format!("Persona {n}")),
        document: Pii(document),
        country: "MX".into(),
        subdivision: None,
        language: Language::Es,
        address_zone: Some("America/Mexico_City".into()),
        told_zone: None,
        told_zone_at: None,
        created_at: now,
        updated_at: now,
    };
    store.put_debtor(&row, &[]).await.expect("debtor");
    let debt = Debt {
        id: debt_id(n),
        debtor_id: row.id,
        client_id: client_id(),
        portfolio_id: row.portfolio_id,
        external_ref: format!("C{n}"),
        product: "Tarjeta Oro".into(),
        currency: "MXN".parse().expect("currency"),
        principal_minor: 900_000,
        interest_minor: 80_000,
        fees_minor: 20_000,
        overdue_minor: 500_000,
        minimum_minor: 50_000,
        due_date: "2026-10-01".into(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: now,
        updated_at: now,
    };
    store.put_debt(&debt, &[]).await.expect("debt");
    let point = ContactPoint {
        id: point_id(n),
        debtor_id: row.id,
        role: PartyRole::Titular,
        channel: Channel::Call,
        value: Pii(format!("+5255555510{n:02}")),
        class: PointClass::Mobile,
        source: "import".into(),
        given_by_debtor: true,
        authorised: true,
        confidence: 80,
        position: 0,
        bad: false,
        last_rpc_at: None,
        added_at: UtcMs(0),
    };
    store.put_point(&point, &[]).await.expect("point");
}
