//! Two clients with one of everything each, and a login of every kind.

use crate::app::{Files, Lenient, START, password_hash};
use domain::entity::{
    Agent, Attempt, AttemptState, Call, CallResult, CallerId, Campaign, CampaignParams,
    CampaignStatus, Channel, CheckPoint, Client, Consent, ContactPoint, CreditorKind, Debt,
    DebtStatus, Debtor, DebtorKind, DialMode, Hold, HoldKind, HoldScope, Language, LedgerKind,
    LedgerRow, Party, PartyRole, Payment, PaymentChannel, PointClass, Portfolio, Promise,
    PromiseState, Recording, RecordingOutcome, Role, Script, ScriptStep, Segment, Suppression,
    SuppressionKind, Team, Trunk, User,
};
use domain::ids::{
    AgentId, AttemptId, CallId, CallerIdId, CampaignId, ClientId, ConsentId, DebtId, DebtorId,
    HoldId, LedgerId, PartyId, PaymentId, PersonId, PointId, PortfolioId, PromiseId, RecordingId,
    ScriptId, SegmentId, SuppressionId, TeamId, TrunkId, UserId, VerdictId,
};
use domain::law::Action;
use domain::money::Money;
use domain::ports::IdSource;
use domain::ports::store::{
    AttemptChange, AttemptStore, CatalogStore, Closing, NodeStore, OpenDraft, OpenOutcome,
};
use sim::store::MemoryStore;
use uuid::Uuid;

/// Ids of one client's things.
pub(crate) struct Own {
    pub(crate) client: ClientId,
    pub(crate) portfolio: PortfolioId,
    pub(crate) debtor: DebtorId,
    pub(crate) debt: DebtId,
    pub(crate) point: PointId,
    pub(crate) consent: ConsentId,
    pub(crate) hold: HoldId,
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
}

impl Own {
    /// All of them as text.
    pub(crate) fn all(&self) -> Vec<String> {
        let ids: [Uuid; 18] = [
            self.client.0,
            self.portfolio.0,
            self.debtor.0,
            self.debt.0,
            self.point.0,
            self.consent.0,
            self.hold.0,
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
        ];
        ids.iter().map(Uuid::to_string).collect()
    }
}

