//! Two clients with one of everything each, and a login of every kind.

use crate::app::{Files, Lenient, START, password_hash};
use domain::entity::{
    Agent, Attempt, AttemptState, Call, CallResult, CallerId, Campaign, CampaignStatus,
    CampaignVersion, Channel, CheckPoint, Client, Complaint, Consent, ContactPoint, Debt, Debtor,
    DncList, Hold, LedgerRow, Override, Party, Payment, Portfolio, Preference, Promise, Recording,
    Role, Script, Segment, Suppression, Team, Trunk, User,
};
use domain::ids::{
    AgentId, AttemptId, CallId, CallerIdId, CampaignId, CampaignVersionId, ClientId, ComplaintId,
    ConsentId, DebtId, DebtorId, DncListId, HoldId, OverrideId, PaymentId, PointId, PortfolioId,
    PreferenceId, PromiseId, RecordingId, ScriptId, SegmentId, SuppressionId, TeamId, TrunkId,
    UserId, VerdictId,
};
use domain::law::Action;
use domain::ports::IdSource;
use domain::ports::store::{
    AttemptChange, AttemptStore, CatalogStore, Closing, NodeStore, OpenDraft, OpenOutcome,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sim::store::MemoryStore;
use uuid::Uuid;

/// Ids of one client's things.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) client: ClientId,
    pub(crate) portfolio: PortfolioId,
    pub(crate) debtor: DebtorId,
    pub(crate) debt: DebtId,
    pub(crate) point: PointId,
    pub(crate) consent: ConsentId,
    pub(crate) hold: HoldId,
    pub(crate) relaxed: OverrideId,
    pub(crate) suppression: SuppressionId,
    pub(crate) segment: SegmentId,
    pub(crate) campaign: CampaignId,
    pub(crate) script: ScriptId,
    pub(crate) caller_id: CallerIdId,
    pub(crate) attempt: AttemptId,
    pub(crate) verdict: VerdictId,
    pub(crate) call: CallId,
    pub(crate) recording: RecordingId,
    pub(crate) promise: PromiseId,
    pub(crate) payment: PaymentId,
    pub(crate) preference: PreferenceId,
    pub(crate) dnc_list: DncListId,
    pub(crate) complaint: ComplaintId,
    pub(crate) version: CampaignVersionId,
}

impl Own {
    /// All of them as text.
    pub(crate) fn all(&self) -> Vec<String> {
        let ids: [Uuid; 23] = [
            self.client.0,
            self.portfolio.0,
            self.debtor.0,
            self.debt.0,
            self.point.0,
            self.consent.0,
            self.hold.0,
            self.relaxed.0,
            self.suppression.0,
            self.segment.0,
            self.campaign.0,
            self.script.0,
            self.caller_id.0,
            self.attempt.0,
            self.verdict.0,
            self.call.0,
            self.recording.0,
            self.promise.0,
            self.payment.0,
            self.preference.0,
            self.dnc_list.0,
            self.complaint.0,
            self.version.0,
        ];
        ids.iter().map(Uuid::to_string).collect()
    }
}

/// Everything.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) norte: Own,
    pub(crate) sur: Own,
    pub(crate) team: TeamId,
    pub(crate) trunk: TrunkId,
    pub(crate) agent: AgentId,
    /// The login of the agent.
    pub(crate) agent_user: UserId,
    /// A login with role agent that has no agent yet.
    pub(crate) spare_user: UserId,
}

/// An entity from its JSON: what is absent is none.
fn row<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a row")
}

struct Filler<'a> {
    store: &'a MemoryStore,
    ids: &'a dyn IdSource,
}

