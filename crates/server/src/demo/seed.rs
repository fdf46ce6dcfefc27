//! What a fresh demo holds: a client with its portfolio, segments, campaigns, script, people.

use super::objections::objections;
use super::people::People;
use super::portfolio::Interest;
use domain::entity::{
    AmdMode, CallerId, Campaign, CampaignParams, CampaignStatus, Client, CreditorKind, DialMode,
    InboundParams, Portfolio, Script, ScriptStep, Segment, Trunk,
};
use domain::ids::{CampaignId, ClientId, PortfolioId, ScriptId, SegmentId, TrunkId};
use domain::ports::store::{ListFilter, PageRequest};
use domain::ports::{Clock, IdSource, Store};
use domain::time::UtcMs;
use std::sync::Arc;

/// Name of the demo's client: no company of that name was found.
const CLIENT: &str = "Financiera Río Claro";
/// Names of its portfolios: one with the creditor's figures of interest, one that accrues it by its own rule.
const PORTFOLIOS: [(&str, Interest); 2] = [
    ("Consumo 2026", Interest::Creditors),
    ("Línea blanca 2026", Interest::ByRule),
];
/// Name of the demo's only trunk.
pub(super) const TRUNK: &str = "carrier";
/// Lines of the demo's carrier, at the least; three an agent where that is more.
const TRUNK_CHANNELS: u32 = 300;
/// Starts a second of the demo's carrier, at the least; one for four agents where that is more, so that many are not
/// kept waiting by the carrier.
const TRUNK_CPS: u32 = 20;
/// What the demo's carrier takes from so many agents: lines, and starts a second.
pub(super) fn trunk_limits(agents: u32) -> (u32, u32) {
    let lines = TRUNK_CHANNELS.max(agents.saturating_mul(3));
    (lines, TRUNK_CPS.max(agents / 4))
}

/// Lines an agent of the demo in power mode.
const LINES_PER_AGENT: f64 = 3.0;

/// The demo's rows that others need.
#[derive(Debug, Clone)]
pub(super) struct Seeded {
    /// Its campaigns.
    pub(super) campaigns: Vec<CampaignId>,
    /// Whether the data were there already.
    pub(super) continued: bool,
}

/// Everything seeding needs.
pub(super) struct Seeder<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) clock: &'a dyn Clock,
    pub(super) ids: &'a dyn IdSource,
    /// Simulated agents.
    pub(super) agents: u32,
}

