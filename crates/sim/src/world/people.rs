//! Who is there at the start: clients, portfolios, debtors with their phones, debts and pasts,
//! campaigns, agents, the trunk.

use super::plan::Plan;
use crate::clock::SeededIds;
use crate::store::Tables;
use domain::entity::{
    Agent, CallerId, Campaign, CampaignParams, CampaignStatus, Channel, Client, ContactPoint,
    CreditorKind, Debt, DebtStatus, Debtor, DebtorKind, Hold, HoldKind, HoldScope, Language,
    LedgerKind, LedgerRow, Party, PartyRole, PointClass, Portfolio, Segment, Suppression,
    SuppressionKind, Trunk,
};
use domain::ids::{
    AgentId, CampaignId, ClientId, DebtId, DebtorId, LedgerId, PersonId, PointId, PortfolioId,
    SegmentId, TrunkId, UserId, person_of_document,
};
use domain::pii::Pii;
use domain::ports::IdSource as _;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// Zone everybody lives in.
pub(super) const ZONE: &str = "America/Mexico_City";
/// Its distance from UTC, hours; it knows no summer time.
pub(super) const ZONE_OFFSET_H: i64 = -6;

/// Rows that the rest of the world needs by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cast {
    pub(crate) campaigns: Vec<CampaignId>,
    pub(crate) agents: Vec<AgentId>,
    pub(crate) debtors: Vec<DebtorId>,
}

struct Maker<'a> {
    plan: &'a Plan,
    rng: ChaCha8Rng,
    ids: &'a SeededIds,
    now: UtcMs,
    phones: u64,
}

/// Fills an empty store.
pub(crate) fn settle(plan: &Plan, ids: &SeededIds, t: &mut Tables) -> Cast {
    let mut maker = Maker {
        plan,
        rng: ChaCha8Rng::seed_from_u64(plan.seed ^ 0x9E0B1E),
        ids,
        now: plan.start,
        phones: 0,
    };
    let mut cast = Cast::default();
    for disposition in domain::rules::disposition::standard_dispositions() {
        t.dispositions.insert(disposition.code.clone(), disposition);
    }
    maker.trunk(t);
    let first = maker.client(t, 1, &mut cast);
    let second = if plan.two_clients && plan.campaigns == 2 {
        maker.client(t, 2, &mut cast)
    } else {
        first
    };
    for (n, client) in [first, second].into_iter().take(plan.campaigns).enumerate() {
        cast.campaigns.push(maker.campaign(t, n, client));
    }
    for n in 0..plan.agents {
        cast.agents.push(maker.agent(t, n));
    }
    cast
}