impl Filler<'_> {
    fn id(&self) -> Uuid {
        self.ids.next(START)
    }

    async fn user(&self, username: &str, role: Role, client_id: Option<ClientId>) -> UserId {
        let user = User {
            id: UserId(self.id()),
            username: username.to_owned(),
            display_name: username.to_uppercase(),
            role,
            client_id,
            password_hash: password_hash(),
            totp_secret: None,
            active: true,
            created_at: START,
        };
        self.store.put_user(&user, &[]).await.expect("a user");
        user.id
    }

    fn own(&self) -> Own {
        Own {
            client: ClientId(self.id()),
            portfolio: PortfolioId(self.id()),
            debtor: DebtorId(self.id()),
            debt: DebtId(self.id()),
            point: PointId(self.id()),
            consent: ConsentId(self.id()),
            hold: HoldId(self.id()),
            relaxed: OverrideId(self.id()),
            suppression: SuppressionId(self.id()),
            segment: SegmentId(self.id()),
            campaign: CampaignId(self.id()),
            script: ScriptId(self.id()),
            caller_id: CallerIdId(self.id()),
            attempt: AttemptId(self.id()),
            verdict: VerdictId(self.id()),
            call: CallId(self.id()),
            recording: RecordingId(self.id()),
            promise: PromiseId(self.id()),
            payment: PaymentId(self.id()),
            preference: PreferenceId(self.id()),
            dnc_list: DncListId(self.id()),
            complaint: ComplaintId(self.id()),
            version: CampaignVersionId(self.id()),
        }
    }

    async fn client(&self, name: &str, digit: u8, files: &Files, house: &House) -> Own {
        let own = self.own();
        self.portfolio(&own, name, digit).await;
        self.contact(&own, digit).await;
        self.campaign(&own, digit).await;
        self.attempt(&own, digit, house.trunk).await;
        self.talk(&own, files, house.agent).await;
        self.money(&own, name).await;
        own
    }

    async fn portfolio(&self, own: &Own, name: &str, digit: u8) {
        let s = self.store;
        let client: Client = row(json!({"id": own.client, "name": name,
            "callback_number": format!("+52555000000{digit}"), "created_at": START}));
        s.put_client(&client, &[]).await.expect("a client");
        let portfolio: Portfolio = row(json!({"id": own.portfolio, "client_id": own.client,
            "name": "Tarjetas", "currency": "MXN", "creditor_kind": "financial",
            "zone": "America/Mexico_City", "created_at": START}));
        s.put_portfolio(&portfolio, &[]).await.expect("a portfolio");
        let debtor: Debtor = row(json!({"id": own.debtor, "client_id": own.client,
            "portfolio_id": own.portfolio, "person_id": self.id(),
            "external_ref": format!("D-{digit}"), "kind": "person",
            "name": format!("Persona Inventada {digit}"), "document": format!("PEIN80010{digit}"),
            "country": "MX", "language": "es", "address_zone": "America/Mexico_City",
            "created_at": START, "updated_at": START}));
        s.put_debtor(&debtor, &[]).await.expect("a debtor");
        let debt: Debt = row(json!({"id": own.debt, "debtor_id": own.debtor,
            "client_id": own.client, "portfolio_id": own.portfolio,
            "external_ref": format!("C-{digit}"), "product": "tarjeta", "currency": "MXN",
            "principal_minor": 90_000, "interest_minor": 8_000, "fees_minor": 2_000,
            "overdue_minor": 40_000, "minimum_minor": 10_000, "due_date": "2026-10-01",
            "status": "open", "created_at": START, "updated_at": START}));
        s.put_debt(&debt, &[]).await.expect("a debt");
    }

    async fn contact(&self, own: &Own, digit: u8) {
        let s = self.store;
        let party: Party = row(json!({"id": self.id(), "debt_id": own.debt,
            "debtor_id": own.debtor, "role": "titular",
            "name": format!("Persona Inventada {digit}")}));
        s.put_party(&party, &[]).await.expect("a party");
        let point: ContactPoint = row(json!({"id": own.point, "debtor_id": own.debtor,
            "role": "titular", "channel": "call", "value": format!("+52551234567{digit}"),
            "class": "mobile", "source": "import", "given_by_debtor": true, "authorised": true,
            "confidence": 90, "position": 0, "bad": false}));
        s.put_point(&point, &[]).await.expect("a point");
        let consent: Consent = row(json!({"id": own.consent, "debtor_id": own.debtor,
            "channel": "call", "purpose": "contact", "granted_at": START, "proof": "contract 12"}));
        s.put_consent(&consent, &[]).await.expect("a consent");
        let relaxed: Override = row(json!({"id": own.relaxed, "client_id": own.client,
            "debtor_id": own.debtor, "rule": "us-federal/reg_f_7in7", "reason": "he asked for it",
            "granted_by": "user:1", "granted_right": "relax_presumption", "granted_at": START,
            "until": START}));
        s.put_override(&relaxed, &[])
            .await
            .expect("a relaxed presumption");
        let hold: Hold = row(json!({"id": own.hold, "client_id": own.client,
            "debtor_id": own.debtor, "scope": "debtor", "kind": "dispute", "from": START,
            "evidence": "letter"}));
        s.put_hold(&hold, &[]).await.expect("a hold");
        let suppression: Suppression = row(json!({"id": own.suppression,
            "client_id": own.client, "kind": "phone", "value": format!("+52559876543{digit}"),
            "reason": "list", "created_at": START}));
        s.put_suppression(&suppression, &[])
            .await
            .expect("a suppression");
        self.asked(own, digit).await;
    }

    async fn asked(&self, own: &Own, digit: u8) {
        let s = self.store;
        let preference: Preference = row(json!({"id": own.preference, "debtor_id": own.debtor,
            "kind": "not_between", "days": [], "from": "13:00", "to": "14:00",
            "recorded_at": START, "proof": "call 12"}));
        s.put_preference(&preference, &[])
            .await
            .expect("a preference");
        let list: DncList = row(json!({"id": own.dnc_list, "client_id": own.client,
            "name": format!("LISTA-{digit}"), "kind": "phone", "entries": 0,
            "file_sha256": "00", "as_of": START, "created_at": START}));
        s.put_dnc_list(&list, &[]).await.expect("a list");
        let complaint: Complaint = row(json!({"id": own.complaint, "client_id": own.client,
            "debtor_id": own.debtor, "authority": "REDECO", "number": format!("R-{digit}"),
            "received_at": START, "deadline": "2026-12-10", "state": "open", "summary": "x",
            "created_at": START}));
        s.put_complaint(&complaint, &[]).await.expect("a complaint");
    }

    async fn campaign(&self, own: &Own, digit: u8) {
        let s = self.store;
        let segment: Segment = row(json!({"id": own.segment, "client_id": own.client,
            "name": "Mora", "expression": "country = 'MX'", "version": 1, "created_at": START,
            "updated_at": START}));
        s.put_segment(&segment, &[]).await.expect("a segment");
        let steps = json!([{"key": "saludo", "title_es": "Saludo", "title_en": "Greeting",
            "text_es": "Buenos días", "text_en": "Good morning", "before_identity": true}]);
        let script: Script = row(json!({"id": own.script, "client_id": own.client,
            "name": "Base", "steps": steps, "objections": [], "version": 1, "created_at": START,
            "updated_at": START}));
        s.put_script(&script, &[]).await.expect("a script");
        let campaign: Campaign = row(json!({"id": own.campaign, "client_id": own.client,
            "name": format!("=Campaña {digit}"), "segment_id": own.segment,
            "script_id": own.script, "status": "draft", "params": {}, "version": 1,
            "created_at": START, "updated_at": START}));
        s.put_campaign(&campaign, &[]).await.expect("a campaign");
        let version: CampaignVersion = row(json!({"id": own.version, "campaign_id": own.campaign,
            "client_id": own.client, "name": campaign.name, "segment_id": own.segment,
            "params": {}, "state": "draft", "note": "x", "created_at": START}));
        s.put_campaign_version(&version, &[])
            .await
            .expect("a version");
        let caller_id: CallerId = row(json!({"id": own.caller_id, "client_id": own.client,
            "number": format!("+52555000001{digit}"), "country": "MX", "registered": true,
            "enabled": true, "created_at": START}));
        s.put_caller_id(&caller_id, &[]).await.expect("a caller id");
    }

    async fn attempt(&self, own: &Own, digit: u8, trunk: TrunkId) {
        let node = self.store.register_node("before", START, 60_000);
        let node = node.await.expect("a node");
        let debtor = self.store.get_debtor(own.debtor).await.expect("the debtor");
        let phone = format!("+52551234567{digit}");
        let attempt: Attempt = row(json!({"id": own.attempt, "client_id": own.client,
            "campaign_id": own.campaign, "debtor_id": own.debtor, "person_id": debtor.person_id,
            "debt_id": own.debt, "debts": [own.debt], "point_id": own.point, "phone": phone,
            "class": "mobile", "trunk_id": trunk, "caller_id": own.caller_id,
            "caller_number": format!("+52555000001{digit}"), "node": node.node,
            "fence": node.fence, "mode": "progressive", "agent_reserved": true,
            "state": "committed", "opened_at": START, "verdict_id": own.verdict, "pack": "",
            "pack_version": ""}));
        let ledger: LedgerRow = row(json!({"id": self.id(), "person_id": debtor.person_id,
            "debtor_id": own.debtor, "client_id": own.client, "debts": [own.debt],
            "point_id": own.point, "address": phone, "class": "mobile", "channel": "call",
            "kind": "attempt", "at": START, "attempt_id": own.attempt,
            "campaign_id": own.campaign}));
        let action = Action {
            verdict_id: own.verdict,
            check_point: CheckPoint::Dial,
            channel: Channel::Call,
            point_id: Some(own.point),
            campaign_id: Some(own.campaign),
            campaign_window: None,
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: 25_000,
            agent_reserved: true,
            now: START,
        };
        let draft = OpenDraft {
            attempt,
            action,
            ledger,
            events: Vec::new(),
        };
        // Only a running campaign dials; the tests find it as a draft again.
        let s = self.store;
        let drafted = s.get_campaign(own.campaign).await.expect("a campaign");
        let mut running = drafted.clone();
        running.status = CampaignStatus::Running;
        s.put_campaign(&running, &[]).await.expect("started");
        let opened = s.open_attempt(&draft, &Lenient).await;
        let opened = opened.expect("the store");
        assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
        s.put_campaign(&drafted, &[]).await.expect("stopped");
    }

    async fn talk(&self, own: &Own, files: &Files, agent: AgentId) {
        let s = self.store;
        let call: Call = row(json!({"id": own.call, "attempt_id": own.attempt,
            "agent_id": agent, "started_at": START}));
        s.put_call(&call, &[]).await.expect("a call");
        let sound: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        let key = format!("2026/11/23/{}.wav", own.recording);
        let recording: Recording = row(json!({"id": own.recording, "attempt_id": own.attempt,
            "client_id": own.client, "key": key, "outcome": "sealed", "sha256": "00".repeat(32),
            "duration_ms": 6_248, "bytes": 200_000, "gaps": [[1_000, 2_000, "paused"]],
            "started_at": START, "sealed_at": START}));
        s.put_recording(&recording, &[]).await.expect("a recording");
        files.0.lock().expect("lock").insert(key, sound);
        let steps = AttemptChange {
            state: Some(AttemptState::Answered),
            invite_at: Some(START.plus_ms(10)),
            ringing_at: Some(START.plus_ms(900)),
            answered_at: Some(START.plus_ms(6_000)),
            popped_at: Some(START.plus_ms(6_003)),
            bridged_at: Some(START.plus_ms(6_020)),
            agent_id: Some(agent),
            recording_id: Some(own.recording),
            ..AttemptChange::default()
        };
        s.note_attempt(own.attempt, &steps, &[])
            .await
            .expect("steps");
        let closing = Closing {
            ended_at: Some(START.plus_ms(12_268)),
            result: Some(CallResult::Human),
            sip_code: Some(200),
            q850: Some(16),
            disposition: Some("CD.PP".to_owned()),
            disposed_at: Some(START.plus_ms(20_000)),
            ..Closing::default()
        };
        s.close_attempt(own.attempt, &closing)
            .await
            .expect("an end");
    }

    async fn money(&self, own: &Own, name: &str) {
        let promise: Promise = row(json!({"id": own.promise, "client_id": own.client,
            "debtor_id": own.debtor, "debt_id": own.debt, "attempt_id": own.attempt,
            "amount_minor": 20_000, "currency": "MXN", "due_date": "2026-11-30",
            "grace_until": START.plus_ms(10 * 86_400_000), "channel": "transfer",
            "state": "broken", "made_at": START, "closed_at": START}));
        let put = self.store.put_promise(&promise, &[]).await;
        put.expect("a promise");
        let payment: Payment = row(json!({"id": own.payment, "client_id": own.client,
            "debtor_id": own.debtor, "debt_id": own.debt, "amount_minor": 1_000,
            "currency": "MXN", "paid_at": START, "channel": "cash",
            "reference": format!("{name}-1"), "posted_at": START}));
        let put = self.store.put_payment(&payment, &[]).await;
        put.expect("a payment");
    }
}