impl Seeder<'_> {
    fn id(&self) -> uuid::Uuid {
        self.ids.next(self.clock.now())
    }

    fn now(&self) -> UtcMs {
        self.clock.now()
    }

    /// Makes what is missing; an existing folder is continued.
    pub(super) async fn seed(
        &self,
        (mode, amd): (DialMode, AmdMode),
        size: super::portfolio::Size,
    ) -> anyhow::Result<Seeded> {
        self.trunk().await?;
        let clients = self
            .store
            .list_clients(&ListFilter::default(), &first_page())
            .await?;
        if let Some(client) = clients.items.iter().find(|c| c.name == CLIENT) {
            let filter = ListFilter {
                client_id: Some(client.id),
                ..ListFilter::default()
            };
            let campaigns = self.store.list_campaigns(&filter, &first_page()).await?;
            let running = campaigns
                .items
                .iter()
                .filter(|c| c.status != CampaignStatus::Stopped);
            return Ok(Seeded {
                campaigns: running.map(|c| c.id).collect(),
                continued: true,
            });
        }
        let client = self.client().await?;
        for (after_ms, (name, of)) in (0..).zip(PORTFOLIOS) {
            let portfolio = self.portfolio(client, name, after_ms).await?;
            super::portfolio::load(self, client, (&portfolio, of), size).await?;
        }
        let campaigns = self.campaigns(client, mode, amd).await?;
        Ok(Seeded {
            campaigns,
            continued: false,
        })
    }

    async fn trunk(&self) -> anyhow::Result<()> {
        if self.store.trunk_by_name(TRUNK).await?.is_some() {
            return Ok(());
        }
        let id = TrunkId(self.id());
        let (lines, cps) = trunk_limits(self.agents);
        let trunk = Trunk {
            id,
            name: TRUNK.into(),
            channels: i32::try_from(lines)?,
            cps: i32::try_from(cps)?,
            enabled: true,
            created_at: self.now(),
        };
        self.store.put_trunk(&trunk, &[]).await?;
        Ok(())
    }

    async fn client(&self) -> anyhow::Result<ClientId> {
        let client = Client {
            id: ClientId(self.id()),
            name: CLIENT.into(),
            callback_number: "+525500000100".into(),
            created_at: self.now(),
        };
        self.store.put_client(&client, &[]).await?;
        // Shown numbers end in zeros: invented, and never leave the demo's own carrier.
        for (country, number) in [
            ("MX", "+525500000100"),
            ("CO", "+576010000100"),
            ("CL", "+56600000100"),
            ("PE", "+5110000100"),
            ("ES", "+34900000100"),
        ] {
            let row = CallerId {
                id: self.id().into(),
                client_id: client.id,
                number: number.into(),
                country: country.into(),
                registered: true,
                enabled: true,
                signed: false,
                callback_at: None,
                created_at: self.now(),
            };
            self.store.put_caller_id(&row, &[]).await?;
        }
        Ok(client.id)
    }

    /// `after_ms` keeps the order of lists, by identity, where the clock stands still.
    async fn portfolio(
        &self,
        client: ClientId,
        name: &str,
        after_ms: i64,
    ) -> anyhow::Result<Portfolio> {
        let portfolio = Portfolio {
            id: PortfolioId(self.ids.next(self.now().plus_ms(after_ms))),
            client_id: client,
            name: name.into(),
            currency: "MXN".parse()?,
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".into(),
            created_at: self.now(),
        };
        self.store.put_portfolio(&portfolio, &[]).await?;
        Ok(portfolio)
    }

    async fn segment(&self, client: ClientId, name: &str, text: &str) -> anyhow::Result<SegmentId> {
        let expression = domain::segment::parse(text)
            .map_err(|e| anyhow::anyhow!("segment of the demo: {e}"))?;
        let segment = Segment {
            id: SegmentId(self.id()),
            client_id: client,
            name: name.into(),
            expression: domain::segment::print(&expression),
            version: 1,
            created_at: self.now(),
            updated_at: self.now(),
        };
        self.store.put_segment(&segment, &[]).await?;
        Ok(segment.id)
    }

    async fn campaigns(
        &self,
        client: ClientId,
        mode: DialMode,
        amd: AmdMode,
    ) -> anyhow::Result<Vec<CampaignId>> {
        let script = self.script(client).await?;
        let plan = [
            (
                "Mora temprana",
                "days_past_due between 1 and 60 and balance > 0.00",
            ),
            ("Mora avanzada", "days_past_due > 60 and balance > 0.00"),
        ];
        let mut made = Vec::new();
        for (name, expression) in plan {
            let segment_id = self.segment(client, name, expression).await?;
            let params = CampaignParams {
                mode,
                amd,
                lines_per_agent: if mode == DialMode::Power {
                    LINES_PER_AGENT
                } else {
                    1.0
                },
                // Equal priority and weight (the defaults): a higher one would starve the other.
                trunks: vec![TRUNK.into()],
                wrapup_s: 5,
                inbound: InboundParams {
                    blended: true,
                    unknown: true,
                    announce_every_s: 10,
                    ..InboundParams::default()
                },
                ..CampaignParams::default()
            };
            let campaign = Campaign {
                id: CampaignId(self.id()),
                client_id: client,
                name: name.into(),
                segment_id,
                script_id: Some(script),
                status: CampaignStatus::Draft,
                params,
                version: 1,
                created_at: self.now(),
                updated_at: self.now(),
            };
            self.store.put_campaign(&campaign, &[]).await?;
            made.push(campaign.id);
        }
        Ok(made)
    }

    async fn script(&self, client: ClientId) -> anyhow::Result<ScriptId> {
        let script = Script {
            id: ScriptId(self.id()),
            client_id: client,
            name: "Cobranza cortés".into(),
            steps: script_steps(),
            objections: objections(),
            version: 1,
            created_at: self.now(),
            updated_at: self.now(),
        };
        self.store.put_script(&script, &[]).await?;
        Ok(script.id)
    }

    /// Logins and agents; see [`People`].
    pub(super) async fn people(
        &self,
        agents: u32,
        secret: &super::people::Hasher<'_>,
    ) -> anyhow::Result<People> {
        super::people::make(self, agents, secret).await
    }
}

impl Seeder<'_> {
    /// A fresh identity, for the other parts of the seed.
    pub(super) fn fresh(&self) -> uuid::Uuid {
        self.id()
    }
}

fn first_page() -> PageRequest {
    PageRequest {
        limit: 100,
        cursor: None,
    }
}

fn step(key: &str, title: (&str, &str), text: (&str, &str), before_identity: bool) -> ScriptStep {
    ScriptStep {
        key: key.into(),
        title_es: title.0.into(),
        title_en: title.1.into(),
        text_es: text.0.into(),
        text_en: text.1.into(),
        before_identity,
    }
}

fn script_steps() -> Vec<ScriptStep> {
    vec![
        step(
            "identity",
            ("Identificación", "Identification"),
            (
                "Buen día, mi nombre es {agent.name}. ¿Hablo con {debtor.name}?",
                "Good afternoon, my name is {agent.name}. Am I speaking with {debtor.name}?",
            ),
            true,
        ),
        step(
            "notice",
            ("Aviso de grabación", "Recording notice"),
            (
                "Le informo que esta llamada se graba por calidad y para su protección.",
                "This call is recorded for quality and for your protection.",
            ),
            true,
        ),
        step(
            "reason",
            ("Motivo", "Reason"),
            (
                "Le llamo de parte de {client.name} por su {debt.product}: lo vencido es {debt.overdue}, de un saldo de {debt.balance}, con fecha de pago del {debt.due_date}.",
                "I am calling for {client.name} about your {debt.product}: {debt.overdue} is overdue, of a balance of {debt.balance}, with {debt.due_date} as its due date.",
            ),
            false,
        ),
        step(
            "offer",
            ("Propuesta", "Proposal"),
            (
                "Puede ponerse al corriente con {debt.minimum}. ¿Qué fecha le acomoda?",
                "You can bring the account up to date with {debt.minimum}. Which date suits you?",
            ),
            false,
        ),
        step(
            "close",
            ("Cierre", "Close"),
            (
                "Entonces queda su promesa de pago. Muchas gracias, {debtor.name}, que tenga buen día.",
                "Then your promise to pay is noted. Thank you, {debtor.name}, have a good day.",
            ),
            false,
        ),
    ]
}
