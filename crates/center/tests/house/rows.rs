//! Rows of the small house: a client with its debtors, a campaign with its script, a trunk, ten agents.

use crate::world::{
    House, Plan, agent_id, campaign_id, client_id, debt_id, debtor_id, id, point_id,
};
use domain::entity::{
    Agent, CallerId, Campaign, CampaignStatus, Channel, Client, ContactPoint, CreditorKind, Debt,
    DebtStatus, Debtor, DebtorKind, Hold, HoldKind, HoldScope, Language, PartyRole, PointClass,
    Portfolio, Script, ScriptStep, Segment, Trunk,
};
use domain::ids::{
    CallerIdId, DebtorId, HoldId, PortfolioId, ScriptId, SegmentId, TrunkId, UserId,
    person_of_document,
};
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::CatalogStore as _;
use domain::rules::disposition::standard_dispositions;
use domain::time::UtcMs;
use sim::store::MemoryStore;

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

impl House {
    /// A hold on all that concerns a debtor from now on, not placed yet; one a debtor.
    pub(crate) fn hold(&self, debtor: DebtorId, kind: HoldKind) -> Hold {
        Hold {
            id: HoldId(debtor.0),
            client_id: client_id(),
            debtor_id: debtor,
            scope: HoldScope::Debtor,
            debt_id: None,
            point_id: None,
            channel: None,
            kind,
            from: self.clock.now(),
            until: None,
            lifted_at: None,
            evidence: "acta".into(),
        }
    }
}