/// Everything.
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

    async fn client(
        &self,
        name: &str,
        digit: u8,
        files: &Files,
        trunk: TrunkId,
        agent: AgentId,
    ) -> Own {
        let own = Own {
            client: ClientId(self.id()),
            portfolio: PortfolioId(self.id()),
            debtor: DebtorId(self.id()),
            debt: DebtId(self.id()),
            point: PointId(self.id()),
            consent: ConsentId(self.id()),
            hold: HoldId(self.id()),
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
        };
        self.portfolio(&own, name, digit).await;
        self.reasons(&own, digit).await;
        self.campaign(&own, digit).await;
        self.attempt(&own, digit, trunk).await;
        self.talk(&own, files, agent).await;
        self.money(&own, name).await;
        own
    }

    async fn portfolio(&self, own: &Own, name: &str, digit: u8) {
        let store = self.store;
        let client = Client {
            id: own.client,
            name: name.to_owned(),
            callback_number: format!("+52555000000{digit}"),
            created_at: START,
        };
        store.put_client(&client, &[]).await.expect("a client");
        let portfolio = Portfolio {
            id: own.portfolio,
            client_id: own.client,
            name: "Tarjetas".to_owned(),
            currency: "MXN".parse().expect("a currency"),
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".to_owned(),
            created_at: START,
        };
        store
            .put_portfolio(&portfolio, &[])
            .await
            .expect("a portfolio");
        let debtor = Debtor {
            id: own.debtor,
            client_id: own.client,
            portfolio_id: own.portfolio,
            person_id: PersonId(self.id()),
            external_ref: format!("D-{digit}"),
            kind: DebtorKind::Person,
            name: format!("Persona Inventada {digit}").as_str().into(),
            document: format!("PEIN80010{digit}").as_str().into(),
            country: "MX".to_owned(),
            subdivision: None,
            language: Language::Es,
            address_zone: Some("America/Mexico_City".to_owned()),
            told_zone: None,
            told_zone_at: None,
            created_at: START,
            updated_at: START,
        };
        store.put_debtor(&debtor, &[]).await.expect("a debtor");
        let debt = Debt {
            id: own.debt,
            debtor_id: own.debtor,
            client_id: own.client,
            portfolio_id: own.portfolio,
            external_ref: format!("C-{digit}"),
            product: "tarjeta".to_owned(),
            currency: portfolio.currency,
            principal_minor: 90_000,
            interest_minor: 8_000,
            fees_minor: 2_000,
            overdue_minor: 40_000,
            minimum_minor: 10_000,
            due_date: "2026-10-01".to_owned(),
            status: DebtStatus::Open,
            created_at: START,
            updated_at: START,
        };
        store.put_debt(&debt, &[]).await.expect("a debt");
        let party = Party {
            id: PartyId(self.id()),
            debt_id: own.debt,
            debtor_id: own.debtor,
            role: PartyRole::Titular,
            name: debtor.name.clone(),
        };
        store.put_party(&party, &[]).await.expect("a party");
        let point = ContactPoint {
            id: own.point,
            debtor_id: own.debtor,
            role: PartyRole::Titular,
            channel: Channel::Call,
            value: format!("+52551234567{digit}").as_str().into(),
            class: PointClass::Mobile,
            source: "import".to_owned(),
            given_by_debtor: true,
            authorised: true,
            confidence: 90,
            position: 0,
            bad: false,
            last_rpc_at: None,
        };
        store.put_point(&point, &[]).await.expect("a point");
    }

    async fn reasons(&self, own: &Own, digit: u8) {
        let consent = Consent {
            id: own.consent,
            debtor_id: own.debtor,
            channel: Channel::Call,
            purpose: "contact".to_owned(),
            granted_at: START,
            until: None,
            revoked_at: None,
            proof: "contract 12".to_owned(),
        };
        self.store
            .put_consent(&consent, &[])
            .await
            .expect("a consent");
        let hold = Hold {
            id: own.hold,
            client_id: own.client,
            debtor_id: own.debtor,
            scope: HoldScope::Debtor,
            debt_id: None,
            point_id: None,
            channel: None,
            kind: HoldKind::Dispute,
            from: START,
            until: None,
            lifted_at: None,
            evidence: "letter".to_owned(),
        };
        self.store.put_hold(&hold, &[]).await.expect("a hold");
        let suppression = Suppression {
            id: own.suppression,
            client_id: Some(own.client),
            debtor_id: None,
            kind: SuppressionKind::Phone,
            value: format!("+52559876543{digit}").as_str().into(),
            reason: "list".to_owned(),
            created_at: START,
            lifted_at: None,
        };
        self.store
            .put_suppression(&suppression, &[])
            .await
            .expect("a suppression");
    }

    async fn campaign(&self, own: &Own, digit: u8) {
        let segment = Segment {
            id: own.segment,
            client_id: own.client,
            name: "Mora".to_owned(),
            expression: "country = \"MX\"".to_owned(),
            version: 1,
            created_at: START,
            updated_at: START,
        };
        self.store
            .put_segment(&segment, &[])
            .await
            .expect("a segment");
        let step = ScriptStep {
            key: "saludo".to_owned(),
            title_es: "Saludo".to_owned(),
            title_en: "Greeting".to_owned(),
            text_es: "Buenos días".to_owned(),
            text_en: "Good morning".to_owned(),
            before_identity: true,
        };
        let script = Script {
            id: own.script,
            client_id: own.client,
            name: "Base".to_owned(),
            steps: vec![step],
            version: 1,
            created_at: START,
            updated_at: START,
        };
        self.store.put_script(&script, &[]).await.expect("a script");
        let campaign = Campaign {
            id: own.campaign,
            client_id: own.client,
            name: format!("=Campaña {digit}"),
            segment_id: own.segment,
            script_id: Some(own.script),
            status: CampaignStatus::Draft,
            params: CampaignParams::default(),
            version: 1,
            created_at: START,
            updated_at: START,
        };
        self.store
            .put_campaign(&campaign, &[])
            .await
            .expect("a campaign");
        let caller_id = CallerId {
            id: own.caller_id,
            client_id: own.client,
            number: format!("+52555000001{digit}"),
            country: "MX".to_owned(),
            registered: true,
            enabled: true,
            created_at: START,
        };
        self.store
            .put_caller_id(&caller_id, &[])
            .await
            .expect("a caller id");
    }

    async fn attempt(&self, own: &Own, digit: u8, trunk: TrunkId) {
        let node = self
            .store
            .register_node("before", START, 60_000)
            .await
            .expect("a node");
        let debtor = self.store.get_debtor(own.debtor).await.expect("the debtor");
        let phone = format!("+52551234567{digit}");
        let attempt = Attempt {
            id: own.attempt,
            client_id: own.client,
            campaign_id: Some(own.campaign),
            debtor_id: own.debtor,
            person_id: debtor.person_id,
            debt_id: Some(own.debt),
            debts: vec![own.debt],
            point_id: own.point,
            phone: phone.as_str().into(),
            class: PointClass::Mobile,
            trunk_id: trunk,
            caller_id: Some(own.caller_id),
            caller_number: format!("+52555000001{digit}"),
            node: node.node,
            fence: node.fence,
            mode: DialMode::Progressive,
            agent_reserved: true,
            state: AttemptState::Committed,
            opened_at: START,
            invite_at: None,
            ringing_at: None,
            answered_at: None,
            popped_at: None,
            acked_at: None,
            bridged_at: None,
            identity_at: None,
            ended_at: None,
            result: None,
            sip_code: None,
            q850: None,
            disposition: None,
            note: None,
            disposed_at: None,
            agent_id: None,
            recording_id: None,
            verdict_id: own.verdict,
            pack: String::new(),
            pack_version: String::new(),
        };
        let ledger = LedgerRow {
            id: LedgerId(self.id()),
            person_id: debtor.person_id,
            debtor_id: own.debtor,
            client_id: own.client,
            debts: vec![own.debt],
            point_id: Some(own.point),
            address: phone.as_str().into(),
            class: PointClass::Mobile,
            channel: Channel::Call,
            kind: LedgerKind::Attempt,
            at: START,
            attempt_id: Some(own.attempt),
            campaign_id: Some(own.campaign),
            reached_network: None,
        };
        let action = Action {
            verdict_id: own.verdict,
            check_point: CheckPoint::Dial,
            channel: Channel::Call,
            point_id: Some(own.point),
            campaign_id: Some(own.campaign),
            campaign_window: None,
            attempts_per_day: None,
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
        let opened = self
            .store
            .open_attempt(&draft, &Lenient)
            .await
            .expect("the store");
        assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
    }

    async fn talk(&self, own: &Own, files: &Files, agent: AgentId) {
        let call = Call {
            id: own.call,
            attempt_id: own.attempt,
            agent_id: agent,
            started_at: START,
            ended_at: None,
            ended_by: None,
        };
        self.store.put_call(&call, &[]).await.expect("a call");
        let sound: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        let key = format!("2026/11/23/{}.wav", own.recording);
        let recording = Recording {
            id: own.recording,
            attempt_id: own.attempt,
            client_id: own.client,
            key: key.clone(),
            outcome: RecordingOutcome::Sealed,
            sha256: Some("00".repeat(32)),
            duration_ms: 6_248,
            bytes: 200_000,
            gaps: vec![(1_000, 2_000, "paused".to_owned())],
            started_at: START,
            sealed_at: Some(START),
        };
        self.store
            .put_recording(&recording, &[])
            .await
            .expect("a recording");
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
        self.store
            .note_attempt(own.attempt, &steps, &[])
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
        self.store
            .close_attempt(own.attempt, &closing)
            .await
            .expect("an end");
        files.0.lock().expect("lock").insert(key, sound);
    }

    async fn money(&self, own: &Own, name: &str) {
        let currency = "MXN".parse().expect("a currency");
        let promise = Promise {
            id: own.promise,
            client_id: own.client,
            debtor_id: own.debtor,
            debt_id: own.debt,
            attempt_id: Some(own.attempt),
            agent_id: None,
            amount: Money::new(20_000, currency),
            due_date: "2026-11-30".to_owned(),
            grace_until: START.plus_ms(10 * 86_400_000),
            channel: PaymentChannel::Transfer,
            state: PromiseState::Broken,
            made_at: START,
            closed_at: Some(START),
        };
        self.store
            .put_promise(&promise, &[])
            .await
            .expect("a promise");
        let payment = Payment {
            id: own.payment,
            client_id: own.client,
            debtor_id: own.debtor,
            debt_id: own.debt,
            amount: Money::new(1_000, currency),
            paid_at: START,
            channel: PaymentChannel::Cash,
            reference: format!("{name}-1"),
            reverses: None,
            posted_at: START,
        };
        self.store
            .put_payment(&payment, &[])
            .await
            .expect("a payment");
    }
}