/// What belongs to the installation.
struct House {
    team: TeamId,
    trunk: TrunkId,
    agent: AgentId,
}

/// Fills a store.
pub(crate) async fn fill(store: &MemoryStore, files: &Files, ids: &dyn IdSource) -> World {
    let f = Filler { store, ids };
    let agent_user = f.user("agent", Role::Agent, None).await;
    let spare_user = f.user("spare", Role::Agent, None).await;
    f.user("supervisor", Role::Supervisor, None).await;
    f.user("manager", Role::Manager, None).await;
    f.user("admin", Role::Admin, None).await;
    let house = House {
        team: TeamId(f.id()),
        trunk: TrunkId(f.id()),
        agent: AgentId(f.id()),
    };
    let team: Team = row(json!({"id": house.team, "name": "Mañana", "created_at": START}));
    store.put_team(&team, &[]).await.expect("a team");
    let trunk: Trunk = row(json!({"id": house.trunk, "name": "carrier", "channels": 30,
        "cps": 5, "enabled": true, "created_at": START}));
    store.put_trunk(&trunk, &[]).await.expect("a trunk");
    let agent: Agent = row(json!({"id": house.agent, "user_id": agent_user,
        "team_id": house.team, "name": "Ana", "sip_user": "ana",
        "sip_password": "a very secret one", "campaigns": [], "skills": [],
        "created_at": START}));
    store.put_agent(&agent, &[]).await.expect("an agent");
    for row in domain::rules::disposition::standard_dispositions() {
        store.put_disposition(&row).await.expect("a disposition");
    }
    let norte = f.client("Norte", 1, files, &house).await;
    let sur = f.client("Sur", 2, files, &house).await;
    for (name, role) in [
        ("client", Role::Client),
        ("norte-supervisor", Role::Supervisor),
        ("norte-manager", Role::Manager),
        ("norte-admin", Role::Admin),
    ] {
        f.user(name, role, Some(norte.client)).await;
    }
    World {
        norte,
        sur,
        team: house.team,
        trunk: house.trunk,
        agent: house.agent,
        agent_user,
        spare_user,
    }
}