impl Maker<'_> {
    fn id(&self) -> Uuid {
        self.ids.next(self.now)
    }

    fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    fn trunk(&self, t: &mut Tables) {
        let id = TrunkId(self.id());
        let row = Trunk {
            id,
            name: "carrier".into(),
            channels: i32::try_from(self.plan.channels).unwrap_or(1),
            cps: i32::try_from(self.plan.cps).unwrap_or(1),
            enabled: true,
            created_at: self.now,
        };
        t.trunks.insert(id, row);
    }

    fn client(&mut self, t: &mut Tables, n: u64, cast: &mut Cast) -> ClientId {
        let id = ClientId(self.id());
        let client = Client {
            id,
            name: format!("Acreedor {n}"),
            callback_number: "+525500000100".into(),
            created_at: self.now,
        };
        t.clients.insert(id, client);
        let caller = CallerId {
            id: self.id().into(),
            client_id: id,
            number: format!("+52550000020{n}"),
            country: "MX".into(),
            registered: true,
            enabled: true,
            signed: false,
            callback_at: None,
            created_at: self.now,
        };
        t.caller_ids.insert(caller.id, caller);
        let portfolio = Portfolio {
            id: PortfolioId(self.id()),
            client_id: id,
            name: "Consumo".into(),
            currency: mxn(),
            creditor_kind: CreditorKind::Financial,
            zone: ZONE.into(),
            created_at: self.now,
        };
        for index in 0..self.plan.debtors {
            // One in ten of the second client's debtors is a person whom the first one calls too.
            let twin = n == 2 && index % 10 == 0;
            let document = if twin {
                format!("DOC1X{index:05}")
            } else {
                format!("DOC{n}X{index:05}")
            };
            let debtor = self.debtor(t, &portfolio, index, document);
            cast.debtors.push(debtor);
        }
        t.portfolios.insert(portfolio.id, portfolio);
        id
    }

    fn debtor(
        &mut self,
        t: &mut Tables,
        portfolio: &Portfolio,
        index: usize,
        document: String,
    ) -> DebtorId {
        let id = DebtorId(self.id());
        let person = person_of_document("MX", &document);
        let debtor = Debtor {
            id,
            client_id: portfolio.client_id,
            portfolio_id: portfolio.id,
            person_id: person,
            external_ref: format!("C{index:05}"),
            kind: DebtorKind::Person,
            name: Pii(format!("Casimira Quetzalpa{index:05}")),
            document: Pii(document),
            country: "MX".into(),
            subdivision: None,
            language: Language::Es,
            address_zone: Some(ZONE.into()),
            told_zone: None,
            told_zone_at: None,
            created_at: self.now,
            updated_at: self.now,
        };
        t.debtors.insert(id, debtor);
        for n in 0..=u32::from(self.chance(10)) {
            self.debt(t, portfolio, id, format!("D{index:05}-{n}"));
        }
        let phones = match self.rng.random_range(0..100) {
            0..75 => 1,
            75..95 => 2,
            _ => 3,
        };
        let points: Vec<ContactPoint> = (0..phones).map(|n| self.phone(id, n)).collect();
        self.past(t, portfolio.client_id, (id, person), &points[0]);
        for point in points {
            t.points.insert(point.id, point);
        }
        id
    }

    fn debt(&mut self, t: &mut Tables, portfolio: &Portfolio, debtor: DebtorId, reference: String) {
        let principal = self.rng.random_range(1_000..20_000) * 100;
        let late: i64 = self.rng.random_range(10..200);
        let due = self.now.plus_ms(-late * DAY_MS).to_string();
        let debt = Debt {
            id: DebtId(self.id()),
            debtor_id: debtor,
            client_id: portfolio.client_id,
            portfolio_id: portfolio.id,
            external_ref: reference,
            product: "tarjeta".into(),
            currency: mxn(),
            principal_minor: principal,
            interest_minor: principal / 10,
            fees_minor: 5_000,
            overdue_minor: principal / 2,
            minimum_minor: principal / 10,
            due_date: due.chars().take(10).collect(),
            statute_date: None,
            status: DebtStatus::Open,
            created_at: self.now,
            updated_at: self.now,
        };
        let party = Party {
            id: self.id().into(),
            debt_id: debt.id,
            debtor_id: debtor,
            role: PartyRole::Titular,
            name: "titular".into(),
        };
        t.debts.insert(debt.id, debt);
        t.parties.insert(party.id, party);
    }

    fn phone(&mut self, debtor: DebtorId, position: i32) -> ContactPoint {
        // Two in a hundred share a number with the debtor before.
        if position > 0 || !self.chance(2) {
            self.phones += 1;
        }
        let role = if self.chance(2) {
            PartyRole::Reference
        } else {
            PartyRole::Titular
        };
        ContactPoint {
            id: PointId(self.id()),
            debtor_id: debtor,
            role,
            channel: Channel::Call,
            value: Pii(format!("+52557{:07}", self.phones)),
            class: if self.chance(70) {
                PointClass::Mobile
            } else {
                PointClass::Home
            },
            source: "import".into(),
            given_by_debtor: !self.chance(3),
            authorised: true,
            confidence: self.rng.random_range(20..=95),
            position,
            bad: self.chance(2),
            last_rpc_at: None,
            added_at: self.now,
        }
    }

    /// What happened before: full weeks, a conversation yesterday, holds, listings.
    fn past(
        &mut self,
        t: &mut Tables,
        client: ClientId,
        (debtor, person): (DebtorId, PersonId),
        point: &ContactPoint,
    ) {
        let row = |maker: &Self, kind, at| LedgerRow {
            id: LedgerId(maker.id()),
            person_id: person,
            debtor_id: debtor,
            client_id: client,
            debts: Vec::new(),
            point_id: Some(point.id),
            address: point.value.clone(),
            class: point.class,
            channel: Channel::Call,
            kind,
            at,
            attempt_id: Some(maker.id().into()),
            campaign_id: None,
            reached_network: Some(true),
        };
        if self.chance(8) {
            let made = self.rng.random_range(4..=7);
            for n in 0..made {
                let at = self.now.plus_ms(-DAY_MS * (1 + n % 5) - n * HOUR_MS / 8);
                let row = row(self, LedgerKind::Attempt, at);
                t.ledger.push(row);
            }
        }
        if self.chance(4) {
            let hours = self.rng.random_range(1..30);
            let at = self.now.plus_ms(-hours * HOUR_MS);
            let row = row(self, LedgerKind::Conversation, at);
            t.ledger.push(row);
        }
        if self.chance(3) {
            let hold = hold(self.id(), client, debtor, HoldKind::Dispute, self.now);
            t.holds.insert(hold.id, hold);
        }
        if self.chance(2) {
            let row = listed(self.id(), &point.value, self.now);
            t.suppressions.insert(row.id, row);
        }
    }

    fn campaign(&self, t: &mut Tables, n: usize, client: ClientId) -> CampaignId {
        let segment = Segment {
            id: SegmentId(self.id()),
            client_id: client,
            name: format!("Segmento {n}"),
            expression: "balance > 0.00".into(),
            version: 1,
            created_at: self.now,
            updated_at: self.now,
        };
        let params = CampaignParams {
            mode: self.plan.modes[n % 2],
            lines_per_agent: self.plan.lines_per_agent,
            pacing_tick_ms: 1_000,
            window_from: "07:00".into(),
            window_to: "22:00".into(),
            preview_max_s: 30,
            wrapup_s: 2,
            wrapup_max_s: 45,
            record: self.plan.record,
            amd: self.plan.amd(n),
            amd_connect_first: self.plan.seed % 10 == 3,
            ..CampaignParams::default()
        };
        let campaign = Campaign {
            id: CampaignId(self.id()),
            client_id: client,
            name: format!("Campaña {n}"),
            segment_id: segment.id,
            script_id: None,
            status: CampaignStatus::Draft,
            params,
            version: 1,
            created_at: self.now,
            updated_at: self.now,
        };
        t.segments.insert(segment.id, segment);
        let id = campaign.id;
        t.campaigns.insert(id, campaign);
        id
    }

    fn agent(&self, t: &mut Tables, n: usize) -> AgentId {
        let id = AgentId(self.id());
        let agent = Agent {
            id,
            user_id: UserId(self.id()),
            team_id: None,
            name: format!("Gestora {n}"),
            sip_user: format!("agent{n}"),
            sip_password: String::new(),
            campaigns: Vec::new(),
            skills: Vec::new(),
            created_at: self.now,
        };
        t.agents.insert(id, agent);
        id
    }
}

/// The currency of the world.
pub(super) fn mxn() -> domain::money::Currency {
    "MXN"
        .parse()
        .unwrap_or_else(|_| unreachable!("three capital letters"))
}

/// A hold on a debtor from `at`.
pub(super) fn hold(
    id: Uuid,
    client: ClientId,
    debtor: DebtorId,
    kind: HoldKind,
    at: UtcMs,
) -> Hold {
    Hold {
        id: id.into(),
        client_id: client,
        debtor_id: debtor,
        scope: HoldScope::Debtor,
        debt_id: None,
        point_id: None,
        channel: None,
        kind,
        from: at,
        until: None,
        lifted_at: None,
        evidence: "simulated".into(),
    }
}

/// A number on the installation's list from `at`.
pub(super) fn listed(id: Uuid, value: &Pii<String>, at: UtcMs) -> Suppression {
    Suppression {
        id: id.into(),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: value.clone(),
        reason: "request".into(),
        created_at: at,
        lifted_at: None,
    }
}