/// Fills a store.
pub(crate) async fn fill(store: &MemoryStore, files: &Files, ids: &dyn IdSource) -> World {
    let f = Filler { store, ids };
    let team = Team {
        id: TeamId(f.id()),
        name: "Mañana".to_owned(),
        created_at: START,
    };
    store.put_team(&team, &[]).await.expect("a team");
    let trunk = Trunk {
        id: TrunkId(f.id()),
        name: "carrier".to_owned(),
        channels: 30,
        cps: 5,
        enabled: true,
        created_at: START,
    };
    store.put_trunk(&trunk, &[]).await.expect("a trunk");
    for row in domain::rules::disposition::standard_dispositions() {
        store.put_disposition(&row).await.expect("a disposition");
    }
    let agent_user = f.user("agent", Role::Agent, None).await;
    let spare_user = f.user("spare", Role::Agent, None).await;
    f.user("supervisor", Role::Supervisor, None).await;
    f.user("manager", Role::Manager, None).await;
    f.user("admin", Role::Admin, None).await;
    let agent = Agent {
        id: AgentId(f.id()),
        user_id: agent_user,
        team_id: Some(team.id),
        name: "Ana".to_owned(),
        sip_user: "ana".to_owned(),
        sip_password: "a very secret one".to_owned(),
        campaigns: Vec::new(),
        skills: Vec::new(),
        created_at: START,
    };
    store.put_agent(&agent, &[]).await.expect("an agent");
    let norte = f.client("Norte", 1, files, trunk.id, agent.id).await;
    let sur = f.client("Sur", 2, files, trunk.id, agent.id).await;
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
        team: team.id,
        trunk: trunk.id,
        agent: agent.id,
        agent_user,
        spare_user,
    }
}
